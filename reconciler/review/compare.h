/* compare.h - what one merge request changes, and nothing else.
 *
 * A plan of its head against the devices would also show what others merged
 * meanwhile (as if it were to be undone) and what is merged and not applied
 * yet.  So the commit where it branched off is compiled, too: a change belongs
 * to the merge request if its object is wanted otherwise than there.  The rest
 * is counted. */
#ifndef TN_REVIEW_COMPARE_H
#define TN_REVIEW_COMPARE_H

#include "reconciler/apply/reconcile.h"

/* What the plan of one device rests on. */
struct tn_basis {
    const char *device;
    int64_t seen;     /* Its snapshot last differed then; 0: there is none,
                         and it is taken to be as the base wants it. */
    const char *why;  /* There is none; null: there is. */
    size_t n_unknown; /* Secrets that could not be compared. */
};

struct tn_compare {
    const struct tn_plan *plan; /* Only what belongs to the merge request. */
    const struct tn_basis *bases;
    size_t n_bases;
    struct tn_counts others; /* Pending all the same. */
};

/* 'head' has been observed, offline; its devices without a snapshot are planned
 * here.  'base' is open and not observed; null: everything is compared with
 * nothing, so that the plan is all there is to do.  '*out' lives in the arena
 * of 'head'. */
void tn_compare(struct tn_reconcile *head, const struct tn_reconcile *base,
                struct tn_compare *out);

#endif
