# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys as Go's crypto/x509 parses them, and its signature checks. PRIVATE to the collection.

All cryptography is that of the `cryptography` package (>= 42), but for RSA keys that it refuses and older versions of Go accept (rsa_by_hand). What is decided
here is only what Go refuses before it calculates.
Sources: crypto/x509 parsePublicKey, CheckSignatureFrom; crypto/rsa; crypto/ecdsa.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

with suppress(ImportError):  # cabundle_verify says what is missing, before it asks anything here
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.der import (
    INTEGER,
    OID,
    SEQUENCE,
    Malformed,
    bit_string,
    element,
    expect,
    integer,
    is_oid,
    right_aligned,
)
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import Rules

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.certificate import Certificate

UNSUPPORTED = "x509: cannot verify signature: algorithm unimplemented"
CANNOT_SIGN = "x509: invalid signature: parent certificate cannot sign this kind of certificate"

_LEAST_RSA, _MOST_EXPONENT = 1024, 2**31 - 1
_NULL = b"\x05\x00"
_RSA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01"
_EC = b"\x2a\x86\x48\xce\x3d"
_SHA2 = b"\x60\x86\x48\x01\x65\x03\x04\x02"
_ED25519, _DSA = b"\x2b\x65\x70", b"\x2a\x86\x48\xce\x38\x04"
_KEYS = {_RSA + b"\x01": "RSA", _EC + b"\x02\x01": "ECDSA", _ED25519: "Ed25519", _DSA + b"\x01": "DSA"}
_GO_TYPES = {"RSA": "*rsa.PublicKey", "ECDSA": "*ecdsa.PublicKey", "Ed25519": "ed25519.PublicKey"}

# curve OID -> (Go's name, cryptography's name, octets of a coordinate, field prime)
_CURVES: dict[bytes, tuple[str, str, int, int]] = {
    b"\x2b\x81\x04\x00\x21": ("P224", "SECP224R1", 28, 2**224 - 2**96 + 1),
    _EC + b"\x03\x01\x07": ("P256", "SECP256R1", 32, 2**256 - 2**224 + 2**192 + 2**96 - 1),
    b"\x2b\x81\x04\x00\x22": ("P384", "SECP384R1", 48, 2**384 - 2**128 - 2**96 + 2**32 - 1),
    b"\x2b\x81\x04\x00\x23": ("P521", "SECP521R1", 66, 2**521 - 1),
}
# signature OID -> Go's name; what is not SHA-1 or MD5 ends (ECDSA) or begins (RSA) with cryptography's name of the digest
_SIGNATURES = {
    _RSA + b"\x04": "MD5-RSA",
    _RSA + b"\x05": "SHA1-RSA",
    b"\x2b\x0e\x03\x02\x1d": "SHA1-RSA",
    _RSA + b"\x0b": "SHA256-RSA",
    _RSA + b"\x0c": "SHA384-RSA",
    _RSA + b"\x0d": "SHA512-RSA",
    _DSA + b"\x03": "DSA-SHA1",
    b"\x60\x86\x48\x01\x65\x03\x04\x03\x02": "DSA-SHA256",
    _EC + b"\x04\x01": "ECDSA-SHA1",
    _EC + b"\x04\x03\x02": "ECDSA-SHA256",
    _EC + b"\x04\x03\x03": "ECDSA-SHA384",
    _EC + b"\x04\x03\x04": "ECDSA-SHA512",
    _ED25519: "Ed25519",
}
_PSS = {_SHA2 + b"\x01": ("SHA256-RSAPSS", 32), _SHA2 + b"\x02": ("SHA384-RSAPSS", 48), _SHA2 + b"\x03": ("SHA512-RSAPSS", 64)}


class Key(NamedTuple):
    """`kind` is RSA, ECDSA, Ed25519 or DSA; null for every key that Go cannot use. `bits` is 0 where a size says nothing.

    Equal keys are those that Go takes for equal, however they are written.
    """

    kind: str | None
    bits: int = 0
    usable: Any = None  # (e, n) of RSA, else cryptography's key object

    def __str__(self) -> str:
        return {"RSA": f"RSA {self.bits}", "ECDSA": f"ECDSA P-{self.bits}", None: "unknown"}.get(self.kind, str(self.kind))


def algorithm(data: bytes, start: int, stop: int) -> tuple[bytes, bytes]:
    """(OID, the parameters' whole element or b"") of an AlgorithmIdentifier's contents. Raises Malformed."""
    body, end = expect(OID, data, start, stop, "x509: malformed OID")
    oid = data[body:end]
    if not is_oid(oid):
        raise Malformed("x509: malformed OID")
    if end == stop:
        return oid, b""
    tag, _body, after = element(data, end, stop)
    if tag < 0:
        raise Malformed("x509: malformed parameters")
    return oid, data[end:after]


