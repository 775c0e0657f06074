/* nft_claim.c - who judges what is routed to a subnet, on the sender's host.
 *
 * A routed packet leaves a bridge for its next hop: its destination, if that is
 * in the subnet, else the 'via' of the closest static route.  Whoever of this
 * host could hold the next hop judges the packet, for it might get it:
 *
 * - an own address of a local port: that port (receivers-4, -6);
 * - an own address of a port elsewhere: nobody here, since its neighbour entry
 *   is permanent; the packet is judged at its host.  Where a further prefix of
 *   a local port covers the address, it is let through by name;
 * - any other address: the local ports with the closest further prefix.
 *
 * So a static route is a claim to its prefix of those who could hold its next
 * hop, and what ports are allowed inside of it claims nothing: it is not routed
 * to them.  The subnet itself is closer than any route around it. */
#include "drivers/kernel/nft_render.h"

/* What one subnet has of one family. */
struct place {
    struct tn_nft_render *r;
    const struct tn_net_subnet *subnet;
    const struct tn_nft_subnet *names;
    const struct tn_cidr *cidr; /* Null: none of this family. */
    unsigned family;
    TN_VEC(struct tn_nft_claim) allowed; /* Of local ports: outermost ones. */
    TN_VEC(struct tn_nft_claim) claims;
};

static void
add_allowed(struct place *p)
{
    struct tn_arena *arena = p->r->arena;
    for (size_t i = 0; i < p->subnet->n_ports; i++) {
        const struct tn_net_port *port = &p->subnet->ports[i];
        if (!p->names->ports[i] || port->n_allowed == 0) {
            continue;
        }
        struct tn_cidr *list = tn_new_n(arena, struct tn_cidr, port->n_allowed);
        size_t n = tn_nft_outermost(port->allowed, port->n_allowed, list);
        for (size_t k = 0; k < n; k++) {
            if (list[k].addr.family == p->family &&
                !tn_nft_own(port, &list[k])) {
                *tn_vec_push(arena, &p->allowed) =
                    (struct tn_nft_claim){list[k], port};
            }
        }
    }
}

static void
add_claim(struct place *p, const struct tn_cidr *prefix, const void *owner)
{
    *tn_vec_push(p->r->arena, &p->claims) =
        (struct tn_nft_claim){*prefix, owner};
}

/* Claims 'prefix' for those who are allowed all of 'as' most closely; for
 * nobody here if there are none. */
static void
add_claims_as(struct place *p, const struct tn_cidr *prefix,
              const struct tn_cidr *as)
{
    int best = -1;
    for (size_t i = 0; i < p->allowed.n; i++) {
        const struct tn_cidr *c = &p->allowed.items[i].prefix;
        if (c->len > best && tn_cidr_within(as, c)) {
            best = c->len;
        }
    }
    for (size_t i = 0; i < p->allowed.n && best >= 0; i++) {
        const struct tn_nft_claim *c = &p->allowed.items[i];
        if (c->prefix.len == best && tn_cidr_within(as, &c->prefix)) {
            add_claim(p, prefix, c->owner);
        }
    }
    if (best < 0) {
        add_claim(p, prefix, NULL);
    }
}

static void
add_route(struct place *p, const struct tn_net_route *route)
{
    struct tn_cidr via = tn_cidr_of_addr(&route->via);
    for (size_t i = 0; i < p->subnet->n_ports; i++) {
        const struct tn_net_port *port = &p->subnet->ports[i];
        if (tn_nft_own(port, &via)) {
            add_claim(p, &route->to, p->names->ports[i] ? port : NULL);
            return;
        }
    }
    add_claims_as(p, &route->to, &via);
}

