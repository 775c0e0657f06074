#!/usr/bin/env bash
# The command line from end to end, over devices in files (memory driver): exit
# codes, saved plans, budgets, locks, status, and repositories that are hostile.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

repo=$work/intent
mkdir -p "$repo/inventories/lab" "$repo/tenants/acme" "$repo/tenants/blue"
cd "$repo" || exit 1
git init -q -b main
git config user.name Test && git config user.email test@example.org

cat >tenet.yml <<'YAML'
apiVersion: tenet/v1
kind: Settings
metadata: {name: clitest}
spec: {budgets: {maxDeletes: 4, maxDeletePercent: 100}}
YAML
cat >inventories/lab/hosts.yml <<YAML
all:
  vars: {tenet_driver: memory}
  hosts:
    hv1: {tenet_underlay_address: 192.0.2.1, tenet_memory_path: $work/hv1.json}
    hv2: {tenet_underlay_address: 192.0.2.2, tenet_memory_path: $work/hv2.json}
YAML
tenant() { # tenant NAME
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: %s}\nspec: {}\n' \
        "$1" >"tenants/$1/tenant.yml"
}
vpc() { # vpc TENANT NAME CIDR-PREFIX ("10.1"): two ports on two hosts
    cat >"tenants/$1/$2.yml" <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: $2}
spec:
  cidrs: [$3.0.0/16]
  subnets:
    - {name: a, cidr: $3.1.0/24}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $2-1}
spec: {vpc: $2, subnet: a, host: hv1, attach: {netns: $1-$2-1}}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $2-2}
spec: {vpc: $2, subnet: a, host: hv2, attach: {netns: $1-$2-2}}
YAML
}
tenant acme
tenant blue
vpc acme web 10.1
vpc blue web 10.1
commit . "first"
first=$(git rev-parse HEAD)

# Usage.
exits "no arguments: help" 0 "$TENET"
says "help names the commands" "^  plan  "
exits "an unknown command" 1 "$TENET" aply
says "an unknown command: suggestion" "did you mean 'apply'"
exits "an unknown option" 1 "$TENET" plan --verbos
says "an unknown option: suggestion" "did you mean 'verbose'"
exits "a long option is not abbreviated" 1 "$TENET" plan --verb
exits "a value is missing" 1 "$TENET" plan --rev
exits "an argument too many" 1 "$TENET" plan x
exits "no number" 1 "$TENET" plan --threads many
exits "--rev and --worktree" 1 "$TENET" plan --rev HEAD --worktree
exits "no repository" 1 "$TENET" plan -C "$work"
exits "no such revision" 1 "$TENET" plan --rev nowhere
for c in validate plan apply destroy status lock seal explain schema version help; do
    exits "$c --help" 0 "$TENET" "$c" --help
done
for k in '' settings tenant vpc port security-group peering; do
    # shellcheck disable=SC2086
    ok "schema $k is JSON" sh -c '"$0" schema $1 | python3 -m json.tool' "$TENET" "$k"
done

# Validate, plan, apply.
exits "validate" 0 "$TENET" validate
exits "validate again, from the cache" 0 "$TENET" validate --stats
says "nothing was parsed" " 0 parsed"
exits "plan without --detailed-exitcode" 0 "$TENET" plan
exits "plan with it: changes" 2 "$TENET" plan --detailed-exitcode
is "a plan changes nothing" no "$([ -e "$work/hv1.json" ] && echo yes || echo no)"
exits "status before the first apply" 0 "$TENET" status
says "status says that there is none" "Nothing was applied"
exits "apply without a terminal asks for --yes" 1 sh -c '"$0" apply </dev/null' "$TENET"
exits "apply" 0 "$TENET" apply --yes
exits "a second plan is empty" 0 "$TENET" plan --detailed-exitcode
says "and says so" "No changes. Network matches the intent \(commit ${first:0:7}\)"
ref=$(git rev-parse tenet/status)
exits "a second apply" 0 "$TENET" apply --yes
is "writes no status commit" "$ref" "$(git rev-parse tenet/status)"
exits "status" 0 "$TENET" status
says "status names the device" "^hv1 +Ready"
ok "status as JSON" sh -c '"$0" status --output json | python3 -m json.tool' "$TENET"
ok "plan as JSON" sh -c '"$0" plan --output json | python3 -m json.tool' "$TENET"
ok "the status ref is YAML" python3 -c '
import subprocess, sys, yaml
ls = subprocess.check_output(["git", "ls-tree", "-r", "--name-only", "tenet/status"], text=True)
names = [n for n in ls.split("\n") if n.endswith(".yml")]
assert len(names) >= 8, names
for n in names:
    yaml.safe_load(subprocess.check_output(["git", "show", "tenet/status:" + n]))
