#!/usr/bin/python3
"""Hands that are not tenet's, at a simulated NSX: what an administrator does.

    nsx_hands.py READY tamper KIND PATH     changes one object of ours
    nsx_hands.py READY foreign [SEGMENT TIER1 POLICY]
                                            makes objects of somebody else, or
                                            some inside of ours
    nsx_hands.py READY dump INSTANCE        prints all that is not INSTANCE's

READY is the file that the simulator wrote when it was ready.  Everything goes
through the REST interface as it would on a real manager, but for the dump.
"""
import base64
import json
import ssl
import sys
import urllib.request

with open(sys.argv[1], encoding="utf-8") as ready:
    LAB = json.load(ready)
with open(LAB["password_file"], encoding="utf-8") as secret:
    LOGIN = base64.b64encode(("%s:%s" % (LAB["user"], secret.read().strip()))
                             .encode()).decode()
TLS = ssl.create_default_context(cafile=LAB["ca"])
MARK = {"scope": "owner", "tag": "hand"}


def call(method, path, body=None):
    request = urllib.request.Request(
        LAB["urls"][0] + "/policy/api/v1" + path, method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Basic " + LOGIN,
                 "Content-Type": "application/json"})
    with urllib.request.urlopen(request, context=TLS) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def change(path, **fields):
    body = call("GET", path)
    body.update(fields)
    call("PUT", path, body)


def addresses(*texts):
    return [{"resource_type": "IPAddressExpression",
             "ip_addresses": list(texts)}]


def tamper(kind, path):
    if kind == "router":
        change(path, route_advertisement_types=["TIER1_NAT"])
    elif kind in ("segment", "transit"):
        change(path, admin_state="DOWN")
    elif kind in ("guard", "group", "members"):
        change(path, expression=addresses("203.0.113.9"))
    elif kind in ("closing", "policy"):
        body = call("GET", path)
        body.pop("rules", None)
        body["stateful"] = not body.get("stateful", True)
        call("PATCH", path, body)
    elif kind in ("filter", "rule"):
        change(path, disabled=True)
    elif kind == "service":
        change(path, service_entries=[{
            "resource_type": "L4PortSetServiceEntry", "id": "hand",
            "l4_protocol": "TCP", "destination_ports": ["1"]}])
    elif kind == "route":
        change(path, next_hops=[{"ip_address": "198.51.100.9"}])
    elif kind == "edge":
        body = call("GET", path)
        del body["edge_cluster_path"]
        call("PUT", path, body)
    elif kind == "link":
        change(path, subnets=[{"ip_addresses": ["198.18.0.1"],
                               "prefix_len": 30}])
    elif kind in ("port", "profile"):
        call("DELETE", path)
    else:
        sys.exit("no hand for a %s" % kind)


def foreign(segment=None, router=None, policy=None):
    if segment is None:
        call("PATCH", "/infra/tier-1s/by-hand", {"tags": [MARK]})
        call("PATCH", "/infra/segments/by-hand", {
            "connectivity_path": "/infra/tier-1s/by-hand",
            "subnets": [{"gateway_address": "10.1.0.1/24"}]})
        call("PATCH", "/infra/domains/default/groups/by-hand",
             {"expression": addresses("10.1.0.0/24")})
        call("PATCH", "/infra/domains/default/security-policies/by-hand", {
            "tags": [MARK], "category": "Application", "rules": [
                {"id": "by-hand", "action": "DROP", "resource_type": "Rule",
                 "source_groups": ["/infra/domains/default/groups/by-hand"],
                 "sequence_number": 7}]})
        return
    call("PATCH", segment + "/ports/by-hand", {"display_name": "by hand"})
    call("PATCH", router + "/static-routes/by-hand", {
        "network": "192.0.2.0/24", "next_hops": [{"ip_address": "10.1.0.9"}]})
    call("PATCH", policy + "/rules/by-hand",
         {"action": "ALLOW", "sequence_number": 4711, "tags": [MARK]})
    body = call("GET", segment)
    change(segment, tags=body.get("tags", []) + [MARK],
           description="described by hand")


def dump(instance):
    with urllib.request.urlopen(LAB["control"] + "/store") as answer:
        objects = json.load(answer)["objects"]
    for path, body in objects.items():
        if "/service-entries/" in path:  # They have no marks of their own.
            body = objects[path.split("/service-entries/")[0]]
            if "tags" in body:
                continue
        tags = body.get("tags", [])
        if any(t == {"scope": "tenet/instance", "tag": instance}
               for t in tags):
            if MARK in tags:
                print(path, "marked", body.get("description"))
        elif not body["_system_owned"]:
            print(path, json.dumps(body, sort_keys=True))


{"tamper": tamper, "foreign": foreign, "dump": dump}[sys.argv[2]](
    *sys.argv[3:])
