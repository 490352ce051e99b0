# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probe specifications: from a module's parameters to checked values. PRIVATE to the collection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.proxy import Proxy, parse_proxy
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.tls import client_context
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary import VANTAGES

REVIEWS = ("admission", "conversion", "none")
API_VANTAGES = ("apiserver", "service_proxy", "port_forward")
_REQUIRED = {
    "direct": ("host", "port"),
    "port_forward": ("namespace", "pod", "pod_port", "server_name"),
    "service_proxy": ("namespace", "service", "service_port"),
    "apiserver": ("callout",),
}
# What the apiserver vantage reads of a call-out, by its kind.
_OF_CALLOUT = {
    "validating": ("id", "webhook", "object", "index", "rules", "failure_policy"),
    "mutating": ("id", "webhook", "object", "index", "rules", "failure_policy"),
    "conversion": ("id", "client", "conversion"),
    "apiservice": ("id", "client", "apiservice"),
}
CHECKS = ("cert_manager",)
_PORTS = ("port", "service_port", "pod_port")
_EXPECTED = {
    "host": "a name or an IP address",
    "callout": "the call-out as kubernetes_webhooks has it",
    "server_name": "the name that the certificate is meant to carry",
    "namespace": "the name of a namespace",
    "service": "the name of a Service",
    "pod": "the name of a pod",
}
_PORT = "1 to 65535"
_LONGEST_TIMEOUT = 3600.0


class InvalidEndpoint(Exception):
    """The specification at `index` cannot be used: what is wrong, and what was `expected`."""

    def __init__(self, index: int, problem: str, expected: str) -> None:
        super().__init__(problem)
        self.index, self.expected = index, expected


@dataclass(frozen=True)
class Endpoint:
    """One probe specification (docs/architecture.md) with defaults filled in. `spec` is what was given, for the apiserver vantage."""

    spec: Mapping[str, Any]
    name: str
    vantage: str
    callouts: tuple[str, ...]
    host: str
    port: int
    server_name: str
    path: str
    review: str
    proxy: Proxy | None
    client_cert: str | None
    client_key: str | None
    namespace: str
    service: str
    service_port: int
    pod: str
    pod_port: int
    callout: Mapping[str, Any]
    instance: Mapping[str, Any] | None
    timeout: float

    @property
    def mutating(self) -> bool | None:
        """Whether the answer may carry a patch; None where the call-outs that share this probe differ, or none is named."""
        kinds = {callout.partition("/")[0] for callout in self.callouts} or {str(self.callout.get("kind"))}
        return {"mutating": True, "validating": False}.get(kinds.pop()) if len(kinds) == 1 else None

    @property
    def host_port(self) -> int:
        """The port of the Host header: the API server names the Service's, wherever the endpoint listens."""
        return self.service_port or self.port or 443

    def echoed(self) -> dict[str, Any]:
        return {"name": self.name, "vantage": self.vantage, "callouts": list(self.callouts), "instance": self.instance}

    def question(self) -> str:
        """Equal for two probes that would send and judge the same, so that one of them is enough."""
        asked = {key: value for key, value in vars(self).items() if key not in ("spec", "name", "callouts", "callout")}
        of_callout = {key: self.callout.get(key) for key in ("rules", "conversion", "review_versions")}
        return json.dumps([asked, of_callout, self.mutating], sort_keys=True)


def parse_endpoints(specs: Sequence[Mapping[str, Any]], timeout: float) -> list[Endpoint]:
    """The specifications in their order; `timeout` (seconds) holds for those without their own. Raises InvalidEndpoint for the first wrong one."""
    names: dict[str, int] = {}
    endpoints = []
    for index, spec in enumerate(specs):
        endpoint = _parse(index, spec, timeout)
        if endpoint.name in names:
            raise InvalidEndpoint(index, f'name "{endpoint.name}" is also that of endpoints[{names[endpoint.name]}]', "a name of its own for each endpoint")
        names[endpoint.name] = index
        endpoints.append(endpoint)
    return endpoints


