#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# kill -9 of the daemon at random instants while commits arrive, and a new start
# at once. Afterwards desired equals observed, what is not ours is as it was,
# the journal is explained, and the status ref and the repository are whole.
#
#   daemon_kill.sh [ROUNDS]
#
# The first half reads the repository in place, the second through a mirror.
PREFIX=${PREFIX:-tkill}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"
rounds=${1:-10}
seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "# SEED=$seed"

"$here/lab.sh" up "$PREFIX" 2
repo=$work/intent
intent_new "$repo" 2
write_intent A 0 && commit "$repo" A
foreign_add
before=$(foreign_show)

# A commit every fraction of a second, until told to stop.
commits_make() {
    local i=0 which=B
    RANDOM=$((seed + 1))
    while [ ! -e "$work/enough" ]; do
        i=$((i + 1))
        write_intent $which $i
        commit "$repo" "Change $i" || echo "commit $i failed" >>"$work/committer"
        [ $which = A ] && which=B || which=A
        sleep "$(awk -v n=$((RANDOM % 900 + 100)) 'BEGIN {print n / 1000}')"
    done
}

configure "$repo" 1
start
ok "the first commit arrives" until_ok 60 at_commit hv1 hv2
commits_make &
committer=$!
others+=("$committer")
killed=0 early=0
for ((i = 1; i <= rounds; i++)); do
    if ((i == rounds / 2 + 1)); then
        configure "file://$repo" 1
    fi
    ((i % 25)) || echo "# round $i"
    # Half of them soon after the start, the rest anywhere in its work.
    span=3000
    ((i % 2)) && span=600
    sleep "$(awk -v n=$((RANDOM % span)) 'BEGIN {print n / 1000}')"
    if alive; then killed=$((killed + 1)); else early=$((early + 1)); fi
    kill_daemon
    start
done
touch "$work/enough"
wait "$committer"
is "all were killed" "$rounds" "$killed"
is "none ended by itself" 0 "$early"
not_ok "no commit of the user failed" cat "$work/committer"

ok "it settles at the last commit" until_ok 60 at_commit hv1 hv2
ok "desired equals observed" until_ok 20 empty_plan
stop_daemon
ok "and still does when it has stopped" empty_plan
is "foreign objects are untouched" "$before" "$(foreign_show)"

went=$(grep -l '"superseded"' "$TENET_STATE_DIR"/*/journal/*.jsonl 2>/dev/null | wc -l)
said=$(log_count 'run .* was interrupted')
echo "# $killed kills, $(git -C "$repo" rev-list --count main) commits," \
    "$(git -C "$repo" rev-list --count tenet/status) status commits," \
    "$said interrupted runs said ($went of the journals kept)"
is "no journal is left open" "" "$(journals_open)"
not_ok "no journal is damaged" \
    bash -c "find $TENET_STATE_DIR -name '*.damaged' | grep ."
grep -l '"superseded"' "$TENET_STATE_DIR"/*/journal/*.jsonl 2>/dev/null | while read -r j; do
    logged "run $(basename "$j" .jsonl) was interrupted" || echo "$j"
done >"$work/unsaid"
is "each interrupted run was said" "" "$(cat "$work/unsaid")"
is "no temporary file is left in the state" "" "$(find "$TENET_STATE_DIR" \
    -type f \( -name '*.??????' -o -name 'tmp_*' \) ! -name '*.git' ! -name '*.jsonl' \
    ! -path '*/hooks/*' | grep -E '\.[A-Za-z0-9]{6}$|tmp_')"
is "no stale lock is left in the repository" "" \
    "$(find "$repo/.git" "$TENET_STATE_DIR" -path '*refs*' -name '*.lock';
        find "$repo/.git" -maxdepth 1 -name '*.lock')"
ok "the status ref is linear" status_linear
ok "the repository is whole" git -C "$repo" fsck --strict --no-dangling
no_sanitizer
show_log
finish
