#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# One intent on a simulated NSX of three managers, through the moods of such a
# thing: drift, expiry, rates, lost answers, conflicts, managers that are gone,
# refusals and failed realisation, kill -9, things of others inside of ours; and
# taking it all down. Needs no namespaces and no root. Knobs of the simulator
# are set by NSX_SETTINGS="hapi_rules=children ...".
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/support/tap.sh
. "$here/../support/tap.sh"
tests_dir=$here/..
repo=$work/intent ready=$work/ready simulator='' daemon=''

cleanup() {
    local pid
    for pid in $daemon $simulator; do
        kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
}
until_ok() { # until_ok SECONDS COMMAND...
    local end=$((SECONDS + $1))
    while :; do
        "${@:2}" >/dev/null 2>&1 && return 0
        [ $SECONDS -ge $end ] && break
        sleep 0.1
    done
    tail -n 15 "$work/daemon.log" 2>/dev/null
    return 1
}
control() { # control PATH JSON
    curl -sf -X POST -d "$2" "$control$1" >/dev/null
}
setting() { control /settings "$1"; }
count() { # count JQ: of what is there
    curl -sf "$control/store" | jq -r "$1"
}
hand() { "$tests_dir/conformance/nsx_hands.py" "$ready" "$@"; }
tenet() { "$TENET" "$@" -C "$repo"; }
applies() { exits "$1" 0 tenet apply --yes; }
settled() { exits "${1:-nothing is left to do}" 0 tenet plan --detailed-exitcode; }
ours() { count '[.objects[] | select((.tags // [])[] == {scope: "tenet/instance", tag: "bench"})] | length'; }
intent() { # intent VPCS SUBNETS RULES [NAME=VALUE...]
    rm -rf "$repo/tenants"
    "$tests_dir/bench/nsx_intent.py" "${@:1:3}" "$ready" "$repo" \
        chunk=20 wait=20 poll=1 rate=200 "${@:4}"
    commit "$repo" "$*"
}
field() { # field PATH FIELD
    count ".objects[\"$1\"].$2"
}

# ---- a cluster, and what is on it already ----

python3 "$tests_dir/nsx/nsx_simulator.py" --nodes 3 --ca "$work/ca" --ready "$ready" \
    --set purge_delay=0.3 --set realise_delay=0.1 --set client_rate=0 \
    --log "$work/requests" >/dev/null 2>"$work/simulator.log" &
simulator=$!
until_ok 60 test -s "$ready" || exit 1
control=$(jq -r .control "$ready")
for knob in ${NSX_SETTINGS:-}; do
    setting "{\"${knob%%=*}\": \"${knob#*=}\"}" || exit 1
done
mkdir -p "$repo"
git -C "$repo" init -q -b main
git -C "$repo" config user.name Test
git -C "$repo" config user.email test@example.org
hand foreign
hand dump bench >"$work/others"

# ---- applying ----

intent 2 3 3
exits "there is something to do" 2 tenet plan --detailed-exitcode
applies "it is done"
settled "and nothing is left to do"
says "with all of it" "78 unchanged|No changes"
is "all of it bears our mark" 78 "$(ours)"
hand dump bench >"$work/others.now"
ok "things of others are as they were" cmp "$work/others" "$work/others.now"

segment=/infra/segments/bench_bench_v0_s0
hand foreign "$segment" /infra/tier-1s/bench_bench_v0 \
    /infra/domains/default/security-policies/bench_bench_v0_g0-0
settled "things of others in ours are no reason to do anything"
hand dump bench >"$work/others"

intent 2 3 4
applies "one more rule in each group"
settled
is "a description by hand stays" "described by hand" "$(field "$segment" description)"

# ---- a password that stands in the inventory ----

"$TENET" seal new "$work/seal.key" >/dev/null
urls=$(jq -r '.urls | join(",")' "$ready")
sealed=$("$TENET" seal "$work/seal.key.pub" "$urls" <"$(jq -r .password_file "$ready")")
hosts=$(grep -rl tenet_nsx_password_file "$repo/inventories")
cp "$hosts" "$work/hosts.yml"
sed -i "s|tenet_nsx_password_file: .*|tenet_nsx_password: \"$sealed\"|" "$hosts"
commit "$repo" sealed
exits "without the key nobody logs in" 7 tenet plan
says "and is told why" "TENET_SEAL_KEY"
export TENET_SEAL_KEY=$work/seal.key
settled "with it the sealed password does"
sed -i "s|tenet_nsx_password: .*|tenet_nsx_password: \"$("$TENET" seal "$work/seal.key.pub" https://nsx <"$ready")\"|" "$hosts"
commit "$repo" "for somebody else"
exits "one that was sealed for others does not" 7 tenet plan
says "and is told for whom it is" "sealed for .https://nsx"
unset TENET_SEAL_KEY
cp "$work/hosts.yml" "$hosts"
commit "$repo" "as it was"

