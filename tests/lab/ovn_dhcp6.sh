#!/usr/bin/env bash
# shellcheck disable=SC2317 # Functions are called by ok.
# DHCPv6 on a cloud of real OVN, with ISC's client: in a subnet with state a
# guest gets the address of its port and name servers; without, it makes the
# address of prefix and MAC, and asks for the rest only. A domain of more than
# one label stands in the router's advertisements, as OVN cannot send it else.
PREFIX=${PREFIX:-tovn6}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/ovn_lib.sh
. "$here/ovn_lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"
cleanup() {
    ovn_down
    lab_sweep
}
repo=$work/intent
tenet() { central "$TENET" "$@" -C "$repo"; }
mac_of() { printf '06:00:00:00:00:%02x' "$1"; }
port() { # port NAME SUBNET HOST NUMBER GROUPS
    cat >>"$repo/tenants/acme/all.yml" <<YAML
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $1}
spec: {vpc: web, subnet: $2, host: hv$3, mac: "$(mac_of "$4")", ${6:+address6: "$6",} securityGroups: [$5], attach: {interface: $1}}
YAML
}
write() {
    mkdir -p "$repo/tenants/acme"
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {}\n' \
        >"$repo/tenants/acme/tenant.yml"
    cat >"$repo/tenants/acme/all.yml" <<'YAML'
apiVersion: tenet/v1
kind: Vpc
metadata: {name: web}
spec:
  cidrs: [10.1.0.0/16, "fd00:1::/32"]
  subnets:
    - name: kept
      cidr: 10.1.0.0/24
      cidr6: "fd00:1:0:1::/64"
      mtu: 1400
      dhcp: {dnsServers: ["fd00:1::53", "fd00:1::54"], domain: kept.example.org}
    - name: made
      cidr: 10.1.1.0/24
      cidr6: "fd00:1:0:2::/64"
      mtu: 1400
      dhcp: {ra: dhcpv6-stateless, dnsServers: ["fd00:1::53"], domain: made}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: ping}
spec: {rules: [{direction: ingress, protocol: icmp}]}
---
apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: strict}
spec: {rules: [{direction: egress, protocol: icmp}]}
YAML
    port k1 kept 1 17 'ping, strict' fd00:1:0:1::11
    port k2 kept 2 18 ping fd00:1:0:1::12
    port m1 made 1 33 'ping, strict' ''
    port m2 made 2 34 ping ''
}

# What the client is told, in a file; it sets the address itself.
script() {
    cat >"$work/told.sh" <<'SH'
#!/bin/sh
[ "$reason" = PREINIT6 ] && exit 0
[ -n "$new_ip6_address" ] && ip -6 addr replace "$new_ip6_address/128" dev "$interface" nodad
echo "$reason ${new_ip6_address:--} $new_dhcp6_name_servers $new_dhcp6_domain_search" >>"$TOLD"
exit 0
SH
    chmod +x "$work/told.sh"
}
local_ready() { ip -n "$PREFIX-$1" -6 addr show dev eth0 scope link -tentative | grep -q inet6; }
# asks_dhcp GUEST [OPTIONS]: once; it goes on in the background when bound.
asks_dhcp() {
    until_ok 20 local_ready "$1" || return 1
    rm -f "$work/$1.told"
    from "$PREFIX-$1" env PATH="$PATH" timeout 30 dhclient -6 -1 "${@:2}" -sf "$work/told.sh" -e "TOLD=$work/$1.told" \
        -cf /dev/null -lf "$work/$1.leases" -pf "$work/$1.pid" eth0 2>"$work/$1.log"
}
told() { tail -n 1 "$work/$1.told" 2>/dev/null; }
releases() {
    [ ! -s "$work/$1.pid" ] || kill "$(cat "$work/$1.pid")"
}
reaches() { until_ok "${3:-15}" pings "$PREFIX-$1" "$2" 1; }
advertised() { # advertised GUEST: a default router
    ip -n "$PREFIX-$1" -6 route show default | grep -q 'proto ra'
}
domain_of() { # domain_of GUEST: what an advertised router says, asked for
    from "$PREFIX-$1" timeout 15 /usr/bin/python3 -c 'import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
s.settimeout(1)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
while True:
    try:
        s.sendto(bytes([133]) + bytes(7), ("ff02::2", 0))
        while True:
            b = s.recv(1500)
            at = 16
            while b[0] == 134 and at < len(b):
                if b[at] == 31:
                    name, at = [], at + 8
                    while b[at]:
                        name.append(b[at + 1 : at + 1 + b[at]].decode())
                        at += 1 + b[at]
                    raise SystemExit(print(*name, sep="."))
                at += 8 * b[at + 1]
    except TimeoutError:
        pass'
}
made_address() { # made_address GUEST PREFIX: is it made of that?
    ip -n "$PREFIX-$1" -6 addr show dev eth0 scope global | grep -q "$2"
}

ovn_up 2 2>"$work/up"
ovn_intent "$repo" 2
write
commit "$repo" "subnets with DHCPv6"
script
for g in 'k1 1 17' 'k2 2 18' 'm1 1 33' 'm2 2 34'; do
    # shellcheck disable=SC2086
    set -- $g
    ovn_vm "$1" "$2" "$(mac_of "$3")" -
    ip -n "$PREFIX-$1" link set eth0 mtu 1400
done
exits "it is applied" 0 tenet apply --yes
for g in k1 k2; do ok "$g asks for an address, whatever its groups let out" asks_dhcp $g; done
is "that of its port, and name servers" \
    "BOUND6 fd00:1:0:1::11 fd00:1::53 fd00:1::54 " "$(told k1)"
is "another port, on another hypervisor, another" \
    "BOUND6 fd00:1:0:1::12 fd00:1::53 fd00:1::54 " "$(told k2)"
ok "a router is advertised" until_ok 20 advertised k1
not_ok "and no prefix to make addresses of" made_address k1 'fd00:1:0:1:400:'
is "and the domain" kept.example.org "$(domain_of k1)"
ok "it is used" reaches k1 fd00:1:0:1::12
ok "also of the other subnet's router" reaches k1 fd00:1:0:2::1
ok "an address out of prefix and MAC" until_ok 20 made_address m1 fd00:1:0:2:400:ff:fe00:21
ok "another" until_ok 20 made_address m2 fd00:1:0:2:400:ff:fe00:22
ok "the rest is asked for" asks_dhcp m1 -S
is "name servers and a domain" "RENEW6 - fd00:1::53 made." "$(told m1)"
ok "they are used" reaches m1 fd00:1:0:2:400:ff:fe00:22
ok "and across subnets" reaches k2 fd00:1:0:2:400:ff:fe00:22
for g in k1 k2; do releases $g; done
SECONDS=0
ok "destroy" tenet destroy --yes
echo "# after $SECONDS s"
exits "hypervisors that come back are waited for" 0 tenet apply --yes
echo "# after $SECONDS s"
ok "destroy again" tenet destroy --yes
echo "# after $SECONDS s"
finish
