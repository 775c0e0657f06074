#!/usr/bin/env python3
"""What an intent repository lets through, computed from its documents alone.

A second implementation of docs/kinds/, in Python and in no way like the
program's: it knows nothing of bridges, tunnels or rules. Only the addresses
that tenet derives are taken from its own record (allocations/<tenant>.yml on
the status ref), and checked against what the documents say of them.

An end is an address on which a port's namespace answers: the port's own, a
virtual one (a single address of allowedAddresses that is nobody's own; of
several ports with it the first by name holds it), and one of each network that
a static route puts behind the holder of its next hop. 'verdict' says which
end, if any, answers an end that knocks at an address.
"""
import ipaddress
import os
import subprocess
import sys
from collections import namedtuple

import yaml

PROBED_PORTS = [22, 80, 150, 443, 1500, 5353]
# 'behind' says what it is if not the port's own address: "virtual", or "route"
# for one of a network behind it.
End = namedtuple("End", "tenant vpc port address behind")
# What is behind a default route: in no VPC's prefixes.
WORLD = {4: "198.18.0.1", 6: "2001:db8:98::1"}


class Broken(Exception):
    """What tenet recorded does not fit the documents."""


def git(repo, *args):
    return subprocess.run(["git", "-C", repo, *args], check=True,
                          capture_output=True, text=True).stdout


def addr(text):
    return ipaddress.ip_address(text)


def net(text):
    return ipaddress.ip_network(text)


def beyond(to):
    """The address that stands for all that a route leads to."""
    n = net(to)
    return addr(WORLD[n.version]) if n.prefixlen == 0 else n[1]


