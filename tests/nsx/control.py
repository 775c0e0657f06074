"""The control port: how a test or a curious user pulls the strings.

Plain HTTP on the loopback, no login, JSON in and out:

    GET  /settings          all knobs          POST /settings {"name": value}
    GET  /counters          requests by class  POST /counters/reset
    GET  /store             the whole tree, sorted, one object per key
    GET  /log               the last requests
    POST /fault             {...} see faults.py Fault; a list for many
    POST /realisation       {"path": "/infra/segments/*", "code": 500042,
                             "text": "...", "seconds": 3, "delay": 1}
    POST /faults/clear      forgets all faults of both kinds
    POST /expire            all sessions end   {"node": 0} those of one node
    POST /node/N            {"mode": "down"|"up"|"slow"|"redirect"|
                             "unavailable", ...} see server.py Node.set
    POST /user              {"name", "password", "scope": "/orgs/...",
                             "superuser": false, "readonly": true}
    POST /edit              {"method": "PATCH", "path": "/infra/...",
                             "body": {...}, "user": "someone"}
    POST /vif               {"segment": path, "seconds": 3, "count": 1}
    POST /purge             what is pending delete is purged now
    POST /save              writes the state file
    POST /clear             the tree is as at first
    POST /quit
"""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import routes
from errors import ApiError
from listing import sort_key
from writer import SYSTEM, Caller, render


class Control:
    def __init__(self, cluster, store, save, clear, quit_):
        self.cluster, self.store = cluster, store
        self.save, self.clear, self.quit = save, clear, quit_

    def get(self, path):
        if path == "/settings":
            return self.cluster.settings.all()
        if path == "/counters":
            return {**self.cluster.counters.all(), "sessions":
                    [len(s) for s in self.cluster.access.sessions]}
        if path == "/store":
            return self.dump()
        if path == "/log":
            return self.cluster.recent[-1000:]
        raise KeyError(path)

    def dump(self):
        """Path to object, as stored: nothing reordered, nothing embedded."""
        with self.store.lock:
            self.store.sweep()
            settings = self.store.settings
            was, settings.reorder = settings.reorder, False
            try:
                objects = {o.path: {**render(self.store, o, SYSTEM, False),
                                    **{k: "***" for k in o.secrets}}
                           for o in sorted(self.store.objects.values(),
                                           key=sort_key("id"))}
            finally:
                settings.reorder = was
            return {"objects": dict(sorted(objects.items())),
                    "purging": sorted(self.store.purging)}

    def post(self, path, body):
        cluster = self.cluster
        if path == "/settings":
            cluster.settings.change(body)
        elif path == "/counters/reset":
            cluster.counters.reset()
        elif path == "/fault":
            for spec in body if isinstance(body, list) else [body]:
                cluster.faults.add(spec)
        elif path == "/realisation":
            for spec in body if isinstance(body, list) else [body]:
                cluster.faults.add_realisation(spec)
        elif path == "/faults/clear":
            cluster.faults.clear()
        elif path == "/expire":
            cluster.access.expire_all(body.get("node"))
        elif path.startswith("/node/"):
            cluster.nodes[int(path[6:])].set(body)
        elif path == "/user":
            cluster.access.add_user(body["name"], body["password"],
                                    body.get("scope", ""),
                                    body.get("superuser", True),
                                    body.get("readonly", False))
        elif path == "/edit":
            return self.edit(body)
        elif path == "/vif":
            with self.store.lock:
                self.store.vifs[body["segment"]] = (
                    int(body.get("count", 1)),
                    time.monotonic() + float(body.get("seconds", 3)))
        elif path == "/purge":
            with self.store.lock:
                self.store.sweep(float("inf"))
        elif path == "/save":
            self.save()
        elif path == "/clear":
            self.clear()
        elif path == "/quit":
            threading.Timer(0.05, self.quit).start()
        else:
            raise KeyError(path)
        return {}

    def edit(self, body):
        """A write by another user, counted and limited by nothing."""
        data = json.dumps(body.get("body", {})).encode()
        request = routes.Request(
            body.get("method", "PATCH"), routes.PREFIX + body["path"],
            body.get("query", {}), data,
            Caller(body.get("user", "operator"), overwrite=True), None)
        try:
            status, out = self.cluster.policy.handle(request)
        except ApiError as e:
            status, out = e.status, e.body()
        return {"status": status, "body": out}


def serve(control, host, port):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def log_message(self, *_):
            pass

        def run(self, work):
            try:
                status, out = 200, work()
            except KeyError as e:
                status, out = 404, {"error": "there is no %s" % e}
            except (ValueError, TypeError, IndexError, OSError) as e:
                status, out = 400, {"error": str(e)}
            data = (json.dumps(out, indent=1, sort_keys=True) +
                    "\n").encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()

        def do_GET(self):
            self.run(lambda: control.get(self.path))

        def do_POST(self):
            size = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(size)
            self.run(lambda: control.post(self.path,
                                          json.loads(text or b"{}")))

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,),
                     daemon=True).start()
    return server
