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

# Equal addresses in other VPCs: the name says which is meant.
mkdir -p "$repo/tenants/globex"
doc Tenant globex '  description: a tenant' >"$repo/tenants/globex/tenant.yml"
{
    doc Vpc shop '  cidrs: [10.1.0.0/24, 10.8.0.0/16]
  subnets:
    - {name: front, cidr: 10.1.0.0/24}
    - {name: open, cidr: 10.8.0.0/24}'
    doc SecurityGroup all '  rules: [{direction: ingress}]'
    port shop1 shop front 10.1.0.11 all
    port shop2 shop front 10.1.0.77 all
    port shop3 shop open 10.8.0.5 all
    doc Vpc alone '  cidrs: [10.1.0.0/16]
  subnets: [{name: front, cidr: 10.1.0.0/24}]'
    port alone1 alone front 10.1.0.11 all
} >"$repo/tenants/globex/shop.yml"
commit "$repo" "equal addresses"
tells "another VPC, equal address: separate" '! route .*acme/web and globex/shop do not peer: they are separate' \
    --from acme/web1 --to globex/shop1
tells "one that is nobody's in the sender's VPC" 'do not peer' --from acme/web1 --to globex/shop2
tells "as addresses of VPCs" 'do not peer' --from acme/web/10.1.0.11 --to globex/shop/10.1.0.11
tells "as prefixes" '10.1.0.0.*: no' --from acme/web/10.1.0.0/24 --to globex/shop/10.1.0.0/24
tells "its gateway is not ours" 'do not peer' --from acme/web1 --to globex/shop/10.1.0.1 --proto icmp
tells "of one tenant, too" 'globex/shop and globex/alone do not peer' --from globex/shop1 --to globex/alone1
exits "expected no" 0 reach --from acme/web1 --to globex/shop1 --expect no
tells "a bare address is the sender's own VPC's" 'that is the sender itself' --from acme/web1 --to 10.1.0.11
tells "the sender by name is itself" 'that is the sender itself' --from acme/web1 --to acme/web1
tells "a bare address of a sender that only one has" '10.9.0.5 -> 10.1.0.11' --from 10.9.0.5 --to acme/web1
tells "a bare prefix of senders that only one has" '10.9.0.5 -> 10.1.0.11' --from 10.9.0.0/24 --to acme/web1
exits "a bare address of a sender that several have" 1 reach --from 10.1.0.11 --to acme/db1
says "is ambiguous" "write acme/web/10.1.0.11 or globex/"
exits "and so is a prefix" 1 reach --from 10.1.0.0/16 --to acme/db1
exits "a prefix that nobody has" 1 reach --from 10.7.0.0/16 --to acme/db1
says "says so" "no port has 10.7.0.0/16"
doc Peering to-globex '  vpc: web
  peer: {tenant: globex, vpc: shop}
  export: [10.1.1.0/24]' >>"$repo/tenants/acme/web.yml"
doc Peering to-acme '  vpc: shop
  peer: {tenant: acme, vpc: web}
  export: [10.8.0.0/24]' >>"$repo/tenants/globex/shop.yml"
commit "$repo" "a peering beside equal addresses"
tells "what a peer has beside equal addresses" '(globex/shop port shop3), anything: yes' --from acme/db1 --to globex/shop3
tells "an address that the sender's VPC has itself" "! route .*in acme/web the address 10.1.0.11 is that of its own subnet front, and not of globex/shop" \
    --from acme/web1 --to globex/shop1
tells "and nobody there" 'own subnet front, and not of globex/shop' --from acme/db1 --to globex/shop2
tells "a peer's address, asked as another peer's" 'in acme/web the address 10.9.0.5 is that of peer beta/ops, and not of globex/shop' \
    --from acme/web1 --to globex/shop/10.9.0.5
tells "a peer's address, asked as one's own" 'there the address is port jump of beta/ops' \
    --from acme/web1 --to acme/web/10.9.0.5 --proto icmp
tells "a peer's address without a route" 'acme/web has no route to 10.8.1.5' --from acme/web1 --to globex/shop/10.8.1.5
git -C "$repo" revert --no-edit HEAD HEAD~1 >"$work/out" 2>&1

sed -i 's/ports: 5432, remote: {group: app}/ports: [5432, 6432]/' "$repo/tenants/acme/web.yml"
commit "$repo" wider
tells "what widens" '^+ acme/web group app -> acme/web group db: tcp 6432$' --diff HEAD~1
tells "and is counted" '1 became reachable, 0 unreachable; 1 of 2 VPCs differ' --diff HEAD~1
tells "the other way round it narrows" '^- acme/web group app -> acme/web group db: tcp 6432$' \
    --rev HEAD~1 --diff HEAD
tells "another tenant's is left out" '^commit' --diff HEAD~1 --tenant beta
finish
