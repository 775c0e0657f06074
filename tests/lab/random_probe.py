#!/usr/bin/env python3
"""Real packets against the oracle.

  random_probe.py furnish REPO   makes guests ready, with addresses behind them
  random_probe.py probe REPO     hundreds of verdicts
  random_probe.py steady REPO    pings until the file --stop appears

One process per port namespace knocks and answers at the same time: ICMP by
raw sockets, UDP, and TCP with more bytes than one packet carries. Every
question bears a number, and whoever gets it notes that, so that a packet that
arrived although its answer did not is found too. --phase is another number
each time: ports and identifiers of an earlier phase are in the tables of
connections.

'steady' pings between ends that the commit --rev leaves alone and says whether
one packet was lost or came twice.
"""
import argparse
import ctypes
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from random_oracle import (  # noqa: E402
    PROBED_PORTS, Broken, World, addr, untouched)

MESSAGE = 4000      # Bytes, by TCP: more than one packet.
AGAIN = [0.0, 0.3, 0.9, 2.0]
REFUSED = 0.8       # Seconds after which silence is a refusal ...
ALLOWED = 5.0       # ... unless an answer is expected.
libc = ctypes.CDLL(None, use_errno=True)


def enter(netns):
    fd = os.open("/run/netns/" + netns, os.O_RDONLY | os.O_CLOEXEC)
    if libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns", netns)
    os.close(fd)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    s = (s & 0xffff) + (s >> 16)
    return ~(s + (s >> 16)) & 0xffff


def family(a):
    return socket.AF_INET if a.version == 4 else socket.AF_INET6


def bound(a, kind, proto=0, port=0):
    """A socket on one address; waits until the address may be used."""
    s = socket.socket(family(a), kind, proto)
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for left in range(20, -1, -1):
        try:
            s.bind((str(a), port))
            return s
        except OSError:
            if not left:
                raise
            time.sleep(0.05)
    return s


class Icmp:
    """Echo requests and answers on one address."""

    def __init__(self, a):
        self.a = a
        proto = socket.IPPROTO_ICMP if a.version == 4 else 58
        self.s = bound(a, socket.SOCK_RAW, proto)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    def ask(self, to, ident, seq, data):
        kind = 8 if self.a.version == 4 else 128
        head = struct.pack("!BBHHH", kind, 0, 0, ident, seq)
        if self.a.version == 4:
            head = struct.pack("!BBHHH", kind, 0, checksum(head + data),
                               ident, seq)
        self.s.sendto(head + data, (str(to), 0))

    def read(self):
        """[(is an answer, sender, identifier, sequence, data)]"""
        out = []
        while True:
            try:
                data, peer = self.s.recvfrom(4096)
            except BlockingIOError:
                return out
            except OSError:
                continue
            if self.a.version == 4:
                data = data[(data[0] & 15) * 4:]
            if len(data) >= 8 and data[0] in (0, 8, 128, 129):
                _, _, _, ident, seq = struct.unpack("!BBHHH", data[:8])
                out.append((data[0] in (0, 129), addr(peer[0].split("%")[0]),
                            ident, seq, data[8:]))


# ---- one namespace ----------------------------------------------------------

