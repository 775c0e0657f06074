"""The hierarchical API: a whole tree in one request, written or read.

A tree is nested wrappers: {"resource_type": "ChildSegment", "Segment": {...}}
writes the segment, {"resource_type": "ChildResourceReference", "id":
"default", "target_type": "Domain", "children": [...]} descends without
touching.  The request is one transaction: all wrappers are applied, creations
from the root downwards and deletions after them, and only the outcome is
checked, so that nothing depends on the order within the request.

Reading gives the same wrappers back, filtered by type; see 'read'.
"""
import re

import errors
from catalogue_vpc import (BY_NAME, CHILDREN, child_path,
                           child_type, wrong_type)
from fields import ID, Visit
from writer import Writer, render

WRAPPER = frozenset(("resource_type", "marked_for_delete",
                     "mark_for_override", "id", "display_name",
                     "description", "tags", "children", "_revision"))
REFERENCE = WRAPPER | {"target_type"}


class Patch:
    """One hierarchical write."""

    def __init__(self, store, tx, caller, enforce):
        self.store = store
        self.writer = Writer(store, tx, caller, enforce)
        self.tx = tx
        self.doomed = []
        self.count = 0

    def apply(self, root, body):
        """'body' is the tree whose top is the object 'root'."""
        if not isinstance(body, dict):
            raise errors.malformed("the body is not an object")
        kind = body.get("resource_type")
        if kind is not None and kind != root.type.name:
            raise wrong_type(kind)
        for key in body:
            if key not in WRAPPER and key not in root.type.records[
                    root.type.name].fields and not key.startswith("_") and \
                    key not in ("path", "relative_path", "parent_path",
                                "unique_id", "realization_id", "overridden",
                                "owner_id", "origin_site_id", "remote_path"):
                raise errors.unknown_property(key)
        children = body.get("children")
        self.count = count(children)
        limit = self.store.settings.intent_limit
        if self.count > limit:
            raise errors.too_many_intents(self.count, limit)
        self.walk(root.type, root.path, children)
        self.delete()

    def walk(self, type_, path, children):
        if children is None:
            return
        if not isinstance(children, list):
            raise errors.malformed("children is not an array")
        for child in children:
            if not isinstance(child, dict):
                raise errors.malformed("a child is not an object")
            kind = child.get("resource_type")
            if kind is None:
                raise errors.missing("resource_type")
            if kind == "ChildResourceReference":
                self.refer(type_, path, child)
            elif isinstance(kind, str) and kind.startswith("Child"):
                self.wrap(type_, path, child, kind[5:])
            else:
                raise wrong_type(kind)

    def known(self, parent, name):
        """The type called 'name' below 'parent', if this version has it."""
        found = child_type(parent, name)
        if found and found.since and \
                self.store.settings.version < found.since:
            return None
        return found

    def refer(self, type_, path, child):
        for key in child:
            if key not in REFERENCE:
                raise errors.unknown_property(key)
        for key in ("id", "target_type"):
            if not isinstance(child.get(key), str):
                raise errors.missing(key)
        target = self.known(type_, child["target_type"])
        if target is None:
            raise wrong_type(child["target_type"])
        ID.parse(child["id"], "id", Visit(""))
        below = child_path(path, target, child["id"])
        self.walk(target, below, child.get("children"))
        if child.get("marked_for_delete") is True:
            self.doomed.append((below, target))
        elif below not in self.store.objects:
            # Anything below would have been refused with its own path.
            raise errors.bad_path(below,
                                  self.store.settings.missing_parent_status)

    def wrap(self, type_, path, child, name):
        target = self.known(type_, name)
        if target is None:
            raise wrong_type("Child" + name)
        for key in child:
            if key != name and key not in WRAPPER and \
                    not key.startswith("_"):
                raise errors.unknown_property(key)
        body = child.get(name)
        if body is None:
            raise errors.missing(name)
        if not isinstance(body, dict):
            raise errors.malformed("%s is not an object" % name)
        marked = child.get("marked_for_delete", False)
        if not isinstance(marked, bool):
            raise errors.invalid("property marked_for_delete must be a "
                                 "boolean")
        if marked:
            if not isinstance(body.get("id"), str):
                raise errors.missing("id")
            below = child_path(path, target, body["id"])
            self.doomed.append((below, target))
            self.check_doomed(below, body)
            self.walk(target, below, body.get("children"))
            return
        here = None
        if target.fixture and isinstance(body.get("id"), str):
            here = self.store.get(child_path(path, target, body["id"]))
        if here:
            # System-owned: passed through, as ChildDomain and ChildPolicyNat
            # are used by many clients.
            self.walk(target, here.path, body.get("children"))
            return
        obj, children = self.writer.write(target, path, None, body, "tree")
        self.walk(target, obj.path, children)

    def check_doomed(self, path, body):
        """A revision that comes with what is to go is looked at, too."""
        obj, sent = self.store.get(path), body.get("_revision")
        if self.writer.enforce and obj and sent is not None and \
                sent != obj.revision:
            raise errors.stale(obj.revision, sent)

    def delete(self):
        settings = self.store.settings
        cascade = settings.hapi_subtree == "cascade"
        for path, type_ in sorted(self.doomed, reverse=True,
                                  key=lambda d: d[0].count("/")):
            obj = self.store.get(path)
            if obj is None:
                if path in self.tx.removed or \
                        settings.hapi_delete_absent == "accept":
                    continue
                raise errors.not_found(path.rsplit("/", 1)[1])
            self.writer.delete(obj, cascade)