'
ok "the repository is sound" git fsck --strict

# Saved plans.
vpc acme app 10.2
commit . "app"
exits "plan --out" 0 "$TENET" plan --out "$work/plan"
is "the file is ours alone" 600 "$(stat -c %a "$work/plan")"
sed 's/10.2.1.0/10.2.9.0/' -i tenants/acme/app.yml
commit . "moved on"
exits "a saved plan applies its commit, not HEAD" 0 "$TENET" apply "$work/plan" --yes
exits "applied once more: all done already" 0 "$TENET" apply "$work/plan" --yes
says "it says so" "done already"
exits "apply HEAD" 0 "$TENET" apply --yes
exits "the old plan is stale now" 5 "$TENET" apply "$work/plan" --yes
says "and says what moved" "stale: .*absent when the plan was made"
exits "the stale plan changed nothing" 0 "$TENET" plan --detailed-exitcode
printf '{}' >"$work/plan"
exits "rubbish is no plan" 1 "$TENET" apply "$work/plan" --yes
exits "no plan file" 1 "$TENET" apply "$work/nothing" --yes
exits "a working tree has no saved plan" 1 "$TENET" plan -w --out "$work/plan"

# Drift and foreign objects.
python3 - "$work/hv1.json" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
r = d["resources"]
key = next(k for k in r if r[k]["kind"] == "subnet")
name = next(iter(r[key]["attrs"]))
r["other/thing"] = dict(r[key], owner="somebody", name="thing", claim=None, parent=None)
del r[key]
json.dump(d, open(sys.argv[1], "w"))
PY
exits "drift" 3 "$TENET" plan --detailed-exitcode
says "is called so" "(changed|removed) outside Git"
exits "is healed" 0 "$TENET" apply --yes
exits "is gone" 0 "$TENET" plan --detailed-exitcode
ok "the foreign object is still there" grep -q somebody "$work/hv1.json"