class Agent:
    """Servers on all addresses of a namespace, and a client."""

    def __init__(self, netns, addresses, probes):
        enter(netns)
        self.netns, self.probes = netns, {p["n"]: p for p in probes}
        self.answers, self.seen, self.faults = {}, [], []
        self.readers, self.streams = {}, {}
        self.poll = select.epoll()
        self.icmp = {}
        for a in map(addr, addresses):
            try:
                self.serve(a)
            except OSError as e:
                self.faults.append("%s: %s: %s" % (netns, a, e))

    def watch(self, s, fn, events=select.EPOLLIN):
        self.readers[s.fileno()] = s, fn
        self.poll.register(s.fileno(), events)

    def forget(self, s):
        if s.fileno() in self.readers:
            self.poll.unregister(s.fileno())
            del self.readers[s.fileno()]
        s.close()

    def serve(self, a):
        self.icmp[a] = Icmp(a)
        self.watch(self.icmp[a].s, lambda s, e, a=a: self.on_icmp(a))
        for port in PROBED_PORTS:
            s = bound(a, socket.SOCK_DGRAM, 0, port)
            self.watch(s, self.on_question)
            s = bound(a, socket.SOCK_STREAM, 0, port)
            s.listen(64)
            self.watch(s, self.on_connection)

    # Servers.

    def on_question(self, s, _):
        data, peer = s.recvfrom(65536)
        self.seen.append(int(data.split()[0]))
        s.sendto(data.split()[0] + b" " + self.netns.encode(), peer)

    def on_connection(self, s, _):
        c, peer = s.accept()
        c.setblocking(False)
        self.seen.append(["tcp", peer[0], peer[1], s.getsockname()[1]])
        self.streams[c.fileno()] = b""
        self.watch(c, self.on_stream)

    def on_stream(self, c, _):
        try:
            data = c.recv(65536)
            got = self.streams[c.fileno()] = self.streams[c.fileno()] + data
            if len(got) == MESSAGE:
                answer = got.split()[0] + b" " + self.netns.encode() + b" "
                c.setblocking(True)
                c.settimeout(2)
                c.sendall(answer.ljust(MESSAGE, b"."))
            elif data:
                return
        except OSError:
            pass
        self.forget(c)

    # Client.

    def on_icmp(self, a):
        for answer, peer, _, _, data in self.icmp[a].read():
            if not data.startswith(b"tenet "):
                continue
            n = int(data.split()[1])
            if not answer:
                self.seen.append(n)
            elif n in self.probes and str(peer) == self.probes[n]["to"]:
                self.answers.setdefault(n, "")

    def on_answer(self, n, s, _):
        try:
            data = s.recv(65536)
        except OSError:
            return
        self.answers.setdefault(n, data.split()[1].decode())

    def on_tcp(self, n, s, events):
        p = self.probes[n]
        try:
            if events & select.EPOLLOUT and "sent" not in p:
                p["sent"], p["got"] = True, b""
                s.sendall((b"%d " % n).ljust(MESSAGE, b"."))
                self.poll.modify(s.fileno(), select.EPOLLIN)
                return
            data = s.recv(65536)
            p["got"] = p.get("got", b"") + data
            if len(p["got"]) == MESSAGE:
                self.answers[n] = p["got"].split()[1].decode()
            elif data:
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.forget(s)

    def ask(self, n, p, first):
        to, a = addr(p["to"]), addr(p["from"])
        if p["proto"] == "icmp":
            self.icmp[a].ask(to, p["ident"], 1, b"tenet %d " % n + b"." * 40)
        elif p["proto"] == "udp":
            if first:
                p["socket"] = bound(a, socket.SOCK_DGRAM, 0, p["sport"])
                self.watch(p["socket"],
                           lambda s, e: self.on_answer(n, s, e))
            p["socket"].sendto(b"%d ." % n, (str(to), p["port"]))
        elif first:
            s = bound(a, socket.SOCK_STREAM, 0, p["sport"])
            s.connect_ex((str(to), p["port"]))
            self.watch(s, lambda s, e: self.on_tcp(n, s, e),
                       select.EPOLLIN | select.EPOLLOUT)

    def pump(self, until):
        while True:
            left = until - time.monotonic()
            for fd, events in self.poll.poll(max(0, left)):
                if fd in self.readers:
                    s, fn = self.readers[fd]
                    fn(s, events)
            if left <= 0:
                return

    def knock(self):
        start, done = time.monotonic(), False
        for i, t in enumerate(AGAIN):
            for n, p in self.probes.items():
                if n not in self.answers and (p["expect"] or t < REFUSED):
                    try:
                        self.ask(n, p, i == 0)
                    except OSError:
                        pass  # No route is a refusal.
            end = start + (AGAIN + [ALLOWED])[i + 1]
            while time.monotonic() < end and not done:
                self.pump(min(end, time.monotonic() + 0.05))
                done = time.monotonic() > start + REFUSED and all(
                    n in self.answers for n, p in self.probes.items()
                    if p["expect"])
            if done:
                return


