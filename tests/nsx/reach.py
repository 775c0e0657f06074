#!/usr/bin/python3
"""What an NSX manager's intent lets through: an opinion of its own.

    reach.py STORE --from /infra/segments/web/ports/p1 --to 10.1.2.5 \\
        --protocol tcp --port 443

STORE is the dump of the simulator's control port (GET /store; "-" reads it
from the standard input).  It answers, as JSON, whether a packet that this
port sends arrives, where, and whether the answer may return:

    {"verdict": "yes" | "one-way" | "no", "why": "...", "holder": PORT,
     "route": [...], "source": {...rule...}, "target": {...rule...}}

Written from the vendor's description of the distributed firewall and of the
routing of Tier-1 gateways, and from nothing of the product that it judges.

Modelled: segments, bindings, Tier-1s with connected networks, service
interfaces and static routes, what a Tier-1 advertises to its Tier-0, subnets
of VPCs; groups by conditions, addresses, paths and nested expressions;
policies by category, sequence and scope, states, exclusions, services.  Not
modelled: NAT, gateway policies, VPN, IP discovery, spoof guard, DNS and
identity.
"""
import argparse
import ipaddress
import json
import re
import sys

CATEGORIES = ("Emergency", "Infrastructure", "Environment", "Application")
NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmp6": 58, "sctp": 132}
EPHEMERAL = 50000


class Packet:
    """Addresses are ipaddress objects; 'icmp' is (type, code) or None."""

    def __init__(self, source, target, protocol, sport, dport, icmp=None):
        self.source, self.target = source, target
        self.protocol, self.sport, self.dport = protocol, sport, dport
        self.icmp = icmp

    def answer(self):
        icmp = self.icmp
        if icmp:
            icmp = ({8: 0, 128: 129}.get(icmp[0], icmp[0]), icmp[1])
        return Packet(self.target, self.source, self.protocol, self.dport,
                      self.sport, icmp)


def holds(text, address):
    """Whether 'address' is in the address, network or range 'text'."""
    if "-" in text:
        low, high = map(ipaddress.ip_address, text.split("-"))
        return low.version == address.version and low <= address <= high
    net = ipaddress.ip_network(text, strict=False)
    return net.version == address.version and address in net


class World:
    """The dump, indexed."""

    def __init__(self, objects):
        self.objects = objects
        self.below = {}
        self.kinds = {}
        for path, obj in objects.items():
            self.kinds.setdefault(obj["resource_type"], []).append(path)
            self.below.setdefault(obj.get("parent_path"), []).append(path)
        self.ports = sorted(self.kinds.get("SegmentPort", []) +
                            self.kinds.get("VpcSubnetPort", []))
        self.addresses = {p: self.bound(p) for p in self.ports}

    def of(self, kind):
        return self.kinds.get(kind, ())

    def bound(self, port):
        out = []
        for binding in self.objects[port].get("address_bindings", ()):
            if "ip_address" in binding:
                out.append(ipaddress.ip_interface(binding["ip_address"]).ip)
        return out

    def holder(self, segment, address):
        """The port of 'segment' that has 'address', if one has."""
        for path in self.below.get(segment, ()):
            if address in self.addresses.get(path, ()):
                return path
        return None

    def networks(self, segment):
        obj = self.objects[segment]
        texts = [s.get("gateway_address") for s in obj.get("subnets", ())] + \
            list(obj.get("ip_addresses", ()))
        return [ipaddress.ip_interface(t).network for t in texts if t]


def project_of(path):
    found = re.match(r"/orgs/[^/]+/projects/[^/]+", path)
    return found.group(0) if found else ""


def vpc_of(path):
    found = re.match(r"/orgs/[^/]+/projects/[^/]+/vpcs/[^/]+", path)
    return found.group(0) if found else ""


def gateway_of(segment):
    """The path of the gateway that a segment or subnet is connected to."""
    if segment["parent_path"].endswith("/infra"):
        return segment.get("connectivity_path")
    return segment["parent_path"]


