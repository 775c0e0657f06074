/* reconcile.h - from a commit to a plan over all devices, and on to an apply.
 *
 *     open      source, status ref, compile           reads Git
 *     observe   render, observe, plan per device      reads devices
 *     apply     journal, commit, verify, roll back    writes devices
 *     record    status ref                            writes Git
 *
 * 'struct tn_reconcile' is one run through these stages.  Its members are for
 * reading; each stage says which it sets.  Devices are worked on in parallel
 * and know nothing of each other: one that fails or hangs changes nothing for
 * the rest but the end of the run. */
#ifndef TN_APPLY_RECONCILE_H
#define TN_APPLY_RECONCILE_H

#include "drivers/driver.h"
#include "reconciler/apply/keep.h"
#include "reconciler/plan/budget.h"
#include "reconciler/plan/plan.h"
#include "reconciler/plan/saved.h"
#include "reconciler/source/source.h"
#include "reconciler/status/journal.h"
#include "reconciler/status/status.h"

struct tn_reconcile_options {
    const char *repo;        /* A directory inside the intent repository. */
    const char *rev;         /* Null: HEAD. */
    bool worktree;           /* Read files as they are, not a commit. */
    const char *environment; /* Null: as tn_compile_options. */
    const char *cache_dir;   /* Null: no cache. */
    unsigned threads;        /* 0: as many as there are processors. */
    const char *host;        /* Only this host's device; null: all. */
    bool verdict_only;       /* As tn_compile_options: validate, no devices. */
    bool destroy;            /* Nothing is wanted: plan the removal of all that
                                bears our mark. */
    struct tn_status_memo *memo; /* For who opens again and again; the status
                                    has no VPCs then.  Null: none. */
    const struct tn_keep *keep;  /* Null: tenants with errors are held.  Read
                                    by open only. */
    bool offline;                /* Snapshots on the status ref in place of the
                                    devices: plans only. */
};

/* How the apply of a device ended. */
enum tn_device_end {
    TN_DEVICE_UNTOUCHED,   /* Nothing to do. */
    TN_DEVICE_VERIFIED,    /* Applied, observed again, as wanted. */
    TN_DEVICE_ROLLED_BACK, /* Failed; is what it was before, verified. */
    TN_DEVICE_BROKEN,      /* Failed, and so did undoing it. */
    TN_DEVICE_UNREACHED,   /* Could not be read: not touched. */
};

struct tn_device_run {
    const struct tn_device *device;
    const struct tn_driver *driver;
    struct tn_arena *arena;
    struct tn_session *session;
    const struct tn_state *last; /* Null: not known. */
    const struct tn_state *want, *have;
    int64_t seen;            /* Offline: when the snapshot last differed. */
    size_t n_unknown;        /* Offline: secrets that could not be compared. */
    const char *const *held; /* Tenants and scopes left alone here. */
    size_t n_held;
    const struct tn_device_plan *plan;
    struct tn_diags diags; /* What the driver cannot express. */

    /* Set by apply. */
    enum tn_device_end end;
    const enum tn_outcome *outcomes; /* One per change of the plan; null: none
                                        was tried. */
    size_t n_done;                   /* Steps that the backend took. */
    int64_t committed_ns;      /* When it had, before they were verified. */
    size_t n_waiting;          /* Steps that wait for something not ours; */
    struct tn_error waits_for; /* for what the first one does. */
    size_t n_differ; /* Objects of touched scopes, beside the plan, that are not
                        as wanted afterwards. */
    const struct tn_state *after; /* What it holds after the apply; null: not
                                     looked at again. */
    struct tn_error failure;      /* Of apply or verification. */
    struct tn_error undo_failure; /* Of a rollback that failed. */
};

/* The network of a commit that some device was brought to. */
struct tn_applied_network {
    const char *commit;
    const struct tn_network *network; /* Null: cannot be had any more. */
};

struct tn_reconcile {
    struct tn_reconcile_options options;
    struct tn_arena *arena;
    struct tn_diags diags; /* All findings, sorted. */

    /* Set by open. */
    struct tn_source *source; /* What was compiled: with the last good folders
                                 of tenants that are kept. */
    struct tn_commit commit;  /* id is empty for a working tree. */
    const char *root;         /* Of the repository. */
    const char *status_ref;
    const char *status_read; /* The ref that was read: in a clone that of its
                                origin; null: none. */
    const struct tn_status *status;
    const struct tn_network *network;
    struct tn_compile_stats stats;
    const struct tn_kept *kept; /* Tenants with errors, by name, and what is */
    size_t n_kept;              /* in force in their place: also if all are
                                   held.  In the network, one that is in force
                                   is like any other. */

    /* Set by observe. */
    struct tn_device_run *devices; /* By name. */
    size_t n_devices;
    const struct tn_applied_network *pasts; /* Other commits than this one. */
    size_t n_pasts;
    const struct tn_plan *plan;
    bool selected; /* The plan is a saved one, not all there is to do. */
};

/* Reads and compiles.  '*out' is new and set also on failure, for its findings:
 * the caller frees in either case. */
enum tn_code tn_reconcile_open(const struct tn_reconcile_options *options,
                               struct tn_reconcile **out,
                               struct tn_error *err) TN_MUST_USE;

