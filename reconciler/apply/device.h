/* device.h - one device through commit, verification and, if need be, back. */
#ifndef TN_APPLY_DEVICE_H
#define TN_APPLY_DEVICE_H

#include "reconciler/apply/reconcile.h"

/* Carries out d->plan.  Sets what apply sets in 'd', and one outcome per change
 * in 'outcomes'.  'whole': the plan is all there was to do, so that afterwards
 * everything in the scopes it touched should be as wanted.  The device must
 * have been observed. */
void tn_device_apply(struct tn_device_run *d, bool whole,
                     enum tn_outcome *outcomes);

/* Puts what d->plan touched back to what was observed before, and verifies
 * that. */
enum tn_code tn_device_undo(struct tn_device_run *d,
                            struct tn_error *err) TN_MUST_USE;

#endif
