# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines on the terminal: one message, and whose they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report import display
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.terminal import Line


class Screen:
    """Ansible's display: (text, where it goes) of each message."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def display(self, text: str, screen_only: bool = False, log_only: bool = False) -> None:
        self.messages.append((text, "screen" if screen_only else "log" if log_only else "both"))


LINES = [Line(""), Line("Plan: 1 change."), Line("  ~ a", "good"), Line("")]


@pytest.fixture
def screen() -> Screen:
    return Screen()


def test_one_message_whatever_the_tones(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "ANSIBLE_COLOR", False)
    display.show(screen, LINES)
    assert screen.messages == [("\nPlan: 1 change.\n  ~ a\n\n", "both")]


@pytest.mark.parametrize("log", ["/var/log/ansible.log", None])
def test_colours_go_to_the_screen_and_never_into_a_log(screen: Screen, monkeypatch: pytest.MonkeyPatch, log: str | None) -> None:
    monkeypatch.setattr(display, "ANSIBLE_COLOR", True)
    monkeypatch.setattr(display, "stringc", lambda text, colour: f"<{text}>")
    monkeypatch.setattr(display, "constants", SimpleNamespace(DEFAULT_LOG_PATH=log, COLOR_OK="green"))
    display.show(screen, LINES)
    logged = [("\nPlan: 1 change.\n  ~ a\n\n", "log")] if log else []
    assert screen.messages == [("\nPlan: 1 change.\n<  ~ a>\n\n", "screen"), *logged]


def test_nothing_is_no_message(screen: Screen) -> None:
    display.show(screen, [])
    display.show(screen, [], "blue")
    assert screen.messages == []


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (LINES, ["", "── blue ──", "Plan: 1 change.", "  ~ a", ""]),
        (LINES[1:3], ["", "── blue ──", "Plan: 1 change.", "  ~ a"]),
        ([Line("  a: changed", "good")], ["blue: a: changed"]),
    ],
)
def test_it_is_said_whose_they_are(lines: list[Line], shown: list[str]) -> None:
    assert [line.text for line in display.named(lines, "blue")] == shown


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        (None, None),
        ({}, None),
        ({"inventory_hostname": "localhost", "ansible_play_hosts_all": ["localhost"]}, None),
        ({"inventory_hostname": "blue", "ansible_play_hosts_all": ["blue", "green"]}, "blue"),
    ],
)
def test_the_only_cluster_needs_no_name(variables: dict[str, Any] | None, name: str | None) -> None:
    assert display.one_of_many(variables) == name
