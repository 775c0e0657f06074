/* render.c - see render.h.
 *
 * Names of network interfaces have 15 characters at most: a port that is
 * attached to an existing interface has that one's name, all others a hash.
 *
 * Without OVN a subnet's bridge has one tunnel to each other hypervisor that
 * holds ports of it.  Tunnels are protected ports: what comes out of one never
 * goes into another, so that the full mesh has no loop.  There are no packet
 * rules and no router: intent that needs these is refused, never approximated.
 */
#include "drivers/ovsdb/openvswitch/render.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/names.h"
#include "drivers/ovsdb/openvswitch/kinds.h"
#include "drivers/ovsdb/row.h"
#include "model/base/digest.h"

struct render {
    const struct tn_device *device;
    struct tn_arena *arena;
    struct tn_diags *diags;
    const char *integration; /* "name:..." of OVN's bridge; null: no cloud. */
    TN_VEC(struct tn_resource) list;
};

static const char *
add(struct render *r, struct tn_ovs_draft *d, const char *parent,
    struct tn_origin origin)
{
    d->r.parent = parent;
    d->r.origin = origin;
    *tn_vec_push(r->arena, &r->list) = tn_ovs_draft_end(d);
    return r->list.items[r->list.n - 1].key;
}

/* "x-1f0c92ab0d44": 'prefix' and twelve digits. */
static const char *
hashed(const struct render *r, const char *prefix, const char *text)
{
    char hex[TN_DIGEST_HEX];
    const char *whole =
        tn_arena_printf(r->arena, "%s/%s", r->device->instance, text);
    const struct tn_digest d = tn_digest_of(whole, strlen(whole));
    return tn_arena_printf(r->arena, "%s-%.12s", prefix,
                           tn_digest_hex(&d, hex));
}

static struct tn_origin
host_origin(const struct render *r)
{
    return r->device->host->raw.at;
}

/* ---- a member of a cloud ---- */

static void
setting(struct tn_ovs_draft *d, const char *name, const char *value)
{
    if (value) {
        tn_ovs_draft_add(d, name, value);
    }
}

static void
render_settings(struct render *r)
{
    const struct tn_host_config *host = &r->device->host->config;
    const struct tn_host_config *cloud = &r->device->host->cloud->config;
    char text[TN_ADDR_TEXT];
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(&d, r->arena, &tn_vs_settings, "", NULL);
    d.r.name = d.r.key;
    setting(&d, "system-id", host->ovs_system_id);
    setting(&d, "ovn-remote", cloud->ovn_southbound);
    setting(&d, "ovn-encap-type", cloud->ovn_encapsulation);
    setting(&d, "ovn-encap-ip",
            tn_arena_strdup(r->arena, tn_addr_format(&host->underlay, text)));
    setting(&d, "ovn-bridge", host->ovs_bridge);
    setting(&d, "ovn-bridge-datapath-type", host->ovs_datapath);
    setting(&d, "ovn-bridge-mappings", host->ovs_bridge_mappings);
    add(r, &d, NULL, host_origin(r));
    /* ovn-controller makes that bridge. */
    r->integration =
        tn_arena_printf(r->arena, TN_OVS_BY_NAME "%s", host->ovs_bridge);
}

/* ---- ports ---- */

static void
render_port(struct render *r, const struct tn_net_vpc *vpc,
            const struct tn_net_port *port, const char *bridge)
{
    struct tn_ovs_draft d;
    char text[TN_MAC_TEXT];
    const char *id =
        tn_ovs_port_id(r->arena, r->device->instance, vpc->scope, port->name);
    const char *name = port->netns ? hashed(r, "p", id) : port->interface;
    tn_ovs_draft_begin(&d, r->arena, &tn_vs_port, vpc->scope, port->name);
    tn_ovs_draft_add(&d, "name", name);
    tn_ovs_draft_add(&d, "interface", name);
    tn_ovs_draft_add(&d, "iface-id", id);
    tn_ovs_draft_add(
        &d, "attached-mac",
        tn_arena_strdup(r->arena, tn_mac_format(&port->mac, text)));
    tn_ovs_draft_add(&d, "bridge", bridge);
    add(r, &d, r->integration ? NULL : bridge, port->origin);
}

static void
render_ports(struct render *r, const struct tn_net_vpc *vpc,
             const struct tn_net_subnet *subnet, const char *bridge)
{
    for (size_t i = 0; i < subnet->n_ports; i++) {
        if (subnet->ports[i].host == r->device->host) {
            render_port(r, vpc, &subnet->ports[i], bridge);
        }
    }
}

/* ---- a segment without OVN ---- */

static void
render_tunnel(struct render *r, const struct tn_net_vpc *vpc,
              const struct tn_net_subnet *s, const struct tn_host *to,
              const char *bridge)
{
    static const char *const types[] = {
        [TN_ENCAP_VXLAN] = "vxlan",
        [TN_ENCAP_GENEVE] = "geneve",
        [TN_ENCAP_GRE] = "gre",
    };
    struct tn_arena *arena = r->arena;
    struct tn_ovs_draft d;
    char text[TN_ADDR_TEXT];
    const char *name =
        tn_arena_printf(arena, "%s/to/%s", s->name, to->raw.name);
    const char *link =
        hashed(r, "x", tn_arena_printf(arena, "%s/%s", vpc->scope, name));
    tn_ovs_draft_begin(&d, arena, &tn_vs_port, vpc->scope, name);
    tn_ovs_draft_add(&d, "name", link);
    tn_ovs_draft_add(&d, "protected", "true");
    tn_ovs_draft_add(&d, "interface", link);
    tn_ovs_draft_add(&d, "bridge", bridge);
    tn_ovs_draft_add(&d, "type", types[vpc->encapsulation]);
    tn_ovs_draft_put(&d, "options", "key",
                     tn_arena_printf(arena, "%u", s->vni));
    tn_ovs_draft_put(
        &d, "options", "remote_ip",
        tn_arena_strdup(arena, tn_addr_format(&to->config.underlay, text)));
    tn_ovs_draft_put(
        &d, "options", "local_ip",
        tn_arena_strdup(
            arena, tn_addr_format(&r->device->host->config.underlay, text)));
    if (vpc->encapsulation == TN_ENCAP_VXLAN) {
        tn_ovs_draft_put(&d, "options", "dst_port",
                         tn_arena_printf(arena, "%u", r->device->vxlan_port));
    }
    add(r, &d, bridge, s->origin);
}

