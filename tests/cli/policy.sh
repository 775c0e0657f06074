#!/usr/bin/env bash
# Policies from end to end: what denies, what is waived, what protects, and
# policies that try to pass silently.
# shellcheck disable=SC2016,SC2317 # jq programs; functions are called by waits.
# shellcheck source=tests/support/tap.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$(dirname "$0")/../support/tap.sh"

repo=$work/intent
mkdir -p "$repo/inventories/lab" "$repo/tenants/acme" "$repo/tenants/blue" "$repo/policies"
cd "$repo" || exit 1
git init -q -b main
git config user.name Test && git config user.email test@example.org

settings() { # settings [FREEZE...]: budgets that never bind
    printf 'apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: poltest}\nspec:\n  budgets: {maxDeletes: 1000, maxDeletePercent: 100}\n'
    [ $# -eq 0 ] || printf '  freezes: [{from: %s, until: %s, reason: audit}]\n' "$1" "$2"
}
settings >tenet.yml
cat >inventories/lab/hosts.yml <<YAML
all:
  vars: {tenet_driver: memory}
  hosts:
    hv1: {tenet_underlay_address: 192.0.2.1, tenet_memory_path: $work/hv1.json}
YAML
tenant() { # tenant NAME [LABELS]
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: %s, labels: {%s}}\nspec: {}\n' \
        "$1" "${2:-}" >"tenants/$1/tenant.yml"
}
vpc() { # vpc TENANT NAME PREFIX PORTS-OPEN [LABELS]
    cat >"tenants/$1/$2.yml" <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: $2, labels: {${5:-}}}
spec:
  cidrs: [$3.0.0/16]
  subnets: [{name: a, cidr: $3.1.0/24}, {name: b, cidr: $3.2.0/24}]
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: $2}
spec: {rules: [{direction: ingress, protocol: tcp, ports: [$4]}]}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $2-1}
spec: {vpc: $2, subnet: a, host: hv1, securityGroups: [$2], attach: {netns: $1-$2-1}}
YAML
}
policy() { # policy FILE NAME SPEC...: a document a line of spec
    printf 'apiVersion: tenet/v1\nkind: Policy\nmetadata: {name: %s}\nspec:\n%s\n' "$2" "$3" >"policies/$1.yml"
}
json() { # json EXPRESSION: over the verdict of a plan
    "$TENET" plan --output json 2>/dev/null | python3 -c "import json, sys; v = json.load(sys.stdin)['verdict']; print($1)"
}
tenant acme && tenant blue
vpc acme web 10.1 443
vpc blue web 10.1 443
rmdir policies
commit . "first"
exits "no policies: nothing is asked" 0 "$TENET" plan
exits "list says so" 0 "$TENET" policy list
says "and what is shipped" "^no-world-open-ports +deny"
exits "apply" 0 "$TENET" apply --yes

# A built-in rule, its place and its severity.
mkdir policies
policy ports ports '  rule: {use: no-world-open-ports}'
commit . "policy"
exits "a new policy that nobody offends" 0 "$TENET" plan
vpc acme ssh 10.2 22
commit . "ssh from anywhere"
exits "denied" 4 "$TENET" plan
says "with the reason" "deny ports: tcp port 22 is open to anybody"
says "the line of intent and the line of the policy" "tenants/acme/ssh.yml:11  policy policies/ports.yml:1"
exits "apply is denied" 4 "$TENET" apply --yes
says "nothing was changed" "nothing was changed"
not_ok "and nothing was" grep -q acme/ssh "$work/hv1.json"
exits "--detailed-exitcode is denied, too" 4 "$TENET" plan --detailed-exitcode
is "JSON says denied" "False 1 acme/ssh/ssh" "$(json "v['allowed'], v['summary']['deny'], v['findings'][0]['subject']" | tr -d "(),'")"
exits "a plan that is denied is saved" 4 "$TENET" plan --out "$work/plan"
exits "and denied when it is applied" 4 "$TENET" apply "$work/plan" --yes
policy ports ports '  severity: warn
  rule: {use: no-world-open-ports}'
