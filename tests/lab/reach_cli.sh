#!/usr/bin/env bash
# 'tenet reach' as a command: places, verdicts, exits, JSON, the matrix and the
# differential, on a small repository; no device and no root needed.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
: "${TENET:?the program under test}"
repo=$work/intent

doc() { # doc KIND NAME SPEC: a document of the tenant being written
    printf -- '---\napiVersion: tenet/v1\nkind: %s\nmetadata: {name: %s}\nspec:\n%s\n' \
        "$1" "$2" "$3"
}
port() { # port NAME VPC SUBNET ADDRESS GROUP
    doc Port "$1" "  vpc: $2
  subnet: $3
  host: hv1
  address: $4
  securityGroups: [$5]
  attach: {netns: $1}"
}
intent() {
    mkdir -p "$repo"/inventories/lab "$repo"/tenants/{acme,beta}
    doc Settings small '  defaultEnvironment: lab' >"$repo/tenet.yml"
    cat >"$repo/inventories/lab/hosts.yml" <<YAML
all:
  vars: {tenet_driver: kernel}
  hosts:
    hv1: {tenet_underlay_address: 192.0.2.11}
YAML
    for t in acme beta; do
        doc Tenant $t '  description: a tenant' >"$repo/tenants/$t/tenant.yml"
    done
    {
        doc Vpc web '  cidrs: [10.1.0.0/16]
  subnets:
    - {name: front, cidr: 10.1.0.0/24}
    - {name: back, cidr: 10.1.1.0/24}'
        doc SecurityGroup app '  rules:
    - {direction: ingress, protocol: tcp, ports: 443}'
        doc SecurityGroup db '  rules:
    - {direction: ingress, protocol: tcp, ports: 5432, remote: {group: app}}'
        port web1 web front 10.1.0.11 app
        port web2 web front 10.1.0.12 app
        port db1 web back 10.1.1.5 db
        doc Peering to-beta '  vpc: web
  peer: {tenant: beta, vpc: ops}
  export: [10.1.0.0/24]'
    } >"$repo/tenants/acme/web.yml"
    {
        doc Vpc ops '  cidrs: [10.9.0.0/16]
  subnets:
    - {name: admin, cidr: 10.9.0.0/24}'
        doc SecurityGroup ops '  rules:
    - {direction: ingress, protocol: icmp}'
        port jump ops admin 10.9.0.5 ops
        doc Peering to-acme '  vpc: ops
  peer: {tenant: acme, vpc: web}
  export: [10.9.0.0/24]'
    } >"$repo/tenants/beta/ops.yml"
}
reach() { "$TENET" reach --no-cache -C "$repo" "$@"; }
tells() { # tells WHAT PATTERN OPTIONS...
    reach "${@:3}" >"$work/out" 2>"$work/err"
    ok "$1" grep -q -- "$2" "$work/out"
}

git init -q -b main "$repo"
git -C "$repo" config user.name Test
git -C "$repo" config user.email test@example.org
intent
commit "$repo" first
exits "an expected yes" 0 reach --from acme/web1 --to acme/db1 --port 5432 --expect yes
exits "an expected no that is a yes" 4 reach --from acme/web1 --to acme/db1 --port 5432 --expect no
exits "an expected no" 0 reach --from acme/db1 --to acme/web1 --port 22 --expect no
exits "an expected yes that is a no" 4 reach --from acme/db1 --to acme/web1 --port 22 --expect yes
exits "without an expectation a no is no failure" 0 reach --from acme/db1 --to acme/web1 --port 22
exits "no such port" 1 reach --from acme/nobody --to acme/web1
exits "no question" 1 reach
exits "two questions" 1 reach --from acme/web1 --to acme/db1 --matrix acme/web
exits "half a question" 1 reach --from acme/web1
exits "no such protocol" 1 reach --from acme/web1 --to acme/db1 --proto gre
exits "no such VPC" 1 reach --matrix acme/nothing
tells "the line that decides" 'tenants/acme/web.yml:23: - {direction: ingress, protocol: tcp, ports: 5432' \
    --from acme/web1 --to acme/db1 --port 5432
tells "what stands in the way" '! ingress .*no ingress rule of group db of port db1 allows tcp 22 ' \
    --from acme/web1 --to acme/db1 --port 22
tells "a peer by address" '(beta/ops port jump), icmp: yes' \
    --from acme/web1 --to 10.9.0.5 --proto icmp
tells "what is not exported" '! export .*acme/web does not export 10.1.1.5 to beta/ops' \
    --from acme/db1 --to beta/jump --proto icmp
tells "an address that is nobody's" 'no port of subnet front has 10.1.0.13-\?' \
    --from acme/web1 --to 10.1.0.13 --proto icmp
tells "a prefix of a VPC" '10.1.0.11 -> 10.1.1.5 (acme/web port db1)' \
    --from acme/web/10.1.0.11 --to 10.1.1.0/24 --port 5432
tells "the gateway" 'gateway of subnet front, which answers echo only' \
    --from acme/web1 --to 10.1.0.1 --proto icmp
tells "JSON of the matrix" '"classes": \[{"label": "acme/web group db"' --matrix acme/web --output json
tells "the matrix" '^\[2\] -> \[1\] tcp 5432$' --matrix acme/web
reach --from acme/web1 --to acme/db1 --port 5432 --output json >"$work/out"
ok "JSON" /usr/bin/python3 -c "import json, sys
d = json.load(open('$work/out'))
assert d['verdict'] == 'yes' and d['whole'], d
assert d['parts'][0]['passes'] == 'tcp 5432', d
assert d['parts'][0]['steps'][-2]['origin']['line'] == 23, d"
sed -i 's/ports: 5432, remote: {group: app}/ports: [5432, 6432]/' "$repo/tenants/acme/web.yml"
commit "$repo" wider
tells "what widens" '^+ acme/web group app -> acme/web group db: tcp 6432$' --diff HEAD~1
tells "and is counted" '1 became reachable, 0 unreachable; 1 of 2 VPCs differ' --diff HEAD~1
tells "the other way round it narrows" '^- acme/web group app -> acme/web group db: tcp 6432$' \
    --rev HEAD~1 --diff HEAD
tells "another tenant's is left out" '^commit' --diff HEAD~1 --tenant beta
finish
