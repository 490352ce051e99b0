# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals -> platform, by platforms.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.platform import Platform, evidence, judge_platform, known_words

ROWS = yaml.safe_load((Path(__file__).parent / "platforms.yml").read_text(encoding="utf-8"))


def platform_of(given: dict[str, Any]) -> Platform:
    node = given.get("node")
    return judge_platform(
        {
            "source": {"server": given.get("server")},
            "version": {"git_version": given.get("version")},
            "platform": {
                "api_groups": given.get("groups"),
                "nodes": [{"name": "node-1", "labels": {}, "provider_id": None, **node}] if node else [],
                "config": {name: {} for name in given.get("config", ())},
            },
            "callouts": [{"object": {"name": "hook", "managers": given.get("managers", [])}}],
            "control_plane": {"instances": []},
        }
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_the_platform(row: dict[str, Any]) -> None:
    platform = platform_of(row["given"])
    assert list(platform.words) == row["is"]
    assert platform.name == (row["is"][0] if row["is"] else None)
    assert len(list(evidence(platform))) >= len(row["is"])
    assert platform.managed is (platform.name in ("eks", "gke", "aks", "ovh"))


def test_every_platform_has_a_row() -> None:
    assert set(known_words()) == {word for row in ROWS for word in row["is"]}


def test_nothing_observed_is_nothing_known() -> None:
    assert judge_platform({}).words == {}
