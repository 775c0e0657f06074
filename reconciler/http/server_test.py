#!/usr/bin/env python3
"""The listener under fire: real curl, raw sockets, hostile clients.

usage: server_test.py HTTP_DEMO
Prints TAP. All traffic is on loopback addresses and a local socket.
"""
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

DEMO = sys.argv[1]
failures = 0
count = 0


def result(good, what, detail=""):
    global failures, count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {what}", flush=True)
    if not good:
        failures += 1
        print("#   " + str(detail)[:2000].replace("\n", "\n#   "), flush=True)


def wait_for_fds(demo, most, seconds=10):
    """The descriptors of the demo, once they are few or the time is over."""
    deadline = time.monotonic() + seconds
    while demo.fds() > most and time.monotonic() < deadline:
        time.sleep(0.1)
    return demo.fds()


class Demo:
    """The program under test, for the length of a with block."""

    def __init__(self, listen="127.0.0.1:0", request=30, idle=10, tls=(), fds=()):
        self.pass_fds = fds
        self.args = [DEMO, listen, str(request), str(idle), *tls]

    def __enter__(self):
        self.p = subprocess.Popen(self.args, stdout=subprocess.PIPE, text=True,
                                  pass_fds=self.pass_fds)
        line = self.p.stdout.readline().split()
        self.port = int(line[1]) if line else None
        return self

    def __exit__(self, *_):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGTERM)
        try:
            out, _ = self.p.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            out, _ = self.p.communicate()
        self.out = out
        result(self.p.returncode == 0, f"ends cleanly: {' '.join(self.args[1:4])}",
               f"status {self.p.returncode}")

    def connect(self, source=None, timeout=10):
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout,
            source_address=(source, 0) if source else None)

    def curl(self, path, *args, data=None):
        p = subprocess.run(
            ["curl", "-sS", "-i", "--max-time", "20", *args,
             f"http://127.0.0.1:{self.port}{path}"],
            input=data, capture_output=True, check=False)
        text = p.stdout.decode("utf-8", "replace")
        codes = re.findall(r"^HTTP/1\.1 (\d+)", text, re.M)
        return int(codes[-1]) if codes else -p.returncode, text

    def fds(self):
        return len(os.listdir(f"/proc/{self.p.pid}/fd"))

    def held_from(self, source):
        """How many connections from the address 'source' the demo holds."""
        peer = "".join(f"{int(x):02X}" for x in reversed(source.split(".")))
        with open(f"/proc/{self.p.pid}/net/tcp", encoding="ascii") as f:
            rows = [line.split() for line in f]
        inodes = {row[9] for row in rows if row[2].startswith(peer + ":")}
        sockets = set()
        for fd in os.listdir(f"/proc/{self.p.pid}/fd"):
            try:
                sockets.add(os.readlink(f"/proc/{self.p.pid}/fd/{fd}"))
            except FileNotFoundError:
                pass
        return sum(f"socket:[{inode}]" in sockets for inode in inodes)

    def cpu(self):
        with open(f"/proc/{self.p.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_all(s, limit=1 << 24):
    data = b""
    try:
        while len(data) < limit:
            piece = s.recv(65536)
            if not piece:
                break
            data += piece
    except (ConnectionResetError, TimeoutError, BrokenPipeError):
        pass
    return data


def seconds_until_closed(s, drip=None, limit=15):
    """How long the server keeps 's', fed with 'drip' every 0.2 s."""
    begin = time.monotonic()
    s.settimeout(0.2)
    while time.monotonic() - begin < limit:
        try:
            if drip:
                s.sendall(drip)
            if not s.recv(4096):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - begin


def sign(body):
    return "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()


def push(demo, body, delivery, signature=None, *more):
    return demo.curl("/webhook", "-H", "Content-Type: application/json",
                     "-H", "X-GitHub-Event: push",
                     "-H", f"X-GitHub-Delivery: {delivery}",
                     "-H", f"X-Hub-Signature-256: {signature or sign(body)}",
                     "--data-binary", "@-", *more, data=body)


def test_plain():
    with Demo() as d:
        code, text = d.curl("/echo?a=%2Fx%20y&b", "-H", "X-Test: v")
        result(code == 200 and "GET /echo peer=127.0.0.1 a=/x y x=v body=" in text,
               "GET with arguments and headers", text)
        result("nosniff" in text and "text/plain" in text, "safe headers", text)
        code, text = d.curl("/echo", "--head")
        result(code == 200 and "body=" not in text, "HEAD", text)
        code, text = d.curl("/echo", "-d", "abc")
        result(code == 200 and "POST /echo" in text and "body=abc" in text, "POST",
               text)
        code, text = d.curl("/nothing")
        result(code == 404, "404", text)
        for path in ("/echo/", "/Echo", "//echo", "/./echo", "/echo%00", "/%2e/echo"):
            code, text = d.curl(path, "--path-as-is")
            result(code in (400, 404), f"404 for {path}", text)
        code, text = d.curl("/echo", "-X", "DELETE")
        result(code == 405 and re.search(r"Allow: GET, HEAD, POST", text), "405",
               text)
        code, text = d.curl("/webhook")
        result(code == 405 and re.search(r"Allow: POST\r", text), "405, POST only",
               text)
        code, text = d.curl("/echo", "-X", "TRACE")
        result(code == 405, "no TRACE", text)
        code, text = d.curl("/metrics")
        result(code == 200 and 'tenet_http_requests_total{path="/echo",code="405"} 2'
               in text and '{path="other",code="404"}' in text, "answers are counted",
               text[-3000:])
        code, text = d.curl("/metrics", "-H",
                            "Accept: application/openmetrics-text; version=1.0.0")
        result("application/openmetrics-text" in text and text.endswith("# EOF\n"),
               "OpenMetrics", text[:300])
        code, text = d.curl("/healthz")
        result(code == 200 and json.loads(text.split("\r\n\r\n")[1])["status"] == "ok",
               "/healthz is JSON", text)
        before = d.cpu()
        s = d.connect()
        s.sendall(b"GET /ec")
        time.sleep(2)
        result(d.cpu() - before < 0.2, "waiting costs nothing", d.cpu() - before)
        s.close()
    rounds = int(d.out.split()[1])
    result(rounds < 500, "the loop does not spin", d.out)


def test_webhook():
    body = json.dumps({"ref": "refs/heads/main", "after": "a" * 40}).encode()
    with Demo() as d:
        code, text = push(d, body, "1")
        result(code == 202 and '"verdict":"wake"' in text, "a push wakes", text)
        code, text = push(d, body, "1")
        result(code == 409, "a replay does not", text)
        code, text = push(d, body, "2")
        result(code == 409, "nor under another id", text)
        code, text = push(d, body + b" ", "3")
        result(code == 202, "other bytes do", text)
        code, text = push(d, body, "4", sign(b"x"))
        result(code == 401, "a wrong signature", text)
        code, text = d.curl("/webhook", "-d", "{}")
        result(code == 401, "no signature", text)
        bad = b'{"ref":"refs/heads/\xff\xfe"}'
        code, text = push(d, bad, "5")
        result(code == 400, "bad UTF-8", text)
        code, text = push(d, b"[" * 60000, "6")
        result(code == 400 and "deep" in text, "deep JSON", text)
        code, text = push(d, body + b" " * 60000, "7", None, "-H",
                          "Transfer-Encoding: chunked")
        result(code == 202, "chunked", text)
        code, text = push(d, b" " * 70000, "8")
        result(code == 413, "too large", text)
        for i in range(300):
            s = d.connect()
            s.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                      b"Content-Length: 2\r\n\r\n{}")
            answer = read_all(s)
            s.close()
            if b" 429 " in answer:
                break
        result(b" 429 " in answer and b"Retry-After: " in answer and i < 200,
               "a flood is limited", answer)


