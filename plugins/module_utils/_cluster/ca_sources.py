# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Secret or ConfigMap a caBundle is meant to come from, and what an object of these kinds says as a source. Pure. PRIVATE to the collection.

Sources of the rules: cert-manager pkg/controller/cainjector/{sources,indexers}.go; OpenShift service-ca-operator (service.beta.openshift.io/inject-cabundle);
Istio pkg/webhooks; kube-webhook-certgen; open-policy-agent/cert-controller; the charts of the applications in `_APPLICATIONS`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._certificates import certificate_blocks
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import labels, mapping, text

SECRET, CONFIG_MAP, CERTIFICATE = "Secret", "ConfigMap", "Certificate"
# What became of the attempt to read a source.
READ, NOT_ASKED, MISSING, UNUSABLE, FORBIDDEN, ERROR, NOT_IN_DUMP = "read", "not_asked", "missing", "unusable", "forbidden", "error", "not_in_dump"

_FROM_CERTIFICATE = "cert-manager.io/inject-ca-from"
_FROM_SECRET = "cert-manager.io/inject-ca-from-secret"
_FROM_API_SERVER = "cert-manager.io/inject-apiserver-ca"
_FROM_SERVICE_CA = "service.beta.openshift.io/inject-cabundle"
_ALLOWS = "cert-manager.io/allow-direct-injection"
_ISSUED_FOR = "cert-manager.io/certificate-name"
# ConfigMaps with a CA -> the key that holds it.
CA_CONFIG_MAPS = {"kube-root-ca.crt": "ca.crt", "openshift-service-ca.crt": "service-ca.crt", "istio-ca-root-cert": "root-cert.pem"}
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LARGEST = 1 << 20  # what a Secret or ConfigMap can hold


@dataclass(frozen=True)
class Claim:
    """Where a caBundle is meant to come from.

    kind:        Secret, ConfigMap, or Certificate (of cert-manager, which names a Secret in turn).
    binding:     whether something keeps the caBundle equal to the source; false where it is only likely that both have one origin.
    wrong:       why nobody can follow the claim, null if it is well-formed.
    """

    kind: str
    namespace: str
    name: str
    key: str
    claimed_by: str
    binding: bool = True
    wrong: str | None = None

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}:{self.key}"


@dataclass
class Source:
    """What was found at a claim. `text` is the PEM of its CA certificates: it stays on the host that read it."""

    state: str
    message: str | None = None
    text: str = field(default="", repr=False)


def claims_of(callout: Mapping[str, Any]) -> Iterator[Claim]:
    """Where the caBundle of a call-out is meant to come from: its annotations, else what is known of the application."""
    annotations = callout["object"]["annotations"]
    said = False
    for annotation, kind in ((_FROM_CERTIFICATE, CERTIFICATE), (_FROM_SECRET, SECRET)):
        value = annotations.get(annotation)
        if value:
            said = True
            yield _named(annotation, kind, value)
    if annotations.get(_FROM_API_SERVER) == "true":
        said = True
        yield _config_map("kube-system", "kube-root-ca.crt", f"annotation {_FROM_API_SERVER}")
    if annotations.get(_FROM_SERVICE_CA) == "true":
        said = True
        yield _config_map("kube-system", "openshift-service-ca.crt", f"annotation {_FROM_SERVICE_CA}")
    if not said:
        yield from _of_application(callout)


def _config_map(namespace: str, name: str, claimed_by: str, binding: bool = True) -> Claim:
    return Claim(CONFIG_MAP, namespace, name, CA_CONFIG_MAPS[name], claimed_by, binding)


def _named(annotation: str, kind: str, value: str) -> Claim:
    namespace, slash, name = value.partition("/")
    wrong = None
    if not slash or not _NAME.fullmatch(namespace) or not _NAME.fullmatch(name):
        wrong = f'the value "{value[:200]}" is not <namespace>/<name>, so cainjector ignores it'
        namespace, name = "", value[:200]
    return Claim(kind, namespace, name, "ca.crt", f"annotation {annotation}", wrong=wrong)


