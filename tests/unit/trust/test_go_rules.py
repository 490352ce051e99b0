# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rules a Go version and a Kubernetes version have: (toolchain, GODEBUG defaults)."""

from __future__ import annotations

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust import go_rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import NEWEST, rules, rules_of_server


@pytest.mark.parametrize(
    ("go_version", "kubernetes_version", "toolchain", "defaults"),
    [
        (None, None, 26, 26),
        ("", "", 26, 26),
        ("go1.22.12", None, 22, 22),
        ("1.24", None, 24, 24),
        ("go1.24.13 X:boringcrypto", None, 24, 24),
        ("go1.26rc1", None, 26, 26),
        ("go1.25-custom", None, 25, 25),
        ("devel go1.28-abcdef Mon Jan 1", None, 26, 26),
        ("go1.31.0", None, 26, 26),
        ("go2.0", None, 26, 26),
        ("go1.19.13", None, 22, 22),
        (None, "v1.29.15", 22, 22),
        (None, "v1.30.14", 22, 22),
        (None, "v1.31.9-eks-5ca49cb", 22, 22),
        (None, "v1.32.5", 23, 23),
        (None, "v1.33.1+k3s1", 24, 24),
        (None, "1.34.0", 24, 24),
        (None, "v1.35.2-gke.1000", 25, 25),
        (None, "v1.36.3", 26, 26),
        (None, "v1.99.0", 26, 26),
        ("go1.23.12", "v1.31.14", 23, 22),
        ("go1.24.6", "v1.32.9", 24, 23),
        ("go1.26.1", "v1.30.14", 26, 22),
        ("go1.22.12", "v1.36.3", 22, 22),
    ],
)
def test_what_counts(go_version, kubernetes_version, toolchain, defaults):
    assert rules(go_version, kubernetes_version) == go_rules._rules(toolchain, defaults)


def test_a_pinned_minor_keeps_the_settings_and_not_the_code():
    found = rules("go1.23.12", "v1.31.14")
    assert found.negative_serial, "GODEBUG of go1.22"
    assert not found.critical_identifiers, "code of go1.23"


def test_versions_differ_one_from_the_next():
    kinds = [go_rules._rules(minor, minor) for minor in range(go_rules.OLDEST, go_rules.LATEST + 1)]
    assert len(set(kinds)) == len(kinds)
    assert kinds[-1] == NEWEST


@pytest.mark.parametrize("text", ["latest", "go", "v1.22", "go1", "go1.22x", "x" * 10_000])
def test_a_go_version_that_is_none(text):
    with pytest.raises(ValueError, match=r"^go_version: '.*' is not a version of Go like go1.24.13$") as failure:
        rules(text)
    assert len(str(failure.value)) < 200


@pytest.mark.parametrize("text", ["1", "go1.22", "v1", "v1.x", "latest", "v1.30x"])
def test_a_kubernetes_version_that_is_none(text):
    with pytest.raises(ValueError, match=r"^kubernetes_version: '.*' is not a version of Kubernetes like v1.32.5$"):
        rules(None, text)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ({"git_version": "v1.30.14", "go_version": "go1.23.4"}, rules("go1.23.4", "v1.30.14")),
        ({"git_version": "v1.30.14", "go_version": None}, rules(None, "v1.30.14")),
        ({"git_version": None, "go_version": None}, NEWEST),
        ({"git_version": "v1.30.14"}, rules(None, "v1.30.14")),
        ({"git_version": "custom", "go_version": "go1.22.1"}, rules("go1.22.1")),
        ({"git_version": "v1.30.14", "go_version": "gccgo"}, rules(None, "v1.30.14")),
    ],
)
def test_what_a_server_says_of_itself(version, expected):
    """The last two: nobody can correct what a server says, so it stops nothing."""
    assert rules_of_server(version) == expected
