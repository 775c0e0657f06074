"""The types below /infra: where each lives and which fields it has.

A Type says its collection in a URL ("segments"), the types of object that may
hold it, its Record of fields (or several, told apart by resource_type), and a
few habits: 'part' objects die with their parent (rules, service entries),
'embed' ones also appear as a list in the parent's own body.  The table of
fields follows the published models of 3.2 to 9.1; where they are not sure a
switch is in settings.py.

catalogue_vpc.py adds projects and VPCs.  Behaviour that is more than fields
(overlaps, allocation, server-filled values) is in checks.py.
"""
import errors
from fields import (Address, Addresses, Any, Either, Enum, Flag, Int, Mac,
                    Many, Record, Ref, Text, Variant)


class Type:
    def __init__(self, name, collection, parents, record, part=False,
                 embed=None, entity=None, since=None, fixture=False,
                 ids=None):
        self.name = name
        self.collection = collection
        self.parents = parents
        self.records = record if isinstance(record, dict) else {name: record}
        self.part = part
        self.embed = embed
        self.entity = entity or "Realized" + name
        self.since = since
        self.fixture = fixture
        self.ids = frozenset(ids) if ids else None

    def record(self, kind):
        """The fields of resource_type 'kind' (None: the only one)."""
        if kind is None:
            if len(self.records) > 1:
                raise errors.missing("resource_type")
            kind = next(iter(self.records))
        found = self.records.get(kind)
        if found is None:
            raise errors.malformed("Could not resolve type id '%s' into a "
                                   "subtype of %s" % (kind, self.name))
        return kind, found


def default(**values):
    return lambda: {k: v() if callable(v) else v for k, v in values.items()}


def anything():
    return ["ANY"]


ADMIN_STATE = Enum("UP", "DOWN", default="UP")
TRANSPORT_ZONE = Ref("PolicyTransportZone")
EDGE_CLUSTER = Ref("PolicyEdgeCluster")

DHCP_OPTIONS = Record({
    "option121": Record({"static_routes": Many(Record({
        "network": Address("cidr", "host", required=True),
        "next_hop": Address("host", required=True)}), least=1, most=27)}),
    "others": Many(Record({"code": Int(0, 255), "values": Many(Text())})),
})
SEGMENT_SUBNET = Record({
    "gateway_address": Address("interface"),
    "network": Text(readonly=True),
    "dhcp_ranges": Many(Address("host", "range", "cidr"), least=1, most=99),
    "dhcp_config": Variant({
        "SegmentDhcpV4Config": Record({
            "server_address": Address("interface"),
            "lease_time": Int(60, 4294967295, default=86400),
            "dns_servers": Many(Address("host"), most=2),
            "options": DHCP_OPTIONS}),
        "SegmentDhcpV6Config": Record({
            "server_address": Address("interface"),
            "lease_time": Int(60, 4294967295, default=86400),
            "preferred_time": Int(48), "domain_names": Many(Text()),
            "dns_servers": Many(Address("host"), most=2),
            "excluded_ranges": Many(Address("range")),
            "sntp_servers": Many(Address("host"))})}),
})
SEGMENT_ADVANCED = Record({
    "address_pool_paths": Many(Ref(), most=1),
    "connectivity": Enum("ON", "OFF", default="ON"),
    "hybrid": Flag(default=False, immutable=True),
    "inter_router": Flag(default=False),
    "local_egress": Flag(default=False),
    "local_egress_routing_policies": Any(),
    "multicast": Flag(),
    "ndra_profile_path": Ref(),
    "node_local_switch": Flag(),
    "origin_id": Text(readonly=True), "origin_type": Text(readonly=True),
    "uplink_teaming_policy_name": Text(),
    "urpf_mode": Enum("NONE", "STRICT", default="STRICT"),
}, default=default(connectivity="ON", hybrid=False, inter_router=False,
                   local_egress=False, urpf_mode="STRICT"))
