# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extensions that Go's crypto/x509 understands, each with its rule for malformed ones. PRIVATE to the collection.

Source: crypto/x509 processExtensions. What Go does not understand counts only if it is critical.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.der import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    Malformed,
    bit_string,
    boolean,
    element,
    expect,
    integer,
    is_oid,
)
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import Rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.names import domain_valid, mailbox
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import parse_ip, quote

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.uri import Uri

_EMAIL, _DNS, _URI, _IP = 1, 2, 6, 7
_ANY_USAGE, _SERVER_AUTH = b"\x55\x1d\x25\x00", b"\x2b\x06\x01\x05\x05\x07\x03\x01"
_MASK_OCTETS = (0x00, 0x80, 0xC0, 0xE0, 0xF0, 0xF8, 0xFC, 0xFE)

# kind of name (dns, ip, email, uri) -> constraints; an ip is (address, mask), the others are text
Subtrees = dict[str, list[Any]]


class Extensions:
    """The extensions' contents. `constrained`: has basic constraints; `server_auth`: a serving certificate may be below or be this one."""

    __slots__ = (
        "authority_key_id",
        "constrained",
        "dns_names",
        "emails",
        "excluded",
        "has_constraints",
        "has_san",
        "inhibit_any_policy",
        "inhibit_policy_mapping",
        "ip_addresses",
        "is_ca",
        "key_usage",
        "max_path_length",
        "permitted",
        "policies",
        "policy_mappings",
        "raw_san",
        "require_explicit_policy",
        "rules",
        "server_auth",
        "subject_key_id",
        "unhandled_critical",
        "uris",
    )

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.key_usage = 0  # bit 5: keyCertSign
        self.constrained = False
        self.is_ca = False
        self.max_path_length = -1
        self.has_san = False
        self.raw_san: bytes | None = None
        self.dns_names: list[str] = []
        self.emails: list[str] = []
        self.ip_addresses: list[bytes] = []
        self.uris: list[Uri] = []
        self.has_constraints = False
        self.permitted: Subtrees = {}
        self.excluded: Subtrees = {}
        self.subject_key_id = b""
        self.authority_key_id = b""
        self.server_auth = True
        self.policies: list[bytes] = []
        self.policy_mappings: list[tuple[bytes, bytes]] = []
        self.require_explicit_policy = -1
        self.inhibit_policy_mapping = -1
        self.inhibit_any_policy = -1
        self.unhandled_critical = False


def process(out: Extensions, data: bytes, found: dict[bytes, tuple[bool, int, int]]) -> None:
    """Fill in `out` from {OID: (critical, start, stop)}, in the certificate's order. Raises Malformed."""
    handlers = _HANDLERS if out.rules.policies else _HANDLERS_WITHOUT_POLICIES
    for oid, (critical, start, stop) in found.items():
        handler = handlers.get(oid)
        unhandled = True if handler is None else handler(out, data, start, stop, critical)
        if critical and unhandled:
            out.unhandled_critical = True


