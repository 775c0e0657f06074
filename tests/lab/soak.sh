#!/usr/bin/env bash
# A long life in short: drift of random kinds all the time and a commit now and
# then. Memory and descriptors stay flat, and no drift is missed.
#
#   soak.sh [SECONDS]            as many things broken as possible
#   soak.sh day [HOURS] [FACTOR] a day at the pace of service: soak_day.sh
[ "${1:-}" = day ] && exec "$(dirname "$0")/soak_day.sh" "${@:2}"
# shellcheck disable=SC2119
PREFIX=${PREFIX:-tsoak}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"
seconds=${1:-15}
seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "# SEED=$seed"

"$here/lab.sh" up "$PREFIX" 2
repo=$work/intent
intent_new "$repo" 2
write_intent A 0 && commit "$repo" A
foreign_add
before=$(foreign_show)
AUDIT=10 configure "$repo" 2
start
ok "the first commit arrives" until_ok 60 at_commit hv1 hv2
descriptors() { find "/proc/$daemon/fd" -type l 2>/dev/null | wc -l; }
sleep 1
first_fds=$(descriptors)

# An address sanitizer keeps what was freed; there leaks are told at the end.
limit=${SLOPE_KB:-4096}
ldd "$TENET" | grep libasan >/dev/null && limit=262144

sample() {
    curl -s --max-time 5 --unix-socket "$work/http.sock" http://x/metrics \
        >/dev/null
    echo "$SECONDS $(status_of "$daemon" VmRSS)" \
        "$(descriptors)" \
        "$(status_of "$daemon" Threads)" >>"$work/samples"
}
began=$SECONDS rounds=0 breaks=0 commits=0 next_sample=0 which=B
while [ $((SECONDS - began)) -lt "$seconds" ] && alive; do
    rounds=$((rounds + 1))
    python3 "$here/random_drift.py" break "$PREFIX" $((seed + rounds)) \
        --but "${PREFIX}1" >>"$work/broken" 2>/dev/null && breaks=$((breaks + 1))
    # Bursts of events that heal themselves are part of any day.
    if ((rounds % 3 == 0)); then
        ns=$(ip netns list | awk '{print $1}' | grep "^${PREFIX}1\.tn\." | head -1)
        [ -n "$ns" ] && for ((b = 0; b < 50; b++)); do
            echo "link add burst$b type dummy"
            echo "link del burst$b"
        done | ip -n "$ns" -force -batch - 2>/dev/null
    fi
    if ((rounds % 20 == 0)); then
        write_intent $which $rounds
        commit "$repo" "Change $rounds" && commits=$((commits + 1))
        [ $which = A ] && which=B || which=A
    fi
    if [ $SECONDS -ge "$next_sample" ]; then
        sample
        next_sample=$((SECONDS + (seconds >= 120 ? 5 : 1)))
    fi
done
ok "it lives" alive
write_intent A last && commit "$repo" Last
ok "the last commit is followed" until_ok 90 at_commit hv1 hv2
ok "no drift was missed: the plan is empty within the audit" \
    until_ok 60 empty_plan
is "foreign objects are untouched" "$before" "$(foreign_show)"
sample
echo "# $seconds s: $(wc -l <"$work/broken") things broken in $breaks rounds, $commits commits," \
    "$(metric 'tenet_drift_detected_total{class="security"}') security," \
    "$(metric 'tenet_drift_detected_total{class="outage"}') outage," \
    "$(metric 'tenet_drift_detected_total{class="cosmetic"}') cosmetic drifts detected"

awk -v limit="$limit" -f "$here/soak_trend.awk" "$work/samples" >"$work/trend"
flat=$?
cat "$work/trend"
is "memory is flat (within $limit kB)" 0 $flat
# With the intent of the beginning. Namespaces of others need some too, and
# other tests come and go; one for each drift would be hundreds.
sleep 1
last_fds=$(descriptors)
is "descriptors are as they were ($first_fds, now $last_fds)" yes \
    "$([ "$last_fds" -le $((first_fds + 64)) ] && echo yes)"
is "threads are flat" yes "$(awk '{f[NR] = $4}
    END {print f[NR] <= f[int(NR / 3) + 1] + 2 ? "yes" : f[NR]}' "$work/samples")"
[ -n "${SAMPLES:-}" ] && cp "$work/samples" "$SAMPLES"
stop_daemon
is "no journal is left open" "" "$(journals_open)"
no_sanitizer
show_log
finish