SEGMENT = Record({
    "type": Text(readonly=True),
    "admin_state": ADMIN_STATE,
    "replication_mode": Enum("MTEP", "SOURCE", default="MTEP"),
    "transport_zone_path": TRANSPORT_ZONE,
    "connectivity_path": Ref("Tier1", "Tier0"),
    "overlay_id": Int(0),
    "domain_name": Text(),
    "dhcp_config_path": Ref("DhcpServerConfig", "DhcpRelayConfig"),
    "vlan_ids": Many(Text(pattern=r"\d{1,4}(-\d{1,4})?"), unordered=True),
    "subnets": Many(SEGMENT_SUBNET, most=2),
    "advanced_config": SEGMENT_ADVANCED,
    "l2_extension": Record({
        "l2vpn_paths": Many(Ref()), "l2vpn_path": Ref(),
        "tunnel_id": Int(1, 4093),
        "local_egress": Record({"optimized_ips": Many(Address("host"))})}),
    "bridge_profiles": Many(Record({
        "bridge_profile_path": Ref(required=True),
        "vlan_transport_zone_path": TRANSPORT_ZONE,
        "vlan_ids": Many(Text()),
        "uplink_teaming_policy_name": Text()})),
    "metadata_proxy_paths": Many(Ref()),
    "extra_configs": Many(Record({"config_pair": Record({
        "key": Text(required=True), "value": Text(required=True)},
        required=True)})),
    "mac_pool_id": Text(), "ls_id": Text(),
    "evpn_segment": Flag(readonly=True), "evpn_tenant_config_path": Ref(),
    "address_bindings": Many(Any()),
    "federation_config": Any(readonly=True),
})

PORT_FIELDS = {
    "admin_state": ADMIN_STATE,
    "attachment": Record({
        "id": Text(), "context_id": Text(), "app_id": Text(),
        "type": Enum("PARENT", "CHILD", "INDEPENDENT", "STATIC"),
        "traffic_tag": Int(0, 4094),
        "allocate_addresses": Enum("IP_POOL", "MAC_POOL", "BOTH", "NONE",
                                   "DHCP", "DHCPV6", "SLAAC"),
        "bms_interface_config": Any(), "context_type": Text(),
        "evpn_vlans": Many(Text()), "hyperbus_mode": Text()}),
    "address_bindings": Many(Record({
        "ip_address": Address("host", "cidr"),
        "mac_address": Mac(), "vlan_id": Int(0, 4094)}), most=512),
    "ignored_address_bindings": Many(Any(), most=16),
    "init_state": Enum("UNBLOCKED_VLAN", "RESTORE_VIF", immutable=True),
    "tofu_version": Int(0, 4294967295, since="9.0"),
    "extra_configs": Many(Any()),
    "source_site_id": Text(readonly=True),
    "origin_id": Text(readonly=True),
}
SEGMENT_PORT = Record(PORT_FIELDS)
STATIC_BINDING = {
    "mac_address": Mac(), "host_name": Text(longest=63),
    "lease_time": Int(60, 4294967295, default=86400),
}
STATIC_BINDINGS = {
    "DhcpV4StaticBindingConfig": Record({
        **STATIC_BINDING,
        "mac_address": Mac(required=True),
        "ip_address": Address("host", version=4, required=True),
        "gateway_address": Address("host", version=4),
        "options": DHCP_OPTIONS}),
    "DhcpV6StaticBindingConfig": Record({
        **STATIC_BINDING, "ip_addresses": Many(Address("host", version=6)),
        "dns_nameservers": Many(Text()), "domain_names": Many(Text()),
        "preferred_time": Int(60), "ntp_servers": Many(Text()),
        "sntp_servers": Many(Text())}),
}

