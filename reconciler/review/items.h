/* items.h - what every form tells: findings of all sources in one list, and the
 * changes by tenant.
 *
 * Private to reconciler/review. */
#ifndef TN_REVIEW_ITEMS_H
#define TN_REVIEW_ITEMS_H

#include "reconciler/plan/show.h"
#include "reconciler/review/review.h"

struct tn_review_items {
    const struct tn_finding *items; /* What denies, warns, informs; what is
                                       waived last. */
    size_t n;
    size_t n_deny, n_warn, n_info, n_waived;
};

/* Findings of the verdict, of the documents (rule "intent"), conflicts (rule
 * "conflict") and devices that could not be read (rule "unreachable"; or
 * "device", which denies, if it refuses what is wanted): new in 'arena'. */
void tn_review_items(struct tn_arena *arena, const struct tn_review *review,
                     struct tn_review_items *out);

/* The device was not merely out of reach: what is wanted of it cannot be had,
 * and only a commit can change that. */
bool tn_review_refused(const struct tn_device_plan *device);

/* The changes of one tenant, by device and scope, in order of execution. */
struct tn_review_tenant {
    const char *name; /* "": of no tenant. */
    const struct tn_review_change {
        const char *device;
        const struct tn_shown *shown;
        size_t order;
    } * changes;
    size_t n;
    struct tn_counts counts;
};

/* By name: new in 'arena'. */
struct tn_review_tenant *tn_review_tenants(struct tn_arena *arena,
                                           const struct tn_plan *plan,
                                           size_t *n);

/* "3 to add, 1 to change, 2 to destroy"; what is 0 is left out. */
void tn_review_counts(struct tn_text *out, const struct tn_counts *counts);

#endif
