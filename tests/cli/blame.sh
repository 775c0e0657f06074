#!/usr/bin/env bash
# 'tenet blame': from what is seen on a device to the line, its commit and the
# merge; what is deleted; what is only on disk; names that are hostile.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

repo=$work/intent
mkdir -p "$repo/inventories/lab" "$repo/tenants/acme" "$repo/tenants/corp"
cd "$repo" || exit 1
git init -q -b main
git config user.name Test && git config user.email test@example.org
printf 'apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: x}\nspec: {}\n' \
    >tenet.yml
cat >inventories/lab/hosts.yml <<YAML
all:
  hosts:
    hv1: {tenet_driver: kernel, tenet_underlay_address: 192.0.2.1, tenet_kernel_netns: none1}
    hv2: {tenet_driver: memory, tenet_underlay_address: 192.0.2.2, tenet_memory_path: $work/hv2.json}
YAML
tenant() { # tenant NAME
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: %s}\nspec: {}\n' \
        "$1" >"tenants/$1/tenant.yml"
    cat >"tenants/$1/web.yml" <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec:
  cidrs: [10.1.0.0/16]
  subnets:
    - name: front
      cidr: 10.1.0.0/24
    - {name: back, cidr: 10.1.1.0/24}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: web1}
spec:
  vpc: web
  subnet: front
  host: hv1
  address: 10.1.0.11
  attach: {netns: $1-web1}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: web2}
spec: {vpc: web, subnet: front, host: hv2, attach: {netns: $1-web2}}
YAML
}
tenant acme
commit . "acme: A web"
tenant corp
commit . "corp: A web"
git checkout -q -b request
sed -i 's/10.1.0.11/10.1.0.12/' tenants/acme/web.yml
commit . "acme: Move web1"
git checkout -q main
git merge -q --no-ff -m "Merge 'request'" request

b() { "$TENET" blame --no-cache "$@"; }
exits "a link of the kernel, in two VPCs" 0 b b-front
says "acme's" "hv1: bridge b-front \(acme/web/bridge/b-front\)"
says "and corp's" "hv1: bridge b-front \(corp/web/bridge/b-front\)"
says "each with its own commit" "written by .*corp: A web"
exits "as ip prints it, of one tenant" 0 b b-front@if7: --tenant acme
says "the line of the subnet" "^tenants/acme/web.yml:7-8$"
not_ok "not corp's" grep -q corp "$work/log"
exits "an alias" 0 b "tenet:x:port/web1 in acme-web1/eth0" --tenant acme
says "the port" "^tenants/acme/web.yml:11-19$"
says "who wrote it" "written by +[0-9a-f]{10}  [0-9-]{10}  Test: acme: A web"
says "who changed it" "changed by +[0-9a-f]{10}  [0-9-]{10}  Test: acme: Move web1"
says "what brought that" "merged by +[0-9a-f]{10}  [0-9-]{10}  Test: Merge 'request'"
says "and the line" "line 18: address: 10.1.0.12"
for q in none1.tn.acme.web acme/web/nft acme/web acme/web/front acme/web/web2 \
    10.1.0.12 10.1.1.0/24 10.1.1.1 hv1 acme acme-web1/eth0; do
    exits "found: $q" 0 b "$q"
done
exits "a port of the driver in a file" 0 b web2 --host hv2 --tenant corp
says "as it knows it" "hv2: port web2 \(corp/web/port/web2\)"
not_ok "only this host's" grep -q hv1: "$work/log"
mac=$(b --output json acme/web1 | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["n_places"] == 1 and d["places"][0]["line"] == 11, d
assert d["places"][0]["changed"]["merge"]["subject"].startswith("Merge"), d
' && "$TENET" lock >/dev/null && grep -A9 'web1' tenants/acme/tenet.lock |
    grep -oE '([0-9a-f]{2}:){5}[0-9a-f]{2}' | head -1)
rm -f tenants/*/tenet.lock
ok "JSON has it as well" test -n "$mac"
exits "a MAC" 0 b "$mac"
says "is the port's" "port acme/web/web1"

exits "a hostile name" 1 b "$(printf 'x\033[31m\n"<&')"
not_ok "no escape sequence comes back" grep -q "$(printf '\033')" "$work/log"
exits "nothing of that name" 1 b nothing
says "how to look further" "--rev OLD"
exits "nothing at all" 1 b
exits "an empty name" 1 b ""

sed -i 's/10.1.1.0/10.1.2.0/; s/name: web2/name: web3/' tenants/acme/web.yml
exits "what is only on disk" 0 b -w acme/web3
says "is said to be" "changed by +not committed yet"
git checkout -q .

exits "applied on the host that is here" 0 "$TENET" apply --yes --host hv2
sed -i '20,$d' tenants/acme/web.yml
commit . "acme: Without web2"
git rm -q tenants/corp/web.yml
commit . "corp: Without a web"
exits "an object that is gone" 0 b acme/web/web2
says "of what was applied last" "^tenants/acme/web.yml:21-24 of [0-9a-f]{10}"
says "who wrote it" "written by .*acme: A web"
says "who removed it" "removed by .*acme: Without web2"
exits "one whose file is gone" 0 b corp/web
says "who removed that" "removed by .*corp: Without a web"
exits "an older commit by hand" 0 b corp/web --rev HEAD~1
finish