class World:
    """A commit. Unless 'strict', ports whose addresses are not recorded yet
    are left out: those of a commit that was not applied."""

    def __init__(self, repo, rev="HEAD", status="refs/heads/tenet/status",
                 strict=True):
        self.docs = {}  # (kind, tenant, name) -> spec
        self.pins = {}  # tenant -> object -> pin
        for path in git(repo, "ls-tree", "-r", "--name-only", rev,
                        "tenants/").split():
            tenant = path.split("/")[1]
            for doc in yaml.safe_load_all(
                    git(repo, "show", "%s:%s" % (rev, path))):
                key = doc["kind"], tenant, doc["metadata"]["name"]
                self.docs[key] = doc["spec"]
        for path in git(repo, "ls-tree", "-r", "--name-only", status,
                        "allocations/").split():
            tenant = os.path.basename(path)[:-len(".yml")]
            lock = yaml.safe_load(git(repo, "show", "%s:%s" % (status, path)))
            self.pins[tenant] = lock["pins"] or {}
        self.ports = {}  # (tenant, port) -> {"address": ..., "mac": ...}
        for (kind, tenant, name), spec in sorted(self.docs.items()):
            if kind == "Port":
                try:
                    self.ports[tenant, name] = \
                        self.identify(tenant, name, spec)
                except Broken:
                    if strict:
                        raise
        self.ends = list(self.find_ends())
        self.peers = self.find_peers()

    # -- identifiers --------------------------------------------------------

    def subnet(self, tenant, port):
        for s in self.docs["Vpc", tenant, port["vpc"]]["subnets"]:
            if s["name"] == port["subnet"]:
                return s
        raise Broken("no subnet %s" % port["subnet"])

    def identify(self, tenant, name, spec):
        pin = self.pins.get(tenant, {}).get("port/" + name)
        subnet = self.subnet(tenant, spec)
        if pin is None:
            raise Broken("nothing is recorded of port %s/%s" % (tenant, name))
        for key in ("mac", "address", "address6"):
            if key in spec and (key not in pin or spec[key] != pin[key]):
                raise Broken("%s of %s/%s is recorded as %s, but given as %s"
                             % (key, tenant, name, pin.get(key), spec[key]))
        for key, cidr in (("address", "cidr"), ("address6", "cidr6")):
            if (cidr in subnet) != (key in pin):
                raise Broken("%s of %s/%s: %s" % (key, tenant, name, pin))
            if key in pin:
                n, gateway = net(subnet[cidr]), self.gateways(subnet)
                a = addr(pin[key])
                if a not in n or a == n[0] or a in gateway or \
                        (n.version == 4 and a == n[-1]):
                    raise Broken("%s/%s cannot have %s" % (tenant, name, a))
        return pin

    @staticmethod
    def gateways(subnet):
        out = []
        for key, cidr in (("gateway", "cidr"), ("gateway6", "cidr6")):
            if cidr in subnet:
                out.append(addr(subnet.get(key, net(subnet[cidr])[1])))
        return out

    def addresses(self, tenant, port):
        pin = self.ports.get((tenant, port), {})
        return [addr(pin[k]) for k in ("address", "address6") if k in pin]

    def of_kind(self, kind):
        return [(t, n, s) for (k, t, n), s in sorted(self.docs.items())
                if k == kind]

    def allowed(self, tenant, name):
        """Further prefixes that a port may use."""
        spec = self.docs["Port", tenant, name]
        mine = self.addresses(tenant, name)
        return [net(a) for a in spec.get("allowedAddresses", [])] + [
            net(r["to"])
            for r in self.docs["Vpc", tenant, spec["vpc"]].get("routes", [])
            if addr(r["via"]) in mine]

    def neighbours(self, tenant, vpc, a):
        """Ports of the subnet that has the address: [(name, spec)]"""
        for t, name, spec in self.of_kind("Port"):
            if (t, spec["vpc"]) == (tenant, vpc) and (t, name) in self.ports:
                s = self.subnet(tenant, spec)
                if any(c in s and a in net(s[c]) for c in ("cidr", "cidr6")):
                    yield name, spec

    def holder(self, tenant, vpc, a):
        """The port that has the address, as its own or as a virtual one."""
        near = [n for n, _ in self.neighbours(tenant, vpc, a)]
        for name in near:
            if a in self.addresses(tenant, name):
                return name
        for name in near:
            if net(str(a)) in [net(x) for x in
                               self.docs["Port", tenant, name]
                               .get("allowedAddresses", [])]:
                return name
        return None

    def find_ends(self):
        for tenant, name, spec in self.of_kind("Port"):
            vpc = spec["vpc"]
            for a in self.addresses(tenant, name):
                yield End(tenant, vpc, name, a, "")
            for prefix in sorted(set(spec.get("allowedAddresses", []))):
                n = net(prefix)
                if n.num_addresses == 1 and (tenant, name) in self.ports and \
                        n[0] not in self.addresses(tenant, name) and \
                        self.holder(tenant, vpc, n[0]) == name:
                    yield End(tenant, vpc, name, n[0], "virtual")
            for r in self.docs["Vpc", tenant, vpc].get("routes", []):
                if self.holder(tenant, vpc, addr(r["via"])) == name:
                    yield End(tenant, vpc, name, beyond(r["to"]), "route")

    # -- who reaches whom ---------------------------------------------------

    def find_peers(self):
        """(tenant, vpc) -> [((tenant, vpc) of the peer, exports, imports)]"""
        grants, out = {}, {}
        for tenant, _, p in self.of_kind("Peering"):
            peer = p["peer"].get("tenant", tenant), p["peer"]["vpc"]
            grants[(tenant, p["vpc"]), peer] = [net(e) for e in p["export"]]
        for (us, them), exports in grants.items():
            if (them, us) in grants and ("Vpc", *them) in self.docs:
                out.setdefault(us, []).append(
                    (them, exports, grants[them, us]))
        return out

    def routes(self, vpc):
        """Prefix and what is there: a subnet, a next hop, or a peer."""
        spec = self.docs[("Vpc", *vpc)]
        for s in spec["subnets"]:
            for c in ("cidr", "cidr6"):
                if c in s:
                    yield net(s[c]), "subnet", s
        for r in spec.get("routes", []):
            yield net(r["to"]), "via", addr(r["via"])
        for peer, exports, imports in self.peers.get(vpc, []):
            for i in imports:
                yield i, "peer", (peer, exports)

    def lookup(self, vpc, a):
        best = None
        for prefix, what, value in self.routes(vpc):
            if a in prefix and (best is None or
                                prefix.prefixlen > best[0].prefixlen):
                best = prefix, what, value
        return best

    def find(self, vpc, a, source):
        """The end of this address that 'source', an address in the VPC or of
        a peer of it, is led to; None if there is none."""
        best = self.lookup(vpc, a)
        if best is None:
            return None
        _, what, value = best
        if what == "peer":
            peer, exports = value
            if any(source in e for e in exports):
                # Peerings are not transitive: only what is the peer's own.
                beyond = self.lookup(peer, a)
                if beyond and beyond[1] != "peer":
                    return self.find(peer, a, source)
            return None
        for end in self.ends:
            if (end.tenant, end.vpc) != vpc or end.address != a:
                continue
            if what == "subnet" and end.behind != "route":
                return end
            if what == "via" and end.behind == "route" and \
                    self.holder(end.tenant, end.vpc, value) == end.port:
                return end
        return None

    def hop(self, source, to):
        """The next hop to an end, and whether the packet is bridged there."""
        what, value = self.lookup((to.tenant, to.vpc), to.address)[1:]
        same = (source.tenant, source.vpc) == (to.tenant, to.vpc) and \
            self.docs["Port", source.tenant, source.port]["subnet"] == \
            self.docs["Port", to.tenant, to.port]["subnet"]
        return value if what == "via" else to.address, \
            what == "subnet" and same

    def judges(self, source, to):
        """Who judges on the way in: [[ports of which one must let it in]].
        The receiver does; and what is routed, or bridged to another host, to
        an address that is no port's own is judged on the sender's host, too,
        by the ports of that host that could hold the next hop, instead of the
        receiver if it is there (docs/reach.md)."""
        receiver = self.docs["Port", to.tenant, to.port]
        sender = self.docs["Port", source.tenant, source.port]
        hop, bridged = self.hop(source, to)
        claims, best = [], 0
        for name, spec in self.neighbours(to.tenant, to.vpc, hop):
            if hop in self.addresses(to.tenant, name):
                claims = []
                break
            around = [n.prefixlen for n in self.allowed(to.tenant, name)
                      if hop in n]
            if spec["host"] == sender["host"] and around:
                if min(around) > best:
                    claims = []
                best = max(best, min(around))
                if min(around) == best:
                    claims.append(name)
        here = receiver["host"] == sender["host"]
        if not claims or (bridged and here):
            return [[to.port]]
        if here:
            return [claims]
        return [claims, [to.port]]

    def matches(self, rule, vpc, proto, port, remote):
        """'remote' is the address of the other end."""
        wanted = rule.get("protocol", "any")
        if wanted not in ("any", proto):
            return False
        ports = rule.get("ports")
        if ports is not None and not in_ports(port, ports):
            return False
        other = rule.get("remote")
        if other is None:
            return True
        if "cidr" in other:
            return remote in net(other["cidr"])
        return remote in self.members(vpc, other["group"])

    def members(self, vpc, group):
        return [a for t, n, p in self.of_kind("Port")
                if (t, p["vpc"]) == vpc and
                group in p.get("securityGroups", [])
                for a in self.addresses(t, n)]

    def rules(self, end, direction):
        spec = self.docs["Port", end.tenant, end.port]
        return [r for g in spec.get("securityGroups", [])
                for r in self.docs["SecurityGroup", end.tenant, g]
                .get("rules", []) if r["direction"] == direction]

    def verdict(self, source, a, proto, port):
        """The end that answers 'source' at address 'a', or None."""
        to = self.arrival(source, a, proto, port)
        if to is None or not self.may_use(to):
            return None
        # The answer must find its way back to where the question came from.
        back = self.find((to.tenant, to.vpc), source.address, to.address)
        return to if back == source else None

    def arrival(self, source, a, proto, port):
        """The end that gets the packet, whether it can answer or not."""
        if source.address.version != a.version:
            return None
        to = self.find((source.tenant, source.vpc), a, source.address)
        if to is None or (to.tenant, to.port) == (source.tenant, source.port):
            return None
        if not self.may_use(source):
            return None
        out = self.rules(source, "egress")
        if out and not any(self.matches(r, (source.tenant, source.vpc), proto,
                                        port, a) for r in out):
            return None
        for names in self.judges(source, to):
            if not any(self.matches(r, (to.tenant, to.vpc), proto, port,
                                    source.address)
                       for n in names
                       for r in self.rules(to._replace(port=n), "ingress")):
                return None
        return to

    def may_use(self, end):
        return not end.behind or any(
            end.address in n for n in self.allowed(end.tenant, end.port))

    def netns(self, end):
        return self.docs["Port", end.tenant, end.port]["attach"]["netns"]


