#!/usr/bin/env bash
# 'tenet graph': what is drawn, ghosts and drift, hostile names, large networks,
# and no graphviz.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

repo=$work/intent
mkdir -p "$repo/inventories/lab" "$repo/tenants/acme" "$repo/tenants/blue"
cd "$repo" || exit 1
git init -q -b main
git config user.name Test && git config user.email test@example.org
printf 'apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: x}\nspec: {}\n' \
    >tenet.yml
python3 - "$work" <<'PY'
import json, sys
work = sys.argv[1]
hosts = {"hv1": "hv1", "hv2": "hv2", 'h"<b>&\\N;x': "hv3"}
open("inventories/lab/hosts.yml", "w").write(json.dumps({"all": {
    "vars": {"tenet_driver": "memory", "tenet_site": "ber"},
    "hosts": {h: {"tenet_memory_path": "%s/%s.json" % (work, f),
                  "tenet_underlay_address": "192.0.2.%s" % f[2:]}
              for h, f in hosts.items()}}}))
PY
vpc() { # vpc TENANT NAME PORTS
    {
        printf 'apiVersion: tenet/v1\nkind: Vpc\nmetadata: {name: %s}\n' "$2"
        printf 'spec:\n  cidrs: [10.1.0.0/16]\n  subnets:\n'
        printf '    - {name: front, cidr: 10.1.0.0/24}\n'
        for i in $(seq 1 "$3"); do
            printf -- '---\napiVersion: tenet/v1\nkind: Port\n'
            printf 'metadata: {name: %s-%s}\n' "$2" "$i"
            printf 'spec: {vpc: %s, subnet: front, host: hv%s, attach: {netns: %s-%s-%s}}\n' \
                "$2" $((i % 2 + 1)) "$1" "$2" "$i"
        done
    } >"tenants/$1/$2.yml"
}
for t in acme blue; do
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: %s}\nspec: {}\n' \
        $t >tenants/$t/tenant.yml
    vpc $t web 3
done
commit . "first <&\"\\N>"

g() { "$TENET" graph --no-cache "$@"; }
ask='
import json, sys
d = json.load(sys.stdin)
objects = {"host/" + h["name"]: h for h in d["hosts"]}
for v in d["vpcs"]:
    objects[v["scope"]] = v
    for s in v["subnets"]:
        objects[v["scope"] + "/" + s["name"]] = s
        objects.update({v["scope"] + "/" + p["name"]: p for p in s["ports"]})
for claim in sys.argv[1:]:
    name, state = claim.split("=")
    o = objects.get(name)
    got = (o["state"] + ("+drift" if o["drift"] else "")) if o else "none"
    assert got == state, (name, got, state)
'
states() { # states WHAT OPTIONS... -- NAME=STATE...
    local what=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    ok "$what" sh -c '"$@" --output json >"$0/json"' "$work" "$TENET" graph \
        --no-cache "${options[@]}"
    ok "$what: states" sh -c 'f=$1; shift; python3 -c "$0" "$@" <"$f"' "$ask" \
        "$work/json" "$@"
}
svg() { # svg WHAT OPTIONS...: well-formed XML with the texts it should have
    local what=$1
    shift
    exits "$what" 0 sh -c '"$@" --output svg >"$0/svg"' "$work" "$TENET" graph \
        --no-cache "$@"
    ok "$what: is XML, and only SVG" python3 -c '
import re, sys, xml.etree.ElementTree as x
t = x.parse(sys.argv[1])
tags = {e.tag.split("}")[-1] for e in t.iter()}
assert tags <= {"svg", "g", "a", "title", "text", "polygon", "path", "ellipse",
                "polyline", "defs", "style"}, tags
for e in t.iter():
    for k, v in e.attrib.items():
        assert not (k.endswith("href") and ":" in v.split("/")[0]), v
' "$work/svg"
}

exits "DOT" 0 g
says "is what graphviz reads" "^digraph tenet"
says "names are texts, never identifiers" '^ +h0 \[label=<'
is "equal intents, equal pictures" "$(g | sha256sum)" "$(g | sha256sum)"
states "no plan, no states" -- acme/web=same host/hv1=same
if command -v dot >/dev/null; then
    svg "SVG"
    ok "the hostile host is there, as text" python3 -c '
