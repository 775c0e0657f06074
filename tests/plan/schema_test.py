"""Holds printed plans (the JSON goldens, which equal what the program prints)
against docs/schema/plan.schema.json.  Exit 77, with a word: jsonschema is not
installed."""
import copy
import glob
import json
import sys

try:
    import jsonschema
except ImportError:
    print("SKIPPED: python3-jsonschema is not installed")
    sys.exit(77)

with open("docs/schema/plan.schema.json", encoding="utf-8") as f:
    schema = json.load(f)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
failed = 0
plans = {}
for path in sorted(glob.glob("tests/plan/golden/*.json")):
    with open(path, encoding="utf-8") as f:
        plans[path] = json.load(f)
    for error in validator.iter_errors(plans[path]):
        print(f"{path}: {list(error.path)}: {error.message}")
        failed += 1
if not plans:
    print("no goldens found")
    failed += 1


def spoil(edit):
    """The schema must be able to say no."""
    global failed
    plan = copy.deepcopy(plans["tests/plan/golden/mixed.json"])
    edit(plan)
    if validator.is_valid(plan):
        print("the schema accepts a spoiled plan")
        failed += 1


def changes(plan):
    return plan["devices"][0]["changes"]


spoil(lambda p: p.pop("digest"))
spoil(lambda p: p.update(format_version="2.0"))
spoil(lambda p: p["summary"].update(add=-1))
spoil(lambda p: changes(p)[0].update(action="adopt"))
spoil(lambda p: changes(p)[0].update(after={}))
spoil(lambda p: changes(p)[0].pop("rule"))
spoil(lambda p: changes(p)[0]["before"].update(mac=7))
spoil(lambda p: p["devices"][0]["conflicts"][0].pop("blocker"))
print(f"{len(plans)} plans, {failed} failures")
sys.exit(1 if failed else 0)
