"""HTTPS: the nodes of the manager cluster, and the framing of each request.

Every node is a listener of its own with its own sessions; the store is
shared. A node can be stopped (its port refuses), slow, redirecting to another
node or unavailable (503 from its proxy, plain text).  One thread per
connection, HTTP/1.1 keep-alive, one write per answer.

The order of things for a request is that of a real manager as far as it can be
seen from outside: proxy (node's mode), who asks, limits, then the API.
"""
import json
import socket
import ssl
import struct
import threading
import time
import traceback
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import errors
import routes
from errors import ApiError, PlainError

PUBLIC = ("/api/session/create", "/api/session/destroy")
LARGEST = 64 << 20


class Dropped(Exception):
    """The connection is to be closed without an answer."""


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address, handler, node):
        self.node = node
        self.open = set()
        super().__init__(address, handler)

    def get_request(self):
        plain, address = self.socket.accept()
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(120)
        return self.node.cluster.tls.wrap_socket(
            plain, server_side=True, do_handshake_on_connect=False), address

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        pass

    def cut(self):
        """Closes all connections at once, as a crash does."""
        for held in list(self.open):
            reset(held)


def reset(sock):
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Node:
    """One manager.  'mode' is up, down, slow, redirect or unavailable."""

    def __init__(self, cluster, number, host, port):
        self.cluster, self.number, self.host = cluster, number, host
        self.mode, self.seconds, self.status, self.target = "up", 0, 307, 0
        self.html = False
        self.server = None
        self.listen(port)
        self.port = self.server.server_address[1]

    @property
    def url(self):
        return "https://%s:%d" % (self.host, self.port)

    def listen(self, port):
        self.server = Listener((self.host, port), Handler, self)
        threading.Thread(target=self.server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def set(self, spec):
        """{"mode": "slow", "seconds": 2}, {"mode": "redirect",
        "status": 307, "target": 0}, {"mode": "unavailable", "html": true}"""
        mode = spec.get("mode", "up")
        if mode not in ("up", "down", "slow", "redirect", "unavailable"):
            raise ValueError("a node cannot be '%s'" % mode)
        self.seconds = float(spec.get("seconds", 1))
        self.status = int(spec.get("status", 307))
        self.target = int(spec.get("target", 0))
        self.html = bool(spec.get("html"))
        if mode == "down" and self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server.cut()
            self.server = None
            # Sessions live in the node's memory.
            self.cluster.access.expire_all(self.number)
        elif mode != "down" and not self.server:
            self.listen(self.port)
        self.mode = mode


class Cluster:
    """All nodes, and what they share."""

    def __init__(self, tls, policy, access, limits, faults, counters,
                 settings):
        self.tls, self.policy, self.access = tls, policy, access
        self.limits, self.faults, self.counters = limits, faults, counters
        self.settings = settings
        self.nodes = []
        self.log = None
        self.recent = []

    def start(self, host, port, count):
        for n in range(count):
            self.nodes.append(Node(self, n, host, port + n if port else 0))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def version_string(self):
        return "NSX"

    wbufsize = -1
    disable_nagle_algorithm = False

    def setup(self):
        self.request.settimeout(30)
        try:
            self.request.do_handshake()
        except (OSError, ssl.SSLError):
            pass
        keep = self.server.node.cluster.settings.keepalive
        self.request.settimeout(keep)
        super().setup()

    def handle(self):
        try:
            super().handle()
        except (OSError, ssl.SSLError, ValueError):
            self.close_connection = True

    def finish(self):
        try:
            super().finish()
        except (OSError, ssl.SSLError, ValueError):
            pass

    def log_message(self, *_):
        pass

    def certificate(self):
        try:
            return self.request.getpeercert() or None
        except (OSError, ValueError):
            return None

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.read_chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            raise PlainError(413, "Request Entity Too Large")
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            raise Dropped
        return body

    def handle_expect_100(self):
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def read_chunks(self):
        parts, total = [], 0
        while True:
            size = int(self.rfile.readline(64).split(b";")[0], 16)
            total += size
            if total > LARGEST:
                raise PlainError(413, "Request Entity Too Large")
            if size == 0:
                while self.rfile.readline(1024).strip():
                    pass
                return b"".join(parts)
            parts.append(self.rfile.read(size))
            self.rfile.readline(8)

    # One request.

    def serve(self):
        node = self.server.node
        cluster = node.cluster
        path, _, text = self.path.partition("?")
        path = urllib.parse.unquote(path)
        query = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        kind = routes.classify(self.command, path, query.keys())
        cluster.counters.request(self.command, kind, node.number)
        began, status = time.monotonic(), 0
        try:
            body = self.read_body()
            status = self.attempt(node, path, query, kind, body)
        except Dropped:
            self.close_connection = True
            reset(self.request)
        finally:
            cluster.counters.answer(status)
            if cluster.log:
                cluster.log("%d %s %s %d %.1fms" % (
                    node.number, self.command, self.path, status,
                    1000 * (time.monotonic() - began)))

    def attempt(self, node, path, query, kind, body):
        cluster = node.cluster
        do = cluster.faults.take(self.command, path, kind, node.number,
                                 body) or {}
        if "sleep" in do:
            time.sleep(float(do["sleep"]))
        if do.get("drop") == "before":
            raise Dropped
        if do.get("expire"):
            cluster.access.expire_all()
        if "status" in do:
            return self.answer_fault(do)
        try:
            status, out, headers = self.carry_out(node, path, query, body)
        except ApiError as e:
            status, out, headers = e.status, e.body(), {}
        except (Dropped, OSError, ssl.SSLError):
            raise
        except Exception as e:
            if not isinstance(e, PlainError):
                cluster.counters.crash(traceback.format_exc())
                e = PlainError(500, "The simulator is broken: %r" % e)
            self.after(do)
            return self.answer_text(e.status, e.text, e.kind, e.headers)
        self.after(do)
        return self.answer(status, out, headers, do.get("half"))

    def after(self, do):
        if "sleep_after" in do:
            time.sleep(float(do["sleep_after"]))
        if do.get("drop") == "after":
            raise Dropped

    def carry_out(self, node, path, query, body):
        """(status, body, headers) of a request that reaches the API."""
        cluster = node.cluster
        self.proxy(node)
        limit = cluster.settings.body_limit
        if limit and len(body) > limit:
            raise PlainError(413, "Request Entity Too Large")
        if path in PUBLIC:
            if self.command != "POST":
                raise errors.not_allowed(self.command)
            return self.session(node, path, body)
        caller = cluster.access.caller(node.number, self.headers,
                                       self.certificate())
        cluster.limits.enter(caller.user)
        try:
            if cluster.settings.latency > 0:
                time.sleep(cluster.settings.latency)
            if caller.readonly and self.command != "GET":
                raise errors.denied(caller.user, "write")
            if path.startswith(routes.PREFIX + "/"):
                request = routes.Request(self.command, path, query, body,
                                         caller, node)
                status, out = cluster.policy.handle(request)
            else:
                status, out = self.system(node, path, body)
        finally:
            cluster.limits.leave(caller.user)
        return status, out, {}

    def proxy(self, node):
        if node.mode == "slow":
            time.sleep(node.seconds)
        elif node.mode == "redirect":
            target = node.cluster.nodes[node.target].url + self.path
            raise PlainError(node.status, "", "text/html",
                             {"Location": target})
        elif node.mode == "unavailable":
            if node.html:
                raise PlainError(503, "<html><body><h1>503 Service "
                                 "Unavailable</h1></body></html>",
                                 "text/html")
            raise PlainError(503, "Service Unavailable")

    def session(self, node, path, body):
        access = node.cluster.access
        address = self.client_address[0]
        node.cluster.limits.enter(address)
        try:
            if path.endswith("/create"):
                return 200, None, access.create(node.number, body)
            access.destroy(node.number, self.headers)
            return 200, None, {}
        finally:
            node.cluster.limits.leave(address)

    def system(self, node, path, body):
        """The few calls outside the policy API."""
        settings = node.cluster.settings
        get = self.command == "GET"
        if path == "/api/v1/node/version" and get:
            return 200, {"product_version": settings.version,
                         "node_version": settings.version}
        if path == "/api/v1/reverse-proxy/node/health" and get:
            return 200, {"healthy": True}
        if path == "/api/v1/licenses/licensed-features" and get:
            return 200, {"results": [], "result_count": 0}
        if path == "/api/v1/trust-management/principal-identities" and get:
            names = sorted(node.cluster.access.principals)
            return 200, {"results": [{"name": n, "id": n} for n in names],
                         "result_count": len(names)}
        if path == "/api/v1/cluster/api-service":
            return self.api_service(settings, body)
        raise errors.not_found(path)

    def api_service(self, settings, body):
        names = {"client_api_rate_limit": "client_rate",
                 "client_api_concurrency_limit": "client_concurrency",
                 "global_api_concurrency_limit": "global_concurrency",
                 "session_timeout": "session_timeout",
                 "basic_authentication_enabled": "basic",
                 "cookie_based_authentication_enabled": "cookies"}
        if self.command == "PUT":
            sent = json.loads(body)
            settings.change({ours: sent[name] for name, ours in
                             names.items() if name in sent})
        elif self.command != "GET":
            raise errors.not_allowed(self.command)
        out = {name: getattr(settings, ours) for name, ours in names.items()}
        return 200, {k: v if isinstance(v, bool) else int(v)
                     for k, v in out.items()} | {"connection_timeout": 30}

    # Answers.

    def answer(self, status, out, headers, half=False):
        data = b"" if out is None else json.dumps(
            out, separators=(",", ":")).encode()
        self.send(status, data, "application/json;charset=UTF-8", headers,
                  half)
        return status

    def answer_fault(self, do):
        headers = do.get("headers", {})
        if "json" in do:
            return self.answer(int(do["status"]), do["json"], headers)
        return self.answer_text(int(do["status"]), do.get("text", ""),
                                do.get("type", "text/plain"), headers)

    def answer_text(self, status, text, kind, headers):
        self.send(status, text.encode(), kind, headers)
        return status

    def send(self, status, data, kind, headers, half=False):
        self.send_response(status)
        if data or status != 204:
            if data:
                self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if half:
            self.wfile.write(data[:len(data) // 2])
            self.wfile.flush()
            raise Dropped
        if self.command != "HEAD":
            self.wfile.write(data)
        self.wfile.flush()

    do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = do_HEAD = serve