def test_bodies():
    with Demo() as d:
        for what, head in (
                ("announced", b"Content-Length: 1000000000\r\n"),
                ("absurd", b"Content-Length: 99999999999999999999999\r\n"),
                ("with Expect",
                 b"Content-Length: 5000\r\nExpect: 100-continue\r\n")):
            s = d.connect()
            begin = time.monotonic()
            s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
            answer = read_all(s)
            took = time.monotonic() - begin
            good = answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400")) and took < 2
            result(good and b"100 Continue" not in answer,
                   f"413 before the body: {what}", (answer, took))
            s.close()
        big_body = b"x" * (50 << 20)
        code, text = d.curl("/echo", "--data-binary", "@-", data=big_body)
        result(code == 413, "curl with 50 MiB", text)
        code, text = d.curl("/echo", "-H", "Transfer-Encoding: chunked",
                            "--data-binary", "@-", data=b"x" * 1001)
        result(code == 413, "chunked, a byte over", text)
        code, text = d.curl("/echo", "-H", "Transfer-Encoding: chunked",
                            "--data-binary", "@-", data=b"x" * 1000)
        result(code == 200, "chunked, exactly", text)
        s = d.connect()
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
                  b"\r\n\r\n")
        sent = 0
        try:
            while sent < 1 << 30:
                s.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                sent += 4096
        except OSError:
            pass
        result(sent < 32 << 20, "an endless body is cut", sent)
        s.close()
        for what, request in HOSTILE:
            s = d.connect()
            s.settimeout(2)
            try:
                s.sendall(request)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            answer = read_all(s)
            s.close()
            result(b" 200 " not in answer, f"not served: {what}", answer)
        code, text = d.curl("/echo", "-H", "X-Big: " + "x" * 20000)
        result(code in (413, 431), "large header", text)
        code, text = d.curl("/echo?" + "x" * 20000)
        result(code in (413, 414, 431), "long URL", text)
        fields = []
        for i in range(5000):
            fields += ["-H", f"X-{i}: y"]
        code, text = d.curl("/echo", *fields)
        result(code in (413, 431), "many headers", text)
        code, text = d.curl("/echo")
        result(code == 200, "and it still serves", text)


