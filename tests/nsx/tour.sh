#!/usr/bin/env bash
# The tour of docs/nsx.md, as it stands there: its commands, one after the
# other, and of what they print each line that the page shows.
#
#   TENET=... tour.sh
# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

here=$(cd "$(dirname "$0")" && pwd)
SRC=$(cd "$here/../.." && pwd)
export SRC
mkdir "$work/bin"
ln -s "$(readlink -f "$TENET")" "$work/bin/tenet"
PATH=$work/bin:$PATH
git config --global user.name Test && git config --global user.email test@example.org

# shellcheck disable=SC2317 # on_exit calls it.
cleanup() { [ -s "$work/sim/ready" ] && kill "$simulator" 2>/dev/null; }
simulator=

# A port of its own, wherever the page says 8443.
port=$(/usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
awk '/^## Five minutes/ { on = 1 } on && /^    / { print substr($0, 5) }' \
    "$SRC/docs/nsx.md" | sed "s/8443/$port/g" >"$work/page"

plain() { sed -E 's/\b[0-9a-f]{7,10}\b/COMMIT/g; s/": "/":"/g; s/^ +//'; }

# check COMMAND EXPECTED-FILE: each line of it is in what was printed.
check() {
    local missing='' line
    plain <"$work/out" >"$work/plain"
    while IFS= read -r line; do
        [ "$line" = ... ] && continue
        grep -qxF -- "$(plain <<<"$line")" "$work/plain" ||
            missing+="missing: $line"$'\n'
    done <"$2"
    { cat "$work/out" && printf '%s' "$missing"; } >"$work/details"
    if [ -z "$missing" ] && [ "$3" = 0 ]; then
        result yes "$1"
    else
        result no "$1 (exit $3)" "$work/details"
    fi
}

run() { # run COMMAND, with what the page shows in $work/expected
    local code=0
    eval "$1" >"$work/out" 2>&1 </dev/null || code=$?
    [ -n "$simulator" ] || simulator=$!
    check "${1%%$'\n'*}" "$work/expected" "$code"
}

cd "$work" || exit 1
command='' until='' n=0
: >"$work/expected"
while IFS= read -r line <&3; do
    if [ -n "$until" ]; then
        command+=$'\n'$line
        [ "$line" = "$until" ] && until=
    elif [[ $line == '$ '* ]]; then
        [ -z "$command" ] || run "$command"
        command=${line#'$ '} n=$((n + 1))
        [[ $line == *'<<YAML' ]] && until=YAML
        : >"$work/expected"
    else
        printf '%s\n' "$line" >>"$work/expected"
    fi
done 3<"$work/page"
run "$command"
is "all of the page was run" yes "$([ "$n" -gt 12 ] && echo yes)"
finish
