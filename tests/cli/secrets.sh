#!/usr/bin/env bash
# Secrets of an inventory and of the environment are in no output: every command,
# every form of a report, the status ref, snapshots, artifacts, caches and logs
# are searched for them.
# shellcheck disable=SC2016,SC2317 # jq programs; functions are called by waits.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

repo=$work/intent out=$work/out
env=$repo/inventories/lab
mkdir -p "$env/host_vars" "$env/group_vars" "$repo/tenants/acme" "$repo/policies" "$out"
cd "$repo" || exit 1
git init -q -b main
git config user.name Test && git config user.email test@example.org

# Each begins alike, so that one pattern finds all; in no place that must be shown.
mark=s3kr1t
cat >tenet.yml <<YAML
apiVersion: tenet/v1
kind: Settings
metadata: {name: x}
spec: {budgets: {maxDeletes: 1000, maxDeletePercent: 100}}
YAML
cat >"$env/hosts.yml" <<YAML
all:
  vars: {tenet_driver: memory, ansible_become_password: ${mark}-become}
  hosts:
    hv1: {tenet_underlay_address: 192.0.2.1, tenet_memory_path: $work/hv1.json, ansible_password: ${mark}-inline}
    hv2: {tenet_underlay_address: 192.0.2.2, tenet_memory_path: $work/hv2.json}
YAML
cat >"$env/host_vars/hv1.yml" <<YAML
mtu: 9000
bmc:
  address: 198.51.100.7
  users:
    - {name: root, password: ${mark}-nested}
tls_private_key: |
  -----BEGIN PRIVATE KEY-----
  ${mark}-block
  -----END PRIVATE KEY-----
api_tokens: [${mark}-list, other]
YAML
printf 'snmp_community: %s-group\n' "$mark" >"$env/group_vars/all.yml"
printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' >tenants/acme/tenant.yml
cat >tenants/acme/web.yml <<'YAML'
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec:
  cidrs: [10.1.0.0/16]
  subnets: [{name: a, cidr: 10.1.1.0/24}]
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: web}
spec: {rules: [{direction: ingress, protocol: tcp, ports: [443]}]}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: web1}
spec: {vpc: web, subnet: a, host: hv1, securityGroups: [web], attach: {netns: web1}}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: web2}
spec: {vpc: web, subnet: a, host: hv2, securityGroups: [web], attach: {netns: web2}}
YAML
# Programs tell all that they are given.
for over in vpc tenant plan; do
    cat >"policies/$over.yml" <<YAML
apiVersion: tenet/v1
kind: Policy
metadata: {name: all-of-$over}
spec:
  severity: info
  over: $over
  rule: {jq: '{message: tojson, hint: (\$__loc__ | tojson)}'}
  examples:
    - name: one
      given: |
        apiVersion: tenet/v1
        kind: Vpc
        metadata: {name: web}
        spec: {cidrs: [10.1.0.0/16], subnets: [{name: a, cidr: 10.1.1.0/24}]}
      expect: ["{"]
YAML
done
commit . "first"
# Of the environment: of the forge, of Git, of the daemon.
export TENET_FORGE_TOKEN=$mark-forge TENET_GIT_TOKEN=$mark-git GITHUB_TOKEN=$mark-github
for name in token webhook hook forge; do
    (umask 077 && echo "$mark-file-$name" >"$work/$name.secret")
done

n=0
run() { # run COMMAND...: what it says is kept
    n=$((n + 1))
    "$TENET" "$@" >"$out/$n.out" 2>"$out/$n.err"
    echo "$? tenet $*" >>"$work/ran"
}
every() { # every command that only looks
    local f
    for f in text json markdown junit sarif gitlab codequality github; do
        run plan --verbose --output "$f" --report "$f=$out/report.$f"
        run plan --offline --verbose --output "$f"
        run ci --no-post --target HEAD --output "$f" --artifacts "$out/ci-$f" --forge github
    done
    for f in text json; do
        run validate --stats --output "$f"
        run plan -w --out "$out/plan.saved" --output "$f"
        run explain hv1 --output "$f"
        run explain hv2 --output "$f"
        for v in bmc ansible_password ansible_become_password tls_private_key api_tokens snmp_community mtu; do
            run explain hv1 "$v" --output "$f"
        done
        for q in hv1 hv2 web1 acme/web 192.0.2.1; do
            run blame "$q" --verbose --output "$f"
        done
        run blame hv1 -w --output "$f"
        run reach --from acme/web1 --to acme/web2 --output "$f"
        run reach --diff HEAD --output "$f"
        run policy list --output "$f"
        run policy test --output "$f"
        run status --output "$f"
        run version --output "$f"
    done
    for f in dot svg json; do
        run graph --live --output "$f"
        run graph --offline --links "https://git.example.org/x" --output "$f"
    done
}
every
run apply --yes --verbose
sed -i 's/ports: \[443\]/ports: [443, 8443]/' tenants/acme/web.yml
sed -i "s/$mark-inline/$mark-changed/; s/192.0.2.1,/192.0.2.9,/" "$env/hosts.yml"
commit . "change"
every
run apply --yes --verbose --output json
# What is wrong beside secrets.
spoil() { # spoil FILE SED
    sed -i "$2" "$1"
    run validate -w
    run plan -w --output json
    run explain -w hv1
    git checkout -q -- .
}
spoil "$env/host_vars/hv1.yml" "s/^api_tokens: .*/api_tokens: [$mark-open/"
spoil "$env/host_vars/hv1.yml" "s/^api_tokens: .*/api_tokens: \"$mark-open/"
spoil "$env/host_vars/hv1.yml" "s/^api_tokens: .*/api_tokens: $mark-a: $mark-b/"
spoil "$env/host_vars/hv1.yml" "s/^mtu: .*/bmc: $mark-twice/"
spoil "$env/host_vars/hv1.yml" "s/^mtu: .*/api_tokens: !unknown $mark-tag/"
for sign in '!' '&' '%' '@' '?' '|' '>' '{' '[' '\x01'; do
    spoil "$env/host_vars/hv1.yml" "s/^api_tokens: .*/api_tokens: $(printf '%s' "${sign/&/\\&}")$mark-sign: x/"
