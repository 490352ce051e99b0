# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What could not be observed, why, and what that keeps from being said. PRIVATE to the collection."""

from __future__ import annotations

import threading
from typing import Any

FORBIDDEN, MISSING, ERROR, NOT_ASKED, NOT_IN_DUMP = "forbidden", "missing", "error", "not_asked", "not_in_dump"

# What is not known without the objects of a kind, by their plural.
_CONSEQUENCES = {
    "validatingwebhookconfigurations": "Validating webhooks are not judged.",
    "mutatingwebhookconfigurations": "Mutating webhooks are not judged.",
    "customresourcedefinitions": "Conversion webhooks are not judged.",
    "apiservices": "Aggregated APIs are not judged.",
    "services": "Whether the Services of call-outs exist, and have the port, is not known.",
    "endpointslices": "Who stands behind the Services is not known: missing and unready endpoints cannot be told.",
    "pods": "The state of the pods behind the Services is not known.",
    "namespaces": "Namespace selectors cannot be evaluated: which namespaces a call-out blocks is not known.",
    "events": "What the API server said about failed calls in the last hour is not known.",
    "deployments": "Deployments that could not create pods (ReplicaFailure) are not seen.",
    "apiserver instances": "How many API servers there are is not known: one that fails beside others cannot be told.",
    "apiserver pods": "Flags and proxy variables of the API server are not seen, nor which way it routes calls to Services.",
    "api groups": "Which applications are installed is not known: cert-manager, Istio and others are not looked at.",
    "nodes": "The platform is told from other signals only, and whether back ends have addresses that the API server reaches is not known.",
    "daemonsets": "Which network plugin the cluster has is not known.",
    "issuers": "Which ACME issuers do not work, and why, is not known.",
    "clusterissuers": "Which ACME issuers do not work, and why, is not known.",
    "orders": "Certificates that wait for an ACME server are not seen.",
    "challenges": "Certificates that wait for an ACME challenge are not seen.",
    "cert-manager pods": "By which way cert-manager goes out (proxy variables, DNS) is not known.",
    "service default/kubernetes": "Whether cert-manager reaches the API server past its proxy is not judged.",
    "certificaterequests.cert-manager.io": "How many CertificateRequests fill etcd is not known.",
    "istiod deployments": "Which revisions of Istio run is not known: webhooks that have outlived theirs cannot be told.",
    "mesh pods": "Pods that lack their sidecar, and sidecars that are not ready, are not seen.",
    "version": "The version of the API server is not known.",
    "access": "Which vantages the rights permit is not known until they are tried.",
}
_MOST_PER_REASON = 50


class Coverage:
    """Collects `coverage` entries of the facts. Safe for threads; repeated ones are kept once, floods are cut with a count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._left_out = 0

    def add(self, what: str, reason: str, message: str, consequence: str | None = None) -> None:
        """`what`: the plural of a kind, or one object or file; `consequence`: by default that of the kind."""
        entry = {"what": what, "reason": reason, "message": message, "consequence": consequence or _CONSEQUENCES.get(what, "It is not judged.")}
        with self._lock:
            if (what, reason, message) in self._entries:
                return
            if sum(1 for known in self._entries.values() if known["reason"] == reason) >= _MOST_PER_REASON:
                self._left_out += 1
                return
            self._entries[(what, reason, message)] = entry

    def entries(self) -> list[dict[str, Any]]:
        found = sorted(self._entries.values(), key=lambda entry: (entry["what"], entry["reason"], entry["message"]))
        if self._left_out:
            found.append(
                {"what": "coverage", "reason": ERROR, "message": f"{self._left_out} more things could not be read.", "consequence": "They are not judged."}
            )
        return found
