#!/usr/bin/env python3
"""The schemas against the decoder: schema_test.py DUMP DOCS

DUMP prints the cases of tests/kinds as JSON lines; DOCS/schema holds the
schemas.  A schema must accept what the decoder accepts, and refuse every bad
case that is marked as expressible, both by itself and in the combined one.
Exits 77 (skipped) without python3-jsonschema."""
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def load(docs):
    schemas = {}
    for path in sorted(pathlib.Path(docs, "schema").glob("*.json")):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        schemas[path.stem] = jsonschema.Draft202012Validator(schema)
    return schemas


def examples(schema, path="", found=None):
    """Every (path, schema, example) below a schema."""
    found = [] if found is None else found
    if isinstance(schema, dict):
        for example in schema.get("examples", []):
            found.append((path, schema, example))
        if "default" in schema and "type" in schema:
            found.append((path, schema, schema["default"]))
        for key, value in schema.items():
            examples(value, f"{path}/{key}", found)
    elif isinstance(schema, list):
        for i, value in enumerate(schema):
            examples(value, f"{path}/{i}", found)
    return found


def main():
    dump, docs = sys.argv[1:]
    schemas = load(docs)
    run = subprocess.run([dump], stdout=subprocess.PIPE, check=True)
    failures = count = refused = 0

    def fail(what, yaml):
        nonlocal failures
        failures += 1
        print(f"{what}:\n{yaml}")

    for line in filter(None, run.stdout.decode().split("\n")):
        case = json.loads(line)
        count += 1
        names = ["document"] + ([case["kind"]] if case["kind"] else [])
        for name in names:
            valid = schemas[name].is_valid(case["value"])
            refused += not valid
            if case["good"] and not valid:
                fail(f"{name}.json refuses a good document", case["yaml"])
            if case["refuses"] and valid:
                fail(f"{name}.json accepts a bad document", case["yaml"])
            if not case["good"] and not case["refuses"] and not valid:
                fail(f"{name}.json knows more than is claimed", case["yaml"])
    n_examples = 0
    for name, validator in schemas.items():
        for path, schema, example in examples(validator.schema):
            n_examples += 1
            if not jsonschema.Draft202012Validator(schema).is_valid(example):
                fail(f"{name}.json: bad example at {path}", example)
    print(f"{len(schemas)} schemas, {count} documents, {refused} refusals, "
          f"{n_examples} examples, {failures} failures")
    return 1 if failures or count < 300 or refused < 300 else 0


sys.exit(main())
