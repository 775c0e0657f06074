/* render.c - see render.h: routers, switches and ports.
 *
 * Every subnet hangs on the router of its VPC with the subnet's gateway address
 * and MAC.  A port's own addresses are those that OVN answers ARP and neighbour
 * discovery for; what else it may use as a source only stands in its port
 * security, and is found by asking, as on a wire. */
#include "drivers/ovsdb/ovn/render.h"

#include <string.h>

#include "drivers/ovsdb/names.h"
#include "drivers/ovsdb/ovn/kinds.h"
#include "model/base/cleanup.h"

/* ovn-architecture(7), "Tunnel Encapsulations". */
enum { VXLAN_NETWORKS = 4096, VXLAN_PORTS = 2048 };

/* A count that goes on through the VPCs of the whole device. */
struct networks {
    size_t next, n;
};

const char *
tn_ovn_add(struct tn_ovn_render *r, struct tn_ovs_draft *d, const char *parent,
           struct tn_origin origin)
{
    d->r.parent = parent;
    d->r.origin = origin;
    struct tn_resource res = tn_ovs_draft_end(d);
    *tn_vec_push(r->arena, &r->list) = res;
    return res.key;
}

static void
render_router(struct tn_ovn_render *r)
{
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_router, r->vpc->scope, NULL);
    tn_ovs_draft_add(
        &d, "name",
        tn_arena_printf(r->arena, "%s/%s", r->device->instance, r->vpc->scope));
    r->router = tn_ovn_add(r, &d, NULL, r->vpc->origin);
}

const char *
tn_ovn_member_name(struct tn_ovn_render *r, const char *what, const char *name)
{
    return tn_arena_printf(r->arena, "%s/%s/%s/%s", r->device->instance,
                           r->vpc->scope, what, name);
}

static const char *
network(struct tn_arena *arena, const struct tn_addr *gateway,
        const struct tn_cidr *cidr)
{
    char text[TN_ADDR_TEXT];
    return tn_arena_printf(arena, "%s/%u", tn_addr_format(gateway, text),
                           cidr->len);
}

static void
render_gateway(struct tn_ovn_render *r, const struct tn_net_subnet *s,
               const char *on)
{
    struct tn_ovs_draft d;
    const char *name = tn_ovn_member_name(r, "gateway", s->name);
    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_gateway, r->vpc->scope, s->name);
    tn_ovs_draft_add(&d, "name", name);
    tn_ovs_draft_add(&d, "mac", tn_ovn_mac(r->arena, &s->gateway_mac));
    if (tn_addr_present(&s->gateway)) {
        tn_ovs_draft_add(&d, "networks",
                         network(r->arena, &s->gateway, &s->cidr));
    }
    if (tn_addr_present(&s->gateway6)) {
        tn_ovs_draft_add(&d, "networks",
                         network(r->arena, &s->gateway6, &s->cidr6));
    }
    tn_ovs_draft_add(&d, "router", r->router);
    tn_ovn_render_ra(&d, s);
    tn_ovn_add(r, &d, r->router, s->origin);

    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_uplink, r->vpc->scope, s->name);
    tn_ovs_draft_add(&d, "name", tn_ovn_member_name(r, "uplink", s->name));
    tn_ovs_draft_add(&d, "type", "router");
    tn_ovs_draft_add(&d, "addresses", "router");
    tn_ovs_draft_put(&d, "options", "router-port", name);
    tn_ovs_draft_add(&d, "switch", on);
    tn_ovn_add(r, &d, on, s->origin);
}

/* "MAC ADDRESS..." */
static const char *
addresses(struct tn_arena *arena, const struct tn_net_port *port, bool all)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_add(&t, tn_ovn_mac(arena, &port->mac));
    if (tn_addr_present(&port->address)) {
        tn_text_addf(&t, " %s", tn_ovn_addr(arena, &port->address));
    }
    if (tn_addr_present(&port->address6)) {
        tn_text_addf(&t, " %s", tn_ovn_addr(arena, &port->address6));
    }
    for (size_t i = 0; all && i < port->n_allowed; i++) {
        tn_text_addf(&t, " %s", tn_ovn_cidr(arena, &port->allowed[i]));
    }
    return tn_arena_strndup(arena, tn_text_str(&t), t.n);
}

struct place {
    const char *on, *dhcp, *dhcp6; /* Keys; null: none. */
};

static void
render_port(struct tn_ovn_render *r, const struct tn_net_port *port,
            const struct place *at)
{
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_port, r->vpc->scope, port->name);
    tn_ovs_draft_add(&d, "name",
                     tn_ovs_port_id(r->arena, r->device->instance,
                                    r->vpc->scope, port->name));
    tn_ovs_draft_add(&d, "addresses", addresses(r->arena, port, false));
    tn_ovs_draft_add(&d, "sources", addresses(r->arena, port, true));
    tn_ovs_draft_add(&d, "switch", at->on);
    if (at->dhcp && tn_addr_present(&port->address)) {
        tn_ovs_draft_add(&d, "dhcp", at->dhcp);
    }
    if (at->dhcp6) {
        tn_ovs_draft_add(&d, "dhcp6", at->dhcp6);
    }
    tn_ovn_port_groups(r, &d, port);
    tn_ovn_add(r, &d, at->on, port->origin);
}

