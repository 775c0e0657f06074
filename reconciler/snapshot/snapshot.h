/* snapshot.h - what a device was seen to hold, as text files on the status ref.
 *
 *     snapshots/<device>/header.json           device, driver, commit, time
 *     snapshots/<device>/device.jsonl          resources of no VPC
 *     snapshots/<device>/<tenant>/<vpc>.jsonl  resources of one VPC
 *
 * A resource is a line, lines are sorted by key, and each VPC is a file: a
 * commit that touches one VPC changes one small file, and 'git log -p' reads
 * like a log of the device.  Commit and time of the header are no change of
 * their own (struct tn_status_file): they say when the snapshot last differed
 * from the one before.
 *
 * With a snapshot in place of the device 'tenet plan --offline' needs neither
 * access nor credentials.  What is kept is what a plan reads: all of ours with
 * attributes, foreign objects without, past TN_SNAPSHOT_FOREIGN of them only
 * those that stand where something wanted belongs, and counts by kind of the
 * rest.  Values of secret attributes are replaced by a fingerprint under the
 * instance's key.  The format is docs/snapshot.md. */
#ifndef TN_SNAPSHOT_SNAPSHOT_H
#define TN_SNAPSHOT_SNAPSHOT_H

#include "drivers/resource.h"
#include "model/source.h"
#include "reconciler/status/status.h"

/* Foreign objects of a device that are kept one by one. */
enum { TN_SNAPSHOT_FOREIGN = 1000 };

/* What is believed of a snapshot that somebody else may have written. */
enum {
    TN_SNAPSHOT_FILES = 200000,
    TN_SNAPSHOT_FILE_BYTES = 16 * 1024 * 1024,
    TN_SNAPSHOT_BYTES = 256 * 1024 * 1024,
    TN_SNAPSHOT_LINE_BYTES = 4 * 1024 * 1024,
    TN_SNAPSHOT_RANK = 65535,
};

/* Foreign objects of one kind that were counted and not kept. */
struct tn_snapshot_count {
    const char *kind;
    uint64_t n;
};

struct tn_snapshot_meta {
    const char *device, *driver;
    const char *commit; /* That was applied then, hexadecimal; null: never
                           one. */
    int64_t observed;   /* Seconds since 1970 UTC, when it was last seen to
                           differ. */
    const struct tn_snapshot_count *left_out; /* By kind. */
    size_t n_left_out;
};

struct tn_snapshot {
    struct tn_snapshot_meta meta;
    struct tn_state *state; /* As observed; 'native' is null, so it is for
                               planning and cannot be applied from. */
    size_t n_secrets;       /* Values that are fingerprints. */
};

/* Makes the files of a snapshot.  'state' is all that the device holds; 'want'
 * (may be null) says which foreign objects are in the way; 'key' is the
 * fingerprint key of the instance, null: secrets are left out altogether.
 * '*out' is new in 'arena' and borrows nothing.  Pure. */
void tn_snapshot_encode(struct tn_arena *arena, const struct tn_state *state,
                        const struct tn_state *want,
                        const struct tn_snapshot_meta *meta,
                        const struct tn_digest *key,
                        struct tn_status_folder *out);

/* The same of a part: 'state' is what the device holds in the scopes named, and
 * nothing else of the snapshot changes.  It must be one that leaves nothing
 * out. */
void tn_snapshot_encode_part(struct tn_arena *arena,
                             const struct tn_state *state,
                             const char *const *scopes, size_t n_scopes,
                             const struct tn_snapshot_meta *meta,
                             const struct tn_digest *key,
                             struct tn_status_folder *out);

/* Reads files as tn_snapshot_encode() made them, with paths below the folder,
 * in any order.  TN_EINTENT says file, line and what is wrong, in one sentence.
 * Pure; the bytes may be hostile.  '*out' is new in 'arena'. */
enum tn_code tn_snapshot_decode(struct tn_arena *arena,
                                const struct tn_status_file *files, size_t n,
                                struct tn_snapshot *out,
                                struct tn_error *err) TN_MUST_USE;

/* Reads the snapshot of a device from the tree of the status ref (see
 * tn_status_open in status/load.h, which gives the source).  TN_ENOENT: there
 * is none; TN_EINTENT: there is one that cannot be understood, or it is of
 * another device.  '*out' is new in 'arena'. */
enum tn_code tn_snapshot_load(struct tn_source *status, const char *device,
                              struct tn_arena *arena, struct tn_snapshot *out,
                              struct tn_error *err) TN_MUST_USE;

/* What became of the secrets of a snapshot. */
struct tn_snapshot_secrets {
    size_t n_equal;        /* As some known state has it. */
    size_t n_other;        /* Something else: a plan will show a change. */
    size_t n_not_compared; /* Without the key: taken to be as wanted. */
};

/* Puts values back in place of fingerprints, where 'want' or 'last' (may be
 * null) has an attribute of the same name and resource whose fingerprint under
 * 'key' is the same.  Without the key nobody can know: the value of 'want' is
 * taken and counted as not compared, which the caller must tell ("secret not
 * compared"). */
void tn_snapshot_reveal(struct tn_arena *arena, struct tn_snapshot *snapshot,
                        const struct tn_state *want,
                        const struct tn_state *last,
                        const struct tn_digest *key,
                        struct tn_snapshot_secrets *out);

/* What a device holds after an apply of which only some scopes were looked at
 * again: 'now' for the scopes named (sorted), 'before' for all others.  New in
 * 'arena', pointing into both. */
const struct tn_state *tn_snapshot_overlay(struct tn_arena *arena,
                                           const struct tn_state *before,
                                           const struct tn_state *now,
                                           const char *const *scopes,
                                           size_t n_scopes) TN_RETURNS_NONNULL;

/* "3 hours", "2 days": an age for people.  Returns 'buf'. */
enum { TN_SNAPSHOT_AGE = 32 };
const char *tn_snapshot_age(int64_t observed, int64_t now,
                            char buf[TN_SNAPSHOT_AGE]);

#endif
