#!/usr/bin/env bash
# 'tenet explain': every layer of a variable, the winner, and the values that
# ansible-inventory prints.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

repo=$work/intent
env=$repo/inventories/lab
mkdir -p "$env/group_vars/leafs" "$env/host_vars" "$repo/tenants/acme"
cd "$repo" || exit 1
git init -q -b main
git config user.name Test && git config user.email test@example.org
printf 'apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: x}\nspec: {}\n' \
    >tenet.yml
printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' \
    >tenants/acme/tenant.yml
cat >"$env/hosts.yml" <<'YAML'
all:
  vars: {mtu: 1400, only_all: [1, {a: "b"}], tenet_driver: memory}
  children:
    fabric:
      vars: {mtu: 1500}
      children:
        spines:
          vars: {ansible_group_priority: 10, mtu: 1600, who: spines}
          hosts: {hv1: {mtu: 1700}}
        leafs:
          vars: {who: leafs}
          hosts: {hv1: , hv2: }
YAML
printf 'mtu: 9000\n' >"$env/group_vars/all.yml"
printf 'mtu: 8000\nx: 1\n' >"$env/group_vars/leafs/a.yml"
printf 'x: 2\n' >"$env/group_vars/leafs/b.yml"
printf '# the host\nmtu: 9100\nhostile: "\\e[31mred\\n%s"\n' "$(printf 'x%.0s' {1..100})" \
    >"$env/host_vars/hv1.yml"
commit . "first"

exits "one variable" 0 "$TENET" explain hv1 mtu
cat >"$work/golden" <<'TXT'
hv1: mtu = 9100

  group all at inventories/lab/hosts.yml:2:15: 1400
  group fabric at inventories/lab/hosts.yml:5:19: 1500
  group spines at inventories/lab/hosts.yml:8:51: 1600
  group all at inventories/lab/group_vars/all.yml:1:6: 9000
  group leafs at inventories/lab/group_vars/leafs/a.yml:1:6: 8000
  host hv1 at inventories/lab/hosts.yml:9:30: 1700
* host hv1 at inventories/lab/host_vars/hv1.yml:2:6: 9100
TXT
is "every layer, the winner last" "$(cat "$work/golden")" \
    "$("$TENET" explain hv1 mtu | sed '/^$/{N;/Precedence/,$d}')"
exits "the priority of a group decides" 0 "$TENET" explain hv1 who
says "spines wins" '^\* group spines .*"spines"'
says "and leafs loses" '^  group leafs .*"leafs"'
says "the order of groups is said" 'all < fabric < leafs < spines \(priority 10\) <'
exits "a later file of a group wins" 0 "$TENET" explain hv1 x
says "b.yml" '^\* group leafs at .*/b.yml:1:4: 2'
says "over a.yml" '^  group leafs at .*/a.yml:2:4: 1'
exits "all variables" 0 "$TENET" explain hv1
says "with the one that wins" 'host hv1 at inventories/lab/host_vars/hv1.yml:2:6, over 6 others'
says "lists and maps on one line" 'only_all +\[1,\{"a": "b"\}\]'
not_ok "no escape sequence reaches the terminal" grep -q "$(printf '\033')" "$work/log"
"$TENET" explain hv1 >"$work/log" 2>&1
not_ok "as it is" grep -q "$(printf '\033')" "$work/log"

exits "an unknown host" 1 "$TENET" explain hv11 mtu
says "a suggestion" "did you mean 'hv1'"
exits "an unknown variable" 1 "$TENET" explain hv1 mtus
says "a suggestion" "did you mean 'mtu'"
exits "no host at all" 1 "$TENET" explain
exits "an environment that is not there" 8 "$TENET" explain hv1 -e lap

echo 'spec: [' >>tenants/acme/tenant.yml
commit . "broken"
exits "a broken tenant does not matter" 0 "$TENET" explain hv1 mtu
git revert --no-edit HEAD >/dev/null
printf 'mtu: 1\n' >"$env/host_vars/hv1.yml"
exits "the working tree" 0 "$TENET" explain -w hv1 mtu
says "as it is on disk" "hv1: mtu = 1$"
git checkout -q .

values='
import json, sys
d = json.load(open(sys.argv[1]))
for name, v in d["variables"].items():
    wins = [x for x in v["layers"] if x["wins"]]
    assert len(wins) == 1 and wins[0] == v["layers"][-1], (name, v)
    assert wins[0]["value"] == v["value"], (name, v)
mine = {k: v["value"] for k, v in d["variables"].items()}
if len(sys.argv) > 2:
    theirs = json.load(open(sys.argv[2]))
    assert mine == theirs, (mine, theirs)
'
for host in hv1 hv2; do
    "$TENET" explain --output json $host >"$work/$host.json"
    ok "JSON of $host: one winner, the last" python3 -c "$values" "$work/$host.json"
    if command -v ansible-inventory >/dev/null; then
        ANSIBLE_LOCALHOST_WARNING=0 ansible-inventory -i "$env/hosts.yml" \
            --host $host >"$work/theirs.json" 2>/dev/null
        ok "the values are Ansible's for $host" python3 -c "$values" \
            "$work/$host.json" "$work/theirs.json"
    fi
done
finish
