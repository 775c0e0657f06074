#!/usr/bin/env bash
# The kernel driver against 'ip -batch' and 'bridge -batch' writing the same
# objects, and against plain netlink dumps of the same state. Prints figures and
# ratios of one run.
#
#   TENET=build/release/tenet BENCH=build/release/tests/bench \
#       tests/bench/kernel.sh [SEGMENTS [VPCS [NODELETE]]]
PREFIX=tbench
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
segments=${1:-1000} vpcs=${2:-10} skip_delete=${3:-}
bench=${BENCH:?the directory of netlink_dump and netns_wait}

now() { date +%s%N; }
seconds() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.3f", (b - a) / 1e9}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
timed() { # timed VARIABLE COMMAND...
    local start end
    start=$(now)
    "${@:2}" >"$work/out" 2>&1 || { tail -n 20 "$work/out"; exit 1; }
    end=$(now)
    printf -v "$1" %s "$(seconds "$start" "$end")"
}

"$here/../bench/kernel_intent.py" --segments "$segments" --vpcs "$vpcs" \
    --prefix "$PREFIX" --out "$work"
"$here/lab.sh" up "$PREFIX" 1
repo=$work/intent
git -C "$repo" init -q -b main
git -C "$repo" config user.name Bench
git -C "$repo" config user.email bench@example.org
commit "$repo" bench
for ((v = 0; v < vpcs; v++)); do
    ip netns add "$PREFIX-far$v"
done

batch_create() {
    local v
    for ((v = 0; v < vpcs; v++)); do
        ip -n "$PREFIX-b$v" -batch "$work/create.$v.ip"
        bridge -n "$PREFIX-b$v" -batch "$work/create.$v.bridge"
        ip -n "$PREFIX-bfar$v" -batch "$work/far.$v.ip"
    done
}
batch_delete() {
    local v
    for ((v = 0; v < vpcs; v++)); do
        ip -n "$PREFIX-b$v" -batch "$work/delete.$v.ip"
    done
}
# Runs "$@" while another program asks for the rtnl lock over and over.
timed_wait() { # timed_wait TIME WAIT COMMAND...
    "$bench/netns_wait" "$PREFIX-watch" >"$work/wait" &
    local pid=$!
    timed "$1" "${@:3}"
    kill -TERM $pid && wait $pid
    printf -v "$2" %s "$(awk '{print $2}' "$work/wait")"
}
ip netns add "$PREFIX-watch"

echo "segments $segments in $vpcs VPCs"
timed t_validate "$TENET" validate -C "$repo"
timed t_plan "$TENET" plan -C "$repo" --host hv1
timed t_create "$TENET" apply -C "$repo" --host hv1 --yes
mapfile -t spaces < <(ip netns list | awk '{print $1}' | grep -E "^${PREFIX}(1.tn.|-far)")
best_noop=999 best_dump=999
for _ in 1 2 3 4 5; do
    timed t "$TENET" apply -C "$repo" --host hv1 --yes
    best_noop=$(printf '%s\n%s\n' "$t" "$best_noop" | sort -g | head -n 1)
    d=$("$bench/netlink_dump" "${spaces[@]}" | awk '{print $2}')
    best_dump=$(printf '%s\n%s\n' "$d" "$best_dump" | sort -g | head -n 1)
done
if [ -z "$skip_delete" ]; then
    timed_wait t_destroy w_destroy "$TENET" destroy -C "$repo" --host hv1 --yes
fi

while read -r ns; do ip netns add "$ns"; done <"$work/netns"
timed b_create batch_create
if [ -z "$skip_delete" ]; then
    timed_wait b_delete w_delete batch_delete
fi

echo "validate, cold                 $t_validate s"
echo "plan, all to create            $t_plan s"
echo "apply, all created             $t_create s"
echo "ip -batch + bridge -batch      $b_create s   ratio $(ratio "$t_create" "$b_create")"
echo "apply, nothing to do (best)    $best_noop s"
echo "plain dumps (best)             $best_dump s   ratio $(ratio "$best_noop" "$best_dump")"
if [ -z "$skip_delete" ]; then
    echo "destroy                        $t_destroy s   others wait at most $w_destroy s"
    echo "ip -batch, deleting            $b_delete s   others wait at most $w_delete s   ratio $(ratio "$b_delete" "$t_destroy")"
fi
