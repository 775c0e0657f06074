#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok and exits.
# Confirmed changes, probes, rollback and offline plans on the real kernel, two
# hypervisors, one VPC: what is not confirmed in time, what breaks a probe, and
# what a person takes back is undone, verified, and not applied again.
PREFIX=${PREFIX:-tconf}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

"$here/lab.sh" up "$PREFIX" 2
repo=$work/intent
intent_new "$repo" 2
w1=$PREFIX-w1

write_intent() { # write_intent MTU [RULE]
    web_pair "$repo" "$1" "${2:-}"
}
commit() { # commit WHAT: prints the id
    git -C "$repo" add . && git -C "$repo" commit -qm "$1" &&
        git -C "$repo" rev-parse HEAD
}
mtu() { ip -n "$w1" -o link show eth0 2>/dev/null | sed 's/.* mtu \([0-9]*\) .*/\1/'; }
tenet() { local verb=$1; shift; "$TENET" "$verb" -C "$repo" "$@"; }
# A confirmed apply in the background; waits until it may be confirmed.
apply_confirm() { # apply_confirm WINDOW
    "$TENET" apply -C "$repo" --yes --confirm "$1" >"$work/apply" 2>&1 &
    waiter=$!
    for _ in $(seq 100); do
        [ -n "$(find "$work/state" -name pending.json)" ] && return 0
        kill -0 "$waiter" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}
wait_apply() {
    wait "$waiter"
    local code=$?
    cat "$work/apply"
    return "$code"
}

write_intent 1400
commit "No probes" >/dev/null
exits "what no probe can prove is not applied" 1 "$TENET" apply -C "$repo" --yes --probe 5s
ok "and it is said" sh -c "'$TENET' apply -C '$repo' --yes --probe 5s 2>&1 | grep -q 'no probes'"
is "nothing is there" "" "$(mtu)"
cat >>"$repo/tenet.yml" <<YAML
  probes:
    - {name: w1-to-w2, from: acme/w1, to: {port: acme/w2}}
    - {name: w1-to-nobody, from: acme/w1, to: {address: 10.1.0.99}}
YAML
a=$(commit A)
ok "the first apply" tenet apply --yes
is "A is there" 1400 "$(mtu)"
ok "the ports talk" pings "$w1" 10.1.0.12

echo "# Confirmed in time"
write_intent 1390
b=$(commit B)
ok "apply B with a window" apply_confirm 30s
is "B is there while it waits" 1390 "$(mtu)"
exits "another commit cannot be confirmed" 5 "$TENET" confirm -C "$repo" "${a:0:10}"
ok "confirm B" tenet confirm "${b:0:10}"
ok "the apply ends well" wait_apply
is "B stays" 1390 "$(mtu)"
exits "nothing is left to do" 0 "$TENET" plan -C "$repo" --detailed-exitcode

echo "# Not confirmed"
write_intent 1380
c=$(commit C)
ok "apply C with a window" apply_confirm 3s
is "C is there while it waits" 1380 "$(mtu)"
not_ok "the apply ends badly" wait_apply
is "B is back" 1390 "$(mtu)"
ok "the ports talk" pings "$w1" 10.1.0.12
ok "C is quarantined on the ref" sh -c \
    "git -C '$repo' show tenet/status:quarantine.yml | grep -q '$c'"
ok "the next apply leaves C alone" tenet apply --yes
is "B stays" 1390 "$(mtu)"

echo "# The next commit resumes"
write_intent 1370
commit D >/dev/null
ok "apply D" tenet apply --yes
is "D is there" 1370 "$(mtu)"

echo "# A probe that passed before fails: no waiting for the window"
write_intent 1360 "direction: ingress, protocol: udp, ports: [9]"
e=$(commit E)
started=$(date +%s)
exits "apply E is taken back" 6 "$TENET" apply -C "$repo" --yes --confirm 10s
[ $(($(date +%s) - started)) -lt 30 ]
is "within the window" 0 $?
is "D is back" 1370 "$(mtu)"
ok "the ports talk" pings "$w1" 10.1.0.12
ok "E is quarantined" sh -c \
    "git -C '$repo' show tenet/status:quarantine.yml | grep -q '$e'"

echo "# A port that goes, and its probe stays"
write_intent 1355
python3 - "$repo/tenants/acme/web.yml" <<'PY'
import sys
text = open(sys.argv[1]).read()
open(sys.argv[1], "w").write(text.rsplit("---\n", 1)[0])
PY
commit E2 >/dev/null
exits "it is taken back" 6 "$TENET" apply -C "$repo" --yes --probe 3s
is "D is back" 1370 "$(mtu)"
ok "the ports talk" pings "$w1" 10.1.0.12

echo "# kill -9 while it waits: the next run undoes it"
write_intent 1350
f=$(commit F)
ok "apply F with a window" apply_confirm 2s
kill -9 "$waiter"
wait "$waiter" 2>/dev/null
is "F is still there" 1350 "$(mtu)"
sleep 2.2
exits "it is too late to confirm" 5 "$TENET" confirm -C "$repo" "${f:0:10}"
tenet apply --yes >"$work/log" 2>&1
is "D is back" 1370 "$(mtu)"
is "nothing is pending" "" "$(find "$work/state" -path '*confirm*' -name '*.json')"

echo "# By hand"
write_intent 1340
g=$(commit G)
ok "apply G" tenet apply --yes
is "G is there" 1340 "$(mtu)"
ok "roll back" tenet rollback --yes --reason "too small"
is "the one before is back" 1370 "$(mtu)"
ok "G is quarantined, with the reason" sh -c \
    "git -C '$repo' show tenet/status:quarantine.yml | grep -A2 '$g' | grep -q 'too small'"
ok "an apply leaves it alone" tenet apply --yes
is "the one before stays" 1370 "$(mtu)"
ok "resume" tenet rollback --resume --yes
is "G is back" 1340 "$(mtu)"
ok "roll back to A" tenet rollback --yes "$a"
is "A is back" 1400 "$(mtu)"

echo "# Offline"
git clone -q "$repo" "$work/clone"
git -C "$work/clone" fetch -q origin '+refs/heads/tenet/*:refs/remotes/origin/tenet/*'
for rev in "$a" "$b" "$g"; do
    tenet plan --rev "$rev" --output json >"$work/online" 2>/dev/null
    "$TENET" plan -C "$work/clone" --offline --rev "$rev" --output json \
        >"$work/offline" 2>"$work/said"
    ok "the offline plan of ${rev:0:7} is the online one" \
        cmp "$work/online" "$work/offline"
    ok "it says how old it is" grep -qi "snapshot" "$work/said"
done
ok "destroy" tenet destroy --yes
finish
