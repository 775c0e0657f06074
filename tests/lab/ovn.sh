#!/usr/bin/env bash
# shellcheck disable=SC2317,SC2119 # Functions are called by ok; configure has defaults.
# One intent on a cloud of real OVN: three hypervisors with Open vSwitch in user
# space, packets across them, clients of DHCP, drift by hand and its healing by
# 'tenet apply' and by the daemon, a controller that died, things of others
# beside ours, and taking it all down.
PREFIX=${PREFIX:-tovn}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/ovn_lib.sh
. "$here/ovn_lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"

# Of what runs in the background, never a function is started: its number would
# be that of a shell around it.
cleanup() {
    local pid
    for pid in $daemon "${others[@]}"; do
        kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    ovn_down
    lab_sweep
}
repo=$work/intent
UNDER=(ip netns exec "$PREFIX-c")
tenet() { central "$TENET" "$@" -C "$repo"; }
applied() { # applied WHAT
    local code=0
    tenet apply --yes >"$work/apply" 2>&1 || code=$?
    is "$1" 0 $code
    [ $code -eq 0 ] || tail -n 25 "$work/apply" | sed 's/^/#   /'
}
settled() { exits "$1" 0 tenet plan --detailed-exitcode; }

# ---- the intent ----

vpc() { # vpc TENANT NAME CIDR CIDR6 SUBNETS...
    printf -- '---\napiVersion: tenet/v1\nkind: Vpc\nmetadata: {name: %s}\nspec:\n  cidrs: [%s, "%s"]\n  subnets:\n' \
        "$2" "$3" "$4" >>"$repo/tenants/$1/all.yml"
    printf '    - %s\n' "${@:5}" >>"$repo/tenants/$1/all.yml"
}
group() { # group TENANT NAME RULES
    printf -- '---\napiVersion: tenet/v1\nkind: SecurityGroup\nmetadata: {name: %s}\nspec: {rules: [%s]}\n' \
        "$2" "$3" >>"$repo/tenants/$1/all.yml"
}
peering() { # peering TENANT VPC PEER EXPORT
    printf -- '---\napiVersion: tenet/v1\nkind: Peering\nmetadata: {name: %s-%s}\nspec: {vpc: %s, peer: {vpc: %s}, export: [%s]}\n' \
        "$2" "$3" "$2" "$3" "$4" >>"$repo/tenants/$1/all.yml"
}
# The number of a port gives its MAC and the end of its addresses.
mac_of() { printf '06:00:00:00:00:%02x' "$1"; }
port() { # port TENANT NAME VPC SUBNET HOST NUMBER ADDRESS ADDRESS6 GROUPS [ALLOWED]
    cat >>"$repo/tenants/$1/all.yml" <<YAML
---
apiVersion: tenet/v1
kind: Port
metadata: {name: $2}
spec: {vpc: $3, subnet: $4, host: hv$5, mac: "$(mac_of "$6")", ${7:+address: $7,}${8:+ address6: "$8",} securityGroups: [$9], allowedAddresses: [${10:-}], attach: {interface: $2}}
YAML
}
tenant() {
    mkdir -p "$repo/tenants/$1"
    printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: %s}\nspec: {}\n' \
        "$1" >"$repo/tenants/$1/tenant.yml"
    group "$1" ping '{direction: ingress, protocol: icmp}'
}
write() {
    local dhcp='dhcp: {leaseTime: 600, dnsServers: [10.1.0.53, "fd00:1::53"], domain: web.example.org}'
    tenant acme
    group acme web '{direction: ingress, protocol: tcp, ports: 80, remote: {group: app}}'
    group acme app '{direction: egress, protocol: tcp, ports: "80-81"}, {direction: egress, protocol: icmp}'
    group acme open '{direction: ingress}'
    group acme resolver '{direction: ingress, protocol: udp, ports: 53}'
    vpc acme web 10.1.0.0/16 fd00:1::/32 \
        "{name: front, cidr: 10.1.0.0/24, cidr6: 'fd00:1:0:1::/64', mtu: 1400, $dhcp}" \
        "{name: back, cidr: 10.1.1.0/24, cidr6: 'fd00:1:0:2::/64', mtu: 1400}"
    printf '  routes: [{to: 172.16.0.0/24, via: 10.1.0.9}]\n' >>"$repo/tenants/acme/all.yml"
    vpc acme ops 10.2.0.0/16 fd00:2::/32 "{name: net, cidr: 10.2.0.0/24, cidr6: 'fd00:2:0:1::/64'}"
    vpc acme data 10.3.0.0/16 fd00:3::/32 "{name: net, cidr: 10.3.0.0/24}"
    peering acme web ops '10.1.0.0/24, "fd00:1:0:1::/64"'
    peering acme ops web '10.2.0.0/24, "fd00:2:0:1::/64"'
    peering acme ops data '10.2.0.0/24'
    peering acme data ops '10.3.0.0/24'
    port acme a1 web front 1 17 10.1.0.11 fd00:1:0:1::11 'ping, web'
    port acme a2 web front 2 18 10.1.0.12 fd00:1:0:1::12 'ping, app'
    port acme a3 web back 3 19 10.1.1.13 fd00:1:0:2::13 'ping, resolver'
    port acme shut web front 2 20 10.1.0.20 fd00:1:0:1::20 ''
    port acme r1 web front 3 9 10.1.0.9 fd00:1:0:1::9 'ping' 10.1.0.100/32
    port acme d1 web front 3 50 10.1.0.50 fd00:1:0:1::50 'ping, app'
    port acme o1 ops net 1 21 10.2.0.11 fd00:2:0:1::11 ping
    port acme o2 ops net 2 23 10.2.0.12 fd00:2:0:1::12 open
    port acme t1 data net 2 22 10.3.0.11 '' ping
    port acme t2 data net 1 25 10.3.0.12 '' open
    tenant beta
    vpc beta web 10.1.0.0/16 fd00:1::/32 \
        "{name: front, cidr: 10.1.0.0/24, cidr6: 'fd00:1:0:1::/64', dhcp: {ra: slaac}}"
    port beta b1 web front 1 17 10.1.0.11 '' ping
    port beta b2 web front 2 18 10.1.0.12 '' ping
    port beta b3 web front 3 77 10.1.0.77 '' ping
}

