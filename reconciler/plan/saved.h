/* saved.h - a plan in a file: reviewed now, applied later, by compare-and-swap.
 *
 * A saved plan is small JSON: the commit, and for each change what it expects
 * to find and what it will leave behind, as digests.  It holds no order and no
 * native data: applying it compiles the same commit again, renders and observes
 * again, and lets tn_saved_check() judge each change.
 *
 *     saved.h file -> tn_saved_read -> tn_saved_check(fresh want and have)
 *                  -> no refusal: tn_plan_device -> tn_saved_select -> apply
 *
 * The file is hostile input: sizes and counts are bounded, every field is
 * checked, and the digest at its head must be that of its content.  (The digest
 * finds damage, not forgery: whoever may write the file may also run apply.) */
#ifndef TN_RECONCILER_PLAN_SAVED_H
#define TN_RECONCILER_PLAN_SAVED_H

#include "reconciler/plan/plan.h"

enum {
    TN_SAVED_BYTES = 128 * 1024 * 1024, /* Largest file that is read. */
    TN_SAVED_CHANGES = 1000000,         /* Most changes in it. */
    TN_SAVED_TEXT = 4096,               /* Longest string in it. */
    TN_SAVED_ATTRS = 256,               /* Most attributes of one change. */
};

/* What an attribute was when the plan was made, to say what moved since.
 * Secrets and values over TN_SAVED_TEXT / 4 bytes are not kept; the digests
 * cover them. */
struct tn_saved_attr {
    const char *name, *value;
};

struct tn_saved_change {
    const char *device, *key;
    enum tn_op op;
    struct tn_digest expect, target;    /* All zero: absent. */
    const struct tn_saved_attr *before; /* By name. */
    size_t n_before;
};

struct tn_saved {
    const char *version; /* Of the tenet that wrote it. */
    const char *commit, *environment;
    struct tn_digest digest;               /* tn_plan.digest */
    const struct tn_saved_change *changes; /* By device, then key. */
    size_t n_changes;
};

/* Writes 'plan' to 'path': a new file of mode 0600 beside it, fsync, rename. */
enum tn_code tn_saved_write(const struct tn_plan *plan, const char *version,
                            const char *path, struct tn_error *err) TN_MUST_USE;

/* Reads it back: new in 'arena'.  TN_ENOENT if there is no such file,
 * TN_EINTENT if it is not a saved plan of a version that we read. */
enum tn_code tn_saved_read(struct tn_arena *arena, const char *path,
                           const struct tn_saved **out,
                           struct tn_error *err) TN_MUST_USE;

/* The two above without the file.  'plan' outlives what is built from it. */
const struct tn_saved *tn_saved_build(struct tn_arena *arena,
                                      const struct tn_plan *plan,
                                      const char *version) TN_RETURNS_NONNULL;
void tn_saved_print(struct tn_text *out, const struct tn_saved *saved);
enum tn_code tn_saved_parse(struct tn_arena *arena, const char *bytes, size_t n,
                            const struct tn_saved **out,
                            struct tn_error *err) TN_MUST_USE;

enum tn_saved_verdict {
    TN_SAVED_PENDING,  /* As expected: to be applied. */
    TN_SAVED_DONE,     /* At its target already: skipped. */
    TN_SAVED_STALE,    /* The device is neither as expected nor at target. */
    TN_SAVED_RETARGET, /* The commit now compiles to something else. */
    TN_SAVED_UNKNOWN,  /* Its device is not there or could not be read. */
};

struct tn_saved_finding {
    const struct tn_saved_change *change;
    enum tn_saved_verdict verdict;
    const char *text; /* Null for pending and done; else what moved, with both
                         values, in one line. */
};

struct tn_saved_result {
    const struct tn_saved_finding *items; /* One per change, same order. */
    size_t n;
    size_t n_pending, n_done, n_refused;
};

/* Judges each change of 'saved' against fresh states: 'inputs' are sorted by
 * device.  TN_OK if all are pending or done; TN_ESTALE if a device moved or
 * the target is another; TN_EUNAVAILABLE if only devices were missing (no input
 * of that name, or one whose 'want' or 'have' is null).  '*out'
 * is set in every case and new in 'arena'. */
enum tn_code tn_saved_check(struct tn_arena *arena,
                            const struct tn_saved *saved,
                            const struct tn_plan_input *inputs, size_t n_inputs,
                            struct tn_saved_result *out,
                            struct tn_error *err) TN_MUST_USE;

/* The part of 'plan' (made anew) that 'saved' names: what was reviewed, and
 * nothing that came up since.  Order is kept. */
const struct tn_plan *tn_saved_select(struct tn_arena *arena,
                                      const struct tn_saved *saved,
                                      const struct tn_plan *plan);

#endif
