# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate as Go's crypto/x509 parses it, and Go's words for one that it does not. PRIVATE to the collection.

`cryptography`'s own parser refuses and accepts other certificates than Go does, so the structure is read here. Source: crypto/x509 parseCertificate.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.der import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    Malformed,
    bit_string,
    boolean,
    dotted,
    element,
    expect,
    integer,
    is_oid,
    right_aligned,
)
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.extensions import Extensions, process
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import NEWEST, Rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.keys import public_key, signature_algorithm
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import parse_time, quote

_LONGEST_TEXT = 1024
_COMMON_NAME, _ORGANIZATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_ATTRIBUTES = {
    **{b"\x55\x04" + bytes([arc]): name for arc, name in ((3, "CN"), (5, "serialNumber"), (6, "C"), (7, "L"), (8, "ST"), (9, "street"), (10, "O"), (11, "OU"))},
    b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19": "DC",
    b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01": "UID",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01": "emailAddress",
}
_PRINTABLE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'()+,-./ :=?*&")
_DIGITS = frozenset(b"0123456789 ")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_UTF8, _NUMERIC, _PRINTABLE_TAG, _T61, _IA5, _BMP = 0x0C, 0x12, 0x13, 0x14, 0x16, 0x1E


class Name(NamedTuple):
    common_name: str
    organization: str | None  # the first
    text: str  # RFC 4514, at most 1,024 characters of it


class Certificate(Extensions):
    """What a verdict needs, read by the rules of one version of Go.

    Times are (seconds since 1970, Go's RFC 3339 text); `tbs` are the offsets of the signed part in `der`.
    """

    __slots__ = (
        "der",
        "issuer",
        "key",
        "not_after",
        "not_before",
        "raw_issuer",
        "raw_spki",
        "raw_subject",
        "serial",
        "sha256",
        "signature",
        "signature_name",
        "subject",
        "tbs",
        "version",
    )

    def __init__(self, der: bytes, rules: Rules = NEWEST) -> None:
        """Raises Malformed."""
        super().__init__(rules)
        self.der = der
        pos, end = expect(SEQUENCE, der, 0, len(der), "x509: malformed certificate")
        tbs, tbs_end = expect(SEQUENCE, der, pos, end, "x509: malformed tbs certificate")
        self.tbs = (pos, tbs_end)
        self.version, tbs = _version(der, tbs, tbs_end)
        error = "x509: malformed serial number"
        start, stop = expect(INTEGER, der, tbs, tbs_end, error)
        self.serial = integer(der, start, stop, error)
        if self.serial < 0 and not rules.negative_serial:
            raise Malformed("x509: negative serial number")
        start, stop = expect(SEQUENCE, der, stop, tbs_end, "x509: malformed signature algorithm identifier")
        outer, outer_end = expect(SEQUENCE, der, tbs_end, end, "x509: malformed algorithm identifier")
        if der[start:stop] != der[outer:outer_end]:
            raise Malformed("x509: inner and outer signature algorithm identifiers don't match")
        self.signature_name = signature_algorithm(der[start:stop])
        issuer_end = expect(SEQUENCE, der, stop, tbs_end, "x509: malformed issuer")[1]
        self.raw_issuer = der[stop:issuer_end]
        self.issuer = _name(self.raw_issuer, rules.strict_strings)
        start, validity_end = expect(SEQUENCE, der, issuer_end, tbs_end, "x509: malformed validity")
        self.not_before, start = parse_time(der, start, validity_end, rules.any_zone)
        self.not_after, start = parse_time(der, start, validity_end, rules.any_zone)
        subject_end = expect(SEQUENCE, der, validity_end, tbs_end, "x509: malformed issuer")[1]
        self.raw_subject = der[validity_end:subject_end]
        self.subject = _name(self.raw_subject, rules.strict_strings)
        spki_end = expect(SEQUENCE, der, subject_end, tbs_end, "x509: malformed spki")[1]
        self.raw_spki = der[subject_end:spki_end]
        self.key = public_key(self.raw_spki, rules.point_errors)
        if self.version > 1:
            _extensions(self, der, spki_end, tbs_end)
        start, stop = expect(BIT_STRING, der, outer_end, end, "x509: malformed signature")
        self.signature = right_aligned(*bit_string(der, start, stop, "x509: malformed signature"))
        if end != len(der):
            raise Malformed("x509: trailing data")
        self.sha256 = sha256(der).hexdigest()


def _version(der: bytes, pos: int, end: int) -> tuple[int, int]:
    """(1 to 3, where the next field begins)."""
    if pos >= end or der[pos] != 0xA0:
        return 1, pos
    error = "x509: malformed version"
    start, stop = expect(0xA0, der, pos, end, error)
    at = expect(INTEGER, der, start, stop, error)
    version = integer(der, *at, error, 64)
    if at[1] != stop or version < 0:
        raise Malformed(error)
    if version > 2:
        raise Malformed("x509: invalid version")
    return version + 1, stop


