#!/usr/bin/python3
"""The simulator against the rows that it has to imitate, over real HTTPS.

Each class is a row or two of the list of behaviours that a driver meets; each
test says in its name what a manager does.  One simulator serves them all and
is cleared between tests.
"""
import os
import ssl
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import (EDGE, Lab, child, domain, gone, reference,  # noqa: E402
                 rule, segment)

LAB = None
DEFAULTS = {}
GROUPS = "/infra/domains/default/groups"
POLICIES = "/infra/domains/default/security-policies"


def setUpModule():
    global LAB
    LAB = Lab("--nodes", "2", "--set", "client_rate=0")
    DEFAULTS.update(LAB.control("GET", "/settings"))


def tearDownModule():
    crashes = LAB.counters()["crashes"]
    LAB.stop()
    if crashes:
        raise AssertionError("the simulator broke %d times" % crashes)


class Case(unittest.TestCase):
    def setUp(self):
        LAB.settings(**DEFAULTS)
        LAB.settings(purge_delay=0)
        LAB.control("POST", "/faults/clear")
        LAB.control("POST", "/clear")
        LAB.control("POST", "/counters/reset")

    def refused(self, answer, status, code, *words):
        self.assertEqual((answer.status, answer.code), (status, code),
                         answer.data)
        for word in words:
            self.assertIn(word, answer.text)

    def fine(self, answer):
        self.assertEqual(answer.status, 200, answer.data)
        return answer

    def group(self, ident="g", **fields):
        return self.fine(LAB.call("PATCH", GROUPS + "/" + ident, fields))


class Sessions(Case):
    """Row 1."""

    def client(self, node=0):
        client = LAB.client(node)
        self.addCleanup(client.close)
        return client

    def test_session_serves_and_is_destroyed(self):
        client = self.client()
        self.assertEqual(client.call("GET", "/infra").status, 403)
        self.fine(client.login(*LAB.auth))
        self.fine(client.call("GET", "/infra"))
        self.fine(client.raw("POST", "/api/session/destroy"))
        self.refused(client.call("GET", "/infra"), 403, 403)

    def test_wrong_password(self):
        got = self.client().login("admin", "wrong")
        self.refused(got, 403, 403, "locked")
        self.assertNotIn("httpStatus", got.json)

    def test_wrong_passwords_lock_the_account(self):
        LAB.control("POST", "/user", {"name": "eve", "password": "right"})
        LAB.settings(lockout_failures=2)
        for _ in range(2):
            self.refused(self.client().login("eve", "wrong"), 403, 403)
        self.refused(self.client().login("eve", "right"), 403, 403)

    def test_an_auditor_may_not_write(self):
        LAB.control("POST", "/user", {"name": "eve", "password": "right",
                                      "readonly": True})
        client = LAB.client(auth=("eve", "right"))
        self.addCleanup(client.close)
        self.fine(client.call("GET", "/infra"))
        self.refused(client.call("PATCH", GROUPS + "/g", {}), 403, 289)

    def test_wrong_xsrf_token(self):
        client = self.client()
        client.login(*LAB.auth)
        client.headers["X-XSRF-TOKEN"] = "other"
        self.refused(client.call("GET", "/infra"), 403, 98)

    def test_cookie_is_bound_to_its_node(self):
        one, two = self.client(0), self.client(1)
        one.login(*LAB.auth)
        two.headers = dict(one.headers)
        self.fine(one.call("GET", "/infra"))
        self.refused(two.call("GET", "/infra"), 403, 403)

    def test_idle_session_expires(self):
        client = self.client()
        client.login(*LAB.auth)
        LAB.settings(session_timeout=0.05)
        time.sleep(0.1)
        self.refused(client.call("GET", "/infra"), 403, 403)

    def test_expiry_on_order_and_as_401(self):
        client = self.client()
        client.login(*LAB.auth)
        LAB.control("POST", "/expire", {"node": 1})
        self.fine(client.call("GET", "/infra"))
        LAB.control("POST", "/expire", {})
        LAB.settings(expiry="401")
        got = client.call("GET", "/infra")
        self.assertEqual(got.status, 401)
        self.assertIn("html", got.headers["Content-Type"])

    def test_client_certificate(self):
        client = LAB.client(certificate=True)
        self.addCleanup(client.close)
        self.fine(client.call("PATCH", GROUPS + "/g", {}))
        self.assertEqual(LAB.ok("GET", GROUPS + "/g")["_create_user"],
                         "tenet")

    def test_unknown_authority_is_refused(self):
        client = self.client()
        client.tls = ssl.create_default_context()
        client.connect()
        with self.assertRaises(ssl.SSLError):
            client.call("GET", "/infra")

    def test_basic_can_be_switched_off(self):
        LAB.settings(basic=False)
        self.refused(LAB.call("GET", "/infra"), 403, 403)


