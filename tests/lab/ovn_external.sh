#!/usr/bin/env bash
# shellcheck disable=SC2317,SC2119 # Functions are called by ok.
# External networks on a cloud of real OVN: two VPCs of two tenants on one wire
# (a VLAN), two gateway chassis, and the world as a namespace that routes
# between all of them. What gets out and in by addresses that nobody translates,
# and what does not, is what 'tenet reach' computes; VPCs do not reach one
# another by way of it; the other chassis takes over when one dies; and nothing
# is left.
PREFIX=${PREFIX:-tovnx}
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/ovn_lib.sh
. "$here/ovn_lib.sh"
# shellcheck source=tests/lab/daemon_lib.sh
. "$here/daemon_lib.sh"
cleanup() {
    local pid
    for pid in "${others[@]}"; do
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    ovn_down
    lab_sweep
}
repo=$work/intent
tenet() { central "$TENET" "$@" -C "$repo"; }
applied() { # applied WHAT
    local code=0
    tenet apply --yes >"$work/apply" 2>&1 || code=$?
    is "$1" 0 $code
    [ $code -eq 0 ] || tail -n 25 "$work/apply" | sed 's/^/#   /'
}
settled() { exits "$1" 0 tenet plan --detailed-exitcode; }

# ---- the intent ----

settings() { # settings CHASSIS
    cat >"$repo/tenet.yml" <<YAML
apiVersion: tenet/v1
kind: Settings
metadata: {name: $PREFIX}
spec:
  budgets: {maxDeletes: 100000, maxDeletePercent: 100, maxDeletesPerTenant: 100000}
  externalNetworks:
    - name: uplink
      cidr: 203.0.113.0/24
      cidr6: "2001:db8:ff::/64"
      gateway: 203.0.113.1
      gateway6: "2001:db8:ff::1"
      physicalNetwork: wire
      vlan: 7
      chassis: [$1]
      vpcs:
        - {vpc: acme/web, address: 203.0.113.11, address6: "2001:db8:ff::11", prefixes: [10.1.0.0/24, "fd00:1:0:1::/64"]}
        - {vpc: beta/shop, address: 203.0.113.12, address6: "2001:db8:ff::12", prefixes: [10.2.0.0/16, "fd00:2::/32"]}
YAML
}
document() { # document TENANT KIND NAME SPEC
    mkdir -p "$repo/tenants/$1"
    printf -- '---\napiVersion: tenet/v1\nkind: %s\nmetadata: {name: %s}\nspec: %s\n' \
        "$2" "$3" "$4" >>"$repo/tenants/$1/all.yml"
}
port() { # port TENANT NAME VPC SUBNET HOST NUMBER ADDRESS GROUPS
    document "$1" Port "$2" "{vpc: $3, subnet: $4, host: hv$5, mac: \"06:00:00:00:00:$6\", address: $7, securityGroups: [$8], attach: {interface: $2}}"
}
write() {
    settings "hv2, hv3"
    sed -i 's/tenet_underlay_mtu: 1600/&, tenet_ovs_bridge_mappings: "wire:br-ex"/' \
        "$repo/inventories/lab/hosts.yml"
    document acme SecurityGroup ping '{rules: [{direction: ingress, protocol: icmp}]}'
    document acme SecurityGroup www '{rules: [{direction: ingress, protocol: tcp, ports: 80, remote: {cidr: 198.51.100.0/24}}]}'
    document acme SecurityGroup inner '{rules: [{direction: ingress, protocol: tcp, ports: 81, remote: {cidr: 10.1.1.0/24}}]}'
    document acme Vpc web '{cidrs: [10.1.0.0/16, "fd00:1::/32"], externalNetwork: uplink, subnets: [{name: front, cidr: 10.1.0.0/24, cidr6: "fd00:1:0:1::/64", mtu: 1400}, {name: back, cidr: 10.1.1.0/24, mtu: 1400}]}'
    document acme Vpc alone '{cidrs: [10.3.0.0/16], subnets: [{name: net, cidr: 10.3.0.0/24}]}'
    document acme Peering web-alone '{vpc: web, peer: {vpc: alone}, export: [10.1.0.0/24]}'
    document acme Peering alone-web '{vpc: alone, peer: {vpc: web}, export: [10.3.0.0/24]}'
    port acme a1 web front 1 11 10.1.0.11 'ping, www, inner'
    port acme a2 web front 3 12 10.1.0.12 ''
    port acme a3 web back 1 13 10.1.1.13 'ping'
    port acme c1 alone net 1 14 10.3.0.11 'ping'
    sed -i 's/address: 10.1.0.11/&, address6: "fd00:1:0:1::11"/' "$repo/tenants/acme/all.yml"
    document beta SecurityGroup open '{rules: [{direction: ingress}]}'
    document beta Vpc shop '{cidrs: [10.2.0.0/16, "fd00:2::/32"], externalNetwork: uplink, subnets: [{name: net, cidr: 10.2.0.0/24, mtu: 1400}]}'
    port beta b1 shop net 1 21 10.2.0.11 open
    for t in acme beta; do
        printf 'apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: %s}\nspec: {}\n' $t >"$repo/tenants/$t/tenant.yml"
    done
}

