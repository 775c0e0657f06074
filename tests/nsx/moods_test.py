#!/usr/bin/python3
"""The simulator's moods: what takes time, fails, lies or belongs to others.

The rows of the list of behaviours that simulator_test.py leaves: realisation,
paging, search, server-filled values, ownership, projects, nodes, lost answers;
and its own control port, state file and ending.
"""
import http.client
import json
import os
import signal
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import simulator_test as base  # noqa: E402
from lab import (Lab, child, domain, gone, reference,  # noqa: E402
                 rule, segment)
from simulator_test import GROUPS, POLICIES  # noqa: E402

STATUS = "/infra/realized-state/status?intent_path="
LAB = None


def setUpModule():
    global LAB
    base.setUpModule()
    LAB = base.LAB


def tearDownModule():
    base.tearDownModule()


class Realisation(base.Case):
    """Row 7."""

    def state(self, path):
        got = LAB.ok("GET", STATUS + path)
        return got["consolidated_status"]["consolidated_status"]

    def test_states_follow_each_other(self):
        LAB.settings(realise_delay=0.6, entities_delay=0.3)
        self.group()
        seen = []

        def look():
            state = self.state(GROUPS + "/g")
            if not seen or seen[-1] != state:
                seen.append(state)
            return state == "SUCCESS"
        entities = "/infra/realized-state/realized-entities?intent_path=" + \
            GROUPS + "/g"
        self.assertEqual(LAB.ok("GET", entities)["results"], [])
        LAB.until(look)
        self.assertEqual(seen, ["UNINITIALIZED", "IN_PROGRESS", "SUCCESS"])
        got = LAB.ok("GET", entities)["results"][0]
        self.assertEqual((got["state"], got["intent_paths"]),
                         ("REALIZED", [GROUPS + "/g"]))

    def test_error_with_an_alarm_that_passes(self):
        LAB.settings(realise_delay=0, entities_delay=0)
        LAB.control("POST", "/realisation", {
            "path": "/infra/segments/s*", "code": 500042, "seconds": 0.5,
            "text": "provider not ready"})
        self.fine(LAB.tree(segment("s1"), segment("t1")))
        got = LAB.ok("GET", STATUS + "/infra/segments/s1")
        self.assertEqual(got["publish_status"], "ERROR")
        rows = LAB.ok("GET", "/infra/realized-state/realized-entities"
                      "?intent_path=/infra/segments/s1")["results"]
        alarm = rows[0]["alarms"][0]
        self.assertEqual(alarm["error_details"]["error_code"], 500042)
        self.assertEqual(alarm["message"], "provider not ready")
        self.assertEqual(self.state("/infra/segments/t1"), "SUCCESS")
        self.assertEqual(LAB.ok("GET", "/infra/realized-state/alarms")[
            "result_count"], 1)
        self.assertEqual(LAB.ok("GET", "/infra/segments/s1/state")["state"],
                         "failed")
        LAB.until(lambda: self.state("/infra/segments/s1") == "SUCCESS")

    def test_rules_fail_their_policy(self):
        LAB.settings(realise_delay=0)
        LAB.control("POST", "/realisation", [
            {"path": "*/rules/bad", "code": 8212},
            {"path": "*/groups/g", "state": "UNKNOWN"}])
        self.group()
        self.assertEqual(self.state(GROUPS + "/g"), "UNKNOWN")
        LAB.ok("PATCH", POLICIES + "/p", {"rules": [rule("good")]})
        self.assertEqual(self.state(POLICIES + "/p"), "SUCCESS")
        LAB.ok("PATCH", POLICIES + "/p/rules/bad", {"action": "DROP"})
        self.assertEqual(self.state(POLICIES + "/p"), "ERROR")

    def test_success_of_the_version_before(self):
        LAB.settings(realise_delay=0, realise_stale=0.3)
        self.group()
        LAB.until(lambda: self.state(GROUPS + "/g") == "SUCCESS")
        self.group(description="new")
        got = LAB.ok("GET", STATUS + GROUPS + "/g")
        self.assertEqual(got["intent_version"], "0")
        LAB.until(lambda: LAB.ok("GET", STATUS + GROUPS + "/g")[
            "intent_version"] == "1")

    def test_absent_and_enforced(self):
        self.refused(LAB.call("GET", STATUS + "/infra/segments/none"),
                     404, 600)
        self.group()
        LAB.settings(realise_delay=0)
        got = LAB.ok("GET", STATUS + GROUPS +
                     "/g&include_enforced_status=true")
        point = got["consolidated_status_per_enforcement_point"][0]
        self.assertIn("enforced_status", point)
        got = LAB.call("POST", "/infra/realized-state/realized-entity"
                       "?action=refresh&intent_path=" + GROUPS + "/g")
        self.assertEqual(got.status, 204)


