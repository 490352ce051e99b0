# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many CertificateRequests, Orders and Challenges cert-manager has stored, and where they are many, whose. PRIVATE to the collection.

Up to cert-manager 1.17 CertificateRequests are kept for ever unless revisionHistoryLimit says otherwise, and a Certificate that is never ready may make
thousands. Whose they are is read (as metadata, without requests and certificates) only from `_MANY` on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.certificate_records import certificate_record, request_record
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Listing, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observer import Observer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.etcd import Stored, count
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import name_of, namespace_of

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory

GROUP, ACME_GROUP = "cert-manager.io", "acme.cert-manager.io"
_COUNTED = ((GROUP, "certificates"), (GROUP, "certificaterequests"), (ACME_GROUP, "orders"), (ACME_GROUP, "challenges"))
_LISTED = {
    (GROUP, "certificaterequests"): "CertificateRequest",
    (ACME_GROUP, "orders"): "Order",
    (ACME_GROUP, "challenges"): "Challenge",
}
# From so many CertificateRequests, Orders or Challenges on, each is looked at; up to so many are.
_MANY, _MOST = 500, 10_000


class CertificateStore(Observer):
    """`apps.certificate_store` of the facts."""

    path = ("apps", "certificate_store")
    kinds = frozenset(((GROUP, "Certificate"), *((group, kind) for (group, dummy), kind in _LISTED.items())))

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Stored] = {}
        self._certificates: dict[tuple[str, str], dict[str, Any]] = {}
        self._objects: dict[tuple[str, str, str], dict[str, Any]] = {}

    def first(self) -> Iterable[Wanted]:
        return [count(group, "v1", plural, self._counts) for group, plural in _COUNTED]

    def then(self, inventory: Inventory) -> Iterable[Wanted]:
        many = any(self._counts[key]["count"] >= _MANY for key in _LISTED if key in self._counts)
        if not many:
            return
        yield Listing("certificates", f"/apis/{GROUP}/v1/certificates", f"{GROUP}/v1", "Certificate", most=_MOST, optional=True)
        for (group, plural), kind in _LISTED.items():
            yield Listing(plural, f"/apis/{group}/v1/{plural}", f"{group}/v1", kind, most=_MOST, optional=True, metadata_only=True)

    def take(self, obj: dict[str, Any]) -> None:
        if obj["kind"] == "Certificate":
            self._certificates[(namespace_of(obj), name_of(obj))] = certificate_record(obj)
        elif len(self._objects) < 3 * _MOST:
            key = (obj["kind"], namespace_of(obj), name_of(obj))
            found = request_record(obj)
            known = self._objects.get(key)
            if known is None or known["state"] is None:  # others list some of these with their status
                self._objects[key] = found

    def facts(self, inventory: Inventory) -> dict[str, Any]:
        stored = dict(self._counts)
        for (group, plural), kind in _LISTED.items():  # a dump has no counts
            seen = sum(1 for key in self._objects if key[0] == kind)
            if seen and (group, plural) not in stored:
                stored[(group, plural)] = {"group": group, "resource": plural, "count": seen, "mean_bytes": None}
        if self._certificates and (GROUP, "certificates") not in stored:
            stored[(GROUP, "certificates")] = {"group": GROUP, "resource": "certificates", "count": len(self._certificates), "mean_bytes": None}
        many = any(stored[key]["count"] >= _MANY for key in _LISTED if key in stored)
        return {
            "stored": [stored[key] for key in sorted(stored)],
            "certificates": [self._certificates[key] for key in sorted(self._certificates)] if many else [],
            "objects": [self._objects[key] for key in sorted(self._objects)] if many else [],
        }
