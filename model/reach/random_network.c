/* random_network.c - see random_network.h.
 *
 * The second implementation follows the rules as nft_render.c writes them, in
 * its own order and by plain loops: sets of senders and receivers of one host,
 * maps with the longest prefix, links with two lists of prefixes. */
#include "model/reach/random_network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/arena.h"

enum { VPCS = 4, SUBNETS = 2, PORTS = 4, GROUPS = 4, RULES = 4, HOSTS = 2 };

struct maker {
    struct tn_arena *arena;
    unsigned seed, change;
    bool networks;
    struct tn_host *hosts;
    struct tn_net_vpc *vpcs;
};

/* The n-th decision: the same in all changes but a few. */
static unsigned
decide(struct maker *m, unsigned below)
{
    unsigned usual = (unsigned) rand_r(&m->seed);
    if (m->change) {
        unsigned other = (unsigned) rand_r(&m->change);
        if (other % 64 == 0) {
            usual = other / 64;
        }
    }
    return usual % below;
}

static struct tn_cidr cidr(const char *fmt, ...) TN_PRINTF(1, 2);

static struct tn_cidr
cidr(const char *fmt, ...)
{
    char text[64];
    struct tn_cidr out;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (tn_cidr_parse(text, &out) == TN_CIDR_SYNTAX) {
        abort();
    }
    return out;
}

/* A prefix that something in these networks may be in. */
static struct tn_cidr
some_prefix(struct maker *m)
{
    unsigned v = decide(m, VPCS), s = decide(m, SUBNETS);
    unsigned p = 10 + decide(m, PORTS);
    switch (decide(m, 9)) {
    case 0:
        return cidr("0.0.0.0/0");
    case 1:
        return cidr("::/0");
    case 2:
        return cidr("10.%u.0.0/16", v);
    case 3:
        return cidr("10.%u.%u.0/24", v, s);
    case 4:
        return cidr("10.%u.%u.%u/32", v, s, p);
    case 5:
        return cidr("fd00:%u:%u::/64", v, s);
    case 6:
        return cidr("10.%u.%u.8/30", v, s);
    case 7:
        return cidr("172.16.%u.0/24", decide(m, 4));
    default:
        return cidr("fd00:%u:%u::%x/128", v, s, p);
    }
}

static const struct tn_vrange *
some_ports(struct maker *m, size_t *n)
{
    static const struct tn_vrange all[] = {
        {22, 22, {0}},   {80, 80, {0}},   {81, 90, {0}},   {100, 200, {0}},
        {0, 65535, {0}}, {150, 443, {0}}, {443, 443, {0}}, {5000, 6000, {0}},
    };
    size_t first = decide(m, 7);
    *n = 1 + decide(m, 2);
    return &all[first];
}

static void
make_rule(struct maker *m, const struct tn_net_group *groups,
          struct tn_net_rule *rule)
{
    rule->direction = decide(m, 4) ? TN_INGRESS : TN_EGRESS;
    rule->protocol = (enum tn_protocol) decide(m, 5);
    bool ported =
        rule->protocol != TN_PROTO_ANY && rule->protocol != TN_PROTO_ICMP;
    size_t n;
    const struct tn_vrange *ports = some_ports(m, &n);
    unsigned kind = decide(m, 3), g = decide(m, GROUPS);
    struct tn_cidr c = some_prefix(m);
    if (ported) {
        rule->ports = ports;
        rule->n_ports = n;
    }
    if (kind == 1) {
        rule->remote = c;
    } else if (kind == 2) {
        rule->remote_group = &groups[g];
    }
}

static void
make_groups(struct maker *m, struct tn_net_vpc *vpc)
{
    static const char *const names[GROUPS] = {"app", "db", "mon", "web"};
    struct tn_net_group *groups =
        tn_new_n(m->arena, struct tn_net_group, GROUPS);
    for (size_t i = 0; i < GROUPS; i++) {
        struct tn_net_rule *rules =
            tn_new_n(m->arena, struct tn_net_rule, RULES);
        groups[i].name = names[i];
        groups[i].n_rules = decide(m, RULES + 1);
        for (size_t k = 0; k < RULES; k++) {
            make_rule(m, groups, &rules[k]);
            rules[k].origin =
                (struct tn_origin){"groups.yml", (uint32_t) (10 * i + k), 1};
            groups[i].has_egress |=
                k < groups[i].n_rules && rules[k].direction == TN_EGRESS;
        }
        groups[i].rules = rules;
        groups[i].origin = (struct tn_origin){"groups.yml", 1, 1};
    }
    vpc->groups = groups;
    vpc->n_groups = GROUPS;
}

