#!/usr/bin/env python3
"""Reads the goldens of reconciler/review as their readers would.

XML and JSON by their parsers, SARIF by the part of its schema that readers
insist on, workflow commands by the rules of the runner, Markdown for what could
break out of it.
"""
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

here = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/review/golden")
seen = 0


def need(condition, *what):
    if not condition:
        sys.exit("FAILED: " + " ".join(str(w) for w in what))


def junit(text):
    root = ET.fromstring(text)
    need(root.tag == "testsuites", root.tag)
    for suite in root:
        cases = suite.findall("testcase")
        need(int(suite.get("tests")) == len(cases) > 0, "tests")
        need(int(suite.get("failures")) == len(suite.findall(".//failure")))
        need(int(suite.get("skipped")) == len(suite.findall(".//skipped")))
        for c in cases:
            need(c.get("name") and c.get("classname"), "names")
            need(len(c) <= 1, "one outcome a case")


def sarif(text):
    d = json.loads(text)
    need(d["version"] == "2.1.0" and d["$schema"].endswith("sarif-2.1.0.json"))
    need(set(d) <= {"version", "$schema", "runs"}, d.keys())
    for run in d["runs"]:
        driver = run["tool"]["driver"]
        ids = [r["id"] for r in driver["rules"]]
        need(driver["name"] == "tenet" and len(ids) == len(set(ids)), ids)
        need(re.fullmatch(r"tenet/.*/", run["automationDetails"]["id"], re.S))
        for r in run["results"]:
            need(r["level"] in ("error", "warning", "note"), r)
            need(ids[r["ruleIndex"]] == r["ruleId"], r)
            need(r["message"]["text"], r)
            place = r["locations"][0]["physicalLocation"]
            uri = place["artifactLocation"]["uri"]
            need(re.fullmatch(r"([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri), uri)
            need(not uri.startswith("/") and ":" not in uri, uri)
            need(place["region"]["startLine"] >= 1, r)
            need(all(isinstance(v, str)
                     for v in r["partialFingerprints"].values()), r)
            for s in r.get("suppressions", []):
                need(s["kind"] in ("inSource", "external"), s)


def terraform(text):
    d = json.loads(text)
    need(set(d) == {"create", "update", "delete"}, d)
    need(all(isinstance(v, int) for v in d.values()), d)


def codequality(text):
    for i in json.loads(text):
        need({"description", "check_name", "fingerprint", "severity",
              "location"} == set(i), i)
        need(i["severity"] in ("info", "minor", "major", "critical", "blocker"))
        need(i["location"]["path"] and i["location"]["lines"]["begin"] >= 1, i)
    prints = [i["fingerprint"] for i in json.loads(text)]
    need(len(prints) == len(set(prints)), "fingerprints twice")


def annotations(text):
    line_form = re.compile(
        r"::(error|warning|notice)( (file|line|col|title)=[^:,]*"
        r"(,(line|col|title)=[^:,]*)*)?::.+")
    for line in text.splitlines():
        need(line_form.fullmatch(line), line)
        need("##[" not in line, line)
    need(len(re.findall("(?m)^::error", text)) <= 10)


def markdown(text):
    lines = text.split("\n")
    need(re.fullmatch(r"<!-- tenet:[A-Za-z0-9._%-]* -->", lines[0]), lines[0])
    need("--" not in lines[0][4:-3], lines[0])
    outside, fenced = [], False
    for line in lines[1:]:
        if line.startswith("```"):
            need(line == ("```" if fenced else "```diff"), line)
            fenced = not fenced
        elif not fenced:
            outside.append(line)
        else:
            need(re.match(r"[-+~@#] |-/\+ |@@ |    ", line), "in a block:", line)
    need(not fenced, "a block is open")
    rest = "\n".join(outside)
    rest = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", rest)  # code spans
    for tag in re.findall(r"<[^>\n]*>", rest):
        ok = tag in ("<details>", "<details open>", "</details>", "<summary>",
                     "</summary>", "<code>", "</code>", "<sub>", "</sub>")
        need(ok or tag.startswith("<https://forge.example/"), tag)
    rest = re.sub(r"<[^>\n]*>", "", rest)
    for bad in "@#!$~&|":
        need(bad not in rest.replace("&#", "").replace("### ", ""), bad, rest)
    need("evil" not in re.sub("&#.*?;", "", rest).replace("evil.x", ""), rest)
    for line in outside:
        need(not line.startswith("/"), "a quick action:", line)


readers = {
    "junit.xml": junit, "tenet.sarif": sarif, "terraform.json": terraform,
    "codequality.json": codequality, "annotations.txt": annotations,
    "comment.md": markdown,
}
for path in sorted(here.iterdir()):
    name = path.name.split(".", 1)[1]
    if name in readers:
        try:
            readers[name](path.read_text(encoding="utf-8"))
        except (KeyError, ValueError, ET.ParseError) as e:
            sys.exit(f"FAILED: {path.name}: {e!r}")
        seen += 1
need(seen >= 20, "only", seen, "files")
print(seen, "files read")
