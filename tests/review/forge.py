#!/usr/bin/env python3
"""A strict forge: GitLab, GitHub and Gitea as far as 'tenet ci' talks to them.

What the real ones refuse is refused here, in their words, and written down as a
violation: a test that provokes nothing must end without any.  Prints its port
and serves on loopback until it is killed.  /control/* is for tests.
"""
import json
import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# token -> (login, may it ask /user, may it write)
TOKENS = {
    "tok-bot-6d1f": ("tenet-bot", True, True),
    "tok-actions-91ab": (None, False, True),  # A pipeline's own.
    "tok-readonly-77c2": ("reader", True, False),
}
ROBOT = {"github": "github-actions[bot]", "gitea": "gitea-actions"}
LIMIT = {"github": 65536, "gitea": 65536, "gitlab": 1000000}
PAGE_MAX = {"github": 100, "gitlab": 100, "gitea": 50}
STATES = {
    "gitlab": {"pending", "running", "success", "failed", "canceled",
               "skipped"},
    "github": {"pending", "success", "failure", "error"},
    "gitea": {"pending", "success", "failure", "error", "warning"},
}
PREFIX = {"/gitlab/api/v4": "gitlab", "/github": "github",
          "/gitea/api/v1": "gitea"}


class State:
    def __init__(self):
        self.lock = threading.RLock()
        self.reset()

    def reset(self):
        self.comments, self.statuses = {}, {}
        self.faults, self.violations, self.requests = [], [], []
        self.next_id = 100

    def new_id(self):
        self.next_id += 1
        return self.next_id


S = State()