# guest NAME HOST NUMBER ADDRESS ADDRESS6, in subnets whose gateways are first
guest() {
    ovn_vm "$1" "$2" "$(mac_of "$3")" "$4/24" "${4%.*}.1"
    ip -n "$PREFIX-$1" link set eth0 mtu 1400
    [ -n "$5" ] || return 0
    ip -n "$PREFIX-$1" addr add "$5/64" dev eth0 nodad
    ip -n "$PREFIX-$1" route add default via "${5%::*}::1"
}
guests() {
    guest a1 1 17 10.1.0.11 fd00:1:0:1::11
    guest a2 2 18 10.1.0.12 fd00:1:0:1::12
    guest a3 3 19 10.1.1.13 fd00:1:0:2::13
    guest shut 2 20 10.1.0.20 fd00:1:0:1::20
    guest r1 3 9 10.1.0.9 fd00:1:0:1::9
    ovn_vm d1 3 "$(mac_of 50)" -
    guest o1 1 21 10.2.0.11 fd00:2:0:1::11
    guest o2 2 23 10.2.0.12 fd00:2:0:1::12
    guest t1 2 22 10.3.0.11 ''
    guest t2 1 25 10.3.0.12 ''
    guest b1 1 17 10.1.0.11 ''
    guest b2 2 18 10.1.0.12 ''
    guest b3 3 77 10.1.0.77 ''
    ip -n "$PREFIX-r1" addr add 172.16.0.1/32 dev lo
    ip -n "$PREFIX-r1" addr add 10.1.0.100/32 dev eth0
}

