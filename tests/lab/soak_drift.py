#!/usr/bin/env python3
"""Drift of random kinds for a while, and proof that none of it was missed.

  soak_drift.py PREFIX SEED SECONDS --log LOG --out OUT [--mean S] [--patience S]
  soak_drift.py summary OUT

One drift a host at a time, at random moments. Each must be said in the daemon's
log, as drift of that host and as healed, and what 'ip', 'bridge', 'nft' and
'sysctl' show of the namespace must then be what they showed before. OUT gets
one JSON line for each. What changes nothing (a set that was empty is flushed)
is no drift and not counted.
"""
import argparse
import collections
import json
import os
import random
import re
import statistics
import sys
import time

import random_drift
from random_drift import listing, run, spaces

SYSCTLS = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding",
           "net.bridge.bridge-nf-call-iptables",
           "net.bridge.bridge-nf-call-ip6tables",
           "net.ipv4.conf.all.arp_ignore"]
OF_SLAVES = ["flood", "learning", "isolated", "hairpin", "mcast_flood",
             "neigh_suppress", "bcast_flood", "guard", "state"]
OF_LINKS = ["id", "local", "local6", "port", "learning", "stp_state",
            "mcast_snooping", "vlan_filtering", "mode"]


def without_handles(x):
    if isinstance(x, dict):
        return {k: sorted((without_handles(e) for e in v),
                          key=lambda e: json.dumps(e, sort_keys=True))
                if k == "elem" and isinstance(v, list) else without_handles(v)
                for k, v in x.items() if k not in ("handle", "packets",
                                                   "bytes")}
    return [without_handles(e) for e in x] if isinstance(x, list) else x


def rules(ns):
    """What tables hold; rules in their order, the rest sorted."""
    out = collections.defaultdict(list)
    whole = run("ip", "netns", "exec", ns, "nft", "-j", "list", "ruleset")
    for item in json.loads(whole.stdout or "{}").get("nftables", []):
        for what, it in item.items():
            if what != "metainfo":
                key = (what, it["family"], it.get("table", ""),
                       it.get("chain", it.get("name", "")))
                out[" ".join(key)].append(without_handles(it))
    return out


def picked(d, names):
    return {n: d[n] for n in names if n in d}


def links(ns):
    out = {}
    for x in listing("ip", "-d", "-j", "-n", ns, "link", "show"):
        info, name = x.get("linkinfo", {}), x["ifname"]
        set_by_us = name[:2] == "b-" or name in ("eth0", "net0")
        out[name] = {
            "mtu": x["mtu"], "up": "UP" in x["flags"],
            "master": x.get("master"), "group": x.get("group"),
            "alias": x.get("ifalias"), "kind": info.get("info_kind"),
            "address": x["address"] if set_by_us else None,
            "data": picked(info.get("info_data", {}), OF_LINKS),
            "port": picked(info.get("info_slave_data", {}), OF_SLAVES)}
    return out


def looks(ns):
    """The namespace in what tenet decides; None: there is none."""
    if run("ip", "netns", "exec", ns, "true").returncode:
        return None
    addresses = sorted(
        (x["ifname"], a["local"], a["prefixlen"], a.get("protocol", ""))
        for x in listing("ip", "-j", "-n", ns, "addr", "show") if "ifname" in x
        for a in x["addr_info"] if a["scope"] == "global")
    entries = sorted(
        (f["mac"], f["ifname"], f.get("dst", ""), f.get("master", ""))
        for f in listing("bridge", "-j", "-n", ns, "fdb", "show")
        if "extern_learn" in f.get("flags", []) or "dst" in f)
    neighbours = sorted(
        (n["dst"], n["dev"], n.get("lladdr", ""), str(n.get("protocol")))
        for n in listing("ip", "-j", "-n", ns, "neigh", "show", "nud",
                         "permanent"))
    routes = sorted(
        (v, r["dst"], r.get("gateway", ""), r.get("dev", ""),
         str(r.get("protocol")))
        for v in ("-4", "-6")
        for r in listing("ip", "-j", v, "-n", ns, "route", "show")
        if not r["dst"].startswith(("fe80:", "ff00:")) and
        not (r.get("protocol") == "kernel" and v == "-6"))
    sysctls = run("ip", "netns", "exec", ns, "sysctl", "-n", *SYSCTLS).stdout
    policy = sorted((v, r["priority"], r["src"], r["table"])
                    for v in ("-4", "-6")
                    for r in listing("ip", "-j", v, "-n", ns, "rule", "show"))
    return json.dumps([links(ns), addresses, entries, neighbours, routes,
                       policy if ".tn." in ns else "",
                       sysctls if ".tn." in ns else "", rules(ns)],
                      sort_keys=True)


