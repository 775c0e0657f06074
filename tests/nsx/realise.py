"""Realised state: what the fabric has made of the intent, some time later.

Every write starts a clock at the object: for a third of the realisation delay
its state is UNINITIALIZED, then IN_PROGRESS, then SUCCESS, or ERROR with
alarms if a fault was set for its path (see faults.py).  An update may go on
showing the state of the version before for a while ("realise_stale"): success
is only success when intent_version is that of the write.  realized-entities
is empty at first, which means unknown, not failed.
"""
import time

import errors
from catalogue_vpc import CHILDREN

ALIVE = {"SUCCESS": "REALIZED", "ERROR": "ERROR",
         "UNINITIALIZED": "UNAVAILABLE"}


class Realisation:
    def __init__(self, store, faults):
        self.store = store
        self.settings = store.settings
        self.faults = faults

    def state(self, obj):
        """(consolidated status, version shown, alarm or None)."""
        since, fault = obj.since, self.faults.realisation(obj.path)
        for part in self.parts(obj):
            since = max(since, part.since)
            fault = fault or self.faults.realisation(part.path)
        age = time.monotonic() - since
        if obj.revision > 0 and age < self.settings.realise_stale:
            return "SUCCESS", obj.revision - 1, None
        delay = self.settings.realise_delay
        if fault and fault.delay is not None:
            delay = fault.delay
        if age < delay / 3:
            return "UNINITIALIZED", obj.revision, None
        if age < delay:
            return "IN_PROGRESS", obj.revision, None
        if fault and fault.state and \
                (fault.seconds is None or age < delay + fault.seconds):
            return fault.state, obj.revision, \
                fault if fault.state == "ERROR" else None
        return "SUCCESS", obj.revision, None

    def parts(self, obj):
        """Rules are realised with their policy, entries with their
        service."""
        for child in CHILDREN[obj.type.name].values():
            if child.embed:
                yield from self.store.children(obj.path,
                                               child.collection).values()

    def find(self, path):
        if not path:
            raise errors.missing("intent_path")
        obj = self.store.get(path)
        if obj is None:
            gone = self.store.purging.get(path)
            if gone:
                return gone[0], True
            raise errors.not_found(path)
        return obj, False

    def status(self, path, enforced):
        obj, gone = self.find(path)
        state, version, fault = self.state(obj)
        if gone:
            state = "IN_PROGRESS"
        part = {"consolidated_status": {"consolidated_status": state}}
        point = {
            "resource_type": "ConsolidatedStatusNsxT",
            "enforcement_point_id": "default",
            "enforcement_point_path":
            "/infra/sites/default/enforcement-points/default",
            "site_path": "/infra/sites/default", **part}
        if enforced:
            done = {"status": "SUCCESS" if state == "SUCCESS"
                    else "IN_PROGRESS"}
            point["enforced_status"] = {
                "enforced_status_info": {
                    "enforced_status": done,
                    "enforced_status_per_scope": []},
                "pending_changes_info": {
                    "pending_changes_flag": state != "SUCCESS"}}
        out = {"intent_path": path, "intent_version": str(version),
               "publish_status": ALIVE.get(state, "UNREALIZED"), **part,
               "consolidated_status_per_enforcement_point":
               [] if state == "UNINITIALIZED" else [point]}
        if fault:
            point["alarm"] = alarm(obj, fault)
        return out

    def entities(self, path):
        obj, gone = self.find(path)
        rows = []
        if gone or time.monotonic() - obj.since >= \
                self.settings.entities_delay:
            rows = [self.entity(obj)]
        return {"results": rows, "result_count": len(rows)}

    def entity(self, obj):
        state, _, fault = self.state(obj)
        shown = ALIVE.get(state, "UNREALIZED")
        addresses = [b["ip_address"] for b in
                     obj.doc.get("address_bindings", ())
                     if isinstance(b, dict) and "ip_address" in b]
        return {
            "resource_type": "GenericPolicyRealizedResource",
            "id": obj.uid, "display_name": obj.doc["display_name"],
            "entity_type": obj.type.entity, "state": shown,
            "path": realized_path(obj), "publish_status": shown,
            "realization_specific_identifier": obj.uid,
            "intent_paths": [obj.path],
            "runtime_status": "UP" if shown == "REALIZED" else "UNKNOWN",
            "alarms": [alarm(obj, fault)] if fault else [],
            "extended_attributes": [{
                "data_type": "STRING", "multivalue": True,
                "key": "IpAddresses", "values": addresses}]}

    def by_realized_path(self, path):
        for obj in self.store.objects.values():
            if realized_path(obj) == path:
                return self.entity(obj)
        raise errors.not_found(path or "")

    def alarms(self):
        rows = []
        for path in self.faults.realisation_paths(self.store.objects):
            obj = self.store.get(path)
            _, _, fault = self.state(obj)
            if fault:
                rows.append(alarm(obj, fault))
        return rows

    def object_state(self, obj):
        """The body of /segments/x/state and the like."""
        state, _, fault = self.state(obj)
        if obj.type.name == "Group":
            words = {"SUCCESS": "SUCCESS", "ERROR": "FAILURE"}
            return {"state": words.get(state, "IN_PROGRESS")}
        words = {"SUCCESS": "success", "ERROR": "failed",
                 "IN_PROGRESS": "in_progress"}
        out = {"state": words.get(state, "pending"), "details": []}
        if fault:
            out.update(failure_code=fault.code, failure_message=fault.text)
        return out


def realized_path(obj):
    return "/infra/realized-state/enforcement-points/default%s" % obj.path


def alarm(obj, fault):
    return {
        "resource_type": "PolicyAlarmResource", "id": obj.uid + "_alarm",
        "message": fault.text,
        "source_reference": obj.path, "source_site_id": "sim-site",
        "error_details": {"httpStatus": "BAD_REQUEST",
                          "error_code": fault.code,
                          "module_name": "policy",
                          "error_message": fault.text,
                          "related_errors": []}}