def _parse(index: int, spec: Mapping[str, Any], timeout: float) -> Endpoint:
    vantage = spec.get("vantage") or "direct"
    if vantage not in VANTAGES:
        raise InvalidEndpoint(index, f'vantage "{vantage}" does not exist', ", ".join(VANTAGES))
    review = spec.get("review") or "none"
    if review not in REVIEWS:
        raise InvalidEndpoint(index, f'review "{review}" does not exist', ", ".join(REVIEWS))
    if not spec.get("name"):
        raise InvalidEndpoint(index, "name is missing", "a text that tells this endpoint from the others")
    for option in _PORTS:
        if spec.get(option) is not None and not 1 <= spec[option] <= 65535:
            raise InvalidEndpoint(index, f"{option} {spec[option]} is out of range", _PORT)
    for option in _REQUIRED[vantage]:
        if not spec.get(option):
            raise InvalidEndpoint(index, f'{option} is missing, and vantage "{vantage}" needs it', _EXPECTED.get(option, _PORT))
    seconds = spec["timeout"] if spec.get("timeout") is not None else timeout
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        raise InvalidEndpoint(index, f"timeout {seconds:g} is out of range", f"seconds, more than 0 and at most {_LONGEST_TIMEOUT:g}")
    _check_instance(index, spec.get("instance"))
    if vantage == "apiserver":
        _check_callout(index, spec["callout"])
    if spec.get("check") and (vantage != "apiserver" or spec["check"] not in CHECKS):
        raise InvalidEndpoint(index, f'check "{spec["check"]}" does not exist for vantage "{vantage}"', f"{', '.join(CHECKS)}, for vantage apiserver")
    host = _name(index, "host", spec.get("host") or "")
    return Endpoint(
        spec={**spec, "timeout": seconds},
        name=spec["name"],
        vantage=vantage,
        callouts=tuple(spec.get("callouts") or ()),
        host=host,
        port=spec.get("port") or 0,
        server_name=_name(index, "server_name", spec.get("server_name") or host),
        path=_path(index, spec.get("path") or "/"),
        review=review,
        proxy=_proxy(index, spec.get("proxy")),
        client_cert=spec.get("client_cert") or None,
        client_key=_client_key(index, spec),
        namespace=spec.get("namespace") or "",
        service=spec.get("service") or "",
        service_port=spec.get("service_port") or 0,
        pod=spec.get("pod") or "",
        pod_port=spec.get("pod_port") or 0,
        callout=spec.get("callout") or {},
        instance=spec.get("instance"),
        timeout=float(seconds),
    )


def _check_callout(index: int, callout: Mapping[str, Any]) -> None:
    keys = _OF_CALLOUT.get(str(callout.get("kind")))
    if keys is None:
        raise InvalidEndpoint(index, f'callout is of the kind "{callout.get("kind")}"', ", ".join(_OF_CALLOUT))
    missing = [key for key in keys if key not in callout]
    if missing:
        raise InvalidEndpoint(index, f"callout lacks {', '.join(missing)}", _EXPECTED["callout"])


def _check_instance(index: int, instance: Mapping[str, Any] | None) -> None:
    if instance is None:
        return
    if not instance.get("address"):
        raise InvalidEndpoint(index, "instance lacks its address", "the address of an API server")
    if not 1 <= (instance.get("port") or 0) <= 65535:
        raise InvalidEndpoint(index, f"instance: port {instance.get('port')} is out of range", _PORT)


def _name(index: int, option: str, name: str) -> str:
    """A host's name or address. What is no good as a DNS name stays as it is: it came from a cluster, and fails as dns_failure where it is looked up."""
    if any(ord(character) <= 0x20 or character in "/\x7f" for character in name):
        raise InvalidEndpoint(index, f"{option} {json.dumps(name)} holds a character that a host cannot have", "a DNS name or an IP address")
    return name.strip("[]").rstrip(".")


def _path(index: int, path: str) -> str:
    if not path.startswith("/"):
        raise InvalidEndpoint(index, f'path "{path}" is not absolute', "a path that begins with /, without host")
    return path


def _proxy(index: int, url: str | None) -> Proxy | None:
    if not url:
        return None
    try:
        return parse_proxy(url)
    except ValueError:
        # The URL is not repeated: it may hold a password.
        raise InvalidEndpoint(index, "proxy cannot be used", "http://host:port or http://user:password@host:port") from None


def _client_key(index: int, spec: Mapping[str, Any]) -> str | None:
    """The path of the key, once it is known that certificate and key can be loaded."""
    certificate, key = spec.get("client_cert") or None, spec.get("client_key") or None
    if key and not certificate:
        raise InvalidEndpoint(index, "client_key is given without client_cert", "both, or client_cert alone if it holds the key as well")
    if certificate:
        try:
            client_context(certificate, key)
        except OSError as error:
            what = f"client_cert {certificate}" + (f" with client_key {key}" if key else "")
            why = error.strerror or getattr(error, "reason", None) or str(error)
            raise InvalidEndpoint(index, f"{what} cannot be loaded: {why}", "readable PEM files of a certificate and its key, without passphrase") from error
    return key
