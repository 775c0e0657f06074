"""What each method does at each path of the policy API.

A Request comes in parsed (method, path, query, body, who asks) and an Answer
goes out; framing, sessions and limits are server.py's.  All of it runs under
the store's lock, so that every request sees and leaves a consistent tree.
"""
import json
import re
import time

import checks
import errors
import fixtures
import listing
import tree
from access import in_scope
from catalogue_vpc import locate, scope_of
from errors import ApiError
from realise import Realisation
from search import Index
from store import Transaction
from writer import Writer, render

PREFIX = "/policy/api/v1"
ROOTS = re.compile(r"/infra|/org-root|/orgs/[^/]+/projects/[^/]+/infra")
SEARCH = re.compile(r"(|/orgs/[^/]+/projects/[^/]+)/search/(query|dsl)")
REALISED = re.compile(r"(.*/infra)/realized-state/([a-z-]+)")
EXPRESSIONS = re.compile(r"(.*/groups/[^/]+)/((?:ip-address|mac-address|path|"
                         r"external-id)-expressions)/([^/]+)")
LISTED = {"ip-address-expressions": ("IPAddressExpression", "ip_addresses"),
          "mac-address-expressions": ("MACAddressExpression",
                                      "mac_addresses"),
          "path-expressions": ("PathExpression", "paths"),
          "external-id-expressions": ("ExternalIDExpression",
                                      "external_ids")}
STATES = {"Segment", "Tier1", "Tier0", "Group", "Vpc", "VpcSubnet",
          "VpcSubnetPort", "SegmentPort"}


class Request:
    __slots__ = ("method", "path", "query", "body", "caller", "node")

    def __init__(self, method, path, query, body, caller, node):
        self.method, self.path, self.query = method, path, query
        self.body, self.caller, self.node = body, caller, node

    def json(self):
        try:
            return json.loads(self.body or b"")
        except ValueError as e:
            raise errors.malformed(str(e))


def classify(method, path, query):
    """The counters' class of a request, before anything is known of it."""
    if path.startswith("/api/session/"):
        return "login"
    if not path.startswith(PREFIX):
        return "system"
    path = path[len(PREFIX):]
    if SEARCH.fullmatch(path):
        return "search"
    if "/realized-state/" in path or path.endswith(("/state", "/status")):
        return "realised"
    if ROOTS.fullmatch(path):
        if method == "PATCH":
            return "tree_patch"
        if method == "GET" and query & {"type_filter", "filter",
                                        "base_path"}:
            return "tree_read"
    if method == "GET":
        place = locate(path)
        return "list" if place and place.id is None else "get"
    return method.lower()


