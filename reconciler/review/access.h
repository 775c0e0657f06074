/* access.h - the differential of reachability, as reviews tell it. */
#ifndef TN_REVIEW_ACCESS_H
#define TN_REVIEW_ACCESS_H

#include "model/reach/reach.h"
#include "reconciler/review/review.h"

/* What opens comes first, and of that first what crosses tenants.  '*out' is
 * new in 'arena'; paths are borrowed from 'diff'. */
void tn_review_access_of(struct tn_arena *arena,
                         const struct tn_reach_diff *diff,
                         const struct tn_review_access **out, size_t *n);

#endif
