/* rules_plan.c - built-in rules about what a plan does: how much it deletes,
 * what it may not delete, and when it may be carried out. */
#include <string.h>

#include "reconciler/plan/budget.h"
#include "reconciler/policy/freeze.h"
#include "reconciler/policy/work.h"

/* ---- budgets ------------------------------------------------------------ */

static struct tn_vuint
limit_or(const struct tn_vuint *given, uint64_t otherwise)
{
    struct tn_vuint v = *given;
    if (!v.at.line) {
        v = (struct tn_vuint){otherwise, {1, 1}};
    }
    return v;
}

static void
excess_object(struct tn_judgement *j, const struct tn_policy_rule *r,
              const struct tn_excess *e, size_t needed)
{
    const char *message = NULL, *tenant = NULL;
    switch (e->kind) {
    case TN_BUDGET_DEVICE:
        message = tn_arena_printf(
            j->arena, "device %s: %zu objects to destroy, at most %zu allowed",
            e->who, e->deletes, e->limit);
        break;
    case TN_BUDGET_PERCENT:
        message = tn_arena_printf(j->arena,
                                  "device %s: %zu of its %zu objects to "
                                  "destroy, at most %zu%% allowed",
                                  e->who, e->deletes, e->of, e->limit);
        break;
    case TN_BUDGET_TENANT:
        tenant = e->who;
        message = tn_arena_printf(
            j->arena, "tenant %s: %zu objects to destroy, at most %zu allowed",
            e->who, e->deletes, e->limit);
        break;
    }
    tn_judge_object(j, r,
                    &(struct tn_objection){
                        .message = message,
                        .hint = tn_arena_printf(j->arena,
                                                "if these deletions are meant, "
                                                "--allow-deletes %zu",
                                                needed),
                        .tenant = tenant,
                        .subject = e->who,
                    });
}

void
tn_policy_rule_budget(struct tn_judgement *j, const struct tn_policy_rule *r)
{
    struct tn_settings limits = {0};
    struct tn_budget_result result = {0};
    if (!j->in->plan) {
        return;
    }
    limits.max_deletes = limit_or(&r->doc->max_deletes, SIZE_MAX / 200);
    limits.max_delete_percent = limit_or(&r->doc->max_delete_percent, 100);
    limits.max_deletes_per_tenant =
        limit_or(&r->doc->max_deletes_per_tenant, SIZE_MAX / 200);
    tn_budget_check(j->arena, j->in->plan, &limits, j->in->allow_deletes,
                    &result);
    for (size_t i = 0; i < result.n; i++) {
        excess_object(j, r, &result.items[i], result.needed);
    }
}

/* ---- freezes ------------------------------------------------------------ */

static size_t
intent_changes(const struct tn_plan *plan)
{
    const struct tn_counts *c = &plan->counts;
    return c->add + c->change + c->replace + c->destroy - c->drift;
}

void
tn_policy_rule_freeze(struct tn_judgement *j, const struct tn_policy_rule *r)
{
    const struct tn_freeze *f =
        tn_freeze_now(j->in->network->settings, j->in->now);
    const char *path = j->in->network->settings->meta.path;
    for (size_t i = 0; i < j->in->n_pasts && !f; i++) {
        const struct tn_network *past = j->in->pasts[i].network;
        f = past ? tn_freeze_now(past->settings, j->in->now) : NULL;
    }
    bool anything =
        j->in->plan ? intent_changes(j->in->plan) > 0 : j->touched.n > 0;
    if (!f || !anything) {
        return;
    }
    tn_judge_object(
        j, r,
        &(struct tn_objection){
            .message = tn_arena_printf(j->arena,
                                       "there is a freeze until %s: "
                                       "%s",
                                       f->until.v, f->reason.v),
            .at = tn_at(path, f->at),
        });
}

/* ---- protection --------------------------------------------------------- */

struct protection {
    struct tn_judgement *j;
    const struct tn_policy_rule *rule;
    const struct tn_touch *touch;
};

