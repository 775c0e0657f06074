/* git_base.c - where two lines of commits parted.
 *
 * What a merge request changes is what lies between that commit and its head.
 * A clone that was cut short may have both ends and not the commit between
 * them; then there is no honest answer, and the error says what to fetch. */
#include <stdio.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "reconciler/source/git.h"
#include "reconciler/source/source.h"

static enum tn_code
none_found(git_repository *handle, const struct tn_commit *one,
           const struct tn_commit *two, struct tn_error *err)
{
    bool shallow = git_repository_is_shallow(handle) == 1;
    return tn_fail(err, TN_ENOENT, 0,
                   "%.12s and %.12s have no common ancestor%s", one->id,
                   two->id,
                   shallow ? " in this clone, which is a shallow one: fetch "
                             "the whole history (a depth of 0)"
                           : "");
}

enum tn_code
tn_source_merge_base(const char *path, const char *one, const char *two,
                     struct tn_commit *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    struct tn_commit a, b;
    git_oid ia, ib, base;
    char id[GIT_OID_HEXSZ + 1];
    enum tn_code code = tn_git_open(path, &repo, err);
    code = code ? code : tn_source_resolve(path, one, &a, err);
    code = code ? code : tn_source_resolve(path, two, &b, err);
    if (code) {
        return code;
    }
    git_repository *handle = tn_git_handle(repo);
    if (git_oid_fromstr(&ia, a.id) < 0 || git_oid_fromstr(&ib, b.id) < 0) {
        return tn_fail(err, TN_EINTERNAL, 0, "%s: no id of a commit", a.id);
    }
    int rc = git_merge_base(&base, handle, &ia, &ib);
    /* In a shallow clone the walk meets parents that are not there. */
    if (rc == GIT_ENOTFOUND ||
        (rc < 0 && git_repository_is_shallow(handle) == 1)) {
        return none_found(handle, &a, &b, err);
    }
    if (rc < 0) {
        return tn_git_fail(err, rc, "looking for the common ancestor");
    }
    git_oid_tostr(id, sizeof id, &base);
    return tn_source_resolve(path, id, out, err);
}
