#!/usr/bin/env python3
"""A random intent (random_intent.py) on a cloud of OVN (ovn_lib.sh).

  ovn_world.py plug REPO PREFIX    makes the namespaces that ports attach to, as
                                   whoever starts machines would, and plugs them
                                   in where tenet has put an interface for them
  ovn_world.py probe REPO ...      random_probe.py, but judged as OVN judges
  ovn_world.py trace REPO PREFIX [--seed N] [--most N]
                                   asks ovn-trace what becomes of packets, and
                                   compares that with 'tenet reach'

ovn-trace is not asked for addresses behind ports: it takes no prefix of a
port's security for its addresses, as real switches do.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import random_probe  # noqa: E402
import reach_probe  # noqa: E402
from random_oracle import PROBED_PORTS, Broken, World, addr, net  # noqa: E402


class OvnWorld(World):
    """OVN judges where a packet arrives only (docs/ovsdb.md)."""

    def judges(self, _source, to):
        return [[to.port]]


def run(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise Broken("%s: %s" % (" ".join(command), done.stderr))
    return done.stdout


def rows(tool, remote, table, *columns):
    out = json.loads(run(tool, "--db=" + remote, "--format=json",
                         "--columns=" + ",".join(columns), "list", table))
    return [dict(zip(out["headings"], row)) for row in out["data"]]


def interfaces(prefix, host):
    """iface-id -> name, and number of the device that is in use"""
    found = {}
    for row in rows("ovs-vsctl", "unix:/tmp/%s.ovn/h%s/db.sock"
                    % (prefix, host), "Interface", "name", "external_ids",
                    "ifindex", "link_state"):
        ids = dict(row["external_ids"][1])
        if "iface-id" in ids:
            index = row["ifindex"] if row["link_state"] == "up" else None
            found[ids["iface-id"]] = row["name"], index
    return found


def port_id(prefix, tenant, vpc, name):
    return "%s/%s/%s/%s" % (prefix, tenant, vpc, name)


def plug(world, args):
    """What stays where it is stays plugged in, as Open vSwitch goes on with
    the device that it knows if another comes by the same name."""
    near, want = {}, {}
    memory = "/tmp/%s.ovn/guests" % args.prefix
    for (tenant, name), pin in sorted(world.ports.items()):
        spec = world.docs["Port", tenant, name]
        host = spec["host"][len("hv"):]
        if host not in near:
            near[host] = interfaces(args.prefix, host)
        interface = near[host].get(
            port_id(args.prefix, tenant, spec["vpc"], name))
        if not interface:
            raise Broken("no interface for port %s/%s" % (tenant, name))
        want[spec["attach"]["netns"]] = \
            ["%s-h%s" % (args.prefix, host), interface[0],
             spec["attach"].get("interface", "eth0")]
    have = {}
    if os.path.exists(memory):
        with open(memory, encoding="utf-8") as f:
            have = json.load(f)
    for netns, at in have.items():
        if want.get(netns) != at:
            run("ip", "-n", at[0], "link", "del", at[1])
        if netns not in want:
            run("ip", "netns", "del", netns)
    for (tenant, name), pin in sorted(world.ports.items()):
        spec = world.docs["Port", tenant, name]
        netns = spec["attach"]["netns"]
        if netns not in have:
            run("ip", "netns", "add", netns)
        if have.get(netns) != want[netns]:
            plug_in(netns, want[netns])
        configure(world, (netns, want[netns][2]), world.subnet(tenant, spec), pin)
    with open(memory, "w", encoding="utf-8") as f:
        json.dump(want, f)
    for host in near:
        wait_for_devices(args.prefix, host)
    return 0


def plug_in(netns, at):
    run("ip", "link", "add", at[1], "netns", at[0], "type", "veth", "peer",
        "name", at[2], "mtu", "1280", "netns", netns)
    run("ip", "netns", "exec", netns, "ethtool", "-K", at[2], "tx", "off")
    run("ip", "-n", at[0], "link", "set", at[1], "up")


def configure(world, at, subnet, pin):
    netns, dev = at
    lines = ["link set lo up", "addr flush dev " + dev,
             "link set %s down" % dev,
             "link set %s address %s" % (dev, pin["mac"]),
             "link set %s up" % dev]
    for key, cidr in (("address", "cidr"), ("address6", "cidr6")):
        if key in pin:
            n = net(subnet[cidr])
            lines.append("addr add %s/%d dev %s %s" % (
                pin[key], n.prefixlen, dev,
                "nodad" if n.version == 6 else ""))
    for g in world.gateways(subnet):
        lines.append("route add default via %s" % g)
    run("ip", "-n", netns, "-batch", "-", text="\n".join(lines) + "\n")


def wait_for_devices(prefix, host):
    """Until the daemon of the host has taken them."""
    links = json.loads(run("ip", "-n", "%s-h%s" % (prefix, host), "-j",
                           "link"))
    index = {link["ifname"]: link["ifindex"] for link in links}
    end = time.monotonic() + 60
    while True:
        late = [name for name, used in interfaces(prefix, host).values()
                if index.get(name) != used]
        if not late:
            return
        if time.monotonic() > end:
            raise Broken("not in use: " + ", ".join(late))
        time.sleep(0.1)


# ---- ovn-trace --------------------------------------------------------------

def flow(world, prefix, macs, end, to, proto, port):
    """A packet as the guest of 'end' would send it."""
    spec = world.docs["Port", end.tenant, end.port]
    subnet = world.subnet(end.tenant, spec)
    scope = "%s/%s/%s" % (prefix, end.tenant, end.vpc)
    on_link = any(to in net(subnet[c]) for c in ("cidr", "cidr6")
                  if c in subnet)
    mac = macs["%s/gateway/%s" % (scope, subnet["name"])]
    if on_link:
        owner = [p for p in world.ports
                 if p[0] == end.tenant and
                 world.docs["Port", *p]["vpc"] == end.vpc and
                 to in world.addresses(*p)]
        if not owner:
            return None, None
        mac = world.ports[owner[0]]["mac"]
    ip = "ip%d" % to.version
    text = ('inport == "%s/%s" && eth.src == %s && eth.dst == %s && '
            '%s.src == %s && %s.dst == %s && ip.ttl == 64 && ' % (
                scope, end.port, world.ports[end.tenant, end.port]["mac"],
                mac, ip, end.address, ip, to))
    if proto == "icmp":
        text += "icmp%s.type == %d" % (("4", 8) if to.version == 4
                                       else ("6", 128))
    else:
        text += "%s && %s.src == 33333 && %s.dst == %d" % (proto, proto, proto,
                                                           port)
    return "%s/switch/%s" % (scope, subnet["name"]), text


def traced(args, datapath, text):
    out = run("ovn-trace", "--db=unix:/tmp/%s.ovn/c/sb.sock" % args.prefix,
              "--ct=new", "--ct=new", "--ct=new", "--ct=new", "--minimal",
              datapath, text)
    # A router asks everybody for an address that it does not know.
    out = re.sub(r"(arp|nd_ns) \{[^}]*\}", "", out)
    ports = re.findall(r'output\("([^"]*)"\)', out)
    return ports[0] if len(ports) == 1 else ports or None


def asked_reach(repo, end):
    """What 'tenet reach' says of all addresses: [(first, last, part)]"""
    everything = "0.0.0.0/0" if end.address.version == 4 else "::/0"
    out = run(os.environ["TENET"], "reach", "-C", repo, "--from",
              "%s/%s/%s" % (end.tenant, end.vpc, end.address), "--to",
              everything, "--output", "json")
    parts = []
    for p in json.loads(out)["parts"]:
        first, _, last = p["to"].partition("-")
        parts.append((addr(first), addr(last or first), p))
    return parts


def reached(world, parts, to, proto, port):
    """Where the packet arrives, answered or not; and whether ovn-trace can
    tell: not if it is another's address there."""
    for first, last, p in parts:
        if first <= to <= last and p["port"] is not None and \
                reach_probe.in_traffic(p["passes"], proto, port):
            tenant, _, vpc = p["vpc"].partition("/")
            return (tenant, vpc, p["port"]), \
                to in world.addresses(tenant, p["port"])
    return None, True


