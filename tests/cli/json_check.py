"""Holds what commands print as JSON against the published schemas.

    json_check.py SCHEMA FILE     the file is one document, and valid

Schemas leave room for members of later versions; here every object is closed,
so that a member that nobody documented is found.  Then the document is spoiled,
member by member: the schema must notice.  Exit 77: jsonschema is not
installed."""
import copy
import json
import sys

try:
    import jsonschema
except ImportError:
    print("SKIPPED: python3-jsonschema is not installed")
    sys.exit(77)


def close(schema, inside_all=False):
    """Refuses members that are not named, but where schemas are combined."""
    if isinstance(schema, list):
        return [close(s, inside_all) for s in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {k: close(v, k in ("allOf", "if", "then", "else", "not"))
              for k, v in schema.items()}
    if isinstance(schema.get("properties"), dict) and not inside_all:
        closed.setdefault("additionalProperties", False)
    return closed


def losses(value, path=()):
    """The paths of all members; of lists those of the first item."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield path + (k,)
            yield from losses(v, path + (k,))
    elif isinstance(value, list) and value:
        yield from losses(value[0], path + (0,))


def without(doc, path):
    doc = copy.deepcopy(doc)
    at = doc
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    return doc


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    with open(sys.argv[2], encoding="utf-8") as f:
        doc = json.load(f)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(close(schema))
    failed = 0
    for error in validator.iter_errors(doc):
        print(f"{list(error.path)}: {error.message}"[:2000])
        failed += 1
    if not failed and validator.is_valid({}):
        print("the schema takes anything")
        failed += 1
    strange = copy.deepcopy(doc)
    strange["strange"] = 1
    if not failed and validator.is_valid(strange):
        print("the schema is not closed")
        failed += 1
    noticed = sum(not validator.is_valid(without(doc, p)) for p in losses(doc))
    if noticed < 3:
        print(f"only {noticed} losses are noticed")
        failed += 1
    return 1 if failed else 0


sys.exit(main())
