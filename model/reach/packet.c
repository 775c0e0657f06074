/* packet.c - what the data plane does with one packet, question by question.
 *
 * Each function is one decision of docs/kernel.md and of the rules that the
 * kernel driver renders: who may use an address, where a VPC routes it, who on
 * a bridge gets it, and whose groups judge it.  Nothing here knows of classes;
 * what the decisions add up to is in trace.c (with reasons) and flow.c. */
#include "model/reach/engine.h"

#include <stdlib.h>

const struct tn_cidr tn_never[] = {
    {{TN_AF_IPV4, {0}}, 8},           {{TN_AF_IPV4, {127}}, 8},
    {{TN_AF_IPV4, {224}}, 3},         {{TN_AF_IPV6, {0}}, 127},
    {{TN_AF_IPV6, {0xfe, 0x80}}, 10}, {{TN_AF_IPV6, {0xff}}, 8},
};
const size_t tn_n_never = TN_ARRAY_SIZE(tn_never);

bool
tn_cidrs_have(const struct tn_cidr *cidrs, size_t n, const struct tn_addr *a)
{
    for (size_t i = 0; i < n; i++) {
        if (tn_cidr_contains(&cidrs[i], a)) {
            return true;
        }
    }
    return false;
}

bool
tn_addr_never(const struct tn_addr *a)
{
    return tn_cidrs_have(tn_never, tn_n_never, a);
}

/* Takes 'hop' if 'c' has the address and is longer than '*len'. */
static void
consider(struct tn_hop *best, int *len, const struct tn_cidr *c,
         const struct tn_addr *a, struct tn_hop hop)
{
    if (c->len > *len && tn_cidr_contains(c, a)) {
        *best = hop;
        *len = c->len;
    }
}

struct tn_hop
tn_hop_find(const struct tn_net_vpc *vpc, const struct tn_addr *a)
{
    struct tn_hop best = {0};
    int len = -1;
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        struct tn_hop hop = {.kind = TN_HOP_SUBNET, .subnet = s};
        consider(&best, &len, &s->cidr, a, hop);
        consider(&best, &len, &s->cidr6, a, hop);
    }
    for (size_t i = 0; i < vpc->n_routes; i++) {
        const struct tn_net_route *r = &vpc->routes[i];
        consider(&best, &len, &r->to, a,
                 (struct tn_hop){TN_HOP_STATIC, r->subnet, r, NULL});
    }
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        const struct tn_net_peering *p = &vpc->peerings[i];
        for (size_t k = 0; k < p->n_imports; k++) {
            consider(&best, &len, &p->imports[k], a,
                     (struct tn_hop){.kind = TN_HOP_PEER, .peering = p});
        }
    }
    if (best.subnet && best.subnet->n_ports == 1 &&
        tn_is_outside(best.subnet->ports) && tn_outside_taken(vpc, a)) {
        return (struct tn_hop){0};
    }
    return best;
}

const struct tn_net_peering *
tn_peering_back(const struct tn_net_vpc *vpc, const struct tn_net_peering *p)
{
    for (size_t i = 0; i < p->peer->n_peerings; i++) {
        if (p->peer->peerings[i].peer == vpc) {
            return &p->peer->peerings[i];
        }
    }
    return NULL;
}

const struct tn_net_subnet *
tn_subnet_of(const struct tn_net_vpc *vpc, const struct tn_net_port *port)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        uintptr_t at = (uintptr_t) port, base = (uintptr_t) s->ports;
        if (s->n_ports && at >= base &&
            at < base + s->n_ports * sizeof *s->ports) {
            return s;
        }
    }
    return NULL;
}

bool
tn_subnet_covers(const struct tn_net_subnet *subnet, const struct tn_addr *a)
{
    return tn_cidr_contains(&subnet->cidr, a) ||
           tn_cidr_contains(&subnet->cidr6, a);
}

bool
tn_port_owns(const struct tn_net_port *port, const struct tn_addr *a)
{
    return tn_addr_cmp(&port->address, a) == 0 ||
           tn_addr_cmp(&port->address6, a) == 0;
}

const struct tn_net_subnet *
tn_gateway_of(const struct tn_net_vpc *vpc, const struct tn_addr *a)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        if (tn_addr_cmp(&s->gateway, a) == 0 ||
            tn_addr_cmp(&s->gateway6, a) == 0) {
            return s;
        }
    }
    return NULL;
}

bool
tn_port_may_use(const struct tn_net_vpc *vpc, const struct tn_net_port *port,
                const struct tn_addr *a)
{
    if (!tn_cidrs_have(port->allowed, port->n_allowed, a) ||
        tn_gateway_of(vpc, a)) {
        return false;
    }
    /* From outside comes only what would go there. */
    return !tn_is_outside(port) ||
           tn_hop_find(vpc, a).subnet == tn_subnet_of(vpc, port);
}

size_t
tn_holders(const struct tn_net_subnet *subnet, const struct tn_addr *a,
           const struct tn_net_port **out, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < subnet->n_ports; i++) {
        const struct tn_net_port *p = &subnet->ports[i];
        if (tn_port_owns(p, a)) {
            if (room) {
                out[0] = p;
            }
            return 1;
        }
        if (p->n_allowed && tn_cidrs_have(p->allowed, p->n_allowed, a)) {
            if (n < room) {
                out[n] = p;
            }
            n++;
        }
    }
    return n;
}

/* The length of the outermost prefix of the port that has 'a', but for its own
 * addresses; -1: none. */
static int
claim_length(const struct tn_net_port *port, const struct tn_addr *a)
{
    const struct tn_cidr *outer = NULL;
    for (size_t i = 0; i < port->n_allowed; i++) {
        const struct tn_cidr *c = &port->allowed[i];
        if (tn_cidr_contains(c, a) && (!outer || c->len < outer->len)) {
            outer = c;
        }
    }
    if (!outer || (outer->len == tn_addr_bits(a) && tn_port_owns(port, a))) {
        return -1;
    }
    return outer->len;
}

size_t
tn_claims(const struct tn_net_subnet *subnet, const struct tn_host *host,
          const struct tn_addr *a, const struct tn_net_port **out, size_t room)
{
    size_t n = 0;
    int best = -1;
    for (size_t i = 0; i < subnet->n_ports; i++) {
        const struct tn_net_port *p = &subnet->ports[i];
        if (tn_port_owns(p, a)) {
            if (room && p->host == host) {
                out[0] = p;
            }
            return p->host == host;
        }
        int len = p->n_allowed && p->host == host ? claim_length(p, a) : -1;
        if (len < 0 || len < best) {
            continue;
        }
        n = len > best ? 0 : n;
        best = len;
        if (n < room) {
            out[n] = p;
        }
        n++;
    }
    return n;
}

static int
addr_cmp(const void *a, const void *b)
{
    return tn_addr_cmp(a, b);
}

bool
tn_rule_covers(const struct tn_net_rule *rule, const struct tn_addr *remote)
{
    if (tn_addr_present(&rule->remote.addr)) {
        return tn_cidr_contains(&rule->remote, remote);
    }
    if (rule->remote_group) {
        const struct tn_net_group *g = rule->remote_group;
        return g->n_members && bsearch(remote, g->members, g->n_members,
                                       sizeof *g->members, addr_cmp);
    }
    return true;
}

bool
tn_port_restricted(const struct tn_net_port *port)
{
    for (size_t i = 0; i < port->n_groups; i++) {
        if (port->groups[i]->has_egress) {
            return true;
        }
    }
    return false;
}