def agent(netns, addresses, probes, ready, go, stop, out):
    """The body of a child process; the pipes are file descriptors."""
    a = Agent(netns, addresses, probes)
    os.write(ready, b"x")
    select.select([go], [], [])
    a.knock()
    os.write(ready, b"x")
    while not select.select([stop], [], [], 0)[0]:
        a.pump(time.monotonic() + 0.02)
    a.pump(time.monotonic())
    with os.fdopen(out, "w") as f:
        json.dump([a.answers, a.seen, a.faults], f)


def run_agents(jobs):
    """[(netns, addresses, probes)] -> [[answers, seen, faults]]"""
    ready = os.pipe()
    go, stop = os.pipe(), os.pipe()
    outs, pids = [], []
    for netns, addresses, probes in jobs:
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                for fd in (ready[0], go[1], stop[1], r):
                    os.close(fd)
                agent(netns, addresses, probes, ready[1], go[0], stop[0], w)
                status = 0
            except Exception:  # pylint: disable=broad-except
                print("agent of " + netns + "\n" + traceback.format_exc(),
                      flush=True)
                os.write(ready[1], b"e")
            finally:
                os._exit(status)
        os.close(w)
        outs.append(os.fdopen(r))
        pids.append(pid)
    os.close(ready[1])

    def wait():
        for _ in jobs:
            if not select.select([ready[0]], [], [], 20)[0] or \
                    os.read(ready[0], 1) != b"x":
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                raise Broken("an agent failed")

    try:
        wait()
        os.close(go[1])
        wait()
        time.sleep(0.1)
        os.close(stop[1])
        return [json.loads(f.read()) for f in outs]
    finally:
        for pid in pids:
            os.waitpid(pid, 0)


# ---- verdicts ---------------------------------------------------------------

def questions(world, rng, most):
    """A sample of (end, address, protocol, port, who should answer)."""
    yes, no, own = [], [], []
    local = {}
    for e in world.ends:
        local.setdefault((e.tenant, e.port), set()).add(e.address)
    everywhere = sorted({e.address for e in world.ends},
                        key=lambda a: (a.version, a))
    for e in world.ends:
        if not e.behind:
            s = world.subnet(e.tenant, world.docs["Port", e.tenant, e.port])
            own += [(e, a, "icmp", 0, None) for a in world.gateways(s)
                    if a.version == e.address.version]
        for a in everywhere:
            if a.version != e.address.version or \
                    a in local[e.tenant, e.port]:
                continue
            for proto in ("icmp", "tcp", "udp"):
                for port in PROBED_PORTS if proto != "icmp" else [0]:
                    to = world.verdict(e, a, proto, port)
                    (yes if to else no).append((e, a, proto, port, to))
    return own, rng.sample(yes, min(len(yes), most)), \
        rng.sample(no, min(len(no), most))


def arrival(world, e, a, proto, port):
    """The namespace that gets the packet, whether it can answer or not."""
    to = world.arrival(e, a, proto, port)
    return world.netns(to) if to else None


def probe(args):
    world = World(args.repo)
    rng = random.Random("%d/probe/%d" % (args.seed, args.phase))
    own, yes, no = questions(world, rng, args.most)
    probes, by_netns, addresses = {}, {}, {}
    for e in world.ends:
        addresses.setdefault(world.netns(e), []).append(str(e.address))
    for n, (e, a, proto, port, to) in enumerate(own + yes + no):
        gateway = n < len(own)
        probes[n] = {
            "n": n, "from": str(e.address), "to": str(a), "proto": proto,
            "port": port, "expect": gateway or bool(to),
            "sport": 20000 + args.phase % 4 * 3000 + n,
            "ident": args.phase * 3000 % 60000 + n,
            "who": "" if gateway or proto == "icmp" or not to
                   else world.netns(to),
            "at": None if gateway else arrival(world, e, a, proto, port),
            "end": "%s/%s/%s %s" % e[:4]}
        by_netns.setdefault(world.netns(e), []).append(probes[n])
    jobs = [(netns, addresses[netns], by_netns.get(netns, []))
            for netns in sorted(addresses)]
    bad = judge(probes, jobs, run_agents(jobs))
    print("# %d answers expected of ports and %d of gateways, %d refusals"
          % (len(yes), len(own), len(no)))
    for line in bad[:40]:
        print(line)
    return 1 if bad else 0


