# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name constraints as Go's crypto/x509 checks them until 1.25: every name with every constraint, in their order. PRIVATE to the collection.

The first constraint that covers a name is found by look-ups instead, so that hostile certificates cost no more here than in Go; the comparisons that Go
would have made are counted, because it gives up after many. Done for each candidate while chains are built, so that a violation is no more than a hint
where another chain is good.
Source: crypto/x509 verify.go isValid, checkNameConstraints, matchDomainConstraint, matchURIConstraint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Callable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.certificate import Certificate
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.constraints import Range, range_text
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.der import SEQUENCE, element, expect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import Rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.names import domain_valid, mailbox
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import ip_text, lower, parse_ip, quote
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.uri import Uri

# One candidate never costs more than this. Source: maxConstraintComparisons.
COMPARISONS = 250_000

_NOT_AUTHORIZED = "x509: a root or intermediate certificate is not authorized to sign for this name: "
_EMAIL, _DNS, _URI, _IP = 1, 2, 6, 7

# A name -> the position of the first constraint that covers it, or None. Raises _Violation where Go fails to compare.
_Search = Callable[[Any], "int | None"]


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
    """The constraints of one candidate, and how often Go would have compared one of them so far."""

    def __init__(self, issuer: Certificate) -> None:
        self._issuer = issuer
        self._rules = issuer.rules
        self._comparisons = 0
        self._searches: dict[tuple[str, bool], _Search] = {}

    def name(self, kind: int, value: bytes) -> None:
        """Raises _Violation."""
        if kind == _IP:
            self._compare("ip", "IP address", ip_text(value), value)
        elif kind == _DNS:
            name = value.decode()
            if not domain_valid(name, self._rules):
                raise _Violation(f"x509: cannot parse dnsName {quote(name)}")
            self._compare("dns", "DNS name", name, name)
        elif kind == _EMAIL:
            name = value.decode()
            parts = mailbox(name, self._rules)
            if parts is None:
                raise _Violation('x509: cannot parse rfc822Name {"" ""}')
            self._compare("email", "email address", name, parts)
        elif kind == _URI:
            name = value.decode()
            self._compare("uri", "URI", name, Uri(name, self._rules))

    def _compare(self, kind: str, label: str, name: str, value: Any) -> None:
        excluded, permitted = self._issuer.excluded.get(kind, []), self._issuer.permitted.get(kind, [])
        self._count(excluded)
        found = self._search(kind, True, excluded)(value) if excluded else None
        if found is not None:
            text = range_text(excluded[found]) if kind == "ip" else excluded[found]
            raise _Violation(f"{_NOT_AUTHORIZED}{label} {quote(name)} is excluded by constraint {quote(text)}")
        self._count(permitted)
        if permitted and self._search(kind, False, permitted)(value) is None:
            raise _Violation(f"{_NOT_AUTHORIZED}{label} {quote(name)} is not permitted by any constraint")

    def _count(self, constraints: list[Any]) -> None:
        self._comparisons += len(constraints)
        if self._comparisons > COMPARISONS:
            raise _Violation("x509: unknown error")  # TooManyConstraints, for which Go has no words

    def _search(self, kind: str, excluded: bool, constraints: list[Any]) -> _Search:
        search = self._searches.get((kind, excluded))
        if search is None:
            search = self._searches[kind, excluded] = _search_of(kind, constraints, excluded, self._rules)
        return search


def _search_of(kind: str, constraints: list[Any], excluded: bool, rules: Rules) -> _Search:
    if kind == "ip":
        return _ranges(constraints)
    wildcards = excluded and rules.excluded_wildcards
    if kind == "email":
        return _mailboxes(constraints, wildcards, rules)
    in_domains = _domains(dict(enumerate(constraints)), wildcards, rules)
    return in_domains if kind == "dns" else lambda uri: in_domains(_host(uri))


def _ranges(constraints: list[Range]) -> _Search:
    networks: dict[tuple[int, int], dict[int, int]] = {}
    for position, (address, mask) in enumerate(constraints):
        bits = int.from_bytes(mask, "big")
        networks.setdefault((len(address), bits), {}).setdefault(int.from_bytes(address, "big") & bits, position)

    def search(address: bytes) -> int | None:
        number = int.from_bytes(address, "big")
        return _least(found.get(number & bits) for (size, bits), found in networks.items() if size == len(address))

    return search


def _mailboxes(constraints: list[str], wildcards: bool, rules: Rules) -> _Search:
    exact: dict[tuple[str, str], int] = {}
    for position, constraint in enumerate(constraints):
        parts = mailbox(constraint, rules) if "@" in constraint else None
        if parts:
            exact.setdefault((parts[0], lower(parts[1])), position)
    in_domains = _domains({position: constraint for position, constraint in enumerate(constraints) if "@" not in constraint}, wildcards, rules)
    return lambda parts: _least((exact.get((parts[0], lower(parts[1]))), in_domains(parts[1])))


def _domains(constraints: dict[int, str], wildcards: bool, rules: Rules) -> _Search:
    """`wildcards`: a name that begins with "*" is also covered by what it covers."""
    empty = next((position for position, constraint in constraints.items() if not constraint), None)
    # (labels, the last one first; whether there have to be more of them) -> position; and the same without the first label of the name
    whole: dict[tuple[tuple[str, ...], bool], int] = {}
    headless: dict[tuple[tuple[str, ...], bool], int] = {}
    for position, constraint in constraints.items():
        if constraint:
            labels, below = _labels(constraint.removeprefix("."), rules), constraint.startswith(".")
            whole.setdefault((labels, below), position)
            if len(labels) > 1:
                headless.setdefault((labels[:-1], below), position)

    def search(name: str) -> int | None:
        if not whole or next(iter(constraints.values())) == "":
            return empty  # the name is not even parsed
        labels = _labels(name, rules)
        found = [empty]
        for count in range(len(labels) + 1):
            if wildcards and name.startswith("*") and count > 1:
                where, key = headless, labels[: count - 1]
            else:
                where, key = whole, labels[:count]
            found.append(where.get((key, False)))
            if count < len(labels):
                found.append(where.get((key, True)))
        return _least(found)

    return search


def _least(positions: Iterable[int | None]) -> int | None:
    return min((position for position in positions if position is not None), default=None)


def _labels(name: str, rules: Rules) -> tuple[str, ...]:
    """The labels in lower case, the last first. Raises _Violation. Source: domainToReverseLabels."""
    if not domain_valid(name, rules):
        raise _Violation(f"{_NOT_AUTHORIZED}x509: internal error: cannot parse domain {quote(name)}")
    bare = name.removeprefix(".") if rules.leading_dot else name
    return tuple(lower(bare).split(".")[::-1]) if bare else ()


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
