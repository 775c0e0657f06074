/* render.c - intent as generic resources, one per object of the intent.
 *
 * A device of this driver holds its VPCs, their groups, subnets and routes, the
 * ports of its own host, and the peerings of which both sides are here.  Ports
 * of other hosts show in their subnet's 'remotes', as they do in a real
 * device's forwarding tables. */
#include "drivers/memory/render.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/memory/kind.h"

struct render {
    const struct tn_device *device;
    const struct tn_net_vpc *vpc;
    const char *vpc_key;
    struct tn_arena *arena;
    TN_VEC(struct tn_resource) list;
};

/* Values of an attribute in the making. */
struct set {
    TN_VEC(const char *) v;
};

/* A resource in the making. */
struct draft {
    struct tn_resource r;
    const struct tn_mem_kind *kind;
    TN_VEC(struct tn_attr) attrs;
};

static struct draft
draft_new(struct render *r, const char *kind, const char *name,
          struct tn_origin origin)
{
    const struct tn_mem_kind *k = tn_mem_kind_get(kind);
    const char *scope = r->vpc->scope;
    return (struct draft){
        .r = {.key = name ? tn_arena_printf(r->arena, "%s/%s/%s", scope, kind,
                                            name)
                          : tn_arena_printf(r->arena, "%s/%s", scope, kind),
              .kind = k->name,
              .name = name ? name : r->vpc->name,
              .scope = scope,
              .owner = TN_OURS,
              .rank = k->rank,
              .parent = r->vpc_key,
              .origin = origin},
        .kind = k,
    };
}

/* An attribute; null values are left out. */
static void
draft_attr(struct render *r, struct draft *d, const char *name,
           const char *value)
{
    if (value) {
        *tn_vec_push(r->arena, &d->attrs) = (struct tn_attr){
            .name = name,
            .value = value,
            .change = (uint8_t) tn_mem_attr_change(d->kind, name)};
    }
}

static int
attr_cmp(const void *pa, const void *pb)
{
    const struct tn_attr *a = pa, *b = pb;
    return strcmp(a->name, b->name);
}

static void
draft_end(struct render *r, struct draft *d)
{
    if (d->attrs.n > 1) {
        qsort(d->attrs.items, d->attrs.n, sizeof *d->attrs.items, attr_cmp);
    }
    d->r.attrs = d->attrs.items;
    d->r.n_attrs = d->attrs.n;
    *tn_vec_push(r->arena, &r->list) = d->r;
}

/* Values joined; null if there are none. */
static const char *
join(struct tn_arena *arena, const struct set *set, const char *between)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (size_t i = 0; i < set->v.n; i++) {
        tn_text_add(&t, i ? between : "");
        tn_text_add(&t, set->v.items[i]);
    }
    return set->v.n ? tn_arena_strdup(arena, tn_text_str(&t)) : NULL;
}

static const char *
join_sorted(struct tn_arena *arena, struct set *set)
{
    set->v.n = tn_texts_unique(set->v.items, set->v.n);
    return join(arena, set, ", ");
}

static void
set_add(struct render *r, struct set *set, const char *value)
{
    if (value) {
        *tn_vec_push(r->arena, &set->v) = value;
    }
}

static const char *
addr_text(struct render *r, const struct tn_addr *a)
{
    char buf[TN_ADDR_TEXT];
    return tn_addr_present(a)
               ? tn_arena_strdup(r->arena, tn_addr_format(a, buf))
               : NULL;
}

static const char *
cidr_text(struct render *r, const struct tn_cidr *c)
{
    char buf[TN_CIDR_TEXT];
    return tn_addr_present(&c->addr)
               ? tn_arena_strdup(r->arena, tn_cidr_format(c, buf))
               : NULL;
}

static const char *
cidrs_text(struct render *r, const struct tn_cidr *cidrs, size_t n)
{
    struct set set = {0};
    for (size_t i = 0; i < n; i++) {
        set_add(r, &set, cidr_text(r, &cidrs[i]));
    }
    return join_sorted(r->arena, &set);
}

static const char *
mac_text(struct render *r, const struct tn_mac *m)
{
    char buf[TN_MAC_TEXT];
    return tn_arena_strdup(r->arena, tn_mac_format(m, buf));
}

static const char *
encapsulation_name(enum tn_encapsulation e)
{
    switch (e) {
    case TN_ENCAP_VXLAN:
        return "vxlan";
    case TN_ENCAP_GENEVE:
        return "geneve";
    case TN_ENCAP_GRE:
        return "gre";
    }
    return "?";
}

static const char *
protocol_name(enum tn_protocol p)
{
    switch (p) {
    case TN_PROTO_ANY:
        return "any";
    case TN_PROTO_TCP:
        return "tcp";
    case TN_PROTO_UDP:
        return "udp";
    case TN_PROTO_ICMP:
        return "icmp";
    case TN_PROTO_SCTP:
        return "sctp";
    }
    return "?";
}

