/* trace.c - one packet from its sender to where it ends, with reasons.
 *
 * Walks the questions of packet.c in the order in which a packet meets them,
 * and writes down what each answered and which line of the intent says so.
 * Where groups refuse, the walk goes on: whoever asks wants to know all that
 * stands in the way. */
#include "model/reach/engine.h"

#include <string.h>

enum { HOPS_MAX = 16, JUDGES_MAX = 64 };

struct walk {
    const struct tn_reach_trace *t;
    const struct tn_net_vpc *vpc; /* Where the packet is. */
    const struct tn_net_subnet *subnet;
    TN_VEC(struct tn_reach_step) steps;
    const struct tn_traffic *passes; /* So far. */
    bool bridged;
};

static struct tn_reach_step *step(struct walk *w, enum tn_reach_role role,
                                  bool passes, struct tn_origin at,
                                  const char *fmt, ...) TN_PRINTF(5, 6);

static struct tn_reach_step *
step(struct walk *w, enum tn_reach_role role, bool passes, struct tn_origin at,
     const char *fmt, ...)
{
    struct tn_reach_step *s = tn_vec_push(w->t->arena, &w->steps);
    va_list ap;
    va_start(ap, fmt);
    *s = (struct tn_reach_step){
        role,
        passes,
        tn_arena_vprintf(w->t->arena, fmt, ap),
        at,
    };
    va_end(ap);
    return s;
}

static const char *
shown(const struct walk *w, const struct tn_addr *a)
{
    char buf[TN_ADDR_TEXT];
    return tn_arena_strdup(w->t->arena, tn_addr_format(a, buf));
}

static const char *
prefix(const struct walk *w, const struct tn_cidr *c)
{
    char buf[TN_CIDR_TEXT];
    return tn_arena_strdup(w->t->arena, tn_cidr_format(c, buf));
}

static const char *
traffic_shown(const struct walk *w, const struct tn_traffic *t)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_traffic_print(&text, t);
    return tn_arena_strdup(w->t->arena, tn_text_str(&text));
}

static const struct tn_cidr *
covering(const struct tn_cidr *list, size_t n, const struct tn_addr *a)
{
    for (size_t i = 0; i < n; i++) {
        if (tn_cidr_contains(&list[i], a)) {
            return &list[i];
        }
    }
    return NULL;
}

/* ---- rules ----------------------------------------------------------------
 */

static const char *
group_names(const struct walk *w, const struct tn_net_port *port)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_add(&t, port->n_groups > 1 ? "groups " : "group ");
    for (size_t i = 0; i < port->n_groups; i++) {
        tn_text_addf(&t, "%s%s", i ? ", " : "", port->groups[i]->name);
    }
    return tn_arena_strdup(w->t->arena, tn_text_str(&t));
}

/* The judgement of one port's groups. */
struct judge {
    const struct tn_net_port *port;
    enum tn_direction direction;
    const struct tn_addr *remote;
};

/* Between outside and the VPC's prefixes that are known there. */
static const struct tn_traffic *
outside_judge(struct walk *w, const struct judge *j)
{
    const struct tn_net_outside *o = w->vpc->external;
    const struct tn_cidr *c = covering(o->prefixes, o->n_prefixes, j->remote);
    enum tn_reach_role role =
        j->direction == TN_INGRESS ? TN_REACH_INGRESS : TN_REACH_EGRESS;
    if (c) {
        step(w, role, true, o->origin, "external network %s has %s of %s",
             o->network->name, prefix(w, c), o->scope);
        return &tn_traffic_all;
    }
    step(w, role, false, o->origin,
         "%s is in no prefix that external network %s has of %s",
         shown(w, j->remote), o->network->name, o->scope);
    return &tn_traffic_none;
}

/* What the port's groups let through; a step for each rule that lets through
 * some of what is asked for, until all of it is. */
