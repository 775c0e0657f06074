/* render.c - see render.h.
 *
 * A VPC becomes a namespace; each of its subnets a bridge, which is the gateway
 * of the subnet on every host alike, and a tunnel device on that bridge.  All
 * subnets of a VPC are on every host that has the VPC, because routing between
 * them happens at the first hop.  Ports are in render_port.c, links to other
 * VPCs in render_peer.c, packet rules in nft_render.c; who has an address that
 * no port owns is for virtual.c to say. */
#include "drivers/kernel/render.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/kernel/sysctl.h"

static void
render_netns(struct tn_k_render_vpc *v)
{
    struct tn_k_netns *o = tn_new(v->r->arena, struct tn_k_netns);
    o->o = tn_k_object_of(v, TN_K_NETNS);
    o->sysctls = tn_k_sysctls_wanted();
    v->netns_key = tn_k_list_add(&v->r->list, &o->o, TN_OURS, v->vpc->origin);
}

static void
render_bridge(struct tn_k_render_vpc *v, const struct tn_net_subnet *subnet,
              struct tn_k_render_subnet *on)
{
    struct tn_arena *arena = v->r->arena;
    struct tn_k_bridge *o = tn_new(arena, struct tn_k_bridge);
    struct tn_cidr *addrs = tn_new_n(arena, struct tn_cidr, 3);
    o->o = tn_k_object_of(v, TN_K_OBJ_BRIDGE);
    tn_k_ifname(TN_K_BRIDGE, subnet->name, o->link.name);
    o->link.mtu = subnet->mtu;
    o->link.up = true;
    o->link.options = TN_K_BRIDGE_OPTIONS;
    o->link.master = "none";
    o->mac = subnet->gateway_mac;
    if (tn_addr_present(&subnet->gateway)) {
        addrs[o->n_addrs++] =
            (struct tn_cidr){subnet->gateway, subnet->cidr.len};
    }
    if (tn_addr_present(&subnet->gateway6)) {
        addrs[o->n_addrs++] =
            (struct tn_cidr){subnet->gateway6, subnet->cidr6.len};
    }
    if (subnet->gateway.family == TN_AF_IPV6 ||
        tn_addr_present(&subnet->gateway6)) {
        addrs[o->n_addrs++] = (struct tn_cidr){tn_nft_gateway_local, 64};
    }
    qsort(addrs, o->n_addrs, sizeof *addrs, tn_k_cmp_cidr);
    o->addrs = addrs;
    on->bridge = o->link.name;
    on->bridge_key = tn_k_list_add(&v->r->list, &o->o, TN_OURS, subnet->origin);
}

struct vteps {
    struct tn_addr *items;
    size_t n, cap;
};

static void
add_vteps(struct tn_arena *arena, const struct tn_net_subnet *subnets, size_t n,
          struct vteps *out)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < subnets[i].n_ports; k++) {
            *tn_vec_push(arena, out) =
                subnets[i].ports[k].host->config.underlay;
        }
    }
}

/* The VTEPs of other hosts that hold ports of the subnet, each once.  Answers
 * to routers that ask have to come to all hosts that route for the VPC: those
 * with ports of it, or of one that it peers with. */
static void
flood_list(const struct tn_k_render_vpc *v, const struct tn_net_subnet *subnet,
           bool asked, struct tn_k_vxlan *o)
{
    struct tn_arena *arena = v->r->arena;
    struct vteps all = {0};
    add_vteps(arena, subnet, 1, &all);
    if (asked) {
        add_vteps(arena, v->vpc->subnets, v->vpc->n_subnets, &all);
    }
    for (size_t i = 0; asked && i < v->vpc->n_peerings; i++) {
        const struct tn_net_vpc *peer = v->vpc->peerings[i].peer;
        add_vteps(arena, peer->subnets, peer->n_subnets, &all);
    }
    if (all.n) {
        qsort(all.items, all.n, sizeof *all.items, tn_k_cmp_addr);
    }
    size_t kept = 0;
    for (size_t i = 0; i < all.n; i++) {
        const struct tn_addr *a = &all.items[i];
        if (a->family == o->local.family && tn_addr_cmp(a, &o->local) != 0 &&
            (kept == 0 || tn_addr_cmp(&all.items[kept - 1], a) != 0)) {
            all.items[kept++] = *a;
        }
    }
    o->flood = all.items;
    o->n_flood = kept;
}

/* A bridge answers in the place of others with what its router has learned.
 * Where that may change without a commit, everybody answers for himself. */
static void
render_vxlan(struct tn_k_render_vpc *v, const struct tn_net_subnet *subnet,
             const struct tn_k_virtual *virtual, struct tn_k_render_subnet *on)
{
    struct tn_arena *arena = v->r->arena;
    struct tn_k_vxlan *o = tn_new(arena, struct tn_k_vxlan);
    o->o = tn_k_object_of(v, TN_K_OBJ_VXLAN);
    tn_k_ifname(TN_K_VXLAN, subnet->name, o->link.name);
    o->link.mtu = subnet->mtu;
    o->link.up = true;
    o->link.options = virtual->contested ? TN_K_PORT_OPTIONS
                                         : TN_K_VXLAN_OPTIONS;
    o->link.master = on->bridge;
    o->vni = subnet->vni;
    o->port = v->r->device->vxlan_port;
    o->local = v->r->device->host->config.underlay;
    o->tunnel = tn_k_tunnel(arena, o->vni, &o->local, o->port);
    flood_list(v, subnet, virtual->n_sought > 0, o);
    on->tunnel = o->tunnel;
    on->vxlan = o->link.name;
    on->vxlan_key = tn_k_list_add(&v->r->list, &o->o, TN_OURS, subnet->origin);
}

