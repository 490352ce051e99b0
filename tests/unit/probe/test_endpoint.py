# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Specifications: what is taken, what is refused and in which words, which reviews they lead to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.call import make_review, query_timeout, quoted_path
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import Endpoint, InvalidEndpoint, parse_endpoints
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.certificates import issue

GOOD: dict[str, Any] = {"name": "one", "host": "192.0.2.1", "port": 443}


def parse(**changes: Any) -> Endpoint:
    return parse_endpoints([{key: value for key, value in {**GOOD, **changes}.items() if value is not None}], 10)[0]


def test_defaults() -> None:
    endpoint = parse()
    assert (endpoint.vantage, endpoint.server_name, endpoint.path, endpoint.review, endpoint.timeout) == ("direct", "192.0.2.1", "/", "none", 10.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"port": 0}, "endpoints[0]: port 0 is out of range. Expected 1 to 65535."),
        ({"port": 65536}, "endpoints[0]: port 65536 is out of range. Expected 1 to 65535."),
        ({"service_port": -1}, "endpoints[0]: service_port -1 is out of range. Expected 1 to 65535."),
        ({"port": None}, 'endpoints[0]: port is missing, and vantage "direct" needs it. Expected 1 to 65535.'),
        ({"host": None}, 'endpoints[0]: host is missing, and vantage "direct" needs it. Expected a name or an IP address.'),
        ({"host": "a b"}, 'endpoints[0]: host "a b" holds a character that a host cannot have. Expected a DNS name or an IP address.'),
        ({"host": "https://a"}, 'endpoints[0]: host "https://a" holds a character that a host cannot have. Expected a DNS name or an IP address.'),
        (
            {"server_name": "a\r\nX-Evil: 1"},
            'endpoints[0]: server_name "a\\r\\nX-Evil: 1" holds a character that a host cannot have. Expected a DNS name or an IP address.',
        ),
        ({"path": "validate"}, 'endpoints[0]: path "validate" is not absolute. Expected a path that begins with /, without host.'),
        ({"vantage": "moon"}, 'endpoints[0]: vantage "moon" does not exist. Expected apiserver, service_proxy, port_forward, direct.'),
        ({"review": "book"}, 'endpoints[0]: review "book" does not exist. Expected admission, conversion, none.'),
        ({"timeout": 0}, "endpoints[0]: timeout 0 is out of range. Expected seconds, more than 0 and at most 3600."),
        ({"name": ""}, "endpoints[0]: name is missing. Expected a text that tells this endpoint from the others."),
        (
            {"proxy": "socks5://u:hunter2@p:1"},
            "endpoints[0]: proxy cannot be used. Expected http://host:port or http://user:password@host:port.",
        ),
        ({"proxy": "http://p:99999"}, "endpoints[0]: proxy cannot be used. Expected http://host:port or http://user:password@host:port."),
        (
            {"client_key": "/k"},
            "endpoints[0]: client_key is given without client_cert. Expected both, or client_cert alone if it holds the key as well.",
        ),
        (
            {"client_cert": "/nosuch/cert.pem"},
            "endpoints[0]: client_cert /nosuch/cert.pem cannot be loaded: No such file or directory. "
            "Expected readable PEM files of a certificate and its key, without passphrase.",
        ),
        (
            {"vantage": "port_forward", "namespace": "n", "pod": "p"},
            'endpoints[0]: pod_port is missing, and vantage "port_forward" needs it. Expected 1 to 65535.',
        ),
        (
            {"vantage": "service_proxy", "namespace": "n", "service_port": 443},
            'endpoints[0]: service is missing, and vantage "service_proxy" needs it. Expected the name of a Service.',
        ),
        (
            {"vantage": "apiserver"},
            'endpoints[0]: callout is missing, and vantage "apiserver" needs it. Expected the call-out as kubernetes_webhooks has it.',
        ),
        (
            {"vantage": "apiserver", "callout": {"kind": "conversion", "id": "conversion/x"}},
            "endpoints[0]: callout lacks client, conversion. Expected the call-out as kubernetes_webhooks has it.",
        ),
        (
            {"vantage": "apiserver", "callout": {"kind": "pod", "id": "x"}},
            'endpoints[0]: callout is of the kind "pod". Expected validating, mutating, conversion, apiservice.',
        ),
        ({"instance": {"address": "", "port": 1}}, "endpoints[0]: instance lacks its address. Expected the address of an API server."),
        ({"instance": {"address": "1.2.3.4", "port": 0}}, "endpoints[0]: instance: port 0 is out of range. Expected 1 to 65535."),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidEndpoint) as caught:
        parse(**changes)
    error = caught.value
    assert f"endpoints[{error.index}]: {error}. Expected {error.expected}." == message
    assert "hunter2" not in message


def test_the_place_is_named() -> None:
    with pytest.raises(InvalidEndpoint) as caught:
        parse_endpoints([GOOD, {**GOOD, "name": "two"}, {**GOOD, "name": "one"}], 10)
    assert caught.value.index == 2
    assert str(caught.value) == 'name "one" is also that of endpoints[0]'


