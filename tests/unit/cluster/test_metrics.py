# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API servers' counters of webhook calls: what is picked out of /metrics, which instance it is of, and what is said where it cannot be read."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Scrape
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.metrics import Sample, beginnings, samples
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers.admission_metrics import AdmissionMetrics
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.transport import _Lines
from ansible_collections.kubeops.webhook_doctor.plugins.modules.webhook_facts import RETURN
from ansible_collections.kubeops.webhook_doctor.tests.unit.cluster.objects import api_server, obj
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import FakeApiServer, status

DURATION = "apiserver_admission_webhook_admission_duration_seconds"
OF = 'name="a.example.com",operation="CREATE",rejected="false",type="validating"'
METRICS = f"""# HELP process_start_time_seconds Start time
process_start_time_seconds 1.79567280824e+09
apiserver_admission_webhook_fail_open_count{{name="a.example.com",type="validating"}} 3
apiserver_admission_webhook_fail_open_count{{name="b.example.com",type="admit"}} 1
apiserver_admission_webhook_rejection_count{{error_type="calling_webhook_error",name="a.example.com",rejection_code="503",type="validating"}} 2
apiserver_admission_webhook_rejection_count{{error_type="no_error",name="a.example.com",rejection_code="403",type="validating"}} 5
{DURATION}_bucket{{{OF},le="0.1"}} 2
{DURATION}_bucket{{{OF},le="2.5"}} 6
{DURATION}_bucket{{{OF},le="10"}} 9
{DURATION}_bucket{{{OF},le="25"}} 10
{DURATION}_bucket{{{OF},le="+Inf"}} 10
{DURATION}_sum{{{OF}}} 1.5
{DURATION}_count{{{OF}}} 10
apiserver_storage_objects{{resource="pods"}} 7
"""


def observed(fake: FakeApiServer) -> dict[str, Any]:
    options = {"src": [], "evidence": False, "access_review": False, "read_ca_secrets": False, "timeout": 5.0, "page_size": 500}
    return observe({**options, "host": fake.url, "api_key": "t"}, datetime(2026, 6, 1, tzinfo=timezone.utc)).facts


def admission(fake: FakeApiServer) -> Any:
    return observed(fake)["control_plane"]["admission"]


A = {
    "since": "2026-11-26T06:40:08Z",
    "webhook": "a.example.com",
    "type": "validating",
    "calls": 10,
    "fail_open": 3,
    "rejections": {"calling_webhook_error": 2, "no_error": 5},
    "slower": {"2.5": 4, "10": 1},
}


def test_each_of_several_instances_is_asked_by_itself(fake: FakeApiServer) -> None:
    fake.metrics = METRICS
    found = admission(fake)
    assert [(one["instance"], one["webhook"], one["type"]) for one in found] == [
        (f"10.1.0.{number}:6443", webhook, kind) for number in (1, 2) for webhook, kind in (("a.example.com", "validating"), ("b.example.com", "mutating"))
    ]
    assert {**found[0], "since": None} == {"instance": "10.1.0.1:6443", **A, "since": None}
    documented = yaml.safe_load(RETURN)["ansible_facts"]["contains"]["kubernetes_webhooks"]["contains"]["control_plane"]["contains"]["admission"]["contains"]
    assert set(found[0]) == set(documented)


def test_a_single_instance_is_the_one_that_answered(fake: FakeApiServer) -> None:
    fake.metrics = METRICS
    slices = fake.objects[("discovery.k8s.io", "endpointslices")]
    own = next(one for one in slices if one["metadata"]["namespace"] == "default")
    del own["endpoints"][1:]
    assert {one["instance"] for one in admission(fake)} == {f"{own['endpoints'][0]['addresses'][0]}:6443"}
    slices.remove(own)
    assert {one["instance"] for one in admission(fake)} == {None}


