# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name constraints as Go's crypto/x509 checks them until 1.25: every name with every constraint, in their order. PRIVATE to the collection.

Done for each candidate while chains are built, so that a violation is no more than a hint where another chain is good.
Source: crypto/x509 verify.go isValid, checkNameConstraints, matchDomainConstraint, matchURIConstraint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Callable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.certificate import Certificate
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.constraints import Range, range_text
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.der import SEQUENCE, element, expect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.names import domain_valid, mailbox
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import ip_text, lower, parse_ip, quote
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.uri import Uri

# One candidate never costs more than this. Source: maxConstraintComparisons.
COMPARISONS = 250_000

_NOT_AUTHORIZED = "x509: a root or intermediate certificate is not authorized to sign for this name: "
_EMAIL, _DNS, _URI, _IP = 1, 2, 6, 7

# The candidate's constraints of one kind, whether one of them is an excluded one -> whether it covers the name. Raises _Violation.
_Match = Callable[[Any, bool], bool]


class _Violation(Exception):
    """Its text is Go's."""


def violation(issuer: Certificate, chain: Sequence[Certificate]) -> str | None:
    """Why a name in `chain` (leaf first) breaks a constraint of `issuer`, the candidate above it, in Go's words; None if none does."""
    check = _Check(issuer)
    try:
        for certificate in chain:
            for kind, value in _names(certificate):
                check.name(kind, value)
    except _Violation as error:
        return str(error)
    return None


def _names(certificate: Certificate) -> Iterator[tuple[int, bytes]]:
    """(kind, contents) of the alternative names in their order; the parser has seen that they are well-formed."""
    raw = certificate.raw_san
    if raw is None:
        return
    pos, end = expect(SEQUENCE, raw, 0, len(raw), "")
    while pos < end:
        tag, start, pos = element(raw, pos, end)
        yield tag ^ 0x80, raw[start:pos]


