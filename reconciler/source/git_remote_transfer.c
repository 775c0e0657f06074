/* git_remote_transfer.c - one fetch or one push, in the child process.
 *
 * Connects, looks at what the remote advertises, downloads what the mirror
 * lacks, and moves the mirror's refs once all is there and the branch is known
 * to be a commit with a tree.  A push compares what the remote advertises with
 * what is expected before anything is sent; the server compares again when it
 * moves the ref. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "reconciler/source/git_remote_wire.h"
#include "reconciler/source/source.h"

#define PUSHED "refs/tenet/pushed"

static void
cleanup_wire(struct tn_wire *w)
{
    explicit_bzero(w->secret, sizeof w->secret);
    git_remote_free(w->remote);
    tn_arena_free(w->arena);
}

static void
cleanup_object(git_object **o)
{
    git_object_free(*o);
}

static void
cleanup_reference(git_reference **r)
{
    git_reference_free(*r);
}

static enum tn_code
connect_to(struct tn_wire *w, git_direction direction, struct tn_error *err)
{
    if (w->url.kind == TN_URL_LOCAL) {
        TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *there = NULL;
        enum tn_code code = tn_git_open(w->url.wire, &there, err);
        if (code) {
            return code;
        }
    }
    git_remote_create_options create;
    git_remote_connect_options how;
    git_remote_create_options_init(&create, GIT_REMOTE_CREATE_OPTIONS_VERSION);
    create.repository = w->handle;
    create.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF |
                   GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
    git_remote_connect_options_init(&how, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
    how.callbacks = tn_wire_callbacks(w);
    how.proxy_opts = tn_wire_proxy(w);
    how.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    int rc = git_remote_create_with_opts(&w->remote, w->url.wire, &create);
    if (rc == 0) {
        rc = git_remote_connect_ext(w->remote, direction, &how);
    }
    return rc < 0 ? tn_wire_failed(w, rc, "connecting to", err) : TN_OK;
}

/* The advertised refs that concern us. */
struct wanted {
    const char *ref;
    char mirrored[512]; /* Its name in the mirror. */
    git_oid id;         /* Zero: the remote has none. */
};

static void
find_heads(const git_remote_head **heads, size_t n, struct wanted *want,
           size_t n_want)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n_want; k++) {
            if (want[k].ref && strcmp(heads[i]->name, want[k].ref) == 0) {
                git_oid_cpy(&want[k].id, &heads[i]->oid);
            }
        }
    }
}

static const char *
default_branch(struct tn_wire *w, const git_remote_head **heads, size_t n)
{
    if (n > 0 && strcmp(heads[0]->name, "HEAD") == 0 &&
        heads[0]->symref_target) {
        return heads[0]->symref_target;
    }
    git_buf name = {0};
    const char *found = NULL;
    if (git_remote_default_branch(&name, w->remote) == 0) {
        found = tn_arena_strdup(w->arena, name.ptr);
    }
    git_buf_dispose(&name);
    return found;
}

static enum tn_code
download(struct tn_wire *w, const struct wanted *want, size_t n,
         struct tn_error *err)
{
    git_fetch_options how;
    char *specs[TN_REMOTE_MAX_EXTRA + 1];
    git_strarray all = {specs, 0};
    for (size_t i = 0; i < n; i++) {
        if (!git_oid_is_zero(&want[i].id)) {
            specs[all.count++] = tn_arena_printf(w->arena, "+%s:%s",
                                                 want[i].ref, want[i].mirrored);
        }
    }
    if (all.count == 0) {
        return TN_OK;
    }
    git_fetch_options_init(&how, GIT_FETCH_OPTIONS_VERSION);
    how.callbacks = tn_wire_callbacks(w);
    how.proxy_opts = tn_wire_proxy(w);
    how.prune = GIT_FETCH_NO_PRUNE;
    how.update_fetchhead = 0;
    how.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    how.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    int rc = git_remote_download(w->remote, &all, &how);
    return rc < 0 ? tn_wire_failed(w, rc, "fetching from", err) : TN_OK;
}

