"""The objects of the policy tree, shared by all manager nodes.

An Object is never changed: a write makes another and puts it in the first
one's place, so that a Transaction can take everything back by putting the old
ones back.  Three indexes are kept in step: the children of a path, the objects
of a type, and who refers to a path; all look-ups are dictionary look-ups.

Deleting moves an object into 'purging': it vanishes from every reading at once
but holds its path, and what it refers to, until the purge delay is over.

The store knows nothing of users, requests or fields; see writer.py.
"""
import heapq
import json
import threading
import time
import uuid

import errors
from catalogue_vpc import BY_NAME, scope_of


class Object:
    """One object.  'doc' has the fields of the type and the common head."""

    __slots__ = ("type", "kind", "id", "path", "parent", "doc", "revision",
                 "refs", "owner", "created", "editor", "modified", "system",
                 "uid", "nets", "secrets", "shown", "since")

    def clone(self):
        new = Object.__new__(Object)
        for name in Object.__slots__:
            setattr(new, name, getattr(self, name))
        new.shown = None
        return new

    @staticmethod
    def fresh(type_, kind, ident, path, parent):
        new = Object.__new__(Object)
        new.type, new.kind, new.id = type_, kind, ident
        new.path, new.parent = path, parent
        new.doc, new.refs, new.nets, new.secrets = {}, (), (), {}
        new.revision, new.system, new.shown = -1, False, None
        new.owner = new.editor = "system"
        new.uid = str(uuid.uuid4())
        new.created = new.modified = int(time.time() * 1000)
        new.since = 0.0
        return new


class Store:
    def __init__(self, settings):
        self.settings = settings
        self.lock = threading.RLock()
        self.objects = {}
        self.kids = {}
        self.by_type = {name: {} for name in BY_NAME}
        self.referrers = {}
        self.purging = {}
        self.held = {}
        self.queue = []
        self.vifs = {}
        self.serial = 0
        self.watchers = []

    def get(self, path):
        return self.objects.get(path)

    def number(self):
        """Another one each time: rule_id, overlay_id."""
        self.serial += 1
        return self.serial

    def children(self, parent, collection):
        return self.kids.get(parent, {}).get(collection, {})

    def all_children(self, parent):
        for held in self.kids.get(parent, {}).values():
            yield from held.values()

    def set(self, path, new):
        """Puts 'new' (None: nothing) at 'path'; returns what was there."""
        old = self.objects.get(path)
        if new is None:
            del self.objects[path]
            del self.kids[old.parent][old.type.collection][path]
            del self.by_type[old.type.name][path]
        else:
            self.objects[path] = new
            self.kids.setdefault(new.parent, {}).setdefault(
                new.type.collection, {})[path] = new
            self.by_type[new.type.name][path] = new
        was = {r[0] for r in old.refs} if old else ()
        now = {r[0] for r in new.refs} if new else ()
        for target in was:
            if target not in now:
                known = self.referrers[target]
                known.pop(path, None)
                if not known:
                    del self.referrers[target]
        for target in now:
            self.referrers.setdefault(target, {})[path] = True
        return old

    def sweep(self, now=None):
        """Purges what is due.  Called before every request."""
        now = time.monotonic() if now is None else now
        while self.queue and self.queue[0][0] <= now:
            _, path = heapq.heappop(self.queue)
            entry = self.purging.get(path)
            if entry and entry[1] <= now:
                self.release(path)
        for segment in [s for s, v in self.vifs.items() if v[1] <= now]:
            del self.vifs[segment]

    def release(self, path):
        gone, _ = self.purging.pop(path)
        for target in {r[0] for r in gone.refs}:
            known = self.held.get(target)
            if known:
                known.pop(path, None)
                if not known:
                    del self.held[target]

    def mark(self, gone, delay=None):
        """Holds a deleted object until its purge."""
        delay = self.settings.purge_delay if delay is None else delay
        if delay <= 0:
            return
        until = time.monotonic() + delay
        self.purging[gone.path] = (gone, until)
        heapq.heappush(self.queue, (until, gone.path))
        for target in {r[0] for r in gone.refs}:
            self.held.setdefault(target, {})[gone.path] = True

    def users_of(self, path):
        """Paths of what refers to 'path', those pending delete too."""
        out = list(self.referrers.get(path, ()))
        if self.settings.purge_holds:
            out += self.held.get(path, ())
        return sorted(out)

    # Keeping the store in a file.

    def save(self, file):
        now = time.monotonic()
        with self.lock:
            objects = list(self.objects.values())
            gone = [(o, until - now) for o, until in self.purging.values()]
            rows = [pack(o) for o in objects]
            dead = [[pack(o), left] for o, left in gone]
        with open(file, "w", encoding="utf-8") as out:
            json.dump({"objects": rows, "purging": dead,
                       "serial": self.serial}, out)

    def load(self, file):
        with open(file, encoding="utf-8") as source:
            data = json.load(source)
        self.serial = data["serial"]
        for row in data["objects"]:
            new = unpack(row)
            self.set(new.path, new)
        for row, left in data["purging"]:
            self.mark(unpack(row), left)


