# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which vantages the caller's rights permit, asked of the API server itself (SelfSubjectAccessReview). PRIVATE to the collection."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.coverage import ERROR, FORBIDDEN, Coverage
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable

NOT_ASKED_ACCESS: dict[str, bool | None] = {"port_forward": None, "service_proxy": None, "dry_run": None}

# Per vantage the alternatives of which one suffices; each is the rights that it takes, as (verb, group, resource, subresource), in all namespaces.
_RIGHTS: dict[str, tuple[tuple[tuple[str, str, str, str], ...], ...]] = {
    # A WebSocket upgrade is a get; from Kubernetes 1.35 on the verb create is asked for as well.
    "port_forward": ((("create", "", "pods", "portforward"), ("get", "", "pods", "portforward")),),
    # POST through the proxy is the verb create, the handshake alone is get.
    "service_proxy": ((("create", "", "services", "proxy"), ("get", "", "services", "proxy")),),
    # A dry run is authorised like the write that it does not do. One of the kinds that webhooks look at most is enough to try.
    "dry_run": (
        (("create", "", "configmaps", ""),),
        (("patch", "", "configmaps", ""),),
        (("create", "", "pods", ""),),
        (("create", "apps", "deployments", ""),),
    ),
}


def ask_access(api: Api, pool: Executor, coverage: Coverage) -> dict[str, bool | None]:
    """{port_forward, service_proxy, dry_run}: whether it is allowed in all namespaces, None where the API server does not say."""
    rights = sorted({right for alternatives in _RIGHTS.values() for alternative in alternatives for right in alternative})
    allowed = dict(zip(rights, pool.map(lambda right: _allowed(api, right, coverage), rights)))
    return {vantage: _any(_all(allowed[right] for right in alternative) for alternative in alternatives) for vantage, alternatives in _RIGHTS.items()}


def _allowed(api: Api, right: tuple[str, str, str, str], coverage: Coverage) -> bool | None:
    verb, group, resource, subresource = right
    attributes = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
    try:
        response = api.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=review)
        if response.status == 201:
            status: Any = response.json().get("status")
            return bool(status.get("allowed"))
        coverage.add("access", FORBIDDEN if response.status == 403 else ERROR, response.message())
    except Unreachable as error:
        coverage.add("access", ERROR, error.message)
    except (ValueError, AttributeError):
        coverage.add("access", ERROR, "The answer to a SelfSubjectAccessReview is not one.")
    return None


def _all(answers: Any) -> bool | None:
    known = list(answers)
    return False if False in known else (None if None in known else True)


def _any(answers: Any) -> bool | None:
    known = list(answers)
    return True if True in known else (None if None in known else False)
