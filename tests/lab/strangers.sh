#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# What is done by hand inside the namespaces of VPCs, under a daemon: what was
# ours is healed at the first try, also without our mark on the namespace; what
# leads packets another way is said once and left; a conflict is said once, and
# no longer than it lasts.
PREFIX=${PREFIX:-tstrange}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"

"$here/lab.sh" up "$PREFIX" 2
repo=$work/intent
intent_new "$repo" 2
write_intent A
commit "$repo" first
AUDIT=600 configure "$repo"
start
ok "the first commit arrives" until_ok 60 logged 'all devices are as intended'
n1=${PREFIX}1.tn.acme.v1 n2=${PREFIX}1.tn.acme.v2
foreign() { ref devices/hv1.yml | grep -q "foreign: $1\$"; }
verified() { at_commit hv1 && ! blocked; }
blocked() { ref devices/hv1.yml | grep -q Conflict; }
healed() { # healed WHAT COMMAND...: by an event, at the first try
    local before
    before=$(log_size)
    "${@:2}"
    ok "$1" until_ok 60 logged_since "$before" 'hv1: .*drift: .*told by.*; healed'
}

healed "a namespace that lost its mark" ip -n "$n1" link set lo alias mine
is "bears it again" "tenet:$PREFIX:acme/v1/netns" \
    "$(ip -n "$n1" -j link show lo | jq -r '.[0].ifalias')"
healed "a base rule is gone" ip -n "$n1" rule del pref 32766
ok "and back" grep -q '^32766:' <(ip -n "$n1" rule)
healed "ARP for others on a bridge" from "$n1" sysctl -qw net.ipv4.conf.b-a.proxy_arp=1
is "is off" 0 "$(from "$n1" sysctl -n net.ipv4.conf.b-a.proxy_arp)"
not_ok "nothing was rolled back" logged 'rolled-back|failed'

ip -n "$n1" rule add pref 100 from 10.0.0.0/8 lookup 7
ok "a policy rule is said" until_ok 60 \
    logged 'not ours, and left alone: policy-rule acme/v1/policy-rule/ipv4 100: from 10.0.0.0/8 lookup 7'
sleep 10 # One line in so much time.
tc -n "$n1" qdisc add dev b-a clsact
ok "a place for filters is said" until_ok 60 \
    logged 'not ours, and left alone: qdisc acme/v1/qdisc/b-a/clsact'
"$TENET" plan -C "$repo" --host hv1 --output json >"$work/plan.json" 2>/dev/null
is "the plan shows both" 2 \
    "$(jq '[.devices[].foreign[] | select(.kind == "policy-rule" or .kind == "qdisc")] | length' "$work/plan.json")"
ok "both are left" test -n "$(ip -n "$n1" rule show pref 100)$(tc -n "$n1" qdisc show dev b-a clsact)"
ok "the status counts them" until_ok 60 foreign 2

before=$(log_size)
kill -STOP "$daemon"
ip -n "$n2" link del b-b
ip -n "$n2" link add b-b type veth peer name other
kill -CONT "$daemon"
ok "a conflict is said" until_ok 60 logged_since "$before" 'left as it is: .*b-b'
for _ in 1 2; do
    healed "what is elsewhere is healed" ip -n "$n1" addr del 10.1.1.1/24 dev b-a
done
is "it was said once" 1 "$(log_count 'left as it is: ')"
ok "and is in the status" until_ok 60 blocked
before=$(log_size)
ip -n "$n2" link del b-b
ok "without it all is healed" until_ok 60 \
    logged_since "$before" 'hv1: .*applied .* changes and verified'
ok "the bridge is one" ip -n "$n2" link show type bridge dev b-b
is "and it is not said again" 1 "$(log_count 'left as it is: ')"
ok "the status says so" until_ok 60 verified
stop_daemon
no_sanitizer
finish