class Groups:
    """Members of groups: ports, and addresses."""

    def __init__(self, world):
        self.world = world
        self.known = {}

    def members(self, path):
        """(set of ports, list of address texts)"""
        if path not in self.known:
            self.known[path] = (set(), [])
            obj = self.world.objects.get(path)
            if obj:
                self.known[path] = self.expression(
                    obj.get("expression", []), path)
        return self.known[path]

    def visible(self, group):
        """The ports that a group of this scope can have as members."""
        scope = vpc_of(group) or project_of(group)
        return [p for p in self.world.ports
                if not scope or p.startswith(scope + "/")]

    def expression(self, items, group):
        """AND binds closer than OR."""
        sums, texts = set(), []
        part = None
        for n in range(0, len(items), 2):
            ports, listed = self.leaf(items[n], group)
            joined = items[n - 1]["conjunction_operator"] if n else "OR"
            if joined == "AND":
                part = (part[0] & ports,
                        [t for t in part[1] if t in listed])
            else:
                if part:
                    sums |= part[0]
                    texts += part[1]
                part = (ports, listed)
        if part:
            sums |= part[0]
            texts += part[1]
        return sums, texts

    def leaf(self, item, group):
        kind = item["resource_type"]
        if kind == "IPAddressExpression":
            return set(), list(item["ip_addresses"])
        if kind == "NestedExpression":
            return self.expression(item["expressions"], group)
        if kind == "PathExpression":
            ports, texts = set(), []
            for path in item["paths"]:
                more = self.path_members(path)
                ports |= more[0]
                texts += more[1]
            return ports, texts
        if kind == "Condition":
            return {p for p in self.visible(group)
                    if self.condition(item, p)}, []
        if kind == "ExternalIDExpression":
            ids = set(item["external_ids"])
            return {p for p in self.visible(group) if
                    self.world.objects[p].get("attachment", {})
                    .get("id") in ids}, []
        return set(), []

    def path_members(self, path):
        obj = self.world.objects.get(path)
        if obj is None:
            return set(), []
        if obj["resource_type"] == "Group":
            return self.members(path)
        if path in self.world.addresses:
            return {path}, []
        return {p for p in self.world.ports if p.startswith(path + "/")}, []

    def condition(self, item, port):
        kind = item["member_type"]
        if kind in ("SegmentPort", "LogicalPort", "VpcSubnetPort"):
            obj = self.world.objects[port]
        elif kind in ("Segment", "LogicalSwitch", "VpcSubnet"):
            obj = self.world.objects[self.world.objects[port]["parent_path"]]
        else:
            return False
        if item["key"] == "Tag":
            return self.tagged(item, obj.get("tags", ()))
        if item["key"] == "Name":
            return compare(item["operator"], obj["display_name"],
                           item["value"])
        return False

    def tagged(self, item, tags):
        scope, bar, tag = item["value"].partition("|")
        if not bar:
            scope, tag = "", scope
        operator = item["operator"]
        found = any((not scope or t.get("scope", "") == scope) and
                    (tag == "" or compare(
                        "EQUALS" if operator == "NOTEQUALS" else operator,
                        t.get("tag", ""), tag)) for t in tags)
        return found != (operator == "NOTEQUALS")

    def has_address(self, path, address):
        ports, texts = self.members(path)
        return any(holds(t, address) for t in texts) or \
            any(address in self.world.addresses[p] for p in ports)


def compare(operator, have, want):
    if operator == "EQUALS":
        return have == want
    if operator == "NOTEQUALS":
        return have != want
    if operator == "CONTAINS":
        return want in have
    if operator == "STARTSWITH":
        return have.startswith(want)
    if operator == "ENDSWITH":
        return have.endswith(want)
    if operator == "MATCHES":
        return re.fullmatch(want, have) is not None
    if operator in ("IN", "NOTIN"):
        return (have in want.split(",")) == (operator == "IN")
    return False