static const struct tn_traffic *
rules_judge(struct walk *w, const struct judge *j)
{
    struct tn_arena *arena = w->t->arena;
    const struct tn_traffic *all = &tn_traffic_none;
    const char *word = j->direction == TN_INGRESS ? "ingress" : "egress";
    enum tn_reach_role role =
        j->direction == TN_INGRESS ? TN_REACH_INGRESS : TN_REACH_EGRESS;
    if (tn_is_outside(j->port)) {
        return outside_judge(w, j);
    }
    for (size_t i = 0; i < j->port->n_groups; i++) {
        const struct tn_net_group *g = j->port->groups[i];
        for (size_t k = 0; k < g->n_rules; k++) {
            const struct tn_net_rule *rule = &g->rules[k];
            if (rule->direction != j->direction ||
                !tn_rule_covers(rule, j->remote)) {
                continue;
            }
            const struct tn_traffic *t = tn_traffic_of(
                arena, rule->protocol, rule->ports, rule->n_ports);
            const struct tn_traffic *fresh = tn_traffic_minus(
                arena, tn_traffic_and(arena, t, w->t->traffic), all);
            all = tn_traffic_or(arena, all, t);
            if (!tn_traffic_is_none(fresh)) {
                step(w, role, true, rule->origin,
                     "group %s of port %s allows %s %s %s by an %s rule",
                     g->name, j->port->name, traffic_shown(w, fresh),
                     j->direction == TN_INGRESS ? "from" : "to",
                     shown(w, j->remote), word);
            }
        }
    }
    const struct tn_traffic *rest = tn_traffic_minus(arena, w->t->traffic, all);
    if (tn_traffic_is_none(rest)) {
        return all;
    }
    if (j->port->n_groups) {
        step(w, role, false, j->port->groups[0]->origin,
             "no %s rule of %s of port %s allows %s %s %s", word,
             group_names(w, j->port), j->port->name, traffic_shown(w, rest),
             j->direction == TN_INGRESS ? "from" : "to", shown(w, j->remote));
    } else {
        step(w, role, false, j->port->origin,
             "port %s is in no group, so nothing gets in", j->port->name);
    }
    return all;
}

static void
egress(struct walk *w)
{
    const struct tn_net_port *port = w->t->port;
    if (!tn_port_restricted(port)) {
        step(w, TN_REACH_EGRESS, true, (struct tn_origin){0},
             "port %s has no egress rules: everything may leave", port->name);
        return;
    }
    w->passes = tn_traffic_and(
        w->t->arena, w->passes,
        rules_judge(w, &(struct judge){port, TN_EGRESS, &w->t->to}));
}

static const struct tn_traffic *
judge_claims(struct walk *w, const struct tn_net_port *const *claims, size_t n)
{
    const struct tn_traffic *all = &tn_traffic_none;
    for (size_t i = 0; i < n && i < JUDGES_MAX; i++) {
        all =
            tn_traffic_or(w->t->arena, all,
                          rules_judge(w, &(struct judge){claims[i], TN_INGRESS,
                                                         &w->t->from}));
    }
    return all;
}

/* Who judges what arrives by 'next': see tn_claims(). */
static void
ingress(struct walk *w, const struct tn_net_port *to,
        const struct tn_addr *next)
{
    const struct tn_host *host = w->t->port->host;
    const struct tn_net_port *claims[JUDGES_MAX];
    bool local = to->host == host;
    struct judge receiver = {to, TN_INGRESS, &w->t->from};
    const struct tn_traffic *all = &tn_traffic_all;
    if (local && w->bridged) {
        all = rules_judge(w, &receiver);
    } else {
        size_t n = tn_claims(w->subnet, host, next, claims, JUDGES_MAX);
        if (n) {
            all = judge_claims(w, claims, n);
        }
        if (!local) {
            all = tn_traffic_and(w->t->arena, all, rules_judge(w, &receiver));
        }
    }
    w->passes = tn_traffic_and(w->t->arena, w->passes, all);
}

/* ---- the way --------------------------------------------------------------
 */

static bool
source(struct walk *w)
{
    const struct tn_net_port *p = w->t->port;
    const char *a = shown(w, &w->t->from);
    if (tn_port_owns(p, &w->t->from)) {
        step(w, TN_REACH_SOURCE, true, p->origin, "%s is port %s's own", a,
             p->name);
        return true;
    }
    bool may = tn_port_may_use(w->t->vpc, p, &w->t->from) &&
               !tn_addr_never(&w->t->from);
    if (tn_is_outside(p)) {
        step(w, TN_REACH_SOURCE, may, p->origin,
             may ? "%s is outside, by external network %s"
                 : "%s is not outside: external network %s brings nothing from "
                   "there",
             a, w->t->vpc->external->network->name);
        return may;
    }
    step(w, TN_REACH_SOURCE, may, p->origin,
         may ? "port %s may use %s (allowedAddresses, or a route by it)"
             : "port %s may not use %s as its source",
         p->name, a);
    return may;
}

