/* judge.c - all policies over all that a commit touches: see judge.h.
 *
 * What a rule objects to goes through one place (tn_judge_object), where the
 * severity of its policy and its waivers apply; what is wrong with a policy
 * itself, and the proof of isolation, do not go there: nothing softens them. */
#include "reconciler/policy/judge.h"

#include <string.h>

#include "model/base/time.h"
#include "reconciler/policy/work.h"

/* ---- waivers and findings ----------------------------------------------- */

/* True if 'subject' is 'object' or below it. */
bool
tn_subject_is_below(const char *subject, const char *object)
{
    size_t n = strlen(object);
    return subject && strncmp(subject, object, n) == 0 &&
           (subject[n] == '\0' || subject[n] == '/');
}

static const char *
waiver_of(const struct tn_judgement *j, const struct tn_policy_rule *rule,
          const struct tn_objection *o)
{
    for (size_t i = 0; i < rule->doc->waivers.n; i++) {
        const struct tn_policy_waiver *w = &rule->doc->waivers.items[i];
        int64_t end;
        if ((tn_subject_is_below(o->subject, w->subject.v) ||
             tn_subject_is_below(o->tenant, w->subject.v)) &&
            tn_time_parse(w->expires.v, &end) && j->in->now < end) {
            return tn_arena_printf(j->arena, "%s (%s, until %s)", w->reason.v,
                                   w->owner.v, w->expires.v);
        }
    }
    return NULL;
}

void
tn_judge_object(struct tn_judgement *j, const struct tn_policy_rule *rule,
                const struct tn_objection *o)
{
    const char *hint = o->hint ? o->hint : rule->doc->message.v;
    tn_finding_add(j->findings, &(struct tn_finding){
                                    .severity = tn_policy_rule_severity(rule),
                                    .rule = rule->name,
                                    .message = o->message,
                                    .hint = hint,
                                    .at = o->at,
                                    .law = rule->law,
                                    .tenant = o->tenant,
                                    .subject = o->subject,
                                    .waiver = waiver_of(j, rule, o),
                                });
}

/* ---- scope -------------------------------------------------------------- */

static bool
names(const struct tn_vtext *items, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++) {
        if (tn_streq(items[i].v, word)) {
            return true;
        }
    }
    return n == 0;
}

static bool
in_environment(const struct tn_judgement *j, const struct tn_policy *p)
{
    return names(p->environments.items, p->environments.n, j->in->environment);
}

static const char *
tenant_label(const struct tn_network *network, const char *tenant,
             const char *key)
{
    const struct tn_tenant_result *t = tn_network_tenant(network, tenant);
    return t && t->tenant ? tn_label_get(&t->tenant->meta, key) : NULL;
}

static const char *
vpc_label(struct tn_docs *docs, const struct tn_net_vpc *vpc, const char *key)
{
    return vpc && docs ? tn_label_get(tn_docs_meta(docs, vpc->origin.path,
                                                   TN_KIND_VPC, vpc->name),
                                      key)
                       : NULL;
}

/* Has the tenant the label, or had it in any of the pasts? */
static bool
tenant_fits(const struct tn_judgement *j, const char *tenant,
            const struct tn_meta_label *l)
{
    const char *value = l->value.v;
    bool fits = tn_streq(tenant_label(j->in->network, tenant, l->key.v), value);
    for (size_t i = 0; i < j->in->n_pasts && !fits; i++) {
        fits = tn_streq(tenant_label(j->pasts[i].network, tenant, l->key.v),
                        value);
    }
    return fits;
}

bool
tn_policy_rule_covers(struct tn_judgement *j, const struct tn_policy_rule *rule,
                      const char *tenant)
{
    const struct tn_policy *p = rule->doc;
    bool fits = names(p->tenants.items, p->tenants.n, tenant);
    for (size_t i = 0; i < p->labels.n && fits; i++) {
        fits = tenant_fits(j, tenant, &p->labels.items[i]);
    }
    return fits;
}

static bool
vpc_fits(struct tn_judgement *j, const struct tn_touch *t,
         const struct tn_meta_label *l)
{
    const char *key = l->key.v, *value = l->value.v;
    bool fits = tn_streq(vpc_label(&j->docs, t->after, key), value) ||
                tn_streq(vpc_label(t->old, t->before, key), value);
    for (size_t i = 0; t->was && i < j->in->n_pasts && !fits; i++) {
        fits = tn_streq(vpc_label(&j->pasts[i].docs, t->was[i], key), value);
    }
    return fits || tenant_fits(j, t->tenant, l);
}

