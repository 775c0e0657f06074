/* assert.c - claims of policies about who may talk to whom.
 *
 * Ports that selectors fit are marked, so that no class mixes them with others;
 * then a claim is about pairs of classes. */
#include "model/reach/engine.h"

#include <string.h>

enum { MARK_FROM = 1, MARK_TO = 2 };

struct asserting {
    struct tn_reach *reach;
    const struct tn_reach_assertion *claim;
    struct tn_pool *pool;
    const size_t *n_from; /* Ports of each VPC that 'from' fits. */
    TN_VEC(struct tn_reach_breach) list;
};

static bool
fits_text(const char *wanted, const char *is)
{
    return !wanted || strcmp(wanted, is) == 0;
}

static bool
fits_vpc(const struct tn_reach_selector *s, const struct tn_net_vpc *vpc)
{
    return fits_text(s->tenant, vpc->tenant) && fits_text(s->vpc, vpc->name);
}

static bool
fits(const struct tn_reach_selector *s, const struct tn_net_vpc *vpc,
     const struct tn_net_subnet *subnet, const struct tn_net_port *port)
{
    bool group = !s->group;
    if (tn_is_outside(port)) {
        return !s->tenant && !s->vpc && !s->subnet && !s->group && !s->port &&
               !s->match;
    }
    if (!fits_vpc(s, vpc) || !fits_text(s->subnet, subnet->name) ||
        !fits_text(s->port, port->name)) {
        return false;
    }
    for (size_t i = 0; i < port->n_groups && !group; i++) {
        group = strcmp(port->groups[i]->name, s->group) == 0;
    }
    return group && (!s->match || s->match(vpc, subnet, port, s->user));
}

static size_t
count(const struct tn_reach_selector *s, const struct tn_net_vpc *vpc)
{
    size_t n = 0;
    for (size_t i = 0; fits_vpc(s, vpc) && i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            n += fits(s, vpc, &vpc->subnets[i], &vpc->subnets[i].ports[k]);
        }
    }
    return n;
}

static void
mark(const struct tn_reach_assertion *claim, struct tn_ends *ends)
{
    for (size_t i = 0; i < ends->n; i++) {
        struct tn_end *e = &ends->items[i];
        e->mark =
            (fits(&claim->from, e->e.vpc, e->e.subnet, e->e.port) ? MARK_FROM
                                                                  : 0) |
            (fits(&claim->to, e->e.vpc, e->e.subnet, e->e.port) ? MARK_TO : 0);
    }
}

/* Does the claim speak of packets from 'a' to 'b'? */
static bool
concerns(const struct asserting *as, const struct tn_end *a,
         const struct tn_end *b)
{
    if (!(b->mark & MARK_TO)) {
        return false;
    }
    switch (as->claim->claim) {
    case TN_REACH_NEVER:
        return a->mark & MARK_FROM;
    case TN_REACH_ONLY:
        return !(a->mark & MARK_FROM);
    case TN_REACH_ALWAYS:
        return (a->mark & MARK_FROM) && a->e.kind == TN_REACH_OWN &&
               b->e.kind == TN_REACH_OWN && !tn_is_outside(a->e.port) &&
               !tn_is_outside(b->e.port) &&
               a->e.first.family == b->e.first.family;
    }
    return false;
}

/* What of the traffic between two classes breaks the claim. */
static const struct tn_traffic *
broken(struct asserting *as, struct tn_flows *flows, uint32_t a, uint32_t b)
{
    bool answered = true;
    const struct tn_traffic *t = tn_flow(flows, a, b, &answered);
    const struct tn_traffic *wanted =
        tn_pool_take(as->pool, as->claim->traffic);
    if (as->claim->claim == TN_REACH_ALWAYS) {
        return answered ? tn_pool_minus(as->pool, wanted, t) : wanted;
    }
    return tn_pool_and(as->pool, wanted, t);
}

static void
breach(struct asserting *as, const struct tn_flows *flows, uint32_t a,
       uint32_t b, const struct tn_traffic *traffic)
{
    const struct tn_end *x = NULL, *y = NULL;
    struct tn_reach_part part;
    if (as->list.n == TN_REACH_BREACHES ||
        !tn_flow_example(flows, a, b, &x, &y)) {
        return;
    }
    tn_reach_trace(
        &(struct tn_reach_trace){
            .arena = as->reach->arena,
            .vpc = x->e.vpc,
            .port = x->e.port,
            .from = x->e.first,
            .to = y->e.first,
            .holder = y->e.port,
            .traffic = traffic,
        },
        &part);
    *tn_vec_push(as->reach->arena, &as->list) = (struct tn_reach_breach){
        .from = &x->e,
        .to = &y->e,
        .traffic = traffic,
        .n_pairs = tn_flow_pairs(flows, a, b),
        .steps = part.steps,
        .n_steps = part.n_steps,
    };
}

