/* render_peer.c - peerings as service interfaces of two Tier-1s on one segment.
 *
 * The segment between them leads nowhere else; the side whose scope sorts first
 * has it.  Each router has routes to what the other exports, and to nothing
 * more, through its interface there.  What comes in by an interface must have a
 * source that is routed back by it (urpf STRICT), which is what the peer
 * exports; and the peer only sends what we export, since it has routes to
 * nothing else of ours.  So both ends let pass what both sides grant, and
 * nothing goes on to a third VPC.
 *
 * Addresses of an interface are next hops and nothing else.  No two of one
 * router may overlap, and they must not depend on what other VPCs there are:
 * each pair has a first and a second choice, and takes the second one if
 * somebody who sorts before it has the same first one.  Where that is not
 * enough, it is refused. */
#include <stdio.h>
#include <string.h>

#include "drivers/nsx/kinds.h"
#include "drivers/nsx/names.h"
#include "drivers/nsx/render_part.h"
#include "model/base/digest.h"

/* 169.254.64.0 to 169.254.255.255 but for 169.254.169.0/24, in pairs of a /30:
 * NSX itself uses the low part, and guests ask 169.254.169.254. */
enum { NETS = 191, FIRST_NET = 64, NO_NET = 169, PAIRS = 64 };
enum { LENGTH4 = 30, LENGTH6 = 64, PAIR_TEXT = 300 };

static void
pair_name(const struct tn_net_vpc *vpc, const struct tn_net_peering *p,
          char out[PAIR_TEXT])
{
    snprintf(out, PAIR_TEXT, "%s %s", p->first ? vpc->scope : p->peer->scope,
             p->first ? p->peer->scope : vpc->scope);
}

static unsigned
choice(const char *pair, unsigned n)
{
    char text[PAIR_TEXT + 16];
    int len = snprintf(text, sizeof text, "transit %u %s", n, pair);
    return (unsigned) (tn_hash64(text, (size_t) len) % (NETS * PAIRS));
}

/* The number of a pair among those of the two VPCs. */
static unsigned
number_of(const struct tn_net_vpc *vpc, const struct tn_net_peering *p)
{
    const struct tn_net_vpc *both[] = {vpc, p->peer};
    char own[PAIR_TEXT], other[PAIR_TEXT];
    pair_name(vpc, p, own);
    unsigned first = choice(own, 0);
    for (size_t i = 0; i < TN_ARRAY_SIZE(both); i++) {
        for (size_t k = 0; k < both[i]->n_peerings; k++) {
            pair_name(both[i], &both[i]->peerings[k], other);
            if (strcmp(other, own) < 0 && choice(other, 0) == first) {
                return choice(own, 1);
            }
        }
    }
    return first;
}

const unsigned *
tn_nsx_peering_numbers(struct tn_arena *arena, const struct tn_net_vpc *vpc)
{
    unsigned *numbers = tn_new_n(arena, unsigned, vpc->n_peerings + 1);
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        numbers[i] = number_of(vpc, &vpc->peerings[i]);
    }
    return numbers;
}

/* Both ends of a link: what they differ by is the last bits. */
struct ends {
    struct tn_addr ours4, theirs4, ours6, theirs6;
    bool four, six;
};

static struct ends
ends_of(const struct tn_net_vpc *vpc, const struct tn_net_peering *p)
{
    struct ends e = {0};
    char pair[PAIR_TEXT];
    unsigned number = number_of(vpc, p);
    unsigned net = FIRST_NET + number / PAIRS;
    uint8_t host = (uint8_t) (number % PAIRS * 4 + 1);
    pair_name(vpc, p, pair);
    const struct tn_digest d = tn_digest_of(pair, strlen(pair));
    e.ours4 = (struct tn_addr){
        TN_AF_IPV4, {169, 254, (uint8_t) (net + (net >= NO_NET)), host}};
    e.ours6 = (struct tn_addr){TN_AF_IPV6, {0xfd}};
    memcpy(e.ours6.b + 1, d.b, 7);
    e.ours6.b[15] = 1;
    e.theirs4 = e.ours4;
    e.theirs6 = e.ours6;
    (p->first ? &e.theirs4 : &e.ours4)->b[3]++;
    (p->first ? &e.theirs6 : &e.ours6)->b[15]++;
    for (size_t i = 0; i < p->n_imports + p->n_exports; i++) {
        const struct tn_cidr *c =
            i < p->n_imports ? &p->imports[i] : &p->exports[i - p->n_imports];
        e.four = e.four || c->addr.family == TN_AF_IPV4;
        e.six = e.six || c->addr.family == TN_AF_IPV6;
    }
    return e;
}

/* "lab_acme_db__acme_web", of the side that sorts first. */
static const char *
transit_path(const struct tn_nsx_render *r, const struct tn_net_peering *p)
{
    const struct tn_net_vpc *a = p->first ? r->vpc : p->peer;
    const struct tn_net_vpc *b = p->first ? p->peer : r->vpc;
    return tn_arena_printf(r->arena, "%s/segments/%s", r->base,
                           tn_nsx_id(r->arena, r->device->instance, a->tenant,
                                     a->name, "", b->tenant, b->name, NULL));
}

