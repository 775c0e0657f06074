#!/usr/bin/python3
"""Every field that the driver's tables name is one that the simulator knows.

    kinds_test.py PRINT_KINDS

Two tables of the API, written by different hands: a name that is misspelt in
one of them is refused by the other.
"""
import subprocess
import sys

sys.dont_write_bytecode = True

from catalogue_vpc import BY_NAME  # noqa: E402
from fields import COMMON, Any, Many, Record, Variant  # noqa: E402


def members(fields, word):
    """What 'word' is in any of 'fields' (dicts of name to Field)."""
    found = [f[word] for f in fields if word in f]
    inner = []
    for field in found:
        while isinstance(field, Many):
            field = field.item
        if isinstance(field, Record):
            inner.append(field.fields)
        elif isinstance(field, Variant):
            inner += [{**r.fields, "resource_type": Any()}
                      for r in field.records.values()]
        elif isinstance(field, Any):
            return found, None
    return found, inner


def knows(type_, path):
    fields = [{**COMMON, **r.fields} for r in type_.records.values()]
    if type_.embed is None and path.startswith("service_entries") and \
            type_.name == "Service":
        entries = BY_NAME["ServiceEntry"]
        fields = [{**COMMON, **r.fields} for r in entries.records.values()]
        path = path.partition(".")[2] or "id"
    for word in path.split("."):
        found, fields = members(fields, word)
        if not found:
            return False
        if fields is None:
            return True
    return True


def main():
    lines = subprocess.run([sys.argv[1]], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    wrong, checked = [], 0
    for line in lines:
        name, collection, path = line.split()
        type_ = BY_NAME.get(name)
        checked += 1
        if type_ is None or type_.collection != collection or \
                not knows(type_, path):
            wrong.append(line)
    for line in wrong:
        print("not in the simulator:", line)
    print("%d fields" % checked)
    # It can fail: a name that nobody has.
    assert not knows(BY_NAME["Segment"], "subnets.gateway_adress")
    assert not knows(BY_NAME["Rule"], "service_entries.ports")
    assert knows(BY_NAME["Segment"], "subnets.dhcp_config.lease_time")
    sys.exit(1 if wrong or checked < 50 else 0)


main()
