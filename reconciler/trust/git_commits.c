/* git_commits.c - see git_commits.h.
 *
 * The part of reconciler/trust that knows libgit2.  Objects are judged by their
 * header before their bytes are loaded.  Trees are compared entry by entry by
 * name and raw mode: nothing that libgit2's own diff would leave out or fold
 * together (modes, attributes, renames, case) is left out here. */
#include "reconciler/trust/git_commits.h"

#include <stdlib.h>
#include <string.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "reconciler/source/git.h"
#include "reconciler/source/name.h"

enum { TREE_MAX = 16 * 1024 * 1024, DEPTH_MAX = 64, BASES_MAX = 64 };

struct tn_commits {
    struct tn_git_repo *repo;
    git_repository *handle; /* Borrowed from 'repo'. */
    git_odb *odb;
};

static void
cleanup_tree(git_tree **t)
{
    git_tree_free(*t);
}

static void
cleanup_object(git_odb_object **o)
{
    git_odb_object_free(*o);
}

static git_oid
oid_in(const struct tn_oid *id)
{
    git_oid out;
    memcpy(out.id, id->b, GIT_OID_RAWSZ);
    return out;
}

static struct tn_oid
oid_out(const git_oid *id)
{
    struct tn_oid out = {0};
    memcpy(out.b, id->id, GIT_OID_RAWSZ);
    return out;
}

