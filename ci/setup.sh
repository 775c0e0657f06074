#!/usr/bin/env bash
# Installs what Debian 12 lacks to build and demonstrate tenet. Does nothing if
# everything is there.
#
#   ci/setup.sh [--test] [--lint]     also what the tests, or ci/lint.sh, need
set -euo pipefail

packages=(
    build-essential cmake ninja-build pkg-config git
    libgit2-dev libyaml-dev libcurl4-openssl-dev libjansson-dev
    libnl-3-dev libnl-route-3-dev libnftables-dev libsodium-dev libxxhash-dev
    libmicrohttpd-dev libsystemd-dev libjq-dev libssl-dev libcriterion-dev
    iproute2 iputils-ping nftables curl netcat-openbsd procps
    python3 python3-yaml
)
# Real servers to test against. Installing them starts none, see below.
servers=(
    openssh-client openssh-server lighttpd lighttpd-mod-openssl openssl
    prometheus prometheus-alertmanager python3-prometheus-client
    ansible-core python3-jsonschema graphviz cmark-gfm
    openvswitch-switch openvswitch-pki ovn-central ovn-host ethtool udhcpc isc-dhcp-client
    tcpdump jq
)
for what in "$@"; do
    case $what in
    --test) packages+=("${servers[@]}") ;;
    --lint)
        packages+=(clang clang-format clang-tidy libclang-rt-14-dev mandoc
            shellcheck)
        ;;
    *) echo "ci/setup.sh: what is $what?" >&2 && exit 1 ;;
    esac
done

missing=()
for p in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null |
        grep -qx installed || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "As root, once: apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# A server that is only tested against must not begin to serve this machine.
policy=/usr/sbin/policy-rc.d
if [ -e "$policy" ]; then
    policy=
else
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
trap 'rm -f "$log" ${policy:+"$policy"}' EXIT
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends \
    "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
