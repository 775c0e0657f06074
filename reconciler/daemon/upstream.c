/* upstream.c - see upstream.h. */
#include "reconciler/daemon/upstream.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "reconciler/confirm/rollback.h"
#include "reconciler/daemon/mode.h"
#include "reconciler/daemon/thread.h"
#include "reconciler/source/remote.h"
#include "reconciler/status/publish.h"
#include "reconciler/trust/sign.h"
#include "reconciler/trust/trust.h"

enum { INTERVAL_S = 60, TIMEOUT_S = 60, RETRY_MS = 2000, FILE_BYTES = 256 };

struct tn_upstream {
    struct tn_upstream_options options;
    struct tn_thread thread;
    int wake;

    pthread_mutex_t mutex; /* Guards what follows. */
    bool look, stop;
    struct tn_upstream_job *job;
    char acknowledged[65];
    struct tn_remote *cancel; /* What the thread is busy with. */

    /* The thread's alone. */
    struct tn_remote *remote;
    struct tn_signer *signer;
    char status_ref[256];
    char instance[64]; /* Of tenet.yml: names the folder of its state. */
    char accepted[65]; /* The last commit that passed all; on disk too. */
    char trusted[65];  /* The last one whose signatures were judged; too. */
    char root[65];     /* Acknowledged: believed without looking. */
    struct tn_intent *intent;
    char told[65]; /* The tip about which 'told_refusal' was said. */
    int told_refusal;
    unsigned failures;
    int64_t next_ms;
    bool synced; /* The status ref was brought up to date once. */
};

/* ---- small files of state ---- */

static void
state_path(const struct tn_upstream *u, const char *name, struct tn_text *out)
{
    tn_text_addf(out, "%s/daemon/%s", u->options.state_dir, name);
}

static void
state_read(const struct tn_upstream *u, const char *name, char id[65])
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    state_path(u, name, &path);
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(tn_text_str(&path), "re");
    char line[FILE_BYTES] = "";
    id[0] = '\0';
    if (f && fgets(line, sizeof line, f)) {
        size_t n = strspn(line, "0123456789abcdef");
        if ((n == 40 || n == 64) && line[n] == '\n') {
            memcpy(id, line, n);
            id[n] = '\0';
        }
    }
}

static void
state_write(struct tn_upstream *u, const char *name, const char *id)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text line = {0};
    struct tn_error err = {0};
    state_path(u, name, &path);
    tn_text_addf(&line, "%s\n", id);
    if (tn_file_replace(tn_text_str(&path), &line, 0600, &err)) {
        char text[TN_ERROR_TEXT];
        tn_log(u->options.log, TN_LOG_WARNING, NULL, "%s",
               tn_error_text(&err, text, sizeof text));
    }
}

/* ---- telling ---- */

static struct tn_upstream_event *
event_new(enum tn_upstream_event_type type, const char *commit)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_upstream_event *e = tn_new(arena, struct tn_upstream_event);
    e->arena = arena;
    e->type = type;
    e->fetch_s = e->verify_s = e->compile_s = e->publish_s = -1;
    size_t n = commit ? strlen(commit) : 0;
    memcpy(e->commit, commit ? commit : "", n < 65 ? n : 64);
    return e;
}

static void
post(struct tn_upstream *u, struct tn_upstream_event *e)
{
    u->options.post(u->options.ctx, e);
}

static void
post_error(struct tn_upstream *u, enum tn_upstream_event_type type,
           const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    struct tn_upstream_event *e = event_new(type, NULL);
    e->text = tn_arena_strdup(e->arena, tn_error_text(err, text, sizeof text));
    post(u, e);
}

/* A refusal is said once for each tip and reason. */
static void
refuse(struct tn_upstream *u, const char *tip, enum tn_refusal refusal,
       const char *text)
{
    if (strcmp(u->told, tip) == 0 && u->told_refusal == (int) refusal) {
        return;
    }
    memcpy(u->told, tip, strlen(tip) + 1);
    u->told_refusal = (int) refusal;
    struct tn_upstream_event *e = event_new(TN_UP_REFUSED, tip);
    e->refusal = refusal;
    e->text = tn_arena_strdup(e->arena, text);
    post(u, e);
}