# ---- the wire and the world ----

# A switch of its own on the first hypervisor, with the VLAN untagged towards
# the world; br-ex on the others is what the physical network is called there.
world() {
    local i
    ip netns add "$PREFIX-w"
    ip link add world netns "$PREFIX-h1" type veth peer name eth0 netns "$PREFIX-w"
    ip -n "$PREFIX-h1" link set world up
    vs 1 add-br br-wire -- set bridge br-wire datapath_type=netdev fail_mode=standalone \
        -- add-port br-wire world tag=7
    for i in 2 3; do
        ip link add "wire$i" netns "$PREFIX-h1" type veth peer name wire netns "$PREFIX-h$i"
        ip -n "$PREFIX-h1" link set "wire$i" up
        ip -n "$PREFIX-h$i" link set wire up
        vs 1 add-port br-wire "wire$i"
        vs "$i" add-br br-ex -- set bridge br-ex datapath_type=netdev fail_mode=standalone \
            -- add-port br-ex wire
    done
    from "$PREFIX-w" ethtool -K eth0 tx off >/dev/null
    ip -n "$PREFIX-w" link set lo up
    ip -n "$PREFIX-w" link set eth0 up
    ip -n "$PREFIX-w" addr add 203.0.113.1/24 dev eth0
    ip -n "$PREFIX-w" addr add 198.51.100.7/32 dev lo
    ip -n "$PREFIX-w" addr add 2001:db8:ff::1/64 dev eth0 nodad
    ip -n "$PREFIX-w" addr add 2001:db8:7::7/128 dev lo nodad
    ip -n "$PREFIX-w" route add 10.1.0.0/16 via 203.0.113.11
    ip -n "$PREFIX-w" route add 10.2.0.0/16 via 203.0.113.12
    ip -n "$PREFIX-w" route add 10.3.0.0/16 via 203.0.113.11
    ip -n "$PREFIX-w" route add fd00:1::/32 via 2001:db8:ff::11
    ip -n "$PREFIX-w" route add fd00:2::/32 via 2001:db8:ff::12
    from "$PREFIX-w" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.all.send_redirects=0
}
guest() { # guest NAME HOST NUMBER ADDRESS
    ovn_vm "$1" "$2" "06:00:00:00:00:$3" "$4/24" "${4%.*}.1"
    ip -n "$PREFIX-$1" link set eth0 mtu 1400
}
guests() {
    guest a1 1 11 10.1.0.11
    ip -n "$PREFIX-a1" addr add fd00:1:0:1::11/64 dev eth0 nodad
    ip -n "$PREFIX-a1" route add default via fd00:1:0:1::1
    guest a2 3 12 10.1.0.12
    guest a3 1 13 10.1.1.13
    guest c1 1 14 10.3.0.11
    guest b1 1 21 10.2.0.11
}

# ---- packets ----

