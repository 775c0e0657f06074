/* isolation.c - what keeps VPCs apart, checked on what devices are given.
 *
 * A VPC is a namespace of its own on each host.  A packet leaves it in three
 * ways: into a port, through the tunnel of a subnet, over the link of a
 * peering.  So isolation rests on: every tunnel has a number of its own; every
 * port is one VPC's; a link exists only where both sides say so, carries only
 * what both sides say, and leads nowhere else; and the sets that rules ask
 * are those of the VPC.  Each is checked here on the data itself, whoever made
 * it; docs/reach.md says why that suffices. */
#include "model/reach/engine.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"

enum { VIOLATIONS_MAX = 1000 };

struct proof {
    struct tn_arena *arena;
    const struct tn_network *network;
    struct tn_reach_isolation *out;
    const bool *touched; /* By number of VPC; one more, which is true. */
    TN_VEC(struct tn_reach_violation) list;
};

static struct tn_reach_violation *
violation(struct proof *p, const char *rule, const struct tn_net_vpc *vpc,
          struct tn_origin at, const char *fmt, ...) TN_PRINTF(5, 6);

static struct tn_reach_violation *
violation(struct proof *p, const char *rule, const struct tn_net_vpc *vpc,
          struct tn_origin at, const char *fmt, ...)
{
    if (p->list.n == VIOLATIONS_MAX) {
        p->list.n--;
    }
    struct tn_reach_violation *v = tn_vec_push(p->arena, &p->list);
    va_list ap;
    va_start(ap, fmt);
    *v = (struct tn_reach_violation){
        .rule = rule,
        .message = tn_arena_vprintf(p->arena, fmt, ap),
        .tenant = vpc ? vpc->tenant : NULL,
        .at = at,
    };
    va_end(ap);
    return v;
}

static const char *
shown(struct proof *p, const struct tn_addr *a)
{
    char buf[TN_ADDR_TEXT];
    return tn_arena_strdup(p->arena, tn_addr_format(a, buf));
}

static const char *
prefix(struct proof *p, const struct tn_cidr *c)
{
    char buf[TN_CIDR_TEXT];
    return tn_arena_strdup(p->arena, tn_cidr_format(c, buf));
}

/* The number of the VPC; n_vpcs: it is not the network's. */
static size_t
vpc_index(const struct tn_network *n, const struct tn_net_vpc *vpc)
{
    size_t lo = 0, hi = n->n_vpcs;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(n->vpcs[mid]->scope, vpc->scope);
        if (c == 0) {
            return n->vpcs[mid] == vpc ? mid : n->n_vpcs;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return n->n_vpcs;
}

/* ---- tunnels ----------------------------------------------------------------
 */

struct number {
    uint32_t vni;
    const struct tn_net_vpc *vpc;
    const struct tn_net_subnet *subnet;
};

static int
number_cmp(const void *a, const void *b)
{
    const struct number *x = a, *y = b;
    return (x->vni > y->vni) - (x->vni < y->vni);
}

static void
vnis_check(struct proof *p)
{
    const struct tn_network *net = p->network;
    TN_VEC(struct number) all = {0};
    for (size_t i = 0; i < net->n_vpcs; i++) {
        for (size_t k = 0; k < net->vpcs[i]->n_subnets; k++) {
            const struct tn_net_subnet *s = &net->vpcs[i]->subnets[k];
            *tn_vec_push(p->arena, &all) =
                (struct number){s->vni, net->vpcs[i], s};
        }
    }
    if (all.n) {
        qsort(all.items, all.n, sizeof *all.items, number_cmp);
    }
    for (size_t i = 0; i < all.n; i++) {
        const struct number *x = &all.items[i];
        if (x->vni == 0) {
            violation(p, "vni-missing", x->vpc, x->subnet->origin,
                      "subnet %s of %s has no VNI", x->subnet->name,
                      x->vpc->scope);
        } else if (i && x[-1].vni == x->vni) {
            struct tn_reach_violation *v =
                violation(p, "vni-shared", x->vpc, x->subnet->origin,
                          "subnet %s of %s and subnet %s of %s share VNI %u",
                          x[-1].subnet->name, x[-1].vpc->scope, x->subnet->name,
                          x->vpc->scope, x->vni);
            v->also = x[-1].subnet->origin;
            v->packet = tn_arena_printf(
                p->arena,
                "a broadcast in subnet %s of %s leaves in a tunnel with VNI "
                "%u and comes out in subnet %s of %s",
                x[-1].subnet->name, x[-1].vpc->scope, x->vni, x->subnet->name,
                x->vpc->scope);
        }
    }
}

/* ---- devices
 * ----------------------------------------------------------------- */

/* On the host, or on one of the cloud's if it is a cloud. */
static bool
has_port_on(const struct tn_net_vpc *vpc, const struct tn_host *host)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            const struct tn_host *on = vpc->subnets[i].ports[k].host;
            if (on == host || (on->cloud && on->cloud == host)) {
                return true;
            }
        }
    }
    return false;
}

