#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# A Northbound database of three servers, and kill -9 of the leader at several
# instants of an apply of about a thousand rows: what was said to be done is
# there, the next apply finishes, and nothing is there twice or half.
#
#   ovn_cluster.sh [ROUND...]    a round is a delay in milliseconds
PREFIX=${PREFIX:-tovnc}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/ovn_lib.sh
. "$here/ovn_lib.sh"

tenet() { central "$TENET" "$@" -C "$repo"; }
leader() { # The number of the leader; waits until there is one.
    local i
    for _ in $(seq 300); do
        for ((i = 1; i <= 3; i++)); do
            ovs-appctl -t "$ovn/c/nb$i.ctl" cluster/status OVN_Northbound 2>/dev/null |
                grep -q '^Role: leader' && echo "$i" && return
        done
        sleep 0.1
    done
}
all_joined() {
    local i
    for ((i = 1; i <= 3; i++)); do
        ovsdb-client -t 30 wait "unix:$ovn/c/nb$i.sock" OVN_Northbound connected || return 1
    done
}
retried() { # An answer of the new leader.
    for _ in $(seq 100); do
        nb --timeout=20 "$@" 2>/dev/null && return
        sleep 0.2
    done
}
count() { retried --bare --columns=_uuid find "$1" 'external_ids:tenet-instance!=""' | grep -c .; }
counts() { # Rows of each kind, as many as there are.
    local t
    for t in Logical_Switch Logical_Switch_Port Logical_Router_Port Port_Group ACL; do
        echo "$t $(count "$t")"
    done
}
write() { # write NETWORKS GROUPS
    local i
    mkdir -p "$repo/tenants/acme"
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' \
        >"$repo/tenants/acme/tenant.yml"
    {
        printf 'apiVersion: tenet/v1\nkind: Vpc\nmetadata: {name: web}\nspec:\n  cidrs: [10.0.0.0/8]\n  subnets:\n'
        for ((i = 1; i <= $1; i++)); do
            echo "    - {name: s$i, cidr: 10.$((i / 250)).$((i % 250)).0/24}"
        done
        for ((i = 1; i <= $2; i++)); do
            cat <<YAML
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: g$i}
spec: {rules: [{direction: ingress, protocol: tcp, ports: $i}]}
YAML
        done
        cat <<YAML
---
apiVersion: tenet/v1
kind: Port
metadata: {name: p1}
spec: {vpc: web, subnet: s1, host: hv1, securityGroups: [$(seq -s, -f g%g "$2")], attach: {interface: p1}}
YAML
    } >"$repo/tenants/acme/all.yml"
    expected=$(printf 'Logical_Switch %d\nLogical_Switch_Port %d\nLogical_Router_Port %d\nPort_Group %d' \
        "$1" "$(($1 + 1))" "$1" "$(($2 + 2))")
}
has_expected() { diff <(counts | grep -v ACL) <(echo "$expected"); }

round() { # round DELAY-MS
    local code=0 who pid apply
    what="after $1 ms"
    commit "$repo" "$what"
    who=$(leader)
    pid=$(cat "$ovn/c/nb$who.pid")
    tenet apply --yes >"$work/apply" 2>&1 &
    apply=$!
    sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
    kill -9 "$pid"
    rm -f "$ovn/c/nb$who.pid"
    wait $apply || code=$?
    echo "# $what: the leader, $who, is gone; apply says $code"
    if [ $code -eq 0 ]; then
        ok "$what: what was said to be done is there" has_expected
    else
        tail -n 3 "$work/apply" | sed 's/^/#   /'
    fi
    exits "$what: two of three: the next apply finishes" 0 tenet apply --yes
    exits "$what: the plan is empty" 0 tenet plan --detailed-exitcode
    ok "$what: everything is there once" has_expected
    ovn_nb_member "$who" 2>>"$work/up"
    ok "$what: the server is back" all_joined
}

repo=$work/intent
[ $# -gt 0 ] || set -- 200 500 800
ovn_up 1 3 2>"$work/up"
ovn_intent "$repo" 1
nb ls-add foreign
write 100 20
commit "$repo" first
exits "it is applied" 0 tenet apply --yes
[ "$failures" = 0 ] || finish
ok "all rows are there" has_expected
n=0
for delay in "$@"; do
    n=$((n + 1))
    # To and fro, so that things are made and deleted.
    if [ $((n % 2)) = 1 ]; then write 300 60; else write 120 30; fi
    round "$delay"
done
is "what others made is there" foreign "$(retried --bare --columns=name list Logical_Switch foreign)"
exits "destroy" 0 tenet destroy --yes
is "nothing of ours is left" "" "$(counts | grep -v ' 0$')"
finish
