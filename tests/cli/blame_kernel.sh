#!/usr/bin/env bash
# Every link, namespace and address that tenet made in a kernel leads back to a
# line, by its name and by its alias, as 'ip' prints them.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
if [ "$(id -u)" != 0 ] || ! command -v ip >/dev/null; then
    echo "1..0 # skipped: needs root and ip"
    exit 77
fi
p=tnbl$$
spaces() { ip netns list 2>/dev/null | awk '{print $1}' | grep -- "^$p"; }
cleanup() { for ns in $(spaces); do ip netns del "$ns" 2>/dev/null; done; }

repo=$work/intent
mkdir -p "$repo/inventories/lab" "$repo/tenants/acme"
cd "$repo" || exit 1
git init -q -b main
git config user.name Test && git config user.email test@example.org
printf 'apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: %s}\nspec: {}\n' $p \
    >tenet.yml
cat >inventories/lab/hosts.yml <<YAML
all:
  vars: {tenet_driver: kernel}
  hosts:
    $p-1: {tenet_underlay_address: 192.0.2.1, tenet_kernel_netns: $p-1}
    $p-2: {tenet_underlay_address: 192.0.2.2, tenet_kernel_netns: $p-2}
YAML
printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' \
    >tenants/acme/tenant.yml
n=1
for v in web app; do
    cat >tenants/acme/$v.yml <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: $v}
spec:
  cidrs: [10.$n.0.0/16]
  subnets:
    - {name: a-rather-long-name, cidr: 10.$n.1.0/24}
    - {name: b, cidr: 10.$n.2.0/24}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $v-one}
spec: {vpc: $v, subnet: a-rather-long-name, host: $p-1, attach: {netns: $p-$v-one}}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $v-two}
spec: {vpc: $v, subnet: b, host: $p-2, attach: {netns: $p-$v-two}}
---
apiVersion: tenet/v1
kind: Peering
metadata: {name: to-other-of-$v}
spec: {vpc: $v, peer: {vpc: $([ $v = web ] && echo app || echo web)}, export: [10.$n.0.0/16]}
YAML
    n=2
done
commit . "kernel"
ip netns add $p-1 && ip netns add $p-2
ip link add u0 netns $p-1 type veth peer name u0 netns $p-2
for i in 1 2; do
    ip -n $p-$i addr add 192.0.2.$i/24 dev u0
    ip -n $p-$i link set u0 up
done
exits "apply" 0 "$TENET" apply --yes

# Names and aliases of all links of the VPCs, with the host that they are on.
for ns in $(spaces | grep "\.tn\."); do
    ip -n "$ns" -j -d link | python3 -c '
import json, sys
for l in json.load(sys.stdin):
    if l["ifname"] != "lo":
        print("%s\t%s" % (l["ifname"], l.get("ifalias", "")))
' | sed "s/^/${ns%%.*}\t/"
    printf '%s\t%s\t\n' "${ns%%.*}" "$ns"
done >"$work/links"
ok "there is something to ask for" test "$(wc -l <"$work/links")" -ge 16
while IFS=$'\t' read -r host name alias; do
    exits "on $host: $name" 0 "$TENET" blame "$name" --host "$host"
    says "leads to a line: $name" "^tenants/acme/(web|app).yml:[0-9]+"
    says "and a commit: $name" "written by .*kernel"
    if [ -n "$alias" ]; then
        exits "by its alias: $alias" 0 "$TENET" blame "$alias" --host "$host"
        says "leads to a line too: $alias" "^tenants/acme/(web|app).yml:[0-9]+"
    fi
done <"$work/links"
exits "destroy" 0 "$TENET" destroy --yes
finish
