"""Projects and VPCs (4.0.1 and 4.1.1 onwards), and the index of all types.

A project has an /infra of its own with the same types as the root's; a VPC
holds subnets, ports, groups and policies directly.  The models of 4.1 and 9.x
differ: fields that came later carry 'since', and an older product refuses them
as unknown (code 287), as it does in the field.
"""
import errors
from catalogue import (ADMIN_STATE, EDGE_CLUSTER, PORT_FIELDS, TYPES, Type,
                       default)
from fields import (Address, Any, Enum, Flag, Int, Many, Record, Ref, Text)

SITE_INFOS = Many(Record({"site_path": Ref("Site"),
                          "edge_cluster_paths": Many(EDGE_CLUSTER)}))
SHORT_ID = Text(longest=8, pattern="[A-Za-z0-9_-]+", immutable=True)
PROJECT = Record({
    "short_id": SHORT_ID,
    "tier_0s": Many(Ref("Tier0")), "site_infos": SITE_INFOS,
    "external_ipv4_blocks": Many(Ref("IpAddressBlock"), most=5),
    "tgw_external_connections": Many(Ref(), since="9.0"),
    "limits": Many(Any()), "dedicated_resources": Any(),
    "activate_default_dfw_rules": Flag(since="4.2", default=True),
    "vc_folder": Flag(since="9.0"), "is_default": Flag(readonly=True),
    "default": Flag(readonly=True), "project_type": Text(readonly=True),
})
VPC = Record({
    "short_id": SHORT_ID,
    "private_ips": Many(Address("cidr"), most=5, since="9.0"),
    "vpc_service_profile": Ref("VpcServiceProfile", since="9.0"),
    "ip_address_type": Enum("IPV4", "IPV6", "IPV4_IPV6"),
    "load_balancer_vpc_endpoint": Record({"enabled": Flag(default=False)},
                                         since="9.0"),
    "limits": Many(Any()), "quotas": Many(Any()),
    "default_gateway_path": Ref("Tier0"),
    "external_ipv4_blocks": Many(Ref("IpAddressBlock"), most=5),
    "private_ipv4_blocks": Many(Ref("IpAddressBlock"), most=5),
    "ipv6_profile_paths": Many(Ref()), "dhcp_config": Any(),
    "site_infos": SITE_INFOS,
    "service_gateway": Record({
        "disable": Flag(default=False), "auto_snat": Flag(),
        "qos_config": Any()}),
    "subnet_profiles": Any(), "dns_services": Any(),
})
VPC_SUBNET = Record({
    "access_mode": Enum("Private", "Public", "Private_TGW", "L2_Only",
                        "Isolated"),
    "ipv4_subnet_size": Int(8, 65536, power=True, immutable=True),
    "ip_addresses": Many(Address("cidr"), most=2, immutable=True),
    "ip_blocks": Many(Ref("IpAddressBlock"), most=1),
    "vlan_connection": Ref(since="9.1"),
    "subnet_dhcp_config": Record({
        "mode": Enum("DHCP_SERVER", "DHCP_RELAY", "DHCP_DEACTIVATED",
                     default="DHCP_DEACTIVATED"),
        "dhcp_server_additional_config": Any()}, since="9.0",
        default=default(mode="DHCP_DEACTIVATED")),
    "dhcp_config": Any(),
    "advanced_config": Record({
        "connectivity_state": Enum("CONNECTED", "DISCONNECTED",
                                   default="CONNECTED"),
        "gateway_addresses": Many(Address("interface"), most=1),
        "dhcp_server_addresses": Many(Address("interface"), most=1),
        "enable_vlan_extension": Flag(default=False),
        "static_ip_allocation": Record({"enabled": Flag(default=False)}),
        "extra_configs": Any()},
        default=default(connectivity_state="CONNECTED",
                        enable_vlan_extension=False)),
})
VPC_PORT = Record({
    **PORT_FIELDS,
    "external_address_binding": Record({
        "external_ip_address": Address("host", version=4),
        "allocated_external_ip_path": Ref()}),
})
VPC_ATTACHMENT = Record({
    "vpc_connectivity_profile": Ref("VpcConnectivityProfile", required=True),
    "preferred_default_snat_ip": Address("host")})
CONNECTIVITY_PROFILE = Record({
    "transit_gateway_path": Ref("TransitGateway", required=True),
    "external_ip_blocks": Many(Ref("IpAddressBlock"), most=5),
    "private_tgw_ip_blocks": Many(Ref("IpAddressBlock"), most=5),
    "service_gateway": Record({
        "enable": Flag(default=True),
        "edge_cluster_paths": Many(EDGE_CLUSTER, most=1),
        "nat_config": Record({"enable_default_snat": Flag(default=False),
                              "auto_snat_ip_block": Ref()}),
        "qos_config": Any()}),
    "is_default": Flag(readonly=True)})
SERVICE_PROFILE = Record({
    "dhcp_config": Any(required=True), "qos_profile": Ref(),
    "spoof_guard_profile": Ref(), "mac_discovery_profile": Ref(),
    "ip_discovery_profile": Ref(), "security_profile": Ref(),
    "service_subnet_cidrs": Many(Address("cidr"), most=1),
    "is_default": Flag(readonly=True)})
