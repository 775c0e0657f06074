/* claims.c - things that only one object of a device can hold.
 *
 * A creation (or a change) that claims "vni 5000" needs it to be free.  Whoever
 * holds it now is found through a hash map, which is built only if some change
 * claims something.  A holder that goes away, or gives the claim up, is removed
 * early; one that is left alone (foreign, held) is a conflict.
 *
 * A conflict stops its whole scope on this device: later steps of the scope
 * would act on an object that is not ours.  That may keep a holder of some
 * other scope's claim in place, which is then a conflict too, and so on; each
 * scope is stopped at most once. */
#include "reconciler/plan/work.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"

/* Observed objects by claim: 'first' holds index + 1, 'next' the chain. */
struct holders {
    struct tn_map first;
    uint32_t *next;
};

struct scope {
    const char *name;
    bool stopped;
    uint32_t first; /* Its first item + 1. */
    size_t n_waiting;
};

struct claims {
    struct tn_work *work;
    struct holders holders;
    TN_VEC(struct tn_claim_edge) edges;
    struct tn_map scopes;    /* To struct scope. */
    uint32_t *next_in_scope; /* Per item: next + 1. */
    uint32_t *first_edge;    /* Per item, as a holder: edge + 1. */
    uint32_t *next_edge;
    TN_VEC(struct scope *) todo;
};

static bool
claims_anew(const struct tn_item *it)
{
    return !it->dropped && it->want && it->want->claim &&
           !(it->have && tn_streq(it->have->claim, it->want->claim));
}

static void *
as_pointer(size_t index)
{
    return (void *) (uintptr_t) (index + 1);
}

static void
index_holders(struct claims *c)
{
    const struct tn_state *have = c->work->in->have;
    tn_map_init(&c->holders.first, c->work->arena, have->n);
    c->holders.next = tn_new_n(c->work->arena, uint32_t, have->n);
    for (size_t i = 0; i < have->n; i++) {
        if (have->items[i].claim) {
            void *former = tn_map_put(&c->holders.first, have->items[i].claim,
                                      as_pointer(i));
            c->holders.next[i] = (uint32_t) (uintptr_t) former;
        }
    }
}

static void
add_conflict(struct claims *c, size_t item, const struct tn_resource *blocker)
{
    struct tn_work *work = c->work;
    struct tn_item *it = &work->items.items[item];
    if (it->rule->action == TN_DO_REFUSE) {
        return;
    }
    enum tn_last last = !work->in->last                        ? TN_LAST_UNKNOWN
                        : !it->last                            ? TN_LAST_ABSENT
                        : tn_resource_same(it->last, it->want) ? TN_LAST_SAME
                                                               : TN_LAST_OTHER;
    it->rule = tn_decide(last, TN_WANT_PRESENT, TN_HAVE_BLOCKED);
    *tn_vec_push(work->arena, &work->conflicts) =
        (struct tn_conflict){.rule = it->rule->number,
                             .want = it->want,
                             .blocker = blocker,
                             .by_claim = true};
}

static enum tn_code
twice(const struct tn_resource *a, const struct tn_resource *b,
      struct tn_error *err)
{
    return tn_fail(err, TN_EINTERNAL, 0, "%s and %s both claim %s", a->key,
                   b->key, a->claim);
}

/* One holder of what 'item' claims. */
static enum tn_code
meet_holder(struct claims *c, size_t item, size_t holder, struct tn_error *err)
{
    struct tn_work *work = c->work;
    const struct tn_resource *want = work->items.items[item].want;
    const struct tn_resource *have = &work->in->have->items[holder];
    int32_t fate = work->fate[holder].item;
    if (fate == TN_FATE_KEEP) {
        return twice(want, have, err);
    }
    if (fate < 0) {
        add_conflict(c, item, have);
        return TN_OK;
    }
    const struct tn_item *h = &work->items.items[fate];
    if ((size_t) fate == item) {
        return TN_OK;
    }
    if (h->want && tn_streq(h->want->claim, want->claim)) {
        return twice(want, h->want, err);
    }
    *tn_vec_push(work->arena, &c->edges) =
        (struct tn_claim_edge){(uint32_t) fate, (uint32_t) item};
    return TN_OK;
}

static enum tn_code
meet_holders(struct claims *c, struct tn_error *err)
{
    struct tn_work *work = c->work;
    struct tn_map wanted;
    tn_map_init(&wanted, work->arena, 0);
    for (size_t i = 0; i < work->items.n; i++) {
        const struct tn_item *it = &work->items.items[i];
        if (!claims_anew(it)) {
            continue;
        }
        const struct tn_item *other =
            tn_map_put(&wanted, it->want->claim, &work->items.items[i]);
        if (other) {
            return twice(it->want, other->want, err);
        }
        size_t h = (uintptr_t) tn_map_get(&c->holders.first, it->want->claim);
        for (; h; h = c->holders.next[h - 1]) {
            enum tn_code code = meet_holder(c, i, h - 1, err);
            if (code) {
                return code;
            }
        }
    }
    return TN_OK;
}