static void
check_pair(struct asserting *as, const struct tn_net_vpc *from,
           const struct tn_net_vpc *to)
{
    struct tn_arena *arena = as->reach->arena;
    const struct tn_net_vpc *vpcs[2] = {from, to};
    size_t n = from == to ? 1 : 2;
    struct tn_cuts *cuts = tn_cuts_new(arena, vpcs, n, false);
    struct tn_ends *ends = tn_new_n(arena, struct tn_ends, 2);
    struct tn_flows flows;
    for (size_t i = 0; i < n; i++) {
        tn_ends_list(arena, cuts, vpcs[i], &ends[i]);
        mark(as->claim, &ends[i]);
        tn_ends_class(arena, &ends[i],
                      tn_vpc_has_claims(from) || tn_vpc_has_claims(to));
    }
    tn_flows_init(&flows, as->pool, &ends[0], &ends[n - 1]);
    for (uint32_t a = 0; a < flows.from->n_classes; a++) {
        for (uint32_t b = 0; b < flows.to->n_classes; b++) {
            const struct tn_end *x = &flows.from->items[flows.from->first[a]];
            const struct tn_end *y = &flows.to->items[flows.to->first[b]];
            const struct tn_traffic *t = concerns(as, x, y)
                                             ? broken(as, &flows, a, b)
                                             : &tn_traffic_none;
            if (t != &tn_traffic_none) {
                breach(as, &flows, a, b, t);
            }
        }
    }
}

static bool
are_peers(const struct tn_net_vpc *a, const struct tn_net_vpc *b)
{
    for (size_t i = 0; i < a->n_peerings; i++) {
        if (a->peerings[i].peer == b) {
            return true;
        }
    }
    return false;
}

/* ALWAYS, of two VPCs that nothing joins: each such pair is a breach. */
static void
check_strangers(struct asserting *as, const struct tn_net_vpc *to)
{
    const struct tn_network *n = as->reach->network;
    for (size_t i = 0; i < n->n_vpcs && as->list.n < TN_REACH_BREACHES; i++) {
        const struct tn_net_vpc *from = n->vpcs[i];
        if (from != to && as->n_from[i] && !are_peers(from, to)) {
            check_pair(as, from, to);
        }
    }
}

static void
check_to(struct asserting *as, const struct tn_net_vpc *to)
{
    const struct tn_reach_selector *from = &as->claim->from;
    bool others = as->claim->claim == TN_REACH_ONLY;
    if (others || fits_vpc(from, to)) {
        check_pair(as, to, to);
    }
    for (size_t i = 0; i < to->n_peerings; i++) {
        const struct tn_net_vpc *peer = to->peerings[i].peer;
        if (others || fits_vpc(from, peer)) {
            check_pair(as, peer, to);
        }
    }
    if (as->claim->claim == TN_REACH_ALWAYS) {
        check_strangers(as, to);
    }
}

void
tn_reach_assert(struct tn_reach *reach,
                const struct tn_reach_assertion *assertion,
                struct tn_reach_outcome *out)
{
    struct asserting as = {
        .reach = reach,
        .claim = assertion,
        .pool = tn_pool_new(reach->arena),
    };
    const struct tn_network *net = reach->network;
    size_t *from = tn_new_n(reach->arena, size_t, net->n_vpcs + 1);
    *out = (struct tn_reach_outcome){0};
    for (size_t i = 0; i < net->n_vpcs; i++) {
        from[i] = count(&assertion->from, net->vpcs[i]);
        out->n_from += from[i];
    }
    as.n_from = from;
    for (size_t i = 0; i < net->n_vpcs; i++) {
        size_t n = count(&assertion->to, net->vpcs[i]);
        out->n_to += n;
        if (n && as.list.n < TN_REACH_BREACHES) {
            check_to(&as, net->vpcs[i]);
        }
    }
    out->items = as.list.items;
    out->n = as.list.n;
}
