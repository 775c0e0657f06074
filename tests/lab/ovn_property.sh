#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# Random intent on a cloud of real OVN, judged as property.sh judges the kernel:
# the same repositories (random_intent.py), the same oracle, the same packets;
# beside that ovn-trace against 'tenet reach'. Then steps to similar intents.
#
#   ovn_property.sh SEED...    STEPS=n changes of intent, MOST=n probes,
#                              ENCAP=vxlan, HOPS=1: also virtual addresses
PREFIX=${PREFIX:-tovnp}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/ovn_lib.sh
. "$here/ovn_lib.sh"
hops=(${HOPS:+--hops}) steps=${STEPS:-1} most=${MOST:-250}
export PYTHONDONTWRITEBYTECODE=1 TENET

tenet() { central "$TENET" "$@" -C "$repo"; }
py() { /usr/bin/python3 "$here/$1.py" "${@:2}"; }
# Hypervisors that are told only now where their cloud is have not followed what
# was before: they look dead to the first apply (docs/ovsdb.md).
applied() { # applied WHAT
    local code=0
    tenet apply --yes >"$work/apply" 2>&1 || code=$?
    if [ $code -eq 6 ] && grep -q "not followed" "$work/apply"; then
        code=0
        tenet apply --yes >"$work/apply" 2>&1 || code=$?
    fi
    is "$seed: $1" 0 $code
    [ $code -eq 0 ] || tail -n 25 "$work/apply" | sed 's/^/#   /'
}
unplug() {
    local i name
    for i in 1 2 3; do
        ip -n "$PREFIX-h$i" -o link | sed -n 's/^[0-9]*: \(p-[^@:]*\).*/\1/p' |
            while read -r name; do ip -n "$PREFIX-h$i" link del "$name"; done
    done
    ip netns list | awk '{print $1}' | grep "^$PREFIX-hv" |
        while read -r name; do ip netns del "$name"; done
    rm -f "$ovn/guests"
}
down_ports() {
    nb --bare --columns=name find Logical_Switch_Port type='""' up!=true
}
all_up() {
    for _ in $(seq 600); do
        [ -z "$(down_ports)" ] && nb --wait=hv --timeout=30 sync && return 0
        sleep 0.1
    done
    down_ports
    return 1
}
verdicts() { # verdicts WHEN
    phase=$((phase + 1))
    ok "$seed: guests $1" py ovn_world plug "$repo" "$PREFIX"
    ok "$seed: ports are up $1" all_up
    py random_probe furnish "$repo"
    ok "$seed: packets $1" py ovn_world probe "$repo" --seed "$seed" \
        --phase $phase --most "$most"
    sed -n '/^#/p' "$work/log"
    ok "$seed: ovn-trace $1" py ovn_world trace "$repo" "$PREFIX" \
        --seed $((seed * 100 + phase))
    sed -n '/^#/p' "$work/log"
}
intent() { # intent STEP
    py random_intent "$seed" "$1" "$repo" --prefix "$PREFIX" "${hops[@]}" |
        sed "s/^# /# $seed: /"
    mkdir -p "$repo/inventories/lab"
    cp "$work/hosts.yml" "$repo/inventories/lab/hosts.yml"
    commit "$repo" "step $1"
}
ours_left() {
    local t
    for t in Logical_Switch Logical_Router Port_Group DHCP_Options; do
        nb --bare --columns=_uuid find "$t" 'external_ids:tenet-instance!=""'
    done
}
one_seed() {
    phase=0
    rm -rf "$repo" "$TENET_STATE_DIR"
    mkdir -p "$repo"
    git -C "$repo" init -q -b main
    git -C "$repo" config user.name Test
    git -C "$repo" config user.email test@example.org
    intent 0
    ok "$seed: the intent is valid" tenet validate
    applied "it is applied"
    exits "$seed: the second plan is empty" 0 tenet plan --detailed-exitcode
    verdicts "after the apply"
    for ((i = 1; i <= steps; i++)); do
        intent "$i"
        applied "change $i is applied"
        exits "$seed: the plan after change $i is empty" 0 \
            tenet plan --detailed-exitcode
        verdicts "after change $i"
    done
    ok "$seed: destroy" tenet destroy --yes
    is "$seed: nothing is left" "" "$(ours_left)"
    unplug
}

repo=$work/intent
ovn_up 3 2>"$work/up"
ovn_intent "$work/model" 3
sed "s/^    cloud:/&\n      tenet_ovn_encapsulation: ${ENCAP:-geneve}/" \
    "$work/model/inventories/lab/hosts.yml" >"$work/hosts.yml"
for seed in "$@"; do
    started=$(date +%s)
    one_seed
    echo "# $seed: $(($(date +%s) - started)) s"
done
finish