class Limits(Case):
    """Row 2."""

    def test_rate_has_a_string_code_and_no_status(self):
        LAB.settings(client_rate=5)
        answers = [LAB.call("GET", "/infra") for _ in range(8)]
        refused = [a for a in answers if a.status == 429]
        self.assertTrue(refused)
        self.assertEqual(refused[0].code, "102")
        self.assertNotIn("httpStatus", refused[0].json)
        self.assertEqual(LAB.counters()["refused_by_rate"], len(refused))

    def test_concurrency(self):
        LAB.settings(client_concurrency=1, hapi_delay=0.6)
        got = []
        other = LAB.client(auth=LAB.auth)
        thread = threading.Thread(target=lambda: got.append(other.call(
            "PATCH", "/infra", {"resource_type": "Infra"})))
        thread.start()
        LAB.until(lambda: LAB.call("GET", "/infra").status == 429)
        thread.join()
        other.close()
        self.fine(got[0])

    def test_busy_proxy_answers_plain_text(self):
        LAB.fault(do={"status": 503, "text": "Service Unavailable"})
        got = LAB.call("GET", "/infra")
        self.assertEqual(got.status, 503)
        self.assertIn("text/plain", got.headers["Content-Type"])
        self.fine(LAB.call("GET", "/infra"))