static void
render_subnet(struct tn_ovn_render *r, const struct tn_net_subnet *s)
{
    struct tn_ovs_draft d;
    struct place at = {0};
    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_switch, r->vpc->scope, s->name);
    tn_ovs_draft_add(&d, "name", tn_ovn_member_name(r, "switch", s->name));
    if (strcmp(r->device->host->config.ovn_encapsulation, "vxlan") != 0) {
        tn_ovs_draft_put(&d, "config", "requested-tnl-key",
                         tn_arena_printf(r->arena, "%u", s->vni));
    }
    at.on = tn_ovn_add(r, &d, NULL, s->origin);
    render_gateway(r, s, at.on);
    if (s->dhcp) {
        tn_ovn_render_dhcp(r, s, &at.dhcp, &at.dhcp6);
    }
    for (size_t i = 0; i < s->n_ports; i++) {
        render_port(r, &s->ports[i], &at);
    }
}

static void
render_route(struct tn_ovn_render *r, const struct tn_net_route *route)
{
    struct tn_ovs_draft d;
    const char *to = tn_ovn_cidr(r->arena, &route->to);
    const char *via = tn_ovn_addr(r->arena, &route->via);
    tn_ovs_draft_begin(&d, r->arena, &tn_ovn_route, r->vpc->scope,
                       tn_arena_printf(r->arena, "%s via %s", to, via));
    tn_ovs_draft_add(&d, "to", to);
    tn_ovs_draft_add(&d, "via", via);
    tn_ovs_draft_add(&d, "port",
                     tn_ovn_member_name(r, "gateway", route->subnet->name));
    tn_ovs_draft_add(&d, "router", r->router);
    tn_ovn_add(r, &d, r->router, route->origin);
}

static void
render_vpc(struct tn_ovn_render *r)
{
    const struct tn_net_vpc *vpc = r->vpc;
    render_router(r);
    tn_ovn_render_groups(r);
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        render_subnet(r, &vpc->subnets[i]);
    }
    for (size_t i = 0; i < vpc->n_routes; i++) {
        render_route(r, &vpc->routes[i]);
    }
    tn_ovn_render_peerings(r);
    tn_ovn_render_outside(r);
}

/* The networks of all VPCs before this one, whatever part of the device is
 * rendered; 'from' is where the last one ended. */
static size_t
networks_before(const struct tn_device *device, const char *scope,
                struct networks *from)
{
    const struct tn_device *whole = device->whole ? device->whole : device;
    for (; from->next < whole->n_vpcs; from->next++) {
        const struct tn_net_vpc *vpc = whole->vpcs[from->next];
        if (strcmp(vpc->scope, scope) >= 0) {
            break;
        }
        from->n += vpc->n_subnets + 1;
    }
    return from->n;
}

/* External networks are networks of the cloud too. */
static size_t
externals_of(const struct tn_device *device)
{
    size_t n = 0;
    for (size_t i = 0; i < device->n_externals; i++) {
        n += device->externals[i].cloud == device->host;
    }
    return n;
}

/* Can OVN carry it, with the tunnels of this cloud? */
static bool
check_vpc(const struct tn_device *device, const struct tn_net_vpc *vpc,
          struct networks *before, struct tn_diags *diags)
{
    bool vxlan = strcmp(device->host->config.ovn_encapsulation, "vxlan") == 0;
    bool fine = vpc->encapsulation != TN_ENCAP_GRE;
    diags->tenant = vpc->tenant;
    if (!fine) {
        tn_diag(diags, TN_ERROR, vpc->origin,
                "OVN has no tunnels of type gre: use geneve or vxlan");
    }
    if (vxlan && device->n_networks + externals_of(device) > VXLAN_NETWORKS &&
        networks_before(device, vpc->scope, before) + vpc->n_subnets + 1 >
            VXLAN_NETWORKS) {
        tn_diag(diags, TN_ERROR, vpc->origin,
                "%s carries vxlan, and OVN has at most %d networks then: "
                "subnets and VPCs count",
                device->name, VXLAN_NETWORKS);
        fine = false;
    }
    for (size_t i = 0; vxlan && i < vpc->n_subnets; i++) {
        if (vpc->subnets[i].n_ports + 1 > VXLAN_PORTS) {
            tn_diag(diags, TN_ERROR, vpc->subnets[i].origin,
                    "%s carries vxlan, and OVN has at most %d ports in a "
                    "network then: this subnet has %zu and the router",
                    device->name, VXLAN_PORTS, vpc->subnets[i].n_ports);
            fine = false;
        }
    }
    diags->tenant = NULL;
    return fine;
}

enum tn_code
tn_ovn_render(const struct tn_device *device, struct tn_arena *arena,
              const struct tn_state **out, struct tn_diags *diags,
              struct tn_error *err)
{
    struct tn_ovn_render r = {.device = device, .arena = arena};
    struct networks before = {.n = externals_of(device)};
    tn_ovn_render_externals(&r);
    for (size_t i = 0; i < device->n_vpcs; i++) {
        if (check_vpc(device, device->vpcs[i], &before, diags)) {
            r.vpc = device->vpcs[i];
            render_vpc(&r);
        }
    }
    enum tn_code code = tn_state_sort(r.list.items, r.list.n, err);
    if (!code) {
        struct tn_state *state = tn_new(arena, struct tn_state);
        *state = (struct tn_state){device->name, r.list.items, r.list.n};
        *out = state;
    }
    return code;
}
