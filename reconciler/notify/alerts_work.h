/* alerts_work.h - what the files of alerts*.c share. */
#ifndef TN_NOTIFY_ALERTS_WORK_H
#define TN_NOTIFY_ALERTS_WORK_H

#include "reconciler/notify/alerts.h"
#include "reconciler/notify/words.h"

enum tn_alert_state {
    TN_ALERT_FIRING,
    TN_ALERT_QUIET, /* Over, but firing for the sinks until 'quiet_until'. */
    TN_ALERT_RESOLVED,
};

/* What a sink has acknowledged. */
struct tn_alert_told {
    uint32_t version;   /* 0: nothing. */
    int64_t at;         /* Monotonic. */
    int64_t not_before; /* Not told again before; monotonic. */
};

/* Owned by the alerts; texts are malloc'ed. */
struct tn_alert_record {
    struct tn_digest fingerprint;
    char *labels, *annotations;
    enum tn_alert_state state;
    uint32_t version; /* Grows with each transition that sinks hear of. */
    uint32_t flaps;
    bool unsettled;
    int64_t starts_ms, ends_ms;                      /* Time of day. */
    int64_t fired, ended, quiet_until, told_changed; /* Monotonic. */
    struct tn_alert_told told[];
};

struct tn_alerts {
    struct tn_alert_record **items; /* By fingerprint. */
    size_t n, cap, max;
    int64_t interval, linger;
    int64_t next_due[TN_ALERT_SINKS_MAX], next_time, next_evict;
    struct tn_alert_sink sinks[TN_ALERT_SINKS_MAX]; /* In 'arena'. */
    size_t n_sinks;
    struct tn_label_set common; /* In 'arena'. */
    const char *runbooks;       /* In 'arena'. */
    struct tn_arena *arena, *scratch;
    struct tn_alerts_count count; /* Totals only. */
    bool dirty, news;
};

/* Digest of the labels' text. */
struct tn_digest tn_alert_fingerprint(const char *labels);

/* Where a fingerprint is or would be. */
size_t tn_alerts_place(const struct tn_alerts *alerts,
                       const struct tn_digest *fingerprint, bool *found);

/* Makes room at 'at' for a new, zeroed record; takes both texts. */
struct tn_alert_record *tn_alerts_insert(struct tn_alerts *alerts, size_t at,
                                         char *labels,
                                         char *annotations) TN_RETURNS_NONNULL;

/* The condition of a firing record is over. */
void tn_alerts_resolve_record(struct tn_alerts *alerts,
                              struct tn_alert_record *r,
                              struct tn_notify_now now);

/* Drops all records. */
void tn_alerts_forget(struct tn_alerts *alerts);

#endif
