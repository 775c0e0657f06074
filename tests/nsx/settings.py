"""Every knob of the simulator, its default and what it means.

The control port changes them while the simulator runs ({"purge_delay": 3});
the command line sets them at the start (--set purge_delay=3).  A name that is
not here is refused.  Knobs whose comment says [?] decide between two readings
of the API that no source settles: clients should live with both.
"""

KNOBS = [
    # name, default, meaning
    ("version", "4.2.1.0.0.24304122", "product_version; gates newer fields"),
    ("purge_delay", 1.0, "seconds a deleted object holds its path"),
    ("purge_holds", True, "a deleted object holds its references until purge"),
    ("vif_lag", 0.0, "seconds a segment keeps VIFs of ports just deleted"),
    ("realise_delay", 0.2, "seconds from a write to SUCCESS"),
    ("realise_stale", 0.0, "seconds an update still shows the state before"),
    ("entities_delay", 0.05, "seconds realized-entities stay empty"),
    ("index_lag", 0.3, "seconds until search sees a write"),
    ("hapi_delay", 0.0, "seconds a hierarchical request takes"),
    ("atomic_conflict", True, "concurrent hierarchical requests conflict"),
    ("atomic_code", None, "error_code of that conflict [?]"),
    ("intent_limit", 5000, "intents of one hierarchical request"),
    ("latency", 0.0, "seconds that every call takes, at the same time as "
     "others"),
    ("keepalive", 120.0, "idle seconds after which a connection is closed"),
    ("body_limit", 0, "bytes of one request body (0: any) [?]"),
    ("hapi_subtree", "cascade", "marked_for_delete deletes what is below: "
     "cascade, or refuse with 500030 [?]"),
    ("hapi_delete_absent", "accept", "marked_for_delete of nothing: accept "
     "or refuse (404/600) [?]"),
    ("hapi_rules", "auto", "parts in hierarchical reads: auto (rules are "
     "children, service entries both), asked (children if their type is "
     "asked for, else inline), inline, children, both [?]"),
    ("hapi_parents", "full", "parents of a type asked for that are not asked "
     "for themselves: full, reference (ChildResourceReference) or drop [?]"),
    ("noop_revision", "bump", "a write that changes nothing: bump or keep "
     "the _revision [?]"),
    ("partial_patch", False, "PATCH of one object keeps what it omits "
     "(nsx-partial-patch-config); trees never do"),
    ("revision_missing", "upsert", "enforce_revision_check and an object "
     "without _revision that exists: upsert, or exists (500127) [?]"),
    ("put_blind", "exists", "PUT without _revision of what exists: exists "
     "(400/500127) or stale (412) [?]"),
    ("missing_parent_status", 400, "status of 500012 for a parent: 400, 404"),
    ("wrong_scope_status", 404, "status of 500012 across projects: 404, 400"),
    ("absent_code", 600, "code of a GET of nothing: 600 or 500012 [?]"),
    ("delete_absent", "refuse", "DELETE of nothing: refuse (404/600) or "
     "accept [?]"),
    ("session_timeout", 1800.0, "idle seconds of a session (0: for ever)"),
    ("lockout_failures", 0, "wrong passwords in a row that lock an account "
     "(a manager: 5; 0: none)"),
    ("lockout_seconds", 900.0, "for so long"),
    ("expiry", "403", "unknown or expired session: 403 (403/403), 98 "
     "(403/98) or 401"),
    ("basic", True, "basic authentication is allowed"),
    ("cookies", True, "sessions are allowed"),
    ("client_rate", 100.0, "requests per second of a client (0: any)"),
    ("client_concurrency", 40, "requests at once of a client (0: any)"),
    ("global_concurrency", 199, "requests at once (0: any)"),
    ("page_max", 1000, "largest and default page_size"),
    ("page_refuse", 0, "pages larger than this are refused (0: none)"),
    ("page_refusal", "503", "how: 503 (503/60576) or 400 (400/255)"),
    ("page_skip", 0, "objects missed between two pages"),
    ("page_repeat", 0, "objects repeated between two pages"),
    ("reorder", True, "unordered lists come back turned round"),
    ("platform_tag", True, "the platform adds a tag to segments, Tier-1s"),
    ("search_busy", False, "search answers 400/60508"),
    ("vif_same_request", "refuse", "deleting a segment and its attached "
     "ports in one request while vif_lag is set: refuse or accept [?]"),
    ("vif_implicit", "refuse", "a tree that deletes a segment, but does not "
     "name the attached ports on it: refuse (400/503040) or accept [?]"),
    ("bindings_stay", False, "a port's address bindings cannot be removed "
     "[?]"),
    ("nat_match", "BYPASS", "firewall_match of a NAT rule that has none "
     "[?]"),
    ("edge_needed", True, "service interfaces and NAT rules of a Tier-1 "
     "need an edge cluster"),
]


class Settings:
    def __init__(self):
        for name, value, _ in KNOBS:
            setattr(self, name, value)

    def change(self, values):
        """Sets many; the type of a default is the type of the value."""
        for name, value in values.items():
            known = [k for k in KNOBS if k[0] == name]
            if not known:
                raise ValueError("there is no setting '%s'" % name)
            setattr(self, name, convert(known[0][1], value))

    def all(self):
        return {name: getattr(self, name) for name, _, _ in KNOBS}


def convert(like, value):
    if like is None or value is None:
        return value
    if isinstance(like, bool):
        return value in (True, "true", "yes", "on", "1", 1)
    return type(like)(value)


def describe():
    return "\n".join("  %-22s %s (default: %s)" % (n, text, value)
                     for n, value, text in KNOBS)
