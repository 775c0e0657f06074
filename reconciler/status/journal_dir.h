/* journal_dir.h - what the files of journal*.c share. */
#ifndef TN_STATUS_JOURNAL_DIR_H
#define TN_STATUS_JOURNAL_DIR_H

#include "reconciler/status/journal.h"

/* Removes finished journals but the youngest TN_JOURNAL_KEEP; never 'current'.
 * Failures are of no consequence. */
void tn_journal_prune(const struct tn_state_lock *lock, const char *current);

/* "verified", "rolled-back", ... */
const char *tn_journal_state_name(enum tn_journal_device_state state);

/* Bytes of whole lines at the start: where a torn tail is cut. */
size_t tn_journal_whole(const char *bytes, size_t n, const char *run,
                        unsigned long *n_lines);

#endif
