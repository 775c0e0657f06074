# ovn_lib.sh - sourced after lib.sh: a cloud of real OVN and Open vSwitch in
# network namespaces of $PREFIX, all of it in user space.
#
#   ovn_up HOSTS [MEMBERS]    central (a database of MEMBERS servers, 1 or 3)
#                             and hypervisors; nothing is configured in them;
#                             with 0 there is no central: no cloud
#   ovn_down                  all of it away, also after a failure
#   ovn_vm NAME HOST MAC ADDRESS/LEN GATEWAY
#                             a namespace $PREFIX-NAME on a hypervisor, behind
#                             the interface NAME ("-" for ADDRESS: none)
#   nb, sb, vs HOST ...       ovn-nbctl, ovn-sbctl, ovs-vsctl of a hypervisor
#   central ...               a command in the namespace of the databases
#   ovn_intent DIR HOSTS      intent_new, with an inventory of this cloud
#
# A kernel stack that faces a bridge of user space must finish its checksums
# itself ("tx off"), or TCP and UDP do not get through.
# shellcheck shell=bash
ovn=/tmp/$PREFIX.ovn
ovn_central=192.0.2.250
ovn_share=/usr/share/ovn ovs_share=/usr/share/openvswitch
central() { ip netns exec "$PREFIX-c" "$@"; }
nb() { OVN_RUNDIR=$ovn/c ovn-nbctl --db="$(nb_remote)" "$@"; }
sb() { OVN_RUNDIR=$ovn/c ovn-sbctl --db="unix:$ovn/c/sb.sock" "$@"; }
vs() { ovs-vsctl --db="unix:$ovn/h$1/db.sock" "${@:2}"; }
on_host() { OVS_RUNDIR=$ovn/h$1 OVN_RUNDIR=$ovn/h$1 ip netns exec "$PREFIX-h$1" "${@:2}"; }
nb_remote() {
    local i list=
    for ((i = 1; i <= ovn_members; i++)); do list+=${list:+,}unix:$ovn/c/nb$i.sock; done
    echo "$list"
}
# Options of a daemon in $1 that is called $2.
daemon_options() { echo "--pidfile=$1/$2.pid --log-file=$1/$2.log --detach --no-chdir -vconsole:off"; }

# One more interface of a namespace, on the underlay.
underlay_plug() {
    ip link add "p-$1" mtu 1600 netns "$PREFIX-ul" type veth peer name eth0 mtu 1600 netns "$PREFIX-$1"
    ip -n "$PREFIX-ul" link set "p-$1" master ul up
    ip -n "$PREFIX-$1" link set eth0 up
    ip -n "$PREFIX-$1" link set lo up
}

ovn_nb_member() { # ovn_nb_member I: starts the I-th server of the database
    local d=$ovn/c i=$1
    # shellcheck disable=SC2046
    central ovsdb-server $(daemon_options "$d" "nb$i") --unixctl="$d/nb$i.ctl" \
        --remote="punix:$d/nb$i.sock" --remote="ptcp:664$i:$ovn_central" "$d/nb$i.db"
}

ovn_central_up() {
    local d=$ovn/c i
    mkdir -p "$d"
    ip netns add "$PREFIX-c"
    underlay_plug c
    ip -n "$PREFIX-c" addr add "$ovn_central/24" dev eth0
    central ethtool -K eth0 tx off >/dev/null
    ovsdb-tool create "$d/sb.db" "$ovn_share/ovn-sb.ovsschema"
    # shellcheck disable=SC2046
    central ovsdb-server $(daemon_options "$d" sb) --unixctl="$d/sb.ctl" \
        --remote="punix:$d/sb.sock" --remote="ptcp:6650:$ovn_central" "$d/sb.db"
    if [ "$ovn_members" = 1 ]; then
        ovsdb-tool create "$d/nb1.db" "$ovn_share/ovn-nb.ovsschema"
        ovn_nb_member 1
    else
        ovsdb-tool -vconsole:off create-cluster "$d/nb1.db" "$ovn_share/ovn-nb.ovsschema" "tcp:$ovn_central:6661"
        ovn_nb_member 1
        for ((i = 2; i <= ovn_members; i++)); do
            ovsdb-tool join-cluster "$d/nb$i.db" OVN_Northbound "tcp:$ovn_central:666$i" "tcp:$ovn_central:6661"
            ovn_nb_member "$i"
        done
        for ((i = 1; i <= ovn_members; i++)); do
            ovsdb-client -t 30 wait "unix:$d/nb$i.sock" OVN_Northbound connected
        done
    fi
    nb --timeout=30 init
    sb --timeout=30 init
    # shellcheck disable=SC2046
    OVN_RUNDIR=$d central ovn-northd $(daemon_options "$d" northd) \
        --ovnnb-db="$(nb_remote)" --ovnsb-db="unix:$d/sb.sock"
}

