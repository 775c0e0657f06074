#!/usr/bin/env bash
# All shipped policies on a change of one VPC, against the plan of that change
# itself: figures and ratios of one run. Devices are files (memory driver).
#
#   TENET=build/release/tenet tests/bench/policy.sh [VPCS] [PORTS of a VPC]
set -euo pipefail
vpcs=${1:-10000} ports=${2:-25} runs=${3:-7}
here=$(cd "$(dirname "$0")" && pwd)
: "${TENET:?the program under test}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null NO_COLOR=1
export TENET_STATE_DIR=$work/state TENET_CACHE_DIR=$work/cache
repo=$work/intent
mkdir "$work/cache" "$work/devices"
echo "$("$here/generate_intent.py" --vpcs "$vpcs" --tenants 100 --hosts 20 --ports "$ports" --out "$repo"), $((vpcs * ports)) ports"
sed -i "s#tenet_site: #tenet_memory_path: $work/devices/X, tenet_site: #" "$repo/inventories/bench/hosts.yml"
sed -i -E 's#(hv[0-9]+): (.*)/X,#\1: \2/\1,#' "$repo/inventories/bench/hosts.yml"
git -C "$repo" init -q -b main
git -C "$repo" config user.name Bench
git -C "$repo" config user.email bench@example.org
git -C "$repo" config gc.auto 0
mkdir "$repo/policies"
for name in $("$TENET" policy list -C "$repo" | awk '/^[a-z]/ {print $1}'); do
    printf 'apiVersion: tenet/v1\nkind: Policy\nmetadata: {name: %s}\nspec: {severity: info, rule: {use: %s}}\n' \
        "$name" "$name" >"$repo/policies/$name.yml"
done
rm -f "$repo/policies/No.yml" "$repo/policies/Shipped.yml"
find "$repo/policies" -type f | wc -l | sed 's/$/ policies/'
git -C "$repo" add -A && git -C "$repo" commit -q -m bench && git -C "$repo" gc -q

plan() { # plan: "total judged" in seconds
    local start end
    start=$(date +%s.%N)
    "$TENET" plan -C "$repo" --stats >/dev/null 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
    end=$(date +%s.%N)
    awk -v t="$(awk -v a="$end" -v b="$start" 'BEGIN {print a - b}')" '/judged in/ {print t, $4}' "$work/log"
}
median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

plan | awk '{print "everything is new: whole plan " $1 " s, of it judging " $2 " s; judging to the rest: " $2 / ($1 - $2) " (goal: 1)"}'
"$TENET" apply -C "$repo" --yes >/dev/null 2>&1
files=("$repo"/tenants/*/vpc*.yml)
for ((i = 0; i < runs; i++)); do
    sed -i "s/ports: \[80, 443\]/ports: [$((8000 + i)), 443]/" "${files[i * 7919 % ${#files[@]}]}"
    git -C "$repo" commit -q -a -m "touch $i"
    plan
    "$TENET" apply -C "$repo" --yes >/dev/null 2>&1
done >"$work/figures"
whole=$(awk '{print $1}' "$work/figures" | median)
judged=$(awk '{print $2}' "$work/figures" | median)
ratio=$(awk '{print $2 / ($1 - $2)}' "$work/figures" | median)
echo "one VPC: whole plan $whole s, of it judging $judged s; judging to the rest: $ratio (goal: 1)"