def _key_usage(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    error = "x509: invalid key usage"
    body, unused = bit_string(data, *expect(BIT_STRING, data, start, stop, error), error)
    bits = len(body) * 8 - unused
    out.key_usage = sum(1 << bit for bit in range(min(9, bits)) if body[bit // 8] >> 7 - bit % 8 & 1)


def _basic_constraints(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    error = "x509: invalid basic constraints"
    pos, end = expect(SEQUENCE, data, start, stop, error)
    if pos < end and data[pos] == BOOLEAN:
        at = expect(BOOLEAN, data, pos, end, error)
        out.is_ca, pos = boolean(data, *at, error), at[1]
    if pos < end and data[pos] == INTEGER:
        out.max_path_length = integer(data, *expect(INTEGER, data, pos, end, error), error)
        if not -(1 << 63 if out.rules.negative_path_length else 0) <= out.max_path_length < 1 << 63:
            raise Malformed(error)
    out.constrained = True


def _alternative_names(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> bool:
    out.has_san, out.raw_san = True, data[start:stop]
    pos, end = expect(SEQUENCE, data, start, stop, "x509: invalid subject alternative names")
    while pos < end:
        tag, body, pos = element(data, pos, end)
        if tag < 0:
            raise Malformed("x509: invalid subject alternative name")
        value, kind = data[body:pos], tag ^ 0x80
        if kind == _DNS:
            out.dns_names.append(_ascii(value, "x509: SAN dNSName is malformed"))
        elif kind == _IP:
            if len(value) not in (4, 16):
                raise Malformed(f"x509: cannot parse IP address of length {len(value)}")
            out.ip_addresses.append(value)
        elif kind == _EMAIL:
            out.emails.append(_ascii(value, "x509: SAN rfc822Name is malformed"))
        elif kind == _URI:
            out.uris.append(_uri(_ascii(value, "x509: SAN uniformResourceIdentifier is malformed"), out.rules))
    return not (out.dns_names or out.ip_addresses or out.emails or out.uris)


def _ascii(value: bytes, error: str) -> str:
    if not value.isascii():
        raise Malformed(error)
    return value.decode()


def _uri(text: str, rules: Rules) -> Uri:
    # Few certificates have one: loaded (and compiled, on every task) only for those.
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.uri import Uri, UriError

    try:
        uri = Uri(text, rules)
    except UriError as problem:
        raise Malformed(f"x509: cannot parse URI {quote(text)}: {problem}") from None
    if not domain_valid(uri.host, rules):
        raise Malformed(f"x509: cannot parse URI {quote(text)}: invalid domain")
    return uri


def _name_constraints(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> bool:
    out.has_constraints = True
    error = "x509: invalid NameConstraints extension"
    pos, end = expect(SEQUENCE, data, start, stop, error)
    if end != stop:
        raise Malformed(error)
    subtrees = []
    for tag in (0xA0, 0xA1):
        at = expect(tag, data, pos, end, error) if pos < end and data[pos] == tag else (pos, pos)
        subtrees.append(at)
        pos = at[1]
    if pos != end:
        raise Malformed(error)
    if all(at[0] == at[1] for at in subtrees):
        raise Malformed("x509: empty name constraints extension")
    unhandled = _subtrees(out.permitted, out.rules, data, *subtrees[0])
    return _subtrees(out.excluded, out.rules, data, *subtrees[1]) or unhandled


def _subtrees(out: Subtrees, rules: Rules, data: bytes, pos: int, end: int) -> bool:
    """Collect one list of GeneralSubtrees; whether one is of a kind that Go does not handle. Raises Malformed."""
    unhandled = False
    error = "x509: invalid NameConstraints extension"
    while pos < end:
        start, pos = expect(SEQUENCE, data, pos, end, error)
        tag, start, stop = element(data, start, pos)
        if tag < 0:
            raise Malformed(error)
        value, kind = data[start:stop], tag ^ 0x80
        if kind == _IP:
            out.setdefault("ip", []).append(_ip_range(value))
        elif kind in (_DNS, _EMAIL, _URI):
            if not value.isascii():
                raise Malformed(f"x509: invalid constraint value: x509: {quote(value)} cannot be encoded as an IA5String")
            text = value.decode()
            if kind == _DNS:
                name, label, valid = "dns", "dnsName", domain_valid(text, rules, constraint=True)
            elif kind == _EMAIL:
                name, label = "email", "rfc822Name"
                valid = mailbox(text, rules) is not None if "@" in text else domain_valid(text, rules, constraint=True)
            else:
                name, label, valid = "uri", "URI", domain_valid(text, rules, constraint=True)
                if parse_ip(text) is not None:
                    raise Malformed(f"x509: failed to parse URI constraint {quote(text)}: cannot be IP address")
            if not valid:
                raise Malformed(f"x509: failed to parse {label} constraint {quote(text)}")
            out.setdefault(name, []).append(text)
        else:
            unhandled = True
    return unhandled


def _ip_range(value: bytes) -> tuple[bytes, bytes]:
    if len(value) not in (8, 32):
        raise Malformed(f"x509: IP constraint contained value of length {len(value)}")
    address, mask = value[: len(value) // 2], value[len(value) // 2 :]
    host = mask.lstrip(b"\xff")
    if host and (host[0] not in _MASK_OCTETS or host[1:].strip(b"\0")):
        raise Malformed(f"x509: IP constraint contained invalid mask {mask.hex()}")
    return address, mask


def _crl_distribution_points(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    pos, end = expect(SEQUENCE, data, start, stop, "x509: invalid CRL distribution points")
    error = "x509: invalid CRL distribution point"
    while pos < end:
        start, pos = expect(SEQUENCE, data, pos, end, error)
        if start < pos and data[start] == 0xA0:
            inner, after = expect(0xA0, data, *expect(0xA0, data, start, pos, error), error)
            while inner < after and data[inner] == 0x86:
                inner = expect(0x86, data, inner, after, error)[1]


def _authority_key_id(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    if critical and not out.rules.critical_identifiers:
        raise Malformed("x509: authority key identifier incorrectly marked critical")
    error = "x509: invalid authority key identifier"
    pos, end = expect(SEQUENCE, data, start, stop, error)
    if pos < end and data[pos] == 0x80:
        pos, end = expect(0x80, data, pos, end, error)
        out.authority_key_id = data[pos:end]


def _subject_key_id(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    if critical and not out.rules.critical_identifiers:
        raise Malformed("x509: subject key identifier incorrectly marked critical")
    pos, end = expect(OCTET_STRING, data, start, stop, "x509: invalid subject key identifier")
    out.subject_key_id = data[pos:end]


def _extended_key_usage(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    error = "x509: invalid extended key usages"
    pos, end = expect(SEQUENCE, data, start, stop, error)
    usages = set()
    while pos < end:
        start, pos = expect(OID, data, pos, end, error)
        if not is_oid(data[start:pos]):
            raise Malformed(error)
        usages.add(data[start:pos])
    out.server_auth = not usages or not usages.isdisjoint((_ANY_USAGE, _SERVER_AUTH))


def _policies(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    error = "x509: invalid certificate policies"
    pos, end = expect(SEQUENCE, data, start, stop, error)
    seen = set()
    while pos < end:
        start, pos = expect(SEQUENCE, data, pos, end, error)
        oid = _policy(data, start, pos, error)[0]
        if (
            (oid in seen and out.rules.policies)
            or not oid
            or oid[-1] & 0x80
            or any(octet == 0x80 and (at == 0 or not oid[at - 1] & 0x80) for at, octet in enumerate(oid))
        ):
            raise Malformed(error)
        seen.add(oid)
        out.policies.append(oid)


def _policy(data: bytes, start: int, stop: int, error: str) -> tuple[bytes, int]:
    body, end = expect(OID, data, start, stop, error)
    return data[body:end], end


def _policy_constraints(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    error = "x509: invalid policy constraints extension"
    pos, end = expect(SEQUENCE, data, start, stop, error)
    if pos < end and data[pos] == 0x80:
        at = expect(0x80, data, pos, end, error)
        out.require_explicit_policy, pos = integer(data, *at, error, 64), at[1]
    if pos < end and data[pos] == 0x81:
        out.inhibit_policy_mapping = integer(data, *expect(0x81, data, pos, end, error), error, 64)


def _policy_mappings(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    error = "x509: invalid policy mappings extension"
    pos, end = expect(SEQUENCE, data, start, stop, error)
    while pos < end:
        start, pos = expect(SEQUENCE, data, pos, end, error)
        issuer, after = _policy(data, start, pos, error)
        out.policy_mappings.append((issuer, _policy(data, after, pos, error)[0]))


def _inhibit_any_policy(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    error = "x509: invalid inhibit any policy extension"
    out.inhibit_any_policy = integer(data, *expect(INTEGER, data, start, stop, error), error, 64)


def _authority_info_access(out: Extensions, data: bytes, start: int, stop: int, critical: bool) -> None:
    if critical and not out.rules.critical_identifiers:
        raise Malformed("x509: authority info access incorrectly marked critical")
    error = "x509: invalid authority info access"
    pos, end = expect(SEQUENCE, data, start, stop, error)
    while pos < end:
        start, pos = expect(SEQUENCE, data, pos, end, error)
        body, after = expect(OID, data, start, pos, error)
        if not is_oid(data[body:after]):
            raise Malformed(error)
        if after < pos and data[after] == 0x86:
            expect(0x86, data, after, pos, error)


_HANDLERS: dict[bytes, Callable[[Extensions, bytes, int, int, bool], bool | None]] = {
    b"\x55\x1d\x0e": _subject_key_id,
    b"\x55\x1d\x0f": _key_usage,
    b"\x55\x1d\x11": _alternative_names,
    b"\x55\x1d\x13": _basic_constraints,
    b"\x55\x1d\x1e": _name_constraints,
    b"\x55\x1d\x1f": _crl_distribution_points,
    b"\x55\x1d\x20": _policies,
    b"\x55\x1d\x21": _policy_mappings,
    b"\x55\x1d\x23": _authority_key_id,
    b"\x55\x1d\x24": _policy_constraints,
    b"\x55\x1d\x25": _extended_key_usage,
    b"\x55\x1d\x36": _inhibit_any_policy,
    b"\x2b\x06\x01\x05\x05\x07\x01\x01": _authority_info_access,
}
_HANDLERS_WITHOUT_POLICIES = {oid: handler for oid, handler in _HANDLERS.items() if handler not in (_policy_constraints, _policy_mappings, _inhibit_any_policy)}