class Attachments(base.Case):
    def test_attached_ports_hold_their_segment(self):
        port = child("SegmentPort", "p", attachment={"id": "v"})
        self.fine(LAB.tree(segment("s"), reference("Segment", "s", port)))
        self.refused(LAB.tree(gone("Segment", "s")), 400, 503040)
        self.refused(LAB.call("DELETE", "/infra/segments/s"), 400, 503040)
        self.fine(LAB.tree(gone("Segment", "s"), reference(
            "Segment", "s", gone("SegmentPort", "p"))))
        self.fine(LAB.tree(segment("s"), reference("Segment", "s", port)))
        LAB.ok("DELETE", "/infra/segments/s?force=true")
        self.fine(LAB.tree(segment("s"), reference("Segment", "s", port)))
        LAB.settings(vif_implicit="accept")
        self.fine(LAB.tree(gone("Segment", "s")))


class Pages(base.Case):
    """Row 8."""

    def fill(self, count=10):
        self.fine(LAB.tree(domain(*[child("Group", "g%02d" % n)
                                    for n in range(count)])))

    def pages(self, **query):
        out, cursor = [], ""
        while True:
            text = "&".join("%s=%s" % i for i in query.items())
            got = LAB.ok("GET", "%s?%s%s" % (GROUPS, text, cursor))
            out.append(got)
            if "cursor" not in got:
                return out
            cursor = "&cursor=" + got["cursor"]

    def ids(self, pages):
        return [r["id"] for p in pages for r in p["results"]]

    def test_count_comes_first_and_the_cursor_is_opaque(self):
        self.fill()
        pages = self.pages(page_size=4)
        self.assertEqual([p.get("result_count") for p in pages],
                         [10, None, None])
        self.assertEqual(self.ids(pages), ["g%02d" % n for n in range(10)])
        self.assertNotIn("4", pages[0]["cursor"][:1])
        got = LAB.call("GET", GROUPS + "?cursor=4")
        self.refused(got, 400, 255)

    def test_pages_are_no_snapshot(self):
        self.fill()
        first = LAB.ok("GET", GROUPS + "?page_size=5")
        LAB.ok("DELETE", GROUPS + "/g00")
        rest = LAB.ok("GET", GROUPS + "?page_size=5&cursor=" +
                      first["cursor"])
        self.assertNotIn("g05", self.ids([first, rest]))
        LAB.settings(page_repeat=1)
        self.assertEqual(len(self.ids(self.pages(page_size=5))), 10)
        LAB.settings(page_repeat=0, page_skip=1)
        self.assertEqual(len(self.ids(self.pages(page_size=5))), 8)

    def test_pages_too_large(self):
        self.refused(LAB.call("GET", GROUPS + "?page_size=1001"), 400, 255)
        LAB.settings(page_refuse=100)
        self.refused(LAB.call("GET", GROUPS), 503, 60576)
        LAB.settings(page_refusal="400")
        self.refused(LAB.call("GET", GROUPS + "?page_size=200"), 400, 255)
        self.fine(LAB.call("GET", GROUPS + "?page_size=100"))


