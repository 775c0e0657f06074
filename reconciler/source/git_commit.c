/* git_commit.c - the tree of a commit as a source, and revisions by name.
 *
 * Directories are trees and files are blobs of the object database, read by id
 * after their size was judged by the header alone.  Nothing is checked out.
 * The source keeps no state but its repository handle; libgit2 caches the
 * trees. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "reconciler/source/git.h"
#include "reconciler/source/name.h"
#include "reconciler/source/source.h"

enum { TREE_MAX = 16 * 1024 * 1024, PATH_DEPTH = 64 };

struct commit_source {
    struct tn_source base;
    struct tn_git_repo *repo;
    git_odb *odb;
    git_oid root;
    char label[32];
};

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

static void
cleanup_tree(git_tree **t)
{
    git_tree_free(*t);
}

static void
cleanup_odb_object(git_odb_object **o)
{
    git_odb_object_free(*o);
}

static struct commit_source *
self_of(struct tn_source *source)
{
    return (struct commit_source *) source;
}

/* An object that a tree names but the database lacks is damage, and not the
 * absence of what the caller asked for. */
static enum tn_code
object_failed(struct tn_error *err, int rc, const char *path)
{
    enum tn_code code = tn_git_fail(err, rc, "reading %s from Git",
                                    path[0] ? path : "the root tree");
    if (code == TN_ENOENT) {
        code = TN_EINTERNAL;
        if (err) {
            err->code = code;
        }
    }
    return code;
}

static enum tn_code
judge(struct commit_source *self, const git_oid *id, git_object_t want,
      size_t max, const char *path, struct tn_error *err)
{
    size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    int rc = git_odb_read_header(&size, &type, self->odb, id);
    if (rc < 0) {
        return object_failed(err, rc, path);
    }
    if (type != want) {
        return tn_fail(err, TN_EINTENT, 0,
                       "%s: its tree entry names an object of another type",
                       path);
    }
    if (size > max) {
        return tn_fail(err, TN_EINTENT, 0,
                       "%s: %zu bytes are more than the limit of %zu", path,
                       size, max);
    }
    return TN_OK;
}

static enum tn_code
load_tree(struct commit_source *self, const git_oid *id, const char *path,
          git_tree **out, struct tn_error *err)
{
    enum tn_code code = judge(self, id, GIT_OBJECT_TREE, TREE_MAX, path, err);
    if (code) {
        return code;
    }
    int rc = git_tree_lookup(out, tn_git_handle(self->repo), id);
    return rc < 0 ? object_failed(err, rc, path) : TN_OK;
}

/* Walks to the entry 'path' and copies its id and type. */
static enum tn_code
find(struct commit_source *self, const char *path, git_oid *id,
     git_filemode_t *mode, struct tn_error *err)
{
    git_oid_cpy(id, &self->root);
    *mode = GIT_FILEMODE_TREE;
    unsigned depth = 0;
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");
        char name[256];
        TN_CLEANUP(cleanup_tree) git_tree *tree = NULL;
        if (n == 0 || n >= sizeof name || ++depth > PATH_DEPTH ||
            *mode != GIT_FILEMODE_TREE) {
            return tn_fail(err, TN_ENOENT, 0, "%s: there is no such path",
                           path);
        }
        enum tn_code code = load_tree(self, id, path, &tree, err);
        if (code) {
            return code;
        }
        snprintf(name, sizeof name, "%.*s", (int) n, p);
        const git_tree_entry *entry = git_tree_entry_byname(tree, name);
        if (!entry) {
            return tn_fail(err, TN_ENOENT, 0, "%s: there is no such path",
                           path);
        }
        git_oid_cpy(id, git_tree_entry_id(entry));
        *mode = git_tree_entry_filemode(entry);
        p += n + (p[n] == '/');
    }
    return TN_OK;
}

static enum tn_entry_type
type_of(git_filemode_t mode)
{
    switch (mode) {
    case GIT_FILEMODE_TREE:
        return TN_ENTRY_DIR;
    case GIT_FILEMODE_BLOB:
    case GIT_FILEMODE_BLOB_EXECUTABLE:
        return TN_ENTRY_FILE;
    case GIT_FILEMODE_LINK:
    case GIT_FILEMODE_COMMIT:
    case GIT_FILEMODE_UNREADABLE:
        break;
    }
    return TN_ENTRY_OTHER;
}

