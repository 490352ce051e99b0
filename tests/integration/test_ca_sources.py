# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A caBundle against the Secret that it is meant to come from, in a real cluster: drift that does not fail yet, a stale caBundle, and what may not be read."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from doctorlab import Lab, Options, paths
from lab_diagnosis import Diagnosis, diagnose

INJECT = "cert-manager.io/inject-ca-from-secret"
PLANTED = base64.b64encode(b"planted-9c2e-private-key").decode()


def secret(namespace: str, name: str, ca: str, *, allowed: bool = True) -> dict[str, Any]:
    annotations = {"cert-manager.io/allow-direct-injection": "true"} if allowed else {}
    data = {"ca.crt": ca, "tls.key": PLANTED}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace, "annotations": annotations}, "data": data}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Lab(tmp_path_factory.mktemp("ca-sources") / "lab", Options(faults="healthy,denies,mutating-works,ca-rotated,ca-bundle-empty")) as lab:
        right, old = (ca_bundle(lab, name) for name in ("fault-healthy", "fault-ca-rotated"))
        objects = [
            secret("fault-healthy", "webhook-ca", right),
            secret("fault-denies", "webhook-ca", old),
            secret("fault-mutating-works", "webhook-ca", right, allowed=False),
            secret("fault-ca-rotated", "webhook-ca", right),
        ]
        lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
        for kind, name in (
            ("validating", "fault-healthy"),
            ("validating", "fault-denies"),
            ("mutating", "fault-mutating-works"),
            ("validating", "fault-ca-rotated"),
            ("validating", "fault-ca-bundle-empty"),
        ):
            lab.kubectl("annotate", f"{kind}webhookconfiguration", name, f"{INJECT}={name}/webhook-ca")
        yield lab


def ca_bundle(lab: Lab, name: str) -> str:
    """The caBundle of a validating configuration, in base64."""
    return lab.kubectl("get", "validatingwebhookconfiguration", name, "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}")


def found(diagnosis: Diagnosis) -> dict[str, list[str]]:
    """Name of the configuration -> codes, without those that are only worth knowing."""
    codes: dict[str, list[str]] = {}
    for finding in diagnosis.report["findings"]:
        if finding["severity"] != "info":
            codes.setdefault(finding["subject"]["name"], []).append(finding["code"])
    return codes


def evidence(diagnosis: Diagnosis, name: str) -> str:
    return "\n".join(line for finding in diagnosis.report["findings"] if finding["subject"]["name"] == name for line in finding["evidence"])


def test_with_the_right_to_read_secrets(lab: Lab, tmp_path: Path) -> None:
    diagnosis = diagnose(lab, tmp_path / "report", user="admin", variables={"webhook_doctor_read_ca_secrets": True}, verbose=True)
    assert found(diagnosis) == {
        "fault-denies": ["WD325"],
        "fault-mutating-works": ["WD326"],
        "fault-ca-rotated": ["WD301"],
        "fault-ca-bundle-empty": ["WD303"],
    }
    assert "the same chain verifies with the CA of Secret fault-ca-rotated/webhook-ca" in evidence(diagnosis, "fault-ca-rotated")
    assert 'which cannot be used: secrets "webhook-ca" not found' in evidence(diagnosis, "fault-ca-bundle-empty")
    written = "".join(path.read_text(encoding="utf-8") for path in diagnosis.folder.iterdir())
    assert PLANTED not in written + diagnosis.output
    sources = json.loads((diagnosis.folder / "bundle.json").read_text(encoding="utf-8"))["facts"]["ca_sources"]
    assert "BEGIN" not in json.dumps(sources)


def test_secrets_are_left_alone_unless_asked_for(lab: Lab, tmp_path: Path) -> None:
    diagnosis = diagnose(lab, tmp_path / "report", user="admin")
    assert found(diagnosis) == {"fault-ca-rotated": ["WD301"], "fault-ca-bundle-empty": ["WD303"]}
    assert "webhook_doctor_read_ca_secrets=true" in evidence(diagnosis, "fault-ca-rotated")


def test_secrets_that_may_not_be_read_are_told(lab: Lab, tmp_path: Path) -> None:
    diagnosis = diagnose(lab, tmp_path / "report", variables={"webhook_doctor_read_ca_secrets": True})
    assert found(diagnosis) == {"fault-ca-rotated": ["WD301"], "fault-ca-bundle-empty": ["WD303"]}
    unseen = [entry["what"] for entry in diagnosis.report["bundle"]["facts"]["coverage"] if entry["reason"] == "forbidden"]
    assert "Secret fault-healthy/webhook-ca" in unseen


def test_the_shipped_rights_name_every_secret_that_is_known(lab: Lab) -> None:
    documents = list(yaml.safe_load_all((paths.RBAC / "diagnose-ca-secrets.yaml").read_text(encoding="utf-8")))
    lab.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump_all(documents))
