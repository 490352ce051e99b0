# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts: would kube-apiserver accept these served chains with these caBundles? PRIVATE to the collection.

Sources: k8s.io/client-go transport rootCertPool; k8s.io/apiextensions-apiserver webhookClientConfigForCRD; crypto/tls verifyServerCertificate; and
those named by the modules that this one calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust import problems
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.certificate import Certificate
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.chains import Pool, Refusal, Verifier
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.der import Malformed
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import NEWEST, Rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.pem import Block, blocks
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.problems import Source, Warn, days_left, problem
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.roots import system_roots
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import ip_text, utc

# An API object cannot hold more than 3 MiB (the API server's request limit); what is larger did not come from one.
LARGEST = 16 * 1024 * 1024
# How many certificates, and how many problems, one verdict lists.
MOST_LISTED = 500
MOST_NAMES = 100
LONGEST_NAME = 253
LONGEST_ERROR = 1 << 16

_LARGEST_SERVED_RSA = 8192  # Source: crypto/tls checkKeySize
_UNUSABLE = {"DSA": "*dsa.PublicKey", None: "<nil>"}  # kinds of keys that a server cannot have, and Go's types of them
_GO_SPACE = "\t\n\v\f\r \x85\xa0"
_AT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,6})?\d*([Zz]|[+-]\d\d:?\d\d)")


class InvalidBundle(ValueError):
    """An item that cannot be judged: `index` is its position, `name` what the caller calls it; the text says what was expected."""

    def __init__(self, index: int, name: str, message: str) -> None:
        super().__init__(f"bundles[{index}] ({name}): {message}")


class Options(NamedTuple):
    warn: Warn
    at: float  # seconds since 1970
    system_roots: str | None
    rules: Rules = NEWEST  # of the Go version of the API server


class _Anchors(NamedTuple):
    """A caBundle as kube-apiserver loads it. `refusal`: why it loads nothing at all; `problems`: those of its text."""

    sources: list[Source]
    pool: Pool
    refusal: Refusal | None
    problems: list[dict[str, Any]]


