# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events and conditions that repeat what the API server said about a failed call. Pure. PRIVATE to the collection.

The API server itself writes no events: those who asked it and were refused do (ReplicaSet controllers, Helm, Flux, Argo CD, cert-manager).
What the texts mean is `classify_error`'s business; here only those are let through that may be about a call-out, and repetitions are counted.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.events import count_of, first_seen, last_seen, message_of, subject_of
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import Malformed, bounded, mapping, mappings, text

MOST_ENTRIES = 200
_LONGEST_TEXT = 2000
# Workloads; Flux, cert-manager and most operators; Flux's HelmRelease; Crossplane.
_FAILURE_CONDITIONS = frozenset(("ReplicaFailure", "Ready", "Released", "Synced"))

_ABOUT_A_CALL = re.compile(
    r"webhook|x509|admission|convert|conversion|failed calling|failed to call|currently unable to handle the request|error trying to reach service"
    r"|database space exceeded|storage quota exceeded|storage quota has been reached|quota computation: etcdserver"
    r"|proxyconnect|no agent available|apiservice|stale groupversion discovery|unable to retrieve the complete list of server apis",
    re.IGNORECASE,
)
# What differs between repetitions of one failure: the time of day in x509 errors, the port that the caller happened to have.
_VARYING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)|:\d+(?=->)")


def may_be_about_a_call(message: str) -> bool:
    return _ABOUT_A_CALL.search(message) is not None


class Evidence:
    """Collects texts; the same text about the same kind in the same namespace is one entry with a count."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, str, str], dict[str, Any]] = {}
        self._seen: set[tuple[Any, ...]] = set()  # a dump may hold an object twice, a list that is begun again shows some twice

    def add_event(self, event: dict[str, Any]) -> None:
        """An Event of either API (core/v1, events.k8s.io/v1, also v1beta1). Raises Malformed.

        The kubelet's are left out (it calls no webhooks, and its readiness failures name many), Normal ones as well.
        """
        message = message_of(event)
        component = text(mapping(event.get("source") or event.get("deprecatedSource")).get("component"))
        reporter = text(event.get("reportingController")) or text(event.get("reportingComponent")) or component
        if message is None or event.get("type") == "Normal" or reporter == "kubelet" or not may_be_about_a_call(message):
            return
        subject = subject_of(event)
        if not subject:
            raise Malformed("neither involvedObject nor regarding is there")
        metadata = mapping(event.get("metadata"))
        if self._again("event", metadata.get("namespace"), metadata.get("name")):
            return
        self._add("event", message, count_of(event), first_seen(event), last_seen(event), subject, reporter)

    def add_conditions(self, obj: dict[str, Any]) -> None:
        """ReplicaFailure of workloads, Available=False of APIServices, and failures that other controllers (Flux, Argo CD, Helm) report of an API call."""
        metadata, kind = mapping(obj.get("metadata")), text(obj.get("kind"))
        for condition in mappings(mapping(obj.get("status")).get("conditions")):
            message, name = text(condition.get("message")), condition.get("type")
            if message is None:
                continue
            unavailable = kind == "APIService" and name == "Available" and condition.get("status") == "False"
            failed = condition.get("status") == ("True" if name == "ReplicaFailure" else "False") and name in _FAILURE_CONDITIONS
            relevant = unavailable or (failed and may_be_about_a_call(message))
            if relevant and not self._again(kind, metadata.get("namespace"), metadata.get("name"), name):
                subject = {"kind": kind, "namespace": metadata.get("namespace"), "name": metadata.get("name")}
                since = text(condition.get("lastTransitionTime"))
                self._add("condition", message, 1, since, text(condition.get("lastUpdateTime")) or since, subject, text(condition.get("reason")))

    def _again(self, *identity: Any) -> bool:
        if identity in self._seen:
            return True
        self._seen.add(identity)
        return False

    def _add(self, source: str, message: str, count: int, first: str | None, last: str | None, subject: dict[str, Any], reporter: str | None) -> None:
        kind, namespace = text(subject.get("kind")), text(subject.get("namespace"))
        known = self._entries.setdefault(
            (source, _VARYING.sub("#", message), kind or "", namespace or ""),
            {"source": source, "text": "", "count": 0, "first": first, "last": None, "object": {}, "reporter": reporter},
        )
        known["count"] += count
        if first and (known["first"] is None or first < known["first"]):
            known["first"] = first
        if known["last"] is None or (last or "") > known["last"]:
            known.update(
                text=bounded(message, _LONGEST_TEXT),
                last=last,
                reporter=reporter,
                object={"kind": kind, "namespace": namespace, "name": text(subject.get("name"))},
            )

    def entries(self) -> tuple[list[dict[str, Any]], int]:
        """The newest MOST_ENTRIES, newest first, and how many older ones were left out."""
        ordered = sorted(self._entries.values(), key=lambda entry: (entry["last"] or "", entry["text"]), reverse=True)
        return ordered[:MOST_ENTRIES], max(0, len(ordered) - MOST_ENTRIES)
