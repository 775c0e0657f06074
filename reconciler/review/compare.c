/* compare.c - see compare.h.
 *
 * Works on the states that observing made: no device and no file is read.  A
 * device without a snapshot (a new one, a first merge request, no status ref in
 * the clone) is planned against what the base wants of it. */
#include "reconciler/review/compare.h"

#include <string.h>

#include "model/base/cleanup.h"

struct comparer {
    struct tn_reconcile *head;
    const struct tn_reconcile *base;
    struct tn_arena *arena;
    struct tn_counts others;
};

/* What the base wants of the device; null: nothing is known of the base. */
static const struct tn_state *
base_state(const struct comparer *c, const struct tn_device_run *d)
{
    const struct tn_state *state = NULL;
    struct tn_diags unheard;
    struct tn_error ignored = {0};
    if (!c->base || !d->driver) {
        return NULL;
    }
    const struct tn_device *device =
        tn_network_device(c->base->network, d->device->name);
    tn_diags_init(&unheard, c->arena);
    if (!device ||
        d->driver->render(device, c->arena, &state, &unheard, &ignored)) {
        struct tn_state *nothing = tn_new(c->arena, struct tn_state);
        nothing->device = d->device->name;
        return nothing;
    }
    return state;
}

/* Plans a device of which there is no snapshot. */
static void
plan_without(const struct comparer *c, struct tn_device_run *d,
             const struct tn_state *base)
{
    struct tn_error err = {0};
    if (!d->want || d->have) {
        return; /* It cannot be rendered, or something else is wrong. */
    }
    struct tn_state *nothing = tn_new(c->arena, struct tn_state);
    nothing->device = d->device->name;
    d->have = base ? base : nothing;
    d->last = base;
    if (tn_device_plan(d, &err)) {
        d->plan = tn_plan_unreachable(c->arena, d->device->name,
                                      d->driver->name, &err);
    }
}

static bool
wanted_otherwise(const struct tn_state *base, const struct tn_state *want,
                 const char *key)
{
    const struct tn_resource *b = tn_state_get(base, key);
    const struct tn_resource *w = tn_state_get(want, key);
    return !b || !w ? b != w : !tn_resource_same(b, w);
}

/* The plan of a device without what the base wants alike. */
static const struct tn_device_plan *
own_plan(struct comparer *c, const struct tn_device_run *d,
         const struct tn_state *base)
{
    const struct tn_device_plan *all = d->plan;
    bool *keep = tn_new_n(c->arena, bool, all->n_changes + 1);
    for (size_t i = 0; i < all->n_changes; i++) {
        const struct tn_change *ch = &all->changes[i];
        keep[i] = wanted_otherwise(base, d->want, ch->key) ||
                  (ch->with && wanted_otherwise(base, d->want, ch->with));
        if (!keep[i]) {
            tn_counts_add_change(&c->others, ch);
        }
    }
    struct tn_device_plan *own = tn_new(c->arena, struct tn_device_plan);
    struct tn_conflict *conflicts =
        tn_new_n(c->arena, struct tn_conflict, all->n_conflicts);
    *own = *tn_plan_pick(c->arena, all, keep);
    own->conflicts = conflicts;
    own->n_conflicts = 0;
    for (size_t i = 0; i < all->n_conflicts; i++) {
        if (wanted_otherwise(base, d->want, all->conflicts[i].want->key)) {
            conflicts[own->n_conflicts++] = all->conflicts[i];
        }
    }
    return own;
}

static void
basis_of(const struct tn_device_run *d, struct tn_arena *arena,
         struct tn_basis *out)
{
    char buf[TN_ERROR_TEXT + 256];
    *out = (struct tn_basis){
        .device = d->device->name,
        .seen = d->have ? d->seen : 0,
        .n_unknown = d->n_unknown,
    };
    if (!d->have) {
        out->why =
            tn_arena_strdup(arena, tn_error_text(&d->failure, buf, sizeof buf));
    }
}

void
tn_compare(struct tn_reconcile *head, const struct tn_reconcile *base,
           struct tn_compare *out)
{
    struct comparer c = {.head = head, .base = base, .arena = head->arena};
    const struct tn_device_plan **plans =
        tn_new_n(c.arena, const struct tn_device_plan *, head->n_devices);
    struct tn_basis *bases =
        tn_new_n(c.arena, struct tn_basis, head->n_devices);
    for (size_t i = 0; i < head->n_devices; i++) {
        struct tn_device_run *d = &head->devices[i];
        const struct tn_state *was = base_state(&c, d);
        basis_of(d, c.arena, &bases[i]);
        plan_without(&c, d, was);
        plans[i] = was && !d->plan->code ? own_plan(&c, d, was) : d->plan;
    }
    *out = (struct tn_compare){
        .plan = tn_plan_build(c.arena, head->commit.id,
                              head->network->inventory->environment, plans,
                              head->n_devices),
        .bases = bases,
        .n_bases = head->n_devices,
        .others = c.others,
    };
}
