"""Behaviour of single types: what the server fills in, and what it refuses
beyond the look of a field.

'finish' runs when an object was parsed and is about to be stored; it may add
server-owned values (network of a subnet, overlay_id, rule_id, allocated
addresses of a VPC subnet) and note the networks that the object occupies.
'check' runs over all that a transaction wrote, once, before it commits: no two
networks of one router may overlap, no two static bindings of a segment may
share an address, a segment with VIFs stays.
"""
import ipaddress
import time
import uuid

import errors


def span(text, label):
    """(family, first, last, as written, what for) of a network."""
    net = ipaddress.ip_network(text, strict=False)
    return (net.version, int(net.network_address), int(net.broadcast_address),
            text, label)


def finish(store, tx, obj, old):
    hook = HOOKS.get(obj.type.name)
    if hook:
        hook(store, tx, obj, old)


def keep(obj, old, *names):
    """Values that stay although a write left them out."""
    for name in names:
        if old and name in old.doc and name not in obj.doc:
            obj.doc[name] = old.doc[name]


def keep_ranges(doc, old):
    """DHCP ranges may be added to, not deleted or changed."""
    for subnet in old.doc.get("subnets", ()) if old else ():
        for new in doc.get("subnets", ()):
            had, has = (set(s.get("dhcp_ranges", ())) for s in (subnet, new))
            if new.get("network") == subnet["network"] and had - has:
                raise errors.invalid(
                    "property dhcp_ranges: existing values cannot be deleted "
                    "or modified: %s" % sorted(had - has)[0])


def check_server(subnet, net, served):
    """The address of a DHCP server is in the subnet, and not the gateway."""
    config = subnet.get("dhcp_config")
    if config is None:
        return
    address = config.get("server_address")
    if not address:
        if served:
            raise errors.missing("server_address")
        return
    own = ipaddress.ip_interface(address).ip
    if own not in net or \
            own == ipaddress.ip_interface(subnet["gateway_address"]).ip:
        raise errors.invalid("property server_address: %s is the gateway's "
                             "or outside %s" % (address, net))
    for text in subnet.get("dhcp_ranges", ()):
        low, high = ends(text)
        if low <= own <= high:
            raise errors.invalid("property server_address: %s is in the "
                                 "range %s" % (address, text))


def ends(text):
    """First and last address of an address, a range or a network."""
    if "-" in text:
        low, high = map(ipaddress.ip_address, text.split("-"))
        return low, high
    net = ipaddress.ip_network(text, strict=False)
    return net.network_address, net.broadcast_address


def segment(store, tx, obj, old):
    doc, nets = obj.doc, []
    families = set()
    for subnet in doc.get("subnets", ()):
        gateway = subnet.get("gateway_address")
        if not gateway:
            raise errors.missing("gateway_address")
        net = ipaddress.ip_interface(gateway).network
        if net.version in families:
            raise errors.invalid("property subnets: more than one subnet of "
                                 "a family")
        families.add(net.version)
        subnet["network"] = str(net)
        nets.append(span(str(net), "Segment"))
        served = "/dhcp-server-configs/" in doc.get("dhcp_config_path", "")
        check_server(subnet, net, served)
        for ip_range in subnet.get("dhcp_ranges", ()):
            if any(e not in net for e in ends(ip_range)):
                raise errors.invalid("property dhcp_ranges: %s is outside %s"
                                     % (ip_range, net))
    keep_ranges(doc, old)
    linked = doc.get("connectivity_path")
    if obj.parent != "/infra" and not obj.parent.endswith("/infra"):
        if linked:
            raise errors.invalid("property connectivity_path is only for "
                                 "segments under infra")
        linked = obj.parent
    zone = doc.get("transport_zone_path")
    if not zone:
        if doc.get("vlan_ids"):
            raise errors.missing("transport_zone_path")
        zone = doc["transport_zone_path"] = store.overlay_zone
        obj.refs += ((zone, frozenset(), "transport_zone_path"),)
    found = store.get(zone)
    vlan = bool(found) and "VLAN" in found.doc.get("tz_type", "")
    if vlan and (not doc.get("vlan_ids") or linked):
        raise errors.invalid("property vlan_ids: a VLAN segment needs them, "
                             "and no connectivity_path")
    if not vlan:
        if doc.get("vlan_ids"):
            raise errors.invalid("property vlan_ids: not on an overlay "
                                 "transport zone")
        keep(obj, old, "overlay_id")
        doc.setdefault("overlay_id", 71680 + store.number())
    doc["type"] = "ROUTED" if linked else "DISCONNECTED"
    obj.nets = tuple(nets)