/* The step over a link; false if the packet is dropped. */
static bool
cross(struct walk *w, const struct tn_net_peering *p)
{
    const struct tn_net_peering *back = tn_peering_back(w->vpc, p);
    const struct tn_addr *from = &w->t->from, *to = &w->t->to;
    const char *peer = p->peer->scope;
    const struct tn_cidr *e = covering(p->exports, p->n_exports, from);
    const struct tn_cidr *i = covering(p->imports, p->n_imports, to);
    bool theirs = back && covering(back->imports, back->n_imports, from) &&
                  covering(back->exports, back->n_exports, to);
    if (e) {
        step(w, TN_REACH_EXPORT, true, p->origin, "%s exports %s to %s",
             w->vpc->scope, prefix(w, e), peer);
    } else {
        step(w, TN_REACH_EXPORT, false, p->origin,
             "%s does not export %s to %s", w->vpc->scope, shown(w, from),
             peer);
    }
    if (i && back) {
        step(w, TN_REACH_IMPORT, theirs || !e, back->origin,
             "%s exports %s to %s", peer, prefix(w, i), w->vpc->scope);
    } else {
        step(w, TN_REACH_IMPORT, false, p->origin, "%s has no peering with %s",
             peer, w->vpc->scope);
    }
    return e && i && theirs;
}

/* What a missing route means, in words. */
static void
no_route(struct walk *w)
{
    if (w->vpc->external && tn_outside_taken(w->vpc, &w->t->to)) {
        step(w, TN_REACH_ROUTE, false, w->vpc->external->network->origin,
             "%s is known outside as that of a VPC: nothing gets from %s to "
             "one by way of an external network",
             shown(w, &w->t->to), w->vpc->scope);
        return;
    }
    step(w, TN_REACH_ROUTE, false, w->vpc->origin,
         "%s has no route to %s: no subnet, static route or peering has it",
         w->vpc->scope, shown(w, &w->t->to));
}

/* Goes on until a subnet of some VPC has the packet; false: it is dropped. */
static bool
route(struct walk *w, const struct tn_addr **neighbour)
{
    const struct tn_addr *to = &w->t->to;
    for (unsigned hops = 0; hops < HOPS_MAX; hops++) {
        struct tn_hop hop = tn_hop_find(w->vpc, to);
        w->subnet = hop.subnet;
        *neighbour = to;
        switch (hop.kind) {
        case TN_HOP_NONE:
            no_route(w);
            return false;
        case TN_HOP_SUBNET:
            step(w, TN_REACH_ROUTE, true, hop.subnet->origin,
                 "%s is in subnet %s of %s", shown(w, to), hop.subnet->name,
                 w->vpc->scope);
            return true;
        case TN_HOP_STATIC:
            *neighbour = &hop.route->via;
            step(w, TN_REACH_ROUTE, true, hop.route->origin,
                 "%s routes %s to %s in subnet %s", w->vpc->scope,
                 prefix(w, &hop.route->to), shown(w, &hop.route->via),
                 hop.subnet->name);
            return true;
        case TN_HOP_PEER:
            if (!cross(w, hop.peering)) {
                return false;
            }
            w->vpc = hop.peering->peer;
        }
    }
    step(w, TN_REACH_ROUTE, false, w->vpc->origin,
         "the packet goes round in circles between peers");
    return false;
}

static const struct tn_net_port *
receiver(struct walk *w, const struct tn_addr *neighbour)
{
    const struct tn_net_port *holders[JUDGES_MAX];
    size_t n = tn_holders(w->subnet, neighbour, holders, JUDGES_MAX);
    const struct tn_net_port *to = n ? holders[0] : NULL;
    for (size_t i = 0; i < n && i < JUDGES_MAX; i++) {
        to = holders[i] == w->t->holder ? holders[i] : to;
    }
    if (!to) {
        step(w, TN_REACH_HOLDER, false, w->subnet->origin,
             "no port of subnet %s has %s", w->subnet->name,
             shown(w, neighbour));
    } else if (tn_is_outside(to)) {
        step(w, TN_REACH_HOLDER, true, to->origin,
             "%s is outside, in external network %s", shown(w, neighbour),
             w->vpc->external->network->name);
    } else {
        step(w, TN_REACH_HOLDER, true, to->origin, "%s is %s port %s/%s%s",
             shown(w, neighbour),
             tn_port_owns(to, neighbour) ? "that of" : "allowed to",
             w->vpc->tenant, to->name,
             n > 1 ? ", and to others: whichever answers first" : "");
    }
    return to;
}

/* ---- the way back ---------------------------------------------------------
 */

