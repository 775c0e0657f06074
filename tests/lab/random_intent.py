#!/usr/bin/env python3
"""Random intent repositories, and steps from one to a similar one.

  random_intent.py SEED STEPS DIR --prefix P [--hosts N] [--hops]

With --hops there are virtual addresses (of one port or of two), default routes
and routes by virtual addresses, too; without it, a seed means what it always
meant.

writes into DIR what SEED gives after STEPS changes. The same arguments give
the same bytes. What is written is valid; what it means is for
random_oracle.py, which reads nothing but the files.

A port attaches to the namespace <prefix>-<host>-<tenant>-<port>: the lab's
hosts share the machine's names of namespaces, so that the host is in them.
"""
import argparse
import copy
import ipaddress
import os
import random
import shutil

import yaml

TENANTS = ["acme", "globex", "t-umbrella-corporation"]
VPCS = ["web", "data", "ops", "a-rather-long-vpc-name"]
SUBNETS = ["front", "back", "a-subnet-of-long-name", "mid", "dmz"]
GROUPS = ["open", "web", "db", "a-group-with-a-long-name"]
# Ranges that begin and end at what random_oracle.PROBED_PORTS knocks at.
PORT_SETS = [80, 22, "80-80", "100-200", "150-443", "151-442", [22, 443],
             [80, "81-149"], "1-65535", [5353, "1500-1500"], "444-5352"]
UNDERLAY = {4: "192.0.2.%d", 6: "2001:db8:1::%d"}
OVERHEAD = {4: 50, 6: 70}


def net(text):
    return ipaddress.ip_network(text)


def overlap(a, b):
    a, b = net(a), net(b)
    return a.version == b.version and a.overlaps(b)