def interface(store, tx, obj, old):
    nets = []
    for subnet in obj.doc.get("subnets", ()):
        for address in subnet["ip_addresses"]:
            try:
                nets.append(span("%s/%d" % (address, subnet["prefix_len"]),
                                 "ServiceInterface"))
            except ValueError:
                raise errors.invalid("property prefix_len is invalid")
    obj.nets = tuple(nets)


def port(store, tx, obj, old):
    """The model says that bindings cannot be removed after realisation;
    products have been seen to allow it."""
    if old and store.settings.bindings_stay:
        had = old.doc.get("address_bindings", ())
        if any(b not in obj.doc.get("address_bindings", ()) for b in had):
            raise errors.invalid("property address_bindings: bindings "
                                 "cannot be removed after realization")


def tier1(store, tx, obj, old):
    obj.doc.setdefault("type", "ROUTED")


def rule(store, tx, obj, old):
    obj.doc["rule_id"] = old.doc["rule_id"] if old else \
        1000 + store.number()
    if "action" not in obj.doc:
        raise errors.missing("action")
    if obj.doc["action"] == "JUMP_TO_APPLICATION":
        policy = store.get(obj.parent)
        if policy and policy.doc.get("category") != "Environment":
            raise errors.invalid("property action: JUMP_TO_APPLICATION is "
                                 "only for category Environment")
    if "/gateway-policies/" in obj.path and "/vpcs/" not in obj.path and \
            not any("/tier-" in s for s in obj.doc.get("scope", ())):
        raise errors.invalid("property scope of a gateway rule must hold a "
                             "gateway's path")
    if obj.system:
        obj.doc["is_default"] = True


def static_routes(store, tx, obj, old):
    for hop in obj.doc["next_hops"]:
        if not hop.get("ip_address") and not hop.get("scope"):
            raise errors.missing("ip_address")
        if hop.get("scope") and "/vpcs/" in obj.path:
            raise errors.invalid("property scope of a route of a VPC")


def nat_rule(store, tx, obj, old):
    doc, action = obj.doc, obj.doc["action"]
    need = {"SNAT": ["translated_network"],
            "REFLEXIVE": ["source_network", "translated_network"],
            "DNAT": ["destination_network", "translated_network"]}
    for name in need.get(action, ()):
        if not doc.get(name):
            raise errors.missing(name)
    if action.startswith("NO_") and doc.get("translated_network"):
        raise errors.invalid("property translated_network of %s" % action)
    doc.setdefault("firewall_match", store.settings.nat_match)


def vpc_subnet(store, tx, obj, old):
    """Addresses come from the VPC's private blocks unless they are named."""
    doc = obj.doc
    named = "ip_addresses" in doc and not old
    keep(obj, old, "ip_addresses", "ipv4_subnet_size", "access_mode")
    doc.setdefault("access_mode", "Private")
    if named:
        # Both given: the size is ignored and not persisted.
        doc.pop("ipv4_subnet_size", None)
    elif "ip_addresses" not in doc and doc["access_mode"] != "L2_Only":
        size = doc.setdefault("ipv4_subnet_size", 64)
        doc["ip_addresses"] = [allocate(store, obj, size)]
    obj.nets = tuple(span(a, "VpcSubnet")
                     for a in doc.get("ip_addresses", ()))
    if doc.get("ip_addresses"):
        net = ipaddress.ip_network(doc["ip_addresses"][0])
        doc.setdefault("advanced_config", {}).setdefault(
            "gateway_addresses", ["%s/%d" % (net.network_address + 1,
                                             net.prefixlen)])