ALLOCATION = Record({
    "ip_address_block_visibility": Enum("EXTERNAL", "PRIVATE", "PRIVATE_TGW",
                                        default="EXTERNAL"),
    "ip_address_type": Enum("IPV4", "IPV6", default="IPV4"),
    "allocation_size": Int(1, 65536), "allocation_ips": Text(),
    "allocation_ip": Text(), "ip_block": Ref("IpAddressBlock")})

TYPES = TYPES + [
    Type("Project", "projects", ("Org",), PROJECT, since="4.0"),
    Type("Vpc", "vpcs", ("Project",), VPC, since="4.1"),
    Type("VpcSubnet", "subnets", ("Vpc",), VPC_SUBNET, since="4.1",
         entity="RealizedLogicalSwitch"),
    Type("VpcSubnetPort", "ports", ("VpcSubnet",), VPC_PORT, since="4.1",
         entity="RealizedLogicalPort"),
    Type("VpcAttachment", "attachments", ("Vpc",), VPC_ATTACHMENT,
         since="9.0"),
    Type("VpcIpAddressAllocation", "ip-address-allocations", ("Vpc",),
         ALLOCATION, since="4.1"),
    Type("VpcConnectivityProfile", "vpc-connectivity-profiles", ("Project",),
         CONNECTIVITY_PROFILE, since="9.0"),
    Type("VpcServiceProfile", "vpc-service-profiles", ("Project",),
         SERVICE_PROFILE, since="9.0"),
    Type("TransitGateway", "transit-gateways", ("Project",), Record({
        "transit_subnets": Many(Address("cidr")),
        "is_default": Flag(readonly=True)}), since="9.0"),
]
INFRA = Type("Infra", "infra", ("Project",), Record({
    "connectivity_strategy": Text(), "domains": Many(Any()),
    "nsx_id": Text(readonly=True)}), part=True, fixture=True)
ORG = Type("Org", "orgs", ("OrgRoot",), Record({}), fixture=True,
           since="4.0")
ROOT = Type("OrgRoot", "org-root", (), Record({}), fixture=True, since="4.0")

BY_NAME = {t.name: t for t in TYPES + [INFRA, ORG, ROOT]}
CHILDREN = {name: {} for name in BY_NAME}
for _type in TYPES + [ORG]:
    for _parent in _type.parents:
        CHILDREN[_parent.split("/")[-1]][_type.collection] = _type


class Place:
    """What a path names: an object ('id' set) or a collection."""

    __slots__ = ("type", "parent", "id", "path")

    def __init__(self, type_, parent, ident, path):
        self.type, self.parent, self.id, self.path = (type_, parent, ident,
                                                      path)


def locate(path, version="9"):
    """The Place of 'path', or None if no such place can exist."""
    words = path.split("/")[1:]
    if words and words[-1] == "":
        return None
    if words == ["org-root"]:
        return Place(ROOT, "", "org-root", "/org-root")
    if words[0] == "infra":
        at, here, n = INFRA, "/infra", 1
        if len(words) == 1:
            return Place(INFRA, "", "infra", "/infra")
    elif words[0] == "orgs":
        at, here, n = ROOT, "", 0
    else:
        return None
    while True:
        if at.name == "Project" and words[n] == "infra":
            found, parent, ident = INFRA, here, "infra"
            here, n = here + "/infra", n + 1
        else:
            found = CHILDREN[at.name].get(words[n])
            if found is None or (found.since and version < found.since):
                return None
            if n + 1 == len(words):
                return Place(found, here or "/org-root", None, path)
            parent, ident = here or "/org-root", words[n + 1]
            here, n = "%s/%s/%s" % (here, words[n], ident), n + 2
        at = found
        if n == len(words):
            return Place(found, parent, ident, here)


def child_path(parent, type_, ident):
    """The path of child 'ident' of 'parent' (an object's path)."""
    if type_ is INFRA:
        return parent + "/infra"
    if type_ is ORG:
        return "/orgs/" + ident
    return "%s/%s/%s" % (parent, type_.collection, ident)


def child_type(parent, name):
    """The type called 'name' if objects of type 'parent' may hold it."""
    found = BY_NAME.get(name)
    if found is INFRA:
        return found if parent.name == "Project" else None
    if found is None or CHILDREN[parent.name].get(found.collection) \
            is not found:
        return None
    return found


def scope_of(path):
    """'' for the root's objects, else the path of the project."""
    if path.startswith("/orgs/"):
        words = path.split("/", 5)
        if len(words) > 4:
            return "/".join(words[:5])
    return ""


def wrong_type(name):
    return errors.malformed("Could not resolve type id '%s'" % name)


__all__ = ["BY_NAME", "CHILDREN", "INFRA", "ORG", "ROOT", "TYPES", "Place",
           "child_path", "child_type", "locate", "scope_of", "wrong_type",
           "ADMIN_STATE"]
