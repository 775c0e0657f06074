#!/usr/bin/env bash
# Drift to detection: the watch of the kernel driver against a bare netlink
# listener on the same event, each from the moment the command is started;
# median and 99th percentile. Then what watching VPCS VPCs costs while nothing
# happens.
#
#   BENCH=build/release/tests/bench tests/bench/drift.sh [ROUNDS [VPCS [SECONDS]]]
set -euo pipefail
rounds=${1:-200} vpcs=${2:-1000} seconds=${3:-60}
watch=${BENCH:?the directory of drift_watch}/drift_watch
host=tdrift ns=tdrift.tn.acme.v0 batch=$(mktemp)

sweep() {
    local n
    rm -f "$batch"
    for n in $(ip netns list | awk '{print $1}' | grep -E "^$host(\.|$)" || true); do
        ip netns del "$n"
    done
}
trap sweep EXIT

# A bridge, a tunnel and a pair of interfaces in each.
furnish() { # furnish FIRST END
    for ((i = $1; i < $2; i++)); do
        [ -e "/run/netns/$host.tn.acme.v$i" ] || ip netns add "$host.tn.acme.v$i"
        cat >"$batch" <<BATCH
link add b-net type bridge
link add x-net master b-net type vxlan id $((5000 + i)) dstport 4789 local 192.0.2.1
link add p-one type veth peer name far
link set p-one master b-net up
link set x-net up
link set b-net up
address add 10.0.0.1/24 dev b-net
BATCH
        ip -n "$host.tn.acme.v$i" -batch "$batch"
    done
}
kind() { "$watch" "$host" 1 "$rounds" "$@"; }

ip netns add "$host"
ip netns add "$ns"
furnish 0 1
ip -n "$ns" link add b-two type bridge
ip -n "$ns" addr add 10.0.0.2/24 dev b-net
ip -n "$ns" route add 172.16.0.0/16 via 10.0.0.9
ip -n "$ns" neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev b-net nud permanent
bridge -n "$ns" fdb add 02:00:00:00:00:09 dev x-net dst 192.0.2.9 self extern_learn
ip netns exec "$ns" nft 'add table inet tenet; add chain inet tenet c; add rule inet tenet c accept'

kind link-down "ip -n $ns link set x-net down" "ip -n $ns link set x-net up"
kind link-del "ip -n $ns link del b-two" "ip -n $ns link add b-two type bridge"
kind addr-del "ip -n $ns addr del 10.0.0.2/24 dev b-net" \
    "ip -n $ns addr add 10.0.0.2/24 dev b-net"
kind route-del "ip -n $ns route del 172.16.0.0/16" "ip -n $ns route add 172.16.0.0/16 via 10.0.0.9"
kind fdb-del "bridge -n $ns fdb del 02:00:00:00:00:09 dev x-net dst 192.0.2.9 self" \
    "bridge -n $ns fdb add 02:00:00:00:00:09 dev x-net dst 192.0.2.9 self extern_learn"
kind neigh-del "ip -n $ns neigh del 10.0.0.9 dev b-net" \
    "ip -n $ns neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev b-net nud permanent"
kind rule-flush "ip netns exec $ns nft flush chain inet tenet c" \
    "ip netns exec $ns nft add rule inet tenet c accept"
kind table-del "ip netns exec $ns nft delete table inet tenet" \
    "ip netns exec $ns nft add table inet tenet"

furnish 1 "$vpcs"
"$watch" "$host" "$vpcs" idle "$seconds"