static int
host_cmp(const void *a, const void *b)
{
    return strcmp((*(const struct tn_host *const *) a)->raw.name,
                  (*(const struct tn_host *const *) b)->raw.name);
}

static void
render_segment(struct render *r, const struct tn_net_vpc *vpc,
               const struct tn_net_subnet *s)
{
    struct tn_ovs_draft d;
    const struct tn_host **hosts =
        tn_new_n(r->arena, const struct tn_host *, s->n_ports + 1);
    size_t n = 0;
    tn_ovs_draft_begin(&d, r->arena, &tn_vs_bridge, vpc->scope, s->name);
    tn_ovs_draft_add(
        &d, "name",
        hashed(r, "b",
               tn_arena_printf(r->arena, "%s/%s", vpc->scope, s->name)));
    tn_ovs_draft_add(&d, "datapath", r->device->host->config.ovs_datapath);
    tn_ovs_draft_add(&d, "fail-mode", "standalone");
    tn_ovs_draft_add(&d, "database", TN_OVS_ROOT_KEY);
    const char *bridge = add(r, &d, NULL, s->origin);
    render_ports(r, vpc, s, bridge);
    for (size_t i = 0; i < s->n_ports; i++) {
        if (s->ports[i].host != r->device->host) {
            hosts[n++] = s->ports[i].host;
        }
    }
    qsort(hosts, n, sizeof(const struct tn_host *), host_cmp);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || hosts[i] != hosts[i - 1]) {
            render_tunnel(r, vpc, s, hosts[i], bridge);
        }
    }
}

/* Does a group of the port let everything in, and none judge what leaves? */
static bool
is_open(const struct tn_net_port *port)
{
    bool open = false, judged = false;
    for (size_t i = 0; i < port->n_groups; i++) {
        const struct tn_net_group *g = port->groups[i];
        judged = judged || g->has_egress;
        for (size_t k = 0; k < g->n_rules; k++) {
            const struct tn_net_rule *rule = &g->rules[k];
            open = open || (rule->direction == TN_INGRESS &&
                            rule->protocol == TN_PROTO_ANY && !rule->n_ports &&
                            rule->remote.addr.family == TN_AF_NONE &&
                            !rule->remote_group);
        }
    }
    return open && !judged;
}

/* A finding for each thing that a bridge alone is no answer to. */
static bool
can_carry(struct render *r, const struct tn_net_vpc *vpc)
{
    size_t before = r->diags->n_errors;
    r->diags->tenant = vpc->tenant;
    if (vpc->n_subnets > 1) {
        tn_diag(r->diags, TN_ERROR, vpc->subnets[1].origin,
                "Open vSwitch without OVN has no router: a VPC can have one "
                "subnet only");
    }
    if (vpc->n_routes) {
        tn_diag(r->diags, TN_ERROR, vpc->routes[0].origin,
                "Open vSwitch without OVN has no router: no static routes");
    }
    if (vpc->n_peerings) {
        tn_diag(r->diags, TN_ERROR, vpc->peerings[0].origin,
                "Open vSwitch without OVN has no router: no peerings");
    }
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        if (s->dhcp) {
            tn_diag(r->diags, TN_ERROR, s->dhcp->origin,
                    "Open vSwitch without OVN cannot serve DHCP");
        }
        for (size_t k = 0; k < s->n_ports; k++) {
            const struct tn_net_port *port = &s->ports[k];
            if (port->host == r->device->host && !is_open(port)) {
                tn_diag(r->diags, TN_ERROR, port->origin,
                        "Open vSwitch without OVN has no packet rules: port "
                        "'%s' needs a security group that lets everything in "
                        "and does not judge what leaves",
                        port->name);
            }
        }
    }
    r->diags->tenant = NULL;
    return r->diags->n_errors == before;
}

static bool
is_here(const struct tn_device *device, const struct tn_net_vpc *vpc)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            if (vpc->subnets[i].ports[k].host == device->host) {
                return true;
            }
        }
    }
    return false;
}

static void
render_vpc(struct render *r, const struct tn_net_vpc *vpc)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        if (r->integration) {
            render_ports(r, vpc, &vpc->subnets[i], r->integration);
        } else {
            render_segment(r, vpc, &vpc->subnets[i]);
        }
    }
}

enum tn_code
tn_vs_render(const struct tn_device *device, struct tn_arena *arena,
             const struct tn_state **out, struct tn_diags *diags,
             struct tn_error *err)
{
    struct render r = {.device = device, .arena = arena, .diags = diags};
    if (device->host->cloud) {
        render_settings(&r);
    }
    for (size_t i = 0; i < device->n_vpcs; i++) {
        const struct tn_net_vpc *vpc = device->vpcs[i];
        if (is_here(device, vpc) && (r.integration || can_carry(&r, vpc))) {
            render_vpc(&r, vpc);
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