static void
accept_tip(struct tn_upstream *u, const char *tip)
{
    if (u->told[0]) {
        u->told[0] = '\0';
        post(u, event_new(TN_UP_ACCEPTED, tip));
    }
}

static double
seconds_since(int64_t start_ns)
{
    return (double) (tn_now_ns() - start_ns) / 1e9;
}

/* ---- judging a tip ---- */

static const char *
config_text(const struct tn_vtext *t, const char *fallback)
{
    return t->v ? t->v : fallback;
}

/* Does the tip continue what was accepted? */
static bool
continues(struct tn_upstream *u, const char *tip, struct tn_error *err)
{
    bool yes = true;
    bool acknowledged;
    if (!u->accepted[0] || strcmp(u->accepted, tip) == 0) {
        return true;
    }
    pthread_mutex_lock(&u->mutex);
    acknowledged = strcmp(u->acknowledged, tip) == 0;
    pthread_mutex_unlock(&u->mutex);
    if (acknowledged) {
        u->trusted[0] = '\0';
        memcpy(u->root, tip, strlen(tip) + 1);
        return true;
    }
    if (tn_remote_descends(u->remote, tip, u->accepted, &yes, err)) {
        yes = false; /* What was accepted cannot even be found. */
    }
    if (!yes) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        tn_text_addf(&t,
                     "the branch no longer contains %.12s, which is applied; "
                     "if that is meant: tenet ctl acknowledge %.12s",
                     u->accepted, tip);
        refuse(u, tip, TN_REFUSED_REWRITTEN, tn_text_str(&t));
    }
    return yes;
}

static bool
believed(struct tn_upstream *u, const char *tip, struct tn_error *err)
{
    const struct tn_daemon *c = u->options.config;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_trust_options options = {
        .root = u->root[0] ? u->root : c->trust.root.v,
        .signers_file = c->trust.allowed_signers.v,
    };
    struct tn_trust_verdict verdict;
    enum tn_code code = tn_trust_check(tn_remote_repo(u->remote),
                                       u->trusted[0] ? u->trusted : NULL, tip,
                                       &options, arena, &verdict, err);
    if (code) {
        char text[TN_ERROR_TEXT];
        refuse(u, tip, TN_REFUSED_UNTRUSTED,
               tn_error_text(err, text, sizeof text));
        return false;
    }
    if (!verdict.trusted) {
        refuse(u, tip, TN_REFUSED_UNTRUSTED,
               tn_arena_printf(arena, "%s: %s",
                               tn_trust_reason_name(verdict.reason),
                               verdict.message));
        return false;
    }
    if (strcmp(u->trusted, tip) != 0) {
        memcpy(u->trusted, tip, strlen(tip) + 1);
        state_write(u, "trusted", tip);
    }
    return true;
}

/* What to follow while the branch stands at 'tip': "" is to stay. */
static void
target_choose(struct tn_upstream *u, const char *tip, char target[65])
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_rollback rollback = {0};
    const char *damage = NULL, *commit = NULL;
    const char *environment = config_text(&u->options.config->environment, "");
    if (u->intent) {
        environment = u->intent->run->network->inventory->environment;
    }
    memcpy(target, tip, strlen(tip) + 1);
    tn_rollback_load(
        tn_arena_printf(arena, "%s/%s", u->options.state_dir, u->instance),
        tn_remote_repo(u->remote), u->status_ref, arena, &rollback, &damage);
    if (damage) {
        tn_log(u->options.log, TN_LOG_WARNING, NULL, "quarantine: %s", damage);
    }
    enum tn_rollback_choice choice =
        tn_rollback_target(&rollback, tip, environment, &commit);
    if (choice == TN_CHOOSE_TIP) {
        return;
    }
    const struct tn_quarantine *q = tn_rollback_quarantined(&rollback, tip);
    refuse(u, tip, TN_REFUSED_QUARANTINED,
           tn_arena_printf(arena, "it is quarantined: %s",
                           q && q->reason ? q->reason : "no reason given"));
    target[0] = '\0';
    if (commit && strlen(commit) < 65) {
        memcpy(target, commit, strlen(commit) + 1);
    }
}