class Search(base.Case):
    """Row 9."""

    def find(self, text, **query):
        more = "".join("&%s=%s" % i for i in query.items())
        return LAB.ok("GET", "/search/query?query=" + text + more)

    def test_index_follows_later(self):
        LAB.settings(index_lag=0.3)
        tags = [{"scope": "tenet/owner", "tag": "a"}]
        self.group(tags=tags)
        text = r"resource_type:Group AND tags.scope:tenet\/owner"
        self.assertEqual(self.find(text)["result_count"], 0)
        LAB.until(lambda: self.find(text)["result_count"] == 1)
        LAB.ok("DELETE", GROUPS + "/g")
        self.assertEqual(self.find(text)["result_count"], 1)
        LAB.until(lambda: self.find(text)["result_count"] == 0)

    def test_queries(self):
        LAB.settings(index_lag=0)
        for n in range(3):
            self.group("web-%d" % n)
        self.assertEqual(self.find(r"display_name:web\-*")["result_count"],
                         3)
        self.assertEqual(self.find(
            "(id:web-0 OR id:web-1) AND NOT id:web-1")["result_count"], 1)
        page = self.find("resource_type:Group", page_size=2)
        self.assertEqual(len(page["results"]), 2)
        page = self.find("resource_type:Group", page_size=2,
                         cursor=page["cursor"])
        self.assertEqual([r["id"] for r in page["results"]], ["web-2"])
        self.assertEqual(LAB.call("GET", "/search/query?query="
                                  "path:/infra/x").status, 400)

    def test_index_is_busy(self):
        LAB.settings(search_busy=True)
        self.refused(LAB.call("GET", "/search/query?query=id:x"), 400, 60508)


class Served(base.Case):
    """Rows 10 and 11: what the server adds, and what belongs to others."""

    def test_defaults_tags_and_order(self):
        tags = [{"scope": "a", "tag": "1"}, {"scope": "b", "tag": "2"}]
        self.fine(LAB.tree(segment("s", tags=tags)))
        got = LAB.ok("GET", "/infra/segments/s")
        self.assertEqual(got["replication_mode"], "MTEP")
        self.assertIn("transport_zone_path", got)
        self.assertIn("overlay_id", got)
        self.assertEqual([t["scope"] for t in got["tags"]],
                         ["nsx-platform/managed", "b", "a"])
        again = LAB.ok("PUT", "/infra/segments/s", got)
        self.assertEqual(len(again["tags"]), 3)
        self.assertEqual(again["overlay_id"], got["overlay_id"])
        LAB.settings(reorder=False)
        got = LAB.ok("PUT", "/infra/segments/s", {
            "_revision": again["_revision"], "tags": tags})
        self.assertEqual(got["tags"][:2], tags)

    def test_system_owned(self):
        section = POLICIES + "/default-layer3-section"
        got = LAB.ok("GET", section)
        self.assertTrue(got["_system_owned"])
        self.assertEqual(LAB.call("DELETE", section).status, 400)
        self.assertEqual(LAB.call("DELETE", "/infra/services/HTTP").status,
                         400)
        LAB.ok("PATCH", section + "/rules/default-layer3-rule",
               {"action": "DROP"})
        self.assertEqual(LAB.ok("GET", section)["rules"][0]["action"],
                         "DROP")

    def test_fabric_is_read_only(self):
        zones = "/infra/sites/default/enforcement-points/default/" \
            "transport-zones"
        rows = LAB.ok("GET", zones)["results"]
        self.assertEqual(sorted(r["display_name"] for r in rows),
                         ["overlay", "vlan"])
        self.assertEqual(LAB.call("PATCH", zones + "/mine", {}).status, 400)

    def test_a_principal_owns_what_it_made(self):
        owner = LAB.client(certificate=True)
        self.addCleanup(owner.close)
        self.fine(owner.call("PATCH", GROUPS + "/g", {}))
        self.refused(LAB.call("PATCH", GROUPS + "/g", {}), 400, 8327,
                     "createUser=tenet", "allowOverwrite=null")
        self.refused(LAB.call("DELETE", GROUPS + "/g"), 400, 8327)
        self.refused(LAB.tree(domain(child("Group", "g"))), 400, 8327)
        self.assertEqual(LAB.ok("GET", GROUPS + "/g")["_protection"],
                         "REQUIRE_OVERRIDE")
        over = {"X-Allow-Overwrite": "true"}
        self.fine(LAB.call("PATCH", GROUPS + "/g", {}, over))
        self.fine(owner.call("DELETE", GROUPS + "/g"))