def test_an_instance_that_cannot_be_reached_is_told_and_costs_the_others_nothing(fake: FakeApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.metrics = METRICS

    def at(api: Api, address: str, port: int) -> Api:
        if address == "10.1.0.2":
            raise Unreachable("https://10.1.0.2:6443: no connection within 1 s", "connect_timeout")
        return api

    monkeypatch.setattr(Api, "at", at)
    found = observed(fake)
    assert {one["instance"] for one in found["control_plane"]["admission"]} == {"10.1.0.1:6443"}
    assert [(gap["what"], gap["reason"]) for gap in found["coverage"] if gap["reason"] != "not_asked"] == [("metrics", "error")]


def test_forbidden(fake: FakeApiServer) -> None:
    fake.forbidden.add("metrics")
    found = observed(fake)
    assert found["control_plane"]["admission"] is None
    (gap,) = [gap for gap in found["coverage"] if gap["what"] == "metrics"]
    assert (gap["reason"], gap["consequence"][:28]) == ("forbidden", "Whether webhooks failed open")


def test_an_error_is_not_taken_for_metrics(fake: FakeApiServer) -> None:
    fake.answers["/metrics"] = lambda handler, query: status(500, "InternalError", "apiserver_admission_webhook_fail_open_count is on fire")
    found = observed(fake)
    assert [gap["message"] for gap in found["coverage"] if gap["what"] == "metrics"] == ["apiserver_admission_webhook_fail_open_count is on fire"]


def test_observers_share_a_request(fake: FakeApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Sample] = []

    def first(self: AdmissionMetrics) -> Any:
        yield Scrape(("process_start_time_seconds",), self._take, "a")
        yield Scrape(("apiserver_storage_objects",), lambda instance, found: seen.extend(found), "b")

    monkeypatch.setattr(AdmissionMetrics, "first", first)
    monkeypatch.setattr(AdmissionMetrics, "then", lambda self, inventory: ())
    fake.metrics = METRICS
    assert admission(fake) == []
    assert seen == [Sample("apiserver_storage_objects", {"resource": "pods"}, 7.0)]
    assert len([path for _method, path, _query, _headers in fake.requests if path == "/metrics"]) == 1


def test_a_line_that_arrives_in_pieces() -> None:
    text = METRICS.encode() * 3
    for size in (1, 7, 64, 10_000):
        lines = _Lines(beginnings(["process_start_time_seconds", "apiserver_storage_objects"]))
        kept = b"".join(lines.of(text[start : start + size]) for start in range(0, len(text), size)) + lines.of(b"\n")
        assert [sample.name for sample in samples(kept)] == ["process_start_time_seconds", "apiserver_storage_objects"] * 3


def test_odd_lines() -> None:
    body = b'a{x="1\\"}\\n",y="z"} 2 1700000000\nb NaN\nc{ 1\nd 1e3\ne{x="} 4\n\xff\xfe 5\n# f 6\ng seven\n'
    assert [(one.name, one.labels, one.value) for one in samples(body) if one.value == one.value] == [("a", {"x": '1"}\n', "y": "z"}, 2.0), ("d", {}, 1000.0)]


def test_a_hostile_line_costs_linear_time() -> None:
    assert list(samples(b"a{" + b'x="' * 200_000 + b"\n")) == []


COMPONENT = {
    "component": "kube-controller-manager",
    "name": "kube-controller-manager-cp1",
    "node": "cp1",
    "flags": {"cluster-cidr": "10.244.0.0/16", "service-cluster-ip-range": "10.96.0.0/16"},
    "proxy": {"HTTPS_PROXY": "http://***@proxy:3128", "HTTP_PROXY": None, "NO_PROXY": ".svc"},
}


def controller_manager() -> dict[str, Any]:
    words = ["kube-controller-manager", "--cluster-cidr=10.244.0.0/16", "--service-cluster-ip-range=10.96.0.0/16", "--kubeconfig=/etc/kubernetes/kcm.conf"]
    env = [{"name": "https_proxy", "value": "http://u:p@proxy:3128"}, {"name": "NO_PROXY", "value": ".svc"}, {"name": "TOKEN", "value": "secret"}]
    container = {"name": "kube-controller-manager", "command": words, "env": env}
    labels = {"component": "kube-controller-manager", "tier": "control-plane"}
    return obj("v1", "Pod", "kube-controller-manager-cp1", "kube-system", labels, spec={"containers": [container], "nodeName": "cp1"})


def test_the_other_components_of_the_control_plane(fake: FakeApiServer) -> None:
    fake.add("", "pods", controller_manager())
    found = observed(fake)["control_plane"]
    assert found["components"] == [COMPONENT]
    assert [one["liveness_probe"] for one in found["instances"]] == [None, False]


def test_a_dump_has_components_and_no_metrics(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all([api_server(), controller_manager()]))
    found = observe({"src": [str(tmp_path)]}, datetime(2026, 6, 1, tzinfo=timezone.utc)).facts
    assert (found["control_plane"]["components"], found["control_plane"]["admission"]) == ([COMPONENT], None)
    assert "metrics" not in {gap["what"] for gap in found["coverage"]}
