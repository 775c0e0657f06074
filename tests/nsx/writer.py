"""One object's create, update and delete, inside a Transaction.

'write' is the heart: it parses a body against the type's fields, looks at the
revision and at the owner, fills in what the server owns and puts the new
object in place.  PATCH is no merge: what a body leaves out goes back to its
default, except rules and service entries, which PATCH merges by id and PUT
replaces.

Who asks is a Caller (user, may it overwrite, is it a principal identity).
"""
import time

import checks
import errors
from catalogue_vpc import BY_NAME, CHILDREN, child_path
from fields import ID, Envelope, Visit, shuffled
from store import Object

PLATFORM = {"scope": "nsx-platform/managed", "tag": "policy"}
TAGGED = ("Segment", "Tier1", "VpcSubnet")


class Caller:
    __slots__ = ("user", "principal", "overwrite", "superuser", "scope",
                 "readonly")

    def __init__(self, user, principal=False, overwrite=False,
                 superuser=True, scope="", readonly=False):
        self.user = user
        self.principal = principal
        self.overwrite = overwrite
        self.superuser = superuser
        self.scope = scope
        self.readonly = readonly


SYSTEM = Caller("system", overwrite=True)


class Writer:
    def __init__(self, store, tx, caller, enforce=False):
        self.store = store
        self.settings = store.settings
        self.tx = tx
        self.caller = caller
        self.enforce = enforce
        self.now = int(time.time() * 1000)
        self.clock = time.monotonic()

    def check_owner(self, obj):
        owner = self.store.principals.get(obj.owner)
        if not owner or obj.owner == self.caller.user:
            return
        if self.caller.superuser and self.caller.overwrite:
            return
        raise errors.not_owner(self.caller.user, obj.type.name, obj.owner,
                               self.caller.overwrite)

    def check_revision(self, old, sent, verb, path):
        if verb == "put":
            if old is None:
                if sent is not None:
                    raise errors.stale("none", sent)
            elif sent is None:
                if self.settings.put_blind == "stale":
                    raise errors.stale(old.revision, "none")
                raise errors.exists(path)
            elif sent != old.revision:
                raise errors.stale(old.revision, sent)
        elif verb == "tree" and self.enforce:
            if old is None:
                if sent is not None:
                    raise errors.stale("none", sent)
            elif sent is None:
                if self.settings.revision_missing == "exists":
                    raise errors.exists(path)
            elif sent != old.revision:
                raise errors.stale(old.revision, sent)

    def write(self, type_, parent, ident, body, verb):
        """Stores 'body' as child 'ident' of 'parent'; returns the Object and
        the children of the body (hierarchical requests only)."""
        hierarchical = verb == "tree"
        visit = Visit(self.settings.version)
        env = Envelope(body, hierarchical, visit)
        if ident is None:
            ident = env.id
        if ident is None:
            raise errors.missing("id")
        if env.id is not None and env.id != ident:
            raise errors.invalid("property id is '%s', the path says '%s'"
                                 % (env.id, ident))
        ID.parse(ident, "id", visit)
        path = child_path(parent, type_, ident)
        old = self.store.get(path)
        if path in self.store.purging:
            raise errors.pending_delete(path)
        if type_.ids and ident not in type_.ids:
            raise errors.bad_path(path)
        kind = self.kind_of(type_, env.kind)
        if old is not None:
            self.check_owner(old)
            if old.kind != kind:
                raise errors.immutable(type_.name, "resource_type")
        if (type_.fixture or (old and old.system and
                              type_.name != "Rule")) and \
                self.caller is not SYSTEM:
            raise errors.system_owned(path)
        self.check_revision(self.tx.before(path) if hierarchical else old,
                            env.revision, verb, path)
        embedded = self.take_embedded(type_, env.rest)
        if verb == "patch" and old and self.settings.partial_patch:
            self.fill(env, old, type_.records[kind])
        new = self.build(type_, kind, ident, path, parent, env, visit, old)
        self.tx.put(new)
        if embedded is not None or (verb == "put" and old):
            self.write_embedded(new, embedded or [], verb)
        if old is None:
            self.add_system_children(new)
        return new, env.children

    def fill(self, env, old, record):
        """Partial patch: omitted fields stay; lists are replaced."""
        for key, value in old.doc.items():
            if key in record.fields:
                new = env.rest.get(key)
                if isinstance(new, dict) and isinstance(value, dict):
                    env.rest[key] = {**value, **new}
                else:
                    env.rest.setdefault(key, value)
            else:
                env.head.setdefault(key, value)

    def kind_of(self, type_, kind):
        if kind == type_.name and len(type_.records) > 1:
            kind = None
        if kind is None and len(type_.records) > 1:
            raise errors.missing("resource_type")
        return type_.record(kind)[0]

    def build(self, type_, kind, ident, path, parent, env, visit, old):
        record = type_.records[kind]
        visit.kind = type_.name
        doc = record.parse(env.rest, type_.name, visit)
        for key in record.frozen:
            if old and key in doc and key in old.doc and \
                    doc[key] != old.doc[key]:
                raise errors.immutable(type_.name, key)
        self.check_deep(record, doc, old, type_)
        new = old.clone() if old else \
            Object.fresh(type_, kind, ident, path, parent)
        if old is None:
            new.owner, new.created = self.caller.user, self.now
            new.system = self.caller is SYSTEM
        new.editor, new.modified = self.caller.user, self.now
        new.refs, new.nets = tuple(visit.refs), ()
        new.secrets = dict(old.secrets) if old else {}
        for key, field in record.fields.items():
            if field.secret and key in doc:
                new.secrets[key] = doc.pop(key)
        new.doc = {"display_name": ident, **env.head, **doc}
        self.add_platform_tag(new)
        checks.finish(self.store, self.tx, new, old)
        same = old is not None and old.doc == new.doc and \
            old.secrets == new.secrets
        if old is None or not same or self.settings.noop_revision == "bump":
            new.revision = old.revision + 1 if old else 0
            new.since = self.clock
        return new

    def check_deep(self, record, doc, old, type_):
        """Immutable fields one level down (vrf_config.tier0_path)."""
        for key, field in record.fields.items():
            inner = getattr(field, "frozen", None)
            if inner and old and key in doc and key in old.doc:
                for name in inner:
                    if doc[key].get(name) != old.doc[key].get(name):
                        raise errors.immutable(type_.name, name)

    def add_platform_tag(self, new):
        if new.type.name in TAGGED and self.settings.platform_tag and \
                self.caller is not SYSTEM:
            tags = new.doc.get("tags", [])
            if PLATFORM not in tags:
                new.doc["tags"] = tags + [PLATFORM]

    def take_embedded(self, type_, rest):
        """The list of rules or service entries in the body, if any."""
        for child in CHILDREN[type_.name].values():
            if child.embed and child.embed in rest:
                items = rest.pop(child.embed)
                if items is None:
                    return None
                if not isinstance(items, list):
                    raise errors.invalid("property %s must be an array"
                                         % child.embed)
                return items
        return None

    def write_embedded(self, new, items, verb):
        type_ = next((c for c in CHILDREN[new.type.name].values()
                      if c.embed), None)
        if type_ is None:
            return
        named = set()
        for item in items:
            child, _ = self.write(type_, new.path, None, item, "embed")
            if child.id in named:
                raise errors.invalid("property id '%s' occurs twice"
                                     % child.id)
            named.add(child.id)
        if verb == "put":
            for child in list(self.store.children(
                    new.path, type_.collection).values()):
                if child.id not in named:
                    self.tx.remove(child)

    def add_system_children(self, new):
        """What appears by itself with a new gateway, project or VPC."""
        for type_name, ident in SYSTEM_CHILDREN.get(new.type.name, ()):
            type_ = BY_NAME[type_name]
            if self.store.get(child_path(new.path, type_, ident)):
                continue
            inner = Writer(self.store, self.tx, SYSTEM)
            inner.write(type_, new.path, ident, {}, "system")

    # Deleting.

    def delete(self, obj, cascade, force=False):
        """Removes 'obj' and its parts; with 'cascade' its whole subtree."""
        self.check_owner(obj)
        if obj.system and self.caller is not SYSTEM:
            raise errors.system_owned(obj.path)
        self.delete_below(obj, cascade, force)
        self.tx.remove(obj)

    def delete_below(self, obj, cascade, force):
        if obj.type.name in ("Segment", "VpcSubnet") and not force and \
                not (cascade and self.settings.vif_implicit == "accept"):
            # Ports that the request names are gone by now.
            count = sum(checks.attached(port) for port in
                        self.store.children(obj.path, "ports").values())
            if count:
                raise errors.vifs_attached(obj.path, count)
        for child in list(self.store.all_children(obj.path)):
            if not (cascade or child.type.part or child.system):
                continue
            if cascade and not child.system:
                self.check_owner(child)
            self.delete_below(child, cascade or child.system, force)
            self.tx.remove(child)