static bool
listed(const struct tn_policy *p, const char *object)
{
    for (size_t i = 0; i < p->objects.n; i++) {
        if (strcmp(p->objects.items[i].v, object) == 0) {
            return true;
        }
    }
    return false;
}

static bool
labelled(const struct tn_policy *p, const struct tn_meta *meta)
{
    for (size_t i = 0; i < p->keys.n; i++) {
        const char *value = tn_label_get(meta, p->keys.items[i].v);
        if (value && strcmp(value, "false") != 0) {
            return true;
        }
    }
    return false;
}

static const struct tn_meta *
old_meta(const struct tn_touch *t, const struct tn_origin *at,
         enum tn_kind kind, const char *name)
{
    return t->old ? tn_docs_meta(t->old, at->path, kind, name) : NULL;
}

/* Were the labels of the tenant so in any commit that was applied, or are
 * they so now? */
static bool
tenant_labelled(const struct tn_judgement *j, const struct tn_policy *p,
                const char *name)
{
    const struct tn_tenant_result *t = tn_network_tenant(j->in->network, name);
    bool yes = t && t->tenant && labelled(p, &t->tenant->meta);
    for (size_t i = 0; i < j->in->n_pasts && !yes; i++) {
        const struct tn_network *past = j->in->pasts[i].network;
        t = past ? tn_network_tenant(past, name) : NULL;
        yes = t && t->tenant && labelled(p, &t->tenant->meta);
    }
    return yes;
}

static void
protect(const struct protection *p, const char *what, const char *subject,
        const struct tn_origin *at)
{
    tn_judge_object(
        p->j, p->rule,
        &(struct tn_objection){
            .message = tn_arena_printf(
                p->j->arena, "%s %s is protected and would be removed", what,
                subject),
            .hint = p->rule->doc->message.v
                        ? p->rule->doc->message.v
                        : "lift the protection in a commit of its own, apply "
                          "that, and remove the object in a later one",
            .at = *at,
            .tenant = p->touch->tenant,
            .subject = subject,
        });
}

static void
ports_protect(const struct protection *p, const struct tn_net_subnet *subnet)
{
    const struct tn_touch *t = p->touch;
    const struct tn_policy *doc = p->rule->doc;
    for (size_t i = 0; i < subnet->n_ports; i++) {
        const struct tn_net_port *port = &subnet->ports[i];
        if (tn_vpc_port(t->after, port->name)) {
            continue;
        }
        const char *subject =
            tn_arena_printf(p->j->arena, "%s/%s", t->scope, port->name);
        if (listed(doc, subject) ||
            labelled(doc,
                     old_meta(t, &port->origin, TN_KIND_PORT, port->name))) {
            protect(p, "port", subject, &port->origin);
        }
    }
}

/* A VPC protects itself and its subnets, a tenant its VPCs and their
 * subnets. */
void
tn_policy_rule_protected(struct tn_judgement *j, const struct tn_policy_rule *r,
                         const struct tn_touch *t)
{
    const struct protection p = {j, r, t};
    const struct tn_net_vpc *v = t->before;
    bool whole =
        listed(r->doc, t->scope) || listed(r->doc, t->tenant) ||
        labelled(r->doc, old_meta(t, &v->origin, TN_KIND_VPC, v->name)) ||
        tenant_labelled(j, r->doc, t->tenant);
    if (whole && !t->after) {
        protect(&p, "VPC", t->scope, &v->origin);
    }
    for (size_t s = 0; s < v->n_subnets; s++) {
        const struct tn_net_subnet *subnet = &v->subnets[s];
        const char *subject =
            tn_arena_printf(j->arena, "%s/%s", t->scope, subnet->name);
        if (t->after && !tn_vpc_subnet(t->after, subnet->name) &&
            (whole || listed(r->doc, subject))) {
            protect(&p, "subnet", subject, &subnet->origin);
        } else if (!t->after && !whole && listed(r->doc, subject)) {
            protect(&p, "subnet", subject, &subnet->origin);
        }
        ports_protect(&p, subnet);
    }
}
