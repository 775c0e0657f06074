/* kinds.c - see kinds.h.
 *
 * Ranks: what lets traffic through comes after what keeps it out, and goes
 * before it.  One transaction makes all of it visible at once, so ranks matter
 * to those who read a plan, and where a plan is applied in parts. */
#include "drivers/ovsdb/ovn/kinds.h"

#include "model/base/attr.h"

#define UPDATE .change = TN_ATTR_UPDATE
#define REPLACE .change = TN_ATTR_REPLACE

static const struct tn_ovs_column router_columns[] = {
    {"name", "name", TN_OVS_TEXT, UPDATE},
    {"enabled", "enabled", TN_OVS_BOOLEAN, .set = true, UPDATE},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE},
};
const struct tn_ovs_kind tn_ovn_router = TN_OVS_KIND(
    TN_OVS_ROOT | TN_OVS_SHOWN, 10, "Logical_Router", "router", router_columns);

static const struct tn_ovs_column switch_columns[] = {
    {"name", "name", TN_OVS_TEXT, UPDATE},
    {"other_config", "config", TN_OVS_MAP, .set = true, UPDATE},
};
const struct tn_ovs_kind tn_ovn_switch = TN_OVS_KIND(
    TN_OVS_ROOT | TN_OVS_SHOWN, 20, "Logical_Switch", "switch", switch_columns);

/* Those of others are shown as switches. */
const struct tn_ovs_kind tn_ovn_external =
    TN_OVS_KIND(TN_OVS_ROOT, 21, "Logical_Switch", "external", switch_columns);

static const struct tn_ovs_column localnet_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
    {"type", "type", TN_OVS_TEXT, UPDATE},
    {"addresses", "addresses", TN_OVS_TEXT, .set = true, UPDATE},
    {"tag", "vlan", TN_OVS_INTEGER, .set = true, UPDATE},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE},
    {"ports", "switch", TN_OVS_HOLDER, .set = true, UPDATE,
     .table = "Logical_Switch"},
};
const struct tn_ovs_kind tn_ovn_localnet = TN_OVS_KIND(
    TN_OVS_NAMED, 22, "Logical_Switch_Port", "localnet", localnet_columns);

static const struct tn_ovs_column outside_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
    {"addresses", "addresses", TN_OVS_TEXT, .set = true, UPDATE},
};
const struct tn_ovs_kind tn_ovn_outside =
    TN_OVS_KIND(TN_OVS_ROOT | TN_OVS_NAMED | TN_OVS_SHOWN, 23, "Address_Set",
                "outside", outside_columns);

static const struct tn_ovs_column router_port_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
    {"mac", "mac", TN_OVS_TEXT, UPDATE},
    {"networks", "networks", TN_OVS_TEXT, .set = true, UPDATE},
    {"enabled", "enabled", TN_OVS_BOOLEAN, .set = true, UPDATE},
    {"ipv6_ra_configs", "ra", TN_OVS_MAP, .set = true, UPDATE},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE},
    {"peer", "peer", TN_OVS_TEXT, .set = true, UPDATE},
    {"ports", "router", TN_OVS_HOLDER, .set = true, UPDATE,
     .table = "Logical_Router"},
};
const struct tn_ovs_kind tn_ovn_gateway = TN_OVS_KIND(
    TN_OVS_NAMED, 30, "Logical_Router_Port", "gateway", router_port_columns);
const struct tn_ovs_kind tn_ovn_link = TN_OVS_KIND(
    TN_OVS_NAMED, 80, "Logical_Router_Port", "link", router_port_columns);

static const struct tn_ovs_column chassis_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
    {"chassis_name", "chassis", TN_OVS_TEXT, UPDATE},
    {"priority", "priority", TN_OVS_INTEGER, UPDATE},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE},
    {"gateway_chassis", "port", TN_OVS_HOLDER, .set = true, UPDATE,
     .table = "Logical_Router_Port"},
};
const struct tn_ovs_kind tn_ovn_chassis = TN_OVS_KIND(
    TN_OVS_NAMED, 85, "Gateway_Chassis", "chassis", chassis_columns);

