#!/usr/bin/python3
"""The bare protocol against a Northbound database, to compare tenet with.

    ovn_raw.py save SOCKET FILE        all rows of the tables that tenet writes
    ovn_raw.py write SOCKET FILE       the same rows in one transaction, made
                                       before the clock starts: seconds
    ovn_raw.py told SOCKET FILE        likewise, with a monitor of the columns that
                                       tenet copies: until all that the server
                                       says of it has come, not parsed
    ovn_raw.py receive SOCKET          a monitor's dump of the columns that tenet
                                       copies, read but not parsed: seconds
    ovn_raw.py commands FILE SOCKET    the same rows as commands of one ovn-nbctl
"""

import json
import os
import socket
import sys
import time

ROOT = "NB_Global"
TABLES = {
    "Logical_Router": ["name", "enabled", "options", "ports", "static_routes",
                       "policies", "external_ids"],
    "Logical_Switch": ["name", "other_config", "ports", "external_ids"],
    "Logical_Router_Port": ["name", "mac", "networks", "enabled",
                            "ipv6_ra_configs", "options", "peer",
                            "external_ids"],
    "Logical_Switch_Port": ["name", "type", "addresses", "port_security",
                            "enabled", "options", "dhcpv4_options",
                            "dhcpv6_options", "external_ids"],
    "DHCP_Options": ["cidr", "options", "external_ids"],
    "Port_Group": ["name", "ports", "acls", "external_ids"],
    "ACL": ["priority", "direction", "match", "action", "options",
            "external_ids"],
    "Logical_Router_Static_Route": ["ip_prefix", "nexthop", "output_port",
                                    "policy", "route_table", "options",
                                    "external_ids"],
    "Logical_Router_Policy": ["priority", "match", "action", "nexthops",
                              "options", "external_ids"],
}


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path.removeprefix("unix:"))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    return s


def answer(s):
    """The first message that comes."""
    pieces, decoder = [], json.JSONDecoder()
    while True:
        data = s.recv(1 << 20)
        if not data:
            raise SystemExit("the server has hung up")
        pieces.append(data)
        if data.endswith(b"}"):
            try:
                return decoder.decode(b"".join(pieces).decode())
            except ValueError:
                continue


def request(method, params):
    return json.dumps({"method": method, "params": params, "id": 1}).encode()


def monitor():
    wants = {t: [{"columns": c}] for t, c in TABLES.items()}
    wants[ROOT] = [{"columns": ["external_ids", "nb_cfg", "sb_cfg", "hv_cfg"]}]
    return request("monitor_cond_since",
                   ["OVN_Northbound", "bench", wants,
                    "00000000-0000-0000-0000-000000000000"])


def save(path, file):
    s = connect(path)
    s.sendall(request("monitor", ["OVN_Northbound", None,
                                  {t: {"columns": c}
                                   for t, c in TABLES.items()}]))
    rows = {t: {u: r["new"] for u, r in rows.items()}
            for t, rows in answer(s)["result"].items()}
    with open(file, "w", encoding="utf-8") as f:
        json.dump(rows, f)


def named(value):
    if isinstance(value, list):
        if len(value) == 2 and value[0] == "uuid":
            return ["named-uuid", "r" + value[1].replace("-", "_")]
        return [named(v) for v in value]
    return value


def until_end(s):
    """Reads until the answer to the echo; the number of bytes."""
    size, tail = 0, b""
    while b'["end"]' not in tail:
        piece = s.recv(1 << 20)
        if not piece:
            raise SystemExit("the server has hung up")
        size += len(piece)
        tail = (tail + piece)[-64:] if len(piece) < 64 else piece[-64:]
    return size


def inserts(file):
    with open(file, encoding="utf-8") as f:
        tables = json.load(f)
    ops = ["OVN_Northbound"]
    for table, rows in tables.items():
        for uuid, row in rows.items():
            ops.append({"op": "insert", "table": table,
                        "uuid-name": "r" + uuid.replace("-", "_"),
                        "row": {c: named(v) for c, v in row.items()}})
    return request("transact", ops)


def write(path, file):
    data = inserts(file)
    s = connect(path)
    begin = time.monotonic()
    s.sendall(data)
    result = answer(s)
    spent = time.monotonic() - begin
    bad = [r for r in result["result"] if r and "error" in r]
    if bad:
        raise SystemExit(bad[0])
    print(f"{spent:.3f}")


def told(path, file):
    data = inserts(file) + request("echo", ["end"])
    s = connect(path)
    s.sendall(monitor())
    answer(s)
    begin = time.monotonic()
    s.sendall(data)
    size = until_end(s)
    print(f"{time.monotonic() - begin:.3f} {size}")


def receive(path):
    s = connect(path)
    data = monitor() + request("echo", ["end"])
    begin = time.monotonic()
    s.sendall(data)
    size = until_end(s)
    print(f"{time.monotonic() - begin:.3f} {size}")


def pairs(value):
    return dict(value[1]) if isinstance(value, list) and value[0] == "map" else {}


def atoms(value):
    if isinstance(value, list) and value[0] == "set":
        return value[1]
    return [value]


def uuids(value):
    return [a[1] for a in atoms(value)]


def quoted(text):
    return '"' + text.replace('"', '\\"') + '"'


def commands(file, path):
    """The verbs that a person would use.  Of the marks only one is written: the
    arguments of a program have no room for all."""
    with open(file, encoding="utf-8") as f:
        tables = json.load(f)
    out = []

    def say(*words):
        out.append("--")
        out.extend(words)

    def marks(table, name, row):
        key = pairs(row["external_ids"])["tenet-key"]
        say("set", table, name, f"external_ids:key={quoted(key)}")

    lrp, lsp = tables["Logical_Router_Port"], tables["Logical_Switch_Port"]
    for row in tables["Logical_Router"].values():
        say("lr-add", row["name"])
        marks("Logical_Router", row["name"], row)
        for uuid in uuids(row["ports"]):
            p = lrp[uuid]
            say("lrp-add", row["name"], p["name"], p["mac"],
                *atoms(p["networks"]))
            marks("Logical_Router_Port", p["name"], p)
    for row in tables["Logical_Switch"].values():
        say("ls-add", row["name"])
        marks("Logical_Switch", row["name"], row)
        for uuid in uuids(row["ports"]):
            p = lsp[uuid]
            say("lsp-add", row["name"], p["name"])
            say("lsp-set-addresses", p["name"], *atoms(p["addresses"]))
            if p["type"]:
                say("lsp-set-type", p["name"], p["type"])
                say("lsp-set-options", p["name"],
                    *[f"{k}={v}" for k, v in pairs(p["options"]).items()])
            else:
                say("lsp-set-port-security", p["name"],
                    *atoms(p["port_security"]))
            marks("Logical_Switch_Port", p["name"], p)
    for row in tables["Port_Group"].values():
        say("pg-add", row["name"], *[lsp[u]["name"] for u in uuids(row["ports"])])
        marks("Port_Group", row["name"], row)
        for uuid in uuids(row["acls"]):
            a = tables["ACL"][uuid]
            say("--type=port-group", "acl-add", row["name"], a["direction"],
                str(a["priority"]), a["match"], a["action"])
    os.execvp("ovn-nbctl", ["ovn-nbctl", "--db=unix:" + path, *out[1:]])


if __name__ == "__main__":
    {"save": save, "write": write, "told": told, "receive": receive,
     "commands": commands}[sys.argv[1]](*sys.argv[2:])
