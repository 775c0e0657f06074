#!/usr/bin/env python3
"""'tenet ci' as pipelines run it.

Reads the ready pipelines of docs/ci, makes the clone that their checkout would
make, sets the variables that the forge sets, and runs their script lines by the
shell, against the strict forge of forge.py.  TENET is the program under test.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import xml.etree.ElementTree as ET

import yaml

HERE = pathlib.Path(__file__).resolve().parent
DOCS = HERE.parent.parent / "docs" / "ci"
TENET = os.path.abspath(os.environ["TENET"])
BOT, ACTIONS, READER = "tok-bot-6d1f", "tok-actions-91ab", "tok-readonly-77c2"
work = pathlib.Path(tempfile.mkdtemp(prefix="tenet-test."))
tests = failures = 0


def ok(condition, what, detail=""):
    global tests, failures
    tests += 1
    if condition:
        print(f"ok {tests} - {what}", flush=True)
        return
    failures += 1
    print(f"not ok {tests} - {what}", flush=True)
    for line in str(detail)[-4000:].splitlines():
        print("#   " + line)


def same(what, want, got, detail=""):
    ok(want == got, what, f"expected: {want}\n     got: {got}\n{detail}")


# -- a repository

BASE = {"PATH": os.environ["PATH"], "HOME": str(work), "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1", "NO_COLOR": "1",
        "GIT_AUTHOR_NAME": "Test", "GIT_AUTHOR_EMAIL": "t@example.org",
        "GIT_COMMITTER_NAME": "Test", "GIT_COMMITTER_EMAIL": "t@example.org",
        "TENET_STATE_DIR": str(work / "state"),
        "TENET_CACHE_DIR": str(work / "cache")}
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
             "LD_LIBRARY_PATH"):
    if name in os.environ:
        BASE[name] = os.environ[name]


def run(args, cwd, env=None):
    return subprocess.run(args, cwd=cwd, env={**BASE, **(env or {})},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120)


def git(*args, cwd):
    r = run(["git", *args], cwd)
    if r.returncode:
        sys.exit(f"git {args}: {r.stderr}")
    return r.stdout.strip()


SETTINGS = """apiVersion: tenet/v1
kind: Settings
metadata: {name: citest}
spec: {budgets: {maxDeletes: 2, maxDeletePercent: 100}}
"""
HOSTS = """all:
  vars: {tenet_driver: memory}
  hosts:
    hv1: {tenet_underlay_address: 192.0.2.1, tenet_memory_path: WORK/hv1.json}
    hv2: {tenet_underlay_address: 192.0.2.2, tenet_memory_path: WORK/hv2.json}
"""
VPC = """apiVersion: tenet/v1
kind: Vpc
metadata: {name: NAME}
spec:
  cidrs: [NET.0.0/16]
  subnets:
    - {name: a, cidr: NET.1.0/24}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: NAME-1}
spec: {vpc: NAME, subnet: a, host: hv1, attach: {netns: TENANT-NAME-1}}
---
apiVersion: tenet/v1
kind: Port
metadata: {name: NAME-2}
spec: {vpc: NAME, subnet: a, host: hv2, attach: {netns: TENANT-NAME-2}}
"""


POLICY = """apiVersion: tenet/v1
kind: Policy
metadata: {name: no-ssh-from-anywhere}
spec:
  severity: deny
  rule: {builtin: open-ports}
  with: {ports: [22]}
"""
LOUD = """apiVersion: tenet/v1
kind: Policy
metadata: {name: loud}
spec:
  severity: warn
  rule:
    jq: |
      select(.change != "delete")
      | "@everyone </details> ``` ##[error]x \\(.scope)"
  examples:
    - name: any
      given: |
        apiVersion: tenet/v1
        kind: Vpc
        metadata: {name: web}
        spec: {cidrs: [10.1.0.0/16], subnets: [{name: a, cidr: 10.1.1.0/24}]}
      expect: ["@everyone"]
"""
GROUPED = """apiVersion: tenet/v1
kind: SecurityGroup
metadata: {name: ssh}
spec:
  description: "@everyone <!-- tenet:lab --> ```"
  rules: RULES
