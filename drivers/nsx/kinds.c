/* kinds.c - see kinds.h.
 *
 * A field stands here if intent sets it, or if somebody who changes it lets
 * more pass: a router that is given a way out, a rule that is switched off.
 * What else an object holds is not ours.
 *
 * Ranks: what lets traffic through comes after what keeps it out, and goes
 * before it; a port comes with its groups when all of them are there. */
#include "drivers/nsx/kinds.h"

#define UPDATE .change = TN_ATTR_UPDATE
#define KIND(name_, type_, collection_, rank_, flags_, fields_)                \
    {                                                                          \
        .name = (name_), .type = (type_), .collection = (collection_),         \
        .rank = (rank_), .flags = (flags_), .fields = (fields_),               \
        .n_fields = TN_ARRAY_SIZE(fields_)                                     \
    }
#define SHAPE(fields_)                                                         \
    {                                                                          \
        (fields_), TN_ARRAY_SIZE(fields_)                                      \
    }

/* ---- routers and segments ---- */

static const struct tn_nsx_field router_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"type", "type", TN_NSX_TEXT, .fallback = "ROUTED"},
    {"tier0_path", "tier0", TN_NSX_TEXT, UPDATE},
    {"route_advertisement_types", "advertises", TN_NSX_SET,
     .fallback = "TIER1_IPSEC_LOCAL_ENDPOINT"},
};
const struct tn_nsx_kind tn_nsx_router =
    KIND("router", "Tier1", "tier-1s", 10,
         TN_NSX_SHOWN | TN_NSX_REALISED | TN_NSX_TIERS, router_fields);

static const struct tn_nsx_field subnet_fields[] = {
    {"gateway_address", "gateway", TN_NSX_PREFIX, UPDATE},
    {"dhcp_ranges", "ranges", TN_NSX_SET, UPDATE},
};
static const struct tn_nsx_shape subnet = SHAPE(subnet_fields);
static const struct tn_nsx_field segment_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"connectivity_path", "router", TN_NSX_TEXT, .claim = true},
    {"transport_zone_path", "zone", TN_NSX_TEXT, .fallback = TN_NSX_ANY},
    {"subnets", "subnets", TN_NSX_OBJECTS, .shape = &subnet, .claim = true},
    {"admin_state", "state", TN_NSX_TEXT, .fallback = "UP"},
    {"dhcp_config_path", "dhcp", TN_NSX_TEXT, UPDATE},
    {"advanced_config.connectivity", "connectivity", TN_NSX_TEXT,
     .fallback = "ON"},
    {"advanced_config.urpf_mode", "urpf", TN_NSX_TEXT, .fallback = "STRICT"},
};
const struct tn_nsx_kind tn_nsx_segment =
    KIND("segment", "Segment", "segments", 20,
         TN_NSX_SHOWN | TN_NSX_REALISED | TN_NSX_TIERS, segment_fields);

static const struct tn_nsx_field profile_fields[] = {
    {"spoofguard_profile_path", "spoofguard", TN_NSX_TEXT, UPDATE},
    {"segment_security_profile_path", "security", TN_NSX_TEXT,
     .fallback = TN_NSX_ANY},
};
const struct tn_nsx_kind tn_nsx_profile = KIND(
    "profile", "SegmentSecurityProfileBindingMap",
    "segment-security-profile-binding-maps", 25, TN_NSX_WITHIN, profile_fields);

static const struct tn_nsx_field binding_fields[] = {
    {"ip_address", "address", TN_NSX_NETWORK, UPDATE},
    {"mac_address", "mac", TN_NSX_TEXT, UPDATE},
    {"vlan_id", "vlan", TN_NSX_NUMBER, .fallback = "0"},
};
static const struct tn_nsx_shape binding = SHAPE(binding_fields);
static const struct tn_nsx_field port_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"attachment.id", "vif", TN_NSX_TEXT, .claim = true},
    {"address_bindings", "sources", TN_NSX_OBJECTS, .shape = &binding},
    {"admin_state", "state", TN_NSX_TEXT, .fallback = "UP"},
    {TN_NSX_TAG_GROUP, "groups", TN_NSX_LABELS, UPDATE},
};
const struct tn_nsx_kind tn_nsx_port =
    KIND("port", "SegmentPort", "ports", 60,
         TN_NSX_WITHIN | TN_NSX_REALISED | TN_NSX_TIERS, port_fields);

/* ---- the same in VPCs of NSX ---- */

static const struct tn_nsx_field vpc_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"short_id", "short", TN_NSX_TEXT, .change = TN_ATTR_REPLACE},
    {"private_ips", "networks", TN_NSX_SET, UPDATE},
    {"ip_address_type", "family", TN_NSX_TEXT, UPDATE},
};
const struct tn_nsx_kind tn_nsx_vpc =
    KIND("vpc", "Vpc", "vpcs", 10, TN_NSX_SHOWN | TN_NSX_REALISED | TN_NSX_VPCS,
         vpc_fields);

