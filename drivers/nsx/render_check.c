/* render_check.c - what NSX cannot express, said at the line that asks for it.
 *
 * A VPC is rendered as a whole or not at all. */
#include <stdarg.h>
#include <stdio.h>

#include "drivers/nsx/render_part.h"

struct check {
    const struct tn_device *device;
    struct tn_arena *arena;
    const struct tn_net_vpc *vpc;
    struct tn_diags *diags;
    bool fine;
};

static void TN_PRINTF(3, 4)
    refuse(struct check *c, struct tn_origin at, const char *fmt, ...)
{
    va_list ap;
    char text[TN_DIAG_TEXT];
    c->fine = false;
    if (c->diags) {
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        c->diags->tenant = c->vpc->tenant;
        tn_diag(c->diags, TN_ERROR, at, "%s", text);
        c->diags->tenant = NULL;
    }
}

static void
check_rules(struct check *c)
{
    for (size_t i = 0; i < c->vpc->n_groups; i++) {
        const struct tn_net_group *g = &c->vpc->groups[i];
        for (size_t k = 0; k < g->n_rules; k++) {
            const struct tn_net_rule *rule = &g->rules[k];
            if (rule->protocol == TN_PROTO_SCTP && rule->n_ports) {
                refuse(c, rule->origin,
                       "NSX knows SCTP, but not its ports: leave out 'ports', "
                       "or use tcp or udp");
            }
        }
    }
}

static void
check_port(struct check *c, const struct tn_net_port *port)
{
    size_t tags = port->n_groups + 1 + tn_nsx_is_judged(port);
    if (tags > TN_NSX_GROUP_TAGS) {
        refuse(c, port->origin,
               "port '%s' has %zu security groups, and its object in NSX has "
               "room for the tags of %zu",
               port->name, port->n_groups,
               port->n_groups + TN_NSX_GROUP_TAGS - tags);
    }
}

static void
check_subnet(struct check *c, const struct tn_net_subnet *s)
{
    if (s->dhcp) {
        refuse(c, s->dhcp->origin,
               "NSX cannot serve this subnet: leave out 'dhcp'");
    }
    const char *why = tn_nsx_subnet_fits(s);
    if (tn_nsx_in_vpcs(c->device) && *why) {
        refuse(c, s->origin, "subnet '%s' cannot be in a VPC of NSX: %s",
               s->name, why);
    }
    for (size_t i = 0; i < s->n_ports; i++) {
        check_port(c, &s->ports[i]);
    }
}

static void
check_peering(struct check *c, const struct tn_net_peering *p)
{
    if (tn_nsx_in_vpcs(c->device)) {
        refuse(c, p->origin,
               "VPCs of NSX cannot peer by exactly these prefixes: see "
               "tenet_nsx_vpc of host '%s'",
               c->device->name);
    } else if (!tn_host_option(&c->device->host->config,
                               "tenet_nsx_edge_cluster")) {
        refuse(c, p->origin,
               "a peering in NSX needs an edge cluster: set "
               "tenet_nsx_edge_cluster of host '%s'",
               c->device->name);
    }
}

static void
check_addresses(struct check *c)
{
    const unsigned *numbers = tn_nsx_peering_numbers(c->arena, c->vpc);
    for (size_t i = 0; i < c->vpc->n_peerings; i++) {
        for (size_t k = 0; k < i; k++) {
            if (numbers[i] == numbers[k]) {
                refuse(c, c->vpc->peerings[i].origin,
                       "the peerings of '%s' with '%s' and '%s' come to use "
                       "the same transit addresses: another name of one of "
                       "them changes that",
                       c->vpc->scope, c->vpc->peerings[i].peer->scope,
                       c->vpc->peerings[k].peer->scope);
            }
        }
    }
}

bool
tn_nsx_check(struct tn_nsx_render *r, const struct tn_net_vpc *vpc,
             struct tn_diags *diags)
{
    static const char yes[] = "fine", no[] = "";
    struct check c = {r->device, r->arena, vpc, diags, true};
    const char *known = tn_map_get(&r->checked, vpc->scope);
    if (known) {
        return *known;
    }
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        check_peering(&c, &vpc->peerings[i]);
    }
    check_addresses(&c);
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        check_subnet(&c, &vpc->subnets[i]);
    }
    check_rules(&c);
    tn_map_put(&r->checked, vpc->scope,
               (void *) (uintptr_t) (c.fine ? yes : no));
    return c.fine;
}
