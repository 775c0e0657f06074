#!/usr/bin/python3
"""Segments for the kernel bench: as an intent, and as batches for ip and bridge.

    kernel_intent.py --segments 1000 --vpcs 10 --prefix tbench --out DIR

Writes DIR/intent (a repository's files), DIR/netns (the namespaces the batches
need), DIR/create.<vpc>.{ip,bridge} and DIR/far.<vpc>.ip and DIR/delete.<vpc>.ip:
the same objects as tenet makes of the intent, but for the packet rules. A
segment is a bridge with its gateway address, a vxlan device, a veth pair into
a workload's namespace, four flood entries, and for each of four remote ports
an FDB entry in the tunnel, one in the bridge and a neighbour.
"""

import argparse
import os

REMOTES = 4


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def mac(vpc, subnet, port):
    return f"02:be:{vpc:02x}:{subnet // 256:02x}:{subnet % 256:02x}:{port:02x}"


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
    names = []
    for v in range(args.vpcs):
        vpc, far = f"{args.prefix}-b{v}", f"{args.prefix}-bfar{v}"
        names += [vpc, far]
        ip, bridge, peer, delete = [], [], [], []
        for s in range(n):
            b, x, p = f"b-s{s}", f"x-s{s}", f"p-s{s}"
            ip += [
                f"link add {b} address {mac(v, s, 255)} type bridge "
                "mcast_snooping 0",
                f"link add {x} type vxlan id {10000 + v * n + s} local "
                "192.0.2.11 dstport 4789 nolearning",
                f"link set {x} master {b} mtu 1450 up",
                f"link add {p} mtu 1450 type veth peer name e{s} address "
                f"{mac(v, s, 0)} mtu 1450 netns {far}",
                f"link set {p} master {b} up",
                f"link set {b} mtu 1450 up",
                f"addr add {net(s)}.1/24 dev {b}",
            ]
            bridge += [f"link set dev {x} learning off neigh_suppress on",
                       f"link set dev {p} learning off flood off"]
            for r in range(REMOTES):
                vtep, m = f"192.0.2.{12 + r}", mac(v, s, r + 1)
                bridge += [
                    f"fdb append 00:00:00:00:00:00 dev {x} dst {vtep} self",
                    f"fdb append {m} dev {x} dst {vtep} self",
                    f"fdb append {m} dev {x} master static",
                ]
                ip.append(f"neigh add {net(s)}.{11 + r} lladdr {m} dev {b} "
                          "nud permanent")
            bridge.append(f"fdb append {mac(v, s, 0)} dev {p} master static")
            peer += [f"addr add {net(s)}.10/24 dev e{s}",
                     f"link set e{s} up"]
            delete += [f"link del {x}", f"link del {p}", f"link del {b}"]
        for name, lines in (("create", ip), ("delete", delete)):
            write(f"{out}/{name}.{v}.ip", "\n".join(lines) + "\n")
        write(f"{out}/create.{v}.bridge", "\n".join(bridge) + "\n")
        write(f"{out}/far.{v}.ip", "\n".join(peer) + "\n")
    write(f"{out}/netns", "\n".join(names) + "\n")


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
