#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2317 # Scripts of others; functions that ok calls.
# The Debian package: built, installed, run by a real systemd as its unit says,
# upgraded, removed and purged, in a machine of its own (machine.sh).
#
# TENET is the program that was built, BUILD its build tree; DEB instead of them
# a package that exists.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/support/tap.sh
. "$here/../support/tap.sh"

EXPOSURE=44 # Tenths: what systemd-analyze says of the unit, at most.
EXPOSURE_REMOTE=12

group=
cleanup() {
    if [ -n "$group" ]; then
        echo 1 >"$group/cgroup.kill"
        for _ in {1..40}; do
            find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
            sleep 0.05
        done
    fi
    umount "$work/cgroup" "$work/machine/shared" 2>/dev/null
}
until_ok() { # until_ok SECONDS COMMAND...
    local i
    for ((i = 0; i < $1 * 10; i++)); do
        "${@:2}" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    "${@:2}"
}

# The package.
if [ -z "${DEB:-}" ]; then
    ok "the package is built" cpack --config "$BUILD/CPackConfig.cmake" -G DEB \
        -B "$work/out"
    DEB=$(echo "$work"/out/tenet_*.deb)
fi
mkdir "$work/shared"
cp "$DEB" "$work/shared/tenet.deb"
dpkg-deb -c "$DEB" | awk '{print $1, $2, $6}' >"$work/list"
for f in usr/bin/tenet lib/systemd/system/tenet.service etc/default/tenet etc/tenet/ \
    usr/share/man/man1/tenet.1.gz usr/share/bash-completion/completions/tenet \
    usr/share/tenet/schema/vpc.json usr/share/doc/tenet/service.md \
    usr/share/doc/tenet/prometheus/rules.yml usr/share/doc/tenet/grafana/tenet.json \
    usr/share/doc/tenet/examples/daemon.yml; do
    ok "it has /$f" grep -q " \./$f\$" "$work/list"
done
not_ok "all is root's, and nobody else writes" \
    grep -vE '^.{5}-.{2}-. root/root ' "$work/list"
# What it is linked with, and what it loads later: the package says both.
dpkg-deb -x "$DEB" "$work/files"
depends=$(dpkg-deb -f "$DEB" Depends)
mapfile -t libraries < <(grep -aoE '\blib[[:alnum:]_+-]+(-[0-9.]+)?\.so\.[0-9.]*[0-9]' \
    "$work/files/usr/bin/tenet" | sort -u)
for so in libgit2 libcurl libjq libmicrohttpd libsystemd; do
    ok "it names $so" grep -q "^$so.so" <(printf '%s\n' "${libraries[@]}")
done
for so in "${libraries[@]}"; do
    packages=$(dpkg-query -S "*/$so" 2>/dev/null | sed 's/:.*//' | sort -u | paste -sd '|')
    ok "it depends on $so" grep -qE "(^|, )($packages)( \(>= |,|$)" <(echo "$depends")
done
oldest=$(grep -oP 'libcurl4 \(>= \K[^)]+' <<<"$depends")
ok "namely one with curl_easy_header()" dpkg --compare-versions "$oldest" ge 7.83
not_ok "it does not load them at start" grep -E 'curl|jq|microhttpd|systemd|ssl' \
    <(ldd "$work/files/usr/bin/tenet")

if command -v lintian >/dev/null && ! grep -q libasan <(dpkg-deb -f "$DEB" Depends); then
    ok "lintian has nothing to say" lintian --allow-root --fail-on error,warning "$DEB"
fi

# A machine with systemd.
mkdir "$work/cgroup" "$work/machine" "$work/machine/shared"
mount --bind "$work/shared" "$work/machine/shared"
if ! mount -t cgroup2 cgroup2 "$work/cgroup" 2>/dev/null ||
    ! mkdir "$work/cgroup/${work##*/}"; then
    echo "# no control groups: the machine cannot be booted"
    result no "a machine boots"
    finish
