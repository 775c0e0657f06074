/* slice.c - see slice.h.
 *
 * VPCs are compared by hashes: that of the image which compile made of the VPC,
 * its VNIs, and its peerings with the images of the peers.  A hash that is not
 * known is unlike any other.  A VPC that comes or goes also changes what its
 * peers become, for only peerings of which both sides are here are made.  On a
 * member of a cloud none are: the cloud makes them. */
#include "reconciler/daemon/slice.h"

#include <stdlib.h>
#include <string.h>

static uint64_t
mix(uint64_t hash, uint64_t value)
{
    const uint64_t both[] = {hash, value};
    return tn_hash64(both, sizeof both);
}

/* Of the VPC without its peerings; 0: not known. */
static uint64_t
own_hash(const struct tn_net_vpc *vpc)
{
    uint64_t hash = vpc->image;
    for (size_t i = 0; hash && i < vpc->n_subnets; i++) {
        hash = mix(hash, vpc->subnets[i].vni);
    }
    return hash;
}

static uint64_t
cidrs_hash(uint64_t hash, const struct tn_cidr *cidrs, size_t n)
{
    return mix(hash, tn_hash64(cidrs, n * sizeof *cidrs));
}

static uint64_t
vpc_hash(const struct tn_net_vpc *vpc, bool peers)
{
    uint64_t hash = own_hash(vpc);
    for (size_t i = 0; peers && hash && i < vpc->n_peerings; i++) {
        const struct tn_net_peering *p = &vpc->peerings[i];
        uint64_t peer = own_hash(p->peer);
        if (!peer) {
            return 0;
        }
        hash = mix(hash, tn_hash64(p->peer->scope, strlen(p->peer->scope)));
        hash = mix(hash, peer);
        hash = mix(hash, p->first);
        hash = mix(hash, p->origin.line);
        hash = cidrs_hash(hash, p->exports, p->n_exports);
        hash = cidrs_hash(hash, p->imports, p->n_imports);
    }
    return hash;
}

static bool
is_same(const struct tn_net_vpc *a, const struct tn_net_vpc *b, bool peers)
{
    uint64_t hash = a == b ? 1 : vpc_hash(a, peers);
    return hash && (a == b || hash == vpc_hash(b, peers));
}

static bool
is_whole(const struct tn_network *net)
{
    bool whole = net->n_held == 0;
    for (size_t i = 0; i < net->n_tenants && whole; i++) {
        whole = !net->tenants[i].failed;
    }
    return whole;
}

static int
device_cmp(const void *key, const void *item)
{
    return strcmp(key, ((const struct tn_device *) item)->name);
}

static const struct tn_device *
device_find(const struct tn_network *net, const char *name)
{
    return net->n_devices ? bsearch(name, net->devices, net->n_devices,
                                    sizeof *net->devices, device_cmp)
                          : NULL;
}

static const struct tn_net_vpc *
vpc_find(const struct tn_device *device, const char *scope)
{
    size_t low = 0, high = device->n_vpcs;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(device->vpcs[mid]->scope, scope);
        if (c == 0) {
            return device->vpcs[mid];
        }
        if (c < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

struct changes {
    struct tn_arena *arena;
    TN_VEC(const char *) names;
};

/* It came or went: its peers are not what they were. */
static void
presence_note(struct changes *c, const struct tn_net_vpc *vpc, bool peers)
{
    *tn_vec_push(c->arena, &c->names) = vpc->scope;
    for (size_t i = 0; peers && i < vpc->n_peerings; i++) {
        *tn_vec_push(c->arena, &c->names) = vpc->peerings[i].peer->scope;
    }
}

static void
devices_compare(struct changes *c, const struct tn_device *a,
                const struct tn_device *b)
{
    size_t i = 0, k = 0;
    bool peers = !b->host->cloud;
    while (i < a->n_vpcs || k < b->n_vpcs) {
        int order = i == a->n_vpcs ? 1
                    : k == b->n_vpcs
                        ? -1
                        : strcmp(a->vpcs[i]->scope, b->vpcs[k]->scope);
        if (order < 0) {
            presence_note(c, a->vpcs[i++], peers);
        } else if (order > 0) {
            presence_note(c, b->vpcs[k++], peers);
        } else {
            if (!is_same(a->vpcs[i], b->vpcs[k], peers)) {
                *tn_vec_push(c->arena, &c->names) = b->vpcs[k]->scope;
            }
            i++;
            k++;
        }
    }
}

bool
tn_slice_changed(const struct tn_network *before,
                 const struct tn_network *after, const char *device,
                 struct tn_arena *arena, struct tn_scope *out)
{
    const struct tn_device *a = device_find(before, device);
    const struct tn_device *b = device_find(after, device);
    struct changes c = {.arena = arena};
    if (!a || !b || !tn_digest_eq(&before->world, &after->world) ||
        !is_whole(before) || !is_whole(after)) {
        return false;
    }
    devices_compare(&c, a, b);
    *out = (struct tn_scope){
        .names = c.names.items,
        .n = tn_texts_unique(c.names.items, c.names.n),
    };
    return true;
}

static int
vpc_cmp(const void *a, const void *b)
{
    const struct tn_net_vpc *x = *(const struct tn_net_vpc *const *) a;
    const struct tn_net_vpc *y = *(const struct tn_net_vpc *const *) b;
    return strcmp(x->scope, y->scope);
}

const struct tn_device *
tn_slice_device(const struct tn_device *device, const struct tn_scope *scope,
                struct tn_arena *arena)
{
    struct tn_device *out = tn_new(arena, struct tn_device);
    TN_VEC(const struct tn_net_vpc *) vpcs = {0};
    for (size_t i = 0; i < scope->n; i++) {
        const struct tn_net_vpc *vpc = vpc_find(device, scope->names[i]);
        if (vpc) {
            *tn_vec_push(arena, &vpcs) = vpc;
        }
        for (size_t k = 0; vpc && k < vpc->n_peerings; k++) {
            const struct tn_net_vpc *peer =
                vpc_find(device, vpc->peerings[k].peer->scope);
            if (peer) {
                *tn_vec_push(arena, &vpcs) = peer;
            }
        }
    }
    if (vpcs.n > 1) {
        qsort(vpcs.items, vpcs.n, sizeof *vpcs.items, vpc_cmp);
    }
    size_t n = 0;
    for (size_t i = 0; i < vpcs.n; i++) {
        if (n == 0 || vpcs.items[n - 1] != vpcs.items[i]) {
            vpcs.items[n++] = vpcs.items[i];
        }
    }
    *out = *device;
    out->whole = device->whole ? device->whole : device;
    out->vpcs = vpcs.items;
    out->n_vpcs = n;
    return out;
}