/* True if a route of the subnet is closer to 'c' than the subnet itself. */
static bool
is_routed(const struct place *p, const struct tn_cidr *c)
{
    const struct tn_net_vpc *vpc = p->r->in->vpc;
    int len = -1;
    for (size_t i = 0; i < vpc->n_routes; i++) {
        const struct tn_net_route *route = &vpc->routes[i];
        if (route->subnet == p->subnet && route->to.len > len &&
            tn_cidr_within(c, &route->to)) {
            len = route->to.len;
        }
    }
    return len >= 0 &&
           !(p->cidr && tn_cidr_within(c, p->cidr) && p->cidr->len >= len);
}

static void
add_claims(struct place *p)
{
    const struct tn_net_vpc *vpc = p->r->in->vpc;
    bool has_own = false; /* The subnet has a claim of just its prefix. */
    for (size_t i = 0; i < p->allowed.n; i++) {
        const struct tn_nft_claim *c = &p->allowed.items[i];
        if (!is_routed(p, &c->prefix)) {
            add_claim(p, &c->prefix, c->owner);
            has_own =
                has_own || !p->cidr || tn_cidr_cmp(&c->prefix, p->cidr) == 0;
        }
    }
    for (size_t i = 0; i < vpc->n_routes; i++) {
        const struct tn_net_route *route = &vpc->routes[i];
        if (route->subnet != p->subnet || route->to.addr.family != p->family) {
            continue;
        }
        add_route(p, route);
        if (p->cidr && !has_own && tn_cidr_within(p->cidr, &route->to)) {
            add_claims_as(p, p->cidr, p->cidr);
            has_own = true;
        }
    }
}

/* What nobody here claims is let through by being left out. */
static void
keep_claimed(struct tn_nft_parts *parts)
{
    size_t kept = 0;
    for (size_t i = 0; i < parts->n; i++) {
        bool claimed = false;
        for (size_t k = 0; k < parts->items[i].n_claims; k++) {
            claimed = claimed || parts->items[i].claims[k].owner;
        }
        if (claimed) {
            parts->items[kept++] = parts->items[i];
        }
    }
    parts->n = kept;
}

/* 'outer' are sorted and disjoint. */
static bool
covered(const struct tn_cidr *outer, size_t n, const struct tn_addr *a)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (tn_addr_cmp(&outer[mid].addr, a) <= 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo && tn_cidr_contains(&outer[lo - 1], a);
}

static void
find_elsewhere(const struct place *p, struct tn_nft_elsewhere *out)
{
    struct tn_arena *arena = p->r->arena;
    struct tn_cidr *outer =
        tn_new_n(arena, struct tn_cidr, p->allowed.n ? p->allowed.n : 1);
    for (size_t i = 0; i < p->allowed.n; i++) {
        outer[i] = p->allowed.items[i].prefix;
    }
    struct tn_cidr *sorted =
        tn_new_n(arena, struct tn_cidr, p->allowed.n ? p->allowed.n : 1);
    size_t n = tn_nft_outermost(outer, p->allowed.n, sorted);
    for (size_t i = 0; n && i < p->subnet->n_ports; i++) {
        const struct tn_net_port *port = &p->subnet->ports[i];
        const struct tn_addr *a = p->family == port->address.family
                                      ? &port->address
                                      : &port->address6;
        if (!p->names->ports[i] && a->family == p->family &&
            covered(sorted, n, a)) {
            *tn_vec_push(arena, out) = *a;
        }
    }
}

void
tn_nft_find_claims(struct tn_nft_render *r, size_t subnet, unsigned family,
                   struct tn_nft_claimed *out)
{
    struct place p = {
        .r = r,
        .subnet = &r->in->vpc->subnets[subnet],
        .names = &r->in->subnets[subnet],
        .family = family,
    };
    const struct tn_net_subnet *s = p.subnet;
    p.cidr = s->cidr.addr.family == family    ? &s->cidr
             : s->cidr6.addr.family == family ? &s->cidr6
                                              : NULL;
    add_allowed(&p);
    add_claims(&p);
    if (p.claims.n) {
        tn_nft_partition(r->arena, p.claims.items, p.claims.n, &out->parts);
        keep_claimed(&out->parts);
    }
    find_elsewhere(&p, &out->elsewhere);
}