# ---- faults of the way there ----

control /fault '{"class": "tree_patch", "nth": 2, "do": {"drop": "after"}}'
intent 2 4 4
applies "an answer that is lost after the work was done"
settled
control /fault '[{"class": "tree_patch", "do": {"drop": "before"}},
    {"class": "tree_patch", "nth": 2, "do": {"status": 503, "text": "busy"}},
    {"class": "tree_read", "nth": 3, "do": {"half": true}}]'
intent 2 4 5
applies "a request that never arrives, a busy proxy, half an answer"
settled
setting '{"client_rate": 30}'
intent 2 4 3
applies "a rate that is lower than ours"
setting '{"client_rate": 0}'
settled
control /node/0 '{"mode": "down"}'
intent 2 3 3
applies "a manager that is gone"
settled
control /node/0 '{"mode": "up"}'

control /fault '{"class": "tree_read", "count": 100, "do": {"status": 503, "json":
    {"httpStatus": "SERVICE_UNAVAILABLE", "error_code": 60576, "error_message": "The response is too large."}}}'
settled "where trees are too large, lists say the same"
is "and lists were asked for" yes "$(grep -q 'GET /policy/api/v1/infra/segments' "$work/requests" && echo yes)"
control /faults/clear '{}'

# ---- somebody else meanwhile ----

change_meanwhile() { # while a request of ours is on its way
    control /fault '{"class": "tree_patch", "do": {"sleep": 2}}'
    tenet apply --yes >"$work/log" 2>&1 &
    local pid=$!
    sleep 1
    hand tamper segment /infra/segments/bench_bench_v1_s1
    wait "$pid"
}
sed -i 's|10.0.1.0/24}|10.0.1.0/24, gateway: 10.0.1.99}|' "$repo"/tenants/bench/v1.yml
commit "$repo" "Another gateway"
not_ok "a change by somebody else in the midst of ours is no success" change_meanwhile
applies "the next apply knows of it"
settled
is "and has its way" UP "$(field /infra/segments/bench_bench_v1_s1 admin_state)"

curl_put() { # by an administrator
    control /edit "$(jq -nc --arg p "$1" --argjson b "$2" '{method: "PATCH", path: $p, body: $b, user: "admin"}')"
}
curl_put /infra/segments/bench_bench_v1_s2 '{"admin_state": "DOWN", "connectivity_path": "/infra/tier-1s/bench_bench_v1", "subnets": [{"gateway_address": "10.0.2.1/24"}]}'
curl_put /infra/segments/bench_bench_v1_s0 '{"display_name": "bench/bench/v1/s0", "connectivity_path": "/infra/tier-1s/bench_bench_v1", "subnets": [{"gateway_address": "10.0.0.1/24"}]}'
applies "who takes our mark from an object has changed it"
settled
is "and it is as it was" UP "$(field /infra/segments/bench_bench_v1_s2 admin_state)"
is "with its mark" bench/v1/segment/s0 "$(count '.objects["/infra/segments/bench_bench_v1_s0"].tags[] | select(.scope == "tenet/key").tag | ltrimstr("bench/")' | sed 's|^|bench/|')"

# ---- refusals, under the line that is to blame ----

line_of() { grep -n "name: $2," "$repo/tenants/bench/$1.yml" | head -n 1 | cut -d: -f1; }
curl_put /infra/segments/in-the-way \
    '{"connectivity_path": "/infra/tier-1s/bench_bench_v1", "subnets": [{"gateway_address": "10.0.3.1/24"}]}'
intent 2 4 3
not_ok "an address that somebody else has is a conflict" tenet plan --detailed-exitcode
says "which is told under its line" "segment s3 of bench/v1 \(tenants/bench/v1.yml:$(line_of v1 s3)\)"
control /edit '{"method": "DELETE", "path": "/infra/segments/in-the-way", "user": "admin"}'

