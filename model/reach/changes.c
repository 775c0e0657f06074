/* changes.c - which VPCs differ between two networks.
 *
 * One merge walk by scope over both, and a comparison of content that ends at
 * the first difference.  Places in files do not count, nor do VNIs and
 * attachments: who reaches whom does not depend on them. */
#include "model/reach/engine.h"

#include <string.h>

bool
tn_reach_same_cidrs(const struct tn_cidr *a, size_t n, const struct tn_cidr *b,
                    size_t m)
{
    for (size_t i = 0; n == m && i < n; i++) {
        if (tn_cidr_cmp(&a[i], &b[i]) != 0) {
            return false;
        }
    }
    return n == m;
}

static bool
same_addr(const struct tn_addr *a, const struct tn_addr *b)
{
    return a->family == b->family &&
           memcmp(a->b, b->b, a->family == TN_AF_IPV4 ? 4 : 16) == 0;
}

/* Two VPCs that are compared. */
struct both {
    const struct tn_net_vpc *a, *b;
};

/* The same place among the groups of either VPC; names are compared once. */
static bool
same_place(const struct both *v, const struct tn_net_group *a,
           const struct tn_net_group *b)
{
    return (uintptr_t) a - (uintptr_t) v->a->groups ==
           (uintptr_t) b - (uintptr_t) v->b->groups;
}

static bool
same_port(const struct both *v, const struct tn_net_port *a,
          const struct tn_net_port *b)
{
    if (!same_addr(&a->address, &b->address) ||
        !same_addr(&a->address6, &b->address6) || a->n_groups != b->n_groups ||
        strcmp(a->name, b->name) != 0 || tn_mac_cmp(&a->mac, &b->mac) != 0 ||
        !tn_reach_same_cidrs(a->allowed, a->n_allowed, b->allowed,
                             b->n_allowed)) {
        return false;
    }
    for (size_t i = 0; i < a->n_groups; i++) {
        if (!same_place(v, a->groups[i], b->groups[i])) {
            return false;
        }
    }
    return a->host == b->host ||
           strcmp(a->host->raw.name, b->host->raw.name) == 0;
}

static bool
same_subnet(const struct both *v, const struct tn_net_subnet *a,
            const struct tn_net_subnet *b)
{
    if (a->n_ports != b->n_ports || strcmp(a->name, b->name) != 0 ||
        tn_cidr_cmp(&a->cidr, &b->cidr) != 0 ||
        tn_cidr_cmp(&a->cidr6, &b->cidr6) != 0 ||
        !same_addr(&a->gateway, &b->gateway) ||
        tn_mac_cmp(&a->gateway_mac, &b->gateway_mac) != 0 ||
        !same_addr(&a->gateway6, &b->gateway6)) {
        return false;
    }
    for (size_t i = 0; i < a->n_ports; i++) {
        if (!same_port(v, &a->ports[i], &b->ports[i])) {
            return false;
        }
    }
    return true;
}

static bool
same_rule(const struct both *v, const struct tn_net_rule *a,
          const struct tn_net_rule *b)
{
    const struct tn_net_group *g = a->remote_group, *h = b->remote_group;
    if (a->direction != b->direction || a->protocol != b->protocol ||
        a->n_ports != b->n_ports || tn_cidr_cmp(&a->remote, &b->remote) != 0 ||
        !g != !h || (g && !same_place(v, g, h))) {
        return false;
    }
    for (size_t i = 0; i < a->n_ports; i++) {
        if (a->ports[i].first != b->ports[i].first ||
            a->ports[i].last != b->ports[i].last) {
            return false;
        }
    }
    return true;
}

