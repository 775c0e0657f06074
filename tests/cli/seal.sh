#!/usr/bin/env bash
# 'tenet seal': a pair of keys, and a secret for an inventory.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

cd "$work" || exit 1
seal() { printf 'hunter2\n' | "$TENET" seal "$@"; }

exits "a new pair" 0 "$TENET" seal new "$work/seal.key"
is "only its owner reads the key" 600 "$(stat -c %a seal.key)"
is "everybody may read the other one" 644 "$(stat -c %a seal.key.pub)"
before=$(cat seal.key)
exits "a key that is there stays" 1 "$TENET" seal new "$work/seal.key"
is "as it is" "$before" "$(cat seal.key)"

exits "a secret is sealed" 0 seal seal.key.pub https://nsx1
one=$(seal seal.key.pub https://nsx1)
two=$(seal seal.key.pub https://nsx1)
is "twice is not the same" different "$([ "$one" != "$two" ] && echo different)"
is "and does not show it" 0 "$(grep -c hunter2 <<<"$one$(base64 -d <<<"${one#*:}" | tr -d '\0')")"

mkdir -p intent/inventories/lab intent/tenants/acme
printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' \
    >intent/tenants/acme/tenant.yml
printf 'apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: x}\nspec: {}\n' \
    >intent/tenet.yml
inventory() {
    cat >intent/inventories/lab/hosts.yml <<YAML
all:
  hosts:
    nsx1: {tenet_driver: nsx, tenet_nsx_url: "https://nsx1", tenet_nsx_user: u,
           tenet_nsx_password: "$1"}
YAML
}
inventory "$one"
exits "an inventory takes it" 0 "$TENET" validate --repo intent --worktree
inventory hunter2
exits "and nothing that is not sealed" 8 "$TENET" validate --repo intent --worktree
is "which it does not repeat" 0 "$(grep -c hunter2 "$work/log")"

exits "the key is not to seal with" 1 seal seal.key https://nsx1
exits "nor is something else" 1 seal intent/tenet.yml https://nsx1
exits "nothing is no secret" 1 "$TENET" seal seal.key.pub https://nsx1 </dev/null
exits "a secret is for something" 1 seal seal.key.pub ""
exits "one argument" 1 "$TENET" seal new
finish
