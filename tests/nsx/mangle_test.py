#!/usr/bin/python3
"""Whatever is sent, the simulator answers as a manager: with 200, or with an
error that has a code, and then without having changed anything.

A valid tree of many types is mangled at random places (a value of another
type, a key renamed, dropped or doubled, a list cut) and sent; the seed of
each round is in the message of a failure.
"""
import copy
import os
import random
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import EDGE, Lab, child, domain, reference, rule  # noqa: E402

ROUNDS = 400
VALUES = [None, True, -1, 10 ** 12, 1.5, "", "x" * 300, "/infra/none", "10.0",
          "ANY", [], [[]], {}, {"resource_type": "Nothing"}, "\u00e4\u0000"]

TREE = [
    child("Tier1", "t", [
        child("LocaleServices", "d", [child(
            "Tier1Interface", "i", segment_path="/infra/segments/link",
            subnets=[{"ip_addresses": ["192.0.2.1"], "prefix_len": 24}])],
            **EDGE),
        child("StaticRoutes", "r", network="10.9.0.0/16",
              next_hops=[{"ip_address": "192.0.2.2"}]),
        reference("PolicyNat", "USER", child(
            "PolicyNatRule", "n", action="SNAT",
            translated_network="203.0.113.1"))],
        tier0_path="/infra/tier-0s/t0"),
    child("Segment", "link"),
    child("Segment", "s", [
        child("SegmentPort", "p", attachment={"id": "v", "type": "STATIC"},
              address_bindings=[{"ip_address": "10.0.0.5",
                                 "mac_address": "02:00:00:00:00:01"}]),
        {"resource_type": "ChildDhcpStaticBindingConfig",
         "DhcpStaticBindingConfig": {
             "resource_type": "DhcpV4StaticBindingConfig", "id": "b",
             "mac_address": "02:00:00:00:00:02", "ip_address": "10.0.0.6"}}],
        connectivity_path="/infra/tier-1s/t", subnets=[{
            "gateway_address": "10.0.0.1/24", "dhcp_ranges": ["10.0.0.9"],
            "dhcp_config": {"resource_type": "SegmentDhcpV4Config",
                            "server_address": "10.0.0.2/24"}}],
        tags=[{"scope": "a", "tag": "b"}]),
    child("Service", "v", service_entries=[{
        "resource_type": "L4PortSetServiceEntry", "id": "e",
        "l4_protocol": "TCP", "destination_ports": ["80", "90-99"]}]),
    domain(
        child("Group", "g", expression=[
            {"resource_type": "IPAddressExpression",
             "ip_addresses": ["10.0.0.0/8"]},
            {"resource_type": "ConjunctionOperator",
             "conjunction_operator": "OR"},
            {"resource_type": "NestedExpression", "expressions": [{
                "resource_type": "Condition", "key": "Tag",
                "member_type": "SegmentPort", "operator": "EQUALS",
                "value": "a|b"}]}]),
        child("SecurityPolicy", "p", rules=[rule(
            "r", source_groups=["/infra/domains/default/groups/g"],
            services=["/infra/services/v"])]),
        child("GatewayPolicy", "p", rules=[rule(
            "r", scope=["/infra/tier-1s/t"])])),
]


def places(node, out):
    """All (holder, key) of a tree."""
    keys = node.keys() if isinstance(node, dict) else \
        range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        out.append((node, key))
        places(node[key], out)
    return out


def mangle(tree, luck):
    tree = copy.deepcopy(tree)
    for _ in range(luck.choice((1, 1, 1, 2, 3))):
        holder, key = luck.choice(places(tree, []))
        what = luck.randrange(5)
        if what == 0 and isinstance(holder, dict):
            holder["bogus"] = holder.pop(key)
        elif what == 1:
            del holder[key]
        elif what == 2 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif what == 3 and isinstance(holder[key], dict):
            holder["marked_for_delete" if isinstance(holder, dict)
                   else key] = True
        else:
            holder[key] = luck.choice(VALUES)
        if not tree:
            break
    return tree


class Mangled(unittest.TestCase):
    def test_trees(self):
        with Lab("--set", "client_rate=0", "--set", "purge_delay=0") as lab:
            self.assertEqual(lab.tree(*TREE).status, 200)
            taken = 0
            before = lab.objects()
            for seed in range(ROUNDS):
                got = lab.call("PATCH", "/infra", {
                    "resource_type": "Infra",
                    "children": mangle(TREE, random.Random(seed))})
                self.assertIn(got.status, (200, 400, 404, 412),
                              "seed %d: %s" % (seed, got.data))
                if got.status == 200:
                    taken += 1
                    before = lab.objects()
                    continue
                self.assertIsInstance(got.code, int, "seed %d" % seed)
                if seed % 4 == 0:
                    self.assertEqual(lab.objects(), before,
                                     "seed %d" % seed)
            self.assertEqual(lab.objects(), before)
            self.assertEqual(lab.counters()["crashes"], 0)
            self.assertGreater(taken, ROUNDS // 50)


if __name__ == "__main__":
    unittest.main()
