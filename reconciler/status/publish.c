/* publish.c - see publish.h.
 *
 *     known    what the remote has, as far as we know (the tracking ref)
 *     ours     the ref in the mirror: known, and commits that wait
 *
 * Each try lays what waits over 'known', makes the new commit from the update
 * itself (so that times and counts are judged against what others wrote), and
 * pushes if the remote is still at 'known'.  The first try needs no fetch: who
 * is alone, pays one connection. */
#include "reconciler/status/publish.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "model/base/attr.h"
#include "model/base/time.h"
#include "reconciler/source/source.h"
#include "reconciler/status/git_replay.h"

enum { TRIES = 30, LEAST_WAIT_MS = 20, LONGEST_WAIT_MS = 1500, PATIENCE = 10 };

struct publisher {
    struct tn_remote *remote;
    const struct tn_status_update *update;
    const struct tn_publish *how;
    const char *path, *ref;
    char tracking[512];
    char known[65];
    char ours[65];
    char waiting[65]; /* The last commit before the one of this call. */
    struct tn_publish_result result;
};

/* As long as a try takes, at random, so that racers fall out of step.  To wait
 * longer would not make the next try luckier; only who lost very often waits
 * longer and longer, for it may not be a race at all. */
static void
wait_before(unsigned try, int64_t took_ms)
{
    unsigned random = 0, doubled = try > PATIENCE ? try - PATIENCE : 0;
    int64_t limit = (took_ms > LEAST_WAIT_MS ? took_ms : LEAST_WAIT_MS)
                    << (doubled < 6 ? doubled : 6);
    limit = limit < LONGEST_WAIT_MS ? limit : LONGEST_WAIT_MS;
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
        random = (unsigned) limit / 2;
    }
    int64_t ms = random % limit;
    struct timespec nap = {.tv_sec = ms / 1000,
                           .tv_nsec = (long) (ms % 1000) * 1000000};
    nanosleep(&nap, NULL);
}

/* The commit of a ref of the mirror; empty if it is missing. */
static enum tn_code
read_ref(const struct publisher *p, const char *ref, char id[65],
         struct tn_error *err)
{
    struct tn_commit info;
    enum tn_code code = tn_source_resolve(p->path, ref, &info, err);
    if (code == TN_ENOENT) {
        id[0] = '\0';
        return TN_OK;
    }
    if (!code) {
        memcpy(id, info.id, 65);
    }
    return code;
}

/* Moves our ref on top of what the remote has, with what waits. */
static enum tn_code
catch_up(struct publisher *p, struct tn_error *err)
{
    bool on_top = !p->known[0];
    enum tn_code code = TN_OK;
    if (p->known[0] && p->waiting[0]) {
        code =
            tn_remote_descends(p->remote, p->waiting, p->known, &on_top, err);
    }
    if (code || (on_top && strcmp(p->waiting, p->ours) == 0)) {
        return code;
    }
    const struct tn_replay replay = {
        .path = p->path,
        .ref = p->ref,
        .now = p->ours,
        .tip = p->waiting,
        .onto = p->known,
        .sign = p->update ? p->update->sign : p->how->sign,
        .sign_ctx = p->update ? p->update->sign_ctx : p->how->sign_ctx,
    };
    code = tn_status_replay(&replay, p->ours, err);
    if (!code) {
        memcpy(p->waiting, p->ours, sizeof p->waiting);
    }
    return code;
}

static enum tn_code
make_commit(struct publisher *p, struct tn_error *err)
{
    struct tn_status_result made = {0};
    if (!p->update) {
        return TN_OK;
    }
    enum tn_code code =
        tn_status_commit(p->path, p->ref, p->update, &made, err);
    if (!code) {
        memcpy(p->ours, made.id, sizeof p->ours);
        p->result.committed |= made.changed;
    }
    return code;
}

/* '*again' is set if somebody else was faster. */
static enum tn_code
try_once(struct publisher *p, bool *again, struct tn_error *err)
{
    enum tn_code code = read_ref(p, p->tracking, p->known, err);
    code = code ? code : catch_up(p, err);
    code = code ? code : make_commit(p, err);
    if (code) {
        return code;
    }
    if (strcmp(p->ours, p->known) == 0) {
        p->result.pushed = true;
        return TN_OK;
    }
    p->result.tries++;
    code = tn_remote_push(p->remote, p->ref, p->ours, p->known, err);
    p->result.pushed = !code;
    *again = code == TN_ESTALE;
    return code;
}

static enum tn_code
try_all(struct publisher *p, struct tn_error *err)
{
    unsigned tries = p->how->tries ? p->how->tries : TRIES;
    struct tn_remote_head head;
    enum tn_code code = TN_OK;
    for (unsigned i = 0; i < tries; i++) {
        bool again = false;
        int64_t began = tn_now_ms();
        code = try_once(p, &again, err);
        if (!again) {
            return code;
        }
        if (i > 0) {
            wait_before(i, tn_now_ms() - began);
        }
        code = tn_remote_fetch_extra(p->remote, p->ref, &head, err);
        if (code) {
            return code;
        }
    }
    code = TN_EUNAVAILABLE;
    if (err) {
        err->code = code;
    }
    return tn_while(err, code, "%s could not be pushed in %u tries", p->ref,
                    tries);
}

static enum tn_code
in_place(struct publisher *p, struct tn_error *err)
{
    enum tn_code code = make_commit(p, err);
    p->result.pushed = !code;
    return code;
}

enum tn_code
tn_status_publish(struct tn_remote *remote, const struct tn_publish *how,
                  const struct tn_status_update *update,
                  struct tn_publish_result *result, struct tn_error *err)
{
    static const struct tn_publish plain;
    how = how ? how : &plain;
    struct publisher p = {
        .remote = remote,
        .update = update,
        .how = how,
        .path = tn_remote_repo(remote),
        .ref = how->ref ? how->ref : TN_STATUS_REF_DEFAULT,
    };
    tn_remote_tracking(p.tracking, sizeof p.tracking, p.ref);
    enum tn_code code = read_ref(&p, p.ref, p.ours, err);
    if (code) {
        return code;
    }
    memcpy(p.waiting, p.ours, sizeof p.waiting);
    bool here = tn_remote_is_in_place(remote);
    code = here ? in_place(&p, err) : try_all(&p, err);
    memcpy(p.result.id, p.ours, sizeof p.result.id);
    if (!p.result.pushed &&
        tn_status_ahead(p.path, p.ours, p.known, &p.result.n_waiting, NULL)) {
        p.result.n_waiting = 0;
    }
    if (result) {
        *result = p.result;
    }
    return code;
}