class Revisions(Case):
    """Row 3."""

    def test_put(self):
        made = self.fine(LAB.call("PUT", GROUPS + "/g", {})).json
        self.assertEqual(made["_revision"], 0)
        got = LAB.call("PUT", GROUPS + "/g", {})
        self.refused(got, 400, 500127, "already exists", GROUPS + "/g")
        made["description"] = "new"
        made = self.fine(LAB.call("PUT", GROUPS + "/g", made)).json
        self.assertEqual(made["_revision"], 1)
        made["_revision"] = 0
        self.refused(LAB.call("PUT", GROUPS + "/g", made), 412, 604,
                     "Fetch the latest copy of the object and retry")

    def test_patch_resets_what_it_omits(self):
        path = "/infra/tier-1s/t"
        LAB.ok("PATCH", path, {"failover_mode": "PREEMPTIVE",
                               "description": "x"})
        LAB.ok("PATCH", path, {"tier0_path": "/infra/tier-0s/t0"})
        got = LAB.ok("GET", path)
        self.assertEqual(got["failover_mode"], "NON_PREEMPTIVE")
        self.assertNotIn("description", got)
        self.assertEqual(got["_revision"], 1)

    def test_partial_patch_is_a_switch(self):
        config = "/system-config/nsx-partial-patch-config"
        LAB.ok("PATCH", config, {"enable_partial_patch": "true"})
        path = "/infra/tier-1s/t"
        LAB.ok("PATCH", path, {"failover_mode": "PREEMPTIVE"})
        LAB.ok("PATCH", path, {"description": "x"})
        self.assertEqual(LAB.ok("GET", path)["failover_mode"], "PREEMPTIVE")
        self.fine(LAB.tree(child("Tier1", "t")))
        self.assertEqual(LAB.ok("GET", path)["failover_mode"],
                         "NON_PREEMPTIVE")

    def test_patch_merges_rules_and_put_replaces_them(self):
        path = POLICIES + "/p"
        LAB.ok("PATCH", path, {"rules": [rule("a"), rule("b")]})
        LAB.ok("PATCH", path, {"rules": [rule("c", logged=True)]})
        got = LAB.ok("GET", path)
        self.assertEqual([r["id"] for r in got["rules"]], ["a", "b", "c"])
        got["rules"] = [rule("c")]
        got = LAB.ok("PUT", path, got)
        self.assertEqual([r["id"] for r in got["rules"]], ["c"])
        self.assertFalse(got["rules"][0]["logged"])

    def test_patch_merges_service_entries(self):
        def entry(ident, port):
            return {"resource_type": "L4PortSetServiceEntry", "id": ident,
                    "l4_protocol": "TCP", "destination_ports": [port]}
        path = "/infra/services/s"
        LAB.ok("PATCH", path, {"service_entries": [entry("a", "1")]})
        LAB.ok("PATCH", path, {"service_entries": [entry("b", "2")]})
        self.assertEqual(len(LAB.ok("GET", path)["service_entries"]), 2)

    def test_tree_checks_revisions_on_request(self):
        self.group()
        self.group()
        stale = domain(child("Group", "g", _revision=0))
        self.fine(LAB.tree(stale))
        self.refused(LAB.tree(stale, query="?enforce_revision_check=true"),
                     412, 604)
        fresh = domain(child("Group", "g", _revision=2), child("Group", "h"))
        self.fine(LAB.tree(fresh, query="?enforce_revision_check=true"))
        doomed = domain(child("Group", "g", marked=True, _revision=2))
        self.refused(LAB.tree(doomed, query="?enforce_revision_check=true"),
                     412, 604)
        blind = domain(child("Group", "h"))
        self.fine(LAB.tree(blind, query="?enforce_revision_check=true"))
        LAB.settings(revision_missing="exists")
        self.refused(LAB.tree(blind, query="?enforce_revision_check=true"),
                     400, 500127)