def test_client_certificates(certificates: Path, tmp_path: Path) -> None:
    pem = issue(certificates, "client")
    assert parse(client_cert=str(pem)).client_cert == str(pem)
    assert parse(client_cert=str(pem), client_key=str(pem)).client_key == str(pem)
    text = pem.read_text()
    (tmp_path / "cert.pem").write_text(text[: text.index("-----BEGIN PRIVATE")])
    with pytest.raises(InvalidEndpoint, match="cannot be loaded"):
        parse(client_cert=str(tmp_path / "cert.pem"))
    locked = tmp_path / "locked.pem"
    locked.write_text((tmp_path / "cert.pem").read_text() + LOCKED)
    with pytest.raises(InvalidEndpoint, match="cannot be loaded"):
        parse(client_cert=str(locked))


@pytest.mark.parametrize(
    ("callouts", "callout", "mutating"),
    [
        (["mutating/a/b"], {}, True),
        (["mutating/a/b", "mutating/c/d"], {}, True),
        (["validating/a/b"], {}, False),
        (["validating/a/b", "mutating/a/b"], {}, None),
        ([], {"kind": "mutating"}, True),
        ([], {}, None),
    ],
)
def test_who_may_patch(callouts: list[str], callout: dict[str, Any], mutating: bool | None) -> None:
    assert parse(callouts=callouts, callout=callout).mutating is mutating


def rule(group: str = "", resource: str = "pods", operations: tuple[str, ...] = ("CREATE",), version: str = "v1") -> dict[str, Any]:
    return {"operations": list(operations), "api_groups": [group], "api_versions": [version], "resources": [resource], "scope": "*"}


@pytest.mark.parametrize(
    ("rules", "operation", "kind"),
    [
        ([], "CREATE", "ConfigMap"),
        ([rule()], "CREATE", "Pod"),
        ([rule(resource="*")], "CREATE", "ConfigMap"),
        ([rule("apps", "deployments", ("UPDATE",))], "UPDATE", "Deployment"),
        ([rule("*", "*/*", ("*",), "*")], "CREATE", "ConfigMap"),
        ([rule(resource="namespaces", operations=("DELETE",))], "DELETE", "Namespace"),
        ([rule(resource="pods/exec", operations=("CONNECT",))], "CREATE", "ConfigMap"),
        ([rule("cert-manager.io", "issuers")], "CREATE", "ConfigMap"),
        ([rule("cert-manager.io", "issuers"), rule("batch", "jobs")], "CREATE", "Job"),
        ([rule(version="v9")], "CREATE", "ConfigMap"),
    ],
)
def test_admission_reviews(rules: list[dict[str, Any]], operation: str, kind: str) -> None:
    review = make_review(parse(review="admission", callout={"rules": rules}))
    assert review is not None
    request = review["request"]
    assert (review["apiVersion"], review["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert (request["operation"], request["kind"]["kind"], request["dryRun"]) == (operation, kind, True)
    assert request["options"]["dryRun"] == ["All"]
    assert (request["object"] is None) == (operation == "DELETE")
    assert (request["oldObject"] is None) == (operation == "CREATE")
    assert ("namespace" in request) == (kind != "Namespace")
    assert (request["object"] or request["oldObject"])["metadata"]["name"] == "webhook-doctor-probe"


@pytest.mark.parametrize(("versions", "version"), [([], "v1"), (["v1", "v1beta1"], "v1"), (["v1beta1", "v1"], "v1beta1"), (["v7", "v1beta1"], "v1beta1")])
def test_the_review_version_is_the_one_that_the_api_server_would_choose(versions: list[str], version: str) -> None:
    review = make_review(parse(review="admission", callout={"review_versions": versions}))
    assert review is not None and review["apiVersion"] == f"admission.k8s.io/{version}"


def test_conversion_reviews() -> None:
    versions = [{"name": "v1alpha1", "served": True, "storage": False}, {"name": "v1", "served": True, "storage": True}]
    crd = {"group": "example.com", "kind": "Thing", "scope": "Cluster", "versions": versions}
    review = make_review(parse(review="conversion", callout={"conversion": crd}))
    assert review is not None
    obj = review["request"]["objects"][0]
    assert (obj["apiVersion"], review["request"]["desiredAPIVersion"]) == ("example.com/v1", "example.com/v1alpha1")
    assert obj["kind"] == "Thing" and "namespace" not in obj["metadata"] and obj["metadata"]["uid"]


def test_uids_differ() -> None:
    uids = {make_review(parse(review="admission"))["request"]["uid"] for _review in range(3)}  # type: ignore[index]
    assert len(uids) == 3


def test_none_sends_nothing() -> None:
    assert make_review(parse(review="none")) is None


@pytest.mark.parametrize(("path", "quoted"), [("/a/b", "/a/b"), ("/a b?c#d\r\n", "/a%20b%3Fc%23d%0D%0A"), ("/%2e", "/%2e"), ("/\u00fc", "/%C3%BC")])
def test_paths(path: str, quoted: str) -> None:
    assert quoted_path(parse(path=path).path) == quoted


@pytest.mark.parametrize(("seconds", "query"), [(10, "10s"), (2.2, "3s"), (0.5, "1s")])
def test_the_timeout_that_the_webhook_is_told(seconds: float, query: str) -> None:
    assert query_timeout(parse(timeout=seconds)) == query


def test_questions_are_text() -> None:
    json.loads(parse(proxy="http://p:1", client_cert=None).question())


LOCKED = """-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg5c8VzW0T1YQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEG2Y2jv0nTe0x7u0Wc3p0nQEgZAr
-----END ENCRYPTED PRIVATE KEY-----
"""
