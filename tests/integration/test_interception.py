# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is worth knowing only about webhooks that work: findings of severity info, which the table of faults leaves out."""

from __future__ import annotations

from typing import Any

from lab_diagnosis import Diagnosis


def infos(diagnosis: Diagnosis, code: str, configuration: str) -> list[dict[str, Any]]:
    found = [finding for finding in diagnosis.report["findings"] if finding["code"] == code]
    return [finding for finding in found if any(callout.split("/")[1] == configuration for callout in finding["affects"])]


def test_a_time_out_that_is_too_long_for_kube_system(endpoint_diagnosis: Diagnosis) -> None:
    (found,) = infos(endpoint_diagnosis, "WD511", "fault-timeout-long")
    assert found["severity"] == "info"
    assert found["evidence"][0].startswith("timeoutSeconds is 20; 1 to 15 are recommended")
    assert "kubectl edit validatingwebhookconfiguration fault-timeout-long" in found["remedy"]["manual"]


def test_two_configurations_of_one_injector(endpoint_diagnosis: Diagnosis) -> None:
    (found,) = infos(endpoint_diagnosis, "WD545", "fault-injected-twice")
    assert found["severity"] == "info"
    assert [callout.split("/")[1] for callout in found["affects"]] == ["fault-injected-again", "fault-injected-twice"]
    assert "are both called for CREATE of pods in 1 namespaces: default" in found["evidence"][0]


def test_a_circle_is_told_once(endpoint_diagnosis: Diagnosis) -> None:
    (found,) = [finding for finding in endpoint_diagnosis.report["findings"] if finding["code"] == "WD541"]
    assert sorted(callout.split("/")[1] for callout in found["affects"]) == ["fault-deadlock-left", "fault-deadlock-right"]
    assert any("fault-deadlock-left/webhook waits for fault-deadlock-right/webhook" in line for line in found["evidence"])