static bool
belongs_on(const struct tn_net_vpc *vpc, const struct tn_host *host)
{
    if (has_port_on(vpc, host)) {
        return true;
    }
    /* On a member of a cloud nothing is connected. */
    for (size_t i = 0; i < vpc->n_peerings && !host->cloud; i++) {
        if (has_port_on(vpc->peerings[i].peer, host)) {
            return true;
        }
    }
    return false;
}

/* Has it, or a VPC that it peers with, changed? */
static bool
is_touched(const struct proof *p, const struct tn_net_vpc *vpc)
{
    bool touched = p->touched[vpc_index(p->network, vpc)];
    for (size_t i = 0; i < vpc->n_peerings && !touched; i++) {
        touched = p->touched[vpc_index(p->network, vpc->peerings[i].peer)];
    }
    return touched;
}

static void
device_check(struct proof *p, const struct tn_device *d)
{
    for (size_t i = 0; i < d->n_vpcs; i++) {
        const struct tn_net_vpc *vpc = d->vpcs[i];
        if (i && strcmp(d->vpcs[i - 1]->scope, vpc->scope) >= 0) {
            violation(p, "device-twice", vpc, vpc->origin,
                      "device %s is given %s more than once", d->name,
                      vpc->scope);
        }
        if (vpc_index(p->network, vpc) == p->network->n_vpcs) {
            violation(p, "device-foreign", vpc, vpc->origin,
                      "device %s is given a %s that is not the network's",
                      d->name, vpc->scope);
        } else if (is_touched(p, vpc) && !belongs_on(vpc, d->host)) {
            violation(p, "device-foreign", vpc, vpc->origin,
                      "device %s is given %s, which has no port there and "
                      "peers with nothing there",
                      d->name, vpc->scope);
        }
    }
}

/* ---- one VPC
 * ------------------------------------------------------------------ */

struct holder {
    struct tn_addr addr;
    const struct tn_net_port *port;
};

static int
holder_cmp(const void *a, const void *b)
{
    const struct holder *x = a, *y = b;
    int c = tn_addr_cmp(&x->addr, &y->addr);
    return c ? c : strcmp(x->port->name, y->port->name);
}

static void
address_check(struct proof *p, const struct tn_net_vpc *vpc,
              const struct tn_net_subnet *s, const struct holder *h)
{
    if (!tn_subnet_covers(s, &h->addr)) {
        struct tn_reach_violation *v =
            violation(p, "address-outside", vpc, h->port->origin,
                      "%s of port %s is not in subnet %s of %s",
                      shown(p, &h->addr), h->port->name, s->name, vpc->scope);
        v->also = s->origin;
        v->packet = tn_arena_printf(
            p->arena, "port %s may send from %s, which is not its subnet's",
            h->port->name, shown(p, &h->addr));
    }
    const struct tn_net_subnet *of = tn_gateway_of(vpc, &h->addr);
    if (of) {
        struct tn_reach_violation *v =
            violation(p, "address-gateway", vpc, h->port->origin,
                      "port %s has %s, the gateway of subnet %s", h->port->name,
                      shown(p, &h->addr), of->name);
        v->also = of->origin;
    }
}

