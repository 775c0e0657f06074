# daemon_lib.sh - sourced after lib.sh by the tests of a daemon under stress: a
# daemon that is started and ended, and intents that differ in everything.
#
# A test sets 'repo' and calls 'configure' before 'start'.
# shellcheck shell=bash disable=SC2154
daemon=''
others=() # Further processes of the test.

cleanup() {
    local pid
    for pid in $daemon "${others[@]}"; do
        kill -CONT "$pid" 2>/dev/null
        kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    mountpoint -q "$work/small" && umount -l "$work/small"
    lab_sweep
}
ctl() { timeout 20 "$TENET" ctl --control "$work/ctl.sock" "$@"; }
ref() { git -C "$repo" show "tenet/status:$1"; }

configure() { # configure [URL [INTERVAL]]
    cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: test}
spec:
  source: {url: "${1:-$repo}", branch: main, interval: ${2:-2}, timeout: 10}
  http: {listen: $work/http.sock}
  loop: {firstContact: heal, audit: ${AUDIT:-5}}
  control: $work/ctl.sock
YAML
}
start() {
    started_at=$(stat -c %s "$work/daemon.log" 2>/dev/null || echo 0)
    "${UNDER[@]}" "$TENET" run --config "$work/daemon.yml" \
        2>>"$work/daemon.log" &
    daemon=$!
}
UNDER=()
kill_daemon() {
    kill -KILL "$daemon" 2>/dev/null
    wait "$daemon" 2>/dev/null
    daemon=''
}
follows_git() { tail -c +$((started_at + 1)) "$work/daemon.log" | grep -q 'following '; }
stop_daemon() { # Says 'ok' if it stops cleanly, which it can once it runs.
    local code=0
    until_ok 30 follows_git
    kill -TERM "$daemon"
    wait "$daemon" || code=$?
    daemon=''
    is "a clean stop" 0 "$code"
}
alive() { kill -0 "$daemon" 2>/dev/null; }
# until_ok SECONDS COMMAND...
until_ok() {
    local end=$((SECONDS + $1))
    while :; do
        "${@:2}" >/dev/null 2>&1 && return 0
        [ $SECONDS -ge $end ] && break
        sleep 0.05
    done
    tail -n 15 "$work/daemon.log"
    return 1
}
logged() { grep -qE -- "$1" "$work/daemon.log"; }
# How many lines of the log match.
log_count() { grep -cE -- "$1" "$work/daemon.log"; }
log_size() { stat -c %s "$work/daemon.log" 2>/dev/null || echo 0; }
logged_since() { tail -c "+$(($1 + 1))" "$work/daemon.log" | grep -qE -- "$2"; }
at_commit() { # at_commit HOST... : Ready at HEAD
    local id h
    id=$(git -C "$repo" rev-parse HEAD)
    for h in "$@"; do
        ref "devices/$h.yml" >"$work/at" 2>/dev/null || return 1
        grep -q "$id" "$work/at" || return 1
        grep -A3 'type: Ready' "$work/at" | grep -q 'True' ||
            grep -A2 Ready "$work/at" | grep -q True || return 1
    done
}
empty_plan() {
    local code=0
    "$TENET" plan -C "$repo" --detailed-exitcode >"$work/plan" 2>&1 || code=$?
    [ $code = 0 ] || cat "$work/plan"
    return $code
}
metric() { # metric NAME{LABELS}: its value
    curl -s --max-time 5 --unix-socket "$work/http.sock" http://x/metrics |
        awk -v n="$1" '$1 == n {print $2}'
}
status_of() { awk -v k="$2:" '$1 == k {print $2}' "/proc/$1/status"; }
no_sanitizer() {
    not_ok "no report of a sanitizer" grep -E "Sanitizer|runtime error" \
        "$work/daemon.log"
}

# Two intents that differ in everything but one port.
write_intent() { # write_intent A|B [NONCE]
    local vpc n=2 v h s tag
    rm -rf "$repo/tenants"
    mkdir -p "$repo/tenants/acme"
    cat >"$repo/tenants/acme/tenant.yml" <<YAML
apiVersion: tenet/v1
kind: Tenant
metadata: {name: acme}
spec: {}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: all}
spec:
  rules: [{direction: ingress}]
# ${2:-}
YAML
    [ "$1" = B ] && n=3
    for ((v = 1; v <= n; v++)); do
        vpc=v$v
        [ "$1" = B ] && [ "$v" -ne 1 ] && vpc=w$v
        {
            cat <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: $vpc}
spec:
  cidrs: [10.$v.0.0/16]
  subnets:
    - {name: a, cidr: 10.$v.1.0/24}
    - {name: b, cidr: 10.$v.2.0/24}
YAML
            for h in 1 2; do
                for s in a b; do
                    tag=$1
                    [ "$v" -eq 1 ] && [ $s = a ] && tag=x
                    cat <<YAML
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $vpc-$s$h-${tag,,}}
spec:
  vpc: $vpc
  subnet: $s
  host: hv$h
  securityGroups: [all]
  attach: {netns: ${PREFIX}-hv$h-$vpc-$s-${tag,,}}
YAML
                done
            done
        } >"$repo/tenants/acme/$vpc.yml"
    done
}

# Things that are not ours, in places where we work.
foreign_add() {
    ip -n "${PREFIX}1" link add foreign0 type bridge
    ip -n "${PREFIX}1" addr add 198.51.100.1/24 dev foreign0
    ip -n "${PREFIX}1" link add vxlanf type vxlan id 77 dstport 8472 \
        local 192.0.2.11
    ip -n "${PREFIX}1" route add 203.0.113.0/24 via 192.0.2.12
    ip netns exec "${PREFIX}1" nft 'add table inet other; add chain inet other c'
}
foreign_show() {
    ip -n "${PREFIX}1" -o link show foreign0 | sed 's/ state .*//'
    ip -n "${PREFIX}1" -d -o link show vxlanf | sed 's/ state .*//'
    ip -n "${PREFIX}1" -o addr show foreign0
    ip -n "${PREFIX}1" route show
    ip netns exec "${PREFIX}1" nft list table inet other
}

# What a crash may leave behind and must not.
journals_open() {
    find "$TENET_STATE_DIR" -name '*.jsonl' | while read -r f; do
        tail -n 1 "$f" | grep -q '"end"' || echo "$f"
    done
}
status_linear() {
    git -C "$repo" rev-list --parents tenet/status | awk 'NF > 2 {bad = 1}
        END {exit bad}'
}
show_log() {
    [ "$failures" = 0 ] ||
        grep -v debug "$work/daemon.log" | tail -n 80 | sed 's/^/# /'
}
