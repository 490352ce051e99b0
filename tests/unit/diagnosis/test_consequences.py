# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding that another one explains stands under it, as far as both affect the same call-outs."""

from __future__ import annotations

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.catalogue.network import WD210, WD211, WD220
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.consequences import under_their_causes
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.finding import Finding, Subject
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.severity import Severity

CAUSE = WD220.found(Subject("Policy", "deny"), ["no rule admits it"], affects=["a", "b"], severity=Severity.WARNING)


def consequence(*affects: str) -> Finding:
    return WD210.found(Subject("Service", "hook"), [f"no answer {affects}"], affects=affects, phase="connect")


def test_a_consequence_becomes_evidence() -> None:
    (found,) = under_their_causes([consequence("a"), CAUSE.explaining("WD210"), consequence("b")])
    assert found.code == "WD220"
    assert found.evidence == ("no rule admits it", "no answer ('a',)", "no answer ('b',)")
    assert (found.severity, found.phase) == (Severity.ERROR, "connect")


def test_what_is_not_explained_stays() -> None:
    found = under_their_causes([CAUSE.explaining("WD210"), consequence("b", "c")])
    assert [(one.code, one.affects) for one in found] == [("WD220", ("a", "b")), ("WD210", ("c",))]


def test_others_are_left_alone() -> None:
    findings = [CAUSE.explaining("WD211"), consequence("a")]
    assert under_their_causes(findings) == findings


def test_a_cause_that_is_explained_itself_explains_nothing_more() -> None:
    """Whoever explains it has its evidence; what it would have explained is left for the other one to explain, or stays."""
    first = CAUSE.explaining("WD211")
    second = WD211.found(Subject("Service", "hook"), ["no route"], affects=["a"]).explaining("WD210")
    found = under_their_causes([first, second, consequence("a")])
    assert [one.code for one in found] == ["WD220", "WD210"]
    assert "no route" in found[0].evidence
