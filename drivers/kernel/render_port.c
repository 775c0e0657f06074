/* render_port.c - ports: here as interfaces, elsewhere as entries.
 *
 * A port of this host is an interface of the subnet's bridge.  A port of
 * another host is known by where its MAC address lives (one resource for the
 * tunnel's and the bridge's table).  Which MAC address its addresses have is
 * written down for either, so that nothing need be learned or asked.
 */
#include "drivers/kernel/render.h"

#include <stdlib.h>
#include <string.h>

/* Of local ports as well: a gateway that had to ask would go on sending to the
 * former MAC address of a port for as long as it believes it. */
static void
render_neighbour(struct tn_k_render_vpc *v, const struct tn_k_render_subnet *on,
                 const struct tn_net_port *port, const struct tn_addr *addr)
{
    if (!tn_addr_present(addr)) {
        return;
    }
    struct tn_k_neighbour *n = tn_new(v->r->arena, struct tn_k_neighbour);
    n->o = tn_k_object_of(v, TN_K_OBJ_NEIGHBOUR);
    n->o.parent = on->bridge_key;
    n->bridge = on->bridge;
    n->addr = *addr;
    n->mac = port->mac;
    n->permanent = true;
    tn_k_list_add(&v->r->list, &n->o, TN_OURS, port->origin);
}

static void
render_remote(struct tn_k_render_vpc *v, const struct tn_k_render_subnet *on,
              const struct tn_net_port *port)
{
    struct tn_arena *arena = v->r->arena;
    struct tn_k_fdb *f = tn_new(arena, struct tn_k_fdb);
    f->o = tn_k_object_of(v, TN_K_OBJ_FDB);
    f->o.parent = on->vxlan_key;
    f->vxlan = on->vxlan;
    f->mac = port->mac;
    f->vtep = port->host->config.underlay;
    f->bridged = true;
    f->tunnel = on->tunnel;
    tn_k_list_add(&v->r->list, &f->o, TN_OURS, port->origin);
}

/* Addresses and default routes of the far end. */
static void
far_end(struct tn_arena *arena, const struct tn_net_subnet *subnet,
        const struct tn_net_port *port, struct tn_k_port *o)
{
    struct tn_cidr *addrs = tn_new_n(arena, struct tn_cidr, 2);
    struct tn_addr *routers = tn_new_n(arena, struct tn_addr, 2);
    if (tn_addr_present(&port->address)) {
        addrs[o->n_addrs++] = (struct tn_cidr){port->address, subnet->cidr.len};
        if (port->default_route) {
            routers[o->n_routers++] = subnet->gateway;
        }
    }
    if (tn_addr_present(&port->address6)) {
        addrs[o->n_addrs++] =
            (struct tn_cidr){port->address6, subnet->cidr6.len};
        if (port->default_route) {
            routers[o->n_routers++] = subnet->gateway6;
        }
    }
    qsort(addrs, o->n_addrs, sizeof *addrs, tn_k_cmp_cidr);
    qsort(routers, o->n_routers, sizeof *routers, tn_k_cmp_addr);
    o->addrs = addrs;
    o->routers = routers;
}

/* Refuses names that the kernel would, namespaces that are VPCs, and an
 * interface that another port has already. */
static void
check_attachment(struct tn_k_render *r, const struct tn_net_port *port)
{
    const char *netns = port->netns ? port->netns : "";
    if (strlen(port->interface) >= TN_K_IFNAME) {
        tn_diag(r->diags, TN_ERROR, port->origin,
                "interface name '%s' is longer than 15 characters",
                port->interface);
    }
    if (port->netns && tn_k_netns_scope(r->arena, r->device, port->netns)) {
        tn_diag(r->diags, TN_ERROR, port->origin,
                "namespace '%s' is one of a VPC: ports have their own",
                port->netns);
    }
    char *end = tn_arena_printf(r->arena, "%s/%s", netns, port->interface);
    const struct tn_net_port *other =
        tn_map_put(&r->far_ends, end, (void *) (uintptr_t) port);
    if (other) {
        tn_diag(r->diags, TN_ERROR, port->origin,
                "interface %s%s%s of host %s is that of port %s already",
                port->interface, port->netns ? " in namespace " : "", netns,
                port->host->raw.name, other->name);
    }
}

static const char *
render_local(struct tn_k_render_vpc *v, const struct tn_net_subnet *subnet,
             const struct tn_k_render_subnet *on,
             const struct tn_net_port *port)
{
    struct tn_arena *arena = v->r->arena;
    check_attachment(v->r, port);
    struct tn_k_port *o = tn_new(arena, struct tn_k_port);
    o->o = tn_k_object_of(v, TN_K_OBJ_PORT);
    tn_k_ifname(TN_K_PORT, port->name, o->link.name);
    o->link.mtu = subnet->mtu;
    o->link.up = true;
    o->link.options = TN_K_PORT_OPTIONS;
    o->link.master = on->bridge;
    o->full_name = port->name;
    o->netns = port->netns;
    o->interface = port->interface;
    o->mac = port->mac;
    o->far_mtu = subnet->mtu;
    o->far_up = true;
    o->fdb = &port->mac;
    o->n_fdb = 1;
    if (o->netns) {
        far_end(arena, subnet, port, o);
    }
    tn_k_list_add(&v->r->list, &o->o, TN_OURS, port->origin);
    return o->link.name;
}

void
tn_k_render_ports(struct tn_k_render_vpc *v, const struct tn_net_subnet *subnet,
                  const struct tn_k_render_subnet *on, const char **names)
{
    for (size_t i = 0; i < subnet->n_ports; i++) {
        const struct tn_net_port *port = &subnet->ports[i];
        render_neighbour(v, on, port, &port->address);
        render_neighbour(v, on, port, &port->address6);
        if (port->host == v->r->device->host) {
            names[i] = render_local(v, subnet, on, port);
        } else {
            names[i] = NULL;
            render_remote(v, on, port);
        }
    }
}

void
tn_k_render_held(struct tn_k_render_vpc *v, const struct tn_k_render_subnet *on,
                 const struct tn_k_virtual *virtual)
{
    for (size_t i = 0; i < virtual->n_held; i++) {
        const struct tn_k_held *h = &virtual->held[i];
        render_neighbour(v, on, h->port, &h->addr);
    }
}