static void
make_port(struct maker *m, const struct tn_net_vpc *vpc, unsigned number,
          struct tn_net_subnet *subnet, struct tn_net_port *port)
{
    const struct tn_net_group **groups =
        tn_new_n(m->arena, const struct tn_net_group *, GROUPS);
    struct tn_cidr *allowed = tn_new_n(m->arena, struct tn_cidr, 8);
    unsigned v = (unsigned) (vpc - m->vpcs);
    unsigned s = (unsigned) (subnet - vpc->subnets);
    port->name = tn_arena_printf(m->arena, "p%u%u%u", v, s, number);
    port->host = &m->hosts[decide(m, HOSTS)];
    port->mac =
        (struct tn_mac){{2, 0, 0, (uint8_t) v, (uint8_t) s, (uint8_t) number}};
    port->address = cidr("10.%u.%u.%u/32", v, s, 10 + number).addr;
    if (tn_addr_present(&subnet->cidr6.addr)) {
        port->address6 = cidr("fd00:%u:%u::%x/128", v, s, 10 + number).addr;
    }
    port->origin = (struct tn_origin){"ports.yml", number, 1};
    unsigned in = decide(m, 1u << GROUPS);
    for (size_t i = 0; i < GROUPS; i++) {
        if (in & 1u << i) {
            groups[port->n_groups++] = &vpc->groups[i];
        }
    }
    port->groups = groups;
    port->allowed = allowed;
    unsigned some = m->networks && decide(m, 4) == 0 ? 1 + decide(m, 2) : 0;
    for (unsigned i = 0; i < some; i++) {
        allowed[port->n_allowed++] = some_prefix(m);
    }
}

static void
make_subnet(struct maker *m, struct tn_net_vpc *vpc, unsigned s)
{
    struct tn_net_subnet *subnet =
        (struct tn_net_subnet *) (uintptr_t) &vpc->subnets[s];
    struct tn_net_port *ports = tn_new_n(m->arena, struct tn_net_port, PORTS);
    unsigned v = (unsigned) (vpc - m->vpcs);
    subnet->name = s ? "back" : "front";
    subnet->vni = 100 + v * 10 + s;
    subnet->cidr = cidr("10.%u.%u.0/24", v, s);
    subnet->gateway = cidr("10.%u.%u.1/32", v, s).addr;
    subnet->gateway_mac =
        (struct tn_mac){{2, 1, 0, 0, (uint8_t) v, (uint8_t) s}};
    subnet->origin = (struct tn_origin){"vpc.yml", s, 1};
    if (decide(m, 2)) {
        subnet->cidr6 = cidr("fd00:%u:%u::/64", v, s);
        subnet->gateway6 = cidr("fd00:%u:%u::1/128", v, s).addr;
    }
    subnet->ports = ports;
    for (unsigned i = 0; i < PORTS; i++) {
        if (decide(m, 4)) {
            make_port(m, vpc, i, subnet, &ports[subnet->n_ports++]);
        }
    }
}

static int
addr_cmp(const void *a, const void *b)
{
    return tn_addr_cmp(a, b);
}

static void
make_members(struct maker *m, struct tn_net_vpc *vpc)
{
    struct tn_net_group *groups =
        (struct tn_net_group *) (uintptr_t) vpc->groups;
    for (size_t g = 0; g < GROUPS; g++) {
        struct tn_addr *list =
            tn_new_n(m->arena, struct tn_addr, SUBNETS * PORTS * 2);
        size_t n = 0;
        for (size_t s = 0; s < vpc->n_subnets; s++) {
            for (size_t k = 0; k < vpc->subnets[s].n_ports; k++) {
                const struct tn_net_port *p = &vpc->subnets[s].ports[k];
                for (size_t i = 0; i < p->n_groups; i++) {
                    if (p->groups[i] != &groups[g]) {
                        continue;
                    }
                    list[n++] = p->address;
                    if (tn_addr_present(&p->address6)) {
                        list[n++] = p->address6;
                    }
                }
            }
        }
        qsort(list, n, sizeof *list, addr_cmp);
        groups[g].members = list;
        groups[g].n_members = n;
    }
}

