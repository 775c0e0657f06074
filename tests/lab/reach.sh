#!/usr/bin/env bash
# 'tenet reach' against real packets: for each seed a lab with a random intent;
# every pair of ends in both directions, allowed and refused, is compared with
# the oracle, and a sample of the verdicts is asked by packets. Then the intent
# changes, and all of it again.
#
#   reach.sh SEED...      MOST=n probes of either kind, STEPS=n changes
PREFIX=${PREFIX:-treach}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
steps=${STEPS:-0} most=${MOST:-300}
export PYTHONDONTWRITEBYTECODE=1 TENET

tenet() { "$TENET" "$@" -C "$repo"; }
applied() { # applied WHAT
    local code=0
    tenet apply --yes >"$work/apply" 2>&1 || code=$?
    is "$seed: $1" 0 $code
    [ $code -eq 0 ] || tail -n 25 "$work/apply" | sed 's/^/#   /'
}
verdicts() { # verdicts WHEN PHASE
    /usr/bin/python3 "$here/random_probe.py" furnish "$repo"
    ok "$seed: packets are as reach says $1" /usr/bin/python3 \
        "$here/reach_probe.py" "$repo" --seed "$seed" --phase "$2" \
        --most "$most"
    grep '^#' "$work/log"
}
intent() { # intent STEP
    /usr/bin/python3 "$here/random_intent.py" "$seed" "$1" "$repo" \
        --prefix "$PREFIX" | sed "s/^# /# $seed: /"
}
one_seed() {
    lab_sweep
    rm -rf "$repo" "$TENET_STATE_DIR"
    "$here/lab.sh" up "$PREFIX" 3
    for i in 1 2 3; do
        ip -n "${PREFIX}$i" addr add "2001:db8:1::1$i/64" dev eth0 nodad
    done
    mkdir -p "$repo"
    git -C "$repo" init -q -b main
    git -C "$repo" config user.name Test
    git -C "$repo" config user.email test@example.org
    intent 0
    commit "$repo" "seed $seed"
    applied "the intent is applied"
    verdicts "at first" 1
    for ((i = 1; i <= steps; i++)); do
        intent "$i"
        commit "$repo" "change $i"
        applied "change $i is applied"
        verdicts "after change $i" $((i + 1))
    done
}

repo=$work/intent
for seed in "$@"; do
    started=$(date +%s)
    one_seed
    echo "# $seed: $(($(date +%s) - started)) s"
done
finish
