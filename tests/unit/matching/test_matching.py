"""The table of tests/unit/matching/*.yml: would this call-out be called for this request?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._matching import Request, intercepts, rule_matches, selector_matches

HERE = Path(__file__).parent


def table(name: str) -> list[Any]:
    rows = yaml.safe_load((HERE / name).read_text())
    return [pytest.param(row, id=row["name"]) for row in rows]


def selector_of(text: dict[str, Any] | None) -> dict[str, Any] | None:
    """The selector of the facts, from the short form of the table: {labels: {}, expressions: [[key, operator, values...]]}."""
    if text is None:
        return None
    return {
        "match_labels": text.get("labels", {}),
        "match_expressions": [{"key": key, "operator": operator, "values": values} for key, operator, *values in text.get("expressions", [])],
    }


def rule_of(text: dict[str, Any]) -> dict[str, Any]:
    rule = {"operations": ["CREATE"], "api_groups": [""], "api_versions": ["v1"], "resources": ["pods"], "scope": "*"}
    assert not set(text) - set(rule)
    return {**rule, **text}


def request_of(text: dict[str, Any]) -> Request:
    given = {"operation": "CREATE", "group": "", "version": "v1", "resource": "pods", "namespace": "shop", "namespace_labels": {}, "object_labels": {}, **text}
    if "equivalents" in given:
        given["equivalents"] = [tuple(item) for item in given["equivalents"]]
    return Request(**given)


@pytest.mark.parametrize("row", table("selectors.yml"))
def test_selector(row: dict[str, Any]) -> None:
    assert selector_matches(selector_of(row["selector"]), row["labels"]) is row["matches"]


@pytest.mark.parametrize("row", table("rules.yml"))
def test_rule(row: dict[str, Any]) -> None:
    assert rule_matches(rule_of(row["rule"]), request_of(row["request"])) is row["matches"]


@pytest.mark.parametrize("row", table("intercepts.yml"))
def test_intercepts(row: dict[str, Any]) -> None:
    text = row["callout"]
    callout = {
        "kind": text.get("kind", "validating"),
        "rules": [rule_of(rule) for rule in text.get("rules", [{}])],
        "match_policy": text.get("match_policy", "Equivalent"),
        "namespace_selector": selector_of(text.get("namespace_selector")),
        "object_selector": selector_of(text.get("object_selector")),
        "match_conditions": [{"name": f"c{index}", "expression": expression} for index, expression in enumerate(text.get("conditions", []))],
    }
    assert intercepts(callout, request_of(row.get("request", {}))) == row["answer"]
