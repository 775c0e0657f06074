#!/usr/bin/env bash
# Reachability beside what it could cost: the full matrix of a VPC of 1,000
# ports and 200 rules against a plain loop over all pairs and ports (measured on
# some pairs, which must agree, and extrapolated), and the differential and the
# proof of isolation of a change of one VPC against the plan of that change.
#
#   TENET=build/release/tenet BENCH=build/release/tests/bench \
#       tests/bench/reach.sh [VPCS [PORTS]]
set -euo pipefail
vpcs=${1:-10000} ports=${2:-25}
here=$(cd "$(dirname "$0")" && pwd)
: "${TENET:?the program under test}" "${BENCH:?the directory of reach_bench}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export TENET_STATE_DIR=$work/state TENET_CACHE_DIR=$work/cache
mkdir -p "$work/cache" "$work/state"
repo=$work/repo

value() { awk -v k="$1" '$1 == k {print $2}' "$work/figures"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.3g", a / b}'; }
median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
seconds() { # seconds COMMAND...: on the clock
    local start end
    start=$(date +%s.%N)
    "$@" >"$work/out" 2>"$work/err" || { cat "$work/err" >&2; return 1; }
    end=$(date +%s.%N)
    awk -v a="$start" -v b="$end" 'BEGIN {printf "%.3f\n", b - a}'
}

"$BENCH/reach_bench" matrix >"$work/figures"
for kind in matrix varied; do
    s=$(value ${kind}_seconds) p=$(value ${kind}_plain_seconds)
    echo "$kind: $(value ${kind}_classes) classes, $s s; plain loop $p s:" \
        "1/$(ratio "$p" "$s")"
done

"$here/generate_intent.py" --vpcs "$vpcs" --tenants 100 --ports "$ports" \
    --out "$repo"
git -C "$repo" init -q -b main
git -C "$repo" config user.name Bench
git -C "$repo" config user.email bench@example.org
git -C "$repo" config gc.auto 0
git -C "$repo" add -A
git -C "$repo" commit -q -m bench
if [ "${APPLY:-1}" = 1 ]; then
    echo "applied in $(seconds "$TENET" apply --yes -C "$repo") s"
fi
file=$(find "$repo/tenants" -name 'vpc*.yml' | sort | sed -n 1p)
sed -i 's/ports: \[80, 443\]/ports: [80, 443, 8443]/' "$file"
git -C "$repo" commit -q -a -m "one VPC"
# In turns, so that what else the machine does concerns both.
for _ in 1 2 3 4 5; do
    seconds "$TENET" plan -C "$repo" >>"$work/plan"
    "$BENCH/reach_bench" diff "$repo" HEAD~1 HEAD "$work/cache" \
        >"$work/figures"
    awk '/^(changes|diff|isolation)_seconds/ {s += $2} END {print s}' \
        "$work/figures" >>"$work/judged"
    seconds "$TENET" reach --diff HEAD~1 -C "$repo" >>"$work/command"
done
cat "$work/out" "$work/figures"
p=$(median <"$work/plan") j=$(median <"$work/judged")
c=$(median <"$work/command")
echo "plan $p s; differential and isolation in it $j s: $(ratio "$j" "$p") of" \
    "the plan; 'tenet reach --diff', which compiles both commits, $c s:" \
    "$(ratio "$c" "$p")"
