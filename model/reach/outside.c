/* outside.c - what is outside, as one more port.
 *
 * For the engine, a VPC in an external network has a further subnet, that
 * network, and in it one port: the router outside, with all addresses behind
 * it and a default route to it.  Its one group lets in and out what passes
 * between there and the VPC's prefixes.  What belongs to some VPC in an
 * external network is not outside for any: tn_hop_find() leads nowhere then.
 *
 * So a network is looked at with copies of its VPCs, as peerings point from one
 * to another; what has not changed in them is shared. */
#include "model/reach/engine.h"

#include <stdlib.h>
#include <string.h>

/* The port, first: a subnet's ports are found by their place in its array. */
struct outside {
    struct tn_net_port port;
    const struct tn_cidr *taken; /* Sorted, disjoint. */
    size_t n_taken;
};

struct view {
    struct tn_arena *arena;
    const struct tn_network *network;
    struct tn_net_vpc *copies;
    const struct tn_cidr *taken;
    size_t n_taken;
};

static const struct tn_cidr everything[] = {{{TN_AF_IPV4, {0}}, 0},
                                            {{TN_AF_IPV6, {0}}, 0}};

/* Its address is what tells such a port. */
static const char nowhere[] = "";

bool
tn_is_outside(const struct tn_net_port *port)
{
    return port->interface == nowhere;
}

static const struct outside *
outside_of(const struct tn_net_vpc *vpc)
{
    for (size_t i = vpc->external ? vpc->n_subnets : 0; i-- > 0;) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        if (s->n_ports == 1 && tn_is_outside(s->ports)) {
            return (const void *) s->ports;
        }
    }
    return NULL;
}

