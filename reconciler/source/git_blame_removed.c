/* git_blame_removed.c - who took a line away; see blame.h.
 *
 * The versions of the file since an old commit are listed, and the line is
 * followed from the oldest to the newest until it is not there any more. */
#include "reconciler/source/blame.h"

#include "model/base/cleanup.h"
#include "reconciler/source/git.h"
#include "reconciler/source/git_blame_look.h"

struct search {
    const struct tn_blame_ask *ask;
    git_repository *repo;
    git_odb *odb;
    struct tn_arena *arena;
    size_t n_visited, max;
};

static void
cleanup_commit(git_commit **c)
{
    git_commit_free(*c);
}

static void
cleanup_odb(git_odb **o)
{
    git_odb_free(*o);
}

/* A version of the file, and the commit that made it. */
struct version {
    git_oid commit, blob;
    bool gone;
};

struct versions {
    TN_VEC(struct version) list; /* Newest first. */
};

/* Versions between 'rev' and 'old', whose own is the last one. */
static int
versions_list(struct search *w, const git_oid *old, struct versions *out)
{
    TN_CLEANUP(cleanup_commit) git_commit *at = NULL;
    int rc = tn_blame_commit_of(w->repo, w->ask->rev, &at);
    while (rc == 0 && w->n_visited++ < w->max) {
        struct version v = {.commit = *git_commit_id(at)};
        rc = tn_blame_blob_at(w->odb, at, w->ask->path, &v.blob);
        v.gone = rc == GIT_ENOTFOUND;
        rc = v.gone ? 0 : rc;
        struct version *last =
            out->list.n ? &out->list.items[out->list.n - 1] : NULL;
        if (last && last->gone == v.gone &&
            (v.gone || git_oid_equal(&last->blob, &v.blob))) {
            *last = v; /* Made by this one, or one still older. */
        } else {
            *tn_vec_push(w->arena, &out->list) = v;
        }
        if (rc < 0 || git_oid_equal(&v.commit, old)) {
            return rc;
        }
        git_commit *parent = NULL;
        rc = git_commit_parentcount(at) ? git_commit_parent(&parent, at, 0)
                                        : GIT_ENOTFOUND;
        git_commit_free(at);
        at = parent;
    }
    return rc < 0 ? rc : GIT_ENOTFOUND;
}

static int
removal_find(struct search *w, const struct versions *v, git_oid *out)
{
    uint32_t line = w->ask->first;
    for (size_t i = v->list.n; i-- > 1;) {
        const struct version *was = &v->list.items[i], *is = was - 1;
        struct tn_blame_hunks hunks = {.arena = w->arena};
        int rc = is->gone
                     ? 0
                     : tn_blame_compare(w->repo, &was->blob, &is->blob, &hunks);
        if (rc < 0) {
            return rc;
        }
        line = is->gone ? 0 : tn_blame_line_after(&hunks, line);
        if (line == 0) {
            return git_oid_cpy(out, &is->commit);
        }
    }
    return GIT_ENOTFOUND;
}

static int
search(struct search *w, const char *old, git_oid *out)
{
    TN_CLEANUP(cleanup_commit) git_commit *start = NULL;
    struct versions versions = {0};
    int rc = tn_blame_commit_of(w->repo, old, &start);
    rc = rc < 0 ? rc : versions_list(w, git_commit_id(start), &versions);
    if (rc == 0 && versions.list.items[versions.list.n - 1].gone) {
        rc = GIT_ENOTFOUND;
    }
    return rc < 0 ? rc : removal_find(w, &versions, out);
}

enum tn_code
tn_source_removed_by(const struct tn_blame_ask *ask, const char *old,
                     struct tn_commit *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(cleanup_odb) git_odb *odb = NULL;
    char hex[GIT_OID_HEXSZ + 1] = "";
    git_oid id;
    enum tn_code code = tn_git_open(ask->repo, &repo, err);
    if (code) {
        return code;
    }
    struct search w = {.ask = ask,
                       .repo = tn_git_handle(repo),
                       .arena = arena,
                       .max = ask->max_commits ? ask->max_commits
                                               : TN_BLAME_COMMITS};
    tn_git_hasty(true);
    int rc = git_repository_odb(&odb, w.repo);
    w.odb = odb;
    rc = rc < 0 ? rc : search(&w, old, &id);
    code = rc < 0 ? tn_git_fail(err, rc, "who removed line %u of %s",
                                ask->first, ask->path)
                  : TN_OK;
    tn_git_hasty(false);
    if (!code) {
        git_oid_tostr(hex, sizeof hex, &id);
        code = tn_source_resolve(ask->repo, hex, out, err);
    }
    return code;
}