static const struct tn_nsx_field vpc_subnet_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"access_mode", "access", TN_NSX_TEXT, .change = TN_ATTR_REPLACE},
    {"ip_addresses", "networks", TN_NSX_SET, .change = TN_ATTR_REPLACE,
     .claim = true},
    {"ipv4_subnet_size", "size", TN_NSX_NUMBER, .change = TN_ATTR_REPLACE,
     .fallback = TN_NSX_ANY},
    {"subnet_dhcp_config.mode", "dhcp", TN_NSX_TEXT,
     .fallback = "DHCP_DEACTIVATED"},
    {"advanced_config.connectivity_state", "connectivity", TN_NSX_TEXT,
     .fallback = "CONNECTED"},
};
const struct tn_nsx_kind tn_nsx_subnet =
    KIND("subnet", "VpcSubnet", "subnets", 20,
         TN_NSX_WITHIN | TN_NSX_REALISED | TN_NSX_VPCS | TN_NSX_LOCAL,
         vpc_subnet_fields);
const struct tn_nsx_kind tn_nsx_vport =
    KIND("vport", "VpcSubnetPort", "ports", 60,
         TN_NSX_WITHIN | TN_NSX_REALISED | TN_NSX_VPCS, port_fields);

/* ---- groups and services ---- */

static const struct tn_nsx_field expression_fields[] = {
    {"resource_type", "type", TN_NSX_TEXT, UPDATE},
    {"member_type", "of", TN_NSX_TEXT, UPDATE},
    {"key", "key", TN_NSX_TEXT, UPDATE},
    {"operator", "operator", TN_NSX_TEXT, UPDATE},
    {"value", "value", TN_NSX_TEXT, UPDATE},
    {"conjunction_operator", "conjunction", TN_NSX_TEXT, UPDATE},
    {"ip_addresses", "addresses", TN_NSX_SET, UPDATE},
    {"mac_addresses", "macs", TN_NSX_SET, UPDATE},
    {"paths", "paths", TN_NSX_SET, UPDATE},
    {"external_ids", "ids", TN_NSX_SET, UPDATE},
};
static const struct tn_nsx_shape expression = SHAPE(expression_fields);
static const struct tn_nsx_field group_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"expression", "members", TN_NSX_ORDERED, .shape = &expression},
};
const struct tn_nsx_kind tn_nsx_guard =
    KIND("guard", "Group", "groups", 30, TN_NSX_REALISED, group_fields);
const struct tn_nsx_kind tn_nsx_group =
    KIND("group", "Group", "groups", 40, TN_NSX_REALISED, group_fields);
const struct tn_nsx_kind tn_nsx_members =
    KIND("members", "Group", "groups", 41, TN_NSX_REALISED, group_fields);

static const struct tn_nsx_field entry_fields[] = {
    {"resource_type", "type", TN_NSX_TEXT, UPDATE},
    {"id", "id", TN_NSX_TEXT, UPDATE},
    {"l4_protocol", "protocol", TN_NSX_TEXT, UPDATE},
    {"destination_ports", "ports", TN_NSX_SET, UPDATE},
    {"source_ports", "from", TN_NSX_SET, UPDATE},
    {"protocol", "icmp", TN_NSX_TEXT, UPDATE},
    {"icmp_type", "icmp-type", TN_NSX_NUMBER, UPDATE},
    {"icmp_code", "icmp-code", TN_NSX_NUMBER, UPDATE},
    {"protocol_number", "number", TN_NSX_NUMBER, UPDATE},
};
static const struct tn_nsx_shape entry = SHAPE(entry_fields);
static const struct tn_nsx_field service_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"service_entries", "matches", TN_NSX_OBJECTS, .shape = &entry},
};
const struct tn_nsx_kind tn_nsx_service =
    KIND("service", "Service", "services", 28, 0, service_fields);

/* ---- policies and rules ---- */

static const struct tn_nsx_field policy_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"category", "category", TN_NSX_TEXT, .fallback = "Application"},
    {"sequence_number", "sequence", TN_NSX_NUMBER, .fallback = "0"},
    {"scope", "scope", TN_NSX_SET, .fallback = "ANY"},
    {"stateful", "stateful", TN_NSX_BOOLEAN, .fallback = "true"},
};
const struct tn_nsx_kind tn_nsx_closing =
    KIND("closing", "SecurityPolicy", "security-policies", 31, TN_NSX_REALISED,
         policy_fields);
const struct tn_nsx_kind tn_nsx_policy =
    KIND("policy", "SecurityPolicy", "security-policies", 50,
         TN_NSX_SHOWN | TN_NSX_REALISED, policy_fields);

