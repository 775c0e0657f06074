"""Fields: what a value must look like, and what it becomes.

A type of the catalogue is a Record of fields.  Parsing a request's body turns
it into the document that the store keeps: unknown keys are refused (287),
wrong or missing values too (255), defaults are filled in, read-only keys are
dropped, and every policy path met on the way is noted in the Visit, so that
the store can refuse dangling references without looking at documents again.

Booleans, numbers and strings are not converted into each other: a real manager
is laxer in places, but a client that sends the right type passes both.
"""
import ipaddress
import re

import errors


class Visit:
    """What one parse learns: references met, and the product's version.

    'old' is the stored document of an object that is being changed, for the
    fields that may not change.
    """

    __slots__ = ("version", "refs", "kind", "old")

    def __init__(self, version, kind="", old=None):
        self.version = version
        self.refs = []
        self.kind = kind
        self.old = old


class Field:
    """Base of all.  'default' None is 'absent', a callable makes a value."""

    def __init__(self, required=False, default=None, readonly=False,
                 immutable=False, secret=False, since=None):
        self.required = required
        self.default = default
        self.readonly = readonly
        self.immutable = immutable
        self.secret = secret
        self.since = since

    def parse(self, value, name, visit):
        raise NotImplementedError

    def absent(self):
        return self.default() if callable(self.default) else self.default


class Any(Field):
    def parse(self, value, name, visit):
        return value


class Text(Field):
    def __init__(self, longest=None, pattern=None, **more):
        super().__init__(**more)
        self.longest = longest
        self.pattern = re.compile(pattern) if pattern else None

    def parse(self, value, name, visit):
        if not isinstance(value, str):
            raise errors.invalid("property %s must be a string" % name)
        if self.longest is not None and len(value) > self.longest:
            raise errors.invalid("property %s exceeds the length %d"
                                 % (name, self.longest))
        if self.pattern and not self.pattern.fullmatch(value):
            raise errors.invalid("property %s has the invalid value '%s'"
                                 % (name, value))
        return value


class Enum(Field):
    def __init__(self, *values, **more):
        super().__init__(**more)
        self.values = frozenset(values)

    def parse(self, value, name, visit):
        if not isinstance(value, str) or value not in self.values:
            raise errors.invalid("property %s has the invalid value '%s', "
                                 "valid are %s" % (name, value,
                                                   sorted(self.values)))
        return value


class Int(Field):
    def __init__(self, low=None, high=None, power=False, **more):
        super().__init__(**more)
        self.low, self.high, self.power = low, high, power

    def parse(self, value, name, visit):
        if isinstance(value, bool) or not isinstance(value, int):
            raise errors.invalid("property %s must be an integer" % name)
        if (self.low is not None and value < self.low) or \
                (self.high is not None and value > self.high):
            raise errors.invalid("property %s: %d is out of range %s..%s"
                                 % (name, value, self.low, self.high))
        if self.power and value & (value - 1):
            raise errors.invalid("property %s: %d is not a power of two"
                                 % (name, value))
        return value


class Flag(Field):
    def parse(self, value, name, visit):
        if not isinstance(value, bool):
            raise errors.invalid("property %s must be a boolean" % name)
        return value


class Address(Field):
    """An address, a network or a range.  'forms' says which are allowed.

    'interface' is an address with a prefix length (10.1.1.1/24), which may
    have host bits; 'cidr' is a network and may not.
    """

    def __init__(self, *forms, version=None, **more):
        super().__init__(**more)
        self.forms = forms
        self.version = version

    def parse(self, value, name, visit):
        if not isinstance(value, str) or not any(
                self.fits(value, form) for form in self.forms):
            raise errors.invalid("property %s has the invalid address '%s'"
                                 % (name, value))
        return value

    def fits(self, value, form):
        try:
            if form == "host":
                found = ipaddress.ip_address(value)
            elif form == "range":
                first, last = map(ipaddress.ip_address, value.split("-"))
                if first.version != last.version or first > last:
                    return False
                found = first
            elif "/" not in value:
                return False
            elif form == "interface":
                found = ipaddress.ip_interface(value)
            else:
                found = ipaddress.ip_network(value)
        except ValueError:
            return False
        return self.version is None or found.version == self.version


class Addresses(Address):
    """One string: an address, a network, or several with commas."""

    def __init__(self, **more):
        super().__init__("host", "cidr", **more)

    def parse(self, value, name, visit):
        for part in value.split(",") if isinstance(value, str) else [value]:
            super().parse(part.strip() if isinstance(part, str) else part,
                          name, visit)
        return value


class Mac(Text):
    def __init__(self, **more):
        super().__init__(pattern="[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}",
                         **more)


class Ref(Field):
    """A policy path of an object of one of 'kinds' (no kinds: any)."""

    def __init__(self, *kinds, **more):
        super().__init__(**more)
        self.kinds = frozenset(kinds)

    def parse(self, value, name, visit):
        if not isinstance(value, str) or not value.startswith("/"):
            raise errors.invalid("property %s must be a policy path, not '%s'"
                                 % (name, value))
        visit.refs.append((value, self.kinds, name))
        return value


class Word(Field):
    """One of a few words, or else what 'other' says ("ANY" or a path)."""

    def __init__(self, words, other, **more):
        super().__init__(**more)
        self.words = frozenset(words)
        self.other = other

    def parse(self, value, name, visit):
        if isinstance(value, str) and value in self.words:
            return value
        return self.other.parse(value, name, visit)


