/* budget.h - limits that stop accidents: may this plan be applied?
 *
 * Counted are deletions.  A replacement is none: its object comes back.  The
 * limits are those of tenet.yml (budgets.*); '--allow-deletes N' raises all of
 * them to N deletions for one run. */
#ifndef TN_RECONCILER_PLAN_BUDGET_H
#define TN_RECONCILER_PLAN_BUDGET_H

#include "model/kinds/kinds.h"
#include "reconciler/plan/plan.h"

enum tn_budget_kind {
    TN_BUDGET_DEVICE,  /* Deletions on one device. */
    TN_BUDGET_PERCENT, /* Share of what the device holds of ours. */
    TN_BUDGET_TENANT,  /* Deletions of one tenant, over all devices. */
};

/* A limit that the plan exceeds. */
struct tn_excess {
    enum tn_budget_kind kind;
    const char *who; /* Device or tenant. */
    size_t deletes, limit;
    size_t of;        /* TN_BUDGET_PERCENT: what the device holds. */
    const char *text; /* One sentence with the numbers. */
};

struct tn_budget_result {
    const struct tn_excess *items; /* Devices by name, then tenants by name. */
    size_t n;                      /* 0: the plan is within its budgets. */
    size_t needed; /* The least --allow-deletes that lets it pass. */
};

/* 'allow_deletes' is 0 without --allow-deletes.  '*out' is new in 'arena'. */
void tn_budget_check(struct tn_arena *arena, const struct tn_plan *plan,
                     const struct tn_settings *settings, size_t allow_deletes,
                     struct tn_budget_result *out);

#endif
