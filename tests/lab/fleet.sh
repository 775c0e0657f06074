#!/usr/bin/env bash
# Many devices of one daemon (in files: no kernel is touched): workers that
# cannot be started at first, first looks that are spread over time, and
# commits that concern few of them.
PREFIX=${PREFIX:-tfleet}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"
uid=54321 hosts=24
as() { setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"; }
# The daemon is somebody else than who commits.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'

repo=$work/intent
"$here/../bench/generate_intent.py" --vpcs 48 --tenants 2 --hosts $hosts \
    --out "$repo" >/dev/null
sed -i -E "s|^    (hv[0-9]+): \{|    \1: {tenet_memory_path: $work/dev/\1.json, |" \
    "$repo/inventories/bench/hosts.yml"
sed -i "s/budgets: {/&maxDeletePercent: 100, /" "$repo/tenet.yml"
git -C "$repo" init -q -b main
git -C "$repo" config user.name Test
git -C "$repo" config user.email test@example.org
commit "$repo" "All"
mkdir -p "$work/dev" "$TENET_STATE_DIR"
AUDIT=3600 configure "$repo" 2
owned() { chown -R $uid "$work" && chmod 755 "$work"; }
owned
UNDER=(setpriv --reuid "$uid" --regid "$uid" --clear-groups
    prlimit "--nproc=${NPROC:-14}:4096")
start
ok "some devices have no worker" until_ok 20 logged 'hv[0-9]+: it has no worker'
is "but most of the daemon lives" yes "$(alive && echo yes)"
ok "devices with a worker are made" until_ok 20 logged 'hv[0-9]+: applied'
not_ok "not all are" logged 'all devices are as intended'
as prlimit --pid "$daemon" --nproc=4096:4096
ok "the others get a worker" until_ok 40 logged 'hv[0-9]+: it has a worker now'
ok "and all devices are made" until_ok 40 logged 'all devices are as intended'
is "each of them" $hosts "$(find "$work/dev" -name '*.json' | wc -l)"
# shellcheck disable=SC2317 # Called by until_ok.
status_there() {
    [ "$(git -C "$repo" ls-tree --name-only tenet/status:devices | wc -l)" = "$hosts" ]
}
ok "which is told" until_ok 30 status_there
kill -TERM "$daemon" && wait "$daemon"

# Births of the files: when each was first looked at.
rm -rf "${work:?}/dev" "$TENET_STATE_DIR" "$work/daemon.log"
git -C "$repo" update-ref -d refs/heads/tenet/status
mkdir -p "$work/dev" "$TENET_STATE_DIR"
owned
UNDER=(setpriv --reuid "$uid" --regid "$uid" --clear-groups)
start
ok "a second life makes all devices anew" \
    until_ok 40 logged 'all devices are as intended'
births() { # From the first to the last, in seconds.
    find "$work/dev" -name '*.lock' -printf '%T@\n' | sort -n |
        awk 'NR == 1 {first = $1} END {print $1 - first}'
}
is "one after the other" yes \
    "$(births | awk '{print($1 > 0.4 ? "yes" : $1)}')"

# One VPC, which some hosts have.
ok "that is told, too" until_ok 30 status_there
file=$(find "$repo/tenants" -name '*.yml' ! -name tenant.yml | sort | head -1)
touch "$work/before"
sleep 0.1
sed -i -E 's/ports: \[80, [0-9]+\]/ports: [80, 8443]/' "$file"
commit "$repo" "One VPC"
owned
first=${file##*/}
# shellcheck disable=SC2317
told() { [ "$(log_count 'all devices are as intended')" -ge "$1" ]; }
ok "a change of one VPC is followed" until_ok 20 told 2
concerned=$(grep -oE '[0-9]+ devices not concerned' "$work/daemon.log" |
    tail -1 | awk '{print $1}')
has=$(grep -oE 'host: hv[0-9]+' "$file" | sort -u | wc -l)
is "by devices that have ${first%.yml} alone" $((hosts - has)) "$concerned"
is "no other was written" "$has" \
    "$(find "$work/dev" -name '*.json' -newer "$work/before" | wc -l)"
# shellcheck disable=SC2317
published() { git -C "$repo" grep -q 8443 tenet/status -- snapshots; }
ok "their snapshots say it" until_ok 20 published
as "$TENET" plan -C "$repo" --offline --detailed-exitcode >"$work/plan" 2>&1
is "and are all that is needed to plan" 0 $?
as "$TENET" plan -C "$repo" --detailed-exitcode >"$work/plan" 2>&1
is "nothing is left to do" 0 $?

# A VPC that goes takes its file along.
rm "$file"
commit "$repo" "One VPC less"
owned
ok "one that goes is followed" until_ok 20 told 3
# shellcheck disable=SC2317
gone() {
    local vpc=${file#"$repo"/tenants/}
    [ "$(git -C "$repo" ls-tree -r --name-only tenet/status snapshots |
        grep -c "/${vpc%.yml}.jsonl")" = 0 ]
}
ok "and its part of the snapshots" until_ok 20 gone
as "$TENET" plan -C "$repo" --offline --detailed-exitcode >"$work/plan" 2>&1
is "nothing is left to plan" 0 $?
stop_daemon
no_sanitizer
show_log
finish
