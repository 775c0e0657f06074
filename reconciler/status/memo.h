/* memo.h - what was read of the status ref before, by content.
 *
 * Most commits change the identifiers and the entries of one tenant or of
 * none; the YAML of all the others is not read again by a process that reads
 * the ref often.  A folder is known by the id of its tree. */
#ifndef TN_STATUS_MEMO_H
#define TN_STATUS_MEMO_H

#include <stdatomic.h>

#include "model/source.h"
#include "reconciler/status/entry.h"
#include "reconciler/status/status.h"

/* Pins that several hold. */
struct tn_status_pins {
    atomic_uint refs;
    struct tn_arena *arena; /* Of this, too. */
    const struct tn_pin *pins;
    size_t n;
};

/* Of nobody but the caller.  'arena' goes with it. */
struct tn_status_pins *tn_status_pins_new(struct tn_arena *arena,
                                          const struct tn_pin *pins, size_t n);

/* All pins, if the folder is what it was: a reference; else null. */
struct tn_status_pins *tn_status_memo_pins(struct tn_status_memo *memo,
                                           const struct tn_oid *tree);
/* Keeps a reference. */
void tn_status_memo_pins_put(struct tn_status_memo *memo,
                             const struct tn_oid *tree,
                             struct tn_status_pins *pins);

/* True if the file was the same before: its pins, copied to 'arena'. */
bool tn_status_memo_get(struct tn_status_memo *memo, const char *path,
                        const struct tn_oid *id, struct tn_arena *arena,
                        const struct tn_pin **pins, size_t *n);
void tn_status_memo_put(struct tn_status_memo *memo, const char *path,
                        const struct tn_oid *id, const struct tn_pin *pins,
                        size_t n);

/* Entries of one form in a folder: borrowed until the next sweep. */
struct tn_status_memo_folder {
    const void *items; /* Of form->size each. */
    size_t n;
};

/* Null if it was another before, or none. */
const struct tn_status_memo_folder *
tn_status_memo_folder(struct tn_status_memo *memo, const char *path,
                      const struct tn_oid *tree);
/* 'items' are copied. */
const struct tn_status_memo_folder *
tn_status_memo_folder_put(struct tn_status_memo *memo, const char *path,
                          const struct tn_oid *tree,
                          const struct tn_entry_form *form,
                          const struct tn_status_memo_folder *items);

/* Makes what 'entry' points to new in 'arena'. */
void tn_status_entry_own(struct tn_arena *arena,
                         const struct tn_entry_form *form, void *entry);

/* Forgets files that nobody got or put since the last call, and folders
 * likewise if 'folders'. */
void tn_status_memo_sweep(struct tn_status_memo *memo, bool folders);

#endif
