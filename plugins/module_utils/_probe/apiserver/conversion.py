# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion webhooks of CRDs: a read in another version than the stored one. PRIVATE to the collection.

A GET without resourceVersion is always answered from etcd, so that the object is converted now; a LIST may come from the watch
cache, converted long ago (k8s.io/apiserver pkg/storage/cacher/delegator.go, Kubernetes 1.31 and later).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors.on_demand import classify
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.attempt import Probe, reading
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.channel import MERGE_PATCH, Answer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.judgement import FAILING, HEALTHY, PROBING_RIGHTS, UNPROVEN, Judgement
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.surroundings import Meta, Resource, trouble

_CONVERSION = re.compile(r"(?s).{0,200}\bconver(?:sion|ting)\b.{0,40}(?:webhook|request failed)")


def probe_conversion(probe: Probe) -> Judgement:
    """Read one object in a version that it is not stored in; where that is uncertain, patch it with nothing in a dry run, which encodes it for storage."""
    conversion = probe.callout["conversion"]
    storage = next((each["name"] for each in conversion["versions"] if each["storage"]), None)
    served = [each["name"] for each in conversion["versions"] if each["served"]]
    others = [version for version in served if version != storage]
    if not others:
        return Judgement(UNPROVEN, reason=f"only the storage version {storage} is served, so that no read in another version can be made")
    listed_in = storage if storage in served else others[0]
    listed = _resource(conversion, str(listed_in))
    path = listed.path()
    answer = probe.tried(reading(listed.words(), None, None, "list"), _list(probe, path))
    failing = _failing(answer)
    if failing:
        return failing
    found = _first(answer)
    if found is None:
        return Judgement(UNPROVEN, reason=_why_no_object(answer, listed))
    return _read(probe, conversion, _resource(conversion, others[0]), found, certain=conversion["stored_versions"] == [storage])


def _read(probe: Probe, conversion: Mapping[str, Any], resource: Resource, found: Meta, certain: bool) -> Judgement:
    path = resource.path(found.namespace, found.name)
    answer = probe.tried(reading(resource.words(), found.namespace, found.name), probe.channel.read(path, timeout=probe.timeout, metadata_only=True))
    if not answer.ok or certain:
        return _judged(answer, resource, "get")
    request = {"verb": "patch", "resource": resource.words(), "namespace": found.namespace, "name": found.name, "dry_run": True}
    answer = probe.tried(request, probe.channel.dry_run("PATCH", path, timeout=probe.timeout, body={}, content_type=MERGE_PATCH))
    judgement = _judged(answer, resource, "patch")
    if judgement.state != UNPROVEN:
        return judgement
    stored = ", ".join(conversion["stored_versions"])
    return Judgement(UNPROVEN, reason=f"the object may be stored in the version it was read in (storedVersions: {stored}), and {judgement.reason}")


def _resource(conversion: Mapping[str, Any], version: str) -> Resource:
    return Resource(conversion["group"], version, conversion["plural"], conversion["kind"], conversion["scope"] == "Namespaced", frozenset())


def _list(probe: Probe, path: str) -> Answer:
    answer: Answer = probe.run.sent.get(
        (probe.channel, path),
        lambda: probe.channel.read(path, timeout=probe.timeout, query={"limit": "1"}, metadata_only=True, listing=True),
    )
    return answer


def _first(answer: Answer) -> Meta | None:
    items = answer.document.get("items") if answer.ok and isinstance(answer.document, dict) else None
    metadata = items[0].get("metadata") if isinstance(items, list) and items and isinstance(items[0], dict) else None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return None
    return Meta(metadata["name"], metadata.get("namespace") or None, {})


def _failing(answer: Answer) -> Judgement | None:
    """The API server's own word that the conversion failed; only this webhook converts this kind."""
    if answer.ok or not _CONVERSION.match(answer.message):
        return None
    told = classify(answer.message)
    return Judgement(FAILING, cause=told["cause"], phase=told["phase"], error=answer.message)


def _judged(answer: Answer, resource: Resource, verb: str) -> Judgement:
    if answer.ok:
        return Judgement(HEALTHY)
    return _failing(answer) or Judgement(UNPROVEN, reason=_why_not(answer, resource, verb))


def _why_not(answer: Answer, resource: Resource, verb: str) -> str:
    if answer.status == 0:
        return f"the API server gave no answer: {answer.message}"
    if answer.status == 403:
        return f"not allowed to {verb} {resource.words()} (grant it as {PROBING_RIGHTS} shows): {trouble(answer)}"
    return f"the API server ended the {verb} for another reason: {trouble(answer)}"


def _why_no_object(answer: Answer, resource: Resource) -> str:
    if answer.ok:
        return f"no object of {resource.words()} exists, so that nothing is converted"
    return _why_not(answer, resource, "list")