commit . "warn only"
exits "warned: allowed" 0 "$TENET" plan
says "and said" "warn ports: tcp port 22"

# Scope and waivers.
policy ports ports '  rule: {use: no-world-open-ports}
  scope: {tenants: [blue]}'
commit . "blue only"
exits "out of scope" 0 "$TENET" plan
policy ports ports '  rule: {use: no-world-open-ports}
  scope: {environments: [production]}'
commit . "production only"
exits "another environment" 0 "$TENET" plan
policy ports ports '  rule: {use: no-world-open-ports}
  scope: {labels: {tier: front}}'
commit . "front only"
exits "without the label" 0 "$TENET" plan
tenant acme "tier: front"
commit . "acme is front"
exits "the label of the tenant counts" 4 "$TENET" plan
vpc acme ssh 10.2 22 "tier: front"
tenant acme
commit . "ssh is front"
exits "the label of the VPC counts" 4 "$TENET" plan
policy ports ports '  rule: {use: no-world-open-ports}
  scope: {tenants: [acme, amce]}'
commit . "a slip"
exits "denied" 4 "$TENET" plan
says "a tenant that there is not is told" "its scope names tenant 'amce'"
policy ports ports '  rule: {use: no-world-open-ports}
  scope: {environments: [lba]}'
commit . "another slip"
exits "no environment of that name" 0 "$TENET" plan
says "is told" "its scope names environment 'lba'"
exits "also without a plan" 0 "$TENET" validate
says "is told" "its scope names environment 'lba'"
policy ports ports '  rule: {use: no-world-open-ports}
  scope: {labels: {tier: frnot}}'
commit . "a slip in a label"
exits "a label that nobody has" 0 "$TENET" plan
says "is told" "nothing is in its scope"
waived() { # waived FOR EXPIRES
    policy ports ports "  rule: {use: no-world-open-ports}
  waivers:
    - {for: $1, reason: ticket 4711, owner: team-a, expires: $2}"
    commit . "waiver for $1 until $2"
}
waived acme/ssh 2999-01-01T00:00:00Z
exits "waived" 0 "$TENET" plan
says "with who answers for it" "waived: ticket 4711 \(team-a, until 2999-01-01T00:00:00Z\)"
waived acme 2999-01-01T00:00:00Z
exits "waived for all of a tenant" 0 "$TENET" plan
waived acme/ss 2999-01-01T00:00:00Z
exits "a name that only begins alike is another" 4 "$TENET" plan
waived blue 2999-01-01T00:00:00Z
exits "another tenant's waiver" 4 "$TENET" plan
waived acme/ssh 2020-01-01T00:00:00Z
exits "expired" 4 "$TENET" plan
says "which is told" "the waiver for acme/ssh \(team-a\) expired"
waived acme/ssh "$(date -u +%Y-%m-%dT00:00:00Z)"
exits "one that expired at the beginning of today" 4 "$TENET" plan
for end in "$(date -u +%Y-%m-%d)" 2999-01-01T00:00:00+14:00 2999-02-30T00:00:00Z 29999-01-01T00:00:00Z never '" "'; do
    waived acme/ssh "$end"
    exits "an end that is none: $end" 4 "$TENET" plan
    says "is a broken policy" "deny broken-policy"
done
for owner in '""' '" "' '"\u00a0"' '"\u200b"' '~' '[]'; do
    policy ports ports "  rule: {use: no-world-open-ports}
  waivers: [{for: acme, reason: x, owner: $owner, expires: 2999-01-01T00:00:00Z}]"
    commit . "owner $owner"
    exits "an owner that is none: $owner" 4 "$TENET" plan
    says "is a broken policy" "deny broken-policy"
done
for spec in 'severity: dney' 'severity: ""' 'Severity: info' 'severity: [info]' 'scope: {tenants: []}' 'scope: {tenant: acme}' 'scope: {tenants: ["*"]}' 'disabled: true'; do
    policy ports ports "  rule: {use: no-world-open-ports}
  $spec"
    commit . "$spec"
    exits "no such word: $spec" 4 "$TENET" plan
    says "is a broken policy" "deny broken-policy"
