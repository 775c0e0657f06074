/* plan.h - what would change, in which order, and why: plain data.
 *
 * Three states of a device go in: what the commit applied last wanted ('last',
 * compiled again from Git; there is no state file), what is wanted now, and
 * what the device holds.  A merge walk over the three, sorted by key, puts each
 * key before the decision table (docs/decisions.md); the changes that result
 * are put into an order that can be executed from first to last.
 *
 * Everything here is pure: no I/O, no clock, no globals.  Equal inputs give
 * byte-equal plans.  A plan points into the states that it was made from; they
 * outlive it.
 *
 *     tn_plan_device()  per device         budget.h  may it be applied?
 *     tn_plan_build()   all devices        print.h   text and JSON
 *                                          saved.h   file, and compare-and-swap
 *
 * What a plan may contain besides changes: foreign objects (seen, never
 * touched), conflicts (a foreign object stands where a wanted one belongs: that
 * whole scope stays as it is on that device, because driver steps in it could
 * touch what is not ours), and held objects (their tenant's documents are
 * broken, so nobody knows what is wanted). */
#ifndef TN_RECONCILER_PLAN_PLAN_H
#define TN_RECONCILER_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/driver.h"
#include "drivers/resource.h"

/* Who moved: Git, the world, or both? */
enum tn_cause {
    TN_CAUSE_NONE,
    TN_CAUSE_INTENT, /* A commit asks for it. */
    TN_CAUSE_DRIFT,  /* The device was changed outside Git. */
    TN_CAUSE_BOTH,   /* Both, on the same object. */
};

/* What happens to the object, derived from the operation and nothing else. */
enum tn_impact {
    TN_IMPACT_NONE,       /* Nothing that exists goes away: create, update. */
    TN_IMPACT_BRIEF,      /* The object is away for a moment: replace. */
    TN_IMPACT_DISRUPTIVE, /* The object goes away for good: delete. */
};

/* A replacement is one change of the driver where that is possible.  Where
 * something must happen between its two parts (others hang on the object, or
 * wait for the claim that it frees) it is two changes: the removal comes
 * early, the creation in the order of ranks.  People and budgets still see one
 * replacement. */
enum tn_half {
    TN_WHOLE,
    TN_HALF_REMOVE, /* op is TN_OP_DELETE, 'after' null. */
    TN_HALF_CREATE, /* op is TN_OP_CREATE, 'before' null. */
};

/* One change.  Foreign objects never become changes.  The all-zero digest
 * means "absent". */
struct tn_change {
    enum tn_op op;
    enum tn_half half;
    enum tn_cause cause;
    enum tn_impact impact;
    uint16_t rule;                         /* Row of docs/decisions.md. */
    const char *key, *kind, *name, *scope; /* Of 'after', else 'before'. */
    const char *tenant;               /* First part of 'scope'; "" if none. */
    const struct tn_resource *before; /* As observed; null: create. */
    const struct tn_resource *after;  /* As wanted; null: delete. */
    const struct tn_resource *former; /* What 'last' had; may be null.  Its
                                         origin is that of the last commit. */
    struct tn_digest expect;          /* Of 'before'. */
    struct tn_digest target;          /* Of 'after'. */
    struct tn_origin origin;          /* The line that asked for it: of 'after',
                                         else of 'former'; line 0: none. */
    const char *with; /* Key of the object that this one must be replaced
                         together with although it does not differ itself, or
                         that waits for its claim; null: none. */
};

/* A wanted object cannot be had because something that is left alone is in
 * its place or holds what it claims. */
struct tn_conflict {
    uint16_t rule;
    const struct tn_resource *want;
    const struct tn_resource *blocker;
    bool by_claim;    /* Else: by key. */
    size_t n_waiting; /* Changes of the same scope, on this device, that are
                         left undone because of it. */
};

/* Objects that are left as they are because their scope is held. */
struct tn_held {
    const char *scope;
    size_t n;
};

struct tn_counts {
    size_t add, change, replace, destroy;
    size_t drift; /* How many of these are for drift alone. */
};

void tn_counts_add(struct tn_counts *counts, enum tn_op op, bool drift);
/* A replacement in two halves counts with its second. */
void tn_counts_add_change(struct tn_counts *counts,
                          const struct tn_change *change);

