/* device.h - one device through commit, verification and, if need be, back. */
#ifndef TN_APPLY_DEVICE_H
#define TN_APPLY_DEVICE_H

#include "reconciler/apply/reconcile.h"

/* Carries out d->plan.  Sets 'end', 'n_done' and the failures of 'd', and one
 * outcome per change in 'outcomes'.  The device must have been observed. */
void tn_device_apply(struct tn_device_run *d, enum tn_outcome *outcomes);

#endif
