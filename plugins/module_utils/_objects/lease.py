# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lease as a lock: held by one at a time, taken over when its time is up, every step a compare-and-swap. PRIVATE to the collection.

Source: k8s.io/client-go tools/leaderelection (same fields, same rule of takeover). Times are those of the host that this runs on; the duration is far longer
than clocks differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api, Response

_TRIES = 3


class LeaseError(Exception):
    """The API server refused, in its words."""


@dataclass(frozen=True)
class Lock:
    """held: whether the caller has it. holder, until: who has it otherwise, and when it may be taken over (ISO 8601)."""

    held: bool
    changed: bool
    holder: str | None = None
    until: str | None = None


def acquire(
    api: Api,
    namespace: str,
    name: str,
    holder: str,
    seconds: int,
    now: datetime,
    check: bool,
    dead: str | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Lock:
    """Take the lock, or renew it. Where another one holds it, say who. check: only look. dead: a holder who is known to have died, whose time need not be up.

    annotations: are set on the Lease with it, beside those that it has.

    Raises LeaseError, Unreachable.
    """
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    for _try in range(_TRIES):
        found = api.request("GET", f"{path}/{name}")
        if found.status not in (200, 404):
            raise LeaseError(found.message())
        lease = found.json() if found.status == 200 else {}
        other = None if dead and _holder(lease) == dead else _other(lease, holder, now)
        if other:
            return other
        if check:
            return Lock(held=True, changed=True)
        sent = _send(api, path, name, _annotated(_taken(lease, namespace, name, holder, seconds, now), annotations))
        if sent.status in (200, 201):
            return Lock(held=True, changed=True)
        if sent.status != 409:
            raise LeaseError(sent.message())
    raise LeaseError(f"Lease {namespace}/{name} is changed by others all the time")


def release(api: Api, namespace: str, name: str, holder: str, check: bool, annotations: Mapping[str, str] | None = None) -> Lock:
    """Give the lock back, if the caller has it. annotations: as in `acquire`. Raises LeaseError, Unreachable."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    for _try in range(_TRIES):
        found = api.request("GET", f"{path}/{name}")
        if found.status == 404:
            return Lock(held=False, changed=False)
        if found.status != 200:
            raise LeaseError(found.message())
        lease = found.json()
        if _holder(lease) != holder:
            return Lock(held=False, changed=False, holder=_holder(lease) or None)
        if check:
            return Lock(held=False, changed=True)
        lease["spec"].update(holderIdentity="", leaseDurationSeconds=1)
        sent = _send(api, path, name, _annotated(lease, annotations))
        if sent.status == 200:
            return Lock(held=False, changed=True)
        if sent.status != 409:
            raise LeaseError(sent.message())
    raise LeaseError(f"Lease {namespace}/{name} is changed by others all the time")


def _other(lease: Mapping[str, Any], holder: str, now: datetime) -> Lock | None:
    """Who holds it besides the caller and still may."""
    current = _holder(lease)
    if not current or current == holder:
        return None
    until = _until(lease)
    return Lock(False, False, current, until.strftime("%Y-%m-%dT%H:%M:%SZ")) if until and until > now else None


def _holder(lease: Mapping[str, Any]) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity") or "")


def _until(lease: Mapping[str, Any]) -> datetime | None:
    spec = lease.get("spec") or {}
    try:
        renewed = datetime.fromisoformat(str(spec.get("renewTime") or spec.get("acquireTime")).replace("Z", "+00:00"))
        return renewed + timedelta(seconds=int(spec.get("leaseDurationSeconds") or 0))
    except (ValueError, TypeError):
        return None


def _taken(lease: Mapping[str, Any], namespace: str, name: str, holder: str, seconds: int, now: datetime) -> dict[str, Any]:
    stamp = now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    old = dict(lease.get("spec") or {})
    mine = old.get("holderIdentity") == holder
    spec = {
        **old,
        "holderIdentity": holder,
        "leaseDurationSeconds": seconds,
        "acquireTime": old.get("acquireTime") if mine else stamp,
        "renewTime": stamp,
        "leaseTransitions": int(old.get("leaseTransitions") or 0) + (0 if mine or not old else 1),
    }
    base = dict(lease) or {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"namespace": namespace, "name": name}}
    return {**base, "spec": spec}


def _annotated(lease: Mapping[str, Any], annotations: Mapping[str, str] | None) -> Mapping[str, Any]:
    if not annotations:
        return lease
    metadata = lease["metadata"]
    return {**lease, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **annotations}}}


def _send(api: Api, path: str, name: str, lease: Mapping[str, Any]) -> Response:
    """Create it, or replace it: the resourceVersion in it makes that a compare-and-swap."""
    if lease["metadata"].get("resourceVersion"):
        return api.request("PUT", f"{path}/{name}", body=lease)
    return api.request("POST", path, body=lease)