bool
tn_outside_taken(const struct tn_net_vpc *vpc, const struct tn_addr *a)
{
    const struct outside *o = outside_of(vpc);
    size_t lo = 0, hi = o ? o->n_taken : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (tn_cidr_contains(&o->taken[mid], a)) {
            return true;
        }
        if (tn_addr_cmp(&o->taken[mid].addr, a) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}

const struct tn_cidr *
tn_outside_cuts(const struct tn_net_vpc *vpc, size_t *n)
{
    const struct outside *o = outside_of(vpc);
    *n = o ? o->n_taken : 0;
    return o ? o->taken : NULL;
}

/* ---- the port --------------------------------------------------------------
 */

static const struct tn_net_group *
group_new(struct tn_arena *arena, const struct tn_net_outside *o,
          const char *name)
{
    struct tn_net_group *g = tn_new(arena, struct tn_net_group);
    struct tn_net_rule *rules =
        tn_new_n(arena, struct tn_net_rule, 2 * o->n_prefixes);
    for (size_t i = 0; i < 2 * o->n_prefixes; i++) {
        rules[i] = (struct tn_net_rule){
            .direction = i % 2 ? TN_EGRESS : TN_INGRESS,
            .protocol = TN_PROTO_ANY,
            .remote = o->prefixes[i / 2],
            .origin = o->origin,
        };
    }
    *g = (struct tn_net_group){
        .name = name,
        .rules = rules,
        .n_rules = 2 * o->n_prefixes,
        .has_egress = true,
        .origin = o->origin,
    };
    return g;
}

/* No port of a VPC is on that host: what is outside judges nobody else's. */
static const struct tn_host *
host_new(struct tn_arena *arena, const char *name)
{
    struct tn_host *host = tn_new(arena, struct tn_host);
    host->raw.name = name;
    return host;
}

static const struct tn_net_port *
port_new(const struct view *v, const struct tn_net_outside *o, const char *name)
{
    const struct tn_net_external *e = o->network;
    struct outside *out = tn_new(v->arena, struct outside);
    const struct tn_net_group **groups =
        tn_new_n(v->arena, const struct tn_net_group *, 1);
    bool four = o->address.family == TN_AF_IPV4;
    bool six = o->address.family == TN_AF_IPV6 || tn_addr_present(&o->address6);
    groups[0] = group_new(v->arena, o, name);
    *out = (struct outside){
        .port =
            {
                .name = name,
                .host = host_new(v->arena, name),
                .address = e->gateway,
                .address6 = tn_addr_present(&o->address6) ? e->gateway6
                                                          : (struct tn_addr){0},
                .allowed = four ? everything : everything + 1,
                .n_allowed = (size_t) four + six,
                .groups = groups,
                .n_groups = 1,
                .interface = nowhere,
                .origin = e->origin,
            },
        .taken = v->taken,
        .n_taken = v->n_taken,
    };
    return &out->port;
}

static void
subnets_extend(const struct view *v, struct tn_net_vpc *vpc)
{
    const struct tn_net_outside *o = vpc->external;
    const struct tn_net_external *e = o->network;
    size_t n = vpc->n_subnets;
    struct tn_net_subnet *list =
        tn_new_n(v->arena, struct tn_net_subnet, n + 1);
    const char *name = tn_arena_printf(v->arena, "external:%s", e->name);
    if (n) {
        memcpy(list, vpc->subnets, n * sizeof *list);
    }
    list[n] = (struct tn_net_subnet){
        .name = name,
        .cidr = e->cidr,
        .gateway = o->address,
        .gateway6 = o->address6,
        .ports = port_new(v, o, name),
        .n_ports = 1,
        .origin = e->origin,
    };
    if (tn_addr_present(&o->address6)) {
        list[n].cidr6 = e->cidr6;
    }
    vpc->subnets = list;
    vpc->n_subnets = n + 1;
}

static int
route_cmp(const void *a, const void *b)
{
    const struct tn_net_route *x = a, *y = b;
    return tn_cidr_cmp(&x->to, &y->to);
}

/* 'was': the subnets that routes still point to. */
static void
routes_extend(const struct view *v, struct tn_net_vpc *vpc,
              const struct tn_net_subnet *was)
{
    const struct tn_net_subnet *out = &vpc->subnets[vpc->n_subnets - 1];
    const struct tn_net_port *port = out->ports;
    size_t n = vpc->n_routes;
    struct tn_net_route *list = tn_new_n(v->arena, struct tn_net_route, n + 2);
    for (size_t i = 0; i < n; i++) {
        const struct tn_net_subnet *s = vpc->routes[i].subnet;
        list[i] = vpc->routes[i];
        list[i].subnet = s ? &vpc->subnets[s - was] : NULL;
    }
    for (size_t i = 0; i < port->n_allowed; i++) {
        bool first = port->allowed[i].addr.family == port->address.family;
        list[n++] = (struct tn_net_route){
            .to = port->allowed[i],
            .via = first ? port->address : port->address6,
            .subnet = out,
            .origin = vpc->external_origin,
        };
    }
    qsort(list, n, sizeof *list, route_cmp);
    vpc->routes = list;
    vpc->n_routes = n;
}

/* ---- the network -----------------------------------------------------------
 */

static int
cidr_cmp(const void *a, const void *b)
{
    return tn_cidr_cmp(a, b);
}

static void
taken_fill(struct view *v)
{
    TN_VEC(struct tn_cidr) list = {0};
    for (size_t i = 0; i < v->network->n_externals; i++) {
        const struct tn_net_external *e = &v->network->externals[i];
        for (size_t k = 0; k < e->n_vpcs; k++) {
            const struct tn_net_outside *o = &e->vpcs[k];
            *tn_vec_push(v->arena, &list) = tn_cidr_of_addr(&o->address);
            if (tn_addr_present(&o->address6)) {
                *tn_vec_push(v->arena, &list) = tn_cidr_of_addr(&o->address6);
            }
            for (size_t j = 0; j < o->n_prefixes; j++) {
                *tn_vec_push(v->arena, &list) = o->prefixes[j];
            }
        }
    }
    if (list.n) {
        qsort(list.items, list.n, sizeof *list.items, cidr_cmp);
    }
    v->taken = list.items;
    v->n_taken = list.n;
}

static struct tn_net_vpc *
copy_of(const struct view *v, const struct tn_net_vpc *vpc)
{
    const struct tn_network *n = v->network;
    size_t lo = 0, hi = n->n_vpcs;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(n->vpcs[mid]->scope, vpc->scope);
        if (c == 0) {
            return n->vpcs[mid] == vpc ? &v->copies[mid] : NULL;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

static void
peerings_turn(const struct view *v, struct tn_net_vpc *vpc)
{
    struct tn_net_peering *list =
        tn_new_n(v->arena, struct tn_net_peering, vpc->n_peerings);
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        list[i] = vpc->peerings[i];
        const struct tn_net_vpc *copy = copy_of(v, list[i].peer);
        list[i].peer = copy ? copy : list[i].peer;
    }
    vpc->peerings = list;
}

const struct tn_network *
tn_outside_view(struct tn_arena *arena, const struct tn_network *network)
{
    struct view v = {.arena = arena, .network = network};
    bool any = false;
    size_t n = network && network->n_externals ? network->n_vpcs : 0;
    for (size_t i = 0; i < n && !any; i++) {
        any = network->vpcs[i]->external;
    }
    if (!any) {
        return network;
    }
    taken_fill(&v);
    v.copies = tn_new_n(arena, struct tn_net_vpc, n);
    const struct tn_net_vpc **vpcs =
        tn_new_n(arena, const struct tn_net_vpc *, n);
    for (size_t i = 0; i < n; i++) {
        struct tn_net_vpc *vpc = &v.copies[i];
        const struct tn_net_subnet *was = network->vpcs[i]->subnets;
        *vpc = *network->vpcs[i];
        vpcs[i] = vpc;
        peerings_turn(&v, vpc);
        if (vpc->external) {
            subnets_extend(&v, vpc);
            routes_extend(&v, vpc, was);
        }
    }
    struct tn_network *out = tn_new(arena, struct tn_network);
    *out = *network;
    out->vpcs = vpcs;
    return out;
}
