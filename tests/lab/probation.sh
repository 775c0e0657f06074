#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# Probes judge what the daemon applies: a merge that breaks a security group is
# healed back within seconds, quarantined, told, and not applied again, over kill
# -9 and whatever budget there is for deletions; the next commit resumes.
PREFIX=${PREFIX:-tprobe}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"

"$here/lab.sh" up "$PREFIX" 2
repo=$work/intent
intent_new "$repo" 2
w1=$PREFIX-w1
probes() { # probes [NAME TARGET]
    cat >"$repo/tenet.yml" <<YAML
apiVersion: tenet/v1
kind: Settings
metadata: {name: ${PREFIX}}
spec:
  budgets: {maxDeletes: 3, maxDeletePercent: 100, maxDeletesPerTenant: 3}
  probes:
    - {name: w1-to-w2, from: acme/w1, to: {port: acme/w2}}
    - {name: w1-to-nobody, from: acme/w1, to: {address: 10.1.0.99}}
YAML
}
intent() { # intent MTU [RULE [EXTRA-VPCS]]
    local i
    rm -rf "$repo/tenants"
    web_pair "$repo" "$1" "${2:-}"
    for ((i = 1; i <= ${3:-0}; i++)); do
        cat >"$repo/tenants/acme/more$i.yml" <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: more$i}
spec: {cidrs: [10.2.0.0/16], subnets: [{name: a, cidr: 10.2.$i.0/24}]}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: more$i}
spec: {vpc: more$i, subnet: a, host: hv1, attach: {netns: $PREFIX-more$i}}
YAML
    done
}
merge() { # merge WHAT: prints the id
    commit "$repo" "$1" && git -C "$repo" rev-parse HEAD
}
mtu() { ip -n "$w1" -o link show eth0 | sed 's/.* mtu \([0-9]*\) .*/\1/'; }
has_mtu() { [ "$(mtu)" = "$1" ]; }
silent() { ! pings "$w1" 10.1.0.12 1; } # Rules come after links.
following() { ctl status | grep -q "^Following ${1:0:12}"; }
on_probation() { ctl status | grep -q '^On probation'; }
settled() { following "$1" && ! on_probation; }
quarantined() { ref quarantine.yml | grep -q "commit: \"$1\""; }
firing() {
    curl -s --unix-socket "$work/http.sock" http://x/metrics |
        grep -q 'tenet_source_commits_refused_total{reason="quarantined"} [1-9]'
}
break_rule="direction: ingress, protocol: udp, ports: [9]"
configure "$repo" 2
sed -i 's/loop: {/loop: {probeWindow: 2, /' "$work/daemon.yml"

probes
intent 1400
a=$(merge A)
start
ok "the first commit has nothing to prove" until_ok 20 settled "$a"
ok "the ports talk" until_ok 5 pings "$w1" 10.1.0.12
intent 1390
b=$(merge B)
ok "a commit that breaks nothing is judged" until_ok 20 logged "1 of 1 probe.*it stays.*${b:0:12}"
ok "and stays" has_mtu 1390
ok "it is one to go back to" until_ok 5 grep -q "$b" "$TENET_STATE_DIR/$PREFIX/quarantine.yml"

echo "# A merge that breaks a security group"
intent 1380 "$break_rule" 4
c=$(merge C)
ok "it is applied" until_ok 20 has_mtu 1380
applied=$SECONDS
ok "and the ping fails" until_ok 5 silent
ok "it is healed back" until_ok 10 pings "$w1" 10.1.0.12 1
echo "# after $((SECONDS - applied)) s"
ok "all of it, although more is deleted than the budget allows" \
    until_ok 5 bash -c "[ \"\$(ip -n $w1 -o link show eth0 | grep -c 'mtu 1390')\" = 1 ] &&
        ! ip netns list | grep -q $PREFIX-more4"
ok "B is followed" until_ok 5 settled "$b"
ok "verified" until_ok 10 logged "all devices are as intended.*${b:0:12}"
ok "C is quarantined on the ref" until_ok 10 quarantined "$c"
ok "it is said of the tip" until_ok 5 bash -c "$TENET ctl --control $work/ctl.sock status | grep -q 'not followed.*quarantined.*w1-to-w2'"
ok "it is told" until_ok 5 firing
ok "also by an alert" until_ok 5 grep -rq TenetRolledBack "$TENET_STATE_DIR/daemon"
sleep 2.5
ok "it is not applied again" has_mtu 1390

echo "# The next commit resumes"
intent 1370
d=$(merge D)
ok "D is followed" until_ok 20 settled "$d"
ok "and is there" has_mtu 1370

echo "# What one breaks is not forgiven because another comes"
intent 1360 "$break_rule"
merge E >/dev/null
ok "E is applied" until_ok 20 has_mtu 1360
intent 1350 "$break_rule"
f=$(merge F)
ok "F comes before E was judged, and breaks what E broke" until_ok 20 quarantined "$f"
ok "D is back" until_ok 10 has_mtu 1370
ok "the ports talk" until_ok 5 pings "$w1" 10.1.0.12 1

echo "# kill -9 on probation"
intent 1340 "$break_rule"
g=$(merge G)
ok "G is applied" until_ok 20 has_mtu 1340
ok "the ping fails" until_ok 5 silent
kill_daemon
start
ok "after a start the judgement goes on" until_ok 20 quarantined "$g"
ok "D is back" until_ok 20 has_mtu 1370
ok "the ports talk" until_ok 5 pings "$w1" 10.1.0.12 1

echo "# A port that goes, and its probe stays"
intent 1330
sed -i '/^metadata: {name: w2}/,$d' "$repo/tenants/acme/web.yml"
sed -i '$d;' "$repo/tenants/acme/web.yml"
sed -i '$d;' "$repo/tenants/acme/web.yml"
sed -i '$d;' "$repo/tenants/acme/web.yml"
h=$(merge H)
ok "H takes it away, and is taken back" until_ok 30 quarantined "$h"
ok "the ports talk" until_ok 10 pings "$w1" 10.1.0.12 1

echo "# Back by hand is not on probation"
intent 1320
i=$(merge I)
ok "I is followed" until_ok 20 settled "$i"
ok "roll back" "$TENET" rollback -C "$repo" --control "$work/ctl.sock" --yes --reason test "$d"
ok "D is followed" until_ok 20 settled "$d"
ok "and is there" until_ok 5 has_mtu 1370
stop_daemon

echo "# Git away while it is judged"
configure "file://$repo" 1
sed -i 's/loop: {/loop: {probeWindow: 2, /' "$work/daemon.yml"
start
ok "D is followed" until_ok 20 settled "$d"
intent 1310 "$break_rule"
j=$(merge J)
ok "J is applied" until_ok 20 has_mtu 1310
mv "$repo" "$repo.away"
ok "and the ping fails" until_ok 5 silent
ok "it is healed back" until_ok 10 pings "$w1" 10.1.0.12 1
ok "and told" until_ok 20 logged "${j:0:12}.*taken back|taken back.*${j:0:12}"
mv "$repo.away" "$repo"
ok "the remote learns of it" until_ok 30 quarantined "$j"
intent 1300
k=$(merge K)
ok "the next commit resumes" until_ok 20 settled "$k"
stop_daemon
no_sanitizer
show_log
finish
