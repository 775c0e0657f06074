#!/usr/bin/env python3
"""The verdicts of 'tenet reach', asked by packets and compared with the oracle.

  reach_probe.py REPO [--seed N] [--most N] [--phase N]

Asks 'tenet reach' once for each end, what it reaches of all addresses, and
compares every pair of ends, protocol and port with random_oracle.py, which
reads nothing but the documents. Then a sample of the verdicts, allowed and
refused, is asked by real packets as random_probe.py does, which knows here
only what 'tenet reach' said.
"""
import json
import os
import re
import subprocess
import sys

import random_oracle
import random_probe
from random_oracle import PROBED_PORTS, Broken, addr


def in_traffic(text, proto, port):
    """Is it in "tcp 22, 80-90; udp; icmp"?"""
    if text in ("anything", "nothing"):
        return text == "anything"
    for part in text.split("; "):
        name, _, ports = part.partition(" ")
        if name == proto:
            return not ports or random_oracle.in_ports(
                port, [p.strip() for p in ports.split(",")])
    return False


class ReachWorld(random_oracle.World):
    """A world whose verdicts are the program's."""

    def __init__(self, repo, *args, **kwargs):
        super().__init__(repo, *args, **kwargs)
        self.repo = repo
        self.answers = {e: self.ask(e) for e in self.ends}
        self.by_address = {(e.tenant, e.vpc, e.port, e.address): e
                           for e in self.ends}

    def ask(self, end):
        place = "%s/%s/%s" % (end.tenant, end.vpc, end.address)
        everything = "0.0.0.0/0" if end.address.version == 4 else "::/0"
        out = subprocess.run(
            [os.environ["TENET"], "reach", "-C", self.repo, "--from", place,
             "--to", everything, "--output", "json"],
            check=True, capture_output=True, text=True).stdout
        parts = []
        for p in json.loads(out)["parts"]:
            first, _, last = p["to"].partition("-")
            if p["from"] == "-":
                continue  # No port may send from there.
            if addr(p["from"]) != end.address:
                raise Broken("%s was asked about, not %s"
                             % (end.address, p["from"]))
            # Others may have the address, too, but do not hold it.
            if not re.search(r"\bport %s(?:'s own$| may )" % end.port,
                             p["steps"][0]["text"]):
                continue
            parts.append((addr(first), addr(last or first), p))
        return parts

    def parts(self, source, a):
        """More than one where several ports may have the address."""
        found = [p for first, last, p in self.answers[source]
                 if first.version == a.version and first <= a <= last]
        if not found and (not source.behind or self.may_use(source)):
            raise Broken("%s: no part for %s" % (source, a))
        return found

    def verdict(self, source, a, proto, port):
        return self.says(source, a, proto, port)

    def of_another(self, source, part, a):
        """Several ports may have the address, and the answer is of the first
        of them by name, which is not the one that holds it."""
        if part["port"] is None:
            return any(a in n
                       for n in self.allowed(source.tenant, source.port))
        tenant, vpc = part["vpc"].split("/")
        return (tenant, vpc, part["port"], a) not in self.by_address and any(
            e.behind and e.address == a and (e.tenant, e.vpc) == (tenant, vpc)
            for e in self.ends)

    def verdict_of_documents(self, source, a, proto, port, answered):
        if answered:
            return super().verdict(source, a, proto, port)
        return super().arrival(source, a, proto, port)

    def says(self, source, a, proto, port, answered=True):
        if source.address.version != a.version:
            return None
        parts = self.parts(source, a)
        if any(self.of_another(source, p, a) for p in parts):
            return self.verdict_of_documents(source, a, proto, port, answered)
        for p in parts:
            if p["answered"] >= answered and p["port"] is not None and \
                    in_traffic(p["passes"], proto, port):
                # Who may have the address but does not hold it is no end.
                end = self.by_address.get(
                    (*p["vpc"].split("/"), p["port"], a))
                if end:
                    return end
        return None


def name(end):
    return "%s/%s/%s %s" % end[:4] if end else "nobody"


def compare(world):
    """Lines where the program and the oracle differ; how much was asked."""
    bad, yes, no = [], 0, 0
    everywhere = {e.address for e in world.ends}
    for e in world.ends:
        for a in everywhere:
            if a.version != e.address.version or a == e.address:
                continue
            mine = [f for f in world.ends if f.address == a and
                    (f.tenant, f.port) == (e.tenant, e.port)]
            for proto in ("icmp", "tcp", "udp", "sctp"):
                for port in PROBED_PORTS if proto != "icmp" and not mine \
                        else [0] if not mine else []:
                    says = world.says(e, a, proto, port)
                    is_ = random_oracle.World.verdict(
                        world, e, a, proto, port)
                    yes, no = yes + bool(is_), no + (not is_)
                    if says != is_:
                        bad.append("%s -> %s %s %d: reach says %s, oracle %s"
                                   % (name(e), a, proto, port, name(says),
                                      name(is_)))
        if not e.behind:
            s = world.subnet(e.tenant, world.docs["Port", e.tenant, e.port])
            for g in world.gateways(s):
                if g.version == e.address.version and \
                        world.parts(e, g)[0]["passes"] != "icmp":
                    bad.append("%s -> gateway %s" % (e, g))
    return bad, yes, no


def main():
    repo = sys.argv[1]
    try:
        world = ReachWorld(repo)
        bad, yes, no = compare(world)
    except (Broken, subprocess.CalledProcessError) as e:
        print(e, getattr(e, "stderr", ""))
        return 1
    print("# the oracle agrees on %d reachable and %d unreachable" % (yes, no))
    for line in bad[:40]:
        print(line)
    if bad:
        return 1
    random_probe.World = lambda _: world
    sys.argv[1:2] = ["probe", repo]
    return random_probe.main()


if __name__ == "__main__":
    sys.exit(main())
