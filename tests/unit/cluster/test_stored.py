# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many objects are stored: one request for each kind, and whose they are only where there are many."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import obj
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer

CM, ACME = "cert-manager.io", "acme.cert-manager.io"
REVISION = "cert-manager.io/certificate-revision"


def certificate(name: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True"}, {"type": "Issuing", "status": "False"}]
    return obj(f"{CM}/v1", "Certificate", name, "shop", spec={"revisionHistoryLimit": None}, status={"conditions": conditions, "revision": 3})


def request(number: int, owner: str = "web") -> dict[str, Any]:
    made = obj(f"{CM}/v1", "CertificateRequest", f"{owner}-{number}", "shop", spec={"request": "x" * 1500}, status={})
    made["metadata"]["annotations"] = {REVISION: str(number)}
    made["metadata"]["ownerReferences"] = [{"kind": "Certificate", "name": owner, "uid": f"uid-{owner}", "controller": True}]
    return made


def facts(fake: FakeApiServer) -> dict[str, Any]:
    fake.objects.setdefault(("admissionregistration.k8s.io", "validatingwebhookconfigurations"), [])
    params = {"src": [], "kubeconfig": None, "host": fake.url, "api_key": "t", "evidence": True, "access_review": False, "timeout": 5.0, "page_size": 500}
    return observe({**params, "read_ca_secrets": False}, datetime(2026, 11, 20, tzinfo=timezone.utc)).facts


def stored(found: dict[str, Any], key: str) -> dict[str, int]:
    return {one["resource"]: one["count"] for one in found["apps"][key]["stored"]}


NEW = """apiserver_resource_objects{group="",resource="secrets"} 700
apiserver_resource_objects{group="apps",resource="replicasets"} 40
apiserver_resource_objects{group="",resource="pods"} -1
apiserver_resource_size_estimate_bytes{group="",resource="secrets"} 700000
apiserver_storage_objects{resource="replicasets.apps"} 41
apiserver_storage_size_bytes{storage_cluster_id="etcd-0"} 5.2e+07
apiserver_storage_size_bytes{storage_cluster_id="etcd-1"} 1.2e+07
"""
OLD = """apiserver_storage_objects{resource="secrets"} 700
apiserver_storage_objects{resource="replicasets.apps"} 40
etcd_db_total_size_in_bytes{endpoint="https://127.0.0.1:2379"} 5.2e+07
"""


@pytest.mark.parametrize("text", [NEW, OLD], ids=["from 1.34 on", "up to 1.25"])
def test_the_api_servers_own_counters(fake: FakeApiServer, text: str) -> None:
    fake.answers["/metrics"] = lambda handler, query: (200, {"Content-Type": "text/plain"}, text.encode())
    found = facts(fake)
    assert stored(found, "etcd") == {"secrets": 700, "replicasets": 40}
    assert found["apps"]["etcd"]["bytes"] == 52_000_000
    means = {one["resource"]: one["mean_bytes"] for one in found["apps"]["etcd"]["stored"]}
    assert means == {"secrets": 1000 if text is NEW else None, "replicasets": None}
    assert not fake.asked("replicasets") and not fake.asked("secrets")


@pytest.mark.parametrize("number", [2, 400])
def test_a_count_is_one_request(fake: FakeApiServer, number: int) -> None:
    fake.add("velero.io", "backups", *(obj("velero.io/v1", "Backup", f"b{one}", "velero") for one in range(number)))
    assert stored(facts(fake), "etcd")["backups"] == number
    assert fake.asked("backups") == [("/apis/velero.io/v1/backups", {"limit": "3"})]


def test_kinds_of_applications_are_counted_where_they_are_served(fake: FakeApiServer) -> None:
    fake.add("velero.io", "backups", obj("velero.io/v1", "Backup", "b", "velero"))
    found = facts(fake)
    assert stored(found, "etcd")["backups"] == 1
    assert not fake.asked("authrequests")
    assert not [one for one in found["coverage"] if "velero" in one["what"]], "a kind that is not there is no gap"


def test_few_are_only_counted(fake: FakeApiServer) -> None:
    fake.add(CM, "certificates", certificate("web"))
    fake.add(CM, "certificaterequests", *(request(number) for number in range(1, 6)))
    found = facts(fake)
    assert stored(found, "certificate_store")["certificaterequests"] == 5
    assert found["apps"]["certificate_store"]["objects"] == []
    assert [query["limit"] for _path, query in fake.asked("certificaterequests")] == ["3"]


def test_of_many_it_is_known_whose_they_are(fake: FakeApiServer) -> None:
    fake.add(CM, "certificates", certificate("web"))
    fake.add(CM, "certificaterequests", *(request(number) for number in range(1, 601)))
    fake.add(ACME, "orders")
    fake.add(ACME, "challenges")
    found = facts(fake)["apps"]["certificate_store"]
    assert [(one["name"], one["ready"], one["revision"], one["history_limit"]) for one in found["certificates"]] == [("web", True, 3, None)]
    assert len(found["objects"]) == 600
    assert found["objects"][0]["owner"] == {"kind": "Certificate", "name": "web"}
    accepts = [headers["Accept"] for _method, path, query, headers in fake.requests if path.endswith("/certificaterequests") and query["limit"] != "3"]
    assert set(accepts) == {"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}


def test_a_dump_is_counted(tmp_path: Path) -> None:
    items = [certificate("web"), *(request(number) for number in range(1, 601)), obj("apps/v1", "ReplicaSet", "r", "shop")]
    (tmp_path / "all.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items}), encoding="utf-8")
    found = observe({"src": [str(tmp_path)]}, datetime(2026, 11, 20, tzinfo=timezone.utc)).facts
    assert stored(found, "etcd") == {"replicasets": 1}
    assert stored(found, "certificate_store") == {"certificates": 1, "certificaterequests": 600}
    assert len(found["apps"]["certificate_store"]["objects"]) == 600


def test_what_may_not_be_counted_is_told(fake: FakeApiServer) -> None:
    fake.add(CM, "certificaterequests", request(1))
    fake.forbidden |= {"certificaterequests", "metrics"}
    gaps = {one["what"]: one["consequence"] for one in facts(fake)["coverage"]}
    assert gaps["certificaterequests.cert-manager.io"] == "How many CertificateRequests fill etcd is not known."
    assert "what fills etcd, is not known" in gaps["metrics"]