/* The name of the status ref as tenet.yml of a commit says it (null 'rev':
 * HEAD), without compiling: new in 'arena'. */
enum tn_code tn_reconcile_status_ref(const char *repo, const char *rev,
                                     struct tn_arena *arena, const char **out,
                                     struct tn_error *err) TN_MUST_USE;

/* The same for the instance's name (metadata.name of tenet.yml): the folder of
 * its state below the state directory.  TN_EINTENT if it cannot be read. */
enum tn_code tn_reconcile_instance(const char *repo, const char *rev,
                                   struct tn_arena *arena, const char **out,
                                   struct tn_error *err) TN_MUST_USE;

/* Renders and observes all devices and plans each.  A device that cannot be
 * read is part of the plan as unreachable; it is no failure of this call. */
enum tn_code tn_reconcile_observe(struct tn_reconcile *run,
                                  struct tn_error *err) TN_MUST_USE;

/* Restricts the plan to what a saved plan names, or says why that cannot be
 * done: TN_ESTALE, with one finding per change in 'result'. */
enum tn_code tn_reconcile_select(struct tn_reconcile *run,
                                 const struct tn_saved *saved,
                                 struct tn_saved_result *result,
                                 struct tn_error *err) TN_MUST_USE;

/* Carries the plan out; 'lock' is held since before observe.  Everything
 * intended is in the journal before the first device is touched.  A device that
 * refuses a step, or does not hold what it should afterwards, is put back to
 * what it was.  TN_OK if every device is verified or had nothing to do;
 * TN_EUNAVAILABLE if only unreachable ones are missing; TN_ESTALE if only
 * foreign changes came in between; else the class of the first failure. Details
 * are in each device's run. */
enum tn_code tn_reconcile_apply(struct tn_reconcile *run,
                                struct tn_state_lock *lock,
                                struct tn_error *err) TN_MUST_USE;

/* The same stages for one device, for those who work on it alone: each is
 * called by one thread at a time per device run, and only reads 'run'. */

/* What the commit 'id' wanted, compiled again: new in 'arena'; null if it
 * cannot be had any more. */
const struct tn_network *tn_reconcile_past(const struct tn_reconcile *run,
                                           const char *id,
                                           struct tn_arena *arena);

/* The device of that name, null if there is none. */
const struct tn_device *tn_network_device(const struct tn_network *network,
                                          const char *name);

/* Sets want, last and held; device, driver, arena and diags are set.  'last' is
 * the device in the network that was applied last, or null. */
enum tn_code tn_device_render(const struct tn_reconcile *run,
                              struct tn_device_run *d,
                              const struct tn_device *last,
                              struct tn_error *err) TN_MUST_USE;

/* Sets plan, from last, want, have and held. */
enum tn_code tn_device_plan(struct tn_device_run *d,
                            struct tn_error *err) TN_MUST_USE;

/* Carries out the plans of these devices as tn_reconcile_apply does. */
struct tn_apply_job {
    struct tn_device_run *devices;
    size_t n;
    const char *commit, *environment;
    bool whole; /* The plans are all there is to do. */
};
enum tn_code tn_apply_devices(const struct tn_apply_job *job,
                              struct tn_state_lock *lock,
                              struct tn_error *err) TN_MUST_USE;

/* What there is to tell about a device; see tn_device_report(). */
struct tn_device_report {
    const struct tn_device *device;
    enum tn_device_end end;
    bool fine;
    const char *reason; /* One word. */
    const char *why;    /* Null: it is as the commit says. */
    const char *drift;  /* What others changed and is not undone; null. */
    bool keep;          /* It was left as it was: not at this commit. */
    size_t n_resources, n_foreign;
    struct tn_counts counts;
    const char *const *changed; /* Scopes that the plan touched. */
    size_t n_changed;
};

/* Copies what there is to tell to 'arena'. */
void tn_device_report(const struct tn_device_run *d, struct tn_arena *arena,
                      struct tn_device_report *out);

/* What the device holds now, as files of the status ref: new in 'arena'.
 * 'commit' null: nothing was ever applied; 'key' null: secrets are left out. */
void tn_device_snapshot(const struct tn_device_run *d, const char *commit,
                        const struct tn_digest *key, struct tn_arena *arena,
                        struct tn_status_folder *out);

/* The update of the status ref that tells it: new in 'arena', pointing into
 * 'run' and 'reports'.  'status' is the ref as it is now. */
struct tn_record {
    const struct tn_reconcile *run;
    const struct tn_status *status;
    const struct tn_device_report *reports;
    size_t n_reports;
    struct tn_arena *arena;
};
void tn_record_update(const struct tn_record *record,
                      struct tn_status_update *out);

/* Writes the outcome to the status ref: nothing for a working tree. */
enum tn_code tn_reconcile_record(struct tn_reconcile *run,
                                 struct tn_status_result *result,
                                 struct tn_error *err) TN_MUST_USE;

void tn_reconcile_free(struct tn_reconcile *run); /* Accepts null. */

/* "verified", "rolled back", ... */
const char *tn_device_end_name(enum tn_device_end end);

#endif
