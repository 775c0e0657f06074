#!/usr/bin/env python3
"""One node of an NSX cluster as the client's tests need it: HTTPS, logins, and
whatever the test writes into a file of rules.

    client_peer.py DIR NAME CERT KEY [--port N] [--ca FILE] [--rate N]

Prints its port and serves until its standard input ends.  DIR/NAME.log gets a
JSON line a request: t, method, path, headers, body, connection, user.  Rules
are read anew with each request from DIR/NAME.rules, a JSON array; the first
that fits and is not used up decides:

    {"method": "PATCH", "path": "/policy", "times": 1,   path: how it begins
     "status": 503, "headers": {"X": "y"}, "body": "text" (COOKIE in
           it becomes the session's),
     "do": "reset" | "close" | "hang" | "half" | "commit-reset" |
           "answer-close" (without saying that it will),
     "delay": seconds, "expire": true}

Without a rule: sessions of user admin, password 'p&ss %+=w"rd', which are this
node's; /api/v1/node/version; /list/N: a paged list of N elements; /big/N: N
bytes; /whoami; all else: 200, and {"n": number of writes to that path}.
"""
import argparse
import base64
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("dir")
parser.add_argument("name")
parser.add_argument("cert")
parser.add_argument("key")
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--ca")
parser.add_argument("--open", action="store_true", help="no logins needed")
parser.add_argument("--bind-connection", action="store_true",
                    help="a session holds on its connection alone")
parser.add_argument("--sticky", action="store_true", help="behind a balancer "
                    "that knows the node by a cookie of its own")
parser.add_argument("--rate", type=int, default=0)
args = parser.parse_args()
lock = threading.Lock()
log = open(os.path.join(args.dir, args.name + ".log"), "a", encoding="utf-8")
used = {}
sessions = {}
writes = {}
arrivals = []
USER, PASSWORD = "admin", 'p&ss %+=w"rd'


