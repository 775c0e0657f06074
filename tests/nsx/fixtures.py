"""What is there before any tenant: the fabric, a Tier-0, built-in services,
default policies, the default org and a default project of transit gateways.

Identifiers of the fabric are UUIDs, as on a real manager, always the same ones
so that tests can name them; clients are to look them up by display_name.
"""
from writer import SYSTEM, Writer
from catalogue_vpc import BY_NAME, child_path
from store import Object, Transaction

POINT = "/infra/sites/default/enforcement-points/default"
OVERLAY_ZONE = "1b3a2f36-bfd1-443e-a0f6-4de01abc963e"
VLAN_ZONE = "a95c914d-748d-497c-94ab-10d4647daeba"
EDGE_CLUSTER = "95196903-6b8a-4276-a7c4-387263e834fd"

SERVICES = {
    "HTTP": ("TCP", ["80"]), "HTTPS": ("TCP", ["443"]),
    "SSH": ("TCP", ["22"]), "DNS": ("TCP", ["53"]),
    "DNS-UDP": ("UDP", ["53"]), "NTP": ("UDP", ["123"]),
    "MySQL": ("TCP", ["3306"]), "SMTP": ("TCP", ["25"]),
    "RDP": ("TCP", ["3389"]),
}


def install(store):
    """Fills an empty store."""
    tx = Transaction(store)
    writer = Writer(store, tx, SYSTEM)

    def make(kind, parent, ident, **body):
        writer.write(BY_NAME[kind], parent, ident, body, "system")
        return child_path(parent, BY_NAME[kind], ident)

    for name, path in (("Infra", "/infra"), ("OrgRoot", "/org-root")):
        root = Object.fresh(BY_NAME[name], name, path[1:], path, "")
        root.doc = {"display_name": path[1:]}
        root.system, root.revision = True, 0
        tx.put(root)
    fabric(make)
    tier0s(make, tx, store)
    make("Domain", "/infra", "default")
    firewall(make, writer, "/infra/domains/default")
    services(make)
    make("Org", "/org-root", "default")
    tx.check()
    tx.commit()


def fabric(make):
    site = make("Site", "/infra", "default", site_type="ONPREM_LM")
    point = make("EnforcementPoint", site, "default")
    make("PolicyTransportZone", point, OVERLAY_ZONE,
         display_name="overlay", tz_type="OVERLAY_BACKED", is_default=True,
         nsx_id=OVERLAY_ZONE)
    make("PolicyTransportZone", point, VLAN_ZONE, display_name="vlan",
         tz_type="VLAN_BACKED", is_default=False, nsx_id=VLAN_ZONE)
    cluster = make("PolicyEdgeCluster", point, EDGE_CLUSTER,
                   display_name="edge-cluster-1", nsx_id=EDGE_CLUSTER)
    for kind, ident in (
            ("SpoofGuardProfile", "default-spoofguard-profile"),
            ("SegmentSecurityProfile", "default-segment-security-profile"),
            ("IPDiscoveryProfile", "default-ip-discovery-profile"),
            ("MacDiscoveryProfile", "default-mac-discovery-profile"),
            ("QosProfile", "default-qos-profile")):
        make(kind, "/infra", ident)
    make("SpoofGuardProfile", "/infra", "spoofguard",
         display_name="spoofguard", address_binding_allowlist=True)
    for n in "12":
        make("PolicyEdgeNode", cluster, "edge-" + n)


def tier0s(make, tx, store):
    path = make("Tier0", "/infra", "t0", display_name="t0",
                ha_mode="ACTIVE_STANDBY")
    make("LocaleServices", path, "default", edge_cluster_path=POINT +
         "/edge-clusters/" + EDGE_CLUSTER)
    make("IpAddressBlock", "/infra", "external", cidr="203.0.112.0/20")


def firewall(make, writer, domain):
    for ident, category, action in (
            ("default-layer3-section", "Application", "ALLOW"),
            ("default-layer2-section", "Ethernet", "ALLOW")):
        make("SecurityPolicy", domain, ident, category=category,
             sequence_number=999999, rules=[{
                 "resource_type": "Rule", "action": action,
                 "id": ident.replace("section", "rule"),
                 "sequence_number": 2147483647}])


def services(make):
    for name, (protocol, ports) in SERVICES.items():
        make("Service", "/infra", name, service_entries=[{
            "resource_type": "L4PortSetServiceEntry", "id": name,
            "l4_protocol": protocol, "destination_ports": ports}])
    make("Service", "/infra", "ICMP-ALL", service_entries=[{
        "resource_type": "ICMPTypeServiceEntry", "id": "ICMP-ALL",
        "protocol": "ICMPv4"}])


def project_defaults(store, tx, path):
    """A new project's own default policy and objects of VPC networking."""
    writer = Writer(store, tx, SYSTEM)

    def make(kind, parent, ident, **body):
        writer.write(BY_NAME[kind], parent, ident, body, "system")
        return child_path(parent, BY_NAME[kind], ident)

    firewall(make, writer, path + "/infra/domains/default")
    if store.settings.version >= "9.0":
        gateway = make("TransitGateway", path, "default")
        make("VpcConnectivityProfile", path, "default",
             transit_gateway_path=gateway)
        make("VpcServiceProfile", path, "default", dhcp_config={})