static enum tn_code
commit_list(struct tn_source *source, const char *path, struct tn_arena *arena,
            struct tn_entry **out, size_t *n, struct tn_error *err)
{
    struct commit_source *self = self_of(source);
    git_oid id;
    git_filemode_t mode;
    enum tn_code code = find(self, path, &id, &mode, err);
    if (code) {
        return code;
    }
    if (mode != GIT_FILEMODE_TREE) {
        return tn_fail(err, TN_ENOENT, 0, "%s: not a directory", path);
    }
    TN_CLEANUP(cleanup_tree) git_tree *tree = NULL;
    code = load_tree(self, &id, path, &tree, err);
    if (code) {
        return code;
    }
    size_t count = git_tree_entrycount(tree);
    struct tn_entry *entries = tn_new_n(arena, struct tn_entry, count);
    for (size_t i = 0; i < count; i++) {
        const git_tree_entry *e = git_tree_entry_byindex(tree, i);
        const char *name = git_tree_entry_name(e);
        code = tn_name_check(path, name, strlen(name), err);
        if (code) {
            return code;
        }
        entries[i].name = tn_arena_strdup(arena, name);
        entries[i].type = type_of(git_tree_entry_filemode(e));
        memcpy(entries[i].id.b, git_tree_entry_id(e)->id, GIT_OID_RAWSZ);
    }
    code = tn_entries_finish(path, entries, count, err);
    if (code) {
        return code;
    }
    *out = entries;
    *n = count;
    return TN_OK;
}

static enum tn_code
commit_read(struct tn_source *source, const char *path,
            const struct tn_oid *want, size_t max, struct tn_arena *arena,
            const char **bytes, size_t *n, struct tn_error *err)
{
    struct commit_source *self = self_of(source);
    git_oid id;
    git_filemode_t mode = GIT_FILEMODE_BLOB;
    enum tn_code code = TN_OK;
    if (tn_oid_known(want)) {
        memcpy(id.id, want->b, GIT_OID_RAWSZ);
    } else {
        code = find(self, path, &id, &mode, err);
    }
    if (!code && type_of(mode) != TN_ENTRY_FILE) {
        code = tn_fail(err, TN_EINTENT, 0, "%s: not a plain file", path);
    }
    if (!code) {
        code = judge(self, &id, GIT_OBJECT_BLOB, max, path, err);
    }
    if (code) {
        return code;
    }
    TN_CLEANUP(cleanup_odb_object) git_odb_object *object = NULL;
    int rc = git_odb_read(&object, self->odb, &id);
    if (rc < 0) {
        return object_failed(err, rc, path);
    }
    size_t size = git_odb_object_size(object);
    if (size > max) {
        return tn_fail(err, TN_EINTERNAL, 0,
                       "%s: the object lies about its "
                       "size",
                       path);
    }
    *bytes = tn_arena_strndup(arena, git_odb_object_data(object), size);
    *n = size;
    return TN_OK;
}

static void
commit_free(struct tn_source *source)
{
    if (source) {
        struct commit_source *self = self_of(source);
        git_odb_free(self->odb);
        tn_git_close(self->repo);
        free(self);
    }
}

static enum tn_code commit_dup(struct tn_source *source, struct tn_source **out,
                               struct tn_error *err);

static const struct tn_source_ops commit_ops = {
    .list = commit_list,
    .read = commit_read,
    .dup = commit_dup,
    .free = commit_free,
};