def trace(world, args):
    rng = random.Random("%d/trace" % args.seed)
    macs = {r["name"]: r["mac"] for r in rows(
        "ovn-nbctl", "unix:/tmp/%s.ovn/c/nb1.sock" % args.prefix,
        "Logical_Router_Port", "name", "mac")}
    asked = [(e, f.address, proto, port)
             for e in world.ends for f in world.ends
             if e.address.version == f.address.version and
             (e.tenant, e.port) != (f.tenant, f.port) and not e.behind
             and not f.behind and e.address != f.address
             for proto in ("icmp", "tcp", "udp", "sctp")
             for port in (PROBED_PORTS if proto != "icmp" else [0])]
    rng.shuffle(asked)
    count, bad, parts = {True: 0, False: 0}, [], {}
    for question in asked:
        end = question[0]
        if end not in parts:
            parts[end] = asked_reach(args.repo, end)
        at, told = reached(world, parts[end], *question[1:])
        says = at and port_id(args.prefix, *at)
        if count[bool(says)] >= args.most:
            continue
        datapath, text = flow(world, args.prefix, macs, *question)
        if not datapath or not told:
            continue
        count[bool(says)] += 1
        got = traced(args, datapath, text)
        if got != says:
            bad.append("reach says %s, ovn-trace %s: %s" % (says, got, text))
    print("# ovn-trace was asked of %d packets that arrive and %d that do not"
          % (count[True], count[False]))
    for line in bad[:20]:
        print(line)
    return 1 if bad else 0


def main():
    if sys.argv[1] == "probe":
        random_probe.World = OvnWorld
        return random_probe.main()
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["plug", "trace"])
    parser.add_argument("repo")
    parser.add_argument("prefix")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=40)
    args = parser.parse_args()
    try:
        if args.what == "plug":
            return plug(World(args.repo), args)
        return trace(World(args.repo), args)
    except Broken as e:
        print(e)
        return 1


if __name__ == "__main__":
    sys.exit(main())
