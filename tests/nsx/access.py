"""Who asks, and how often: users, sessions, certificates, rate limits.

A session belongs to the node that made it, is idle for so long and no longer,
and needs its XSRF token with every call.  What expired is answered 403, as a
manager does, not 401 (a setting makes it 401, as some proxies do).  The limits
count per authenticated user over all nodes and connections.
"""
import base64
import collections
import secrets
import threading
import time
import urllib.parse

import errors
from errors import ApiError, PlainError
from writer import Caller


class User:
    def __init__(self, name, password, scope, superuser, readonly):
        self.name, self.password = name, password
        self.scope, self.superuser = scope, superuser
        self.readonly = readonly
        self.failures, self.until = 0, 0.0


class Session:
    __slots__ = ("user", "xsrf", "used")

    def __init__(self, user):
        self.user = user
        self.xsrf = secrets.token_hex(16)
        self.used = time.monotonic()


class Access:
    def __init__(self, settings, nodes):
        self.settings = settings
        self.users = {}
        self.principals = {}
        self.sessions = [{} for _ in range(nodes)]
        self.lock = threading.Lock()

    def add_user(self, name, password, scope="", superuser=True,
                 readonly=False):
        self.users[name] = User(name, password, scope, superuser, readonly)

    def expire_all(self, node=None):
        with self.lock:
            for n, held in enumerate(self.sessions):
                if node is None or n == node:
                    held.clear()

    # Logging in and out.

    def create(self, node, body):
        if not self.settings.cookies:
            raise errors.bad_credentials()
        form = urllib.parse.parse_qs(body.decode("utf-8", "replace"),
                                     keep_blank_values=True)
        name = form.get("j_username", [""])[0]
        user = self.check(name, form.get("j_password", [""])[0])
        session, key = Session(user), secrets.token_hex(16).upper()
        with self.lock:
            self.sessions[node][key] = session
        return {"Set-Cookie": "JSESSIONID=%s; Path=/; Secure; HttpOnly; "
                "SameSite=Lax" % key, "X-XSRF-TOKEN": session.xsrf}

    def destroy(self, node, headers):
        key = cookie(headers)
        with self.lock:
            self.sessions[node].pop(key, None)

    def check(self, name, password):
        user, now = self.users.get(name), time.monotonic()
        if user is None or user.until > now:
            raise errors.bad_credentials()
        if not secrets.compare_digest(user.password.encode(),
                                      password.encode()):
            user.failures += 1
            if user.failures == self.settings.lockout_failures:
                user.failures = 0
                user.until = now + self.settings.lockout_seconds
            raise errors.bad_credentials()
        user.failures = 0
        return user

    # Every other call.

    def caller(self, node, headers, certificate):
        overwrite = headers.get("X-Allow-Overwrite", "").lower() == "true"
        scheme, _, rest = headers.get("Authorization", "").partition(" ")
        if scheme:
            user = self.basic(scheme, rest)
        elif cookie(headers):
            user = self.session(node, headers)
        elif certificate:
            return self.principal(certificate, overwrite)
        else:
            raise self.unauthenticated()
        return Caller(user.name, False, overwrite, user.superuser,
                      user.scope, user.readonly)

    def basic(self, scheme, rest):
        if scheme.lower() != "basic" or not self.settings.basic:
            raise errors.bad_credentials()
        try:
            text = base64.b64decode(rest, validate=True).decode()
        except ValueError:
            raise errors.bad_credentials()
        name, _, password = text.partition(":")
        return self.check(name, password)

    def session(self, node, headers):
        key, now = cookie(headers), time.monotonic()
        with self.lock:
            session = self.sessions[node].get(key)
            limit = self.settings.session_timeout
            if session and limit and now - session.used > limit:
                del self.sessions[node][key]
                session = None
            if session:
                session.used = now
        if session is None:
            raise self.unauthenticated()
        if headers.get("X-XSRF-TOKEN") != session.xsrf:
            raise errors.bad_xsrf()
        return session.user

    def principal(self, certificate, overwrite):
        name = dict(pair for part in certificate.get("subject", ())
                    for pair in part).get("commonName", "")
        if name not in self.principals:
            raise errors.bad_credentials()
        return Caller(name, True, overwrite)

    def unauthenticated(self):
        how = self.settings.expiry
        if how == "401":
            return PlainError(401, "<html><body><h1>401 Authorization "
                              "Required</h1></body></html>", "text/html")
        if how == "98":
            return errors.bad_xsrf()
        return errors.bad_credentials()


def cookie(headers):
    for part in headers.get("Cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "JSESSIONID":
            return value
    return ""


def in_scope(caller, path):
    """A project's user sees its own project, and the fabric."""
    return not caller.scope or path == caller.scope or \
        path.startswith(caller.scope + "/") or \
        path.startswith("/infra/sites/") or path.startswith("/infra/tier-0s")


class Limits:
    """Requests per second and at once, per client and in all."""

    def __init__(self, settings, counters):
        self.settings = settings
        self.counters = counters
        self.lock = threading.Lock()
        self.recent = collections.defaultdict(collections.deque)
        self.active = collections.Counter()
        self.total = 0

    def enter(self, client):
        s, now = self.settings, time.monotonic()
        with self.lock:
            if s.global_concurrency and self.total >= s.global_concurrency:
                self.counters.refused_by_rate()
                raise PlainError(503, "The server is too busy. Try later.")
            if s.client_concurrency and \
                    self.active[client] >= s.client_concurrency:
                self.counters.refused_by_rate()
                raise errors.concurrency_exceeded(client,
                                                  s.client_concurrency)
            recent = self.recent[client]
            while recent and recent[0] <= now - 1:
                recent.popleft()
            if s.client_rate and len(recent) >= s.client_rate:
                self.counters.refused_by_rate()
                raise errors.rate_exceeded(client, s.client_rate)
            recent.append(now)
            self.active[client] += 1
            self.total += 1

    def leave(self, client):
        with self.lock:
            self.active[client] -= 1
            self.total -= 1


__all__ = ["Access", "ApiError", "Limits", "cookie", "in_scope"]
