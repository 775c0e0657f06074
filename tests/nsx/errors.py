"""The refusals of an NSX manager, each made in one place.

Every answer that is not a success is an ApiError: an HTTP status, a numeric
code, a module and a sentence.  The sentences follow those seen in real logs
and issues, because clients parse some of them: "required property X is
missing", "is being referenced by other objects path=[Y,Z]", "The path=[X] is
invalid".  Two shapes are peculiar and deliberate: 429 carries its code as a
string and no httpStatus, and 503 is plain text (see server.py).

This file knows nothing of the store or of HTTP framing.
"""

STATUS_NAMES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    412: "PRECONDITION_FAILED",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}


class ApiError(Exception):
    """One refusal.  'named' says whether the body has httpStatus."""

    def __init__(self, status, code, message, module="policy", named=True,
                 details=None, related=None):
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.module = module
        self.named = named
        self.details = details
        self.related = related

    def body(self):
        out = {}
        if self.named and self.status in STATUS_NAMES:
            out["httpStatus"] = STATUS_NAMES[self.status]
        if self.code is not None:
            out["error_code"] = self.code
        out["module_name"] = self.module
        out["error_message"] = self.message
        if self.details:
            out["details"] = self.details
        if self.related:
            out["related_errors"] = self.related
        return out


class PlainError(Exception):
    """A refusal by the proxy before the manager: text or HTML, no JSON."""

    def __init__(self, status, text, kind="text/plain", headers=None):
        super().__init__(text)
        self.status = status
        self.text = text
        self.kind = kind
        self.headers = headers or {}


def unknown_property(name):
    return ApiError(400, 287, "Json de-serialization error: property %s is "
                    "unrecognized." % name, "common-services")


def malformed(why):
    return ApiError(400, 287, "Json de-serialization error: %s" % why,
                    "common-services")


def invalid(what):
    text = "Field level validation errors: {%s}" % what
    return ApiError(400, 255, text, "policy", details=text)


def missing(name):
    return invalid("required property %s is missing" % name)


def immutable(kind, name):
    return invalid("property %s of %s cannot be changed" % (name, kind))


def not_found(ident):
    return ApiError(404, 600, "The requested object : %s could not be found. "
                    "Object identifiers are case sensitive." % ident)


def bad_path(path, status=400):
    return ApiError(status, 500012, "The path=[%s] is invalid" % path)


def referenced(path, by):
    return ApiError(400, 500030, "The object path=[%s] cannot be deleted as "
                    "either it has children or it is being referenced by "
                    "other objects path=[%s]." % (path, ",".join(by)))


def pending_delete(path):
    return ApiError(400, 500045, "An object with the same path=[%s] is marked "
                    "for deletion. Either use another path or wait for the "
                    "purge cycle, which permanently deletes the objects that "
                    "are marked for deletion." % path)


def exists(path):
    return ApiError(400, 500127, "Cannot create an object with path=[%s] as "
                    "it already exists." % path)


def stale(have, sent):
    return ApiError(412, 604, "Object _revision mismatch! (current: %s, "
                    "requested: %s). Fetch the latest copy of the object and "
                    "retry the request!" % (have, sent))


def overlap(address, kind, path, subnet):
    return ApiError(400, 500105, "Address %s overlaps with %s path=[%s] that "
                    "has subnet %s." % (address, kind, path, subnet))


def vifs_attached(path, ports):
    return ApiError(400, 503040, "Segment path=[%s] has %d VMs or VIFs "
                    "attached. Disconnect all VMs and VIFs before deleting a "
                    "segment." % (path, ports))


def no_capacity(path):
    return ApiError(400, 520100, "The IP block path=[%s] has no spare "
                    "capacity." % path)


def not_owner(principal, kind, owner, overwrite):
    return ApiError(400, 8327, "Principal '%s' attempts to delete or modify "
                    "an object of type %s it doesn't own. (createUser=%s, "
                    "allowOverwrite=%s)" % (principal, kind, owner,
                                            "true" if overwrite else "null"))


def system_owned(path):
    return ApiError(400, 500057, "The object path=[%s] is owned by the "
                    "system and cannot be created, changed or deleted."
                    % path)


def atomic_conflict(number, code=None):
    return ApiError(400, code, "The object AtomicRequest/%d is already "
                    "present in the system" % number)


def too_many_intents(count, limit):
    return ApiError(400, 255, "Field level validation errors: {the request "
                    "has %d intents, more than the limit %d}"
                    % (count, limit))


def bad_xsrf():
    return ApiError(403, 98, "The credentials were incorrect: bad XSRF "
                    "token.", "common-services")


def bad_credentials():
    return ApiError(403, 403, "The credentials were incorrect or the account "
                    "specified has been locked.", "common-services", False)


def denied(user, what):
    """A real refusal, which no other login cures."""
    return ApiError(403, 289, "Principal '%s' with role '[auditor]' is not "
                    "authorized to %s." % (user, what), "common-services")


def rate_exceeded(user, rate):
    return ApiError(429, "102", "Client '%s' exceeded request rate of %g per "
                    "second" % (user, rate), "common-services", False)


def concurrency_exceeded(user, limit):
    return ApiError(429, "102", "Client '%s' exceeded concurrency limit of "
                    "%d requests" % (user, limit), "common-services", False)


def not_allowed(method):
    return ApiError(405, 265, "Method %s is not allowed here." % method,
                    "common-services")