class _Check:
    """The constraints of one candidate, and how often one of them was compared."""

    def __init__(self, issuer: Certificate) -> None:
        self._issuer = issuer
        self._rules = issuer.rules
        self._comparisons = 0
        # Each constraint is parsed once, not for every name.
        self._parsed: dict[str, tuple[str, ...]] = {}
        self._ranges: dict[Range, tuple[int, int, int]] = {}

    def name(self, kind: int, value: bytes) -> None:
        """Raises _Violation."""
        if kind == _IP:
            self._compare("ip", "IP address", ip_text(value), self._in_range(value))
        elif kind == _DNS:
            name = value.decode()
            if not domain_valid(name, self._rules):
                raise _Violation(f"x509: cannot parse dnsName {quote(name)}")
            self._compare("dns", "DNS name", name, self._in_domain(name))
        elif kind == _EMAIL:
            name = value.decode()
            parts = mailbox(name, self._rules)
            if parts is None:
                raise _Violation('x509: cannot parse rfc822Name {"" ""}')
            self._compare("email", "email address", name, self._in_mailboxes(*parts))
        elif kind == _URI:
            name = value.decode()
            self._compare("uri", "URI", name, self._in_authority(Uri(name, self._rules)))

    def _compare(self, kind: str, label: str, name: str, match: _Match) -> None:
        excluded, permitted = self._issuer.excluded.get(kind, []), self._issuer.permitted.get(kind, [])
        self._count(excluded)
        for constraint in excluded:
            if match(constraint, True):
                text = constraint if isinstance(constraint, str) else range_text(constraint)
                raise _Violation(f"{_NOT_AUTHORIZED}{label} {quote(name)} is excluded by constraint {quote(text)}")
        self._count(permitted)
        if permitted and not any(match(constraint, False) for constraint in permitted):
            raise _Violation(f"{_NOT_AUTHORIZED}{label} {quote(name)} is not permitted by any constraint")

    def _count(self, constraints: list[Any]) -> None:
        self._comparisons += len(constraints)
        if self._comparisons > COMPARISONS:
            raise _Violation("x509: unknown error")  # TooManyConstraints, for which Go has no words

    def _in_range(self, address: bytes) -> _Match:
        size, number, ranges = len(address), int.from_bytes(address, "big"), self._ranges

        def match(constraint: Range, excluded: bool) -> bool:
            found = ranges.get(constraint)
            if found is None:
                mask = int.from_bytes(constraint[1], "big")
                found = ranges[constraint] = len(constraint[0]), mask, int.from_bytes(constraint[0], "big") & mask
            return found[0] == size and number & found[1] == found[2]

        return match

    def _in_domain(self, name: str) -> _Match:
        parsed = self._parsed
        wildcard = name.startswith("*") and self._rules.excluded_wildcards

        def match(constraint: str, excluded: bool) -> bool:
            if not constraint:
                return True
            below = constraint[0] == "."
            domain = constraint[1:] if below else constraint
            labels = parsed[name] if name in parsed else self._labels(name)
            wanted = parsed[domain] if domain in parsed else self._labels(domain)
            if len(labels) < len(wanted) or (below and len(labels) == len(wanted)):
                return False
            if excluded and wildcard and len(labels) > 1 and len(wanted) > 1:
                labels, wanted = labels[:-1], wanted[:-1]
            return labels[: len(wanted)] == wanted

        return match

    def _in_mailboxes(self, local: str, domain: str) -> _Match:
        in_domain = self._in_domain(domain)

        def match(constraint: str, excluded: bool) -> bool:
            if "@" not in constraint:
                return in_domain(constraint, excluded)
            parts = mailbox(constraint, self._rules)
            return parts is not None and parts[0] == local and lower(parts[1]) == lower(domain)

        return match

    def _in_authority(self, uri: Uri) -> _Match:
        parsed: list[_Match] = []

        def match(constraint: str, excluded: bool) -> bool:
            if not parsed:
                parsed.append(self._in_domain(_host(uri)))
            return parsed[0](constraint, excluded)

        return match

    def _labels(self, name: str) -> tuple[str, ...]:
        """The labels in lower case, the last first. Raises _Violation. Source: domainToReverseLabels."""
        if not domain_valid(name, self._rules):
            raise _Violation(f"{_NOT_AUTHORIZED}x509: internal error: cannot parse domain {quote(name)}")
        bare = name.removeprefix(".") if self._rules.leading_dot else name
        labels = self._parsed[name] = tuple(lower(bare).split(".")[::-1]) if bare else ()
        return labels


def _host(uri: Uri) -> str:
    """The host name in a URI. Raises _Violation."""
    host = uri.host
    if not host:
        raise _Violation(f"{_NOT_AUTHORIZED}URI with empty host ({quote(uri.text)}) cannot be matched against constraints")
    if ":" in host and not host.endswith("]"):
        try:
            host = _without_port(host)
        except ValueError as error:
            raise _Violation(f"{_NOT_AUTHORIZED}address {host}: {error}") from None
    address, percent, zone = host.partition("%")
    if (parse_ip(address) is not None and (not percent or (zone and ":" in address))) or (host.startswith("[") and host.endswith("]")):
        raise _Violation(f"{_NOT_AUTHORIZED}URI with IP ({quote(uri.text)}) cannot be matched against constraints")
    return host


def _without_port(text: str) -> str:
    """Raises ValueError with Go's words. Source: net.SplitHostPort; there is a colon."""
    colon, bracketed = text.rfind(":"), text.startswith("[")
    end = text.find("]")
    if not bracketed:
        host = text[:colon]
        if ":" in host:
            raise ValueError("too many colons in address")
    elif end < 0:
        raise ValueError("missing ']' in address")
    elif end + 1 != colon:
        raise ValueError("too many colons in address" if text[end + 1] == ":" else "missing port in address")
    else:
        host = text[1:end]
    if "[" in text[1 if bracketed else 0 :]:
        raise ValueError("unexpected '[' in address")
    if "]" in text[end + 1 if bracketed else 0 :]:
        raise ValueError("unexpected ']' in address")
    return host