fi
group=$work/cgroup/${work##*/}
sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$group" \
    unshare -m -p -f -u -i -n -C --kill-child "$here/machine.sh" "$work/machine" \
    >"$work/boot.log" 2>&1 </dev/null &
disown
in_machine() {
    nsenter -t "$(head -n 1 "$group/init.scope/cgroup.procs")" -m -p -u -i -n -C -r -w \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}
ok "a machine boots" until_ok 20 in_machine systemctl is-active machine.target
[ "$failures" = 0 ] || { sed 's/^/# /' "$work/boot.log"; finish; }
traces() {
    in_machine find /etc /lib/systemd /usr/bin /usr/lib/tmpfiles.d /usr/share /var /run \
        -xdev \( -name '*tenet*' -o -lname '*tenet*' \) \
        -not -path '/var/lib/dpkg/info/*.list' -print 2>/dev/null | sort
}
traces >"$work/before"

# Installed, and not started before there is a file to start from.
install_it() { in_machine dpkg --force-depends -i /tmp/shared/tenet.deb; }
ok "dpkg installs it" install_it
ok "the program runs" in_machine tenet version
# Not there: said, with the package, by whoever needs it and by nobody else.
lib=$(dirname "$(in_machine sh -c 'readlink -f /usr/lib/*/libcurl.so.4')")
in_machine sh -c "mkdir /tmp/gone && mv $lib/libcurl.so.* $lib/libsystemd.so.0* \
    $lib/libmicrohttpd.so.* $lib/libjq.so.* /tmp/gone"
ok "without libraries that it does not need it runs" in_machine tenet version
said=$(in_machine tenet run --config /nonexistent 2>&1)
jq_said=$(in_machine tenet policy test /usr/share/tenet/policies/names.yml 2>&1)
in_machine sh -c "mv /tmp/gone/* $lib"
ok "one that it needs is named" grep -q 'libsystemd.so.0.*(Debian package libsystemd0)' \
    <(echo "$said")
ok "in a process of its own, too" grep -q 'libjq.so.1.*(Debian package libjq1)' \
    <(echo "$jq_said")
ok "the manual is read" in_machine sh -c 'zcat /usr/share/man/man1/tenet.1.gz | grep -q "Dt TENET 1"'
ok "completions work" in_machine bash -c '. /usr/share/bash-completion/completions/tenet
    COMP_WORDS=(tenet pl) COMP_CWORD=1; _tenet; [ "${COMPREPLY[*]}" = plan ]'
ok "the unit is enabled" in_machine systemctl is-enabled tenet
is "and waits for its file" inactive "$(in_machine systemctl is-active tenet)"
ok "systemd finds no fault with the unit" sh -c '! "$@" 2>&1 | grep tenet' sh \
    nsenter -t "$(head -n 1 "$group/init.scope/cgroup.procs")" -m -p -r systemd-analyze \
    --man=no verify /lib/systemd/system/tenet.service
security() { in_machine systemd-analyze security --no-pager --threshold="$1" tenet.service; }
ok "its exposure is at most $EXPOSURE tenths" security "$EXPOSURE"

# An intent for two devices: a network namespace as hypervisor, and a file.
cat >"$work/shared/setup.sh" <<'SETUP'
set -eu
git init -q -b main /root/intent
cd /root/intent
git config user.name Test && git config user.email test@example.org
mkdir -p inventories/lab tenants/acme
printf 'apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: deb}\nspec: {}\n' >tenet.yml
cat >inventories/lab/hosts.yml <<YAML
all:
  hosts:
    hv1: {tenet_driver: kernel, tenet_kernel_netns: hv1, tenet_underlay_address: 192.0.2.1}
    hv2: {tenet_driver: memory, tenet_memory_path: /var/lib/tenet/hv2.json, tenet_underlay_address: 192.0.2.2}
YAML
printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' >tenants/acme/tenant.yml
cat >tenants/acme/web.yml <<YAML
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec: {cidrs: [10.1.0.0/16], subnets: [{name: front, cidr: 10.1.1.0/24}]}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: ping}
spec: {rules: [{direction: ingress, protocol: icmp}]}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: a}
spec: {vpc: web, subnet: front, host: hv1, securityGroups: [ping], attach: {netns: port-a}}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: b}
spec: {vpc: web, subnet: front, host: hv2, attach: {netns: port-b}}
YAML
git add . && git commit -q -m First
tenet validate
cp -r /root/intent /srv/intent
chown -R nobody /srv/intent
ip netns add hv1
ip -n hv1 link set lo up
ip -n hv1 link add eth0 type bridge
ip -n hv1 addr add 192.0.2.1/24 dev eth0
ip -n hv1 link set eth0 up
cat >/etc/tenet/daemon.yml <<YAML
apiVersion: tenet/v1
kind: Daemon
metadata: {name: deb}
spec:
  source: {url: /root/intent, interval: 2}
  http: {listen: 127.0.0.1:9433}
  loop: {firstContact: heal, audit: 5}
YAML
mkdir -p /etc/systemd/system/tenet.service.d
printf '[Service]\nRestartSec=200ms\nWatchdogSec=3\n' \
    >/etc/systemd/system/tenet.service.d/hurry.conf
# A build with sanitizers: their leak check wants ptrace(2), their memory pages
# that are no longer writable.
if ldd /usr/bin/tenet | grep -q libasan; then
    printf '[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n' \
        >/etc/systemd/system/tenet.service.d/sanitizers.conf
