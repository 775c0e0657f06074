/* assemble.c - joins the parts and cuts them into slices, one a device.
 *
 * Locality: a device gets the VPCs that have a port on its host and those that
 * peer directly with one of these, so that what a host holds grows with its
 * own ports and not with the cloud.  A cloud gets what its members have. */
#include "model/compile/assemble.h"

#include <stdlib.h>
#include <string.h>

#include "model/kinds/pack.h"

enum { VXLAN_PORT = 4789 };

static int
vpc_cmp(const void *a, const void *b)
{
    const struct tn_net_vpc *x = *(const struct tn_net_vpc *const *) a;
    const struct tn_net_vpc *y = *(const struct tn_net_vpc *const *) b;
    return strcmp(x->scope, y->scope);
}

static bool
is_sorted(const struct tn_net_vpc *const *vpcs, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (strcmp(vpcs[i - 1]->scope, vpcs[i]->scope) > 0) {
            return false;
        }
    }
    return true;
}

static void
vpcs_join(const struct tn_parts *parts, struct tn_arena *arena,
          struct tn_network *out)
{
    size_t n = 0;
    for (size_t i = 0; i < parts->n; i++) {
        const struct tn_part *part = parts->items[i];
        n += part->net && !part->failed ? part->n_vpcs : 0;
    }
    const struct tn_net_vpc **vpcs =
        tn_new_n(arena, const struct tn_net_vpc *, n);
    n = 0;
    for (size_t i = 0; i < parts->n; i++) {
        const struct tn_part *part = parts->items[i];
        for (size_t k = 0; part->net && !part->failed && k < part->n_vpcs;
             k++) {
            vpcs[n++] = &part->net[k];
        }
    }
    /* Tenants are in order, but "a-b/x" sorts before "a/x". */
    if (!is_sorted(vpcs, n)) {
        qsort(vpcs, n, sizeof(const struct tn_net_vpc *), vpc_cmp);
    }
    out->vpcs = vpcs;
    out->n_vpcs = n;
}

static void
tenants_list(const struct tn_parts *parts, struct tn_arena *arena,
             struct tn_network *out)
{
    struct tn_tenant_result *list =
        tn_new_n(arena, struct tn_tenant_result, parts->n);
    for (size_t i = 0; i < parts->n; i++) {
        const struct tn_part *part = parts->items[i];
        struct tn_document doc;
        list[i] = (struct tn_tenant_result){
            .name = part->tenant,
            .failed = part->failed,
            .n_vpcs = part->n_vpcs,
            .n_subnets = part->n_subnets,
            .n_ports = part->n_ports,
        };
        if (part->doc && tn_document_unpack(arena, part->doc, part->n_doc,
                                            part->doc_path, &doc)) {
            list[i].tenant = doc.as.tenant;
        }
    }
    out->tenants = list;
    out->n_tenants = parts->n;
}

/* ---- devices ------------------------------------------------------------ */

struct slice {
    TN_VEC(const struct tn_net_vpc *) vpcs;
    TN_VEC(const struct tn_host *) members; /* Of a cloud. */
    const struct tn_net_vpc *last;          /* That was added for its ports. */
};

struct slices {
    struct tn_arena *arena;
    const struct tn_inventory *inventory;
    struct slice *of; /* One per host. */
};

static struct slice *
slice_of(const struct slices *s, const struct tn_host *host)
{
    return &s->of[host - s->inventory->hosts];
}

/* A VPC with a port there, and its peers unless somebody else connects them.
 * However many its ports are, it is added once. */
static void
slice_add(const struct slices *s, struct slice *slice,
          const struct tn_net_vpc *vpc, bool peers)
{
    if (slice->last == vpc) {
        return;
    }
    slice->last = vpc;
    *tn_vec_push(s->arena, &slice->vpcs) = vpc;
    for (size_t i = 0; peers && i < vpc->n_peerings; i++) {
        *tn_vec_push(s->arena, &slice->vpcs) = vpc->peerings[i].peer;
    }
}

static void
vpc_slice(const struct slices *s, const struct tn_net_vpc *vpc)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            const struct tn_host *host = vpc->subnets[i].ports[k].host;
            slice_add(s, slice_of(s, host), vpc, !host->cloud);
            if (host->cloud) {
                slice_add(s, slice_of(s, host->cloud), vpc, true);
            }
        }
    }
}

static void
members_list(const struct slices *s)
{
    for (size_t i = 0; i < s->inventory->n_hosts; i++) {
        const struct tn_host *host = &s->inventory->hosts[i];
        if (host->cloud) {
            *tn_vec_push(s->arena, &slice_of(s, host->cloud)->members) = host;
        }
    }
}

static void
slice_sort(struct slice *slice)
{
    if (slice->vpcs.n < 2) {
        return;
    }
    qsort(slice->vpcs.items, slice->vpcs.n, sizeof(const struct tn_net_vpc *),
          vpc_cmp);
    size_t kept = 1;
    for (size_t i = 1; i < slice->vpcs.n; i++) {
        if (slice->vpcs.items[i] != slice->vpcs.items[kept - 1]) {
            slice->vpcs.items[kept++] = slice->vpcs.items[i];
        }
    }
    slice->vpcs.n = kept;
}