def _extensions(certificate: Certificate, der: bytes, pos: int, end: int) -> None:
    for tag, error in ((0x81, "x509: malformed issuerUniqueID"), (0x82, "x509: malformed subjectUniqueID")):
        if pos < end and der[pos] == tag:
            pos = expect(tag, der, pos, end, error)[1]
    if certificate.version < 3 or pos >= end or der[pos] != 0xA3:
        return
    pos, end = expect(SEQUENCE, der, *expect(0xA3, der, pos, end, "x509: malformed extensions"), "x509: malformed extensions")
    found: dict[bytes, tuple[bool, int, int]] = {}
    while pos < end:
        start, stop = expect(SEQUENCE, der, pos, end, "x509: malformed extension")
        pos = stop
        body, after = expect(OID, der, start, stop, "x509: malformed extension OID field")
        oid = der[body:after]
        if not is_oid(oid):
            raise Malformed("x509: malformed extension OID field")
        critical = False
        if after < stop and der[after] == BOOLEAN:
            error = "x509: malformed extension critical field"
            body, end_of_flag = expect(BOOLEAN, der, after, stop, error)
            critical, after = boolean(der, body, end_of_flag, error), end_of_flag
        value = expect(OCTET_STRING, der, after, stop, "x509: malformed extension value field")
        if oid in found:
            named = f" with OID {quote(dotted(oid))}" if certificate.rules.repeated_extension_named else "s"
            raise Malformed(f"x509: certificate contains duplicate extension{named}")
        found[oid] = (critical, *value)
    process(certificate, der, found)


@lru_cache(maxsize=1024)
def _name(raw: bytes, strict: bool) -> Name:
    """The RDNSequence of a subject or issuer. Raises Malformed."""
    error = "x509: invalid RDNSequence"
    pos, end = expect(SEQUENCE, raw, 0, len(raw), error)
    common_name, organizations, parts = "", [], []
    while pos < end:
        inner, pos = expect(SET, raw, pos, end, error)
        rdn = []
        while inner < pos:
            start, inner = expect(SEQUENCE, raw, inner, pos, f"{error}: invalid attribute")
            body, after = expect(OID, raw, start, inner, f"{error}: invalid attribute type")
            oid = raw[body:after]
            if not is_oid(oid):
                raise Malformed(f"{error}: invalid attribute type")
            tag, start, stop = element(raw, after, inner)
            if tag < 0:
                raise Malformed(f"{error}: invalid attribute value")
            try:
                value = _string(tag, raw[start:stop], strict)
            except ValueError as problem:
                raise Malformed(f"{error}: invalid attribute value: {problem}") from None
            if oid == _COMMON_NAME:
                common_name = value
            elif oid == _ORGANIZATION:
                organizations.append(value)
            rdn.append(f"{_ATTRIBUTES.get(oid) or dotted(oid)}={_escaped(value)}")
        if rdn:
            parts.append("+".join(rdn))
    return Name(common_name, organizations[0] if organizations else None, ",".join(reversed(parts))[:_LONGEST_TEXT])


def _escaped(value: str) -> str:
    """RFC 4514 2.4; unprintable characters are shown, not passed on, because they end up on terminals."""
    shown = "".join(("\\" + char if char in ',+"\\<>;' else char) if char.isprintable() else f"\\{ord(char):02x}" for char in value[:256])
    return f"\\{shown}" if shown.startswith(("#", " ")) else shown


def _string(tag: int, value: bytes, strict: bool) -> str:
    """Raises ValueError with Go's words. Source: parseASN1String."""
    if tag == _PRINTABLE_TAG:
        return _limited(value, _PRINTABLE, "invalid PrintableString")
    if tag == _UTF8:
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise ValueError("invalid UTF-8 string") from None
    if tag == _NUMERIC:
        return _limited(value, _DIGITS, "invalid NumericString")
    if tag == _IA5:
        if not value.isascii():
            raise ValueError("invalid IA5String")
        return value.decode()
    if tag == _T61:
        return value.decode("latin-1") if strict else value.decode("utf-8", "surrogateescape")
    if tag == _BMP:
        return _bmp(value, strict)
    raise ValueError(f"unsupported string type: {tag}")


def _limited(value: bytes, allowed: frozenset[int], error: str) -> str:
    if not allowed.issuperset(value):
        raise ValueError(error)
    return value.decode()


def _bmp(value: bytes, strict: bool) -> str:
    if len(value) % 2:
        raise ValueError("invalid BMPString")
    if value.endswith(b"\0\0"):
        value = value[:-2]
    if not strict:
        return _LONE_SURROGATE.sub("\ufffd", value.decode("utf-16-be", "surrogatepass"))
    units = [high << 8 | low for high, low in zip(value[::2], value[1::2])]
    if any(0xD800 <= unit <= 0xDFFF or 0xFDD0 <= unit <= 0xFDEF or unit >= 0xFFFE for unit in units):
        raise ValueError("invalid BMPString")
    return "".join(map(chr, units))