# (pattern of the configuration's name, Secret, its key, who writes both); {name} is the configuration's name, {service} and {namespace} are the Service's.
_APPLICATIONS = (
    (re.compile(r".*ingress-nginx.*-admission|ingress-nginx-admission"), "{name}", "ca", "kube-webhook-certgen of ingress-nginx"),
    (re.compile(r".*(kube-prometheus-stack|prometheus-operator|kube-prometheus).*-admission"), "{name}", "ca", "kube-webhook-certgen of prometheus-operator"),
    (re.compile(r"aws-load-balancer-webhook"), "aws-load-balancer-tls", "ca.crt", "the chart of aws-load-balancer-controller"),
    (re.compile(r"gatekeeper-(validating|mutating)-webhook-configuration"), "gatekeeper-webhook-server-cert", "ca.crt", "gatekeeper's cert-rotator"),
    (re.compile(r"kyverno-.*-cfg"), "{service}.{namespace}.svc.kyverno-tls-ca", "tls.crt", "kyverno"),
    (re.compile(r".*\.(webhook|validation|defaulting|config\.webhook)\.(.*\.)?knative\.dev"), "webhook-certs", "ca-cert.pem", "knative's webhook"),
)
_ISTIO_WEBHOOK = re.compile(r"(.*\.)?(sidecar-injector|validation)\.istio\.io")


def _of_application(callout: Mapping[str, Any]) -> Iterator[Claim]:
    service = (callout["client"] or {}).get("service")
    if not service or not _NAME.fullmatch(service["namespace"]):
        return
    name = callout["object"]["name"]
    for pattern, secret, key, writer in _APPLICATIONS:
        if pattern.fullmatch(name):
            named = secret.format(name=name, service=service["name"], namespace=service["namespace"])
            if _NAME.fullmatch(named):
                yield Claim(SECRET, service["namespace"], named, key, writer)
            return
    if callout["webhook"] and _ISTIO_WEBHOOK.fullmatch(callout["webhook"]):
        # Not where istio-csr or an external CA issues istiod's own certificate.
        yield _config_map(service["namespace"], "istio-ca-root-cert", "istiod", binding=False)


def secret_of_certificate(claim: Claim, certificate: Mapping[str, Any]) -> Claim | None:
    """The Secret that a Certificate of cert-manager is stored in; None if it names none."""
    name = text(mapping(certificate.get("spec")).get("secretName"))
    if name is None or not _NAME.fullmatch(name):
        return None
    return Claim(SECRET, claim.namespace, name, claim.key, claim.claimed_by)


def source_of(claim: Claim, obj: Mapping[str, Any], certificate: str | None = None) -> Source:
    """What a Secret or ConfigMap holds for a claim. `certificate`: the name of the Certificate that led to the Secret. No other key of it is looked at."""
    refused = _refused(claim, labels(mapping(obj.get("metadata")).get("annotations")), certificate)
    if refused:
        return Source(UNUSABLE, refused)
    value = mapping(obj.get("data")).get(claim.key)
    if not isinstance(value, str) or not value:
        return Source(UNUSABLE, f"it has no key {claim.key}")
    if claim.kind == SECRET:
        try:
            value = base64.b64decode(value, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return Source(UNUSABLE, f"its key {claim.key} is not base64")
    if len(value) > _LARGEST or not fingerprints(value):
        return Source(UNUSABLE, f"its key {claim.key} holds no certificate in PEM")
    return Source(READ, None, "\n".join(block for block, _base64 in certificate_blocks(value)))


def _refused(claim: Claim, annotations: Mapping[str, str], certificate: str | None) -> str | None:
    """Why cainjector would not take this Secret."""
    if claim.claimed_by == f"annotation {_FROM_SECRET}" and annotations.get(_ALLOWS) != "true":
        return f'it lacks the annotation {_ALLOWS}: "true", without which cainjector does not inject it'
    if certificate is not None and annotations.get(_ISSUED_FOR) != certificate:
        return f"its annotation {_ISSUED_FOR} is not {certificate}, so cainjector does not take it for that Certificate's"
    return None


def fingerprints(value: str) -> list[str]:
    """SHA-256 of every certificate in PEM, as `sha256` of a verdict's certificates has it."""
    found = []
    for _block, text_of_it in certificate_blocks(value):
        try:
            found.append(hashlib.sha256(binascii.a2b_base64(text_of_it)).hexdigest())
        except binascii.Error:
            continue
    return found


def source_facts(claim: Claim, via: str | None, source: Source, callouts: Iterable[str]) -> dict[str, Any]:
    """An item of `ca_sources`: what may leave the host."""
    return {
        "id": claim.id,
        "kind": claim.kind,
        "namespace": claim.namespace or None,
        "name": claim.name,
        "key": claim.key,
        "claimed_by": claim.claimed_by,
        "via": via,
        "binding": claim.binding,
        "callouts": sorted(callouts),
        "state": source.state,
        "message": source.message,
        "certificates": fingerprints(source.text),
    }