enum tn_code
tn_commits_open(const char *path, struct tn_commits **out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    git_odb *odb = NULL;
    enum tn_code code = tn_git_open(path, &repo, err);
    if (code) {
        return code;
    }
    int rc = git_repository_odb(&odb, tn_git_handle(repo));
    if (rc < 0) {
        return tn_git_fail(err, rc, "opening the object database");
    }
    struct tn_commits *c = calloc(1, sizeof *c);
    if (!c) {
        git_odb_free(odb);
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    c->handle = tn_git_handle(repo);
    c->repo = TN_TAKE(repo);
    c->odb = odb;
    *out = c;
    return TN_OK;
}

void
tn_commits_close(struct tn_commits *c)
{
    if (c) {
        git_odb_free(c->odb);
        tn_git_close(c->repo);
        free(c);
    }
}

static enum tn_code
judge(struct tn_commits *c, const git_oid *id, git_object_t want, size_t max,
      struct tn_error *err)
{
    char hex[GIT_OID_HEXSZ + 1];
    size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    int rc = git_odb_read_header(&size, &type, c->odb, id);
    git_oid_tostr(hex, sizeof hex, id);
    if (rc < 0) {
        return tn_git_fail(err, rc, "reading object %s", hex);
    }
    if (type != want) {
        return tn_fail(err, TN_EINTENT, 0, "object %s is no %s", hex,
                       git_object_type2string(want));
    }
    if (size > max) {
        return tn_fail(err, TN_EINTENT, 0,
                       "object %s: %zu bytes are more than the limit of %zu",
                       hex, size, max);
    }
    return TN_OK;
}

static enum tn_code
load(struct tn_commits *c, const git_oid *id, git_object_t want, size_t max,
     git_odb_object **out, struct tn_error *err)
{
    enum tn_code code = judge(c, id, want, max, err);
    if (code) {
        return code;
    }
    int rc = git_odb_read(out, c->odb, id);
    if (rc < 0) {
        return tn_git_fail(err, rc, "reading an object");
    }
    if (git_odb_object_size(*out) > max || git_odb_object_type(*out) != want) {
        return tn_fail(err, TN_EINTERNAL, 0, "an object lies about itself");
    }
    return TN_OK;
}

enum tn_code
tn_commits_read(struct tn_commits *c, const struct tn_oid *id,
                struct tn_arena *arena, struct tn_commit_text *out,
                struct tn_error *err)
{
    TN_CLEANUP(cleanup_object) git_odb_object *object = NULL;
    git_oid git_id = oid_in(id);
    enum tn_code code =
        load(c, &git_id, GIT_OBJECT_COMMIT, TN_COMMIT_BYTES, &object, err);
    if (!code) {
        code = tn_commit_text_parse(arena, git_odb_object_data(object),
                                    git_odb_object_size(object), out, err);
    }
    return code;
}

static enum tn_code
load_tree(struct tn_commits *c, const git_oid *id, git_tree **out,
          struct tn_error *err)
{
    enum tn_code code = judge(c, id, GIT_OBJECT_TREE, TREE_MAX, err);
    if (code) {
        /* That a tree is missing is damage, and no answer. */
        return code == TN_ENOENT ? TN_EINTERNAL : code;
    }
    int rc = git_tree_lookup(out, c->handle, id);
    return rc < 0 ? tn_git_fail(err, rc, "reading a tree") : TN_OK;
}

static struct tn_tree_item
item_of(const git_tree_entry *entry)
{
    return (struct tn_tree_item){
        .mode = (unsigned) git_tree_entry_filemode_raw(entry),
        .id = oid_out(git_tree_entry_id(entry)),
    };
}

enum tn_code
tn_commits_item(struct tn_commits *c, const struct tn_oid *tree,
                const char *path, struct tn_tree_item *out,
                struct tn_error *err)
{
    struct tn_tree_item item = {.mode = GIT_FILEMODE_TREE, .id = *tree};
    unsigned depth = 0;
    for (const char *p = path; *p;) {
        TN_CLEANUP(cleanup_tree) git_tree *t = NULL;
        char name[256];
        size_t n = strcspn(p, "/");
        if (item.mode != GIT_FILEMODE_TREE || n >= sizeof name ||
            ++depth > DEPTH_MAX) {
            *out = (struct tn_tree_item){0};
            return TN_OK;
        }
        git_oid id = oid_in(&item.id);
        enum tn_code code = load_tree(c, &id, &t, err);
        if (code) {
            return code;
        }
        memcpy(name, p, n);
        name[n] = '\0';
        const git_tree_entry *entry = git_tree_entry_byname(t, name);
        if (!entry) {
            *out = (struct tn_tree_item){0};
            return TN_OK;
        }
        item = item_of(entry);
        p += n + (p[n] == '/');
    }
    *out = item;
    return TN_OK;
}

enum tn_code
tn_commits_file(struct tn_commits *c, const struct tn_oid *id, size_t max,
                struct tn_arena *arena, const char **bytes, size_t *n,
                struct tn_error *err)
{
    TN_CLEANUP(cleanup_object) git_odb_object *object = NULL;
    git_oid git_id = oid_in(id);
    enum tn_code code = load(c, &git_id, GIT_OBJECT_BLOB, max, &object, err);
    if (code) {
        return code == TN_ENOENT ? TN_EINTERNAL : code;
    }
    *n = git_odb_object_size(object);
    *bytes = tn_arena_strndup(arena, git_odb_object_data(object), *n);
    return TN_OK;
}

struct diff {
    struct tn_commits *c;
    tn_commits_changed *changed;
    void *ctx;
    struct tn_text path;
    unsigned depth;
    bool ended;
    struct tn_error *err;
};

static enum tn_code diff_trees(struct diff *d, const struct tn_oid *before,
                               const struct tn_oid *after);

/* Both sides of one name; either may be absent or a directory. */
static enum tn_code
diff_item(struct diff *d, const char *name, const struct tn_tree_item *before,
          const struct tn_tree_item *after)
{
    static const struct tn_tree_item absent;
    bool was_tree = before->mode == GIT_FILEMODE_TREE;
    bool is_tree = after->mode == GIT_FILEMODE_TREE;
    size_t length = d->path.n;
    enum tn_code code =
        tn_name_check(tn_text_str(&d->path), name, strlen(name), d->err);
    if (code) {
        return code;
    }
    tn_text_addf(&d->path, "%s%s", length ? "/" : "", name);
    if ((before->mode && !was_tree) || (after->mode && !is_tree)) {
        d->ended =
            !d->changed(d->ctx, tn_text_str(&d->path),
                        was_tree ? &absent : before, is_tree ? &absent : after);
    }
    if (!d->ended && (was_tree || is_tree)) {
        code = diff_trees(d, was_tree ? &before->id : NULL,
                          is_tree ? &after->id : NULL);
    }
    d->path.n = length;
    d->path.s[length] = '\0';
    return code;
}

static struct tn_tree_item
look_up(const git_tree *tree, const char *name)
{
    const git_tree_entry *e = tree ? git_tree_entry_byname(tree, name) : NULL;
    return e ? item_of(e) : (struct tn_tree_item){0};
}

static enum tn_code
diff_entries(struct diff *d, const git_tree *before, const git_tree *after)
{
    enum tn_code code = TN_OK;
    size_t n = after ? git_tree_entrycount(after) : 0;
    for (size_t i = 0; i < n && !code && !d->ended; i++) {
        const git_tree_entry *e = git_tree_entry_byindex(after, i);
        const char *name = git_tree_entry_name(e);
        struct tn_tree_item was = look_up(before, name), is = item_of(e);
        if (!tn_tree_item_eq(&was, &is)) {
            code = diff_item(d, name, &was, &is);
        }
    }
    n = before ? git_tree_entrycount(before) : 0;
    for (size_t i = 0; i < n && !code && !d->ended; i++) {
        const git_tree_entry *e = git_tree_entry_byindex(before, i);
        const char *name = git_tree_entry_name(e);
        struct tn_tree_item was = item_of(e), is = look_up(after, name);
        if (!is.mode) {
            code = diff_item(d, name, &was, &is);
        }
    }
    return code;
}

static enum tn_code
diff_trees(struct diff *d, const struct tn_oid *before,
           const struct tn_oid *after)
{
    TN_CLEANUP(cleanup_tree) git_tree *was = NULL, *is = NULL;
    enum tn_code code = TN_OK;
    if (d->depth == DEPTH_MAX) {
        return tn_fail(d->err, TN_EINTENT, 0,
                       "%s: more than %d directories deep",
                       tn_text_str(&d->path), DEPTH_MAX);
    }
    if (before) {
        git_oid id = oid_in(before);
        code = load_tree(d->c, &id, &was, d->err);
    }
    if (!code && after) {
        git_oid id = oid_in(after);
        code = load_tree(d->c, &id, &is, d->err);
    }
    if (!code) {
        d->depth++;
        code = diff_entries(d, was, is);
        d->depth--;
    }
    return code;
}

enum tn_code
tn_commits_diff(struct tn_commits *c, const struct tn_oid *before,
                const struct tn_oid *after, tn_commits_changed *changed,
                void *ctx, struct tn_error *err)
{
    struct diff d = {.c = c, .changed = changed, .ctx = ctx, .err = err};
    if (before && memcmp(before, after, sizeof *after) == 0) {
        return TN_OK;
    }
    enum tn_code code = diff_trees(&d, before, after);
    tn_text_done(&d.path);
    return code;
}

enum tn_code
tn_commits_bases(struct tn_commits *c, const struct tn_oid *a,
                 const struct tn_oid *b, struct tn_arena *arena,
                 const struct tn_oid **out, size_t *n, struct tn_error *err)
{
    git_oidarray bases = {0};
    git_oid one = oid_in(a), two = oid_in(b);
    int rc = git_merge_bases(&bases, c->handle, &one, &two);
    if (rc == GIT_ENOTFOUND) {
        *out = NULL;
        *n = 0;
        return TN_OK;
    }
    if (rc < 0) {
        return tn_git_fail(err, rc, "looking for the base of a merge");
    }
    if (bases.count > BASES_MAX) {
        git_oidarray_dispose(&bases);
        return tn_fail(err, TN_EINTENT, 0, "a merge with more than %d bases",
                       BASES_MAX);
    }
    struct tn_oid *ids = tn_new_n(arena, struct tn_oid, bases.count);
    for (size_t i = 0; i < bases.count; i++) {
        ids[i] = oid_out(&bases.ids[i]);
    }
    *out = ids;
    *n = bases.count;
    git_oidarray_dispose(&bases);
    return TN_OK;
}

const char *
tn_oid_hex(const struct tn_oid *id, char buf[TN_OID_HEX])
{
    git_oid git_id = oid_in(id);
    return git_oid_tostr(buf, TN_OID_HEX, &git_id);
}

bool
tn_oid_parse(const char *hex, struct tn_oid *out)
{
    git_oid id;
    if (strlen(hex) != GIT_OID_HEXSZ || git_oid_fromstr(&id, hex) < 0) {
        return false;
    }
    *out = oid_out(&id);
    return true;
}