class Intent:
    """Documents by tenant, kind and name; kept until they are written."""

    def __init__(self, rng, hosts, prefix, hops=False):
        self.rng, self.hosts, self.prefix = rng, hosts, prefix
        self.hops = hops
        self.underlay = 6 if rng.random() < 0.25 else 4
        self.vxlan_port = rng.choice([4789, 4789, 8472, 4790])
        self.vnis = set()
        self.counter = 0
        self.tenants = {}
        for name in rng.sample(TENANTS, rng.randint(1, 3)):
            self.tenants[name] = {
                "Tenant": {}, "Vpc": {}, "Port": {}, "SecurityGroup": {},
                "Peering": {}}
            self.add_groups(name)
            for _ in range(rng.randint(1, 3)):
                self.add_vpc(name)
        while sum(len(self.ports_of(t)) for t in self.tenants) < 6:
            self.add_port(*rng.choice(self.all_vpcs()))
        for _ in range(rng.randint(0, 6)):
            self.add_peering()

    # -- names and numbers --------------------------------------------------

    def chance(self, p):
        return self.rng.random() < p

    def serial(self):
        self.counter += 1
        return self.counter

    def new_vni(self):
        while True:
            vni = self.rng.choice([self.rng.randint(1, 200),
                                   self.rng.randint(4096, 16777215)])
            if vni not in self.vnis:
                self.vnis.add(vni)
                return vni

    def mac(self):
        return "06:00:00:00:%02x:%02x" % divmod(self.serial(), 256)

    def ports_of(self, tenant, vpc=None, subnet=None):
        return [n for n, p in sorted(self.tenants[tenant]["Port"].items())
                if vpc in (None, p["vpc"]) and subnet in (None, p["subnet"])]

    def used(self, tenant, vpc):
        """Addresses that documents give in a VPC, gateways included."""
        spec = self.tenants[tenant]["Vpc"][vpc]
        used = {a for p in self.ports_of(tenant, vpc)
                for k, a in self.tenants[tenant]["Port"][p].items()
                if k in ("address", "address6")}
        used |= {a.partition("/")[0] for p in self.ports_of(tenant, vpc)
                 for a in self.tenants[tenant]["Port"][p].get(
                     "allowedAddresses", [])}
        for s in spec["subnets"]:
            for k in ("cidr", "cidr6"):
                if k in s:
                    used.add(str(net(s[k])[1]))
            used |= {s[k] for k in ("gateway", "gateway6") if k in s}
        return used

    def free_address(self, tenant, vpc, cidr):
        used, n = self.used(tenant, vpc), net(cidr)
        while True:
            size = min(n.num_addresses, 1 << 16)
            a = str(n[self.rng.randint(2, size - 2)])
            if a not in used:
                return a

    # -- documents ----------------------------------------------------------

    def add_groups(self, tenant):
        for name in ["open"] + self.rng.sample(GROUPS[1:],
                                               self.rng.randint(0, 3)):
            self.tenants[tenant]["SecurityGroup"][name] = {"rules": []}
        for name in self.tenants[tenant]["SecurityGroup"]:
            self.new_rules(tenant, name)

    def new_rules(self, tenant, group):
        rules = [self.rule(tenant) for _ in range(self.rng.randint(0, 4))]
        if group == "open":
            rules.append({"direction": "ingress"})
        self.tenants[tenant]["SecurityGroup"][group] = {"rules": rules}

    def rule(self, tenant):
        rng = self.rng
        rule = {"direction": "ingress" if self.chance(0.75) else "egress"}
        proto = rng.choice([None, "any", "tcp", "tcp", "udp", "udp", "icmp",
                            "icmp", "sctp"])
        if proto:
            rule["protocol"] = proto
        if proto in ("tcp", "udp", "sctp") and self.chance(0.7):
            rule["ports"] = rng.choice(PORT_SETS)
        kind = rng.choice(["none", "none", "cidr", "group"])
        if kind == "cidr":
            rule["remote"] = {"cidr": self.remote_cidr(tenant)}
        elif kind == "group":
            groups = sorted(self.tenants[tenant]["SecurityGroup"])
            rule["remote"] = {"group": rng.choice(groups)}
        return rule

    def remote_cidr(self, tenant):
        choice = ["0.0.0.0/0", "::/0", "10.0.0.0/8", "fd00::/8",
                  "172.16.0.0/12"]
        for v in self.tenants[tenant]["Vpc"].values():
            choice += v["cidrs"]
            choice += [s["cidr"] for s in v["subnets"]]
        for p in self.tenants[tenant]["Port"].values():
            if "address" in p:
                a = ipaddress.ip_address(p["address"])
                choice.append("%s/%d" % (a, a.max_prefixlen))
        return self.rng.choice(choice)

    def add_vpc(self, tenant):
        vpcs = self.tenants[tenant]["Vpc"]
        name = self.rng.choice([v for v in VPCS if v not in vpcs])
        base = self.rng.randint(1, 4)
        vpcs[name] = {
            "cidrs": ["10.%d.0.0/16" % base, "fd00:%d::/32" % base],
            "subnets": []}
        for _ in range(self.rng.randint(1, 3)):
            self.add_subnet(tenant, name)
        for _ in range(self.rng.randint(1, 5)):
            self.add_port(tenant, name)
        for _ in range(self.rng.randint(0, 2)):
            self.add_route(tenant, name)
        if self.hops:
            for _ in range(self.rng.randint(0, 3)):
                self.add_hop(tenant, name)

    def add_subnet(self, tenant, vpc):
        spec = self.tenants[tenant]["Vpc"][vpc]
        names = {s["name"] for s in spec["subnets"]}
        name = self.rng.choice([s for s in SUBNETS if s not in names])
        taken = [net(s[k]) for s in spec["subnets"]
                 for k in ("cidr", "cidr6") if k in s]
        taken += [net(r["to"]) for r in spec.get("routes", [])
                  if net(r["to"]).prefixlen]
        while True:
            i = self.rng.randint(0, 15)
            four = net("%s.%d.0/%d" % (
                spec["cidrs"][0].rsplit(".", 2)[0], i,
                self.rng.choice([24, 24, 27])))
            six = net("%s:0:%d::/64" % (
                spec["cidrs"][1].split("::")[0], i))
            if not any(overlap(a, b) for a in taken for b in (four, six)):
                break
        s = {"name": name}
        kind = self.rng.choice(["4", "4", "6", "46", "46"])
        if "4" in kind:
            s["cidr"] = str(four)
            if "6" in kind:
                s["cidr6"] = str(six)
        else:
            s["cidr"] = str(six)
        if self.chance(0.2):
            n = net(s["cidr"])
            s["gateway"] = str(n[min(n.num_addresses, 1 << 12) - 2])
        if self.chance(0.2) and "cidr6" in s:
            s["gateway6"] = str(six[0xffff])
        if self.chance(0.3):
            s["mtu"] = self.rng.choice(
                [1280, 1400, 1500 - OVERHEAD[self.underlay]])
        if self.chance(0.5):
            s["vni"] = self.new_vni()
        spec["subnets"].append(s)

    def place(self, tenant, name, spec):
        """Puts a port on some host."""
        spec["host"] = "hv%d" % self.rng.randint(1, self.hosts)
        spec["attach"] = {"netns": "%s-%s-%s-%s" % (
            self.prefix, spec["host"], tenant, name)}
        if self.chance(0.2):
            spec["attach"]["interface"] = "net0"

    def settle(self, tenant, spec, pinned=0.4):
        """Gives a port addresses in its subnet, or leaves them to tenet."""
        v = self.tenants[tenant]["Vpc"][spec["vpc"]]
        s = next(s for s in v["subnets"] if s["name"] == spec["subnet"])
        spec.pop("allowedAddresses", None)
        for k, c in (("address", "cidr"), ("address6", "cidr6")):
            spec.pop(k, None)
            if c in s and self.chance(pinned):
                spec[k] = self.free_address(tenant, spec["vpc"], s[c])

    def some_groups(self, tenant):
        groups = sorted(self.tenants[tenant]["SecurityGroup"])
        some = set(self.rng.sample(
            groups, min(len(groups), self.rng.choice([0, 1, 1, 2, 3]))))
        if self.chance(0.3):
            some.add("open")
        return sorted(some)

    def add_port(self, tenant, vpc):
        spec = {"vpc": vpc, "subnet": self.rng.choice(
            [s["name"] for s in self.tenants[tenant]["Vpc"][vpc]["subnets"]])}
        name = "p%d" % self.serial()
        if self.chance(0.2):
            name += "-with-quite-a-long-name"
        self.place(tenant, name, spec)
        self.settle(tenant, spec)
        if self.chance(0.2):
            spec["mac"] = self.mac()
        groups = self.some_groups(tenant)
        if groups:
            spec["securityGroups"] = groups
        self.tenants[tenant]["Port"][name] = spec

    def add_route(self, tenant, vpc):
        """A route to a network behind a port, whose address it fixes."""
        spec = self.tenants[tenant]["Vpc"][vpc]
        port = self.rng.choice(self.ports_of(tenant, vpc))
        p = self.tenants[tenant]["Port"][port]
        s = next(s for s in spec["subnets"] if s["name"] == p["subnet"])
        key, cidr = ("address6", "cidr6") \
            if "cidr6" in s and self.chance(0.5) else ("address", "cidr")
        if key not in p:
            p[key] = self.free_address(tenant, vpc, s[cidr])
        i = self.serial()
        if net(s[cidr]).version == 4:
            # Some behind the port but inside the VPC's prefix: for exports.
            to = self.rng.choice(["172.16.%d.0/24" % i, "%s.%d.0/25" % (
                spec["cidrs"][0].rsplit(".", 2)[0], 100 + i % 100)])
        else:
            to = "fd99:%d::/64" % i
        routes = spec.setdefault("routes", [])
        if to not in [r["to"] for r in routes]:
            routes.append({"to": to, "via": p[key]})

    def add_hop(self, tenant, vpc):
        what = self.rng.choice(["virtual", "virtual", "by", "by", "default"])
        if what == "default":
            self.add_default(tenant, vpc)
        else:
            self.add_virtual(tenant, vpc, what == "by")

    def family(self, tenant, port):
        """(version, prefix of the subnet) of one of a port's families."""
        p = self.tenants[tenant]["Port"][port]
        s = next(s for s in self.vpc((tenant, p["vpc"]))["subnets"]
                 if s["name"] == p["subnet"])
        cidr = self.rng.choice([s[c] for c in ("cidr", "cidr6") if c in s])
        return net(cidr).version, cidr

    def add_virtual(self, tenant, vpc, routed):
        """A virtual address of one port or two, perhaps with a network behind
        it. One time in five they may not send from there."""
        docs = self.tenants[tenant]["Port"]
        port = self.rng.choice(self.ports_of(tenant, vpc))
        version, cidr = self.family(tenant, port)
        a = self.free_address(tenant, vpc, cidr)
        new = [str(net(a))]
        if routed:
            to = {4: "172.17.%d.0/24", 6: "fd98:%d::/64"}[version] \
                % (self.serial() % 256)
            routes = self.vpc((tenant, vpc)).setdefault("routes", [])
            if to not in [r["to"] for r in routes]:
                routes.append({"to": to, "via": a})
            if self.chance(0.8):
                new.append(to)
        near = self.ports_of(tenant, vpc, docs[port]["subnet"])
        for name in {port, self.rng.choice(near)}:
            docs[name]["allowedAddresses"] = sorted(
                set(docs[name].get("allowedAddresses", []) + new))

    def add_default(self, tenant, vpc):
        """Default routes by a port or by a virtual address."""
        docs = self.tenants[tenant]["Port"]
        port = self.rng.choice(self.ports_of(tenant, vpc))
        version, cidr = self.family(tenant, port)
        to = {4: "0.0.0.0/0", 6: "::/0"}[version]
        routes = self.vpc((tenant, vpc)).setdefault("routes", [])
        if to in [r["to"] for r in routes]:
            return
        key = "address" if version == 4 or \
            "address6" not in self.pinned(tenant, port) else "address6"
        a = docs[port].get(key) or self.free_address(tenant, vpc, cidr)
        if self.chance(0.7):
            docs[port][key] = a
        else:
            a = self.free_address(tenant, vpc, cidr)
            docs[port]["allowedAddresses"] = sorted(set(
                docs[port].get("allowedAddresses", []) + [str(net(a)), to]))
        routes.append({"to": to, "via": a})

    def pinned(self, tenant, port):
        """The fields that its subnet allows a port."""
        p = self.tenants[tenant]["Port"][port]
        s = next(s for s in self.vpc((tenant, p["vpc"]))["subnets"]
                 if s["name"] == p["subnet"])
        return ["address"] + ["address6"] * ("cidr6" in s)

    # -- peerings -----------------------------------------------------------

    def all_vpcs(self):
        return [(t, v) for t in sorted(self.tenants)
                for v in sorted(self.tenants[t]["Vpc"])]

    def grants(self):
        """(tenant, vpc, peer tenant, peer VPC) -> the Peering's spec."""
        out = {}
        for t in sorted(self.tenants):
            for _, p in sorted(self.tenants[t]["Peering"].items()):
                peer = p["peer"]
                out[t, p["vpc"], peer.get("tenant", t), peer["vpc"]] = p
        return out

    def imports(self, side):
        """Prefixes that a VPC gets from those that it peers with."""
        grants = self.grants()
        return [e for (t, v, pt, pv), p in grants.items()
                if (pt, pv) == side and (pt, pv, t, v) in grants
                for e in p["export"]]

    def vpc(self, side):
        return self.tenants[side[0]]["Vpc"][side[1]]

    def fits(self, side, exports):
        """May the VPC get these?"""
        v = self.vpc(side)
        mine = v["cidrs"] + [r["to"] for r in v.get("routes", [])
                             if net(r["to"]).prefixlen] \
            + self.imports(side)
        return not any(overlap(a, b) for a in mine for b in exports)

    def exports(self, side):
        v = self.vpc(side)
        choice = list(v["cidrs"])
        for s in v["subnets"]:
            choice += [s[k] for k in ("cidr", "cidr6") if k in s]
        choice += [r["to"] for r in v.get("routes", [])
                   if net(r["to"]).prefixlen and
                   any(overlap(r["to"], c) for c in v["cidrs"])]
        for p in self.ports_of(*side):
            a = self.tenants[side[0]]["Port"][p].get("address")
            if a:
                choice.append("%s/%d" % (a, net(a).max_prefixlen))
        return sorted(self.rng.sample(choice, self.rng.randint(
            1, min(3, len(choice)))))

    def grant(self, side, peer, exports):
        spec = {"vpc": side[1], "peer": {"vpc": peer[1]}, "export": exports}
        if side[0] != peer[0]:
            spec["peer"]["tenant"] = peer[0]
        name = "g%d" % self.serial()
        self.tenants[side[0]]["Peering"][name] = spec

    def add_peering(self):
        vpcs = self.all_vpcs()
        if len(vpcs) < 2:
            return
        a, b = self.rng.sample(vpcs, 2)
        grants = self.grants()
        if (*a, *b) in grants or (*b, *a) in grants:
            return
        ea, eb = self.exports(a), self.exports(b)
        if self.chance(0.2):
            self.grant(a, b, ea)
        elif self.fits(a, eb) and self.fits(b, ea):
            self.grant(a, b, ea)
            self.grant(b, a, eb)

    # -- changes ------------------------------------------------------------

    def some_port(self):
        ports = [(t, p) for t in sorted(self.tenants)
                 for p in self.ports_of(t)]
        t, p = self.rng.choice(ports)
        return t, p, self.tenants[t]["Port"][p]

    def some_subnet(self):
        t, v = self.rng.choice(self.all_vpcs())
        return t, v, self.rng.choice(self.vpc((t, v))["subnets"])

    def change_add_port(self):
        self.add_port(*self.rng.choice(self.all_vpcs()))

    def change_remove_port(self):
        t, p, _ = self.some_port()
        if sum(len(self.ports_of(x)) for x in self.tenants) > 2:
            del self.tenants[t]["Port"][p]

    def change_move_port(self):
        t, name, p = self.some_port()
        self.place(t, name, p)

    def change_replug_port(self):
        """To another subnet of its VPC."""
        t, _, p = self.some_port()
        p["subnet"] = self.rng.choice(
            [s["name"] for s in self.vpc((t, p["vpc"]))["subnets"]])
        self.settle(t, p)

    def change_vpc_of_port(self):
        """The namespace that is plugged in stays the same."""
        t, _, p = self.some_port()
        p["vpc"] = self.rng.choice(sorted(self.tenants[t]["Vpc"]))
        p["subnet"] = self.rng.choice(
            [s["name"] for s in self.vpc((t, p["vpc"]))["subnets"]])
        self.settle(t, p)

    def change_name_of_port(self):
        t, name, p = self.some_port()
        del self.tenants[t]["Port"][name]
        self.tenants[t]["Port"]["n%d" % self.serial()] = p

    def change_address(self):
        t, _, p = self.some_port()
        self.settle(t, p, 0.8)

    def change_mac(self):
        _, _, p = self.some_port()
        p["mac"] = self.mac()

    def change_swap_addresses(self):
        t, name, p = self.some_port()
        for other in self.ports_of(t, p["vpc"], p["subnet"]):
            q = self.tenants[t]["Port"][other]
            if other != name and "address" in p and "address" in q:
                p["address"], q["address"] = q["address"], p["address"]
                return

    def change_rules(self):
        t = self.rng.choice(sorted(self.tenants))
        self.new_rules(t, self.rng.choice(
            sorted(self.tenants[t]["SecurityGroup"])))

    def change_groups(self):
        t, _, p = self.some_port()
        p["securityGroups"] = self.some_groups(t)

    def change_rename_subnet(self):
        t, v, s = self.some_subnet()
        names = {x["name"] for x in self.vpc((t, v))["subnets"]}
        new = self.rng.choice([n for n in SUBNETS if n not in names])
        for p in self.ports_of(t, v, s["name"]):
            self.tenants[t]["Port"][p]["subnet"] = new
        s["name"] = new

    def change_mtu(self):
        _, _, s = self.some_subnet()
        s["mtu"] = self.rng.choice([1280, 1350])

    def change_vni(self):
        _, _, s = self.some_subnet()
        s["vni"] = self.new_vni()

    def change_swap_vnis(self):
        a, b = self.some_subnet()[2], self.some_subnet()[2]
        if "vni" in a and "vni" in b:
            a["vni"], b["vni"] = b["vni"], a["vni"]

    def change_add_subnet(self):
        t, v = self.rng.choice(self.all_vpcs())
        if len(self.vpc((t, v))["subnets"]) < 4:
            self.add_subnet(t, v)

    def change_add_vpc(self):
        t = self.rng.choice(sorted(self.tenants))
        if len(self.tenants[t]["Vpc"]) < len(VPCS):
            self.add_vpc(t)

    def change_remove_vpc(self):
        t, v = self.rng.choice(self.all_vpcs())
        docs = self.tenants[t]
        if len(self.all_vpcs()) < 2:
            return
        for p in self.ports_of(t, v):
            del docs["Port"][p]
        del docs["Vpc"][v]
        # A grant of the tenant's own to what is gone would be an error; one
        # of another tenant's merely stays unanswered.
        for name in sorted(docs["Peering"]):
            p = docs["Peering"][name]
            if p["vpc"] == v or (p["peer"]["vpc"] == v and
                                 p["peer"].get("tenant", t) == t):
                del docs["Peering"][name]

    def change_add_peering(self):
        self.add_peering()

    def change_remove_peering(self):
        grants = [(t, n) for t in sorted(self.tenants)
                  for n in sorted(self.tenants[t]["Peering"])]
        if grants:
            t, n = self.rng.choice(grants)
            del self.tenants[t]["Peering"][n]

    def change_add_route(self):
        t, v = self.rng.choice(self.all_vpcs())
        if self.ports_of(t, v):
            self.add_route(t, v)

    def change_remove_route(self):
        routes = self.vpc(self.rng.choice(self.all_vpcs())).get("routes")
        if routes:
            routes.pop(self.rng.randrange(len(routes)))

    def hop_change_add(self):
        t, v = self.rng.choice(self.all_vpcs())
        if self.ports_of(t, v):
            self.add_hop(t, v)

    def hop_change_forbid(self):
        """Takes the further addresses of a port away."""
        ports = [p for t in sorted(self.tenants)
                 for _, p in sorted(self.tenants[t]["Port"].items())
                 if "allowedAddresses" in p]
        if ports:
            del self.rng.choice(ports)["allowedAddresses"]

    def mutate(self, say):
        names = sorted(n for n in dir(self) if n.startswith("change_"))
        if self.hops:
            names += ["hop_change_add", "hop_change_forbid"] * 3
        before, done, n = copy.deepcopy(self.tenants), [], 0
        want = self.rng.randint(1, 4)
        while len(done) < want and n < 50:
            name = self.rng.choice(names)
            was = copy.deepcopy(self.tenants)
            getattr(self, name)()
            n += 1
            if self.tenants != was and self.tenants != before:
                done.append(name.replace("change_", ""))
        say("changes: " + ", ".join(done))

    # -- files --------------------------------------------------------------

    def write(self, top):
        """Replaces all files but Git's own; the layout is random too."""
        rng = random.Random(repr(sorted(self.tenants)))
        for name in ("tenants", "inventories"):
            shutil.rmtree(os.path.join(top, name), ignore_errors=True)
        put(top, "tenet.yml", [document("Settings", self.prefix, {
            "vxlanPort": self.vxlan_port,
            "pools": {"vni": {"from": 1}},
            "budgets": {"maxDeletes": 100000, "maxDeletePercent": 100,
                        "maxDeletesPerTenant": 100000}})])
        hosts = {"hv%d" % (i + 1): {
            "tenet_kernel_netns": "%s%d" % (self.prefix, i + 1),
            "tenet_underlay_address": UNDERLAY[self.underlay] % (11 + i)}
            for i in range(self.hosts)}
        put(top, "inventories/lab/hosts.yml", [{"all": {
            "vars": {"tenet_driver": "kernel"}, "hosts": hosts}}])
        for tenant, kinds in self.tenants.items():
            files = {"tenant.yml": [document("Tenant", tenant, {})]}
            for kind in ("Vpc", "Port", "SecurityGroup", "Peering"):
                for name, spec in sorted(kinds[kind].items()):
                    where = rng.choice(
                        ["all.yml", "more/%s.yml" % kind.lower(),
                         "%s-%s.yml" % (kind.lower(), name)])
                    files.setdefault(where, []).append(
                        document(kind, name, spec))
            for name, docs in files.items():
                put(top, "tenants/%s/%s" % (tenant, name), docs)


