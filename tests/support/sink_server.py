#!/usr/bin/env python3
"""An HTTP server that behaves as its paths say, for tests of what calls out.

    sink_server.py LOG [--tls CERT KEY] [--secret FILE] [--docs FILE]
                   [--port N]

Prints its port, serves until its standard input ends, and writes one JSON line
for each request into LOG: method, path, headers, body, whether the signature of
a tenet webhook is right, and whether its body is as the schema in FILE says.

The first part of the path is the behaviour:
    /ok /created /big /hang /reset /half /slow/MS /status/N
    /limited        429 with Retry-After: 1 once, then 200
    /ratelimit      403 with X-RateLimit-Remaining: 0 once, then 201
    /flaky/N        500 N times, then 200
    /cannot         400 as GitLab says it of a repeated status
    /redirect/here  307 to /ok;  /redirect/there  307 to another host
    /poison         400 if the body has the word POISON, else 200
"""
import argparse
import hashlib
import hmac
import json
import re
import socket
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("log")
parser.add_argument("--tls", nargs=2)
parser.add_argument("--secret")
parser.add_argument("--docs")
parser.add_argument("--port", type=int, default=0)
args = parser.parse_args()
lock = threading.Lock()
seen = {}
log = open(args.log, "a", encoding="utf-8")
secret = open(args.secret, "rb").read().strip() if args.secret else None

validator = None
if args.docs:
    import jsonschema
    text = open(args.docs, encoding="utf-8").read()
    block = re.search(r"```json schema\n(.*?)```", text, re.S).group(1)
    validator = jsonschema.Draft202012Validator(json.loads(block))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def signature(self, body):
        stamp = self.headers.get("X-Tenet-Timestamp")
        given = self.headers.get("X-Tenet-Signature-256")
        if not given or not stamp or secret is None:
            return None
        mac = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256)
        fresh = abs(time.time() - int(stamp)) < 300
        return fresh and hmac.compare_digest("sha256=" + mac.hexdigest(), given)

    def valid(self, body):
        if validator is None:
            return None
        try:
            return validator.is_valid(json.loads(body))
        except ValueError:
            return False

    def answer(self, status, body=b"{}", headers=()):
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def behave(self, parts, times, body):
        kind = parts[0]
        arg = parts[1] if len(parts) > 1 else ""
        if kind == "created":
            self.answer(201)
        elif kind == "big":
            self.answer(200, b"x" * (1 << 20))
        elif kind == "hang":
            time.sleep(30)
            self.close_connection = True
        elif kind == "reset":
            self.reset()
        elif kind == "half":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x")
            self.close_connection = True
        elif kind == "slow":
            time.sleep(int(arg) / 1000)
            self.answer(200)
        elif kind == "status":
            self.answer(int(arg), b'{"message":"so"}')
        elif kind == "limited" and times == 1:
            self.answer(429, headers=[("Retry-After", "1")])
        elif kind == "ratelimit" and times == 1:
            self.answer(403, headers=[
                ("X-RateLimit-Remaining", "0"),
                ("X-RateLimit-Reset", str(int(time.time()) + 2))])
        elif kind == "flaky" and times <= int(arg):
            self.answer(500)
        elif kind == "cannot":
            self.answer(400, b'{"message":"Cannot transition status via :run '
                             b'from :running"}')
        elif kind == "poison" and b"POISON" in body:
            self.answer(400)
        elif kind == "redirect":
            host = self.headers["Host"]
            if arg == "there":
                host = "localhost:" + host.split(":")[1]
            scheme = "https" if args.tls else "http"
            self.answer(307, headers=[("Location", f"{scheme}://{host}/ok")])
        else:
            self.answer(200)

    def handle_any(self):
        n = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(n)
        with lock:
            seen[self.path] = times = seen.get(self.path, 0) + 1
            json.dump({"method": self.command, "path": self.path,
                       "headers": {k.lower(): v
                                   for k, v in self.headers.items()},
                       "body": body.decode("utf-8", "replace"),
                       "signed": self.signature(body),
                       "valid": self.valid(body)}, log)
            log.write("\n")
            log.flush()
        self.behave(self.path.strip("/").split("?")[0].split("/"), times, body)

    do_GET = do_POST = do_PUT = do_HEAD = handle_any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", args.port), Handler)
if args.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*args.tls)
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
