# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter classify_error: what it returns is what it documents, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.kubeops.webhook_doctor.plugins.filter import classify_error as plugin

DOCUMENTED = yaml.safe_load(Path(plugin.__file__).with_suffix(".yml").read_text())["RETURN"]["_value"]["contains"]
TEXT = (
    'Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call webhook: '
    'Post "https://cert-manager-webhook.cert-manager.svc:443/mutate?timeout=10s": dial tcp 10.96.20.99:443: connect: connection refused'
)
classify_error = plugin.FilterModule().filters()["classify_error"]


def test_it_returns_what_it_documents() -> None:
    result = classify_error(TEXT)
    assert set(result) == set(DOCUMENTED)
    for key, entry in DOCUMENTED.items():
        if "sample" in entry and key != "phase":
            assert result[key] == entry["sample"], key


def test_the_advice_for_a_cluster_ip_names_both_explanations() -> None:
    advice = classify_error(TEXT)["advice"]
    assert "no ready endpoint" in advice
    assert "nothing listens" in advice


def test_others_have_advice_too() -> None:
    result = classify_error(f'{TEXT}\nError from server: admission webhook "deny.example.com" denied the request: no')
    assert [other["cause"] for other in result["others"]] == ["denied"]
    assert "works" in result["others"][0]["advice"]


@pytest.mark.parametrize("thing", [None, 5, ["text"], {"msg": "text"}, b"text"], ids=repr)
def test_what_is_no_text_is_refused_with_the_way_out(thing: object) -> None:
    with pytest.raises(AnsibleFilterError, match=rf"classify_error: got a {type(thing).__name__}\. Expected: .*map\("):
        classify_error(thing)
