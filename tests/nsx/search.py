"""Search: an index that follows the store some time later.

What was written becomes visible after the index lag, and what was deleted
stays visible for as long; a client must therefore never take absence here for
absence.  The query language is the part that clients use: key:value joined by
AND, OR and NOT, parentheses, quotes, * and ?, and a backslash before the
characters that mean something.
"""
import re
import time

import errors
from errors import ApiError
from writer import SYSTEM, render

TOKEN = re.compile(r"""\s*(?:
    (?P<paren>[()]) |
    (?P<word>(?:\\.|"(?:\\.|[^"\\])*"|[^\s()\\"])+)
)""", re.X)
LIMIT = 50000


class Index:
    """What search knows.  'pending' holds (when, path, document or None)."""

    def __init__(self, store):
        self.store = store
        store.watchers.append(self.note)
        self.reset()

    def reset(self):
        self.known, self.pending = {}, []
        for obj in self.store.objects.values():
            self.known[obj.path] = (obj, self.show(obj))

    def show(self, obj):
        return render(self.store, obj, SYSTEM)

    def note(self, tx):
        due = time.monotonic() + self.store.settings.index_lag
        for path, obj in tx.written.items():
            self.pending.append((due, path, obj))
        for path in tx.removed:
            self.pending.append((due, path, None))

    def settle(self):
        now, left = time.monotonic(), []
        for due, path, obj in self.pending:
            if due > now:
                left.append((due, path, obj))
            elif obj is None:
                self.known.pop(path, None)
            else:
                self.known[path] = (obj, None)
        self.pending = left

    def rows(self, scope):
        for path, (obj, body) in sorted(self.known.items()):
            if scope and not path.startswith(scope + "/"):
                continue
            if body is None:
                body = self.show(obj)
                self.known[path] = (obj, body)
            yield body

    def query(self, text, query, scope=""):
        settings = self.store.settings
        if settings.search_busy:
            raise ApiError(400, 60508, "Search framework is indexing. Retry "
                           "later.", "search")
        self.settle()
        matches = parse(text)
        found = [row for row in self.rows(scope) if matches(row)]
        try:
            at = int(query.get("cursor") or 0)
            size = int(query.get("page_size") or settings.page_max)
        except ValueError:
            raise errors.invalid("cursor or page_size is not a number")
        if size < 1 or size > settings.page_max or at + size > LIMIT:
            raise errors.invalid("page_size %d is out of range" % size)
        rows = found[at:at + size]
        wanted = query.get("included_fields")
        if wanted:
            keep = set(wanted.split(","))
            rows = [{k: v for k, v in r.items() if k in keep} for r in rows]
        out = {"results": rows, "result_count": len(found),
               "cursor": str(min(at + size, len(found)))}
        return out


def bad_query(text):
    return ApiError(400, 60501, "The query '%s' cannot be parsed." % text,
                    "search")


def parse(text):
    """A function of a document that says whether it is meant."""
    tokens, at = [], 0
    while at < len(text.rstrip()):
        found = TOKEN.match(text, at)
        if not found:
            raise bad_query(text)
        tokens.append(found.group("paren") or found.group("word"))
        at = found.end()
    if not tokens:
        raise bad_query(text)
    parser = Parser(tokens, text)
    out = parser.any()
    if parser.at != len(tokens):
        raise bad_query(text)
    return out


class Parser:
    def __init__(self, tokens, text):
        self.tokens, self.text, self.at = tokens, text, 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def any(self):
        parts = [self.all()]
        while self.peek() == "OR":
            self.at += 1
            parts.append(self.all())
        return lambda doc: any(p(doc) for p in parts)

    def all(self):
        parts = [self.one()]
        while self.peek() not in (None, ")", "OR"):
            if self.peek() == "AND":
                self.at += 1
            parts.append(self.one())
        return lambda doc: all(p(doc) for p in parts)

    def one(self):
        token = self.peek()
        self.at += 1
        if token == "NOT":
            inner = self.one()
            return lambda doc: not inner(doc)
        if token == "(":
            inner = self.any()
            if self.peek() != ")":
                raise bad_query(self.text)
            self.at += 1
            return inner
        if token is None or token in (")", "AND", "OR"):
            raise bad_query(self.text)
        return self.term(token)

    def term(self, token):
        key, colon, value = token.partition(":")
        if not colon:
            raise bad_query(self.text)
        if value == "" and self.peek() == "(":
            return self.group(key)
        return self.match(key, value)

    def group(self, key):
        """key:(a OR b)"""
        self.at += 1
        parts = []
        while self.peek() not in (None, ")"):
            if self.peek() != "OR":
                parts.append(self.match(key, self.peek()))
            self.at += 1
        if self.peek() is None:
            raise bad_query(self.text)
        self.at += 1
        return lambda doc: any(p(doc) for p in parts)

    def match(self, key, value):
        quoted = value.startswith('"') and value.endswith('"')
        bare = re.sub(r"\\.", "", value)
        if not quoted and re.search(r"[/:()\[\]{}^~!]|^-", bare):
            raise bad_query(self.text)
        glob = wild(value[1:-1] if quoted else value, quoted)
        path = key.split(".")
        return lambda doc: any(glob(v) for v in values(doc, path))


def wild(value, quoted):
    out, n = [], 0
    while n < len(value):
        if value[n] == "\\" and n + 1 < len(value):
            out.append(re.escape(value[n + 1]))
            n += 1
        elif value[n] in "*?" and not quoted:
            out.append(".*" if value[n] == "*" else ".")
        else:
            out.append(re.escape(value[n]))
        n += 1
    expression = re.compile("".join(out), re.S)
    return lambda v: expression.fullmatch(v) is not None


def values(doc, path):
    """The texts at 'path', which may lead through lists."""
    if isinstance(doc, list):
        for item in doc:
            yield from values(item, path)
    elif path and isinstance(doc, dict):
        if path[0] in doc:
            yield from values(doc[path[0]], path[1:])
    elif not path and not isinstance(doc, dict):
        yield str(doc).lower() if isinstance(doc, bool) else str(doc)