class Fields(Case):
    """Row 4, and what is beyond the look of a field."""

    def test_unknown_property(self):
        self.refused(LAB.call("PATCH", "/infra/tier-1s/t", {"color": 1}),
                     400, 287, "property color is unrecognized")
        self.refused(LAB.tree(segment("s", advanced_config={"x": 1})),
                     400, 287)
        self.refused(LAB.tree({**segment("s"), "extra": 1}), 400, 287)

    def test_missing_property(self):
        got = LAB.call("PATCH", "/infra/tier-1s/t", {})
        self.fine(got)
        got = LAB.call("PATCH", "/infra/tier-1s/t/static-routes/r",
                       {"network": "10.0.0.0/8"})
        self.refused(got, 400, 255, "required property next_hops is missing")
        self.assertIn("next_hops", got.json["details"])

    def test_values_out_of_bounds(self):
        def bad(path, **body):
            self.refused(LAB.call("PATCH", path, body), 400, 255)
        bad(GROUPS + "/g", tags=[{"scope": "s" * 129, "tag": "t"}])
        bad(GROUPS + "/g", tags=[{"scope": "s", "tag": "t" * 257}])
        bad(GROUPS + "/g", tags=[{"scope": "s", "tag": str(n)}
                                 for n in range(31)])
        bad(GROUPS + "/g", description="x" * 1025)
        bad(GROUPS + "/" + "i" * 256)
        bad("/infra/segments/s", admin_state="up")
        bad("/infra/segments/s", subnets=[{"gateway_address": "10.0.0.1"}])
        bad("/infra/segments/s", vlan_ids=[100])
        bad("/infra/services/s", service_entries=[{
            "resource_type": "L4PortSetServiceEntry", "id": "e",
            "l4_protocol": "TCP", "destination_ports":
            ["%d-%d" % (n, n + 1) for n in range(1, 9)]}])
        bad(POLICIES + "/p", category="Nonsense")

    def test_group_expressions(self):
        leaf = {"resource_type": "IPAddressExpression",
                "ip_addresses": ["10.0.0.0/8", "192.0.2.1-192.0.2.9"]}
        join = {"resource_type": "ConjunctionOperator",
                "conjunction_operator": "OR"}
        self.group(expression=[leaf, join, leaf])
        got = LAB.ok("GET", GROUPS + "/g")["expression"]
        self.assertTrue(all("id" in e for e in got))
        path = GROUPS + "/g"
        self.refused(LAB.call("PATCH", path, {"expression": [leaf, join]}),
                     400, 255)
        self.refused(LAB.call("PATCH", path, {"expression": [leaf, leaf]}),
                     400, 255)
        LAB.ok("POST", path + "/ip-address-expressions/%s?action=add" %
               got[0]["id"], {"ip_addresses": ["172.16.0.1"]})
        self.assertIn("172.16.0.1", LAB.ok(
            "GET", path)["expression"][0]["ip_addresses"])

    def test_immutable_fields(self):
        LAB.settings(version="9.0.0.0")
        path = "/orgs/default/projects/p"
        LAB.ok("PATCH", path, {"short_id": "one"})
        self.refused(LAB.call("PATCH", path, {"short_id": "two"}), 400, 255)
        LAB.ok("PATCH", path + "/vpcs/v", {"private_ips": ["10.0.0.0/16"]})
        LAB.ok("PATCH", path + "/vpcs/v/subnets/s", {"ipv4_subnet_size": 32})
        self.refused(LAB.call("PATCH", path + "/vpcs/v/subnets/s",
                              {"ipv4_subnet_size": 64}), 400, 255)
        got = LAB.ok("GET", path + "/vpcs/v/subnets/s")
        self.assertEqual(got["ip_addresses"], ["10.0.0.0/27"])

    def test_newer_fields_are_unknown_to_an_older_product(self):
        path = "/orgs/default/projects/p"
        LAB.ok("PATCH", path, {})
        self.refused(LAB.call("PATCH", path + "/vpcs/v", {
            "private_ips": ["10.0.0.0/16"]}), 400, 287, "private_ips")
        LAB.settings(version="3.2.0.0")
        self.assertEqual(LAB.call("GET", path).status, 404)

    def test_overlapping_subnets_of_a_gateway(self):
        """Row 14."""
        self.fine(LAB.tree(child("Tier1", "a"), child("Tier1", "b"),
                           segment("one", "a", "10.200.10.1/24"),
                           segment("other", "b", "10.200.10.1/24")))
        got = LAB.tree(segment("two", "a", "10.200.10.30/25"))
        self.refused(got, 400, 500105, "overlaps with Segment",
                     "/infra/segments/one", "10.200.10.0/24")
        self.fine(LAB.tree(segment("two", "a", "10.200.11.1/24")))

    def test_dhcp_ranges_are_only_added_to(self):
        def write(*ranges):
            return LAB.call("PATCH", "/infra/segments/s", {"subnets": [{
                "gateway_address": "10.0.0.1/24",
                "dhcp_ranges": list(ranges)}]})
        self.fine(write("10.0.0.100-10.0.0.110"))
        self.fine(write("10.0.0.100-10.0.0.110", "10.0.0.120-10.0.0.130"))
        self.refused(write("10.0.0.100-10.0.0.111"), 400, 255, "dhcp_ranges")

    def test_static_bindings_share_nothing(self):
        def binding(ident, mac, address):
            return LAB.call(
                "PATCH", "/infra/segments/s/dhcp-static-binding-configs/" +
                ident, {"resource_type": "DhcpV4StaticBindingConfig",
                        "mac_address": mac, "ip_address": address})
        self.fine(LAB.tree(child("Tier1", "t"),
                           segment("s", "t", "10.0.0.1/24")))
        self.fine(binding("a", "02:00:00:00:00:01", "10.0.0.5"))
        self.refused(binding("b", "02:00:00:00:00:02", "10.0.0.5"),
                     400, 500105)
        self.refused(binding("b", "02:00:00:00:00:02", "10.0.9.5"), 400, 255)

    def test_secrets_are_write_only(self):
        """Row 15."""
        LAB.ok("PATCH", "/infra/tier-1s/t", {})
        base = "/infra/tier-1s/t/ipsec-vpn-services/v"
        LAB.ok("PATCH", base, {})
        LAB.ok("PATCH", base + "/sessions/x", {
            "resource_type": "RouteBasedIPSecVpnSession", "psk": "hush",
            "peer_address": "192.0.2.1", "tunnel_interfaces": []})
        got = LAB.ok("GET", base + "/sessions/x")
        self.assertNotIn("psk", got)
        got = LAB.ok("GET", base + "/sessions/x?action=show_sensitive_data")
        self.assertEqual(got["psk"], "hush")
        self.assertNotIn("hush", str(LAB.objects()))


