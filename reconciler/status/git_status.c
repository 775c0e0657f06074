/* git_status.c - the status ref: opening it, and moving it by compare-and-swap.
 *
 * Each try starts from what the ref is now: read, lay the update over it, write
 * the objects, move the ref if nobody else did.  Objects of a lost try stay
 * behind unreferenced until git gc takes them; most are used by the next try.
 * Nothing is ever forced, so no writer can lose another's commit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "model/base/time.h"
#include "reconciler/source/git.h"
#include "reconciler/source/name.h"
#include "reconciler/source/source.h"
#include "reconciler/status/git_batch.h"
#include "reconciler/status/load.h"

enum {
    TRIES = 10,
    FIRST_WAIT_MS = 8,
    LONGEST_WAIT_MS = 1000,
    PATIENCE_S = TN_GIT_LOCK_STALE_S + 3,
};

struct writer {
    struct tn_git_repo *repo;
    git_repository *handle;
    const char *ref;
    const struct tn_status_update *update;
    int64_t now;
    char author[256], email[256], message[4096];
};

static void
cleanup_reference(git_reference **r)
{
    git_reference_free(*r);
}

static void
cleanup_source(struct tn_source **s)
{
    if (*s) {
        (*s)->ops->free(*s);
    }
}

/* What the ref points at; '*id' is zero if it is missing. */
static enum tn_code
tip(git_repository *handle, const char *ref, git_oid *id, struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *found = NULL;
    int valid = 0;
    *id = (git_oid){{0}};
    if (git_reference_name_is_valid(&valid, ref) < 0 || !valid ||
        strncmp(ref, "refs/", 5) != 0) {
        return tn_fail(err, TN_EDENIED, 0,
                       "'%s' cannot be the status ref: it must be a full name "
                       "like " TN_STATUS_REF_DEFAULT,
                       ref);
    }
    int rc = git_reference_lookup(&found, handle, ref);
    if (rc == GIT_ENOTFOUND) {
        return TN_OK;
    }
    if (rc < 0) {
        return tn_git_fail(err, rc, "reading the status ref %s", ref);
    }
    if (git_reference_type(found) != GIT_REFERENCE_DIRECT) {
        return tn_fail(err, TN_EDENIED, 0,
                       "%s cannot be the status ref: it is a name for another "
                       "ref (symbolic)",
                       ref);
    }
    git_oid_cpy(id, git_reference_target(found));
    return TN_OK;
}

enum tn_code
tn_status_open(const char *path, const char *ref, struct tn_source **out,
               struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    git_oid id;
    ref = ref ? ref : TN_STATUS_REF_DEFAULT;
    enum tn_code code = tn_git_open(path, &repo, err);
    if (!code) {
        code = tip(tn_git_handle(repo), ref, &id, err);
    }
    if (code || git_oid_is_zero(&id)) {
        if (!code) {
            *out = NULL;
        }
        return code;
    }
    char hex[GIT_OID_HEXSZ + 1];
    code = tn_source_open_commit(path, git_oid_tostr(hex, sizeof hex, &id), out,
                                 NULL, err);
    return code ? tn_while(err, code, "status ref %s", ref) : TN_OK;
}

enum tn_code
tn_status_find(const char *path, const char *ref, struct tn_arena *arena,
               const char **out, struct tn_error *err)
{
    static const char heads[] = "refs/heads/";
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    git_oid id;
    ref = ref ? ref : TN_STATUS_REF_DEFAULT;
    enum tn_code code = tn_git_open(path, &repo, err);
    if (!code) {
        code = tip(tn_git_handle(repo), ref, &id, err);
    }
    if (code) {
        return code;
    }
    *out = ref;
    if (git_oid_is_zero(&id) && strncmp(ref, heads, sizeof heads - 1) == 0) {
        const char *tracked = tn_arena_printf(arena, "refs/remotes/origin/%s",
                                              ref + sizeof heads - 1);
        struct tn_error ignored = {0};
        if (!tip(tn_git_handle(repo), tracked, &id, &ignored) &&
            !git_oid_is_zero(&id)) {
            *out = tracked;
        }
    }
    return TN_OK;
}

