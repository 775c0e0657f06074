#!/usr/bin/env bash
# A day of the daemon in minutes: its clocks run FACTOR times as fast, so that
# with the settings of service it polls, audits, keeps alerts alive and writes
# status as often as in HOURS. Meanwhile a changed intent each half hour, drift
# of random kinds about each minute, and now and then a reload, a hold, a tenant
# with broken documents, or a remote that is away. No drift may be missed; memory,
# descriptors and threads stay flat.
#
#   soak_day.sh [HOURS] [FACTOR]   by default 24 and 60: 24 minutes; in CTest
#                                  half an hour, where a line through the memory
#                                  says little
#
# What is simulated and what is not: fast_clock.c. Namespaces of other tests
# are out of sight: the daemon looks at all that have a name, and its memory and
# descriptors would tell of theirs.
# shellcheck disable=SC2016,SC2119
if [ -z "${ALONE:-}" ]; then
    export ALONE=yes
    exec unshare --mount --propagation private sh -c '
        mkdir -p /run/netns && mount -t tmpfs tenet /run/netns && exec "$@"' \
        sh "$0" "$@"
fi
PREFIX=${PREFIX:-tday}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"
export PYTHONDONTWRITEBYTECODE=1
hours=${1:-24} factor=${2:-60}
seed=${SEED:-$RANDOM}
echo "# SEED=$seed, $hours hours at $factor times the speed"
parts=$(awk -v h="$hours" 'BEGIN {print int(h * 2 + 0.5)}')
seconds=$((1800 / factor)) # Of a half hour.

"${CC:-cc}" -O1 -shared -fPIC -o "$work/fast_clock.so" "$here/fast_clock.c" ||
    exit 1
UNDER=(env "FAST_CLOCK=$factor" "LD_PRELOAD=$work/fast_clock.so")
sanitizer=$(ldd "$TENET" | awk '/lib[at]san/ {print $3}')
[ -n "$sanitizer" ] && # Which has to come first.
    UNDER=(env "FAST_CLOCK=$factor" "LD_PRELOAD=$sanitizer $work/fast_clock.so")

"$here/lab.sh" up "$PREFIX" 2
for i in 1 2; do
    ip -n "${PREFIX}$i" addr add "2001:db8:1::1$i/64" dev eth0 nodad
done
repo=$work/intent
mkdir -p "$repo"
git -C "$repo" init -q -b main
git -C "$repo" config user.name Test
git -C "$repo" config user.email test@example.org
write_part() {
    python3 "$here/random_intent.py" "$seed" "$1" "$repo" --prefix "$PREFIX" \
        --hosts 2 >"$work/intended" && commit "$repo" "Half hour $1"
}
write_part 0
cat "$work/intended"
foreign_add
before=$(foreign_show)

# Alerts are told to a server, which needs somebody to keep it: its input.
mkfifo "$work/keep"
python3 "$here/../support/sink_server.py" "$work/sink" <"$work/keep" \
    >"$work/port" &
others+=("$!")
exec 7>"$work/keep"
until_ok 10 test -s "$work/port"
cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: test}
spec:
  source: {url: "file://$repo", branch: main, timeout: 3600}
  http: {listen: $work/http.sock}
  loop: {firstContact: heal}
  alertmanagers: ["http://127.0.0.1:$(cat "$work/port")/ok"]
  control: $work/ctl.sock
YAML
start
ok "the first commit arrives" until_ok 60 at_commit hv1 hv2

descriptors() { find "/proc/$daemon/fd" -type l 2>/dev/null | wc -l; }
sampler() { # Each five minutes of the daemon.
    while [ ! -e "$work/enough" ]; do
        curl -s --max-time 5 --unix-socket "$work/http.sock" \
            http://x/metrics >"$work/metrics.new" &&
            mv "$work/metrics.new" "$work/metrics"
        echo "$SECONDS $(status_of "$daemon" VmRSS) $(descriptors)" \
            "$(status_of "$daemon" Threads)" >>"$work/samples"
        sleep "$(awk -v f="$factor" 'BEGIN {print 300 / f}')"
    done
}
sampler &
sampler=$!
others+=("$sampler")

# A tenant's documents are broken until the next half hour: it is healed to what
# they said.
break_tenant() {
    local file
    file=$(find "$repo/tenants" -name '*.yml' | sort | tail -n 1)
    echo "nonsense: [" >>"$file"
    commit "$repo" "Break ${file#"$repo/"}"
    until_ok 60 says_healed
}
# shellcheck disable=SC2317
says_healed() { ctl status | grep -q '^Tenant .* healed to commit'; }