class Deletes(Case):
    """Rows 5 and 13."""

    def test_referrers_are_listed(self):
        self.group()
        LAB.ok("PATCH", POLICIES + "/p", {"rules": [
            rule("r", source_groups=[GROUPS + "/g"])]})
        self.refused(LAB.call("DELETE", GROUPS + "/g"), 400, 500030,
                     "path=[%s/g]" % GROUPS, "path=[%s/p/rules/r]" % POLICIES)
        LAB.ok("DELETE", POLICIES + "/p")
        LAB.ok("DELETE", GROUPS + "/g")

    def test_children_hold_their_parent(self):
        self.fine(LAB.tree(child("Tier1", "t", [child("LocaleServices",
                                                      "d")])))
        self.refused(LAB.call("DELETE", "/infra/tier-1s/t"), 400, 500030,
                     "/locale-services/d")
        LAB.ok("DELETE", "/infra/tier-1s/t/locale-services/d")
        LAB.ok("DELETE", "/infra/tier-1s/t")

    def test_deleting_is_marking(self):
        LAB.settings(purge_delay=60)
        self.group()
        LAB.ok("DELETE", GROUPS + "/g")
        self.assertEqual(LAB.call("GET", GROUPS + "/g").status, 404)
        self.assertEqual(LAB.ok("GET", GROUPS)["results"], [])
        marked = LAB.ok("GET", GROUPS +
                        "?include_mark_for_delete_objects=true")["results"]
        self.assertTrue(marked[0]["marked_for_delete"])
        self.refused(LAB.call("PATCH", GROUPS + "/g", {}), 400, 500045,
                     "wait for the purge cycle")
        self.refused(LAB.tree(domain(child("Group", "g"))), 400, 500045)
        LAB.control("POST", "/purge", {})
        self.group()

    def test_marked_objects_hold_what_they_refer_to(self):
        self.fine(LAB.tree(child("Tier1", "t"),
                           segment("s", "t", "10.0.0.1/24")))
        LAB.settings(purge_delay=60)
        LAB.ok("DELETE", "/infra/segments/s")
        self.refused(LAB.call("DELETE", "/infra/tier-1s/t"), 400, 500030,
                     "/infra/segments/s")
        LAB.control("POST", "/purge", {})
        LAB.ok("DELETE", "/infra/tier-1s/t")

    def test_purge_comes_by_itself(self):
        LAB.settings(purge_delay=0.1)
        self.group()
        LAB.ok("DELETE", GROUPS + "/g")
        LAB.until(lambda: LAB.call("PATCH", GROUPS + "/g", {}).status == 200)

    def test_segment_waits_for_its_vifs(self):
        LAB.settings(vif_lag=0.3)
        self.fine(LAB.tree(segment("s"), reference(
            "Segment", "s", child("SegmentPort", "p", attachment={
                "id": "v", "type": "STATIC"}))))
        self.refused(LAB.tree(gone("Segment", "s")), 400, 503040)
        LAB.ok("DELETE", "/infra/segments/s/ports/p")
        self.refused(LAB.call("DELETE", "/infra/segments/s"), 400, 503040)
        LAB.until(lambda: LAB.call(
            "DELETE", "/infra/segments/s").status == 200)

    def test_absent(self):
        self.refused(LAB.call("GET", GROUPS + "/none"), 404, 600,
                     "could not be found")
        self.refused(LAB.call("DELETE", GROUPS + "/none"), 404, 600)
        self.refused(LAB.call("PATCH", POLICIES + "/p", {"rules": [
            rule("r", source_groups=[GROUPS + "/none"])]}), 400, 500012,
            "The path=[%s/none] is invalid" % GROUPS)
        self.refused(LAB.call("PATCH", "/infra/tier-1s/x/static-routes/r", {
            "network": "10.0.0.0/8", "next_hops": [
                {"ip_address": "10.0.0.1"}]}), 400, 500012)


