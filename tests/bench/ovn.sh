#!/usr/bin/env bash
# The OVN driver against the bare protocol and against one ovn-nbctl with the
# same commands, on a real Northbound database. Figures and ratios of one run.
#
#   TENET=build/release/tenet tests/bench/ovn.sh [VPCS [SUBNETS [PORTS]]]
#
# With OVN_PORT=build/release/tests/bench/ovn_port also: one port changed in a
# live session, beside few other ports and beside all; memory of 1,000 sessions.
set -euo pipefail
: "${TENET:?the program under test}"
bench=$(cd "$(dirname "$0")" && pwd)
vpcs=${1:-100} subnets=${2:-10} ports=${3:-10}
work=$(mktemp -d /tmp/tn-ovn-bench.XXXXXX)
server=
stop() {
    if [ -n "$server" ]; then
        kill "$server" || true
        wait "$server" || true
    fi
    server=
}
trap 'stop; rm -rf "$work"' EXIT

now() { date +%s%N; }
seconds() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.3f", (b - a) / 1e9}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
took() { # took COMMAND...: seconds, on a line
    local start
    start=$(now)
    "$@" >"$work/out" 2>&1 || { tail -n 20 "$work/out" >&2; exit 1; }
    seconds "$start" "$(now)"
    echo
}
fresh() { # an empty database
    stop
    rm -f "$work"/nb.*
    ovsdb-tool create "$work/nb.db" /usr/share/ovn/ovn-nb.ovsschema
    ovsdb-server "$work/nb.db" --remote="punix:$work/nb.sock" --unixctl="$work/nb.ctl" \
        -vconsole:off --log-file="$work/nb.log" &
    server=$!
    until ovn-nbctl --db="unix:$work/nb.sock" init 2>/dev/null; do
        kill -0 "$server"
        sleep 0.02
    done
}
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

"$bench/ovn_intent.py" "$vpcs" "$subnets" "$ports" "unix:$work/nb.sock" "$work/intent"
export TENET_STATE_DIR=$work/state TENET_CACHE_DIR=$work/cache
cd "$work/intent"
git init -q -b main
git config user.name Bench
git config user.email bench@example.org
git add -A
git commit -qm bench
"$TENET" validate >/dev/null
echo "$vpcs VPCs, $((vpcs * subnets)) logical switches, $((vpcs * subnets * ports)) ports"

# From empty: in turns, five times.
for i in 1 2 3 4 5; do
    fresh
    rm -rf "$work/state"
    took "$TENET" apply --yes --host cloud >>"$work/tenet"
    [ "$i" = 1 ] && "$bench/ovn_raw.py" save "$work/nb.sock" "$work/rows"
    fresh
    "$bench/ovn_raw.py" write "$work/nb.sock" "$work/rows" >>"$work/raw"
    fresh
    "$bench/ovn_raw.py" told "$work/nb.sock" "$work/rows" >>"$work/told"
done
tenet=$(median <"$work/tenet") raw=$(median <"$work/raw")
told=$(median <"$work/told")
echo "from empty: tenet $tenet s; one bare transaction $raw s: $(ratio "$tenet" "$raw");" \
    "the same with a monitor, nothing parsed, $told s: $(ratio "$told" "$raw")"

# Nothing to do.
fresh
"$TENET" apply --yes --host cloud >/dev/null
for _ in 1 2 3 4 5; do
    took "$TENET" plan --host cloud >>"$work/plan"
    "$bench/ovn_raw.py" receive "$work/nb.sock" >>"$work/receive"
done
plan=$(median <"$work/plan") receive=$(median <"$work/receive")
echo "nothing to do: plan $plan s; receiving the dump $receive s" \
    "($(awk 'NR == 1 {printf "%.1f MB", $2 / 1e6}' "$work/receive")): $(ratio "$plan" "$receive")"

# One port more.
sed -i 's/10.0.0.10, securityGroups/10.0.0.200, securityGroups/' tenants/bench/v0.yml
git commit -qam "One port"
echo "one port changed: $(took "$TENET" apply --yes --host cloud) s in all"

# One port changed in a live session: a single VPC alone, and among all.
live() { # live WHAT: with what is applied
    for _ in 1 2 3; do
        echo "$1: $("$OVN_PORT" "unix:$work/nb.sock" bench bench/v0 200 "$server")"
    done
}
if [ -n "${OVN_PORT:-}" ]; then
    fresh
    "$bench/ovn_intent.py" 1 "$subnets" "$ports" "unix:$work/nb.sock" "$work/small"
    (
        cd "$work/small"
        git init -q -b main
        git -c user.name=Bench -c user.email=bench@example.org add -A
        git -c user.name=Bench -c user.email=bench@example.org commit -qm bench
        TENET_STATE_DIR=$work/small-state "$TENET" apply --yes --host cloud >/dev/null
    )
    live "one port of $((subnets * ports))"
    fresh
    echo "empty database: $("$OVN_PORT" "unix:$work/nb.sock" bench - 999)"
    "$TENET" apply --yes --host cloud >/dev/null
    live "one port of $((vpcs * subnets * ports))"
fi

# The same by hand, once: it takes long.
if [ -z "${QUICK:-}" ]; then
    fresh
    ulimit -s 1000000 # Where the arguments of a program have to fit in: 6 MB.
    hand=$(took "$bench/ovn_raw.py" commands "$work/rows" "$work/nb.sock")
    echo "one ovn-nbctl with the same: $hand s; $(ratio "$hand" "$tenet") times as long as tenet"
fi
