/* tell.h - from what happened to what people are told.
 *
 * Reports of devices and events of Git come in; alerts, commit statuses,
 * metrics and log lines go out.  All rules of "what is worth an alert, and when
 * is it over" are here. */
#ifndef TN_DAEMON_TELL_H
#define TN_DAEMON_TELL_H

#include "reconciler/daemon/unit.h"
#include "reconciler/daemon/upstream.h"
#include "reconciler/metrics/metrics.h"

struct tn_tell;

struct tn_tell_options {
    const struct tn_daemon *config;
    const char *state_dir;
    struct tn_metrics *metrics;
    struct tn_log *log;
};

enum tn_code tn_tell_open(const struct tn_tell_options *options,
                          struct tn_tell **out,
                          struct tn_error *err) TN_MUST_USE;
/* Says what is still to be said for at most so long.  Accepts null. */
void tn_tell_close(struct tn_tell *tell, int64_t deadline_ms);

/* 'news': it is not what the report before said. */
void tn_tell_report(struct tn_tell *tell, const struct tn_unit_report *report,
                    bool news);
void tn_tell_upstream(struct tn_tell *tell,
                      const struct tn_upstream_event *event);

/* What became of an intent: seconds are those of the device that took longest.
 */
struct tn_spent {
    size_t n_looks, n_unlooked; /* Looks; devices that needed none. */
    double render, observe, plan, apply, verify;
};
/* The intent is on all devices, verified (or not: 'failed' says how many). */
void tn_tell_commit(struct tn_tell *tell, const struct tn_intent *intent,
                    const struct tn_spent *spent, size_t n_failed);
/* A commit was judged by its probes: it stays, or is taken back. */
void tn_tell_probes(struct tn_tell *tell, const struct tn_intent *intent,
                    const char *text, bool stays);
/* The device left the intent. */
void tn_tell_gone(struct tn_tell *tell, const char *device);

/* As the functions of notify/sink.h. */
int tn_tell_fd(const struct tn_tell *tell);
int tn_tell_timeout(const struct tn_tell *tell);
void tn_tell_run(struct tn_tell *tell);

#endif
