#!/usr/bin/python3
"""Writes an intent repository for a simulated NSX: VPCS VPCs of SUBNETS subnets,
each with one port and a security group of RULES rules of its own.

    nsx_intent.py VPCS SUBNETS RULES READY DIR [NAME=VALUE...]

READY is what the simulator wrote when it was ready; further host variables go
without their prefix (chunk=500 is tenet_nsx_chunk).
"""

import json
import os
import sys

vpcs, subnets, rules = (int(x) for x in sys.argv[1:4])
ready, out = sys.argv[4:6]
more = dict(x.split("=", 1) for x in sys.argv[6:])
with open(ready, encoding="utf-8") as f:
    lab = json.load(f)


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
write("inventories/bench/hosts.yml", """\
all:
  hosts:
    manager: {tenet_driver: nsx}
    esx1: {tenet_nsx: manager}
""")
settings = {"url": ",".join(lab["urls"]), "user": lab["user"],
            "password_file": lab["password_file"], "ca": lab["ca"], **more}
write("inventories/bench/host_vars/manager.yml", "".join(
    f"tenet_nsx_{k}: {v}\n" for k, v in settings.items()))
write("tenants/bench/tenant.yml",
      "apiVersion: tenet/v1\nkind: Tenant\nmetadata: {name: bench}\n")
for v in range(vpcs):
    lines = ["apiVersion: tenet/v1", "kind: Vpc",
             f"metadata: {{name: v{v}}}", "spec:", "  cidrs: [10.0.0.0/8]",
             "  subnets:"]
    for s in range(subnets):
        lines.append(f"    - {{name: s{s}, cidr: 10.{s // 250}.{s % 250}.0/24}}")
    for s in range(subnets):
        lines += ["---", "apiVersion: tenet/v1", "kind: SecurityGroup",
                  f"metadata: {{name: g{v}-{s}}}", "spec:", "  rules:"]
        for r in range(rules):
            lines.append("    - {direction: ingress, protocol: tcp, "
                         f"ports: [{1000 + r}], "
                         f"remote: {{cidr: 10.{r + 1}.0.0/16}}}}")
        lines += ["---", "apiVersion: tenet/v1", "kind: Port",
                  f"metadata: {{name: p{v}-{s}}}",
                  f"spec: {{vpc: v{v}, subnet: s{s}, host: esx1, "
                  f"address: 10.{s // 250}.{s % 250}.10, "
                  f"securityGroups: [g{v}-{s}], "
                  f"attach: {{interface: t{v}-{s}}}}}"]
    write(f"tenants/bench/v{v}.yml", "\n".join(lines) + "\n")
