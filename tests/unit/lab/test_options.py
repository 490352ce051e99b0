# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and variants of a lab."""

from __future__ import annotations

from typing import Any

import pytest
from doctorlab import Options, paths
from doctorlab.errors import LabError
from doctorlab.options import BROKEN_INSTANCES, PROXIES, load_variants


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"routing": "clusterip"}, "routing: 'clusterip' is none of endpoint, cluster_ip"),
        ({"proxy": "squid"}, "proxy: 'squid' is none of"),
        ({"api_servers": 3}, "api-servers: 3 is none of 1, 2"),
        ({"node": True, "api_servers": 2}, "node: needs api-servers 1"),
        ({"broken_instance": "proxy"}, "needs api-servers 2"),
        ({"broken_instance": "proxy", "api_servers": 2, "proxy": "refusing"}, "leave proxy out"),
    ],
)
def test_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(LabError) as caught:
        Options(**given)
    assert says in str(caught.value)


def test_the_same_with_a_second_api_server_is_accepted() -> None:
    assert Options(broken_instance="proxy", api_servers=2).as_dict()["broken_instance"] == "proxy"


def test_every_way_to_break_is_a_variant() -> None:
    variants = load_variants(paths.VARIANTS)
    assert {variant.options.get("proxy") for variant in variants} >= set(PROXIES)
    assert {variant.options.get("broken_instance") for variant in variants} >= set(BROKEN_INSTANCES)
    assert {variant.code for variant in variants} == {"WD220", "WD610"}
