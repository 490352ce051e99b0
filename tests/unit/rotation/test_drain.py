# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the slowest API server may take to end."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._rotation.drain import drain
from ansible_collections.kubeops.webhook_doctor.tests.unit.rotation.control_plane import instances

FLAGS: list[tuple[dict[str, str], int]] = [
    ({}, 75),
    ({"request-timeout": "300s"}, 315),
    ({"request-timeout": "5m0s", "shutdown-delay-duration": "20s", "shutdown-watch-termination-grace-period": "30s"}, 365),
    ({"request-timeout": "0"}, 15),
    ({"request-timeout": "soon"}, 75),
]


def given(flags: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"hosts": {"cp2": {"process": {"arguments": flags}}, **more}}


@pytest.mark.parametrize(("flags", "seconds"), FLAGS)
def test_it_is_what_the_flags_say(flags: dict[str, str], seconds: int) -> None:
    assert drain([one for one in instances(given(flags)) if one.host == "cp2"]) == seconds


@pytest.mark.parametrize(("flags", "seconds"), [({"request-timeout": "300s"}, 315), ({"request-timeout": "30s"}, 75)])
def test_the_slowest_counts(flags: dict[str, str], seconds: int) -> None:
    assert drain(instances(given(flags))) == seconds


@pytest.mark.parametrize("host", [{"unreachable": "away"}, {"process": None}, {"process": {"arguments": None}}])
def test_of_one_that_tells_nothing_the_defaults_count(host: dict[str, Any]) -> None:
    assert drain(instances({"hosts": {"cp1": host, "cp2": {"gone": True}, "cp3": {"gone": True}}})) == 75
    assert drain([]) == 75
