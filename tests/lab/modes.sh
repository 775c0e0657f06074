#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# What the daemon may not do: first contact, modes and freezes that come from
# Git, with reason and end; removals beyond the budget.
PREFIX=${PREFIX:-tmodes}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

daemon=
cleanup() {
    [ -n "$daemon" ] && kill -KILL "$daemon" 2>/dev/null
    lab_sweep
}
until_ok() { # until_ok SECONDS COMMAND...
    local i
    for ((i = 0; i < $1 * 20; i++)); do
        "${@:2}" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    tail -n 15 "$work/daemon.log"
    return 1
}
ctl() { "$TENET" ctl --control "$work/ctl.sock" "$@"; }
ctl_says() { ctl status | grep -qE -- "$1"; }
moment() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }

"$here/lab.sh" up "$PREFIX" 1
repo=$work/intent
intent_new "$repo" 1
cp "$repo/tenet.yml" "$work/tenet.yml"
mkdir -p "$repo/tenants/acme"
tenant() { # tenant MTU
    cat >"$repo/tenants/acme/all.yml" <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec: {cidrs: [10.1.0.0/16], subnets: [{name: front, cidr: 10.1.1.0/24, mtu: $1}]}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: a}
spec: {vpc: web, subnet: front, host: hv1, attach: {netns: $PREFIX-a}}
YAML
}
cat >"$repo/tenants/acme/tenant.yml" <<YAML
apiVersion: tenet/v1
kind: Tenant
metadata: {name: acme}
spec: {}
YAML
tenant 1400
commit "$repo" "First"
cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: test}
spec:
  source: {url: $repo, branch: main, interval: 2}
  loop: {audit: 5}
  control: $work/ctl.sock
YAML
"$TENET" run --config "$work/daemon.yml" 2>>"$work/daemon.log" &
daemon=$!
vpc=${PREFIX}1.tn.acme.web
mtu() { ip -n "$PREFIX-a" -o link show eth0 2>/dev/null | sed 's/.* mtu \([0-9]*\) .*/\1/'; }
has_mtu() { [ "$(mtu)" = "$1" ]; }

ok "a first contact is only looked at" until_ok 15 ctl_says "hv1.*observed.*first contact"
not_ok "nothing is made" ip netns pids "$vpc"
not_ok "a mode wants a reason" ctl heal device/hv1
ok "until somebody says so" ctl heal device/hv1 --reason "taking it over"
ok "then it is applied" until_ok 15 has_mtu 1400

# A freeze: drift is healed, new intent waits.
from=$(moment "-1 hour") end=$(moment "+12 seconds")
cat >>"$repo/tenet.yml" <<YAML
  freezes: [{from: $from, until: $end, reason: "holidays"}]
YAML
commit "$repo" "Freeze"
ok "the freeze is taken" until_ok 10 bash -c \
    "$TENET ctl --control $work/ctl.sock status | grep -q 'Following $(git -C "$repo" rev-parse --short=12 HEAD)'"
tenant 1390
commit "$repo" "Change in the freeze"
ok "new intent waits, and it is said why" until_ok 10 ctl_says "not followed: holidays"
ip -n "$vpc" link set b-front down
ok "drift is healed all the same" until_ok 5 bash -c "ip -n $vpc -o link show b-front up | grep -q b-front"
is "the change waits" 1400 "$(mtu)"
ok "after the freeze it is applied" until_ok 30 has_mtu 1390

# A mode from Git, with an end.
end=$(moment "+12 seconds")
cp "$work/tenet.yml" "$repo/tenet.yml"
cat >>"$repo/tenet.yml" <<YAML
  modes: [{target: {tenant: acme}, mode: hold, reason: "ticket 4711", until: $end}]
YAML
commit "$repo" "Hold"
ok "the mode is taken" until_ok 10 bash -c \
    "$TENET ctl --control $work/ctl.sock status | grep -q 'Following $(git -C "$repo" rev-parse --short=12 HEAD)'"
ip -n "$vpc" link set b-front down
ok "drift is held, and it is said why" until_ok 5 ctl_says "hv1.*held.*ticket 4711"
not_ok "it stays" bash -c "ip -n $vpc -o link show b-front up | grep -q b-front"
ok "heal by command cannot loosen what Git says" ctl heal tenant/acme --reason "impatient"
sleep 1
not_ok "it stays" bash -c "ip -n $vpc -o link show b-front up | grep -q b-front"
ok "when the mode ends it is healed" until_ok 30 bash -c "ip -n $vpc -o link show b-front up | grep -q b-front"

# A budget for removals: they wait, and so does new intent; drift is healed.
up() { ip -n "$vpc" -o link show b-front up | grep -q b-front; }
has_vpc() { ip netns list | grep -q "^${PREFIX}1.tn.acme.$1\\b"; }
more() { # more N
    cat <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: more$1}
spec: {cidrs: [10.2.0.0/16], subnets: [{name: a, cidr: 10.2.$1.0/24}]}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: more$1}
spec: {vpc: more$1, subnet: a, host: hv1, attach: {netns: $PREFIX-more$1}}
YAML
}
sed 's/budgets: .*/budgets: {maxDeletes: 10}/' "$work/tenet.yml" >"$repo/tenet.yml"
for i in 1 2 3; do more "$i" >"$repo/tenants/acme/more$i.yml"; done
commit "$repo" "More"
ok "a commit that only adds is applied" until_ok 15 has_vpc more3
ok "and settles" until_ok 10 ctl_says "hv1.*unchanged"
rm "$repo"/tenants/acme/more[123].yml
more 4 >"$repo/tenants/acme/more4.yml"
tenant 1380
commit "$repo" "Remove more than is allowed"
ok "what removes too much is refused" until_ok 15 ctl_says "hv1.*refused.*maxDeletes allows 10"
ip -n "$vpc" link set b-front down
ok "drift is healed all the same" until_ok 5 up
ip netns exec "$vpc" nft flush ruleset
ok "and again" until_ok 5 bash -c "ip netns exec $vpc nft list ruleset | grep -q tenet"
ok "and said" until_ok 5 grep -q "healed what needs no removal" "$work/daemon.log"
ok "it is still refused" ctl_says "hv1.*refused.*maxDeletes allows 10"
ok "after a whole look, too" ctl audit
sleep 1
ok "nothing was removed, bit by bit" has_vpc more1
not_ok "nor was new intent applied" has_vpc more4
is "nor changed" 1390 "$(mtu)"
is "and it is no quarrel" 0 "$(grep -c Flapping "$work/daemon.log")"
ok "an alert fires" until_ok 5 grep -rq TenetBudgetExceeded "$TENET_STATE_DIR/daemon"
sed 's/budgets: .*/budgets: {maxDeletes: 1000, maxDeletePercent: 100}/' \
    "$work/tenet.yml" >"$repo/tenet.yml"
commit "$repo" "Allow it"
ok "when it is allowed it is done" until_ok 15 has_mtu 1380
no_vpc() { ! has_vpc "$1"; }
ok "wholly" until_ok 5 no_vpc more1
ok "and well" until_ok 10 ctl_says "hv1.*unchanged"

kill -TERM "$daemon"
wait "$daemon"
daemon=
not_ok "no report of a sanitizer" grep -E "Sanitizer|runtime error" "$work/daemon.log"
[ "$failures" = 0 ] || tail -n 60 "$work/daemon.log" | sed 's/^/# /'
finish