/* A commit with a tree, or something that leads to one. */
static enum tn_code
check_commit(struct tn_wire *w, const struct wanted *want, struct tn_error *err)
{
    TN_CLEANUP(cleanup_object) git_object *object = NULL;
    TN_CLEANUP(cleanup_object) git_object *tree = NULL;
    int rc = git_object_lookup(&object, w->handle, &want->id, GIT_OBJECT_ANY);
    if (rc == 0) {
        rc = git_object_peel(&tree, object, GIT_OBJECT_TREE);
        if (rc == GIT_EPEEL || rc == GIT_EINVALIDSPEC ||
            (rc == 0 && git_object_type(object) == GIT_OBJECT_TREE)) {
            return tn_fail(err, TN_EINTENT, 0, "%s of %s names no commit",
                           want->ref, w->url.shown);
        }
    }
    if (rc == GIT_ENOTFOUND) {
        return tn_fail(err, TN_EINTERNAL, 0,
                       "%s was fetched, but not what it names", want->ref);
    }
    return rc < 0 ? tn_git_fail(err, rc, "reading %s", want->ref) : TN_OK;
}

static enum tn_code
move_ref(struct tn_wire *w, const struct wanted *want, struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *ref = NULL;
    git_oid now;
    int rc = git_reference_name_to_id(&now, w->handle, want->mirrored);
    if (git_oid_is_zero(&want->id)) {
        rc = rc == 0 ? git_reference_remove(w->handle, want->mirrored) : 0;
    } else if (rc < 0 || !git_oid_equal(&now, &want->id)) {
        rc = git_reference_create(&ref, w->handle, want->mirrored, &want->id, 1,
                                  "tenet: fetched");
    }
    return rc < 0
               ? tn_git_fail(err, rc, "moving %s of the mirror", want->mirrored)
               : TN_OK;
}

static enum tn_code
set_head(struct tn_wire *w, const char *branch, struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *head = NULL;
    int rc = git_reference_lookup(&head, w->handle, "HEAD");
    const char *target = rc == 0 ? git_reference_symbolic_target(head) : NULL;
    if (target && strcmp(target, branch) == 0) {
        return TN_OK;
    }
    git_reference_free(head);
    head = NULL;
    rc = git_reference_symbolic_create(&head, w->handle, "HEAD", branch, 1,
                                       "tenet: watched");
    return rc < 0 ? tn_git_fail(err, rc, "setting HEAD of the mirror") : TN_OK;
}

/* What to ask for: the branch first, unless only extras are. */
static enum tn_code
choose(struct tn_wire *w, struct wanted *want, size_t *n, struct tn_error *err)
{
    const git_remote_head **heads = NULL;
    size_t n_heads = 0;
    int rc = git_remote_ls(&heads, &n_heads, w->remote);
    if (rc < 0) {
        return tn_wire_failed(w, rc, "listing the refs of", err);
    }
    *n = 0;
    if (strcmp(w->t->text[TN_XFER_OP], "fetch") == 0) {
        const char *branch = tn_wire_option(w, TN_XFER_BRANCH);
        branch = branch ? branch : default_branch(w, heads, n_heads);
        if (!branch) {
            return tn_fail(err, TN_ENOENT, 0,
                           "%s has no default branch: it is empty, or a branch "
                           "must be named",
                           w->url.shown);
        }
        want[*n].ref = branch;
        snprintf(want[(*n)++].mirrored, sizeof want->mirrored, "%s", branch);
    }
    for (size_t i = 0; i < TN_REMOTE_MAX_EXTRA; i++) {
        const char *ref =
            tn_wire_option(w, (enum tn_transfer_text)(TN_XFER_EXTRA + i));
        if (ref) {
            want[*n].ref = ref;
            tn_remote_tracking(want[(*n)++].mirrored, sizeof want->mirrored,
                               ref);
        }
    }
    find_heads(heads, n_heads, want, *n);
    return TN_OK;
}

