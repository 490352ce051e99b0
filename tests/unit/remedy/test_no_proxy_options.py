# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no_proxy refuses to be told, and the values that it gives for Helm."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.planners.no_proxy import PLANNER
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import Reference
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.request import Answer, InvalidOption, Request
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe

PROXY = "http://proxy:3128"


def request(given: dict[str, Any], options: dict[str, Any]) -> Request:
    facts, probes, verdicts = observe(given)
    return Request(diagnose(facts, probes, verdicts), Cluster.of(facts, probes, verdicts), {**PLANNER.defaults, **options}, {})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"https_proxy": "http://me:planted-7d1c@proxy:3128"}, "holds a user or password"),
        ({"https_proxy": "proxy"}, "'proxy'. Expected http://<host>:<port>"),
        ({"http_proxy": "http://proxy:port"}, "is no URL"),
        ({"entries": "vault.example.com"}, "Expected a list"),
        ({"entries": ["vault.example.com:99999"]}, "port '99999' is none"),
        ({"entries": [""]}, "expected a host"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOption) as refused:
        list(PLANNER.reads(request({"controller": {"HTTPS_PROXY": PROXY}}, options)))
    assert said in str(refused.value)
    assert "planted-7d1c" not in str(refused.value)


@pytest.mark.parametrize(
    ("component", "workload", "values"),
    [
        ("controller", "cert-manager", {"no_proxy": "10.96.0.1,.svc,.cluster.local"}),
        ("cainjector", "cert-manager-cainjector", {"cainjector.extraEnv": [{"name": "NO_PROXY", "value": "10.96.0.1,.svc,.cluster.local"}]}),
    ],
)
def test_the_chart_has_a_value_for_it(component: str, workload: str, values: dict[str, Any]) -> None:
    asked = request({component: {"HTTPS_PROXY": PROXY}}, {})
    (reference,) = PLANNER.reads(asked)
    assert reference == Reference("apps/v1", "Deployment", workload, "cert-manager")
    container = {"name": f"cert-manager-{component}", "env": [{"name": "HTTPS_PROXY", "value": "***"}]}
    deployment = {"metadata": {"name": workload}, "spec": {"template": {"spec": {"containers": [container]}}}}
    (change,) = PLANNER.plan(Request(asked.findings, asked.cluster, asked.options, {reference: Answer((deployment,))}))
    assert [(one.chart, one.values) for one in change.values] == [("cert-manager", values)]