static void
render_vpc(struct render *r)
{
    struct draft d = draft_new(r, "vpc", NULL, r->vpc->origin);
    r->vpc_key = d.r.key;
    d.r.parent = NULL;
    draft_attr(r, &d, "encapsulation",
               encapsulation_name(r->vpc->encapsulation));
    draft_attr(r, &d, "vtep", addr_text(r, &r->device->host->config.underlay));
    draft_end(r, &d);
}

/* "ingress tcp 80,8000-8100 from 10.0.0.0/8" */
static const char *
rule_text(struct render *r, const struct tn_net_rule *rule)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    bool in = rule->direction == TN_INGRESS;
    char buf[TN_CIDR_TEXT];
    tn_text_addf(&t, "%s %s", in ? "ingress" : "egress",
                 protocol_name(rule->protocol));
    for (size_t i = 0; i < rule->n_ports; i++) {
        const struct tn_vrange *p = &rule->ports[i];
        tn_text_addf(&t, "%s%u", i ? "," : " ", p->first);
        if (p->last != p->first) {
            tn_text_addf(&t, "-%u", p->last);
        }
    }
    if (rule->remote_group) {
        tn_text_addf(&t, " %s group %s", in ? "from" : "to",
                     rule->remote_group->name);
    } else if (tn_addr_present(&rule->remote.addr)) {
        tn_text_addf(&t, " %s %s", in ? "from" : "to",
                     tn_cidr_format(&rule->remote, buf));
    }
    return tn_arena_strdup(r->arena, tn_text_str(&t));
}

static void
render_group(struct render *r, const struct tn_net_group *group)
{
    struct draft d = draft_new(r, "group", group->name, group->origin);
    struct set members = {0}, rules = {0};
    for (size_t i = 0; i < group->n_members; i++) {
        set_add(r, &members, addr_text(r, &group->members[i]));
    }
    for (size_t i = 0; i < group->n_rules; i++) {
        set_add(r, &rules, rule_text(r, &group->rules[i]));
    }
    draft_attr(r, &d, "members", join_sorted(r->arena, &members));
    draft_attr(r, &d, "rules", join(r->arena, &rules, "; "));
    draft_attr(r, &d, "egress", group->has_egress ? "by rule" : "any");
    draft_end(r, &d);
}

static bool
is_local(const struct render *r, const struct tn_net_port *port)
{
    return strcmp(port->host->raw.name, r->device->name) == 0;
}

/* "10.0.0.5 02:00:00:00:00:01 via 192.0.2.2" for each address elsewhere. */
static const char *
remotes_text(struct render *r, const struct tn_net_subnet *subnet)
{
    struct set set = {0};
    for (size_t i = 0; i < subnet->n_ports; i++) {
        const struct tn_net_port *port = &subnet->ports[i];
        const struct tn_addr *addrs[] = {&port->address, &port->address6};
        const char *via = addr_text(r, &port->host->config.underlay);
        for (size_t k = 0; k < TN_ARRAY_SIZE(addrs) && !is_local(r, port);
             k++) {
            const char *a = addr_text(r, addrs[k]);
            set_add(r, &set,
                    a ? tn_arena_printf(r->arena, "%s %s via %s", a,
                                        mac_text(r, &port->mac),
                                        via ? via : "nowhere")
                      : NULL);
        }
    }
    return join_sorted(r->arena, &set);
}

static void
render_port(struct render *r, const struct draft *subnet,
            const struct tn_net_port *port)
{
    struct draft d = draft_new(r, "port", port->name, port->origin);
    struct set addresses = {0}, groups = {0};
    d.r.parent = subnet->r.key;
    set_add(r, &addresses, addr_text(r, &port->address));
    set_add(r, &addresses, addr_text(r, &port->address6));
    for (size_t i = 0; i < port->n_groups; i++) {
        set_add(r, &groups, port->groups[i]->name);
    }
    draft_attr(r, &d, "addresses", join_sorted(r->arena, &addresses));
    draft_attr(r, &d, "allowed", cidrs_text(r, port->allowed, port->n_allowed));
    draft_attr(r, &d, "groups", join_sorted(r->arena, &groups));
    draft_attr(r, &d, "interface", port->interface);
    draft_attr(r, &d, "mac", mac_text(r, &port->mac));
    draft_attr(r, &d, "netns", port->netns);
    draft_attr(r, &d, "subnet", subnet->r.name);
    draft_end(r, &d);
}

static const char *
ra_name(enum tn_ra ra)
{
    switch (ra) {
    case TN_RA_STATEFUL:
        return "dhcpv6-stateful";
    case TN_RA_STATELESS:
        return "dhcpv6-stateless";
    case TN_RA_SLAAC:
        return "slaac";
    case TN_RA_NONE:
        return "none";
    }
    return "?";
}