/* Takes 'repo', even on failure. */
static enum tn_code
commit_new(struct tn_git_repo *repo, const git_oid *root, const char *commit,
           struct tn_source **out, struct tn_error *err)
{
    struct commit_source *self = calloc(1, sizeof *self);
    if (!self) {
        tn_git_close(repo);
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    self->repo = repo;
    git_oid_cpy(&self->root, root);
    snprintf(self->label, sizeof self->label, "commit %.7s", commit);
    snprintf(self->base.commit, sizeof self->base.commit, "%s", commit);
    self->base.ops = &commit_ops;
    self->base.label = self->label;
    int rc = git_repository_odb(&self->odb, tn_git_handle(repo));
    if (rc < 0) {
        enum tn_code code = tn_git_fail(err, rc, "opening the object database");
        commit_free(&self->base);
        return code;
    }
    *out = &self->base;
    return TN_OK;
}

static enum tn_code
commit_dup(struct tn_source *source, struct tn_source **out,
           struct tn_error *err)
{
    const struct commit_source *self = self_of(source);
    struct tn_git_repo *repo = NULL;
    enum tn_code code = tn_git_open(tn_git_dir(self->repo), &repo, err);
    if (code) {
        return code;
    }
    return commit_new(repo, &self->root, source->commit, out, err);
}

static enum tn_code
rev_failed(git_repository *handle, const char *rev, int rc,
           struct tn_error *err)
{
    const char *where = git_repository_workdir(handle);
    where = where ? where : git_repository_path(handle);
    char shown[256];
    tn_show(shown, sizeof shown, rev, strlen(rev));
    if (rc == GIT_EUNBORNBRANCH) {
        return tn_fail(err, TN_ENOENT, 0,
                       "the repository at %s has no commit yet; commit the "
                       "intent first, or read the files with --worktree",
                       where);
    }
    if (rc == GIT_EAMBIGUOUS) {
        return tn_fail(err, TN_ENOENT, 0,
                       "'%s' names several objects; give more digits", shown);
    }
    if (rc == GIT_ENOTFOUND || rc == GIT_EINVALIDSPEC) {
        return tn_fail(err, TN_ENOENT, 0, "no revision '%s' in %s%s", shown,
                       where,
                       git_repository_is_shallow(handle) == 1
                           ? " (a shallow clone: fetch more history)"
                           : "");
    }
    return tn_git_fail(err, rc, "reading revision '%s'", shown);
}

static void
describe(const git_commit *commit, const git_reference *ref,
         struct tn_commit *info)
{
    *info = (struct tn_commit){0};
    git_oid_tostr(info->id, sizeof info->id, git_commit_id(commit));
    git_oid_tostr(info->tree, sizeof info->tree, git_commit_tree_id(commit));
    const char *name = ref ? git_reference_name(ref) : "";
    if (strncmp(name, "refs/heads/", 11) == 0) {
        tn_clean(info->branch, sizeof info->branch, name + 11,
                 strlen(name + 11));
    }
    const char *message = git_commit_message(commit);
    message = message ? message : "";
    message += strspn(message, "\r\n");
    tn_clean(info->subject, sizeof info->subject, message,
             strcspn(message, "\r\n"));
    const git_signature *author = git_commit_author(commit);
    const git_signature *committer = git_commit_committer(commit);
    tn_clean(info->author, sizeof info->author, author->name,
             strlen(author->name));
    info->author_time = author->when.time;
    info->commit_time = committer->when.time;
}

/* The object that 'rev' names, peeled to a commit, and its reference. */
static int
look_up(git_repository *handle, const char *rev, git_object **out,
        git_reference **ref)
{
    TN_CLEANUP(cleanup_object) git_object *object = NULL;
    int rc;
    if (strcmp(rev, "HEAD") == 0) {
        rc = git_repository_head(ref, handle);
        return rc < 0 ? rc : git_reference_peel(out, *ref, GIT_OBJECT_COMMIT);
    }
    rc = git_revparse_ext(&object, ref, handle, rev);
    return rc < 0 ? rc : git_object_peel(out, object, GIT_OBJECT_COMMIT);
}

static enum tn_code
resolve(struct tn_git_repo *repo, const char *rev, struct tn_commit *info,
        git_oid *tree, struct tn_error *err)
{
    TN_CLEANUP(cleanup_object) git_object *object = NULL;
    TN_CLEANUP(cleanup_reference) git_reference *ref = NULL;
    git_repository *handle = tn_git_handle(repo);
    rev = rev && rev[0] ? rev : "HEAD";
    int rc = look_up(handle, rev, &object, &ref);
    if (rc < 0) {
        return rev_failed(handle, rev, rc, err);
    }
    const git_commit *commit = (const git_commit *) object;
    describe(commit, ref, info);
    git_oid_cpy(tree, git_commit_tree_id(commit));
    return TN_OK;
}

enum tn_code
tn_source_open_commit(const char *path, const char *rev, struct tn_source **out,
                      struct tn_commit *info, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    struct tn_commit found;
    git_oid tree;
    enum tn_code code = tn_git_open(path, &repo, err);
    if (!code) {
        code = resolve(repo, rev, &found, &tree, err);
    }
    if (!code) {
        code = commit_new(TN_TAKE(repo), &tree, found.id, out, err);
    }
    if (!code && info) {
        *info = found;
    }
    return code;
}

enum tn_code
tn_source_resolve(const char *path, const char *rev, struct tn_commit *info,
                  struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    git_oid tree;
    enum tn_code code = tn_git_open(path, &repo, err);
    return code ? code : resolve(repo, rev, info, &tree, err);
}