/* As it is, or as it was: a commit cannot take its VPC out of a scope and do
 * there what the scope is about. */
static bool
covers_touch(struct tn_judgement *j, const struct tn_policy_rule *rule,
             const struct tn_touch *t)
{
    const struct tn_policy *p = rule->doc;
    bool fits = names(p->tenants.items, p->tenants.n, t->tenant);
    for (size_t i = 0; i < p->labels.n && fits; i++) {
        fits = vpc_fits(j, t, &p->labels.items[i]);
    }
    return fits;
}

/* Does the rule look at the VPC for the first time?  It came into the scope by
 * a label, of its own or of its tenant. */
static bool
is_newly_covered(struct tn_judgement *j, const struct tn_policy_rule *rule,
                 const struct tn_touch *t)
{
    const struct tn_policy *p = rule->doc;
    bool new = false;
    for (size_t i = 0; i < j->in->n_pasts && p->labels.n && !new; i++) {
        struct tn_past *past = &j->pasts[i];
        for (size_t k = 0; k < p->labels.n && !new; k++) {
            const char *key = p->labels.items[k].key.v;
            const char *value = p->labels.items[k].value.v;
            new = !tn_streq(vpc_label(&past->docs, t->was[i], key), value) &&
                  !tn_streq(tenant_label(past->network, t->tenant, key), value);
        }
    }
    return new;
}

/* What differs by the labels of its tenant only is looked at by those who can
 * see them. */
bool
tn_policy_rule_looks(struct tn_judgement *j, const struct tn_policy_rule *rule,
                     const struct tn_touch *t, struct tn_touch *view)
{
    if (!covers_touch(j, rule, t)) {
        return false;
    }
    *view = *t;
    view->whole = t->whole || is_newly_covered(j, rule, t);
    return !t->labels || rule->doc->jq.v || view->whole;
}

/* ---- built-in rules ----------------------------------------------------- */

typedef void vpc_rule(struct tn_judgement *, const struct tn_policy_rule *,
                      const struct tn_touch *);

/* What rules say of one VPC at a time. */
static vpc_rule *const vpc_rules[TN_N_BUILTINS] = {
    [TN_BUILTIN_OPEN_PORTS] = tn_policy_rule_open_ports,
    [TN_BUILTIN_RESERVED_RANGES] = tn_policy_rule_ranges,
    [TN_BUILTIN_ALLOWED_RANGES] = tn_policy_rule_ranges,
    [TN_BUILTIN_NAMING] = tn_policy_rule_naming,
    [TN_BUILTIN_REQUIRED_LABELS] = tn_policy_rule_labels,
    [TN_BUILTIN_REQUIRED_GROUPS] = tn_policy_rule_groups,
    [TN_BUILTIN_QUOTAS] = tn_policy_rule_vpc_quotas,
};

static void
over_tenants(struct tn_judgement *j, const struct tn_policy_rule *r)
{
    for (size_t i = 0; i < j->n_tenants; i++) {
        const struct tn_tenant_result *t =
            tn_network_tenant(j->in->network, j->tenants[i]);
        if (t && tn_policy_rule_covers(j, r, t->name)) {
            tn_policy_rule_tenant(j, r, t);
        }
    }
}

static void
former_judge(struct tn_judgement *j, const struct tn_policy_rule *r,
             const struct tn_touch *t)
{
    if (t->before && covers_touch(j, r, t)) {
        tn_policy_rule_protected(j, r, t);
    }
}

/* What is gone, or less than it was in any of the pasts. */
static void
over_former(struct tn_judgement *j, const struct tn_policy_rule *r)
{
    for (size_t i = 0; i < j->touched.n; i++) {
        struct tn_touch t = j->touched.items[i];
        for (size_t k = 0; t.was && k < j->in->n_pasts; k++) {
            t.before = t.was[k];
            t.old = &j->pasts[k].docs;
            former_judge(j, r, &t);
        }
        if (!t.was) {
            former_judge(j, r, &t);
        }
    }
}

/* What they say of everything else. */
static void
builtin_judge(struct tn_judgement *j, const struct tn_policy_rule *r)
{
    switch ((enum tn_builtin) r->doc->builtin.v) {
    case TN_BUILTIN_NAMING:
    case TN_BUILTIN_REQUIRED_LABELS:
    case TN_BUILTIN_QUOTAS:
        over_tenants(j, r);
        break;
    case TN_BUILTIN_DELETE_BUDGET:
        tn_policy_rule_budget(j, r);
        break;
    case TN_BUILTIN_PROTECTED:
        over_former(j, r);
        break;
    case TN_BUILTIN_FREEZE:
        tn_policy_rule_freeze(j, r);
        break;
    case TN_BUILTIN_REACH:
        tn_policy_rule_reach(j, r);
        break;
    case TN_BUILTIN_OPEN_PORTS:
    case TN_BUILTIN_RESERVED_RANGES:
    case TN_BUILTIN_ALLOWED_RANGES:
    case TN_BUILTIN_REQUIRED_GROUPS:
    case TN_N_BUILTINS:
        break;
    }
}

