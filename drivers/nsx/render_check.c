/* render_check.c - what NSX cannot express, said at the line that asks for it.
 *
 * A VPC is rendered as a whole or not at all. */
#include "drivers/nsx/render_part.h"

struct check {
    const struct tn_device *device;
    const struct tn_net_vpc *vpc;
    struct tn_diags *diags;
    bool fine;
};

static void
check_rules(struct check *c)
{
    for (size_t i = 0; i < c->vpc->n_groups; i++) {
        const struct tn_net_group *g = &c->vpc->groups[i];
        for (size_t k = 0; k < g->n_rules; k++) {
            const struct tn_net_rule *rule = &g->rules[k];
            if (rule->protocol == TN_PROTO_SCTP && rule->n_ports) {
                tn_diag(c->diags, TN_ERROR, rule->origin,
                        "NSX knows SCTP, but not its ports: leave out 'ports', "
                        "or use tcp or udp");
                c->fine = false;
            }
        }
    }
}

static void
check_port(struct check *c, const struct tn_net_port *port)
{
    size_t tags = port->n_groups + 1 + tn_nsx_is_judged(port);
    if (tags > TN_NSX_GROUP_TAGS) {
        tn_diag(c->diags, TN_ERROR, port->origin,
                "port '%s' has %zu security groups, and its object in NSX has "
                "room for the tags of %zu",
                port->name, port->n_groups,
                port->n_groups + TN_NSX_GROUP_TAGS - tags);
        c->fine = false;
    }
}

static void
check_subnet(struct check *c, const struct tn_net_subnet *s)
{
    if (s->dhcp) {
        tn_diag(c->diags, TN_ERROR, s->dhcp->origin,
                "'dhcp' cannot be expressed in NSX");
        c->fine = false;
    }
    for (size_t i = 0; i < s->n_ports; i++) {
        check_port(c, &s->ports[i]);
    }
}

bool
tn_nsx_check(const struct tn_device *device, const struct tn_net_vpc *vpc,
             struct tn_diags *diags)
{
    struct check c = {device, vpc, diags, true};
    diags->tenant = vpc->tenant;
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        tn_diag(diags, TN_ERROR, vpc->peerings[i].origin,
                "peerings cannot be expressed in NSX");
        c.fine = false;
    }
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        check_subnet(&c, &vpc->subnets[i]);
    }
    check_rules(&c);
    diags->tenant = NULL;
    return c.fine;
}
