/* gate.h - the state lock, shared by the workers of one daemon.
 *
 * 'tenet apply' by hand and the daemon exclude each other; the workers of the
 * daemon do not.  The first worker that applies takes the lock, the last one
 * that is done lets it go. */
#ifndef TN_DAEMON_GATE_H
#define TN_DAEMON_GATE_H

#include "reconciler/status/journal.h"

struct tn_apply_gate;

/* New, owned by the caller; 'dir' is copied. */
struct tn_apply_gate *tn_apply_gate_new(const char *dir) TN_RETURNS_NONNULL;
/* Accepts null; nobody is inside any more. */
void tn_apply_gate_free(struct tn_apply_gate *gate);

/* '*out' is the lock, borrowed until tn_apply_gate_leave().  Waits up to
 * 'wait_ms' for somebody outside. */
enum tn_code tn_apply_gate_enter(struct tn_apply_gate *gate, unsigned wait_ms,
                                 struct tn_state_lock **out,
                                 struct tn_error *err) TN_MUST_USE;
void tn_apply_gate_leave(struct tn_apply_gate *gate);

#endif
