/* fetch.c - asks the remote what the branch stands at.
 *
 * A remote that fails is asked again, ever more seldom but not more seldom than
 * one that works. */
#include <string.h>

#include "reconciler/daemon/upstream_inside.h"
#include "reconciler/status/publish.h"

enum { INTERVAL_S = 60, TIMEOUT_S = 60, RETRY_MS = 2000 };

static enum tn_code
remote_open(struct tn_upstream *u, struct tn_error *err)
{
    const struct tn_daemon *c = u->options.config;
    TN_CLEANUP(tn_cleanup_text) struct tn_text mirror = {0};
    const char *extra[] = {u->status_ref};
    bool local = c->source.url.v[0] == '/';
    tn_up_state_path(u, "mirror.git", &mirror);
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

void
tn_up_remote_close(struct tn_upstream *u)
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
    tn_up_remote_close(u);
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

void
tn_up_look(struct tn_upstream *u)
{
    struct tn_remote_heads heads = {0};
    struct tn_error err = {0};
    struct tn_upstream_event *e = tn_up_event(TN_UP_FETCHED, NULL);
    int64_t start = tn_now_ns();
    const struct tn_daemon *c = u->options.config;
    int64_t interval =
        (int64_t) (c->source.interval.v ? c->source.interval.v : INTERVAL_S) *
        1000;
    uint32_t random = (uint32_t) tn_now_ns();
    enum tn_code code = fetch(u, &heads, &err);
    e->fetch_s = tn_up_seconds_since(start);
    e->changed = heads.branch.changed;
    if (code) {
        u->failures += u->failures < 8;
        int64_t retry = RETRY_MS << (u->failures - 1);
        interval = retry < interval ? retry : interval;
        tn_up_post_error(u, TN_UP_STALE, &err);
        if (u->remote && !u->intent) {
            tn_up_follow_former(u, e);
        }
        tn_upstream_event_free(e);
    } else {
        u->failures = 0;
        memcpy(u->tip, heads.branch.id, sizeof u->tip);
        status_sync(u);
        struct tn_upstream_event *times = tn_up_event(TN_UP_FETCHED, NULL);
        times->fetch_s = e->fetch_s;
        memcpy(e->commit, heads.branch.id, sizeof e->commit);
        tn_up_post(u, e);
        tn_up_judge(u, heads.branch.id, times);
        tn_upstream_event_free(times);
    }
    u->next_ms = tn_now_ms() + interval - interval / 10 +
                 (int64_t) (random % (uint32_t) (interval / 5 + 1));
}