class Either(Field):
    """A path if it begins with a slash, else what 'other' says."""

    def __init__(self, ref, other, **more):
        super().__init__(**more)
        self.ref, self.other = ref, other

    def parse(self, value, name, visit):
        if isinstance(value, str) and value.startswith("/"):
            return self.ref.parse(value, name, visit)
        return self.other.parse(value, name, visit)


class Many(Field):
    """A list.  'unordered' lists may come back in another order."""

    def __init__(self, item, least=0, most=None, unordered=False,
                 alone=None, **more):
        super().__init__(**more)
        self.item = item
        self.least, self.most = least, most
        self.unordered = unordered
        self.alone = alone

    def parse(self, value, name, visit):
        if not isinstance(value, list):
            raise errors.invalid("property %s must be an array" % name)
        if len(value) < self.least:
            raise errors.invalid("property %s needs %d elements or more"
                                 % (name, self.least))
        if self.most is not None and len(value) > self.most:
            raise errors.invalid("property %s has %d elements, more than %d"
                                 % (name, len(value), self.most))
        if self.alone and self.alone in value and len(value) > 1:
            raise errors.invalid("property %s mixes %s with others"
                                 % (name, self.alone))
        parse = self.item.parse
        return [parse(item, name, visit) for item in value]


class Record(Field):
    """An object with named fields.  'check' sees the parsed value last."""

    def __init__(self, fields, check=None, **more):
        super().__init__(**more)
        self.fields = fields
        self.check = check
        self.filled = [(k, f) for k, f in fields.items()
                       if f.required or f.default is not None]
        self.frozen = [k for k, f in fields.items() if f.immutable]

    def parse(self, value, name, visit):
        if not isinstance(value, dict):
            raise errors.malformed("%s is not an object" % name)
        out = self.read(value, visit)
        if self.check:
            self.check(out, visit)
        return out

    def read(self, value, visit):
        fields = self.fields
        out = {}
        for key, item in value.items():
            field = fields.get(key)
            if field is None or (field.since and
                                 visit.version < field.since):
                raise errors.unknown_property(key)
            if item is None or field.readonly:
                continue
            out[key] = field.parse(item, key, visit)
        for key, field in self.filled:
            if key not in out:
                if field.required:
                    raise errors.missing(key)
                out[key] = field.absent()
        return out


class Variant(Field):
    """Records told apart by resource_type, which is therefore required."""

    def __init__(self, records, **more):
        super().__init__(**more)
        self.records = records

    def parse(self, value, name, visit):
        if not isinstance(value, dict):
            raise errors.malformed("%s is not an object" % name)
        kind = value.get("resource_type")
        if kind is None:
            raise errors.missing("resource_type")
        record = self.records.get(kind) if isinstance(kind, str) else None
        if record is None:
            raise errors.malformed("Could not resolve type id '%s' into a "
                                   "subtype of %s" % (kind, name))
        body = {k: v for k, v in value.items() if k != "resource_type"}
        out = record.parse(body, name, visit)
        return {"resource_type": kind, **out}


TAGS = Many(Record({"scope": Text(longest=128, default=""),
                    "tag": Text(longest=256, default="")}),
            most=30, unordered=True)

# Keys that every object may carry in a request.  The server owns the values
# of most of them: they are accepted, so that what was read can be sent back,
# and dropped.
SERVER_KEYS = frozenset((
    "path", "parent_path", "relative_path", "remote_path", "unique_id",
    "realization_id", "owner_id", "origin_site_id", "marked_for_delete",
    "overridden", "_create_user", "_create_time", "_last_modified_user",
    "_last_modified_time", "_system_owned", "_protection", "_links",
    "_schema", "_self"))

ID = Text(longest=255, pattern=r"[^/\s][^/]*")
COMMON = {
    "id": ID,
    "resource_type": Text(),
    "display_name": Text(longest=255),
    "description": Text(longest=1024),
    "tags": TAGS,
    "_revision": Int(low=0),
}


class Envelope:
    """What is common to all objects, taken off a body before its type's own
    fields are read."""

    __slots__ = ("id", "kind", "revision", "head", "rest", "children")

    def __init__(self, body, hierarchical, visit):
        if not isinstance(body, dict):
            raise errors.malformed("the body is not an object")
        self.head, self.rest = {}, {}
        self.children = None
        for key, value in body.items():
            field = COMMON.get(key)
            if field:
                if value is not None:
                    self.head[key] = field.parse(value, key, visit)
            elif key in SERVER_KEYS:
                continue
            elif key == "children" and hierarchical:
                self.children = value
            else:
                self.rest[key] = value
        self.id = self.head.pop("id", None)
        self.kind = self.head.pop("resource_type", None)
        self.revision = self.head.pop("_revision", None)


def shuffled(field, value):
    """'value' as a manager might give it back: lists whose order says
    nothing are turned round, at any depth."""
    if isinstance(field, Many) and isinstance(value, list):
        items = [shuffled(field.item, item) for item in value]
        return items[::-1] if field.unordered else items
    if isinstance(field, Record) and isinstance(value, dict):
        return {k: shuffled(field.fields[k], v) if k in field.fields else v
                for k, v in value.items()}
    if isinstance(field, Variant) and isinstance(value, dict):
        record = field.records.get(value.get("resource_type"))
        return shuffled(record, value) if record else value
    return value