static void
render_edge(struct tn_nsx_render *r, const char *cluster,
            struct tn_origin origin)
{
    struct tn_nsx_draft d;
    tn_nsx_draft_begin(
        &d, r->arena, &tn_nsx_edge, r->vpc->scope, NULL,
        tn_arena_printf(r->arena, "%s/locale-services/default", r->router));
    tn_nsx_draft_set(&d, "cluster", cluster);
    tn_nsx_add(r, &d, r->router_key, origin);
}

static void
render_transit(struct tn_nsx_render *r, const struct tn_net_peering *p)
{
    const char *zone =
        tn_host_option(&r->device->host->config, "tenet_nsx_transport_zone");
    struct tn_nsx_draft d;
    tn_nsx_draft_begin(&d, r->arena, &tn_nsx_transit, r->vpc->scope,
                       tn_nsx_name(r, &tn_nsx_transit, p->peer->scope),
                       transit_path(r, p));
    tn_nsx_draft_set(
        &d, "name",
        tn_nsx_own_name(r, tn_arena_printf(r->arena, "to/%s", p->peer->scope)));
    if (zone) {
        tn_nsx_draft_set(&d, "zone", zone);
    }
    tn_nsx_add(r, &d, NULL, p->origin);
}

static const char *
address_json(struct tn_arena *arena, const struct tn_addr *a, int length)
{
    return tn_arena_printf(arena,
                           "{\"ip_addresses\":[\"%s\"],\"prefix_len\":%d}",
                           tn_nsx_addr(arena, a), length);
}

/* Returns its path. */
static const char *
render_link(struct tn_nsx_render *r, const struct tn_net_peering *p,
            const struct ends *e)
{
    struct tn_arena *arena = r->arena;
    const char *four = e->four ? address_json(arena, &e->ours4, LENGTH4) : "";
    const char *six = e->six ? address_json(arena, &e->ours6, LENGTH6) : "";
    const char *path = tn_arena_printf(
        arena, "%s/locale-services/default/interfaces/%s", r->router,
        tn_nsx_id(arena, r->device->instance, r->vpc->tenant, r->vpc->name, "",
                  p->peer->tenant, p->peer->name, NULL));
    struct tn_nsx_draft d;
    tn_nsx_draft_begin(&d, arena, &tn_nsx_link, r->vpc->scope,
                       tn_nsx_name(r, &tn_nsx_link, p->peer->scope), path);
    tn_nsx_draft_set(
        &d, "name",
        tn_nsx_own_name(r, tn_arena_printf(arena, "to/%s", p->peer->scope)));
    tn_nsx_draft_set(&d, "transit", transit_path(r, p));
    tn_nsx_draft_json(&d, "addresses",
                      tn_arena_printf(arena, "[%s%s%s]", four,
                                      *four && *six ? "," : "", six));
    tn_nsx_add(r, &d, tn_arena_printf(arena, "%s/edge", r->vpc->scope),
               p->origin);
    return path;
}

static void
render_import(struct tn_nsx_render *r, const struct tn_net_peering *p,
              const struct tn_cidr *to, const struct tn_addr *via,
              const char *link)
{
    const char *prefix = tn_nsx_cidr(r->arena, to);
    const char *name =
        tn_arena_printf(r->arena, "%s via %s", prefix, p->peer->scope);
    struct tn_nsx_draft d;
    tn_nsx_draft_begin(&d, r->arena, &tn_nsx_route, r->vpc->scope,
                       tn_nsx_name(r, &tn_nsx_route, name),
                       tn_arena_printf(r->arena, "%s/static-routes/%s",
                                       r->router,
                                       tn_nsx_word(r->arena, prefix)));
    tn_nsx_draft_set(&d, "name", tn_nsx_short(r->arena, name, TN_NSX_ID_MAX));
    tn_nsx_draft_set(&d, "to", prefix);
    tn_nsx_draft_json(&d, "via",
                      tn_arena_printf(r->arena,
                                      "[{\"ip_address\":\"%s\","
                                      "\"scope\":[\"%s\"]}]",
                                      tn_nsx_addr(r->arena, via), link));
    tn_nsx_add(r, &d, r->router_key, p->origin);
}

void
tn_nsx_render_peerings(struct tn_nsx_render *r)
{
    const char *cluster =
        tn_host_option(&r->device->host->config, "tenet_nsx_edge_cluster");
    bool edge = false;
    for (size_t i = 0; i < r->vpc->n_peerings; i++) {
        const struct tn_net_peering *p = &r->vpc->peerings[i];
        const struct ends e = ends_of(r->vpc, p);
        bool there = p->first || tn_nsx_check(r, p->peer, NULL);
        if (!there || (!e.four && !e.six)) {
            continue;
        }
        if (!edge) {
            render_edge(r, cluster, p->origin);
            edge = true;
        }
        if (p->first) {
            render_transit(r, p);
        }
        const char *link = render_link(r, p, &e);
        for (size_t k = 0; k < p->n_imports; k++) {
            const struct tn_cidr *to = &p->imports[k];
            render_import(
                r, p, to,
                to->addr.family == TN_AF_IPV4 ? &e.theirs4 : &e.theirs6, link);
        }
    }
}