/* "lease 3600, ra none, domain x.org, dns 10.0.0.53, ntp 10.0.0.123" */
static const char *
dhcp_text(struct render *r, const struct tn_net_dhcp *dhcp)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    char buf[TN_ADDR_TEXT];
    if (!dhcp) {
        return NULL;
    }
    tn_text_addf(&t, "lease %u, ra %s", dhcp->lease_time, ra_name(dhcp->ra));
    if (dhcp->domain) {
        tn_text_addf(&t, ", domain %s", dhcp->domain);
    }
    for (size_t i = 0; i < dhcp->n_dns_servers; i++) {
        tn_text_addf(&t, ", dns %s",
                     tn_addr_format(&dhcp->dns_servers[i], buf));
    }
    for (size_t i = 0; i < dhcp->n_ntp_servers; i++) {
        tn_text_addf(&t, ", ntp %s",
                     tn_addr_format(&dhcp->ntp_servers[i], buf));
    }
    return tn_arena_strdup(r->arena, tn_text_str(&t));
}

static void
render_subnet(struct render *r, const struct tn_net_subnet *subnet)
{
    struct draft d = draft_new(r, "subnet", subnet->name, subnet->origin);
    d.r.claim = tn_arena_printf(r->arena, "vni %u", subnet->vni);
    draft_attr(r, &d, "cidr", cidr_text(r, &subnet->cidr));
    draft_attr(r, &d, "cidr6", cidr_text(r, &subnet->cidr6));
    draft_attr(r, &d, "dhcp", dhcp_text(r, subnet->dhcp));
    draft_attr(r, &d, "gateway", addr_text(r, &subnet->gateway));
    draft_attr(r, &d, "gateway6", addr_text(r, &subnet->gateway6));
    draft_attr(r, &d, "gateway_mac", mac_text(r, &subnet->gateway_mac));
    draft_attr(r, &d, "mtu", tn_arena_printf(r->arena, "%u", subnet->mtu));
    draft_attr(r, &d, "remotes", remotes_text(r, subnet));
    draft_attr(r, &d, "vni", tn_arena_printf(r->arena, "%u", subnet->vni));
    draft_end(r, &d);
    for (size_t i = 0; i < subnet->n_ports; i++) {
        if (is_local(r, &subnet->ports[i])) {
            render_port(r, &d, &subnet->ports[i]);
        }
    }
}

static void
render_route(struct render *r, const struct tn_net_route *route)
{
    struct draft d =
        draft_new(r, "route", cidr_text(r, &route->to), route->origin);
    draft_attr(r, &d, "subnet", route->subnet ? route->subnet->name : NULL);
    draft_attr(r, &d, "via", addr_text(r, &route->via));
    draft_end(r, &d);
}

static int
scope_cmp(const void *key, const void *item)
{
    const struct tn_net_vpc *const *vpc = item;
    return strcmp(key, (*vpc)->scope);
}

static bool
is_here(const struct tn_device *device, const struct tn_net_vpc *vpc)
{
    return bsearch(vpc->scope, device->vpcs, device->n_vpcs,
                   sizeof *device->vpcs, scope_cmp) != NULL;
}

static void
render_peering(struct render *r, const struct tn_net_peering *peering)
{
    struct draft d =
        draft_new(r, "peering", peering->peer->scope, peering->origin);
    draft_attr(r, &d, "exports",
               cidrs_text(r, peering->exports, peering->n_exports));
    draft_attr(r, &d, "imports",
               cidrs_text(r, peering->imports, peering->n_imports));
    draft_end(r, &d);
}

static void
render_one(struct render *r)
{
    const struct tn_net_vpc *vpc = r->vpc;
    render_vpc(r);
    for (size_t i = 0; i < vpc->n_groups; i++) {
        render_group(r, &vpc->groups[i]);
    }
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        render_subnet(r, &vpc->subnets[i]);
    }
    for (size_t i = 0; i < vpc->n_routes; i++) {
        render_route(r, &vpc->routes[i]);
    }
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        if (is_here(r->device, vpc->peerings[i].peer)) {
            render_peering(r, &vpc->peerings[i]);
        }
    }
}

enum tn_code
tn_mem_render(const struct tn_device *device, struct tn_arena *arena,
              const struct tn_state **out, struct tn_diags *diags TN_UNUSED,
              struct tn_error *err)
{
    struct render r = {.device = device, .arena = arena};
    for (size_t i = 0; i < device->n_vpcs; i++) {
        r.vpc = device->vpcs[i];
        render_one(&r);
    }
    enum tn_code code = tn_state_sort(r.list.items, r.list.n, err);
    if (code != TN_OK) {
        return tn_while(err, code, "device %s", device->name);
    }
    struct tn_state *state = tn_new(arena, struct tn_state);
    *state = (struct tn_state){device->name, r.list.items, r.list.n};
    *out = state;
    return TN_OK;
}
