#!/usr/bin/env bash
# Installs what Debian 12 lacks to build, test and demonstrate tenet. Does
# nothing if everything is there.
set -euo pipefail

packages=(
    build-essential cmake ninja-build pkg-config git
    libgit2-dev libyaml-dev libcurl4-openssl-dev libjansson-dev
    libnl-3-dev libnl-route-3-dev libnftables-dev libsodium-dev libxxhash-dev
    libmicrohttpd-dev libsystemd-dev libcriterion-dev
    openssh-client openssh-server lighttpd lighttpd-mod-openssl openssl
    prometheus prometheus-alertmanager python3-prometheus-client
    iproute2 iputils-ping nftables curl netcat-openbsd procps
    ansible-core python3 python3-yaml python3-jsonschema
)
# For ci/lint.sh only: clang, clang-format and clang-tidy.
[ "${1:-}" = --lint ] &&
    packages+=(clang clang-format clang-tidy libclang-rt-14-dev mandoc shellcheck)

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
trap 'rm -f "$log"' EXIT
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends \
    "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
