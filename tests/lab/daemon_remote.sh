#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# 'tenet run' against real servers: Git over ssh and https, signed commits, a
# signed webhook, a status ref that 'git verify-commit' accepts, Alertmanager
# and Prometheus, and a remote that is away.
PREFIX=${PREFIX:-tremote}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
support=$here/../support
export GIT_CONFIG_GLOBAL=/dev/null

daemon='' manager='' prometheus=''
cleanup() {
    local pid
    for pid in $daemon $manager $prometheus; do
        kill -KILL "$pid" 2>/dev/null
    done
    "$support/git_server.sh" ssh "$work/srv" stop
    "$support/git_server.sh" https "$work/srv" stop
    lab_sweep
}
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}
until_ok() { # until_ok SECONDS COMMAND...
    local i
    for ((i = 0; i < $1 * 20; i++)); do
        "${@:2}" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    tail -n 15 "$work/daemon.log"
    return 1
}
ctl() { "$TENET" ctl --control "$work/ctl.sock" "$@"; }

"$here/lab.sh" up "$PREFIX" 1
port=$("$support/git_server.sh" ssh "$work/srv") || exit 1
repo=$work/intent
intent_new "$repo" 1

# Who may sign: alice everything, bob nothing but tenants/blue.
for who in alice bob mallory status; do
    ssh-keygen -q -t ed25519 -N '' -C "$who" -f "$work/$who"
done
{
    for who in alice bob; do
        echo "$who@example.org namespaces=\"git\" $(cut -d' ' -f1,2 "$work/$who.pub")"
    done
} >"$work/allowed_signers"
sed -i 's/^spec:/spec:\n  signers: {file: .tenet\/allowed_signers, scopes: [{principal: alice@example.org, paths: ["**"]}, {principal: bob@example.org, paths: ["tenants\/blue\/**"]}]}/' "$repo/tenet.yml"
mkdir -p "$repo/.tenet"
cp "$work/allowed_signers" "$repo/.tenet/"
git -C "$repo" config gpg.format ssh
push_as() { # push_as WHO|nobody MESSAGE
    git -C "$repo" add -A
    if [ "$1" = nobody ]; then
        git -C "$repo" commit -q -m "$2"
    else
        git -C "$repo" -c user.signingkey="$work/$1" commit -q -S -m "$2"
    fi
    git -C "$repo" push -q "$work/srv/srv.git" +HEAD:refs/heads/main
    git -C "$repo" rev-parse HEAD
}
tenant() { # tenant NAME OCTET
    mkdir -p "$repo/tenants/$1"
    cat >"$repo/tenants/$1/all.yml" <<YAML
apiVersion: tenet/v1
kind: Tenant
metadata: {name: $1}
spec: {}
---
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec:
  cidrs: [10.$2.0.0/16]
  subnets: [{name: front, cidr: 10.$2.1.0/24}]
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $1-a}
spec: {vpc: web, subnet: front, host: hv1, attach: {netns: $PREFIX-$1}}
YAML
}
tenant red 1
mv "$repo/tenants/red/all.yml" "$repo/tenants/red/tenant.yml"
first=$(push_as alice "First")

am=$(free_port) prom=$(free_port) web=$(free_port)
cat >"$work/am.yml" <<YAML
route: {receiver: nobody}
receivers: [{name: nobody}]
YAML
prometheus-alertmanager --config.file="$work/am.yml" --storage.path="$work/am" \
    --web.listen-address="127.0.0.1:$am" --cluster.listen-address= \
    >"$work/am.log" 2>&1 &
manager=$!
cat >"$work/prom.yml" <<YAML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$here/../../docs/prometheus/rules.yml]
scrape_configs:
  - {job_name: tenet, static_configs: [{targets: ["127.0.0.1:$web"]}]}
YAML
prometheus --config.file="$work/prom.yml" --storage.tsdb.path="$work/prom" \
    --web.listen-address="127.0.0.1:$prom" >"$work/prom.log" 2>&1 &
prometheus=$!

head -c 24 /dev/urandom | base64 >"$work/secret"
chmod 600 "$work/secret" "$work/srv/id"
configure() { # configure SOURCE-FIELDS
    cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: test}
spec:
  source: {$1, branch: main, interval: 300, timeout: 5}
  trust: {allowedSigners: $work/allowed_signers, root: "$first"}
  http: {listen: "127.0.0.1:$web", webhookSecretFile: $work/secret}
  status: {signingKey: $work/status}
  loop: {firstContact: heal}
  alertmanagers: ["http://127.0.0.1:$am"]
  control: $work/ctl.sock
YAML
}
configure "url: \"ssh://$(id -un)@127.0.0.1:$port$work/srv/srv.git\", sshKey: $work/srv/id, knownHosts: $work/srv/known_hosts"
start() {
    "$TENET" run --config "$work/daemon.yml" 2>>"$work/daemon.log" &
    daemon=$!
}
follows() { ctl status | grep -q "^Following ${1:0:12}"; }
told() { git -C "$work/srv/srv.git" show tenet/status:devices/hv1.yml | grep -q "$1"; }
hook() { # hook SIGNATURE-KEY: prints the status
    local body sig
    body='{"ref":"refs/heads/main","after":"'$(git -C "$repo" rev-parse HEAD)'","repository":{"full_name":"net/intent"}}'
    sig=$(printf %s "$body" | openssl dgst -sha256 -hmac "$1" -r | cut -d' ' -f1)
    curl -s -o /dev/null -w '%{http_code}' -H 'X-GitHub-Event: push' \
        -H "X-GitHub-Delivery: $RANDOM-$RANDOM" -H "X-Hub-Signature-256: sha256=$sig" \
        -H 'Content-Type: application/json' -d "$body" "http://127.0.0.1:$web/webhook"
}
firing() { curl -s "http://127.0.0.1:$am/api/v2/alerts?active=true" | grep -q "\"$1\""; }
not_firing() { ! firing "$1"; }

