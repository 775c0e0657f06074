/* print.c - a network as text, for tests and for eyes: everything that a
 * driver can see, in the order it sees it, one object a line. */
#include "model/compile/network.h"

#include "model/base/text.h"
#include "model/compile/lock.h"

static void
add_addr(struct tn_text *out, const char *label, const struct tn_addr *a)
{
    char buf[TN_ADDR_TEXT];
    if (tn_addr_present(a)) {
        tn_text_addf(out, " %s %s", label, tn_addr_format(a, buf));
    }
}

static void
add_cidrs(struct tn_text *out, const char *label, const struct tn_cidr *items,
          size_t n)
{
    char buf[TN_CIDR_TEXT];
    for (size_t i = 0; i < n; i++) {
        tn_text_addf(out, "%s%s", i ? "," : " ", i ? "" : label);
        tn_text_addf(out, "%s%s", i ? "" : " ", tn_cidr_format(&items[i], buf));
    }
}

static void
add_origin(struct tn_text *out, const struct tn_origin *at)
{
    tn_text_addf(out, "  @%s:%u:%u\n", at->path ? at->path : "-", at->line,
                 at->column);
}

static void
add_mac(struct tn_text *out, const char *label, const struct tn_mac *mac)
{
    char buf[TN_MAC_TEXT];
    tn_text_addf(out, " %s %s", label, tn_mac_format(mac, buf));
}

static void
port_print(struct tn_text *out, const struct tn_net_port *p)
{
    tn_text_addf(out, "    port %s host %s", p->name, p->host->raw.name);
    add_mac(out, "mac", &p->mac);
    add_addr(out, "address", &p->address);
    add_addr(out, "address6", &p->address6);
    add_cidrs(out, "allowed", p->allowed, p->n_allowed);
    for (size_t i = 0; i < p->n_groups; i++) {
        tn_text_addf(out, " group %s", p->groups[i]->name);
    }
    tn_text_addf(out, " netns %s interface %s%s", p->netns ? p->netns : "-",
                 p->interface, p->default_route ? " default" : "");
    add_origin(out, &p->origin);
}

static void
dhcp_print(struct tn_text *out, const struct tn_net_dhcp *d)
{
    tn_text_addf(out, "    dhcp lease %u ra %d domain %s", d->lease_time,
                 (int) d->ra, d->domain ? d->domain : "-");
    for (size_t i = 0; i < d->n_dns_servers; i++) {
        add_addr(out, "dns", &d->dns_servers[i]);
    }
    for (size_t i = 0; i < d->n_ntp_servers; i++) {
        add_addr(out, "ntp", &d->ntp_servers[i]);
    }
    add_origin(out, &d->origin);
}

static void
subnet_print(struct tn_text *out, const struct tn_net_subnet *s)
{
    tn_text_addf(out, "  subnet %s vni %u mtu %u", s->name, s->vni, s->mtu);
    add_cidrs(out, "cidr", &s->cidr, 1);
    add_addr(out, "gateway", &s->gateway);
    if (tn_addr_present(&s->cidr6.addr)) {
        add_cidrs(out, "cidr6", &s->cidr6, 1);
        add_addr(out, "gateway6", &s->gateway6);
    }
    add_mac(out, "gateway-mac", &s->gateway_mac);
    add_origin(out, &s->origin);
    if (s->dhcp) {
        dhcp_print(out, s->dhcp);
    }
    for (size_t i = 0; i < s->n_ports; i++) {
        port_print(out, &s->ports[i]);
    }
}

static void
rule_print(struct tn_text *out, const struct tn_net_rule *r)
{
    tn_text_addf(out, "    rule %s protocol %d",
                 r->direction == TN_INGRESS ? "ingress" : "egress",
                 (int) r->protocol);
    for (size_t i = 0; i < r->n_ports; i++) {
        tn_text_addf(out, " ports %u-%u", r->ports[i].first, r->ports[i].last);
    }
    if (tn_addr_present(&r->remote.addr)) {
        add_cidrs(out, "remote", &r->remote, 1);
    }
    if (r->remote_group) {
        tn_text_addf(out, " remote-group %s", r->remote_group->name);
    }
    add_origin(out, &r->origin);
}

static void
group_print(struct tn_text *out, const struct tn_net_group *g)
{
    tn_text_addf(out, "  group %s egress %s", g->name,
                 g->has_egress ? "rules" : "open");
    for (size_t i = 0; i < g->n_members; i++) {
        add_addr(out, "member", &g->members[i]);
    }
    add_origin(out, &g->origin);
    for (size_t i = 0; i < g->n_rules; i++) {
        rule_print(out, &g->rules[i]);
    }
}