def parts(state):
    """Of looks(), in pieces that can be read."""
    for part in json.loads(state or "[]"):
        if isinstance(part, dict):
            yield from ("%s: %s" % it for it in sorted(part.items()))
        else:
            yield str(part)


def of_names(ns, keep):
    """Kinds that random_drift.py does not have."""
    out = []
    for link in listing("ip", "-j", "-n", ns, "link", "show"):
        name = link["ifname"]
        if name[:2] not in ("b-", "x-", "p-", "l-"):
            continue
        out.append(["ip", "-n", ns, "link", "set", name, "name", "renamed"])
        out.append(["ip", "-n", ns, "link", "set", "dev", name, "group", "5"])
        if name[0] in "px":
            out.append(["bridge", "-n", ns, "link", "set", "dev", name,
                        "state", "0"])
        else:
            for switch in ("ipv4.conf.%s.forwarding=0",
                           "ipv4.conf.%s.proxy_arp=1",
                           "ipv4.conf.%s.rp_filter=1",
                           "ipv6.conf.%s.disable_ipv6=1"):
                out.append(["ip", "netns", "exec", ns, "sysctl", "-q", "-w",
                            "net." + switch % name])
        if name[:2] == "b-":
            # The bridge proves whose namespace it is.
            out.append(["ip", "-n", ns, "link", "set", "lo", "alias", "mine"])
            out.append(["ip", "-n", ns, "rule", "del", "pref", "32766"])
        if name[:2] == "x-":
            out.append(["bridge", "-n", ns, "fdb", "append",
                        "00:00:00:00:00:00", "dev", name, "dst", "192.0.2.98",
                        "extern_learn", "self"])
            out.append(["bridge", "-n", ns, "link", "set", "dev", name,
                        "neigh_suppress", "off"])
    return out


IN_VPCS = random_drift.IN_VPCS + [of_names]
IN_PORTS = random_drift.IN_PORTS


def kind_of(command):
    """'link del', 'nft flush', ..., without names."""
    words = [w for w in command if w not in ("ip", "netns", "exec", "-n", "-q",
                                             "-w", "-4", "-6")]
    if command[1:3] == ["netns", "del"]:
        return "namespace del"
    where = "far end " if "-hv" in " ".join(command[:4]) else ""
    if "sysctl" in words:
        return "sysctl"
    if "nft" in words:
        return "nft " + " ".join(words[-1].split()[:2])
    text = " ".join(command)
    for pattern, name in (
            (r"link set (dev )?\S+ (type bridge )?(\S+)", r"link \3"),
            (r"(link|addr|fdb|neigh|route) (\S+)", r"\1 \2")):
        found = re.search(pattern, text)
        if found:
            return where + found.expand(name)
    return where + words[0]


class Log:
    """The daemon's log from now on."""

    def __init__(self, path):
        self.file = open(path, encoding="utf-8", errors="replace")
        self.file.seek(0, os.SEEK_END)
        self.rest = ""

    def lines(self):
        *whole, self.rest = (self.rest + self.file.read()).split("\n")
        return whole


class Host:
    def __init__(self, number):
        self.name, self.number, self.drift = "hv%d" % number, number, None
        self.next = 0