class Projects(base.Case):
    """Row 12."""

    def setUp(self):
        super().setUp()
        LAB.settings(version="9.0.0.0")
        for name in ("a", "b"):
            LAB.ok("PATCH", "/orgs/default/projects/" + name, {
                "tier_0s": ["/infra/tier-0s/t0"]})

    def test_scopes_are_apart(self):
        one, two = ("/orgs/default/projects/%s/infra" % n for n in "ab")
        LAB.ok("PATCH", one + "/tier-1s/t", {
            "tier0_path": "/infra/tier-0s/t0"})
        LAB.ok("PATCH", one + "/segments/s", {
            "connectivity_path": one + "/tier-1s/t"})
        self.refused(LAB.call("PATCH", two + "/segments/s", {
            "connectivity_path": one + "/tier-1s/t"}), 404, 500012)
        self.refused(LAB.call("PATCH", "/infra/segments/s", {
            "connectivity_path": one + "/tier-1s/t"}), 404, 500012)
        LAB.ok("PATCH", "/infra/tier-1s/t", {})
        self.refused(LAB.call("PATCH", one + "/segments/s", {
            "connectivity_path": "/infra/tier-1s/t"}), 404, 500012)
        self.assertEqual(LAB.call("GET", "/orgs/default/projects/none/infra"
                                  "/segments").status, 400)
        got = LAB.ok("GET", one + "/realized-state/status?intent_path=" +
                     one + "/segments/s")
        self.assertIn("consolidated_status", got)

    def test_a_project_user_sees_its_project(self):
        LAB.control("POST", "/user", {
            "name": "ann", "password": "x", "superuser": False,
            "scope": "/orgs/default/projects/a"})
        ann = LAB.client(auth=("ann", "x"))
        self.addCleanup(ann.close)
        self.fine(ann.call("PATCH", "/orgs/default/projects/a/infra", {
            "resource_type": "Infra", "children": [segment("s")]}))
        self.refused(ann.call("GET", "/orgs/default/projects/b"), 404,
                     500012)
        self.refused(ann.call("PATCH", "/infra", {
            "resource_type": "Infra"}), 404, 500012)

    def test_trees_of_the_org(self):
        vpc = child("Vpc", "v", [
            child("VpcSubnet", "s", [child("VpcSubnetPort", "p", attachment={
                "id": "vif", "type": "STATIC"})],
                ipv4_subnet_size=16, access_mode="Private"),
            child("Group", "g", expression=[{
                "resource_type": "Condition", "key": "Tag",
                "member_type": "VpcSubnetPort", "operator": "EQUALS",
                "value": "tier|web"}]),
            child("SecurityPolicy", "p", rules=[rule("r", source_groups=[
                "/orgs/default/projects/a/vpcs/v/groups/g"])])],
            private_ips=["172.26.0.0/24"])
        tree = {"resource_type": "OrgRoot", "children": [
            reference("Org", "default", reference("Project", "a", vpc))]}
        self.fine(LAB.call("PATCH", "/org-root", tree))
        base_path = "/orgs/default/projects/a/vpcs/v"
        got = LAB.ok("GET", base_path + "/subnets/s")
        self.assertEqual(got["ip_addresses"], ["172.26.0.0/28"])
        got = LAB.ok("GET", base_path + "/subnets/s/status")
        self.assertEqual(got["gateway_address"], "172.26.0.1/28")
        got = LAB.ok("GET", "/org-root?type_filter=Vpc;VpcSubnetPort")
        org = got["children"][0]["Org"]["children"]
        vpcs = org[0]["Project"]["children"][0]["Vpc"]
        self.assertEqual(vpcs["id"], "v")
        self.refused(LAB.call("PATCH", base_path + "/subnets/t", {
            "ip_addresses": ["172.26.0.8/29"]}), 400, 500105)
        self.refused(LAB.call("PATCH", base_path + "/subnets/t", {
            "ipv4_subnet_size": 256}), 400, 520100)
        LAB.ok("DELETE", base_path + "/subnets/s/ports/p")
        self.fine(LAB.call("PATCH", "/org-root", {
            "resource_type": "OrgRoot", "children": [reference(
                "Org", "default", reference("Project", "a",
                                            gone("Vpc", "v")))]}))
        LAB.ok("DELETE", "/orgs/default/projects/b")

    def test_project_infra_reads_as_a_tree(self):
        infra = "/orgs/default/projects/a/infra"
        self.fine(LAB.call("PATCH", infra, {"resource_type": "Infra",
                                            "children": [segment("s")]}))
        got = LAB.ok("GET", infra + "?type_filter=Segment")
        self.assertEqual(got["children"][0]["Segment"]["path"],
                         infra + "/segments/s")


