/* intent.h - a commit that was read, believed and compiled: what the devices
 * are to follow.
 *
 * Immutable, shared by all workers; the last to let go frees it. */
#ifndef TN_DAEMON_INTENT_H
#define TN_DAEMON_INTENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "model/base/time.h"
#include "reconciler/apply/reconcile.h"

struct tn_before;

struct tn_intent {
    atomic_uint refs;
    struct tn_reconcile *run; /* Opened; never observed. */
    int64_t seen_ms;          /* Monotonic: when the commit was first seen. */
    atomic_bool back; /* Its successor was taken back: no budget stands in the
                         way of following it again. */
    double fetch_s, verify_s, compile_s; /* What it took until here. */
    pthread_mutex_t mutex;
    struct tn_before *pasts; /* That are in use; guarded by 'mutex'. */
};

/* Takes 'run' over.  One reference belongs to the caller. */
struct tn_intent *tn_intent_new(struct tn_reconcile *run,
                                int64_t seen_ms) TN_RETURNS_NONNULL;
struct tn_intent *tn_intent_ref(struct tn_intent *intent) TN_RETURNS_NONNULL;
/* Accepts null. */
void tn_intent_unref(struct tn_intent *intent);

/* What an earlier commit wanted, compiled once for all who ask while one of
 * them has it, and freed by the last.  It keeps 'intent' alive.  A reference;
 * null: it cannot be had any more. */
struct tn_before *tn_intent_before(struct tn_intent *intent,
                                   const char *commit);
const struct tn_network *
tn_before_network(const struct tn_before *past) TN_RETURNS_NONNULL;
/* Accepts null. */
void tn_before_unref(struct tn_before *past);

#endif