static bool
frozen(struct tn_upstream *u, const char *tip)
{
    if (!u->intent || strcmp(u->intent->run->commit.id, tip) == 0) {
        return false;
    }
    const struct tn_freeze *f =
        tn_freeze_now(u->intent->run->network->settings, (int64_t) time(NULL));
    if (f) {
        refuse(u, tip, TN_REFUSED_FROZEN, f->reason.v);
    }
    return f != NULL;
}

/* ---- following ---- */

static const char *
first_finding(const struct tn_reconcile *run, struct tn_arena *arena)
{
    for (size_t i = 0; i < run->diags.list.n; i++) {
        const struct tn_diag *d = &run->diags.list.items[i];
        if (d->severity == TN_ERROR) {
            return d->at.path
                       ? tn_arena_printf(arena, "%s:%u:%u: %s", d->at.path,
                                         d->at.line, d->at.column, d->message)
                       : d->message;
        }
    }
    return NULL;
}

/* Compiles and hands the intent out.  'tip' is what the refusal is about. */
static bool
follow(struct tn_upstream *u, const char *commit, const char *tip,
       struct tn_upstream_event *times)
{
    const struct tn_daemon *c = u->options.config;
    struct tn_error err = {0};
    struct tn_reconcile *run = NULL;
    struct tn_reconcile_options o = {
        .repo = tn_remote_repo(u->remote),
        .rev = tn_arena_strdup(times->arena, commit),
        .environment = c->environment.v,
        .cache_dir = u->options.cache_dir,
        .threads = u->options.threads,
        .host = c->host.v,
    };
    int64_t start = tn_now_ns();
    enum tn_code code = tn_reconcile_open(&o, &run, &err);
    if (code) {
        char text[TN_ERROR_TEXT];
        const char *finding = first_finding(run, times->arena);
        refuse(u, tip, TN_REFUSED_INVALID,
               finding ? finding : tn_error_text(&err, text, sizeof text));
        tn_reconcile_free(run);
        return false;
    }
    run->options.rev = run->commit.id;
    struct tn_upstream_event *e = event_new(TN_UP_INTENT, commit);
    e->fetch_s = times->fetch_s;
    e->verify_s = times->verify_s;
    e->compile_s = seconds_since(start);
    e->intent = tn_intent_new(run, tn_now_ms());
    tn_intent_unref(u->intent);
    u->intent = tn_intent_ref(e->intent);
    memcpy(u->accepted, run->commit.id, sizeof u->accepted);
    state_write(u, "accepted", u->accepted);
    post(u, e);
    return true;
}

/* After a start with a tip that is refused: what was accepted before. */
static void
follow_former(struct tn_upstream *u, struct tn_upstream_event *times)
{
    if (!u->intent && u->accepted[0]) {
        char id[65];
        memcpy(id, u->accepted, sizeof id);
        (void) follow(u, id, id, times);
    }
}

static void
tip_judge(struct tn_upstream *u, const char *tip,
          struct tn_upstream_event *times)
{
    struct tn_error err = {0};
    char target[65];
    int64_t start = tn_now_ns();
    bool fine = continues(u, tip, &err) && believed(u, tip, &err);
    times->verify_s = seconds_since(start);
    if (!fine) {
        follow_former(u, times);
        return;
    }
    target_choose(u, tip, target);
    if (!target[0] || frozen(u, tip)) {
        follow_former(u, times);
        return;
    }
    if (u->intent && strcmp(u->intent->run->commit.id, target) == 0) {
        if (strcmp(target, tip) == 0) {
            accept_tip(u, tip);
        }
        return;
    }
    if (!follow(u, target, tip, times)) {
        follow_former(u, times);
    } else if (strcmp(target, tip) == 0) {
        accept_tip(u, tip);
    }
}

/* ---- the remote ---- */