/* The branch of HEAD, and any that is checked out in a linked work tree. */
static enum tn_code
refuse_watched(const struct writer *w, struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *head = NULL;
    TN_CLEANUP(cleanup_reference) git_reference *own = NULL;
    const char *target = NULL;
    if (git_reference_lookup(&head, w->handle, "HEAD") == 0) {
        target = git_reference_symbolic_target(head);
    }
    bool watched = target && strcmp(target, w->ref) == 0;
    if (!watched && git_reference_lookup(&own, w->handle, w->ref) == 0) {
        watched = git_branch_is_checked_out(own) == 1;
    }
    return watched ? tn_fail(err, TN_EDENIED, 0,
                             "%s is checked out here, so it cannot be the "
                             "status ref: the status would become intent",
                             w->ref)
                   : TN_OK;
}

/* A ref that holds something else is somebody's mistake in the settings. */
static enum tn_code
refuse_foreign(struct tn_source *source, const char *ref, struct tn_error *err)
{
    static const char *const ours[] = {"devices",   "tenants",
                                       "vpcs",      "allocations",
                                       "snapshots", "quarantine.yml"};
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_entry *entries = NULL;
    size_t n = 0, n_ours = 0;
    enum tn_code code = source->ops->list(source, "", arena, &entries, &n, err);
    if (code) {
        return tn_while(err, code, "status ref %s", ref);
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(entries[i].name, "tenet.yml") == 0 ||
            strcmp(entries[i].name, "inventories") == 0) {
            return tn_fail(err, TN_EDENIED, 0,
                           "%s cannot be the status ref: it holds intent (%s)",
                           ref, entries[i].name);
        }
        for (size_t k = 0; k < TN_ARRAY_SIZE(ours); k++) {
            n_ours += strcmp(entries[i].name, ours[k]) == 0;
        }
    }
    /* A README alone is what is left when everything was dropped. */
    bool empty = n == 0 || (n == 1 && !strcmp(entries[0].name, "README.md"));
    return n_ours || empty ? TN_OK
                           : tn_fail(err, TN_EDENIED, 0,
                                     "%s cannot be the status ref: it holds "
                                     "something that tenet did not write",
                                     ref);
}

/* Moves the ref from 'old' to 'id'.  '*lost' is set if somebody else moved or
 * holds it. */
static enum tn_code
swap(const struct writer *w, const git_oid *old, const struct tn_oid *id,
     bool *lost, struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *ref = NULL;
    git_oid target;
    char log[128];
    git_oid_fromraw(&target, id->b);
    snprintf(log, sizeof log, "tenet: %.*s", (int) strcspn(w->message, "\n"),
             w->message);
    int rc = git_reference_create_matching(&ref, w->handle, w->ref, &target, 1,
                                           old, log);
    *lost = rc == GIT_EMODIFIED || rc == GIT_ELOCKED || rc == GIT_ENOTFOUND;
    return rc < 0 ? tn_git_fail(err, rc, "moving the status ref %s", w->ref)
                  : TN_OK;
}

/* Writes the edits over the commit 'old' and moves the ref. */
static enum tn_code
publish(const struct writer *w, const git_oid *old,
        const struct tn_status_edit *edits, size_t n,
        struct tn_status_result *result, bool *lost, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_batch) struct tn_batch *batch = NULL;
    struct tn_batch_commit commit = {.author = w->author,
                                     .email = w->email,
                                     .message = w->message,
                                     .time = w->now,
                                     .sign = w->update->sign,
                                     .sign_ctx = w->update->sign_ctx};
    struct tn_oid base = {0}, id;
    if (!git_oid_is_zero(old)) {
        git_commit *parent = NULL;
        int rc = git_commit_lookup(&parent, w->handle, old);
        if (rc < 0) {
            return tn_git_fail(err, rc, "reading the status ref %s", w->ref);
        }
        memcpy(base.b, git_commit_tree_id(parent)->id, GIT_OID_RAWSZ);
        memcpy(commit.parent.b, old->id, GIT_OID_RAWSZ);
        git_commit_free(parent);
    }
    enum tn_code code = tn_batch_new(w->repo, n, &batch, err);
    if (!code) {
        code = tn_batch_tree(batch, &base, edits, n, &commit.tree, err);
    }
    if (!code) {
        code = tn_batch_commit(batch, &commit, &id, err);
    }
    if (!code) {
        code = tn_batch_flush(batch, err);
    }
    if (!code) {
        code = swap(w, old, &id, lost, err);
    }
    if (!code) {
        git_oid hex;
        git_oid_fromraw(&hex, id.b);
        git_oid_tostr(result->id, sizeof result->id, &hex);
        result->changed = true;
    }
    return code;
}

