#!/usr/bin/env bash
# The main job, shown: three hypervisors, two tenants with the same addresses,
# one Git repository; first by hand, then by the daemon. Sets up what it needs,
# takes about a minute, leaves nothing behind. KEEP=1 leaves the lab up, to look
# around.
set -euo pipefail
cd "$(dirname "$0")/.."
src=$PWD

if [ "$(id -u)" -ne 0 ]; then
    echo "The demo makes network namespaces: run it as root." >&2
    exit 1
fi

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' off=$'\e[0m'
else
    bold='' green='' red='' off=''
fi
failed=0
title() { printf '\n%s== %s%s\n' "$bold" "$*" "$off"; }
run() {
    printf '%s$ %s%s\n' "$bold" "$*" "$off"
    "$@"
}
# check WHAT COMMAND...: the command must succeed.  refuse: it must fail.
verdict() {
    if [ "$1" = "$2" ]; then
        printf '  %sok%s    %s\n' "$green" "$off" "$3"
    else
        printf '  %sFAIL%s  %s\n' "$red" "$off" "$3"
        failed=1
    fi
}
check() {
    local what=$1 got=yes
    "${@:2}" >/dev/null 2>&1 || got=no
    verdict yes "$got" "$what"
}
refuse() {
    local what=$1 got=no
    "${@:2}" >/dev/null 2>&1 && got=yes
    verdict no "$got" "$what"
}
from() { ip netns exec "$@"; }
pings() { from "$1" ping -n -q -c 1 -W 2 "$2"; }
# A server for one connection in namespace $1 on port $2, then a client.
tcp() { # tcp CLIENT-NS SERVER-NS ADDRESS PORT
    local word
    (echo tenet | from "$2" timeout 4 nc -l -N -s "$3" -p "$4" &) 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        from "$2" ss -Hltn "sport = :$4" | grep -q . && break
        sleep 0.05
    done
    word=$(from "$1" timeout 2 nc -d -w 1 "$3" "$4") && [ "$word" = tenet ]
}
# soon COMMAND...: the command succeeds within ten seconds.
soon() {
    local i
    for ((i = 0; i < 1000; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.01
    done
    return 1
}

title "Set up: packages, build"
ci/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release --target tenet -- --quiet
PATH=$src/build/release:$PATH
run tenet version

work=$(mktemp -d /tmp/tenet-demo.XXXXXX)
export TENET_STATE_DIR=$work/state TENET_CACHE_DIR=$work/cache
workloads=(acme-web1 acme-web2 acme-web3 acme-db1 acme-admin1 globex-shop1
    globex-shop3)
daemon=
cleanup() {
    local status=$?
    if [ -n "$daemon" ]; then
        kill -KILL "$daemon" 2>/dev/null || true
    fi
    if [ -n "${KEEP:-}" ]; then
        echo "Kept: $work and the namespaces tenet-hv*, acme-*, globex-*."
        return
    fi
    "$src/tests/lab/lab.sh" down tenet-hv || true
    for ns in "${workloads[@]}"; do
        ip netns del "$ns" 2>/dev/null || true
    done
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT
"$src/tests/lab/lab.sh" down tenet-hv
ours() {
    ip netns list 2>/dev/null |
        grep -E '^(tenet-hv|acme-|globex-)' | sort
}
before=$(ours || true)

title "A lab: three hypervisors on one underlay"
run tests/lab/lab.sh up tenet-hv 3
check "hypervisor 1 reaches hypervisor 3 on the underlay" \
    pings tenet-hv1 192.0.2.13

title "The intent: a Git repository of YAML"
intent=$work/intent
mkdir "$intent"
cp -r inventories ci/demo/tenet.yml ci/demo/tenants "$intent"
cd "$intent"
git init -q -b main
git config user.name "Demo" && git config user.email demo@example.org
git add . && git commit -q -m "Tenants acme and globex"
run git ls-files
run tenet validate

title "Plan and apply"
run tenet plan | tail -n 25
echo "  [...]"
run tenet apply --yes | tail -n 8

title "Prove it with packets"
check "acme: web1 -> web2, same subnet, other host (IPv4)" \
    pings acme-web1 10.1.0.12
check "acme: web1 -> web2, same subnet, other host (IPv6)" \
    pings acme-web1 fd00:1:0:1::12
check "acme: web1 -> db1:5432, routed to another subnet and host" \
    tcp acme-web1 acme-db1 10.1.1.21 5432
refuse "acme: web1 -> db1:5433, refused by the security group" \
    tcp acme-web1 acme-db1 10.1.1.21 5433
refuse "acme: db1 is not pinged: default deny" pings acme-web1 10.1.1.21
check "globex: shop1 -> shop3, the same addresses as acme's" \
    pings globex-shop1 10.1.0.13
refuse "globex does not reach acme: 10.1.0.12 exists only there" \
    pings globex-shop1 10.1.0.12
refuse "acme does not reach globex: 10.1.0.13 exists only there" \
    pings acme-web1 10.1.0.13
check "peering: admin1 (VPC ops) -> web1 (VPC web), granted prefix" \
    pings acme-admin1 10.1.0.11
refuse "peering: admin1 -> db1, a prefix that web does not export" \
    tcp acme-admin1 acme-db1 10.1.1.21 5432

title "A second plan is empty"
run tenet plan --detailed-exitcode

title "Somebody deletes a tunnel by hand"
run ip -n tenet-hv2.tn.acme.web link del x-front
refuse "web1 no longer reaches web2" pings acme-web1 10.1.0.12
code=0
run tenet plan --detailed-exitcode || code=$?
verdict 3 $code "exit code 3: drift"
run tenet apply --yes | tail -n 6
check "web1 reaches web2 again" pings acme-web1 10.1.0.12

title "A change, through a commit"
cat >tenants/acme/web3.yml <<'YAML'
apiVersion: tenet/v1
kind: Port
metadata: {name: web3}
spec:
  vpc: web
  subnet: front
  host: hv3
  address: 10.1.0.13
  securityGroups: [web]
  attach: {netns: acme-web3}
YAML
run git add .
run git commit -q -m "acme: add web3 on hv3"
run tenet plan --out "$work/plan.json"
run tenet apply "$work/plan.json" --yes | tail -n 6
check "web3 reaches web1" pings acme-web3 10.1.0.11
check "web3 reaches db1:5432: it is in the group" \
    tcp acme-web3 acme-db1 10.1.1.21 5432

title "A mistake is refused, with its line, and changes nothing"
sed 's/cidr: 10.1.1.0\/24/cdir: 10.1.1.0\/24/' -i tenants/acme/web.yml
code=0
run tenet validate --worktree || code=$?
verdict 8 $code "exit code 8: the intent is invalid"
git checkout -q tenants/acme/web.yml

title "The loop: tenet run follows Git and heals"
cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: demo}
spec:
  source: {url: $intent}
  control: $work/ctl.sock
YAML
log=$work/daemon.log
ctl() { tenet ctl --control "$work/ctl.sock" "$@"; }
said() { grep "$1" "$log" | sed 's/^[^ ]* *[a-z]* */  /' || true; }
looked() { [ "$(ctl status | grep -c ' unchanged ')" = 3 ]; }
applied() {
    grep -q "all devices are as intended.*$(git rev-parse --short=12 HEAD)" \
        "$log"
}
printf '%s$ tenet run --config daemon.yml &%s\n' "$bold" "$off"
tenet run --config "$work/daemon.yml" 2>"$log" &
daemon=$!
check "it knows all three devices" soon looked
run ip -n tenet-hv2.tn.acme.web link del x-front
check "the tunnel is back" soon ip -n tenet-hv2.tn.acme.web link show x-front
soon grep -q "hv2: applied" "$log" || true
said "hv2: "
check "web1 reaches web2 again" pings acme-web1 10.1.0.12
sed -i 's/5432/5433/' tenants/acme/security.yml
run git commit -q -a -m "acme: the database moves to port 5433"
check "the commit is on all devices" soon applied
said "$(git rev-parse --short=12 HEAD)"
check "acme: web1 -> db1:5433, now granted" \
    tcp acme-web1 acme-db1 10.1.1.21 5433
run tenet ctl --control "$work/ctl.sock" status
kill -TERM "$daemon"
code=0
wait "$daemon" || code=$?
daemon=
verdict 0 $code "a clean stop"

title "Status, kept in Git"
run tenet status
run git log --oneline tenet/status

title "Take it all down"
run tenet destroy --yes | tail -n 6
"$src/tests/lab/lab.sh" down tenet-hv
after=$(ours || true)
same=no
[ "$before" = "$after" ] && same=yes
verdict yes $same "no namespace is left"

echo
if [ $failed -ne 0 ]; then
    echo "${red}Some checks failed.${off}"
    exit 1
fi
echo "${green}All checks passed.${off}"