ADVERTISE = Enum("TIER1_STATIC_ROUTES", "TIER1_CONNECTED", "TIER1_NAT",
                 "TIER1_LB_VIP", "TIER1_LB_SNAT", "TIER1_DNS_FORWARDER_IP",
                 "TIER1_IPSEC_LOCAL_ENDPOINT")
TIER1 = Record({
    "tier0_path": Ref("Tier0"),
    "route_advertisement_types": Many(
        ADVERTISE, unordered=True,
        default=lambda: ["TIER1_IPSEC_LOCAL_ENDPOINT"]),
    "route_advertisement_rules": Many(Record({
        "name": Text(required=True),
        "action": Enum("PERMIT", "DENY", default="PERMIT"),
        "subnets": Many(Address("cidr")),
        "prefix_operator": Enum("GE", "EQ", default="GE"),
        "route_advertisement_types": Many(ADVERTISE, unordered=True)})),
    "failover_mode": Enum("NON_PREEMPTIVE", "PREEMPTIVE",
                          default="NON_PREEMPTIVE"),
    "ha_mode": Enum("ACTIVE_STANDBY", "ACTIVE_ACTIVE"),
    "pool_allocation": Enum("ROUTING", "LB_SMALL", "LB_MEDIUM", "LB_LARGE",
                            "LB_XLARGE", default="ROUTING"),
    "type": Enum("ROUTED", "ISOLATED", "NATTED"),
    "enable_standby_relocation": Flag(default=False),
    "dhcp_config_paths": Many(Ref("DhcpServerConfig", "DhcpRelayConfig"),
                              most=1),
    "ipv6_profile_paths": Many(Ref(), most=2),
    "qos_profile": Record({"ingress_qos_profile_path": Ref(),
                           "egress_qos_profile_path": Ref()}),
    "disable_firewall": Flag(default=False),
    "force_whitelisting": Flag(default=False),
    "default_rule_logging": Flag(default=False),
    "arp_limit": Int(5000, 50000),
    "intersite_config": Any(), "federation_config": Any(readonly=True),
})
TIER0 = Record({
    "ha_mode": Enum("ACTIVE_ACTIVE", "ACTIVE_STANDBY",
                    default="ACTIVE_ACTIVE"),
    "failover_mode": Enum("NON_PREEMPTIVE", "PREEMPTIVE",
                          default="NON_PREEMPTIVE"),
    "transit_subnets": Many(Address("cidr"),
                            default=lambda: ["100.64.0.0/16"]),
    "internal_transit_subnets": Many(Address("cidr"),
                                     default=lambda: ["169.254.0.0/24"]),
    "vrf_config": Record({
        "tier0_path": Ref("Tier0", required=True, immutable=True),
        "route_distinguisher": Text(), "evpn_transit_vni": Int(75001),
        "route_targets": Many(Any())}),
    "rd_admin_field": Text(), "multi_vrf_inter_sr": Any(),
    "advanced_config": Any(), "dhcp_config_paths": Many(Ref(), most=1),
    "ipv6_profile_paths": Many(Ref(), most=2),
    "disable_firewall": Flag(default=False),
    "force_whitelisting": Flag(default=False),
    "default_rule_logging": Flag(default=False),
    "arp_limit": Int(5000, 50000), "intersite_config": Any(),
    "federation_config": Any(readonly=True),
    "stateful_services": Any(), "vrf_transit_subnets": Many(Address("cidr")),
})
LOCALE_SERVICES = Record({
    "edge_cluster_path": EDGE_CLUSTER,
    "preferred_edge_paths": Many(Ref("PolicyEdgeNode")),
    "bfd_profile_path": Ref(),
    "route_redistribution_config": Any(),
    "route_redistribution_types": Many(Text()),
    "ha_vip_configs": Many(Any()),
})
IFACE_SUBNET = Record({
    "ip_addresses": Many(Address("host"), least=1, required=True),
    "prefix_len": Int(1, 128, required=True)})
