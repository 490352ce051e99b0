# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand CertificateRequests of a Certificate that has long been issued: deleted in batches, and what is in use or in flight stays.

The kinds are cert-manager's own; the records are as its controller leaves them. It does not run, so that nothing is added or removed meanwhile.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options, paths
from doctorlab.cert_manager import CertManager
from remedy_lab import cycle, play

GROUP, NAMESPACE, CERTIFICATE = "cert-manager.io/v1", "shop", "site"
BASE = f"/apis/{GROUP}/namespaces/{NAMESPACE}"
OLD = 1100
IN_FLIGHT = "site-in-flight"
NEWEST = f"site-{OLD}"
USER = "remediate-certificate_requests"
VARIABLES = {"webhook_doctor_remedies": ["certificate_requests"], "webhook_doctor_max_risk": "high"}
# Creates objects and writes their status, many at a time; they come in as JSON on standard input: [[path of the collection, object]].
STORE = """
import json, sys
from pathlib import Path
from doctorlab.api import MERGE_PATCH, each
from doctorlab.inside import connect

client = connect(Path(sys.argv[1]))

def store(one):
    path, item = one
    status = item.pop("status", None)
    code, answer = client.request("POST", path, item)
    assert code == 201, answer
    if status:
        code, answer = client.request("PATCH", path + "/" + item["metadata"]["name"] + "/status", {"status": status}, MERGE_PATCH)
        assert code == 200, answer
    return answer["metadata"]["uid"]

print(json.dumps(each(store, json.load(sys.stdin))))
"""


def store(lab: Lab, *items: tuple[str, dict[str, Any]]) -> list[str]:
    """Their UIDs."""
    environment = {"PYTHONPATH": str(paths.FAULTS.parent)}
    done = lab.run([sys.executable, "-c", STORE, str(lab.state)], env=environment, input=json.dumps(items), capture_output=True)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def certificate() -> dict[str, Any]:
    spec = {"secretName": "site-tls", "dnsNames": ["shop.example.net"], "issuerRef": {"name": "ca"}}
    status = {"revision": OLD, "conditions": [{"type": "Ready", "status": "True", "reason": "Ready", "message": "up to date"}]}
    return {"apiVersion": GROUP, "kind": "Certificate", "metadata": {"name": CERTIFICATE}, "spec": spec, "status": status}


def request(name: str, revision: int, owner: str, condition: dict[str, str]) -> dict[str, Any]:
    metadata = {
        "name": name,
        "annotations": {"cert-manager.io/certificate-name": CERTIFICATE, "cert-manager.io/certificate-revision": str(revision)},
        "ownerReferences": [{"apiVersion": GROUP, "kind": "Certificate", "name": CERTIFICATE, "uid": owner, "controller": True}],
    }
    spec = {"request": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0=", "issuerRef": {"name": "ca"}}
    return {"apiVersion": GROUP, "kind": "CertificateRequest", "metadata": metadata, "spec": spec, "status": {"conditions": [condition]}}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("requests") / "lab", Options(faults="none")) as lab:
        cert_manager = CertManager(lab)
        cert_manager.apply([item for item in cert_manager.rendered() if item["kind"] == "CustomResourceDefinition"])
        cert_manager.kubectl("wait", "--for=condition=Established", "crd", "-l", "app.kubernetes.io/instance=cert-manager", "--timeout=60s")
        lab.kubectl("create", "namespace", NAMESPACE)
        (owner,) = store(lab, (f"{BASE}/certificates", certificate()))
        issued = {"type": "Ready", "status": "True", "reason": "Issued", "message": "Certificate fetched from issuer successfully"}
        pending = {"type": "Ready", "status": "False", "reason": "Pending", "message": "Waiting on certificate issuance from order"}
        requests = [request(f"site-{number}", number, owner, issued) for number in range(1, OLD + 1)]
        requests.append(request(IN_FLIGHT, OLD // 2, owner, pending))
        store(lab, *((f"{BASE}/certificaterequests", one) for one in requests))
        yield lab


def names(lab: Lab) -> set[str]:
    return {line.partition("/")[2] for line in lab.kubectl("-n", NAMESPACE, "get", "certificaterequests", "-o", "name").split()}


def limit(lab: Lab) -> str:
    return lab.kubectl("-n", NAMESPACE, "get", "certificate", CERTIFICATE, "-o", "jsonpath={.spec.revisionHistoryLimit}")


def test_nothing_is_done_below_its_risk(lab: Lab, tmp_path: Path) -> None:
    refused = play(lab, tmp_path, "remediate", user=USER, variables={**VARIABLES, "webhook_doctor_max_risk": "low"})
    assert (refused.returncode, refused.changed) == (0, 0), refused.output[-4000:]
    assert "12 above the limit of risk" in refused.output, refused.output
    assert (len(names(lab)), limit(lab)) == (OLD + 1, "")


def test_what_nobody_needs_goes_and_the_rest_stays(lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    seen: list[int] = []

    def mended() -> bool:
        left = names(lab)
        seen.append(len(left))
        return left == {NEWEST, IN_FLIGHT} and limit(lab) == "1"

    done = cycle(lab, tmp_path, user=USER, variables=VARIABLES, mended=mended, irreversible=True)
    assert seen == [OLD + 1, 2], "check mode deletes nothing"
    said = " ".join(done.preview.output.split())
    assert f"{OLD - 1} CertificateRequests that nobody needs any more ({OLD + 1} CertificateRequests" in said, done.preview.output
    assert "it is in flight" in said and "cannot be rolled back" in said, done.preview.output
    assert limit(lab) == "", "the limit is taken back; records are not made again"
    assert names(lab) == {NEWEST, IN_FLIGHT}
    row(done.row(f"{OLD - 1} of {OLD + 1} CertificateRequests nobody needs (deleted in {done.applied.seconds:.0f} s)", "certificate_requests"))
