/* kinds.h - the kinds of objects in the Northbound database that are ours.
 * Private to the driver.
 *
 * Source: ovn-nb(5), schema 5.32 (OVN 21.06) and later. */
#ifndef TN_OVN_KINDS_H
#define TN_OVN_KINDS_H

#include "drivers/ovsdb/row.h"

extern const struct tn_ovs_kind tn_ovn_router;  /* A VPC. */
extern const struct tn_ovs_kind tn_ovn_switch;  /* A subnet. */
extern const struct tn_ovs_kind tn_ovn_gateway; /* The router in a subnet, */
extern const struct tn_ovs_kind tn_ovn_uplink;  /* and the switch's end. */
extern const struct tn_ovs_kind tn_ovn_link;    /* The router in a peering. */
extern const struct tn_ovs_kind tn_ovn_dhcp;    /* Of a subnet and family. */
extern const struct tn_ovs_kind tn_ovn_guard;   /* Ports that are closed. */
extern const struct tn_ovs_kind tn_ovn_filter;  /* Closes them. */
extern const struct tn_ovs_kind tn_ovn_group;   /* A security group, */
extern const struct tn_ovs_kind tn_ovn_acl;     /* and what it lets through. */
extern const struct tn_ovs_kind tn_ovn_port;    /* A port. */
extern const struct tn_ovs_kind tn_ovn_route;   /* Static, or of a peering. */
extern const struct tn_ovs_kind tn_ovn_policy;  /* What a peering lets in, and
                                                   what passes outside. */
/* An external network, its end on the wire, and what VPCs have there. */
extern const struct tn_ovs_kind tn_ovn_external, tn_ovn_localnet,
    tn_ovn_outside;
extern const struct tn_ovs_kind tn_ovn_chassis; /* Of a router's port there. */

enum { TN_OVN_KINDS = 17 };
extern const struct tn_ovs_kind *const tn_ovn_kinds[TN_OVN_KINDS];

#endif
