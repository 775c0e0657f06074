/* memo.h - allocations that were read before, by content.
 *
 * Most commits change the identifiers of one tenant or of none; the YAML of all
 * the others is not read again by a process that reads the ref often. */
#ifndef TN_STATUS_MEMO_H
#define TN_STATUS_MEMO_H

#include "model/source.h"
#include "reconciler/status/status.h"

/* True if the file was the same before: its pins, copied to 'arena'. */
bool tn_status_memo_get(struct tn_status_memo *memo, const char *path,
                        const struct tn_oid *id, struct tn_arena *arena,
                        const struct tn_pin **pins, size_t *n);
void tn_status_memo_put(struct tn_status_memo *memo, const char *path,
                        const struct tn_oid *id, const struct tn_pin *pins,
                        size_t n);
/* Forgets what nobody got or put since the last call. */
void tn_status_memo_sweep(struct tn_status_memo *memo);

#endif
