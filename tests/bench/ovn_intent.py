#!/usr/bin/python3
"""Writes an intent repository for a cloud: VPCS VPCs of SUBNETS subnets of PORTS
ports, one security group a VPC.

    ovn_intent.py VPCS SUBNETS PORTS REMOTE DIR
"""

import os
import sys

vpcs, subnets, ports = (int(x) for x in sys.argv[1:4])
remote, out = sys.argv[4:6]


def write(path, text):
    path = os.path.join(out, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


write("tenet.yml", """\
apiVersion: tenet/v1
kind: Settings
metadata: {name: bench}
spec: {budgets: {maxDeletes: 1000000, maxDeletePercent: 100, maxDeletesPerTenant: 1000000}}
""")
write("inventories/bench/hosts.yml", f"""\
all:
  hosts:
    cloud: {{tenet_driver: ovn, tenet_ovn_wait: none, tenet_ovsdb_remote: "{remote}"}}
    hv[1:9]: {{tenet_driver: openvswitch, tenet_ovn: cloud}}
""")
for i in range(1, 10):
    write(f"inventories/bench/host_vars/hv{i}.yml",
          f"tenet_underlay_address: 192.0.2.{i}\n"
          f"tenet_ovsdb_remote: unix:/nonexistent/hv{i}.sock\n")
write("tenants/bench/tenant.yml",
      "apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: bench}\n")
for v in range(vpcs):
    lines = ["apiVersion: tenet/v1", "kind: Vpc",
             f"metadata: {{name: v{v}}}", "spec:", "  cidrs: [10.0.0.0/8]",
             "  subnets:"]
    for s in range(subnets):
        lines.append(f"    - {{name: s{s}, cidr: 10.{s // 250}.{s % 250}.0/24}}")
    lines += ["---", "apiVersion: tenet/v1", "kind: SecurityGroup",
              f"metadata: {{name: g{v}}}", "spec:", "  rules:",
              "    - {direction: ingress, protocol: icmp}",
              "    - {direction: ingress, protocol: tcp, ports: [80, 443]}"]
    for s in range(subnets):
        for p in range(ports):
            lines += ["---", "apiVersion: tenet/v1", "kind: Port",
                      f"metadata: {{name: p{v}-{s}-{p}}}",
                      f"spec: {{vpc: v{v}, subnet: s{s}, host: hv{p % 9 + 1}, "
                      f"address: 10.{s // 250}.{s % 250}.{p + 10}, "
                      f"securityGroups: [g{v}], "
                      f"attach: {{interface: t{v}-{s}-{p}}}}}"]
    write(f"tenants/bench/v{v}.yml", "\n".join(lines) + "\n")