SYSTEM_CHILDREN = {
    "Tier1": [("PolicyNat", "USER"), ("PolicyNat", "DEFAULT"),
              ("PolicyNat", "INTERNAL"), ("PolicyNat", "NAT64")],
    "Tier0": [("PolicyNat", "USER"), ("PolicyNat", "DEFAULT"),
              ("PolicyNat", "INTERNAL"), ("PolicyNat", "NAT64")],
    "Vpc": [("PolicyNat", "USER")],
    "Project": [("Infra", "infra")],
    "Infra": [("Domain", "default")],
}


# Reading.

def render(store, obj, caller, inline=True):
    """The object as a GET shows it to 'caller'."""
    reorder = store.settings.reorder
    if obj.shown is None or obj.shown[0] != reorder:
        obj.shown = (reorder, plain(obj, reorder))
    out = dict(obj.shown[1])
    out["_protection"] = protection(store, obj, caller)
    if obj.path in store.purging:
        out["marked_for_delete"] = True
    if inline:
        for child in CHILDREN[obj.type.name].values():
            if child.embed:
                out[child.embed] = embedded(store, obj, child, caller)
    return out


def plain(obj, reorder):
    """What does not depend on who asks, nor on other objects."""
    doc = obj.doc
    if reorder:
        doc = shuffled(obj.type.records[obj.kind], doc)
        if "tags" in doc:
            doc = {**doc, "tags": doc["tags"][::-1]}
    out = {"resource_type": obj.kind, "id": obj.id, **doc,
           "path": obj.path, "relative_path": obj.id,
           "unique_id": obj.uid, "realization_id": obj.uid,
           "marked_for_delete": False, "overridden": False,
           "owner_id": "sim-manager", "_create_user": obj.owner,
           "_create_time": obj.created, "_last_modified_user": obj.editor,
           "_last_modified_time": obj.modified,
           "_system_owned": obj.system, "_revision": obj.revision}
    if obj.parent:
        out["parent_path"] = obj.parent
    return out


def embedded(store, obj, type_, caller):
    found = store.children(obj.path, type_.collection).values()
    rows = sorted(found, key=lambda o: (o.doc.get("sequence_number", 0),
                                        o.id))
    return [render(store, row, caller) for row in rows]


def protection(store, obj, caller):
    if obj.owner not in store.principals or obj.owner == caller.user:
        return "NOT_PROTECTED"
    return "REQUIRE_OVERRIDE" if caller.superuser else "PROTECTED"