began=$SECONDS unsettled=0 not_same=0 not_kept=0
for ((part = 0; part < parts && SECONDS - began < parts * seconds * 2; part++)); do
    next=$((began + (part + 1) * seconds))
    if ((part > 0)); then
        # To and fro: after too many steps a number is asked for that somebody
        # had, which tenet refuses.
        step=$((part % 12))
        write_part $((step > 6 ? 12 - step : step))
        if ! until_ok 60 at_commit hv1 hv2 || ! until_ok 20 empty_plan; then
            echo "# half hour $part: not settled"
            unsettled=$((unsettled + 1))
        fi
    fi
    case $((part % 6)) in
    1 | 3) break_tenant || not_kept=$((not_kept + 1)) ;;
    2) kill -HUP "$daemon" ;;
    4)
        until_ok 5 ctl hold device/hv1 --reason test
        sleep 1
        until_ok 5 ctl clear device/hv1
        ;;
    5)
        mv "$repo" "$repo.away"
        sleep 2
        mv "$repo.away" "$repo"
        ;;
    esac
    alive || break
    left=$((next - SECONDS))
    ((left > 0)) || continue
    python3 "$here/soak_drift.py" "$PREFIX" $((seed + part)) $left \
        --log "$work/daemon.log" --out "$work/drifts" \
        --mean "${MEAN:-1.2}" >"$work/said" 2>&1 || {
        not_same=$((not_same + 1))
        cat "$work/said"
    }
done
git -C "$repo" log -1 --format=%s | grep -q '^Break' &&
    git -C "$repo" revert -q --no-edit HEAD
took=$((SECONDS - began))
touch "$work/enough"
wait "$sampler"
ok "it lives" alive
is "each intent was applied" 0 "$unsettled"
is "broken tenants were healed to their last good commit" 0 "$not_kept"
is "what is there is what was there, each half hour" 0 "$not_same"
python3 "$here/soak_drift.py" summary "$work/drifts" >"$work/summary"
is "no drift was missed" 0 $?
cat "$work/summary"
[ "$parts" -lt 48 ] || ok "there were 1,000 drifts of 8 kinds" awk \
    '/ drifts of / {exit !($1 >= 1000 && $4 >= 8)}' "$work/summary"
ok "desired equals observed" until_ok 60 empty_plan
is "foreign objects are untouched" "$before" "$(foreign_show)"

# As often as in so many hours: some of it, for a busy machine is late.
sum() { # sum NAME [PATTERN]: all series
    awk -v n="$1" -v p="${2:-.}" 'index($1, n) == 1 && $1 ~ p {s += $2}
        END {printf "%d\n", s}' "$work/metrics"
}
simulated=$((took * factor))
audits=$(sum tenet_driver_resyncs_total audit)
fetches=$(sum tenet_source_fetches_total)
told=$(wc -l <"$work/sink")
echo "# $simulated s simulated in $took s: $fetches looks at Git, $audits audits of 2" \
    "devices, $told deliveries to Alertmanager," \
    "$(git -C "$repo" rev-list --count main) commits," \
    "$(git -C "$repo" rev-list --count tenet/status) status commits," \
    "$(sum tenet_reconcile_total) looks at devices," \
    "$(sum tenet_rollbacks_total) rollbacks," \
    "$(log_count ' error ') errors said"
late=75 # Seconds; each look starts a program, which a sanitizer makes slow.
[ -n "$sanitizer" ] && late=240
ok "Git was looked at each minute" test "$fetches" -ge $((simulated / late))
ok "devices were audited each five minutes" \
    test "$audits" -ge $((simulated / 190))
ok "alerts were kept alive" test "$told" -ge $((simulated / 600))

# What nobody can heal is said.
ns=$(ip netns list | awk '{print $1}' | grep "^${PREFIX}1\.tn\." | head -1)
bridge=$(ip -n "$ns" -o link | grep -o ' b-[^:@]*' | head -1 | tr -d ' ')
kill -STOP "$daemon"
at=$(log_size) told=$(wc -l <"$work/sink")
ip -n "$ns" link del "$bridge"
ip -n "$ns" link add "$bridge" type veth peer name theirs
kill -CONT "$daemon"
ok "a foreign thing in the way is said" until_ok 20 \
    logged_since "$at" "warning hv1: left as it is: .*$bridge"
# shellcheck disable=SC2317
alerted() { tail -n "+$((told + 1))" "$work/sink" | grep TenetApplyFailed; }
ok "and an alert" until_ok 20 alerted
ip -n "$ns" link del "$bridge"
ok "without it all is healed" until_ok 60 empty_plan

limit=${SLOPE_KB:-2048}
[ "$parts" -lt 24 ] && limit=16384
[ -n "$sanitizer" ] && limit=262144
awk -v limit="$limit" -f "$here/soak_trend.awk" "$work/samples" >"$work/trend"
flat=$?
cat "$work/trend"
is "memory is flat (within $limit kB)" 0 $flat
ok "descriptors are flat" awk '{f[NR] = $3; if (NR <= 20 && $3 > m) m = $3}
    END {print m, f[NR]; exit !(f[NR] <= m + 8)}' "$work/samples"
ok "threads are flat" awk '{f[NR] = $4; if (NR <= 20 && $4 > m) m = $4}
    END {print m, f[NR]; exit !(f[NR] <= m)}' "$work/samples"
[ -n "${SAMPLES:-}" ] && cp "$work/samples" "$SAMPLES"
[ -n "${KEEP:-}" ] && cp "$work/daemon.log" "$work/drifts" "$work/metrics" "$KEEP"
stop_daemon
is "no journal is left open" "" "$(journals_open)"
ok "the status ref is linear" status_linear
ok "the repository is whole" git -C "$repo" fsck --strict --no-dangling
no_sanitizer
show_log
finish