struct tn_device_plan {
    const char *device, *driver;
    const struct tn_change *changes; /* In the order of execution. */
    const struct tn_step *steps;     /* The same, for tn_driver.stage. */
    size_t n_changes;                /* 0: converged. */
    struct tn_counts counts;         /* A replacement in two halves is one. */
    size_t n_unchanged;
    size_t n_ours; /* Objects of ours that the device holds now. */
    const struct tn_resource *const *foreign; /* By key. */
    size_t n_foreign;
    const struct tn_conflict *conflicts; /* By key. */
    size_t n_conflicts;
    const struct tn_held *held; /* By scope. */
    size_t n_held;
    enum tn_code code; /* Not TN_OK: the device could not be read; then */
    const char *error; /* this says why, and all counts are 0. */
};

/* What is known of one device.  All is borrowed and outlives the plan. */
struct tn_plan_input {
    const char *device, *driver;
    uint32_t caps; /* TN_CAP_*.  Without TN_CAP_OWNER an object is ours only if
                      'last' has its key. */
    const struct tn_state *last; /* Null: nothing is known. */
    const struct tn_state *want;
    const struct tn_state *have;
    const char *const *held; /* Sorted: names of tenants ("blue") or of scopes
                                ("blue/web") that must stay as they are. */
    size_t n_held;
};

/* Plans one device: linear in the states, n log n in the changes.  Fails only
 * with TN_EINTERNAL, when a state is not sorted or two wanted objects claim the
 * same.  '*out' is new in 'arena', and untouched on failure. */
enum tn_code tn_plan_device(struct tn_arena *arena,
                            const struct tn_plan_input *input,
                            const struct tn_device_plan **out,
                            struct tn_error *err) TN_MUST_USE;

/* The plan of a device that could not be rendered or observed. */
const struct tn_device_plan *
tn_plan_unreachable(struct tn_arena *arena, const char *device,
                    const char *driver,
                    const struct tn_error *why) TN_RETURNS_NONNULL;

/* The changes of 'from' of which 'keep' (one each) is true, in their order, as
 * a plan of its own: new in 'arena', pointing to what 'from' points to. Whoever
 * picks answers for what the changes left out would have prepared. */
const struct tn_device_plan *tn_plan_pick(struct tn_arena *arena,
                                          const struct tn_device_plan *from,
                                          const bool *keep) TN_RETURNS_NONNULL;

/* The scopes that the changes of a plan are in, sorted, each once: new in
 * 'arena', the texts borrowed. */
struct tn_scope tn_plan_scopes(struct tn_arena *arena,
                               const struct tn_device_plan *plan);

struct tn_plan {
    const char *commit; /* Hexadecimal; "" for a working tree. */
    const char *environment;
    const struct tn_device_plan *const *devices; /* By name. */
    size_t n_devices;
    struct tn_counts counts; /* Of all devices. */
    size_t n_unchanged, n_foreign, n_conflicts, n_held, n_unreachable;
    struct tn_digest digest; /* Of commit, environment and all changes: names
                                the plan. */
};

/* Joins plans of devices, given in any order, under one commit. */
const struct tn_plan *tn_plan_build(struct tn_arena *arena, const char *commit,
                                    const char *environment,
                                    const struct tn_device_plan *const *devices,
                                    size_t n_devices) TN_RETURNS_NONNULL;

/* Exit code of 'plan --detailed-exitcode': 0 nothing to do, 2 changes (or
 * conflicts) are pending, 3 drift is all there is; 7 if a device could not be
 * read. */
int tn_plan_exit_code(const struct tn_plan *plan);

/* "create", "update", "replace", "delete"; a half is "replace". */
const char *tn_change_action(const struct tn_change *change);
/* "intent", "drift", "both", "none". */
const char *tn_cause_name(enum tn_cause cause);
/* "none", "brief", "disruptive". */
const char *tn_impact_name(enum tn_impact impact);

/* Says in one sentence what is in the way of what, and what to do: new in
 * 'arena', control characters escaped. */
const char *tn_conflict_text(struct tn_arena *arena,
                             const struct tn_conflict *conflict);

#endif