static void
addresses_check(struct proof *p, const struct tn_net_vpc *vpc)
{
    TN_VEC(struct holder) all = {0};
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        for (size_t k = 0; k < s->n_ports; k++) {
            const struct tn_net_port *port = &s->ports[k];
            const struct tn_addr *of[2] = {&port->address, &port->address6};
            for (size_t f = 0; f < 2; f++) {
                struct holder h = {*of[f], port};
                if (tn_addr_present(of[f])) {
                    address_check(p, vpc, s, &h);
                    *tn_vec_push(p->arena, &all) = h;
                }
            }
        }
    }
    if (all.n) {
        qsort(all.items, all.n, sizeof *all.items, holder_cmp);
    }
    for (size_t i = 1; i < all.n; i++) {
        const struct holder *h = &all.items[i];
        if (tn_addr_cmp(&h[-1].addr, &h->addr) == 0) {
            struct tn_reach_violation *v = violation(
                p, "address-shared", vpc, h->port->origin,
                "ports %s and %s of %s both have %s", h[-1].port->name,
                h->port->name, vpc->scope, shown(p, &h->addr));
            v->also = h[-1].port->origin;
        }
    }
}

static int
mac_pointer_cmp(const void *a, const void *b)
{
    const struct tn_net_port *const *x = a, *const *y = b;
    int c = tn_mac_cmp(&(*x)->mac, &(*y)->mac);
    return c ? c : strcmp((*x)->name, (*y)->name);
}

static void
macs_check(struct proof *p, const struct tn_net_vpc *vpc,
           const struct tn_net_subnet *s)
{
    const struct tn_net_port **by =
        tn_new_n(p->arena, const struct tn_net_port *, s->n_ports + 1);
    char text[TN_MAC_TEXT];
    for (size_t i = 0; i < s->n_ports; i++) {
        by[i] = &s->ports[i];
    }
    if (s->n_ports) {
        qsort(by, s->n_ports, sizeof *by, mac_pointer_cmp);
    }
    for (size_t i = 0; i < s->n_ports; i++) {
        const struct tn_mac *mac = &by[i]->mac;
        bool twice = i && tn_mac_cmp(&by[i - 1]->mac, mac) == 0;
        if (twice || tn_mac_cmp(&s->gateway_mac, mac) == 0 ||
            tn_mac_is_multicast(mac) || tn_mac_is_zero(mac)) {
            struct tn_reach_violation *v =
                violation(p, "mac-shared", vpc, by[i]->origin,
                          "port %s of %s has MAC address %s, which is %s",
                          by[i]->name, vpc->scope, tn_mac_format(mac, text),
                          twice ? "another port's of the subnet too"
                                : "the gateway's, or nobody's");
            v->also = twice ? by[i - 1]->origin : s->origin;
            v->packet = tn_arena_printf(
                p->arena,
                "a frame to %s is judged by the groups of either port", text);
        }
    }
}

static void
subnets_check(struct proof *p, const struct tn_net_vpc *vpc)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *a = &vpc->subnets[i];
        macs_check(p, vpc, a);
        for (size_t k = i + 1; k < vpc->n_subnets; k++) {
            const struct tn_net_subnet *b = &vpc->subnets[k];
            if (tn_cidr_overlap(&a->cidr, &b->cidr) ||
                tn_cidr_overlap(&a->cidr, &b->cidr6) ||
                tn_cidr_overlap(&a->cidr6, &b->cidr) ||
                tn_cidr_overlap(&a->cidr6, &b->cidr6)) {
                violation(p, "subnets-overlap", vpc, b->origin,
                          "subnets %s and %s of %s overlap", a->name, b->name,
                          vpc->scope)
                    ->also = a->origin;
            }
        }
    }
}

static bool
has_subnet(const struct tn_net_vpc *vpc, const struct tn_net_subnet *s)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        if (&vpc->subnets[i] == s) {
            return true;
        }
    }
    return false;
}