static void
make_routes(struct maker *m, struct tn_net_vpc *vpc)
{
    struct tn_net_route *routes = tn_new_n(m->arena, struct tn_net_route, 3);
    for (unsigned i = 0; i < 2; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[decide(m, SUBNETS)];
        unsigned hop = decide(m, PORTS + 1), kind = decide(m, 4);
        if (!m->networks || decide(m, 2)) {
            continue;
        }
        struct tn_net_route *r = &routes[vpc->n_routes];
        r->subnet = s;
        r->to = kind == 0 ? cidr("0.0.0.0/0")
                : kind == 1
                    ? cidr("10.%u.%u.0/25", (unsigned) (vpc - m->vpcs), 100 + i)
                    : cidr("172.16.%u.0/24", i);
        if (vpc->n_routes && tn_cidr_cmp(&r->to, &routes[0].to) == 0) {
            continue;
        }
        vpc->n_routes++;
        r->via = s->gateway;
        r->via.b[3] = (uint8_t) (10 + hop);
        r->origin = (struct tn_origin){"routes.yml", i + 1, 1};
        for (size_t k = 0; k < s->n_ports; k++) {
            struct tn_net_port *p =
                (struct tn_net_port *) (uintptr_t) &s->ports[k];
            if (tn_addr_cmp(&p->address, &r->via) == 0 && decide(m, 8)) {
                ((struct tn_cidr *) (uintptr_t) p->allowed)[p->n_allowed++] =
                    r->to;
            }
        }
    }
    vpc->routes = routes;
}

static size_t
some_exports(struct maker *m, unsigned v, struct tn_cidr *out)
{
    size_t n = 1 + decide(m, 3);
    for (size_t i = 0; i < n; i++) {
        unsigned s = decide(m, SUBNETS), p = 10 + decide(m, PORTS);
        switch (decide(m, 5)) {
        case 0:
            out[i] = cidr("10.%u.0.0/16", v);
            break;
        case 1:
            out[i] = cidr("10.%u.%u.0/24", v, s);
            break;
        case 2:
            out[i] = cidr("fd00:%u:%u::/64", v, s);
            break;
        case 3:
            out[i] = cidr("10.%u.10%u.0/24", v, s);
            break;
        default:
            out[i] = cidr("10.%u.%u.%u/32", v, s, p);
        }
    }
    return n;
}

static void
make_peering(struct maker *m, unsigned a, unsigned b)
{
    struct tn_cidr *x = tn_new_n(m->arena, struct tn_cidr, 4);
    struct tn_cidr *y = tn_new_n(m->arena, struct tn_cidr, 4);
    size_t n = some_exports(m, a, x), k = some_exports(m, b, y);
    struct tn_net_vpc *v = &m->vpcs[a], *w = &m->vpcs[b];
    if (decide(m, 3) == 0) {
        return;
    }
    struct tn_net_peering *of_v =
        (struct tn_net_peering *) (uintptr_t) &v->peerings[v->n_peerings++];
    struct tn_net_peering *of_w =
        (struct tn_net_peering *) (uintptr_t) &w->peerings[w->n_peerings++];
    struct tn_origin at = {"peerings.yml", a + 1, b + 1};
    *of_v = (struct tn_net_peering){w, x, n, y, k, true, at};
    *of_w = (struct tn_net_peering){v, y, k, x, n, false, at};
}

static void
make_vpc(struct maker *m, unsigned v)
{
    struct tn_net_vpc *vpc = &m->vpcs[v];
    vpc->tenant = v < VPCS / 2 ? "acme" : "beta";
    vpc->scope = tn_arena_printf(m->arena, "%s/v%u", vpc->tenant, v);
    vpc->name = vpc->scope + strlen(vpc->tenant) + 1;
    vpc->origin = (struct tn_origin){"vpc.yml", v + 1, 1};
    vpc->subnets = tn_new_n(m->arena, struct tn_net_subnet, SUBNETS);
    vpc->n_subnets = SUBNETS;
    vpc->peerings = tn_new_n(m->arena, struct tn_net_peering, VPCS);
    make_groups(m, vpc);
    for (unsigned s = 0; s < SUBNETS; s++) {
        make_subnet(m, vpc, s);
    }
    make_members(m, vpc);
    make_routes(m, vpc);
}

