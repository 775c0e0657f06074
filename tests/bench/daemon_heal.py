#!/usr/bin/python3
"""Times the repairs of a daemon from outside, and the same repairs by hand.

    daemon_heal.py daemon|hand WHAT ROUNDS NAMESPACE-PATTERN FIRST

In each round something is broken in the namespace that the pattern and the
number of the round name. 'daemon' prints the time from the first message of
netlink, which is about the damage, to the last one, which is about its repair;
'hand' that of the commands that repair it, start of the processes included; in
milliseconds, one line a round. Each object is broken once: a daemon waits with
what breaks often.
"""
import ctypes
import os
import select
import socket
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
QUIET = 0.25
PATIENCE = 60

# What is to be again as it was, before a repair is over.
SHOWN = {
    "link": ["bridge", "fdb", "show", "dev", "x-s0"],
    "address": ["ip", "-4", "-o", "addr", "show", "dev", "b-s0"],
    "fdb": ["bridge", "fdb", "show", "dev", "x-s0"],
    "neighbour": ["ip", "neigh", "show", "dev", "b-s0", "nud", "permanent"],
    "route": ["ip", "-4", "route", "show", "proto", "84"],
    "rule": ["nft", "list", "chain", "inet", "tenet", "ingress"],
    "nft": ["nft", "list", "table", "inet", "tenet"],
}


def enter(name):
    fd = os.open("/run/netns/" + name, os.O_RDONLY)
    if LIBC.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns " + name)
    os.close(fd)


def run(command, data=None):
    subprocess.run(command, input=data, text=True, check=True,
                   stdout=subprocess.DEVNULL)


def output(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


def shown(what):
    found = subprocess.run(SHOWN[what], capture_output=True, text=True,
                           check=False).stdout
    # The address of a tunnel's device is another one each time.
    return sorted(line for line in found.splitlines()
                  if "fdb" not in SHOWN[what] or "extern_learn" in line)


def vxlan():
    """Commands that make the tunnel and its entries anew."""
    fields = output("ip", "-d", "-o", "link", "show", "x-s0").split()
    vni = fields[fields.index("id") + 1]
    alias = fields[fields.index("alias") + 1]
    entries = [line.replace(" extern_learn", "").replace(" permanent", "")
               for line in output("bridge", "fdb", "show", "dev",
                                  "x-s0").splitlines()
               if "dst" in line or "extern_learn" in line]
    batch = [f"fdb append {e.split()[0]} dev x-s0 " +
             (f"dst {e.split()[e.split().index('dst') + 1]} self"
              if "dst" in e else "master static") + " extern_learn"
             for e in entries]
    return [(["ip", "-batch", "-"],
             f"link add x-s0 mtu 1450 group 29806 type vxlan id {vni} local "
             "192.0.2.11 dstport 4789 nolearning ttl 64\n"
             f"link set x-s0 master b-s0 alias {alias} up\n"),
            (["bridge", "-batch", "-"],
             "link set dev x-s0 learning off neigh_suppress on\n" +
             "\n".join(batch) + "\n")]


def fdb():
    line = next(e for e in output("bridge", "fdb", "show", "dev",
                                  "x-s0").splitlines()
                if "dst" in e and not e.startswith("00:00"))
    words = line.split()
    return words[0], words[words.index("dst") + 1]


def chain():
    """The rules of a chain, as a file that adds them."""
    lines = output("nft", "list", "chain", "inet", "tenet",
                   "ingress").splitlines()
    rules = [line.strip() for line in lines[2:-2]]
    return "".join(f"add rule inet tenet ingress {rule}\n" for rule in rules
                   if rule and not rule.startswith("type "))


def damage(what):
    """What to break, and the commands that repair it."""
    if what == "link":
        return ["ip", "link", "del", "x-s0"], vxlan()
    if what == "address":
        words = output("ip", "-4", "-o", "addr", "show", "dev",
                       "b-s0").split()
        prefix = words[words.index("inet") + 1]
        return (["ip", "addr", "del", prefix, "dev", "b-s0"],
                [(["ip", "addr", "add", prefix, "dev", "b-s0"], None)])
    if what == "fdb":
        mac, remote = fdb()
        entry = [mac, "dev", "x-s0", "dst", remote, "self"]
        return (["bridge", "fdb", "del"] + entry,
                [(["bridge", "fdb", "append"] + entry + ["extern_learn"],
                  None)])
    if what == "neighbour":
        words = output("ip", "neigh", "show", "dev", "b-s0", "nud",
                       "permanent").splitlines()[0].split()
        entry = [words[0], "dev", "b-s0"]
        return (["ip", "neigh", "del"] + entry,
                [(["ip", "neigh", "add"] + entry +
                  ["lladdr", words[words.index("lladdr") + 1], "nud",
                   "permanent", "protocol", "84"], None)])
    if what == "route":
        words = output("ip", "-4", "route", "show", "proto",
                       "84").splitlines()[0].split()
        return (["ip", "route", "del"] + words,
                [(["ip", "route", "add"] + words + ["proto", "84"], None)])
    if what == "rule":
        return (["nft", "flush", "chain", "inet", "tenet", "ingress"],
                [(["nft", "-f", "-"], chain())])
    rules = output("nft", "list", "table", "inet", "tenet")
    return (["nft", "delete", "table", "inet", "tenet"],
            [(["nft", "-f", "-"], rules)])


def first_of_all():
    """A listener that waits for the processor sees damage and repair at once."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
                              os.sched_param(1))
    except OSError:
        print("# no real-time priority: times are too short", file=sys.stderr)


def listeners():
    route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    # Links, neighbours, addresses, routes.
    route.bind((0, 0x1 | 0x4 | 0x10 | 0x40 | 0x100))
    filters = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    filters.bind((0, 0))
    filters.setsockopt(270, 1, 7)  # NETLINK_ADD_MEMBERSHIP, nftables
    return [route, filters]


def listen(socks, command, what):
    """Seconds from the first message to the last one of the repair."""
    was = shown(what)
    process = subprocess.Popen(command)
    first = last = None
    end = time.monotonic() + PATIENCE
    while True:
        ready, _, _ = select.select(socks, [], [], QUIET)
        now = time.monotonic()
        if now > end:
            raise RuntimeError("not repaired: " + " ".join(command))
        if not ready:
            if first is not None and shown(what) == was:
                break
            continue
        for s in ready:
            s.recv(65536)
        first = first or now
        last = now
    if process.wait():
        raise RuntimeError(" ".join(command))
    return last - first


def main():
    who, what, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    pattern, start = sys.argv[4], int(sys.argv[5])
    if who == "daemon":
        first_of_all()
    for i in range(start, start + rounds):
        enter(pattern % i)
        command, repair = damage(what)
        if who == "daemon":
            socks = listeners()
            took = listen(socks, command, what)
            for s in socks:
                s.close()
        else:
            run(command)
            begin = time.monotonic()
            for words, data in repair:
                run(words, data)
            took = time.monotonic() - begin
        print("%.3f" % (took * 1000), flush=True)


if __name__ == "__main__":
    main()
