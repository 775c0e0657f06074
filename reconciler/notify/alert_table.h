/* alert_table.h - the alerts that tenet knows: one row each.
 *
 * docs/alerts.md has a section for every row, and a test that it has. */
#ifndef TN_NOTIFY_ALERT_TABLE_H
#define TN_NOTIFY_ALERT_TABLE_H

#include <stdbool.h>

#include "model/base/text.h"

/* Name as people see it, default severity, summary.  "{label}" in a summary is
 * replaced by the label's value; "[...]" is left out if a label in it is
 * absent. */
#define TN_ALERT_TABLE(X)                                                      \
    X(DRIFT, "TenetDrift", WARNING,                                            \
      "Something changed [on {device} ]outside Git[ (VPC {vpc})]")             \
    X(DRIFT_REPEATED, "TenetDriftRepeated", CRITICAL,                          \
      "The same object [on {device} ]drifts again and again")                  \
    X(SECURITY_WIDENED, "TenetSecurityWidened", CRITICAL,                      \
      "Somebody opened [{device} to ]more traffic than the intent allows")     \
    X(APPLY_FAILED, "TenetApplyFailed", CRITICAL,                              \
      "Intent could not be applied[ to {device}]")                             \
    X(ROLLBACK_FAILED, "TenetRollbackFailed", CRITICAL,                        \
      "[{device}: ]a failed apply could not be undone")                        \
    X(DEVICE_UNREACHABLE, "TenetDeviceUnreachable", CRITICAL,                  \
      "[{device} ]cannot be reached")                                          \
    X(INTENT_INVALID, "TenetIntentInvalid", WARNING,                           \
      "The newest commit has findings[ for tenant {tenant}]; the last good "   \
      "intent stays")                                                          \
    X(UNTRUSTED_COMMIT, "TenetUntrustedCommit", CRITICAL,                      \
      "A commit is not signed by somebody who may; it is not applied")         \
    X(POLICY_DENIED, "TenetPolicyDenied", WARNING,                             \
      "Policies deny the newest commit; the last good intent stays")           \
    X(FORCE_PUSH, "TenetForcePush", CRITICAL,                                  \
      "The applied commit vanished from the branch; nothing new is applied")   \
    X(SOURCE_STALE, "TenetSourceStale", WARNING,                               \
      "Git cannot be read; the last good intent is being healed")              \
    X(STATUS_UNPUBLISHED, "TenetStatusUnpublished", WARNING,                   \
      "The status could not be pushed to Git")                                 \
    X(BUDGET_EXCEEDED, "TenetBudgetExceeded", CRITICAL,                        \
      "A plan[ for {device}] deletes more than the budget allows; it waits")   \
    X(HOLD, "TenetHold", INFO, "[{device}: ]changes are held")                 \
    X(ROLLED_BACK, "TenetRolledBack", CRITICAL,                                \
      "[{device}: ]an apply was rolled back; the commit is quarantined")       \
    X(TOO_MANY_ALERTS, "TenetTooManyAlerts", CRITICAL,                         \
      "So many alerts that further ones are not sent")

enum tn_alert_name {
#define TN_ALERT_ENUM(id, name, severity, summary) TN_ALERT_##id,
    TN_ALERT_TABLE(TN_ALERT_ENUM)
#undef TN_ALERT_ENUM
        TN_ALERT_NAMES /* How many. */
};

/* Value of the label 'severity'. */
enum tn_alert_severity {
    TN_ALERT_SEVERITY_DEFAULT, /* What the table says. */
    TN_ALERT_SEVERITY_INFO,
    TN_ALERT_SEVERITY_WARNING,
    TN_ALERT_SEVERITY_CRITICAL,
};

/* The section of docs/alerts.md is "#" and the name in lower case. */
struct tn_alert_row {
    const char *name, *summary;
    enum tn_alert_severity severity;
};

/* Static. */
const struct tn_alert_row *tn_alert_row(enum tn_alert_name name);
/* False if there is no such alert. */
bool tn_alert_name_parse(const char *text, enum tn_alert_name *out);
/* "info", "warning", "critical"; "" for the default. */
const char *tn_alert_severity_name(enum tn_alert_severity severity);

#endif