/* The built-in rules of a judgement, a little at a time. */
struct builtins {
    struct tn_judgement **of; /* Of each policy; null: not to be asked. */
    const struct tn_policies *policies;
    size_t rule, vpc;
};

/* False if nothing is left. */
static bool
builtins_step(void *user)
{
    enum { SLICE = 8 };
    struct builtins *b = user;
    while (b->rule < b->policies->n && !b->of[b->rule]) {
        b->rule++;
    }
    if (b->rule == b->policies->n) {
        return false;
    }
    struct tn_judgement *j = b->of[b->rule];
    const struct tn_policy_rule *r = &b->policies->items[b->rule];
    vpc_rule *rule = vpc_rules[r->doc->builtin.v];
    size_t end = b->vpc + SLICE;
    for (; rule && b->vpc < end && b->vpc < j->touched.n; b->vpc++) {
        struct tn_touch t;
        if (j->touched.items[b->vpc].after &&
            tn_policy_rule_looks(j, r, &j->touched.items[b->vpc], &t)) {
            rule(j, r, &t);
        }
    }
    if (!rule || b->vpc == j->touched.n) {
        builtin_judge(j, r);
        b->rule++;
        b->vpc = 0;
    }
    return true;
}

/* Everything goes. */
static void
destroy_touch(struct tn_judgement *j)
{
    for (size_t i = 0; i < j->in->network->n_vpcs; i++) {
        const struct tn_net_vpc *v = j->in->network->vpcs[i];
        *tn_vec_push(j->arena, &j->touched) = (struct tn_touch){
            .scope = v->scope,
            .tenant = v->tenant,
            .before = v,
            .old = &j->docs,
        };
    }
}

static void
protection_judge(struct tn_judgement *j, const struct tn_policies *policies)
{
    for (size_t i = 0; i < policies->n; i++) {
        const struct tn_policy_rule *r = &policies->items[i];
        if (r->doc->builtin.at.line &&
            r->doc->builtin.v == TN_BUILTIN_PROTECTED &&
            in_environment(j, r->doc)) {
            over_former(j, r);
        }
    }
}

/* ---- what was applied --------------------------------------------------- */

/* Policies that count less than they did; and protection as it was. */
static void
past_judge(struct tn_judgement *j, const struct tn_policies *past)
{
    for (size_t i = 0; i < past->n; i++) {
        const struct tn_policy_rule *r = &past->items[i];
        const struct tn_policy_rule *now =
            tn_policies_get(&j->policies, r->name);
        if (!now) {
            tn_judge_tell(j, TN_SEVERITY_WARN, r->name, &r->law,
                          "this commit removes the policy");
        } else if (tn_policy_rule_severity(now) > tn_policy_rule_severity(r)) {
            tn_judge_tell(j, TN_SEVERITY_WARN, r->name, &now->law,
                          "this commit makes the policy less severe");
        } else if (!tn_digest_eq(&now->content, &r->content)) {
            tn_judge_tell(j, TN_SEVERITY_INFO, r->name, &now->law,
                          "this commit changes the policy");
        }
    }
    protection_judge(j, past);
}

static bool
is_changed(const struct tn_policy_rule *rule, const struct tn_policies *pasts,
           size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct tn_policy_rule *r = tn_policies_get(&pasts[i], rule->name);
        if (!r || !tn_digest_eq(&r->content, &rule->content)) {
            return true;
        }
    }
    return false;
}

static enum tn_code
pasts_load(struct tn_judgement *j, struct tn_policies *out,
           struct tn_error *err)
{
    enum tn_code code = TN_OK;
    for (size_t i = 0; i < j->in->n_pasts && !code; i++) {
        const struct tn_judge_past *past = &j->in->pasts[i];
        j->pasts[i].network = past->source ? past->network : NULL;
        tn_docs_init(&j->pasts[i].docs, j->arena, past->source);
        tn_map_init(&j->pasts[i].files, j->arena, 0);
        if (past->source) {
            code = tn_policies_load(past->source, j->arena, &out[i], NULL, err);
        } else {
            tn_judge_tell(j, TN_SEVERITY_WARN, "applied-commit",
                          &(struct tn_origin){0},
                          "a commit that was applied cannot be read any more: "
                          "protection is judged without it");
        }
    }
    return code;
}

