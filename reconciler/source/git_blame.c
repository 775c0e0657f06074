/* git_blame.c - see blame.h.
 *
 * libgit2's own blame compares whole trees at every commit; on a branch with
 * ten thousand commits over ten thousand files that takes minutes.  Here a
 * commit costs the look-up of one path, and of most commits not even that: the
 * entry of the topmost directory is the same as in the parent.
 *
 *     walk_back()   along first parents, until every line has its commit
 *     settle()      lines that a commit brought: by itself or, if it is a
 *                   merge, by one of the branches that it merged
 *
 * These two call each other, as deep as merges are nested. */
#include "reconciler/source/blame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "model/base/map.h"
#include "reconciler/source/git.h"

enum {
    MERGE_DEPTH = 8,
    BLOB_MAX = 16 * 1024 * 1024,
    RENAME_DELTAS = 1000, /* A commit of more is not searched for renames. */
};

/* A line that has no commit yet: where it stands now, and in the blob that the
 * walk is at. */
struct mark {
    size_t index; /* In the result. */
    uint32_t at;
};

struct marks {
    struct mark *items;
    size_t n;
};

struct hunk {
    uint32_t old_start, old_lines, new_start, new_lines;
};

struct hunks {
    struct tn_arena *arena;
    TN_VEC(struct hunk) list;
};

struct walk {
    const struct tn_blame_ask *ask;
    git_repository *repo;
    struct tn_arena *arena;
    struct tn_blame_line *lines;
    struct tn_map commits; /* By id: const struct tn_commit. */
    size_t n_visited, max;
    size_t age; /* n_visited where the branch itself was left. */
    struct tn_blame *out;
};

/* Where a walk is. */
struct place {
    git_commit *commit; /* Owned. */
    const char *path;
    git_oid blob;
};

static void
place_done(struct place *place)
{
    git_commit_free(place->commit);
}

static void
cleanup_commit(git_commit **c)
{
    git_commit_free(*c);
}

static void
cleanup_tree(git_tree **t)
{
    git_tree_free(*t);
}

static void
cleanup_entry(git_tree_entry **e)
{
    git_tree_entry_free(*e);
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

static void
cleanup_diff(git_diff **d)
{
    git_diff_free(*d);
}

/* ------------------------------------------------------------- trees ---- */

/* The file at 'path': GIT_ENOTFOUND if there is none. */
static int
blob_at(git_commit *commit, const char *path, git_oid *out)
{
    TN_CLEANUP(cleanup_tree) git_tree *tree = NULL;
    TN_CLEANUP(cleanup_entry) git_tree_entry *entry = NULL;
    int rc = git_commit_tree(&tree, commit);
    rc = rc < 0 ? rc : git_tree_entry_bypath(&entry, tree, path);
    if (rc < 0) {
        return rc;
    }
    if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB) {
        return GIT_ENOTFOUND;
    }
    return git_oid_cpy(out, git_tree_entry_id(entry));
}

/* True if the topmost directory of 'path' is the same in both. */
static bool
top_is_same(git_commit *a, git_commit *b, const char *path)
{
    TN_CLEANUP(cleanup_tree) git_tree *ta = NULL;
    TN_CLEANUP(cleanup_tree) git_tree *tb = NULL;
    char top[256];
    size_t n = strcspn(path, "/");
    if (git_oid_equal(git_commit_tree_id(a), git_commit_tree_id(b))) {
        return true;
    }
    if (n >= sizeof top || git_commit_tree(&ta, a) < 0 ||
        git_commit_tree(&tb, b) < 0) {
        return false;
    }
    snprintf(top, sizeof top, "%.*s", (int) n, path);
    const git_tree_entry *ea = git_tree_entry_byname(ta, top);
    const git_tree_entry *eb = git_tree_entry_byname(tb, top);
    return ea && eb &&
           git_oid_equal(git_tree_entry_id(ea), git_tree_entry_id(eb));
}

