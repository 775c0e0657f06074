/* order.c - from what has to be done to steps that can be done in turn.
 *
 *     1. removals that make room, by falling rank
 *     2. creations, updates and replacements, by rising rank; of equal rank
 *        in this order
 *     3. the other deletions, by falling rank
 *
 * Whatever a resource needs has a lower rank, so in 2 it is settled before, and
 * in 3 it goes later: make before break.  A removal in 1 (order by claims.c)
 * takes with it all deletions of higher rank in its scope, which may depend on
 * it.  Ties are broken by key.  The whole order is one linear sort of numbers.
 */
#include "reconciler/plan/work.h"

#include <string.h>

#include "model/base/map.h"

enum phase { PHASE_ROOM, PHASE_MAKE, PHASE_BREAK };

/* Phase, rank, kind of operation, index of the item, half. */
static uint64_t
sort_key(enum phase phase, uint16_t rank, enum tn_op op, size_t item,
         enum tn_half half)
{
    uint16_t by_rank = phase == PHASE_MAKE ? rank : (uint16_t) ~rank;
    return (uint64_t) phase << 60 | (uint64_t) by_rank << 40 |
           (uint64_t) op << 36 | (uint64_t) item << 2 | (uint64_t) half;
}

static size_t
key_item(uint64_t key)
{
    return (size_t) (key >> 2 & UINT32_MAX);
}

/* Deletions of higher rank in a scope where room is made go along. */
static void
widen_early(struct tn_work *work)
{
    struct tn_map least; /* Scope to rank + 1. */
    tn_map_init(&least, work->arena, 0);
    for (size_t i = 0; i < work->items.n; i++) {
        const struct tn_item *it = &work->items.items[i];
        if (!it->dropped && (it->early || it->split)) {
            uintptr_t rank = it->have->rank + (uintptr_t) 1;
            uintptr_t old = (uintptr_t) tn_map_get(&least, it->have->scope);
            if (!old || rank < old) {
                tn_map_put(&least, it->have->scope, (void *) rank);
            }
        }
    }
    for (size_t i = 0; least.n && i < work->items.n; i++) {
        struct tn_item *it = &work->items.items[i];
        if (it->op == TN_OP_DELETE && !it->dropped) {
            uintptr_t rank = (uintptr_t) tn_map_get(&least, it->have->scope);
            it->early |= rank && it->have->rank + (uintptr_t) 1 > rank;
        }
    }
}

static size_t
sort_items(struct tn_work *work, uint64_t *keys)
{
    size_t n = 0;
    for (size_t i = 0; i < work->items.n; i++) {
        const struct tn_item *it = &work->items.items[i];
        if (it->dropped) {
            continue;
        }
        if (it->split) {
            keys[n++] = sort_key(PHASE_ROOM, it->have->rank, TN_OP_DELETE, i,
                                 TN_HALF_REMOVE);
            keys[n++] = sort_key(PHASE_MAKE, it->want->rank, TN_OP_CREATE, i,
                                 TN_HALF_CREATE);
        } else if (it->op == TN_OP_DELETE) {
            keys[n++] = sort_key(it->early ? PHASE_ROOM : PHASE_BREAK,
                                 it->have->rank, it->op, i, TN_WHOLE);
        } else {
            keys[n++] =
                sort_key(PHASE_MAKE, it->want->rank, it->op, i, TN_WHOLE);
        }
    }
    /* In the order of items already, so that the upper half is enough. */
    tn_work_sort(work->arena, keys, n, 4);
    return n;
}

static enum tn_impact
impact_of(const struct tn_item *it)
{
    switch (it->op) {
    case TN_OP_CREATE:
        return TN_IMPACT_NONE;
    case TN_OP_UPDATE:
        return it->split ? TN_IMPACT_BRIEF : TN_IMPACT_NONE;
    case TN_OP_REPLACE:
        return TN_IMPACT_BRIEF;
    case TN_OP_DELETE:
        break;
    }
    return TN_IMPACT_DISRUPTIVE;
}

/* "blue" of "blue/web", shared by items of one tenant in a row. */
static const char *
tenant_of(struct tn_arena *arena, const char *scope, const char *previous)
{
    size_t n = strcspn(scope, "/");
    if (strncmp(previous, scope, n) == 0 && previous[n] == '\0') {
        return previous;
    }
    return tn_arena_strndup(arena, scope, n);
}

static void
write_change(const struct tn_item *it, enum tn_half half,
             struct tn_change *change)
{
    const struct tn_resource *any = it->want ? it->want : it->have;
    change->op = half == TN_HALF_REMOVE   ? TN_OP_DELETE
                 : half == TN_HALF_CREATE ? TN_OP_CREATE
                                          : it->op;
    change->half = half;
    change->cause = (enum tn_cause) it->rule->cause;
    change->impact = impact_of(it);
    change->rule = it->rule->number;
    change->key = any->key;
    change->kind = any->kind;
    change->name = any->name;
    change->scope = any->scope;
    change->with = it->with;
    change->former = it->last;
    if (it->want) {
        change->origin = it->want->origin;
    } else if (it->last) {
        change->origin = it->last->origin;
    }
    if (it->have && half != TN_HALF_CREATE) {
        change->before = it->have;
        change->expect = tn_resource_digest(it->have);
    }
    if (it->want && half != TN_HALF_REMOVE) {
        change->after = it->want;
        change->target = tn_resource_digest(it->want);
    }
}

/* Where the change of each item goes, or its two halves: index + 1. */
struct place {
    uint32_t first, second;
};

static struct place *
places_of(struct tn_work *work, const uint64_t *keys, size_t n)
{
    struct place *places = tn_new_n(work->arena, struct place, work->items.n);
    for (size_t i = 0; i < n; i++) {
        struct place *p = &places[key_item(keys[i])];
        *(p->first ? &p->second : &p->first) = (uint32_t) i + 1;
    }
    return places;
}

/* Goes by key and not in the order of execution, as the states lie in memory:
 * digests read all of them. */
void
tn_work_order(struct tn_work *work, struct tn_device_plan *out)
{
    widen_early(work);
    uint64_t *keys = tn_new_n(work->arena, uint64_t, 2 * work->items.n);
    size_t n = sort_items(work, keys);
    const struct place *places = places_of(work, keys, n);
    struct tn_change *changes = tn_new_n(work->arena, struct tn_change, n);
    struct tn_step *steps = tn_new_n(work->arena, struct tn_step, n);
    const char *tenant = "";
    for (size_t i = 0; i < work->items.n; i++) {
        const struct tn_item *it = &work->items.items[i];
        const uint32_t at[] = {places[i].first, places[i].second};
        for (size_t k = 0; k < 2 && at[k]; k++) {
            struct tn_change *c = &changes[at[k] - 1];
            write_change(it, (enum tn_half)(keys[at[k] - 1] & 3), c);
            tenant = tenant_of(work->arena, c->scope, tenant);
            c->tenant = tenant;
            steps[at[k] - 1] = (struct tn_step){c->op, c->before, c->after};
        }
        if (at[0]) {
            tn_counts_add(&out->counts, it->split ? TN_OP_REPLACE : it->op,
                          it->rule->cause == TN_CAUSE_DRIFT);
        }
    }
    out->changes = changes;
    out->steps = steps;
    out->n_changes = n;
}