HOSTILE = (
    ("garbage", bytes(range(256)) * 20),
    ("TLS to a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200),
    ("no host", b"GET /echo HTTP/1.1\r\n\r\n"),
    ("no version", b"GET /echo\r\n\r\n"),
    ("negative length",
     b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nabc"),
    ("length that is none",
     b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc"),
    ("bad chunk",
     b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ("huge chunk",
     b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"ffffffffffffffffff\r\n"),
    ("body cut short",
     b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"),
)


def test_slow():
    with Demo(request=3, idle=2) as d:
        s = d.connect()
        result(1 < seconds_until_closed(s) < 5, "silence is cut")
        s = d.connect()
        s.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        took = seconds_until_closed(s, b"x")
        result(2 < took < 6, "a slow header is cut", took)
        s = d.connect()
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n")
        took = seconds_until_closed(s, b"x")
        result(2 < took < 6, "a slow body is cut", took)
        s = d.connect()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.5)
        held = d.fds()
        begin = time.monotonic()
        left = wait_for_fds(d, held - 1)
        took = time.monotonic() - begin
        result(left < held and took > 1, "a slow reader is cut", (left, held, took))
        s.close()
        base = d.fds()
        slow = [d.connect(f"127.0.1.{i}") for i in range(1, 101)]
        for s in slow:
            s.sendall(b"GET /echo HTTP/1.1\r\n")
        code, text = d.curl("/echo")
        result(code == 200, "served beside 100 slow ones", text)
        left = wait_for_fds(d, base)
        result(left <= base, "all descriptors come back", (left, base))
        for s in slow:
            s.close()


def test_many():
    with Demo(request=5, idle=3) as d:
        base = d.fds()
        held = []
        for i in range(1000):
            s = socket.socket()
            s.bind((f"127.{1 + i % 200}.0.1", 0))
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", d.port))
            held.append(s)
        time.sleep(0.5)
        for s in held:
            try:
                s.send(b"GET /ec")
            except OSError:
                pass
        time.sleep(0.5)
        result(d.fds() - base <= 130, "1,000 connections: a bounded number is held",
               d.fds() - base)
        begin = time.monotonic()
        code = 0
        while code != 200 and time.monotonic() - begin < 15:
            code, text = d.curl("/echo")
        result(code == 200, "and served again when those are cut", text)
        for s in held:
            s.close()
        wait_for_fds(d, base)
        one = []
        for i in range(100):
            s = d.connect("127.0.0.9")
            try:
                s.sendall(b"GET /ec")
            except OSError:
                pass
            one.append(s)
        time.sleep(0.5)
        deadline = time.monotonic() + 1.5
        while d.held_from("127.0.0.9") > 33 and time.monotonic() < deadline:
            time.sleep(0.1)
        most = d.held_from("127.0.0.9")
        result(0 < most <= 33, "one address gets a part only", most)
        code, text = d.curl("/echo")
        result(code == 200, "others are served meanwhile", text)
        for s in one:
            s.close()
        left = wait_for_fds(d, base)
        result(left <= base, "all descriptors come back", (left, base))


def test_pipeline():
    with Demo() as d:
        s = d.connect()
        s.sendall(b"".join(
            f"GET /echo?a={i} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            for i in range(200)) + b"GET /echo?a=end HTTP/1.1\r\nHost: x\r\n"
            b"Connection: close\r\n\r\n")
        answer = read_all(s)
        order = re.findall(rb" a=(\w+) ", answer)
        result(order == [str(i).encode() for i in range(200)] + [b"end"],
               "200 pipelined requests, in order", answer[-500:])
        s.close()
        s = d.connect()
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                  b"GET /echo?a=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = read_all(s)
        result(b"body=abc" in answer and b" a=2 " in answer,
               "a body and the next request", answer)
        s.close()
        s = d.connect()
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                  b"GET /echo?a=smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
        s.settimeout(1)
        answer = read_all(s)
        result(answer.count(b"HTTP/1.1") <= 2, "two lengths", answer)
        s.close()


def test_local(work):
    path = f"{work}/http.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    with Demo(listen=path) as d:
        p = subprocess.run(["curl", "-sS", "--unix-socket", path, "http://x/echo"],
                           capture_output=True, text=True, check=False)
        result("peer=unix" in p.stdout, "a local socket, in place of a dead one",
               p.stdout + p.stderr)
        result(os.stat(path).st_mode & 0o777 == 0o660, "with its mode")
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(f"{work}/{'c' * 60}")
        bound.connect(path)
        bound.sendall(b"GET /echo HTTP/1.0\r\n\r\n")
        answer = read_all(bound)
        result(b"peer=unix" in answer, "a client with a name of its own", answer)
        bound.close()
        p = subprocess.run([DEMO, path, "5", "5"], capture_output=True, text=True,
                           check=False, timeout=20)
        result(p.returncode == 1 and p.stderr.startswith("unavailable"),
               "not in place of a living one", p.stderr)
    result(not os.path.exists(path), "removed at the end")
    with open(path, "w", encoding="ascii") as f:
        f.write("precious")
    p = subprocess.run([DEMO, path, "5", "5"], capture_output=True, text=True,
                       check=False, timeout=20)
    result(p.returncode == 1 and os.path.getsize(path) == 8, "never over a file",
           p.stderr)
    for bad in ("localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999",
                "[::1:80", "1.2.3:80", "127.0.0.1:-1", "[]:1", "x" * 300 + ":1",
                "/no/such/place/socket"):
        p = subprocess.run([DEMO, bad, "5", "5"], capture_output=True, text=True,
                           check=False, timeout=20)
        result(p.returncode == 1 and p.stderr.startswith("intent"),
               f"refused: {bad[:30]}", p.stderr)
    given = socket.create_server(("127.0.0.1", 0))
    with Demo(listen=f"fd:{given.fileno()}", fds=(given.fileno(),)) as d:
        code, text = d.curl("/echo")
        result(code == 200 and d.port == given.getsockname()[1],
               "a socket that somebody else opened", text)
    given.close()
    with Demo(listen="[::]:0") as d:
        code, text = d.curl("/echo")
        result(code == 200 and "peer=127.0.0.1 " in text, "both families", text)


def test_tls(work):
    cert, key = f"{work}/cert.pem", f"{work}/key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    os.chmod(key, 0o600)
    with Demo(request=3, idle=2, tls=(cert, key)) as d:
        p = subprocess.run(["curl", "-sS", "--cacert", cert,
                            f"https://127.0.0.1:{d.port}/echo?a=tls"],
                           capture_output=True, text=True, check=False)
        result("a=tls" in p.stdout, "TLS", p.stdout + p.stderr)
        code, text = d.curl("/echo")
        result(code != 200, "nothing without TLS", text)
        s = d.connect()
        took = seconds_until_closed(s)
        result(took < 6, "a handshake that never comes is cut", took)
        s = ssl._create_unverified_context().wrap_socket(d.connect())
        s.sendall(b"GET /echo HTTP/1.1\r\nX: ")
        took = seconds_until_closed(s, b"x")
        result(2 < took < 6, "a slow header in TLS is cut", took)
    os.chmod(key, 0o644)
    p = subprocess.run([DEMO, "127.0.0.1:0", "5", "5", cert, key],
                       capture_output=True, text=True, check=False, timeout=20)
    result(p.returncode == 1 and p.stderr.startswith("denied"),
           "no key that others may read", p.stderr)
    os.chmod(key, 0o600)
    p = subprocess.run([DEMO, "127.0.0.1:0", "5", "5", key, key],
                       capture_output=True, text=True, check=False, timeout=20)
    result(p.returncode == 1 and p.stderr.startswith("intent"),
           "no certificate that is none", p.stderr)


with tempfile.TemporaryDirectory(prefix="tenet-http-") as place:
    test_plain()
    test_webhook()
    test_bodies()
    test_slow()
    test_many()
    test_pipeline()
    test_local(place)
    test_tls(place)
print(f"1..{count}")
sys.exit(1 if failures else 0)
