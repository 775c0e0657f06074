/* daemon.h - 'tenet run': the one event loop.
 *
 *     Git thread (upstream.h) --intent--> loop --follow--> workers (unit.h)
 *     workers --reports--> loop --> tell.h (alerts, metrics, log)
 *                               --> Git thread (status)
 *     HTTP (/metrics, /healthz, /readyz, webhook), control socket, signals,
 *     watchdog: in the loop itself, which therefore never waits for anything
 *     but all of them. */
#ifndef TN_DAEMON_DAEMON_H
#define TN_DAEMON_DAEMON_H

#include "model/base/error.h"
#include "model/kinds/kinds.h"

struct tn_daemon_options {
    const char *config_path; /* Read again at SIGHUP; null: 'repo' in place. */
    const char *repo;        /* Absolute; without a configuration file. */
    const char *state_dir;   /* Made if missing. */
    const char *cache_dir;   /* Null: none. */
    unsigned threads;
    const char *version;
    bool json_log, debug;
};

/* Runs until SIGTERM or SIGINT: TN_OK is a clean stop.  TN_EINTENT: the
 * configuration cannot be used, and it was said why on stderr. */
enum tn_code tn_daemon_run(const struct tn_daemon_options *options,
                           struct tn_error *err) TN_MUST_USE;

#endif
