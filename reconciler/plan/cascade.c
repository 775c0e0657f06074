/* cascade.c - objects that vanish with their parent.
 *
 * A link that is replaced takes its FDB entries along.  They do not differ and
 * the decision table leaves them alone, but after the replacement they would be
 * missing; so they are replaced too, after the parent, and the plan says with
 * whom.  The same holds for a wanted object whose parent is deleted because the
 * object belongs somewhere else now.
 *
 * Observed objects are visited by rising rank, so that a parent is settled
 * before its children.  Nothing is done unless something goes away and some
 * object has a parent. */
#include "reconciler/plan/work.h"

#include <string.h>

#include "model/base/map.h"

struct cascade {
    struct tn_work *work;
    struct tn_map gone; /* Key to item index + 1. */
    uint64_t *children; /* Observed objects with a parent: rank, index. */
    size_t n;
};

static bool
goes_away(const struct tn_item *it)
{
    return !it->dropped && it->have &&
           (it->op == TN_OP_DELETE || it->op == TN_OP_REPLACE || it->split);
}

static const struct tn_resource *
wanted(const struct tn_work *work, size_t have)
{
    const struct tn_fate *fate = &work->fate[have];
    if (fate->item >= 0) {
        return work->items.items[fate->item].want;
    }
    return fate->item == TN_FATE_KEEP ? &work->in->want->items[fate->want]
                                      : NULL;
}

/* As observed; a driver that cannot tell leaves it to what is wanted. */
static const char *
parent_of(const struct tn_work *work, size_t have)
{
    const char *parent = work->in->have->items[have].parent;
    if (parent) {
        return parent;
    }
    const struct tn_resource *want = wanted(work, have);
    return want ? want->parent : NULL;
}

static void
set_gone(struct cascade *c, const char *key, size_t item)
{
    tn_map_put(&c->gone, key, (void *) (uintptr_t) (item + 1));
}

static bool
collect_gone(struct cascade *c)
{
    const struct tn_work *work = c->work;
    tn_map_init(&c->gone, work->arena, 0);
    for (size_t i = 0; i < work->items.n; i++) {
        const struct tn_item *it = &work->items.items[i];
        if (goes_away(it)) {
            set_gone(c, it->have->key, i);
        }
    }
    return c->gone.n > 0;
}

static bool
collect_children(struct cascade *c)
{
    const struct tn_work *work = c->work;
    const struct tn_state *have = work->in->have;
    uint64_t *children = tn_new_n(work->arena, uint64_t, have->n);
    for (size_t i = 0; i < have->n; i++) {
        if (work->fate[i].item >= TN_FATE_KEEP && parent_of(work, i)) {
            children[c->n++] = (uint64_t) have->items[i].rank << 32 | i;
        }
    }
    tn_work_sort(work->arena, children, c->n, 4);
    c->children = children;
    return c->n > 0;
}

/* The unchanged object 'have' becomes an item. */
static size_t
add_item(struct tn_work *work, size_t have, const struct tn_decision *rule)
{
    const struct tn_resource *want = wanted(work, have);
    const struct tn_state *last = work->in->last;
    size_t index = work->items.n;
    *tn_vec_push(work->arena, &work->items) = (struct tn_item){
        .last = last ? tn_state_get(last, want->key) : NULL,
        .want = want,
        .have = &work->in->have->items[have],
        .rule = rule,
        .op = TN_OP_REPLACE,
    };
    work->fate[have].item = (int32_t) index;
    work->n_unchanged--;
    return index;
}

static void
visit(struct cascade *c, size_t have)
{
    struct tn_work *work = c->work;
    const char *parent = parent_of(work, have);
    size_t gone = (uintptr_t) tn_map_get(&c->gone, parent);
    if (!gone) {
        return;
    }
    const struct tn_item *cause = &work->items.items[gone - 1];
    const char *cause_key = cause->have->key;
    int32_t fate = work->fate[have].item;
    size_t item = fate >= 0 ? (size_t) fate : add_item(work, have, cause->rule);
    struct tn_item *it = &work->items.items[item];
    if (it->dropped || it->op == TN_OP_DELETE) {
        return;
    }
    if (fate < 0 || it->op == TN_OP_UPDATE) {
        it->op = TN_OP_REPLACE;
        it->with = it->with ? it->with : cause_key;
    }
    set_gone(c, it->have->key, item);
}

static const char *
key_of(const struct tn_item *it)
{
    return (it->want ? it->want : it->have)->key;
}

/* The items from 'n_old' on are new; those before are in order of keys, as are
 * observed objects: one sort by index and one merge. */
static void
put_in_order(struct tn_work *work, size_t n_old)
{
    size_t n = work->items.n, n_new = n - n_old, k = 0;
    const struct tn_item *old = work->items.items, *fresh = old + n_old;
    uint64_t *order = tn_new_n(work->arena, uint64_t, n_new);
    struct tn_item *all = tn_new_n(work->arena, struct tn_item, n);
    for (size_t i = 0; i < n_new; i++) {
        uint64_t have = (uint64_t) (fresh[i].have - work->in->have->items);
        order[i] = have << 32 | i;
    }
    tn_work_sort(work->arena, order, n_new, 4);
    for (size_t i = 0, j = 0; k < n; k++) {
        const struct tn_item *f =
            j < n_new ? &fresh[order[j] & UINT32_MAX] : NULL;
        if (f && (i == n_old || strcmp(key_of(f), key_of(&old[i])) < 0)) {
            all[k] = *f;
            j++;
        } else {
            all[k] = old[i++];
        }
    }
    work->items.items = all;
    work->items.cap = n;
}

void
tn_work_cascade(struct tn_work *work)
{
    struct cascade c = {.work = work};
    if (!collect_gone(&c) || !collect_children(&c)) {
        return;
    }
    size_t n = work->items.n;
    for (size_t i = 0; i < c.n; i++) {
        visit(&c, c.children[i] & UINT32_MAX);
    }
    if (work->items.n > n) {
        put_in_order(work, n);
    }
}