/* What the file was called in 'parent', if 'commit' renamed it; null. */
static const char *
renamed_from(struct walk *w, git_commit *commit, git_commit *parent,
             const char *path)
{
    TN_CLEANUP(cleanup_tree) git_tree *new = NULL;
    TN_CLEANUP(cleanup_tree) git_tree *old = NULL;
    TN_CLEANUP(cleanup_diff) git_diff *diff = NULL;
    git_diff_find_options find;
    git_diff_find_options_init(&find, GIT_DIFF_FIND_OPTIONS_VERSION);
    find.flags = GIT_DIFF_FIND_RENAMES;
    if (git_commit_tree(&new, commit) < 0 ||
        git_commit_tree(&old, parent) < 0 ||
        git_diff_tree_to_tree(&diff, w->repo, old, new, NULL) < 0 ||
        git_diff_num_deltas(diff) > RENAME_DELTAS ||
        git_diff_find_similar(diff, &find) < 0) {
        return NULL;
    }
    for (size_t i = 0; i < git_diff_num_deltas(diff); i++) {
        const git_diff_delta *d = git_diff_get_delta(diff, i);
        if (d->status == GIT_DELTA_RENAMED &&
            strcmp(d->new_file.path, path) == 0) {
            return tn_arena_strdup(w->arena, d->old_file.path);
        }
    }
    return NULL;
}

/* ------------------------------------------------------------- lines ---- */