def judge(probes, jobs, results):
    bad = []
    for (netns, _, mine), (answers, seen, faults) in zip(jobs, results):
        bad += faults
        for p in mine:
            got = answers.get(str(p["n"]))
            what = "%s -> %s %s %d" % (p["end"], p["to"], p["proto"],
                                       p["port"])
            if got is None and p["expect"]:
                bad.append(what + ": no answer")
            elif got is not None and not p["expect"]:
                bad.append(what + ": was answered by %s" % (got or "somebody"))
            elif got is not None and got != p["who"]:
                bad.append(what + ": answered by %s, not %s"
                           % (got, p["who"]))
        for s in seen:
            if isinstance(s, int):
                if probes[s]["at"] != netns:
                    bad.append("%s got %s, meant for %s" % (
                        netns, probes[s], probes[s]["at"]))
            elif not any(p["at"] == netns and p["proto"] == "tcp" and
                         [p["from"], p["sport"], p["port"]] == s[1:]
                         for p in probes.values()):
                bad.append("%s got a connection: %s" % (netns, s))
    return bad


# ---- pings that must not be disturbed ----------------------------------------

def steady_pairs(before, after, rng):
    quiet = set(untouched(before, after))
    ends = [e for e in before.ends if (e.tenant, e.port) in quiet
            and e in after.ends]
    pairs = []
    for e in ends:
        for f in ends:
            if (e.tenant, e.port) == (f.tenant, f.port):
                continue
            same = (e.tenant, e.vpc) == (f.tenant, f.vpc)
            if not same and any(
                    before.peers.get(v) != after.peers.get(v)
                    for v in ((e.tenant, e.vpc), (f.tenant, f.vpc))):
                continue
            if before.verdict(e, f.address, "icmp", 0) == f and \
                    after.verdict(e, f.address, "icmp", 0) == f:
                pairs.append((same, e, f))
    rng.shuffle(pairs)
    # Some of each: within a VPC, and by a peering.
    return [p[1:] for p in pairs if p[0]][:3] + \
        [p[1:] for p in pairs if not p[0]][:2]


def pinger(netns, a, to, ident, args):
    enter(netns)
    icmp, sent, got, last = Icmp(addr(a)), 0, {}, None
    while True:
        now = time.monotonic()
        if last is None and os.path.exists(args.stop):
            last = now
        if last is None or now < last + 0.2:
            icmp.ask(addr(to), ident, sent % 65536, b"steady %d" % sent)
            sent += 1
        elif now > last + 1.5 or len(got) == sent:
            break
        select.select([icmp.s], [], [], 0.004)
        for answer, _, i, _, data in icmp.read():
            if answer and i == ident and data.startswith(b"steady "):
                n = int(data.split()[1])
                got[n] = got.get(n, 0) + 1
        time.sleep(max(0, now + 0.004 - time.monotonic()))
    lost = [n for n in range(sent) if n not in got]
    twice = [n for n, k in got.items() if k > 1]
    bad = len(lost) > args.lost or bool(twice)
    print("%s# %s %s -> %s: %d sent, lost %d %s, twice %d %s" % (
        "not ok " if bad else "", netns, a, to, sent, len(lost), lost[:5],
        len(twice), twice[:5]), flush=True)
    return 1 if bad else 0