class Firewall:
    def __init__(self, world, default):
        self.world, self.groups = world, Groups(world)
        self.default = default
        self.tables = {}

    def rules(self, port):
        """(policy, rule) of all that can concern 'port', in order."""
        where = vpc_of(port) or project_of(port)
        if where not in self.tables:
            self.tables[where] = self.table(port)
        return self.tables[where]

    def table(self, port):
        scopes = {"": 0}
        if project_of(port):
            scopes[project_of(port)] = 1
        if vpc_of(port):
            scopes[vpc_of(port)] = 2
        rows = []
        for path in self.world.of("SecurityPolicy"):
            policy = self.world.objects[path]
            scope = vpc_of(path) or project_of(path)
            if scope not in scopes or policy["category"] not in CATEGORIES:
                continue
            last = policy.get("_system_owned", False)
            if last and scope != project_of(port):
                continue
            for at in self.world.below.get(path, ()):
                rule = self.world.objects[at]
                if rule["resource_type"] == "Rule":
                    rows.append(((CATEGORIES.index(policy["category"]), last,
                                  scopes[scope], policy["sequence_number"],
                                  path, rule["sequence_number"], at),
                                 policy, rule))
        rows.sort(key=lambda r: r[0])
        return [(policy, rule) for _, policy, rule in rows]

    def decide(self, port, packet, way):
        """(allowed, stateful, rule's path) at 'port' for a packet going
        'way' (OUT of the port or IN)."""
        skip = None
        for policy, rule in self.rules(port):
            if skip and policy["category"] != "Application":
                continue
            if not self.matches(port, packet, way, policy, rule):
                continue
            if rule["action"] == "JUMP_TO_APPLICATION":
                skip = True
                continue
            return (rule["action"] == "ALLOW", policy.get("stateful", True),
                    rule["path"])
        return self.default == "ALLOW", True, "default"

    def matches(self, port, packet, way, policy, rule):
        if rule.get("disabled") or \
                rule.get("direction", "IN_OUT") not in (way, "IN_OUT"):
            return False
        family = rule.get("ip_protocol", "IPV4_IPV6")
        if "IPV%d" % packet.source.version not in family.split("_"):
            return False
        scope = policy.get("scope", ["ANY"])
        if scope == ["ANY"]:
            scope = rule.get("scope", ["ANY"])
        if scope != ["ANY"] and not any(
                port in self.groups.path_members(s)[0] for s in scope):
            return False
        return self.ends(rule, "source", packet.source) and \
            self.ends(rule, "destination", packet.target) and \
            self.serves(rule, packet)

    def ends(self, rule, side, address):
        listed = rule.get(side + "_groups", ["ANY"])
        if listed == ["ANY"]:
            return True
        found = any(self.groups.has_address(e, address)
                    if e.startswith("/") else holds(e, address)
                    for e in listed)
        return found != rule.get(side + "s_excluded", False)

    def serves(self, rule, packet):
        listed, inline = rule.get("services", ["ANY"]), \
            rule.get("service_entries", [])
        if listed == ["ANY"] and not inline:
            return True
        entries = list(inline)
        for path in listed:
            if path != "ANY":
                entries += self.entries(path)
        return any(self.entry(e, packet) for e in entries)

    def entries(self, service):
        return [self.world.objects[p] for p in
                self.world.below.get(service, ())]

    def entry(self, entry, packet):
        kind = entry["resource_type"]
        if kind == "L4PortSetServiceEntry":
            return NUMBERS[entry["l4_protocol"].lower()] == \
                packet.protocol and \
                in_ports(entry.get("destination_ports"), packet.dport) and \
                in_ports(entry.get("source_ports"), packet.sport)
        if kind == "ICMPTypeServiceEntry":
            number = 1 if entry["protocol"] == "ICMPv4" else 58
            return packet.protocol == number and all(
                entry.get(k) is None or entry[k] == packet.icmp[n]
                for n, k in enumerate(("icmp_type", "icmp_code")))
        if kind == "IPProtocolServiceEntry":
            return entry["protocol_number"] == packet.protocol
        if kind == "NestedServiceServiceEntry":
            return any(self.entry(e, packet) for e in
                       self.entries(entry["nested_service_path"]))
        return False