done
printf 'apiVersion: tenet/v1\nkind: Policy\nmetadata: {name: ports, labels: {a: "\xff"}}\nspec: {rule: {use: no-world-open-ports}}\n' >policies/ports.yml
commit . "no UTF-8"
exits "a policy that is no UTF-8" 4 "$TENET" plan
says "is broken" "deny broken-policy"
printf 'apiVersion: tenet/v1\nkind: Policy\nmetadata: {name: ports}\nspec: {rule: {use: no-world-open-ports}, waivers: [{for: acme, reason: x}]}\n' >policies/ports.yml
commit . "half a waiver"
exits "a waiver without owner and end" 4 "$TENET" plan
says "is a broken policy" "deny broken-policy"

# What offends is found although nobody touches it, once: when the policy comes.
rm -r policies
commit . "no policy"
exits "apply ssh" 0 "$TENET" apply --yes
mkdir policies
policy ports ports '  rule: {use: no-world-open-ports}'
commit . "the policy comes"
exits "a new policy is for everybody" 4 "$TENET" plan
policy ports ports '  severity: info
  rule: {use: no-world-open-ports}'
commit . "as information"
exits "apply" 0 "$TENET" apply --yes
vpc blue app 10.3 443
commit . "blue adds a VPC"
exits "what was allowed is not judged again" 0 "$TENET" plan
is "nothing is found" 0 "$(json "len(v['findings'])")"
vpc acme ssh 10.2 22,443
commit . "acme touches it"
is "until it is touched" 1 "$(json "v['summary']['info']")"
exits "apply" 0 "$TENET" apply --yes

# Protection.
policy keep keep '  rule: {use: protected}'
vpc acme db 10.4 443 'protected: "true"'
commit . "db is protected"
exits "apply" 0 "$TENET" apply --yes
git rm -q tenants/acme/db.yml
commit . "db goes"
exits "a protected VPC stays" 4 "$TENET" plan
says "and says how it goes" "acme/db is protected .*removed"
git rm -q policies/keep.yml
commit . "and the policy with it"
exits "removing the policy in the same commit is no way" 4 "$TENET" plan
says "that a policy goes is told" "this commit removes the policy"
git revert --no-edit HEAD >/dev/null
policy keep keep '  rule: {use: protected}
  waivers: [{for: acme/db, reason: x, owner: y, expires: 2999-01-01T00:00:00Z}]'
commit . "a waiver in the same commit"
exits "neither is a waiver" 4 "$TENET" plan
policy keep keep '  severity: info
  rule: {use: protected}'
commit . "a softer policy"
exits "nor a softer policy" 4 "$TENET" plan
says "which is told" "makes the policy less severe"
policy keep keep '  rule: {use: protected}
  scope: {tenants: [blue]}'
commit . "a narrower policy"
exits "nor a narrower one" 4 "$TENET" plan
printf 'x: [' >policies/keep.yml
commit . "a broken policy"
exits "nor a broken one" 4 "$TENET" plan
git checkout -q "HEAD~6" -- policies tenants
vpc acme db 10.4 443
commit . "unlock"
exits "the unlock is applied" 0 "$TENET" apply --yes
git rm -q tenants/acme/db.yml
commit . "db goes now"
exits "in a later commit it goes" 0 "$TENET" apply --yes
vpc acme db 10.4 443 'protected: "true"'
commit . "back"
exits "apply" 0 "$TENET" apply --yes
exits "destroy is refused, too" 4 "$TENET" destroy --yes
says "by the protection" "acme/db is protected"
sed -i '/name: b, cidr/s/, {name: b[^}]*}//' tenants/acme/db.yml
commit . "a subnet of it goes"
exits "its subnets are protected" 4 "$TENET" plan
vpc acme db 10.4 443
sed -i '/name: b, cidr/s/, {name: b[^}]*}//' tenants/acme/db.yml
commit . "with the label"
exits "and the label in the same commit is no way" 4 "$TENET" plan
vpc acme db 10.4 443 'protected: "true"'
commit . "as it was"
exits "plan" 0 "$TENET" plan

