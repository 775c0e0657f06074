/* history.c - see history.h.
 *
 * Two colours flow from the two commits to their parents, the youngest commit
 * first.  What has the colour of the new commit alone is new.  The walk ends
 * when all that waits is old, and older by a day than the oldest new commit;
 * with clocks that went backwards by more, an old commit may count as new.
 * That is the safe side: it is judged again.  The other mistake, a new commit
 * that counts as old, cannot happen, because the old colour comes along parent
 * links only.  For the same reason the walk through old commits may be cut
 * short.  Where every way from the new commit leads to the trusted one, as it
 * mostly does, none of them is old, and nothing behind it is looked at. */
#include "reconciler/trust/history.h"

#include <string.h>

#include "model/base/map.h"

enum { NEW = 1, OLD = 2, QUEUED = 4, EMITTED = 8, OPEN = 16 };
enum { SLOP = 24 * 3600, OLD_MAX = 200 * 1000 };

struct node {
    struct tn_past past;
    unsigned flags;
    struct node **parents;
    size_t next; /* Parent to look at, while it is OPEN. */
};

struct walk {
    struct tn_commits *c;
    struct tn_arena *arena, *scratch;
    struct tn_map nodes; /* By hexadecimal id. */
    TN_VEC(struct node *) heap;
    size_t n_fresh; /* In the heap: new and not old. */
    size_t n_new, n_old, max;
    const struct tn_oid *trusted;
    bool aside; /* Some way from the new commit misses the trusted one. */
    int64_t oldest;
    struct tn_error *err;
};

static bool
is_fresh(const struct node *n)
{
    return (n->flags & (NEW | OLD)) == NEW;
}

static void
swap(struct node **a, struct node **b)
{
    struct node *t = *a;
    *a = *b;
    *b = t;
}

static void
heap_push(struct walk *w, struct node *n)
{
    *tn_vec_push(w->arena, &w->heap) = n;
    struct node **h = w->heap.items;
    for (size_t i = w->heap.n - 1; i; i = (i - 1) / 2) {
        if (h[(i - 1) / 2]->past.time >= h[i]->past.time) {
            break;
        }
        swap(&h[i], &h[(i - 1) / 2]);
    }
    n->flags |= QUEUED;
    w->n_fresh += is_fresh(n);
}

static struct node *
heap_pop(struct walk *w)
{
    struct node **h = w->heap.items, *top = h[0];
    size_t n = --w->heap.n;
    h[0] = h[n];
    for (size_t i = 0;;) {
        size_t child = 2 * i + 1;
        if (child >= n) {
            break;
        }
        child += child + 1 < n && h[child + 1]->past.time > h[child]->past.time;
        if (h[i]->past.time >= h[child]->past.time) {
            break;
        }
        swap(&h[i], &h[child]);
        i = child;
    }
    top->flags &= ~(unsigned) QUEUED;
    w->n_fresh -= is_fresh(top);
    return top;
}

/* Reads what is not known yet.  What cannot be read and is old has no parents:
 * the clone is shallow there. */
static enum tn_code
node_read(struct walk *w, struct node *n, bool old)
{
    struct tn_commit_text text;
    char said[TN_ERROR_TEXT];
    struct tn_error err = {0};
    enum tn_code code =
        tn_commits_read(w->c, &n->past.id, w->scratch, &text, &err);
    if (code == TN_EINTENT) {
        n->past.broken =
            tn_arena_strdup(w->arena, tn_error_text(&err, said, sizeof said));
    } else if (code == TN_ENOENT && !old) {
        char hex[TN_OID_HEX];
        code = tn_fail(w->err, TN_EUNAVAILABLE, 0,
                       "commit %s is missing: is the clone shallow?",
                       tn_oid_hex(&n->past.id, hex));
        tn_arena_reset(w->scratch);
        return code;
    } else if (code && code != TN_ENOENT) {
        if (w->err) {
            *w->err = err;
        }
        return code;
    } else if (!code) {
        struct tn_oid *ids = tn_new_n(w->arena, struct tn_oid, text.n_parents);
        for (size_t i = 0; i < text.n_parents; i++) {
            ids[i] = text.parents[i];
        }
        n->past.parents = ids;
        n->past.n_parents = text.n_parents;
        n->past.time = text.time;
    }
    tn_arena_reset(w->scratch);
    return TN_OK;
}

static bool
is_trusted(const struct walk *w, const struct node *n)
{
    return w->trusted &&
           memcmp(&n->past.id, w->trusted, sizeof *w->trusted) == 0;
}

