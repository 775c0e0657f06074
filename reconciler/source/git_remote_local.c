/* git_remote_local.c - pushing into a repository on this machine.
 *
 * libgit2's own local push overwrites a ref without a look at what it was, so
 * that writers who race lose commits; and it refuses repositories that are not
 * bare.  Here the objects are copied as one pack and the ref is moved by
 * compare-and-swap under its lock. */
#include <stdio.h>
#include <string.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "reconciler/source/git_remote.h"

static void
cleanup_reference(git_reference **r)
{
    git_reference_free(*r);
}

static void
cleanup_walk(git_revwalk **w)
{
    git_revwalk_free(*w);
}

static void
cleanup_packer(git_packbuilder **p)
{
    git_packbuilder_free(*p);
}

/* Copies what 'id' needs and 'expected' has not. */
static int
copy_objects(git_repository *from, git_repository *to, const git_oid *id,
             const git_oid *expected)
{
    TN_CLEANUP(cleanup_walk) git_revwalk *walk = NULL;
    TN_CLEANUP(cleanup_packer) git_packbuilder *packer = NULL;
    char path[4096];
    int rc = git_revwalk_new(&walk, from);
    rc = rc < 0 ? rc : git_revwalk_push(walk, id);
    if (rc == 0 && !git_oid_is_zero(expected)) {
        rc = git_revwalk_hide(walk, expected);
    }
    rc = rc < 0 ? rc : git_packbuilder_new(&packer, from);
    if (rc == 0) {
        git_packbuilder_set_threads(packer, 1);
        rc = git_packbuilder_insert_walk(packer, walk);
    }
    if (rc < 0 || git_packbuilder_object_count(packer) == 0) {
        return rc;
    }
    snprintf(path, sizeof path, "%sobjects/pack", git_repository_commondir(to));
    return git_packbuilder_write(packer, path, 0, NULL, NULL);
}

static enum tn_code
refuse_checked_out(git_repository *to, const char *ref, const char *path,
                   struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *found = NULL;
    if (git_reference_lookup(&found, to, ref) == 0 &&
        git_branch_is_checked_out(found) == 1) {
        return tn_fail(err, TN_EDENIED, 0, "%s is checked out in %s", ref,
                       path);
    }
    return TN_OK;
}

static enum tn_code
swap(git_repository *to, const char *ref, const git_oid *id,
     const git_oid *expected, struct tn_error *err)
{
    TN_CLEANUP(cleanup_reference) git_reference *moved = NULL;
    bool create = git_oid_is_zero(expected);
    int rc = create
                 ? git_reference_create(&moved, to, ref, id, 0, "tenet: pushed")
                 : git_reference_create_matching(&moved, to, ref, id, 1,
                                                 expected, "tenet: pushed");
    if (rc == GIT_EMODIFIED || rc == GIT_EEXISTS || rc == GIT_ELOCKED ||
        rc == GIT_ENOTFOUND) {
        return tn_fail(err, TN_ESTALE, 0, "%s was moved by somebody else", ref);
    }
    return rc < 0 ? tn_git_fail(err, rc, "moving %s", ref) : TN_OK;
}

static enum tn_code
parse(const char *id, git_oid *out, struct tn_error *err)
{
    *out = (git_oid){{0}};
    return id && id[0] && git_oid_fromstr(out, id) < 0
               ? tn_fail(err, TN_EINTERNAL, 0, "'%s' is no commit id", id)
               : TN_OK;
}

static enum tn_code
push_to(git_repository *from, git_repository *to, const char *ref,
        const git_oid *id, const git_oid *expected, struct tn_error *err)
{
    git_oid now = {{0}};
    int rc = git_reference_name_to_id(&now, to, ref);
    if ((rc < 0 && rc != GIT_ENOTFOUND) || !git_oid_equal(&now, expected)) {
        return rc < 0 && rc != GIT_ENOTFOUND
                   ? tn_git_fail(err, rc, "reading %s", ref)
                   : tn_fail(err, TN_ESTALE, 0, "%s was moved by somebody else",
                             ref);
    }
    bool known = git_oid_is_zero(expected) || git_oid_equal(expected, id) ||
                 git_graph_descendant_of(from, id, expected) == 1;
    if (!known) {
        return tn_fail(err, TN_ESTALE, 0,
                       "%s is not continued by what is pushed", ref);
    }
    rc = copy_objects(from, to, id, expected);
    return rc < 0 ? tn_git_fail(err, rc, "copying objects for %s", ref)
                  : swap(to, ref, id, expected, err);
}

enum tn_code
tn_local_push(struct tn_git_repo *from, const char *path, const char *ref,
              const char *id, const char *expected, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *to = NULL;
    git_oid new, old;
    enum tn_code code = parse(id, &new, err);
    if (!code) {
        code = parse(expected, &old, err);
    }
    if (!code) {
        code = tn_git_open(path, &to, err);
    }
    if (!code) {
        code = refuse_checked_out(tn_git_handle(to), ref, path, err);
    }
    if (code) {
        return code;
    }
    code =
        push_to(tn_git_handle(from), tn_git_handle(to), ref, &new, &old, err);
    if (code == TN_ESTALE && tn_git_lock_break(to, ref)) {
        code = push_to(tn_git_handle(from), tn_git_handle(to), ref, &new, &old,
                       err);
    }
    return code;
}
