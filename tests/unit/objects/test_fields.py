# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of an object only what is wanted."""

from __future__ import annotations

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.fields import only
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.read import InvalidReference, check_references

REQUEST = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "CertificateRequest",
    "metadata": {
        "name": "r",
        "namespace": "a",
        "uid": "1",
        "resourceVersion": "2",
        "annotations": {"cert-manager.io/revision": "3", "b": "c"},
        "labels": {"d": "e"},
    },
    "spec": {"request": "big"},
    "status": {"conditions": [{"type": "Ready"}], "certificate": "big"},
}
NAMED = {"name": "r", "namespace": "a", "uid": "1", "resourceVersion": "2"}


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        (["/status/conditions"], {"metadata": NAMED, "status": {"conditions": [{"type": "Ready"}]}}),
        (["/metadata/annotations/cert-manager.io~1revision"], {"metadata": {**NAMED, "annotations": {"cert-manager.io/revision": "3"}}}),
        (["/metadata/labels"], {"metadata": {**NAMED, "labels": {"d": "e"}}}),
        (["/status/state", "/metadata/ownerReferences", "/spec/request/deeper", "/missing/further"], {"metadata": NAMED}),
    ],
)
def test_what_is_kept(fields: list[str], kept: dict[str, object]) -> None:
    assert only(REQUEST, fields) == {"apiVersion": "cert-manager.io/v1", "kind": "CertificateRequest", **kept}


@pytest.mark.parametrize("field", ["status", "/", "/status/", "//a", ""])
def test_what_is_no_pointer_is_refused(field: str) -> None:
    with pytest.raises(InvalidReference, match="no JSON pointer"):
        check_references([{"api_version": "v1", "kind": "Pod", "fields": [field]}])