static int
hunk_add(const git_diff_delta *delta, const git_diff_hunk *h, void *context)
{
    struct hunks *hunks = context;
    (void) delta;
    *tn_vec_push(hunks->arena, &hunks->list) =
        (struct hunk){(uint32_t) h->old_start, (uint32_t) h->old_lines,
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

static int
blob_get(struct walk *w, const git_oid *id, git_blob **out)
{
    int rc = git_blob_lookup(out, w->repo, id);
    if (rc == 0 && git_blob_rawsize(*out) > BLOB_MAX) {
        git_error_set_str(GIT_ERROR_INVALID, "the file is too large");
        rc = GIT_ERROR;
    }
    return rc;
}

static int
blobs_compare(struct walk *w, const git_oid *old, const git_oid *new,
              struct hunks *out)
{
    TN_CLEANUP(cleanup_blob) git_blob *a = NULL;
    TN_CLEANUP(cleanup_blob) git_blob *b = NULL;
    git_diff_options o = diff_options();
    int rc = blob_get(w, old, &a);
    rc = rc < 0 ? rc : blob_get(w, new, &b);
    return rc < 0 ? rc
                  : git_diff_blobs(a, NULL, b, NULL, &o, NULL, NULL, hunk_add,
                                   NULL, out);
}

/* The line of the old file that is line 'at' of the new one; 0 if it is not
 * there. */
static uint32_t
line_before(const struct hunks *hunks, uint32_t at)
{
    int64_t shift = 0;
    for (size_t i = 0; i < hunks->list.n; i++) {
        const struct hunk *h = &hunks->list.items[i];
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

/* The same the other way round. */
static uint32_t
line_after(const struct hunks *hunks, uint32_t at)
{
    int64_t shift = 0;
    for (size_t i = 0; i < hunks->list.n; i++) {
        const struct hunk *h = &hunks->list.items[i];
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

/* Parts 'all' into lines that the old file has, with their place there, and
 * those that it has not. */
static void
marks_part(struct walk *w, const struct hunks *hunks, const struct marks *all,
           struct marks *kept, struct marks *fresh)
{
    *kept = (struct marks){tn_new_n(w->arena, struct mark, all->n + 1), 0};
    *fresh = (struct marks){tn_new_n(w->arena, struct mark, all->n + 1), 0};
    for (size_t i = 0; i < all->n; i++) {
        uint32_t before = line_before(hunks, all->items[i].at);
        if (before) {
            kept->items[kept->n++] = (struct mark){all->items[i].index, before};
        } else {
            fresh->items[fresh->n++] = all->items[i];
        }
    }
}

/* -------------------------------------------------------------- walk ---- */

static const struct tn_commit *
commit_info(struct walk *w, git_commit *commit)
{
    char id[GIT_OID_HEXSZ + 1];
    struct tn_error ignored = {0};
    git_oid_tostr(id, sizeof id, git_commit_id(commit));
    struct tn_commit *info = tn_map_get(&w->commits, id);
    if (!info) {
        info = tn_new(w->arena, struct tn_commit);
        if (tn_source_resolve(git_repository_path(w->repo), id, info,
                              &ignored)) {
            *info = (struct tn_commit){0};
            snprintf(info->id, sizeof info->id, "%s", id);
        }
        tn_map_put(&w->commits, info->id, info);
    }
    return info;
}

static int walk_back(struct walk *w, const struct place *from,
                     struct marks marks, const struct tn_commit *merge,
                     unsigned depth);

/* Lines that the k-th parent of a merge has go on there; the others are left
 * in 'marks'. */
static int
settle_parent(struct walk *w, const struct place *at, unsigned k,
              struct marks *marks, const struct tn_commit *merge,
              unsigned depth)
{
    TN_CLEANUP(cleanup_commit) git_commit *parent = NULL;
    struct place there = {.path = at->path};
    struct marks kept, fresh;
    struct hunks hunks = {.arena = w->arena};
    int rc = git_commit_parent(&parent, at->commit, k);
    if (rc == GIT_ENOTFOUND) {
        return 0; /* Beyond the end of a shallow clone. */
    }
    rc = rc < 0 ? rc : blob_at(parent, at->path, &there.blob);
    if (rc < 0) {
        return rc == GIT_ENOTFOUND ? 0 : rc;
    }
    if (!git_oid_equal(&there.blob, &at->blob)) {
        rc = blobs_compare(w, &there.blob, &at->blob, &hunks);
    }
    if (rc < 0) {
        return rc;
    }
    marks_part(w, &hunks, marks, &kept, &fresh);
    *marks = fresh;
    there.commit = parent;
    return kept.n ? walk_back(w, &there, kept, merge, depth + 1) : 0;
}

/* 'marks' are lines that the first parent of 'at' does not have. */
static int
settle(struct walk *w, const struct place *at, struct marks marks,
       const struct tn_commit *merge, unsigned depth)
{
    unsigned n = git_commit_parentcount(at->commit);
    int rc = 0;
    for (unsigned k = 1; k < n && rc == 0 && marks.n && depth < MERGE_DEPTH;
         k++) {
        rc = settle_parent(w, at, k, &marks,
                           merge ? merge : commit_info(w, at->commit), depth);
    }
    for (size_t i = 0; i < marks.n && rc == 0; i++) {
        struct tn_blame_line *line = &w->lines[marks.items[i].index];
        line->commit = commit_info(w, at->commit);
        line->merge = merge;
        line->age = w->age;
    }
    return rc;
}

/* The first parent and the file in it.  GIT_ENOTFOUND: it has no such file;
 * GIT_ITEROVER: there is no parent; GIT_PASSTHROUGH: it is not here. */
static int
step_back(struct walk *w, const struct place *at, struct place *out)
{
    *out = (struct place){.path = at->path};
    if (git_commit_parentcount(at->commit) == 0) {
        return GIT_ITEROVER;
    }
    int rc = git_commit_parent(&out->commit, at->commit, 0);
    if (rc < 0) {
        return rc == GIT_ENOTFOUND ? GIT_PASSTHROUGH : rc;
    }
    if (top_is_same(at->commit, out->commit, at->path)) {
        return git_oid_cpy(&out->blob, &at->blob);
    }
    rc = blob_at(out->commit, at->path, &out->blob);
    if (rc != GIT_ENOTFOUND) {
        return rc;
    }
    out->path = renamed_from(w, at->commit, out->commit, at->path);
    return out->path ? blob_at(out->commit, out->path, &out->blob) : rc;
}

static void
give_up(struct walk *w, const struct place *at)
{
    w->out->cut = true;
    git_oid_tostr(w->out->oldest, sizeof w->out->oldest,
                  git_commit_id(at->commit));
}

/* One commit further: '*marks' are what is still to be found. */
static int
walk_step(struct walk *w, struct place *at, struct marks *marks,
          const struct tn_commit *merge, unsigned depth)
{
    struct place before = {0};
    struct marks kept = {0}, fresh = *marks;
    struct hunks hunks = {.arena = w->arena};
    int rc = step_back(w, at, &before);
    w->age = depth == 0 ? w->n_visited : w->age;
    if (rc == GIT_PASSTHROUGH) {
        give_up(w, at);
        marks->n = 0;
        return 0;
    }
    if (rc == GIT_ITEROVER || rc == GIT_ENOTFOUND) {
        rc = settle(w, at, *marks, merge, depth);
        marks->n = 0;
    } else if (rc == 0 && !git_oid_equal(&before.blob, &at->blob)) {
        rc = blobs_compare(w, &before.blob, &at->blob, &hunks);
        if (rc == 0) {
            marks_part(w, &hunks, marks, &kept, &fresh);
            rc = fresh.n ? settle(w, at, fresh, merge, depth) : 0;
            *marks = kept;
        }
    }
    if (rc == 0 && marks->n) {
        place_done(at);
        *at = before;
    } else {
        place_done(&before);
    }
    return rc;
}

static int
walk_back(struct walk *w, const struct place *from, struct marks marks,
          const struct tn_commit *merge, unsigned depth)
{
    struct place at = *from;
    int rc = git_commit_dup(&at.commit, from->commit);
    while (rc == 0 && marks.n) {
        if (w->n_visited++ >= w->max) {
            give_up(w, &at);
            break;
        }
        rc = walk_step(w, &at, &marks, merge, depth);
    }
    place_done(&at);
    return rc;
}

/* ------------------------------------------------------------ public ---- */

static size_t
lines_count(const char *bytes, size_t n)
{
    size_t lines = n && bytes[n - 1] != '\n';
    for (size_t i = 0; i < n; i++) {
        lines += bytes[i] == '\n';
    }
    return lines;
}

/* The lines asked for that exist, and where they stand in the commit. */
static int
marks_begin(struct walk *w, const struct place *at, struct marks *out)
{
    const struct tn_blame_ask *ask = w->ask;
    TN_CLEANUP(cleanup_blob) git_blob *blob = NULL;
    struct hunks hunks = {.arena = w->arena};
    struct marks all = {0}, fresh;
    git_diff_options o = diff_options();
    int rc = blob_get(w, &at->blob, &blob);
    if (rc < 0) {
        return rc;
    }
    const char *bytes =
        ask->bytes ? ask->bytes : (const char *) git_blob_rawcontent(blob);
    size_t size = ask->bytes ? ask->n_bytes : (size_t) git_blob_rawsize(blob);
    size_t n_lines = lines_count(bytes, size);
    uint32_t last = ask->last < n_lines ? ask->last : (uint32_t) n_lines;
    size_t n = last >= ask->first && ask->first ? last - ask->first + 1 : 0;
    all.items = tn_new_n(w->arena, struct mark, n + 1);
    w->lines = tn_new_n(w->arena, struct tn_blame_line, n + 1);
    for (all.n = 0; all.n < n; all.n++) {
        uint32_t line = ask->first + (uint32_t) all.n;
        all.items[all.n] = (struct mark){all.n, line};
        w->lines[all.n].line = line;
    }
    if (ask->bytes) {
        rc = git_diff_blob_to_buffer(blob, NULL, bytes, size, NULL, &o, NULL,
                                     NULL, hunk_add, NULL, &hunks);
    }
    marks_part(w, &hunks, &all, out, &fresh);
    for (size_t i = 0; i < fresh.n; i++) {
        w->lines[fresh.items[i].index].uncommitted = true;
    }
    w->out->lines = w->lines;
    w->out->n = n;
    return rc;
}

static int
commit_of(git_repository *repo, const char *rev, git_commit **out)
{
    TN_CLEANUP(cleanup_object) git_object *named = NULL;
    git_object *commit = NULL;
    int rc = git_revparse_single(&named, repo, rev ? rev : "HEAD");
    rc = rc < 0 ? rc : git_object_peel(&commit, named, GIT_OBJECT_COMMIT);
    *out = (git_commit *) commit;
    return rc;
}

static int
blame(struct walk *w)
{
    struct place at = {.path = w->ask->path};
    struct marks marks = {0};
    int rc = commit_of(w->repo, w->ask->rev, &at.commit);
    rc = rc < 0 ? rc : blob_at(at.commit, at.path, &at.blob);
    rc = rc < 0 ? rc : marks_begin(w, &at, &marks);
    rc = rc < 0 ? rc : walk_back(w, &at, marks, NULL, 0);
    place_done(&at);
    return rc;
}

static enum tn_code
walk_init(struct walk *w, const struct tn_blame_ask *ask,
          struct tn_arena *arena, struct tn_git_repo **repo,
          struct tn_error *err)
{
    enum tn_code code = tn_git_open(ask->repo, repo, err);
    if (code) {
        return code;
    }
    *w = (struct walk){.ask = ask,
                       .repo = tn_git_handle(*repo),
                       .arena = arena,
                       .max = ask->max_commits ? ask->max_commits
                                               : TN_BLAME_COMMITS};
    tn_map_init(&w->commits, arena, 0);
    return TN_OK;
}

enum tn_code
tn_source_blame(const struct tn_blame_ask *ask, struct tn_arena *arena,
                struct tn_blame *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    struct tn_blame found = {0};
    struct walk w;
    enum tn_code code = walk_init(&w, ask, arena, &repo, err);
    if (code) {
        return code;
    }
    w.out = &found;
    int rc = blame(&w);
    if (rc < 0) {
        return tn_git_fail(err, rc, "who wrote %s", ask->path);
    }
    found.n_visited = w.n_visited;
    *out = found;
    return TN_OK;
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
versions_list(struct walk *w, const git_oid *old, struct versions *out)
{
    TN_CLEANUP(cleanup_commit) git_commit *at = NULL;
    int rc = commit_of(w->repo, w->ask->rev, &at);
    while (rc == 0 && w->n_visited++ < w->max) {
        struct version v = {.commit = *git_commit_id(at)};
        rc = blob_at(at, w->ask->path, &v.blob);
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
removal_find(struct walk *w, const struct versions *v, git_oid *out)
{
    uint32_t line = w->ask->first;
    for (size_t i = v->list.n; i-- > 1;) {
        const struct version *was = &v->list.items[i], *is = was - 1;
        struct hunks hunks = {.arena = w->arena};
        int rc = is->gone ? 0 : blobs_compare(w, &was->blob, &is->blob, &hunks);
        if (rc < 0) {
            return rc;
        }
        line = is->gone ? 0 : line_after(&hunks, line);
        if (line == 0) {
            return git_oid_cpy(out, &is->commit);
        }
    }
    return GIT_ENOTFOUND;
}

enum tn_code
tn_source_removed_by(const struct tn_blame_ask *ask, const char *old,
                     struct tn_commit *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(cleanup_commit) git_commit *start = NULL;
    struct versions versions = {0};
    struct walk w;
    git_oid id;
    enum tn_code code = walk_init(&w, ask, arena, &repo, err);
    if (code) {
        return code;
    }
    int rc = commit_of(w.repo, old, &start);
    rc = rc < 0 ? rc : versions_list(&w, git_commit_id(start), &versions);
    if (rc == 0 && versions.list.items[versions.list.n - 1].gone) {
        rc = GIT_ENOTFOUND;
    }
    rc = rc < 0 ? rc : removal_find(&w, &versions, &id);
    if (rc < 0) {
        return tn_git_fail(err, rc, "who removed line %u of %s", ask->first,
                           ask->path);
    }
    char hex[GIT_OID_HEXSZ + 1];
    git_oid_tostr(hex, sizeof hex, &id);
    return tn_source_resolve(ask->repo, hex, out, err);
}
