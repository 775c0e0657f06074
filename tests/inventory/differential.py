#!/usr/bin/python3
"""Random inventories, read by Ansible and by us: the results must be equal.

    differential.py --program .../inventory_print_host [--count N] [--seed N]

For each inventory, the variables of all hosts are compared as values
('ansible-inventory --list', whose hostvars are those of '--host'), and those
of two hosts byte by byte ('--host').  Ansible is imported once and runs in a
forked child per question, which is what keeps hundreds of them affordable.
Exit status 77 (skipped) where ansible-core is not installed.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

# Settings of the machine must not change the answers.
SETTINGS = tempfile.NamedTemporaryFile(suffix=".cfg")
os.environ["ANSIBLE_CONFIG"] = SETTINGS.name
os.environ["ANSIBLE_NOCOLOR"] = "1"
os.environ.setdefault("LC_ALL", "C.UTF-8")

try:
    import ansible.release
    from ansible.cli.inventory import InventoryCLI
    from ansible.plugins.loader import inventory_loader, vars_loader
except ImportError as problem:
    print("SKIPPED: ansible-core is not installed: %s" % problem)
    sys.exit(77)

SCALARS = """
a b hello 'quoted' "double" yes no on off true False TRUE y n Yes oFF null ~
Null nULL 0 1 -1 +7 007 08 0o17 0x1F -0xff 0b101 1_000 1__ 0_ 123456789012345678
123456789012345678901234567890 0xFFFFFFFFFFFFFFFFFFFFFF 1:30 1:30:00 59:59
52:54:00:12:34:56 1:60 -1:30 1:30.5 1. .5 1.5 -0.0 1e5 1.5e+20 1.0e-7 1.e+3
0.1 0.00001 100000000000000000.0 1_0.5 3.14159265358979 .inf -.Inf +.INF .nan
.NaN 2021-01-02 2021-1-2 2001-12-14t21:59:43.10-05:00 10.0.0.1 10.0.0.0/24
192.168.1 fe80::1 '1' "0x1F" 'yes' "" '' 1.2.3 v1.2 1-2 a=b x#y a:b
"{{ template }}" '{% raw %}' "tab\\tnew\\nline" "\\u00e9\\x7f\\e" ünïcode 漢字
!unsafe 'jinja' !!str 12 !!str "yes" 0.5_ 9007199254740993 1.0 2.50 1e+3
-.5 +.5 ..5 + - = ~x nullx true1 ' lead' 'it''s' "\\/" <<x
""".split("\n")
SCALARS = [s for line in SCALARS for s in line.split() if s]
# Tags and texts with spaces do not survive split().
SCALARS = [s for s in SCALARS if s not in ("!unsafe", "!!str", "=", "-", "'",
                                          "'{%", "raw", "%}'", '"{{',
                                          "template", '}}"', "lead'")]
SCALARS += ["!unsafe 'jinja'", "!unsafe 5", "!!str 12", '!!str "yes"',
            '"{{ template }}"', "'{% raw %}'", "' lead'", "two words",
            "2001-12-14 21:59:43", "2001-12-14 21:59:43.5 +1",
            "2001-12-14 21:59:43 Z", ""]

KEYS = """a b key Key other-key x.y 1 2 10 9 0x1 01 1.5 yes no true null ~ 'q'
"2" '10' on k1 k2 é""".split()

GROUP_NAMES = """web db leafs spines site-a site-b dc1 dc.2 Edge _x rack_1
rack_2 g10 g9 zz aa ungrouped2 prod '8080' "quoted group" ü all2 net/1
""".replace('"quoted group"', '"quoted_group"').split()

HOST_PATTERNS = """hv1 hv2 hv3 hv4 web1 web2 db.example.com 10.0.0.1 'h:22'
'web[1:3]' 'db[01:03].x' 'n[a:c]' 'm[0:6:2]' 'z[08:11]'  'r[1:2]s[a:b]'
'p[1:3]:2222' '[fe80::1]:22' 'fe80::2' UPPER under_score '01' é1 '[::2]:0022'
'[db8:22]:1' '-x:22' 'a b:22' 'c[5:1]' 'q[ab:c]' '[x]:7' 'A[1:2:5]'
'o[0:2]:0' 'web[:2]' 'hv[1:2]-[1:2:1]' 'y[10:1:-4]'""".split()
HOST_PATTERNS = [h for h in HOST_PATTERNS if h not in ("'a", "b:22'")]
HOST_PATTERNS.append("'a b:22'")

VAR_NAMES = """v1 v2 v3 v4 v5 v6 ansible_host ansible_port ansible_user mtu
site name Vx ansible_group_priority inventory_hostname groups omit playbook_dir
ansible_facts w-dash 'q v' ünï tenet_site""".replace("'q v'", "qv").split()


def plain(name):
    return name.strip("'\"")


class Generator:
    """One random inventory, as a dict of path to text."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.files = {}
        self.anchors = 0

    def chance(self, p):
        return self.r.random() < p

    def number(self):
        r = self.r
        return r.choice([
            lambda: "%d" % r.randrange(-10 ** 6, 10 ** 6),
            lambda: repr(r.uniform(-1, 1) * 10 ** r.randrange(-3, 15)),
            lambda: "%de+0" % r.randrange(10),
            lambda: "0x%x" % r.getrandbits(r.randrange(1, 130)),
            lambda: "0%o" % r.getrandbits(r.randrange(1, 70)),
            lambda: "%04d-%02d-%02d" % (r.randrange(1, 9999),
                                        r.randrange(1, 13), r.randrange(1, 29)),
        ])()

    def value(self, depth=0):
        r = self.r
        kind = r.random()
        if depth < 3 and kind < 0.12:
            items = [self.value(depth + 1) for _ in range(r.randrange(4))]
            return "[%s]" % ", ".join(i or "~" for i in items)
        if depth < 3 and kind < 0.28:
            if self.chance(0.75):
                keys = [k for k in KEYS if k[0].isalpha() and
                        k not in ("yes", "no", "true", "null", "on")]
            else:
                keys = KEYS
            keys = r.sample(keys, r.randrange(4))
            return "{%s}" % ", ".join("%s: %s" % (k, self.value(depth + 1))
                                      for k in keys)
        if kind < 0.4:
            return self.number()
        if depth and kind < 0.5:
            return r.choice(["x", "1", "no"])
        value = r.choice(SCALARS)
        if depth and any(c in value for c in ",[]{}") and value[0] not in "'\"":
            return "z"
        return value

    def variable(self, indent):
        r = self.r
        name = r.choice(VAR_NAMES)
        pad = " " * indent
        if name == "ansible_group_priority" and self.chance(0.98):
            return "%s%s: %s\n" % (pad, name, self.priority())
        if name == "tenet_site":
            return "%s%s: %s\n" % (pad, name, r.choice(["ber", "muc", "'x1'"]))
        kind = r.random()
        if kind < 0.05:
            return "%s%s: |\n%s  line 1\n%s  line 2\n" % (pad, name, pad, pad)
        if kind < 0.1:
            return "%s%s: >-\n%s  folded\n%s  text\n" % (pad, name, pad, pad)
        if kind < 0.15:
            return "%s%s:\n%s- %s\n%s- k: %s\n" % (
                pad, name, pad, self.value(1), pad, self.value(1))
        if kind < 0.2:
            self.anchors += 1
            return ("%s%s: &n%d {a: 1, b: %s}\n%s%s: {<<: *n%d, b: 2, c: 3}\n"
                    % (pad, name, self.anchors, self.value(1), pad,
                       "m%d" % r.randrange(3), self.anchors))
        return "%s%s: %s\n" % (pad, name, self.value())

    def variables(self, indent, least=0):
        return "".join(self.variable(indent)
                       for _ in range(self.r.randrange(least, 6)))

    def priority(self):
        return self.r.choice(["1", "2", "10", "0", "-3", "'7'", "2.9", "yes",
                              "0x10", '" 12 "', "1_0", "1" * 30])

    def host(self, indent):
        pattern = self.r.choice(HOST_PATTERNS)
        if self.chance(0.003):
            pattern = self.r.choice(["l[Y:b]", "12", "k[01:100]", "j[1:]"])
        pad = " " * indent
        kind = self.r.random()
        if kind < 0.4:
            return "%s%s:\n" % (pad, pattern)
        if kind < 0.5:
            return "%s%s: %s\n" % (pad, pattern,
                                   self.r.choice(["{}", "''", "0", "no", "[]"]))
        return "%s%s:\n%s" % (pad, pattern, self.variables(indent + 2, 1))

    def group(self, names, index, indent):
        """A group body; children come from names behind 'index' only."""
        pad = " " * indent
        sections = []
        if self.chance(0.6):
            text = pad + "vars:\n"
            if self.chance(0.4):
                text += "%s  ansible_group_priority: %s\n" % (
                    pad, self.priority())
            text += self.variables(indent + 2)
            sections.append(text)
        if self.chance(0.7):
            if self.chance(0.05):
                sections.append("%shosts: hv1\n" % pad)
            else:
                sections.append("%shosts:\n%s" % (pad, "".join(
                    self.host(indent + 2)
                    for _ in range(self.r.randrange(5)))))
        # Only we refuse an "ungrouped" that is a child of another group.
        rest = [i for i in range(index + 1, len(names))
                if index == 0 or names[i] != "ungrouped"]
        if rest and self.chance(0.6):
            text = pad + "children:\n"
            for child in sorted(self.r.sample(rest, min(len(rest),
                                              self.r.randrange(1, 4)))):
                text += "%s  %s:\n" % (pad, names[child])
                if indent < 14 and self.chance(0.4):
                    text += self.group(names, child, indent + 4)
            sections.append(text)
        if self.chance(0.05):
            sections.append("%sbogus: {a: 1}\n" % pad)
        self.r.shuffle(sections)
        return "".join(sections)

    def hosts_text(self, names):
        text = "---\n" if self.chance(0.3) else ""
        tops = self.r.sample(range(len(names)),
                             self.r.randrange(1, len(names) + 1))
        if 0 not in tops and self.chance(0.8):
            tops.insert(0, 0)
        for top in tops:
            body = self.group(names, top, 2)
            text += "%s:\n%s" % (names[top], body)
        return text

    def json_text(self):
        tree = {}
        for _ in range(self.r.randrange(4)):
            tree[plain(self.r.choice(VAR_NAMES[:8]))] = self.r.choice(
                [1, 1.5, 1e5, 1e22, "x", "\u00e9\n", None, True, [1, {"a": 2}],
                 {}, "yes", "1"])
        return json.dumps(tree, indent=self.r.choice([None, 2, "\t"]))

    def vars_text(self, path):
        if path.endswith(".json") and self.chance(0.8):
            return self.json_text()
        if self.chance(0.08):
            return self.r.choice(["", "---\n", "# nothing\n", "{}\n", "[]\n"])
        return self.variables(0, 1)

    def vars_files(self, base, folder, name):
        r = self.r
        stem = "%s/%s/%s" % (base, folder, name)
        for ext in (".yml", ".yaml", ".json", ""):
            if self.chance({".yml": 0.5}.get(ext, 0.1)):
                self.files[stem + ext] = self.vars_text(stem + ext)
        if stem not in self.files and self.chance(0.2):
            for _ in range(r.randrange(1, 5)):
                path = stem + "/" + r.choice(
                    ["a.yml", "b.yaml", "c.json", "10", "9.yml", ".hidden.yml",
                     "old.yml~", "x.txt", "sub/z.yml", "sub/.h/y.yml",
                     "s.d/n.yml", "B.yml", "README", "sub/a/deep.yml", "e."])
                text = self.vars_text(path)
                self.files[path] = text

    def build(self):
        names = ["all"] + self.r.sample(GROUP_NAMES,
                                        self.r.randrange(1, 9))
        if self.chance(0.3):
            names.append("ungrouped")
        base = "inventories/env"
        if self.chance(0.15):
            for name in self.r.sample(["01.yml", "b.yaml", "c", "d.json~",
                                       "sub/e.yml", "notes.md"], 3):
                self.files["%s/%s" % (base, name)] = self.hosts_text(names)
            target = base
        else:
            target = base + self.r.choice(["/hosts.yml"] * 4 + ["/hosts.yaml"])
            self.files[target] = self.hosts_text(names)
        for name in names:
            if name != "ungrouped" or self.chance(0.5):
                self.vars_files(base, "group_vars", plain(name))
        for host in ("hv1", "hv2", "web1", "web2", "db01.x", "na", "m0", "p1",
                     "fe80::1", "h", "01", "UPPER"):
            if self.chance(0.5):
                self.vars_files(base, "host_vars", host)
        return target


