/* render_peer.c - peerings as links between two routers.
 *
 * Each router has a port whose peer is the other's; its address is of the
 * link-local range and only a next hop.  What the peer exports is routed there.
 * What arrives from there is let in by policies of this router if the peer
 * exports its source and we export its destination; both ends do that, so that
 * it holds in both directions, and nothing is routed on to a third VPC. */
#include <string.h>

#include "drivers/ovsdb/names.h"
#include "drivers/ovsdb/ovn/kinds.h"
#include "drivers/ovsdb/ovn/render.h"
#include "model/base/cleanup.h"
#include "model/base/digest.h"

enum { LET_IN = 1010, CLOSED = 1000 };

/* One end of a link. */
struct end {
    const char *name; /* Of its port. */
    struct tn_mac mac;
    struct tn_addr four, six;
};

/* 169.254.1.0 to 169.254.168.255: the same pair for both ends, which differ in
 * the last bit.  Two links with one pair do no harm: each is a port. */
static struct end
end_of(const struct tn_ovn_render *r, const char *from, const char *to,
       bool first)
{
    struct tn_arena *arena = r->arena;
    const char *pair =
        tn_arena_printf(arena, "%s %s", first ? from : to, first ? to : from);
    const struct tn_digest d = tn_digest_of(pair, strlen(pair));
    uint8_t b[2];
    memcpy(b, &d, sizeof b);
    struct end e = {
        .name = tn_arena_printf(arena, "%s/%s/link/%s", r->device->instance,
                                from, to),
        .four = {TN_AF_IPV4,
                 {169, 254, (uint8_t) (1 + b[0] % 168),
                  (uint8_t) ((b[1] & 0xfe) | (first ? 0 : 1))}},
    };
    e.mac = tn_ovs_mac(e.name);
    e.six = tn_ovs_link_local(&e.mac);
    return e;
}

static void
render_link(struct tn_ovn_render *r, const struct tn_net_peering *p,
            const struct end *ours, const struct end *theirs)
{
    struct tn_ovs_draft d;
    const struct tn_cidr own = tn_cidr_of_addr(&ours->four);
    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_link, r->vpc->scope,
                       p->peer->scope);
    tn_ovs_draft_add(&d, "name", ours->name);
    tn_ovs_draft_add(&d, "mac", tn_ovn_mac(r->arena, &ours->mac));
    tn_ovs_draft_add(
        &d, "networks",
        tn_arena_printf(r->arena, "%s/32", tn_ovn_addr(r->arena, &own.addr)));
    tn_ovs_draft_add(&d, "peer", theirs->name);
    tn_ovs_draft_add(&d, "router", r->router);
    tn_ovn_add(r, &d, r->router, p->origin);
}

static void
render_import(struct tn_ovn_render *r, const struct tn_net_peering *p,
              const struct tn_cidr *to, const struct end *ours,
              const struct end *theirs)
{
    struct tn_ovs_draft d;
    const char *prefix = tn_ovn_cidr(r->arena, to);
    tn_ovs_draft_begin(
        &d, r->arena, &tn_ovn_route, r->vpc->scope,
        tn_arena_printf(r->arena, "%s via %s", prefix, p->peer->scope));
    tn_ovs_draft_add(&d, "to", prefix);
    tn_ovs_draft_add(&d, "via",
                     tn_ovn_addr(r->arena, to->addr.family == TN_AF_IPV4
                                               ? &theirs->four
                                               : &theirs->six));
    tn_ovs_draft_add(&d, "port", ours->name);
    tn_ovs_draft_add(&d, "router", r->router);
    tn_ovn_add(r, &d, r->router, p->origin);
}

static void
add_policy(struct tn_ovn_render *r, const struct tn_net_peering *p,
           const char *name, int priority, const char *match)
{
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(
        &d, r->arena, &tn_ovn_policy, r->vpc->scope,
        tn_arena_printf(r->arena, "%s/%s", p->peer->scope, name));
    tn_ovs_draft_add(&d, "priority", tn_arena_printf(r->arena, "%d", priority));
    tn_ovs_draft_add(&d, "match", match);
    tn_ovs_draft_add(&d, "action", priority == CLOSED ? "drop" : "allow");
    tn_ovs_draft_add(&d, "router", r->router);
    tn_ovn_add(r, &d, r->router, p->origin);
}

static const char *
set_of(struct tn_arena *arena, const struct tn_cidr *list, size_t n,
       unsigned family)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (size_t i = 0; i < n; i++) {
        if (list[i].addr.family == family) {
            tn_text_addf(&t, "%s%s", t.n ? ", " : "",
                         tn_ovn_cidr(arena, &list[i]));
        }
    }
    return t.n ? tn_arena_strndup(arena, tn_text_str(&t), t.n) : NULL;
}

static void
render_policies(struct tn_ovn_render *r, const struct tn_net_peering *p,
                const struct end *ours)
{
    for (unsigned f = TN_AF_IPV4; f <= TN_AF_IPV6; f += 2) {
        const char *ip = f == TN_AF_IPV4 ? "ip4" : "ip6";
        const char *from = set_of(r->arena, p->imports, p->n_imports, f);
        const char *to = set_of(r->arena, p->exports, p->n_exports, f);
        if (from && to) {
            add_policy(r, p, ip, LET_IN,
                       tn_arena_printf(r->arena,
                                       "inport == \"%s\" && %s.src == {%s} && "
                                       "%s.dst == {%s}",
                                       ours->name, ip, from, ip, to));
        }
    }
    add_policy(r, p, "closed", CLOSED,
               tn_arena_printf(r->arena, "inport == \"%s\"", ours->name));
}

void
tn_ovn_render_peerings(struct tn_ovn_render *r)
{
    for (size_t i = 0; i < r->vpc->n_peerings; i++) {
        const struct tn_net_peering *p = &r->vpc->peerings[i];
        const struct end ours =
            end_of(r, r->vpc->scope, p->peer->scope, p->first);
        const struct end theirs =
            end_of(r, p->peer->scope, r->vpc->scope, !p->first);
        render_policies(r, p, &ours);
        render_link(r, p, &ours, &theirs);
        for (size_t k = 0; k < p->n_imports; k++) {
            render_import(r, p, &p->imports[k], &ours, &theirs);
        }
    }
}
