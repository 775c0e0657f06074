"""Faults that a test orders, and the counting of requests.

A Fault waits for the n-th request from now that matches (method, a regular
expression over the path, or a class such as "write") and then answers what it
was told, drops the connection before or after the request was carried out, or
waits.  A RealisationFault holds for the objects whose path matches a pattern.

Counters count every request by class; they are how a test proves that a client
reads in pages, not object by object.
"""
import collections
import fnmatch
import re
import sys
import threading
import time

CLASSES = ("login", "tree_patch", "tree_read", "list", "search", "realised",
           "get", "put", "patch", "delete", "post", "system")
WRITES = ("tree_patch", "put", "patch", "delete", "post")


class Fault:
    """{"method": "PATCH", "path": "/infra$", "class": "write", "nth": 1,
    "count": 1, "node": 0, "do": {...}} with do one of

        {"status": 429, "json": {...}, "headers": {...}}
        {"status": 503, "text": "..."}
        {"drop": "before"} or {"drop": "after"}
        {"sleep": 2.0}
        {"expire": true}
        {"sleep_after": 2.0}      the work is done, its answer is late
        {"half": true}            half of the answer, then the end
    """

    KEYS = {"method", "path", "class", "nth", "count", "node", "do", "body"}

    def __init__(self, spec):
        unknown = set(spec) - self.KEYS
        if unknown:
            raise ValueError("a fault has no '%s'" % sorted(unknown)[0])
        self.method = spec.get("method")
        self.path = re.compile(spec["path"]) if "path" in spec else None
        self.body = spec["body"].encode() if "body" in spec else None
        self.kind = spec.get("class")
        self.node = spec.get("node")
        self.nth = int(spec.get("nth", 1))
        self.left = int(spec.get("count", 1))
        self.do = spec["do"]

    def matches(self, method, path, kind, node, body):
        if self.method and method != self.method:
            return False
        if self.node is not None and node != self.node:
            return False
        if self.path and not self.path.search(path):
            return False
        if self.body and self.body not in (body or b""):
            return False
        if self.kind == "write":
            return kind in WRITES
        if self.kind == "read":
            return kind not in WRITES and kind != "login"
        return not self.kind or kind == self.kind


class RealisationFault:
    """{"path": "/infra/segments/*", "code": 500042, "text": "...",
    "seconds": 3, "delay": 1}: an ERROR, for good or for some seconds;
    "state": "UNKNOWN" instead of a code: that state; neither: only another
    delay.  Rules fail their policy, service entries their service."""

    def __init__(self, spec):
        self.pattern = spec["path"]
        self.code = spec.get("code")
        self.state = spec.get("state", "ERROR" if self.code else None)
        self.text = spec.get("text", "Realization failure, code %s."
                             % self.code)
        self.seconds = spec.get("seconds")
        self.delay = spec.get("delay")


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = []
        self.realised = []
        self.fired = 0

    def add(self, spec):
        with self.lock:
            self.waiting.append(Fault(spec))

    def clear(self):
        with self.lock:
            self.waiting.clear()
            self.realised.clear()

    def take(self, method, path, kind, node, body):
        """What to do with this request, or None."""
        if not self.waiting:
            return None
        with self.lock:
            for fault in self.waiting:
                if not fault.matches(method, path, kind, node, body):
                    continue
                fault.nth -= 1
                if fault.nth > 0:
                    continue
                fault.left -= 1
                if fault.left <= 0:
                    self.waiting.remove(fault)
                self.fired += 1
                return fault.do
        return None

    def add_realisation(self, spec):
        self.realised.append(RealisationFault(spec))

    def realisation(self, path):
        for fault in self.realised:
            if fnmatch.fnmatchcase(path, fault.pattern):
                return fault
        return None

    def realisation_paths(self, paths):
        if not self.realised:
            return []
        return [p for p in paths if self.realisation(p)]


class Counters:
    def __init__(self):
        self.lock = threading.Lock()
        self.crashes = 0
        self.reset()

    def reset(self):
        with self.lock:
            self.classes = collections.Counter()
            self.methods = collections.Counter()
            self.statuses = collections.Counter()
            self.nodes = collections.Counter()
            self.limited = 0
            self.intents = 0
            self.largest = 0
            self.peak = 0
            self.recent = collections.deque()
            self.began = time.monotonic()

    def request(self, method, kind, node):
        now = time.monotonic()
        with self.lock:
            self.classes[kind] += 1
            self.methods[method] += 1
            self.nodes[str(node)] += 1
            recent = self.recent
            recent.append(now)
            while recent[0] <= now - 1:
                recent.popleft()
            self.peak = max(self.peak, len(recent))

    def answer(self, status):
        with self.lock:
            self.statuses[str(status)] += 1

    def tree(self, intents):
        with self.lock:
            self.intents += intents
            self.largest = max(self.largest, intents)

    def crash(self, trace):
        """An error of the simulator's own.  Tests look that there is none."""
        sys.stderr.write(trace)
        with self.lock:
            self.crashes += 1

    def refused_by_rate(self):
        with self.lock:
            self.limited += 1

    def all(self):
        with self.lock:
            return {
                "total": sum(self.classes.values()),
                "classes": {k: self.classes[k] for k in CLASSES},
                "methods": dict(self.methods),
                "statuses": dict(self.statuses),
                "nodes": dict(self.nodes),
                "refused_by_rate": self.limited, "crashes": self.crashes,
                "peak_per_second": self.peak,
                "intents": self.intents,
                "largest_tree": self.largest,
                "seconds": round(time.monotonic() - self.began, 3)}
