#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# kill -9 at random instants during apply; afterwards a plain run must converge,
# a second plan must be empty, and foreign objects must be as they were.
#
#   crash.sh [ROUNDS]
PREFIX=${PREFIX:-tcrash}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
rounds=${1:-15}
seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "# SEED=$seed"

"$here/lab.sh" up "$PREFIX" 2
repo=$work/intent
intent_new "$repo" 2

# Two intents that differ in everything; applies alternate between them.
write_intent() { # write_intent A|B
    rm -rf "$repo/tenants"
    mkdir -p "$repo/tenants/acme"
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' \
        >"$repo/tenants/acme/tenant.yml"
    local vpc n=2
    [ "$1" = B ] && n=3
    for ((v = 1; v <= n; v++)); do
        vpc=v$v
        [ "$1" = B ] && [ $v -ne 1 ] && vpc=w$v
        {
            echo "apiVersion: tenet/v1"
            echo "kind: Vpc"
            echo "metadata: {name: $vpc}"
            echo "spec:"
            echo "  cidrs: [10.$v.0.0/16]"
            echo "  subnets:"
            echo "    - {name: a, cidr: 10.$v.1.0/24}"
            echo "    - {name: b, cidr: 10.$v.2.0/24}"
        } >"$repo/tenants/acme/$vpc.yml"
        for h in 1 2; do
            for s in a b; do
                local tag=$1
                [ $v -eq 1 ] && [ $s = a ] && tag=x
                cat >>"$repo/tenants/acme/$vpc.yml" <<YAML
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $vpc-$s$h-${tag,,}}
spec:
  vpc: $vpc
  subnet: $s
  host: hv$h
  securityGroups: [all]
  attach: {netns: ${PREFIX}-$vpc-$s$h-${tag,,}}
YAML
            done
        done
    done
    cat >"$repo/tenants/acme/all.yml" <<YAML
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: all}
spec:
  rules: [{direction: ingress}]
YAML
}

# Things that are not ours, in places where we work.
foreign_add() {
    ip -n "${PREFIX}1" link add foreign0 type bridge
    ip -n "${PREFIX}1" addr add 198.51.100.1/24 dev foreign0
    ip -n "${PREFIX}1" link add vxlanf type vxlan id 77 dstport 8472 local 192.0.2.11
    ip -n "${PREFIX}1" route add 203.0.113.0/24 via 192.0.2.12
}
foreign_show() {
    ip -n "${PREFIX}1" -o link show foreign0 | sed 's/ state .*//'
    ip -n "${PREFIX}1" -d -o link show vxlanf | sed 's/ state .*//'
    ip -n "${PREFIX}1" -o addr show foreign0
    ip -n "${PREFIX}1" route show
}

write_intent A && commit "$repo" A
write_intent B && commit "$repo" B
a=$(git -C "$repo" rev-parse HEAD~1) b=$(git -C "$repo" rev-parse HEAD)
foreign_add
before=$(foreign_show)

ok "apply of A" "$TENET" apply -C "$repo" --rev "$a" --yes
started=$(date +%s%N)
ok "apply of B" "$TENET" apply -C "$repo" --rev "$b" --yes
span=$(((($(date +%s%N) - started) / 1000000) + 30))
echo "# an apply takes about $span ms"

killed=0
for ((i = 1; i <= rounds; i++)); do
    rev=$a
    ((i % 2)) || rev=$b
    "$TENET" apply -C "$repo" --rev "$rev" --yes >"$work/killed" 2>&1 &
    pid=$!
    sleep "$(awk -v n=$((RANDOM % span)) 'BEGIN {print n / 1000}')"
    if kill -9 $pid 2>/dev/null; then killed=$((killed + 1)); fi
    wait $pid 2>/dev/null
    ok "round $i: the next run converges" \
        "$TENET" apply -C "$repo" --rev "$rev" --yes
    exits "round $i: the plan after it is empty" 0 \
        "$TENET" plan -C "$repo" --rev "$rev" --detailed-exitcode
done
echo "# $killed of $rounds applies were killed"
[ "$killed" -gt 0 ]
is "some were killed" 0 $?

is "foreign objects are untouched" "$before" "$(foreign_show)"
ok "ports talk" pings "${PREFIX}-v1-a1-x" \
    "$(ip -n "${PREFIX}-v1-a2-x" -4 -o addr show eth0 | awk '{sub("/.*", "", $4); print $4}')"
ok "destroy" "$TENET" destroy -C "$repo" --yes
is "no namespace of ours is left" "" \
    "$(ip netns list | awk '{print $1}' | grep -E "^$PREFIX([0-9]+\.tn\.|-v|-w)")"
is "foreign objects are untouched after destroy" "$before" "$(foreign_show)"
is "no journal is left open" "" "$(find "$TENET_STATE_DIR" -name '*.jsonl' \
    -exec sh -c 'tail -n 1 "$1" | grep -q end || echo "$1"' _ {} \;)"
finish