def in_ports(texts, port):
    if not texts:
        return True
    for text in texts:
        low, _, high = text.partition("-")
        if int(low) <= port <= int(high or low):
            return True
    return False


class Routing:
    """Where a packet goes: segments, Tier-1s, their Tier-0, VPCs."""

    def __init__(self, world):
        self.world = world
        self.connected, self.tables = {}, {}
        for path in world.of("Segment"):
            obj = world.objects[path]
            on = obj.get("advanced_config", {}).get("connectivity", "ON")
            router = gateway_of(obj)
            if router and on == "ON":
                self.attach(router, path, world.networks(path))
        for path in world.of("VpcSubnet"):
            obj = world.objects[path]
            state = obj.get("advanced_config", {}).get("connectivity_state")
            if state != "DISCONNECTED":
                self.attach(obj["parent_path"], path, world.networks(path))
        for kind in ("Tier1Interface", "ServiceInterface"):
            for path in world.of(kind):
                obj = world.objects[path]
                nets = [ipaddress.ip_interface("%s/%d" % (
                    a, s["prefix_len"])).network for s in obj["subnets"]
                    for a in s["ip_addresses"]]
                self.attach(path.split("/locale-services/")[0],
                            obj["segment_path"], nets)

    def attach(self, router, segment, nets):
        self.connected.setdefault(router, []).extend(
            (n, segment) for n in nets)

    def table(self, router):
        """[(network, 'connected'|'static', distance, value)]"""
        if router in self.tables:
            return self.tables[router]
        rows = self.tables[router] = [(net, "connected", 0, segment)
                for net, segment in self.connected.get(router, ())]
        for path in self.world.below.get(router, ()):
            obj = self.world.objects[path]
            if obj["resource_type"] != "StaticRoutes":
                continue
            for hop in obj["next_hops"]:
                if "ip_address" in hop:
                    rows.append((ipaddress.ip_network(obj["network"]),
                                 "static", hop.get("admin_distance", 1),
                                 hop["ip_address"]))
        return rows

    def best(self, router, address):
        fits = [r for r in self.table(router)
                if r[0].version == address.version and address in r[0]]
        return min(fits, default=None,
                   key=lambda r: (-r[0].prefixlen, r[2], str(r[3])))

    def deliver(self, segment, address):
        """(segment or None, trail, why not)"""
        trail = [segment]
        if any(address in net for net in self.world.networks(segment)):
            return segment, trail, ""
        obj = self.world.objects[segment]
        router = gateway_of(obj)
        if not router or not any(s == segment for _, s in
                                 self.connected.get(router, ())):
            return None, trail, "the segment has no gateway"
        for _ in range(16):
            trail.append(router)
            found = self.best(router, address)
            if found and found[1] == "connected":
                return found[3], trail + [found[3]], ""
            if found:
                router, why = self.next_router(
                    router, ipaddress.ip_address(found[3]))
            else:
                router, why = self.upwards(router, address)
            if router is None:
                return None, trail, why
        return None, trail, "the route is a loop"

    def next_router(self, router, hop):
        """The gateway that has 'hop' on a network that 'router' is on."""
        for net, segment in self.connected.get(router, ()):
            if hop not in net:
                continue
            for kind in ("Tier1Interface", "ServiceInterface"):
                for path in self.world.of(kind):
                    obj = self.world.objects[path]
                    if obj["segment_path"] == segment and any(
                            str(hop) in s["ip_addresses"]
                            for s in obj["subnets"]):
                        return path.split("/locale-services/")[0], ""
            return None, "next hop %s is no gateway of NSX" % hop
        return None, "next hop %s is on no connected network" % hop

    def upwards(self, router, address):
        """To the Tier-0, and down again to whom has 'address'."""
        obj = self.world.objects.get(router, {})
        above = obj.get("tier0_path")
        if obj.get("resource_type") == "Vpc":
            return None, "the VPC's transit gateway is not modelled"
        if not above:
            return None, "the gateway has no route"
        found = []
        for path in self.world.of("Tier1"):
            other = self.world.objects[path]
            if other.get("tier0_path") != above or path == router:
                continue
            types = other.get("route_advertisement_types", ())
            for net, kind, _, _ in self.table(path):
                word = "TIER1_CONNECTED" if kind == "connected" \
                    else "TIER1_STATIC_ROUTES"
                if word in types and net.version == address.version and \
                        address in net:
                    found.append((-net.prefixlen, path))
        if found:
            return min(found)[1], ""
        own = self.best(above, address)
        if own and own[1] == "connected":
            return above, ""
        return None, "leaves by the Tier-0"


