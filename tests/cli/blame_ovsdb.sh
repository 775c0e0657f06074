#!/usr/bin/env bash
# 'tenet blame' of rows of OVSDB: what OVN and Open vSwitch call things, their
# marks, as their tools print them.  No database is asked, and none is there.
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
    cloud: {tenet_driver: ovn, tenet_ovsdb_remote: "unix:$work/nb.sock"}
    hv1: {tenet_driver: openvswitch, tenet_ovn: cloud, tenet_underlay_address: 192.0.2.1, tenet_ovsdb_remote: "unix:$work/1.sock"}
    ov1: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.2, tenet_ovsdb_remote: "unix:$work/2.sock"}
    ov2: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.3, tenet_ovsdb_remote: "unix:$work/3.sock"}
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
---
apiVersion: tenet/v1
kind: Port
metadata: {name: web1}
spec: {vpc: web, subnet: front, host: hv1, securityGroups: [db], attach: {netns: web1}}
YAML
cat >tenants/acme/seg.yml <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: seg}
spec: {cidrs: [10.7.0.0/24], subnets: [{name: lan, cidr: 10.7.0.0/24}]}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: open}
spec: {rules: [{direction: ingress}]}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: s1}
spec: {vpc: seg, subnet: lan, host: ov1, securityGroups: [open], attach: {netns: s1}}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: s2}
spec: {vpc: seg, subnet: lan, host: ov2, securityGroups: [open], attach: {interface: tap2}}
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
leads "a logical router" prod/acme/web tenants/acme/web.yml:1-9
leads "a logical switch" prod/acme/web/switch/back tenants/acme/web.yml:8
leads "a port of a router" prod/acme/web/gateway/front tenants/acme/web.yml:7
leads "a port of a switch, or iface-id" prod/acme/web/web1 tenants/acme/web.yml:18-21
exits "in both databases" 0 b prod/acme/web/web1
says "in the cloud" "cloud: port web1 \(acme/web/port/web1\)"
says "and on the hypervisor" "hv1: port web1 \(acme/web/port/web1\)"
leads "the mark of a route" "acme/web/route/172.16.0.0/24 via 10.1.0.9" tenants/acme/web.yml:9
leads "all marks, as ovn-nbctl prints them" \
    '{tenet-instance=prod, tenet-key="acme/web/group/db", tenet-revision="1", tenet-scope="acme/web"}' \
    tenants/acme/web.yml:11-16


# Names with a hash follow from the intent alone: they never change.
group=tn_acme_web_group_db_9cef2ca9
leads "a port group" $group tenants/acme/web.yml:11-16
leads "the same in a match" @$group tenants/acme/web.yml:11-16
leads "its addresses" "\$${group}_ip4" tenants/acme/web.yml:11-16
leads "a bridge" b-d89c1055e719 tenants/acme/seg.yml:4
leads "a tunnel, in quotes" '"x-3513772762e1"' tenants/acme/seg.yml:4
leads "a port" p-0af338fe3533 tenants/acme/seg.yml:11-14
leads "a tap" tap2 tenants/acme/seg.yml:16-19
exits "a match" 0 b "outport == @$group && ip && tcp && (tcp.dst == 5432)"
says "is of the rule" "^tenants/acme/web.yml:16$"
exits "a VPC's objects of one device" 0 b prod/acme/web/web1 --host hv1
not_ok "not those of others" grep -q cloud: "$work/log"

# A uuid is known to its database only.
uuid=0b70ac71-97ac-4450-914c-c8be96e2ab2f
exits "a uuid" 1 b $uuid
says "how to go on" "external_ids:tenet-key"
exits "a device that is none" 1 b $uuid --host cluod
says "is said" "there is no device 'cluod'"
exits "a tunnel of OVN's own" 1 b ovn-hv2-0
finish
