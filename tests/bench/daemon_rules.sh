#!/usr/bin/env bash
# How soon packet rules are repaired, by the daemon and by hand in turns.
#
#   TENET=build/release/tenet tests/bench/daemon_rules.sh [ROUNDS]
PREFIX=${PREFIX:-tbr}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"
rounds=${1:-20}
bench=$here/../bench repo=$work/intent
vpcs=$((rounds * 10)) # Each is broken once.

"$bench/kernel_intent.py" --segments "$vpcs" --vpcs "$vpcs" \
    --prefix "$PREFIX" --out "$work"
"$here/lab.sh" up "$PREFIX" 1
for ((v = 0; v < vpcs; v++)); do
    echo "netns add $PREFIX-far$v"
done | ip -batch -
git -C "$repo" init -q -b main
git -C "$repo" config user.name Bench
git -C "$repo" config user.email bench@example.org
commit "$repo" bench
cat >"$work/daemon.yml" <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: bench}
spec:
  source: {url: "file://$repo", branch: main, interval: 60}
  host: hv1
  loop: {firstContact: heal, audit: 3600}
  control: $work/ctl.sock
YAML
start
until_ok 600 logged 'all devices are as intended' || exit 1
sleep 3
"$bench/daemon_rules.py" "$daemon" "$rounds" "${PREFIX}1.tn.bench.v%d" 0
kill_daemon