ovn_host_up() {
    local i=$1 d=$ovn/h$1
    mkdir -p "$d"
    ip netns add "$PREFIX-h$i"
    underlay_plug "h$i"
    ovsdb-tool create "$d/conf.db" "$ovs_share/vswitch.ovsschema"
    # shellcheck disable=SC2046
    on_host "$i" ovsdb-server $(daemon_options "$d" ovsdb-server) \
        --remote="punix:$d/db.sock" "$d/conf.db"
    # Long probes: who deletes hundreds of links elsewhere on the machine stops
    # the kernel's side of all bridges for seconds.
    vs "$i" --no-wait init -- set open . external_ids:ovn-remote-probe-interval=60000 \
        external_ids:ovn-openflow-probe-interval=60
    # shellcheck disable=SC2046
    on_host "$i" ovs-vswitchd $(daemon_options "$d" ovs-vswitchd) "unix:$d/db.sock"
    # Tunnels of user space leave through a bridge that has the address.
    vs "$i" add-br br-phy -- set bridge br-phy datapath_type=netdev fail_mode=standalone \
        "other-config:hwaddr=02:bb:00:00:00:0$i" -- add-port br-phy eth0
    ip -n "$PREFIX-h$i" addr add "192.0.2.$((10 + i))/24" dev br-phy
    ip -n "$PREFIX-h$i" link set br-phy up
    [ "$ovn_members" = 0 ] && return
    # shellcheck disable=SC2046
    on_host "$i" ovn-controller $(daemon_options "$d" ovn-controller) "unix:$d/db.sock"
}

ovn_up() {
    local i
    ovn_members=${2:-1}
    mkdir -p "$ovn"
    ip netns add "$PREFIX-ul"
    ip -n "$PREFIX-ul" link add ul mtu 1600 type bridge
    ip -n "$PREFIX-ul" link set ul up
    [ "$ovn_members" = 0 ] || ovn_central_up
    for ((i = 1; i <= $1; i++)); do ovn_host_up "$i"; done
}

ovn_vm() {
    local ns=$PREFIX-$1 near=$1 host=$PREFIX-h$2
    ip netns add "$ns"
    ip -n "$ns" link set lo up
    ip link add "$near" netns "$host" type veth peer name eth0 address "$3" netns "$ns"
    ip -n "$host" link set "$near" up
    ip netns exec "$ns" ethtool -K eth0 tx off >/dev/null
    ip -n "$ns" link set eth0 up
    [ "$4" = - ] && return
    ip -n "$ns" addr add "$4" dev eth0
    ip -n "$ns" route add default via "$5"
}

# Only processes whose pid file is ours, and whose command line still says so.
ovn_down() {
    local f pid name
    for name in ovn-controller northd ovs-vswitchd ovsdb-server sb nb1 nb2 nb3; do
        for f in "$ovn"/*/"$name.pid"; do
            pid=$(cat "$f" 2>/dev/null) || continue
            if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "$ovn"; then
                kill "$pid" 2>/dev/null
            else
                rm -f "$f"
            fi
        done
    done
    for _ in $(seq 400); do
        compgen -G "$ovn/*/*.pid" >/dev/null || break
        sleep 0.05
    done
    for f in "$ovn"/*/*.pid; do
        [ -e "$f" ] && kill -9 "$(cat "$f")" 2>/dev/null
    done
    rm -rf "$ovn"
}

ovn_intent() {
    intent_new "$1" 0
    rm -rf "$1/inventories/lab/host_vars"
    cat >"$1/inventories/lab/hosts.yml" <<YAML
all:
  hosts:
    cloud:
      tenet_driver: ovn
      tenet_ovsdb_remote: $(nb_remote)
      tenet_ovn_southbound: tcp:$ovn_central:6650
  children:
    hypervisors:
      vars: {tenet_driver: openvswitch, tenet_ovn: cloud, tenet_ovs_datapath: netdev, tenet_underlay_mtu: 1600}
      hosts:
YAML
    local i
    for ((i = 1; i <= $2; i++)); do
        cat >>"$1/inventories/lab/hosts.yml" <<YAML
        hv$i: {tenet_ovsdb_remote: "unix:$ovn/h$i/db.sock", tenet_underlay_address: 192.0.2.$((10 + i))}
YAML
    done
}

cleanup() {
    ovn_down
    lab_sweep
}
ovn_down