static void
render_subnet(struct tn_k_render_vpc *v, size_t i, struct tn_nft_subnet *rules)
{
    const struct tn_net_subnet *subnet = &v->vpc->subnets[i];
    struct tn_k_render_subnet on = {0};
    struct tn_k_virtual virtual;
    tn_k_virtual_find(v->r->arena, v->vpc, subnet, &virtual);
    render_bridge(v, subnet, &on);
    render_vxlan(v, subnet, &virtual, &on);
    const char **names =
        tn_new_n(v->r->arena, const char *, subnet->n_ports + 1);
    tn_k_render_ports(v, subnet, &on, names);
    tn_k_render_held(v, &on, &virtual);
    *rules = (struct tn_nft_subnet){on.bridge, on.vxlan, names, virtual.sought,
                                    virtual.n_sought};
}

static void
render_routes(struct tn_k_render_vpc *v)
{
    for (size_t i = 0; i < v->vpc->n_routes; i++) {
        const struct tn_net_route *route = &v->vpc->routes[i];
        char bridge[TN_K_IFNAME];
        struct tn_k_route *o = tn_new(v->r->arena, struct tn_k_route);
        o->o = tn_k_object_of(v, TN_K_OBJ_ROUTE);
        o->to = route->to;
        o->via = route->via;
        o->link = tn_arena_strdup(
            v->r->arena, tn_k_ifname(TN_K_BRIDGE, route->subnet->name, bridge));
        tn_k_list_add(&v->r->list, &o->o, TN_OURS, route->origin);
    }
}

static void
render_rules(struct tn_k_render_vpc *v, const struct tn_nft_input *input)
{
    struct tn_k_rules *o = tn_new(v->r->arena, struct tn_k_rules);
    o->o = tn_k_object_of(v, TN_K_OBJ_RULES);
    o->rules = tn_nft_render(v->r->arena, input);
    tn_k_list_add(&v->r->list, &o->o, TN_OURS, v->vpc->origin);
}

static void
render_vpc(struct tn_k_render *r, const struct tn_net_vpc *vpc)
{
    struct tn_arena *arena = r->arena;
    struct tn_k_render_vpc v = {
        .r = r,
        .vpc = vpc,
        .ns = tn_k_netns_name(arena, r->device, vpc->scope),
    };
    struct tn_nft_subnet *subnets =
        tn_new_n(arena, struct tn_nft_subnet, vpc->n_subnets + 1);
    const char **links = tn_new_n(arena, const char *, vpc->n_peerings + 1);
    render_netns(&v);
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        render_subnet(&v, i, &subnets[i]);
    }
    tn_k_render_peerings(&v, links);
    render_routes(&v);
    render_rules(&v, &(struct tn_nft_input){vpc, subnets, links});
}

/* Findings for what this driver cannot express; false if there was one. */
static bool
vpc_usable(struct tn_k_render *r, const struct tn_net_vpc *vpc)
{
    const struct tn_host *host = r->device->host;
    size_t before = r->diags->n_errors;
    if (vpc->encapsulation != TN_ENCAP_VXLAN) {
        tn_diag(r->diags, TN_ERROR, vpc->origin,
                "the kernel driver of host %s carries VPCs by vxlan only",
                host->raw.name);
    }
    if (!tn_addr_present(&host->config.underlay)) {
        tn_diag(r->diags, TN_ERROR, vpc->origin,
                "host %s has no tenet_underlay_address to tunnel from",
                host->raw.name);
    }
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        if (s->dhcp) {
            tn_diag(r->diags, TN_ERROR, s->dhcp->origin,
                    "the kernel driver of host %s cannot serve DHCP",
                    host->raw.name);
        }
        for (size_t j = 0; j < s->n_ports; j++) {
            const struct tn_host *other = s->ports[j].host;
            if (other->config.underlay.family != host->config.underlay.family) {
                tn_diag(r->diags, TN_ERROR, s->ports[j].origin,
                        "hosts %s and %s have no underlay address of the same "
                        "family",
                        host->raw.name, other->raw.name);
            }
        }
    }
    return r->diags->n_errors == before;
}

enum tn_code
tn_k_render(const struct tn_device *device, struct tn_arena *arena,
            const struct tn_state **out, struct tn_diags *diags,
            struct tn_error *err)
{
    struct tn_k_render r = {.device = device,
                            .arena = arena,
                            .diags = diags,
                            .list = {.arena = arena}};
    const char *tenant = diags->tenant;
    bool *usable = tn_new_n(arena, bool, device->n_vpcs + 1);
    tn_map_init(&r.far_ends, arena, 0);
    for (size_t i = 0; i < device->n_vpcs; i++) {
        diags->tenant = device->vpcs[i]->tenant;
        usable[i] = vpc_usable(&r, device->vpcs[i]);
    }
    r.usable = usable;
    for (size_t i = 0; i < device->n_vpcs; i++) {
        diags->tenant = device->vpcs[i]->tenant;
        size_t mark = r.list.items.n, errors = diags->n_errors;
        if (usable[i]) {
            render_vpc(&r, device->vpcs[i]);
        }
        if (diags->n_errors != errors) {
            r.list.items.n = mark;
        }
    }
    diags->tenant = tenant;
    enum tn_code code = tn_state_sort(r.list.items.items, r.list.items.n, err);
    if (code != TN_OK) {
        return code;
    }
    struct tn_state *state = tn_new(arena, struct tn_state);
    *state =
        (struct tn_state){device->name, r.list.items.items, r.list.items.n};
    *out = state;
    return TN_OK;
}
