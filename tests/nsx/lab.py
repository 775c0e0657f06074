"""For tests: starts the simulator and talks to it.

    with Lab("--nodes", "2") as lab:
        lab.ok("PATCH", "/infra", {...})
        lab.control("POST", "/settings", {"purge_delay": 3})

Requests go over real HTTPS with Python's own client, one kept connection per
node, basic authentication unless a session was made.
"""
import base64
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX = "/policy/api/v1"


class Answer:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def code(self):
        return self.json.get("error_code")

    @property
    def text(self):
        return self.json.get("error_message", "")


class Client:
    """One connection of one user to one node."""

    def __init__(self, lab, node=0, auth=None, certificate=False):
        self.lab = lab
        self.url = urllib.parse.urlsplit(lab.info["urls"][node])
        self.tls = ssl.create_default_context(cafile=lab.info["ca"])
        if certificate:
            self.tls.load_cert_chain(lab.info["client_cert"],
                                     lab.info["client_key"])
        self.headers = {}
        if auth:
            text = base64.b64encode(("%s:%s" % auth).encode()).decode()
            self.headers["Authorization"] = "Basic " + text
        self.connect()

    def connect(self):
        self.connection = http.client.HTTPSConnection(
            self.url.hostname, self.url.port, context=self.tls, timeout=30)

    def raw(self, method, path, data=None, headers=None):
        try:
            self.connection.request(method, path, data,
                                    {**self.headers, **(headers or {})})
            got = self.connection.getresponse()
            return Answer(got.status, got.headers, got.read())
        except Exception:
            self.connection.close()
            self.connect()
            raise

    def call(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body)
        return self.raw(method, PREFIX + urllib.parse.quote(
            path, safe="/?=&;%:"), data, headers)

    def login(self, user, password):
        form = urllib.parse.urlencode({"j_username": user,
                                       "j_password": password})
        got = self.raw("POST", "/api/session/create", form, {
            "Content-Type": "application/x-www-form-urlencoded"})
        if got.status == 200:
            self.headers["Cookie"] = \
                got.headers["Set-Cookie"].split(";")[0]
            self.headers["X-XSRF-TOKEN"] = got.headers["X-XSRF-TOKEN"]
        return got

    def close(self):
        self.connection.close()


class Lab:
    def __init__(self, *options, folder=None):
        self.own = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="nsx-lab-")
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "nsx_simulator.py"),
             "--tied", "--ca", os.path.join(self.folder, "ca"), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the simulator did not start")
        self.info = json.loads(line)
        with open(self.info["password_file"], encoding="utf-8") as source:
            self.password = source.read().strip()
        self.auth = (self.info["user"], self.password)
        self.admin = Client(self, auth=self.auth)

    def client(self, node=0, certificate=False, auth=None):
        return Client(self, node, auth, certificate)

    def call(self, method, path, body=None, headers=None):
        return self.admin.call(method, path, body, headers)

    def ok(self, method, path, body=None, headers=None):
        got = self.call(method, path, body, headers)
        if got.status not in (200, 204):
            raise AssertionError("%s %s: %d %s" % (method, path, got.status,
                                                   got.data[:500]))
        return got.json if got.data else None

    def tree(self, *children, query=""):
        return self.call("PATCH", "/infra" + query,
                         {"resource_type": "Infra",
                          "children": list(children)})

    def control(self, method, path, body=None):
        url = urllib.parse.urlsplit(self.info["control"])
        link = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
        link.request(method, path, None if body is None
                     else json.dumps(body))
        got = link.getresponse()
        data = json.loads(got.read())
        link.close()
        if got.status != 200:
            raise AssertionError("%s %s: %s" % (method, path, data))
        return data

    def settings(self, **values):
        self.control("POST", "/settings", values)

    def fault(self, **spec):
        self.control("POST", "/fault", spec)

    def counters(self):
        return self.control("GET", "/counters")

    def objects(self):
        return self.control("GET", "/store")["objects"]

    def until(self, condition, seconds=20):
        """Waits for 'condition' to give something true, and gives it."""
        deadline = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError("waited %d s in vain" % seconds)
            time.sleep(0.02)

    def stop(self):
        self.admin.close()
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        if self.own:
            shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


# Bodies that tests need again and again.

def child(kind, ident, children=None, marked=None, **fields):
    """{"resource_type": "ChildSegment", "Segment": {...}}"""
    body = {"resource_type": kind, "id": ident, **fields}
    if children is not None:
        body["children"] = children
    out = {"resource_type": "Child" + kind, kind: body}
    if marked is not None:
        out["marked_for_delete"] = marked
    return out


EDGE = {"edge_cluster_path": "/infra/sites/default/enforcement-points/"
        "default/edge-clusters/95196903-6b8a-4276-a7c4-387263e834fd"}


def gone(kind, ident):
    return child(kind, ident, marked=True)


def reference(kind, ident, *children):
    return {"resource_type": "ChildResourceReference", "id": ident,
            "target_type": kind, "children": list(children)}


def domain(*children):
    return reference("Domain", "default", *children)


def segment(ident, tier1=None, gateway=None, **more):
    fields = dict(more)
    if tier1:
        fields["connectivity_path"] = "/infra/tier-1s/" + tier1
    if gateway:
        fields["subnets"] = [{"gateway_address": gateway}]
    return child("Segment", ident, **fields)


def rule(ident, **fields):
    return {"resource_type": "Rule", "id": ident, "action": "ALLOW",
            **fields}
