# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vantage `service_proxy`: the API server itself posts the review to an endpoint of the Service. PRIVATE to the collection.

Proves the network path from the API server to an endpoint, and the webhook's answers. It verifies no certificate
(cmd/kube-apiserver server.go, CreateProxyTransport: InsecureSkipVerify), always goes to an endpoint, and never by the ClusterIP.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors.on_demand import classify
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.call import judge, make_review, query_timeout, quoted_path
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline, OutOfTime
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import Endpoint
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.http1 import MAX_BODY
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import NotProvable, ProbeFailed, Trace
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.review import encode
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary import PHASES

# Texts of the API server's own answers (registry/core/service/storage, apimachinery pkg/util/proxy/transport.go); a webhook's answer is none of them.
_OWN_WORDS = (
    "error trying to reach service: ",
    "no endpoints available for service",
    "no service port ",
    "no such service",
    "address not allowed",
    "Too many requests, please try again later.",  # priority and fairness
)
_ABOUT_THE_PROXY = ("service_not_found", "no_ready_endpoints")


def probe_service_proxy(endpoint: Endpoint, api: Any, deadline: Deadline, trace: Trace) -> str | None:
    """Returns a remark on the answer, usually None. Raises ProbeFailed, NotProvable."""
    service = f"{endpoint.namespace}/{endpoint.service}:{endpoint.service_port}"
    review = make_review(endpoint)
    root = f"/api/v1/namespaces/{endpoint.namespace}/services/https:{endpoint.service}:{endpoint.service_port}/proxy"
    with trace.measure("http"):
        try:
            response = api.request(
                "POST" if review else "GET",
                root + quoted_path(endpoint.path),
                query={"timeout": query_timeout(endpoint)} if review else None,
                body=encode(review) if review else None,
                timeout=deadline.left(),
                max_bytes=MAX_BODY,
            )
        except OutOfTime:
            raise _late(endpoint) from None
        except Unreachable as error:
            if error.cause == "deadline_exceeded":
                raise _late(endpoint) from error
            if error.cause == "invalid_response":
                raise ProbeFailed("http", "not_an_admission_server", error.message, permanent=True) from error
            why = " It breaks off so when the back end's answer breaks off, and when it is restarted itself." if error.cause == "connection_closed" else ""
            raise NotProvable(f"no answer from the API server: {error.message}{why}") from error
    message = own_message(response.status, response.body)
    if message is not None:
        raise _refused(service, response.status, message)
    trace.answered(response.status, response.body)
    if review is None:
        return None
    return judge(endpoint, review, response.status, "", response.body, response.headers.get("location"), trace)


def own_message(status: int, body: bytes) -> str | None:
    """The message of an answer that the API server gave in the place of the webhook, None where the webhook answered."""
    if status < 400:
        return None
    text = body[:4096].decode("utf-8", "replace").strip()
    if text.startswith(_OWN_WORDS):
        return text
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict) or answer.get("kind") != "Status" or answer.get("apiVersion") != "v1":
        return None
    details, message = answer.get("details"), str(answer.get("message") or "")
    kind = details.get("kind") if isinstance(details, dict) else None
    if status == 401 or kind in ("services", "services/proxy") or any(words in message for words in _OWN_WORDS):
        return message
    return None


def _refused(service: str, status: int, message: str) -> ProbeFailed | NotProvable:
    if status in (401, 403, 429):
        needed = " It needs the rights get and create on services/proxy." if status == 403 else ""
        return NotProvable(f"the API server refused to proxy to Service {service}: {message}.{needed}")
    judged = classify(message)
    if status == 404 or judged["cause"] in _ABOUT_THE_PROXY:
        # It goes by the old Endpoints object, whose absence it reports as the Service's, and only to addresses that are pods, while
        # webhook calls go by EndpointSlices to any address (registry/core/service/storage, ResourceLocation).
        return NotProvable(f"the service proxy has no endpoint to offer for Service {service} (HTTP {status}): {message}")
    if judged["cause"] in ("unknown", "aggregated_api_unavailable"):
        return NotProvable(f"the API server did not proxy to Service {service} (HTTP {status}): {message}")
    # Where the words do not tell: the first phase in which this can have happened.
    phase = judged["phase"] if judged["phase"] in PHASES else "tls" if judged["cause"] == "connection_closed" else "connect"
    return ProbeFailed(phase, judged["cause"], message[:2000])


def _late(endpoint: Endpoint) -> ProbeFailed:
    """Nothing tells whether the API server waited for a connection, for TLS or for the answer."""
    return ProbeFailed("connect", "deadline_exceeded", f"no answer through the service proxy within {endpoint.timeout:g} s", permanent=True)