static enum tn_code
remote_open(struct tn_upstream *u, struct tn_error *err)
{
    const struct tn_daemon *c = u->options.config;
    TN_CLEANUP(tn_cleanup_text) struct tn_text mirror = {0};
    const char *extra[] = {u->status_ref};
    bool local = c->source.url.v[0] == '/';
    state_path(u, "mirror.git", &mirror);
    struct tn_remote_options o = {
        .url = c->source.url.v,
        .branch = c->source.branch.v,
        .mirror = local ? NULL : tn_text_str(&mirror),
        .extra_refs = extra,
        .n_extra_refs = local ? 0 : 1,
        .ssh_key = c->source.ssh_key.v,
        .ssh_known_hosts = c->source.known_hosts.v,
        .https_ca = c->source.ca_file.v,
        .https_user = c->source.username.v,
        .https_token_file = c->source.token_file.v,
        .helper = "/proc/self/exe",
        .timeout_ms =
            (unsigned) (c->source.timeout.v ? c->source.timeout.v : TIMEOUT_S) *
            1000,
    };
    enum tn_code code = tn_remote_open(&o, &u->remote, err);
    if (!code) {
        pthread_mutex_lock(&u->mutex);
        u->cancel = u->remote;
        if (u->stop) {
            tn_remote_cancel(u->remote);
        }
        pthread_mutex_unlock(&u->mutex);
    }
    return code;
}

static void
remote_close(struct tn_upstream *u)
{
    pthread_mutex_lock(&u->mutex);
    u->cancel = NULL;
    pthread_mutex_unlock(&u->mutex);
    tn_remote_close(u->remote);
    u->remote = NULL;
}

/* The name of the status ref is in the commit itself; a mirror that fetched
 * another one is opened anew. */
static bool
status_ref_learn(struct tn_upstream *u, const char *tip)
{
    struct tn_error err = {0};
    const char *ref = NULL, *instance = NULL;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    if (!u->instance[0] &&
        tn_reconcile_instance(tn_remote_repo(u->remote), tip, arena, &instance,
                              &err) == TN_OK &&
        strlen(instance) < sizeof u->instance) {
        memcpy(u->instance, instance, strlen(instance) + 1);
    }
    if (tn_reconcile_status_ref(tn_remote_repo(u->remote), tip, arena, &ref,
                                &err) ||
        strcmp(ref, u->status_ref) == 0 || strlen(ref) >= 256) {
        return false;
    }
    memcpy(u->status_ref, ref, strlen(ref) + 1);
    remote_close(u);
    return true;
}

static enum tn_code
fetch(struct tn_upstream *u, struct tn_remote_heads *heads,
      struct tn_error *err)
{
    enum tn_code code = TN_OK;
    for (int round = 0; round < 2; round++) {
        if (!u->remote) {
            code = remote_open(u, err);
        }
        if (!code) {
            code = tn_remote_fetch(u->remote, heads, err);
        }
        if (code || !status_ref_learn(u, heads->branch.id)) {
            break;
        }
    }
    if (!code && !heads->branch.id[0]) {
        code = tn_fail(err, TN_ENOENT, 0, "%s has no such branch any more",
                       tn_remote_name(u->remote));
    }
    return code;
}

/* Before the first compile: the identifiers in use are on the status ref. */
static void
status_sync(struct tn_upstream *u)
{
    struct tn_error err = {0};
    struct tn_publish how = {.ref = u->status_ref};
    if (!u->synced && u->options.config->source.url.v[0] != '/') {
        u->synced = tn_status_publish(u->remote, &how, NULL, NULL, &err) == 0;
    }
}

