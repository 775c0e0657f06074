#!/usr/bin/python3
"""The simulator's hierarchical API: whole trees written and read.

Row 6 of the list of behaviours that simulator_test.py begins.
"""
import os
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import simulator_test as base  # noqa: E402
from lab import (EDGE, child, domain, gone, reference,  # noqa: E402
                 rule, segment)
from simulator_test import GROUPS, POLICIES  # noqa: E402

LAB = None


def setUpModule():
    global LAB
    base.setUpModule()
    LAB = base.LAB


def tearDownModule():
    base.tearDownModule()


class Trees(base.Case):
    """Row 6."""

    def test_order_within_a_request_does_not_matter(self):
        self.fine(LAB.tree(
            domain(child("SecurityPolicy", "p", rules=[rule(
                "r", destination_groups=[GROUPS + "/g"])])),
            segment("s", "t", "10.0.0.1/24"),
            domain(child("Group", "g", expression=[{
                "resource_type": "PathExpression",
                "paths": ["/infra/segments/s"]}])),
            child("Tier1", "t", tier0_path="/infra/tier-0s/t0")))
        self.fine(LAB.tree(
            gone("Tier1", "t"), domain(gone("Group", "g")),
            gone("Segment", "s"), domain(gone("SecurityPolicy", "p"))))
        self.assertEqual(LAB.ok("GET", "/infra/tier-1s")["results"], [])
        self.assertEqual(LAB.ok("GET", GROUPS)["results"], [])

    def test_all_or_nothing(self):
        before = LAB.objects()
        got = LAB.tree(child("Tier1", "t"), segment("s", "t"),
                       segment("bad", "none"))
        self.refused(got, 400, 500012)
        self.assertEqual(LAB.objects(), before)

    def test_wrapper_replaces_and_reference_does_not_touch(self):
        self.fine(LAB.tree(child("Tier1", "t", description="x")))
        self.fine(LAB.tree(reference("Tier1", "t", child(
            "StaticRoutes", "r", network="0.0.0.0/0",
            next_hops=[{"ip_address": "10.0.0.1"}]))))
        got = LAB.ok("GET", "/infra/tier-1s/t")
        self.assertEqual((got["description"], got["_revision"]), ("x", 0))
        self.fine(LAB.tree(child("Tier1", "t")))
        self.assertNotIn("description", LAB.ok("GET", "/infra/tier-1s/t"))

    def test_reference_to_nothing(self):
        self.refused(LAB.tree(reference("Tier1", "none", child(
            "LocaleServices", "d"))), 400, 500012)

    def test_marked_deletes_the_subtree(self):
        self.fine(LAB.tree(child("Tier1", "t", [
            child("LocaleServices", "d")])))
        LAB.settings(hapi_subtree="refuse")
        self.refused(LAB.tree(gone("Tier1", "t")), 400, 500030)
        LAB.settings(hapi_subtree="cascade")
        self.fine(LAB.tree(gone("Tier1", "t")))
        self.assertNotIn("/infra/tier-1s/t/locale-services/d",
                         LAB.objects())

    def test_nat_rule_below_its_section(self):
        nat = child("PolicyNatRule", "n", action="SNAT",
                    translated_network="203.0.113.10")
        tree = [reference("PolicyNat", "USER", nat)]
        self.refused(LAB.tree(child("Tier1", "t", tree)), 400, 255,
                     "no edge cluster")
        self.fine(LAB.tree(child("Tier1", "t", tree + [
            child("LocaleServices", "d", **EDGE)])))
        self.fine(LAB.tree(reference("Tier1", "t", child(
            "PolicyNat", "USER", [nat]))))
        path = "/infra/tier-1s/t/nat/USER"
        self.assertEqual(LAB.ok("GET", path)["nat_type"], "USER")
        self.assertEqual(LAB.call("DELETE", path).status, 400)
        self.fine(LAB.tree(gone("Tier1", "t")))

    def test_nat_takes_no_address_of_a_segment(self):
        def dnat(network):
            return LAB.tree(reference("Tier1", "t", reference(
                "PolicyNat", "USER", child(
                    "PolicyNatRule", "n", action="DNAT",
                    destination_network=network,
                    translated_network="10.0.0.5"))))
        self.fine(LAB.tree(
            child("Tier1", "t", [child("LocaleServices", "d", **EDGE)]),
            segment("s", "t", "10.0.0.1/24")))
        self.refused(dnat("10.0.0.9"), 400, 500105, "/infra/segments/s")
        self.refused(dnat("10.0.0.1-10.0.0.9"), 400, 255)
        self.fine(dnat("203.0.113.1, 203.0.113.2"))
        self.refused(LAB.tree(reference("Tier1", "t", child(
            "LocaleServices", "e", **EDGE))), 400, 255)

    def test_too_many(self):
        LAB.settings(intent_limit=3)
        got = LAB.tree(*[segment("s%d" % n) for n in range(4)])
        self.refused(got, 400, 255, "4 intents")

    def test_wrong_wrappers(self):
        self.refused(LAB.tree(child("Rule", "r")), 400, 287)
        self.refused(LAB.tree({"resource_type": "ChildSegment"}), 400, 255)
        self.refused(LAB.tree({"Segment": {}}), 400, 255)
        self.refused(LAB.tree({"resource_type": "ChildResourceReference",
                               "id": "t"}), 400, 255)

    def test_concurrent_requests_conflict(self):
        LAB.settings(hapi_delay=0.5)
        got = []
        other = LAB.client(1, auth=LAB.auth)
        thread = threading.Thread(target=lambda: got.append(other.call(
            "PATCH", "/infra", {"resource_type": "Infra"})))
        thread.start()
        LAB.until(lambda: LAB.counters()["classes"]["tree_patch"] == 1)
        time.sleep(0.1)
        refused = LAB.tree(segment("s"))
        thread.join()
        other.close()
        self.fine(got[0])
        self.assertEqual(refused.status, 400)
        self.assertIn("AtomicRequest/", refused.text)

    def test_reading_gives_the_same_wrappers(self):
        self.fine(LAB.tree(
            child("Tier1", "t", [segment("fixed")]),
            segment("s", "t", "10.0.0.1/24"), domain(child("Group", "g"))))
        got = LAB.ok("GET", "/infra?type_filter=Segment")["children"]
        self.assertEqual([c["resource_type"] for c in got],
                         ["ChildTier1", "ChildSegment"])
        self.assertEqual(got[0]["Tier1"]["children"][0]["Segment"]["id"],
                         "fixed")
        LAB.settings(hapi_parents="reference")
        got = LAB.ok("GET", "/infra?filter=Type-Segment|Group")["children"]
        kinds = sorted((c["resource_type"], c.get("target_type", ""))
                       for c in got)
        self.assertEqual(kinds, [("ChildResourceReference", "Domain"),
                                 ("ChildResourceReference", "Tier1"),
                                 ("ChildSegment", "")])
        LAB.settings(hapi_parents="drop")
        got = LAB.ok("GET", "/infra?type_filter=Segment;Group")["children"]
        self.assertEqual(len(got), 1)
        LAB.settings(hapi_parents="full")
        got = LAB.ok("GET", "/infra?type_filter=Group;Segment"
                     "&base_path=/infra/domains/default")["children"]
        self.assertEqual([c["resource_type"] for c in got], ["ChildDomain"])

    def test_reading_rules(self):
        LAB.ok("PATCH", POLICIES + "/p", {"rules": [rule("r")]})

        def policy(types):
            tree = LAB.ok("GET", "/infra?type_filter=" + types)
            found = tree["children"][0]["Domain"]["children"]
            return [c["SecurityPolicy"] for c in found
                    if c["SecurityPolicy"]["id"] == "p"][0]
        for types in ("SecurityPolicy", "SecurityPolicy;Rule;"):
            got = policy(types)
            self.assertNotIn("rules", got)
            self.assertEqual(got["children"][0]["id"], "r")
            self.assertEqual(got["children"][0]["Rule"]["id"], "r")
        LAB.settings(hapi_rules="asked")
        self.assertEqual(policy("SecurityPolicy")["rules"][0]["id"], "r")
        self.assertNotIn("rules", policy("SecurityPolicy;Rule"))
        LAB.settings(hapi_rules="inline")
        self.assertNotIn("children", policy("SecurityPolicy;Rule"))
        LAB.settings(hapi_rules="both")
        self.assertIn("children", policy("SecurityPolicy"))
        self.assertIn("rules", policy("SecurityPolicy"))
        LAB.settings(hapi_rules="auto")
        for child_ in LAB.ok("GET", "/infra?type_filter=Service")["children"]:
            self.assertEqual(len(child_["Service"]["children"]),
                             len(child_["Service"]["service_entries"]))

    def test_what_was_read_can_be_written_back(self):
        LAB.ok("PATCH", POLICIES + "/p", {"rules": [rule("r")]})
        self.fine(LAB.tree(child("Tier1", "t"),
                           segment("s", "t", "10.0.0.1/24")))
        got = LAB.ok("GET", "/infra?type_filter=Tier1;Segment;Group")
        self.fine(LAB.call("PATCH", "/infra", got))
        self.assertEqual(LAB.ok("GET", "/infra/tier-1s/t")["_revision"], 1)


if __name__ == "__main__":
    unittest.main()