fi
systemctl daemon-reload
SETUP
in_machine ip link set lo up
ok "an intent is made" in_machine sh /tmp/shared/setup.sh
ok "the unit starts" in_machine systemctl start tenet
[ "$failures" = 0 ] || { in_machine journalctl -u tenet --no-pager -n 60 -o cat | sed 's/^/# /'; finish; }
property() { in_machine systemctl show -P "$1" tenet; }
pid=$(property MainPID)
proc() { in_machine awk -v k="$1:" '$1 == k {print $2}' "/proc/${2:-$(property MainPID)}/status"; }
is "with four capabilities" 0000000000203800 "$(proc CapEff)"
is "that bound it" 0000000000203800 "$(proc CapBnd)"
is "and no new privileges" 1 "$(proc NoNewPrivs)"
is "under a filter of system calls" 2 "$(proc Seccomp)"
vpc=hv1.tn.acme.web
ok "the kernel's device is built, and the whole machine sees it" \
    until_ok 20 in_machine ip -n "$vpc" link show x-front
ok "in the place of 'ip netns'" in_machine sh -c "ip netns list | grep -q $vpc"
healthy() { in_machine sh -c 'tenet ctl status | grep -c unchanged | grep -qx 2'; }
ok "both devices are as intended" until_ok 10 healthy
ok "and in service" until_ok 10 in_machine curl -sf http://127.0.0.1:9433/readyz
in_machine ip -n "$vpc" link del x-front
ok "drift is healed" until_ok 5 in_machine ip -n "$vpc" link show x-front
not_ok "by events, not by audits" in_machine sh -c 'journalctl -u tenet | grep "no events"'
is "state is root's" 700 "$(in_machine stat -c %a /var/lib/tenet)"
is "namespaces can be listed by all" 755 "$(in_machine stat -c %a /run/netns)"
ok "a user may validate" in_machine setpriv --reuid nobody --clear-groups \
    env HOME=/srv tenet validate -C /srv/intent --no-cache

# Reload, death, upgrade.
ok "it reloads" in_machine systemctl reload tenet
ok "and says so" until_ok 5 in_machine sh -c 'journalctl -u tenet | grep -q reloading'
is "in the same process" "$pid" "$(property MainPID)"
ok "and is in service again" until_ok 10 in_machine curl -sf http://127.0.0.1:9433/readyz
restarted() { # restarted: by systemd, and another process than 'pid'
    in_machine sh -c "[ \$(systemctl is-active tenet) = active ] &&
        [ \$(systemctl show -P MainPID tenet) != $pid ]"
}
in_machine systemctl kill -s KILL --kill-whom=main tenet
ok "killed, it comes back" until_ok 10 restarted
pid=$(property MainPID)
in_machine systemctl kill -s STOP --kill-whom=main tenet
ok "hanging, it is found out" until_ok 20 restarted
ok "by the watchdog" in_machine sh -c 'journalctl -u tenet | grep -q "Watchdog timeout"'
before=$(in_machine stat -Lc %i "/run/netns/$vpc")
pid=$(property MainPID)
ok "installed again" install_it
ok "as an upgrade: it is restarted" until_ok 10 restarted
is "and the networks are the same" "$before" "$(in_machine stat -Lc %i "/run/netns/$vpc")"

# Without the kernel: the drop-in of the examples.
in_machine sh -c 'systemctl stop tenet
    mkdir -p /etc/systemd/system/tenet.service.d
    cp /usr/share/doc/tenet/examples/remote.conf /etc/systemd/system/tenet.service.d/
    rm /var/lib/tenet/hv2.json
    git clone -q --bare /root/intent /var/lib/tenet/intent.git
    sed -i "s|/root/intent|/var/lib/tenet/intent.git|; s|  loop:|  host: hv2\n  loop:|" \
        /etc/tenet/daemon.yml
    systemctl daemon-reload'
ok "as nobody, for remote devices: exposure at most $EXPOSURE_REMOTE tenths" \
    security "$EXPOSURE_REMOTE"
ok "it starts" in_machine sh -c \
    'systemctl start tenet || { journalctl -u tenet -n 12 --no-pager -o cat; systemctl show tenet | grep ExecMain; false; }'
is "without any capability" 0000000000000000 "$(proc CapEff)"
ok "and does its work" until_ok 10 in_machine sh -c \
    'curl -sf http://127.0.0.1:9433/readyz && grep acme/web /var/lib/tenet/hv2.json'
in_machine sh -c 'rm -r /etc/systemd/system/tenet.service.d; systemctl daemon-reload'

# Out again.
ok "it is removed" in_machine dpkg -r tenet
is "and stopped" inactive "$(in_machine systemctl is-active tenet)"
ok "its file is kept" in_machine test -e /etc/tenet/daemon.yml -a -e /etc/default/tenet
ok "its networks are kept" in_machine ip -n "$vpc" link show x-front
in_machine rm /etc/tenet/daemon.yml
ok "it is purged" in_machine dpkg -P tenet
traces >"$work/after"
ok "nothing is left" diff "$work/before" "$work/after"
[ "$failures" = 0 ] || in_machine journalctl -u tenet --no-pager -n 60 -o cat | sed 's/^/# /'
finish