TIER1_INTERFACE = Record({
    "segment_path": Ref("Segment", required=True),
    "subnets": Many(IFACE_SUBNET, least=1, required=True),
    "mtu": Int(64),
    "urpf_mode": Enum("NONE", "STRICT", default="STRICT"),
    "admin_state": ADMIN_STATE, "dhcp_relay_path": Ref("DhcpRelayConfig"),
    "ipv6_profile_paths": Many(Ref(), most=1), "ls_id": Text(),
})
STATIC_ROUTES = Record({
    "network": Address("cidr", "host", required=True),
    "next_hops": Many(Record({
        "ip_address": Address("host"),
        "admin_distance": Int(1, 255, default=1),
        "scope": Many(Ref(), least=1)}), least=1, required=True),
    "enabled_on_secondary": Flag(default=False),
})
NETWORKS = Addresses()
NAT_RULE = Record({
    "action": Enum("SNAT", "DNAT", "REFLEXIVE", "NO_SNAT", "NO_DNAT",
                   "NAT64", required=True),
    "source_network": NETWORKS, "destination_network": NETWORKS,
    "translated_network": NETWORKS, "translated_ports": Text(),
    "service": Either(Ref("Service"), Text(pattern="")),
    "enabled": Flag(default=True), "logging": Flag(default=False),
    "sequence_number": Int(0, 2147481599, default=0),
    "firewall_match": Enum("MATCH_EXTERNAL_ADDRESS", "MATCH_INTERNAL_ADDRESS",
                           "BYPASS"),
    "policy_based_vpn_mode": Enum("BYPASS", "MATCH", since="4.0"),
    "scope": Many(Ref(), unordered=True),
})
VPN_COMMON = {
    "enabled": Flag(default=True), "peer_address": Text(required=True),
    "peer_id": Text(), "local_endpoint_path": Ref(),
    "psk": Text(secret=True), "authentication_mode":
    Enum("PSK", "CERTIFICATE", default="PSK"),
    "connection_initiation_mode": Enum("INITIATOR", "RESPOND_ONLY",
                                       "ON_DEMAND", default="INITIATOR"),
    "compliance_suite": Enum("NONE", "CNSA", "SUITE_B_GCM_128", "PRIME",
                             "SUITE_B_GCM_256", "FOUNDATION", "FIPS",
                             default="NONE"),
    "ike_profile_path": Ref(), "tunnel_profile_path": Ref(),
    "dpd_profile_path": Ref(),
}

ENDPOINT = Either(Ref(), Text(pattern="ANY|[0-9A-Fa-f.:/-]+"))
ENDPOINTS = Many(ENDPOINT, most=128, unordered=True, alone="ANY",
                 default=anything)
PORTS = Many(Text(pattern=r"\d{1,5}(-\d{1,5})?"), most=15)


def check_ports(doc, visit):
    for key in ("source_ports", "destination_ports"):
        used = 0
        for item in doc.get(key, ()):
            ends = [int(x) for x in item.split("-")]
            used += len(ends)
            if max(ends) > 65535 or ends[0] > ends[-1]:
                raise errors.invalid("property %s has the invalid value '%s'"
                                     % (key, item))
        if used > 15:
            raise errors.invalid("property %s has more than 15 ports" % key)


L4_ENTRY = Record({
    "l4_protocol": Enum("TCP", "UDP", required=True),
    "destination_ports": PORTS, "source_ports": PORTS}, check=check_ports)
