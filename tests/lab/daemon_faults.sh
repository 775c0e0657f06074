#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# The daemon when its surroundings fail: disks full, the remote away, the
# repository garbage, clocks that jump, netlink overrun, a device that hangs, a
# process that was stopped, rubbish on the control socket, a second daemon.
#
#   daemon_faults.sh [long|short|NAME...]
#
#   long    a minute without the remote, 30 s stopped
#   short   a selection for CI, less than 40 s in a Release build
#   NAME    these alone: the functions below
PREFIX=${PREFIX:-tfault}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"
away=4 stopped=3 flood=2
all=(disk_of_state disk_of_repository second_daemon control_rubbish
    stopped_process event_flood repository_garbage remote_away mirror_garbage
    hanging_device clocks)
jumps=(+1h +10y -3d -10y +0)
garbage=(no_head ref_nowhere ref_garbage objects_garbage status_garbage all_gone)
case ${1:-} in
long) away=60 stopped=30 flood=10 ;;
short)
    all=(disk_of_state repository_garbage remote_away mirror_garbage clocks)
    jumps=(+10y -10y +0) away=1 garbage=(ref_garbage all_gone)
    ;;
?*) all=("$@") ;;
esac
sanitized=no
ldd "$TENET" | grep libasan >/dev/null && sanitized=yes

