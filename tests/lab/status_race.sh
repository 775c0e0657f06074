#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# status_race.sh [file|ssh|https] [WRITERS] [COMMITS] - status commits of many
# writers at one remote: is one lost, is there a merge, what did it cost?
#
# REMOTE_BENCH is the program of that name (cmake --build ... --target
# remote_bench). By default 8 writers make 504 commits over ssh.
set -euo pipefail
kind=${1:-ssh} writers=${2:-8} commits=${3:-63}
: "${REMOTE_BENCH:?the program remote_bench}"
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d /tmp/tenet-race.XXXXXX)
export HOME=$work GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com
export GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com
ref=refs/heads/tenet/status

cleanup() {
    local pids
    pids=$(jobs -p)
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill $pids 2>/dev/null || true
    [ "$kind" = file ] ||
        "$here/../support/git_server.sh" "$kind" "$work" stop
    rm -rf "$work"
}
trap cleanup EXIT

case $kind in
file)
    git init -q --bare -b main "$work/srv.git"
    url=$work/srv.git
    ;;
ssh)
    port=$("$here/../support/git_server.sh" ssh "$work")
    url=ssh://$(id -un)@127.0.0.1:$port$work/srv.git
    ;;
https)
    port=$("$here/../support/git_server.sh" https "$work")
    url=https://localhost:$port/git/srv.git
    ;;
*)
    echo "usage: status_race.sh [file|ssh|https] [WRITERS] [COMMITS]" >&2
    exit 2
    ;;
esac
export SSH_KEY=$work/id KNOWN_HOSTS=$work/known_hosts CA=$work/ca.pem
[ "$kind" != https ] || export TOKEN_FILE=$work/token

git init -q -b main "$work/r"
git -C "$work/r" commit -q --allow-empty -m First
git -C "$work/r" push -q "$work/srv.git" main

began=$(date +%s)
pids=()
for w in $(seq "$writers"); do
    "$REMOTE_BENCH" race "$url" "$work/m$w" "w$w" "$commits" &
    pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do
    wait "$pid" || failed=$((failed + 1))
done
took=$(($(date +%s) - began))

cd "$work/srv.git"
want=$((writers * commits))
made=$(git rev-list --count "$ref")
merges=$(git rev-list --min-parents=2 --count "$ref")
roots=$(git rev-list --max-parents=0 --count "$ref")
entries=$(git ls-tree --name-only "$ref" devices/ | wc -l)
git fsck --strict --no-dangling
echo "$kind: $writers writers, $want commits in ${took}s: made $made," \
    "entries $entries, merges $merges, roots $roots, failed writers $failed"
[ "$made $entries $merges $roots $failed" = "$want $want 0 1 0" ]