ENTRIES = {
    "L4PortSetServiceEntry": L4_ENTRY,
    "ICMPTypeServiceEntry": Record({
        "protocol": Enum("ICMPv4", "ICMPv6", required=True),
        "icmp_type": Int(0, 255), "icmp_code": Int(0, 255)}),
    "IPProtocolServiceEntry": Record({
        "protocol_number": Int(0, 255, required=True)}),
    "IGMPTypeServiceEntry": Record({}),
    "ALGTypeServiceEntry": Record({
        "alg": Enum("ORACLE_TNS", "FTP", "SUN_RPC_TCP", "SUN_RPC_UDP",
                    "MS_RPC_TCP", "MS_RPC_UDP", "NBNS_BROADCAST",
                    "NBDG_BROADCAST", "TFTP", required=True),
        "destination_ports": PORTS, "source_ports": PORTS},
        check=check_ports),
    "EtherTypeServiceEntry": Record({
        "ether_type": Int(0, 65535, required=True)}),
    "NestedServiceServiceEntry": Record({
        "nested_service_path": Ref("Service", required=True)}),
}
INLINE_ENTRY = Variant({k: Record({**r.fields, "id": Text(),
                                   "display_name": Text(),
                                   "description": Text()}, check=r.check)
                        for k, r in ENTRIES.items()})
RULE = Record({
    "action": Enum("ALLOW", "DROP", "REJECT", "JUMP_TO_APPLICATION"),
    "direction": Enum("IN", "OUT", "IN_OUT", default="IN_OUT"),
    "ip_protocol": Enum("IPV4", "IPV6", "IPV4_IPV6", default="IPV4_IPV6"),
    "sequence_number": Int(0, 2147483647, default=0),
    "source_groups": ENDPOINTS, "destination_groups": ENDPOINTS,
    "services": Many(Either(Ref("Service"), Enum("ANY")), most=128,
                     unordered=True, alone="ANY", default=anything),
    "profiles": Many(Either(Ref(), Enum("ANY")), most=128, unordered=True,
                     default=anything),
    "scope": Many(Either(Ref(), Enum("ANY")), most=128, unordered=True,
                  alone="ANY", default=anything),
    "service_entries": Many(INLINE_ENTRY, most=128),
    "sources_excluded": Flag(default=False),
    "destinations_excluded": Flag(default=False),
    "logged": Flag(default=False), "disabled": Flag(default=False),
    "notes": Text(longest=2048), "tag": Text(longest=32),
    "rule_id": Int(readonly=True), "is_default": Flag(readonly=True),
})
POLICY = {
    "sequence_number": Int(0, 999999, default=0),
    "stateful": Flag(default=True), "tcp_strict": Flag(default=True),
    "scope": Many(Either(Ref(), Enum("ANY")), most=128, unordered=True,
                  alone="ANY", default=anything),
    "comments": Text(), "locked": Flag(default=False),
    "lock_modified_by": Text(readonly=True),
    "lock_modified_time": Int(readonly=True),
    "internal_sequence_number": Int(readonly=True),
    "rule_count": Int(readonly=True), "is_default": Flag(readonly=True),
    "scheduler_path": Ref(), "logging_enabled": Flag(default=False),
    "connectivity_preference": Enum("ALLOWLIST", "DENYLIST", "NONE",
                                    "ALLOWLIST_ENABLE_LOGGING",
                                    "DENYLIST_ENABLE_LOGGING"),
    "connectivity_strategy": Enum("WHITELIST", "BLACKLIST", "NONE",
                                  "WHITELIST_ENABLE_LOGGING",
                                  "BLACKLIST_ENABLE_LOGGING"),
    "default_rule_id": Int(readonly=True),
}
SECURITY_POLICY = Record({
    **POLICY,
    "category": Enum("Ethernet", "Emergency", "Infrastructure",
                     "Environment", "Application", default="Application"),
    "application_connectivity_strategy": Many(Any())})
GATEWAY_POLICY = Record({
    **POLICY,
    "category": Enum("Emergency", "SystemRules", "SharedPreRules",
                     "LocalGatewayRules", "AutoServiceRules", "Default",
                     default="LocalGatewayRules")})

MEMBER = Enum("IPSet", "VirtualMachine", "LogicalPort", "LogicalSwitch",
              "Segment", "SegmentPort", "Pod", "Service", "Namespace",
              "TransportNode", "Group", "DVPG", "DVPort", "IPAddress",
              "CloudNativeServiceInstance", "PhysicalServer",
              "KubernetesCluster", "KubernetesNamespace", "VpcSubnet",
              "VpcSubnetPort", required=True)