static enum tn_code
attempt(const struct writer *w, struct tn_status_result *result, bool *lost,
        struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(cleanup_source) struct tn_source *source = NULL;
    const struct tn_status_edit *edits = NULL;
    size_t n = 0;
    git_oid old;
    enum tn_code code = tip(w->handle, w->ref, &old, err);
    if (!code) {
        code = refuse_watched(w, err);
    }
    if (!code && !git_oid_is_zero(&old)) {
        git_oid_tostr(result->id, sizeof result->id, &old);
        code = tn_source_open_commit(tn_git_dir(w->repo), result->id, &source,
                                     NULL, err);
        if (!code) {
            code = refuse_foreign(source, w->ref, err);
        }
    }
    if (!code) {
        code =
            tn_status_diff(source, w->update, w->now, arena, &edits, &n, err);
    }
    return code || n == 0 ? code
                          : publish(w, &old, edits, n, result, lost, err);
}

static void
wait_before(unsigned try)
{
    unsigned limit = (unsigned) FIRST_WAIT_MS << try, random = 0;
    limit = limit < LONGEST_WAIT_MS ? limit : LONGEST_WAIT_MS;
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
        random = limit / 2;
    }
    struct timespec nap = {.tv_nsec = (long) (random % limit + 1) * 1000000};
    nap.tv_sec = nap.tv_nsec / 1000000000;
    nap.tv_nsec %= 1000000000;
    nanosleep(&nap, NULL);
}

/* A name or an address as Git can store it. */
static void
identity(char *out, size_t size, const char *s, const char *otherwise)
{
    s = s && s[0] ? s : otherwise;
    tn_clean(out, size, s, strlen(s));
    for (char *p = out; *p; p++) {
        if (*p == '<' || *p == '>') {
            *p = '?';
        }
    }
}

/* Cleans line by line, and ends with a newline. */
static void
set_message(struct writer *w, const char *message)
{
    size_t used = 0;
    message = message && message[0] ? message : "Update status";
    for (const char *p = message; *p && used + 2 < sizeof w->message;) {
        size_t n = strcspn(p, "\n");
        tn_clean(w->message + used, sizeof w->message - used - 1, p, n);
        used += strlen(w->message + used);
        w->message[used++] = '\n';
        p += n + (p[n] == '\n');
    }
    w->message[used] = '\0';
}

/* Tries until the ref moved, nothing changed, or it makes no sense: for longer
 * than the lock of somebody who was killed just now takes to be old. */
static enum tn_code
try_all(const struct writer *w, struct tn_status_result *result,
        struct tn_error *err)
{
    enum tn_code code = TN_OK;
    const int64_t end = tn_now_ns() + PATIENCE_S * INT64_C(1000000000);
    unsigned try = 0;
    for (; try < TRIES || tn_now_ns() < end; try++) {
        bool lost = false;
        *result = (struct tn_status_result){.tries = try + 1};
        code = attempt(w, result, &lost, err);
        if (!lost) {
            return code;
        }
        if (!tn_git_lock_break(w->repo, w->ref)) {
            wait_before(try < TRIES ? try : TRIES);
        }
    }
    code = TN_EUNAVAILABLE;
    if (err) {
        err->code = code;
    }
    return tn_while(err, code,
                    "the status ref %s could not be moved in %u tries (a "
                    "stale .lock file beside it?)",
                    w->ref, try);
}

enum tn_code
tn_status_commit(const char *path, const char *ref,
                 const struct tn_status_update *update,
                 struct tn_status_result *result, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    struct tn_status_result mine = {0};
    struct writer w = {
        .ref = ref ? ref : TN_STATUS_REF_DEFAULT,
        .update = update,
        .now = update->now ? update->now : (int64_t) time(NULL),
    };
    enum tn_code code = tn_git_open(path, &repo, err);
    if (code) {
        return code;
    }
    w.repo = repo;
    w.handle = tn_git_handle(repo);
    identity(w.author, sizeof w.author, update->author, "tenet");
    identity(w.email, sizeof w.email, update->email, "tenet@localhost");
    set_message(&w, update->message);
    git_repository_set_ident(w.handle, w.author, w.email);
    code = try_all(&w, &mine, err);
    if (!code && result) {
        *result = mine;
    }
    return code;
}
