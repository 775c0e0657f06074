#!/usr/bin/python3
"""Writes a large intent repository, always the same for the same arguments.

    generate_intent.py --vpcs 10000 --tenants 100 --out DIR [--hosts 100]
                       [--ports 8] [--seed 1]

Each VPC is one file of about 3.5 kB: the Vpc with three subnets, a
SecurityGroup and eight Ports (or as many as asked for).
"""

import argparse
import os
import random


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def settings(out):
    write(os.path.join(out, "tenet.yml"), """\
apiVersion: tenet/v1
kind: Settings
metadata: {name: bench}
spec:
  defaultEnvironment: bench
  budgets: {maxDeletes: 1000000, maxDeletesPerTenant: 1000000}
""")


def inventory(out, hosts):
    lines = ["all:", "  vars: {tenet_driver: memory, "
             "tenet_underlay_mtu: 9000}", "  hosts:"]
    for i in range(hosts):
        lines.append(f"    hv{i}: {{tenet_underlay_address: "
                     f"198.18.{i // 250}.{i % 250 + 1}, "
                     f"tenet_site: dc{i % 2 + 1}}}")
    write(os.path.join(out, "inventories/bench/hosts.yml"),
          "\n".join(lines) + "\n")


def tenant(out, name):
    write(os.path.join(out, f"tenants/{name}/tenant.yml"), f"""\
apiVersion: tenet/v1
kind: Tenant
metadata:
  name: {name}
  labels: {{tier: standard}}
spec:
  description: Tenant {name} of the bench
  allowedCidrs: [10.0.0.0/8, "fd00::/8"]
""")


SUBNETS = ("front", "app", "data")


def vpc_text(tenant_name, name, number, rng, hosts, ports):
    net = number % 250
    parts = [f"""\
apiVersion: tenet/v1
kind: Vpc
metadata:
  name: {name}
  labels: {{app: shop, stage: production}}
spec:
  description: Network {number} of {tenant_name}
  cidrs: [10.{net}.0.0/16]
  encapsulation: vxlan
  subnets:
    - name: front
      cidr: 10.{net}.0.0/24
      gateway: 10.{net}.0.1
    - name: app
      cidr: 10.{net}.1.0/24
      gateway: 10.{net}.1.1
    - name: data
      cidr: 10.{net}.2.0/24
      gateway: 10.{net}.2.1
""", f"""\
apiVersion: tenet/v1
kind: SecurityGroup
metadata:
  name: {name}
spec:
  description: What may reach the machines of {name}
  rules:
    - {{direction: ingress, protocol: tcp, ports: [80, 443]}}
    - {{direction: ingress, protocol: tcp, ports: [22], remote: {{cidr: 10.{net}.0.0/16}}}}
    - {{direction: ingress, protocol: icmp, remote: {{group: {name}}}}}
"""]
    where = rng.sample(range(hosts), min(3, hosts))
    for i in range(ports):
        port = f"{name}-p{i}"
        extra = "" if i % 4 else f"\n  address: 10.{net}.{i % 3}.{10 + i}"
        parts.append(f"""\
apiVersion: tenet/v1
kind: Port
metadata:
  name: {port}
  labels: {{role: {SUBNETS[i % 3]}, stage: production}}
spec:
  description: Machine {i} of network {number}, owned by the team of {tenant_name}
  vpc: {name}
  subnet: {SUBNETS[i % 3]}
  host: hv{where[i % len(where)]}{extra}
  securityGroups: [{name}]
  attach:
    netns: {tenant_name}-{port}
    interface: eth0
""")
    return "---\n".join(parts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vpcs", type=int, required=True)
    parser.add_argument("--tenants", type=int, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--ports", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    settings(args.out)
    inventory(args.out, args.hosts)
    names = [f"tenant{i:04d}" for i in range(args.tenants)]
    for name in names:
        tenant(args.out, name)
    total = 0
    for i in range(args.vpcs):
        name = names[i % args.tenants]
        text = vpc_text(name, f"vpc{i:05d}", i, rng, args.hosts,
                        args.ports)
        total += len(text)
        write(os.path.join(args.out, f"tenants/{name}/vpc{i:05d}.yml"), text)
    print(f"{args.vpcs} files, {total / 1e6:.1f} MB, "
          f"{total // max(args.vpcs, 1)} bytes each")


if __name__ == "__main__":
    main()
