# tap.sh - sourced by shell tests: checks with output in TAP, and a place to work.
#
# 'work' is a new directory that goes when the test ends; a test that has more
# to clean up defines 'cleanup'. HOME and Git's configuration are the test's own.
# shellcheck shell=bash
set -uo pipefail
: "${TENET:?the program under test}"
work=$(mktemp -d /tmp/tenet-test.XXXXXX)
export TENET_STATE_DIR=$work/state TENET_CACHE_DIR=$work/cache
export GIT_CONFIG_NOSYSTEM=1 HOME=$work NO_COLOR=1
tests=0 failures=0

cleanup() { :; }
on_exit() {
    local status=$?
    cleanup
    rm -rf "$work"
    exit "$status"
}
trap on_exit EXIT
trap 'exit 130' INT TERM

result() { # result yes|no WHAT [FILE with details]
    tests=$((tests + 1))
    if [ "$1" = yes ]; then
        echo "ok $tests - $2"
    else
        failures=$((failures + 1))
        echo "not ok $tests - $2"
        [ -s "${3:-}" ] && sed 's/^/#   /' "$3" | tail -n 40
    fi
    return 0
}
ok() { # ok WHAT COMMAND...
    local what=$1 log=$work/log
    shift
    if "$@" >"$log" 2>&1; then result yes "$what"; else result no "$what" "$log"; fi
}
not_ok() {
    local what=$1 log=$work/log
    shift
    if "$@" >"$log" 2>&1; then result no "$what" "$log"; else result yes "$what"; fi
}
is() { # is WHAT EXPECTED ACTUAL
    printf 'expected: %s\n     got: %s\n' "$2" "$3" >"$work/is"
    if [ "$2" = "$3" ]; then result yes "$1"; else result no "$1" "$work/is"; fi
}
exits() { # exits WHAT CODE COMMAND...
    local what=$1 want=$2 log=$work/log code=0
    shift 2
    "$@" >"$log" 2>&1 || code=$?
    echo "exit code $code instead of $want" >>"$log"
    if [ "$code" = "$want" ]; then
        result yes "$what"
    else
        result no "$what" "$log"
    fi
}
says() { # says WHAT PATTERN: the last ok/exits printed it
    if grep -qE -- "$2" "$work/log"; then
        result yes "$1"
    else
        result no "$1" "$work/log"
    fi
}
finish() {
    echo "1..$tests"
    echo "# $((tests - failures)) passed, $failures failed"
    [ "$failures" -eq 0 ]
    exit
}

commit() { # commit REPO MESSAGE
    git -C "$1" add -A
    git -C "$1" commit -q -m "$2"
}
