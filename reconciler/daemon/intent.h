/* intent.h - a commit that was read, believed and compiled: what the devices
 * are to follow.
 *
 * Immutable, shared by all workers; the last to let go frees it. */
#ifndef TN_DAEMON_INTENT_H
#define TN_DAEMON_INTENT_H

#include <stdatomic.h>
#include <stdint.h>

#include "model/base/time.h"
#include "reconciler/apply/reconcile.h"

struct tn_intent {
    atomic_uint refs;
    struct tn_reconcile *run; /* Opened; never observed. */
    int64_t seen_ms;          /* Monotonic: when the commit was first seen. */
};

/* Takes 'run' over.  One reference belongs to the caller. */
struct tn_intent *tn_intent_new(struct tn_reconcile *run,
                                int64_t seen_ms) TN_RETURNS_NONNULL;
struct tn_intent *tn_intent_ref(struct tn_intent *intent) TN_RETURNS_NONNULL;
/* Accepts null. */
void tn_intent_unref(struct tn_intent *intent);

#endif