CONDITION = Record({
    "member_type": MEMBER,
    "key": Enum("Tag", "Name", "OSName", "ComputerName", "NodeType",
                "GroupType", "ALL", "IPAddress", "PodCidr", required=True),
    "operator": Enum("EQUALS", "CONTAINS", "STARTSWITH", "ENDSWITH",
                     "NOTEQUALS", "NOTIN", "MATCHES", "IN", required=True),
    "scope_operator": Enum("EQUALS", "NOTEQUALS"),
    "value": Text(required=True)})
CONJUNCTION = Record({
    "conjunction_operator": Enum("AND", "OR", required=True)})


def check_expressions(items):
    """Odd length, a conjunction between any two, few conditions."""
    listed = sum(len(item.get(key, ())) for item in items for key in
                 ("ip_addresses", "mac_addresses", "external_ids", "paths"))
    costly = sum(item["resource_type"] in ("Condition", "NestedExpression")
                 for item in items)
    if costly > 5 or listed > 500:
        raise errors.invalid("the expression is too large: %d conditions, "
                             "%d entries" % (costly, listed))
    if items and len(items) % 2 == 0:
        raise errors.invalid("property expression needs an odd number of "
                             "elements")
    for n, item in enumerate(items):
        joins = item["resource_type"] == "ConjunctionOperator"
        if joins != bool(n % 2):
            raise errors.invalid("property expression must alternate "
                                 "expressions and conjunctions")
        if joins and item["conjunction_operator"] == "AND":
            kinds = {x.get("member_type") for x in (items[n - 1],
                                                    items[n + 1])}
            if len(kinds) > 1:
                raise errors.invalid("AND needs equal member_type")


def identified(record):
    """Sub-expressions have ids of their own, which the server gives."""
    return Record({**record.fields, "id": Text(), "display_name": Text(),
                   "path": Text(readonly=True), "_protection":
                   Text(readonly=True), "relative_path": Text(readonly=True),
                   "parent_path": Text(readonly=True),
                   "marked_for_delete": Flag(readonly=True),
                   "overridden": Flag(readonly=True)}, check=record.check)


NESTED = Record({"expressions": Many(Variant({
    "Condition": identified(CONDITION),
    "ConjunctionOperator": identified(CONJUNCTION)}), required=True)},
    check=lambda doc, _: check_expressions(doc["expressions"]))
LEAVES = {
    "Condition": CONDITION, "ConjunctionOperator": CONJUNCTION,
    "NestedExpression": NESTED,
    "IPAddressExpression": Record({"ip_addresses": Many(
        Address("host", "cidr", "range"), least=1, unordered=True,
        required=True)}),
    "MACAddressExpression": Record({"mac_addresses": Many(
        Mac(), least=1, unordered=True, required=True)}),
    "PathExpression": Record({"paths": Many(
        Ref(), least=1, unordered=True, required=True)}),
    "ExternalIDExpression": Record({
        "member_type": MEMBER,
        "external_ids": Many(Text(), least=1, required=True)}),
}
GROUP = Record({
    "expression": Many(Variant({k: identified(r)
                                for k, r in LEAVES.items()})),
    "extended_expression": Many(Any()),
    "group_type": Many(Enum("IPAddress", "ANTREA")),
    "group_state": Text(), "reference": Flag(readonly=True),
    "state": Text(readonly=True),
}, check=lambda doc, _: check_expressions(doc.get("expression", [])))

DHCP_SERVER = Record({
    "server_addresses": Many(Address("interface"), most=2),
    "server_address": Address("interface"),
    "edge_cluster_path": EDGE_CLUSTER,
    "preferred_edge_paths": Many(Ref("PolicyEdgeNode"), most=2),
    "lease_time": Int(60, 4294967295, default=86400)})
