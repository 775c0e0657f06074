/* alerts.h - the life of alerts, as a machine without I/O or clock.
 *
 * A condition fires, is told to every sink, is told again at an interval
 * (keep-alive), is resolved, and that is told until each sink has acknowledged
 * it.  What is sent is the state, not a queue of events: a sink that was away
 * is told what is true now, and memory is bounded by the number of alerts.
 *
 * An alert is identified by the digest of its labels, which does not depend on
 * the process or the time; so a restarted daemon goes on with the alerts
 * that it finds in its state, see tn_alerts_load(). */
#ifndef TN_NOTIFY_ALERTS_H
#define TN_NOTIFY_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/digest.h"
#include "model/base/error.h"
#include "model/base/text.h"
#include "reconciler/notify/alert_table.h"

enum {
    TN_ALERTS_MAX = 10000,     /* Kept; beyond, TenetTooManyAlerts fires. */
    TN_ALERT_SINKS_MAX = 16,   /* Alertmanagers and webhooks together. */
    TN_ALERT_LABELS_MAX = 24,  /* Of one alert, ours included. */
    TN_ALERT_VALUE_MAX = 1024, /* Bytes of a value; longer ones are cut. */
    TN_ALERT_INTERVAL_MS = 60000,
};

/* The time twice: of day for what people read, monotonic for intervals, so
 * that a clock set forward or backward disturbs neither. */
struct tn_notify_now {
    int64_t wall_ms; /* Since 1970, UTC. */
    int64_t mono_ms; /* CLOCK_MONOTONIC. */
};

struct tn_notify_now tn_notify_clock(void);

struct tn_label {
    const char *name, *value;
};

/* What is the case.  Borrowed for the call.  Labels are identity: no counts,
 * times or free text; those are for annotations.  Label names are
 * [a-zA-Z_][a-zA-Z0-9_]*; others are dropped.  Empty and null values count as
 * absent.  Invalid UTF-8 becomes "?". */
struct tn_alert {
    enum tn_alert_name name;
    enum tn_alert_severity
        severity; /* A label too: resolve with the same one. */
    const char *device, *tenant, *vpc; /* Labels; null: not of one. */
    const struct tn_label *labels;     /* Further ones, in any order. */
    size_t n_labels;
    const char *description; /* Annotation: what exactly, in a sentence. */
    const struct tn_label *annotations; /* Further ones. */
    size_t n_annotations;
};

/* What a sink is: its name is stable over restarts and unique. */
struct tn_alert_sink {
    const char *id;  /* Letters, digits, '-'; at most 63. */
    bool keep_alive; /* Wants to hear of firing alerts at the interval. */
};

struct tn_alerts_options {
    const struct tn_alert_sink *sinks; /* Copied. */
    size_t n_sinks;                    /* At most TN_ALERT_SINKS_MAX. */
    const struct tn_label *labels;     /* Given to every alert; copied. */
    size_t n_labels;
    const char *runbooks; /* URL before "#anchor"; null: no runbook_url. */
    int64_t interval_ms;  /* Keep-alive; 0: TN_ALERT_INTERVAL_MS. */
    int64_t linger_ms;    /* An alert stays firing at least so long, so that
                           * what is healed in milliseconds is seen by an
                           * Alertmanager, too; 0: no longer than it is. */
    size_t max;           /* 0: TN_ALERTS_MAX. */
};

/* What to tell.  'labels' and 'annotations' are JSON objects.  Borrowed from
 * the alerts: valid until the next call that is not const. */
struct tn_alert_out {
    struct tn_digest fingerprint;
    const char *labels, *annotations;
    int64_t starts_ms; /* Time of day. */
    int64_t ends_ms;   /* Firing: when it ends by itself; else when it did. */
    bool resolved;
    uint32_t version; /* For tn_alerts_told(). */
};

struct tn_alerts_count {
    size_t firing;    /* Lingering and damped ones included. */
    size_t resolved;  /* Not forgotten yet. */
    size_t unsettled; /* From a former run, not confirmed yet. */
    uint64_t fired, resolutions, flaps, refused, expired; /* Totals. */
};

