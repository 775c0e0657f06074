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

#include "model/base/cleanup.h"
#include "model/base/map.h"
#include "reconciler/source/git.h"
#include "reconciler/source/git_blame_look.h"

enum {
    MERGE_DEPTH = 8,
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

struct walk {
    const struct tn_blame_ask *ask;
    git_repository *repo;
    git_odb *odb;
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
cleanup_odb(git_odb **o)
{
    git_odb_free(*o);
}

static void
cleanup_blob(git_blob **b)
{
    git_blob_free(*b);
}

static void
cleanup_diff(git_diff **d)
{
    git_diff_free(*d);
}

/* ------------------------------------------------------------- trees ---- */

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

/* Parts 'all' into lines that the old file has, with their place there, and
 * those that it has not. */
static void
marks_part(struct walk *w, const struct tn_blame_hunks *hunks,
           const struct marks *all, struct marks *kept, struct marks *fresh)
{
    *kept = (struct marks){tn_new_n(w->arena, struct mark, all->n + 1), 0};
    *fresh = (struct marks){tn_new_n(w->arena, struct mark, all->n + 1), 0};
    for (size_t i = 0; i < all->n; i++) {
        uint32_t before = tn_blame_line_before(hunks, all->items[i].at);
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
    struct tn_blame_hunks hunks = {.arena = w->arena};
    int rc = git_commit_parent(&parent, at->commit, k);
    if (rc == GIT_ENOTFOUND) {
        return 0; /* Beyond the end of a shallow clone. */
    }
    rc = rc < 0 ? rc : tn_blame_blob_at(w->odb, parent, at->path, &there.blob);
    if (rc < 0) {
        return rc == GIT_ENOTFOUND ? 0 : rc;
    }
    if (!git_oid_equal(&there.blob, &at->blob)) {
        rc = tn_blame_compare(w->repo, &there.blob, &at->blob, &hunks);
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
    rc = tn_blame_blob_at(w->odb, out->commit, at->path, &out->blob);
    if (rc != GIT_ENOTFOUND) {
        return rc;
    }
    out->path = renamed_from(w, at->commit, out->commit, at->path);
    return out->path
               ? tn_blame_blob_at(w->odb, out->commit, out->path, &out->blob)
               : rc;
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
    struct tn_blame_hunks hunks = {.arena = w->arena};
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
        rc = tn_blame_compare(w->repo, &before.blob, &at->blob, &hunks);
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
    struct tn_blame_hunks hunks = {.arena = w->arena};
    struct marks all = {0}, fresh;
    int rc = tn_blame_blob_get(w->repo, &at->blob, &blob);
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
        rc = tn_blame_compare_bytes(blob, bytes, size, &hunks);
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
blame(struct walk *w)
{
    struct place at = {.path = w->ask->path};
    struct marks marks = {0};
    int rc = tn_blame_commit_of(w->repo, w->ask->rev, &at.commit);
    rc = rc < 0 ? rc : tn_blame_blob_at(w->odb, at.commit, at.path, &at.blob);
    rc = rc < 0 ? rc : marks_begin(w, &at, &marks);
    rc = rc < 0 ? rc : walk_back(w, &at, marks, NULL, 0);
    place_done(&at);
    return rc;
}

enum tn_code
tn_source_blame(const struct tn_blame_ask *ask, struct tn_arena *arena,
                struct tn_blame *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_git) struct tn_git_repo *repo = NULL;
    TN_CLEANUP(cleanup_odb) git_odb *odb = NULL;
    struct tn_blame found = {0};
    enum tn_code code = tn_git_open(ask->repo, &repo, err);
    if (code) {
        return code;
    }
    struct walk w = {.ask = ask,
                     .repo = tn_git_handle(repo),
                     .arena = arena,
                     .max =
                         ask->max_commits ? ask->max_commits : TN_BLAME_COMMITS,
                     .out = &found};
    tn_map_init(&w.commits, arena, 0);
    tn_git_hasty(true);
    int rc = git_repository_odb(&odb, w.repo);
    w.odb = odb;
    rc = rc < 0 ? rc : blame(&w);
    code = rc < 0 ? tn_git_fail(err, rc, "who wrote %s", ask->path) : TN_OK;
    tn_git_hasty(false);
    if (code) {
        return code;
    }
    found.n_visited = w.n_visited;
    *out = found;
    return TN_OK;
}