/* Answers pass all rules; they only need a way and a right to their source. */
static bool
answers(const struct walk *w, const struct tn_net_port *to)
{
    const struct tn_reach_trace *t = w->t;
    const struct tn_net_vpc *vpc = w->vpc;
    if (!tn_port_owns(to, &t->to) && !tn_port_may_use(vpc, to, &t->to)) {
        return false;
    }
    for (unsigned hops = 0; hops < HOPS_MAX; hops++) {
        struct tn_hop hop = tn_hop_find(vpc, &t->from);
        const struct tn_addr *n = &t->from;
        const struct tn_net_port *holders[JUDGES_MAX];
        if (hop.kind == TN_HOP_PEER) {
            const struct tn_net_peering *p = hop.peering;
            const struct tn_net_peering *b = tn_peering_back(vpc, p);
            if (!b || !covering(p->exports, p->n_exports, &t->to) ||
                !covering(b->imports, b->n_imports, &t->to) ||
                !covering(b->exports, b->n_exports, &t->from)) {
                return false;
            }
            vpc = p->peer;
            continue;
        }
        if (hop.kind == TN_HOP_NONE || vpc != t->vpc) {
            return false;
        }
        n = hop.kind == TN_HOP_STATIC ? &hop.route->via : n;
        size_t k = tn_holders(hop.subnet, n, holders, JUDGES_MAX);
        for (size_t i = 0; i < k && i < JUDGES_MAX; i++) {
            if (holders[i] == t->port) {
                return true;
            }
        }
        return false;
    }
    return false;
}

static void
finish(struct walk *w, struct tn_reach_part *out)
{
    out->traffic = w->passes;
    out->steps = w->steps.items;
    out->n_steps = w->steps.n;
}

/* The gateway answers echo requests of its own VPC, whatever groups say. */
static void
gateway(struct walk *w, const struct tn_net_subnet *of,
        struct tn_reach_part *out)
{
    static const struct tn_traffic echo = {.icmp = true};
    bool all = tn_traffic_within(w->t->traffic, &echo);
    step(w, TN_REACH_HOLDER, all, of->origin,
         "%s is the gateway of subnet %s, which answers echo only",
         shown(w, &w->t->to), of->name);
    w->passes = &echo;
    out->to_vpc = w->vpc;
    out->answered = true;
    out->verdict = all ? TN_REACH_YES : TN_REACH_NO;
    finish(w, out);
}

static void
arrive(struct walk *w, const struct tn_net_port *to, const struct tn_addr *next,
       struct tn_reach_part *out)
{
    out->to_vpc = w->vpc;
    out->to_port = to;
    ingress(w, to, next);
    if (tn_traffic_is_none(w->passes)) {
        return;
    }
    out->answered = answers(w, to);
    step(w, TN_REACH_RETURN, out->answered, (struct tn_origin){0},
         out->answered ? "answers of established flows return to %s"
                       : "no way leads answers back to %s",
         shown(w, &w->t->from));
    if (tn_traffic_within(w->t->traffic, w->passes)) {
        out->verdict = out->answered ? TN_REACH_YES : TN_REACH_ONE_WAY;
    }
}

void
tn_reach_trace(const struct tn_reach_trace *t, struct tn_reach_part *out)
{
    struct walk w = {.t = t, .vpc = t->vpc, .passes = &tn_traffic_all};
    const struct tn_addr *neighbour = NULL;
    const struct tn_net_port *to = NULL;
    *out = (struct tn_reach_part){
        .from_first = t->from,
        .from_last = t->from,
        .to_first = t->to,
        .to_last = t->to,
        .traffic = &tn_traffic_none,
    };
    bool good = source(&w);
    const struct tn_net_subnet *of = tn_gateway_of(t->vpc, &t->to);
    if (good && of) {
        gateway(&w, of, out);
        return;
    }
    if (good && tn_addr_never(&t->to)) {
        step(&w, TN_REACH_ROUTE, false, t->vpc->origin,
             "%s is carried by no VPC", shown(&w, &t->to));
        good = false;
    }
    if (good) {
        egress(&w);
    }
    if (good && route(&w, &neighbour)) {
        w.bridged = w.vpc == t->vpc && neighbour == &t->to &&
                    w.subnet == tn_subnet_of(t->vpc, t->port);
        of = tn_gateway_of(w.vpc, &t->to);
        if (of) {
            step(&w, TN_REACH_HOLDER, false, of->origin,
                 "%s is a gateway of %s, which answers its own VPC only",
                 shown(&w, &t->to), w.vpc->scope);
        } else {
            to = receiver(&w, neighbour);
        }
    }
    if (to && to == t->port) {
        step(&w, TN_REACH_HOLDER, false, to->origin,
             "that is the sender itself");
        to = NULL;
    }
    if (to) {
        arrive(&w, to, neighbour, out);
    } else {
        w.passes = &tn_traffic_none;
    }
    finish(&w, out);
}