static enum tn_code
fetch(struct tn_wire *w, struct tn_transfer_reply *reply, struct tn_error *err)
{
    struct wanted want[TN_REMOTE_MAX_EXTRA + 1] = {{0}};
    bool main = strcmp(w->t->text[TN_XFER_OP], "fetch") == 0;
    size_t n = 0;
    enum tn_code code = connect_to(w, GIT_DIRECTION_FETCH, err);
    if (!code) {
        code = choose(w, want, &n, err);
    }
    if (!code && main && git_oid_is_zero(&want[0].id)) {
        code = tn_fail(err, TN_ENOENT, 0, "%s has no %s", w->url.shown,
                       want[0].ref);
    }
    if (!code) {
        code = download(w, want, n, err);
    }
    for (size_t i = 0; !code && i < n; i++) {
        if (!git_oid_is_zero(&want[i].id)) {
            code = check_commit(w, &want[i], err);
        }
    }
    for (size_t i = 0; !code && i < n; i++) {
        code = move_ref(w, &want[i], err);
    }
    if (!code && main && want[0].ref) {
        code = set_head(w, want[0].ref, err);
        snprintf(reply->branch, sizeof reply->branch, "%s", want[0].ref);
    }
    git_remote_disconnect(w->remote);
    return code;
}

/* libgit2 pushes what has a name. */
static enum tn_code
name_it(struct tn_wire *w, struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *ref = NULL;
    git_oid id;
    int rc = git_oid_fromstr(&id, w->t->text[TN_XFER_ID]);
    rc = rc < 0 ? rc
                : git_reference_create(&ref, w->handle, PUSHED, &id, 1,
                                       "tenet: to push");
    return rc < 0 ? tn_git_fail(err, rc, "naming what is pushed") : TN_OK;
}

static enum tn_code
push(struct tn_wire *w, struct tn_error *err)
{
    git_push_options how;
    char *spec =
        tn_arena_printf(w->arena, PUSHED ":%s", w->t->text[TN_XFER_REF]);
    git_strarray all = {&spec, 1};
    const char *expected = tn_wire_option(w, TN_XFER_EXPECTED);
    if (expected && git_oid_fromstr(&w->expected, expected) < 0) {
        return tn_fail(err, TN_EINTERNAL, 0, "'%s' is no commit id", expected);
    }
    if (w->url.kind == TN_URL_LOCAL) {
        return tn_local_push((struct tn_git_repo *) w->repo, w->url.wire,
                             w->t->text[TN_XFER_REF], w->t->text[TN_XFER_ID],
                             w->t->text[TN_XFER_EXPECTED], err);
    }
    enum tn_code code = name_it(w, err);
    code = code ? code : connect_to(w, GIT_DIRECTION_PUSH, err);
    if (code) {
        return code;
    }
    git_push_options_init(&how, GIT_PUSH_OPTIONS_VERSION);
    how.callbacks = tn_wire_callbacks(w);
    how.proxy_opts = tn_wire_proxy(w);
    how.pb_parallelism = 1;
    how.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    int rc = git_remote_upload(w->remote, &all, &how);
    if (rc < 0 || w->code) {
        code = tn_wire_failed(w, rc, "pushing to", err);
    }
    git_remote_disconnect(w->remote);
    return code;
}

static enum tn_code
run(struct tn_wire *w, struct tn_transfer_reply *reply, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    enum tn_code code = tn_url_parse(w->t->text[TN_XFER_URL], &w->url, err);
    if (!code && w->url.kind != TN_URL_LOCAL) {
        code = tn_wire_prepare(w, err);
    }
    if (!code) {
        code = tn_git_open(w->t->text[TN_XFER_MIRROR], &repo, err);
    }
    if (code) {
        return code;
    }
    w->repo = repo;
    w->handle = tn_git_handle(repo);
    if (strcmp(w->t->text[TN_XFER_OP], "push") == 0) {
        return push(w, err);
    }
    code = fetch(w, reply, err);
    reply->n_bytes = w->n_bytes;
    if (!code && tn_mirror_pack(repo, NULL)) {
        git_error_clear(); /* All is there; the next fetch tidies up. */
    }
    return code;
}

enum tn_code
tn_transfer_run(const struct tn_transfer *transfer,
                void (*progress)(void *ctx, uint64_t bytes), void *ctx,
                struct tn_transfer_reply *reply, struct tn_error *err)
{
    enum tn_code code = tn_git_init(err);
    if (code) {
        return code;
    }
    TN_CLEANUP(cleanup_wire)
    struct tn_wire w = {
        .t = transfer,
        .arena = tn_arena_new(),
        .max_bytes = strtoull(transfer->text[TN_XFER_MAX_BYTES], NULL, 10),
        .progress = progress,
        .progress_ctx = ctx,
    };
    /* The process ends next: libgit2 is not shut down. */
    return run(&w, reply, err);
}
