/* unit.h - one device and the worker that keeps it as intended.
 *
 *     follow (new intent, new modes) --\
 *     events of the device's watch -----+--> observe -> plan -> gates -> apply
 *     audit time, retry time -----------/         report <----------/
 *
 * A worker is a thread that waits for any of these.  It shares nothing that can
 * be written with other workers but the state lock (gate.h): a device that
 * hangs, fails or is gone delays nobody else.  What comes of each look is
 * posted as a report; the worker itself tells nobody. */
#ifndef TN_DAEMON_UNIT_H
#define TN_DAEMON_UNIT_H

#include "reconciler/apply/reconcile.h"
#include "reconciler/daemon/drift.h"
#include "reconciler/daemon/gate.h"
#include "reconciler/daemon/intent.h"
#include "reconciler/daemon/log.h"
#include "reconciler/daemon/mode.h"

enum tn_unit_outcome {
    TN_UNIT_UNCHANGED,   /* Looked; it is as intended. */
    TN_UNIT_APPLIED,     /* Something was done, and verified. */
    TN_UNIT_OBSERVED,    /* It differs, and its mode is to look only. */
    TN_UNIT_HELD,        /* It differs, and somebody holds it. */
    TN_UNIT_REFUSED,     /* What would be deleted is beyond the budget. */
    TN_UNIT_FAILED,      /* And could not be undone. */
    TN_UNIT_ROLLED_BACK, /* It failed, and was undone. */
    TN_UNIT_UNREACHABLE,
};

/* What came of one look at a device. */
struct tn_unit_report {
    struct tn_arena *arena; /* Of the report itself. */
    struct tn_intent *intent;
    enum tn_unit_outcome outcome;
    struct tn_device_report device; /* For the status ref. */
    bool full;                      /* All of the device was looked at. */
    bool settled;                   /* It holds the intent, verified, or says
                                       why it cannot. */
    bool fresh;                     /* What was applied included new intent. */
    bool breaker_open;     /* It failed so often that it is left alone. */
    enum tn_mode mode;     /* Of the device. */
    size_t n_changes;      /* Done. */
    struct tn_drift drift; /* Found; 'first' is null, see 'drift_text'. */
    const char *drift_text, *drift_scope; /* The worst of it; null: none. */
    bool drift_left;                      /* It is still there. */
    bool flapping;                        /* ... since it keeps coming back. */
    const char *event; /* What the device told; null: nobody did. */
    int64_t event_ns;  /* When it did; 0. */
    bool lost;         /* Events were lost: hence all was looked at. */
    bool large;        /* It took memory that is of no use until the next. */
    bool unlooked;     /* The intent says the same of it as before. */
    const char *strangers; /* Objects of others that were not there before;
                              null: there are none. */
    bool blocked_news; /* 'device' tells of a conflict that no report of this
                          commit told of before. */
    int64_t start_ns, rendered_ns, observed_ns, planned_ns, end_ns;
    int64_t committed_ns;    /* Before it was verified; 0: nothing was done. */
    int64_t budget_left;     /* Deletions; -1: not known. */
    const char *hold_reason; /* TN_UNIT_HELD, TN_UNIT_OBSERVED; may be null. */
    const struct tn_status_folder *snapshot; /* With 'full'; null: unchanged. */
    struct tn_arena *snapshot_arena;         /* Where it is; null. */
};

void tn_unit_report_free(struct tn_unit_report *report);

struct tn_unit_options {
    const char *device; /* Copied. */
    const char *cache_dir;
    struct tn_apply_gate *gate;
    struct tn_log *log;
    unsigned audit_ms;
    int64_t begin_ms; /* Monotonic: the first look is not before. */
    const struct tn_digest *snapshot_key; /* Null: secrets are left out. */
    /* Called by the worker; the report is the callee's. */
    void (*post)(void *ctx, struct tn_unit_report *report);
    void *ctx;
};

struct tn_unit;

/* Starts the worker.  'options' is copied, what it points to outlives it. */
enum tn_code tn_unit_new(const struct tn_unit_options *options,
                         struct tn_unit **out,
                         struct tn_error *err) TN_MUST_USE;
const char *tn_unit_name(const struct tn_unit *unit);

/* The following accept null, which does nothing and has ended. */

/* What is wanted from now on; takes references of its own.  A retry that waits
 * is superseded. */
void tn_unit_follow(struct tn_unit *unit, struct tn_intent *intent,
                    struct tn_modes *modes);
/* Look at all of it now. */
void tn_unit_audit(struct tn_unit *unit);

/* Asks the worker to end after what it does now. */
void tn_unit_stop(struct tn_unit *unit);
/* Waits for it until the monotonic 'deadline_ms' and frees.  False: it hangs in
 * a device, and is left to the end of the process. */
bool tn_unit_join(struct tn_unit *unit, int64_t deadline_ms);

/* "unchanged", "applied", ...: as in the metrics. */
const char *tn_unit_outcome_name(enum tn_unit_outcome outcome);

#endif
