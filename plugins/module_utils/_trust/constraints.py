# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name constraints of a chain, with the rules and the blind spots of Go's crypto/x509 since 1.26. PRIVATE to the collection.

Go sorts the constraints, drops those that an earlier one covers, and then looks at one neighbour alone: what that finds is what counts here too.
Source: crypto/x509 constraints.go. What older versions do is in constraints_one_by_one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Callable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.certificate import Certificate
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import Rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.names import domain_valid, mailbox
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import ip_text, lower, parse_ip, quote, unmapped
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.uri import Uri

Range = tuple[bytes, bytes]


def violation(chain: Sequence[Certificate]) -> str | None:
    """Why a name in the chain (leaf first) breaks a constraint of a certificate above it, in Go's words; None if none does."""
    constrained = [(index, certificate) for index, certificate in enumerate(chain) if certificate.has_constraints]
    for index, certificate in enumerate(chain):
        above = [issuer for at, issuer in constrained if at > index]
        if not above:
            return None
        if not certificate.has_san:
            continue
        try:
            names = _names(certificate)
        except ValueError as error:
            return str(error)
        for issuer in above:
            error_text = _check(issuer, names)
            if error_text:
                return error_text
    return None


# (kind, what is matched, how it is written)
_Checked = tuple[str, Any, str]
_LABELS = {"ip": "IP address", "dns": "DNS name", "uri": "URI", "email": "email address"}


def _names(certificate: Certificate) -> list[_Checked]:
    """Every name of the certificate, in Go's order. Raises ValueError with Go's words for one that cannot be matched at all."""
    uris: list[_Checked] = [("uri", _uri_domain(uri), uri.text) for uri in certificate.uris]
    emails: list[_Checked] = []
    for address in certificate.emails:
        parts = mailbox(address, certificate.rules)
        if parts is None:
            raise ValueError(f"cannot parse rfc822Name {quote(address)}")
        parts = (parts[0], lower(parts[1]))
        emails.append(("email", parts, "@".join(parts)))
    addresses: list[_Checked] = [("ip", address, ip_text(address)) for address in certificate.ip_addresses]
    return [*addresses, *(("dns", name, name) for name in certificate.dns_names), *uris, *emails]


def _uri_domain(uri: Uri) -> str:
    host = lower(uri.host)
    if not host:
        raise ValueError(f"URI with empty host ({quote(uri.text)}) cannot be matched against constraints")
    if ":" in host and not host.endswith("]"):
        host, _colon, _port = uri.host.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if ":" in host and not bracketed:
            raise ValueError(f"cannot parse URI host {quote(uri.host)}: address {uri.host}: too many colons in address")
        host = host[1:-1] if bracketed else host
    address, percent, zone = host.partition("%")
    if (parse_ip(address) is not None and (not percent or (zone and ":" in address))) or (host.startswith("[") and host.endswith("]")):
        raise ValueError(f"URI with IP ({quote(uri.text)}) cannot be matched against constraints")
    return host


def _check(issuer: Certificate, names: list[_Checked]) -> str | None:
    rules = issuer.rules
    permitted = {kind: _matcher(kind, values, True, rules) for kind, values in issuer.permitted.items()}
    excluded = {kind: _matcher(kind, values, False, rules) for kind, values in issuer.excluded.items()}
    for kind, value, text in names:
        if kind == "dns" and not domain_valid(value, rules):
            return f"x509: cannot parse dnsName {quote(value)}"
        if kind == "uri" and not domain_valid(value, rules):
            return f"x509: internal error: URI SAN {quote(text)} failed to parse"
        if kind in permitted and permitted[kind](value) is None:
            return f"{_LABELS[kind]} {quote(text)} is not permitted by any constraint"
        constraint = excluded[kind](value) if kind in excluded else None
        if constraint is not None:
            return f"{_LABELS[kind]} {quote(text)} is excluded by constraint {quote(constraint)}"
    return None


# what a name of one kind is matched with: the text of the constraint that covers it, or None
_Matcher = Callable[[Any], "str | None"]


