# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD52x by the table interception.yml, and the conditions that are recognised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import Request
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.conditions import holds
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.consequences import under_their_causes
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.grouping import grouped
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.rules.interception import CASE_RULES
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.callouts_short import (
    NAMESPACES,
    a_ca_source,
    a_callout,
    a_refusal,
    an_apiservice,
    some_facts,
)

TABLE = yaml.safe_load((Path(__file__).parent / "interception.yml").read_text())


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["name"])
def test_interception(row: dict[str, Any]) -> None:
    callout = an_apiservice(row["apiservice"]) if "apiservice" in row else a_callout("hook", row["callout"])
    more = row.get("namespaces", {})
    namespaces = None if more is None else {**NAMESPACES, **more}
    facts = some_facts([callout], namespaces, row.get("pods"))
    if "version" in row:
        major, minor = row["version"]
        facts["version"] = {"git_version": f"v{major}.{minor}.0" if major else None, "major": major, "minor": minor}
    if "ca_source" in row:
        facts["ca_sources"] = [a_ca_source(callout["id"], **row["ca_source"])]
    cluster = Cluster.of(facts, [a_refusal([callout], row.get("cause", "connection_refused"))] if row.get("failing") else [])
    findings = under_their_causes(grouped(finding for case in cluster.cases for rule in CASE_RULES for finding in rule(case)))
    assert {finding.code: finding.severity.value for finding in findings} == row["find"], [finding.evidence for finding in findings]
    assert all(finding.affects == (callout["id"],) and finding.evidence for finding in findings)
    if "says" in row:
        assert any(row["says"] in line for finding in findings for line in finding.evidence), [finding.evidence for finding in findings]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("true", True),
        ("false", False),
        ("!false", True),
        ("request.namespace == 'hooks'", True),
        ("request.namespace=='hooks'", True),
        ('request.namespace != "hooks"', False),
        ("!(request.namespace == 'hooks')", False),
        ("request.namespace in ['a', \"hooks\"]", True),
        ("request.namespace in ['a', 'b']", False),
        ("request.resource.group == '' && request.resource.resource == 'pods'", True),
        ("request.resource.group == 'apps' || request.resource.resource == 'pods'", True),
        ("!(request.resource.group == 'apps' && object.spec.replicas > 3)", True),
        ("request.operation == 'CREATE' && object.spec.replicas > 3", None),
        ("request.operation == 'DELETE' && object.spec.replicas > 3", False),
        ("request.operation == 'CREATE' || object.spec.replicas > 3", True),
        ("'system:nodes' in request.userInfo.groups", False),
        ("!('system:nodes' in request.userInfo.groups)", True),
        ('"system:authenticated" in request.userInfo.groups', True),
        ("object.metadata.name == 'a || true'", None),
        ("request.namespace == 'a || true'", False),
        ("request.namespace == 'hooks' ? true : false", None),
        ("request.namespace == 'a\\'b'", None),
        ("((((((((((true))))))))))", None),
        ("(true", None),
        ("", None),
        ("!" * 3000, None),
        ("(" * 3000, None),
        ("true && " * 400 + "true", True),
    ],
)
def test_recognised_conditions(expression: str, value: bool | None) -> None:
    request = Request("CREATE", "", "v1", "pods", namespace="hooks")
    assert holds(expression, request, ("system:authenticated",)) is value


APISERVER = (("system:authenticated", "system:masters"), ("system:apiserver",))
KUBELET = (("system:nodes", "system:authenticated"), ("system:node:",))
CONTROLLER = (("system:serviceaccounts", "system:authenticated"), ("system:serviceaccount:kube-system:", "system:kube-controller-manager"))
SOMEBODY: tuple[tuple[str, ...], tuple[str, ...]] = (("system:authenticated",), ())


@pytest.mark.parametrize(
    ("expression", "by", "value"),
    [
        ("request.userInfo.username != 'system:apiserver'", APISERVER, False),
        ("request.userInfo.username == 'system:apiserver'", KUBELET, False),
        ("request.userInfo.username == 'system:node:one'", KUBELET, None),
        ("request.userInfo.username != 'system:apiserver'", SOMEBODY, None),
        ("request.userInfo.username in ['system:apiserver', 'x']", APISERVER, True),
        ("!request.userInfo.username.startsWith('system:node:')", KUBELET, False),
        ("request.userInfo.username.startsWith('system:')", CONTROLLER, True),
        ("request.userInfo.username.startsWith('system:serviceaccount:')", CONTROLLER, None),
        ("request.userInfo.username.startsWith('system:serviceaccount:shop:')", CONTROLLER, False),
        ("request.userInfo.username.endsWith('r')", KUBELET, None),
        ("request.userInfo.username.contains('node')", KUBELET, True),
        ("request.userInfo.username.contains('one')", KUBELET, None),
        ("request.userInfo.groups.exists(g, g == 'system:masters')", APISERVER, True),
        ("request.userInfo.groups.exists(g, g in ['system:masters', 'x'])", KUBELET, False),
        ("!request.userInfo.groups.exists(group, group.startsWith('system:nodes'))", KUBELET, False),
        ("request.userInfo.groups.exists(g, h == 'system:masters')", APISERVER, None),
        ("request.userInfo.groups.exists(g, g == 'a' || true)", APISERVER, None),
        ("request.resource.resource.startsWith('pod')", SOMEBODY, True),
        ("request.kind.kind == 'Pod'", SOMEBODY, True),
        ("request.kind.kind in ['Node', 'Lease']", SOMEBODY, False),
        ("has(request.namespace)", SOMEBODY, True),
        ("!has(request.subResource)", SOMEBODY, True),
        ("request.subResource == 'status'", SOMEBODY, None),  # there is no such key, which CEL takes for an error
        ("request.name == 'x'", SOMEBODY, None),
    ],
)
def test_conditions_about_who_asks(expression: str, by: tuple[tuple[str, ...], tuple[str, ...]], value: bool | None) -> None:
    assert holds(expression, Request("CREATE", "", "v1", "pods", namespace="hooks"), *by) is value


def test_an_object_without_a_namespace_has_no_such_key() -> None:
    node = Request("CREATE", "", "v1", "nodes", namespaced=False)
    assert holds("request.namespace != 'kube-system'", node, ()) is None
    assert holds("!has(request.namespace) || request.namespace != 'kube-system'", node, ()) is True
    eviction = Request("CREATE", "", "v1", "pods", "eviction", namespace="hooks")
    assert holds("request.kind.group == ''", eviction, ()) is None