class Readings(Case):
    """Switches between two readings of the API that no source settles."""

    def test_of_what_is_not_there(self):
        path = GROUPS + "/none"
        LAB.settings(absent_code=500012, delete_absent="accept")
        self.refused(LAB.call("GET", path), 404, 500012)
        self.fine(LAB.call("DELETE", path))
        self.fine(LAB.tree(domain(gone("Group", "none"))))
        LAB.settings(hapi_delete_absent="refuse")
        self.refused(LAB.tree(domain(gone("Group", "none"))), 404, 600)
        LAB.settings(missing_parent_status=404)
        self.refused(LAB.call("GET", "/infra/tier-1s/x/static-routes"),
                     404, 500012)

    def test_of_revisions(self):
        self.group()
        LAB.settings(put_blind="stale")
        self.refused(LAB.call("PUT", GROUPS + "/g", {}), 412, 604)
        LAB.settings(noop_revision="keep")
        self.group()
        self.assertEqual(LAB.ok("GET", GROUPS + "/g")["_revision"], 0)
        self.group(description="x")
        self.assertEqual(LAB.ok("GET", GROUPS + "/g")["_revision"], 1)

    def test_of_ports(self):
        port = child("SegmentPort", "p", attachment={"id": "v"},
                     address_bindings=[{"ip_address": "10.0.0.5"}])
        self.fine(LAB.tree(segment("s"), reference("Segment", "s", port)))
        LAB.settings(bindings_stay=True, vif_lag=60)
        self.refused(LAB.tree(reference("Segment", "s", child(
            "SegmentPort", "p"))), 400, 255)
        both = [gone("Segment", "s"),
                reference("Segment", "s", gone("SegmentPort", "p"))]
        self.refused(LAB.tree(*both), 400, 503040)
        LAB.settings(vif_same_request="accept")
        self.fine(LAB.tree(*both))

    def test_of_sizes_and_codes(self):
        LAB.settings(body_limit=10)
        self.assertEqual(LAB.call("PATCH", GROUPS + "/g", {
            "description": "longer"}).status, 413)
        LAB.settings(body_limit=0, edge_needed=False, nat_match="",
                     wrong_scope_status=400, version="9.0.0.0")
        self.fine(LAB.tree(child("Tier1", "t", [reference(
            "PolicyNat", "USER", child("PolicyNatRule", "n", action="NO_SNAT",
                                       source_network="10.0.0.0/8"))])))
        LAB.ok("PATCH", "/orgs/default/projects/p", {})
        self.refused(LAB.call(
            "PATCH", "/orgs/default/projects/p/infra/segments/s",
            {"connectivity_path": "/infra/tier-1s/t"}), 400, 500012)


if __name__ == "__main__":
    unittest.main()
