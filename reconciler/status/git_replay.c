/* git_replay.c - see git_replay.h.
 *
 * A rebase without conflicts: a status commit says what some files are, not how
 * they differ, so that the later writer of a file is right.  No commit is
 * merged or squashed: the history of the ref is a line in which each commit
 * says what one writer did. */
#include "reconciler/status/git_replay.h"

#include <string.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "reconciler/source/git.h"
#include "reconciler/status/git_batch.h"

struct replayer {
    git_repository *handle;
    struct tn_batch *batch;
    struct tn_arena *arena;
    const struct tn_replay *replay;
    struct tn_oid tree, head; /* So far. */
};

static void
cleanup_walk(git_revwalk **w)
{
    git_revwalk_free(*w);
}

static void
cleanup_commit(git_commit **c)
{
    git_commit_free(*c);
}

static void
cleanup_diff(git_diff **d)
{
    git_diff_free(*d);
}

static void
cleanup_tree(git_tree **t)
{
    git_tree_free(*t);
}

static void
cleanup_blob(git_blob **b)
{
    git_blob_free(*b);
}

static void
cleanup_reference(git_reference **r)
{
    git_reference_free(*r);
}

static struct tn_oid
oid_of(const git_oid *id)
{
    struct tn_oid out = {0};
    memcpy(out.b, id->id, GIT_OID_RAWSZ);
    return out;
}

/* Zero for "". */
static int
parse(const char *hex, git_oid *out)
{
    *out = (git_oid){{0}};
    return hex[0] ? git_oid_fromstr(out, hex) : 0;
}

/* From the oldest to 'tip'; null if there is nothing to walk. */
static int
walk_to(git_repository *handle, const char *tip, const char *onto,
        git_revwalk **out)
{
    git_oid from, hide;
    int rc = parse(tip, &from);
    rc = rc < 0 ? rc : parse(onto, &hide);
    if (rc < 0 || git_oid_is_zero(&from)) {
        return rc;
    }
    rc = git_revwalk_new(out, handle);
    rc = rc < 0 ? rc
                : git_revwalk_sorting(*out,
                                      GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE);
    rc = rc < 0 ? rc : git_revwalk_push(*out, &from);
    return rc < 0 || git_oid_is_zero(&hide) ? rc
                                            : git_revwalk_hide(*out, &hide);
}

static int
edit_of(struct replayer *r, const git_diff_delta *delta,
        struct tn_status_edit *edit)
{
    TN_CLEANUP(cleanup_blob) git_blob *blob = NULL;
    bool gone = delta->status == GIT_DELTA_DELETED;
    *edit = (struct tn_status_edit){
        .path = tn_arena_strdup(r->arena, gone ? delta->old_file.path
                                               : delta->new_file.path)};
    if (gone) {
        return 0;
    }
    int rc = git_blob_lookup(&blob, r->handle, &delta->new_file.id);
    if (rc == 0) {
        edit->n = (size_t) git_blob_rawsize(blob);
        edit->bytes =
            tn_arena_strndup(r->arena, git_blob_rawcontent(blob), edit->n);
    }
    return rc;
}

/* What the commit did to its first parent's files, by path. */
static int
edits_of(struct replayer *r, git_commit *commit, struct tn_status_edit **out,
         size_t *n)
{
    TN_CLEANUP(cleanup_commit) git_commit *parent = NULL;
    TN_CLEANUP(cleanup_tree) git_tree *before = NULL;
    TN_CLEANUP(cleanup_tree) git_tree *after = NULL;
    TN_CLEANUP(cleanup_diff) git_diff *diff = NULL;
    int rc = git_commit_tree(&after, commit);
    if (rc == 0 && git_commit_parentcount(commit) > 0) {
        rc = git_commit_parent(&parent, commit, 0);
        rc = rc < 0 ? rc : git_commit_tree(&before, parent);
    }
    rc = rc < 0 ? rc
                : git_diff_tree_to_tree(&diff, r->handle, before, after, NULL);
    if (rc < 0) {
        return rc;
    }
    *n = git_diff_num_deltas(diff);
    *out = tn_new_n(r->arena, struct tn_status_edit, *n);
    for (size_t i = 0; rc == 0 && i < *n; i++) {
        rc = edit_of(r, git_diff_get_delta(diff, i), &(*out)[i]);
    }
    return rc;
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const struct tn_status_edit *) a)->path,
                  ((const struct tn_status_edit *) b)->path);
}

