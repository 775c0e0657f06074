#!/usr/bin/env bash
# Hypervisors as network namespaces on one underlay, for the demo and the tests.
#
#   lab.sh up PREFIX N [MTU]   PREFIX1 .. PREFIXN with 192.0.2.11, .12, ...
#   lab.sh down PREFIX         removes them and every VPC namespace in them
#
# The underlay is a bridge in the namespace PREFIX-underlay. Nothing is made
# outside namespaces of that prefix.
set -euo pipefail

up() {
    local prefix=$1 n=$2 mtu=${3:-1500} under=$1-underlay
    ip netns add "$under"
    ip -n "$under" link add underlay type bridge mcast_snooping 0
    ip -n "$under" link set underlay up mtu "$mtu"
    for ((i = 1; i <= n; i++)); do
        local hv=$prefix$i
        ip netns add "$hv"
        ip -n "$hv" link set lo up
        ip -n "$hv" link add eth0 mtu "$mtu" type veth \
            peer name "to-$i" mtu "$mtu" netns "$under"
        ip -n "$under" link set "to-$i" master underlay up
        ip -n "$hv" addr add "192.0.2.$((10 + i))/24" dev eth0
        ip -n "$hv" link set eth0 up
    done
}

down() {
    local prefix=$1 ns
    for ns in $(ip netns list | awk '{print $1}' |
        grep -E "^${prefix}([0-9]+(\.tn\..*)?|-underlay)$" || true); do
        ip netns del "$ns"
    done
}

case ${1:-} in
up) up "${@:2}" ;;
down) down "${@:2}" ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 1 ;;
esac