/* Gives the commit a colour; '*out' is its node. */
static enum tn_code
colour(struct walk *w, const struct tn_oid *id, unsigned flag,
       struct node **out)
{
    char hex[TN_OID_HEX];
    tn_oid_hex(id, hex);
    struct node *n = tn_map_get(&w->nodes, hex);
    if (!n) {
        n = tn_new(w->arena, struct node);
        n->past.id = *id;
        enum tn_code code = node_read(w, n, flag == OLD);
        if (code) {
            return code;
        }
        tn_map_put(&w->nodes, tn_arena_strdup(w->arena, hex), n);
    }
    *out = n;
    if (n->flags & flag) {
        return TN_OK;
    }
    bool queued = n->flags & QUEUED, was_fresh = queued && is_fresh(n);
    n->flags |= flag;
    w->aside |= (n->flags & (NEW | OLD)) == (NEW | OLD) && !is_trusted(w, n);
    if (queued) {
        w->n_fresh += (size_t) is_fresh(n) - (size_t) was_fresh;
    } else {
        heap_push(w, n);
    }
    return TN_OK;
}

static enum tn_code
expand(struct walk *w, struct node *n)
{
    bool old = n->flags & OLD;
    if (old ? ++w->n_old > OLD_MAX : ++w->n_new > w->max) {
        return TN_OK;
    }
    if (!old && n->past.time < w->oldest) {
        w->oldest = n->past.time;
    }
    w->aside |= !old && n->past.n_parents == 0;
    if (!n->parents) {
        n->parents = tn_new_n(w->arena, struct node *, n->past.n_parents);
    }
    for (size_t i = 0; i < n->past.n_parents; i++) {
        enum tn_code code =
            colour(w, &n->past.parents[i], old ? OLD : NEW, &n->parents[i]);
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

static enum tn_code
flow(struct walk *w)
{
    while (w->heap.n && w->n_new <= w->max) {
        if (w->n_fresh == 0 &&
            (!w->aside || w->heap.items[0]->past.time < w->oldest - SLOP)) {
            break;
        }
        enum tn_code code = expand(w, heap_pop(w));
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

/* Depth first without recursion: a chain may be long. */
static void
emit(struct walk *w, struct node *start, struct tn_history *out)
{
    TN_VEC(struct node *) stack = {0};
    TN_VEC(struct tn_past) items = {0};
    if (is_fresh(start)) {
        *tn_vec_push(w->arena, &stack) = start;
        start->flags |= OPEN;
    }
    while (stack.n) {
        struct node *n = stack.items[stack.n - 1];
        if (n->next < n->past.n_parents) {
            struct node *p = n->parents[n->next++];
            if (is_fresh(p) && !(p->flags & (OPEN | EMITTED))) {
                *tn_vec_push(w->arena, &stack) = p;
                p->flags |= OPEN;
            }
            continue;
        }
        stack.n--;
        n->flags |= EMITTED;
        *tn_vec_push(w->arena, &items) = n->past;
    }
    out->items = items.items;
    out->n = items.n;
}

/* The commit must be there; that it is malformed is said later. */
static enum tn_code
start(struct walk *w, const struct tn_oid *id, unsigned flag, struct node **out)
{
    struct tn_commit_text text;
    enum tn_code code = tn_commits_read(w->c, id, w->scratch, &text, w->err);
    tn_arena_reset(w->scratch);
    return code && code != TN_EINTENT ? code : colour(w, id, flag, out);
}

enum tn_code
tn_history_read(struct tn_commits *c, const struct tn_oid *trusted,
                const struct tn_oid *commit, size_t max, struct tn_arena *arena,
                struct tn_history *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *own = tn_arena_new();
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *scratch = tn_arena_new();
    struct walk w = {
        .c = c,
        .arena = arena,
        .scratch = scratch,
        .max = max,
        .trusted = trusted,
        .oldest = INT64_MAX,
        .err = err,
    };
    struct node *old = NULL, *new = NULL;
    struct tn_history h = {0};
    tn_map_init(&w.nodes, own, 64);
    enum tn_code code = start(&w, commit, NEW, &new);
    if (!code && trusted) {
        code = start(&w, trusted, OLD, &old);
    }
    if (!code) {
        code = flow(&w);
    }
    if (code) {
        return code;
    }
    h.too_many = w.n_new > max;
    h.descends = old && (old->flags & NEW);
    if (!h.too_many) {
        emit(&w, new, &h);
    }
    *out = h;
    return TN_OK;
}
