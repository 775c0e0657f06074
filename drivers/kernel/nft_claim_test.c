/* nft_claim_test.c - what local ports claim, address by address, over random
 * networks: it is judged by whoever could hold the next hop, no more no less.
 */
#include "drivers/kernel/nft_render.h"

#include <stdlib.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/reach/random_network.h"

enum { NETWORKS = 150, PROBES = 12 };

struct site {
    struct tn_nft_render r;
    const struct tn_net_vpc *vpc;
    size_t subnet;
    struct tn_nft_claimed claimed[2]; /* IPv4, IPv6. */
    const char *const *local;         /* By port. */
};

struct tally {
    size_t judged, passed, elsewhere;
};

static const struct tn_net_subnet *
subnet_of(const struct site *s)
{
    return &s->vpc->subnets[s->subnet];
}

/* The next hop of what leaves by the subnet; null: it does not leave there. */
static const struct tn_addr *
next_hop(const struct site *s, const struct tn_addr *a)
{
    const struct tn_addr *next = NULL;
    int len = -1;
    for (size_t i = 0; i < s->vpc->n_subnets; i++) {
        const struct tn_net_subnet *n = &s->vpc->subnets[i];
        const struct tn_cidr *c =
            a->family == TN_AF_IPV4 ? &n->cidr : &n->cidr6;
        if (tn_cidr_contains(c, a) && c->len > len) {
            next = i == s->subnet ? a : NULL;
            len = c->len;
        }
    }
    for (size_t i = 0; i < s->vpc->n_routes; i++) {
        const struct tn_net_route *r = &s->vpc->routes[i];
        if (tn_cidr_contains(&r->to, a) && r->to.len > len) {
            next = r->subnet == subnet_of(s) ? &r->via : NULL;
            len = r->to.len;
        }
    }
    return next;
}

static bool
owns(const struct tn_net_port *port, const struct tn_addr *a)
{
    struct tn_cidr c = tn_cidr_of_addr(a);
    return tn_nft_own(port, &c);
}

/* How closely a local port is allowed 'a'; its widest prefix counts. */
static int
closeness(const struct site *s, size_t port, const struct tn_addr *a)
{
    const struct tn_net_port *p = &subnet_of(s)->ports[port];
    int len = -1;
    for (size_t i = 0; s->local[port] && i < p->n_allowed; i++) {
        const struct tn_cidr *c = &p->allowed[i];
        if (tn_cidr_contains(c, a) && (len < 0 || c->len < len)) {
            len = c->len;
        }
    }
    return len;
}

/* Ports as bits. */
static unsigned
wanted(const struct site *s, const struct tn_addr *next)
{
    const struct tn_net_subnet *n = subnet_of(s);
    unsigned who = 0;
    int best = -1;
    for (size_t i = 0; i < n->n_ports; i++) {
        if (owns(&n->ports[i], next)) {
            return s->local[i] ? 1u << i : 0;
        }
    }
    for (size_t i = 0; i < n->n_ports; i++) {
        int len = closeness(s, i, next);
        who = len > best ? 0 : who;
        best = len > best ? len : best;
        who |= len >= 0 && len == best ? 1u << i : 0;
    }
    return who;
}

static unsigned
rendered(const struct site *s, const struct tn_addr *a, struct tally *tally)
{
    const struct tn_nft_claimed *c = &s->claimed[a->family == TN_AF_IPV6];
    const struct tn_net_subnet *n = subnet_of(s);
    unsigned who = 0;
    for (size_t i = 0; i < n->n_ports; i++) {
        if (s->local[i] && owns(&n->ports[i], a)) {
            return 1u << i;
        }
    }
    for (size_t i = 0; i < c->elsewhere.n; i++) {
        if (tn_addr_cmp(&c->elsewhere.items[i], a) == 0) {
            tally->elsewhere++;
            return 0;
        }
    }
    for (size_t i = 0; i < c->parts.n; i++) {
        const struct tn_nft_part *p = &c->parts.items[i];
        for (size_t k = 0; k < p->n_claims; k++) {
            const struct tn_net_port *port = p->claims[k].owner;
            if (port && tn_cidr_contains(&p->prefix, a)) {
                who |= 1u << (port - n->ports);
            }
        }
    }
    return who;
}

