/* render.h - see tn_driver.render.  Private to the OVN driver. */
#ifndef TN_OVN_RENDER_H
#define TN_OVN_RENDER_H

#include "drivers/driver.h"
#include "drivers/ovsdb/row.h"

/* A VPC in the making. */
struct tn_ovn_render {
    const struct tn_device *device;
    const struct tn_net_vpc *vpc;
    const char *router; /* Key of its router. */
    const char *closed; /* Key of the guard of all ports, and of those with */
    const char *judged; /* rules for what leaves. */
    struct tn_arena *arena;
    TN_VEC(struct tn_resource) list;
};

enum tn_code tn_ovn_render(const struct tn_device *device,
                           struct tn_arena *arena, const struct tn_state **out,
                           struct tn_diags *diags,
                           struct tn_error *err) TN_MUST_USE;

/* Ends the draft and appends it; returns its key.  'parent' may be null. */
const char *tn_ovn_add(struct tn_ovn_render *r, struct tn_ovs_draft *d,
                       const char *parent, struct tn_origin origin);

/* render_group.c: guards, groups and what they let through. */
void tn_ovn_render_groups(struct tn_ovn_render *r);
/* Keys of the guards and groups of a port, added to its draft. */
void tn_ovn_port_groups(const struct tn_ovn_render *r, struct tn_ovs_draft *d,
                        const struct tn_net_port *port);

/* render_peer.c: links, routes and policies of the peerings. */
void tn_ovn_render_peerings(struct tn_ovn_render *r);

/* "INSTANCE/SCOPE/WHAT/NAME" */
const char *tn_ovn_member_name(struct tn_ovn_render *r, const char *what,
                               const char *name);

/* render_external.c: the networks outside, of the device; and a VPC in one. */
void tn_ovn_render_externals(struct tn_ovn_render *r);
void tn_ovn_render_outside(struct tn_ovn_render *r);

/* render_dhcp.c: for a subnet with 'dhcp'; keys, null: not of that family. */
void tn_ovn_render_dhcp(struct tn_ovn_render *r,
                        const struct tn_net_subnet *subnet, const char **four,
                        const char **six);
/* What the gateway advertises. */
void tn_ovn_render_ra(struct tn_ovs_draft *gateway,
                      const struct tn_net_subnet *subnet);

static inline const char *
tn_ovn_addr(struct tn_arena *arena, const struct tn_addr *a)
{
    char text[TN_ADDR_TEXT];
    return tn_arena_strdup(arena, tn_addr_format(a, text));
}

static inline const char *
tn_ovn_cidr(struct tn_arena *arena, const struct tn_cidr *c)
{
    char text[TN_CIDR_TEXT];
    return tn_arena_strdup(arena, tn_cidr_format(c, text));
}

static inline const char *
tn_ovn_mac(struct tn_arena *arena, const struct tn_mac *m)
{
    char text[TN_MAC_TEXT];
    return tn_arena_strdup(arena, tn_mac_format(m, text));
}

#endif
