# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dead call-out blocks or leaves unguarded, by the table impact.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.impact import impact, impact_details, impact_of
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.callouts_short import a_callout, a_conversion, an_apiservice, some_facts

TABLE = yaml.safe_load((Path(__file__).parent / "impact.yml").read_text())


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["name"])
def test_impact(row: dict[str, Any]) -> None:
    if "conversion" in row:
        callout = a_conversion(row["conversion"])
    elif "apiservice" in row:
        callout = an_apiservice(row["apiservice"])
    else:
        callout = a_callout("hook", row["callout"])
    facts = some_facts([callout], row.get("namespaces", {"a": {}}))
    details = impact_details(callout, facts)
    assert details.text == impact(callout, facts) == row["text"]
    assert details.effect == row["effect"]
    assert details.unread == row.get("unread", False)


def test_namespaces_are_listed_in_the_structured_form() -> None:
    callout = a_callout("hook", {"namespace_selector": [["x", "NotIn", "no"]]})
    details = impact_details(callout, some_facts([callout], {"a": {}, "b": {"x": "no"}, "c": {}}))
    assert details.requests == ((("CREATE",), ("pods",)),)
    assert (details.namespaces, details.spared) == (("a", "c"), ("b",))


def test_several_call_outs_say_once_what_they_share() -> None:
    same = [a_callout(name) for name in ("a", "b")]
    other = a_callout("c", {"rules": [[["UPDATE"], ["apps"], ["deployments"]]]})
    facts = some_facts([*same, other], {"a": {}})
    assert impact_of(same, facts) == "CREATE of pods in all namespaces"
    assert impact_of([*same, other], facts) == "CREATE of pods in all namespaces; UPDATE of deployments.apps in all namespaces"
    assert impact_of([], facts) is None


def test_very_many_call_outs_are_counted() -> None:
    callouts = [a_callout(f"c{number}", {"rules": [[["UPDATE"], [f"g{number}"], ["*"]]]}) for number in range(30)]
    text = impact_of(callouts, some_facts(callouts, {"a": {}}))
    assert text is not None
    assert text.endswith("UPDATE of *.g3 in all namespaces; and what the other 26 of 30 call-outs are asked")


def test_names_from_the_cluster_cannot_drive_a_terminal() -> None:
    callout = a_callout("hook", {"rules": [[["CREATE"], ["a\x1b[31m"], ["x\n"]]]})
    assert "\x1b" not in impact(callout, some_facts([callout], {"a\x1b[2J": {}}))
