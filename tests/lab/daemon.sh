#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# 'tenet run' on the real kernel: new commits, drift of many kinds, modes, a bad
# commit, a rewritten branch, Git away, kill -9, and a clean stop.
PREFIX=${PREFIX:-tdaemon}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

daemon=
cleanup() {
    [ -n "$daemon" ] && kill -KILL "$daemon" 2>/dev/null
    lab_sweep
}
"$here/lab.sh" up "$PREFIX" 2
repo=$work/intent
ctl() { "$TENET" ctl --control "$work/ctl.sock" "$@"; }
ref() { git -C "$repo" show "tenet/status:$1"; }

intent_new "$repo" 2
port() { # port NAME HOST
    cat <<YAML
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $1}
spec:
  vpc: web
  subnet: front
  host: $2
  securityGroups: [ping]
  attach: {netns: $PREFIX-$1}
YAML
}
mkdir -p "$repo/tenants/acme"
cat >"$repo/tenants/acme/tenant.yml" <<YAML
apiVersion: tenet/v1
kind: Tenant
metadata: {name: acme}
spec: {}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: ping}
spec:
  rules: [{direction: ingress, protocol: icmp}]
YAML
{
    cat <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec:
  cidrs: [10.1.0.0/16]
  subnets:
    - {name: front, cidr: 10.1.1.0/24}
YAML
    port a hv1
    port b hv2
} >"$repo/tenants/acme/web.yml"
commit "$repo" "First"

cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: test}
spec:
  source: {url: $repo, branch: main, interval: 2}
  http: {listen: $work/http.sock}
  loop: {firstContact: heal, audit: 5}
  control: $work/ctl.sock
YAML
start() {
    "$TENET" run --config "$work/daemon.yml" 2>>"$work/daemon.log" &
    daemon=$!
}
# until_ok SECONDS COMMAND...
until_ok() {
    local i
    for ((i = 0; i < $1 * 20; i++)); do
        "${@:2}" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    tail -n 15 "$work/daemon.log"
    return 1
}
at_commit() {
    local id
    id=$(git -C "$repo" rev-parse "${1:-HEAD}")
    for h in hv1 hv2; do
        ref "devices/$h.yml" | grep -q "$id" || return 1
        ref "devices/$h.yml" | grep -A3 'type: Ready' | grep -q '"True"' ||
            ref "devices/$h.yml" | grep -A2 Ready | grep -q True || return 1
    done
}
address() { ip -n "$PREFIX-$1" -4 -o addr show eth0 | awk '{print $4}' | cut -d/ -f1; }
empty_plan() { [ "$("$TENET" plan -C "$repo" --detailed-exitcode >/dev/null 2>&1; echo $?)" = 0 ]; }

start
ok "the first commit arrives on both hosts" until_ok 20 at_commit
b=$(address b)
ok "and carries packets" until_ok 5 pings "$PREFIX-a" "$b"
ok "a plan beside the daemon is empty" empty_plan
ok "ctl shows both devices" bash -c "$TENET ctl --control $work/ctl.sock status | grep -c unchanged | grep -qx 2"

vpc1=${PREFIX}1.tn.acme.web
# Drift of several kinds; each is healed without being asked.
drift() { # drift WHAT CHECK COMMAND...
    local what=$1 check=$2
    shift 2
    "$@" || { result no "$what (cannot be made)"; return; }
    ok "healed: $what" until_ok 5 bash -c "$check"
}
drift "vxlan deleted" "ip -n $vpc1 link show x-front" ip -n "$vpc1" link del x-front
drift "bridge down" "ip -n $vpc1 -o link show b-front up | grep -q b-front" ip -n "$vpc1" link set b-front down
drift "gateway address removed" "ip -n $vpc1 addr show b-front | grep -q 10.1.1.1" ip -n "$vpc1" addr flush dev b-front
drift "rules flushed" "ip netns exec $vpc1 nft list ruleset | grep -q tenet" ip netns exec "$vpc1" nft flush ruleset
drift "flood entries gone" "bridge -n $vpc1 fdb show dev x-front | grep -q 00:00:00:00:00:00" \
    bash -c "bridge -n $vpc1 fdb show dev x-front | grep 00:00:00:00:00:00 | while read -r m _; do bridge -n $vpc1 fdb del 00:00:00:00:00:00 dev x-front dst 192.0.2.12; done"
drift "forwarding switched off (by audit)" "[ \$(ip netns exec $vpc1 cat /proc/sys/net/ipv4/ip_forward) = 1 ]" \
    ip netns exec "$vpc1" sysctl -qw net.ipv4.ip_forward=0
drift "namespace deleted" "ip -n $vpc1 link show x-front" ip netns del "$vpc1"
ok "packets pass again" until_ok 5 pings "$PREFIX-a" "$b"
ok "a plan is empty again" until_ok 5 empty_plan

# A new commit, taken without anybody asking.
port c hv2 >>"$repo/tenants/acme/web.yml"
commit "$repo" "Add a port"
ok "a commit is applied" until_ok 15 at_commit
ok "and its port answers" until_ok 5 bash -c "ip netns exec $PREFIX-a ping -c1 -W1 $(address c)"

