# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NO_PROXY as each consumer reads it: what real programs have answered (measured.yml), and what our functions say."""

from __future__ import annotations

import pytest

from ansible_collections.kubeops.webhook_doctor.tests.unit.no_proxy.table import WITNESSES, Row, consumer_for, load, rows, variables

MEASURED = load("measured.yml")


def test_every_row_was_measured() -> None:
    """Else: python tests/tools/no_proxy_table.py --measure."""
    assert [(one["no_proxy"], one["place"]) for one in MEASURED["rows"]] == [(row.no_proxy, row.place) for row in rows()]
    assert [(one["variables"], one["url"]) for one in MEASURED["variables"]] == [(row.variables, row.url) for row in variables()]
    assert set(MEASURED["versions"]) == set(WITNESSES)


@pytest.mark.parametrize("witness", WITNESSES)
def test_the_functions_say_what_was_measured(witness: str) -> None:
    consumer = consumer_for(witness, MEASURED["versions"][witness])
    said = [{**one, witness: Row(one["no_proxy"], one["place"]).says(consumer)} for one in MEASURED["rows"]]
    assert said == MEASURED["rows"]


@pytest.mark.parametrize("witness", WITNESSES)
def test_the_variables_that_count_for_https(witness: str) -> None:
    consumer = consumer_for(witness, MEASURED["versions"][witness])
    for row, one in zip(variables(), MEASURED["variables"]):
        if row.url.startswith("https:"):
            assert row.says(consumer) == one[witness], one
