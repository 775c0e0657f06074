"""Lists in pages.

A page is cut from the list as it is now, not as it was when the first page was
read: what others create or delete meanwhile shifts the rest, so that an object
may be seen twice or not at all.  Two settings do this without others.  The
cursor is opaque; result_count comes with the first page only.
"""
import base64
import secrets

import errors
from errors import ApiError
from writer import render

KEY = secrets.token_bytes(8)


def seal(offset):
    """An offset that no client can read, or guess the next one of."""
    raw = offset.to_bytes(8, "big")
    nonce = secrets.token_bytes(8)
    mixed = bytes(a ^ b ^ c for a, b, c in zip(raw, KEY, nonce))
    return "0036" + base64.b32encode(nonce + mixed).decode().rstrip("=")


def unseal(cursor):
    try:
        raw = base64.b32decode(cursor[4:] + "=" * (-len(cursor[4:]) % 8))
        if len(raw) != 16 or cursor[:4] != "0036":
            raise ValueError
    except ValueError:
        raise errors.invalid("cursor '%s' is invalid" % cursor)
    return int.from_bytes(bytes(a ^ b ^ c for a, b, c in
                                zip(raw[8:], KEY, raw[:8])), "big")


def page_size(settings, query):
    text = query.get("page_size", "")
    try:
        size = int(text) if text else settings.page_max
    except ValueError:
        raise errors.invalid("page_size is not a number")
    if size < 1 or size > settings.page_max:
        raise errors.invalid("page_size %d is out of range 1..%d"
                             % (size, settings.page_max))
    if settings.page_refuse and size > settings.page_refuse:
        if settings.page_refusal == "400":
            raise errors.invalid("page_size %d is too big" % size)
        raise ApiError(503, 60576, "The page of %d results is too large for "
                       "the server. Reduce page_size." % size)
    return size


def envelope(settings, rows, query, show):
    """One page of 'rows' (sorted); 'show' makes the body of one."""
    size = page_size(settings, query)
    cursor = query.get("cursor")
    at = unseal(cursor) if cursor else 0
    end = at + size
    out = {"results": [show(row) for row in rows[at:end]]}
    if not cursor:
        out["result_count"] = len(rows)
    if end < len(rows):
        out["cursor"] = seal(max(1, end + settings.page_skip -
                                 settings.page_repeat))
    out["sort_ascending"] = query.get("sort_ascending", "true") == "true"
    out["sort_by"] = query.get("sort_by", "display_name")
    return out


def sort_key(name):
    if name == "id":
        return lambda o: (o.id, o.path)
    if name == "_create_time":
        return lambda o: (o.created, o.path)
    if name == "_last_modified_time":
        return lambda o: (o.modified, o.path)
    return lambda o: (str(o.doc.get(name, "")), o.path)


def list_objects(store, place, query, caller):
    rows = list(store.children(place.parent, place.type.collection).values())
    if query.get("include_mark_for_delete_objects") == "true":
        rows += [gone for gone, _ in store.purging.values()
                 if gone.parent == place.parent and
                 gone.type is place.type]
    rows.sort(key=sort_key(query.get("sort_by", "display_name")),
              reverse=query.get("sort_ascending", "true") == "false")
    # included_fields works for search only; lists ignore it.
    return envelope(store.settings, rows, query,
                    lambda obj: render(store, obj, caller))
