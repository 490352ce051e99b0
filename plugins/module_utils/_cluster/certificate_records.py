# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What decides about a Certificate, CertificateRequest, Order or Challenge: items of `apps.certificate_store`. Pure. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import (
    integer,
    labels,
    mapping,
    mappings,
    name_of,
    namespace_of,
    owner_of,
    text,
)

REVISION = "cert-manager.io/certificate-revision"
_TERMINAL_REASONS = frozenset(("Issued", "Failed", "Denied"))


def certificate_record(certificate: dict[str, Any]) -> dict[str, Any]:
    status = mapping(certificate.get("status"))
    conditions = {text(item.get("type")): text(item.get("status")) for item in mappings(status.get("conditions"))}
    return {
        "namespace": namespace_of(certificate),
        "name": name_of(certificate),
        "uid": text(mapping(certificate.get("metadata")).get("uid")),
        "ready": conditions.get("Ready") == "True",
        "issuing": conditions.get("Issuing") == "True",
        "revision": integer(status.get("revision")),
        "history_limit": integer(mapping(certificate.get("spec")).get("revisionHistoryLimit")),
    }


def request_record(obj: dict[str, Any]) -> dict[str, Any]:
    """A CertificateRequest, Order or Challenge. state: pending|finished, null where only its metadata was read."""
    metadata, status = mapping(obj.get("metadata")), mapping(obj.get("status"))
    return {
        "kind": obj["kind"],
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "uid": text(metadata.get("uid")),
        "owner": owner_of(metadata),
        "owner_uid": next((text(one.get("uid")) for one in mappings(metadata.get("ownerReferences")) if one.get("controller") is True), None),
        "revision": integer(labels(metadata.get("annotations")).get(REVISION)),
        "deleting": metadata.get("deletionTimestamp") is not None,
        "state": _state(obj["kind"], status),
    }


def _state(kind: str, status: dict[str, Any]) -> str | None:
    if not status:
        return None
    if kind == "CertificateRequest":
        conditions = mappings(status.get("conditions"))
        over = any(
            (item.get("type") == "Ready" and text(item.get("reason")) in _TERMINAL_REASONS)
            or (item.get("type") in ("Denied", "InvalidRequest") and item.get("status") == "True")
            for item in conditions
        )
        return "finished" if over else "pending"
    return "finished" if text(status.get("state")) in ("valid", "invalid", "expired", "errored") else "pending"
