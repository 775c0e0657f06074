#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# Every row that tenet made in databases of real OVN and Open vSwitch leads back
# to a line: by its name, its mark and its uuid.
PREFIX=${PREFIX:-tovnbl}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/ovn_lib.sh
. "$here/ovn_lib.sh"
repo=$work/intent
cleanup() {
    ovn_down
    lab_sweep
}

ovn_up 3 1 2>/dev/null
intent_new "$repo" 0
rm -rf "$repo/inventories/lab/host_vars"
cat >"$repo/inventories/lab/hosts.yml" <<YAML
all:
  hosts:
    cloud: {tenet_driver: ovn, tenet_ovsdb_remote: "$(nb_remote)", tenet_ovn_southbound: "tcp:$ovn_central:6650"}
  children:
    hypervisors:
      vars: {tenet_driver: openvswitch, tenet_ovs_datapath: netdev, tenet_underlay_mtu: 1600}
      hosts:
        hv1: {tenet_ovn: cloud, tenet_ovsdb_remote: "unix:$ovn/h1/db.sock", tenet_underlay_address: 192.0.2.11}
        hv2: {tenet_ovsdb_remote: "unix:$ovn/h2/db.sock", tenet_underlay_address: 192.0.2.12}
        hv3: {tenet_ovsdb_remote: "unix:$ovn/h3/db.sock", tenet_underlay_address: 192.0.2.13}
YAML
mkdir -p "$repo/tenants/acme"
printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' >"$repo/tenants/acme/tenant.yml"
cat >"$repo/tenants/acme/net.yml" <<YAML
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: open}
spec: {rules: [{direction: ingress}]}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: db}
spec: {rules: [{direction: ingress, protocol: tcp, ports: 5432, remote: {group: db}}, {direction: egress}]}
---
apiVersion: tenet/v1
kind: Vpc
metadata: {name: seg}
spec: {cidrs: [10.7.0.0/24], subnets: [{name: lan, cidr: 10.7.0.0/24}]}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: s2}
spec: {vpc: seg, subnet: lan, host: hv2, securityGroups: [open], attach: {interface: s2}}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: s3}
spec: {vpc: seg, subnet: lan, host: hv3, securityGroups: [open], attach: {netns: $PREFIX-s3}}
YAML
for v in web ops; do
    n=$([ $v = web ] && echo 1 || echo 2)
    cat >"$repo/tenants/acme/$v.yml" <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: $v}
spec:
  cidrs: [10.$n.0.0/16]
  subnets:
    - {name: front, cidr: 10.$n.0.0/24, dhcp: {leaseTime: 600}}
    - {name: back, cidr: 10.$n.1.0/24}
  routes: [{to: 172.16.$n.0/24, via: 10.$n.0.9}]
---
apiVersion: tenet/v1
kind: Port
metadata: {name: ${v}1}
spec: {vpc: $v, subnet: front, host: hv1, securityGroups: [db], attach: {interface: ${v}1}}
---
apiVersion: tenet/v1
kind: Peering
metadata: {name: of-$v}
spec: {vpc: $v, peer: {vpc: $([ $v = web ] && echo ops || echo web)}, export: [10.$n.0.0/24]}
YAML
done
commit "$repo" "acme: All of it"
ok "applied" "$TENET" apply --yes -C "$repo"

# HOST UUID KEY NAME, for each row that bears our mark; NAME may be "".
rows() { # rows HOST SOCKET DATABASE TABLE...
    local table
    for table in "${@:4}"; do
        ovsdb-client -f json dump "unix:$2" "$3" "$table" | python3 -c '
import json, sys
table = json.load(sys.stdin)
for values in table["data"]:
    row = dict(zip(table["headings"], values))
    ids = dict(row.get("external_ids", ["map", []])[1])
    name = row.get("name", "")
    if "tenet-key" in ids:
        print(sys.argv[1], row["_uuid"][1], ids["tenet-key"], name if isinstance(name, str) else "", sep="\t")
' "$1"
    done
}
{
    rows cloud "$ovn/c/nb1.sock" OVN_Northbound Logical_Router Logical_Switch Logical_Router_Port \
        Logical_Switch_Port Port_Group ACL DHCP_Options Logical_Router_Static_Route Logical_Router_Policy
    for i in 1 2 3; do
        rows "hv$i" "$ovn/h$i/db.sock" Open_vSwitch Open_vSwitch Bridge Port Interface
    done
} >"$work/rows"
ok "there is something to ask for" test "$(wc -l <"$work/rows")" -ge 60

# All answers for one row are the same lines; none only mentions the name.
places() { # places HOST NAME
    "$TENET" blame -C "$repo" "$2" --host "$1" --verbose >"$work/answer" 2>&1 || return
    if grep -q 'mentions it' "$work/answer"; then
        return 1
    fi
    grep -E '^(tenants|inventories)/' "$work/answer"
}
wrong=0
while IFS=$'\t' read -r host uuid key name; do
    want=$(places "$host" "$key")
    for by in "$uuid" "$name"; do
        [ -n "$by" ] || continue
        if [ -z "$want" ] || [ "$(places "$host" "$by")" != "$want" ]; then
            echo "# $host $key: not by '$by'"
            sed 's/^/#   /' "$work/answer"
            wrong=$((wrong + 1))
        fi
    done
done <"$work/rows"
is "each leads to its line by its uuid and its name" 0 $wrong

IFS=$'\t' read -r _ uuid key _ < <(grep -P '\tacme/web/acl/' "$work/rows")
exits "a rule by its uuid" 0 "$TENET" blame -C "$repo" "$uuid" --host cloud
says "leads to its line" "^tenants/acme/net.yml:9$"
says "and its object" "$key"
exits "a row that is not ours" 1 "$TENET" blame -C "$repo" --host hv1 \
    "$(vs 1 get bridge br-phy _uuid)"
says "is none" "no row of that uuid there is ours"
exits "a uuid without its database" 1 "$TENET" blame -C "$repo" "$uuid"

# What is no longer wanted is still there, and has been asked for.
git -C "$repo" rm -q tenants/acme/ops.yml
commit "$repo" "acme: Without ops"
uuid=$(nb --bare --columns=_uuid find logical_router name="$PREFIX/acme/ops")
sed -i '/^kind: Peering/,$d' "$repo/tenants/acme/web.yml"
sed -i '$d' "$repo/tenants/acme/web.yml"
sed -i '$d' "$repo/tenants/acme/web.yml"
commit "$repo" "acme: Without a peer"
exits "a router that nobody wants now" 0 "$TENET" blame -C "$repo" "$uuid" --host cloud
says "and who took it away" "removed by .*acme: Without ops"
finish
