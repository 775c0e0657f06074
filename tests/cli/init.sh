#!/usr/bin/env bash
# 'tenet init': what a newcomer does in the first ten minutes, from the scaffold
# over the first apply to a judged merge request.
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
name=init-test-$$
here=$(cd "$(dirname "$0")" && pwd)
cleanup() { rm -f "/var/tmp/tenet-$name"*; }
git config --global user.name Test
git config --global user.email test@example.org
git config --global init.defaultBranch main
cd "$work" || exit 1

exits "into a new directory" 0 "$TENET" init "$name"
says "names the instance after it" "Instance $name, environment lab"
says "tells what is next" "git init -b main"
cd "$name" || exit 1
ok "no pipeline was asked for" sh -c '! ls -a | grep -E "gitlab|github|gitea"'
exits "it validates as plain files" 0 "$TENET" validate -w
exits "git" 0 sh -c 'git init -q -b main && git add . && git commit -q -m Begin'
is "everything was committed" "" "$(git status --porcelain)"
exits "validate" 0 "$TENET" validate
not_ok "without a warning" grep -qE "warning|error" "$work/log"
exits "plan" 0 "$TENET" plan
says "it would add, and remove nothing" "Plan: [0-9]+ to add, 0 to change, 0 to destroy"
exits "the policies are its own" 0 "$TENET" policy test
exits "apply" 0 "$TENET" apply --yes
exits "there is nothing more to do" 0 "$TENET" plan --detailed-exitcode
says "it says so" "No changes"
exits "status" 0 "$TENET" status
says "both hosts are ready" "hv2 +Ready"
exits "explain" 0 "$TENET" explain hv1 tenet_driver
exits "blame" 0 "$TENET" blame web1
says "the port's line" "^tenants/demo/web.yml:[0-9]+-[0-9]+$"
exits "graph" 0 "$TENET" graph
exits "reach" 0 "$TENET" reach --help
is "the schema is this program's" "$("$TENET" schema)" "$(cat .tenet/schema/document.json)"
ok "every document names it, and it is there" python3 -c '
import glob, os, re
files = ["tenet.yml"] + glob.glob("tenants/**/*.yml", recursive=True)
assert len(files) >= 3
for f in files:
    line = open(f).readline()
    m = re.match(r"# yaml-language-server: \$schema=(.*)\n", line)
    assert m and os.path.isfile(os.path.join(os.path.dirname(f), m.group(1))), f
'
ok "editor settings are JSON that names it too" python3 -c '
import glob, json, os
for f in glob.glob(".vscode/*.json"):
    json.load(open(f))
for path in json.load(open(".vscode/settings.json"))["yaml.schemas"]:
    assert os.path.isfile(path), path
'
ok "the documents are as the schema says" python3 -c '
import glob, json, sys
try:
    import jsonschema, yaml
except ImportError:
    sys.exit(0)
schema = json.load(open(".tenet/schema/document.json"))
for f in ["tenet.yml"] + glob.glob("tenants/**/*.yml", recursive=True) \
        + glob.glob("policies/*.yml"):
    for doc in yaml.safe_load_all(open(f)):
        jsonschema.validate(doc, schema)
'

# A first merge request, judged as its pipeline would: docs/tour.md.
git checkout -q -b more-web
cat >>tenants/demo/web.yml <<'YAML'
---
apiVersion: tenet/v1
kind: Port
metadata: {name: web2}
spec:
  vpc: web
  subnet: front
  host: hv2
  securityGroups: [web]
  attach: {netns: web2}
YAML
exits "a change validates before it is committed" 0 "$TENET" validate --worktree
git commit -q -a -m "web: Add a second server"
exits "plan it without devices" 0 "$TENET" plan --offline
says "one port more" "Plan: 1 to add, 3 to change, 0 to destroy"
exits "draw it" 0 "$TENET" graph --offline
says "the port is a ghost" "will be created"
exits "the merge request is judged" 0 "$TENET" ci --target main --no-post
says "what changes" "1 to add, 3 to change"
says "who reaches whom" "opens +demo/web group web .* demo/web group database: tcp 5432"
ok "with a comment" grep -q "tenet:lab" tenet-ci/lab/comment.md
is "whose artifacts Git ignores" "" "$(git status --porcelain)"
git checkout -q main
git merge -q --no-ff -m "Merge branch 'more-web'" more-web
exits "apply what was merged" 0 "$TENET" apply --yes
exits "blame it" 0 "$TENET" blame web2
says "who wrote it" "written by .*web: Add a second server"
says "what brought it" "merged by .*Merge branch 'more-web'"

# Other places.
cd "$work" || exit 1
exits "a directory that is not empty" 1 "$TENET" init "$name"
says "is refused, with a reason" "is not empty: it has '"
is "and left as it is" "" "$(git -C "$name" status --porcelain)"
mkdir empty && cd empty && git init -q
exits "an empty repository, where one is" 0 "$TENET" init --commit
says "is committed to" "Committed as [0-9a-f]{10}"
is "whole" "" "$(git status --porcelain)"
exits "and validates" 0 "$TENET" validate
cd "$work" || exit 1
mkdir linked && ln -s "$work/empty" linked/tenants
exits "a symbolic link inside" 1 "$TENET" init linked
exits "a file in the place of the directory" 1 "$TENET" init empty/README.md
exits "no such forge" 1 "$TENET" init forge --forge sourceforge
says "there are three" "gitlab, github, gitea or none"
not_ok "nothing was made" test -e forge
while read -r forge path; do
    exits "$forge" 0 "$TENET" init "for-$forge" --forge "$forge" --commit
    ok "$forge: the pipeline of docs/ci" cmp "for-$forge/$path" \
        "$here/../../docs/ci/$forge.yml"
    is "$forge: and no other" 1 "$(find "for-$forge" -name .git -prune -o \
        \( -name tenet.yml -path '*workflows*' -o -name .gitlab-ci.yml \) -print | wc -l)"
    rm -f "/var/tmp/tenet-for-$forge"*
done <<'LIST'
gitlab .gitlab-ci.yml
github .github/workflows/tenet.yml
gitea .gitea/workflows/tenet.yml
LIST
exits "a name that is hostile to a shell" 0 "$TENET" init "a'; b \$(c)"
says "is quoted" "cd 'a'\\\\''; b \\\$\\(c\\)'"
says "and becomes a label" "Instance a-b-c,"
exits "a name without a letter" 0 "$TENET" init "é"
says "gets another" "Instance intent,"
git config --global --unset user.name
git config --global --unset user.email
exits "without a name of the user" 1 env -u EMAIL "$TENET" init anonymous --commit
says "no commit, and how to" "user.name"
finish