/* ---- isolation ---------------------------------------------------------- */

static void
isolation_prove(struct tn_judgement *j)
{
    struct tn_reach_isolation result;
    struct tn_reach_changes changes;
    const struct tn_network *past =
        j->in->n_pasts == 1 ? j->in->pasts[0].network : NULL;
    if (past) {
        tn_reach_changes_find(j->arena, past, j->in->network, &changes);
    }
    tn_reach_isolation(j->arena, j->in->network, past ? &changes : NULL,
                       &result);
    for (size_t i = 0; i < result.n; i++) {
        const struct tn_reach_violation *v = &result.items[i];
        tn_finding_add(
            j->findings,
            &(struct tn_finding){
                .severity = TN_SEVERITY_DENY,
                .rule = TN_RULE_ISOLATION,
                .message = v->packet ? tn_arena_printf(j->arena, "%s: %s",
                                                       v->message, v->packet)
                                     : v->message,
                .hint = v->rule,
                .at = v->at,
                .tenant = v->tenant,
            });
    }
}

/* ---- all of it ---------------------------------------------------------- */

/* Whoever writes a policy hears that no label of anybody brings it anywhere. */
static void
labels_look(struct tn_judgement *all, const struct tn_policy_rule *r)
{
    bool covers = r->doc->labels.n == 0 || all->in->policies;
    for (size_t i = 0; i < all->touched.n && !covers; i++) {
        covers = covers_touch(all, r, &all->touched.items[i]);
    }
    for (size_t i = 0; i < all->n_tenants && !covers; i++) {
        covers = tn_policy_rule_covers(all, r, all->tenants[i]);
    }
    if (!covers) {
        tn_judge_tell(all, TN_SEVERITY_WARN, r->name, &r->law,
                      "nothing is in its scope");
    }
}

/* Built-in rules are asked while programs are at work. */
static void
rules_judge(struct tn_judgement *j, const struct tn_policies *pasts)
{
    struct tn_judgement all = *j;
    struct tn_programs *programs = tn_programs_new(j);
    struct builtins builtins = {.policies = &j->policies};
    bool looked = false;
    builtins.of = tn_new_n(j->arena, struct tn_judgement *, j->policies.n + 1);
    for (size_t i = 0; i < j->policies.n; i++) {
        const struct tn_policy_rule *r = &j->policies.items[i];
        bool new = is_changed(r, pasts, j->in->n_pasts);
        if (new && !looked) { /* A new policy is one for everybody. */
            tn_judge_touch_all(&all);
            looked = true;
        }
        tn_policy_look(j, r);
        if (!in_environment(j, r->doc)) {
            continue;
        }
        if (new) {
            labels_look(&all, r);
        }
        if (r->doc->jq.v) {
            tn_programs_add(programs, new ? &all : j, r);
        } else {
            builtins.of[i] = new ? &all : j;
        }
    }
    tn_programs_judge(programs, builtins_step, &builtins);
    while (builtins_step(&builtins)) {
    }
}

enum tn_code
tn_judge(const struct tn_judge *in, struct tn_findings *findings,
         struct tn_error *err)
{
    struct tn_judgement j = {
        .in = in, .arena = findings->arena, .findings = findings};
    struct tn_policies *pasts =
        tn_new_n(j.arena, struct tn_policies, in->n_pasts + 1);
    enum tn_code code = TN_OK;
    j.pasts = tn_new_n(j.arena, struct tn_past, in->n_pasts + 1);
    tn_docs_init(&j.docs, j.arena, in->source);
    if (in->policies) {
        j.policies = *in->policies;
    } else {
        code =
            tn_policies_load(in->source, j.arena, &j.policies, findings, err);
    }
    code = code ? code : pasts_load(&j, pasts, err);
    if (!code && in->destroy) {
        destroy_touch(&j);
    } else if (!code) {
        code = tn_judge_touch(&j, err);
    }
    if (code) {
        return tn_while(err, code, "judging");
    }
    if (in->destroy) {
        protection_judge(&j, &j.policies);
    } else {
        rules_judge(&j, pasts);
    }
    for (size_t i = 0; i < in->n_pasts; i++) {
        past_judge(&j, &pasts[i]);
    }
    if (!in->policies) {
        isolation_prove(&j);
    }
    return TN_OK;
}
