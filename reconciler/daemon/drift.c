/* drift.c - see drift.h. */
#include "reconciler/daemon/drift.h"

#include <string.h>

#include "model/base/text.h"

static bool
is_guard(const char *const *guards, const char *kind)
{
    for (; guards && *guards; guards++) {
        if (strcmp(*guards, kind) == 0) {
            return true;
        }
    }
    return false;
}

/* Nothing but marks and names differ. */
static bool
is_label_only(const struct tn_change *c)
{
    if (c->op != TN_OP_UPDATE || !c->before || !c->after) {
        return false;
    }
    for (size_t i = 0; i < c->after->n_attrs; i++) {
        const struct tn_attr *a = &c->after->attrs[i];
        if (!tn_streq(a->value, tn_resource_attr(c->before, a->name)) &&
            strcmp(a->name, "alias") != 0 && strcmp(a->name, "group") != 0) {
            return false;
        }
    }
    return true;
}

enum tn_drift_class
tn_drift_class(const char *const *guards, const struct tn_change *change)
{
    if (is_guard(guards, change->kind)) {
        return TN_DRIFT_SECURITY;
    }
    if (change->op == TN_OP_DELETE && change->half == TN_WHOLE) {
        return TN_DRIFT_COSMETIC;
    }
    return is_label_only(change) ? TN_DRIFT_COSMETIC : TN_DRIFT_OUTAGE;
}

void
tn_drift_count(const char *const *guards, const struct tn_device_plan *plan,
               struct tn_drift *out)
{
    enum tn_drift_class worst = TN_DRIFT_CLASSES;
    *out = (struct tn_drift){0};
    for (size_t i = 0; i < plan->n_changes; i++) {
        const struct tn_change *c = &plan->changes[i];
        if ((c->cause != TN_CAUSE_DRIFT && c->cause != TN_CAUSE_BOTH) ||
            c->half == TN_HALF_REMOVE) {
            continue;
        }
        enum tn_drift_class class = tn_drift_class(guards, c);
        out->n[class]++;
        if (class < worst) {
            worst = class;
            out->first = c;
        }
    }
}

size_t
tn_drift_total(const struct tn_drift *drift)
{
    size_t n = 0;
    for (size_t i = 0; i < TN_DRIFT_CLASSES; i++) {
        n += drift->n[i];
    }
    return n;
}

const char *tn_drift_class_name(enum tn_drift_class class)
{
    static const char *const names[TN_DRIFT_CLASSES] = {
        [TN_DRIFT_SECURITY] = "security",
        [TN_DRIFT_OUTAGE] = "outage",
        [TN_DRIFT_COSMETIC] = "cosmetic",
    };
    return class < TN_DRIFT_CLASSES ? names[class] : "none";
}
