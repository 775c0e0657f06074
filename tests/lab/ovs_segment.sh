#!/usr/bin/env bash
# Segments of Open vSwitch without OVN: one subnet each, over vxlan, geneve and
# gre, two tenants with the same addresses, three hypervisors; what a bridge is
# no answer to is refused with its line.
# shellcheck disable=SC2317
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/ovn_lib.sh
. "$here/ovn_lib.sh"
repo=$work/intent

segment() { # segment TENANT ENCAPSULATION
    cat >"$repo/tenants/$1/net.yml" <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: net}
spec: {cidrs: [10.7.0.0/24], encapsulation: $2, subnets: [{name: lan, cidr: 10.7.0.0/24}]}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: open}
spec: {rules: [{direction: ingress}]}
YAML
    local i
    for i in 1 2 3; do
        cat >>"$repo/tenants/$1/net.yml" <<YAML
---
apiVersion: tenet/v1
kind: Port
metadata: {name: p$i}
spec: {vpc: net, subnet: lan, host: hv$i, address: 10.7.0.1$i, mac: "$(mac_of "$1" "$i")", securityGroups: [open], attach: {interface: $1$i}}
YAML
    done
}
mac_of() { [ "$1" = acme ] && echo "02:00:00:00:0a:0$2" || echo "02:00:00:00:0b:0$2"; }
apply() { "$TENET" apply --yes -C "$repo"; }
bridges() { vs "$1" --bare --columns=name find Bridge 'external_ids:tenet-instance!=""' | grep .; }
reaches() { # reaches TENANT FROM TO: within a while, as switches learn first
    local _
    for _ in $(seq 20); do
        pings "$PREFIX-$1$2" "10.7.0.1$3" 1 >/dev/null && return
    done
    return 1
}

ovn_up 3 0 2>/dev/null
intent_new "$repo" 0
rm -rf "$repo/inventories/lab/host_vars"
cat >"$repo/inventories/lab/hosts.yml" <<YAML
all:
  vars: {tenet_driver: openvswitch, tenet_ovs_datapath: netdev, tenet_underlay_mtu: 1600}
  hosts:
    hv1: {tenet_ovsdb_remote: "unix:$ovn/h1/db.sock", tenet_underlay_address: 192.0.2.11}
    hv2: {tenet_ovsdb_remote: "unix:$ovn/h2/db.sock", tenet_underlay_address: 192.0.2.12}
    hv3: {tenet_ovsdb_remote: "unix:$ovn/h3/db.sock", tenet_underlay_address: 192.0.2.13}
YAML
for t in acme beta; do
    mkdir -p "$repo/tenants/$t"
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: %s}\n' "$t" >"$repo/tenants/$t/tenant.yml"
    segment "$t" vxlan
    for i in 1 2 3; do
        ovn_vm "$t$i" "$i" "$(mac_of "$t" "$i")" "10.7.0.1$i/24" 10.7.0.1
    done
done
commit "$repo" one

for encapsulation in vxlan geneve gre; do
    segment acme "$encapsulation"
    git -C "$repo" diff --quiet || commit "$repo" "$encapsulation"
    ok "$encapsulation: applied" apply
    ok "$encapsulation: hv1 reaches hv2" reaches acme 1 2
    ok "$encapsulation: hv3 reaches hv1" reaches acme 3 1
    ok "$encapsulation: hv2 reaches hv3" reaches acme 2 3
    is "$encapsulation: its tunnels" 2 "$(vs 1 --bare --columns=name find Interface "type=$encapsulation" |
        grep -cxF -f <(vs 1 --bare --columns=name find Interface 'external_ids:tenet-scope=acme/net' | grep .))"
    ok "$encapsulation: nothing is left to do" test "$("$TENET" plan -C "$repo" --detailed-exitcode >/dev/null; echo $?)" = 0
done
ok "the other tenant has the same addresses and its own answers" reaches beta 1 2
ip -n "$PREFIX-beta2" link set eth0 down
not_ok "and is not answered by others" pings "$PREFIX-beta1" 10.7.0.12
ip -n "$PREFIX-beta2" link set eth0 up

# A mesh without a loop: one broadcast arrives once.
ip netns exec "$PREFIX-acme3" timeout 4 tcpdump -lni eth0 'icmp and dst 10.7.0.255' >"$work/dump" 2>/dev/null &
dump=$!
sleep 1
ip netns exec "$PREFIX-acme1" ping -b -n -q -c 1 -W 1 10.7.0.255 >/dev/null 2>&1
wait "$dump"
is "a broadcast arrives once" 1 "$(grep -c 10.7.0.255 "$work/dump")"

# Drift.
vs 1 del-port "$(vs 1 --bare --columns=name find Interface 'options:remote_ip="192.0.2.12"' | head -1)"
ok "a tunnel that was deleted is made again" apply
ok "and carries" reaches acme 1 2

# A bridge of others is not touched, nor are ours when a tenant goes.
before=$(vs 1 list Bridge br-phy)
git -C "$repo" rm -rq tenants/beta
commit "$repo" two
ok "a tenant goes" apply
is "its bridge, too" 1 "$(bridges 1 | grep -c .)"
is "that of others is as it was" "$before" "$(vs 1 list Bridge br-phy)"
ok "the other tenant has noticed nothing" reaches acme 1 3

# What a bridge is no answer to.
sed -i 's/securityGroups: \[open\]/securityGroups: []/' "$repo/tenants/acme/net.yml"
commit "$repo" three
"$TENET" plan -C "$repo" >"$work/refused" 2>&1
ok "a port that is to be closed is refused with its line" grep -q 'tenants/acme/net.yml:[0-9]*:[0-9]*: error: Open vSwitch without OVN has no packet rules' "$work/refused"

git -C "$repo" revert --no-edit HEAD >/dev/null
ok "destroyed" "$TENET" destroy --yes -C "$repo"
is "nothing of ours is left" "" "$(for i in 1 2 3; do bridges "$i"; done)"
finish
