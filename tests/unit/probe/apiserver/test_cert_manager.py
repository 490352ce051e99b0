# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether cert-manager's webhook does its work: what is sent, and what an answer proves."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.probe import probe_apiserver
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.apiserver.test_probe import NAMESPACES, callout_of, spec_of

RULE = {"api_groups": ["cert-manager.io"], "resources": ["*/*"], "operations": ["CREATE", "UPDATE"]}
PATH = "/apis/cert-manager.io/v1/namespaces/default/certificaterequests"
FILLED = {"kind": "CertificateRequest", "spec": {"username": "somebody", "uid": "1"}}
DENIED = 'admission webhook "webhook.cert-manager.io" denied the request: spec.request: Invalid value: "": error decoding certificate request PEM block'
REFUSED = (
    'Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call webhook: Post "https://x.hooks.svc:443/v?timeout=10s": '
    "dial tcp 10.0.0.1:10250: connect: connection refused"
)


def checked(servers: Any, kind: str, answer: dict[str, Any], **callout: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(the result, the writes that were sent)."""
    server = servers({"namespaces": NAMESPACES}, [{"to": "POST certificaterequests", **answer}])
    spec = spec_of(callout_of({"kind": kind, "webhook": "webhook.cert-manager.io", "rules": [RULE], **callout}), check="cert_manager")
    (result,) = probe_apiserver([spec], server.api(), time.monotonic() + 20)
    return result, [request for request in server.requests if request["method"] != "GET"]


def test_a_right_request_comes_back_with_a_name(servers: Any) -> None:
    result, writes = checked(servers, "mutating", {"status": 201, "body": FILLED})
    assert result["ok"] and result["check"]["done"] is True
    (sent,) = writes
    assert (sent["path"], sent["query"]["dryRun"]) == (PATH, ["All"])
    request = x509.load_pem_x509_csr(base64.b64decode(sent["body"]["spec"]["request"]))
    assert request.is_signature_valid


def test_it_comes_back_as_it_was(servers: Any) -> None:
    result, _writes = checked(servers, "mutating", {"status": 201, "body": {"kind": "CertificateRequest", "spec": {}}})
    assert result["ok"] and result["check"] == {
        "what": "a dry-run certificate request comes back with the name of the user who sent it",
        "done": False,
        "said": "it was accepted, spec.username is empty",
    }


def test_nobody_filled_it_in_and_the_validating_webhook_says_so(servers: Any) -> None:
    """In cert-manager's own words (1.11.5)."""
    says = (
        f"{DENIED.partition('spec.')[0]}[spec.uid: Forbidden: uid identity must be that of the requester, spec.username: Forbidden: username identity must be]"
    )
    result, _writes = checked(servers, "mutating", {"status": 403, "says": says})
    assert result["ok"] and result["check"]["done"] is False


def test_it_fails_open(servers: Any) -> None:
    """An ordinary dry run proves nothing here."""
    result, _writes = checked(servers, "mutating", {"status": 201, "body": {"kind": "CertificateRequest", "spec": {}}}, failure_policy="Ignore")
    assert not result["ok"] and not result["provable"] and result["check"]["done"] is False
    result, _writes = checked(servers, "mutating", {"status": 201, "body": FILLED}, failure_policy="Ignore")
    assert result["ok"] and result["check"]["done"] is True


def test_a_wrong_request_is_denied(servers: Any) -> None:
    result, writes = checked(servers, "validating", {"status": 403, "says": DENIED})
    assert result["ok"] and result["check"]["done"] is True
    assert base64.b64decode(writes[0]["body"]["spec"]["request"]) == b"no signing request"


def test_a_wrong_request_passes(servers: Any) -> None:
    result, _writes = checked(servers, "validating", {"status": 201, "body": {"kind": "CertificateRequest", "spec": {"username": "somebody"}}})
    assert result["check"]["done"] is False and "it was accepted" in result["check"]["said"]


@pytest.mark.parametrize("kind", ["mutating", "validating"])
def test_a_call_that_fails_is_judged_as_any_other(servers: Any, kind: str) -> None:
    result, _writes = checked(servers, kind, {"status": 500, "says": REFUSED})
    assert (result["ok"], result["cause"]) == (False, "connection_refused") and result["check"] is None


def test_without_the_right(servers: Any) -> None:
    says = 'certificaterequests.cert-manager.io is forbidden: User "x" cannot create resource "certificaterequests" in API group "cert-manager.io"'
    result, _writes = checked(servers, "validating", {"status": 403, "says": says})
    assert not result["provable"] and "diagnose-probing.yaml" in result["reason"] and result["check"] is None


def test_a_selector_that_spares_the_plainest_namespaces(servers: Any) -> None:
    _result, writes = checked(servers, "mutating", {"status": 201, "body": FILLED}, namespace_selector={"labels": {"guard": "on"}})
    assert [sent["path"].split("/")[5] for sent in writes] == ["shop"]