done
spoil "$env/host_vars/hv1.yml" "s/^api_tokens: .*/api_tokens: 2026-13-45 # $mark/"
spoil "$env/group_vars/all.yml" "s/^snmp_community: .*/$mark-key-without-value/"
spoil "$env/hosts.yml" "s/ansible_password: .*/ansible_password: *$mark-alias}/"
run destroy --yes
run ctl --control "$work/nothing.sock" status

# The daemon: its log, what it keeps, and what it answers.
cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: here}
spec:
  source: {url: $repo, interval: 1}
  environment: lab
  loop: {firstContact: heal}
  status: {push: true}
  control: $work/ctl.sock
  http: {listen: "127.0.0.1:0", webhookSecretFile: $work/webhook.secret}
  webhooks: [{url: "http://127.0.0.1:9/hook", secretFile: $work/hook.secret}]
YAML
pid=
cleanup() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null
}
"$TENET" run --config "$work/daemon.yml" --state-dir "$work/dstate" --verbose >"$out/daemon.log" 2>&1 &
pid=$!
tries=0
until grep -q acme/web "$work/hv1.json" 2>/dev/null || [ "$tries" -gt 300 ] || ! kill -0 "$pid" 2>/dev/null; do
    tries=$((tries + 1))
    sleep 0.2
done
ok "the daemon works" grep -q acme/web "$work/hv1.json"
run ctl --control "$work/ctl.sock" --output json status
kill "$pid" && wait "$pid" 2>/dev/null
pid=

ok "nothing crashed" sh -c '! grep -E "^(1[0-9]|[2-9][0-9]|[0-9]{3}) " "$0"' "$work/ran"
ok "most commands did what they should" sh -c 'test "$(grep -c "^0 " "$0")" -gt 100' "$work/ran"
ok "programs saw something" grep -q 'all-of-vpc: {.*"encapsulation' "$out/1.out"
git archive --format=tar "refs/heads/tenet/status" >"$out/status.tar" 2>"$work/log" ||
    git archive --format=tar tenet/status >"$out/status.tar"
ok "there is a status ref" test -s "$out/status.tar"
nowhere() { # nowhere WHAT PATH...
    local what=$1
    shift
    grep -raoE ".{0,40}$mark.{0,20}" "$@" >"$work/found" 2>/dev/null
    if [ -s "$work/found" ]; then result no "$what" "$work/found"; else result yes "$what"; fi
}
nowhere "no secret is in any output, report, artifact or log" "$out"
nowhere "none in the state of tenet" "$work/state"
nowhere "none on devices" "$work/hv1.json" "$work/hv2.json"
find "$work/dstate" -type f ! -path '*/mirror/*' ! -path '*/objects/*' -print0 |
    xargs -0 grep -laE "$mark" >"$work/found" 2>/dev/null
if [ -s "$work/found" ]; then result no "none in what the daemon keeps" "$work/found"; else result yes "none in what the daemon keeps"; fi

# It can fail: a value of another name is shown.
exits "what is no secret is shown" 0 "$TENET" explain hv1 mtu
says "as it is" "mtu = 9000"
exits "a secret is named" 0 "$TENET" explain hv1 ansible_password
says "and hidden" '^hv1: ansible_password = "\(hidden\)"$'
exits "beside what is none" 0 "$TENET" explain hv1 bmc
says "in maps as well" '"name": "root","password": "\(hidden\)"'
"$TENET" explain hv1 bmc --output json >"$work/log"
says "as JSON it is as in plans" '"secret": null'
exits "blame names the line of an inventory" 0 "$TENET" blame hv1
not_ok "and does not show it" grep -q "tenet_underlay_address" "$work/log"
finish
