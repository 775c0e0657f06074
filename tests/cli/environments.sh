#!/usr/bin/env bash
# The example environments: the demo's tenants are valid in each of them, get
# the same numbers, and name nothing that only one of them has.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

src=$(cd "$(dirname "$0")/../.." && pwd)
repo=$work/intent
mkdir -p "$repo"
cd "$repo" || exit 1
cp -r "$src/inventories" "$src/ci/demo/tenet.yml" "$src/ci/demo/tenants" .
git init -q -b main
git config user.name Test && git config user.email test@example.org
commit . "first"

for env in lab ovn; do
    exits "valid in $env" 0 "$TENET" validate --environment "$env"
    says "all of it in $env" "6 ports in environment $env; valid"
    "$TENET" graph --environment "$env" --output json >"$work/$env.json"
    python3 - "$work/$env.json" >"$work/$env.numbers" <<'PY'
import json, sys
def walk(o):
    if isinstance(o, dict):
        for k in sorted(o):
            if k in ("vni", "mac", "address", "address6", "addresses"):
                print(k, o[k])
            walk(o[k])
    elif isinstance(o, list):
        for v in o:
            walk(v)
walk(json.load(open(sys.argv[1])))
PY
done
is "there are numbers" yes "$([ -s "$work/lab.numbers" ] && echo yes)"
is "the same in both" "$(cat "$work/lab.numbers")" "$(cat "$work/ovn.numbers")"

cat >tenants/acme/more.yml <<'YAML'
apiVersion: tenet/v1
kind: Port
metadata: {name: more}
spec: {vpc: web, subnet: front, host: cloud, attach: {netns: more}}
YAML
exits "no port is on a cloud" 8 "$TENET" validate --worktree --environment ovn
says "with its line" 'tenants/acme/more.yml:4:39: error: host .cloud. is a cloud'
finish
