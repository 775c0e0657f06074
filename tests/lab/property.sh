#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# The whole program against random intent, by real packets: for each seed a lab,
# an intent, its verdicts (random_oracle.py) asked by packets; drift by hand and
# its healing; steps to similar intents, with pings meanwhile that must not
# lose a packet; foreign objects beside; and taking it all down.
#
#   property.sh SEED...      STEPS=n changes of intent, DRIFTS=n, MOST=n probes,
#                            LOST=n packets that each ping may lose meanwhile
#                            HOPS=--hops virtual addresses and default routes
PREFIX=${PREFIX:-tprop}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
hops=${HOPS-} steps=${STEPS:-1} drifts=${DRIFTS:-1} most=${MOST:-250}
export PYTHONDONTWRITEBYTECODE=1

py() { /usr/bin/python3 "$here/random_$1.py" "${@:2}"; }
namespaces() { ip netns list 2>/dev/null | awk '{print $1}' | grep "^$PREFIX" | sort; }
tenet() { "$TENET" "$@" -C "$repo"; }
status_ref() { git -C "$repo" rev-parse -q --verify refs/heads/tenet/status; }

applied() { # applied WHAT: the end of the output, for that has the errors
    local code=0
    tenet apply --yes >"$work/apply" 2>&1 || code=$?
    tail -n 25 "$work/apply" >"$work/log"
    is "$seed: $1" 0 $code
    [ $code -eq 0 ] || sed 's/^/#   /' "$work/log"
}
verdicts() { # verdicts WHEN
    phase=$((phase + 1))
    py probe furnish "$repo"
    ok "$seed: packets $1" \
        py probe probe "$repo" --seed "$seed" --phase $phase --most "$most"
    grep '^#' "$work/log"
}
settled() { # settled WHEN: nothing is left to do
    exits "$seed: the plan $1 is empty" 0 tenet plan --detailed-exitcode
}
foreign_show() { py drift foreign show "$PREFIX" "$beside"; }
foreign_same() {
    foreign_show >"$work/foreign-now"
    ok "$seed: foreign objects $1" \
        diff "$work/foreign" "$work/foreign-now"
}

lab() { # a lab with foreign namespaces for two of the ports
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
    # tenet makes namespaces of ports that are not there; these are there.
    py intent "$seed" 0 "$repo" --prefix "$PREFIX" ${hops:+"$hops"} | sed "s/^# /# $seed: /"
    commit "$repo" "seed $seed"
    grep -rhoE "netns: $PREFIX-hv[^ ]*" "$repo/tenants" | awk '{print $2}' |
        sort -u | awk 'NR % 4 == 1' | while read -r ns; do ip netns add "$ns"; done
}

drift() { # drift NUMBER
    py drift break "$PREFIX" $((seed * 100 + $1)) "${not[@]}" \
        >"$work/drift"
    sed "s/^# /# $seed: /" "$work/drift"
    exits "$seed: the plan calls it drift" 3 tenet plan --detailed-exitcode
    applied "it is healed"
    settled "after healing"
    verdicts "after healing"
}

change() { # change NUMBER
    local old_status pinged
    old_status=$(status_ref)
    rm -f "$work/stop"
    py probe steady "$repo" --seed "$seed" --stop "$work/stop" \
        --lost "${LOST:-0}" \
        >"$work/steady" 2>&1 &
    pinged=$!
    for _ in $(seq 100); do
        grep -q '^#' "$work/steady" && break
        sleep 0.05
    done
    sleep 0.1
    applied "change $1 is applied"
    sleep 0.1
    touch "$work/stop"
    wait $pinged
    is "$seed: pings that it does not concern" 0 $?
    sed "s/^# /# $seed: /" "$work/steady"
    settled "after change $1"
    ok "$seed: identifiers" py oracle identifiers "$repo" HEAD~1 "$old_status"
    verdicts "after change $1"
}

write_change() { # write_change NUMBER
    py intent "$seed" "$1" "$repo" --prefix "$PREFIX" ${hops:+"$hops"} |
        sed "s/^# /# $seed: /"
    commit "$repo" "change $1"
}

one_seed() {
    phase=0
    lab
    local before empty not ns
    before=$(namespaces)
    ok "$seed: the intent is valid" tenet validate
    applied "it is applied"
    settled "after it"
    applied "a second apply"
    ok "$seed: identifiers" py oracle identifiers "$repo"
    verdicts "after the apply"

    # The commits of all changes first: what stays in all of them is where
    # foreign objects may be put.
    write_change 1
    beside=$PREFIX$(py oracle stay "$repo")
    [ "$beside" = "$PREFIX" ] && beside=${PREFIX}2
    git -C "$repo" reset -q --hard HEAD~1
    ok "$seed: add foreign objects" py drift foreign add "$PREFIX" "$beside"
    foreign_show >"$work/foreign"
    settled "with foreign objects"
    not=(--but "$beside")
    for ns in $before; do
        not+=(--but "$ns")
    done
    for ((i = 1; i <= drifts; i++)); do
        drift "$i"
    done
    foreign_same "after healing"
    for ((i = 1; i <= steps; i++)); do
        [ "$i" -eq 2 ] && py drift foreign remove "$PREFIX" "$beside"
        write_change "$i"
        change "$i"
        [ "$i" -eq 1 ] && foreign_same "after the change"
    done
    [ "$steps" -lt 2 ] && py drift foreign remove "$PREFIX" "$beside"
    ok "$seed: destroy" tenet destroy --yes
    is "$seed: no namespace is left" "$before" "$(namespaces)"
    empty=$(for ns in $(namespaces); do
        ip -n "$ns" -o link show group 29806
        ip netns exec "$ns" nft list tables | grep tenet
    done)
    is "$seed: no link or table is left" "" "$empty"
}

repo=$work/intent
for seed in "$@"; do
    started=$(date +%s)
    one_seed
    echo "# $seed: $(($(date +%s) - started)) s"
done
finish
