#!/usr/bin/env bash
# 'tenet reach' against real packets: for each seed a lab with a random intent;
# every pair of ends in both directions, allowed and refused, is compared with
# the oracle, and a sample of the verdicts is asked by packets. Then the intent
# changes, and all of it again. Before that, a default route by a port.
#
#   reach.sh SEED...      MOST=n probes of either kind, STEPS=n changes,
#                         HOPS=--hops virtual addresses and default routes
PREFIX=${PREFIX:-treach}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
steps=${STEPS:-0} most=${MOST:-300}
export PYTHONDONTWRITEBYTECODE=1 TENET

tenet() { "$TENET" "$@" -C "$repo"; }
applied() { # applied WHAT
    local code=0
    tenet apply --yes >"$work/apply" 2>&1 || code=$?
    is "$seed: $1" 0 $code
    [ $code -eq 0 ] || tail -n 25 "$work/apply" | sed 's/^/#   /'
}
verdicts() { # verdicts WHEN PHASE
    /usr/bin/python3 "$here/random_probe.py" furnish "$repo"
    ok "$seed: packets are as reach says $1" /usr/bin/python3 \
        "$here/reach_probe.py" "$repo" --seed "$seed" --phase "$2" \
        --most "$most"
    grep '^#' "$work/log"
}
intent() { # intent STEP
    /usr/bin/python3 "$here/random_intent.py" "$seed" "$1" "$repo" \
        --prefix "$PREFIX" ${HOPS:+"$HOPS"} | sed "s/^# /# $seed: /"
}
one_seed() {
    lab_sweep
    rm -rf "$repo" "$TENET_STATE_DIR"
    "$here/lab.sh" up "$PREFIX" 3
    for i in 1 2 3; do
        ip -n "${PREFIX}$i" addr add "2001:db8:1::1$i/64" dev eth0 nodad
    done
    mkdir -p "$repo"
    git -C "$repo" init -q -b main
    git -C "$repo" config user.name Test
    git -C "$repo" config user.email test@example.org
    intent 0
    commit "$repo" "seed $seed"
    applied "the intent is applied"
    verdicts "at first" 1
    for ((i = 1; i <= steps; i++)); do
        intent "$i"
        commit "$repo" "change $i"
        applied "change $i is applied"
        verdicts "after change $i" $((i + 1))
    done
}

port() { # port NAME SUBNET HOST ADDRESS GROUP [ALLOWED]
    cat <<YAML
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $1}
spec:
  {vpc: web, subnet: $2, host: $3, address: $4, securityGroups: [$5],
   allowedAddresses: [${6:-}], attach: {netns: $PREFIX-$1}}
YAML
}
# By hand, beside the random ones: a default route by a port whose groups let
# little in, and routes by virtual addresses (10.1.1.70: of two ports, of which
# one is on the other host). What the rules of a host make of that is
# docs/reach.md's.
router_intent() {
    cat <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec:
  cidrs: [10.1.0.0/16]
  subnets:
    - {name: front, cidr: 10.1.0.0/24}
    - {name: back, cidr: 10.1.1.0/24}
  routes:
    - {to: 0.0.0.0/0, via: 10.1.0.9}
    - {to: 172.16.0.0/16, via: 10.1.1.70}
    - {to: 172.17.0.0/16, via: 10.1.0.71}
    - {to: 172.18.0.0/16, via: 10.1.0.6}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: open}
spec: {rules: [{direction: ingress}]}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: shut}
spec: {rules: [{direction: ingress, protocol: tcp, ports: 22}]}
YAML
    port near front hv1 10.1.0.5 open
    port router front hv1 10.1.0.9 shut
    port far front hv2 10.1.0.6 open
    port back back hv1 10.1.1.5 open
    port shut back hv1 10.1.1.20 shut 10.1.1.70/32
    port twin back hv2 10.1.1.21 shut 10.1.1.70/32
    port wide front hv1 10.1.0.22 open 10.1.0.71/32
}
# shellcheck disable=SC2016 # awk expands it.
echoes() { from "$PREFIX-$1" awk '/^Icmp: [0-9]/ {print $10}' /proc/net/snmp; }
# Does a packet come to a port as a next hop? Whether an answer may leave it is
# another matter.
arrives() { # arrives FROM ADDRESS AT
    local before
    before=$(echoes "$3")
    pings "$PREFIX-$1" "$2" 1 >/dev/null || true
    [ "$(echoes "$3")" -gt "$before" ] && echo yes || echo no
}
holds() { # holds PORT ADDRESS...
    local port=$1 a
    shift
    for a in "$@"; do
        ip -n "$PREFIX-$port" addr add "$a/32" dev eth0
    done
}
next_hops() {
    holds shut 10.1.1.70 172.16.0.1
    holds wide 10.1.0.71 172.17.0.1
    holds far 172.18.0.1
    for from in near back far; do
        is "next hop: $from to a closed one" no \
            "$(arrives "$from" 172.16.0.1 shut)"
        is "next hop: reach, $from to a closed one" no \
            "$(reach_says "$from" --to 172.16.0.1)"
    done
    is "next hop: an open one" yes "$(arrives back 172.17.0.1 wide)"
    is "next hop: a virtual one on another host" yes \
        "$(arrives far 172.17.0.1 wide)"
    is "next hop: on another host" yes "$(arrives back 172.18.0.1 far)"
    is "next hop: reach, on another host" yes \
        "$(reach_says back --to 172.18.0.1)"
}
reach_says() { # reach_says FROM ARGUMENT...
    local port=$1
    shift
    tenet reach --from "acme/$port" "$@" --proto icmp --output json |
        sed 's/.*"verdict": "\([a-z-]*\)", "whole".*/\1/'
}
router() {
    local from to address says is
    seed=router
    lab_sweep
    rm -rf "$repo" "$TENET_STATE_DIR"
    "$here/lab.sh" up "$PREFIX" 2
    intent_new "$repo" 2
    mkdir -p "$repo/tenants/acme"
    printf '%s\n' 'apiVersion: tenet/v1' 'kind: Tenant' \
        'metadata: {name: acme}' 'spec: {}' >"$repo/tenants/acme/tenant.yml"
    router_intent >"$repo/tenants/acme/all.yml"
    commit "$repo" router
    applied "the intent is applied"
    for from in near router far back; do
        for to in near=10.1.0.5 router=10.1.0.9 far=10.1.0.6 back=10.1.1.5; do
            address=${to#*=} to=${to%=*} is=no
            [ "$from" = "$to" ] && continue
            says=$(reach_says "$from" --to "acme/$to")
            pings "$PREFIX-$from" "$address" 1 >/dev/null && is=yes
            is "router: reach, $from to $to" "$is" "$says"
            # Only the router is closed, whoever goes past it.
            [ "$to" = router ] || is "router: $from to $to" yes "$is"
        done
    done
    next_hops
}

repo=$work/intent
router
for seed in "$@"; do
    started=$(date +%s)
    one_seed
    echo "# $seed: $(($(date +%s) - started)) s"
done
finish