static void
look(struct tn_upstream *u)
{
    struct tn_remote_heads heads = {0};
    struct tn_error err = {0};
    struct tn_upstream_event *e = event_new(TN_UP_FETCHED, NULL);
    int64_t start = tn_now_ns();
    const struct tn_daemon *c = u->options.config;
    int64_t interval =
        (int64_t) (c->source.interval.v ? c->source.interval.v : INTERVAL_S) *
        1000;
    uint32_t random = (uint32_t) tn_now_ns();
    enum tn_code code = fetch(u, &heads, &err);
    e->fetch_s = seconds_since(start);
    e->changed = heads.branch.changed;
    if (code) {
        u->failures += u->failures < 8;
        int64_t retry = RETRY_MS << (u->failures - 1);
        interval = retry < interval ? retry : interval;
        post_error(u, TN_UP_STALE, &err);
        if (u->remote && !u->intent) {
            follow_former(u, e);
        }
        tn_upstream_event_free(e);
    } else {
        u->failures = 0;
        status_sync(u);
        struct tn_upstream_event *times = event_new(TN_UP_FETCHED, NULL);
        times->fetch_s = e->fetch_s;
        memcpy(e->commit, heads.branch.id, sizeof e->commit);
        post(u, e);
        tip_judge(u, heads.branch.id, times);
        tn_upstream_event_free(times);
    }
    u->next_ms = tn_now_ms() + interval - interval / 10 +
                 (int64_t) (random % (uint32_t) (interval / 5 + 1));
}

/* ---- publishing ---- */

static void
job_free(struct tn_upstream_job *job)
{
    if (job) {
        tn_intent_unref(job->intent);
        tn_arena_free(job->arena);
    }
}

static enum tn_code
job_publish(struct tn_upstream *u, struct tn_upstream_job *job,
            struct tn_publish_result *result, struct tn_error *err)
{
    const struct tn_status *status = NULL;
    struct tn_status_update update;
    const char *ref = job->intent->run->status_ref;
    enum tn_code code = tn_status_load(tn_remote_repo(u->remote), ref,
                                       job->arena, &status, err);
    if (code) {
        return code;
    }
    struct tn_record record = {job->intent->run, status, job->reports,
                               job->n_reports, job->arena};
    tn_record_update(&record, &update);
    update.folders = job->folders;
    update.n_folders = job->n_folders;
    if (u->signer) {
        update.sign = tn_signer_sign;
        update.sign_ctx = u->signer;
    }
    const struct tn_vbool *push = &u->options.config->status.push;
    if (push->at.line && !push->v) {
        struct tn_status_result local = {0};
        code = tn_status_commit(tn_remote_repo(u->remote), ref, &update, &local,
                                err);
        result->committed = local.changed;
        memcpy(result->id, local.id, sizeof result->id);
        return code;
    }
    struct tn_publish how = {.ref = ref};
    return tn_status_publish(u->remote, &how, &update, result, err);
}

static void
publish(struct tn_upstream *u, struct tn_upstream_job *job)
{
    struct tn_error err = {0};
    struct tn_publish_result result = {0};
    int64_t start = tn_now_ns();
    enum tn_code code = u->remote ? job_publish(u, job, &result, &err) : TN_OK;
    if (code) {
        post_error(u, TN_UP_UNPUBLISHED, &err);
        return;
    }
    struct tn_upstream_event *e = event_new(TN_UP_PUBLISHED, result.id);
    e->changed = result.committed;
    e->tries = result.tries;
    e->publish_s = seconds_since(start);
    post(u, e);
}

/* ---- the thread ---- */

static void
wait_for_work(struct tn_upstream *u)
{
    int64_t left = u->next_ms - tn_now_ms();
    struct pollfd fds[2] = {
        {.fd = u->wake, .events = POLLIN},
        {.fd = u->remote ? tn_remote_watch_fd(u->remote) : -1,
         .events = POLLIN}};
    left = left < 0 ? 0 : left;
    int rc = poll(fds, 2, left > 3600000 ? 3600000 : (int) left);
    uint64_t ignored;
    if (rc > 0 && fds[0].revents &&
        read(u->wake, &ignored, sizeof ignored) < 0) {
        return; /* Taken already. */
    }
    if (rc > 0 && fds[1].revents && tn_remote_watch_take(u->remote)) {
        u->next_ms = 0;
    }
}

static void
upstream_main(void *context)
{
    struct tn_upstream *u = context;
    for (;;) {
        pthread_mutex_lock(&u->mutex);
        bool stop = u->stop;
        struct tn_upstream_job *job = TN_TAKE(u->job);
        if (u->look) {
            u->look = false;
            u->next_ms = 0;
        }
        pthread_mutex_unlock(&u->mutex);
        if (job) {
            publish(u, job);
            job_free(job);
        } else if (stop) {
            break;
        } else if (tn_now_ms() >= u->next_ms) {
            look(u);
        } else {
            wait_for_work(u);
        }
    }
    post(u, event_new(TN_UP_STOPPED, NULL));
}

