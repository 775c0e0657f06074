#!/usr/bin/env bash
# The kernel driver against 'ip -batch' and 'bridge -batch' writing the same
# objects, and against plain netlink dumps of the same state. Prints figures and
# ratios of one run. The batches run three times: in fresh namespaces; in some
# that have tenet's settings for IPv6 first; and as one would write them by hand.
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

batch_create() { # batch_create SORT OF NAMESPACES
    local v
    for ((v = 0; v < vpcs; v++)); do
        ip -n "$PREFIX-$1$v" -batch "$work/create$1.$v.ip"
        bridge -n "$PREFIX-$1$v" -batch "$work/create.$v.bridge"
        ip -n "$PREFIX-$1far$v" -batch "$work/far.$v.ip"
    done
}
batch_plain() {
    local v
    for ((v = 0; v < vpcs; v++)); do
        ip -n "$PREFIX-p$v" -batch "$work/plain.$v.ip"
        bridge -n "$PREFIX-p$v" -batch "$work/plain.$v.bridge"
    done
}
places() { # places SORT: the namespaces of a run of the batches
    local v
    for ((v = 0; v < vpcs; v++)); do
        ip netns add "$PREFIX-$1$v"
        ip netns add "$PREFIX-$1far$v"
        sed "s/-bfar/-$1far/" "$work/create.$v.ip" >"$work/create$1.$v.ip"
    done
}
tune() {
    local v
    for ((v = 0; v < vpcs; v++)); do
        from "$PREFIX-t$v" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 \
            net.ipv6.conf.default.addr_gen_mode=1 \
            net.ipv6.conf.default.accept_dad=0 \
            net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1
    done
}
batch_delete() {
    local v
    for ((v = 0; v < vpcs; v++)); do
        ip -n "$PREFIX-b$v" -batch "$work/delete.$v.ip"
    done
}
# The kernel destroys namespaces, and tells of carriers, some time later; what is
# measured next must not wait for that.
quiet() {
    local calm=0
    while ((calm < 3)); do
        calm=$((calm + 1))
        if cat /proc/[0-9]*/stack 2>/dev/null |
            grep -qE 'cleanup_net|linkwatch_event|addrconf_dad|mld_ifc'; then
            calm=0
        fi
        sleep 0.3
    done
}
drop() { # drop SORT...: namespaces that places made
    local v sort
    for sort in "$@"; do
        for ((v = 0; v < vpcs; v++)); do
            ip netns del "$PREFIX-$sort$v"
            ip netns del "$PREFIX-${sort}far$v"
        done
    done
    quiet
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

"$here/lab.sh" down "$PREFIX"
quiet
places p
timed p_create batch_plain
drop p
places t
tune
timed c_create batch_create t
drop t
places b
timed b_create batch_create b
if [ -z "$skip_delete" ]; then
    timed_wait b_delete w_delete batch_delete
fi

echo "validate, cold                 $t_validate s"
echo "plan, all to create            $t_plan s"
echo "apply, all created             $t_create s"
echo "ip -batch + bridge -batch      $b_create s   ratio $(ratio "$t_create" "$b_create")"
echo "  in tuned namespaces          $c_create s   ratio $(ratio "$t_create" "$c_create")"
echo "  by hand, nothing tuned       $p_create s   ratio $(ratio "$t_create" "$p_create")"
echo "apply, nothing to do (best)    $best_noop s"
echo "plain dumps (best)             $best_dump s   ratio $(ratio "$best_noop" "$best_dump")"
if [ -z "$skip_delete" ]; then
    echo "destroy                        $t_destroy s   others wait at most $w_destroy s"
    echo "ip -batch, deleting            $b_delete s   others wait at most $w_delete s   ratio $(ratio "$b_delete" "$t_destroy")"
fi