@lru_cache(maxsize=256)
def signature_algorithm(identifier: bytes) -> str:
    """Go's name of the algorithm whose AlgorithmIdentifier has these contents, "0" if Go knows none. Raises Malformed."""
    oid, parameters = algorithm(identifier, 0, len(identifier))
    if oid == _ED25519 and parameters:
        return "0"
    if oid != _RSA + b"\x0a":
        return _SIGNATURES.get(oid, "0")
    try:
        return _pss(parameters)
    except Malformed:
        return "0"


def _pss(parameters: bytes) -> str:
    """RSASSA-PSS: digest, MGF1 with the same digest, a salt as long as it, trailer 1. Anything else is "0"."""
    start, stop = expect(SEQUENCE, parameters, 0, len(parameters), "")
    fields = []
    for tag in (0xA0, 0xA1, 0xA2):
        body, end = expect(tag, parameters, start, stop, "")
        fields.append((body, end))
        start = end
    digest, digest_parameters = algorithm(parameters, *expect(SEQUENCE, parameters, *fields[0], ""))
    mask, mask_parameters = algorithm(parameters, *expect(SEQUENCE, parameters, *fields[1], ""))
    mask_digest, inner_parameters = algorithm(mask_parameters, *expect(SEQUENCE, mask_parameters, 0, len(mask_parameters), ""))
    salt = integer(parameters, *expect(INTEGER, parameters, *fields[2], ""), "", 64)
    trailer = 1
    if start < stop and parameters[start] == 0xA3:
        trailer = integer(parameters, *expect(INTEGER, parameters, *expect(0xA3, parameters, start, stop, ""), ""), "", 64)
    name, length = _PSS.get(digest, ("0", salt))
    nulls = {digest_parameters, inner_parameters} <= {b"", _NULL}
    return name if nulls and mask == _RSA + b"\x08" and mask_digest == digest and salt == length and trailer == 1 else "0"


@lru_cache(maxsize=1024)
def public_key(spki: bytes, point_errors: bool) -> Key:
    """The key in a SubjectPublicKeyInfo. Raises Malformed with Go's words for what Go's parser refuses."""
    start, stop = expect(SEQUENCE, spki, 0, len(spki), "x509: malformed spki")
    identifier = expect(SEQUENCE, spki, start, stop, "x509: malformed public key algorithm identifier")
    oid, parameters = algorithm(spki, *identifier)
    bits = expect(3, spki, identifier[1], stop, "x509: malformed subjectPublicKey")
    data = right_aligned(*bit_string(spki, *bits, "x509: malformed subjectPublicKey"))
    kind = _KEYS.get(oid)
    if kind == "RSA":
        return _rsa(parameters, data)
    if kind == "ECDSA":
        return _ecdsa(parameters, data, point_errors)
    if kind == "Ed25519":
        if parameters:
            raise Malformed("x509: Ed25519 key encoded with illegal parameters")
        if len(data) != 32:
            raise Malformed("x509: wrong Ed25519 public key size")
        return Key(kind, 0, Ed25519PublicKey.from_public_bytes(data))
    if kind == "DSA":
        _check_dsa(parameters, data)
    return Key(kind)


def _rsa(parameters: bytes, data: bytes) -> Key:
    if parameters != _NULL:
        raise Malformed("x509: RSA key missing NULL parameters")
    start, stop = expect(SEQUENCE, data, 0, len(data), "x509: invalid RSA public key")
    error = "x509: invalid RSA modulus"
    modulus_at = expect(INTEGER, data, start, stop, error)
    modulus = integer(data, *modulus_at, error)
    error = "x509: invalid RSA public exponent"
    exponent = integer(data, *expect(INTEGER, data, modulus_at[1], stop, error), error, 64)
    if modulus <= 0:
        raise Malformed("x509: RSA modulus is not a positive number")
    if exponent <= 0:
        raise Malformed("x509: RSA public exponent is not a positive number")
    return Key("RSA", modulus.bit_length(), (exponent, modulus))


def _ecdsa(parameters: bytes, data: bytes, point_errors: bool) -> Key:
    error = "x509: invalid ECDSA parameters"
    start, stop = expect(OID, parameters, 0, len(parameters), error)
    if not is_oid(parameters[start:stop]):
        raise Malformed(error)
    if parameters[start:stop] not in _CURVES:
        raise Malformed("x509: unsupported elliptic curve")
    try:
        return _point(data, *_CURVES[parameters[start:stop]])
    except Malformed:
        if point_errors:
            raise
        raise Malformed("x509: failed to unmarshal elliptic curve point") from None