const struct tn_network *
tn_random_network(struct tn_arena *arena,
                  const struct tn_random_options *options)
{
    struct tn_network *net = tn_new(arena, struct tn_network);
    struct maker m = {
        .arena = arena,
        .seed = options->seed,
        .change = options->change,
        .networks = options->networks,
        .hosts = tn_new_n(arena, struct tn_host, HOSTS),
        .vpcs = tn_new_n(arena, struct tn_net_vpc, VPCS),
    };
    const struct tn_net_vpc **list =
        tn_new_n(arena, const struct tn_net_vpc *, VPCS);
    m.hosts[0].raw.name = "hv1";
    m.hosts[1].raw.name = "hv2";
    for (unsigned v = 0; v < VPCS; v++) {
        make_vpc(&m, v);
        list[v] = &m.vpcs[v];
    }
    for (unsigned a = 0; a < VPCS; a++) {
        for (unsigned b = a + 1; b < VPCS; b++) {
            make_peering(&m, a, b);
        }
    }
    net->vpcs = list;
    net->n_vpcs = VPCS;
    return net;
}

/* ---- the second implementation ----------------------------------------------
 */

static bool
in_list(const struct tn_cidr *list, size_t n, const struct tn_addr *a)
{
    bool in = false;
    for (size_t i = 0; i < n; i++) {
        in |= tn_cidr_contains(&list[i], a);
    }
    return in;
}

static bool
own(const struct tn_net_port *p, const struct tn_addr *a)
{
    return !tn_addr_cmp(&p->address, a) || !tn_addr_cmp(&p->address6, a);
}

static bool
gateway(const struct tn_net_vpc *vpc, const struct tn_addr *a)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        if (!tn_addr_cmp(&vpc->subnets[i].gateway, a) ||
            !tn_addr_cmp(&vpc->subnets[i].gateway6, a)) {
            return true;
        }
    }
    return false;
}

static bool
reserved(const struct tn_addr *a)
{
    if (a->family == TN_AF_IPV4) {
        return a->b[0] == 0 || a->b[0] == 127 || a->b[0] >= 224;
    }
    return a->b[0] == 0xff || (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80);
}

static bool
rule_accepts(const struct tn_net_rule *r, const struct tn_naive_packet *p)
{
    const struct tn_addr *remote =
        r->direction == TN_INGRESS ? &p->source : &p->destination;
    bool port = r->n_ports == 0, member = false;
    if (r->protocol != TN_PROTO_ANY && r->protocol != p->protocol) {
        return false;
    }
    for (size_t i = 0; i < r->n_ports; i++) {
        port |= r->ports[i].first <= p->port && p->port <= r->ports[i].last;
    }
    if (!port) {
        return false;
    }
    if (r->remote.addr.family) {
        return tn_cidr_contains(&r->remote, remote);
    }
    for (size_t i = 0; r->remote_group && i < r->remote_group->n_members; i++) {
        member |= !tn_addr_cmp(&r->remote_group->members[i], remote);
    }
    return !r->remote_group || member;
}

static bool
groups_accept(const struct tn_net_port *port, enum tn_direction direction,
              const struct tn_naive_packet *p)
{
    for (size_t i = 0; i < port->n_groups; i++) {
        for (size_t k = 0; k < port->groups[i]->n_rules; k++) {
            const struct tn_net_rule *r = &port->groups[i]->rules[k];
            if (r->direction == direction && rule_accepts(r, p)) {
                return true;
            }
        }
    }
    return false;
}

static bool
may_leave(const struct tn_naive_packet *p)
{
    bool egress = false;
    for (size_t i = 0; i < p->from->n_groups; i++) {
        egress |= p->from->groups[i]->has_egress;
    }
    return !egress || groups_accept(p->from, TN_EGRESS, p);
}

/* Does the port have 'a' among its further addresses, as element of a set of
 * outermost prefixes?  How long that is; -1: no. */
static int
further(const struct tn_net_port *q, const struct tn_addr *a)
{
    int shortest = 999;
    for (size_t k = 0; k < q->n_allowed; k++) {
        const struct tn_cidr *c = &q->allowed[k];
        if (tn_cidr_contains(c, a) && c->len < shortest) {
            shortest = c->len;
        }
    }
    return shortest == 999 ? -1 : shortest;
}

/* The rules of the sender's host: receivers-4 has local ports and lets through
 * what is remote ones' own, receivers-nets-4 has the subnet with what local
 * ports are allowed in it, and each static route with who could be its 'via'.
 * 'looked_up' is the destination, or that 'via'. */
