#!/usr/bin/env bash
# The NSX driver in requests, by the counters of the simulated manager: how many
# a large intent takes, against the fewest that chunks allow; whether the rate
# is kept, and used; and what it costs to find that nothing is to be done.
#
#   TENET=build/release/tenet tests/bench/nsx.sh [VPCS [SUBNETS [RULES [RATE]]]]
#
# Fails if a bound is not kept: 1.2 times the fewest writes, never more than
# RATE requests in any second, 80% of it while states are awaited.
set -euo pipefail
: "${TENET:?the program under test}"
bench=$(cd "$(dirname "$0")" && pwd)
vpcs=${1:-100} subnets=${2:-10} rules=${3:-10} rate=${4:-80} chunk=500
work=$(mktemp -d /tmp/tn-nsx-bench.XXXXXX)
simulator=
stop() {
    [ -z "$simulator" ] || kill "$simulator" || true
    wait || true
}
trap 'stop; rm -rf "$work"' EXIT

python3 "$bench/../nsx/nsx_simulator.py" --ca "$work/ca" --ready "$work/ready" \
    --set realise_delay=0 --set entities_delay=0 --set client_rate=100 >"$work/out" 2>&1 &
simulator=$!
until [ -s "$work/ready" ]; do
    kill -0 "$simulator"
    sleep 0.05
done
control=$(jq -r .control "$work/ready")
reset() { curl -sf -X POST "$control/counters/reset" >/dev/null; }
counted() { curl -sf "$control/counters" >"$work/counters"; }
of() { jq "$1" "$work/counters"; }
bound() { # bound WHAT IS AT_MOST
    awk -v is="$2" -v most="$3" 'BEGIN {exit !(is <= most)}' || {
        echo "not kept: $1 is $2, the bound is $3" >&2
        exit 1
    }
}
intent() { # intent [NAME=VALUE...]
    "$bench/nsx_intent.py" "$vpcs" "$subnets" "$rules" "$work/ready" "$work/intent" \
        "chunk=$chunk" "rate=$rate" "$@"
    git -C "$work/intent" add -A
    git -C "$work/intent" commit -qm bench
}
seconds() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.1f", (b - a) / 1e9}'; }

export TENET_STATE_DIR=$work/state TENET_CACHE_DIR=$work/cache
mkdir -p "$work/intent"
cd "$work/intent"
git init -q -b main
git config user.name Bench
git config user.email bench@example.org
intent wait=0
echo "$vpcs VPCs, $((vpcs * subnets)) segments with $rules rules each"

reset
start=$(date +%s%N)
"$TENET" apply --yes >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
end=$(date +%s%N)
counted
intents=$(of .intents)
fewest=$(((intents + chunk - 1) / chunk))
echo "from empty, states not awaited: $(seconds "$start" "$end") s, $(of .total) requests:" \
    "$(of .classes.tree_patch) writes of $intents intents (fewest $fewest), $(of .classes.tree_read) readings," \
    "$(of '.total - .classes.tree_patch - .classes.tree_read') others; largest $(of .largest_tree)"
bound "the number of writes" "$(of .classes.tree_patch)" "$(awk -v f="$fewest" 'BEGIN {print f * 1.2}')"
bound "the largest write" "$(of .largest_tree)" "$chunk"

for i in 1 2; do
    reset
    start=$(date +%s%N)
    "$TENET" plan --detailed-exitcode >"$work/log" 2>&1
    end=$(date +%s%N)
    counted
    echo "nothing to do, look $i: $(seconds "$start" "$end") s, $(of .total) requests, $(of .classes.tree_read) of them readings"
    bound "readings" "$(of .classes.tree_read)" 10
done

# States are awaited, one request each: half the rate is what takes time.
small=$((vpcs > 5 ? vpcs / 5 : 1)) rate=$((rate / 2))
again() { # again NAME=VALUE...: nanoseconds from empty
    "$TENET" destroy --yes >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
    curl -sf -X POST "$control/purge" >/dev/null
    rm -rf tenants
    vpcs=$small intent "$@"
    reset
    start=$(date +%s%N)
    "$TENET" apply --yes >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
    took=$(($(date +%s%N) - start))
    counted
}
again wait=0
alone=$took
again wait=600
echo "$((small * subnets)) segments, states awaited: $(seconds 0 "$took") s, $(of .total) requests," \
    "$(of .classes.realised) of them for states, at most $(of .peak_per_second) in a second of $rate," \
    "refused by the manager's limit: $(of .refused_by_rate)"
used=$(awk -v n="$(of .classes.realised)" -v ns=$((took - alone)) -v r="$rate" \
    'BEGIN {u = ns > 0 ? n * 1e9 / ns / r : 1; printf "%.2f", u < 1 ? u : 1}')
echo "of the rate, while it was what took time, $used was used"
bound "the unused part of the rate" "$(awk -v u="$used" 'BEGIN {print 1 - u}')" 0.2
bound "requests in a second" "$(of .peak_per_second)" "$rate"
bound "refusals" "$(of .refused_by_rate)" 0
