/* flow.c - all traffic from one class of ends to another.
 *
 * One end of each class stands for it.  What a group lets through depends on
 * the class at the other end only, so it is computed once for each pair of
 * group and class; what is left for a pair of classes is a look at the way and
 * a few operations on sets that the pool remembers. */
#include "model/reach/engine.h"

struct tn_flow_side {
    const struct tn_net_vpc *vpc;
    const struct tn_ends *ends, *others;
    enum tn_direction direction;      /* Of the rules that judge here. */
    const struct tn_traffic **groups; /* By group, class of the others. */
    struct tn_hop *here, *there;      /* To each class: from this VPC, and the
                                         other. */
};

static const struct tn_end *
sample(const struct tn_ends *ends, uint32_t class)
{
    return &ends->items[ends->first[class]];
}

static struct tn_flow_side *
side_new(struct tn_flows *f, const struct tn_ends *ends,
         const struct tn_ends *others, enum tn_direction direction)
{
    struct tn_arena *arena = tn_pool_arena(f->pool);
    struct tn_flow_side *s = tn_new(arena, struct tn_flow_side);
    *s = (struct tn_flow_side){
        .vpc = ends->vpc,
        .ends = ends,
        .others = others,
        .direction = direction,
        .groups = tn_new_n(arena, const struct tn_traffic *,
                           ends->vpc->n_groups * others->n_classes + 1),
        .here = tn_new_n(arena, struct tn_hop, ends->n_classes + 1),
        .there = tn_new_n(arena, struct tn_hop, ends->n_classes + 1),
    };
    for (uint32_t i = 0; i < ends->n_classes; i++) {
        const struct tn_addr *a = &sample(ends, i)->e.first;
        s->here[i] = tn_hop_find(ends->vpc, a);
        s->there[i] =
            ends->vpc == others->vpc ? s->here[i] : tn_hop_find(others->vpc, a);
    }
    return s;
}

void
tn_flows_init(struct tn_flows *flows, struct tn_pool *pool,
              struct tn_ends *from, struct tn_ends *to)
{
    *flows = (struct tn_flows){.pool = pool, .from = from, .to = to};
    flows->sides[0] = side_new(flows, from, to, TN_EGRESS);
    flows->sides[1] = side_new(flows, to, from, TN_INGRESS);
}

static const struct tn_traffic *
compute_group(struct tn_flows *f, const struct tn_flow_side *s,
              const struct tn_net_group *group, const struct tn_addr *remote)
{
    struct tn_arena *arena = tn_pool_arena(f->pool);
    const struct tn_traffic *all = &tn_traffic_none;
    for (size_t i = 0; i < group->n_rules; i++) {
        const struct tn_net_rule *rule = &group->rules[i];
        if (rule->direction == s->direction && tn_rule_covers(rule, remote)) {
            all = tn_pool_or(
                f->pool, all,
                tn_pool_take(f->pool,
                             tn_traffic_of(arena, rule->protocol, rule->ports,
                                           rule->n_ports)));
        }
    }
    return all;
}

/* What a group says of the class at the other end. */
static const struct tn_traffic *
of_group(struct tn_flows *f, struct tn_flow_side *s,
         const struct tn_net_group *group, uint32_t other)
{
    const struct tn_addr *remote = &sample(s->others, other)->e.first;
    uintptr_t base = (uintptr_t) s->vpc->groups, at = (uintptr_t) group - base;
    if ((uintptr_t) group < base ||
        at >= s->vpc->n_groups * sizeof *s->vpc->groups) {
        return compute_group(f, s, group, remote); /* Isolation tells. */
    }
    at /= sizeof *s->vpc->groups;
    const struct tn_traffic **slot =
        &s->groups[at * s->others->n_classes + other];
    if (!*slot) {
        *slot = compute_group(f, s, group, remote);
    }
    return *slot;
}

static const struct tn_traffic *
egress(struct tn_flows *f, const struct tn_end *from, uint32_t b)
{
    const struct tn_traffic *all = &tn_traffic_none;
    if (!tn_port_restricted(from->e.port)) {
        return &tn_traffic_all;
    }
    for (size_t i = 0; i < from->e.port->n_groups; i++) {
        if (from->e.port->groups[i]->has_egress) {
            all = tn_pool_or(
                f->pool, all,
                of_group(f, f->sides[0], from->e.port->groups[i], b));
        }
    }
    return all;
}

static const struct tn_traffic *
ingress_of(struct tn_flows *f, const struct tn_net_port *port, uint32_t a)
{
    const struct tn_traffic *all = &tn_traffic_none;
    for (size_t i = 0; i < port->n_groups; i++) {
        all = tn_pool_or(f->pool, all,
                         of_group(f, f->sides[1], port->groups[i], a));
    }
    return all;
}

/* The groups that judge at the receiver: see tn_claims(). */
static const struct tn_traffic *
ingress(struct tn_flows *f, const struct tn_end *from, const struct tn_end *to,
        bool bridged, uint32_t a)
{
    const struct tn_host *host = from->e.port->host;
    bool local = to->e.port->host == host;
    const struct tn_addr *next =
        to->e.kind == TN_REACH_BEHIND ? &to->route->via : &to->e.first;
    const struct tn_net_port *claims[64];
    const struct tn_traffic *all = &tn_traffic_all;
    if (local && (bridged || to->e.kind == TN_REACH_OWN)) {
        return ingress_of(f, to->e.port, a);
    }
    size_t n = tn_claims(to->e.subnet, host, next, claims, 64);
    if (n) {
        all = &tn_traffic_none;
        for (size_t i = 0; i < n && i < 64; i++) {
            all = tn_pool_or(f->pool, all, ingress_of(f, claims[i], a));
        }
    }
    return local ? all
                 : tn_pool_and(f->pool, all, ingress_of(f, to->e.port, a));
}