# jq.
program() { # program TEXT [OVER]
    policy jq jq "  over: ${2:-vpc}
  rule: {jq: '$1'}
  examples:
    - name: one
      given: |
        apiVersion: tenet/v1
        kind: Vpc
        metadata: {name: web}
        spec: {cidrs: [10.1.0.0/16], subnets: [{name: a, cidr: 10.1.1.0/24}]}
      expect: [\"${3:-}\"]"
    commit . "jq: $1"
}
program '"VPC \(.scope) of \(.tenant)"'
exits "a program objects" 4 "$TENET" plan
says "to each VPC, as it is new" "deny jq: VPC blue/web of blue"
program '.vpcs[] | "tenant has \(.)"' tenant
exits "a program over tenants" 4 "$TENET" plan
says "says so" "deny jq: tenant has app"
program '.summary | "adds \(.add)"' plan
exits "a program over the plan" 4 "$TENET" plan
says "says so" "deny jq: adds 0"
broken() { # broken WHAT PROGRAM PATTERN
    program "$2"
    exits "$1" 4 "$TENET" plan
    says "$1: broken" "deny broken-policy: jq: .*$3"
    says "$1: the place" "policies/jq.yml:6"
}
broken "does not compile" '.ports[' "syntax error"
broken "fails" '.nothing[]' "Cannot iterate over null"
broken "error(null)" 'error(null)' "it failed"
broken "never objects" 'empty' "does not say"
broken "a typo that is silent" '.prots[]? | "x"' "does not say"
broken "yields a number" '1' "a number"
broken "yields null" 'null' "null"
broken "halts" 'halt' "policies have no"
broken "reads the environment" 'env.HOME' "policies have no"
broken "reads other input" 'input' "policies have no"
broken "imports" 'import "x" as x; "y"' "syntax error"
broken "takes all memory" '[range(1e9)]' "process ended|took over"
broken "prints for ever" 'repeat("x")' "too much to say"
broken "reads a variable of its own place" '"\($__prog_args)"' "prog_args"
broken "goes too deep" 'def f: [f]; f' "process ended|took over|too much"
broken "nests too deep" 'reduce range(2000000) as $i (0; [.]) | tostring' "process ended|took over|failed|too much|does not say"
broken "asks for the way it was started" 'get_search_list' "policies have no"
broken "looks at the environment" '"\($ENV | length) variables"' "policies have no"
program 'if .tenant == "blue" then error("late") else "ok" end'
exits "one that passes its examples and fails later" 4 "$TENET" plan
says "denies" "broken-policy: jq: the jq program blue/.*late"
git rm -qr policies/jq.yml
commit . "no jq"

# A scope by label cannot be left in the commit that offends.
policy tier tier '  rule: {use: no-world-open-ports}
  scope: {labels: {tier: back}}'
vpc blue tier 10.13 443 "tier: back"
commit . "blue/tier is in the scope"
exits "apply" 0 "$TENET" apply --yes
vpc blue tier 10.13 22
commit . "and leaves it with ssh"
exits "the label that was counts" 4 "$TENET" plan
git rm -q policies/tier.yml tenants/blue/tier.yml
commit . "no tier"
exits "apply" 0 "$TENET" apply --yes

# Assertions about who reaches whom.
assertion() { # assertion REACH [GROUP]
    policy reach reach "  rule: {builtin: reach}
  with: {from: {tenant: acme, vpc: app2}, to: {tenant: acme, group: ${2:-app2}}, protocol: tcp, ports: 443, reach: $1}"
    commit . "reach: $*"
}
vpc acme app2 10.12 443
printf -- '---\napiVersion: tenet/v1\nkind: Port\nmetadata: {name: app2-2}\nspec: {vpc: app2, subnet: b, host: hv1, securityGroups: [app2], attach: {netns: acme-app2-2}}\n' >>tenants/acme/app2.yml
assertion never
exits "'never' is broken" 4 "$TENET" plan
says "by these two" "deny reach: acme/app2-[12] .* reaches acme/app2-[12] .*tcp 443"
assertion always
exits "'always' holds" 0 "$TENET" plan
assertion only
exits "'only' holds" 0 "$TENET" plan
assertion never nosuch
exits "a group that nobody is in" 0 "$TENET" plan
says "is told" "no port fits 'to'"
git rm -qr policies/reach.yml tenants/acme/app2.yml
commit . "no assertion"

# The folder.
policy bad 'Bad Name' '  rule: {use: protected}'
commit . "bad"
exits "a name that is none" 4 "$TENET" plan
exits "apply is denied as well" 4 "$TENET" apply --yes
exits "list tells" 8 "$TENET" policy list
exits "test tells" 8 "$TENET" policy test
git rm -q policies/bad.yml
ln -s ../tenet.yml policies/link.yml
commit . "link"
exits "a link" 4 "$TENET" plan
says "is no policy" "policies/link.yml"
git rm -q policies/link.yml
mkdir policies/more && cp policies/keep.yml policies/more
commit . "below"
exits "a folder below" 4 "$TENET" plan
git rm -qr policies/more
cp policies/keep.yml policies/keep2.yml
commit . "twice"
exits "two of one name" 4 "$TENET" plan
says "says where" "there are two policies 'keep'"
git rm -q policies/keep2.yml
git rm -qr policies
printf x >policies
commit . "a file"
exits "policies is a file" 4 "$TENET" plan
git rm -q policies
mkdir policies
policy frozen frozen '  rule: {use: freeze}'
settings 2020-01-01T00:00:00Z 2999-01-01T00:00:00Z >tenet.yml
commit . "freeze"
exits "apply" 0 "$TENET" apply --yes
vpc blue new 10.9 443
commit . "new in a freeze"
exits "a freeze holds for people" 4 "$TENET" plan
says "with its reason" "there is a freeze until 2999-01-01T00:00:00Z: audit"
settings >tenet.yml
commit . "ends with the same commit"
exits "which cannot end it for itself" 4 "$TENET" plan

git rm -q tenants/blue/new.yml
commit . "ends it, and nothing else"
exits "a commit of its own ends it" 0 "$TENET" apply --yes
git rm -q policies/frozen.yml
commit . "no policy"

# The daemon holds what is denied and goes on with what was allowed.
daemon() {
    [ -z "${pid:-}" ] || kill "$pid" 2>/dev/null
}
cleanup() { daemon; }
waits() { # waits WHAT COMMAND...
    local what=$1 tries=0
    shift
    until "$@"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 150 ]; then
            result no "$what" "$work/daemon.log"
            return
        fi
        sleep 0.2
    done
    result yes "$what"
}
logged() { grep -q -- "$1" "$work/daemon.log"; }
holds() { grep -q -- "$1" "$work/hv1.json"; }
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
YAML
mkdir -p policies
policy ports ports '  rule: {use: no-world-open-ports}'
vpc blue new 10.9 443
git rm -q tenants/acme/ssh.yml
commit . "for the daemon"
"$TENET" run --config "$work/daemon.yml" --state-dir "$work/dstate" --verbose >"$work/daemon.log" 2>&1 &
pid=$!
waits "the daemon applies what is allowed" holds blue/new
vpc blue open 10.11 22
commit . "ssh for everybody"
waits "and holds what is denied" logged "not followed, denied: policies deny it (1 finding): ports: tcp port 22 is open to anybody"
not_ok "which is not applied" holds blue/open
vpc blue open 10.11 443
commit . "mended"
waits "what mends it is applied" holds blue/open
policy budget budget '  rule: {builtin: delete-budget}
  with: {maxDeletesPerTenant: 1}'
