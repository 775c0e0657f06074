/* rules_reach.c - assertions about who reaches whom.
 *
 * The engine is model/reach's; here a policy's words become its question, and a
 * breach becomes a sentence with the lines that decide. */
#include "reconciler/policy/work.h"

#include <string.h>

static struct tn_reach_selector
selector(const struct tn_policy_ends *e)
{
    return (struct tn_reach_selector){
        .tenant = e->tenant.v,
        .vpc = e->vpc.v,
        .subnet = e->subnet.v,
        .group = e->group.v,
        .port = e->port.v,
    };
}

/* The step that lets it through, or that stops it. */
static struct tn_origin
deciding(const struct tn_reach_breach *b, bool should_pass)
{
    struct tn_origin at = {0};
    for (size_t i = 0; i < b->n_steps; i++) {
        if (b->steps[i].at.path && b->steps[i].passes != should_pass) {
            at = b->steps[i].at;
        }
    }
    return at.path ? at : b->to->port->origin;
}

static void
breach_object(struct tn_judgement *j, const struct tn_policy_rule *r,
              const struct tn_reach_breach *b)
{
    bool always = r->doc->reach.v == TN_POLICY_ALWAYS;
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_addf(&t, "%s/%s (%s) %s %s/%s (%s): ", b->from->vpc->tenant,
                 b->from->port->name, b->from->vpc->scope,
                 always ? "does not reach" : "reaches", b->to->vpc->tenant,
                 b->to->port->name, b->to->vpc->scope);
    tn_traffic_print(&t, b->traffic);
    if (b->n_pairs > 1) {
        tn_text_addf(&t, "; and %zu more such pairs", b->n_pairs - 1);
    }
    tn_judge_object(
        j, r,
        &(struct tn_objection){
            .message = tn_arena_strdup(j->arena, tn_text_str(&t)),
            .at = deciding(b, always),
            .tenant = b->to->vpc->tenant,
            .subject = tn_arena_printf(j->arena, "%s/%s", b->to->vpc->scope,
                                       b->to->port->name),
        });
}

static bool
is_touched(const struct tn_judgement *j, const struct tn_net_vpc *vpc)
{
    size_t lo = 0, hi = j->touched.n; /* By scope. */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct tn_touch *t = &j->touched.items[mid];
        int c = strcmp(t->scope, vpc->scope);
        if (c == 0) {
            return j->whole || !t->labels;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}

/* A breach between two VPCs that are as they were was accepted.  Where there
 * are more than are looked for, nobody knows which are missing: all count. */
static bool
is_new(const struct tn_judgement *j, const struct tn_reach_outcome *outcome,
       const struct tn_reach_breach *b)
{
    return outcome->n >= TN_REACH_BREACHES || is_touched(j, b->from->vpc) ||
           is_touched(j, b->to->vpc);
}

/* Names that nobody has would make 'never' true of nothing. */
static void
nobody(struct tn_judgement *j, const struct tn_policy_rule *r,
       const char *which)
{
    tn_finding_add(
        j->findings,
        &(struct tn_finding){
            .severity = TN_SEVERITY_WARN,
            .rule = r->name,
            .message = tn_arena_printf(
                j->arena, "no port fits '%s': nothing is asserted", which),
            .at = r->law,
            .law = r->law,
        });
}

void
tn_policy_rule_reach(struct tn_judgement *j, const struct tn_policy_rule *r)
{
    static const enum tn_reach_claim claims[] = {
        [TN_POLICY_NEVER] = TN_REACH_NEVER,
        [TN_POLICY_ALWAYS] = TN_REACH_ALWAYS,
        [TN_POLICY_ONLY] = TN_REACH_ONLY,
    };
    const struct tn_policy *p = r->doc;
    struct tn_reach_assertion a = {
        .claim = claims[p->reach.v],
        .from = selector(&p->from),
        .to = selector(&p->to),
        .traffic = tn_traffic_of(j->arena, (enum tn_protocol) p->protocol.v,
                                 p->ports.items, p->ports.n),
    };
    struct tn_reach_outcome outcome;
    if (j->touched.n == 0) {
        return; /* As it was proven before. */
    }
    tn_reach_assert(tn_reach_new(j->arena, j->in->network), &a, &outcome);
    if (outcome.n_from == 0) {
        nobody(j, r, "from");
    }
    if (outcome.n_to == 0) {
        nobody(j, r, "to");
    }
    for (size_t i = 0; i < outcome.n; i++) {
        if (is_new(j, &outcome, &outcome.items[i])) {
            breach_object(j, r, &outcome.items[i]);
        }
    }
}
