#!/usr/bin/env bash
# 'tenet blame' of objects of NSX: paths, ids, URLs, tags and interfaces, as its
# tools show them.  No manager is asked, and none is there.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

repo=$work/intent
mkdir -p "$repo/inventories/lab" "$repo/tenants/acme"
cd "$repo" || exit 1
git init -q -b main
git config user.name Test && git config user.email test@example.org
printf 'apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: prod}\nspec: {}\n' \
    >tenet.yml
cat >inventories/lab/hosts.yml <<YAML
all:
  hosts:
    nsx1: {tenet_driver: nsx, tenet_nsx_url: "https://192.0.2.1", tenet_nsx_user: admin, tenet_nsx_password_file: $work/none}
    esx1: {tenet_nsx: nsx1}
YAML
printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' \
    >tenants/acme/tenant.yml
cat >tenants/acme/web.yml <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec:
  cidrs: [10.1.0.0/16]
  subnets:
    - {name: front, cidr: 10.1.0.0/24}
    - {name: back, cidr: 10.1.1.0/24}
  routes: [{to: 172.16.0.0/24, via: 10.1.0.9}]
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: db}
spec:
  rules:
    - {direction: ingress, protocol: tcp, ports: 5432}
    - {direction: ingress, remote: {group: db}}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: web1}
spec: {vpc: web, subnet: front, host: esx1, securityGroups: [db], attach: {vif: 2fe1e0b4-4dbf-4e9c-8f4d-0a1a4f9d2a01}}
YAML
commit . "acme: A web"

# shellcheck disable=SC2317 # exits calls it.
b() { "$TENET" blame --no-cache "$@"; }
# leads WHAT NAME PLACE: there, and nowhere else
leads() {
    exits "$1: $2" 0 b "$2"
    is "leads to its line" "$3" "$(grep -E '^[a-z]+/' "$work/log" | paste -sd' ')"
    not_ok "by its name" grep -q 'mentions it' "$work/log"
}
domain=/infra/domains/default
leads "a Tier-1" /infra/tier-1s/prod_acme_web tenants/acme/web.yml:1-9
leads "its id" prod_acme_web tenants/acme/web.yml:1-9
leads "its name" prod/acme/web tenants/acme/web.yml:1-9
leads "a segment" /infra/segments/prod_acme_web_back tenants/acme/web.yml:8
leads "its id" prod_acme_web_front tenants/acme/web.yml:7
leads "as curl asks for it" \
    https://192.0.2.1/policy/api/v1/infra/segments/prod_acme_web_front \
    tenants/acme/web.yml:7
leads "a segment port" prod_acme_web_web1 tenants/acme/web.yml:19-22
leads "what is attached" 2fe1e0b4-4dbf-4e9c-8f4d-0a1a4f9d2a01 \
    tenants/acme/web.yml:19-22
leads "a group" $domain/groups/prod_acme_web_db tenants/acme/web.yml:11-17
leads "a condition" 'tenet/group|prod_acme_web_db' tenants/acme/web.yml:11-17
leads "addresses of a group" prod_acme_web_db__members \
    tenants/acme/web.yml:11-17
leads "a policy" $domain/security-policies/prod_acme_web_db \
    tenants/acme/web.yml:11-17
leads "a rule" \
    $domain/security-policies/prod_acme_web_db/rules/in_tcp-5432_any \
    tenants/acme/web.yml:16
leads "its id" in_any_group-db tenants/acme/web.yml:17
leads "a service" /infra/services/prod_acme_web_tcp-5432 \
    tenants/acme/web.yml:16
leads "a route" 172.16.0.0_24 tenants/acme/web.yml:9
leads "the mark of a rule" acme/web/rule/db/in_tcp-5432_any \
    tenants/acme/web.yml:16
exits "what no line asks for" 1 b /infra/segments/prod_acme_web
exits "a part of an id" 1 b acme_web_front
finish