start
ok "the first commit comes over ssh" until_ok 20 follows "$first"
ok "and is on the device" until_ok 10 ip -n "$PREFIX-red" link show eth0
ok "its status is pushed" until_ok 10 told "$first"
status_commit=$(git -C "$work/srv/srv.git" rev-parse tenet/status)
echo "tenet@localhost $(cut -d' ' -f1,2 "$work/status.pub")" >"$work/status_signers"
ok "git verify-commit accepts the status" git -C "$work/srv/srv.git" \
    -c gpg.ssh.allowedSignersFile="$work/status_signers" verify-commit "$status_commit"

tenant blue 2
mv "$repo/tenants/blue/all.yml" "$repo/tenants/blue/tenant.yml"
second=$(push_as bob "Blue by bob")
is "a webhook is taken" 202 "$(hook "$(cat "$work/secret")")"
ok "and wakes: bob's commit in his scope is followed" until_ok 10 follows "$second"
is "a webhook with a wrong signature is not" 401 "$(hook wrong)"

echo "# bob was here" >>"$repo/tenants/red/tenant.yml"
push_as bob "Red by bob" >/dev/null
ctl sync
ok "bob's commit out of his scope is refused" until_ok 10 bash -c \
    "$TENET ctl --control $work/ctl.sock status | grep -q OutOfScope"
ok "Alertmanager knows" until_ok 15 firing TenetUntrustedCommit
ip -n "${PREFIX}1.tn.red.web" link del x-front
ok "the intent before goes on being healed" until_ok 10 ip -n "${PREFIX}1.tn.red.web" link show x-front
git -C "$repo" reset -q --hard "$second"
echo "# nobody" >>"$repo/tenants/blue/tenant.yml"
push_as nobody "Unsigned" >/dev/null
ctl sync
ok "an unsigned commit is refused" until_ok 10 bash -c \
    "$TENET ctl --control $work/ctl.sock status | grep -q Unsigned"
push_as mallory "Stranger" >/dev/null 2>&1 || true
git -C "$repo" reset -q --hard "$second"
echo "# alice" >>"$repo/tenants/blue/tenant.yml"
third=$(push_as alice "Alice mends it")
ctl sync
ok "the next good commit is followed" until_ok 10 follows "$third"
ok "the alert is resolved" until_ok 60 not_firing TenetUntrustedCommit

ip -n "${PREFIX}1.tn.red.web" addr flush dev b-front
ok "drift reaches Alertmanager" until_ok 15 firing TenetDrift
ok "and is resolved when it is healed" until_ok 60 not_firing TenetDrift

ok "Prometheus scrapes it" until_ok 20 bash -c \
    "curl -s 'http://127.0.0.1:$prom/api/v1/query?query=tenet_device_ready' | grep -q '\"1\"'"
ok "and takes the rules" bash -c "curl -s http://127.0.0.1:$prom/api/v1/rules | grep -q '\"health\":\"ok\"'"

# The remote goes away.
"$support/git_server.sh" ssh "$work/srv" stop
ctl sync
ok "Git away is told" until_ok 20 firing TenetSourceStale
ip -n "${PREFIX}1.tn.red.web" link del x-front
ok "and healing goes on" until_ok 10 ip -n "${PREFIX}1.tn.red.web" link show x-front
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
ip -n "${PREFIX}1.tn.red.web" link del x-front
start
ok "also after kill -9 with Git away" until_ok 20 ip -n "${PREFIX}1.tn.red.web" link show x-front

# It comes back elsewhere, over https; the file is read again.
hport=$("$support/git_server.sh" https "$work/srv")
configure "url: \"https://localhost:$hport/git/srv.git\", caFile: $work/srv/ca.pem, username: tenet, tokenFile: $work/srv/token"
kill -HUP "$daemon"
echo "# again" >>"$repo/tenants/blue/tenant.yml"
fourth=$(push_as alice "Over https")
sleep 1
ok "after a reload it comes over https" until_ok 20 bash -c \
    "$TENET ctl --control $work/ctl.sock sync; $TENET ctl --control $work/ctl.sock status | grep -q '^Following ${fourth:0:12}'"
ok "and its status goes there" until_ok 15 told "$fourth"
ok "the alert about Git is resolved" until_ok 60 not_firing TenetSourceStale

kill -TERM "$daemon"
code=0
wait "$daemon" || code=$?
is "a clean stop" 0 "$code"
daemon=
not_ok "no report of a sanitizer" grep -E "Sanitizer|runtime error" "$work/daemon.log"
not_ok "no secret in the log" grep -F -e "$(cat "$work/secret")" -e sesame "$work/daemon.log"
[ "$failures" = 0 ] || tail -n 60 "$work/daemon.log" | sed 's/^/# /'
finish
