#!/usr/bin/env bash
# Validating a large intent repository against a bare libyaml scan of the same
# bytes on one thread: cold, warm, and after a commit that touches one file;
# spread over 100 tenants and in one; and growth by ten. Prints figures and
# ratios of one run, each the best of several.
#
#   TENET=build/release/tenet BENCH=build/release/tests/bench \
#       tests/bench/compile.sh [VPCS]
# shellcheck disable=SC2154 # 'best' sets variables by name.
set -euo pipefail
vpcs=${1:-10000}
here=$(cd "$(dirname "$0")" && pwd)
: "${TENET:?the program under test}" "${BENCH:?the directory of yaml_scan}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
times() { awk -v a="$1" -v b="$2" 'BEGIN {printf "1/%.0f", b / a}'; }
smaller() { printf '%s\n%s\n' "$1" "$2" | sort -g | head -n 1; }

# Seconds on the clock, seconds of processor, peak in MB.
measure='import os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
start = time.monotonic()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, used = os.wait4(pid, 0)
wall = time.monotonic() - start
print("%.4f %.4f %d" % (wall, used.ru_utime + used.ru_stime,
                        used.ru_maxrss // 1024))
sys.exit(os.waitstatus_to_exitcode(status))'

# best NAME COUNT BEFORE COMMAND...: sets NAME_wall, NAME_cpu and NAME_mb to
# the best of COUNT runs; BEFORE is run before each.
best() {
    local name=$1 count=$2 before=$3 wall cpu mb w=999 c=999
    for ((run = 0; run < count; run++)); do
        $before
        read -r wall cpu mb < <(/usr/bin/python3 -c "$measure" "${@:4}")
        w=$(smaller "$w" "$wall") c=$(smaller "$c" "$cpu")
    done
    printf -v "${name}_wall" %s "$w"
    printf -v "${name}_cpu" %s "$c"
    printf -v "${name}_mb" %s "$mb"
}

repository() { # repository DIR VPCS TENANTS
    "$here/generate_intent.py" --vpcs "$2" --tenants "$3" --out "$1"
    git -C "$1" init -q -b main
    git -C "$1" config user.name Bench
    git -C "$1" config user.email bench@example.org
    git -C "$1" config gc.auto 0
    git -C "$1" add -A
    git -C "$1" commit -q -m bench
    git -C "$1" gc -q
}
forget() { rm -rf "$work/cache"; mkdir "$work/cache"; }
touches=0
touch_one() { # Another file each time.
    local files=("$repo"/tenants/*/vpc*.yml)
    local file=${files[touches * 7919 % ${#files[@]}]}
    touches=$((touches + 1))
    sed -i "s/ports: \[80, 443\]/ports: [$((8000 + touches))]/" "$file"
    git -C "$repo" commit -q -a -m "touch $touches"
}
scan() {
    local s best=999
    for _ in 1 2 3; do
        s=$("$BENCH/yaml_scan" "$repo/tenants" | awk '{print $4}')
        best=$(smaller "$best" "$s")
    done
    echo "$best"
}
line() { # line WHAT WALL CPU MB NOTE
    printf '%-24s %8.3f s   processor %6.3f s   peak %4d MB   %s\n' "$@"
}

for tenants in 100 1; do
    repo=$work/intent-$tenants
    echo "$tenants tenants: $(repository "$repo" "$vpcs" "$tenants")"
    validate=("$TENET" validate -C "$repo" --cache-dir "$work/cache")
    bare=$(scan)
    best cold 3 forget "${validate[@]}"
    best warm 5 : "${validate[@]}"
    best touched 6 touch_one "${validate[@]}"
    printf '%-24s %8.3f s\n' "libyaml, one thread" "$bare"
    line "validate, cold" "$cold_wall" "$cold_cpu" "$cold_mb" \
        "ratio $(ratio "$cold_wall" "$bare")"
    line "validate, warm" "$warm_wall" "$warm_cpu" "$warm_mb" \
        "$(times "$warm_wall" "$cold_wall") of cold"
    line "one file touched" "$touched_wall" "$touched_cpu" "$touched_mb" \
        "$(times "$touched_wall" "$cold_wall") of cold, of its processor time $(times "$touched_cpu" "$cold_cpu")"
done

large_wall=$cold_wall large_cpu=$cold_cpu
repo=$work/intent-small
repository "$repo" "$((vpcs / 10))" 1 >/dev/null
best small 5 forget "$TENET" validate -C "$repo" --cache-dir "$work/cache"
echo "growth, $((vpcs / 10)) to $vpcs in one tenant: $(ratio "$large_wall" "$small_wall") times the time," \
    "$(ratio "$large_cpu" "$small_cpu") times the processor time"
