#!/usr/bin/python3
"""A simulated NSX manager cluster: the Policy API over HTTPS, and its moods.

    nsx_simulator.py                       serves until Ctrl-C
    curl --cacert DIR/ca.pem -u admin:PASSWORD \\
        https://127.0.0.1:PORT/policy/api/v1/infra/tier-0s

Prints one JSON line when it is ready:

    {"urls": ["https://127.0.0.1:PORT", ...],
     "control": "http://127.0.0.1:PORT",
     "ca": FILE, "client_cert": FILE, "client_key": FILE, "principal": NAME,
     "user": "admin", "password_file": FILE, "pid": N}

It models what tenants use: Tier-0 (given), Tier-1, locale services, service
interfaces, static routes, NAT, segments, ports, DHCP, groups, security and
gateway policies, services, projects and VPCs, the hierarchical API, realised
state, search, paging, revisions, ownership, rate limits and sessions. The
control port sets faults and reads counters; the list of its calls is below.
"""
import argparse
import json
import os
import secrets
import signal
import ssl
import sys
import tempfile
import threading

# The source tree stays as it is: this runs from it.
sys.dont_write_bytecode = True

import certificates  # noqa: E402
import control  # noqa: E402
import fixtures  # noqa: E402
import settings as knobs  # noqa: E402
from access import Access, Limits  # noqa: E402
from faults import Counters, Fault, Faults  # noqa: E402
from routes import Policy  # noqa: E402
from server import Cluster  # noqa: E402
from store import Store  # noqa: E402


def options():
    more = ("settings (--set NAME=VALUE); [?]: no source says which reading\n"
            "is right, clients should live with both:\n%s\n\n%s\n"
            "A fault:\n\n    %s" % (knobs.describe(), control.__doc__,
                                   Fault.__doc__.strip()))
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of the first "
                        "node, the others follow; 0: any (default)")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--ca", metavar="DIR", help="certificates and the "
                        "password are kept there (default: a new directory)")
    parser.add_argument("--user", default="admin")
    parser.add_argument("--password", help="(default: made up, see "
                        "password_file)")
    parser.add_argument("--principal", default="tenet", help="common name "
                        "of the client certificate (default: %(default)s)")
    parser.add_argument("--product", metavar="VERSION",
                        help="product_version, as --set version=")
    parser.add_argument("--state", metavar="FILE", help="read at the start "
                        "if it exists, written at exit and on request")
    parser.add_argument("--ready", metavar="FILE", help="gets the JSON line")
    parser.add_argument("--log", metavar="FILE", help="a line a request "
                        "('-': standard error)")
    parser.add_argument("--set", action="append", default=[],
                        metavar="NAME=VALUE", help="see below")
    parser.add_argument("--tied", action="store_true", help="ends when "
                        "standard input does")
    return parser.parse_args()


class Simulator:
    def __init__(self, args):
        self.args = args
        self.settings = knobs.Settings()
        self.settings.change(dict(s.split("=", 1) for s in args.set))
        if args.product:
            self.settings.version = args.product
        self.folder = args.ca or tempfile.mkdtemp(prefix="nsx-simulator-")
        self.files = certificates.make(self.folder, args.principal)
        self.stop = threading.Event()
        self.store = Store(self.settings)
        self.store.overlay_zone = "%s/transport-zones/%s" % (
            fixtures.POINT, fixtures.OVERLAY_ZONE)
        self.access = Access(self.settings, args.nodes)
        self.access.principals[args.principal] = True
        self.store.principals = self.access.principals
        self.access.add_user(args.user, self.password())
        if args.state and os.path.exists(args.state):
            self.store.load(args.state)
        else:
            fixtures.install(self.store)
        self.start()

    def password(self):
        """The password, and a file of it."""
        self.password_file = os.path.join(self.folder, "password")
        text = self.args.password
        if text is None and os.path.exists(self.password_file):
            with open(self.password_file, encoding="utf-8") as source:
                return source.read().strip()
        text = text if text is not None else secrets.token_urlsafe(12) + "&+%"
        handle = os.open(self.password_file,
                         os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as out:
            out.write(text + "\n")
        return text

    def tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.files["server_cert"],
                                self.files["server_key"])
        context.load_verify_locations(self.files["ca"])
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def start(self):
        args, counters, faults = self.args, Counters(), Faults()
        policy = Policy(self.store, self.settings, faults, counters)
        self.cluster = Cluster(
            self.tls(), policy, self.access,
            Limits(self.settings, counters), faults, counters, self.settings)
        self.cluster.log = self.logger()
        self.cluster.start(args.host, args.port, args.nodes)
        self.control = control.serve(
            control.Control(self.cluster, self.store, self.save, self.clear,
                            self.stop.set), "127.0.0.1", args.control_port)

    def logger(self):
        out = None
        if self.args.log:
            out = sys.stderr if self.args.log == "-" else \
                open(self.args.log, "a", encoding="utf-8", buffering=1)
        recent = self.cluster.recent

        def log(line):
            recent.append(line)
            if len(recent) > 5000:
                del recent[:2500]
            if out:
                out.write(line + "\n")
        return log

    def save(self):
        if self.args.state:
            self.store.save(self.args.state + ".new")
            os.replace(self.args.state + ".new", self.args.state)

    def clear(self):
        with self.store.lock:
            fresh = Store(self.settings)
            for name in ("objects", "kids", "by_type", "referrers",
                         "purging", "held", "queue", "vifs"):
                setattr(self.store, name, getattr(fresh, name))
            fixtures.install(self.store)
            self.cluster.policy.index.reset()

    def ready(self):
        return {
            "urls": [node.url for node in self.cluster.nodes],
            "control": "http://127.0.0.1:%d" % self.control.server_port,
            "ca": self.files["ca"], "client_cert": self.files["client_cert"],
            "client_key": self.files["client_key"],
            "principal": self.args.principal, "user": self.args.user,
            "password_file": self.password_file, "pid": os.getpid()}


def announce(args, line):
    if args.ready:
        with open(args.ready + ".new", "w", encoding="utf-8") as out:
            out.write(line + "\n")
        os.replace(args.ready + ".new", args.ready)
    print(line, flush=True)


def main():
    args = options()
    try:
        simulator = Simulator(args)
    except (ValueError, OSError) as e:
        sys.exit("nsx_simulator.py: %s" % e)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: simulator.stop.set())
    announce(args, json.dumps(simulator.ready()))
    if args.tied:
        def watch():
            while sys.stdin.buffer.read(4096):
                pass
            simulator.stop.set()
        threading.Thread(target=watch, daemon=True).start()
    while not simulator.stop.wait(0.2):
        pass
    simulator.save()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