static void
routes_check(struct proof *p, const struct tn_net_vpc *vpc)
{
    for (size_t i = 0; i < vpc->n_routes; i++) {
        const struct tn_net_route *r = &vpc->routes[i];
        const char *to = prefix(p, &r->to);
        if (!has_subnet(vpc, r->subnet) ||
            !tn_subnet_covers(r->subnet, &r->via) ||
            r->to.addr.family != r->via.family) {
            violation(p, "route-leaves", vpc, r->origin,
                      "the route of %s to %s by %s leaves the VPC", vpc->scope,
                      to, shown(p, &r->via))
                ->packet = tn_arena_printf(p->arena, "any packet from %s to %s",
                                           vpc->scope, shown(p, &r->to.addr));
        }
        for (size_t k = 0; k < vpc->n_subnets; k++) {
            const struct tn_net_subnet *s = &vpc->subnets[k];
            if (tn_cidr_within(&r->to, &s->cidr) ||
                tn_cidr_within(&r->to, &s->cidr6)) {
                violation(p, "route-inside", vpc, r->origin,
                          "the route of %s to %s takes packets of subnet %s",
                          vpc->scope, to, s->name)
                    ->also = s->origin;
            }
        }
    }
}

static bool
has_group(const struct tn_net_vpc *vpc, const struct tn_net_group *g)
{
    uintptr_t base = (uintptr_t) vpc->groups, at = (uintptr_t) g;
    return at >= base && at < base + vpc->n_groups * sizeof *vpc->groups;
}

static void
rules_check(struct proof *p, const struct tn_net_vpc *vpc,
            const struct tn_net_group *g)
{
    bool egress = false;
    for (size_t i = 0; i < g->n_rules; i++) {
        const struct tn_net_rule *rule = &g->rules[i];
        egress = egress || rule->direction == TN_EGRESS;
        if (rule->remote_group && !has_group(vpc, rule->remote_group)) {
            violation(p, "group-foreign", vpc, rule->origin,
                      "a rule of group %s of %s names a group of another VPC",
                      g->name, vpc->scope);
        }
    }
    if (egress && !g->has_egress) {
        violation(p, "egress-lost", vpc, g->origin,
                  "group %s of %s has egress rules that would not be asked",
                  g->name, vpc->scope);
    }
}

static int
addr_cmp(const void *a, const void *b)
{
    return tn_addr_cmp(a, b);
}

/* Counts in 'seen' the members that are addresses of the port. */
static void
membership_check(struct proof *p, const struct tn_net_vpc *vpc,
                 const struct tn_net_port *port, size_t *seen)
{
    for (size_t i = 0; i < port->n_groups; i++) {
        const struct tn_net_group *g = port->groups[i];
        if (!has_group(vpc, g)) {
            violation(p, "group-foreign", vpc, port->origin,
                      "port %s of %s is in a group of another VPC", port->name,
                      vpc->scope);
            continue;
        }
        const struct tn_addr *of[2] = {&port->address, &port->address6};
        for (size_t f = 0; f < 2; f++) {
            if (tn_addr_present(of[f]) && g->n_members &&
                bsearch(of[f], g->members, g->n_members, sizeof *g->members,
                        addr_cmp)) {
                seen[g - vpc->groups]++;
            }
        }
    }
}

static void
groups_check(struct proof *p, const struct tn_net_vpc *vpc)
{
    size_t *seen = tn_new_n(p->arena, size_t, vpc->n_groups + 1);
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            membership_check(p, vpc, &vpc->subnets[i].ports[k], seen);
        }
    }
    for (size_t i = 0; i < vpc->n_groups; i++) {
        const struct tn_net_group *g = &vpc->groups[i];
        rules_check(p, vpc, g);
        if (seen[i] < g->n_members) {
            violation(p, "members-foreign", vpc, g->origin,
                      "group %s of %s has %zu members that are no port's of "
                      "the VPC in that group",
                      g->name, vpc->scope, g->n_members - seen[i]);
        }
    }
}