def document(kind, name, spec):
    return {"apiVersion": "tenet/v1", "kind": kind,
            "metadata": {"name": name}, "spec": spec}


class Dumper(yaml.SafeDumper):
    """tenet refuses aliases."""

    def ignore_aliases(self, data):
        return True


def put(top, name, docs):
    path = os.path.join(top, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        yaml.dump_all(docs, f, Dumper=Dumper, sort_keys=False)


def intent(args, say):
    seed, steps = args.seed, args.steps
    made = Intent(random.Random("%d/intent" % seed), args.hosts, args.prefix,
                  args.hops)
    for i in range(steps):
        made.rng = random.Random("%d/change/%d" % (seed, i))
        made.mutate(say if i == steps - 1 else lambda text: None)
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("seed", type=int)
    parser.add_argument("steps", type=int)
    parser.add_argument("dir")
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--hops", action="store_true")
    args = parser.parse_args()
    made = intent(args, lambda text: print("# " + text))
    made.write(args.dir)
    if args.steps == 0:
        n = {k: sum(len(t[k]) for t in made.tenants.values())
             for k in ("Vpc", "Port", "SecurityGroup", "Peering")}
        print("# %d tenants, %d VPCs, %d ports, %d groups, %d peerings, "
              "IPv%d underlay" % (
                  len(made.tenants), n["Vpc"], n["Port"], n["SecurityGroup"],
                  n["Peering"], made.underlay))


if __name__ == "__main__":
    main()
