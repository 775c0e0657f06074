#!/usr/bin/python3
"""Whatever somebody changes in objects of ours is seen and mended, if it is
what intent says or lets more pass; what is theirs is kept.

    drift_test.py TENET

Each row is a read, a change and a write by another user of the simulator, as a
person in the vendor's interface does it. A plan must tell of exactly one
change, an apply must mend it, and at last a plan has nothing to do.
"""
import sys
import tempfile

sys.dont_write_bytecode = True

from lab import Lab  # noqa: E402
from property_test import Run, compare, ours  # noqa: E402

EVIL = {"resource_type": "L4PortSetServiceEntry", "l4_protocol": "TCP",
        "destination_ports": ["22"]}
IN = "__all/rules/in"
# What, the type, a part of the path, what to do to the body.
ROWS = [
    ("an entry in a service", "Service", "_tcp-", lambda d:
     d["service_entries"].append({**EVIL, "id": "e", "display_name": "e"})),
    ("a rule that is off", "Rule", IN, lambda d: d.update(disabled=True)),
    ("another action", "Rule", IN, lambda d: d.update(action="ALLOW")),
    ("a match of its own", "Rule", IN, lambda d:
     d.update(service_entries=[EVIL])),
    ("all but one", "Rule", IN, lambda d:
     d.update(source_groups=["10.0.0.1"], sources_excluded=True)),
    ("the order of rules", "Rule", IN, lambda d:
     d.update(sequence_number=900)),
    ("everybody's rules", "SecurityPolicy", "__all", lambda d:
     d.update(scope=["ANY"])),
    ("the order of policies", "SecurityPolicy", "__all", lambda d:
     d.update(sequence_number=1)),
    ("no memory", "SecurityPolicy", "__all", lambda d:
     d.update(stateful=False)),
    ("other members", "Group", "__all", lambda d: d.update(expression=[
        {"resource_type": "IPAddressExpression",
         "ip_addresses": ["192.0.2.1"]}])),
    ("more members", "Group", "__members", lambda d:
     d["expression"][0]["ip_addresses"].append("192.0.2.1")),
    ("a way out", "Tier1", "", lambda d:
     d.update(tier0_path="/infra/tier-0s/t0")),
    ("advertised", "Tier1", "", lambda d:
     d.update(route_advertisement_types=["TIER1_CONNECTED"])),
    ("a segment that is off", "Segment", "", lambda d:
     d["advanced_config"].update(connectivity="OFF")),
    ("out of its groups", "SegmentPort", "", lambda d: d.update(
        tags=[t for t in d["tags"] if t["scope"] != "tenet/group"])),
    ("any source", "SegmentPort", "", lambda d:
     d.update(address_bindings=[])),
    ("another interface", "SegmentPort", "", lambda d:
     d["attachment"].update(id="0b0c27b1-3b0c-4e08-8a3b-5d5c7c0bb7b6")),
    ("another way", "StaticRoutes", "", lambda d:
     d.update(next_hops=[{"ip_address": "10.255.0.1"}])),
    ("any source from a peer", "Tier1Interface", "", lambda d:
     d.update(urpf_mode="NONE")),
    ("another profile", "SegmentSecurityProfileBindingMap", "", lambda d:
     d.pop("spoofguard_profile_path")),
]
KEPT = [
    ("a tag", "SegmentPort", lambda d:
     d["tags"].append({"scope": "owner", "tag": "somebody"})),
    ("a description", "Segment", lambda d: d.update(description="mine")),
    ("logging", "Rule", lambda d: d.update(logged=True)),
]
SEED = 2  # An intent that has all of these.


def change(lab, kind, part, edit):
    """Reads, changes, writes; returns the path."""
    objects = lab.objects()
    path = next(p for p in sorted(ours(objects))
                if objects[p]["resource_type"] == kind and part in p)
    body = lab.ok("GET", path)
    edit(body)
    lab.ok("PUT", path, body)
    return path


def mended(run, what, kind, part, edit):
    """The plan of the next row shows that nothing of this one is left."""
    path = change(run.lab, kind, part, edit)
    code, said, err = run.ask("plan", "--detailed-exitcode")
    if code != 3 or "0 to add, 1 to change, 0 to destroy" not in said:
        return "%s of %s: plan: exit %d\n%s%s" % (what, path, code, said, err)
    code, said, err = run.ask("apply", "--yes")
    if code:
        return "%s of %s: apply: exit %d\n%s%s" % (what, path, code, said, err)
    return ""


def kept(run):
    for _, kind, edit in KEPT:
        change(run.lab, kind, "", edit)
    code, said, err = run.ask("plan", "--detailed-exitcode")
    objects = str(run.lab.objects())
    if code:
        return "what is theirs is told of, or something is left: %d\n%s%s" % (
            code, said, err)
    return "" if "somebody" in objects and "mine" in objects else \
        "what is theirs was not kept"


def main():
    options = type("Options", (), {"tenet": sys.argv[1], "mode": ""})
    wrong = []
    with tempfile.TemporaryDirectory(prefix="nsx-drift-") as folder, \
            Lab("--set", "purge_delay=0.05", "--set", "realise_delay=0.02",
                "--set", "entities_delay=0", folder=folder) as lab:
        run = Run(options, lab, folder, SEED)
        run.write(0)
        run.apply("the intent")
        for row in ROWS:
            wrong.append(mended(run, *row))
        wrong.append(kept(run))
        compare(run, "afterwards")
    wrong = [w for w in wrong if w]
    for text in wrong:
        print("not ok", text)
    print("# %d changes, %d findings" % (len(ROWS) + len(KEPT), len(wrong)))
    sys.exit(1 if wrong else 0)


main()