class Refusal(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


def violation(text):
    S.violations.append(text)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body, headers=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for k, v in (headers or {}).items():
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        n = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(n)

    def control(self, what, raw):
        data = json.loads(raw or b"{}")
        if what == "reset":
            S.reset()
        elif what == "fault":
            S.faults.append(data)
        elif what == "seed":
            for c in data["comments"]:
                S.comments.setdefault(data["key"], []).append(
                    {"id": S.new_id(), "login": c["login"], "body": c["body"]})
        elif what == "fill":
            S.statuses.setdefault(data["key"], []).extend(
                {"id": S.new_id(), "context": data["context"],
                 "state": "pending", "description": "x", "target_url": ""}
                for _ in range(data["n"]))
        return {"comments": S.comments, "statuses": S.statuses,
                "violations": S.violations, "requests": S.requests}

    def handle_one(self):
        raw = self.body()
        url = urllib.parse.urlsplit(self.path)
        with S.lock:
            if url.path.startswith("/control/"):
                self.reply(200, self.control(url.path[9:], raw))
                return
            for token in TOKENS:
                if token in self.path or token.encode() in raw:
                    violation("a token in path or body: " + self.path)
            line = self.command + " " + url.path
            S.requests.append({"line": line, "query": url.query,
                               "body": raw.decode("utf-8", "replace")})
            fault = next((f for f in S.faults if f.get("times", 1) > 0 and
                          re.search(f["match"], line)), None)
            if fault:
                fault["times"] = fault.get("times", 1) - 1
                if fault.get("apply"):
                    try:
                        self.serve(url, raw)
                    except Refusal:
                        pass
                if fault.get("drop"):
                    self.close_connection = True
                    self.connection.close()
                    return
                self.reply(fault["status"],
                           {"message": fault.get("message", "no")},
                           fault.get("headers"))
                return
            try:
                status, body = self.serve(url, raw)
            except Refusal as r:
                status, body = r.status, {"message": r.message}
            self.reply(status, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

    # -- what all forges have

    def serve(self, url, raw):
        prefix = next((p for p in PREFIX if url.path.startswith(p + "/")), None)
        if not prefix:
            violation("no such API: " + url.path)
            raise Refusal(404, "Not Found")
        forge, path = PREFIX[prefix], url.path[len(prefix):]
        login, may_ask, may_write = self.authorize(forge)
        query = dict(urllib.parse.parse_qsl(url.query))
        if path == "/user":
            if not may_ask:
                raise Refusal(403, "Resource not accessible by integration")
            return 200, {"id": 1, "username" if forge == "gitlab" else "login":
                         login}
        if not may_write and self.command != "GET":
            raise Refusal(403, "Resource not accessible by integration")
        body = self.parse(raw)
        repo = "/projects/([^/]+)" if forge == "gitlab" else "/repos/([^/]+/[^/]+)"
        m = re.fullmatch(repo + "(/.*)", path)
        if not m:
            violation("no such path: " + path)
            raise Refusal(404, "Not Found")
        project = urllib.parse.unquote(m[1])
        return self.route(forge, project, m[2], query, body, login)

    def authorize(self, forge):
        if not self.headers.get("User-Agent"):
            violation("no User-Agent")
            raise Refusal(403, "Request forbidden by administrative rules")
        if forge == "gitlab":
            token = self.headers.get("PRIVATE-TOKEN")
        else:
            value = self.headers.get("Authorization") or ""
            scheme = {"github": "Bearer ", "gitea": "token "}[forge]
            token = value[len(scheme):] if value.startswith(scheme) else None
        if forge == "github" and (
                self.headers.get("Accept") != "application/vnd.github+json" or
                not self.headers.get("X-GitHub-Api-Version")):
            violation("GitHub's headers are missing")
        if token not in TOKENS:
            raise Refusal(401, "Bad credentials")
        login, may_ask, may_write = TOKENS[token]
        return login or ROBOT.get(forge, "job"), may_ask, may_write

    def parse(self, raw):
        if self.command in ("GET", "DELETE"):
            if raw:
                violation("a body with " + self.command)
            return None
        if self.headers.get("Content-Type") != "application/json":
            violation("Content-Type of " + self.path)
            raise Refusal(415, "Unsupported Media Type")
        try:
            return json.loads(raw.decode("utf-8"))
        except ValueError:
            violation("no JSON: " + self.path)
            raise Refusal(400, "Problems parsing JSON") from None

    def route(self, forge, project, path, query, body, login):
        kind = "merge_requests" if forge == "gitlab" else "issues"
        leaf = "notes" if forge == "gitlab" else "comments"
        m = re.fullmatch(f"/{kind}/([0-9]+)/{leaf}", path)
        if m:
            key = f"{forge} {project} {m[1]}"
            if self.command == "GET":
                return 200, self.page(forge, [
                    self.show(forge, c) for c in S.comments.get(key, [])],
                    query, forge != "gitea")
            if self.command == "POST":
                return self.comment_new(forge, key, body, login)
        one = (f"/{kind}/([0-9]+)/{leaf}/([0-9]+)" if forge == "gitlab"
               else f"/{kind}(/){leaf}/([0-9]+)")
        m = re.fullmatch(one, path)
        if m and self.command in ("PUT" if forge == "gitlab" else "PATCH",
                                  "DELETE"):
            return self.comment_one(forge, project, int(m[2]), body, login)
        m = re.fullmatch("/statuses/([0-9a-f]{40})", path)
        if m and self.command == "POST":
            return self.status_new(forge, f"{forge} {project} {m[1]}", body)
        m = re.fullmatch("/repository/commits/([0-9a-f]{40})/statuses"
                         if forge == "gitlab"
                         else "/commits/([0-9a-f]{40})/status", path)
        if m and self.command == "GET":
            return 200, self.status_list(forge, f"{forge} {project} {m[1]}",
                                         query)
        violation(f"no such request: {self.command} {path}")
        raise Refusal(404, "Not Found")

    def page(self, forge, items, query, paged=True):
        if not paged:
            return items
        size = int(query.get("limit" if forge == "gitea" else "per_page", 20))
        if size > PAGE_MAX[forge]:
            violation(f"per_page {size}")
            size = PAGE_MAX[forge]
        start = (int(query.get("page", 1)) - 1) * size
        return items[start:start + size]

    # -- comments

    def show(self, forge, c):
        if forge == "gitlab":
            return {"id": c["id"], "body": c["body"], "system": False,
                    "author": {"id": 5, "username": c["login"]}}
        return {"id": c["id"], "body": c["body"],
                "user": {"id": 5, "login": c["login"]}}

    def check_comment(self, forge, body):
        if not isinstance(body, dict) or set(body) != {"body"} or \
                not isinstance(body["body"], str) or not body["body"].strip():
            violation("the body of a comment")
            raise Refusal(422, "Validation Failed")
        if len(body["body"]) > LIMIT[forge]:
            violation(f"a comment of {len(body['body'])} characters")
            if forge == "gitlab":
                raise Refusal(400, "400 (Bad request) \"Note is too long\"")
            raise Refusal(422, "Validation Failed: body is too long")

    def comment_new(self, forge, key, body, login):
        self.check_comment(forge, body)
        mark = body["body"].split("\n")[0]
        if any(c["login"] == login and c["body"].split("\n")[0] == mark
               for c in S.comments.get(key, [])):
            violation("a second comment of ours: " + mark)
        c = {"id": S.new_id(), "login": login, "body": body["body"]}
        S.comments.setdefault(key, []).append(c)
        return 201, self.show(forge, c)

    def comment_one(self, forge, project, number, body, login):
        for key, comments in S.comments.items():
            if not key.startswith(f"{forge} {project} "):
                continue
            for c in comments:
                if c["id"] != number:
                    continue
                if c["login"] != login:
                    violation("a comment of " + c["login"] + " is touched")
                    raise Refusal(403, "Forbidden")
                if self.command == "DELETE":
                    comments.remove(c)
                    return 204, None
                self.check_comment(forge, body)
                if c["body"] == body["body"]:
                    violation("an update that changes nothing")
                c["body"] = body["body"]
                return 200, self.show(forge, c)
        raise Refusal(404, "Not Found")

    # -- commit statuses

    def status_new(self, forge, key, body):
        name = "name" if forge == "gitlab" else "context"
        if not isinstance(body, dict) or \
                not {"state", name} <= set(body) <= {"state", name,
                                                     "description",
                                                     "target_url"}:
            violation(f"members of a status: {body}")
            raise Refusal(422, "Validation Failed")
        if body["state"] not in STATES[forge]:
            violation("state " + body["state"])
            raise Refusal(422, "Validation Failed")
        if len(body.get("description", "")) > 140:
            violation("a description of more than 140 characters")
            raise Refusal(422, "description is too long")
        mine = [s for s in S.statuses.get(key, [])
                if s["context"] == body[name]]
        if len(mine) >= 1000:
            violation("more than 1000 statuses")
            raise Refusal(422, "This SHA and context has reached the maximum "
                               "number of statuses.")
        if mine and mine[-1]["state"] == body["state"] and \
                mine[-1]["description"] == body.get("description", ""):
            violation("a status that changes nothing")
        if forge == "gitlab" and mine and mine[-1]["state"] == body["state"]:
            raise Refusal(400, "Cannot transition status via :run from "
                               ":running")
        s = {"id": S.new_id(), "context": body[name], "state": body["state"],
             "description": body.get("description", ""),
             "target_url": body.get("target_url", "")}
        S.statuses.setdefault(key, []).append(s)
        return 201, {"id": s["id"]}

    def status_list(self, forge, key, query):
        latest = {}
        for s in S.statuses.get(key, []):
            latest[s["context"]] = s
        key_of = {"gitlab": ("name", "status"), "github": ("context", "state"),
                  "gitea": ("context", "status")}[forge]
        items = self.page(forge, [
            {"id": s["id"], key_of[0]: s["context"], key_of[1]: s["state"],
             "description": s["description"], "target_url": s["target_url"]}
            for s in latest.values()], query)
        return items if forge == "gitlab" else {"state": "pending",
                                                "statuses": items}


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
