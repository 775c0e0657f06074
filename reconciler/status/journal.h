/* journal.h - what an apply is about to do, on disk before any device sees it.
 *
 *     lock -> begin -> intend* -> go -> (steps | device)* -> end -> unlock
 *
 * One file per run, <state>/journal/<run>.jsonl, of lines that each carry their
 * number and a checksum: a header, the intended steps, "go", and outcomes.
 * tn_journal_go returns when all of that is on the disk (if the run is 'late':
 * with the kernel); only then may a device be touched.  After kill -9 or power
 * loss the next run finds a run without an end, reads what was intended and
 * what is known to be done, makes it good, and closes it with
 * tn_journal_finish.  A line that was torn by the crash is recognised and
 * dropped, with all that follows it.
 *
 * The journal names steps, it does not hold their content: Git has the intent
 * and the device has reality.
 *
 * Errors: TN_EUNAVAILABLE another tenet holds the lock; TN_EDENIED no
 * permission, or read-only; TN_EINTERNAL disk full and other failures. */
#ifndef TN_STATUS_JOURNAL_H
#define TN_STATUS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

enum { TN_RUN_ID = 32 }; /* Longest run id with its NUL. */

/* Journals of finished runs that are kept. */
enum { TN_JOURNAL_KEEP = 20 };

/* The state directory, held exclusively (flock on <state>/lock): two applies of
 * one instance exclude each other. */
struct tn_state_lock;

/* Creates 'dir' (mode 0700, parents too) and locks it, waiting up to 'wait_ms'
 * milliseconds.  TN_EUNAVAILABLE "another tenet (pid N) is applying".  '*out'
 * is new; a process that dies lets go of it. */
enum tn_code tn_state_lock(const char *dir, unsigned wait_ms,
                           struct tn_state_lock **out,
                           struct tn_error *err) TN_MUST_USE;
/* Accepts null. */
void tn_state_unlock(struct tn_state_lock *lock);

struct tn_journal;

/* The header of a run. */
struct tn_journal_run {
    char id[TN_RUN_ID]; /* Set by tn_journal_begin. */
    int64_t time;       /* Seconds since 1970 UTC; 0: the clock. */
    const char *commit; /* Empty: a working tree. */
    const char *environment;
    bool late; /* For tn_journal_begin: on the disk when the run is over, not
                  before.  For runs that undo drift and nothing else: of those
                  nothing need be known after a power failure, for whoever
                  looks at the device anew finds the same to do. */
};

struct tn_journal_step {
    const char *op;  /* "create", "update", "replace", "delete" */
    const char *key; /* Of the resource. */
};

enum tn_journal_outcome {
    TN_JOURNAL_PENDING,
    TN_JOURNAL_DONE,
    TN_JOURNAL_FAILED,
};

/* What became of a device. */
enum tn_journal_device_state {
    TN_JOURNAL_INTENDED,    /* Nothing more is known. */
    TN_JOURNAL_STARTED,     /* Some step was reported. */
    TN_JOURNAL_VERIFIED,    /* Re-observed and as wanted. */
    TN_JOURNAL_ROLLED_BACK, /* Undone, and that was verified. */
    TN_JOURNAL_BROKEN,      /* Neither; the message says what is where. */
};

/* Starts a journal and sets run->id.  'lock' outlives it.  '*out' is new. */
enum tn_code tn_journal_begin(struct tn_state_lock *lock,
                              struct tn_journal_run *run,
                              struct tn_journal **out,
                              struct tn_error *err) TN_MUST_USE;

/* Adds the steps of a device, in order; once per device. */
enum tn_code tn_journal_intend(struct tn_journal *journal, const char *device,
                               const struct tn_journal_step *steps, size_t n,
                               struct tn_error *err) TN_MUST_USE;

/* Everything intended is on the disk when this returns TN_OK, or, of a late
 * run, survives kill -9; and there is room reserved for the outcomes, where the
 * file system can do that. */
enum tn_code tn_journal_go(struct tn_journal *journal,
                           struct tn_error *err) TN_MUST_USE;

/* The outcomes of steps first .. first+n-1 of a device, as tn_journal_intend
 * was given them.  This and tn_journal_device may be called by several threads
 * at once; the line survives kill -9 but may be lost to a power failure. */
enum tn_code tn_journal_steps(struct tn_journal *journal, const char *device,
                              size_t first,
                              const enum tn_journal_outcome *outcomes, size_t n,
                              struct tn_error *err) TN_MUST_USE;

/* A device is finished; on the disk when it returns, unless the run is late.
 * 'message' may be null. */
enum tn_code tn_journal_device(struct tn_journal *journal, const char *device,
                               enum tn_journal_device_state state,
                               const char *message,
                               struct tn_error *err) TN_MUST_USE;

/* The run is over ('outcome': one word, "applied", "partial", "aborted"); on
 * the disk when it returns.  Prunes old journals.  The caller still frees. */
enum tn_code tn_journal_end(struct tn_journal *journal, const char *outcome,
                            struct tn_error *err) TN_MUST_USE;

/* Closes the file.  Without an end the run stays unfinished, but a run that
 * never went is forgotten.  Accepts null. */
void tn_journal_free(struct tn_journal *journal);

/* A run as read back. */
struct tn_journal_past_step {
    const char *op, *key;
    enum tn_journal_outcome outcome;
};

struct tn_journal_past_device {
    const char *name;
    enum tn_journal_device_state state;
    const char *message; /* Null if none. */
    const struct tn_journal_past_step *steps;
    size_t n_steps;
};

struct tn_journal_past {
    struct tn_journal_run run;
    const char *path;
    bool went; /* "go" was written: devices may have been touched.  False
                  for certain means that none was, unless 'damaged' or late
                  and followed by a power failure. */
    bool ended;
    bool torn;    /* The last line was incomplete and was dropped. */
    bool damaged; /* A line is bad that no crash has torn, or makes no sense.
                     Trust the device only: observe all of them. */
    const char *outcome; /* Of the end line; null if there is none. */
    const struct tn_journal_past_device *devices; /* As intended, in order. */
    size_t n_devices;
};

/* Reads one journal's bytes.  Never fails: what cannot be understood is
 * 'torn' or 'damaged'.  '*out' and its strings are new in 'arena'. */
void tn_journal_read(struct tn_arena *arena, const char *path,
                     const char *bytes, size_t n, struct tn_journal_past *out);

/* The runs that have no end, oldest first: new in 'arena'. */
enum tn_code tn_journal_unfinished(struct tn_state_lock *lock,
                                   struct tn_arena *arena,
                                   const struct tn_journal_past **out,
                                   size_t *n, struct tn_error *err) TN_MUST_USE;

/* Marks a run of tn_journal_unfinished as closed: the torn tail is cut and an
 * end line with 'outcome' added.  A damaged file is renamed to
 * <run>.jsonl.damaged instead, and one that never went is removed. */
enum tn_code tn_journal_finish(struct tn_state_lock *lock,
                               const struct tn_journal_past *past,
                               const char *outcome,
                               struct tn_error *err) TN_MUST_USE;

/* Finished runs, newest first, at most 'max': for 'tenet status'. */
enum tn_code tn_journal_history(const char *dir, size_t max,
                                struct tn_arena *arena,
                                const struct tn_journal_past **out, size_t *n,
                                struct tn_error *err) TN_MUST_USE;

#endif