reaches() { until_ok "${3:-20}" pings "$PREFIX-$1" "$2" 1; }
refused() { ! pings "$PREFIX-$1" "$2" 1; }
# shellcheck disable=SC2016 # awk expands it.
echoes() { from "$PREFIX-$1" awk '/^Icmp: [0-9]/ {print $10}' /proc/net/snmp; }
listen() { # listen NAME PORT: answers with its name
    ip netns exec "$PREFIX-$1" /usr/bin/python3 -c 'import socket, sys
s = socket.create_server(("", int(sys.argv[2])))
while True:
    with s.accept()[0] as c:
        c.send(sys.argv[1].encode())' "$1" "$2" >/dev/null 2>&1 &
    others+=($!)
    ok "a listener" until_ok 10 eval "from $PREFIX-$1 ss -Hltn | grep -q :$2"
}
asks() { # asks NAME ADDRESS PORT [SOURCE]: what the server says
    from "$PREFIX-$1" timeout 3 /usr/bin/python3 -c 'import socket, sys
at = (sys.argv[3], 0) if sys.argv[3] else None
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 1, at)
sys.stdout.write(s.recv(9).decode())' "$2" "$3" "${4:-}" 2>/dev/null
}
answers() { until_ok 15 eval "[ \"\$(asks $1 $2 $3 ${5:-})\" = $4 ]"; }
unheard() { # unheard WHAT NAME FROM SOURCE ADDRESS: nothing of it arrives
    local before
    before=$(echoes "$2")
    from "$PREFIX-$3" ping -n -q -c 2 -i 0.2 -W 1 -I "$4" "$5" >/dev/null 2>&1
    is "$1" "$before" "$(echoes "$2")"
}
packets() {
    ok "out" reaches a1 198.51.100.7
    ok "out, from another hypervisor, whatever may come in" reaches a2 198.51.100.7
    ok "out, IPv6" reaches a1 2001:db8:7::7
    ok "in" reaches w 10.1.0.11
    ok "in, IPv6" reaches w fd00:1:0:1::11
    ok "beta, too" reaches b1 198.51.100.7
    ok "and in" reaches w 10.2.0.11
    ok "not to a port that lets nothing in" refused w 10.1.0.12
    ok "the router answers" reaches w 203.0.113.11
    ok "and for its gateway" reaches w 10.1.0.1
    ok "not for one that is not known outside" refused w 10.1.1.1
    ok "a peer, as ever" reaches a1 10.3.0.11
    ok "and back" reaches c1 10.1.0.11
    ok "a peer does not get out that way" refused c1 198.51.100.7
    ok "nor is it reached" refused w 10.3.0.11
    listen a1 80
    listen a1 81
    listen w 443
    ok "a connection out" answers a1 198.51.100.7 443 w
    ok "a connection in, as a rule says" answers w 10.1.0.11 80 a1 198.51.100.7
    is "not from elsewhere" "" "$(asks w 10.1.0.11 80 203.0.113.1)"
    is "not to another port" "" "$(asks w 10.1.0.11 81 198.51.100.7)"
}
closed() {
    local before
    ok "what is not known outside does not get out" refused a3 198.51.100.7
    ok "nor does anything get there" refused w 10.1.1.13
    before=$(echoes b1)
    ok "VPCs do not reach one another" refused a1 10.2.0.11
    is "nothing arrives" "$before" "$(echoes b1)"
    ok "nor the other way" refused b1 10.1.0.11
    ok "nor the other's router" refused a1 203.0.113.12
    ip -n "$PREFIX-w" addr add 10.2.0.99/32 dev lo
    ip -n "$PREFIX-w" addr add 10.1.1.99/32 dev lo
    ip -n "$PREFIX-w" addr add 10.3.0.99/32 dev lo
    unheard "nobody outside is another VPC" a1 w 10.2.0.99 10.1.0.11
    unheard "nor of this one" a1 w 10.1.1.99 10.1.0.11
    unheard "nor of a peer" a1 w 10.3.0.99 10.1.0.11
    ok "as a rule for that subnet says" answers a3 10.1.0.11 81 a1
    is "so a rule for a subnet means that subnet" "" "$(asks w 10.1.0.11 81 10.1.1.99)"
    ip -n "$PREFIX-w" addr del 10.2.0.99/32 dev lo
    ip -n "$PREFIX-w" addr del 10.1.1.99/32 dev lo
    ip -n "$PREFIX-w" addr del 10.3.0.99/32 dev lo
}

# What packets showed is what is computed.
computed() {
    local from to what
    while read -r from to what; do
        exits "computed: $from -> $to: $what" 0 tenet reach --from "$from" --to "$to" --proto icmp --expect "$what"
    done <<'PAIRS'
acme/a1 198.51.100.7 yes
acme/a1 2001:db8:7::7 yes
acme/a2 198.51.100.7 yes
acme/a3 198.51.100.7 no
acme/c1 198.51.100.7 no
acme/c1 10.1.0.11 yes
acme/a1 203.0.113.11 yes
acme/a1 203.0.113.12 no
acme/a1 10.2.0.11 no
beta/b1 10.1.0.11 no
acme/web/198.51.100.7 acme/a1 yes
acme/web/198.51.100.7 acme/a2 no
acme/web/198.51.100.7 acme/a3 no
acme/web/198.51.100.7 10.1.0.1 yes
acme/web/198.51.100.7 10.3.0.11 no
beta/shop/198.51.100.7 beta/b1 yes
PAIRS
}

# ---- chassis ----