class Nodes(base.Case):
    """Rows 16 and 17, and partial outages."""

    def tearDown(self):
        LAB.control("POST", "/node/0", {"mode": "up"})
        LAB.control("POST", "/node/1", {"mode": "up"})

    def client(self, node):
        client = LAB.client(node, auth=LAB.auth)
        self.addCleanup(client.close)
        return client

    def test_redirect_to_another_node(self):
        for status in (301, 307):
            LAB.control("POST", "/node/1", {
                "mode": "redirect", "status": status, "target": 0})
            got = self.client(1).call("GET", "/infra")
            self.assertEqual(got.status, status)
            self.assertEqual(got.headers["Location"],
                             LAB.info["urls"][0] + "/policy/api/v1/infra")

    def test_down_and_up_again(self):
        client = self.client(1)
        self.fine(client.call("GET", "/infra"))
        LAB.control("POST", "/node/1", {"mode": "down"})
        for _ in range(2):
            with self.assertRaises((OSError, http.client.HTTPException)):
                client.call("GET", "/infra")
        self.group()
        LAB.control("POST", "/node/1", {"mode": "up"})
        self.fine(client.call("GET", GROUPS + "/g"))

    def test_sessions_end_with_their_node(self):
        client = LAB.client(1)
        self.addCleanup(client.close)
        self.fine(client.login(*LAB.auth))
        self.assertEqual(LAB.counters()["sessions"][1], 1)
        LAB.control("POST", "/node/1", {"mode": "down"})
        LAB.control("POST", "/node/1", {"mode": "up"})
        client.close()
        client.connect()
        self.refused(client.call("GET", "/infra"), 403, 403)

    def test_idle_connections_are_closed(self):
        LAB.settings(keepalive=0.1)
        client = self.client(0)
        self.fine(client.call("GET", "/infra"))
        time.sleep(0.4)
        with self.assertRaises((OSError, http.client.HTTPException)):
            client.call("GET", "/infra")

    def test_slow_and_unavailable(self):
        client = self.client(1)
        LAB.control("POST", "/node/1", {"mode": "slow", "seconds": 0.2})
        began = time.monotonic()
        self.fine(client.call("GET", "/infra"))
        self.assertGreater(time.monotonic() - began, 0.19)
        LAB.control("POST", "/node/1", {"mode": "unavailable",
                                        "html": True})
        got = client.call("GET", "/infra")
        self.assertEqual((got.status, got.headers["Content-Type"]),
                         (503, "text/html"))

    def test_answer_lost_after_the_commit(self):
        LAB.fault(**{"class": "write", "nth": 2, "do": {"drop": "after"}})
        self.group("first")
        with self.assertRaises((OSError, http.client.HTTPException)):
            LAB.call("PATCH", GROUPS + "/second", {})
        self.fine(LAB.call("GET", GROUPS + "/second"))
        LAB.fault(**{"class": "write", "do": {"drop": "before"}})
        with self.assertRaises((OSError, http.client.HTTPException)):
            LAB.call("PATCH", GROUPS + "/third", {})
        self.assertEqual(LAB.call("GET", GROUPS + "/third").status, 404)

    def test_half_an_answer(self):
        LAB.fault(do={"half": True})
        with self.assertRaises((OSError, http.client.HTTPException)):
            LAB.call("GET", "/infra/services")