def parse_at(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 time with a zone. Raises ValueError."""
    match = _AT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time like 2026-03-01T12:00:00Z")
    zone = "+0000" if match[4] in "Zz" else match[4].replace(":", "")
    whole = datetime.strptime(f"{match[1]} {match[2]} {zone}", "%Y-%m-%d %H:%M:%S %z")
    return (whole - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds() + float(match[3] or 0)


def judge(bundles: Iterable[Mapping[str, Any]], options: Options) -> list[dict[str, Any]]:
    """One verdict per item, in order. Equal questions are answered once, each certificate is parsed once. Raises InvalidBundle, OSError."""
    court = _Court(options)
    return [court.verdict(index, bundle) for index, bundle in enumerate(bundles)]


class _Court:
    """What one task remembers between its verdicts."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._parsed: dict[bytes, Certificate | str] = {}
        self._anchors: dict[str, _Anchors] = {}
        self._signatures: dict[tuple[bytes, bytes], str | None] = {}
        self._answers: dict[tuple[Any, ...], dict[str, Any]] = {}

    def verdict(self, index: int, bundle: Mapping[str, Any]) -> dict[str, Any]:
        name, callouts = bundle["name"], bundle.get("callouts") or []
        text, chain, server_name = bundle.get("ca_bundle") or "", bundle.get("chain") or [], bundle.get("server_name") or ""
        if sum(map(_size, (text, *chain))) > LARGEST:
            raise InvalidBundle(index, name, f"ca_bundle and chain are larger than {LARGEST >> 20} MiB; an API object holds at most 3 MiB")
        try:
            now = parse_at(bundle["at"]) if bundle.get("at") else self._options.at
        except ValueError as error:
            raise InvalidBundle(index, name, f"at: {error}") from None
        if not text.strip(_GO_SPACE) and any(callout.startswith("conversion/") for callout in callouts):
            text = ""  # conversion webhooks alone take a blank caBundle for an empty one
        question = (text, tuple(chain), server_name, now)
        if question not in self._answers:
            served = [der for position, pem in enumerate(chain) for der in _served(index, name, position, pem)]
            self._answers[question] = self._answer(text, served, server_name, now)
        return {"name": name, "callouts": list(callouts), "source": bundle.get("source"), **self._answers[question]}

    def _answer(self, text: str, served: list[bytes], server_name: str, now: float) -> dict[str, Any]:
        anchors = self._load(text)
        found: Refusal | list[list[Certificate]] | None = anchors.refusal
        chain: list[Certificate] = []
        if served and found is None:
            parsed = self._served(served)
            found = parsed if isinstance(parsed, Refusal) else None
            chain = [] if isinstance(parsed, Refusal) else parsed
        if chain:
            found = Verifier(anchors.pool, Pool(chain[1:]), now, self._signatures, self._options.rules).verify(chain[0], server_name)
            if isinstance(found, list) and chain[0].key.kind in _UNUSABLE:
                error = f"tls: server's certificate contains an unsupported type of public key: {_UNUSABLE[chain[0].key.kind]}"
                found = Refusal(error, "certificate_invalid")
        refusal = found if isinstance(found, Refusal) else None
        chains = found if isinstance(found, list) else None
        listed = list(anchors.sources if text else ())
        for position, der in enumerate(served):
            certificate = self._parse(der)
            if isinstance(certificate, Certificate):
                listed.append(Source("chain", position, certificate))
        return {
            "trusted": False if refusal else True if chains else None,
            "error": _short(refusal.error, LONGEST_ERROR) if refusal else None,
            "cause": refusal.cause if refusal else None,
            "anchor": _anchor(chains[0][-1]) if chains else None,
            "certificates": [_describe(one, now) for one in listed[:MOST_LISTED]],
            "problems": _bounded(
                [
                    *anchors.problems,
                    *problems.of_certificates(listed, now, self._options.warn),
                    *problems.of_roles(listed, chains),
                ]
            ),
        }

    def _parse(self, der: bytes) -> Certificate | str:
        """The certificate, or Go's words for why it is none."""
        if der not in self._parsed:
            try:
                self._parsed[der] = Certificate(der, self._options.rules)
            except Malformed as error:
                self._parsed[der] = str(error)
        return self._parsed[der]

    def _served(self, served: list[bytes]) -> Refusal | list[Certificate]:
        chain = []
        for der in served:
            certificate = self._parse(der)
            if isinstance(certificate, str):
                return Refusal(f"tls: failed to parse certificate from server: {certificate}", "certificate_invalid")
            if certificate.key.kind == "RSA" and certificate.key.bits > _LARGEST_SERVED_RSA:
                error = f"tls: server sent certificate containing RSA key larger than {_LARGEST_SERVED_RSA} bits"
                return Refusal(error, "certificate_invalid")
            chain.append(certificate)
        return chain

    def _load(self, text: str) -> _Anchors:
        if text not in self._anchors:
            self._anchors[text] = self._of_bundle(text) if text else self._of_system()
        return self._anchors[text]

    def _of_system(self) -> _Anchors:
        where, text = system_roots(self._options.system_roots)
        anchors = self._of_bundle(text)
        held = f"this host's roots ({where})" if where else "no roots at all, for this host has none"
        message = f"caBundle is empty: judged with {held}; the API server's host may have others"
        return anchors._replace(refusal=None, problems=[problem("system_roots", message)])

    def _of_bundle(self, text: str) -> _Anchors:
        data = text.encode("utf-8", "replace")
        found = list(blocks(data, self._options.rules))
        sources: list[Source] = []
        unparsable: dict[int, str] = {}
        for index, block in enumerate(found):
            if block.kind == "CERTIFICATE" and not block.headers:
                certificate = self._parse(block.body)
                if isinstance(certificate, str):
                    unparsable[index] = certificate
                else:
                    sources.append(Source("bundle", index, certificate))
        refusal = None if sources else _nothing_loaded(data, found, unparsable)
        trouble = list(problems.of_text(data, found, unparsable))
        if refusal:
            trouble.insert(0, problem("no_certificate", f"caBundle holds no certificate{_double(data)}: kube-apiserver makes no call with it"))
        return _Anchors(sources, Pool(one.certificate for one in sources), refusal, trouble)


def _nothing_loaded(data: bytes, found: list[Block], unparsable: Mapping[int, str]) -> Refusal:
    """Why kube-apiserver cannot use a bundle without a certificate: the first thing that stops its second look."""
    if unparsable:
        reason = f"failed to parse certificate: {unparsable[min(unparsable)]}"
    elif not found or found[-1].end < len(data):
        reason = "unable to parse bytes as PEM block"
    else:
        reason = "no valid certificate authority data seen"
    return Refusal(f"unable to load root certificates: {reason}", "ca_bundle_invalid")


def _double(data: bytes) -> str:
    """Says so if the bundle was encoded once too often, the usual way to lose it."""
    import binascii

    try:
        decoded = binascii.a2b_base64(data)
    except binascii.Error:
        return ""
    return ", but base64 of PEM (it was encoded twice)" if b"-----BEGIN " in decoded else ""


def _served(index: int, name: str, position: int, pem: str) -> list[bytes]:
    """The certificates of one item of `chain`. Raises InvalidBundle."""
    found = list(blocks(pem.encode("utf-8", "replace")))
    if not found or any(block.kind != "CERTIFICATE" for block in found):
        raise InvalidBundle(index, name, f"chain[{position}] is not a certificate in PEM (-----BEGIN CERTIFICATE-----)")
    return [block.body for block in found]


def _anchor(certificate: Certificate) -> dict[str, Any]:
    return {
        "subject": certificate.subject.text,
        "serial": _short(f"{certificate.serial:X}", LONGEST_NAME),
        "sha256": certificate.sha256,
        "not_after": utc(certificate.not_after[0], certificate.not_after[1]),
    }


def _describe(one: Source, now: float) -> dict[str, Any]:
    certificate = one.certificate
    return {
        "source": one.source,
        "index": one.position,
        "subject": certificate.subject.text,
        "issuer": certificate.issuer.text,
        "serial": _short(f"{certificate.serial:X}", LONGEST_NAME),
        "sha256": certificate.sha256,
        "not_before": utc(certificate.not_before[0], certificate.not_before[1]),
        "not_after": utc(certificate.not_after[0], certificate.not_after[1]),
        "is_ca": certificate.is_ca,
        "dns_names": [_short(name, LONGEST_NAME) for name in certificate.dns_names[:MOST_NAMES]],
        "ip_addresses": [ip_text(address) for address in certificate.ip_addresses[:MOST_NAMES]],
        "key": str(certificate.key),
        "signature": certificate.signature_name if certificate.signature_name != "0" else "unknown",
        "days_left": days_left(certificate, now),
    }


def _size(text: str) -> int:
    """In bytes: what is no text can have four of them for each character."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "..."


def _bounded(trouble: list[dict[str, Any]]) -> list[dict[str, Any]]:
    left_out = len(trouble) - MOST_LISTED
    return trouble if left_out <= 0 else [*trouble[:MOST_LISTED], problem("more", f"{left_out} more problems are not listed")]
