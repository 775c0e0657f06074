#!/usr/bin/python3
"""Random intents on a simulated NSX: what the store lets through is what the
documents say, and what 'tenet reach' says.

    property_test.py TENET [SEED...] [--steps N] [--mode project|vpc]

For each seed a random repository (tests/lab/random_intent.py) is applied, then
changed and applied again. Each time every pair of ports is asked, in all of
their addresses, protocols and some ports:
  - the oracle of the store (reach.py), which knows nothing of tenet;
  - the oracle of the documents (tests/lab/random_oracle.py), which reads
    nothing else;
  - 'tenet reach'.
After each apply a second one has nothing to do, and at the end nothing of ours
is left.

What the documents mean beyond NSX is left out of the intents: ports of SCTP.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lab"))

import fixtures  # noqa: E402
import random_intent  # noqa: E402
import random_oracle  # noqa: E402
import reach  # noqa: E402
from lab import Lab  # noqa: E402

PORTS = random_oracle.PROBED_PORTS
INSTANCE = "nprop"
KEEP = os.environ.get("KEEP")


class Failed(Exception):
    pass


class Run:
    def __init__(self, args, lab, folder, seed):
        self.tenet, self.mode = os.path.abspath(args.tenet), args.mode
        self.lab, self.seed = lab, seed
        self.hops = getattr(args, "hops", False)
        self.repo = os.path.join(folder, "repo%d" % seed)
        self.env = {**os.environ, "TENET_STATE_DIR":
                    os.path.join(folder, "state%d" % seed)}
        os.makedirs(self.repo)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Test")
        self.git("config", "user.email", "test@example.org")

    def git(self, *args):
        subprocess.run(["git", "-C", self.repo, *args], check=True)

    def ask(self, *args):
        done = subprocess.run([self.tenet, args[0], "-C", self.repo,
                               *args[1:]], env=self.env, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        return done.returncode, done.stdout, done.stderr

    def host(self):
        """The variables of the manager."""
        edges = {} if self.mode == "vpc" else {
            "tenet_nsx_edge_cluster": "%s/edge-clusters/%s" % (
                fixtures.POINT, fixtures.EDGE_CLUSTER),
            "tenet_nsx_transport_zone": "%s/transport-zones/%s" % (
                fixtures.POINT, fixtures.OVERLAY_ZONE),
            "tenet_nsx_spoofguard":
                "/infra/spoofguard-profiles/default-spoofguard-profile"}
        project = {"tenet_nsx_project": "prop"} if self.mode else {}
        vpc = {"tenet_nsx_vpc": True} if self.mode == "vpc" else {}
        return {"tenet_driver": "nsx",
                "tenet_nsx_url": self.lab.info["urls"][0],
                "tenet_nsx_user": self.lab.info["user"],
                "tenet_nsx_password_file": self.lab.info["password_file"],
                "tenet_nsx_ca": self.lab.info["ca"],
                **edges, **project, **vpc}

    def plain(self, made):
        """Only what a VPC of NSX can be."""
        for docs in made.tenants.values():
            docs["Peering"] = {}
            for name, vpc in docs["Vpc"].items():
                vpc["subnets"] = [
                    {k: v for k, v in s.items() if k not in
                     ("cidr6", "gateway", "gateway6")}
                    for s in vpc["subnets"] if ":" not in s["cidr"]] or [
                        {"name": "only", "cidr": vpc["cidrs"][0][:-3] +
                         "/24"}]
                vpc.pop("routes", None)
                names = [s["name"] for s in vpc["subnets"]]
                for port in docs["Port"].values():
                    if port["vpc"] == name:
                        port.pop("address6", None)
                        if port["subnet"] not in names:
                            port.pop("address", None)
                            port["subnet"] = names[0]

    def write(self, step):
        made = random_intent.Intent(
            random_intent.random.Random("%d/intent" % self.seed), 2, INSTANCE,
            self.hops)
        for i in range(step):
            made.rng = random_intent.random.Random(
                "%d/change/%d" % (self.seed, i))
            made.mutate(lambda text: None)
        for kinds in made.tenants.values():
            for group in kinds["SecurityGroup"].values():
                for rule in group["rules"]:
                    if rule.get("protocol") == "sctp":
                        rule.pop("ports", None)
        if self.mode == "vpc":
            self.plain(made)
        made.write(self.repo)
        random_intent.put(self.repo, "inventories/lab/hosts.yml", [{"all": {
            "vars": {"tenet_underlay_mtu": 1700}, "hosts": {
                "n1": self.host(), "hv1": {"tenet_nsx": "n1"},
                "hv2": {"tenet_nsx": "n1"}}}}])
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "step %d" % step)

    def apply(self, what, *more):
        code, said, err = self.ask("apply", "--yes", *more)
        if code:
            raise Failed("%s: exit %d\n%s" % (what, code,
                                              (said + err)[-3000:]))

    def reaches(self, end):
        """What the program says that one end reaches: parts of its JSON."""
        place = "%s/%s/%s" % (end.tenant, end.vpc, end.address)
        everything = "0.0.0.0/0" if end.address.version == 4 else "::/0"
        code, said, err = self.ask("reach", "--from", place, "--to",
                                   everything, "--output", "json")
        if code:
            raise Failed("reach %s: exit %d\n%s" % (place, code, err))
        parts = []
        for p in json.loads(said)["parts"]:
            if p["from"] == str(end.address) and p["answered"] and p["port"]:
                low, _, high = p["to"].partition("-")
                parts.append((random_oracle.addr(low),
                              random_oracle.addr(high or low), p))
        return parts


def in_traffic(text, proto, port):
    """Is it in "tcp 22, 80-90; udp; icmp"?"""
    for part in text.split("; "):
        name, _, ports = part.partition(" ")
        if text == "anything" or (name == proto and (
                not ports or random_oracle.in_ports(
                    port, [p.strip() for p in ports.split(",")]))):
            return True
    return False


def port_paths(objects):
    """(tenant, port) -> path, by our tags."""
    out = {}
    for path, obj in objects.items():
        tags = {t["scope"]: t["tag"] for t in obj.get("tags", ())}
        if obj["resource_type"] in ("SegmentPort", "VpcSubnetPort") and \
                tags.get("tenet/instance") == INSTANCE:
            tenant, _, _, name = tags["tenet/key"].split("/")
            out[tenant, name] = path
    return out


def compare(run, what):
    objects = run.lab.objects()
    store = reach.Reach(objects)
    world = random_oracle.World(run.repo)
    paths = port_paths(objects)
    ends = [e for e in world.ends if not e.behind]
    missing = {(e.tenant, e.port) for e in ends} - set(paths)
    if missing or len(paths) != len({(e.tenant, e.port) for e in ends}):
        raise Failed("%s: ports in the store are not those of the intent: %s"
                     % (what, missing))
    everywhere = {e.address for e in ends}
    own = {("%s/%s" % (e.tenant, e.vpc), e.port, e.address) for e in ends}
    count = collections.Counter()
    wrong = []
    for e in ends:
        parts = run.reaches(e)
        for a in everywhere:
            if a.version != e.address.version or a == e.address:
                continue
            for proto in ("icmp", "tcp", "udp", "sctp"):
                for port in PORTS if proto in ("tcp", "udp") else [0]:
                    meant = world.verdict(e, a, proto, port)
                    if meant and meant.behind:
                        continue  # Whoever is behind a port is not in a store.
                    want = paths[meant.tenant, meant.port] if meant else None
                    found = store.ask(
                        paths[e.tenant, e.port], a, "icmp6" if proto == "icmp"
                        and a.version == 6 else proto, port,
                        source=e.address)
                    have = found.get("holder") \
                        if found["verdict"] == "yes" else None
                    says = any(low <= a <= high and in_traffic(
                        p["passes"], proto, port) for low, high, p in parts
                        if low.version == a.version and
                        (p["vpc"], p["port"], a) in own)
                    count[bool(want)] += 1
                    if have != want or says != bool(want):
                        wrong.append(
                            "%s/%s %s -> %s %s %d: documents %s, reach %s, "
                            "store %s" % (e.tenant, e.port, e.address, a,
                                          proto, port, want, says,
                                          json.dumps(found)))
    if wrong:
        raise Failed("%s: %d of %d differ\n%s" % (
            what, len(wrong), sum(count.values()), "\n".join(wrong[:10])))
    return count


def ours(objects):
    return [p for p, o in objects.items() if any(
        t.get("scope") == "tenet/instance" for t in o.get("tags", ()))]


def one(run, steps, total):
    for step in range(steps + 1):
        what = "seed %d, step %d" % (run.seed, step)
        run.write(step)
        run.apply(what)
        total.update(compare(run, what))
        code, said, _ = run.ask("plan", "--detailed-exitcode")
        if code:
            raise Failed("%s: a second plan: exit %d\n%s" % (what, code,
                                                             said[-2000:]))
    if KEEP:
        return
    code, said, _ = run.ask("destroy", "--yes")
    left = ours(run.lab.objects())
    if code or left:
        raise Failed("seed %d: destroy: exit %d, left %s\n%s" % (
            run.seed, code, left[:5], said[-2000:]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tenet")
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--mode", choices=("", "project", "vpc"), default="",
                        help="the default space, a project, or VPCs of one")
    parser.add_argument("--hops", action="store_true", help="virtual "
                        "addresses and default routes, too")
    args = parser.parse_args()
    total = collections.Counter()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="nsx-property-") as folder, \
            Lab("--set", "purge_delay=0.05", "--set", "realise_delay=0.02",
                "--set", "entities_delay=0", "--set",
                "vif_same_request=accept", "--set", "version=9.0.0.0.0",
                folder=folder) as lab:
        for seed in args.seeds:
            if args.mode:
                lab.ok("PATCH", "/orgs/default/projects/prop", {
                    "resource_type": "Project", "id": "prop"})
            try:
                one(Run(args, lab, folder, seed),
                    args.steps, total)
            except Failed as e:
                print("not ok", e)
                failed += 1
                lab.control("POST", "/clear", {})
            else:
                print("ok seed", seed, flush=True)
                if KEEP:
                    lab.control("POST", "/clear", {})
    print("# %d reachable, %d unreachable, of three opinions" % (
        total[True], total[False]))
    sys.exit(1 if failed or not total[True] or not total[False] else 0)


if __name__ == "__main__":
    main()