struct tn_alerts;

/* New, owned by the caller. */
struct tn_alerts *
tn_alerts_new(const struct tn_alerts_options *options) TN_RETURNS_NONNULL;
/* Accepts null. */
void tn_alerts_free(struct tn_alerts *alerts);

/* Says that 'alert' is the case.  True if that is news: it was not firing.
 * Saying it again is free and refreshes the annotations.  The third time that
 * an alert comes back within ten minutes of its end it is flapping: its
 * ends are believed only after it stayed quiet for 30 s, then a minute, up to
 * ten. */
bool tn_alert_fire(struct tn_alerts *alerts, const struct tn_alert *alert,
                   struct tn_notify_now now);

/* Says that it is no longer the case.  Annotations are not looked at. True if
 * it was firing. */
bool tn_alert_resolve(struct tn_alerts *alerts, const struct tn_alert *alert,
                      struct tn_notify_now now);

/* Resolves every firing alert whose labels contain all those of 'match' (name,
 * device, tenant, vpc, labels as far as given; severity only if not default;
 * 'any_name': whatever the name).  Returns how many. */
size_t tn_alerts_resolve_all(struct tn_alerts *alerts,
                             const struct tn_alert *match, bool any_name,
                             struct tn_notify_now now);

/* Says that all there is to say about 'device' (null: about anything) has been
 * said since the start: alerts of a former run that nobody fired again are
 * resolved.  Call it after the first complete look at a device.  Returns how
 * many. */
size_t tn_alerts_settle(struct tn_alerts *alerts, const char *device,
                        struct tn_notify_now now);

/* What sink number 'sink' should be told now: at most 'max', oldest first.
 * Call tn_alerts_tick() before. */
size_t tn_alerts_due(struct tn_alerts *alerts, size_t sink,
                     struct tn_notify_now now, struct tn_alert_out *out,
                     size_t max);

/* The sink has acknowledged 'out'. */
void tn_alerts_told(struct tn_alerts *alerts, size_t sink,
                    const struct tn_digest *fingerprint, uint32_t version,
                    struct tn_notify_now now);

/* The sink did not take the alert: others go first until 'not_before'
 * (monotonic), unless the alert changes. */
void tn_alerts_postpone(struct tn_alerts *alerts, size_t sink,
                        const struct tn_digest *fingerprint,
                        int64_t not_before);

/* Monotonic time when tn_alerts_due() may next have something for 'sink', if
 * nothing happens before; INT64_MAX: never.  Cheap. */
int64_t tn_alerts_next(const struct tn_alerts *alerts, size_t sink);

/* Lets time pass for the alerts: what lingered ends, what ended and was told is
 * forgotten.  Returns the monotonic time when there is more of that. */
int64_t tn_alerts_tick(struct tn_alerts *alerts, struct tn_notify_now now);
/* The same time without doing anything. */
int64_t tn_alerts_wake(const struct tn_alerts *alerts);

/* Alerts that 'sink' has yet to acknowledge in their present state. */
size_t tn_alerts_pending(const struct tn_alerts *alerts, size_t sink);

struct tn_alerts_count tn_alerts_count(const struct tn_alerts *alerts);

/* Something has changed that must survive the process.  Stays true until
 * tn_alerts_saved(). */
bool tn_alerts_dirty(const struct tn_alerts *alerts);
/* More than that: an alert began or ended, and nobody should be told before it
 * is saved. */
bool tn_alerts_has_news(const struct tn_alerts *alerts);
void tn_alerts_saved(struct tn_alerts *alerts);

/* The state as text: versioned, with a digest of its own, equal for equal
 * states. */
void tn_alerts_dump(const struct tn_alerts *alerts, struct tn_text *out);

/* Takes up what tn_alerts_dump() wrote, into fresh 'alerts'.  Firing alerts
 * stay firing and are unsettled.  TN_EINTENT, and nothing is taken up, if the
 * text is damaged or of a newer version. */
enum tn_code tn_alerts_load(struct tn_alerts *alerts, const char *bytes,
                            size_t n, struct tn_notify_now now,
                            struct tn_error *err) TN_MUST_USE;

#endif