def allocate(store, obj, size):
    vpc = store.get(obj.parent)
    blocks = list(vpc.doc.get("private_ips", ())) if vpc else []
    if obj.doc["access_mode"] != "Private" or not blocks:
        blocks = ["203.0.112.0/20"]
    taken = sorted((n[1], n[2]) for o in
                   list(store.children(obj.parent, "subnets").values()) +
                   [g for g, _ in store.purging.values()
                    if g.parent == obj.parent] for n in o.nets)
    for block in blocks:
        first, last = span(block, "")[1:3]
        at = first
        for low, high in taken:
            if low <= at + size - 1 and high >= at:
                at = -(-(high + 1) // size) * size
        if at + size - 1 <= last:
            return "%s/%d" % (ipaddress.ip_address(at),
                              33 - size.bit_length())
    raise errors.no_capacity(obj.parent)


def project(store, tx, obj, old):
    keep(obj, old, "short_id")
    obj.doc.setdefault("short_id", obj.id if len(obj.id) <= 8
                       else uuid.uuid4().hex[:8])


def vpc(store, tx, obj, old):
    project(store, tx, obj, old)
    if "ip_address_type" not in obj.doc:
        if store.settings.version >= "9.1":
            raise errors.missing("ip_address_type")
        obj.doc["ip_address_type"] = "IPV4"


def nat(store, tx, obj, old):
    obj.doc["nat_type"] = obj.id


def group(store, tx, obj, old):
    """Expressions get identifiers of the server's, at any depth."""
    def mark(items):
        for item in items:
            item.setdefault("id", str(uuid.uuid4()))
            item["marked_for_delete"] = item["overridden"] = False
            item["_protection"] = "NOT_PROTECTED"
            mark(item.get("expressions", ()))
    mark(obj.doc.get("expression", ()))


HOOKS = {
    "Group": group,
    "PolicyNat": nat,
    "Segment": segment, "Tier1Interface": interface,
    "ServiceInterface": interface, "Tier1": tier1, "Rule": rule,
    "StaticRoutes": static_routes, "PolicyNatRule": nat_rule,
    "VpcSubnet": vpc_subnet, "Project": project, "Vpc": vpc,
    "SegmentPort": port, "VpcSubnetPort": port,
}


# Checks over a whole transaction.

def router_of(obj):
    """The path of the router whose networks may not overlap, or ''."""
    name = obj.type.name
    if name == "Segment":
        if obj.doc.get("advanced_config", {}).get("connectivity") == "OFF":
            return ""
        fixed = not obj.parent.endswith("/infra")
        return obj.parent if fixed else obj.doc.get("connectivity_path", "")
    if name in ("Tier1Interface", "ServiceInterface"):
        return obj.parent.split("/locale-services/")[0]
    if name == "VpcSubnet":
        return obj.parent
    return ""


def users_of_router(store, path):
    for user in store.referrers.get(path, ()):
        found = store.get(user)
        if found and found.nets and router_of(found) == path:
            yield found
    for held in store.children(path, "locale-services").values():
        for kind in ("interfaces", "service-interfaces"):
            yield from store.children(held.path, kind).values()
    yield from store.children(path, "segments").values()
    yield from store.children(path, "subnets").values()


def check_overlaps(store, tx):
    routers = {}
    for obj in tx.written.values():
        if obj.nets:
            old = tx.before(obj.path)
            if old is None or old.nets != obj.nets or \
                    router_of(old) != router_of(obj):
                routers.setdefault(router_of(obj), set()).add(obj.path)
    routers.pop("", None)
    for router, fresh in routers.items():
        seen = {o.path: o for o in users_of_router(store, router)}
        spans = sorted((n[0], n[1], n[2], n[3], o.path, o.type.name)
                       for o in seen.values() for n in o.nets
                       if router_of(o) == router)
        reach = None
        for entry in spans:
            if reach and reach[0] == entry[0] and entry[1] <= reach[2]:
                new, old = (entry, reach) if entry[4] in fresh \
                    else (reach, entry)
                raise errors.overlap(new[3].split("/")[0], old[5], old[4],
                                     old[3])
            if not reach or reach[0] != entry[0] or entry[2] > reach[2]:
                reach = entry


def check_nat(store, tx):
    """What DNAT takes is no address of the gateway's own segments."""
    for obj in tx.written.values():
        if obj.type.name != "PolicyNatRule" or obj.doc["action"] != "DNAT":
            continue
        router = obj.path.split("/nat/")[0]
        for text in obj.doc["destination_network"].split(","):
            family, low, high, _, _ = span(text.strip(), "")
            for other in users_of_router(store, router):
                for net in other.nets:
                    if net[0] == family and low <= net[2] and net[1] <= high:
                        raise errors.overlap(text, other.type.name,
                                             other.path, net[3])


def check_locales(store, tx):
    """A Tier-1 has one locale service per site, and one site is here."""
    for obj in tx.written.values():
        if obj.type.name == "LocaleServices" and len(store.children(
                obj.parent, "locale-services")) > 1:
            raise errors.invalid("path=[%s] has locale services for this "
                                 "site already" % obj.parent)


def check_bindings(store, tx):
    """Static bindings of one segment share no address, and lie in it."""
    for parent in {o.parent for o in tx.written.values()
                   if o.type.name == "DhcpStaticBindingConfig"}:
        seen = {}
        holder = store.get(parent)
        for obj in store.children(parent,
                                  "dhcp-static-binding-configs").values():
            for key in ("mac_address", "ip_address"):
                value = obj.doc.get(key, "").lower()
                if value and value in seen:
                    raise errors.overlap(value, "DhcpStaticBindingConfig",
                                         seen[value], value)
                seen[value] = obj.path
            address = obj.doc.get("ip_address")
            if address and obj.path in tx.written and holder:
                number = int(ipaddress.ip_address(address))
                if not any(n[1] <= number <= n[2] for n in holder.nets):
                    raise errors.invalid("property ip_address: %s is in no "
                                         "subnet of the segment" % address)


def attached(obj):
    return obj.type.name in ("SegmentPort", "VpcSubnetPort") and \
        bool(obj.doc.get("attachment", {}).get("id"))


def check_vifs(store, tx):
    """A segment stays while VIFs are on it, and a little longer."""
    lag, now = store.settings.vif_lag, time.monotonic()
    leaving = {}
    for obj in tx.removed.values():
        if attached(obj) and lag > 0:
            leaving[obj.parent] = leaving.get(obj.parent, 0) + 1
    for obj in tx.removed.values():
        if obj.type.name not in ("Segment", "VpcSubnet"):
            continue
        count, until = store.vifs.get(obj.path, (0, 0))
        if until > now:
            raise errors.vifs_attached(obj.path, count)
        if leaving.get(obj.path) and \
                store.settings.vif_same_request == "refuse":
            raise errors.vifs_attached(obj.path, leaving[obj.path])
    for path, count in leaving.items():
        store.vifs[path] = (count, now + lag)


def check_edges(store, tx):
    """A Tier-1 without an edge cluster is distributed: no services."""
    if not store.settings.edge_needed:
        return
    for obj in tx.written.values():
        if obj.type.name not in ("Tier1Interface", "ServiceInterface",
                                 "PolicyNatRule") or \
                "/tier-1s/" not in obj.path:
            continue
        infra, _, rest = obj.path.partition("/tier-1s/")
        gateway = "%s/tier-1s/%s" % (infra, rest.split("/")[0])
        if not any("edge_cluster_path" in held.doc for held in
                   store.children(gateway, "locale-services").values()):
            raise errors.invalid("%s of path=[%s]: the gateway has no edge "
                                 "cluster" % (obj.type.name, obj.path))


def check(store, tx):
    check_edges(store, tx)
    check_locales(store, tx)
    check_nat(store, tx)
    check_overlaps(store, tx)
    check_bindings(store, tx)
    check_vifs(store, tx)
