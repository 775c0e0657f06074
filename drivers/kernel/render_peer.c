/* render_peer.c - links between two VPCs of one host.
 *
 * A pair of interfaces of the same name, one end in each namespace, with fixed
 * link-local addresses; each side routes what it may reach to the other's.
 * Both sides are resources: each belongs to the VPC it is in. */
#include "drivers/kernel/render.h"

#include <stdlib.h>
#include <string.h>

static struct tn_cidr
link_address(bool first)
{
    struct tn_cidr c = {{TN_AF_IPV6, {0xfe, 0x80}}, 64};
    c.addr.b[15] = first ? 1 : 2;
    return c;
}

static uint32_t
largest_mtu(const struct tn_net_vpc *vpc)
{
    uint32_t mtu = 1280;
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        mtu = vpc->subnets[i].mtu > mtu ? vpc->subnets[i].mtu : mtu;
    }
    return mtu;
}

static const struct tn_cidr *
sorted(struct tn_arena *arena, const struct tn_cidr *cidrs, size_t n)
{
    struct tn_cidr *copy = tn_new_n(arena, struct tn_cidr, n + 1);
    if (n) {
        memcpy(copy, cidrs, n * sizeof *copy);
        qsort(copy, n, sizeof *copy, tn_k_cmp_cidr);
    }
    return copy;
}

/* Is the VPC on this device, and expressible? */
static bool
is_here(const struct tn_k_render *r, const struct tn_net_vpc *vpc)
{
    size_t low = 0, high = r->device->n_vpcs;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(r->device->vpcs[mid]->scope, vpc->scope);
        if (c == 0) {
            return r->usable[mid];
        }
        if (c < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return false;
}

void
tn_k_render_peerings(struct tn_k_render_vpc *v, const char **names)
{
    struct tn_k_render *r = v->r;
    for (size_t i = 0; i < v->vpc->n_peerings; i++) {
        const struct tn_net_peering *p = &v->vpc->peerings[i];
        names[i] = NULL;
        if (!is_here(r, p->peer)) {
            continue;
        }
        struct tn_k_peering *o = tn_new(r->arena, struct tn_k_peering);
        uint32_t ours = largest_mtu(v->vpc), theirs = largest_mtu(p->peer);
        o->o = tn_k_object_of(v, TN_K_OBJ_PEERING);
        tn_k_link_name(v->vpc->scope, p->peer->scope, o->link.name);
        o->link.mtu = ours > theirs ? ours : theirs;
        o->link.up = true;
        o->link.master = "none";
        o->peer_ns = tn_k_netns_name(r->arena, r->device, p->peer->scope);
        o->peer_scope = p->peer->scope;
        o->second = !p->first;
        if (o->second) {
            o->o.parent = tn_arena_printf(r->arena, "%s/peering/%s",
                                          p->peer->scope, o->link.name);
        }
        o->address = link_address(p->first);
        o->via = link_address(!p->first).addr;
        o->routes = sorted(r->arena, p->imports, p->n_imports);
        o->n_routes = p->n_imports;
        names[i] = o->link.name;
        tn_k_list_add(&r->list, &o->o, TN_OURS, p->origin);
    }
}