/* Does this VPC give what it routes so to this end? */
static bool
leads_to(const struct tn_hop *hop, const struct tn_end *end)
{
    if (!end->receives) {
        return false;
    }
    if (end->e.kind == TN_REACH_BEHIND) {
        return hop->kind == TN_HOP_STATIC && hop->route == end->route;
    }
    return hop->kind == TN_HOP_SUBNET && hop->subnet == end->e.subnet;
}

/* Does a packet that is at home in s->vpc get from the one VPC to the other,
 * over their link?  'class' is that of its destination. */
static bool
crosses(const struct tn_net_vpc *vpc, const struct tn_hop *hop,
        const struct tn_net_vpc *peer, const struct tn_addr *source,
        const struct tn_addr *destination)
{
    if (hop->kind != TN_HOP_PEER || hop->peering->peer != peer ||
        !tn_cidrs_have(hop->peering->exports, hop->peering->n_exports,
                       source)) {
        return false;
    }
    const struct tn_net_peering *back = tn_peering_back(vpc, hop->peering);
    return back && tn_cidrs_have(back->imports, back->n_imports, source) &&
           tn_cidrs_have(back->exports, back->n_exports, destination);
}

/* The way of packets from one end to another; hops lead to 'to'. */
static bool
arrives(const struct tn_net_vpc *vpc, const struct tn_end *from,
        const struct tn_end *to, const struct tn_hop *there,
        const struct tn_hop *here)
{
    if (vpc == to->e.vpc) {
        return leads_to(here, to);
    }
    return crosses(vpc, there, to->e.vpc, &from->e.first, &to->e.first) &&
           leads_to(here, to);
}

static bool
one_port(const struct tn_flows *f, uint32_t a, uint32_t b)
{
    const struct tn_end *x = f->from->items, *y = f->to->items;
    const struct tn_net_port *port = x[f->from->first[a]].e.port;
    return f->from->vpc == f->to->vpc &&
           port == x[f->from->first[a + 1] - 1].e.port &&
           port == y[f->to->first[b]].e.port &&
           port == y[f->to->first[b + 1] - 1].e.port;
}

const struct tn_traffic *
tn_flow(struct tn_flows *flows, uint32_t a, uint32_t b, bool *answered)
{
    const struct tn_end *from = sample(flows->from, a);
    const struct tn_end *to = sample(flows->to, b);
    struct tn_flow_side *s = flows->sides[0], *t = flows->sides[1];
    if (answered) {
        *answered = false;
    }
    if (!from->sends || from->e.first.family != to->e.first.family ||
        one_port(flows, a, b) ||
        !arrives(s->vpc, from, to, &t->there[b], &t->here[b])) {
        return &tn_traffic_none;
    }
    bool bridged = from->e.subnet == to->e.subnet &&
                   tn_subnet_covers(to->e.subnet, &to->e.first);
    const struct tn_traffic *all = egress(flows, from, b);
    if (all != &tn_traffic_none) {
        all =
            tn_pool_and(flows->pool, all, ingress(flows, from, to, bridged, a));
    }
    if (answered && all != &tn_traffic_none) {
        *answered = arrives(t->vpc, to, from, &s->there[a], &s->here[a]) &&
                    (to->e.kind == TN_REACH_OWN ||
                     tn_port_may_use(t->vpc, to->e.port, &to->e.first));
    }
    return all;
}

size_t
tn_flow_pairs(const struct tn_flows *flows, uint32_t a, uint32_t b)
{
    const struct tn_end *x = flows->from->items, *y = flows->to->items;
    uint32_t i = flows->from->first[a], i_end = flows->from->first[a + 1];
    uint32_t k = flows->to->first[b], k_end = flows->to->first[b + 1];
    size_t n = (size_t) (i_end - i) * (k_end - k);
    if (flows->from->vpc != flows->to->vpc) {
        return n;
    }
    while (i < i_end && k < k_end) {
        const struct tn_net_port *p = x[i].e.port, *q = y[k].e.port;
        if (p == q) {
            uint32_t same_x = 0, same_y = 0;
            for (; i < i_end && x[i].e.port == p; i++) {
                same_x++;
            }
            for (; k < k_end && y[k].e.port == p; k++) {
                same_y++;
            }
            n -= (size_t) same_x * same_y;
        } else if (p < q) {
            i++;
        } else {
            k++;
        }
    }
    return n;
}

bool
tn_flow_example(const struct tn_flows *flows, uint32_t a, uint32_t b,
                const struct tn_end **from, const struct tn_end **to)
{
    const struct tn_end *x = flows->from->items, *y = flows->to->items;
    const struct tn_end *first = &x[flows->from->first[a]];
    const struct tn_end *last = &y[flows->to->first[b + 1] - 1];
    if (one_port(flows, a, b)) {
        return false;
    }
    /* Of the ends of a class, sorted by port, the first and the last differ,
     * or those of the other class do. */
    *from = first;
    *to = last;
    if (flows->from->vpc == flows->to->vpc && first->e.port == last->e.port) {
        *to = &y[flows->to->first[b]];
        if ((*to)->e.port == first->e.port) {
            *from = &x[flows->from->first[a + 1] - 1];
            *to = last;
        }
    }
    return true;
}