static void
upstream_free(struct tn_upstream *u)
{
    remote_close(u);
    tn_signer_close(u->signer);
    tn_intent_unref(u->intent);
    job_free(u->job);
    pthread_mutex_destroy(&u->mutex);
    if (u->wake >= 0) {
        close(u->wake);
    }
    free(u);
}

enum tn_code
tn_upstream_new(const struct tn_upstream_options *options,
                struct tn_upstream **out, struct tn_error *err)
{
    struct tn_upstream *u = calloc(1, sizeof *u);
    if (!u) {
        abort();
    }
    u->options = *options;
    memcpy(u->status_ref, TN_STATUS_REF_DEFAULT, sizeof TN_STATUS_REF_DEFAULT);
    pthread_mutex_init(&u->mutex, NULL);
    u->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    state_read(u, "accepted", u->accepted);
    state_read(u, "trusted", u->trusted);
    enum tn_code code = TN_OK;
    if (options->config->status.signing_key.v) {
        code = tn_signer_open(options->config->status.signing_key.v, &u->signer,
                              err);
    }
    if (!code) {
        code = tn_thread_start(&u->thread, upstream_main, u, "Git", err);
    }
    if (code) {
        upstream_free(u);
        return code;
    }
    *out = u;
    return TN_OK;
}

static void
nudge(struct tn_upstream *u)
{
    uint64_t one = 1;
    if (write(u->wake, &one, sizeof one) < 0) {
        return; /* It is awake. */
    }
}

void
tn_upstream_wake(struct tn_upstream *u)
{
    pthread_mutex_lock(&u->mutex);
    u->look = true;
    pthread_mutex_unlock(&u->mutex);
    nudge(u);
}

void
tn_upstream_acknowledge(struct tn_upstream *u, const char *commit)
{
    pthread_mutex_lock(&u->mutex);
    size_t n = strlen(commit);
    memcpy(u->acknowledged, commit, n < 65 ? n + 1 : 0);
    u->look = true;
    pthread_mutex_unlock(&u->mutex);
    nudge(u);
}

void
tn_upstream_publish(struct tn_upstream *u, struct tn_upstream_job *job)
{
    pthread_mutex_lock(&u->mutex);
    struct tn_upstream_job *old = u->job;
    u->job = job;
    pthread_mutex_unlock(&u->mutex);
    job_free(old);
    nudge(u);
}

void
tn_upstream_stop(struct tn_upstream *u)
{
    pthread_mutex_lock(&u->mutex);
    u->stop = true;
    pthread_mutex_unlock(&u->mutex);
    nudge(u);
}

bool
tn_upstream_join(struct tn_upstream *u, int64_t deadline_ms)
{
    /* What is under way may end by itself in half of the time. */
    int64_t half = tn_now_ms() + (deadline_ms - tn_now_ms()) / 2;
    if (!tn_thread_join(&u->thread, half)) {
        pthread_mutex_lock(&u->mutex);
        if (u->cancel) {
            tn_remote_cancel(u->cancel);
        }
        pthread_mutex_unlock(&u->mutex);
        if (!tn_thread_join(&u->thread, deadline_ms)) {
            return false;
        }
    }
    upstream_free(u);
    return true;
}

void
tn_upstream_event_free(struct tn_upstream_event *event)
{
    if (event) {
        tn_intent_unref(event->intent);
        tn_arena_free(event->arena);
    }
}

const char *
tn_refusal_name(enum tn_refusal refusal)
{
    static const char *const names[] = {
        [TN_REFUSED_INVALID] = "invalid",
        [TN_REFUSED_UNTRUSTED] = "untrusted",
        [TN_REFUSED_REWRITTEN] = "rewritten",
        [TN_REFUSED_QUARANTINED] = "quarantined",
        [TN_REFUSED_FROZEN] = "frozen",
    };
    return names[refusal];
}