void
tn_net_vpc_print(struct tn_text *out, const struct tn_net_vpc *vpc)
{
    tn_text_addf(out, "vpc %s tenant %s name %s encapsulation %d", vpc->scope,
                 vpc->tenant, vpc->name, (int) vpc->encapsulation);
    add_origin(out, &vpc->origin);
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        subnet_print(out, &vpc->subnets[i]);
    }
    for (size_t i = 0; i < vpc->n_groups; i++) {
        group_print(out, &vpc->groups[i]);
    }
    for (size_t i = 0; i < vpc->n_routes; i++) {
        const struct tn_net_route *r = &vpc->routes[i];
        tn_text_add(out, "  route");
        add_cidrs(out, "to", &r->to, 1);
        add_addr(out, "via", &r->via);
        tn_text_addf(out, " subnet %s", r->subnet ? r->subnet->name : "-");
        add_origin(out, &r->origin);
    }
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        const struct tn_net_peering *p = &vpc->peerings[i];
        tn_text_addf(out, "  peering %s%s", p->peer->scope,
                     p->first ? " first" : "");
        add_cidrs(out, "exports", p->exports, p->n_exports);
        add_cidrs(out, "imports", p->imports, p->n_imports);
        add_origin(out, &p->origin);
    }
    if (vpc->external_name) {
        tn_text_addf(out, "  external %s%s", vpc->external_name,
                     vpc->external ? "" : " elsewhere");
        add_origin(out, &vpc->external_origin);
    }
}

static void
external_print(struct tn_text *out, const struct tn_net_external *e)
{
    tn_text_addf(out, "external %s cloud %s physical %s vlan %u", e->name,
                 e->cloud->raw.name, e->physical, e->vlan);
    add_cidrs(out, "cidr", &e->cidr, 1);
    add_addr(out, "gateway", &e->gateway);
    if (tn_addr_present(&e->cidr6.addr)) {
        add_cidrs(out, "cidr6", &e->cidr6, 1);
        add_addr(out, "gateway6", &e->gateway6);
    }
    for (size_t i = 0; i < e->n_chassis; i++) {
        tn_text_addf(out, " chassis %s", e->chassis[i]->raw.name);
    }
    add_origin(out, &e->origin);
    for (size_t i = 0; i < e->n_vpcs; i++) {
        const struct tn_net_outside *v = &e->vpcs[i];
        tn_text_addf(out, "  has %s", v->scope);
        add_addr(out, "address", &v->address);
        add_addr(out, "address6", &v->address6);
        add_cidrs(out, "prefixes", v->prefixes, v->n_prefixes);
        add_origin(out, &v->origin);
    }
}

static void
device_print(struct tn_text *out, const struct tn_device *d)
{
    tn_text_addf(out, "device %s driver %s instance %s vxlan-port %u", d->name,
                 d->host->config.driver, d->instance, d->vxlan_port);
    if (d->host->cloud) {
        tn_text_addf(out, " cloud %s", d->host->cloud->raw.name);
    }
    for (size_t i = 0; i < d->n_members; i++) {
        tn_text_addf(out, " member %s", d->members[i]->raw.name);
    }
    for (size_t i = 0; i < d->n_vpcs; i++) {
        tn_text_addf(out, " %s", d->vpcs[i]->scope);
    }
    tn_text_addc(out, '\n');
}

static void
tenant_print(struct tn_text *out, const struct tn_tenant_result *t)
{
    tn_text_addf(out, "tenant %s%s vpcs %zu subnets %zu ports %zu%s\n", t->name,
                 t->failed ? " failed" : "", t->n_vpcs, t->n_subnets,
                 t->n_ports, t->tenant ? "" : " unread");
}

static void
pin_print(struct tn_text *out, const struct tn_pin *p)
{
    tn_text_addf(out, "pin %s %s vni %u", p->tenant, p->object, p->vni);
    add_mac(out, "mac", &p->mac);
    add_addr(out, "address", &p->address);
    add_addr(out, "address6", &p->address6);
    tn_text_addc(out, '\n');
}

void
tn_network_print(struct tn_text *out, const struct tn_network *network)
{
    for (size_t i = 0; i < network->n_tenants; i++) {
        tenant_print(out, &network->tenants[i]);
    }
    for (size_t i = 0; i < network->n_vpcs; i++) {
        tn_net_vpc_print(out, network->vpcs[i]);
    }
    for (size_t i = 0; i < network->n_externals; i++) {
        external_print(out, &network->externals[i]);
    }
    for (size_t i = 0; i < network->n_devices; i++) {
        device_print(out, &network->devices[i]);
    }
    for (size_t i = 0; i < network->n_held; i++) {
        tn_text_addf(out, "held %s\n", network->held_scopes[i]);
    }
    for (size_t i = 0; i < network->n_pins; i++) {
        pin_print(out, &network->pins[i]);
    }
}
