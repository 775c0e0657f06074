#!/usr/bin/env python3
"""The oracle against verdicts worked out by hand."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import random_oracle  # noqa: E402
from random_oracle import addr  # noqa: E402

ACME = """
kind: Tenant
metadata: {name: acme}
spec: {}
---
kind: Vpc
metadata: {name: web}
spec:
  cidrs: [10.1.0.0/16, "fd00:1::/32"]
  subnets:
    - {name: front, cidr: 10.1.0.0/24, cidr6: "fd00:1::/64"}
    - {name: back, cidr: 10.1.1.0/24}
  routes:
    - {to: 172.16.0.0/24, via: 10.1.1.9}
    - {to: 10.1.9.0/24, via: 10.1.1.9}
---
kind: Vpc
metadata: {name: ops}
spec:
  cidrs: [10.9.0.0/16]
  subnets: [{name: admin, cidr: 10.9.0.0/24}]
---
kind: Vpc
metadata: {name: far}
spec:
  cidrs: [10.8.0.0/16]
  subnets: [{name: far, cidr: 10.8.0.0/24}]
---
kind: SecurityGroup
metadata: {name: web}
spec:
  rules:
    - {direction: ingress, protocol: tcp, ports: [80, "100-200"]}
    - {direction: ingress, protocol: icmp, remote: {group: web}}
    - {direction: ingress, protocol: udp, remote: {cidr: 10.9.0.0/24}}
---
kind: SecurityGroup
metadata: {name: open}
spec: {rules: [{direction: ingress}]}
---
kind: SecurityGroup
metadata: {name: shy}
spec: {rules: [{direction: egress, protocol: tcp, ports: 80}]}
"""
PORT = """
---
kind: Port
metadata: {name: %s}
spec: {vpc: %s, subnet: %s, host: hv1, securityGroups: %s, attach: {netns: %s}}
"""
PORTS = [  # name, VPC, subnet, groups, address, second address
    ("web1", "web", "front", "[web]", "10.1.0.11", "fd00:1::11"),
    ("web2", "web", "front", "[web, open]", "10.1.0.12", "fd00:1::12"),
    ("mute", "web", "back", "[]", "10.1.1.7", None),
    ("shy", "web", "back", "[shy]", "10.1.1.8", None),
    ("router", "web", "back", "[open]", "10.1.1.9", None),
    ("admin", "ops", "admin", "[open]", "10.9.0.5", None),
    ("other", "ops", "admin", "[open]", "10.9.0.6", None),
    ("far", "far", "far", "[open]", "10.8.0.5", None),
]
# In a VPC of their own: a virtual address of two, which the first by name
# holds, and a default route by it.
HOPS = """
---
kind: Vpc
metadata: {name: hops}
spec:
  cidrs: [10.7.0.0/16]
  subnets:
    - {name: a, cidr: 10.7.0.0/24}
    - {name: b, cidr: 10.7.1.0/24}
  routes: [{to: 0.0.0.0/0, via: 10.7.0.70}]
"""
HOP = """
---
kind: Port
metadata: {name: %s}
spec: {vpc: hops, subnet: %s, host: %s, securityGroups: %s,
       allowedAddresses: %s, attach: {netns: %s}}