static bool
same_group(const struct both *v, const struct tn_net_group *a,
           const struct tn_net_group *b)
{
    if (a->n_rules != b->n_rules || a->has_egress != b->has_egress ||
        a->n_members != b->n_members || strcmp(a->name, b->name) != 0) {
        return false;
    }
    for (size_t i = 0; i < a->n_rules; i++) {
        if (!same_rule(v, &a->rules[i], &b->rules[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_members; i++) {
        if (!same_addr(&a->members[i], &b->members[i])) {
            return false;
        }
    }
    return true;
}

static bool
same_routes(const struct tn_net_vpc *a, const struct tn_net_vpc *b)
{
    for (size_t i = 0; a->n_routes == b->n_routes && i < a->n_routes; i++) {
        const struct tn_net_route *x = &a->routes[i], *y = &b->routes[i];
        if (tn_cidr_cmp(&x->to, &y->to) != 0 || !same_addr(&x->via, &y->via)) {
            return false;
        }
    }
    return a->n_routes == b->n_routes;
}

static bool
same_peerings(const struct tn_net_vpc *a, const struct tn_net_vpc *b)
{
    for (size_t i = 0; a->n_peerings == b->n_peerings && i < a->n_peerings;
         i++) {
        const struct tn_net_peering *x = &a->peerings[i];
        const struct tn_net_peering *y = &b->peerings[i];
        if (strcmp(x->peer->scope, y->peer->scope) != 0 ||
            !tn_reach_same_cidrs(x->exports, x->n_exports, y->exports,
                                 y->n_exports) ||
            !tn_reach_same_cidrs(x->imports, x->n_imports, y->imports,
                                 y->n_imports)) {
            return false;
        }
    }
    return a->n_peerings == b->n_peerings;
}

static bool
same_outside(const struct tn_net_outside *a, const struct tn_net_outside *b)
{
    return strcmp(a->scope, b->scope) == 0 &&
           same_addr(&a->address, &b->address) &&
           same_addr(&a->address6, &b->address6) &&
           tn_reach_same_cidrs(a->prefixes, a->n_prefixes, b->prefixes,
                               b->n_prefixes);
}

static bool
same_external(const struct tn_net_external *a, const struct tn_net_external *b)
{
    if (strcmp(a->name, b->name) != 0 || tn_cidr_cmp(&a->cidr, &b->cidr) != 0 ||
        tn_cidr_cmp(&a->cidr6, &b->cidr6) != 0 ||
        !same_addr(&a->gateway, &b->gateway) ||
        !same_addr(&a->gateway6, &b->gateway6) || a->n_vpcs != b->n_vpcs) {
        return false;
    }
    for (size_t i = 0; i < a->n_vpcs; i++) {
        if (!same_outside(&a->vpcs[i], &b->vpcs[i])) {
            return false;
        }
    }
    return true;
}

/* What is outside for one VPC depends on all that are there. */
static bool
same_externals(const struct tn_network *a, const struct tn_network *b)
{
    bool same = a->n_externals == b->n_externals;
    for (size_t i = 0; same && i < a->n_externals; i++) {
        same = same_external(&a->externals[i], &b->externals[i]);
    }
    return same;
}

/* Images are hashes of what compile made of a VPC in its 'world'. */
static bool
same_vpc(const struct tn_net_vpc *a, const struct tn_net_vpc *b,
         bool same_world)
{
    const struct both v = {a, b};
    if (a == b) {
        return true;
    }
    if (a->n_subnets != b->n_subnets || a->n_groups != b->n_groups ||
        strcmp(a->tenant, b->tenant) != 0 || strcmp(a->name, b->name) != 0 ||
        !same_routes(a, b) || !same_peerings(a, b)) {
        return false;
    }
    if (same_world && a->image && a->image == b->image) {
        return true;
    }
    for (size_t i = 0; i < a->n_groups; i++) {
        if (!same_group(&v, &a->groups[i], &b->groups[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_subnets; i++) {
        if (!same_subnet(&v, &a->subnets[i], &b->subnets[i])) {
            return false;
        }
    }
    return true;
}

void
tn_reach_changes_find(struct tn_arena *arena, const struct tn_network *before,
                      const struct tn_network *after,
                      struct tn_reach_changes *out)
{
    TN_VEC(struct tn_reach_touched) list = {0};
    size_t i = 0, k = 0, n = before ? before->n_vpcs : 0, all = 0;
    bool same_world = before && tn_digest_eq(&before->world, &after->world);
    bool outside = before && !same_world && !same_externals(before, after);
    while (i < n || k < after->n_vpcs) {
        const struct tn_net_vpc *b = i < n ? before->vpcs[i] : NULL;
        const struct tn_net_vpc *a = k < after->n_vpcs ? after->vpcs[k] : NULL;
        int c = !b ? 1 : !a ? -1 : strcmp(b->scope, a->scope);
        b = c > 0 ? NULL : b;
        a = c < 0 ? NULL : a;
        i += c <= 0;
        k += c >= 0;
        all++;
        if (!a || !b || !a->external != !b->external ||
            (outside && a->external) || !same_vpc(b, a, same_world)) {
            *tn_vec_push(arena, &list) = (struct tn_reach_touched){b, a};
        }
    }
    *out = (struct tn_reach_changes){
        .before = before,
        .after = after,
        .items = list.items,
        .n = list.n,
        .n_vpcs = all,
    };
}
