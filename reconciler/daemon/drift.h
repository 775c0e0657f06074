/* drift.h - what others changed, and how bad it is.
 *
 * A difference that a plan finds with the cause "drift" was made outside Git.
 * Its class says how loudly to tell: rules that guard traffic first, then what
 * carries traffic, then what only looks different. */
#ifndef TN_DAEMON_DRIFT_H
#define TN_DAEMON_DRIFT_H

#include "reconciler/plan/plan.h"

enum tn_drift_class {
    TN_DRIFT_SECURITY, /* A guard is gone or other than intended. */
    TN_DRIFT_OUTAGE,   /* Something that carries traffic is. */
    TN_DRIFT_COSMETIC, /* Something of ours is there that is not wanted, or
                          only a label differs. */
    TN_DRIFT_CLASSES,
};

/* The class of a change whose cause is drift; 'guards' are the kinds of
 * resources that guard (driver.h), null: none. */
enum tn_drift_class tn_drift_class(const char *const *guards,
                                   const struct tn_change *change);

struct tn_drift {
    size_t n[TN_DRIFT_CLASSES];
    const struct tn_change *first; /* The worst one; null: there is none. */
};

/* Counts the drift of a plan. */
void tn_drift_count(const char *const *guards,
                    const struct tn_device_plan *plan, struct tn_drift *out);
size_t tn_drift_total(const struct tn_drift *drift);

/* "security", "outage", "cosmetic". */
const char *tn_drift_class_name(enum tn_drift_class class);

#endif
