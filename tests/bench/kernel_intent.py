#!/usr/bin/python3
"""Segments for the kernel bench: as an intent, and as batches for ip and bridge.

    kernel_intent.py --segments 1000 --vpcs 10 --prefix tbench --out DIR

Writes DIR/intent (a repository's files), DIR/create.<vpc>.{ip,bridge},
DIR/far.<vpc>.ip and DIR/delete.<vpc>.ip: the same objects as tenet makes of the
intent, marks included, but for the packet rules. A segment is a bridge with its
gateway address, a vxlan device, a veth pair into a workload's namespace, four
flood entries, for each of four remote ports an FDB entry in the tunnel and one
in the bridge, and five neighbours.

DIR/plain.<vpc>.{ip,bridge} say the same as one would by hand: no marks, no
tuning, the workload's end in the same namespace.
"""

import argparse
import os

REMOTES = 4
MARK = "group 29806"
ONE = "numtxqueues 1 numrxqueues 1"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def mac(vpc, subnet, port):
    return (f"02:{0xbe + vpc // 256:02x}:{vpc % 256:02x}:{subnet // 256:02x}:"
            f"{subnet % 256:02x}:{port:02x}")


def net(subnet):
    return f"10.{subnet // 250}.{subnet % 250}"


def repository(args, out):
    write(f"{out}/tenet.yml", f"""\
apiVersion: tenet/v1
kind: Settings
metadata: {{name: {args.prefix}}}
spec:
  budgets: {{maxDeletes: 1000000, maxDeletesPerTenant: 1000000,
            maxDeletePercent: 100}}
""")
    hosts = ["all:", "  hosts:",
             f"    hv1: {{tenet_driver: kernel, tenet_kernel_netns: "
             f"{args.prefix}1, tenet_underlay_address: 192.0.2.11}}"]
    for i in range(REMOTES):
        hosts.append(f"    hv{i + 2}: {{tenet_driver: kernel, "
                     f"tenet_kernel_netns: {args.prefix}{i + 2}, "
                     f"tenet_underlay_address: "
                     f"192.0.2.{12 + i}}}")
    write(f"{out}/inventories/bench/hosts.yml", "\n".join(hosts) + "\n")
    write(f"{out}/tenants/bench/tenant.yml",
          "apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: bench}\n"
          "spec: {}\n")
    for v in range(args.vpcs):
        docs = vpc_documents(args, v)
        for i in range(0, len(docs), 500):
            write(f"{out}/tenants/bench/v{v}-{i // 500}.yml",
                  "---\n".join(docs[i:i + 500]))


def vpc_documents(args, v):
    n = args.segments // args.vpcs
    docs = [f"apiVersion: tenet/v1\nkind: Vpc\nmetadata: {{name: v{v}}}\n"
            "spec:\n  cidrs: [10.0.0.0/8]\n  subnets:\n" +
            "".join(f"    - {{name: s{s}, cidr: {net(s)}.0/24, "
                    f"vni: {10000 + v * n + s}}}\n" for s in range(n))]
    for s in range(n):
        for p in range(REMOTES + 1):
            attach = (f"{{netns: {args.prefix}-far{v}, interface: e{s}, "
                      "defaultRoute: false}" if p == 0 else
                      f"{{netns: x{v}-{s}-{p}}}")
            docs.append(
                "apiVersion: tenet/v1\nkind: Port\n"
                f"metadata: {{name: v{v}-s{s}-p{p}}}\n"
                f"spec: {{vpc: v{v}, subnet: s{s}, host: hv{p + 1}, "
                f"mac: \"{mac(v, s, p)}\", address: {net(s)}.{10 + p}, "
                f"attach: {attach}}}\n")
    return docs


def batches(args, out):
    n = args.segments // args.vpcs
    for v in range(args.vpcs):
        far = f"{args.prefix}-bfar{v}"
        ip, bridge, peer, delete = [], [], [], []
        plain, plain_bridge = [], []
        for s in range(n):
            b, x, p = f"b-s{s}", f"x-s{s}", f"p-s{s}"
            tunnel = (f"type vxlan id {10000 + v * n + s} local 192.0.2.11 "
                      "dstport 4789 nolearning")
            ip += [
                f"link add {b} address {mac(v, s, 255)} {MARK} {ONE} "
                "type bridge mcast_snooping 0",
                f"link add {x} mtu 1450 {MARK} {ONE} {tunnel} ttl 64",
                f"link set {x} master {b} alias tenet:bench:vxlan/{x} up",
                f"link add {p} mtu 1450 {MARK} {ONE} type veth peer name e{s} "
                f"address {mac(v, s, 0)} mtu 1450 {MARK} {ONE} netns {far}",
                f"link set {p} master {b} alias tenet:bench:port/{p} up",
                f"link set {b} mtu 1450 alias tenet:bench:bridge/{b} up",
                f"addr add {net(s)}.1/24 dev {b}",
                f"neigh add {net(s)}.10 lladdr {mac(v, s, 0)} dev {b} "
                "nud permanent protocol 84",
            ]
            plain += [
                f"link add {b} type bridge",
                f"link add {x} {tunnel}",
                f"link set {x} master {b} up",
                f"link add {p} type veth peer name e{s}",
                f"link set {p} master {b} up",
                f"link set e{s} up",
                f"link set {b} up",
                f"addr add {net(s)}.1/24 dev {b}",
            ]
            bridge += [f"link set dev {x} learning off neigh_suppress on",
                       f"link set dev {p} learning off flood off"]
            for r in range(REMOTES):
                vtep, m = f"192.0.2.{12 + r}", mac(v, s, r + 1)
                entries = [
                    f"fdb append 00:00:00:00:00:00 dev {x} dst {vtep} self",
                    f"fdb append {m} dev {x} dst {vtep} self",
                    f"fdb append {m} dev {x} master static",
                ]
                bridge += [f"{entry} extern_learn" for entry in entries]
                plain_bridge += entries
                neigh = (f"neigh add {net(s)}.{11 + r} lladdr {m} dev {b} "
                         "nud permanent")
                ip.append(f"{neigh} protocol 84")
                plain.append(neigh)
            bridge.append(f"fdb append {mac(v, s, 0)} dev {p} master static "
                          "extern_learn")
            peer += [f"addr add {net(s)}.10/24 dev e{s}",
                     f"link set e{s} addrgenmode none "
                     f"alias tenet:bench:port/{p} up"]
            delete += [f"link del {x}", f"link del {p}", f"link del {b}"]
        for name, lines in ((f"create.{v}.ip", ip), (f"far.{v}.ip", peer),
                            (f"create.{v}.bridge", bridge),
                            (f"plain.{v}.ip", plain),
                            (f"plain.{v}.bridge", plain_bridge),
                            (f"delete.{v}.ip", delete)):
            write(f"{out}/{name}", "\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=1000)
    parser.add_argument("--vpcs", type=int, default=10)
    parser.add_argument("--prefix", default="tbench")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    repository(args, f"{args.out}/intent")
    batches(args, args.out)


main()
