/* virtual.c - see virtual.h.
 *
 * Prefixes nest or are disjoint, so those of all ports, sorted, fall into runs
 * that each lie in their first.  A run of one single address has one possible
 * holder, who is known; in any other somebody must be asked, and in a run of
 * several prefixes, each of another port, the answer may be another one the
 * next time. */
#include "drivers/kernel/virtual.h"

#include <stdlib.h>

#include "drivers/kernel/nft_prefix.h"

struct finder {
    struct tn_arena *arena;
    const struct tn_net_vpc *vpc;
    const struct tn_net_subnet *subnet;
    struct tn_addr *own; /* Of all its ports; sorted. */
    size_t n_own;
    TN_VEC(struct tn_nft_claim) claims;
};

static int
addr_cmp(const void *a, const void *b)
{
    return tn_addr_cmp(a, b);
}

static int
claim_cmp(const void *a, const void *b)
{
    const struct tn_nft_claim *x = a, *y = b;
    int c = tn_cidr_cmp(&x->prefix, &y->prefix);
    /* Ports are in an array, by name. */
    return c ? c
             : ((uintptr_t) x->owner > (uintptr_t) y->owner) -
                   ((uintptr_t) x->owner < (uintptr_t) y->owner);
}

static void
collect_own(struct finder *f)
{
    const struct tn_net_subnet *s = f->subnet;
    f->own = tn_new_n(f->arena, struct tn_addr, 2 * s->n_ports);
    for (size_t i = 0; i < s->n_ports; i++) {
        f->own[f->n_own++] = s->ports[i].address;
        if (tn_addr_present(&s->ports[i].address6)) {
            f->own[f->n_own++] = s->ports[i].address6;
        }
    }
    qsort(f->own, f->n_own, sizeof *f->own, addr_cmp);
}

static bool
is_own(const struct finder *f, const struct tn_addr *a)
{
    return bsearch(a, f->own, f->n_own, sizeof *f->own, addr_cmp) != NULL;
}

/* May the port hold this next hop, other than by 'but'? */
static bool
may_hold(const struct finder *f, const struct tn_net_port *port,
         const struct tn_addr *via, const struct tn_cidr *but)
{
    if (is_own(f, via)) {
        return tn_addr_cmp(via, &port->address) == 0 ||
               tn_addr_cmp(via, &port->address6) == 0;
    }
    for (size_t i = 0; i < port->n_allowed; i++) {
        if (&port->allowed[i] != but &&
            tn_cidr_contains(&port->allowed[i], via)) {
            return true;
        }
    }
    return false;
}

static bool
is_behind(const struct finder *f, const struct tn_net_port *port,
          const struct tn_cidr *prefix)
{
    for (size_t i = 0; i < f->vpc->n_routes; i++) {
        const struct tn_net_route *route = &f->vpc->routes[i];
        if (tn_cidr_cmp(&route->to, prefix) == 0 &&
            may_hold(f, port, &route->via, prefix)) {
            return true;
        }
    }
    return false;
}

static bool
is_taken(const struct finder *f, const struct tn_cidr *prefix)
{
    const struct tn_addr *a = &prefix->addr;
    return prefix->len == tn_addr_bits(a) &&
           (is_own(f, a) || tn_addr_cmp(a, &f->subnet->gateway) == 0 ||
            tn_addr_cmp(a, &f->subnet->gateway6) == 0);
}

static void
collect_claims(struct finder *f, const struct tn_net_port *port)
{
    const struct tn_cidr *of[] = {&f->subnet->cidr, &f->subnet->cidr6};
    struct tn_cidr *list = tn_new_n(f->arena, struct tn_cidr, port->n_allowed);
    size_t n = 0;
    for (size_t i = 0; i < port->n_allowed; i++) {
        const struct tn_cidr *c = &port->allowed[i];
        for (size_t k = 0; k < TN_ARRAY_SIZE(of); k++) {
            if (tn_cidr_overlap(c, of[k]) && !is_taken(f, c) &&
                !is_behind(f, port, c)) {
                list[n++] = tn_cidr_within(c, of[k]) ? *c : *of[k];
            }
        }
    }
    struct tn_cidr *outer = tn_new_n(f->arena, struct tn_cidr, n ? n : 1);
    n = tn_nft_outermost(list, n, outer);
    for (size_t i = 0; i < n; i++) {
        *tn_vec_push(f->arena, &f->claims) =
            (struct tn_nft_claim){outer[i], port};
    }
}

static void
sort_out(struct finder *f, struct tn_k_virtual *out)
{
    const struct tn_nft_claim *c = f->claims.items;
    struct tn_k_held *held = tn_new_n(f->arena, struct tn_k_held, f->claims.n);
    struct tn_cidr *sought = tn_new_n(f->arena, struct tn_cidr, f->claims.n);
    for (size_t i = 0, end; i < f->claims.n; i = end) {
        end = i + 1;
        while (end < f->claims.n &&
               tn_cidr_within(&c[end].prefix, &c[i].prefix)) {
            end++;
        }
        const struct tn_addr *a = &c[i].prefix.addr;
        if (end == i + 1 && c[i].prefix.len == tn_addr_bits(a)) {
            held[out->n_held++] = (struct tn_k_held){*a, c[i].owner};
        } else {
            sought[out->n_sought++] = c[i].prefix;
            out->contested |= end > i + 1;
        }
    }
    out->held = held;
    out->sought = sought;
}

void
tn_k_virtual_find(struct tn_arena *arena, const struct tn_net_vpc *vpc,
                  const struct tn_net_subnet *subnet, struct tn_k_virtual *out)
{
    struct finder f = {.arena = arena, .vpc = vpc, .subnet = subnet};
    *out = (struct tn_k_virtual){0};
    for (size_t i = 0; i < subnet->n_ports; i++) {
        if (subnet->ports[i].n_allowed && !f.own) {
            collect_own(&f);
        }
        if (subnet->ports[i].n_allowed) {
            collect_claims(&f, &subnet->ports[i]);
        }
    }
    if (f.claims.n) {
        qsort(f.claims.items, f.claims.n, sizeof *f.claims.items, claim_cmp);
        sort_out(&f, out);
    }
}