class Policy:
    def __init__(self, store, settings, faults, counters):
        self.store, self.settings = store, settings
        self.counters = counters
        self.realisation = Realisation(store, faults)
        self.index = Index(store)
        self.tree_running = 0
        self.tree_number = 1000

    def handle(self, request):
        """(status, body or None).  Raises ApiError."""
        path = request.path[len(PREFIX):]
        if request.method == "PATCH" and ROOTS.fullmatch(path):
            return self.patch_tree(request, path)
        with self.store.lock:
            self.store.sweep()
            return self.dispatch(request, path)

    def dispatch(self, request, path):
        found = SEARCH.fullmatch(path)
        if found and request.method == "GET":
            if "query" not in request.query:
                raise errors.missing("query")
            return 200, self.index.query(request.query["query"],
                                         request.query, found.group(1))
        if not in_scope(request.caller, path):
            raise errors.bad_path(path, self.settings.wrong_scope_status)
        found = REALISED.fullmatch(path)
        if found:
            return self.realised(request, found.group(1), found.group(2))
        if path == "/system-config/nsx-partial-patch-config":
            return self.partial_patch(request)
        if path == "/infra/capacity/usage":
            return 200, {"capacity_usage": []}
        special = self.state(request, path) or \
            self.expressions(request, path)
        if special:
            return special
        place = locate(path, self.settings.version)
        if place is None:
            raise errors.bad_path(path, 404)
        method = getattr(self, "do_" + request.method.lower(), None)
        if method is None:
            raise errors.not_allowed(request.method)
        return method(request, place)

    def partial_patch(self, request):
        if request.method in ("PATCH", "PUT"):
            wish = request.json().get("enable_partial_patch")
            self.settings.partial_patch = str(wish).lower() == "true"
        return 200, {"enable_partial_patch":
                     str(self.settings.partial_patch).lower()}

    # Reading.

    def do_get(self, request, place):
        store, query = self.store, request.query
        if place.id is None:
            if place.parent not in store.objects:
                raise errors.bad_path(place.parent,
                                      self.settings.missing_parent_status)
            return 200, listing.list_objects(store, place, query,
                                             request.caller)
        obj = self.existing(place)
        if ROOTS.fullmatch(place.path) and \
                {"type_filter", "filter", "base_path"} & set(query):
            base = query.get("base_path")
            if base and base not in store.objects:
                raise errors.bad_path(base)
            wanted = tree.Wanted(query.get("type_filter"),
                                 query.get("filter"))
            return 200, tree.read(store, obj, request.caller, wanted, base)
        out = render(store, obj, request.caller)
        if query.get("action") == "show_sensitive_data":
            out.update(obj.secrets)
        return 200, out

    def existing(self, place):
        obj = self.store.get(place.path)
        if obj is None:
            if place.parent and place.parent not in self.store.objects:
                raise errors.bad_path(place.parent,
                                      self.settings.missing_parent_status)
            if self.settings.absent_code == 500012:
                raise errors.bad_path(place.path, 404)
            raise errors.not_found(place.id)
        return obj

    def realised(self, request, infra, what):
        query, method = request.query, request.method
        target = query.get("intent_path", "")
        if scope_of(target) != scope_of(infra) and \
                not target.startswith(scope_of(infra) + "/"):
            raise errors.bad_path(target, self.settings.wrong_scope_status)
        if method == "POST" and what == "realized-entity" and \
                query.get("action") == "refresh":
            self.realisation.find(target)
            return 204, None
        if method != "GET":
            raise errors.not_allowed(method)
        if what == "status":
            return 200, self.realisation.status(
                target, query.get("include_enforced_status") == "true")
        if what == "realized-entities":
            return 200, self.realisation.entities(target)
        if what == "realized-entity":
            return 200, self.realisation.by_realized_path(
                query.get("realized_path"))
        if what == "alarms":
            rows = self.realisation.alarms()
            return 200, {"results": rows, "result_count": len(rows)}
        raise errors.bad_path(request.path, 404)

    def state(self, request, path):
        """GET <object>/state and the like; None if 'path' is no such."""
        holder, _, last = path.rpartition("/")
        if last not in ("state", "status") or request.method != "GET":
            return None
        place = locate(holder, self.settings.version)
        if place is None or place.type.name not in STATES:
            return None
        if place.id is None:
            wanted = request.query.get("configuration_state")
            rows = []
            for obj in self.store.children(place.parent,
                                           place.type.collection).values():
                row = self.realisation.object_state(obj)
                if not wanted or row["state"] == wanted:
                    rows.append({"segment_path": obj.path, **row})
            return 200, listing.envelope(self.settings, rows, request.query,
                                         lambda row: row)
        obj = self.existing(place)
        out = self.realisation.object_state(obj)
        if obj.type.name == "VpcSubnet":
            out = {"network_address": obj.doc.get("ip_addresses", [""])[0],
                   "gateway_address": (obj.doc.get("advanced_config", {})
                                       .get("gateway_addresses", [""])[0]),
                   **out}
        return 200, out

    # Writing.

    def transact(self, request, work):
        """Runs 'work' in a transaction: all of it or nothing."""
        tx = Transaction(self.store)
        try:
            out = work(tx)
            for obj in list(tx.written.values()):
                if obj.type.name == "Project" and \
                        tx.before(obj.path) is None:
                    fixtures.project_defaults(self.store, tx, obj.path)
            tx.check()
            checks.check(self.store, tx)
            tx.commit()
        except Exception:
            tx.rollback()
            raise
        return out

    def write(self, request, place, verb):
        if place.id is None:
            raise errors.not_allowed(request.method)
        body = request.json()

        def work(tx):
            writer = Writer(self.store, tx, request.caller)
            return writer.write(place.type, place.parent, place.id, body,
                                verb)[0]

        if place.parent and place.parent not in self.store.objects:
            raise errors.bad_path(place.parent,
                                  self.settings.missing_parent_status)
        return self.transact(request, work)

    def do_patch(self, request, place):
        self.write(request, place, "patch")
        return 200, None

    def do_put(self, request, place):
        obj = self.write(request, place, "put")
        return 200, render(self.store, obj, request.caller)

    def do_delete(self, request, place):
        if place.id is None:
            raise errors.not_allowed("DELETE")
        try:
            obj = self.existing(place)
        except ApiError:
            if self.settings.delete_absent == "accept":
                return 200, None
            raise
        force = request.query.get("force") == "true"

        def work(tx):
            if force:
                self.store.vifs.pop(obj.path, None)
            Writer(self.store, tx, request.caller).delete(obj, force, force)

        self.transact(request, work)
        return 200, None

    def expressions(self, request, path):
        """POST <group>/ip-address-expressions/<e>?action=add|remove"""
        found = EXPRESSIONS.fullmatch(path)
        action = request.query.get("action")
        if not found or request.method != "POST" or \
                action not in ("add", "remove"):
            return None
        place = locate(found.group(1), self.settings.version)
        if place is None or place.type.name != "Group" or place.id is None:
            return None
        obj = self.existing(place)
        kind, key = LISTED[found.group(2)]
        items = request.json().get(key)
        if not isinstance(items, list):
            raise errors.missing(key)
        body = json.loads(json.dumps(obj.doc))
        leaves = [e for e in body.get("expression", [])
                  if e["resource_type"] == kind and
                  e.get("id", found.group(3)) == found.group(3)]
        if not leaves:
            raise errors.not_found(found.group(3))
        had = leaves[0][key]
        leaves[0][key] = [i for i in had if i not in items] + \
            (items if action == "add" else [])
        self.transact(request, lambda tx: Writer(
            self.store, tx, request.caller).write(
                place.type, place.parent, place.id, body, "patch"))
        return 200, None

    def do_post(self, request, place):
        action = request.query.get("action")
        if action == "revise" and place.type.name in (
                "SecurityPolicy", "GatewayPolicy", "Rule"):
            return self.revise(request, place)
        raise errors.not_allowed("POST")

    def revise(self, request, place):
        """Moves a policy or a rule among its siblings."""
        obj = self.existing(place)
        operation = request.query.get("operation", "insert_top")
        rows = sorted((o for o in self.store.children(
            place.parent, place.type.collection).values() if o is not obj),
            key=lambda o: (o.doc.get("sequence_number", 0), o.id))
        numbers = [o.doc.get("sequence_number", 0) for o in rows
                   if not o.system]
        anchor = self.store.get(request.query.get("anchor_path", ""))
        if operation == "insert_top":
            number = max(0, min(numbers, default=10) - 10)
        elif operation == "insert_bottom":
            number = max(numbers, default=0) + 10
        elif anchor is None:
            raise errors.missing("anchor_path")
        else:
            number = anchor.doc.get("sequence_number", 0) + \
                (1 if operation == "insert_after" else -1)
        body = {**obj.doc, "sequence_number": max(0, number)}
        for key in ("rule_id", "is_default"):
            body.pop(key, None)
        new = self.transact(request, lambda tx: Writer(
            self.store, tx, request.caller).write(
                place.type, place.parent, place.id, body, "patch")[0])
        return 200, render(self.store, new, request.caller)

    def patch_tree(self, request, path):
        """One hierarchical request at a time, if the setting says so."""
        body = request.json()
        with self.store.lock:
            if self.tree_running and self.settings.atomic_conflict:
                raise errors.atomic_conflict(self.tree_number,
                                             self.settings.atomic_code)
            self.tree_running += 1
            self.tree_number += 1
        try:
            if self.settings.hapi_delay > 0:
                time.sleep(self.settings.hapi_delay)
            with self.store.lock:
                self.store.sweep()
                return self.apply_tree(request, path, body)
        finally:
            with self.store.lock:
                self.tree_running -= 1

    def apply_tree(self, request, path, body):
        if not in_scope(request.caller, path):
            raise errors.bad_path(path, self.settings.wrong_scope_status)
        place = locate(path, self.settings.version)
        if place is None:
            raise errors.bad_path(path, 404)
        root = self.existing(place)
        enforce = request.query.get("enforce_revision_check") == "true"
        patch = [None]

        def work(tx):
            patch[0] = tree.Patch(self.store, tx, request.caller, enforce)
            patch[0].apply(root, body)

        self.transact(request, work)
        self.counters.tree(patch[0].count)
        return 200, None