def steady(args):
    before = World(args.repo, args.old)
    after = World(args.repo, args.rev, strict=False)
    rng = random.Random("%d/steady" % args.seed)
    pids = []
    for i, (e, f) in enumerate(steady_pairs(before, after, rng)):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = pinger(before.netns(e), str(e.address),
                                str(f.address), 61000 + i, args)
            except Exception as error:  # pylint: disable=broad-except
                print("not ok # %s: %r" % (before.netns(e), error), flush=True)
            finally:
                os._exit(status)
        pids.append(pid)
    print("# %d pairs are pinged meanwhile" % len(pids), flush=True)
    return max([os.waitstatus_to_exitcode(os.waitpid(p, 0)[1])
                for p in pids] + [0])


def furnish(args):
    """Also forgets what guests remember of their neighbours: nothing tells
    them that an address or the gateway has another MAC address now."""
    world = World(args.repo)
    for netns in sorted({world.netns(e) for e in world.ends}):
        ip(netns, "neigh", "flush", "all")
        ip(netns, "addr", "flush", "dev", "lo", "scope", "global")
        drop_virtual(netns)
    for e in world.ends:
        if e.behind == "route":
            ip(world.netns(e), "addr", "replace", single(e.address),
               "dev", "lo")
        elif e.behind:
            # On the interface: it answers ARP and neighbour discovery.
            attach = world.docs["Port", e.tenant, e.port]["attach"]
            link = attach.get("interface", "eth0")
            ip(world.netns(e), "addr", "replace", single(e.address), "dev",
               link, *(["nodad"] if e.address.version == 6 else []))
            in_netns(world.netns(e), announce, e.address, link)
    return 0


def ip(netns, *command):
    return subprocess.run(["ip", "-n", netns, *command], check=True,
                          capture_output=True, text=True).stdout


def in_netns(netns, fn, *args):
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            enter(netns)
            fn(*args)
            status = 0
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1]:
        raise Broken("%s: %s failed" % (netns, fn.__name__))


def announce(a, link):
    """Tells all, as who takes over a virtual address does."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((link, 0))
    mac = s.getsockname()[4]
    if a.version == 4:
        s.send(b"\xff" * 6 + mac + struct.pack("!HHHBBH", 0x806, 1, 0x800, 6, 4,
                                               1) +
               mac + a.packed + bytes(6) + a.packed)
        return
    everybody = addr("ff02::1").packed
    body = struct.pack("!I", 0x20000000) + a.packed + b"\x02\x01" + mac
    pseudo = a.packed + everybody + struct.pack("!II", len(body) + 4, 58)
    head = struct.pack("!BBH", 136, 0, 0)
    head = struct.pack("!BBH", 136, 0, checksum(pseudo + head + body))
    s.send(b"\x33\x33\x00\x00\x00\x01" + mac + struct.pack(
        "!HIHBB", 0x86dd, 6 << 28, len(body) + 4, 58, 255) +
        a.packed + everybody + head + body)


def single(a):
    return "%s/%d" % (a, a.max_prefixlen)


def drop_virtual(netns):
    """Addresses that an earlier phase gave to an interface."""
    for link in json.loads(ip(netns, "-j", "addr", "show")):
        for a in link.get("addr_info", []):
            if link["ifname"] != "lo" and a["scope"] == "global" and \
                    a["prefixlen"] == (32 if a["family"] == "inet" else 128):
                ip(netns, "addr", "del", single(addr(a["local"])), "dev",
                   link["ifname"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["furnish", "probe", "steady"])
    parser.add_argument("repo")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--phase", type=int, default=0)
    parser.add_argument("--most", type=int, default=250)
    parser.add_argument("--old", default="HEAD~1")
    parser.add_argument("--rev", default="HEAD")
    parser.add_argument("--stop", default="")
    parser.add_argument("--lost", type=int, default=0)
    args = parser.parse_args()
    what = {"furnish": furnish, "probe": probe, "steady": steady}[args.what]
    try:
        return what(args)
    except Broken as e:
        print(e)
        return 1


if __name__ == "__main__":
    sys.exit(main())