static const struct tn_nsx_field rule_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"action", "action", TN_NSX_TEXT, UPDATE},
    {"direction", "direction", TN_NSX_TEXT, .fallback = "IN_OUT"},
    {"ip_protocol", "family", TN_NSX_TEXT, .fallback = "IPV4_IPV6"},
    {"sequence_number", "sequence", TN_NSX_NUMBER, .fallback = "0"},
    {"source_groups", "from", TN_NSX_SET, .fallback = "ANY"},
    {"destination_groups", "to", TN_NSX_SET, .fallback = "ANY"},
    {"services", "services", TN_NSX_SET, .fallback = "ANY"},
    {"service_entries", "entries", TN_NSX_OBJECTS, .shape = &entry},
    {"profiles", "profiles", TN_NSX_SET, .fallback = "ANY"},
    {"scope", "scope", TN_NSX_SET, .fallback = "ANY"},
    {"sources_excluded", "not-from", TN_NSX_BOOLEAN, .fallback = "false"},
    {"destinations_excluded", "not-to", TN_NSX_BOOLEAN, .fallback = "false"},
    {"disabled", "disabled", TN_NSX_BOOLEAN, .fallback = "false"},
};
const struct tn_nsx_kind tn_nsx_filter =
    KIND("filter", "Rule", "rules", 32, 0, rule_fields);
const struct tn_nsx_kind tn_nsx_rule =
    KIND("rule", "Rule", "rules", 51, TN_NSX_WITHIN, rule_fields);

/* ---- routes and peerings ---- */

static const struct tn_nsx_field edge_fields[] = {
    {"edge_cluster_path", "cluster", TN_NSX_TEXT, UPDATE},
};
const struct tn_nsx_kind tn_nsx_edge =
    KIND("edge", "LocaleServices", "locale-services", 15,
         TN_NSX_WITHIN | TN_NSX_TIERS, edge_fields);

/* Another VPC needs a transit, too: by its rank it is made before, and goes
 * after, all that makes room for something else in its own VPC. */
const struct tn_nsx_kind tn_nsx_transit =
    KIND("transit", "Segment", "segments", 16, TN_NSX_REALISED | TN_NSX_TIERS,
         segment_fields);

static const struct tn_nsx_field address_fields[] = {
    {"ip_addresses", "addresses", TN_NSX_SET, UPDATE},
    {"prefix_len", "length", TN_NSX_NUMBER, UPDATE},
};
static const struct tn_nsx_shape address = SHAPE(address_fields);
static const struct tn_nsx_field link_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"segment_path", "transit", TN_NSX_TEXT, UPDATE},
    {"subnets", "addresses", TN_NSX_OBJECTS, .shape = &address},
    {"urpf_mode", "urpf", TN_NSX_TEXT, .fallback = "STRICT"},
    {"admin_state", "state", TN_NSX_TEXT, .fallback = "UP"},
};
const struct tn_nsx_kind tn_nsx_link =
    KIND("link", "Tier1Interface", "interfaces", 75,
         TN_NSX_WITHIN | TN_NSX_REALISED | TN_NSX_TIERS, link_fields);

static const struct tn_nsx_field hop_fields[] = {
    {"ip_address", "via", TN_NSX_ADDRESS, UPDATE},
    {"admin_distance", "distance", TN_NSX_NUMBER, .fallback = "1"},
    {"scope", "port", TN_NSX_SET, UPDATE},
};
static const struct tn_nsx_shape hop = SHAPE(hop_fields);
static const struct tn_nsx_field route_fields[] = {
    {"display_name", "name", TN_NSX_TEXT, UPDATE},
    {"network", "to", TN_NSX_NETWORK, UPDATE},
    {"next_hops", "via", TN_NSX_OBJECTS, .shape = &hop},
};
const struct tn_nsx_kind tn_nsx_route =
    KIND("route", "StaticRoutes", "static-routes", 80,
         TN_NSX_WITHIN | TN_NSX_REALISED, route_fields);

const struct tn_nsx_kind *const tn_nsx_kinds[TN_NSX_KINDS] = {
    &tn_nsx_router,  &tn_nsx_edge,    &tn_nsx_segment, &tn_nsx_profile,
    &tn_nsx_service, &tn_nsx_guard,   &tn_nsx_closing, &tn_nsx_filter,
    &tn_nsx_group,   &tn_nsx_members, &tn_nsx_policy,  &tn_nsx_rule,
    &tn_nsx_port,    &tn_nsx_transit, &tn_nsx_link,    &tn_nsx_route,
    &tn_nsx_vpc,     &tn_nsx_subnet,  &tn_nsx_vport,
};

const char *const tn_nsx_guards[] = {"guard", "closing", "filter", "profile",
                                     NULL};