# A port whose tap is not there: neither drift nor a reason to look for ever.
cp "$repo/tenants/acme/web.yml" "$work/web.yml"
port w hv1 | sed "s/attach:.*/attach: {interface: tapw}/" >>"$repo/tenants/acme/web.yml"
commit "$repo" "Add a port of a machine that is off"
ok "a port waits for its tap" until_ok 15 bash -c "$TENET ctl --control $work/ctl.sock status | grep 'hv1.*tapw'"
looks() {
    curl -sf --unix-socket "$work/http.sock" http://x/metrics |
        awk '/^tenet_reconcile_total.*hv1/ {n += $NF} END {print n + 0}'
}
before=$(looks)
sleep 2
ok "quietly" [ $(($(looks) - before)) -le 3 ]
ip -n "${PREFIX}1" tuntap add tapw mode tap
ok "and is served when it comes" until_ok 10 at_commit
cp "$work/web.yml" "$repo/tenants/acme/web.yml"
commit "$repo" "Remove it again"
ok "it goes" until_ok 15 at_commit
ip -n "${PREFIX}1" link del tapw 2>/dev/null
port w hv1 | sed "s/attach:.*/attach: {interface: tapx}/" >>"$repo/tenants/acme/web.yml"
commit "$repo" "Wait for another one"
ok "another one waits" until_ok 15 bash -c "$TENET ctl --control $work/ctl.sock status | grep 'hv1.*tapx'"
cp "$work/web.yml" "$repo/tenants/acme/web.yml"
commit "$repo" "Give it up"
ok "what is not wanted any more is not waited for" until_ok 15 at_commit

# Modes.
ok "hold is set" ctl hold vpc/acme/web --reason "test"
ip -n "$vpc1" link set b-front down
sleep 2
not_ok "held: drift stays" bash -c "ip -n $vpc1 -o link show b-front up | grep -q b-front"
ok "it is told" bash -c "$TENET ctl --control $work/ctl.sock status | grep -q 'hv1.*held.*test'"
ok "hold is cleared" ctl clear vpc/acme/web
ok "and drift is healed" until_ok 5 bash -c "ip -n $vpc1 -o link show b-front up | grep -q b-front"

# A broken commit changes nothing; healing goes on.
cp "$repo/tenet.yml" "$work/tenet.yml"
echo "nonsense: [" >>"$repo/tenet.yml"
commit "$repo" "Break it"
ok "a broken commit is refused" until_ok 10 bash -c "$TENET ctl --control $work/ctl.sock status | grep -q 'is not followed.*tenet.yml'"
drift "beside a broken commit" "ip -n $vpc1 link show x-front" ip -n "$vpc1" link del x-front
cp "$work/tenet.yml" "$repo/tenet.yml"
commit "$repo" "Mend it"
ok "the next good commit is followed" until_ok 15 at_commit

# A rewritten branch.
git -C "$repo" reset -q --hard HEAD~2
commit_again() { git -C "$repo" commit -q --allow-empty -m "Rewritten"; }
commit_again
ok "a rewritten branch is refused" until_ok 10 bash -c "$TENET ctl --control $work/ctl.sock status | grep -q 'no longer contains'"
ok "until it is acknowledged" ctl acknowledge "$(git -C "$repo" rev-parse HEAD)"
ok "then it is followed" until_ok 15 at_commit

# The status ref cannot be written for a while, as the lock never looks left
# behind: what there was to tell is told.
lock=$(git -C "$repo" rev-parse --git-path refs/heads/tenet/status.lock)
touch -d '1 hour' "$repo/$lock"
port e hv1 >>"$repo/tenants/acme/web.yml"
commit "$repo" "Add a port while the ref is locked"
ok "the ref cannot be written" until_ok 60 grep -q "status: .*lock" "$work/daemon.log"
ok "the port is there all the same" until_ok 10 bash -c "ip -n $PREFIX-e link show eth0"
rm "$repo/$lock"
ok "later it is told" until_ok 60 at_commit
ok "also of the VPC" git -C "$repo" grep -q "$(git -C "$repo" rev-parse HEAD)" tenet/status -- tenants

# 'tenet rollback' beside the daemon, which knows which commits were good.
good=$(git -C "$repo" rev-parse HEAD)
port d hv1 >>"$repo/tenants/acme/web.yml"
commit "$repo" "Add another port"
ok "one more commit" until_ok 15 at_commit
ok "all is well" until_ok 5 bash -c "grep -q '$(git -C "$repo" rev-parse HEAD)' $TENET_STATE_DIR/*/quarantine.yml"
ok "it is rolled back" "$TENET" rollback -C "$repo" --yes --reason "test"
ok "the daemon does not follow it" until_ok 10 bash -c "$TENET ctl --control $work/ctl.sock status | grep -q 'is not followed.*quarantined'"
ok "but the one before" until_ok 10 at_commit HEAD^
is "and that is the one" "$good" "$(git -C "$repo" rev-parse HEAD^)"
not_ok "nor does it come back" bash -c "sleep 3; ip -n $vpc1 -o link | grep -q 'p-d'"
git -C "$repo" commit -q --allow-empty -m "Go on"
ok "the next commit resumes" until_ok 15 at_commit

# kill -9, drift meanwhile, start again.
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
ip -n "$vpc1" link del x-front
start
ok "healed after kill -9" until_ok 15 bash -c "ip -n $vpc1 link show x-front"
ok "and in service" until_ok 10 bash -c "curl -sf --unix-socket $work/http.sock http://x/readyz"
ok "metrics are there" bash -c "curl -sf --unix-socket $work/http.sock http://x/metrics | grep -q '^tenet_reconcile_total'"

kill -TERM "$daemon"
code=0
wait "$daemon" || code=$?
is "a clean stop" 0 "$code"
daemon=
ok "leaves things as they are" pings "$PREFIX-a" "$b"
not_ok "no report of a sanitizer" grep -E "Sanitizer|runtime error" "$work/daemon.log"
[ "$failures" = 0 ] || grep -v debug "$work/daemon.log" | tail -n 60 | sed 's/^/# /'
finish