static bool
judged_by_address(const struct tn_net_subnet *subnet,
                  const struct tn_host *host, const struct tn_addr *looked_up,
                  const struct tn_naive_packet *p)
{
    int longest = -1;
    bool accepted = true;
    for (size_t i = 0; i < subnet->n_ports; i++) {
        const struct tn_net_port *q = &subnet->ports[i];
        if (own(q, looked_up)) {
            return q->host != host || groups_accept(q, TN_INGRESS, p);
        }
        if (q->host == host && further(q, looked_up) > longest) {
            longest = further(q, looked_up);
        }
    }
    for (size_t i = 0; longest >= 0 && i < subnet->n_ports; i++) {
        const struct tn_net_port *q = &subnet->ports[i];
        if (i == 0) {
            accepted = false;
        }
        if (q->host == host && further(q, looked_up) == longest) {
            accepted |= groups_accept(q, TN_INGRESS, p);
        }
    }
    return accepted;
}

struct way {
    const struct tn_net_vpc *vpc;
    const struct tn_net_subnet *subnet;
    struct tn_addr neighbour;
};

static bool
send_on(const struct tn_net_vpc *vpc, const struct tn_addr *source,
        const struct tn_addr *destination, unsigned hops, struct way *out)
{
    int longest = -1;
    const struct tn_net_peering *link = NULL;
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        const struct tn_cidr *c[2] = {&s->cidr, &s->cidr6};
        for (size_t k = 0; k < 2; k++) {
            if (tn_cidr_contains(c[k], destination) && c[k]->len > longest) {
                longest = c[k]->len;
                *out = (struct way){vpc, s, *destination};
            }
        }
    }
    for (size_t i = 0; i < vpc->n_routes; i++) {
        const struct tn_net_route *r = &vpc->routes[i];
        if (tn_cidr_contains(&r->to, destination) && r->to.len > longest) {
            longest = r->to.len;
            *out = (struct way){vpc, r->subnet, r->via};
        }
    }
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        for (size_t k = 0; k < vpc->peerings[i].n_imports; k++) {
            const struct tn_cidr *c = &vpc->peerings[i].imports[k];
            if (tn_cidr_contains(c, destination) && c->len > longest) {
                longest = c->len;
                link = &vpc->peerings[i];
            }
        }
    }
    if (!link) {
        return longest >= 0;
    }
    return hops && in_list(link->exports, link->n_exports, source) &&
           send_on(link->peer, source, destination, hops - 1, out);
}

/* Does whoever is asked for by ARP or ND include the port? */
static bool
holds(const struct tn_net_subnet *s, const struct tn_net_port *port,
      const struct tn_addr *a)
{
    bool here = false;
    for (size_t i = 0; i < s->n_ports; i++) {
        here |= &s->ports[i] == port;
        if (own(&s->ports[i], a) && &s->ports[i] != port) {
            return false;
        }
    }
    return here && (own(port, a) || in_list(port->allowed, port->n_allowed, a));
}

bool
tn_naive_arrives(const struct tn_naive_packet *p)
{
    struct way w;
    bool sender = own(p->from, &p->source) ||
                  (in_list(p->from->allowed, p->from->n_allowed, &p->source) &&
                   !gateway(p->vpc, &p->source) && !reserved(&p->source));
    if (!sender || p->from == p->to || reserved(&p->destination) ||
        p->source.family != p->destination.family || !may_leave(p) ||
        !send_on(p->vpc, &p->source, &p->destination, 8, &w) ||
        gateway(w.vpc, &p->destination) || w.vpc != p->to_vpc ||
        !holds(w.subnet, p->to, &w.neighbour)) {
        return false;
    }
    bool on_link = false;
    for (size_t i = 0; i < w.subnet->n_ports; i++) {
        on_link |= &w.subnet->ports[i] == p->from;
    }
    on_link = on_link && !tn_addr_cmp(&w.neighbour, &p->destination);
    bool local = p->to->host == p->from->host;
    if (local && on_link) {
        return groups_accept(p->to, TN_INGRESS, p);
    }
    return judged_by_address(w.subnet, p->from->host, &w.neighbour, p) &&
           (local || groups_accept(p->to, TN_INGRESS, p));
}

bool
tn_naive_answered(const struct tn_naive_packet *p)
{
    struct way w;
    bool speaks = own(p->to, &p->destination) ||
                  (in_list(p->to->allowed, p->to->n_allowed, &p->destination) &&
                   !gateway(p->to_vpc, &p->destination));
    return speaks && send_on(p->to_vpc, &p->destination, &p->source, 8, &w) &&
           w.vpc == p->vpc && holds(w.subnet, p->from, &w.neighbour);
}
