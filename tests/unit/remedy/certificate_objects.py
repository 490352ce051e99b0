# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates, CertificateRequests, Orders and Challenges of namespace apps as the API has them, from the words of certificate_garbage.yml.

certificates    {<name>: {ready, issuing, revision, history_limit, ingress: <name>}}; default ready, not being issued, at revision 3, without a limit
objects         ["r1 of web revision 1 finished", ...]: "<kind><name> [of <owner>] [revision <n>] [pending|finished|deleting]"; without a word for its state
                a request is issued, an Order valid
many            {<prefix>: number}: so many requests of Certificate web, of revision 1
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.test_certificate_garbage import KINDS, OWNERS, WORDS

_GROUPS = {
    "Certificate": "cert-manager.io/v1",
    "CertificateRequest": "cert-manager.io/v1",
    "Order": "acme.cert-manager.io/v1",
    "Challenge": "acme.cert-manager.io/v1",
}


def certificate_objects(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, special in given.get("certificates", {}).items():
        yield _certificate(name, special or {})
    for words in given.get("objects", ()):
        yield _record(words)
    for prefix, number in given.get("many", {}).items():
        for index in range(number):
            made = _record("r1 of web revision 1")
            made["metadata"].update(name=f"{prefix}{index:04}", uid=f"uid-{prefix}{index:04}")
            yield made


def _object(kind: str, name: str, owner: tuple[str, str] | None = None, **rest: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "apps", "uid": f"uid-{name}", "resourceVersion": f"v{name}"}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "uid": f"uid-{owner[1]}", "controller": True}]
    return {"apiVersion": _GROUPS[kind], "kind": kind, "metadata": metadata, **rest}


def _certificate(name: str, special: Mapping[str, Any]) -> dict[str, Any]:
    conditions = [
        {"type": "Ready", "status": str(special.get("ready", True))},
        {"type": "Issuing", "status": str(special.get("issuing", False))},
    ]
    limit = {"revisionHistoryLimit": special["history_limit"]} if special.get("history_limit") else {}
    owner = ("Ingress", special["ingress"]) if "ingress" in special else None
    return _object("Certificate", name, owner, spec={"secretName": name, **limit}, status={"conditions": conditions, "revision": special.get("revision", 3)})


def _record(words: str) -> dict[str, Any]:
    said = WORDS.fullmatch(words)
    assert said, words
    kind = KINDS[said["kind"]]
    made = _object(kind, said["name"], (OWNERS[said["kind"]], said["owner"]) if said["owner"] else None)
    made["spec"] = {"request": "big"}
    if said["revision"]:
        made["metadata"]["annotations"] = {"cert-manager.io/certificate-revision": said["revision"], "other": "x"}
    if said["state"] == "deleting":
        made["metadata"]["deletionTimestamp"] = "2026-11-20T17:00:00Z"
    if said["state"] == "pending":
        made["status"] = {"state": "pending"} if kind != "CertificateRequest" else {}
    elif kind == "CertificateRequest":
        made["status"] = {"conditions": [{"type": "Ready", "status": "True", "reason": "Issued"}], "certificate": "big"}
    else:
        made["status"] = {"state": "valid"}
    return made