def count(children):
    """Intents in the tree: every wrapper but the references."""
    total = 0
    for child in children if isinstance(children, list) else ():
        if not isinstance(child, dict):
            continue
        kind = child.get("resource_type")
        if kind == "ChildResourceReference":
            total += count(child.get("children"))
        else:
            body = child.get(kind[5:]) if isinstance(kind, str) else None
            total += 1
            if isinstance(body, dict):
                total += count(body.get("children"))
                for key in ("rules", "service_entries"):
                    if isinstance(body.get(key), list):
                        total += len(body[key])
    return total


# Reading.

PARTS = ("Rule", "ServiceEntry")


class Wanted:
    """Which types a reading asks for: type_filter=A;B or filter=Type-A|B."""

    def __init__(self, type_filter, pattern):
        self.names = None
        if type_filter:
            self.names = set(type_filter.split(";")) - {""}
            unknown = self.names - set(BY_NAME)
            if unknown:
                raise errors.invalid("type_filter has the unknown type %s"
                                     % sorted(unknown)[0])
        elif pattern:
            if not pattern.startswith("Type-"):
                raise errors.invalid("filter must begin with Type-")
            try:
                # The regular expression holds for Type-<name>, and clients
                # write Type-A|B for both types.
                wish = re.compile("(?:%s)" % pattern[5:])
            except re.error:
                raise errors.invalid("filter is no regular expression")
            self.names = {n for n in BY_NAME if wish.fullmatch(n)}

    def has(self, name):
        return self.names is None or name in self.names


def read(store, root, caller, wanted, base_path=None):
    """The tree below 'root' with the objects of the types wanted.

    The parents of a wanted object that are not wanted themselves appear as
    the setting hapi_parents says.
    """
    form = store.settings.hapi_parents
    nodes, kept = {}, {root.path}

    def node(obj, full):
        found = nodes.get(obj.path)
        if found is None:
            found = nodes[obj.path] = [obj, full, []]
            if obj.path != root.path:
                above = store.get(obj.parent)
                is_full = wanted.has(above.type.name) or \
                    above.path == root.path
                up = node(above, is_full or form == "full")
                up[2].append(found)
        return found

    node(root, True)
    prefix = (base_path or root.path) + "/"
    at_top = root.path == "/org-root"
    for name in BY_NAME:
        if name == "OrgRoot" or name == root.type.name == "Infra":
            continue
        part = name in PARTS
        if not wanted.has(name) and not part:
            continue
        for obj in list(store.by_type[name].values()):
            inside = obj.path.startswith("/orgs/") if at_top and \
                not base_path else (obj.path.startswith(prefix) or
                                    obj.path == base_path)
            if part and not is_child(store, obj, wanted):
                continue
            if not inside or not obj.path.startswith(
                    "/orgs/" if at_top else root.path + "/"):
                continue
            if form == "drop" and not reachable(store, obj, root, wanted,
                                                kept):
                continue
            node(obj, True)
    return emit(store, nodes[root.path], caller, wanted)


def is_child(store, part, wanted):
    """Whether a rule or service entry appears as a child of its parent."""
    mode, asked = store.settings.hapi_rules, wanted.has(part.type.name)
    above = wanted.has(store.get(part.parent).type.name)
    if mode == "asked":
        return asked and wanted.names is not None
    if mode == "inline":
        return asked and not above
    return asked or above


def reachable(store, obj, root, wanted, kept):
    above = obj.parent
    while above not in kept:
        found = store.get(above)
        if found is None or not wanted.has(found.type.name):
            return False
        above = found.parent
    return True


def inline_wanted(store, type_, wanted):
    """Whether the parts of such an object are in its own body.  "auto" is
    what scripts that read real managers show."""
    mode = store.settings.hapi_rules
    for child in CHILDREN[type_.name].values():
        if child.embed:
            if mode == "auto":
                return child.name == "ServiceEntry"
            if mode == "asked":
                return wanted.names is None or child.name not in wanted.names
            return mode in ("inline", "both")
    return True


def emit(store, entry, caller, wanted):
    obj, full, below = entry
    if full:
        out = render(store, obj, caller,
                     inline_wanted(store, obj.type, wanted))
    else:
        out = {"resource_type": "ChildResourceReference", "id": obj.id,
               "target_type": obj.type.name}
    if below:
        out["children"] = [wrapped(store, child, caller, wanted)
                           for child in below]
    return out


def wrapped(store, entry, caller, wanted):
    body = emit(store, entry, caller, wanted)
    if not entry[1]:
        body["marked_for_delete"] = False
        return body
    name = entry[0].type.name
    return {name: body, "resource_type": "Child" + name, "id": body["id"],
            "marked_for_delete": False, "mark_for_override": False,
            "_protection": body["_protection"]}