"$here/lab.sh" up "$PREFIX" 2
home=$work/home/intent repo=$work/home/intent
mkdir -p "$work/home" "$work/small"
intent_new "$repo" 2
write_intent A 0 && commit "$repo" A
foreign_add
before=$(foreign_show)
vpc=${PREFIX}1.tn.acme.v1
n=0
# In turn: what drifts again and again is left alone for a while.
victims=(v1:x-a v2:x-a v2:x-b v1:p-v1-a1-x v2:p-v2-a1-a)
victim=v1:x-a n_drifts=0
link() { ip -n "${PREFIX}1.tn.acme.${victim%%:*}" link "$1" "${victim#*:}"; }
has_link() { link show; }
no_link() { ! has_link; }
drift_make() {
    victim=${victims[n_drifts++ % ${#victims[@]}]}
    link del
}
# heals WHAT [SECONDS]: drift made now goes by itself.
heals() {
    drift_make || { result no "$1 (cannot be made)"; return; }
    ok "$1" until_ok "${2:-10}" has_link
}
new_commit() {
    n=$((n + 1))
    echo "# $n" >>"$repo/tenants/acme/tenant.yml"
    commit "$repo" "Change $n"
}
follows() { # follows WHAT [SECONDS]: a new commit is applied and told.
    new_commit
    ok "$1" until_ok "${2:-20}" at_commit hv1 hv2
}
following() {
    ctl status | grep -q "^Following $(git -C "$repo" rev-parse --short=12 HEAD)"
}
fill() { dd if=/dev/zero of="$1/ballast" bs=4k status=none 2>/dev/null; sync -f "$1"; }
section() { echo "# ---- $*"; }

running() {
    [ -n "$daemon" ] && return
    configure "$repo" 1
    start
    follows "it runs"
}
resting() { [ -z "$daemon" ] || stop_daemon; }

garbage_in() { # garbage_in DIRECTORY: in all of its files
    find "$1" -type f -exec sh -c 'for f; do
        chmod u+w "$f"; head -c 200 /dev/urandom >"$f"; done' _ {} +
}

disk_of_state() {
    section "no space for the state"
    resting
    normal_state=$TENET_STATE_DIR
    mount -t tmpfs -o size=4m tenet "$work/small" || exit 1
    export TENET_STATE_DIR=$work/small/state
    configure "file://$repo" 1
    start
    ok "the first commit arrives" until_ok 30 at_commit hv1 hv2
    fill "$work/small"
    at=$(log_size)
    drift_make
    ok "it is said that the disk is full" until_ok 15 logged_since "$at" 'No space left'
    sleep 2
    ok "nothing was applied without a journal" no_link
    at=$(log_size)
    new_commit
    sleep 3
    ok "it lives" alive
    not_ok "and does not say so again and again" \
        test "$(tail -c "+$((at + 1))" "$work/daemon.log" | grep -c 'No space')" -gt 20
    rm "$work/small/ballast"
    ok "with space it heals by itself" until_ok 60 has_link
    ok "and follows the commit made meanwhile" until_ok 60 at_commit hv1 hv2
    fill "$work/small"
    kill_daemon
    start
    sleep 3
    ok "it starts with a full disk" alive
    rm "$work/small/ballast"
    alive || start
    heals "and works when there is space" 60
    is "no temporary file is left" "" \
        "$(find "$work/small" -regextype posix-extended -regex '.*/(accepted|trusted|modes.json)\..{6}')"
    stop_daemon
    umount "$work/small"
    export TENET_STATE_DIR=$normal_state
}

disk_of_repository() {
    section "no space for the repository"
    resting
    mount -t tmpfs -o size=4m tenet "$work/small" || exit 1
    cp -a "$home" "$work/small/intent"
    repo=$work/small/intent
    configure "$repo" 1
    start
    follows "it follows a commit"
    fill "$work/small"
    at=$(log_size)
    heals "drift is healed"
    ok "(what changes the status)" ctl hold vpc/acme/v1 --reason test
    ok "it is said that status cannot be told" until_ok 40 logged_since "$at" '[Ss]tatus.*(No space|write|fail|full)|No space'
    rm "$work/small/ballast"
    ok "hold is cleared" ctl clear vpc/acme/v1
    follows "with space status is told again" 60
    ok "the repository is whole" git -C "$repo" fsck --strict --no-dangling
    stop_daemon
    cp -a "$repo/." "$home/"
    repo=$home
    umount "$work/small"
}

second_daemon() {
    section "a second daemon"
    resting
    configure "$repo" 1
    start
    follows "the first works"
    sed "s|control: .*|control: $work/ctl2.sock|; s|listen: .*}|listen: $work/http2.sock}|" \
        "$work/daemon.yml" >"$work/daemon2.yml"
    code=0
    timeout 15 "$TENET" run --config "$work/daemon2.yml" >"$work/second" 2>&1 || code=$?
    not_ok "the second ends" test "$code" = 0 -o "$code" = 124
    ok "and says why" grep -q "another 'tenet run'" "$work/second"
    heals "the first goes on"
}

control_rubbish() {
    section "rubbish on the control socket"
    running
    python3 - "$work/ctl.sock" <<'PY' &
import os, random, socket, sys
rng = random.Random(7)
rubbish = [b"\n", b"\0" * 100 + b"\n", b"[" * 16000 + b"\n", b"{}\n",
           b'{"command": 5}\n', b'{"command":"mode"}\n', b"A" * 70000,
           b'{"command":"mode","target":"' + b"x" * 9000 + b'","mode":"hold"}\n',
           b'{"command":"clear","target":"device/\\u0000"}\n', b"\xff\xfe\n", b""]
held = []
for i in range(300):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(2)
    try:
        s.connect(sys.argv[1])
        s.sendall(rng.choice(rubbish) if i % 3 else os.urandom(5000))
        if i % 50 == 0:
            held.append(s)          # Never ends its line.
        elif i % 2:
            s.recv(10)
            s.close()
        else:
            s.close()
    except OSError:
        pass
PY
    flooder=$!
    heals "drift is healed meanwhile"
    wait "$flooder"
    ok "ctl is answered after it" ctl status
    ok "and health" curl -sf --unix-socket "$work/http.sock" http://x/healthz
    ok "it lives" alive
}

stopped_process() {
    section "stopped for $stopped s"
    running
    kill -STOP "$daemon"
    drift_make
    new_commit
    sleep "$stopped"
    kill -CONT "$daemon"
    ok "then drift is healed" until_ok 15 has_link
    ok "and the commit followed" until_ok 15 at_commit hv1 hv2
}

event_flood() {
    section "10,000 events a second"
    running
    overruns() { metric 'tenet_driver_resyncs_total{driver="kernel",reason="overrun"}'; }
    for ((i = 0; i < 2000; i++)); do
        m=$(printf '02:00:00:00:%02x:%02x' $((i / 256)) $((i % 256)))
        echo "fdb add $m dev x-b dst 192.0.2.99 self"
        echo "fdb del $m dev x-b dst 192.0.2.99 self"
    done >"$work/flood"
    flood_run() { # flood_run SECONDS: events per second
        local rounds=0 t0
        t0=$(date +%s%N)
        while [ $((($(date +%s%N) - t0) / 1000000000)) -lt "$1" ]; do
            bridge -n "$vpc" -force -batch "$work/flood" >/dev/null 2>&1
            rounds=$((rounds + 1))
        done
        echo $((rounds * 4000 * 1000 / (($(date +%s%N) - t0) / 1000000)))
    }
    flood_run "$flood" >"$work/rate" &
    flooder=$!
    sleep 0.5
    heals "drift is healed under the flood" 20
    wait "$flooder"
    echo "# $(cat "$work/rate") events a second, overruns: $(overruns)"
    ok "it settles" until_ok 30 empty_plan
    kill -STOP "$daemon"
    for ((i = 0; i < 25; i++)); do cat "$work/flood"; done >"$work/torrent"
    bridge -n "$vpc" -force -batch "$work/torrent" >/dev/null 2>&1
    drift_make
    kill -CONT "$daemon"
    ok "drift among lost events is healed, before any audit" until_ok 4 has_link
    echo "# $(cat "$work/rate") events a second, overruns: $(overruns)"
    ok "the overrun is counted" test "$(overruns)" != "" -a "$(overruns)" != 0
    ok "it lives" alive
}

repository_garbage() {
    section "the repository is garbage"
    running
    restore() { # The daemon may be writing in there.
        mv "$repo" "$work/bad" 2>/dev/null
        cp -a "$work/good" "$repo"
        rm -rf "$work/bad" 2>/dev/null || { sleep 1; rm -rf "$work/bad"; }
    }
    spoil() { # spoil WHAT SAID COMMAND...: said or not, healed meanwhile, mended
        local what=$1 said=$2 at
        shift 2
        at=$(log_size)
        rm -rf "$work/good"
        cp -a "$repo" "$work/good"
        "$@"
        ctl sync >/dev/null
        [ "$said" = said ] &&
            ok "$what: it is said" until_ok 15 logged_since "$at" '(warning|error) '
        heals "$what: drift is healed"
        ok "$what: it lives" alive
        restore
        follows "$what: mended, a commit is followed" 30
    }
    no_head() { rm "$repo/.git/HEAD"; }
    ref_nowhere() { echo 0123456789012345678901234567890123456789 >"$repo/.git/refs/heads/main"; }
    ref_garbage() { head -c 100 /dev/urandom >"$repo/.git/refs/heads/main"; }
    objects_garbage() { garbage_in "$repo/.git/objects"; }
    all_gone() { mv "$repo/.git" "$work/bad.git"; rm -rf "$work/bad.git"; }
    status_garbage() { garbage_in "$repo/.git/refs/heads/tenet"; }
    local what
    for what in "${garbage[@]}"; do
        case $what in
        objects_garbage | status_garbage) spoil "$what" quiet "$what" ;;
        *) spoil "$what" said "$what" ;;
        esac
    done
    stop_daemon
}

remote_away() {
    section "the remote away for $away s"
    resting
    configure "file://$repo" 1
    start
    follows "through a mirror"
    at=$(log_size)
    mv "$repo" "$repo.away"
    ok "it is said" until_ok 15 logged_since "$at" 'Git cannot be read|cannot|not'
    heals "drift is healed"
    sleep "$away"
    kill_daemon
    start
    heals "also after kill -9 with the remote away" 20
    mv "$repo.away" "$repo"
    follows "when it is back, a commit is followed" 40
}

mirror_garbage() {
    section "a mirror of garbage"
    if [ -z "$daemon" ]; then
        configure "file://$repo" 1
        start
        follows "through a mirror"
    fi
    kill_daemon
    garbage_in "$TENET_STATE_DIR/daemon/mirror.git"
    start
    follows "it is made anew" 40
    heals "and drift is healed"
    stop_daemon
}

hanging_device() {
    section "a device that hangs"
    resting
    cat >"$repo/inventories/lab/host_vars/slow.yml" <<YAML
tenet_driver: memory
tenet_memory_path: $work/slow.json
tenet_memory_delay_ms: 15000
tenet_underlay_address: 192.0.2.99
YAML
    echo "    slow:" >>"$repo/inventories/lab/hosts.yml"
    cat >>"$repo/tenants/acme/v1.yml" <<YAML
---
apiVersion: tenet/v1
kind: Port
metadata: {name: far}
spec: {vpc: v1, subnet: a, host: slow, securityGroups: [all], attach: {netns: far}}
YAML
    configure "$repo" 1
    start
    commit "$repo" "A slow device"
    ok "the commit is followed" until_ok 10 following
    heals "and are healed" 4
    not_ok "while the slow one has nothing yet" test -s "$work/slow.json"
    ok "which has it in the end" until_ok 30 test -s "$work/slow.json"
    stop_daemon
    git -C "$repo" rm -q --cached inventories/lab/host_vars/slow.yml
    rm "$repo/inventories/lab/host_vars/slow.yml"
    sed -i '/^    slow:/d' "$repo/inventories/lab/hosts.yml"
    write_intent A end
    commit "$repo" "No slow device"
}

clocks() {
    section "clocks that jump"
    resting
    configure "$repo" 1
    if [ "$sanitized" = yes ]; then
        echo "# not under a sanitizer: two preloads do not go together"
    else
        lib=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -1)
        if [ -z "$lib" ]; then
            echo "# libfaketime is not installed"
        else
            # libfaketime also moves timers of the monotonic clock that are
            # absolute: a clock far from 0 keeps them valid, and after a jump back
            # the loop's own ticks are late, which no real jump does.
            echo "+0" >"$work/clock"
            UNDER=(unshare --time --monotonic 800000000 --boottime 800000000
                --fork --kill-child env LD_PRELOAD="$lib"
                FAKETIME_TIMESTAMP_FILE="$work/clock"
                FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1)
            start
            UNDER=()
            follows "it starts" 30
            for jump in "${jumps[@]}"; do
                echo "$jump" >"$work/clock.new"
                mv "$work/clock.new" "$work/clock"
                heals "wall clock $jump: drift is healed"
                [ "${jump:0:1}" = - ] ||
                    follows "wall clock $jump: a commit is followed"
                ok "wall clock $jump: it lives" alive
            done
            kill_daemon
        fi
    fi
    if unshare --time true 2>/dev/null; then
        UNDER=(unshare --time --monotonic 800000000 --boottime 800000000
            --fork --kill-child)
        start
        UNDER=()
        heals "25 years after boot: drift is healed" 20
        follows "25 years after boot: a commit is followed"
        kill_daemon
    fi
}

for part in "${all[@]}"; do
    "$part"
done
resting
configure "$repo" 1

start
ok "in the end desired equals observed" until_ok 30 empty_plan
stop_daemon
is "foreign objects are untouched" "$before" "$(foreign_show)"
is "no journal is left open" "" "$(journals_open)"
no_sanitizer
show_log
finish
