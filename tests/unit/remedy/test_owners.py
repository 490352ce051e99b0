# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""owners.yml: who owns what a change touches, and the fix in their words. owned_changes.py has the words of a row."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import merged
from ansible_collections.kubeops.webhook_doctor.tests.unit.remedy.owned_changes import OWNED, ROWS, documents, owned


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_who_owns_it_and_who_does_not(row: dict[str, Any]) -> None:
    owner = owned(row).owner
    assert (f"{owner.kind} {owner.name}" if owner else None) == row["owner"]
    if owner:
        assert row.get("because", "") in owner.because
        assert owner.durable
    if "durable" in row:
        assert owner is not None
        assert "\n".join(owner.durable) + "\n" == row["durable"]
    twin = owned(merged(row, row["but"])).owner
    assert (f"{twin.kind} {twin.name}" if twin else None) == row.get("otherwise"), twin


@pytest.mark.parametrize("row", list(OWNED.values()), ids=list(OWNED))
def test_what_is_printed_can_be_pasted(row: dict[str, Any]) -> None:
    """Everything is a comment, a command on one line, what a command reads (a here-document), or YAML."""
    owner = owned(row).owner
    assert owner is not None
    for line in owner.durable:
        assert "\n" not in line
        assert "{{" not in line
        assert "<" not in line or line.startswith("#") or line.endswith("<<'EOF'"), line
    found = documents(owner.durable)
    assert all(isinstance(document, dict) and document for document in found)
    if "document" in row:
        assert found == [row["document"]]


def test_every_kind_of_owner_is_in_the_table() -> None:
    kinds = {row["owner"].partition(" ")[0] for row in OWNED.values()}
    assert kinds == set("helm argo_cd flux kustomize olm operator cainjector service_ca istiod aks gke eks addon_manager".split())
