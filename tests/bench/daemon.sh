#!/usr/bin/env bash
# What the daemon costs: idle with VPCS VPCs on one host (memory, processor),
# repairs against the same by hand, and the way of a change of one VPC in a
# repository of MANY VPCs to its devices.
#
#   TENET=build/release/tenet tests/bench/daemon.sh [VPCS [MANY [SECONDS]]]
#
# Repairs by the daemon and by hand take turns, BLOCKS times. Each is in a VPC of
# its own: VPCS must be twice ROUNDS for each of KINDS.
PREFIX=${PREFIX:-tbd}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"
vpcs=${1:-1000} many=${2:-10000} seconds=${3:-60} rounds=${ROUNDS:-50}
blocks=${BLOCKS:-5} bench=$here/../bench
kinds=${KINDS:-link address fdb neighbour route rule nft}

settle() { # The first commit is applied; says so.
    until_ok 600 logged 'all devices are as intended' || exit 1
}
median() {
    sort -g "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}
calm() { # Until the daemon has nothing more to say.
    local was='' now
    while now=$(wc -l <"$work/daemon.log") && [ "$now" != "$was" ]; do
        was=$now
        sleep 2
    done
}
heal() { # heal WHO WHAT: some rounds, in the next VPCs
    "$bench/daemon_heal.py" "$1" "$2" "$each" "${PREFIX}1.tn.bench.v%d" $first \
        >>"$work/$1.$2"
    first=$((first + each))
}
cpu() { awk '{print $14 + $15}' "/proc/$daemon/stat"; }
sum() { # sum METRIC [STAGE]: "sum count"
    echo "$(metric "$1_sum${2:+{stage=\"$2\"\}}")" \
        "$(metric "$1_count${2:+{stage=\"$2\"\}}")"
}
daemon_file() { # daemon_file URL HOST-LINE AUDIT
    cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: bench}
spec:
  source: {url: "$1", branch: main, interval: 60}
  $2
  http: {listen: $work/http.sock}
  loop: {firstContact: heal, audit: $3}
  control: $work/ctl.sock
YAML
}
repo_commit() {
    git -C "$repo" init -q -b main
    git -C "$repo" config user.name Bench
    git -C "$repo" config user.email bench@example.org
    commit "$repo" bench
}

if [ "$vpcs" -gt 0 ]; then
    "$bench/kernel_intent.py" --segments "$vpcs" --vpcs "$vpcs" \
        --prefix "$PREFIX" --out "$work"
    "$here/lab.sh" up "$PREFIX" 1
    repo=$work/intent
    sed -i 's|^  cidrs: .*|&\n  routes: [{to: 172.16.0.0/16, via: 10.0.0.10}]|' \
        "$repo"/tenants/bench/*.yml
    repo_commit
    for ((v = 0; v < vpcs; v++)); do
        echo "netns add $PREFIX-far$v"
    done | ip -batch -
    daemon_file "file://$repo" "host: hv1" 300
    start
    settle
    grep -E 'compiled in|applied|all devices' "$work/daemon.log" | head -4 | sed 's/^/# /'
    sleep 10
    echo "VmRSS after the first apply: $(status_of "$daemon" VmRSS) kB (peak $(status_of "$daemon" VmHWM) kB)"
    before=$(cpu)
    sleep "$seconds"
    echo "idle for $seconds s: $(awk -v a="$before" -v b="$(cpu)" -v s="$seconds" -v hz="$(getconf CLK_TCK)" \
        'BEGIN {printf "%.3f%% of a core", (b - a) / hz / s * 100}'), VmRSS $(status_of "$daemon" VmRSS) kB," \
        "threads $(status_of "$daemon" Threads), descriptors $(find "/proc/$daemon/fd" -type l | wc -l)"
    kill_daemon
    rm "$work/daemon.log"
    start
    settle
    sleep 5
    echo "VmRSS after a restart: $(status_of "$daemon" VmRSS) kB (peak $(status_of "$daemon" VmHWM) kB)"
    ctl audit >/dev/null
    sleep 10
    echo "VmRSS after an audit: $(status_of "$daemon" VmRSS) kB"
    [ -n "${PAUSE:-}" ] && { echo "pid $daemon"; sleep "$PAUSE"; }

    first=0 each=$(((rounds + blocks - 1) / blocks))
    for ((b = 0; b < blocks; b++)); do
        for what in $kinds; do
            heal daemon "$what"
            grep 'verified them in' "$work/daemon.log" | tail -n "$each" |
                sed 's/.*verified them in \([0-9.]*\) ms.*/\1/' >>"$work/log.$what"
        done
        ctl hold device/hv1 --reason bench >/dev/null
        for what in $kinds; do
            heal hand "$what"
        done
        ctl heal device/hv1 --reason bench >/dev/null
        calm
    done
    for what in $kinds; do
        a=$(median "$work/daemon.$what") b=$(median "$work/hand.$what")
        echo "$what deleted: healed $a ms after the event (verified in $(median "$work/log.$what") ms by its log);" \
            "by hand $b ms; $(awk -v a="$a" -v b="$b" 'BEGIN {printf "%.2f", a / b}')" \
            "(medians of $((each * blocks)))"
    done
    kill_daemon
    [ "$many" -gt 0 ] && { cp "$work/daemon.log" "$work/daemon.heal.log"; rm -rf "$repo" "$TENET_STATE_DIR" "$work/daemon.log"; }
fi

[ "$many" -gt 0 ] || exit 0
repo=$work/many
"$bench/generate_intent.py" --vpcs "$many" --tenants 100 --out "$repo"
sed -i -E "s|^    (hv[0-9]+): \{|    \1: {tenet_memory_path: $work/dev-\1.json, |" \
    "$repo/inventories/bench/hosts.yml"
repo_commit
daemon_file "file://$repo" "environment: bench" 3600
start
settle
grep -E 'compiled in|all devices' "$work/daemon.log" | tail -2 | sed 's/^/# /'
until_ok 600 logged 'status published'
sleep 10
echo "VmRSS with $many VPCs and 100 devices: $(status_of "$daemon" VmRSS) kB (peak $(status_of "$daemon" VmHWM) kB)"
file=$(find "$repo/tenants" -name '*.yml' ! -name tenant.yml | sort | head -1)
stages="fetch verify compile render observe plan apply check status"
for s in $stages; do sum tenet_stage_duration_seconds "$s" >"$work/a.$s"; done
sum tenet_commit_to_applied_seconds >"$work/a.whole"
for ((i = 1; i <= 10; i++)); do
    n=$(metric tenet_commit_to_applied_seconds_count)

    # One rule of the group that all ports of the VPC have.
    sed -i -E "s/ports: \[80, [0-9]+\]/ports: [80, $((8000 + i))]/" "$file"
    commit "$repo" "Change $i"
    t0=$(date +%s%N)
    ctl sync >/dev/null
    while [ "$(metric tenet_commit_to_applied_seconds_count)" = "$n" ]; do sleep 0.02; done
    echo $((($(date +%s%N) - t0) / 1000000)) >>"$work/push"
    sleep 4
done
echo "push to applied, ms: $(sort -n "$work/push" | tr '\n' ' ')"
for s in $stages; do
    sum tenet_stage_duration_seconds "$s" >"$work/b.$s"
    awk -v s="$s" '{sum[NR] = $1; n[NR] = $2}
        END {d = n[2] - n[1]; printf "  %-8s %8.1f ms in each of %d\n", s, d ? (sum[2] - sum[1]) / d * 1000 : 0, d}' \
        "$work/a.$s" "$work/b.$s"
done
sum tenet_commit_to_applied_seconds >"$work/b.whole"
awk '{sum[NR] = $1; n[NR] = $2} END {d = n[2] - n[1]
    printf "  first sight to verified: %.1f ms (mean of %d)\n", d ? (sum[2] - sum[1]) / d * 1000 : 0, d}' \
    "$work/a.whole" "$work/b.whole"
grep -E 'following|all devices' "$work/daemon.log" | tail -2 | sed 's/^/# /'
