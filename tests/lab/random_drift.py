#!/usr/bin/env python3
"""A careless operator: damages by hand what tenet made.

  random_drift.py break PREFIX SEED [--but NETNS]...   some random things
  random_drift.py foreign add|show|remove PREFIX NETNS things of somebody else

'break' prints the commands that did something, and fails if none did. In a
namespace given by --but nothing is done that would take what others have in
there along.
"""
import argparse
import json
import random
import re
import subprocess
import sys


def run(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=False)


def listing(*command):
    out = run(*command).stdout
    return json.loads(out) if out.strip() else []


def spaces(prefix):
    """Namespaces of VPCs, and of ports."""
    names = [n.split()[0] for n in
             run("ip", "netns", "list").stdout.splitlines() if n]
    vpcs = [n for n in names
            if re.match(r"%s\d+\.tn\." % re.escape(prefix), n)]
    ports = [n for n in names if re.match(r"%s-hv\d" % re.escape(prefix), n)]
    return sorted(vpcs), sorted(ports)


# Each of these returns commands that would damage something of its kind.

def of_links(ns, keep):
    out = []
    for link in listing("ip", "-j", "-n", ns, "link", "show"):
        name = link["ifname"]
        if name[:2] not in ("b-", "x-", "p-", "l-"):
            continue
        ip = ["ip", "-n", ns, "link"]
        out.append(ip + ["del", name])
        out.append(ip + ["set", name, "down"])
        out.append(ip + ["set", name, "mtu", "1290"])
        if name[0] in "xp":
            out.append(ip + ["set", name, "nomaster"])
            for flag in ("flood", "learning", "isolated", "hairpin"):
                out.append(["bridge", "-n", ns, "link", "set", "dev", name,
                            flag, "on"])
        if name[0] == "p":
            out.append(ip + ["set", name, "alias", "mine"])
        if name[0] == "b":
            out.append(ip + ["set", name, "address", "02:00:00:00:00:99"])
            out.append(ip + ["set", name, "type", "bridge", "mcast_snooping",
                             "1"])
            out.append(ip + ["set", name, "type", "bridge", "stp_state", "1"])
    return out


def of_addresses(ns, keep):
    return [["ip", "-n", ns, "addr", "del",
             "%s/%d" % (a["local"], a["prefixlen"]), "dev", link["ifname"]]
            for link in listing("ip", "-j", "-n", ns, "addr", "show")
            if link.get("ifname", "")[:2] in ("b-", "l-")
            for a in link["addr_info"]]


def of_fdb(ns, keep):
    out = []
    for link in listing("ip", "-j", "-n", ns, "link", "show"):
        name = link["ifname"]
        if name[:2] not in ("x-", "p-"):
            continue
        for f in listing("bridge", "-j", "-n", ns, "fdb", "show", "dev", name):
            if f.get("state") == "permanent" and "dst" not in f:
                continue
            whose = "self" if "dst" in f else "master"
            command = ["bridge", "-n", ns, "fdb", "del", f["mac"], "dev", name]
            if "dst" in f:
                command += ["dst", f["dst"]]
            out.append(command + [whose])
            if "dst" in f and f["mac"] != "00:00:00:00:00:00":
                version = "2001:db8::99" if ":" in f["dst"] else "192.0.2.99"
                out.append(["bridge", "-n", ns, "fdb", "replace", f["mac"],
                            "dev", name, "dst", version, "self"])
    return out


def of_neighbours(ns, keep):
    out = []
    for n in listing("ip", "-j", "-n", ns, "neigh", "show", "nud",
                     "permanent"):
        if n["dev"][:2] == "b-" and "lladdr" in n:
            out.append(["ip", "-n", ns, "neigh", "del", n["dst"], "dev",
                        n["dev"]])
            out.append(["ip", "-n", ns, "neigh", "replace", n["dst"], "dev",
                        n["dev"], "lladdr", "02:00:00:00:00:98", "nud",
                        "permanent"])
    return out


def of_routes(ns, keep):
    out = []
    for version in ("-4", "-6"):
        for r in listing("ip", "-j", version, "-n", ns, "route", "show",
                         "proto", "84"):
            out.append(["ip", version, "-n", ns, "route", "del", r["dst"],
                        "proto", "84"])
    return out


def of_rules(ns, keep):
    nft = ["ip", "netns", "exec", ns, "nft"]
    out = [nft + [c] for c in (
        "delete table inet tenet", "delete table bridge tenet",
        "flush table inet tenet", "flush chain inet tenet ingress",
        "flush chain bridge tenet prerouting",
        "insert rule inet tenet ingress accept",
        "add rule inet tenet egress accept",
        "add chain inet tenet mine",
        "flush set bridge tenet macs", "flush map inet tenet receivers",
        "flush set inet tenet bridges",
        "add element inet tenet bridges { \"mine\" }",
        "add chain inet tenet ingress { policy accept; }")]
    if not keep:
        out.append(nft + ["flush ruleset"])
    return out


def of_sysctls(ns, keep):
    return [["ip", "netns", "exec", ns, "sysctl", "-q", "-w", s] for s in (
        "net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0",
        "net.bridge.bridge-nf-call-iptables=0",
        "net.bridge.bridge-nf-call-ip6tables=0",
        "net.ipv4.conf.all.arp_ignore=0")]


