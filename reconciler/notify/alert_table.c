/* alert_table.c - the rows of alert_table.h as data. */
#include "reconciler/notify/alert_table.h"

static const struct tn_alert_row rows[TN_ALERT_NAMES] = {
#define TN_ALERT_ROW(id, alert, level, text)                                   \
    [TN_ALERT_##id] = {.name = (alert),                                        \
                       .summary = (text),                                      \
                       .severity = TN_ALERT_SEVERITY_##level},
    TN_ALERT_TABLE(TN_ALERT_ROW)
#undef TN_ALERT_ROW
};

const struct tn_alert_row *
tn_alert_row(enum tn_alert_name name)
{
    return &rows[name];
}

bool
tn_alert_name_parse(const char *text, enum tn_alert_name *out)
{
    for (size_t i = 0; i < TN_ALERT_NAMES; i++) {
        if (tn_streq(text, rows[i].name)) {
            *out = (enum tn_alert_name) i;
            return true;
        }
    }
    return false;
}

const char *
tn_alert_severity_name(enum tn_alert_severity severity)
{
    switch (severity) {
    case TN_ALERT_SEVERITY_INFO:
        return "info";
    case TN_ALERT_SEVERITY_WARNING:
        return "warning";
    case TN_ALERT_SEVERITY_CRITICAL:
        return "critical";
    case TN_ALERT_SEVERITY_DEFAULT:
        break;
    }
    return "";
}
