/* pick.c - counting changes, and some of a plan without the others. */
#include "reconciler/plan/plan.h"

void
tn_counts_add(struct tn_counts *counts, enum tn_op op, bool drift)
{
    switch (op) {
    case TN_OP_CREATE:
        counts->add++;
        break;
    case TN_OP_UPDATE:
        counts->change++;
        break;
    case TN_OP_REPLACE:
        counts->replace++;
        break;
    case TN_OP_DELETE:
        counts->destroy++;
        break;
    }
    counts->drift += drift;
}

void
tn_counts_add_change(struct tn_counts *counts, const struct tn_change *change)
{
    if (change->half != TN_HALF_REMOVE) {
        tn_counts_add(
            counts, change->half == TN_HALF_CREATE ? TN_OP_REPLACE : change->op,
            change->cause == TN_CAUSE_DRIFT);
    }
}

const struct tn_device_plan *
tn_plan_pick(struct tn_arena *arena, const struct tn_device_plan *from,
             const bool *keep)
{
    struct tn_device_plan *d = tn_new(arena, struct tn_device_plan);
    struct tn_change *changes =
        tn_new_n(arena, struct tn_change, from->n_changes);
    struct tn_step *steps = tn_new_n(arena, struct tn_step, from->n_changes);
    *d = *from;
    d->counts = (struct tn_counts){0};
    d->n_changes = 0;
    for (size_t i = 0; i < from->n_changes; i++) {
        if (keep[i]) {
            changes[d->n_changes] = from->changes[i];
            steps[d->n_changes] = from->steps[i];
            tn_counts_add_change(&d->counts, &changes[d->n_changes++]);
        }
    }
    d->changes = changes;
    d->steps = steps;
    return d;
}