"""
HOP_PORTS = [  # name, subnet, host, groups, allowed, address
    ("h1", "a", "hv1", "[open]", "[10.7.0.70/32, 0.0.0.0/0]", "10.7.0.11"),
    ("h2", "a", "hv2", "[]", "[10.7.0.70/32]", "10.7.0.12"),
    ("h3", "a", "hv2", "[open]", "[]", "10.7.0.13"),
    ("h4", "a", "hv3", "[open]", "[]", "10.7.0.14"),
    ("h5", "b", "hv1", "[open]", "[]", "10.7.1.15"),
    ("h6", "b", "hv3", "[open]", "[]", "10.7.1.16"),
]
PEERING = """
---
kind: Peering
metadata: {name: %s}
spec: {vpc: %s, peer: {vpc: %s}, export: %s}
"""
PEERINGS = [
    ("a", "web", "ops", "[10.1.0.0/24, 10.1.9.0/24]"),
    ("b", "ops", "web", "[10.9.0.0/29, 10.9.0.5/32]"),
    ("c", "ops", "far", "[10.9.0.0/24]"),
    ("d", "far", "ops", "[10.8.0.0/24]"),
    ("e", "web", "far", "[10.1.0.0/24]"),
]
VERDICTS = [  # from, its address, to, protocol, port, who answers
    ("web2", "10.1.0.12", "10.1.0.11", "tcp", 80, "web1"),
    ("web2", "10.1.0.12", "10.1.0.11", "tcp", 200, "web1"),
    ("web2", "10.1.0.12", "10.1.0.11", "tcp", 201, None),
    ("web2", "10.1.0.12", "10.1.0.11", "udp", 80, None),
    ("web2", "fd00:1::12", "fd00:1::11", "icmp", 0, "web1"),
    ("mute", "10.1.1.7", "10.1.0.11", "icmp", 0, None),
    ("mute", "10.1.1.7", "10.1.0.11", "tcp", 80, "web1"),
    ("web1", "10.1.0.11", "10.1.1.7", "tcp", 80, None),
    ("web1", "10.1.0.11", "10.1.0.12", "udp", 9, "web2"),
    ("shy", "10.1.1.8", "10.1.0.12", "udp", 9, None),
    ("shy", "10.1.1.8", "10.1.0.12", "tcp", 80, "web2"),
    ("web1", "10.1.0.11", "10.1.1.8", "tcp", 80, None),
    ("web1", "10.1.0.11", "172.16.0.1", "udp", 9, "router"),
    ("router", "172.16.0.1", "10.1.0.12", "udp", 9, "web2"),
    ("router", "172.16.0.1", "10.1.0.11", "icmp", 0, None),
    ("admin", "10.9.0.5", "10.1.0.11", "udp", 9, "web1"),
    ("admin", "10.9.0.5", "10.1.0.11", "icmp", 0, None),
    ("web1", "10.1.0.11", "10.9.0.5", "udp", 9, "admin"),
    ("mute", "10.1.1.7", "10.9.0.5", "udp", 9, None),   # not exported
    ("admin", "10.9.0.5", "10.1.1.9", "udp", 9, None),  # not exported
    ("admin", "10.9.0.5", "10.1.9.1", "udp", 9, "router"),
    ("admin", "10.9.0.5", "172.16.0.1", "udp", 9, None),
    ("admin", "10.9.0.5", "10.8.0.5", "udp", 9, "far"),
    ("far", "10.8.0.5", "10.9.0.5", "udp", 9, "admin"),
    ("far", "10.8.0.5", "10.1.0.12", "tcp", 80, None),  # transitive, unanswered
    ("web1", "10.1.0.11", "10.8.0.5", "udp", 9, None),  # granted by one
    ("web1", "10.1.0.11", "fd00:1::12", "udp", 9, None),
    ("h4", "10.7.0.14", "10.7.0.70", "udp", 9, "h1"),
    ("h3", "10.7.0.13", "10.7.0.70", "udp", 9, None),  # h2 judges on its host
    ("h5", "10.7.1.15", "10.7.0.70", "udp", 9, "h1"),
    ("h6", "10.7.1.16", "10.7.0.70", "udp", 9, "h1"),  # of another host
    ("h5", "10.7.1.15", "198.18.0.1", "udp", 9, "h1"),
    ("h1", "198.18.0.1", "10.7.1.15", "udp", 9, "h5"),
    ("h1", "198.18.0.1", "10.7.1.16", "udp", 9, "h6"),
]


class OracleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        top = cls.dir.name
        docs, pins = ACME, {}
        for name, vpc, subnet, groups, a, b in PORTS:
            docs += PORT % (name, vpc, subnet, groups, name)
            pins["port/" + name] = {"address": a, **({"address6": b}
                                                     if b else {})}
        docs += HOPS
        for name, subnet, host, groups, allowed, a in HOP_PORTS:
            docs += HOP % (name, subnet, host, groups, allowed, name)
            pins["port/" + name] = {"address": a}
        for p in PEERINGS:
            docs += PEERING % p
        cls.put(top, "tenants/acme/all.yml", docs)
        cls.put(top, "allocations/acme.yml", str({"pins": pins}))
        for command in (["init", "-q"], ["add", "."],
                        ["-c", "user.name=T", "-c", "user.email=t@example.org",
                         "commit", "-q", "-m", "x"]):
            subprocess.run(["git", "-C", top, *command], check=True)
        cls.world = random_oracle.World(top, "HEAD", "HEAD")

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    @staticmethod
    def put(top, name, text):
        os.makedirs(os.path.dirname(os.path.join(top, name)), exist_ok=True)
        with open(os.path.join(top, name), "w", encoding="utf-8") as f:
            f.write(text)

    def test_verdicts(self):
        for port, source, to, proto, dport, want in VERDICTS:
            end = next(e for e in self.world.ends
                       if e.port == port and e.address == addr(source))
            got = self.world.verdict(end, addr(to), proto, dport)
            with self.subTest(port=port, to=to, proto=proto, dport=dport):
                self.assertEqual(got.port if got else None, want)

    def test_ports(self):
        self.assertTrue(random_oracle.in_ports(81, [80, "81-90"]))
        self.assertFalse(random_oracle.in_ports(91, [80, "81-90"]))

    def test_shared(self):
        self.assertEqual(random_oracle.shared_identifiers(self.world), [])
        self.world.pins["acme"]["subnet/x/y"] = {"vni": 1}
        self.world.pins["acme"]["subnet/x/z"] = {"vni": 1}
        self.assertEqual(len(random_oracle.shared_identifiers(self.world)), 1)


if __name__ == "__main__":
    unittest.main()
