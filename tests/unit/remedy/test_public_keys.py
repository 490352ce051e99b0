# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of a Secret nothing but certificates gets into a plan."""

from __future__ import annotations

import base64
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.redact import certificates_only
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.asked import answers_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import PublicKeys, Reference
from ansible_collections.kubeops.webhook_doctor.tests.unit.remedy.certificates import written_out

CA = written_out("PEM ca")
KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n"


def secret(**data: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    applied = {"kubectl.kubernetes.io/last-applied-configuration": "all of it"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "a", "name": "b", "annotations": applied}, "data": encoded}


def test_only_the_certificates_of_the_named_keys() -> None:
    shown = certificates_only(secret(ca=CA, other=CA, key=KEY), ["ca", "key", "missing"])
    assert shown["data"] == {"ca": CA}
    assert shown["metadata"]["annotations"] == {}


def test_a_private_key_beside_a_certificate_is_left_out() -> None:
    assert certificates_only(secret(ca=f"note\n{KEY}{CA}{KEY}"), ["ca"])["data"] == {"ca": CA}


def test_what_is_not_base64_is_nothing() -> None:
    assert certificates_only({**secret(), "data": {"ca": "%%%"}}, ["ca"])["data"] == {}


def test_it_is_no_answer_to_a_reference_of_the_same_object() -> None:
    whole, certificates = Reference("v1", "Secret", "b", "a"), PublicKeys("v1", "Secret", "a", "b", ("ca",))
    results = [{**whole.shown(), "objects": [{"what": "whole"}]}, {**certificates.shown(), "objects": [{"what": "certificates"}]}]
    answers = answers_of([whole, certificates], results)
    assert [answers[one].objects[0]["what"] for one in (whole, certificates)] == ["whole", "certificates"]
