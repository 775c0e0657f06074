#!/usr/bin/python3
"""Times repairs of packet rules: by a daemon, and by hand, in alternation.

    daemon_rules.py PID ROUNDS NAMESPACE-PATTERN FIRST

PID is the daemon; it is stopped while a repair by hand is timed. Whoever
deletes rules makes the kernel wait for a grace period when it closes its socket
of nftables, and until that is over nobody else can change rules in that
namespace. Hence damage is done by the command nft, which ends at once, and by a
process that lives on; and a repair by hand is timed from the event on, as that
of the daemon, and once the damaging command has ended.
"""
import ctypes
import os
import select
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import daemon_heal as heal  # noqa: E402

NFT = ctypes.CDLL("libnftables.so.1")
NFT.nft_ctx_new.restype = ctypes.c_void_p
NFT.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
NFT.nft_ctx_free.argtypes = [ctypes.c_void_p]


def start(words, data):
    process = subprocess.Popen(words, stdin=subprocess.PIPE, text=True,
                               stdout=subprocess.DEVNULL)
    process.stdin.write(data)
    process.stdin.close()
    return process


def repair_by(commands):
    for words, data in commands:
        heal.run(words, data)


def watch(socks, damage, repair):
    """Seconds from the first message to the last; 'repair' at the first."""
    end = damage()
    first = last = None
    hands = []
    while True:
        ready, _, _ = select.select(socks, [], [], heal.QUIET)
        now = time.monotonic()
        if not ready:
            break
        for s in ready:
            s.recv(65536)
        if first is None:
            first = now
            hands = [start(*r) for r in repair or []]
        last = now
    end()
    for process in hands:
        process.wait()
    return last - first


def by_command(command):
    def run():
        return subprocess.Popen(command).wait
    return run


def by_library(command):
    """As 'by_command', but the process lives on until it is waited for."""
    def run():
        done, end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(end)
            ctx = NFT.nft_ctx_new(0)
            NFT.nft_run_cmd_from_buffer(ctx, " ".join(command[1:]).encode())
            os.read(done, 1)
            os._exit(0)
        os.close(done)

        def wait():
            os.close(end)
            os.waitpid(child, 0)
        return wait
    return run


def one(who, what, style, daemon):
    command, repair = heal.damage(what)
    if who != "daemon":
        os.kill(daemon, signal.SIGSTOP)
    try:
        if who == "after":
            heal.run(command)
            begin = time.monotonic()
            repair_by(repair)
            return time.monotonic() - begin
        socks = heal.listeners()
        by = by_command if style == "exits" else by_library
        took = watch(socks, by(command), repair if who == "event" else None)
        for s in socks:
            s.close()
        return took
    finally:
        os.kill(daemon, signal.SIGCONT)
        time.sleep(0.3)


def main():
    daemon, rounds, pattern = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    at = int(sys.argv[4])
    heal.first_of_all()
    kinds = [("exits", "daemon"), ("exits", "event"), ("exits", "after"),
             ("stays", "daemon"), ("stays", "event")]
    for what in ("rule", "nft"):
        times = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for style, who in kinds:
                heal.enter(pattern % at)
                at += 1
                times[style, who].append(one(who, what, style, daemon) * 1000)
        for style, who in kinds:
            t = times[style, who]
            print("%s, whoever broke it %s: %s %.2f (%.2f to %.2f)" % (
                what, style, who, statistics.median(t), min(t), max(t)))


if __name__ == "__main__":
    main()