DHCP_RELAY = Record({
    "server_addresses": Many(Address("host"), least=1, most=8,
                             unordered=True, required=True)})
IP_BLOCK = Record({
    "cidr": Address("cidr"), "cidrs": Many(Text(), since="9.0"),
    "ranges": Many(Any(), since="9.0"),
    "visibility": Enum("EXTERNAL", "PRIVATE", since="4.2"),
    "start_ip": Text(readonly=True), "subnet_exclusive": Flag(since="9.0")})
OPEN = Record({"tz_type": Text(), "is_default": Flag(), "nsx_id": Text(),
               "nested_nsx": Flag(), "uplink_teaming_policy_names": Any(),
               "inter_site_forwarding_enabled": Flag(),
               "member_node_type": Text(), "site_type": Text()})

PROFILE = Record({
    "address_binding_allowlist": Flag(default=False),
    "address_binding_whitelist": Flag(), "is_default": Flag(readonly=True),
    "bpdu_filter_enable": Flag(), "bpdu_filter_allow": Many(Mac(), most=32),
    "dhcp_client_block_enabled": Flag(), "dhcp_server_block_enabled": Flag(),
    "dhcp_client_block_v6_enabled": Flag(), "rate_limits": Any(),
    "dhcp_server_block_v6_enabled": Flag(), "rate_limits_enabled": Flag(),
    "non_ip_traffic_block_enabled": Flag(), "ra_guard_enabled": Flag()})
SECURITY_MAP = Record({
    "segment_security_profile_path": Ref("SegmentSecurityProfile"),
    "spoofguard_profile_path": Ref("SpoofGuardProfile")})
DISCOVERY_MAP = Record({
    "ip_discovery_profile_path": Ref("IPDiscoveryProfile"),
    "mac_discovery_profile_path": Ref("MacDiscoveryProfile")})
