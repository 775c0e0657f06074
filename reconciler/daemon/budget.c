/* budget.c - more would be removed than the budgets of tenet.yml allow.
 *
 * Then no removal happens on that device, and nothing of what new intent alone
 * asks for: half of a commit helps nobody.  What somebody else changed is still
 * put right, as far as nothing has to be removed for it; an object that new
 * intent changes as well becomes what that says, since rules that are gone are
 * worse than rules that are new.  Only a look at all of the
 * device ends this: a part of it has fewer removals, and would take them all
 * away bit by bit. */
#include <string.h>

#include "reconciler/daemon/worker.h"

enum { DEFAULT_DELETES = 100 };

/* Null: the plan is within the budgets. */
static const char *
excess(struct tn_look *k)
{
    struct tn_budget_result result;
    const struct tn_worker *w = k->w;
    const struct tn_network *net = w->intent->run->network;
    struct tn_device_plan part = *k->d.plan;
    const struct tn_device_plan *device = &part;
    if (!k->full && part.n_ours < w->n_resources) {
        part.n_ours = w->n_resources; /* A percentage is of all of it. */
    }
    const struct tn_plan *plan =
        tn_plan_build(k->arena, w->intent->run->commit.id,
                      net->inventory->environment, &device, 1);
    tn_budget_check(k->arena, plan, net->settings, 0, &result);
    const struct tn_vuint *max = &net->settings->max_deletes;
    int64_t limit = max->at.line ? (int64_t) max->v : DEFAULT_DELETES;
    k->report->budget_left = limit - (int64_t) part.counts.destroy;
    return result.n ? result.items[0].text : NULL;
}

/* It waits for the removal of another, or of what holds its claim. */
static bool
waits_for_removal(const struct tn_device_plan *plan, const struct tn_change *c)
{
    for (size_t i = 0; c->with && i < plan->n_changes; i++) {
        const struct tn_change *other = &plan->changes[i];
        if (tn_change_is_gone(other) && strcmp(other->key, c->with) == 0) {
            return true;
        }
    }
    return false;
}

void
tn_look_budget(struct tn_look *k)
{
    struct tn_worker *w = k->w;
    const struct tn_device_plan *plan = k->d.plan;
    const char *why = NULL;
    if (plan->n_changes && !w->undoing) {
        why = excess(k);
    }
    if (!why && !k->full && w->over) {
        why = w->why ? w->why : "more is to be removed than is allowed";
    }
    w->over = why != NULL;
    if (!why) {
        return;
    }
    bool *keep = tn_new_n(k->arena, bool, plan->n_changes);
    bool drift_left = false;
    for (size_t i = 0; i < plan->n_changes; i++) {
        const struct tn_change *c = &plan->changes[i];
        keep[i] = c->cause != TN_CAUSE_INTENT && !tn_change_is_gone(c) &&
                  !waits_for_removal(plan, c);
        drift_left = drift_left || (!keep[i] && c->cause != TN_CAUSE_INTENT);
    }
    k->refusal = tn_arena_strdup(k->report->arena, why);
    k->d.plan = tn_plan_pick(k->arena, plan, keep);
    k->report->outcome = TN_UNIT_REFUSED;
    k->report->budget_left = 0;
    k->report->drift_left = k->report->drift_left || drift_left;
}
