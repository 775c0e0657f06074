/* git_batch.c - blobs, trees and a commit, as loose objects or as one pack.
 *
 * A handful of objects is written loose, as git itself would (and as its
 * automatic gc expects).  From UNPACK_LIMIT on, objects are collected in a
 * backend in memory and leave as one pack: two fsyncs instead of thousands.
 * Which objects are new is remembered here; libgit2's own dump of that backend
 * would pack whole trees again, with all that they had before. */
#include "reconciler/status/git_batch.h"

#include <stdlib.h>
#include <string.h>

#include <git2.h>
#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>

#include "model/base/arena.h"
#include "model/base/cleanup.h"

enum { UNPACK_LIMIT = 100, MEMORY_PRIORITY = 999, TREE_DEPTH = 8 };

struct written {
    git_oid id;
    const char *name; /* A hint for delta compression. */
};

struct tn_batch {
    git_repository *repo; /* Borrowed. */
    git_odb *odb;
    git_odb_backend *memory; /* Null: loose objects.  Owned by 'odb'. */
    struct tn_arena *arena;
    TN_VEC(struct written) written;
};

static void
cleanup_tree(git_tree **t)
{
    git_tree_free(*t);
}

static void
cleanup_builder(git_treebuilder **b)
{
    git_treebuilder_free(*b);
}

static void
cleanup_signature(git_signature **s)
{
    git_signature_free(*s);
}

static void
cleanup_commit(git_commit **c)
{
    git_commit_free(*c);
}

static void
cleanup_packer(git_packbuilder **p)
{
    git_packbuilder_free(*p);
}

static void
id_out(struct tn_oid *out, const git_oid *id)
{
    *out = (struct tn_oid){0};
    memcpy(out->b, id->id, GIT_OID_RAWSZ);
}

enum tn_code
tn_batch_new(struct tn_git_repo *repo, size_t expected, struct tn_batch **out,
             struct tn_error *err)
{
    struct tn_batch *b = calloc(1, sizeof *b);
    if (!b) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    b->repo = tn_git_handle(repo);
    b->arena = tn_arena_new();
    int rc = git_repository_odb(&b->odb, b->repo);
    if (rc == 0 && expected >= UNPACK_LIMIT) {
        git_odb_backend *memory = NULL;
        rc = git_mempack_new(&memory);
        if (rc == 0) {
            rc = git_odb_add_backend(b->odb, memory, MEMORY_PRIORITY);
            b->memory = rc == 0 ? memory : NULL;
        }
    }
    if (rc < 0) {
        tn_batch_free(b);
        return tn_git_fail(err, rc, "opening the object database");
    }
    *out = b;
    return TN_OK;
}

void
tn_batch_free(struct tn_batch *b)
{
    if (b) {
        if (b->memory) {
            git_mempack_reset(b->memory);
        }
        git_odb_free(b->odb);
        tn_arena_free(b->arena);
        free(b);
    }
}

static void
remember(struct tn_batch *b, const git_oid *id, const char *name)
{
    if (b->memory) {
        *tn_vec_push(b->arena, &b->written) =
            (struct written){*id, tn_arena_strdup(b->arena, name)};
    }
}

/* Straight to the backend: git_odb_write would scan the directory of packs for
 * each object that is not there yet. */
static int
write_blob(struct tn_batch *b, const struct tn_status_edit *edit, git_oid *id)
{
    int rc = git_odb_hash(id, edit->bytes, edit->n, GIT_OBJECT_BLOB);
    if (rc < 0) {
        return rc;
    }
    if (!b->memory ||
        git_odb_exists_ext(b->odb, id, GIT_ODB_LOOKUP_NO_REFRESH)) {
        return git_odb_write(id, b->odb, edit->bytes, edit->n, GIT_OBJECT_BLOB);
    }
    remember(b, id, edit->path);
    return b->memory->write(b->memory, id, edit->bytes, edit->n,
                            GIT_OBJECT_BLOB);
}

/* The id of the directory 'name' in 'tree'; zero if there is none. */
static git_oid
subtree(git_treebuilder *builder, const char *name)
{
    git_oid none = {{0}};
    const git_tree_entry *e = git_treebuilder_get(builder, name);
    return e && git_tree_entry_type(e) == GIT_OBJECT_TREE
               ? *git_tree_entry_id(e)
               : none;
}

static int
set_entry(git_treebuilder *builder, const char *name, const git_oid *id,
          git_filemode_t mode)
{
    if (!git_oid_is_zero(id)) {
        return git_treebuilder_insert(NULL, builder, name, id, mode);
    }
    return git_treebuilder_get(builder, name)
               ? git_treebuilder_remove(builder, name)
               : 0;
}

/* A run of edits below one directory. */
struct span {
    const struct tn_status_edit *edits;
    size_t n;
    size_t skip; /* Bytes of the paths that lead to the directory. */
    unsigned depth;
};