# Budgets.
rm tenants/acme/*.yml && tenant acme
commit . "acme leaves"
exits "too many deletions" 4 "$TENET" apply --yes
says "the budget says how to allow them" "--allow-deletes [0-9]+"
exits "plan says it as well" 4 "$TENET" plan
exits "with the override" 0 "$TENET" apply --yes --allow-deletes 100
git revert --no-edit HEAD >/dev/null
exits "and back" 0 "$TENET" apply --yes

# One tenant's mistake is its own.
echo 'spec: [' >>tenants/acme/web.yml
vpc blue app 10.3
commit . "acme is broken, blue goes on"
exits "validate: the intent is invalid" 8 "$TENET" validate
says "with file, line and column" "^tenants/acme/web.yml:[0-9]+:[0-9]+: error: "
exits "apply: not everything" 6 "$TENET" apply --yes
ok "blue has its new VPC" grep -q 'blue/app' "$work/hv1.json"
ok "acme kept its old one" grep -q 'acme/web' "$work/hv1.json"
exits "status tells" 0 "$TENET" status
says "which tenant" "^acme +Degraded"
git revert --no-edit HEAD >/dev/null
exits "after the fix" 0 "$TENET" apply --yes --allow-deletes 100

# What is no intent never deletes anything.
for what in tenet.yml tenants inventories; do
    git rm -rq "$what" && commit . "without $what"
    exits "without $what: refused" 8 "$TENET" apply --yes --allow-deletes 1000
    git revert --no-edit HEAD >/dev/null
done
git rm -rq tenants && mkdir tenants && touch tenants/.keep && commit . "none"
exits "no tenant at all: refused" 8 "$TENET" apply --yes --allow-deletes 1000
git revert --no-edit HEAD >/dev/null
exits "and nothing was deleted" 0 "$TENET" plan --detailed-exitcode

# Identifiers.
exits "locks are missing" 4 "$TENET" lock --check
exits "lock" 0 "$TENET" lock
exits "locks are up to date" 0 "$TENET" lock --check
commit . "lock"
exits "locking changes nothing" 0 "$TENET" plan --detailed-exitcode
git clone -q "$repo" "$work/clone"
exits "a fresh clone plans the same, without the status ref" 0 \
    "$TENET" plan -C "$work/clone" --detailed-exitcode

# Devices that fail.
vpc blue more 10.4
commit . "more"
for n in 1 2 3 4 5; do
    python3 - "$work/hv2.json" "$n" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
d["faults"] = {"fail_at": d["operations"] + int(sys.argv[2]), "fail_count": 1}
json.dump(d, open(sys.argv[1], "w"))
PY
    "$TENET" apply --yes >"$work/log" 2>&1
    code=$?
    [ $code -eq 0 ] && break
    is "operation $n fails: not everything was applied" 6 $code
    says "the device was rolled back" "hv2 +rolled back"
    says "the other one was not" "hv1 +(applied and verified|nothing to do)"
    exits "the plan is for the one that failed" 2 "$TENET" plan --detailed-exitcode
done
is "all operations were tried" 4 "$n"
python3 - "$work/hv2.json" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
d.pop("faults", None)
json.dump(d, open(sys.argv[1], "w"))
PY
exits "in the end it converges" 0 "$TENET" plan --detailed-exitcode

# Two applies at once, and a state directory that cannot be written.
mkdir -p "$TENET_STATE_DIR/clitest"
exec 9>"$TENET_STATE_DIR/clitest/lock"
flock 9
exits "a second apply is refused while one runs" 7 "$TENET" apply --yes
says "it says why" "another tenet"
exec 9>&-
if [ -e /dev/full ]; then
    exits "a full disk under stdout is an error" 1 \
        sh -c '"$0" plan >/dev/full' "$TENET"
fi

# Hostile trees.
hostile() { # hostile WHAT CODE PATTERN: HEAD is hostile; then goes back
    commit . "hostile"
    exits "$1: refused" "$2" "$TENET" validate
    says "$1: says why" "$3"
    git reset -q --hard HEAD~1
}
ln -s /etc/passwd tenants/acme/link.yml
hostile "a symbolic link" 8 "tenants/acme/link.yml"
ln -s /etc tenants/evil
hostile "a linked tenant" 8 "tenants/evil"
python3 -c 'print("a: " + "[" * 200000)' >tenants/acme/deep.yml
hostile "deep nesting" 8 "tenants/acme/deep.yml:1:[0-9]+"
head -c 3000000 /dev/zero | tr '\0' 'x' >tenants/acme/huge.yml
hostile "a huge file" 8 "tenants/acme/huge.yml"
printf 'a: &x [1]\nb: *x\n' >tenants/acme/alias.yml
hostile "an alias" 8 "tenants/acme/alias.yml:1:4"
printf 'kind: \xff\xfe\n' >tenants/acme/utf.yml
hostile "no UTF-8" 8 "tenants/acme/utf.yml"
printf 'kind: !!python/object:os.system x\n' >tenants/acme/tag.yml
hostile "a tag" 8 "tenants/acme/tag.yml:1:7"
mkdir "tenants/Bad_Name" && tenant Bad_Name
hostile "a tenant's name" 8 "Bad_Name"
git update-index --add --cacheinfo "160000,$first,tenants/acme/sub" &&
    git commit -q -m "submodule"
exits "a submodule: refused" 8 "$TENET" validate
says "a submodule: says why" "tenants/acme/sub"
git reset -q --hard HEAD~1

exits "destroy" 0 "$TENET" destroy --yes
ok "the foreign object is still there" grep -q somebody "$work/hv1.json"
is "and nothing of ours" 0 "$(grep -c clitest "$work/hv1.json")"
finish