commit . "a budget"
git rm -q tenants/blue/open.yml
commit . "open goes"
waits "a rule about plans is asked with a plan" logged "denied: policies deny it .*: budget: tenant blue: "
ok "which is not applied" holds blue/open
printf 'x: [' >policies/ports.yml
commit . "a broken policy"
waits "a broken policy is held" logged "denied: policies deny it .*broken-policy"
kill "$pid" && wait "$pid" 2>/dev/null
pid=
git rm -qr policies && mkdir policies
policy frozen frozen '  rule: {use: freeze}'
commit . "after the daemon"

# Isolation is nobody's policy, and examples are run.
exits "what is shipped passes" 0 "$TENET" policy test "$here"/../../policies/*.yml
says "all" "all pass"
exits "what is shipped as JSON" 0 sh -c '"$0" policy list --output json | python3 -m json.tool' "$TENET"
sed -i 's/expect: .*/expect: [something else]/' policies/frozen.yml
policy ex ex '  rule: {builtin: required-groups}
  examples:
    - name: wrong
      given: |
        apiVersion: tenet/v1
        kind: Vpc
        metadata: {name: web}
        spec: {cidrs: [10.1.0.0/16], subnets: [{name: a, cidr: 10.1.1.0/24}]}
      expect: [something else]'
