# lib.sh - sourced by the lab tests: a place, a lab, checks, and cleaning up.
#
# A test sets PREFIX (of its hypervisors, unique among tests that run at the
# same time) before sourcing this, calls 'ok'/'not_ok'/'is', and ends with
# 'finish'. TENET is the program under test.
# shellcheck shell=bash
: "${TENET:?the program under test}" "${PREFIX:?of the lab namespaces}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/support/tap.sh
. "$here/../support/tap.sh"

lab_sweep() {
    local ns
    "$here/lab.sh" down "$PREFIX"
    for ns in $(ip netns list | awk '{print $1}' | grep "^$PREFIX-" || true); do
        ip netns del "$ns"
    done
}

cleanup() { lab_sweep; }

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
# VPC acme/web in the repository $1: subnet a of MTU $2, group all with the rule
# $3 (default: everything in), and the ports w1 on hv1 and w2 on hv2.
web_pair() {
    mkdir -p "$1/tenants/acme"
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' \
        >"$1/tenants/acme/tenant.yml"
    cat >"$1/tenants/acme/web.yml" <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec:
  cidrs: [10.1.0.0/16]
  subnets: [{name: a, cidr: 10.1.0.0/24, mtu: $2}]
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: all}
spec:
  rules: [{${3:-direction: ingress}}]
---
apiVersion: tenet/v1
kind: Port
metadata: {name: w1}
spec:
  {vpc: web, subnet: a, host: hv1, address: 10.1.0.11, securityGroups: [all],
   attach: {netns: $PREFIX-w1}}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: w2}
spec:
  {vpc: web, subnet: a, host: hv2, address: 10.1.0.12, securityGroups: [all],
   attach: {netns: $PREFIX-w2}}
YAML
}
lab_sweep