static void
check(const struct site *s, const struct tn_addr *a, struct tally *tally)
{
    const struct tn_addr *next = next_hop(s, a);
    if (next) {
        unsigned is = rendered(s, a, tally), must = wanted(s, next);
        char buf[TN_ADDR_TEXT];
        cr_assert(is == must, "%s %s in %s: judged by %x, must be %x",
                  s->vpc->scope, tn_addr_format(a, buf), subnet_of(s)->name, is,
                  must);
        *(is ? &tally->judged : &tally->passed) += 1;
    }
}

static void
check_prefix(const struct site *s, const struct tn_cidr *c, struct tally *tally)
{
    struct tn_addr last = tn_cidr_last(c), a;
    for (uint64_t i = 0; i < PROBES; i++) {
        if (tn_addr_present(&c->addr) && tn_addr_add(&c->addr, i, &a) &&
            tn_cidr_contains(c, &a)) {
            check(s, &a, tally);
        }
    }
    if (tn_addr_present(&c->addr)) {
        check(s, &last, tally);
    }
}

static void
check_site(const struct site *s, struct tally *tally)
{
    for (size_t i = 0; i < s->vpc->n_subnets; i++) {
        const struct tn_net_subnet *n = &s->vpc->subnets[i];
        check_prefix(s, &n->cidr, tally);
        check_prefix(s, &n->cidr6, tally);
        for (size_t k = 0; k < n->n_ports; k++) {
            const struct tn_net_port *p = &n->ports[k];
            struct tn_cidr six = tn_cidr_of_addr(&p->address6);
            check(s, &p->address, tally);
            check_prefix(s, &six, tally);
            for (size_t m = 0; m < p->n_allowed; m++) {
                check_prefix(s, &p->allowed[m], tally);
            }
        }
    }
    for (size_t i = 0; i < s->vpc->n_routes; i++) {
        check_prefix(s, &s->vpc->routes[i].to, tally);
        check(s, &s->vpc->routes[i].via, tally);
    }
}

static void
check_vpc(struct tn_arena *arena, const struct tn_net_vpc *vpc,
          const char *host, struct tally *tally)
{
    struct tn_nft_subnet *names =
        tn_new_n(arena, struct tn_nft_subnet, vpc->n_subnets);
    struct tn_nft_input in = {vpc, names, NULL};
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *n = &vpc->subnets[i];
        const char **local = tn_new_n(arena, const char *, n->n_ports + 1);
        for (size_t k = 0; k < n->n_ports; k++) {
            bool here = tn_streq(n->ports[k].host->raw.name, host);
            local[k] = here ? n->ports[k].name : NULL;
        }
        names[i] = (struct tn_nft_subnet){n->name, NULL, local, NULL, 0};
        struct site s = {.r = {.arena = arena, .in = &in}, .vpc = vpc};
        s.subnet = i;
        s.local = local;
        tn_nft_find_claims(&s.r, i, TN_AF_IPV4, &s.claimed[0]);
        tn_nft_find_claims(&s.r, i, TN_AF_IPV6, &s.claimed[1]);
        check_site(&s, tally);
    }
}

Test(nft_claim, judged_by_who_could_be_the_next_hop)
{
    struct tally tally = {0};
    for (unsigned seed = 1; seed <= NETWORKS; seed++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_network *net = tn_random_network(
            arena, &(struct tn_random_options){seed, 0, true});
        for (size_t i = 0; i < net->n_vpcs; i++) {
            check_vpc(arena, net->vpcs[i], "hv1", &tally);
            check_vpc(arena, net->vpcs[i], "hv2", &tally);
        }
    }
    cr_log_info("%zu judged, %zu not, %zu of other hosts", tally.judged,
                tally.passed, tally.elsewhere);
    cr_assert_gt(tally.judged, 10000);
    cr_assert_gt(tally.passed, 10000);
    cr_assert_gt(tally.elsewhere, 100);
}