/* ---- peerings
 * ------------------------------------------------------------------- */

/* Two lists' first overlap; false: none.  'out' is the smaller prefix. */
static bool
overlap(const struct tn_cidr *a, size_t n, const struct tn_cidr *b, size_t m,
        struct tn_cidr *out)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < m; k++) {
            if (tn_cidr_overlap(&a[i], &b[k])) {
                *out = a[i].len > b[k].len ? a[i] : b[k];
                return true;
            }
        }
    }
    return false;
}

static void
mutual_check(struct proof *p, const struct tn_net_vpc *vpc,
             const struct tn_net_peering *g)
{
    const struct tn_net_peering *back = NULL;
    if (g->peer == vpc ||
        vpc_index(p->network, g->peer) == p->network->n_vpcs) {
        violation(p, "peering-foreign", vpc, g->origin,
                  "%s peers with a %s that is not the network's", vpc->scope,
                  g->peer->scope);
        return;
    }
    back = tn_peering_back(vpc, g);
    if (!back ||
        !tn_reach_same_cidrs(g->imports, g->n_imports, back->exports,
                             back->n_exports) ||
        !tn_reach_same_cidrs(g->exports, g->n_exports, back->imports,
                             back->n_imports)) {
        struct tn_reach_violation *v =
            violation(p, "peering-one-sided", vpc, g->origin,
                      back ? "%s takes other prefixes from %s than that exports"
                           : "%s peers with %s, which does not peer with it",
                      vpc->scope, g->peer->scope);
        v->also = back ? back->origin : g->peer->origin;
        if (g->n_exports && g->n_imports) {
            v->packet =
                tn_arena_printf(p->arena, "from %s of %s to %s of %s",
                                shown(p, &g->exports[0].addr), vpc->scope,
                                shown(p, &g->imports[0].addr), g->peer->scope);
        }
    }
}

/* A peer's addresses must not be taken for the VPC's own. */
static void
imports_check(struct proof *p, const struct tn_net_vpc *vpc,
              const struct tn_net_peering *g)
{
    struct tn_cidr c;
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        if (overlap(g->imports, g->n_imports, &s->cidr, 1, &c) ||
            overlap(g->imports, g->n_imports, &s->cidr6, 1, &c)) {
            struct tn_reach_violation *v =
                violation(p, "peering-overlap", vpc, g->origin,
                          "%s of %s is imported from %s and is in subnet %s",
                          prefix(p, &c), vpc->scope, g->peer->scope, s->name);
            v->also = s->origin;
            v->packet = tn_arena_printf(
                p->arena,
                "from %s of %s: %s takes it for one of its own subnet %s",
                shown(p, &c.addr), g->peer->scope, vpc->scope, s->name);
        }
    }
}

/* Nothing that came from the one may go on to the other. */
static void
transit_check(struct proof *p, const struct tn_net_vpc *vpc,
              const struct tn_net_peering *from,
              const struct tn_net_peering *to)
{
    struct tn_cidr source, destination;
    if (overlap(from->imports, from->n_imports, to->exports, to->n_exports,
                &source) &&
        overlap(from->exports, from->n_exports, to->imports, to->n_imports,
                &destination)) {
        struct tn_reach_violation *v =
            violation(p, "peering-transit", vpc, to->origin,
                      "%s lets packets of %s through to %s", vpc->scope,
                      from->peer->scope, to->peer->scope);
        v->also = from->origin;
        v->packet = tn_arena_printf(
            p->arena, "from %s of %s to %s arrives in %s by %s",
            shown(p, &source.addr), from->peer->scope,
            shown(p, &destination.addr), to->peer->scope, vpc->scope);
    }
}