def of_namespaces(ns, keep):
    return [] if keep else [["ip", "netns", "del", ns]]


def of_far_ends(ns, keep):
    out = []
    for link in listing("ip", "-j", "-n", ns, "addr", "show"):
        name = link.get("ifname")
        if name not in ("eth0", "net0"):
            continue
        ip = ["ip", "-n", ns]
        out += [ip + ["link", "del", name], ip + ["link", "set", name, "down"],
                ip + ["link", "set", name, "mtu", "1290"],
                ip + ["link", "set", name, "address", "02:00:00:00:00:97"],
                ip + ["link", "set", name, "name", "renamed"],
                ip + ["route", "del", "default"],
                ip + ["-6", "route", "del", "default"]]
        out += [ip + ["addr", "del", "%s/%d" % (a["local"], a["prefixlen"]),
                      "dev", name] for a in link["addr_info"]
                # Virtual ones (random_probe.py furnish) are the guest's.
                if a["scope"] == "global" and a["prefixlen"] not in (32, 128)]
    return out


IN_VPCS = [of_links, of_links, of_addresses, of_fdb, of_fdb, of_neighbours,
           of_routes, of_rules, of_rules, of_sysctls, of_namespaces]
IN_PORTS = [of_far_ends, of_far_ends, of_namespaces]


def damage(args):
    rng = random.Random("%d/drift" % args.seed)
    wanted, done = rng.randint(1, 4), 0
    for _ in range(200):
        vpcs, ports = spaces(args.prefix)
        if not vpcs or done == wanted:
            break
        if ports and rng.random() < 0.25:
            ns, kind = rng.choice(ports), rng.choice(IN_PORTS)
        else:
            ns, kind = rng.choice(vpcs), rng.choice(IN_VPCS)
        commands = kind(ns, ns in args.but)
        if not commands:
            continue
        command = rng.choice(commands)
        if run(*command).returncode == 0:
            print("# " + " ".join(command))
            done += 1
    return 0 if done else 1


# ---- what is not ours -------------------------------------------------------

def foreign_of(ns, at_home):
    ip = ["ip", "-n", ns]
    nft = ["ip", "netns", "exec", ns, "nft"]
    add = [
        ip + ["link", "add", "foreign0", "type", "bridge"],
        ip + ["link", "set", "foreign0", "up"],
        ip + ["addr", "add", "198.51.100.1/24", "dev", "foreign0"],
        ip + ["route", "add", "203.0.113.0/24", "via", "198.51.100.2"],
        ip + ["neigh", "add", "198.51.100.3", "lladdr", "02:00:00:00:00:96",
              "dev", "foreign0"],
        nft + ["add table inet other; add chain inet other c "
               "{ type filter hook forward priority 50; policy accept; }; "
               "add rule inet other c ip saddr 198.51.100.0/24 drop; "
               "add table bridge mine"]]
    if at_home:
        add += [ip + ["link", "add", "vxlanf", "type", "vxlan", "id", "77",
                      "dstport", "8473", "local", "192.0.2.11"],
                ip + ["link", "add", "b-front", "type", "bridge"]]
    remove = [ip + ["link", "del", "foreign0"],
              nft + ["delete table inet other; delete table bridge mine"]]
    show = [ip + ["-d", "-o", "link", "show"],
            ip + ["-o", "addr", "show"], ip + ["route", "show"],
            ip + ["-6", "route", "show"], ip + ["neigh", "show"],
            nft + ["list ruleset"]] if at_home else [
        ip + ["-d", "-o", "link", "show", "dev", "foreign0"],
        ip + ["-o", "addr", "show", "dev", "foreign0"],
        ip + ["route", "show", "dev", "foreign0"],
        ip + ["neigh", "show", "dev", "foreign0"],
        nft + ["list table inet other"], nft + ["list table bridge mine"]]
    return {"add": add, "remove": remove, "show": show}


# Counters of the kernel, and entries that it makes and forgets by itself.
FLEETING = re.compile(r"\btentative |(?:hello_timer|tcn_timer|topology_change_timer|"
                      r"gc_timer) +[\d.]+|^192\.0\.2\..*$|^2001:db8:1::.*$|"
                      r"^fe80::.*(?:REACHABLE|STALE|DELAY|PROBE|FAILED).*$",
                      re.M)


def foreign(args):
    for ns, home in [(args.prefix + "1", True), (args.netns, False)]:
        if args.what == "remove" and home:
            continue
        for command in foreign_of(ns, home)[args.what]:
            done = run(*command)
            if args.what == "show":
                print(" ".join(command))
                print(re.sub(r"\n+", "\n",
                             FLEETING.sub("", done.stdout)).strip())
            if done.returncode:
                print(" ".join(command), done.stderr)
                return 1
    return 0


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    p = verbs.add_parser("break")
    p.add_argument("prefix")
    p.add_argument("seed", type=int)
    p.add_argument("--but", action="append", default=[])
    p = verbs.add_parser("foreign")
    p.add_argument("what", choices=["add", "show", "remove"])
    p.add_argument("prefix")
    p.add_argument("netns")
    args = parser.parse_args()
    return damage(args) if args.verb == "break" else foreign(args)


if __name__ == "__main__":
    sys.exit(main())