/* Writes the tree of a directory; '*out' is zero if it is empty. */
static int
write_dir(struct tn_batch *b, const git_oid *base, const struct span *span,
          git_oid *out)
{
    TN_CLEANUP(cleanup_tree) git_tree *tree = NULL;
    TN_CLEANUP(cleanup_builder) git_treebuilder *builder = NULL;
    int rc = 0;
    if (span->depth > TREE_DEPTH) {
        return GIT_EINVALID;
    }
    if (!git_oid_is_zero(base)) {
        rc = git_tree_lookup(&tree, b->repo, base);
    }
    if (rc == 0) {
        rc = git_treebuilder_new(&builder, b->repo, tree);
    }
    for (size_t i = 0; rc == 0 && i < span->n;) {
        const struct tn_status_edit *edit = &span->edits[i];
        const char *rest = edit->path + span->skip;
        size_t len = strcspn(rest, "/"), end = i + 1;
        char *name = tn_arena_strndup(b->arena, rest, len);
        git_oid id = {{0}};
        if (rest[len] == '/') {
            while (end < span->n && strncmp(span->edits[end].path, edit->path,
                                            span->skip + len + 1) == 0) {
                end++;
            }
            git_oid child = subtree(builder, name);
            struct span below = {edit, end - i, span->skip + len + 1,
                                 span->depth + 1};
            rc = write_dir(b, &child, &below, &id);
            rc = rc < 0 ? rc : set_entry(builder, name, &id, GIT_FILEMODE_TREE);
        } else {
            rc = edit->bytes ? write_blob(b, edit, &id) : 0;
            rc = rc < 0 ? rc : set_entry(builder, name, &id, GIT_FILEMODE_BLOB);
        }
        i = end;
    }
    *out = (git_oid){{0}};
    if (rc == 0 && git_treebuilder_entrycount(builder) > 0) {
        rc = git_treebuilder_write(out, builder);
        remember(b, out, "");
    }
    return rc;
}

enum tn_code
tn_batch_tree(struct tn_batch *b, const struct tn_oid *base,
              const struct tn_status_edit *edits, size_t n, struct tn_oid *out,
              struct tn_error *err)
{
    git_oid from, id;
    struct span all = {edits, n, 0, 0};
    git_oid_fromraw(&from, base->b);
    int rc = write_dir(b, &from, &all, &id);
    if (rc < 0) {
        return tn_git_fail(err, rc, "writing the status tree");
    }
    id_out(out, &id);
    return TN_OK;
}

/* Where libgit2 has buffers of its own. */
static void
cleanup_buf(git_buf *buf)
{
    git_buf_dispose(buf);
}

/* The commit with its signature, which is over the commit without it. */
static enum tn_code
write_signed(const struct tn_batch_commit *c, git_repository *repo,
             const git_buf *text, git_oid *id, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_free) char *signature = NULL;
    enum tn_code code =
        c->sign(c->sign_ctx, text->ptr, text->size, &signature, err);
    if (code) {
        return tn_while(err, code, "signing the status commit");
    }
    /* The header ends without the newline that an armor ends with. */
    for (size_t n = strlen(signature); n > 0 && signature[n - 1] == '\n'; n--) {
        signature[n - 1] = '\0';
    }
    int rc = git_commit_create_with_signature(id, repo, text->ptr, signature,
                                              "gpgsig");
    return rc < 0 ? tn_git_fail(err, rc, "writing the status commit") : TN_OK;
}

enum tn_code
tn_batch_commit(struct tn_batch *b, const struct tn_batch_commit *c,
                struct tn_oid *out, struct tn_error *err)
{
    TN_CLEANUP(cleanup_signature) git_signature *who = NULL;
    TN_CLEANUP(cleanup_tree) git_tree *tree = NULL;
    TN_CLEANUP(cleanup_commit) git_commit *parent = NULL;
    git_oid id;
    git_oid_fromraw(&id, c->tree.b);
    int rc = git_tree_lookup(&tree, b->repo, &id);
    if (rc == 0) {
        rc = git_signature_new(&who, c->author, c->email, c->time, 0);
    }
    if (rc == 0 && tn_oid_known(&c->parent)) {
        git_oid_fromraw(&id, c->parent.b);
        rc = git_commit_lookup(&parent, b->repo, &id);
    }
    TN_CLEANUP(cleanup_buf) git_buf text = {0};
    const git_commit *parents[1] = {parent};
    size_t n_parents = parent ? 1 : 0;
    if (rc == 0 && c->sign) {
        rc = git_commit_create_buffer(&text, b->repo, who, who, "UTF-8",
                                      c->message, tree, n_parents, parents);
    } else if (rc == 0) {
        rc = git_commit_create(&id, b->repo, NULL, who, who, "UTF-8",
                               c->message, tree, n_parents, parents);
    }
    if (rc < 0) {
        return tn_git_fail(err, rc, "writing the status commit");
    }
    enum tn_code code =
        c->sign ? write_signed(c, b->repo, &text, &id, err) : TN_OK;
    if (code) {
        return code;
    }
    remember(b, &id, "");
    id_out(out, &id);
    return TN_OK;
}

enum tn_code
tn_batch_flush(struct tn_batch *b, struct tn_error *err)
{
    if (!b->memory || b->written.n == 0) {
        return TN_OK;
    }
    TN_CLEANUP(cleanup_packer) git_packbuilder *packer = NULL;
    int rc = git_packbuilder_new(&packer, b->repo);
    for (size_t i = 0; rc == 0 && i < b->written.n; i++) {
        rc = git_packbuilder_insert(packer, &b->written.items[i].id,
                                    b->written.items[i].name);
    }
    if (rc == 0) {
        rc = git_packbuilder_write(packer, NULL, 0, NULL, NULL);
    }
    if (rc == 0) {
        rc = git_mempack_reset(b->memory);
        b->written.n = 0;
    }
    if (rc == 0) {
        rc = git_odb_refresh(b->odb);
    }
    return rc < 0 ? tn_git_fail(err, rc, "writing a pack of status objects")
                  : TN_OK;
}
