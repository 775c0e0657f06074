/* publish.c - what the devices hold, on the status ref.
 *
 * After a start with many devices their snapshots take long to write, so they
 * go in parts, between which new intent is looked for.  Conditions go with the
 * last part. */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "reconciler/daemon/upstream_inside.h"
#include "reconciler/status/publish.h"
#include "reconciler/status/state_dir.h"

enum { PART_BYTES = 4 << 20 };

void
tn_up_job_free(struct tn_upstream_job *job)
{
    if (job) {
        tn_intent_unref(job->intent);
        tn_arena_free(job->arena);
    }
}

/* Somebody asked for a look, or the repository moved under our eyes. */
static bool
is_asked(struct tn_upstream *u)
{
    pthread_mutex_lock(&u->mutex);
    bool asked = u->look;
    u->look = false;
    pthread_mutex_unlock(&u->mutex);
    struct pollfd fd = {.fd = tn_remote_watch_fd(u->remote), .events = POLLIN};
    return (poll(&fd, 1, 0) > 0 && tn_remote_watch_take(u->remote)) || asked;
}

static size_t
folder_bytes(const struct tn_status_folder *folder)
{
    size_t n = 0;
    for (size_t i = 0; i < folder->n_files; i++) {
        n += folder->files[i].n;
    }
    return n;
}

static void
sign_with(const struct tn_upstream *u, struct tn_status_update *update)
{
    if (u->signer) {
        update->sign = tn_signer_sign;
        update->sign_ctx = u->signer;
    }
}

static enum tn_code
update_publish(struct tn_upstream *u, const struct tn_upstream_job *job,
               const struct tn_status_update *update,
               struct tn_publish_result *result, struct tn_error *err)
{
    const char *ref = job->intent->run->status_ref;
    const struct tn_vbool *push = &u->options.config->status.push;
    if (push->at.line && !push->v) {
        struct tn_status_result local = {0};
        enum tn_code code = tn_status_commit(tn_remote_repo(u->remote), ref,
                                             update, &local, err);
        result->committed = local.changed;
        memcpy(result->id, local.id, sizeof result->id);
        return code;
    }
    struct tn_publish how = {.ref = ref};
    return tn_status_publish(u->remote, &how, update, result, err);
}

/* Publishes the first of many snapshots: devices wait for new intent, for these
 * nobody.  '*done' are so many folders. */
static enum tn_code
parts_publish(struct tn_upstream *u, const struct tn_upstream_job *job,
              size_t *done, struct tn_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i + 1 < job->n_folders; i++) {
        bytes += folder_bytes(&job->folders[i]);
        if (bytes < PART_BYTES) {
            continue;
        }
        struct tn_publish_result ignored = {0};
        struct tn_status_update update = {
            .folders = job->folders + *done,
            .n_folders = i + 1 - *done,
            .message = "Write down what devices hold",
        };
        sign_with(u, &update);
        enum tn_code code = update_publish(u, job, &update, &ignored, err);
        if (code) {
            return code;
        }
        *done = i + 1;
        bytes = 0;
        if (is_asked(u)) {
            tn_up_look(u);
        }
        if (!u->remote) {
            return tn_fail(err, TN_EUNAVAILABLE, 0, "Git cannot be reached");
        }
    }
    return TN_OK;
}

static enum tn_code
job_publish(struct tn_upstream *u, struct tn_upstream_job *job,
            struct tn_publish_result *result, struct tn_error *err)
{
    const struct tn_status *status = NULL;
    struct tn_status_update update;
    size_t done = 0;
    enum tn_code code = parts_publish(u, job, &done, err);
    if (!code) {
        code = tn_status_load_lent(tn_remote_repo(u->remote),
                                   job->intent->run->status_ref, u->memo,
                                   job->arena, &status, err);
    }
    if (code) {
        return code;
    }
    struct tn_record record = {job->intent->run, status, job->reports,
                               job->n_reports, job->arena};
    tn_record_update(&record, &update);
    update.folders = job->folders + done;
    update.n_folders = job->n_folders - done;
    sign_with(u, &update);
    code = update_publish(u, job, &update, result, err);
    result->committed = result->committed || (!code && done > 0);
    tn_status_done(status);
    return code;
}

void
tn_up_publish(struct tn_upstream *u, struct tn_upstream_job *job)
{
    struct tn_error err = {0};
    struct tn_publish_result result = {0};
    int64_t start = tn_now_ns();
    enum tn_code code =
        u->remote ? job_publish(u, job, &result, &err)
                  : tn_fail(&err, TN_EUNAVAILABLE, 0, "Git cannot be reached");
    if (code) {
        tn_up_post_error(u, TN_UP_UNPUBLISHED, &err);
        return;
    }
    struct tn_upstream_event *e = tn_up_event(TN_UP_PUBLISHED, result.id);
    e->changed = result.committed;
    e->tries = result.tries;
    e->publish_s = tn_up_seconds_since(start);
    tn_up_post(u, e);
}

void
tn_up_good(struct tn_upstream *u, const struct tn_intent *intent)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_rollback before = {0}, after = {0};
    struct tn_error err = {0};
    const struct tn_reconcile *run = intent->run;
    const char *damage = NULL, *commit = run->commit.id;
    const char *dir = tn_state_dir(arena, u->options.state_dir,
                                   run->network->settings->meta.name.v);
    tn_rollback_load(dir, NULL, NULL, arena, &before, &damage);
    if ((before.n_good && strcmp(before.good[0].commit, commit) == 0) ||
        tn_rollback_quarantined(&before, commit)) {
        return;
    }
    /* The list is ordered by time, whatever the clock does. */
    int64_t now = (int64_t) time(NULL);
    if (before.n_good && before.good[0].since >= now) {
        now = before.good[0].since + 1;
    }
    tn_rollback_applied(arena, &before, commit,
                        run->network->inventory->environment, now, &after);
    if (tn_rollback_save(dir, NULL, NULL, &after, "", &err)) {
        char text[TN_ERROR_TEXT];
        tn_log(u->options.log, TN_LOG_WARNING, NULL,
               "it cannot be written down that all devices hold a commit: %s",
               tn_error_text(&err, text, sizeof text));
    }
}
