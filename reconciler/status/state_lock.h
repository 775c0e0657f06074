/* state_lock.h - what the journal needs of the lock; callers include
 * journal.h. */
#ifndef TN_STATUS_STATE_LOCK_H
#define TN_STATUS_STATE_LOCK_H

#include "reconciler/status/journal.h"

/* Descriptor of <state>/journal, borrowed. */
int tn_state_journal_dir(const struct tn_state_lock *lock);
/* As given to tn_state_lock, borrowed. */
const char *tn_state_path(const struct tn_state_lock *lock);

/* A failed system call on the state directory becomes our error. */
enum tn_code tn_state_fail(struct tn_error *err, int sys,
                           const char *path) TN_MUST_USE;

#endif