static const struct tn_ovs_column port_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
    {"type", "type", TN_OVS_TEXT, UPDATE},
    {"addresses", "addresses", TN_OVS_TEXT, .set = true, UPDATE},
    {"port_security", "sources", TN_OVS_TEXT, .set = true, UPDATE},
    {"enabled", "enabled", TN_OVS_BOOLEAN, .set = true, UPDATE},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE},
    {"dhcpv4_options", "dhcp", TN_OVS_REF, .set = true, UPDATE,
     .table = "DHCP_Options"},
    {"dhcpv6_options", "dhcp6", TN_OVS_REF, .set = true, UPDATE,
     .table = "DHCP_Options"},
    {"ports", "switch", TN_OVS_HOLDER, .set = true, UPDATE,
     .table = "Logical_Switch"},
    {"ports", "groups", TN_OVS_HOLDER, .set = true, UPDATE,
     .table = "Port_Group"},
};
const struct tn_ovs_kind tn_ovn_uplink = TN_OVS_KIND(
    TN_OVS_NAMED, 31, "Logical_Switch_Port", "uplink", port_columns);
const struct tn_ovs_kind tn_ovn_port =
    TN_OVS_KIND(TN_OVS_NAMED, 70, "Logical_Switch_Port", "port", port_columns);

static const struct tn_ovs_column dhcp_columns[] = {
    {"cidr", "cidr", TN_OVS_TEXT, UPDATE},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE},
};
const struct tn_ovs_kind tn_ovn_dhcp = TN_OVS_KIND(
    TN_OVS_ROOT | TN_OVS_SHOWN, 40, "DHCP_Options", "dhcp", dhcp_columns);

static const struct tn_ovs_column group_columns[] = {
    {"name", "name", TN_OVS_TEXT, REPLACE},
};
const struct tn_ovs_kind tn_ovn_guard = TN_OVS_KIND(
    TN_OVS_ROOT | TN_OVS_NAMED, 50, "Port_Group", "guard", group_columns);
const struct tn_ovs_kind tn_ovn_group =
    TN_OVS_KIND(TN_OVS_ROOT | TN_OVS_NAMED | TN_OVS_SHOWN, 60, "Port_Group",
                "group", group_columns);

static const struct tn_ovs_column acl_columns[] = {
    {"priority", "priority", TN_OVS_INTEGER, UPDATE},
    {"direction", "direction", TN_OVS_TEXT, UPDATE},
    {"match", "match", TN_OVS_TEXT, UPDATE},
    {"action", "action", TN_OVS_TEXT, UPDATE},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE},
    {"acls", "group", TN_OVS_HOLDER, .set = true, UPDATE,
     .table = "Port_Group"},
};
const struct tn_ovs_kind tn_ovn_filter =
    TN_OVS_KIND(0, 51, "ACL", "filter", acl_columns);
const struct tn_ovs_kind tn_ovn_acl =
    TN_OVS_KIND(0, 61, "ACL", "acl", acl_columns);

static const struct tn_ovs_column route_columns[] = {
    {"ip_prefix", "to", TN_OVS_TEXT, UPDATE},
    {"nexthop", "via", TN_OVS_TEXT, UPDATE},
    {"output_port", "port", TN_OVS_TEXT, .set = true, UPDATE},
    {"policy", "policy", TN_OVS_TEXT, .set = true, UPDATE},
    {"route_table", "table", TN_OVS_TEXT, UPDATE},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE},
    {"static_routes", "router", TN_OVS_HOLDER, .set = true, UPDATE,
     .table = "Logical_Router"},
};
const struct tn_ovs_kind tn_ovn_route =
    TN_OVS_KIND(0, 90, "Logical_Router_Static_Route", "route", route_columns);

static const struct tn_ovs_column policy_columns[] = {
    {"priority", "priority", TN_OVS_INTEGER, UPDATE},
    {"match", "match", TN_OVS_TEXT, UPDATE},
    {"action", "action", TN_OVS_TEXT, UPDATE},
    {"nexthops", "via", TN_OVS_TEXT, .set = true, UPDATE},
    {"options", "options", TN_OVS_MAP, .set = true, UPDATE},
    {"policies", "router", TN_OVS_HOLDER, .set = true, UPDATE,
     .table = "Logical_Router"},
};
const struct tn_ovs_kind tn_ovn_policy =
    TN_OVS_KIND(0, 79, "Logical_Router_Policy", "policy", policy_columns);

const struct tn_ovs_kind *const tn_ovn_kinds[TN_OVN_KINDS] = {
    &tn_ovn_external, &tn_ovn_localnet, &tn_ovn_outside, &tn_ovn_chassis,
    &tn_ovn_router,   &tn_ovn_switch,   &tn_ovn_gateway, &tn_ovn_uplink,
    &tn_ovn_dhcp,     &tn_ovn_guard,    &tn_ovn_filter,  &tn_ovn_group,
    &tn_ovn_acl,      &tn_ovn_port,     &tn_ovn_policy,  &tn_ovn_link,
    &tn_ovn_route,
};