exits "an example that fails" 8 "$TENET" policy test
says "and how" "it does not say 'something else'"
printf 'apiVersion: tenet/v1\nkind: Policy\nmetadata: {name: other}\nspec:\n  rule: {use: no-world-open-ports}\n  with: {ports: [8080]}\n' >"$work/other.yml"
exits "examples are about the parameters of the shipped policy" 0 "$TENET" policy test "$work/other.yml"

# Validate looks at policies, and judges nothing.
exits "validate tells of an example that fails" 8 "$TENET" validate -w
says "with its place" "^policies/ex.yml:7:7: error: ex: its example 'wrong' fails: it does not say"
says "and counts policies" "2 policies; the policies have errors"
rm policies/*.yml
policy ports ports '  rule: {use: no-world-open-ports}
  scope: {tenants: [acme, amce]}
  waivers: [{for: acme, reason: x, owner: y, expires: 2020-01-01T00:00:00Z}]'
vpc acme ssh 10.2 22
exits "validate with what a plan would object to" 0 "$TENET" validate -w
says "warns of a scope that is nobody's" "^policies/ports.yml:6:27: warning: ports: its scope names tenant 'amce'"
says "and of a waiver that has expired" "^policies/ports.yml:7:13: warning: ports: the waiver for acme \(y\) expired"
says "counts" "1 policy; valid"
invalid() { # invalid WHAT PATTERN: in policies/bad.yml, in text and JSON
    exits "validate: $1" 8 "$TENET" validate -w
    says "$1: the place" "^policies/bad.yml:$2"
    exits "$1: as JSON" 8 "$TENET" validate -w --output json
    says "$1: it is not valid" '"valid": false'
}
printf 'x: [' >policies/bad.yml
invalid "YAML that is none" '2:1: error'
policy bad bad '  rule: {builtin: open-ports}
  with: {ports: [22], widset: 3}'
invalid "a parameter that there is not" "6:23: error: .*widset"
policy bad bad '  rule: {builtin: open-ports}'
invalid "one that is missing" "[0-9]+:[0-9]+: error: .*ports"
policy bad bad '  rule: {builtin: open-prots, }'
invalid "a rule that there is not" "5:19: error: .*open-prots"
policy bad bad '  rule: {use: world}'
invalid "nothing of that name is shipped" "5:15: error: tenet ships no policy 'world'"
policy bad bad '  rule: {use: no-world-open-ports}
  waivers: [{for: acme, reason: x, owner: y, expires: tomorrow}]'
invalid "a waiver without an end" "6:55: error: .*tomorrow"
policy bad ports '  rule: {use: protected}'
exits "two of one name" 8 "$TENET" validate -w
says "say where the other is" "there are two policies 'ports'"
policy bad bad "  rule: {jq: '.ports['}
  examples: [{name: x, given: 'apiVersion: tenet/v1', expect: [y]}]"
invalid "a program that does not compile" "5:14: error: bad: the jq program: .*syntax error"
policy bad bad '  rule: {builtin: required-groups}
  examples: [{name: x, given: "kind: Nothing"}]'
invalid "an example that is no document" "6:14: error: bad: its example 'x' fails: its line 1: "
rm policies/bad.yml && ln -s ports.yml policies/bad.yml
exits "a link" 8 "$TENET" validate -w
says "is no policy" "^policies/bad.yml: error: neither a plain file"
rm -r policies

exits "no such file" 1 "$TENET" policy test nothing.yml
exits "no such word" 1 "$TENET" policy what
finish