def pack(obj):
    row = {name: getattr(obj, name) for name in Object.__slots__}
    row["type"] = obj.type.name
    row["refs"] = [[p, sorted(k), n] for p, k, n in obj.refs]
    row["nets"] = list(obj.nets)
    row["since"] = 0.0
    row["shown"] = None
    return row


def unpack(row):
    new = Object.__new__(Object)
    for name in Object.__slots__:
        setattr(new, name, row[name])
    new.type = BY_NAME[row["type"]]
    new.refs = tuple((p, frozenset(k), n) for p, k, n in row["refs"])
    new.nets = tuple(tuple(n) for n in row["nets"])
    return new


class Transaction:
    """All writes of one request.  Commit checks the outcome as a whole, so
    that the order of the parts in a request does not matter."""

    def __init__(self, store):
        self.store = store
        self.log = []
        self.first = {}
        self.written = {}
        self.removed = {}

    def put(self, new):
        old = self.store.set(new.path, new)
        self.log.append((new.path, old))
        self.first.setdefault(new.path, old)
        self.written[new.path] = new
        self.removed.pop(new.path, None)

    def remove(self, obj):
        self.store.set(obj.path, None)
        self.log.append((obj.path, obj))
        self.first.setdefault(obj.path, obj)
        self.written.pop(obj.path, None)
        self.removed[obj.path] = obj

    def rollback(self):
        for path, old in reversed(self.log):
            if old is not None or path in self.store.objects:
                self.store.set(path, old)

    def before(self, path):
        """What was at 'path' before this transaction."""
        return self.first[path] if path in self.first \
            else self.store.get(path)

    def check(self):
        for obj in self.removed.values():
            self.check_removed(obj)
        for obj in self.written.values():
            self.check_written(obj)

    def check_removed(self, obj):
        by = [p for p in self.store.users_of(obj.path)
              if p not in self.removed]
        by += [c.path for c in self.store.all_children(obj.path)]
        if by:
            raise errors.referenced(obj.path, by)

    def check_written(self, obj):
        store = self.store
        if obj.parent and obj.parent not in store.objects:
            raise errors.bad_path(obj.parent,
                                  store.settings.missing_parent_status)
        scope = scope_of(obj.path)
        for target, kinds, name in obj.refs:
            found = store.objects.get(target)
            if found is None:
                raise errors.bad_path(target)
            if kinds and found.type.name not in kinds:
                raise errors.invalid("property %s: path=[%s] is a %s"
                                     % (name, target, found.type.name))
            self.check_scope(obj, scope, found)

    def check_scope(self, obj, scope, found):
        """A project may use its own objects, what the administrator gave it,
        the fabric and the built-in services; nobody else's."""
        there = scope_of(found.path)
        if there == scope or obj.path == there:
            return
        if not there:
            kind = found.type.name
            if found.system or found.type.fixture or \
                    obj.type.name == "Project":
                return
            project = self.store.get(scope)
            if project and kind in ("Tier0", "IpAddressBlock") and \
                    any(r[0] == found.path for r in project.refs):
                return
        raise errors.bad_path(found.path,
                              self.store.settings.wrong_scope_status)

    def commit(self):
        """After 'check'."""
        for obj in self.removed.values():
            self.store.mark(obj)
        for watcher in self.store.watchers:
            watcher(self)