before=$(ours)
control /fault '{"class": "tree_patch", "body": "bench_bench_v1_g1-3", "count": 50, "do":
    {"status": 400, "json": {"httpStatus": "BAD_REQUEST", "error_code": 255, "module_name": "policy",
     "error_message": "Field level validation errors: {property expression is not to our liking}"}}}'
not_ok "what NSX refuses in one of many requests is no success" tenet apply --yes
says "with its words" "not to our liking"
says "under the line, which no word of it tells" "tenants/bench/v1.yml:$(line_of v1 g1-3)"
is "all that went before is taken back" "$before" "$(ours)"
control /faults/clear '{}'
applies "without that it is done"
settled

control /realisation '{"path": "/infra/segments/bench_bench_v0_s4", "code": 508135, "text": "The range lies outside the subnet."}'
before=$(ours)
intent 2 5 3
not_ok "what cannot be realised is no success" tenet apply --yes
says "with the alarm's words" "The range lies outside"
says "under its line, too" "tenants/bench/v0.yml:$(line_of v0 s4)"
is "and is taken back" "$before" "$(ours)"
control /faults/clear '{}'
control /realisation '{"path": "/infra/segments/bench_bench_v0_s4", "code": 500042, "text": "provider not ready", "seconds": 1}'
applies "an alarm that passes is waited for"
settled
control /faults/clear '{}'

# ---- kill -9 ----

setting '{"hapi_delay": 0.05}'
for i in 1 2 3 4; do
    intent 2 $((2 + i % 3)) $((2 + i))
    "$TENET" apply --yes -C "$repo" >"$work/killed" 2>&1 &
    sleep "0.$((RANDOM % 6))$((RANDOM % 10))"
    kill -KILL $! 2>/dev/null
    wait $! 2>/dev/null
    applies "apply number $i after one that was killed"
    settled
done
setting '{"hapi_delay": 0.0}'

# ---- the daemon ----

cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: test}
spec:
  source: {url: "$repo", branch: main, interval: 2, timeout: 10}
  loop: {firstContact: heal, audit: 600}
  control: $work/ctl.sock
YAML
"$TENET" run --config "$work/daemon.yml" 2>>"$work/daemon.log" &
daemon=$!
healed() { [ "$(field "$1" "$2")" = "$3" ]; }
ready_now() { grep -q "all devices are as intended" "$work/daemon.log"; }
ok "a daemon looks after it" until_ok 60 ready_now
sleep 2
for i in 1 2; do
    hand tamper segment /infra/segments/bench_bench_v1_s1
    ok "what others change is changed back, without an audit ($i)" \
        until_ok 60 healed /infra/segments/bench_bench_v1_s1 admin_state UP
    control /expire '{}'
done
intent 2 3 2
grown() { [ "$(ours)" = "$1" ]; }
ok "a commit reaches it" until_ok 60 tenet plan --detailed-exitcode
kill -TERM "$daemon"
wait "$daemon"
is "a clean stop" 0 $?
daemon=''
not_ok "no report of a sanitizer" grep -E "Sanitizer|runtime error" "$work/daemon.log"

# ---- down ----

hand dump bench | grep -v service-entries >"$work/others.now"
grep -v service-entries "$work/others" >"$work/others.then"
ok "all things of others are as they were" cmp "$work/others.then" "$work/others.now"
curl_put /infra/tier-1s/bench_bench_v1/nat/USER/nat-rules/by-hand \
    '{"action": "SNAT", "translated_network": "198.51.100.7"}'
hand dump bench >"$work/others"
tenet destroy --yes >"$work/log" 2>&1
result "$(grep -q 'waits: .by-hand' "$work/log" && echo yes || echo no)" \
    "what stands in ours and is not ours is waited for by name" "$work/log"
hand dump bench | grep -c by-hand >"$work/n"
is "and nothing of it was touched" "$(grep -c by-hand "$work/others")" "$(cat "$work/n")"
for path in "$segment/ports/by-hand" /infra/tier-1s/bench_bench_v1/nat/USER/nat-rules/by-hand /infra/tier-1s/bench_bench_v0/static-routes/by-hand \
    /infra/domains/default/security-policies/bench_bench_v0_g0-0/rules/by-hand; do
    control /edit "{\"method\": \"DELETE\", \"path\": \"$path\", \"user\": \"admin\"}"
done
exits "once it is gone all goes" 0 tenet destroy --yes
is "nothing of ours is left" 0 "$(ours)"
finish