# ---- packets ----

reaches() { until_ok "${3:-15}" pings "$PREFIX-$1" "$2" 1; }
refused() { ! pings "$PREFIX-$1" "$2" 1; }
# shellcheck disable=SC2016 # awk expands it.
echoes() { from "$PREFIX-$1" awk '/^Icmp: [0-9]/ {print $10}' /proc/net/snmp; }
listen() { # listen NAME PORT: answers with its name
    ip netns exec "$PREFIX-$1" busybox nc -ll -p "$2" -e echo "$1" >/dev/null 2>&1 &
    others+=($!)
}
asks() { # asks NAME ADDRESS PORT: what the server says
    from "$PREFIX-$1" timeout 2 busybox nc -w 2 "$2" "$3" </dev/null 2>/dev/null
}
answers() { # answers FROM ADDRESS PORT WHO
    until_ok 10 eval "[ \"\$(asks $1 $2 $3)\" = $4 ]"
}
packets() {
    local before
    ok "same subnet, other host" reaches a1 10.1.0.12
    ok "and back" reaches a2 10.1.0.11
    ok "other subnet, other host" reaches a1 10.1.1.13
    ok "and back" reaches a3 10.1.0.11
    from "$PREFIX-a1" ping -n -c 1 -W 2 10.1.1.13 >"$work/ttl"
    ok "it was routed once" grep ttl=63 "$work/ttl"
    ok "same subnet, IPv6" reaches a1 fd00:1:0:1::12
    ok "other subnet, IPv6" reaches a3 fd00:1:0:1::11
    ok "gateway" reaches a1 10.1.0.1
    ok "gateway, whatever may leave" reaches a2 10.1.0.1
    ok "gateway, IPv6, of a port that lets nothing in" reaches shut fd00:1:0:1::1
    ok "to a port without rules: nothing" refused a1 10.1.0.20
    ok "from it: answers" reaches shut 10.1.0.11
    ok "behind a port" reaches a3 172.16.0.1
    ok "from behind a port" from "$PREFIX-r1" ping -n -q -c 1 -W 2 -I 172.16.0.1 10.1.1.13
    ok "a virtual address" reaches a1 10.1.0.100
    ok "from another subnet" reaches a3 10.1.0.100
    ok "tenant beta, same addresses" reaches b1 10.1.0.12
    before=$(echoes b2)
    pings "$PREFIX-a1" 10.1.0.12 >/dev/null
    is "acme's packets are not beta's" "$before" "$(echoes b2)"
    ok "an address that only beta has" refused a1 10.1.0.77
}
spoofing() {
    local before
    ip -n "$PREFIX-a1" addr add 10.1.0.99/32 dev eth0
    before=$(echoes a2)
    from "$PREFIX-a1" ping -q -c 2 -i 0.2 -W 1 -I 10.1.0.99 10.1.0.12 >/dev/null
    is "a source that is not the port's" "$before" "$(echoes a2)"
    ip -n "$PREFIX-a1" addr del 10.1.0.99/32 dev eth0
    ip -n "$PREFIX-a1" link set eth0 address 06:00:00:00:00:ee
    from "$PREFIX-a1" ping -q -c 2 -i 0.2 -W 1 10.1.0.12 >/dev/null
    is "a MAC address that is not the port's" "$before" "$(echoes a2)"
    ip -n "$PREFIX-a1" link set eth0 address "$(mac_of 17)"
    ok "its own again" reaches a1 10.1.0.12
}
# What a guest may not do to its neighbours, nor they to it: o1 tries o2, which
# lets everything in.
from_python() { from "$PREFIX-$1" /usr/bin/python3 -c "import socket
$2" "${@:3}"; }
# What northd lets go by (docs/ovsdb.md), unless there is no IPv6.
advertise() {
    from_python t1 's = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
s.sendto(bytes([134, 0, 0, 0, 64, 0, 7, 8]) + bytes(8), ("ff02::1", 0))'
}
# shellcheck disable=SC2016 # awk expands it.
advertised() { from "$PREFIX-t2" awk '/Icmp6InRouterAdvertisements/ {print $2}' /proc/net/snmp6; }
knock() { # knock SOURCE-PORT DESTINATION-PORT WORD
    from_python o1 'import sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[1])))
s.sendto(sys.argv[3].encode() + b"\n", ("10.2.0.12", int(sys.argv[2])))' "$@"
}
ears() { # ears NAME FILE PORT...: what comes by UDP
    ip netns exec "$PREFIX-$1" /usr/bin/python3 -c 'import select, socket, sys
l = []
for p in sys.argv[1:]:
    l.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    l[-1].bind(("", int(p)))
while True:
    for s in select.select(l, [], [])[0]:
        print(s.recv(99).decode(), end="", flush=True)' "${@:3}" >"$2" 2>/dev/null &
    others+=($!)
    until_ok 20 eval "from $PREFIX-$1 ss -Hlun | grep -q :$3"
}
rogues() {
    local before
    ok "listeners" ears o2 "$work/heard-o2" 68 6868
    ok "o1 and o2 talk" reaches o1 10.2.0.12
    before=$(advertised)
    advertise
    knock 67 68 server
    knock 6767 6868 other
    ok "what else it says arrives" until_ok 10 grep -q other "$work/heard-o2"
    is "a guest is no DHCP server" other "$(cat "$work/heard-o2")"
    is "a guest advertises no router where there is no IPv6" "$before" "$(advertised)"
}
# What comes back of what was sent, although nothing is let in.
related() {
    from_python shut 'import sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.connect(("10.1.1.13", 53))
for _ in range(5):
    try:
        s.send(b"?")
        s.recv(9)
    except ConnectionRefusedError:
        sys.exit(0)
    except TimeoutError:
        pass
sys.exit(1)'
}
expires() {
    from "$PREFIX-a1" ping -n -c 1 -W 1 -t 1 10.1.1.13 >"$work/old"
    grep -q exceeded "$work/old"
}
errors() {
    ok "that nobody listens there is told" related
    ok "that a packet is too old is told" until_ok 10 expires
    ok "a gateway of another subnet" reaches shut 10.1.1.1
    ok "not that of a peer" refused o1 10.1.0.1
}
groups() {
    listen a1 80
    listen a1 81
    listen a2 80
    ok "port 80 for members of a group" answers a2 10.1.0.11 80 a1
    is "not for others" "" "$(asks a3 10.1.0.11 80)"
    is "not port 81" "" "$(asks a2 10.1.0.11 81)"
    is "no way in at all" "" "$(asks a1 10.1.0.12 80)"
    ok "a listener" ears a3 "$work/heard" 53
    from "$PREFIX-a2" bash -c 'echo no >/dev/udp/10.1.1.13/53'
    until_ok 20 eval "from $PREFIX-a1 bash -c 'echo yes >/dev/udp/10.1.1.13/53'; sleep 0.2; grep -q yes $work/heard"
    is "what leaves is judged too" yes "$(sort -u "$work/heard")"
}
# A rule that goes takes its connections with it.
revoked() {
    local pinger before
    ip netns exec "$PREFIX-a3" ping -n -i 0.1 10.1.0.11 >"$work/pings" 2>&1 &
    pinger=$!
    others+=("$pinger")
    ok "pings go" until_ok 10 grep -q seq=3 "$work/pings"
    sed -i "/name: a1}/,/^---/s/\\[ping, web\\]/[web]/" "$repo/tenants/acme/all.yml"
    commit "$repo" "a1 is not pinged"
    applied "a group goes"
    sleep 0.3
    before=$(wc -l <"$work/pings")
    sleep 0.7
    is "and what it had let in" "$before" "$(wc -l <"$work/pings")"
    kill "$pinger"
    git -C "$repo" revert --no-edit HEAD >/dev/null
    applied "it is back"
    ok "pings go again" reaches a3 10.1.0.11
}
peerings() {
    ok "to a peer" reaches a1 10.2.0.11
    ok "and back" reaches o1 10.1.0.12
    ok "IPv6" reaches a1 fd00:2:0:1::11
    ok "and back, IPv6" reaches o1 fd00:1:0:1::12
    ok "to another peer" reaches o1 10.3.0.11
    ok "what is not exported" refused a3 10.2.0.11
    ok "to what is not exported" refused o1 10.1.1.13
    ok "no way through a peer" refused a1 10.3.0.11
    ok "no way through a peer, back" refused t1 10.1.0.11
}
lease() {
    cat >"$work/lease.sh" <<'SH'
#!/bin/sh
[ "$1" = bound ] && echo "$ip $router $mtu $dns $domain $lease" >"$LEASE"
exit 0
SH
    chmod +x "$work/lease.sh"
    LEASE=$work/lease until_ok 20 from "$PREFIX-d1" busybox udhcpc -i eth0 -f -q -n -t 5 \
        -T 1 -O mtu -O dns -O domain -s "$work/lease.sh"
    is "a lease, although the port's groups do not name it" \
        "10.1.0.50 10.1.0.1 1400 10.1.0.53 web.example.org 600" \
        "$(cat "$work/lease" 2>/dev/null)"
    ok "an advertised router, not an advertised prefix" until_ok 20 eval \
        "ip -n $PREFIX-d1 -6 route show default | grep 'proto ra'"
    ok "an address out of prefix and MAC is the port's" until_ok 20 eval \
        "ip -n $PREFIX-b1 -6 addr show dev eth0 scope global | grep fd00:1:0:1:400:ff:fe00:11"
    ok "others reach it" reaches b2 fd00:1:0:1:400:ff:fe00:11
}

# ---- others beside us ----

foreign_add() {
    nb ls-add foreign -- lsp-add foreign foreign-p -- \
        lsp-set-addresses foreign-p '02:00:00:00:00:01 10.1.0.11' -- \
        acl-add foreign to-lport 1000 ip drop -- lr-add foreign -- \
        pg-add foreign foreign-p -- \
        set Logical_Switch foreign external_ids:neutron=1
    nb create DHCP_Options cidr=10.1.0.0/24 external_ids:foreign=1 >/dev/null
    vs 1 add-br br-foreign -- set bridge br-foreign datapath_type=netdev \
        external_ids:other=1
}
foreign_show() {
    local t
    for t in Logical_Switch Logical_Router Port_Group; do nb list "$t" foreign; done
    nb --columns=_uuid,addresses,external_ids list Logical_Switch_Port foreign-p
    nb find ACL match=ip direction=to-lport 'external_ids={}'
    nb find DHCP_Options external_ids:foreign=1
    vs 1 --columns=_uuid,ports,external_ids list Bridge br-foreign
}
ours_left() { # What bears our mark.
    local t i
    for t in Logical_Switch Logical_Switch_Port Logical_Router Logical_Router_Port \
        Port_Group ACL DHCP_Options Logical_Router_Static_Route Logical_Router_Policy; do
        nb --bare --columns=_uuid find "$t" 'external_ids:tenet-instance!=""'
    done
    for i in 1 2 3; do
        for t in Bridge Port Open_vSwitch; do
            vs "$i" --bare --columns=_uuid find "$t" 'external_ids:tenet-instance!=""'
        done
    done
}

# ---- drift ----

name_of() { # name_of TABLE KEY
    nb --bare --columns=name find "$1" "external_ids:tenet-key=\"$2\""
}
break_all() {
    nb lsp-set-addresses "$(name_of Logical_Switch_Port acme/web/port/a1)" \
        '06:00:00:00:00:11 10.1.0.66'
    nb acl-del "$(name_of Port_Group acme/web/guard/all)"
    nb ls-del "$(name_of Logical_Switch beta/web/switch/front)"
    vs 2 del-port br-int a2
}
drift() {
    break_all
    exits "the plan calls it drift" 3 tenet plan --detailed-exitcode
    applied "it is healed"
    settled "nothing is left to do"
    ok "packets go again" reaches a1 10.1.0.12
    ok "beta's go again" reaches b1 10.1.0.12
    ok "and what was closed is" refused a1 10.1.0.20
}
heals() { # heals WHAT FIND COMMAND...: FIND is true when it is healed
    local start
    start=$(date +%s%3N)
    "${@:3}"
    ok "the daemon heals: $1" until_ok 20 eval "$2"
    echo "# after $(($(date +%s%3N) - start)) ms, the command included"
}
daemon_test() {
    configure
    start
    ok "the daemon is ready" until_ok 60 at_commit cloud hv1 hv2 hv3
    local sw
    sw=$(name_of Logical_Switch beta/web/switch/front)
    heals "an address" \
        "nb --bare --columns=addresses find Logical_Switch_Port external_ids:tenet-key=acme/web/port/a1 | grep -q 10.1.0.11" \
        nb lsp-set-addresses "$(name_of Logical_Switch_Port acme/web/port/a1)" \
        '06:00:00:00:00:11 10.1.0.66'
    heals "a network" "nb ls-list | grep -qF '$sw'" nb ls-del "$sw"
    heals "an interface" "vs 2 list-ports br-int | grep -qx a2" \
        vs 2 del-port br-int a2
    heals "a setting of the controller" \
        "vs 3 get open . external_ids:ovn-encap-ip | grep -q 192.0.2.13" \
        vs 3 set open . external_ids:ovn-encap-ip=192.0.2.99
    stop_daemon
    settled "after the daemon"
    no_sanitizer
}

# A controller that is gone is named, and everybody else goes on.
dead_chassis() {
    local pid code=0
    pid=$(cat "$ovn/h3/ovn-controller.pid")
    kill -9 "$pid"
    rm -f "$ovn/h3/ovn-controller.pid"
    nb --wait=sb sync
    port acme late3 web front 3 60 10.1.0.60 '' ping
    port acme late1 web front 1 61 10.1.0.61 '' ping
    commit "$repo" "ports on a dead and on a live hypervisor"
    guest late1 1 61 10.1.0.61 ''
    SECONDS=0
    tenet apply --yes >"$work/apply" 2>&1 || code=$?
    echo "# a dead controller: exit $code after $SECONDS s"
    ok "it is named" grep -q "have not followed: hv3" "$work/apply"
    not_ok "only it" grep -E "have not followed:.*hv[12]" "$work/apply"
    [ "$failures" = 0 ] || sed 's/^/# /' "$work/apply"
    is "it waits" 6 "$code"
    ok "the others go on" reaches late1 10.1.0.11
    # shellcheck disable=SC2046
    on_host 3 ovn-controller $(daemon_options "$ovn/h3" ovn-controller) \
        "unix:$ovn/h3/db.sock" 2>>"$work/up"
    applied "it is back"
    settled "nothing waits any more"
}

: >"$work/daemon.log"
ovn_up 3 2>"$work/up"
ovn_intent "$repo" 3
write
commit "$repo" "a cloud"
foreign_add
foreign_show >"$work/foreign"
guests
applied "it is applied"
[ "$failures" = 0 ] || finish
settled "the second plan is empty"
packets
spoofing
rogues
errors
groups
revoked
peerings
lease
drift
daemon_test
dead_chassis
foreign_show >"$work/foreign-now"
ok "what others made is as it was" diff "$work/foreign" "$work/foreign-now"
ok "destroy" tenet destroy --yes
is "nothing of ours is left" "" "$(ours_left)"
foreign_show >"$work/foreign-now"
ok "and what others made is" diff "$work/foreign" "$work/foreign-now"
show_log
finish
