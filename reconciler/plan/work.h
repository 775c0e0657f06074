/* work.h - one device's plan in the making.
 *
 * Private to reconciler/plan.  The merge walk (plan.c) fills it, claims.c and
 * cascade.c revise it, order.c turns it into changes.  Each step is linear in
 * the states or n log n in the changes, and the latter two cost nothing when
 * nothing changes. */
#ifndef TN_RECONCILER_PLAN_WORK_H
#define TN_RECONCILER_PLAN_WORK_H

#include "reconciler/plan/decide.h"
#include "reconciler/plan/plan.h"

/* A key that is not left alone. */
struct tn_item {
    const struct tn_resource *last, *want, *have; /* Null: absent. */
    const struct tn_decision *rule;
    enum tn_op op;
    bool early;   /* A removal that goes before everything else. */
    bool split;   /* A change done in halves, removal early. */
    bool dropped; /* In a scope with a conflict: left undone. */
    const char *with;
};

/* What becomes of an observed object: index of its item, or one of these. */
enum { TN_FATE_KEEP = -1, TN_FATE_HELD = -2, TN_FATE_FOREIGN = -3 };

struct tn_fate {
    int32_t item;
    uint32_t want; /* Its index in 'want' if it is kept. */
};

/* Item 'waiter' claims what 'holder' frees. */
struct tn_claim_edge {
    uint32_t holder, waiter;
};

struct tn_work {
    struct tn_arena *arena;
    const struct tn_plan_input *in;
    struct tn_fate *fate;         /* One per observed object. */
    TN_VEC(struct tn_item) items; /* By key. */
    TN_VEC(const struct tn_resource *) foreign;
    TN_VEC(struct tn_conflict) conflicts;
    TN_VEC(struct tn_held) held;
    size_t n_unchanged, n_ours;
};

/* Finds out who holds what is claimed: marks removals that must come early,
 * adds conflicts, and drops all changes of scopes that have one.  TN_EINTERNAL
 * if two wanted objects claim the same. */
enum tn_code tn_work_claims(struct tn_work *work,
                            struct tn_error *err) TN_MUST_USE;

/* Adds the replacement of objects that vanish with their parent. */
void tn_work_cascade(struct tn_work *work);

/* Sorts numbers by their bytes from 'first_byte' (0 is the least significant)
 * up; those that are equal in these keep their order.  Linear. */
void tn_work_sort(struct tn_arena *arena, uint64_t *keys, size_t n,
                  unsigned first_byte);

/* Writes changes, steps and counts of 'out', in the order of execution. */
void tn_work_order(struct tn_work *work, struct tn_device_plan *out);

#endif
