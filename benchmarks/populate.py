# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill a lab's API server with many objects. Runs inside the lab's network: python populate.py STATE blackholes|scale FROM TO

blackholes  call-outs whose back ends do not answer, numbered FROM to TO: a Service with an endpoint in 10.99.0.0/16, and a webhook with timeoutSeconds 10
scale       for each number: a webhook configuration, ten Services, and for every second number a CRD with a schema of about 100 KB
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "lab"))

from doctorlab.inside import connect

WORKERS = 16
NAMESPACE = "bench"
Wanted = tuple[str, dict[str, Any]]  # path of the collection, object


def webhook(number: int, service: str, authority: str) -> Wanted:
    """A validating webhook for one ConfigMap of the namespace: the one with this number."""
    name = f"bench-{number}"
    return "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": f"{name}.bench.example.com",
                "clientConfig": {"service": {"namespace": NAMESPACE, "name": service, "path": "/review"}, "caBundle": authority},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["UPDATE"]}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
                "objectSelector": {"matchLabels": {"number": str(number)}},
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 10,
            }
        ],
    }


def config_map(number: int) -> Wanted:
    return f"/api/v1/namespaces/{NAMESPACE}/configmaps", {"metadata": {"name": f"bench-{number}", "labels": {"number": str(number)}}}


def service(name: str) -> Wanted:
    return f"/api/v1/namespaces/{NAMESPACE}/services", {"metadata": {"name": name}, "spec": {"ports": [{"name": "https", "port": 443, "targetPort": 8443}]}}


def dead_endpoint(number: int) -> Wanted:
    return f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices", {
        "metadata": {"name": f"bench-{number}", "labels": {"kubernetes.io/service-name": f"bench-{number}"}},
        "addressType": "IPv4",
        "ports": [{"name": "https", "port": 8443, "protocol": "TCP"}],
        "endpoints": [{"addresses": [f"10.99.{number // 250}.{number % 250 + 1}"], "conditions": {"ready": True}}],
    }


def crd(number: int) -> Wanted:
    """A CRD whose schema is as large as that of an operator that embeds a pod template.

    It is not served: the API server would merge the OpenAPI of all of them again for each, which takes gigabytes and minutes. A LIST of CRDs is the same.
    """
    leaf = {"type": "string", "description": "A field of a large schema, described as generators of schemas describe fields, at length. " * 2}
    block = {"type": "object", "properties": {f"field{index}": leaf for index in range(20)}}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {f"block{index}": block for index in range(22)}}}}
    names = {"plural": f"benches{number}", "singular": f"bench{number}", "kind": f"Bench{number}", "listKind": f"Bench{number}List"}
    return "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
        "metadata": {"name": f"benches{number}.bench.example.com"},
        "spec": {
            "group": "bench.example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": [{"name": "v1", "served": False, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def blackholes(numbers: range, authority: str) -> Iterator[Wanted]:
    for number in numbers:
        yield from (service(f"bench-{number}"), dead_endpoint(number), config_map(number), webhook(number, f"bench-{number}", authority))


def scale(numbers: range, authority: str) -> Iterator[Wanted]:
    for number in numbers:
        for index in range(10):
            yield service(f"bench-{number}-{index}")
        yield webhook(number, f"bench-{number}-0", authority)
        if number % 2 == 0:
            yield crd(number)


def main() -> None:
    state, what = Path(sys.argv[1]), sys.argv[2]
    numbers = range(int(sys.argv[3]), int(sys.argv[4]))
    client = connect(state)
    authority = base64.b64encode((state / "pki" / "ca.crt").read_bytes()).decode()

    def create(wanted: Wanted) -> None:
        path, item = wanted
        status, answer = client.request("POST", path, item)
        if status not in (201, 409):
            raise SystemExit(f"POST {path} {item['metadata']['name']}: {status} {answer}")

    create(("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}))
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(create, {"blackholes": blackholes, "scale": scale}[what](numbers, authority)))


if __name__ == "__main__":
    main()
