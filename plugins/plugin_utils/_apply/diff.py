# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as the diff that Ansible shows: only what changes. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from .._remedy.item import applicable


def diffs(plan: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """One for each item that is planned, in the form of Ansible's results."""
    return [_diff(item) for item in applicable(plan)]


def _diff(item: Mapping[str, Any]) -> dict[str, str]:
    target = item["target"]
    name = "/".join(part for part in (target["kind"], target["namespace"], target["name"]) if part)
    if item["action"] == "patch":
        before = {path: value for path, value in item["before"].items() if value is not None}
        after = {path: value for path, value in item["after"].items() if value is not None}
    else:
        before = {} if item["action"] == "create" else {"exists": True}
        after = dict(item["object"] or {}) if item["action"] == "create" else {}
    return {"before_header": name, "after_header": name, "before": _text(before), "after": _text(after)}


def _text(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(content), sort_keys=True, allow_unicode=True, default_flow_style=False, width=120) if content else ""
