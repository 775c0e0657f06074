#!/usr/bin/env bash
# Every JSON that a command prints is as its published schema says.
# shellcheck source=tests/support/tap.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$(dirname "$0")/../support/tap.sh"
schemas=$here/../../docs/schema
# Debian's own interpreter: it is the one that has python3-jsonschema.
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || {
    echo "SKIPPED: python3-jsonschema is not installed"
    exit 77
}

valid() { # valid WHAT SCHEMA CODE COMMAND...: its JSON on stdout
    local what=$1 schema=$schemas/$2.schema.json want=$3 code=0
    shift 3
    "$TENET" "$@" --output json >"$work/json" 2>"$work/err" || code=$?
    [ "$code" = "$want" ] || {
        cat "$work/json" "$work/err" >"$work/log"
        result no "$what: exit $code instead of $want" "$work/log"
        return
    }
    ok "$what" /usr/bin/python3 "$here/json_check.py" "$schema" "$work/json"
}
has() { # has WHAT EXPRESSION: of the last JSON, 'd'
    ok "$1" /usr/bin/python3 -c "import json, sys
d = json.load(open('$work/json'))
assert $2, d"
}

repo=$work/intent
"$TENET" init "$repo" >/dev/null || exit 1
cd "$repo" || exit 1
git init -q -b main
git config user.name Test && git config user.email test@example.org
sed -i "s|/var/tmp/tenet-[a-z]*-|$work/|" inventories/lab/hosts.yml
commit . "begin"
valid "validate" validate 0 validate
has "counts policies" "d['policies'] > 0"
valid "status of nothing" status 0 status
valid "a plan" plan 0 plan
has "it has its verdict" "d['verdict']['allowed']"
valid "apply" apply 0 apply --yes
valid "status" status 0 status
has "it has devices, tenants and VPCs" "d['devices'] and d['tenants'] and d['vpcs']"
valid "an empty plan" plan 0 plan
valid "reach" reach 0 reach --from demo/web1 --to demo/db1
has "steps with lines" "any(s['line'] for s in d['parts'][0]['steps'])"
valid "reach: no" reach 4 reach --from demo/db1 --to 192.0.2.1 --expect yes
valid "the matrix" reach 0 reach --matrix demo/web
valid "explain" explain 0 explain hv1
valid "explain one variable" explain 0 explain hv1 tenet_driver
valid "blame" blame 0 blame web1
valid "the graph" graph 0 graph
valid "the graph with a plan" graph 0 graph --live
valid "the list of policies" policy-output 0 policy list
valid "their examples" policy-output 0 policy test

# All sorts of changes: what widens, what is removed, what offends, what is waived.
git checkout -q -b request
cat >policies/ours.yml <<'YAML'
apiVersion: tenet/v1
kind: Policy
metadata: {name: small}
spec:
  severity: info
  rule: {builtin: quotas}
  with: {portsPerVpc: 1}
  waivers: [{for: demo, reason: a demo, owner: us, expires: 2999-01-01T00:00:00Z}]
YAML
sed -i 's/ports: 5432/ports: [22, 5432]/; s/^    - direction: ingress$/&/' tenants/demo/web.yml
cat >>tenants/demo/web.yml <<'YAML'
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: open}
spec: {rules: [{direction: ingress, protocol: tcp, ports: [22]}]}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: web2}
spec: {vpc: web, subnet: front, host: hv1, securityGroups: [web, open], attach: {netns: demo-web2}}
YAML
commit . "widen"
valid "a plan that is denied" plan 4 plan
has "with findings" "d['verdict']['findings'][0]['origin']['line']"
has "and a waived one" "d['verdict']['summary']['waived'] == 1"
valid "a differential" reach 0 reach --diff main
has "that widens" "d['widen'] and d['differences'][0]['origins']"
valid "ci" plan 4 ci --target main
has "with who reaches whom" "any(a['opens'] for a in d['access'])"
ok "its artifact is the same" cmp -s tenet-ci/lab/plan.json "$work/json"
rm -r tenet-ci
valid "blame of what is changed" blame 0 blame demo/web
valid "the graph of what is pending" graph 0 graph --live
has "with what is new" "any(p['state'] == 'new' for v in d['vpcs'] for s in v['subnets'] for p in s['ports'])"
printf 'x: [' >policies/bad.yml
commit . "broken"
valid "a plan with a broken policy" plan 4 plan
valid "the list of broken policies" policy-output 8 policy list
valid "validate finds it" validate 8 validate
rm policies/bad.yml

# Objects that are not ours, devices that are away, documents that are wrong.
git checkout -q main -- . 2>/dev/null
git checkout -q -f main
/usr/bin/python3 - "$work/hv1.json" <<'PY'
import json, sys
path = sys.argv[1]
d = json.load(open(path))
del d["resources"]["demo/web/port/web1"]
json.dump(d, open(path, "w"))
PY
valid "a plan of drift" plan 0 plan
has "it is drift" "d['summary']['drift'] == 1"
echo 'x' >"$work/hv2.json"
valid "a plan with a device that cannot be read" plan 7 plan
has "with its error" "d['summary']['unreachable'] == 1"
valid "an apply with it" apply 7 apply --yes
valid "destroy with it" apply 7 destroy --yes
printf 'kind: Nothing\n' >tenants/demo/bad.yml
commit . "wrong"
valid "validate of what is wrong" validate 8 validate
has "with its place" "d['findings'][0]['line'] and not d['valid']"
valid "ci of what is wrong" plan 8 ci --target HEAD~1
rm -r tenet-ci
printf 'x: [' >tenet.yml
commit . "nothing can be read"
valid "a plan of nothing" validate 8 plan
valid "validate of nothing" validate 8 validate
has "it says so" "d['error']"
finish
