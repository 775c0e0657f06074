/* changes.c - see changes.h.
 *
 * Each parent gets the list of changes against it that the scope does not
 * cover.  With one parent the first such change is the answer.  With several, a
 * path may still be innocent: see merged_clean().  Merge bases are asked for
 * only then. */
#include "reconciler/trust/changes.h"

#include <string.h>

#include "model/base/map.h"
#include "reconciler/trust/scope.h"

enum { CHANGES_MAX = 500 * 1000 };

struct change {
    const char *path;
    struct tn_tree_item before, after;
};

/* Trees of the merge bases of two parents. */
struct bases {
    bool known;
    const struct tn_oid *trees;
    size_t n;
};

struct side {
    struct tn_oid tree;
    TN_VEC(struct change) changes;
    struct tn_map by_path;
    struct bases *bases; /* With each other parent. */
};

struct check {
    const struct tn_changes *in;
    struct tn_arena *arena;
    struct side *sides; /* One for each parent. */
    size_t n_sides, n_changes;
    struct side *current;
    struct tn_error *err;
};

static bool
is_covered(const struct tn_changes *in, const char *path,
           const struct tn_tree_item *after)
{
    if (after->mode && !tn_tree_item_is_file(after)) {
        return false;
    }
    for (size_t i = 0; i < in->n_patterns; i++) {
        if (tn_scope_match(in->patterns[i], path)) {
            return true;
        }
    }
    return false;
}

static bool
note_change(void *ctx, const char *path, const struct tn_tree_item *before,
            const struct tn_tree_item *after)
{
    struct check *c = ctx;
    if (is_covered(c->in, path, after)) {
        return true;
    }
    struct change *change = tn_vec_push(c->arena, &c->current->changes);
    *change = (struct change){tn_arena_strdup(c->arena, path), *before, *after};
    return c->n_sides > 1 && ++c->n_changes < CHANGES_MAX;
}

static enum tn_code
tree_of(struct check *c, const struct tn_oid *commit, struct tn_oid *tree)
{
    struct tn_commit_text text;
    enum tn_code code =
        tn_commits_read(c->in->commits, commit, c->arena, &text, c->err);
    if (!code) {
        *tree = text.tree;
    }
    return code;
}

static void
index_side(struct check *c, struct side *s)
{
    tn_map_init(&s->by_path, c->arena, s->changes.n);
    for (size_t i = 0; i < s->changes.n; i++) {
        tn_map_put(&s->by_path, s->changes.items[i].path, &s->changes.items[i]);
    }
}

static enum tn_code
load_bases(struct check *c, size_t i, size_t j, struct bases *out)
{
    const struct tn_oid *commits = NULL;
    const struct tn_oid *parents = c->in->commit->parents;
    size_t n = 0;
    enum tn_code code =
        tn_commits_bases(c->in->commits, &parents[i], &parents[j], c->arena,
                         &commits, &n, c->err);
    struct tn_oid *trees = tn_new_n(c->arena, struct tn_oid, n);
    for (size_t k = 0; k < n && !code; k++) {
        code = tree_of(c, &commits[k], &trees[k]);
    }
    if (!code) {
        *out = (struct bases){true, trees, n};
    }
    return code;
}

/* Whether parent 'j' has the path as all its merge bases with parent 'i' have
 * it.  Without a base nothing was there before. */
static enum tn_code
is_untouched(struct check *c, size_t i, size_t j, const struct change *change,
             bool *out)
{
    static const struct tn_tree_item absent;
    struct bases *b = &c->sides[i].bases[j];
    enum tn_code code = b->known ? TN_OK : load_bases(c, i, j, b);
    bool same = b->n > 0 || tn_tree_item_eq(&absent, &change->before);
    for (size_t k = 0; k < b->n && same && !code; k++) {
        struct tn_tree_item item = {0};
        code = tn_commits_item(c->in->commits, &b->trees[k], change->path,
                               &item, c->err);
        same = tn_tree_item_eq(&item, &change->before);
    }
    *out = same;
    return code;
}

/* The merge took the path from parent 'i', and nobody else had touched it. */
static enum tn_code
taken_from(struct check *c, size_t i, const char *path, bool *out)
{
    bool clean = !tn_map_get(&c->sides[i].by_path, path);
    for (size_t j = 0; j < c->n_sides && clean; j++) {
        const struct change *other = tn_map_get(&c->sides[j].by_path, path);
        if (!other) {
            continue;
        }
        enum tn_code code = is_untouched(c, i, j, other, &clean);
        if (code) {
            return code;
        }
    }
    *out = clean;
    return TN_OK;
}

static enum tn_code
merged_clean(struct check *c, const char *path, bool *out)
{
    *out = false;
    for (size_t i = 0; i < c->n_sides && !*out; i++) {
        enum tn_code code = taken_from(c, i, path, out);
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

static const char *
reason(const struct tn_changes *in, const struct change *change)
{
    bool special = change->after.mode && !tn_tree_item_is_file(&change->after);
    return special ? "is a link or a submodule, which needs the scope '**'"
           : in->n_patterns
               ? "is outside the signer's path scopes"
               : "is outside the signer's path scopes, who has none";
}

static enum tn_code
judge(struct check *c, const char **path, const char **why)
{
    for (size_t i = 0; i < c->n_sides; i++) {
        const struct side *s = &c->sides[i];
        for (size_t k = 0; k < s->changes.n; k++) {
            const struct change *change = &s->changes.items[k];
            bool clean = false;
            enum tn_code code =
                c->n_sides > 1 ? merged_clean(c, change->path, &clean) : TN_OK;
            if (code) {
                return code;
            }
            if (!clean) {
                *path = change->path;
                *why = reason(c->in, change);
                return TN_OK;
            }
        }
    }
    *path = NULL;
    return TN_OK;
}

static enum tn_code
compare(struct check *c, size_t i, const struct tn_oid *parent)
{
    struct side *s = &c->sides[i];
    const struct tn_oid *before = NULL;
    enum tn_code code = TN_OK;
    if (parent) {
        code = tree_of(c, parent, &s->tree);
        before = &s->tree;
    }
    c->current = s;
    s->bases = tn_new_n(c->arena, struct bases, c->n_sides);
    if (!code) {
        code = tn_commits_diff(c->in->commits, before, &c->in->commit->tree,
                               note_change, c, c->err);
    }
    if (!code && c->n_changes >= CHANGES_MAX) {
        code = tn_fail(c->err, TN_EINTENT, 0,
                       "a merge that changes more than %d files", CHANGES_MAX);
    }
    index_side(c, s);
    return code;
}

enum tn_code
tn_changes_check(const struct tn_changes *changes, struct tn_arena *arena,
                 const char **path, const char **why, struct tn_error *err)
{
    const struct tn_commit_text *commit = changes->commit;
    size_t n = commit->n_parents;
    struct check c = {
        .in = changes,
        .arena = arena,
        .sides = tn_new_n(arena, struct side, n ? n : 1),
        .n_sides = n ? n : 1,
        .err = err,
    };
    for (size_t i = 0; i < c.n_sides; i++) {
        enum tn_code code = compare(&c, i, n ? &commit->parents[i] : NULL);
        if (code) {
            return code;
        }
    }
    return judge(&c, path, why);
}