class Reach:
    """The whole question.  'default' is what becomes of what no rule
    decides (there is a rule for it, unless the dump lacks it)."""

    def __init__(self, objects, default="ALLOW"):
        self.world = World(objects)
        self.firewall = Firewall(self.world, default)
        self.routing = Routing(self.world)

    def ask(self, port, target, protocol, dport=0, source=None,
            sport=EPHEMERAL, icmp=None):
        world = self.world
        if port not in world.addresses:
            raise ValueError("there is no port %s" % port)
        target = ipaddress.ip_address(target)
        own = [a for a in world.addresses[port]
               if a.version == target.version]
        if source is None and not own:
            return {"verdict": "no", "why": "the port has no address"}
        source = ipaddress.ip_address(source) if source else own[0]
        number = NUMBERS.get(protocol) or int(protocol)
        if number in (1, 58) and icmp is None:
            icmp = (8 if number == 1 else 128, 0)
        packet = Packet(source, target, number, sport, dport, icmp)
        out = {"verdict": "no", "from": str(source), "to": str(target)}
        segment, out["route"], why = self.routing.deliver(
            world.objects[port]["parent_path"], target)
        if segment is None:
            return {**out, "why": why}
        holder = world.holder(segment, target)
        if holder is None:
            return {**out, "why": "no port of %s has the address" % segment}
        out["holder"] = holder
        for state in (port, holder):
            if world.objects[state].get("admin_state", "UP") != "UP" or \
                    world.objects[world.objects[state]["parent_path"]].get(
                        "admin_state", "UP") != "UP":
                return {**out, "why": "%s is down" % state}
        return self.filter(out, packet, port, holder)

    def filter(self, out, packet, port, holder):
        back, answers = packet.answer(), True
        for name, at, way, other in (("source", port, "OUT", "IN"),
                                     ("target", holder, "IN", "OUT")):
            allowed, stateful, rule = self.firewall.decide(at, packet, way)
            out[name] = {"rule": rule, "allowed": allowed}
            if not allowed:
                return {**out, "why": "%s refuses" % rule}
            if not stateful:
                answers &= self.firewall.decide(at, back, other)[0]
        home = self.routing.deliver(
            self.world.objects[holder]["parent_path"], packet.source)[0]
        if home != self.world.objects[port]["parent_path"]:
            answers = False
        if answers:
            return {**out, "verdict": "yes", "why": "passes"}
        return {**out, "verdict": "one-way", "why": "no answer returns"}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--protocol", default="tcp")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--source-address")
    parser.add_argument("--default", default="ALLOW",
                        choices=("ALLOW", "DROP"))
    args = parser.parse_args()
    source = sys.stdin if args.store == "-" else open(args.store,
                                                      encoding="utf-8")
    data = json.load(source)
    engine = Reach(data.get("objects", data), args.default)
    try:
        found = engine.ask(args.source, args.to, args.protocol, args.port,
                           args.source_address)
    except ValueError as e:
        sys.exit("reach.py: %s" % e)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