def _point(data: bytes, name: str, curve: str, size: int, prime: int) -> Key:
    if data[:1] != b"\x04":
        raise Malformed("ecdsa: invalid uncompressed public key")
    if len(data) != 1 + 2 * size:
        raise Malformed(f"invalid {name} point encoding")
    if max(int.from_bytes(data[1 : 1 + size], "big"), int.from_bytes(data[1 + size :], "big")) >= prime:
        raise Malformed("invalid P256 element encoding" if name == "P256" else f"invalid {name}Element encoding")
    try:
        return Key("ECDSA", int(name[1:]), ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, curve)(), data))
    except ValueError:
        raise Malformed(f"{name} point not on curve") from None


def _check_dsa(parameters: bytes, data: bytes) -> None:
    error = "x509: invalid DSA public key"
    numbers = [integer(data, *expect(INTEGER, data, 0, len(data), error), error)]
    error = "x509: invalid DSA parameters"
    position, stop = expect(SEQUENCE, parameters, 0, len(parameters), error)
    for _number in "pqg":
        at = expect(INTEGER, parameters, position, stop, error)
        numbers.append(integer(parameters, *at, error))
        position = at[1]
    if min(numbers) <= 0:
        raise Malformed("x509: zero or negative DSA parameter")


def signature_error(child: Certificate, parent: Certificate) -> str | None:
    """Why `parent` did not sign `child`, in Go's words; None if it did."""
    if (parent.version == 3 and not parent.constrained) or (parent.constrained and not parent.is_ca):
        return CANNOT_SIGN
    if parent.key_usage and not parent.key_usage & 1 << 5:
        return CANNOT_SIGN
    key, name = parent.key, child.signature_name
    if key.kind is None or name == "0":
        return UNSUPPORTED
    if name.startswith("MD5") or "SHA1" in name:
        advice = " (temporarily override with GODEBUG=x509sha1=1)" if parent.rules.sha1_advice and name in ("SHA1-RSA", "ECDSA-SHA1") else ""
        return f"x509: cannot verify signature: insecure algorithm {name}{advice}"
    kind = "RSA" if "-RSA" in name else name.split("-")[0]
    if key.kind not in _GO_TYPES:
        return UNSUPPORTED
    if key.kind != kind:
        return f"x509: signature algorithm specifies an {kind} public key, but have public key of type {_GO_TYPES[key.kind]}"
    return _verify(key, name, child.signature, child.der[child.tbs[0] : child.tbs[1]], parent.rules)


def _verify(key: Key, name: str, signature: bytes, signed: bytes, rules: Rules) -> str | None:
    if key.kind == "RSA":
        exponent, modulus = key.usable
        refusal = _rsa_refusal(exponent, modulus, key.bits, rules)
        if refusal:
            return refusal
        if key.bits < _LEAST_RSA or exponent < 3 or not exponent & 1 or exponent > _MOST_EXPONENT:
            from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.rsa_by_hand import verifies

            return None if verifies(exponent, modulus, name, signature, signed) else "crypto/rsa: verification error"
    try:
        if key.kind == "Ed25519":
            key.usable.verify(signature, signed)
        elif key.kind == "ECDSA":
            key.usable.verify(signature, signed, ec.ECDSA(getattr(hashes, name[6:])()))
        else:
            digest = getattr(hashes, name[:6])()
            pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
            rsa.RSAPublicNumbers(exponent, modulus).public_key().verify(signature, signed, pss if name.endswith("PSS") else padding.PKCS1v15(), digest)
    except (InvalidSignature, ValueError):  # ValueError: numbers that the library takes for no key at all
        return "crypto/rsa: verification error" if key.kind == "RSA" else f"x509: {key.kind} verification failure"
    return None


def _rsa_refusal(exponent: int, modulus: int, bits: int, rules: Rules) -> str | None:
    """What Go's crypto/rsa says about the key itself; until Go 1.23 nothing."""
    if not rules.rsa_checked:
        return None
    if bits < _LEAST_RSA and not rules.small_rsa:
        return f"crypto/rsa: {bits}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)"
    if modulus == 1:
        return "modulus must be > 1"
    if not modulus & 1:
        return "crypto/rsa: public modulus is even"
    if exponent < 2:
        return "crypto/rsa: public exponent too small or negative"
    if not exponent & 1:
        return "crypto/rsa: public exponent is even"
    return "crypto/rsa: public exponent too large" if exponent > _MOST_EXPONENT else None