import sys, xml.etree.ElementTree as x
texts = [e.text for e in x.parse(sys.argv[1]).iter() if e.tag.endswith("text")]
assert "h\"<b>&\\N;x" in texts, texts
' "$work/svg"
    ok "with lines as links" grep -q 'tenants/acme/web.yml#L' "$work/svg"
    ok "that begin as asked" sh -c '"$0" graph --links https://git/x/ |
        grep -q "HREF=\"https://git/x/tenants/acme/web.yml#L9\""' "$TENET"
fi
exits "no graphviz: says so" 1 env PATH=/nonexistent "$TENET" graph --output svg
says "and what to do" "install graphviz"
exits "no such format" 1 g --output png
exits "a filter that leaves nothing" 1 g --tenant nobody
exits "a VPC" 0 g --vpc acme/web
not_ok "is drawn alone" grep -q blue "$work/log"
exits "a host" 0 g --host hv1
not_ok "is drawn alone" grep -q hv2 "$work/log"

states "nothing was applied: all is new" --live -- acme/web=new \
    acme/web/web-1=new blue/web/front=new
exits "apply" 0 "$TENET" apply --yes
states "then nothing is" --live -- acme/web=same acme/web/web-1=same
sed -i '0,/name: web-2}/s//name: web-9}/' tenants/acme/web.yml
sed -i '1i# moved down' tenants/acme/web.yml
vpc acme app 1
git rm -q tenants/blue/web.yml
commit . "second"
python3 - "$work/hv2.json" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
key = next(k for k in d["resources"] if "acme/web/port/web-" in k)
d["resources"][key]["attrs"]["mac"] = dict(
    d["resources"][key]["attrs"]["mac"], value="02:00:00:00:00:01") if isinstance(
    d["resources"][key]["attrs"]["mac"], dict) else "02:00:00:00:00:01"
assert key.endswith("web-1"), key
json.dump(d, open(sys.argv[1], "w"))
PY
states "what is about to happen" --live -- acme/app=new acme/app/app-1=new \
    acme/web=same acme/web/web-9=new acme/web/web-2=gone \
    acme/web/web-1=changed+drift acme/web/web-3=same blue/web=gone \
    blue/web/front=gone blue/web/web-3=gone
states "offline, by the snapshots" --offline -- acme/app=new blue/web=gone \
    acme/web/web-2=gone acme/web/web-1=same
not_ok "no drift can be seen there" grep -q '"drift": true' "$work/json"
if command -v dot >/dev/null; then
    svg "ghosts as a picture" --live
    ok "with a key" grep -q "will be removed" "$work/svg"
    ok "and dashes" grep -q "stroke-dasharray" "$work/svg"
fi
rm "$work/hv2.json" && mkdir "$work/hv2.json"
exits "a device that cannot be read" 0 g --live
says "is not known" "\\? not known"

for n in $(seq 1 90); do vpc acme "v$n" 2; done
for n in 1 2; do vpc blue "w$n" 60; done
commit . "many"
exits "many VPCs: one card a tenant" 0 g
says "that counts" "92 VPCs"
says "and folds" "and [0-9]+ more VPCs"
is "within bounds" yes "$([ "$(g | wc -c)" -lt 20000 ] && echo yes || echo no)"
exits "a large VPC" 0 g --tenant blue
says "counts its ports" "60 ports"
if command -v dot >/dev/null; then svg "many as a picture"; fi

# A cloud of OVN: what is in it is on its hypervisors.
git checkout -q HEAD~1
mkdir -p inventories/ovn
cat >inventories/ovn/hosts.yml <<YAML
all:
  hosts:
    cloud: {tenet_driver: ovn, tenet_ovsdb_remote: "unix:$work/nb.sock"}
    idle: {tenet_driver: memory, tenet_underlay_address: 192.0.2.9, tenet_memory_path: $work/idle.json}
    hv1: {tenet_driver: openvswitch, tenet_ovn: cloud, tenet_underlay_address: 192.0.2.1, tenet_ovsdb_remote: "unix:$work/1.sock"}
    hv2: {tenet_driver: openvswitch, tenet_ovn: cloud, tenet_underlay_address: 192.0.2.2, tenet_ovsdb_remote: "unix:$work/2.sock"}
YAML
exits "a cloud" 0 g -w -e ovn
says "has what its hypervisors have" "<B>cloud</B>.*[1-9][0-9]* ports of [1-9]"
says "which are drawn with it" "^  h[0-9]+:e -> h[0-9]+:w \\[style=dotted\\];$"
says "and say so" "openvswitch of cloud"
says "what is idle stands beside them" "^  v0 -> h[0-9]+ \\[style=invis\\];$"
finish