static const char *
item_scope(const struct tn_item *it)
{
    return (it->want ? it->want : it->have)->scope;
}

/* False if it was stopped already. */
static bool
stop_scope(struct claims *c, const char *name)
{
    struct scope *s = tn_map_get(&c->scopes, name);
    if (s->stopped) {
        return false;
    }
    s->stopped = true;
    *tn_vec_push(c->work->arena, &c->todo) = s;
    return true;
}

/* Items by scope, edges by holder. */
static void
index_items(struct claims *c)
{
    struct tn_work *work = c->work;
    size_t n = work->items.n;
    tn_map_init(&c->scopes, work->arena, 0);
    c->next_in_scope = tn_new_n(work->arena, uint32_t, n);
    c->first_edge = tn_new_n(work->arena, uint32_t, n);
    c->next_edge = tn_new_n(work->arena, uint32_t, c->edges.n);
    for (size_t i = n; i-- > 0;) {
        const char *name = item_scope(&work->items.items[i]);
        struct scope *s = tn_map_get(&c->scopes, name);
        if (!s) {
            s = tn_new(work->arena, struct scope);
            s->name = name;
            tn_map_put(&c->scopes, name, s);
        }
        c->next_in_scope[i] = s->first;
        s->first = (uint32_t) i + 1;
    }
    for (size_t e = 0; e < c->edges.n; e++) {
        uint32_t holder = c->edges.items[e].holder;
        c->next_edge[e] = c->first_edge[holder];
        c->first_edge[holder] = (uint32_t) e + 1;
    }
}

/* Drops an item; whoever waits for its claim is stopped as well. */
static void
drop(struct claims *c, size_t item)
{
    struct tn_work *work = c->work;
    struct tn_item *it = &work->items.items[item];
    it->dropped = true;
    for (uint32_t e = c->first_edge[item]; e; e = c->next_edge[e - 1]) {
        size_t waiter = c->edges.items[e - 1].waiter;
        if (stop_scope(c, item_scope(&work->items.items[waiter]))) {
            add_conflict(c, waiter, it->have);
        }
    }
}

static void
stop_all(struct claims *c)
{
    for (size_t i = 0; i < c->work->items.n; i++) {
        (void) stop_scope(c, item_scope(&c->work->items.items[i]));
    }
}

static int
conflict_cmp(const void *pa, const void *pb)
{
    const struct tn_conflict *a = pa, *b = pb;
    return strcmp(a->want->key, b->want->key);
}

/* Says of each conflict how much waits for it. */
static void
count_waiting(struct claims *c)
{
    struct tn_work *work = c->work;
    for (size_t i = 0; i < work->items.n; i++) {
        const struct tn_item *it = &work->items.items[i];
        if (it->dropped && it->rule->action != TN_DO_REFUSE) {
            struct scope *s = tn_map_get(&c->scopes, item_scope(it));
            s->n_waiting++;
        }
    }
    for (size_t i = 0; i < work->conflicts.n; i++) {
        struct tn_conflict *conflict = &work->conflicts.items[i];
        const struct scope *s = tn_map_get(&c->scopes, conflict->want->scope);
        conflict->n_waiting = s->n_waiting;
    }
}

/* Stops the scopes of all conflicts, and of those that follow from them. */
static void
stop_scopes(struct claims *c)
{
    struct tn_work *work = c->work;
    index_items(c);
    for (size_t i = 0; i < work->conflicts.n; i++) {
        (void) stop_scope(c, work->conflicts.items[i].want->scope);
    }
    for (size_t done = 0; done < c->todo.n; done++) {
        const struct scope *s = c->todo.items[done];
        if (*s->name == '\0') {
            stop_all(c);
        }
        for (uint32_t i = s->first; i; i = c->next_in_scope[i - 1]) {
            drop(c, i - 1);
        }
    }
    count_waiting(c);
    qsort(work->conflicts.items, work->conflicts.n,
          sizeof *work->conflicts.items, conflict_cmp);
}

/* Holders that make room go first. */
static void
mark_early(struct claims *c)
{
    struct tn_work *work = c->work;
    for (size_t e = 0; e < c->edges.n; e++) {
        struct tn_item *h = &work->items.items[c->edges.items[e].holder];
        const struct tn_item *w = &work->items.items[c->edges.items[e].waiter];
        if (h->dropped || w->dropped) {
            continue;
        }
        if (h->op == TN_OP_DELETE) {
            h->early = true;
        } else {
            h->split = true;
            h->with = h->with ? h->with : w->want->key;
        }
    }
}

enum tn_code
tn_work_claims(struct tn_work *work, struct tn_error *err)
{
    struct claims c = {.work = work};
    bool any = false;
    for (size_t i = 0; i < work->items.n && !any; i++) {
        any = claims_anew(&work->items.items[i]);
    }
    if (any) {
        index_holders(&c);
        enum tn_code code = meet_holders(&c, err);
        if (code) {
            return code;
        }
    }
    if (work->conflicts.n) {
        stop_scopes(&c);
    }
    mark_early(&c);
    return TN_OK;
}
