/* table.h - every metric there is, in one table.
 *
 * A row is X(id, type, name, unit, labels, cap, buckets, help):
 *   id       the enumerator by which code names the metric;
 *   type     COUNTER, GAUGE, HISTOGRAM or INFO;
 *   name     as exposed, in Prometheus' conventions: base units, _total on
 *            counters, moments as _timestamp_seconds (0: never) and not ages;
 *   unit     "" or the unit, which is then part of the name;
 *   labels   separated by spaces, in the order in which code gives the values.
 *            A '*' marks a label whose values come from outside (names of
 *            devices): it becomes "other" when the cap is reached;
 *   cap      how many label sets the metric may have;
 *   buckets  of a histogram: upper bounds, see metrics.c;
 *   help     one sentence; it is also the text of docs/metrics.md.
 *
 * The documentation, the dashboard and the alert rules are checked against this
 * table by tests.  Renaming a metric breaks somebody's dashboard: do not. */
#ifndef TN_METRICS_TABLE_H
#define TN_METRICS_TABLE_H

/* Devices told apart by name; those beyond share the value "other". */
#define TN_METRIC_DEVICES 512
/* Devices with a second label. */
#define TN_METRIC_PAIRS 2048

/* clang-format off */
#define TN_METRIC_TABLE(X) \
  X(TN_M_BUILD, INFO, "tenet_build_info", "", "version revision", 1, NONE, \
    "Always 1; version and revision of the program as labels.") \
  X(TN_M_LOOP_TICK, GAUGE, "tenet_loop_last_tick_timestamp_seconds", \
    "seconds", "", 1, NONE, \
    "When the event loop last went round.") \
  X(TN_M_CONFIG_RELOADS, COUNTER, "tenet_config_reloads_total", "", \
    "outcome", 4, NONE, \
    "Reloads of the daemon's settings, by outcome (ok, failed).") \
  X(TN_M_CONFIG_OK, GAUGE, "tenet_config_last_reload_successful", "", "", 1, \
    NONE, \
    "1 if the settings in use are those on disk, 0 if the last reload failed.") \
  X(TN_M_STAGE_DURATION, HISTOGRAM, "tenet_stage_duration_seconds", \
    "seconds", "stage", 16, FAST, \
    "Time of one stage of the way from commit to device: fetch, verify, " \
    "compile, render, observe, plan, apply, check (of what was applied), " \
    "status.") \
  X(TN_M_SOURCE_FETCHES, COUNTER, "tenet_source_fetches_total", "", \
    "outcome", 8, NONE, \
    "Fetches of the intent repository, by outcome (changed, unchanged, " \
    "failed).") \
  X(TN_M_SOURCE_FETCHED, GAUGE, \
    "tenet_source_last_fetch_timestamp_seconds", "seconds", "", 1, NONE, \
    "When the intent repository was last fetched with success.") \
  X(TN_M_COMMITS_REFUSED, COUNTER, "tenet_source_commits_refused_total", "", \
    "reason", 16, NONE, \
    "Commits that were not taken as intent, by reason (unsigned, signer, " \
    "scope, rewritten, invalid, quarantined, denied).") \
  X(TN_M_INTENT_COMMITTED, GAUGE, "tenet_intent_commit_timestamp_seconds", \
    "seconds", "", 1, NONE, \
    "Committer's time of the commit that is the intent now.") \
  X(TN_M_INTENT_ACCEPTED, GAUGE, "tenet_intent_accepted_timestamp_seconds", \
    "seconds", "", 1, NONE, \
    "When the commit that is the intent now was accepted.") \
  X(TN_M_COMMIT_LATENCY, HISTOGRAM, "tenet_commit_to_applied_seconds", \
    "seconds", "", 1, SLOW, \
    "From the first sight of a commit to its being verified on the last " \
    "device that it concerns.") \
  X(TN_M_DEVICES, GAUGE, "tenet_devices", "", "mode", 8, NONE, \
    "Devices of the intent, by mode (observe, heal, hold).") \
  X(TN_M_DEVICE_READY, GAUGE, "tenet_device_ready", "", "device*", \
    TN_METRIC_DEVICES, NONE, \
    "1 if the device was verified to hold the intent, else 0.") \
  X(TN_M_DEVICE_VERIFIED, GAUGE, \
    "tenet_device_last_verified_timestamp_seconds", "seconds", "device*", \
    TN_METRIC_DEVICES, NONE, \
    "When the device was last verified to hold the intent.") \
  X(TN_M_DEVICE_BREAKER, GAUGE, "tenet_device_circuit_open", "", "device*", \
    TN_METRIC_DEVICES, NONE, \
    "1 while the device is left alone because it kept failing, else 0.") \
  X(TN_M_RECONCILES, COUNTER, "tenet_reconcile_total", "", \
    "device* outcome", TN_METRIC_PAIRS, NONE, \
    "Reconciliations of a device, by outcome (unchanged, applied, observed, " \
    "held, refused, failed, rolled-back, unreachable).") \
  X(TN_M_RECONCILE_DURATION, HISTOGRAM, "tenet_reconcile_duration_seconds", \
    "seconds", "device*", TN_METRIC_DEVICES, FAST, \
    "Time of one reconciliation of a device, waiting in the queue not " \
    "included.") \
  X(TN_M_CHANGES, COUNTER, "tenet_changes_applied_total", "", \
    "driver action", 64, NONE, \
    "Changes made to devices and verified, by driver and action.") \
  X(TN_M_QUEUE_LENGTH, GAUGE, "tenet_queue_length", "", "", 1, NONE, \
    "Devices that wait to be reconciled now.") \
  X(TN_M_QUEUE_OLDEST, GAUGE, "tenet_queue_oldest_timestamp_seconds", \
    "seconds", "", 1, NONE, \
    "Since when the device at the head of the queue waits; 0 if none does.") \
  X(TN_M_BUDGET_LEFT, GAUGE, "tenet_delete_budget_remaining", "", "device*", \
    TN_METRIC_DEVICES, NONE, \
    "Deletions that the budget still allows on the device with the last " \
    "plan.") \
  X(TN_M_DRIVER_OPERATIONS, COUNTER, "tenet_driver_operations_total", "", \
    "driver op", 64, NONE, \
    "Calls of a driver (open, observe, stage, commit, rollback, watch).") \
  X(TN_M_DRIVER_ERRORS, COUNTER, "tenet_driver_errors_total", "", \
    "driver op", 64, NONE, \
    "Calls of a driver that failed.") \
  X(TN_M_DRIVER_DURATION, HISTOGRAM, \
    "tenet_driver_operation_duration_seconds", "seconds", "driver op", 64, \
    FAST, \
    "Time of one call of a driver.") \
  X(TN_M_RESYNCS, COUNTER, "tenet_driver_resyncs_total", "", \
    "driver reason", 32, NONE, \
    "Full readings of a device because events may be missing, by reason " \
    "(start, overrun, reconnect, audit).") \
  X(TN_M_DRIFT_DETECTED, COUNTER, "tenet_drift_detected_total", "", \
    "class", 16, NONE, \
    "Objects found other than intended though nobody committed, by class " \
    "(security, outage, cosmetic).") \
  X(TN_M_DRIFT_HEALED, COUNTER, "tenet_drift_healed_total", "", "class", 16, \
    NONE, \
    "Drifted objects put back and verified, by class.") \
  X(TN_M_DRIFTED, GAUGE, "tenet_drifted_objects", "", "device* class", \
    TN_METRIC_PAIRS, NONE, \
    "Objects that differ from the intent now, by device and class.") \
  X(TN_M_DRIFT_SINCE, GAUGE, "tenet_drift_start_timestamp_seconds", \
    "seconds", "device*", TN_METRIC_DEVICES, NONE, \
    "Since when the oldest present drift of the device lasts; 0 if none.") \
  X(TN_M_HEAL_DURATION, HISTOGRAM, "tenet_drift_heal_duration_seconds", \
    "seconds", "class", 16, FAST, \
    "From the event that told of a drift to its verified repair.") \
  X(TN_M_ROLLBACKS, COUNTER, "tenet_rollbacks_total", "", "outcome", 8, \
    NONE, \
    "Applies that were undone, by outcome (verified, failed).") \
  X(TN_M_CONFIRM_PENDING, GAUGE, "tenet_confirm_pending", "", "", 1, NONE, \
    "Applies that will be undone unless they are confirmed.") \
  X(TN_M_STATUS_COMMITS, COUNTER, "tenet_status_commits_total", "", \
    "outcome", 8, NONE, \
    "Attempts to commit status to Git, by outcome (committed, unchanged, " \
    "failed).") \
  X(TN_M_STATUS_RETRIES, COUNTER, "tenet_status_push_retries_total", "", "", \
    1, NONE, \
    "Pushes of the status ref that were repeated because another writer was " \
    "first.") \
  X(TN_M_ALERTS_FIRING, GAUGE, "tenet_alerts_firing", "", "severity", 8, \
    NONE, \
    "Alerts of the daemon itself that fire now, by severity (critical, " \
    "warning, info).") \
  X(TN_M_NOTIFICATIONS, COUNTER, "tenet_notifications_total", "", \
    "sink outcome", 32, NONE, \
    "Messages to other systems, by sink (alertmanager, webhook, forge) and " \
    "outcome (ok, failed).") \
  X(TN_M_WEBHOOKS, COUNTER, "tenet_webhook_requests_total", "", "outcome", \
    16, NONE, \
    "Push notifications received, by outcome (wake, ignored, malformed, " \
    "bad-signature, replayed, too-large, rate-limited).") \
  X(TN_M_HTTP_REQUESTS, COUNTER, "tenet_http_requests_total", "", \
    "path code", 64, NONE, \
    "HTTP requests answered, by known path and status code.") \
  X(TN_M_DROPPED, COUNTER, "tenet_metrics_dropped_total", "", "metric", 64, \
    NONE, \
    "Updates counted under \"other\" because the metric has too many label " \
    "sets.") \
  X(TN_M_PROCESS_CPU, COUNTER, "process_cpu_seconds_total", "seconds", "", \
    1, NONE, \
    "User and system CPU time spent.") \
  X(TN_M_PROCESS_FDS, GAUGE, "process_open_fds", "", "", 1, NONE, \
    "Open file descriptors.") \
  X(TN_M_PROCESS_MAX_FDS, GAUGE, "process_max_fds", "", "", 1, NONE, \
    "Allowed file descriptors.") \
  X(TN_M_PROCESS_RSS, GAUGE, "process_resident_memory_bytes", "bytes", "", \
    1, NONE, \
    "Resident memory.") \
  X(TN_M_PROCESS_VSIZE, GAUGE, "process_virtual_memory_bytes", "bytes", "", \
    1, NONE, \
    "Virtual memory.") \
  X(TN_M_PROCESS_START, GAUGE, "process_start_time_seconds", "seconds", "", \
    1, NONE, \
    "When the process started.")
/* clang-format on */

#endif