def _matcher(kind: str, values: list[Any], permitted: bool, rules: Rules) -> _Matcher:
    if kind == "ip":
        return _ip_matcher(values)
    return _email_matcher(values, permitted, rules) if kind == "email" else _domain_matcher(values, permitted)


def _pruned(values: list[Any], covers: Callable[[Any, Any], bool]) -> list[Any]:
    kept: list[Any] = values[:1]
    for value in values[1:]:
        if not covers(kept[-1], value):
            kept.append(value)
    return kept


def _neighbour(kept: list[Any], keys: list[bytes], key: bytes, covers: Callable[[Any], bool]) -> Any:
    """The constraint equal to `key`, else the one sorted just before it (or the first) if it covers the name."""
    at = bisect_left(keys, key)
    if at < len(keys) and keys[at] == key:
        return kept[at]
    candidate = kept[max(at - 1, 0)]
    return candidate if covers(candidate) else None


def _ip_matcher(ranges: list[Range]) -> _Matcher:
    families: dict[int, tuple[list[Range], list[bytes]]] = {}
    for size in (4, 16):
        kept = _pruned(sorted(one for one in ranges if len(one[0]) == size), _range_covers)
        families[size] = (kept, [address for address, _mask in kept])

    def match(address: bytes) -> str | None:
        kept, keys = families[len(address)]
        found = _neighbour(kept, keys, address, lambda one: _contains(one, address)) if kept else None
        return None if found is None else range_text(found)

    return match


def _network(one: Range) -> Range:
    address, mask = unmapped(one[0]), one[1]
    return address, mask[-len(address) :]


def _contains(one: Range, address: bytes) -> bool:
    network, mask = _network(one)
    address = unmapped(address)
    return len(address) == len(network) and all(a & m == n & m for a, n, m in zip(address, network, mask))


def _range_covers(outer: Range, inner: Range) -> bool:
    last = bytes(address | ~mask & 0xFF for address, mask in zip(*inner))
    return _contains(outer, inner[0]) and _contains(outer, last)


def range_text(one: Range) -> str:
    """Source: net.IPNet.String; the mask is contiguous, or the parser would have refused it."""
    address, mask = _network(one)
    return f"{ip_text(address)}/{sum(bin(octet).count('1') for octet in mask)}"


def _domain_key(name: str) -> bytes:
    """Sorts names by their last label first, a name before those below it."""
    return name.encode().lower().replace(b".", b"\0")[::-1]


def _domain_covers(constraint: str, name: str) -> bool:
    """Whether `name` is, or is below, the constraint; ".example.com" covers only what is below."""
    constraint, name = lower(constraint), lower(name)
    return name.endswith(constraint) and (len(name) == len(constraint) or constraint.startswith(".") or name[-len(constraint) - 1] == ".")


def _domain_matcher(values: list[str], permitted: bool) -> _Matcher:
    if "" in values:
        return lambda name: ""
    kept = _pruned(sorted(values, key=_domain_key), _domain_covers)
    keys = [_domain_key(value) for value in kept]
    # An excluded host excludes the wildcard that would cover it.
    parents = {} if permitted else {_parent(lower(value)): lower(value) for value in kept if _parent(value)}

    def match(name: str) -> str | None:
        found = _neighbour(kept, keys, _domain_key(name), lambda value: _domain_covers(value, name))
        if found is None and name.startswith("*"):
            found = parents.get(_parent(lower(name)))
        return found

    return match


def _parent(name: str) -> str:
    """What follows the first label, with its dot; "" for a single label."""
    at = name.find(".")
    return name[at:] if at >= 0 else ""


def _email_matcher(values: list[str], permitted: bool, rules: Rules) -> _Matcher:
    exact = set()
    for value in values:
        parts = mailbox(value, rules) if "@" in value else None
        if parts:
            exact.add((parts[0], lower(parts[1])))
    domains = [value for value in values if "@" not in value]
    by_domain = _domain_matcher(domains, permitted) if domains else None

    def match(address: tuple[str, str]) -> str | None:
        if address in exact:
            return "@".join(address)
        return by_domain(address[1]) if by_domain else None

    return match