QOS_MAP = Record({"qos_profile_path": Ref("QosProfile")})
NAT_SECTIONS = ("USER", "DEFAULT", "INTERNAL", "NAT64")
INFRA = ("Infra",)
DOMAINS = ("Domain",)
TYPES = [
    Type("Site", "sites", INFRA, OPEN, fixture=True),
    Type("EnforcementPoint", "enforcement-points", ("Site",), OPEN,
         fixture=True),
    Type("PolicyTransportZone", "transport-zones", ("EnforcementPoint",),
         OPEN, fixture=True),
    Type("PolicyEdgeCluster", "edge-clusters", ("EnforcementPoint",), OPEN,
         fixture=True),
    Type("PolicyEdgeNode", "edge-nodes", ("PolicyEdgeCluster",), OPEN,
         fixture=True),
    Type("Tier0", "tier-0s", INFRA, TIER0, entity="RealizedLogicalRouter"),
    Type("Tier1", "tier-1s", INFRA, TIER1, entity="RealizedLogicalRouter"),
    Type("LocaleServices", "locale-services", ("Tier0", "Tier1"),
         LOCALE_SERVICES),
    Type("Tier1Interface", "interfaces", ("Tier1/LocaleServices",),
         TIER1_INTERFACE, entity="RealizedLogicalRouterPort"),
    Type("ServiceInterface", "service-interfaces",
         ("Tier0/LocaleServices", "Tier1/LocaleServices"), TIER1_INTERFACE,
         entity="RealizedLogicalRouterPort"),
    Type("StaticRoutes", "static-routes", ("Tier0", "Tier1", "Vpc"),
         STATIC_ROUTES),
    Type("PolicyNat", "nat", ("Tier0", "Tier1", "Vpc"),
         Record({"nat_type": Text(readonly=True)}), part=True, fixture=True,
         ids=NAT_SECTIONS),
    Type("PolicyNatRule", "nat-rules", ("PolicyNat",), NAT_RULE),
    Type("IPSecVpnService", "ipsec-vpn-services", ("Tier0", "Tier1"),
         Record({"enabled": Flag(default=True), "ha_sync": Flag(default=True),
                 "ike_log_level": Text(default="INFO"),
                 "bypass_rules": Many(Any())})),
    Type("IPSecVpnSession", "sessions", ("IPSecVpnService",), {
        "RouteBasedIPSecVpnSession": Record({
            **VPN_COMMON, "tunnel_interfaces": Many(Any(), required=True),
            "force_whitelisting": Flag(default=False)}),
        "PolicyBasedIPSecVpnSession": Record({
            **VPN_COMMON, "rules": Many(Any(), required=True)})}),
    Type("Segment", "segments", ("Infra", "Tier1"), SEGMENT,
         entity="RealizedLogicalSwitch"),
    Type("SegmentPort", "ports", ("Segment",), SEGMENT_PORT,
         entity="RealizedLogicalPort"),
    Type("DhcpStaticBindingConfig", "dhcp-static-binding-configs",
         ("Segment", "VpcSubnet"), STATIC_BINDINGS,
         entity="RealizedDhcpStaticBinding"),
    Type("SegmentSecurityProfileBindingMap",
         "segment-security-profile-binding-maps", ("Segment",), SECURITY_MAP,
         part=True),
    Type("SegmentDiscoveryProfileBindingMap",
         "segment-discovery-profile-binding-maps", ("Segment",),
         DISCOVERY_MAP, part=True),
    Type("SegmentQosProfileBindingMap", "segment-qos-profile-binding-maps",
         ("Segment",), QOS_MAP, part=True),
    Type("PortSecurityProfileBindingMap",
         "port-security-profile-binding-maps", ("SegmentPort",),
         SECURITY_MAP, part=True),
    Type("PortDiscoveryProfileBindingMap",
         "port-discovery-profile-binding-maps", ("SegmentPort",),
         DISCOVERY_MAP, part=True),
    Type("PortQosProfileBindingMap", "port-qos-profile-binding-maps",
         ("SegmentPort",), QOS_MAP, part=True),
    Type("SpoofGuardProfile", "spoofguard-profiles", INFRA, PROFILE),
    Type("SegmentSecurityProfile", "segment-security-profiles", INFRA,
         PROFILE),
    Type("IPDiscoveryProfile", "ip-discovery-profiles", INFRA, PROFILE,
         fixture=True),
    Type("MacDiscoveryProfile", "mac-discovery-profiles", INFRA, PROFILE,
         fixture=True),
    Type("QosProfile", "qos-profiles", INFRA, PROFILE, fixture=True),
    Type("DhcpServerConfig", "dhcp-server-configs", INFRA, DHCP_SERVER),
    Type("DhcpRelayConfig", "dhcp-relay-configs", INFRA, DHCP_RELAY),
    Type("Domain", "domains", INFRA, Record({}), fixture=True),
    Type("Group", "groups", ("Domain", "Vpc"), GROUP,
         entity="RealizedGroup"),
    Type("SecurityPolicy", "security-policies", ("Domain", "Vpc"),
         SECURITY_POLICY, entity="RealizedFirewallSection"),
    Type("GatewayPolicy", "gateway-policies", ("Domain", "Vpc"),
         GATEWAY_POLICY, entity="RealizedFirewallSection"),
    Type("Rule", "rules", ("SecurityPolicy", "GatewayPolicy"), RULE,
         part=True, embed="rules", entity="RealizedFirewallRule"),
    Type("Service", "services", INFRA,
         Record({"service_type": Text(), "is_default": Flag(readonly=True)}),
         entity="RealizedNSService"),
    Type("ServiceEntry", "service-entries", ("Service",), ENTRIES, part=True,
         embed="service_entries"),
    Type("IpAddressBlock", "ip-blocks", INFRA, IP_BLOCK),
]
