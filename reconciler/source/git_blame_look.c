/* git_blame_look.c - one file in one commit, and two versions of it. */
#include "reconciler/source/git_blame_look.h"

#include <stdbool.h>
#include <string.h>

#include "model/base/cleanup.h"

enum { BLOB_MAX = 16 * 1024 * 1024 };

static void
cleanup_odb_object(git_odb_object **o)
{
    git_odb_object_free(*o);
}

static void
cleanup_blob(git_blob **b)
{
    git_blob_free(*b);
}

static void
cleanup_object(git_object **o)
{
    git_object_free(*o);
}

/* An entry of a tree as it is stored: "MODE NAME\0ID".  Large directories are
 * not worth being parsed for one name. */
static int
entry_find(const char *tree, size_t size, const char *name, size_t n,
           git_oid *out, bool *is_tree)
{
    const char *end = tree + size;
    for (const char *p = tree; p < end;) {
        const char *blank = memchr(p, ' ', (size_t) (end - p));
        const char *nul =
            blank ? memchr(blank, '\0', (size_t) (end - blank)) : NULL;
        if (!nul || end - nul <= GIT_OID_RAWSZ) {
            git_error_set_str(GIT_ERROR_TREE, "a directory is damaged");
            return GIT_ERROR;
        }
        if ((size_t) (nul - blank - 1) == n &&
            memcmp(blank + 1, name, n) == 0) {
            *is_tree = *p == '4'; /* 40000 */
            return git_oid_fromraw(out, (const unsigned char *) nul + 1);
        }
        p = nul + 1 + GIT_OID_RAWSZ;
    }
    return GIT_ENOTFOUND;
}

/* What a commit needs and is not there is damage, and no answer. */
static int
tree_read(git_odb_object **out, git_odb *odb, const git_oid *id)
{
    int rc = git_odb_read(out, odb, id);
    return rc == GIT_ENOTFOUND ? GIT_ERROR : rc;
}

int
tn_blame_blob_at(git_odb *odb, const git_commit *commit, const char *path,
                 git_oid *out)
{
    git_oid id = *git_commit_tree_id(commit);
    bool is_tree = true;
    int rc = 0;
    while (rc == 0 && *path) {
        TN_CLEANUP(cleanup_odb_object) git_odb_object *tree = NULL;
        size_t n = strcspn(path, "/");
        rc = is_tree ? tree_read(&tree, odb, &id) : GIT_ENOTFOUND;
        if (rc == 0 && git_odb_object_type(tree) != GIT_OBJECT_TREE) {
            rc = GIT_ENOTFOUND;
        }
        rc = rc < 0 ? rc
                    : entry_find(git_odb_object_data(tree),
                                 git_odb_object_size(tree), path, n, &id,
                                 &is_tree);
        path += n + (path[n] == '/');
    }
    return rc < 0 ? rc : is_tree ? GIT_ENOTFOUND : git_oid_cpy(out, &id);
}

static int
hunk_add(const git_diff_delta *delta, const git_diff_hunk *h, void *context)
{
    struct tn_blame_hunks *hunks = context;
    (void) delta;
    *tn_vec_push(hunks->arena, &hunks->list) = (struct tn_blame_hunk){
        (uint32_t) h->old_start, (uint32_t) h->old_lines,
        (uint32_t) h->new_start, (uint32_t) h->new_lines};
    return 0;
}

static git_diff_options
diff_options(void)
{
    git_diff_options o;
    git_diff_options_init(&o, GIT_DIFF_OPTIONS_VERSION);
    o.context_lines = 0;
    o.flags = GIT_DIFF_FORCE_TEXT;
    return o;
}

int
tn_blame_blob_get(git_repository *repo, const git_oid *id, git_blob **out)
{
    int rc = git_blob_lookup(out, repo, id);
    if (rc == 0 && git_blob_rawsize(*out) > BLOB_MAX) {
        git_error_set_str(GIT_ERROR_INVALID, "the file is too large");
        rc = GIT_ERROR;
    }
    return rc;
}

int
tn_blame_compare(git_repository *repo, const git_oid *old, const git_oid *new,
                 struct tn_blame_hunks *out)
{
    TN_CLEANUP(cleanup_blob) git_blob *a = NULL;
    TN_CLEANUP(cleanup_blob) git_blob *b = NULL;
    git_diff_options o = diff_options();
    int rc = tn_blame_blob_get(repo, old, &a);
    rc = rc < 0 ? rc : tn_blame_blob_get(repo, new, &b);
    return rc < 0 ? rc
                  : git_diff_blobs(a, NULL, b, NULL, &o, NULL, NULL, hunk_add,
                                   NULL, out);
}

uint32_t
tn_blame_line_before(const struct tn_blame_hunks *hunks, uint32_t at)
{
    int64_t shift = 0;
    for (size_t i = 0; i < hunks->list.n; i++) {
        const struct tn_blame_hunk *h = &hunks->list.items[i];
        /* Of nothing, the place is the line before. */
        uint32_t from = h->new_start + (h->new_lines == 0);
        if (at < from) {
            break;
        }
        if (at < from + h->new_lines) {
            return 0;
        }
        shift += (int64_t) h->old_lines - h->new_lines;
    }
    return (uint32_t) (at + shift);
}

uint32_t
tn_blame_line_after(const struct tn_blame_hunks *hunks, uint32_t at)
{
    int64_t shift = 0;
    for (size_t i = 0; i < hunks->list.n; i++) {
        const struct tn_blame_hunk *h = &hunks->list.items[i];
        uint32_t from = h->old_start + (h->old_lines == 0);
        if (at < from) {
            break;
        }
        if (at < from + h->old_lines) {
            return 0;
        }
        shift += (int64_t) h->new_lines - h->old_lines;
    }
    return (uint32_t) (at + shift);
}

int
tn_blame_compare_bytes(git_blob *old, const char *bytes, size_t n,
                       struct tn_blame_hunks *out)
{
    git_diff_options o = diff_options();
    return git_diff_blob_to_buffer(old, NULL, bytes, n, NULL, &o, NULL, NULL,
                                   hunk_add, NULL, out);
}

int
tn_blame_commit_of(git_repository *repo, const char *rev, git_commit **out)
{
    TN_CLEANUP(cleanup_object) git_object *named = NULL;
    git_object *commit = NULL;
    int rc = git_revparse_single(&named, repo, rev ? rev : "HEAD");
    rc = rc < 0 ? rc : git_object_peel(&commit, named, GIT_OBJECT_COMMIT);
    *out = (git_commit *) commit;
    return rc;
}
