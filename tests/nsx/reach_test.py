#!/usr/bin/python3
"""reach.py against a small network whose answers were worked out by hand.

The network is written through the simulator, so that what is judged is a store
that the simulator accepts.  Each row of QUESTIONS is one question.
"""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import (EDGE, Lab, child, domain, reference,  # noqa: E402
                 rule, segment)
from reach import Reach  # noqa: E402

GROUPS = "/infra/domains/default/groups/"


def port(ident, address, *tags):
    return child("SegmentPort", ident, tags=[
        {"scope": "tier", "tag": t} for t in tags],
        address_bindings=[{"ip_address": address}])


def tagged(ident, tag):
    return child("Group", ident, expression=[{
        "resource_type": "Condition", "key": "Tag", "operator": "EQUALS",
        "member_type": "SegmentPort", "value": "tier|" + tag}])


def interface(ident, link, address):
    return reference("LocaleServices", "d", child(
        "Tier1Interface", ident, segment_path="/infra/segments/" + link,
        subnets=[{"ip_addresses": [address], "prefix_len": 24}]))


def route(ident, network, hop):
    return child("StaticRoutes", ident, network=network,
                 next_hops=[{"ip_address": hop}])


def entry(ident, number):
    return {"resource_type": "L4PortSetServiceEntry", "id": ident,
            "l4_protocol": "TCP", "destination_ports": [number]}


def policy(ident, *rules, **more):
    return child("SecurityPolicy", ident, rules=list(rules), **more)


# Tier-1 a: web 10.1.1.0/24, db 10.1.2.0/24; Tier-1 b: 10.2.0.0/24, reached by
# service interfaces on "link"; Tier-1 c: 10.3.0.0/24, known to the Tier-0;
# Tier-1 d has the addresses of b, and no way to anyone.
NETWORK = [
    child("Tier1", "a", [child("LocaleServices", "d", **EDGE),
                         route("b", "10.2.0.0/16", "192.0.2.2")],
          tier0_path="/infra/tier-0s/t0"),
    child("Tier1", "b", [child("LocaleServices", "d", **EDGE),
                         route("a", "10.1.0.0/16", "192.0.2.1")]),
    child("Tier1", "c", tier0_path="/infra/tier-0s/t0",
          route_advertisement_types=["TIER1_CONNECTED"]),
    child("Tier1", "d"),
    segment("web", "a", "10.1.1.1/24"), segment("db", "a", "10.1.2.1/24"),
    segment("far", "b", "10.2.0.1/24"), segment("up", "c", "10.3.0.1/24"),
    segment("other", "d", "10.2.0.1/24"), segment("link"),
    reference("Tier1", "a", interface("l", "link", "192.0.2.1")),
    reference("Tier1", "b", interface("l", "link", "192.0.2.2")),
    reference("Segment", "web", port("w1", "10.1.1.5", "web"),
              port("w2", "10.1.1.6", "web")),
    reference("Segment", "db", port("d1", "10.1.2.5", "db")),
    reference("Segment", "far", port("f1", "10.2.0.5", "far")),
    reference("Segment", "up", port("u1", "10.3.0.5")),
    reference("Segment", "other", port("o1", "10.2.0.5")),
    domain(
        tagged("web", "web"), tagged("db", "db"), tagged("far", "far"),
        child("Group", "both", expression=[{
            "resource_type": "PathExpression",
            "paths": [GROUPS + "web", GROUPS + "db"]}]),
        child("Group", "net", expression=[{
            "resource_type": "IPAddressExpression",
            "ip_addresses": ["10.1.1.0-10.1.1.5"]}]),
        policy("stop", rule("r", action="DROP", source_groups=["ANY"],
                            destination_groups=["ANY"],
                            services=["/infra/services/SSH"]),
               category="Emergency"),
        policy("db", rule("sql", sequence_number=10,
                          source_groups=[GROUPS + "web"],
                          destination_groups=[GROUPS + "db"],
                          service_entries=[entry("e", "5432-5433")]),
               rule("net", sequence_number=20, source_groups=[GROUPS + "net"],
                    destination_groups=[GROUPS + "db"],
                    service_entries=[entry("e", "6000")]),
               rule("rest", action="DROP", sequence_number=30,
                    direction="IN"),
               scope=[GROUPS + "db"], sequence_number=10),
        policy("far", rule("in", source_groups=[GROUPS + "web"],
                           service_entries=[entry("e", "80")],
                           sequence_number=1, direction="IN"),
               rule("no", action="REJECT", sequence_number=2),
               scope=[GROUPS + "far"], stateful=False, tcp_strict=False,
               sequence_number=20))]

QUESTIONS = [
    # from, to, protocol, port, verdict, part of why or of the rule
    ("web/w1", "10.1.1.6", "tcp", 80, "yes", "passes"),
    ("web/w1", "10.1.1.6", "tcp", 22, "no", "policies/stop/rules/r"),
    ("web/w1", "10.1.1.9", "tcp", 80, "no", "no port of"),
    ("web/w1", "10.1.2.5", "tcp", 5432, "yes", "passes"),
    ("web/w2", "10.1.2.5", "tcp", 5433, "yes", "passes"),
    ("web/w1", "10.1.2.5", "udp", 5432, "no", "rules/rest"),
    ("web/w1", "10.1.2.5", "tcp", 6000, "yes", "passes"),
    ("web/w2", "10.1.2.5", "tcp", 6000, "no", "rules/rest"),
    ("web/w1", "10.1.2.5", "icmp", 0, "no", "rules/rest"),
    ("db/d1", "10.1.1.5", "icmp", 0, "yes", "passes"),
    ("web/w1", "10.2.0.5", "tcp", 80, "one-way", "no answer"),
    ("web/w1", "10.2.0.5", "tcp", 81, "no", "rules/no"),
    ("web/w1", "10.3.0.5", "tcp", 80, "one-way", "no answer"),
    ("web/w1", "198.51.100.1", "tcp", 80, "no", "leaves by the Tier-0"),
    ("other/o1", "10.1.1.5", "tcp", 80, "no", "no route"),
]


class Questions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        got = cls.lab.tree(*NETWORK)
        if got.status != 200:
            raise AssertionError(got.data)
        cls.engine = Reach(cls.lab.objects())

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()

    def test_all(self):
        for source, target, protocol, number, verdict, why in QUESTIONS:
            with self.subTest(source=source, target=target, port=number):
                segment_id, port_id = source.split("/")
                got = self.engine.ask(
                    "/infra/segments/%s/ports/%s" % (segment_id, port_id),
                    target, protocol, number)
                self.assertEqual(got["verdict"], verdict, got)
                self.assertIn(why, got["why"], got)

    def test_holder_is_in_the_right_network(self):
        got = self.engine.ask("/infra/segments/web/ports/w1", "10.2.0.5",
                              "tcp", 80)
        self.assertEqual(got["holder"], "/infra/segments/far/ports/f1")
        self.assertEqual(got["route"], [
            "/infra/segments/web", "/infra/tier-1s/a", "/infra/tier-1s/b",
            "/infra/segments/far"])


if __name__ == "__main__":
    unittest.main()