static enum tn_code
replay_one(struct replayer *r, const git_oid *id, struct tn_error *err)
{
    TN_CLEANUP(cleanup_commit) git_commit *commit = NULL;
    struct tn_status_edit *edits = NULL;
    struct tn_oid tree;
    size_t n = 0;
    int rc = git_commit_lookup(&commit, r->handle, id);
    rc = rc < 0 ? rc : edits_of(r, commit, &edits, &n);
    if (rc < 0) {
        return tn_git_fail(err, rc, "reading a status commit that waits");
    }
    if (n > 1) {
        qsort(edits, n, sizeof *edits, by_path);
    }
    enum tn_code code = tn_batch_tree(r->batch, &r->tree, edits, n, &tree, err);
    if (code ||
        (tn_oid_known(&r->head) && memcmp(&tree, &r->tree, sizeof tree) == 0)) {
        return code; /* Others said the same. */
    }
    const git_signature *author = git_commit_author(commit);
    struct tn_batch_commit again = {.tree = tree,
                                    .parent = r->head,
                                    .author = author->name,
                                    .email = author->email,
                                    .message = git_commit_message(commit),
                                    .time = author->when.time,
                                    .sign = r->replay->sign,
                                    .sign_ctx = r->replay->sign_ctx};
    r->tree = tree;
    return tn_batch_commit(r->batch, &again, &r->head, err);
}

static enum tn_code
start(struct replayer *r, struct tn_error *err)
{
    TN_CLEANUP(cleanup_commit) git_commit *onto = NULL;
    git_oid id;
    int rc = parse(r->replay->onto, &id);
    if (rc == 0 && !git_oid_is_zero(&id)) {
        rc = git_commit_lookup(&onto, r->handle, &id);
        if (rc == 0) {
            r->head = oid_of(&id);
            r->tree = oid_of(git_commit_tree_id(onto));
        }
    }
    return rc < 0 ? tn_git_fail(err, rc, "reading the status of the remote")
                  : TN_OK;
}

static enum tn_code
move(struct replayer *r, char hex[65], struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *ref = NULL;
    git_oid now, id;
    int rc = parse(r->replay->now, &now);
    git_oid_fromraw(&id, r->head.b);
    if (rc == 0 && git_oid_is_zero(&id)) {
        hex[0] = '\0'; /* Nothing to keep, nothing there. */
        return TN_OK;
    }
    rc = rc < 0 ? rc
         : git_oid_is_zero(&now)
             ? git_reference_create(&ref, r->handle, r->replay->ref, &id, 0,
                                    "tenet: as the remote has it")
             : git_reference_create_matching(&ref, r->handle, r->replay->ref,
                                             &id, 1, &now,
                                             "tenet: over the remote's");
    if (rc < 0) {
        return tn_git_fail(err, rc, "moving the status ref %s", r->replay->ref);
    }
    git_oid_tostr(hex, 65, &id);
    return TN_OK;
}

enum tn_code
tn_status_ahead(const char *path, const char *tip, const char *onto,
                size_t *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    TN_CLEANUP(cleanup_walk) git_revwalk *walk = NULL;
    size_t n = 0;
    git_oid id;
    enum tn_code code = tn_git_open(path, &repo, err);
    if (code) {
        return code;
    }
    int rc = walk_to(tn_git_handle(repo), tip, onto, &walk);
    while (rc == 0 && walk && (rc = git_revwalk_next(&id, walk)) == 0) {
        n++;
    }
    if (rc < 0 && rc != GIT_ITEROVER) {
        return tn_git_fail(err, rc, "counting status commits");
    }
    *out = n;
    return TN_OK;
}

enum tn_code
tn_status_replay(const struct tn_replay *replay, char hex[65],
                 struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    TN_CLEANUP(cleanup_walk) git_revwalk *walk = NULL;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_batch) struct tn_batch *batch = NULL;
    struct replayer r = {.arena = arena, .replay = replay};
    git_oid id;
    size_t n = 0;
    enum tn_code code =
        tn_status_ahead(replay->path, replay->tip, replay->onto, &n, err);
    code = code ? code : tn_git_open(replay->path, &repo, err);
    code = code ? code : tn_batch_new(repo, 5 * n, &batch, err);
    if (code) {
        return code;
    }
    r.handle = tn_git_handle(repo);
    r.batch = batch;
    code = start(&r, err);
    int rc = code ? 0 : walk_to(r.handle, replay->tip, replay->onto, &walk);
    while (!code && rc == 0 && walk &&
           (rc = git_revwalk_next(&id, walk)) == 0) {
        code = replay_one(&r, &id, err);
    }
    if (!code && rc < 0 && rc != GIT_ITEROVER) {
        code = tn_git_fail(err, rc, "reading status commits that wait");
    }
    code = code ? code : tn_batch_flush(batch, err);
    return code ? code : move(&r, hex, err);
}