def error(status, code, text, **more):
    return {"httpStatus": status, "error_code": code, "error_message": text,
            "module_name": "policy", **more}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        pass

    def answer(self, status, body=None, headers=()):
        raw = body if isinstance(body, bytes) else \
            body.encode() if isinstance(body, str) else \
            b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        if body is not None and not isinstance(body, (str, bytes)):
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
        self.wfile.flush()

    def rule(self):
        try:
            with open(os.path.join(args.dir, args.name + ".rules"),
                      encoding="utf-8") as f:
                rules = json.load(f)
        except (OSError, ValueError):
            return None
        for r in rules:
            key = json.dumps(r, sort_keys=True)
            if self.path.startswith(r.get("path", "/")) and \
                    self.command == r.get("method", self.command) and \
                    used.get(key, 0) < r.get("times", 1 << 30):
                used[key] = used.get(key, 0) + 1
                return r
        return None

    def break_off(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        self.close_connection = True
        os.close(os.dup(self.connection.fileno()))
        self.connection.close()

    def write(self):
        path = self.path.split("?")[0]
        if self.command != "GET":
            writes[path] = writes.get(path, 0) + 1
        return {"n": writes.get(path, 0)}

    def follow(self, r):
        do = r.get("do")
        time.sleep(r.get("delay", 0))
        if r.get("expire"):
            sessions.clear()
            return False
        if do == "commit-reset":
            self.write()
        if do in ("reset", "commit-reset"):
            self.break_off()
        elif do == "close":
            self.close_connection = True
        elif do == "answer-close":
            self.answer(200, {})
            self.close_connection = True
        elif do == "hang":
            time.sleep(r.get("seconds", 30))
            self.close_connection = True
        elif do == "half":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"{\"half\":")
            self.wfile.flush()
            self.close_connection = True
        elif "status" in r:
            if r.get("commit"):
                self.write()
            self.answer(r["status"], r.get("body", "").replace(
                "COOKIE", self.headers.get("Cookie", "")[11:]),
                        list(r.get("headers", {}).items()))
        else:
            return False
        return True

    def create(self, body):
        form = urllib.parse.parse_qs(body.decode(), strict_parsing=True)
        if form.get("j_username") != [USER] or \
                form.get("j_password") != [PASSWORD]:
            return self.answer(403, {
                "module_name": "common-services", "error_code": 403,
                "error_message": "The credentials were incorrect or the "
                "account specified has been locked. " + body.decode()})
        sid, token = uuid.uuid4().hex.upper(), str(uuid.uuid4())
        sessions[sid] = (token, id(self.connection))
        cookies = [("Set-Cookie", "JSESSIONID=%s; Path=/; Secure; HttpOnly; "
                    "SameSite=Lax" % sid)]
        if args.sticky:
            cookies += [("Set-Cookie", "SERVERID=n1; path=/")]
        return self.answer(200, None, cookies + [("X-XSRF-TOKEN", token)])

    def who(self):
        if args.open:
            return "open"
        basic = self.headers.get("Authorization")
        cookie = self.headers.get("Cookie", "")
        if args.sticky:
            cookie, _, node = cookie.partition("; ")
            cookie = cookie if node == "SERVERID=n1" else ""
        if args.ca:
            return dict(x[0] for x in self.connection.getpeercert()
                        ["subject"])["commonName"]
        if basic and not cookie:
            pair = base64.b64decode(basic.split()[1]).decode()
            return USER if pair == USER + ":" + PASSWORD else None
        if cookie.startswith("JSESSIONID="):
            token, at = sessions.get(cookie[11:], (None, None))
            if args.bind_connection and at != id(self.connection):
                return None
            if token and token == self.headers.get("X-XSRF-TOKEN"):
                return USER
        return None

    def listing(self):
        url = urllib.parse.urlsplit(self.path)
        q = urllib.parse.parse_qs(url.query)
        n = int(url.path.split("/")[2])
        size = min(int(q.get("page_size", ["1000"])[0]), 1000)
        at = int(q["cursor"][0].split("=")[1]) if "cursor" in q else 0
        body = {"results": [{"id": "e%d" % i, "path": "/infra/e%d" % i}
                            for i in range(at, min(at + size, n))]}
        if at == 0:
            body["result_count"] = n
        if at + size < n:
            body["cursor"] = "c&=%d" % (at + size)
        self.answer(200, body)

    def serve(self):
        n = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(n)
        now = time.monotonic()
        with lock:
            arrivals.append(now)
            user = self.who()
            log.write(json.dumps({
                "t": now, "method": self.command, "path": self.path,
                "headers": {k.lower(): v for k, v in self.headers.items()},
                "connection": self.client_address[1], "user": user,
                "body": body.decode(errors="replace")}) + "\n")
            log.flush()
            r = self.rule()
            crowd = sum(1 for t in arrivals[-2 * args.rate:] if t > now - 1) \
                if args.rate else 0
        if args.rate and crowd > args.rate:
            return self.answer(429, {
                "module_name": "common-services", "error_code": "102",
                "error_message": "Client 'admin' exceeded request rate of "
                "%d per second" % args.rate})
        if r and self.follow(r):
            return None
        if self.path == "/api/session/create":
            return self.create(body)
        user = self.who()
        if not user:
            return self.answer(403, {
                "module_name": "common-services", "error_code": 98,
                "error_message": "Invalid XSRF token"})
        if self.path == "/api/session/destroy":
            sessions.pop(self.headers.get("Cookie", "")[11:], None)
            return self.answer(200)
        if self.path == "/api/v1/node/version":
            return self.answer(200, {"node_version": "4.2.1.0.0.1",
                                     "product_version": "4.2.1.0.0.1"})
        if self.path.startswith("/list/"):
            return self.listing()
        if self.path.startswith("/big/"):
            return self.answer(200, b"x" * int(self.path.split("/")[2]))
        if self.path == "/whoami":
            return self.answer(200, {"user": user})
        with lock:
            return self.answer(200, self.write())

    do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = serve


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def finish_request(self, request, address):
        request.settimeout(60)
        try:
            tls = context.wrap_socket(request, server_side=True)
            Handler(tls, address, self)
        except OSError:
            pass

    def handle_error(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(args.cert, args.key)
if args.ca:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(args.ca)
server = Server(("127.0.0.1", args.port), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