static void
pair_check(struct proof *p, const struct tn_net_vpc *vpc, size_t a, size_t b)
{
    const struct tn_net_peering *x = &vpc->peerings[a], *y = &vpc->peerings[b];
    struct tn_cidr c;
    if (x->peer == y->peer) {
        violation(p, "peering-twice", vpc, y->origin, "%s peers with %s twice",
                  vpc->scope, y->peer->scope)
            ->also = x->origin;
    }
    transit_check(p, vpc, x, y);
    transit_check(p, vpc, y, x);
    if (overlap(x->imports, x->n_imports, y->imports, y->n_imports, &c)) {
        struct tn_reach_violation *v =
            violation(p, "peering-overlap", vpc, y->origin,
                      "%s imports %s from both %s and %s", vpc->scope,
                      prefix(p, &c), x->peer->scope, y->peer->scope);
        v->also = x->origin;
        v->packet = tn_arena_printf(
            p->arena, "from %s to %s: meant for %s, it may arrive in %s",
            vpc->scope, shown(p, &c.addr), x->peer->scope, y->peer->scope);
    }
}

static void
peerings_check(struct proof *p, const struct tn_net_vpc *vpc, bool touched)
{
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        mutual_check(p, vpc, &vpc->peerings[i]);
        if (!touched) {
            continue;
        }
        imports_check(p, vpc, &vpc->peerings[i]);
        for (size_t k = 0; k < i; k++) {
            pair_check(p, vpc, k, i);
        }
    }
    p->out->n_peerings += vpc->n_peerings;
}

/* ---- all
 * -------------------------------------------------------------------------- */

static void
vpc_check(struct proof *p, const struct tn_net_vpc *vpc)
{
    size_t len = strlen(vpc->tenant);
    if (strncmp(vpc->scope, vpc->tenant, len) != 0 || vpc->scope[len] != '/' ||
        strcmp(vpc->scope + len + 1, vpc->name) != 0) {
        violation(p, "scope-wrong", vpc, vpc->origin,
                  "%s is not VPC %s of tenant %s", vpc->scope, vpc->name,
                  vpc->tenant);
    }
    subnets_check(p, vpc);
    addresses_check(p, vpc);
    routes_check(p, vpc);
    groups_check(p, vpc);
}

/* Marks what has to be looked at. */
static bool *
touched_marks(struct proof *p, const struct tn_reach_changes *changes)
{
    const struct tn_network *net = p->network;
    bool *marks = tn_new_n(p->arena, bool, net->n_vpcs + 1);
    size_t next = 0;
    for (size_t i = 0; i < net->n_vpcs; i++) {
        while (changes && next < changes->n &&
               (!changes->items[next].after ||
                strcmp(changes->items[next].after->scope, net->vpcs[i]->scope) <
                    0)) {
            next++;
        }
        marks[i] = !changes || (next < changes->n &&
                                changes->items[next].after == net->vpcs[i]);
    }
    marks[net->n_vpcs] = true;
    return marks;
}

void
tn_reach_isolation(struct tn_arena *arena, const struct tn_network *network,
                   const struct tn_reach_changes *changes,
                   struct tn_reach_isolation *out)
{
    *out = (struct tn_reach_isolation){
        .n_vpcs = network->n_vpcs,
        .n_devices = network->n_devices,
    };
    struct proof p = {.arena = arena, .network = network, .out = out};
    p.touched = touched_marks(&p, changes);
    vnis_check(&p);
    for (size_t i = 0; i < network->n_vpcs; i++) {
        const struct tn_net_vpc *vpc = network->vpcs[i];
        if (i && strcmp(network->vpcs[i - 1]->scope, vpc->scope) >= 0) {
            violation(&p, "scope-twice", vpc, vpc->origin,
                      "there are two VPCs %s", vpc->scope);
        }
        if (p.touched[i]) {
            vpc_check(&p, vpc);
        }
        peerings_check(&p, vpc, p.touched[i]);
    }
    for (size_t i = 0; i < network->n_devices; i++) {
        device_check(&p, &network->devices[i]);
    }
    const struct tn_reach_violation *more = NULL;
    size_t n = tn_outside_prove(arena, network, &more);
    for (size_t i = 0; i < n && p.list.n < VIOLATIONS_MAX; i++) {
        *tn_vec_push(arena, &p.list) = more[i];
    }
    out->items = p.list.items;
    out->n = p.list.n;
}