static size_t
networks_count(const struct slice *slice)
{
    size_t n = slice->vpcs.n;
    for (size_t i = 0; i < slice->vpcs.n; i++) {
        n += slice->vpcs.items[i]->n_subnets;
    }
    return n;
}

static void
devices_cut(struct tn_arena *arena, struct tn_network *out)
{
    const struct tn_inventory *inventory = out->inventory;
    struct slices s = {
        .arena = arena,
        .inventory = inventory,
        .of = tn_new_n(arena, struct slice, inventory->n_hosts),
    };
    for (size_t i = 0; i < out->n_vpcs; i++) {
        vpc_slice(&s, out->vpcs[i]);
    }
    members_list(&s);
    struct tn_device *devices =
        tn_new_n(arena, struct tn_device, inventory->n_hosts);
    const struct tn_settings *settings = out->settings;
    for (size_t i = 0; i < inventory->n_hosts; i++) {
        const struct tn_host *host = &inventory->hosts[i];
        if (!host->config.driver) {
            continue;
        }
        slice_sort(&s.of[i]);
        devices[out->n_devices++] = (struct tn_device){
            .name = host->raw.name,
            .host = host,
            .vpcs = s.of[i].vpcs.items,
            .n_vpcs = s.of[i].vpcs.n,
            .members = s.of[i].members.items,
            .n_members = s.of[i].members.n,
            .n_networks = networks_count(&s.of[i]),
            .instance = settings->meta.name.v,
            .vxlan_port = settings->vxlan_port.v
                              ? (uint16_t) settings->vxlan_port.v
                              : VXLAN_PORT,
            .externals = out->externals,
            .n_externals = out->n_externals,
        };
    }
    out->devices = devices;
}

/* ---- pins --------------------------------------------------------------- */

static const char *
object_name(struct tn_arena *arena, const char *kind, const char *a,
            const char *b)
{
    size_t nk = strlen(kind), na = strlen(a), nb = b ? strlen(b) + 1 : 0;
    char *s = tn_arena_alloc(arena, nk + na + nb + 1);
    memcpy(s, kind, nk);
    memcpy(s + nk, a, na + 1);
    if (b) {
        s[nk + na] = '/';
        memcpy(s + nk + na + 1, b, nb);
    }
    return s;
}

static struct tn_pin *
ports_pins(const struct tn_net_vpc *vpc, struct tn_arena *arena,
           struct tn_pin *next)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        for (size_t k = 0; k < s->n_ports; k++) {
            const struct tn_net_port *p = &s->ports[k];
            *next++ = (struct tn_pin){
                .tenant = vpc->tenant,
                .object = object_name(arena, "port/", p->name, NULL),
                .mac = p->mac,
                .address = p->address,
                .address6 = p->address6,
            };
        }
    }
    return next;
}

static struct tn_pin *
subnets_pins(const struct tn_net_vpc *vpc, struct tn_arena *arena,
             struct tn_pin *next)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        *next++ = (struct tn_pin){
            .tenant = vpc->tenant,
            .object = object_name(arena, "subnet/", vpc->name, s->name),
            .vni = s->vni,
        };
    }
    return next;
}

static int
pin_cmp(const void *a, const void *b)
{
    const struct tn_pin *x = a, *y = b;
    return strcmp(x->object, y->object);
}

static struct tn_pin *
part_pins(const struct tn_part *part, struct tn_arena *arena,
          struct tn_pin *first)
{
    struct tn_pin *next = first;
    size_t n_vpcs = part->net && !part->failed ? part->n_vpcs : 0;
    /* In this order they mostly are sorted already. */
    for (size_t i = 0; i < n_vpcs; i++) {
        next = ports_pins(&part->net[i], arena, next);
    }
    for (size_t i = 0; i < n_vpcs; i++) {
        next = subnets_pins(&part->net[i], arena, next);
    }
    for (size_t i = 0; i < part->n_other_pins; i++) {
        *next++ = part->other_pins[i];
    }
    size_t n = (size_t) (next - first), sorted = n ? 1 : 0;
    while (sorted < n && pin_cmp(&first[sorted - 1], &first[sorted]) <= 0) {
        sorted++;
    }
    if (sorted < n) {
        qsort(first, n, sizeof *first, pin_cmp);
    }
    return next;
}

static void
pins_list(const struct tn_parts *parts, struct tn_arena *arena,
          struct tn_network *out)
{
    size_t most = 0;
    for (size_t i = 0; i < parts->n; i++) {
        const struct tn_part *part = parts->items[i];
        bool loaded = part->net && !part->failed;
        most += part->n_other_pins;
        most += loaded ? part->n_subnets + part->n_ports : 0;
    }
    struct tn_pin *pins = tn_new_n(arena, struct tn_pin, most);
    struct tn_pin *next = pins;
    for (size_t i = 0; i < parts->n; i++) {
        next = part_pins(parts->items[i], arena, next);
    }
    out->pins = pins;
    out->n_pins = (size_t) (next - pins);
}

void
tn_assemble(const struct tn_parts *parts, struct tn_arena *arena,
            struct tn_network *out)
{
    vpcs_join(parts, arena, out);
    tenants_list(parts, arena, out);
    devices_cut(arena, out);
    pins_list(parts, arena, out);
}