class Soak:
    def __init__(self, args):
        self.args = args
        self.rng = random.Random("%d/soak" % args.seed)
        self.log = Log(args.log)
        self.good = {}
        self.bad = 0
        vpcs, ports = spaces(args.prefix)
        numbers = {self.host_of(n) for n in vpcs}
        self.hosts = {h.name: h for h in map(Host, sorted(numbers))}
        for ns in vpcs + ports:
            self.good[ns] = looks(ns)

    def host_of(self, ns):
        found = re.match(r"%s(?:-hv)?(\d+)" % re.escape(self.args.prefix), ns)
        return int(found.group(1))

    def break_one(self, host, now):
        vpcs, ports = spaces(self.args.prefix)
        vpcs = [n for n in vpcs if self.host_of(n) == host.number]
        ports = [n for n in ports if self.host_of(n) == host.number]
        for _ in range(30):
            if ports and self.rng.random() < 0.25:
                ns, make = self.rng.choice(ports), self.rng.choice(IN_PORTS)
            else:
                ns, make = self.rng.choice(vpcs), self.rng.choice(IN_VPCS)
            commands = make(ns, False)
            if not commands or ns not in self.good:
                continue
            command = self.rng.choice(commands)
            if self.changes_nothing(ns, command):
                continue
            began = time.monotonic()
            if run(*command).returncode == 0:
                host.drift = {"host": host.name, "ns": ns,
                              "kind": kind_of(command),
                              "command": " ".join(command), "at": began,
                              "seen": None, "healed": None, "told": False}
                return
        host.next = now + 1

    @staticmethod
    def changes_nothing(ns, command):
        """Flushing what is empty, setting what is so."""
        words = command[-1].split()
        exec_ = ["ip", "netns", "exec", ns]
        if "sysctl" in command:
            name, value = command[-1].split("=")
            return run(*exec_, "sysctl", "-n", name).stdout.strip() == value
        if "nft" in command and words[:2] in (["flush", "set"],
                                              ["flush", "map"]):
            shown = run(*exec_, "nft", "list", *words[1:]).stdout
            return "elements" not in shown
        if "nft" in command and words[:2] == ["flush", "chain"]:
            shown = run(*exec_, "nft", "list", *words[1:]).stdout
            return len(shown.split("\n")) < 6
        return False

    def read_log(self):
        now = time.monotonic()
        for line in self.log.lines():
            found = re.search(r" (hv\d+): (?:\S+: )?drift: (.*)", line)
            host = self.hosts.get(found.group(1)) if found else None
            if not host or not host.drift:
                continue
            d = host.drift
            if d["seen"] is None:
                d["seen"] = now
                d["told"] = ", told by: " in line
            if "; healed" in line and d["healed"] is None:
                d["healed"] = now

    def settle(self, host, now):
        d = host.drift
        late = now - d["at"] > self.args.patience
        if d["healed"] is None and not late:
            return
        same = looks(d["ns"]) == self.good[d["ns"]]
        if not same and not late:
            return
        d["missed"] = not same or d["healed"] is None
        if d["missed"]:
            self.bad += 1
            d["now"], d["before"] = looks(d["ns"]), self.good[d["ns"]]
        for name in ("seen", "healed"):
            d[name] = d[name] and round(1000 * (d[name] - d["at"]), 1)
        with open(self.args.out, "a", encoding="utf-8") as out:
            out.write(json.dumps(d) + "\n")
        host.drift = None
        host.next = now + self.rng.expovariate(1 / self.args.mean)

    def work(self):
        begun = time.monotonic()
        while True:
            now = time.monotonic()
            busy = False
            for host in self.hosts.values():
                if host.drift:
                    busy = True
                elif now - begun < self.args.seconds and now >= host.next:
                    self.break_one(host, now)
            self.read_log()
            for host in self.hosts.values():
                if host.drift:
                    self.settle(host, now)
            if now - begun >= self.args.seconds and not busy:
                break
            time.sleep(0.01)
        self.compare_all()
        return 1 if self.bad else 0

    def compare_all(self):
        """What is healed may have taken others along, which are healed."""
        until = time.monotonic() + self.args.patience
        differ = set(self.good)
        while differ and time.monotonic() < until:
            vpcs, ports = spaces(self.args.prefix)
            differ = {ns for ns in set(vpcs + ports) | set(self.good)
                      if looks(ns) != self.good.get(ns)}
            time.sleep(0.1)
        for ns in differ:
            print("# %s is not what it was:" % ns)
            for one, other in zip(parts(self.good.get(ns)), parts(looks(ns))):
                if one != other:
                    print("#   was %s\n#   now %s" % (one, other))
        self.bad += len(differ)


def summary(path):
    kinds = collections.defaultdict(list)
    drifts = [json.loads(line) for line in open(path, encoding="utf-8")]
    for d in drifts:
        kinds[d["kind"]].append(d)
    missed = [d for d in drifts if d["missed"]]
    done = [d for d in drifts if not d["missed"]]
    if done:
        for name in ("seen", "healed"):
            ms = sorted(d[name] for d in done)
            print("# %s after: median %.0f ms, p99 %.0f ms, most %.0f ms" % (
                name, statistics.median(ms), ms[int(len(ms) * 0.99)], ms[-1]))
    print("# " + ", ".join("%s %d" % (k, len(v))
                           for k, v in sorted(kinds.items())))
    for d in missed:
        print("# missed: %(host)s: %(command)s (seen %(seen)s, "
              "healed %(healed)s)" % d)
    print("%d drifts of %d kinds, %d told by events, %d missed" % (
        len(drifts), len(kinds), sum(d["told"] for d in drifts), len(missed)))
    return 1 if missed else 0


def main():
    if sys.argv[1:2] == ["summary"]:
        return summary(sys.argv[2])
    parser = argparse.ArgumentParser()
    parser.add_argument("prefix")
    parser.add_argument("seed", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--log", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--mean", type=float, default=1)
    parser.add_argument("--patience", type=float, default=30)
    return Soak(parser.parse_args()).work()


if __name__ == "__main__":
    sys.exit(main())
