#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# SIGHUP: settings that can be used are taken up; with any others, the process,
# its devices and its settings stay as they are, and it is said why.
PREFIX=${PREFIX:-treload}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"

repo=$work/intent
intent_new "$repo" 1
cat >"$repo/inventories/lab/host_vars/hv1.yml" <<YAML
tenet_driver: memory
tenet_memory_path: $work/device.json
tenet_underlay_address: 192.0.2.11
YAML
intent() { # intent MTU
    mkdir -p "$repo/tenants/acme"
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' \
        >"$repo/tenants/acme/tenant.yml"
    cat >"$repo/tenants/acme/all.yml" <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec: {cidrs: [10.1.0.0/16], subnets: [{name: a, cidr: 10.1.0.0/24, mtu: $1}]}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: w1}
spec: {vpc: web, subnet: a, host: hv1, attach: {netns: w1}}
YAML
    commit "$repo" "MTU $1"
}
# Ports that are free now, and one that is taken, on two addresses.
python3 - >"$work/ports" <<'PY' &
import socket, time
free = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
ports = [s.getsockname()[1] for s in free]
for s in free:
    s.close()
taken = socket.create_server(("127.0.0.1", 0))
other = socket.create_server(("127.0.0.2", ports[0]))
print(*ports, taken.getsockname()[1], flush=True)
time.sleep(300)
PY
others+=($!)
until [ -s "$work/ports" ]; do sleep 0.05; done
read -r port1 port2 taken <"$work/ports"

settings() { # settings LISTEN [LINES]
    cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: test}
spec:
  source: {url: $repo, branch: main, interval: 2}
  http: {listen: "$1"}
  loop: {firstContact: heal, audit: 5}
  control: $work/ctl.sock
${2:-}
YAML
}
serves() { curl -sf --max-time 5 "http://127.0.0.1:$1/healthz"; }
reload_ok() { # reload_ok: 1 if the last reload was
    curl -s "http://127.0.0.1:$port1/metrics" |
        awk '/^tenet_config_last_reload_successful/ {print $2}'
}
device_has() { grep -q "$1" "$work/device.json"; }
following() {
    ctl status | grep -q "^Following $(git -C "$repo" rev-parse --short=12 HEAD)"
}
# refused WHAT LOG: the settings of daemon.yml are not taken up.
refused() {
    local at
    at=$(log_size)
    kill -HUP "$daemon"
    ok "$1: it is said" until_ok 10 logged_since "$at" "reload (refused|failed).*$2"
    ok "$1: it lives" alive
    ok "$1: it answers" until_ok 5 ctl status
    ok "$1: it serves" until_ok 5 serves "$port1"
    is "$1: it is counted" 0 "$(reload_ok)"
    n=$((n + 1))
    intent $((1300 + n))
    ok "$1: a commit is applied" until_ok 10 device_has "\"$((1300 + n))\""
}
# taken_up WHAT PORT
taken_up() {
    local at
    at=$(log_size)
    kill -HUP "$daemon"
    ok "$1: it is taken up" until_ok 10 logged_since "$at" "following"
    ok "$1: it serves" until_ok 5 serves "$2"
    ok "$1: it answers" until_ok 5 ctl status
    ok "$1: the same process" alive
}
n=0
intent 1300
settings "127.0.0.1:$port1"
start
ok "a commit is applied" until_ok 20 device_has '"1300"'
taken_up "the same settings" "$port1"

settings "127.0.0.1:$taken"
refused "a port that is taken" "127.0.0.1:$taken|in use"
settings "127.0.0.2:$port1"
refused "one that could not be tried before" "127.0.0.2:$port1|in use"
settings "127.0.0.1:$port1" "  nonsense: ["
refused "no YAML" "daemon.yml"
settings "127.0.0.1:$port1"
sed -i "s/audit: 5/audit: 1/" "$work/daemon.yml"
refused "a value out of range" "daemon.yml"
rm "$work/daemon.yml"
refused "no file" "daemon.yml"
settings "127.0.0.1:$port1" "  status: {signingKey: $work/nokey}"
refused "no key" "$work/nokey"
settings "127.0.0.1:$port1" "  trust: {allowedSigners: $work/nosigners}"
refused "no signers" "allowedSigners.*nosigners"
echo secret >"$work/secret" && chmod 644 "$work/secret"
settings "127.0.0.1:$port1" "  webhooks: [{url: \"http://127.0.0.1:1/x\", secretFile: $work/secret}]"
refused "a secret that all may read" "0644"
settings "127.0.0.1:$port1"
sed -i "s|listen: .*}|listen: \"127.0.0.1:$port1\", webhookSecretFile: $work/secret}|" "$work/daemon.yml"
refused "the same, of the webhook" "0644"
settings "127.0.0.1:$port1"
sed -i "s|control: .*|control: $work/secret|" "$work/daemon.yml"
refused "a socket where a file is" "no socket"

settings "127.0.0.1:$port2"
taken_up "another port" "$port2"
not_ok "the former one is free" serves "$port1"
ok "the commit is followed as before" until_ok 10 following
stop_daemon
no_sanitizer
show_log
finish