def ask_ansible(root, arguments):
    """The standard output of ansible-inventory, or None if it failed."""
    out = os.path.join(root, "answer")
    pid = os.fork()
    if pid == 0:
        status = 70
        try:
            os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.dup2(os.open(os.path.join(root, "warnings"),
                            os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            InventoryCLI(["ansible-inventory"] + arguments).run()
        except SystemExit as end:
            sys.stdout.flush()
            status = end.code or 0
        except BaseException as problem:  # As the command line shows it.
            os.write(2, str(problem).encode())
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1] != 0:
        return None
    with open(os.path.join(root, "warnings")) as warnings:
        if "Failed to parse" in warnings.read():
            return None
    with open(out) as answer:
        return answer.read()


def ask_us(program, root, host=None):
    command = [program, root, "env"] + ([host] if host else [])
    done = subprocess.run(command, capture_output=True, encoding="utf-8",
                          errors="surrogateescape", check=False)
    if done.returncode not in (0, 8):
        raise SystemExit("%s: status %d\n%s" % (command, done.returncode,
                                                done.stderr))
    return done.stdout if done.returncode == 0 else None, done.stderr


class Pairs(list):
    pass


def parse(text):
    return json.loads(text, parse_float=lambda s: "f" + s,
                      parse_int=lambda s: "i" + s,
                      parse_constant=lambda s: "c" + s,
                      object_pairs_hook=Pairs)


def canonical(value):
    if isinstance(value, Pairs):
        return sorted((k, repr(canonical(v))) for k, v in value)
    if isinstance(value, list):
        return [canonical(v) for v in value]
    return value


def hostvars(text, meta):
    top = dict(parse(text))
    if meta:
        top = dict(dict(top["_meta"])["hostvars"])
    return {k: canonical(v) for k, v in top.items() if v}


def write(root, files):
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as out:
            out.write(text)


def report(seed, root, what, theirs, ours):
    print("seed %d (%s): %s" % (seed, root, what))
    print("  ansible: %s" % (theirs,))
    print("  ours:    %s" % (ours,))


def check_bytes(seed, root, target, program, names):
    """False if '--host' differs in a byte."""
    good = True
    for host in names:
        theirs = ask_ansible(root, ["-i", target, "--host", host])
        ours, _ = ask_us(program, root, host)
        if theirs is not None and theirs != ours:
            report(seed, root, "--host %s" % host, theirs, ours)
            good = False
    return good


def run_one(seed, root, program):
    """'equal', 'refused' (by both) or 'different'."""
    generator = Generator(seed)
    try:
        target = os.path.join(root, generator.build())
        write(root, generator.files)
    except OSError:
        return "refused"  # A file where another wants a directory.
    theirs = ask_ansible(root, ["-i", target, "--list"])
    ours, findings = ask_us(program, root)
    if theirs is None or ours is None:
        if theirs is None and ours is None:
            if os.environ.get("DIFFERENTIAL_VERBOSE"):
                report(seed, root, "refused by both", "", findings)
            return "refused"
        with open(os.path.join(root, "warnings")) as warnings:
            report(seed, root, "only one of the two reads it",
                   warnings.read(), findings)
        return "different"
    a, b = hostvars(theirs, True), hostvars(ours, False)
    for host in sorted(set(a) | set(b)):
        if a.get(host) != b.get(host):
            report(seed, root, host, a.get(host), b.get(host))
            return "different"
    simple = [h for h in sorted(b) if h.isascii() and h.isalnum()]
    random.Random(seed).shuffle(simple)
    return ("equal" if check_bytes(seed, root, target, program, simple[:2])
            else "different")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--program", required=True)
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", action="store_true")
    given = options.parse_args()
    # Loaded once, before the forks.
    list(vars_loader.all())
    list(inventory_loader.all(class_only=True))
    counts = {"equal": 0, "refused": 0, "different": 0}
    for seed in range(given.seed, given.seed + given.count):
        root = tempfile.mkdtemp(prefix="tenet-inventory-")
        verdict = run_one(seed, root, given.program)
        counts[verdict] += 1
        if verdict != "different" or not given.keep:
            shutil.rmtree(root)
        if counts["different"] >= 10:
            break
    print("ansible-core %s: %s" % (ansible.release.__version__, counts))
    if counts["equal"] < given.count // 2:
        print("too few inventories were read at all")
        sys.exit(1)
    sys.exit(1 if counts["different"] else 0)


if __name__ == "__main__":
    main()