def in_ports(port, ports):
    for p in ports if isinstance(ports, list) else [ports]:
        low, _, high = str(p).partition("-")
        if int(low) <= port <= int(high or low):
            return True
    return False


def untouched(before, after):
    """Ports whose documents and subnets two worlds have in common:
    (tenant, port)."""
    return [(tenant, name) for tenant, name, spec in before.of_kind("Port")
            if after.docs.get(("Port", tenant, name)) == spec and
            after.subnet(tenant, spec) == before.subnet(tenant, spec)]


def moved_identifiers(before, after):
    """Identifiers that moved although no commit touched their object."""
    out = []
    for port in untouched(before, after):
        was, now = before.ports[port], after.ports[port]
        if was != now:
            out.append("%s/%s: %s -> %s" % (*port, was, now))
    for tenant, name, spec in before.of_kind("Vpc"):
        for s in spec["subnets"]:
            key = "subnet/%s/%s" % (name, s["name"])
            new = after.docs.get(("Vpc", tenant, name), {"subnets": []})
            was = before.pins[tenant].get(key)
            now = after.pins.get(tenant, {}).get(key)
            if s in new["subnets"] and was != now:
                out.append("%s/%s: %s -> %s" % (tenant, key, was, now))
    return out


def shared_identifiers(world):
    """VNIs, addresses and MAC addresses that two objects have."""
    seen, out = {}, []
    for tenant, pins in sorted(world.pins.items()):
        for key, pin in sorted(pins.items()):
            if key.startswith("subnet/"):
                claims = ["vni %s" % pin["vni"]]
            else:
                name = key[len("port/"):]
                spec = world.docs.get(("Port", tenant, name))
                if spec is None:
                    out.append("%s/%s is recorded but gone" % (tenant, key))
                    continue
                where = "%s/%s/%s" % (tenant, spec["vpc"], spec["subnet"])
                claims = ["%s in %s" % (v, where) for v in pin.values()]
            for c in claims:
                if c in seen:
                    out.append("%s: %s and %s/%s" % (c, seen[c], tenant, key))
                seen[c] = "%s/%s" % (tenant, key)
    return out


def vpc_hosts(world):
    """(tenant, vpc, host): where a VPC has ports of its own."""
    return {(t, p["vpc"], p["host"]) for t, _, p in world.of_kind("Port")}


def main():
    """random_oracle.py stay REPO: a VPC and host that have each other in both
    HEAD~1 and HEAD, as "<number of host>.tn.<tenant>.<vpc>".
    random_oracle.py identifiers REPO [OLD OLD-STATUS]: checks those of HEAD,
    and that none moved since then without a reason."""
    verb, repo, *old = sys.argv[1:]
    if verb == "stay":
        both = vpc_hosts(World(repo, "HEAD~1", strict=False)) & \
            vpc_hosts(World(repo, strict=False))
        for tenant, vpc, host in sorted(both)[:1]:
            print("%s.tn.%s.%s" % (host[len("hv"):], tenant, vpc))
        return 0
    try:
        world = World(repo)
        bad = shared_identifiers(world)
        if old:
            bad += moved_identifiers(World(repo, *old), world)
    except Broken as e:
        bad = [str(e)]
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
