# lib.sh - sourced by the lab tests: a place, a lab, checks, and cleaning up.
#
# A test sets PREFIX (of its hypervisors, unique among tests that run at the
# same time) before sourcing this, calls 'ok'/'not_ok'/'is', and ends with
# 'finish'. TENET is the program under test.
# shellcheck shell=bash
set -uo pipefail
: "${TENET:?the program under test}" "${PREFIX:?of the lab namespaces}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$(mktemp -d "/tmp/$PREFIX.XXXXXX")
export TENET_STATE_DIR=$work/state TENET_CACHE_DIR=$work/cache
export GIT_CONFIG_NOSYSTEM=1 HOME=$work NO_COLOR=1
tests=0 failures=0

lab_sweep() {
    local ns
    "$here/lab.sh" down "$PREFIX"
    for ns in $(ip netns list | awk '{print $1}' | grep "^$PREFIX-" || true); do
        ip netns del "$ns"
    done
}

# Removes the namespaces, also those that an earlier run left behind.
lab_down() {
    local status=$?
    lab_sweep
    rm -rf "$work"
    exit "$status"
}
trap lab_down EXIT
trap 'exit 130' INT TERM

result() { # result yes|no WHAT [FILE with details]
    tests=$((tests + 1))
    if [ "$1" = yes ]; then
        echo "ok $tests - $2"
    else
        failures=$((failures + 1))
        echo "not ok $tests - $2"
        [ -s "${3:-}" ] && sed 's/^/#   /' "$3" | head -n 60
    fi
    return 0
}
ok() { # ok WHAT COMMAND...
    local what=$1 log=$work/log
    shift
    if "$@" >"$log" 2>&1; then result yes "$what"; else result no "$what" "$log"; fi
}
not_ok() {
    local what=$1 log=$work/log
    shift
    if "$@" >"$log" 2>&1; then result no "$what" "$log"; else result yes "$what"; fi
}
is() { # is WHAT EXPECTED ACTUAL
    printf 'expected: %s\n     got: %s\n' "$2" "$3" >"$work/is"
    if [ "$2" = "$3" ]; then result yes "$1"; else result no "$1" "$work/is"; fi
}
exits() { # exits WHAT CODE COMMAND...
    local what=$1 want=$2 log=$work/log code=0
    shift 2
    "$@" >"$log" 2>&1 || code=$?
    echo "exit code $code instead of $want" >>"$log"
    if [ "$code" = "$want" ]; then
        result yes "$what"
    else
        result no "$what" "$log"
    fi
}
says() { # says WHAT PATTERN: the last ok/exits printed it
    if grep -qE -- "$2" "$work/log"; then
        result yes "$1"
    else
        result no "$1" "$work/log"
    fi
}
finish() {
    echo "1..$tests"
    echo "# $((tests - failures)) passed, $failures failed"
    [ "$failures" -eq 0 ]
    exit
}

from() { ip netns exec "$@"; }
pings() { from "$1" ping -n -q -c 1 -W "${3:-2}" "$2"; }

# An intent repository in $1 with an inventory of $2 lab hosts.
intent_new() {
    mkdir -p "$1/inventories/lab/host_vars" "$1/tenants"
    git -C "$1" init -q -b main
    git -C "$1" config user.name Test
    git -C "$1" config user.email test@example.org
    cat >"$1/tenet.yml" <<YAML
apiVersion: tenet/v1
kind: Settings
metadata: {name: ${PREFIX}}
spec:
  budgets: {maxDeletes: 100000, maxDeletePercent: 100, maxDeletesPerTenant: 100000}
YAML
    cat >"$1/inventories/lab/hosts.yml" <<YAML
all:
  vars: {tenet_driver: kernel}
  hosts:
    hv[1:$2]:
YAML
    for ((i = 1; i <= $2; i++)); do
        cat >"$1/inventories/lab/host_vars/hv$i.yml" <<YAML
tenet_kernel_netns: ${PREFIX}$i
tenet_underlay_address: 192.0.2.$((10 + i))
YAML
    done
}
commit() { # commit REPO MESSAGE
    git -C "$1" add -A
    git -C "$1" commit -q -m "$2"
}

lab_sweep