class Control(base.Case):
    def test_counters_tell_classes_apart(self):
        self.group()
        LAB.ok("GET", GROUPS)
        LAB.ok("GET", GROUPS + "/g")
        LAB.ok("GET", "/infra?type_filter=Group")
        self.fine(LAB.tree(segment("s"), segment("t")))
        LAB.ok("GET", STATUS + GROUPS + "/g")
        LAB.ok("DELETE", GROUPS + "/g")
        got = LAB.counters()
        self.assertEqual({k: v for k, v in got["classes"].items() if v}, {
            "patch": 1, "list": 1, "get": 1, "tree_read": 1,
            "tree_patch": 1, "realised": 1, "delete": 1})
        self.assertEqual((got["total"], got["intents"]), (7, 2))
        self.assertGreaterEqual(got["peak_per_second"], 1)

    def test_edits_by_others(self):
        self.group()
        LAB.control("POST", "/edit", {
            "method": "PATCH", "path": GROUPS + "/g", "user": "bob",
            "body": {"description": "mine"}})
        got = LAB.ok("GET", GROUPS + "/g")
        self.assertEqual((got["_last_modified_user"], got["_revision"]),
                         ("bob", 1))
        self.assertEqual(LAB.counters()["total"], 2)

    def test_unknown_settings_are_refused(self):
        with self.assertRaises(AssertionError):
            LAB.settings(no_such=1)

    def test_system_calls(self):
        got = LAB.admin.raw("GET", "/api/v1/node/version").json
        self.assertTrue(got["product_version"].startswith("4.2.1"))
        got = LAB.admin.raw("GET", "/api/v1/reverse-proxy/node/health").json
        self.assertTrue(got["healthy"])
        got = LAB.admin.raw("GET", "/api/v1/cluster/api-service").json
        self.assertEqual(got["session_timeout"], 1800)


class Restart(unittest.TestCase):
    def test_state_survives_and_term_ends(self):
        with tempfile.TemporaryDirectory() as folder:
            state = os.path.join(folder, "state.json")
            ready = os.path.join(folder, "ready")
            options = ("--state", state, "--ready", ready,
                       "--set", "purge_delay=60")
            first = Lab(*options, folder=folder)
            with open(ready, encoding="utf-8") as source:
                self.assertEqual(json.load(source), first.info)
            first.ok("PATCH", GROUPS + "/g", {"description": "x"})
            first.ok("PATCH", GROUPS + "/gone", {})
            first.ok("DELETE", GROUPS + "/gone")
            before = first.objects()
            first.process.send_signal(signal.SIGTERM)
            self.assertEqual(first.process.wait(20), 0)
            first.process.stdin.close()
            first.process.stdout.close()
            second = Lab(*options, folder=folder)
            self.assertEqual(second.objects(), before)
            self.assertEqual(second.password, first.password)
            got = second.call("PATCH", GROUPS + "/gone", {})
            self.assertEqual(got.code, 500045)
            second.stop()


if __name__ == "__main__":
    unittest.main()
