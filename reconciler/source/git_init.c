/* git_init.c - see init.h.  No hook runs and nothing is signed: whoever wants
 * that commits by hand. */
#include "reconciler/source/init.h"

#include <string.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "reconciler/source/git.h"

static void
cleanup_repository(git_repository **r)
{
    git_repository_free(*r);
}

static void
cleanup_index(git_index **i)
{
    git_index_free(*i);
}

static void
cleanup_tree(git_tree **t)
{
    git_tree_free(*t);
}

static void
cleanup_signature(git_signature **s)
{
    git_signature_free(*s);
}

static int
repository_make(const char *dir, git_repository **out)
{
    git_repository_init_options o;
    git_repository_init_options_init(&o, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    o.flags = GIT_REPOSITORY_INIT_MKDIR;
    o.initial_head = "main";
    int rc =
        git_repository_open_ext(out, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
    return rc == GIT_ENOTFOUND ? git_repository_init_ext(out, dir, &o) : rc;
}

static int
tree_make(git_repository *repo, git_tree **out)
{
    TN_CLEANUP(cleanup_index) git_index *index = NULL;
    char all[] = "*";
    char *paths[] = {all};
    const git_strarray which = {paths, 1};
    git_oid id;
    int rc = git_repository_index(&index, repo);
    rc = rc < 0 ? rc : git_index_add_all(index, &which, 0, NULL, NULL);
    rc = rc < 0 ? rc : git_index_write(index);
    rc = rc < 0 ? rc : git_index_write_tree(&id, index);
    return rc < 0 ? rc : git_tree_lookup(out, repo, &id);
}

enum tn_code
tn_source_init(const char *dir, const char *message, struct tn_commit *out,
               struct tn_error *err)
{
    TN_CLEANUP(cleanup_repository) git_repository *repo = NULL;
    TN_CLEANUP(cleanup_tree) git_tree *tree = NULL;
    TN_CLEANUP(cleanup_signature) git_signature *who = NULL;
    git_oid id;
    int rc = repository_make(dir, &repo);
    if (rc == 0 && git_repository_head_unborn(repo) != 1) {
        return tn_fail(err, TN_ESTALE, 0, "%s has a commit already", dir);
    }
    if (rc == 0 && git_signature_default(&who, repo) < 0) {
        return tn_fail(err, TN_ENOENT, 0,
                       "Git does not know who you are: git config --global "
                       "user.name NAME, and user.email");
    }
    rc = rc < 0 ? rc : tree_make(repo, &tree);
    rc = rc < 0 ? rc
                : git_commit_create(&id, repo, "HEAD", who, who, NULL, message,
                                    tree, 0, NULL);
    return rc < 0 ? tn_git_fail(err, rc, "the first commit of %s", dir)
                  : tn_source_resolve(dir, NULL, out, err);
}
