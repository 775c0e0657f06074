#!/usr/bin/env python3
"""Holds what stands outside the table of metrics against the table.

usage: docs_test.py METRICS_TOOL DOCS
docs/metrics.md is what the tool prints; Prometheus and the reference reader of
OpenMetrics take the exposition; rules and dashboard query what exists, in good
PromQL; each alert has a test that makes it fire.  Prints TAP.  What needs a
program that is not installed is skipped, unless CI is set.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

TOOL, DOCS = sys.argv[1:3]
RULES = f"{DOCS}/prometheus/rules.yml"
failures = 0
count = 0


def result(good, what, detail=""):
    global failures, count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {what}", flush=True)
    if not good:
        failures += 1
        print("#   " + str(detail)[:3000].replace("\n", "\n#   "), flush=True)


def skip(what, missing):
    global count
    if os.environ.get("CI"):
        result(False, what, f"{missing} is not installed")
        return
    count += 1
    print(f"ok {count} - {what} # SKIP {missing} is not installed")


def tool(what):
    return subprocess.run([TOOL, what], check=True, capture_output=True).stdout


def promtool(*args, data=None):
    p = subprocess.run(["promtool", *args], input=data, capture_output=True,
                       check=False)
    return p.returncode == 0, (p.stdout + p.stderr).decode()


names = set(tool("names").decode().split())
with open(RULES, encoding="utf-8") as f:
    rules = yaml.safe_load(f)["groups"][0]["rules"]
with open(f"{DOCS}/prometheus/rules_test.yml", encoding="utf-8") as f:
    rule_tests = f.read()
with open(f"{DOCS}/grafana/tenet.json", encoding="utf-8") as f:
    board = json.load(f)
with open(f"{DOCS}/metrics.md", "rb") as f:
    page = f.read()

result(page == tool("docs"), "docs/metrics.md is what the table says",
       "regenerate it: metrics_tool docs >docs/metrics.md")


def unknown(text):
    # What stands in quotes is a label's value.
    text = re.sub(r'"[^"]*"', '""', text)
    return {n for n in re.findall(r"\b(?:tenet|process)_\w+", text)
            if n not in names}


for rule in rules:
    result(not unknown(rule["expr"]), f"{rule['alert']} asks what exists",
           unknown(rule["expr"]))
    result({"summary", "description"} <= set(rule["annotations"])
           and rule["labels"]["severity"] in ("critical", "warning", "info"),
           f"{rule['alert']} says what it is about")
    result(f'alertname="{rule["alert"]}"' in rule_tests,
           f"{rule['alert']} has a test that makes it fire")

queries = []
for panel in board["panels"]:
    for target in panel.get("targets", []):
        queries.append((panel["title"], target["expr"]))
for variable in board["templating"]["list"]:
    if variable["type"] == "query":
        result(not unknown(variable["definition"]),
               f"variable {variable['name']} asks what exists")
result(len(queries) > 20, "the dashboard has queries")
for title, expr in queries:
    result(not unknown(expr), f"panel {title} asks what exists", unknown(expr))
ids = [p["id"] for p in board["panels"]]
result(len(ids) == len(set(ids)), "panels have ids of their own")
cells = [(x, y) for p in board["panels"]
         for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"])
         for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])]
result(len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24,
       "panels do not overlap")

if shutil.which("promtool"):
    good, text = promtool("check", "metrics", data=tool("text"))
    result(good and not text.strip(), "promtool check metrics", text)
    good, text = promtool("check", "rules", RULES)
    result(good, "promtool check rules", text)
    good, text = promtool("test", "rules", f"{DOCS}/prometheus/rules_test.yml")
    result(good, "promtool test rules", text)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as f:
        yaml.safe_dump({"groups": [{"name": "g", "rules": [
            {"record": f"q:{i}",
             "expr": e.replace("$__rate_interval", "5m")}
            for i, (_, e) in enumerate(queries)]}]}, f)
        f.flush()
        good, text = promtool("check", "rules", f.name)
        result(good, "the dashboard's queries are PromQL", text)
else:
    skip("promtool", "prometheus")

try:
    from prometheus_client.openmetrics import parser as openmetrics
    from prometheus_client import parser as plain
except ImportError:
    skip("the reference reader", "python3-prometheus-client")
else:
    for what, reader in (("open", openmetrics), ("text", plain)):
        try:
            families = list(
                reader.text_string_to_metric_families(tool(what).decode()))
        except ValueError as e:
            result(False, f"the reference reader takes {what}", e)
            continue
        samples = {s.name for family in families for s in family.samples}
        result(names <= samples, f"the reference reader sees all of {what}",
               names - samples)
        devices = {s.labels.get("device") for family in families
                   for s in family.samples if s.name == "tenet_device_ready"}
        result(devices == {"hv1", 'a"b\\c\nd', "ü", "?", "{}=,# EOF", ""},
               f"labels come back from {what}", devices)
print(f"1..{count}")
sys.exit(1 if failures else 0)
