/* alerts_match.c - ending many alerts at once: those with given labels, and
 * those of a former run that nobody confirmed. */
#include <string.h>

#include "reconciler/notify/alerts_work.h"

/* True if 'r' has the label.  Texts of labels are canonical and quotes inside
 * of values are escaped, so a member can be found as text. */
static bool
has_member(const struct tn_alert_record *r, const struct tn_label *label)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text member = {0};
    tn_words_member(&member, label);
    return strstr(r->labels, tn_text_str(&member));
}

static bool
matches(const struct tn_alert_record *r, const struct tn_label_set *wanted)
{
    for (size_t i = 0; i < wanted->n; i++) {
        if (!has_member(r, &wanted->items[i])) {
            return false;
        }
    }
    return true;
}

size_t
tn_alerts_resolve_all(struct tn_alerts *alerts, const struct tn_alert *match,
                      bool any_name, struct tn_notify_now now)
{
    tn_arena_reset(alerts->scratch);
    const struct tn_label own[] = {
        {"alertname", any_name ? NULL : tn_alert_row(match->name)->name},
        {"severity", tn_alert_severity_name(match->severity)},
        {"device", match->device},
        {"tenant", match->tenant},
        {"vpc", match->vpc},
    };
    size_t n = TN_ARRAY_SIZE(own) + match->n_labels;
    struct tn_label *all = tn_new_n(alerts->scratch, struct tn_label, n);
    memcpy(all, own, sizeof own);
    if (match->n_labels) {
        memcpy(all + TN_ARRAY_SIZE(own), match->labels,
               match->n_labels * sizeof *all);
    }
    struct tn_label_set wanted = tn_words_sort(alerts->scratch, all, n);
    size_t done = 0;
    for (size_t i = 0; i < alerts->n; i++) {
        struct tn_alert_record *r = alerts->items[i];
        if (r->state == TN_ALERT_FIRING && matches(r, &wanted)) {
            tn_alerts_resolve_record(alerts, r, now);
            done++;
        }
    }
    return done;
}

size_t
tn_alerts_settle(struct tn_alerts *alerts, const char *device,
                 struct tn_notify_now now)
{
    tn_arena_reset(alerts->scratch);
    const struct tn_label own = {"device", device};
    struct tn_label_set wanted = tn_words_sort(alerts->scratch, &own, 1);
    size_t done = 0;
    for (size_t i = 0; i < alerts->n; i++) {
        struct tn_alert_record *r = alerts->items[i];
        if (r->unsettled && matches(r, &wanted)) {
            tn_alerts_resolve_record(alerts, r, now);
            done++;
        }
    }
    return done;
}