active() { # The hypervisor that carries acme's router.
    local ch
    ch=$(sb --bare --columns=chassis find Port_Binding \
        "logical_port=\"cr-$PREFIX/acme/web/gateway/external:uplink\"")
    [ -n "$ch" ] && sb --bare --columns=name list Chassis "$ch"
}
is_active() { until_ok 30 eval "[ \"\$(active)\" = $1 ]"; }
stop() { # stop HOST DAEMON
    local pid
    pid=$(cat "$ovn/h$1/$2.pid")
    kill -9 "$pid"
    rm -f "$ovn/h$1/$2.pid"
}
fail_over() {
    ok "the preferred chassis carries it" is_active hv2
    SECONDS=0
    stop 2 ovs-vswitchd
    stop 2 ovn-controller
    ok "the other one takes over" reaches a1 198.51.100.7 40
    echo "# after $SECONDS s"
    ok "from outside, too" reaches w 10.1.0.11 20
    ok "it is hv3" is_active hv3
    # shellcheck disable=SC2046
    on_host 2 ovs-vswitchd $(daemon_options "$ovn/h2" ovs-vswitchd) "unix:$ovn/h2/db.sock" 2>>"$work/up"
    ip -n "$PREFIX-h2" link set br-phy up
    # shellcheck disable=SC2046
    on_host 2 ovn-controller $(daemon_options "$ovn/h2" ovn-controller) "unix:$ovn/h2/db.sock" 2>>"$work/up"
    ok "back, the preferred one carries it again" is_active hv2
    ok "and packets" reaches a1 198.51.100.7 30
}

# ---- changes ----

row() { nb --bare --columns="$2" find "$1" "external_ids:tenet-key=\"$3\""; }
changes() {
    local i
    settings "hv3, hv2"
    commit "$repo" "the other chassis first"
    exits "a plan" 2 tenet plan --detailed-exitcode
    applied "the order of chassis"
    ok "the other one carries it" is_active hv3
    ok "and packets" reaches a1 198.51.100.7 30
    # The one that waits: what a chassis does whose row comes and goes within a
    # second or two is up to OVN.
    nb lrp-del-gateway-chassis "$PREFIX/acme/web/gateway/external:uplink" hv2
    for i in 1053 1055; do
        nb lr-policy-del "$PREFIX/acme/web" "$i"
        nb lr-policy-del "$PREFIX/beta/shop" "$i"
    done
    ok "without policies, the wire leads to the other VPC" reaches a1 10.2.0.11
    exits "the plan calls it drift" 3 tenet plan --detailed-exitcode
    applied "it is healed"
    settled "nothing is left to do"
    ok "it leads nowhere again" refused a1 10.2.0.11
    is "the other chassis is one again" "$PREFIX/acme/web/gateway/external:uplink-hv2" \
        "$(row Gateway_Chassis name acme/web/chassis/hv2)"
    ok "packets go on" reaches a1 198.51.100.7
    sed -i 's/externalNetwork: uplink, //' "$repo/tenants/beta/all.yml"
    commit "$repo" "beta leaves"
    applied "a VPC leaves the network"
    settled "nothing is left to do"
    ok "it is out" refused b1 198.51.100.7
    is "without a trace" "" "$(row Logical_Router_Port name beta/shop/gateway/external:uplink)$(row Gateway_Chassis name beta/shop/chassis/hv2)"
    ok "the other one is not" reaches a1 198.51.100.7
}
foreign_add() {
    nb ls-add foreign -- lsp-add foreign foreign-wire -- lsp-set-type foreign-wire localnet -- \
        lsp-set-options foreign-wire network_name=other -- lr-add foreign -- \
        lrp-add foreign foreign-p 02:00:00:00:00:01 192.0.2.129/28 -- \
        lrp-set-gateway-chassis foreign-p hv2 3
    nb create Address_Set name=foreign addresses=10.1.0.0/24 >/dev/null
}
foreign_show() {
    nb list Logical_Router_Port foreign-p
    nb list Logical_Switch_Port foreign-wire
    nb list Address_Set foreign
    nb find Gateway_Chassis priority=3
}
ours_left() {
    local t
    for t in Logical_Switch Logical_Switch_Port Logical_Router Logical_Router_Port \
        Port_Group ACL Address_Set Gateway_Chassis Logical_Router_Static_Route Logical_Router_Policy; do
        nb --bare --columns=_uuid find "$t" 'external_ids:tenet-instance!=""'
    done
}

: >"$work/daemon.log" # Nobody's, but read where checks fail.
ovn_up 3 2>"$work/up"
world
ovn_intent "$repo" 3
write
commit "$repo" "two VPCs outside"
foreign_add
foreign_show >"$work/foreign"
guests
applied "it is applied"
[ "$failures" = 0 ] || finish
settled "the second plan is empty"
packets
closed
computed
fail_over
changes
foreign_show >"$work/foreign-now"
ok "what others made is as it was" diff "$work/foreign" "$work/foreign-now"
ok "destroy" tenet destroy --yes
is "nothing of ours is left" "" "$(ours_left)"
foreign_show >"$work/foreign-now"
ok "and what others made is" diff "$work/foreign" "$work/foreign-now"
finish