"""


class Repository:
    """A bare one as the forge has it, and a clone in which people work."""

    def __init__(self, name):
        self.bare, self.tree = work / (name + ".git"), work / name
        git("init", "-q", "--bare", "-b", "main", str(self.bare), cwd=work)
        git("init", "-q", "-b", "main", str(self.tree), cwd=work)
        git("remote", "add", "origin", str(self.bare), cwd=self.tree)
        self.put("tenet.yml", SETTINGS)
        self.put("inventories/lab/hosts.yml",
                 HOSTS.replace("WORK", str(work / name)))
        for tenant in ("acme", "blue"):
            self.put(f"tenants/{tenant}/tenant.yml",
                     "apiVersion: tenet/v1\nkind: Tenant\n"
                     f"metadata: {{name: {tenant}}}\nspec: {{}}\n")
        self.vpc("acme", "web", "10.1")
        self.vpc("blue", "web", "10.1")
        self.commit("first")

    @classmethod
    def begun(cls, name, kind):
        """As 'tenet init' begins it."""
        r = cls.__new__(cls)
        r.bare, r.tree = work / (name + ".git"), work / name
        git("init", "-q", "--bare", "-b", "main", str(r.bare), cwd=work)
        done = run([TENET, "init", str(r.tree), "--forge", kind], work)
        ok(done.returncode == 0, f"{kind}: tenet init", done.stderr)
        git("init", "-q", "-b", "main", cwd=r.tree)
        git("remote", "add", "origin", str(r.bare), cwd=r.tree)
        r.commit("begin")
        return r

    def put(self, path, text):
        p = self.tree / path
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(text)

    def vpc(self, tenant, name, net):
        self.put(f"tenants/{tenant}/{name}.yml", VPC.replace("NAME", name)
                 .replace("NET", net).replace("TENANT", tenant))

    def commit(self, message, branch=None):
        if branch:
            git("checkout", "-q", "-B", branch, cwd=self.tree)
        git("add", "-A", cwd=self.tree)
        git("commit", "-q", "--allow-empty", "-m", message, cwd=self.tree)
        self.push()
        return git("rev-parse", "HEAD", cwd=self.tree)

    def push(self):
        git("push", "-q", "-f", "origin", "HEAD", cwd=self.tree)

    def to(self, branch):
        git("checkout", "-q", branch, cwd=self.tree)

    def apply(self):
        r = run([TENET, "apply", "--yes"], self.tree)
        ok(r.returncode == 0, "an apply leaves snapshots", r.stderr)
        git("push", "-q", "origin", "tenet/status", cwd=self.tree)


# -- pipelines

class Forge:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "forge.py")], stdout=subprocess.PIPE,
            text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def control(self, what, data=None):
        with urllib.request.urlopen(urllib.request.Request(
                f"{self.url}/control/{what}",
                data=json.dumps(data or {}).encode(), method="POST")) as r:
            return json.load(r)

    def state(self):
        return self.control("state")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


forge = Forge()
KINDS = ("gitlab", "github", "gitea")
PROJECT = {"gitlab": "42", "github": "acme/net", "gitea": "acme/net"}


def key_of(kind):
    return f"{kind} {PROJECT[kind]} 7"


def expressions(text, token):
    """What the runner puts in place of ${{ ... }}."""
    values = {"github.token": token, "secrets.TENET_FORGE_TOKEN": token}
    return re.sub(r"\$\{\{ *(.*?) *\}\}", lambda m: values[m[1]], text)


class Job:
    """One job of a pipeline of docs/ci: its clone, its environment, its lines.
    """

    def __init__(self, kind, repository, branch="mr", token=BOT, depth=None,
                 target="main", pipeline=None):
        self.kind, self.token = kind, token
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="job.", dir=work))
        self.clone = self.dir / "clone"
        self.head = git("rev-parse", f"refs/heads/{branch}",
                        cwd=repository.bare)
        doc = yaml.safe_load((pipeline or DOCS / (kind + ".yml")).read_text())
        make = self.gitlab if kind == "gitlab" else self.actions
        make(doc, repository, branch, target, depth)
        bin_dir = self.dir / "bin"
        bin_dir.mkdir()
        (bin_dir / "tenet").symlink_to(TENET)
        self.env["PATH"] = f"{bin_dir}:{BASE['PATH']}"

    def checkout(self, repository, refspecs, depth, sha):
        self.clone.mkdir()
        git("init", "-q", str(self.clone), cwd=self.dir)
        git("remote", "add", "origin", f"file://{repository.bare}",
            cwd=self.clone)
        git("fetch", "-q", *([f"--depth={depth}"] if depth else []), "origin",
            *refspecs, cwd=self.clone)
        git("checkout", "-q", "--detach", sha, cwd=self.clone)

    def gitlab(self, doc, repository, branch, target, depth):
        job = doc["tenet"]
        if depth is None:
            depth = int(job["variables"].get("GIT_DEPTH", "20"))
        git("update-ref", "refs/merge-requests/7/head", self.head,
            cwd=repository.bare)
        self.checkout(repository, ["+refs/merge-requests/7/head:"
                                   "refs/pipelines/9"], depth, self.head)
        self.lines = job["script"]
        base = run(["git", "merge-base", target, self.head],
                   repository.bare).stdout.strip()
        self.env = {
            **job["variables"], "CI": "true", "GITLAB_CI": "true",
            "CI_API_V4_URL": forge.url + "/gitlab/api/v4",
            "CI_PROJECT_ID": "42", "CI_PROJECT_PATH": "acme/net",
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_MERGE_REQUEST_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_SHA": self.head,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": target,
            "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
            "CI_JOB_URL": "https://gitlab.example.com/acme/net/-/jobs/5",
            "CI_JOB_TOKEN": "not-for-us",
        }
        if self.token:
            self.env["TENET_FORGE_TOKEN"] = self.token

    def actions(self, doc, repository, branch, target, depth):
        job = doc["jobs"]["tenet"]
        step = next(s for s in job["steps"] if "run" in s)
        use = next(s for s in job["steps"]
                   if s.get("uses", "").startswith("actions/checkout"))
        if depth is None:
            depth = use.get("with", {}).get("fetch-depth", 1)
        # What is checked out is the merge with the branch it goes to.
        tree = run(["git", "merge-tree", "--write-tree", target, self.head],
                   repository.bare).stdout.split("\n")[0]
        merge = git("commit-tree", tree, "-p", target, "-p", self.head, "-m",
                    "merge", cwd=repository.bare)
        git("update-ref", "refs/pull/7/merge", merge, cwd=repository.bare)
        refs = ["+refs/pull/7/merge:refs/remotes/pull/7/merge"]
        if not depth:
            refs.append("+refs/heads/*:refs/remotes/origin/*")
        self.checkout(repository, refs, depth, merge)
        self.lines = [step["run"]]
        event = self.dir / "event.json"
        base = git("rev-parse", target, cwd=repository.bare)
        event.write_text(json.dumps({"action": "synchronize", "pull_request": {
            "number": 7, "head": {"sha": self.head, "ref": branch},
            "base": {"sha": base, "ref": target}}}))
        github = self.kind == "github"
        self.env = {
            "CI": "true", "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": forge.url + ("/github" if github
                                           else "/gitea/api/v1"),
            "GITHUB_SERVER_URL": "https://forge.example.com",
            "GITHUB_REPOSITORY": "acme/net", "GITHUB_SHA": merge,
            "GITHUB_REF": "refs/pull/7/merge", "GITHUB_HEAD_REF": branch,
            "GITHUB_BASE_REF": target, "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event), "GITHUB_RUN_ID": "77",
            "GITHUB_RUN_NUMBER": "3",
            "GITHUB_STEP_SUMMARY": str(self.dir / "summary.md"),
        }
        if not github:
            self.env["GITEA_ACTIONS"] = "true"
        for where in (job.get("env", {}), step.get("env", {})):
            for k, v in where.items():
                self.env[k] = expressions(v, self.token or "")

    def run(self, extra="", env=None):
        """Exit code as the runner sees it: the first line that fails."""
        lines = [l + (" " + extra if "tenet ci" in l else "")
                 for l in self.lines]
        r = run(["sh", "-e", "-c", "\n".join(lines)], self.clone,
                {**self.env, **(env or {})})
        self.out, self.err = r.stdout, r.stderr
        return r.returncode

    def artifact(self, name):
        return (self.clone / "tenet-ci" / "lab" / name).read_text()


def quiet(what):
    """Nothing that a real forge would have refused."""
    same(what + ": no violation", [], forge.state()["violations"])


def comments(kind):
    return forge.state()["comments"].get(key_of(kind), [])


def statuses(kind, sha):
    return forge.state()["statuses"].get(f"{kind} {PROJECT[kind]} {sha}", [])


def no_token(job, what):
    seen = [job.out, job.err]
    seen += [p.read_text(errors="replace")
             for p in (job.clone / "tenet-ci").rglob("*") if p.is_file()]
    ok(not any(t in s for t in (BOT, ACTIONS, READER) for s in seen),
       what + ": no token in output or artifacts")


# -- the tests

def allowed(kind, repository):
    """A merge request is opened, changed, pushed again without a change."""
    forge.control("reset")
    mine = {"login": "tenet-bot"}
    theirs = [{"login": "mallory", "body": f"<!-- tenet:lab -->\n{i}"}
              for i in range(120)]
    forge.control("seed", {"key": key_of(kind), "comments": theirs})
    job = Job(kind, repository)
    code = job.run()
    same(f"{kind}: an allowed request", 0, code, job.out + job.err)
    ours = [c for c in comments(kind) if c["login"] == "tenet-bot"]
    same(f"{kind}: one comment of ours", 1, len(ours), job.err)
    body = ours[0]["body"] if ours else ""
    ok(body.startswith("<!-- tenet:lab -->\n### tenet `lab`: allowed"),
       f"{kind}: it begins with the marker", body)
    ok("acme/app" in body and "blue" not in body,
       f"{kind}: only what this request changes", body)
    same(f"{kind}: comments of others are as they were", 120,
         len([c for c in comments(kind) if c["login"] == "mallory"]))
    s = statuses(kind, job.head)
    same(f"{kind}: one status", [("tenet/plan/lab", "success")],
         [(x["context"], x["state"]) for x in s], job.err)
    ok(s and s[0]["target_url"].startswith("https://"),
       f"{kind}: with the address of the job")
    # Again: nothing is posted.
    n = len(forge.state()["requests"])
    same(f"{kind}: run again", 0, job.run(), job.err)
    lines = [r["line"] for r in forge.state()["requests"][n:]]
    ok(lines and all(l.startswith("GET ") for l in lines),
       f"{kind}: the same again is not posted", lines)
    # Of ours there are three: one stays.
    forge.control("seed", {"key": key_of(kind), "comments": [
        {**mine, "body": "<!-- tenet:lab -->\nold"},
        {**mine, "body": "<!-- tenet:lab -->\nolder"},
        {**mine, "body": "<!-- tenet:prod -->\nanother environment"},
        {**mine, "body": "see <!-- tenet:lab -->"}]})
    repository.vpc("acme", "app", "10.3")
    repository.commit("another network")
    job = Job(kind, repository)
    same(f"{kind}: pushed again", 0, job.run(), job.err)
    ours = [c["body"] for c in comments(kind) if c["login"] == "tenet-bot"]
    same(f"{kind}: the comment is updated, doubles are deleted", 3, len(ours))
    ok(len([b for b in ours if b.startswith("<!-- tenet:lab -->\n")]) == 1 and
       job.head[:12] not in ours[1], f"{kind}: of this environment only", ours)
    ok(ours[0] != body, f"{kind}: it says what is new")
    no_token(job, kind)
    quiet(kind)
    repository.vpc("acme", "app", "10.2")
    repository.commit("back")


def artifacts(kind, repository):
    forge.control("reset")
    job = Job(kind, repository)
    same(f"{kind}: --detailed-exitcode", 2, job.run("--detailed-exitcode"),
         job.err)
    plan = json.loads(job.artifact("plan.json"))
    ok({c["tenant"] for d in plan["devices"] for c in d["changes"]} == {"acme"},
       f"{kind}: plan.json")
    sarif = json.loads(job.artifact("tenet.sarif"))
    same(f"{kind}: SARIF", "2.1.0", sarif["version"])
    ok(ET.fromstring(job.artifact("junit.xml")).tag == "testsuites",
       f"{kind}: JUnit")
    counts = json.loads(job.artifact("terraform.json"))
    same(f"{kind}: terraform.json", plan["summary"]["add"], counts["create"])
    same(f"{kind}: code quality", list,
         type(json.loads(job.artifact("codequality.json"))))
    same(f"{kind}: the comment is an artifact, too", job.artifact("comment.md"),
         comments(kind)[0]["body"])
    ok("acme/app" in job.artifact("plan.txt"), f"{kind}: plan.txt")
    if kind != "gitlab":
        ok("### tenet" in (job.dir / "summary.md").read_text(),
           f"{kind}: the summary of the job")
        m = re.match(r"::stop-commands::(tenet-[0-9a-f]{32})\n", job.out)
        ok(m and f"\n::{m[1]}::\n" in job.out,
           f"{kind}: commands are stopped while tenants' words are shown",
           job.out)


def denied(kind, repository):
    """More is deleted than budgets allow; then the intent is broken."""
    forge.control("reset")
    repository.to("main")
    (repository.tree / "tenants/blue/web.yml").unlink()
    repository.commit("away with it", "deletes")
    job = Job(kind, repository, branch="deletes")
    same(f"{kind}: denied", 4, job.run(), job.out + job.err)
    same(f"{kind}: the status says so", ["failed" if kind == "gitlab"
                                         else "failure"],
         [x["state"] for x in statuses(kind, job.head)])
    ok("denied" in comments(kind)[0]["body"], f"{kind}: and the comment")
    failures_ = ET.fromstring(job.artifact("junit.xml")).findall(".//failure")
    ok(failures_, f"{kind}: and JUnit")
    if kind != "gitlab":
        ok("\n::error title=tenet%3A budget::" in job.out,
           f"{kind}: and an annotation", job.out)
    same(f"{kind}: --allow-deletes", 0, job.run("--allow-deletes 100"), job.err)
    repository.to("main")
    repository.vpc("acme", "web", "10.1")
    repository.put("tenants/acme/web.yml", "apiVersion: tenet/v1\nkind: Vpc\n"
                   "metadata: {name: web}\nspec: {cdirs: [10.1.0.0/16]}\n")
    repository.commit("broken @everyone", "broken")
    job = Job(kind, repository, branch="broken")
    same(f"{kind}: invalid", 8, job.run(), job.out + job.err)
    body = comments(kind)[0]["body"]
    ok("invalid" in body and "tenants/acme/web.yml:4" in body,
       f"{kind}: the comment names the line", body)
    same(f"{kind}: still one comment", 1, len(comments(kind)))
    repository.put("tenet.yml", "kind: Settings\n")
    repository.commit("no settings", "worse")
    job = Job(kind, repository, branch="worse")
    same(f"{kind}: nothing compiles", 8, job.run(), job.out + job.err)
    ok("tenet.yml" in comments(kind)[0]["body"], f"{kind}: which is told",
       comments(kind))
    quiet(kind + ", denied")
    repository.to("mr")


def judged(kind, repository):
    """Policies of the target, reachability, and words that want to be heard."""
    forge.control("reset")
    repository.to("main")
    repository.put("policies/ports.yml", POLICY)
    repository.vpc("blue", "db", "10.8")
    path = repository.tree / "tenants/blue/db.yml"
    path.write_text(path.read_text().replace("attach:",
                                             "securityGroups: [ssh], attach:"))
    repository.put("tenants/blue/ssh.yml",
                   GROUPED.replace("RULES", "[]"))
    repository.commit("groups")
    repository.put("tenants/blue/ssh.yml", GROUPED.replace(
        "RULES", "[{direction: ingress, protocol: tcp, ports: [22]}]"))
    repository.put("policies/loud.yml", LOUD)
    repository.commit("open @everyone", "open")
    job = Job(kind, repository, branch="open")
    same(f"{kind}: a policy denies", 4, job.run(), job.out + job.err)
    body = comments(kind)[0]["body"] if comments(kind) else ""
    ok("**deny** `no-ssh-from-anywhere` `tenants/blue/ssh.yml:6`" in body,
       f"{kind}: the comment has rule and line", body)
    ok("**Who reaches whom**" in body and "**opens**" in body,
       f"{kind}: and what becomes reachable", body)
    ok("`@everyone`" in body and
       not re.search(r"(?<!`)@everyone", body.split("```diff")[0]),
       f"{kind}: and mentions nobody", body)
    results = json.loads(job.artifact("tenet.sarif"))["runs"][0]["results"]
    ok(any(r["ruleId"] == "no-ssh-from-anywhere" and
           r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] ==
           "tenants/blue/ssh.yml" for r in results), f"{kind}: SARIF has it",
       results)
    plan = json.loads(job.artifact("plan.json"))
    ok(not plan["verdict"]["allowed"] and plan["access"][0]["opens"],
       f"{kind}: plan.json has both")
    if kind != "gitlab":
        shown = job.out.split("\n::tenet-")[-1]
        ok("::error file=tenants/blue/ssh.yml,line=6" in shown,
           f"{kind}: an annotation at the line", job.out)
        ok("##[" not in shown, f"{kind}: no other command in it", shown)
    (repository.tree / "policies/ports.yml").unlink()
    repository.put("policies/broken.yml", "kind: Policy\n")
    repository.commit("broken policies", "broken-policy")
    job = Job(kind, repository, branch="broken-policy")
    code = job.run()
    ok(code in (4, 8), f"{kind}: a broken policy never passes: {code}",
       job.out + job.err)
    quiet(kind + ", judged")
    repository.to("mr")


def large(kind, repository):
    """More than a comment takes."""
    forge.control("reset")
    repository.to("main")
    for i in range(250):
        repository.vpc("acme" if i % 5 else "blue", f"many{i}",
                       f"10.{100 + i % 100}")
    repository.commit("many", "many")
    job = Job(kind, repository, branch="many")
    same(f"{kind}: a large request", 0, job.run(), job.err)
    body = (comments(kind) or [{"body": ""}])[0]["body"]
    if kind != "gitlab":
        ok(50000 < len(body) <= 65536 and "This is not all of it" in body and
           "more objects: see the whole plan" in body,
           f"{kind}: the comment is cut: {len(body)}", job.err)
        ok("<code>blue</code>" in body and body.count("\n+ ") > 500,
           f"{kind}: each tenant keeps a share")
    else:
        ok(len(body) > 65536, f"{kind}: is not cut: {len(body)}", job.err)
    same(f"{kind}: the artifact has all", 250 * 6,
         job.artifact("plan.txt").count("\n    + "))
    quiet(kind + ", large")
    repository.to("mr")


FAULTS = [
    # What fails, how often, how; what is told; is there a comment after all?
    ("401", {"match": ".", "status": 401, "times": 99}, "the verdict stands",
     False),
    ("403", {"match": ".", "status": 403, "times": 99}, "the verdict stands",
     False),
    ("404", {"match": ".", "status": 404, "times": 99}, "the verdict stands",
     False),
    ("413 for long comments", {"match": "POST .*(comments|notes)$",
                               "status": 413}, "comment made", True),
    ("422 for long comments", {"match": "POST .*(comments|notes)$",
                               "status": 422}, "comment made", True),
    ("422 for ever", {"match": "POST ", "status": 422, "times": 99},
     "the verdict stands", False),
    ("429 with Retry-After", {"match": "(comments|notes)$", "status": 429,
                              "headers": {"Retry-After": "1"}, "times": 2},
     "comment made", True),
    ("429 and too long a pause", {"match": "(comments|notes)$", "status": 429,
                                  "headers": {"Retry-After": "3000"},
                                  "times": 99}, "the verdict stands", False),
    ("a secondary limit", {"match": "POST .*(comments|notes)$", "status": 403,
                           "headers": {"Retry-After": "1"},
                           "message": "secondary rate limit"}, "comment made",
     True),
    ("503 twice", {"match": "GET .*(comments|notes)$", "status": 503,
                   "times": 2}, "comment made", True),
    ("500 for ever", {"match": ".", "status": 500, "times": 999},
     "the verdict stands", False),
    ("200 and nonsense", {"match": "GET .*(comments|notes)$", "status": 200},
     "the verdict stands", False),
    ("a redirect", {"match": ".", "status": 301, "times": 99,
                    "headers": {"Location": "http://127.0.0.1:1/"}},
     "the verdict stands", False),
    ("a dropped connection", {"match": "(comments|notes)$", "drop": True},
     "comment made", True),
    ("an answer that is lost", {"match": "POST .*(comments|notes)$",
                                "drop": True, "apply": True},
     "comment is as it was", True),
    ("502 although it was done", {"match": "POST .*(comments|notes)$",
                                  "status": 502, "apply": True},
     "comment is as it was", True),
]


def faults(kind, repository):
    for what, fault, told, there in FAULTS:
        forge.control("reset")
        forge.control("fault", fault)
        job = Job(kind, repository)
        start = time.monotonic()
        same(f"{kind}, {what}: the verdict", 0, job.run(), job.err)
        ok(told in job.err, f"{kind}, {what}: is told", job.err)
        same(f"{kind}, {what}: comments", 1 if there else 0,
             len(comments(kind)), job.err)
        ok(time.monotonic() - start < 60, f"{kind}, {what}: in time")
        no_token(job, f"{kind}, {what}")
        quiet(f"{kind}, {what}")
    # Denied stays denied.
    forge.control("reset")
    forge.control("fault", {"match": ".", "status": 401, "times": 99})
    job = Job(kind, repository, branch="deletes")
    same(f"{kind}: denied although nothing can be told", 4, job.run(), job.err)
    # Somebody deletes the comment between our look and our update.
    forge.control("reset")
    job = Job(kind, repository)
    forge.control("seed", {"key": key_of(kind), "comments": [
        {"login": "tenet-bot", "body": "<!-- tenet:lab -->\nold"}]})
    forge.control("fault", {"match": "(PUT|PATCH) ", "status": 404})
    same(f"{kind}: the comment vanishes", 0, job.run(), job.err)
    same(f"{kind}: and there is one", 1, len(comments(kind)), job.err)


def tokens(kind, repository):
    forge.control("reset")
    job = Job(kind, repository, token=None)
    same(f"{kind}: without a token", 0, job.run(), job.err)
    ok("nothing is posted" in job.err and not forge.state()["requests"],
       f"{kind}: nobody is asked", job.err)
    job = Job(kind, repository, token="nobody-knows-it")
    same(f"{kind}: a wrong token", 0, job.run(), job.err)
    ok("nobody-knows-it" not in job.out + job.err and "401" in job.err,
       f"{kind}: 401 is told", job.err)
    job = Job(kind, repository, token=READER)
    same(f"{kind}: a token that may not write, as forks have", 0, job.run(),
         job.err)
    same(f"{kind}: nothing was written", {}, forge.state()["comments"])
    file = work / "token"
    file.write_text(BOT + "\n")
    file.chmod(0o600)
    job = Job(kind, repository, token=None)
    same(f"{kind}: a token from a file", 0, job.run(f"--token-file {file}"),
         job.err)
    same(f"{kind}: does it", 1, len(comments(kind)), job.err)
    if kind != "gitlab":
        forge.control("reset")
        job = Job(kind, repository, token=ACTIONS)
        for _ in range(2):
            same(f"{kind}: the pipeline's own token", 0, job.run(), job.err)
        same(f"{kind}: is the robot, and finds itself", 1, len(comments(kind)),
             job.err)
        quiet(kind + ", the robot")
    forge.control("reset")
    job = Job(kind, repository)
    same(f"{kind}: --no-post", 0, job.run("--no-post"), job.err)
    same(f"{kind}: asks nobody", [], forge.state()["requests"])
    forge.control("fill", {"key": f"{kind} {PROJECT[kind]} {job.head}",
                           "context": "tenet/plan/lab", "n": 1000})
    same(f"{kind}: a thousand statuses", 0, job.run(), job.err)
    ok("no commit status" in job.err and "comment made" in job.err,
       f"{kind}: the comment is made all the same", job.err)


def shallow(kind, repository):
    forge.control("reset")
    job = Job(kind, repository, depth=1)
    lines = job.lines
    # As somebody would have it who leaves the depth out.
    job.lines = [re.sub("git fetch(?=.*TARGET)", "git fetch --depth=1", l)
                 for l in lines]
    if kind == "gitlab":
        job.env["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = "0" * 40
    code = job.run()
    word = "GIT_DEPTH" if kind == "gitlab" else "fetch-depth: 0"
    same(f"{kind}: a shallow clone", 1, code, job.out + job.err)
    ok(word in job.err, f"{kind}: says what to set", job.err)
    same(f"{kind}: nothing is posted", [], forge.state()["requests"])


def moved_on(kind, repository):
    """Others merge meanwhile, and devices hold it already."""
    forge.control("reset")
    repository.to("main")
    repository.vpc("blue", "late", "10.9")
    repository.commit("merged by others")
    repository.apply()
    job = Job(kind, repository)
    same(f"{kind}: the target moved on", 0, job.run(), job.out + job.err)
    body = comments(kind)[0]["body"]
    ok("acme/app" in body and "blue" not in body and "destroy" not in body,
       f"{kind}: what others merged is not undone", body)
    ok("planned against the snapshots of 2 devices" in body,
       f"{kind}: the age of snapshots is stated", body)
    time.sleep(1.1)
    same(f"{kind}: too old is denied if it is to be", 4,
         job.run("--max-age 0s"), job.err)
    ok("snapshot-age" in comments(kind)[0]["body"], f"{kind}: and told")
    same(f"{kind}: or a warning", 0, job.run("--warn-age 0s"), job.err)
    ok("allowed, with warnings" in comments(kind)[0]["body"],
       f"{kind}: which is told", comments(kind)[0]["body"][:200])
    # Merged and not applied yet; what is merged is part of a merge commit.
    repository.vpc("blue", "later", "10.11")
    repository.commit("merged, not applied")
    job = Job(kind, repository)
    same(f"{kind}: something else is pending", 0, job.run(), job.err)
    body = comments(kind)[0]["body"]
    ok("blue" not in body, f"{kind}: and not of this request", body)
    if kind != "gitlab":
        ok("6 other changes are pending" in body, f"{kind}: but counted", body)
    repository.to("mr")


WHERE = {"gitlab": ".gitlab-ci.yml", "github": ".github/workflows/tenet.yml",
         "gitea": ".gitea/workflows/tenet.yml"}


def newcomer(kind):
    """From 'tenet init' to a commented merge request."""
    forge.control("reset")
    repository = Repository.begun("new-" + kind, kind)
    web = repository.tree / "tenants/demo/web.yml"
    web.write_text(web.read_text().replace("ports: [443]", "ports: [443, 80]"))
    repository.commit("let HTTP in, too", "mr")
    job = Job(kind, repository, pipeline=repository.tree / WHERE[kind])
    same(f"{kind}: the first merge request", 0, job.run(), job.out + job.err)
    body = (comments(kind) or [{"body": ""}])[0]["body"]
    ok("**opens** demo/web" in body and "tcp 80" in body and
       "to change" in body, f"{kind}: says what opens", body)
    web.write_text(web.read_text().replace(
        "ports: [5432]\n      remote: {group: web}", "ports: [5432]"))
    repository.commit("the database, for everybody")
    job = Job(kind, repository, pipeline=repository.tree / WHERE[kind])
    same(f"{kind}: what nobody should do", 4, job.run(), job.out + job.err)
    body = comments(kind)[0]["body"]
    ok("**deny** `no-world-open-ports` `tenants/demo/web.yml" in body,
       f"{kind}: is denied at its line", body)
    ok(git("status", "--porcelain", cwd=job.clone) == "",
       f"{kind}: artifacts are ignored")
    quiet(kind + ", newcomer")


def by_hand(repository):
    """Where no pipeline is."""
    git("checkout", "-q", "mr", cwd=repository.tree)
    r = run([TENET, "ci", "--target", "main", "--artifacts", str(work / "a")],
            repository.tree)
    same("by hand", 0, r.returncode, r.stderr)
    ok((work / "a/lab/comment.md").exists(), "by hand: artifacts")
    r = run([TENET, "ci", "--artifacts", str(work / "a")], repository.tree)
    ok("no target branch is known" in (work / "a/lab/comment.md").read_text(),
       "by hand: without a target all is shown", r.stderr)
    r = run([TENET, "ci", "--target", "nowhere"], repository.tree)
    same("by hand: a target that is none", 1, r.returncode, r.stderr)
    for args in (["--forge", "svn"], ["--max-age", "soon"], ["--report", "x=y"],
                 ["--output", "pdf"], ["--report", "sarif="]):
        r = run([TENET, "ci", *args], repository.tree)
        same("by hand: " + " ".join(args), 1, r.returncode, r.stderr)
    out = work / "reports"
    out.mkdir()
    r = run([TENET, "plan", "--output", "markdown", "--allow-deletes", "99",
             "--report", f"sarif={out}/s", "--report", f"junit={out}/j",
             "--report", f"json={out}/p"], repository.tree)
    same("plan: several forms at once", 0, r.returncode, r.stderr)
    ok(r.stdout.startswith("<!-- tenet:lab -->"), "plan: Markdown", r.stdout)
    json.loads((out / "s").read_text())
    json.loads((out / "p").read_text())
    ET.fromstring((out / "j").read_text())
    r = run([TENET, "plan", "--report", f"sarif={out}/no/where"],
            repository.tree)
    same("plan: a report that cannot be written", 1, r.returncode, r.stderr)


def main():
    kinds = sys.argv[1:] or KINDS
    try:
        for kind in kinds:
            repository = Repository(kind)
            repository.vpc("acme", "app", "10.2")
            repository.commit("an application", "mr")
            allowed(kind, repository)
            artifacts(kind, repository)
            denied(kind, repository)
            judged(kind, repository)
            large(kind, repository)
            tokens(kind, repository)
            shallow(kind, repository)
            faults(kind, repository)
            moved_on(kind, repository)
            newcomer(kind)
        by_hand(repository)
    finally:
        forge.end()
        shutil.rmtree(work, ignore_errors=True)
    print(f"1..{tests}\n# {tests - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
