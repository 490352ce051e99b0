# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of every kind, sound and broken, for the tests: DER written by hand, signed with real keys.

`cryptography`'s own builder makes only certificates that it likes; most faults that Go judges cannot be made with it.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import random
from typing import Any, Callable

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from ansible_collections.kubeops.webhook_doctor.tests.unit.trust import weak_rsa

NULL = b"\x05\x00"
ANY_USAGE, SERVER_AUTH, CLIENT_AUTH, UNKNOWN_USAGE = "2.5.29.37.0", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.99999.1"


# --- DER ---------------------------------------------------------------------------------------------------------------------------


def tlv(tag: int, *contents: bytes) -> bytes:
    body = b"".join(contents)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def seq(*contents: bytes) -> bytes:
    return tlv(0x30, *contents)


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    out = bytearray()
    for arc in (first * 40 + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(arc & 0x7F | 0x80)
        out += bytes(reversed(octets))
    return tlv(6, bytes(out))


def bits(data: bytes, unused: int = 0) -> bytes:
    return tlv(3, bytes([unused]) + data)


def boolean(value: bool) -> bytes:
    return tlv(1, b"\xff" if value else b"\0")


def name(*attributes: tuple[str, str] | tuple[str, str, int]) -> bytes:
    """("2.5.4.3", "lab-ca") pairs, with the string's tag as a third where it is not UTF8String."""
    encode = {0x1E: "utf-16-be", 0x14: "latin-1"}
    sets = []
    for kind, value, *tag in attributes:
        at = tag[0] if tag else 0x0C
        raw = value if isinstance(value, bytes) else value.encode(encode.get(at, "utf-8"))
        sets.append(tlv(0x31, seq(oid(kind), tlv(at, raw))))
    return seq(*sets)


def common_name(text: str) -> bytes:
    return name(("2.5.4.3", text))


def when(text: str) -> bytes:
    """ "20260101000000Z" as GeneralizedTime, "260101000000Z" as UTCTime."""
    return tlv(0x17 if len(text) < 15 else 0x18, text.encode())


# --- keys --------------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Key:
    """A key pair, its SubjectPublicKeyInfo, and how it signs by default. `private` is None where nobody signs with it."""

    label: str
    spki: bytes
    private: Any
    algorithm: str


_RSA_OID, _NO_PARAMETERS = "1.2.840.113549.1.1.", b""
_SHA2_OID = {"SHA256": "2.16.840.1.101.3.4.2.1", "SHA384": "2.16.840.1.101.3.4.2.2", "SHA512": "2.16.840.1.101.3.4.2.3"}
_HASHES = {"SHA1": hashes.SHA1, "SHA256": hashes.SHA256, "SHA384": hashes.SHA384, "SHA512": hashes.SHA512, "MD5": hashes.MD5}


def pss_parameters(digest: str = "SHA256", mask: str | None = None, salt: int | None = None, trailer: bytes = b"", nulls: bool = True) -> bytes:
    null = NULL if nulls else b""
    salt = {"SHA256": 32, "SHA384": 48, "SHA512": 64}[digest] if salt is None else salt
    inner = seq(oid(_SHA2_OID[mask or digest]), null)
    return seq(tlv(0xA0, seq(oid(_SHA2_OID[digest]), null)), tlv(0xA1, seq(oid(_RSA_OID + "8"), inner)), tlv(0xA2, integer(salt)), trailer)


ALGORITHMS: dict[str, bytes] = {
    "MD5-RSA": seq(oid(_RSA_OID + "4"), NULL),
    "SHA1-RSA": seq(oid(_RSA_OID + "5"), NULL),
    "SHA1-ISO": seq(oid("1.3.14.3.2.29"), NULL),
    "SHA256-RSA": seq(oid(_RSA_OID + "11"), NULL),
    "SHA384-RSA": seq(oid(_RSA_OID + "12"), NULL),
    "SHA512-RSA": seq(oid(_RSA_OID + "13"), NULL),
    "SHA256-RSA-noparams": seq(oid(_RSA_OID + "11")),
    "SHA256-PSS": seq(oid(_RSA_OID + "10"), pss_parameters()),
    "SHA384-PSS": seq(oid(_RSA_OID + "10"), pss_parameters("SHA384")),
    "SHA512-PSS": seq(oid(_RSA_OID + "10"), pss_parameters("SHA512", nulls=False)),
    "SHA256-PSS-wrongsalt": seq(oid(_RSA_OID + "10"), pss_parameters(salt=20)),
    "SHA256-PSS-wrongmask": seq(oid(_RSA_OID + "10"), pss_parameters(mask="SHA384")),
    "SHA256-PSS-trailer": seq(oid(_RSA_OID + "10"), pss_parameters(trailer=tlv(0xA3, integer(1)))),
    "SHA256-PSS-trailer2": seq(oid(_RSA_OID + "10"), pss_parameters(trailer=tlv(0xA3, integer(2)))),
    "SHA256-PSS-noparams": seq(oid(_RSA_OID + "10")),
    "DSA-SHA1": seq(oid("1.2.840.10040.4.3")),
    "DSA-SHA256": seq(oid("2.16.840.1.101.3.4.3.2")),
    "ECDSA-SHA1": seq(oid("1.2.840.10045.4.1")),
    "ECDSA-SHA256": seq(oid("1.2.840.10045.4.3.2")),
    "ECDSA-SHA256-null": seq(oid("1.2.840.10045.4.3.2"), NULL),
    "ECDSA-SHA384": seq(oid("1.2.840.10045.4.3.3")),
    "ECDSA-SHA512": seq(oid("1.2.840.10045.4.3.4")),
    "Ed25519": seq(oid("1.3.101.112")),
    "Ed25519-null": seq(oid("1.3.101.112"), NULL),
    "Ed448": seq(oid("1.3.101.113")),
}


def _der(private: Any) -> bytes:
    return private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _number(label: str) -> int:
    return int.from_bytes(hashlib.sha512(label.encode()).digest(), "big")


@functools.cache
def key(label: str) -> Key:
    """ "p256-a", "rsa2048-b", "ed25519-a", ...: the same label is the same key (RSA: within one process)."""
    kind = label.partition("-")[0]
    if kind in _CURVES:
        curve, algorithm = _CURVES[kind]
        private: Any = ec.derive_private_key(_number(label) % 2**200 + 1, curve())
        return Key(label, _der(private), private, algorithm)
    if kind == "ed25519":
        private = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label.encode()).digest())
        return Key(label, _der(private), private, "Ed25519")
    if kind == "dsa":
        numbers = seq(integer(_number("p") | 1), integer(_number("q") | 1), integer(2))
        return Key(label, seq(seq(oid("1.2.840.10040.4.1"), numbers), bits(integer(_number(label)))), None, "DSA-SHA256")
    if kind == "ed448":
        return Key(label, seq(seq(oid("1.3.101.113")), bits(bytes(57))), None, "Ed448")
    if kind == "rsaweak":  # true keys that no library makes: small, or with an odd exponent
        size, exponent = map(int, label.split("-")[1:3])
        private = weak_rsa.generate(size, exponent, random.Random(label))
        return Key(label, rsa_spki(private.modulus, exponent), private, "SHA256-RSA")
    if kind == "rsaodd":  # sizes and exponents that no library makes
        size, exponent = map(int, label.split("-")[1:3])
        modulus = random.Random(label).getrandbits(size) | 1 << size - 1 | 1
        return Key(label, rsa_spki(modulus, exponent), None, "SHA256-RSA")
    private = rsa.generate_private_key(65537, int(kind[3:]))
    return Key(label, _der(private), private, "SHA256-RSA")


def rsa_spki(modulus: int, exponent: int, parameters: bytes = NULL) -> bytes:
    return seq(seq(oid(_RSA_OID + "1"), parameters), bits(seq(integer(modulus), integer(exponent))))


_CURVES: dict[str, tuple[Any, str]] = {
    "p224": (ec.SECP224R1, "ECDSA-SHA256"),
    "p256": (ec.SECP256R1, "ECDSA-SHA256"),
    "p384": (ec.SECP384R1, "ECDSA-SHA384"),
    "p521": (ec.SECP521R1, "ECDSA-SHA512"),
}


def sign(signer: Key, algorithm: str, data: bytes) -> bytes:
    """A true signature where the key can make one of that kind, else bytes that are none."""
    parts = algorithm.split("-")
    if isinstance(signer.private, ec.EllipticCurvePrivateKey) and parts[0] == "ECDSA":
        return signer.private.sign(data, ec.ECDSA(_HASHES[parts[1]]()))
    fits = isinstance(signer.private, rsa.RSAPrivateKey) and (parts[1:] != ["PSS"] or signer.private.key_size > 1100)
    if fits and parts[0] in _HASHES:
        digest = _HASHES[parts[0]]()
        scheme: Any = padding.PSS(padding.MGF1(digest), digest.digest_size) if parts[1] == "PSS" else padding.PKCS1v15()
        return signer.private.sign(data, scheme, digest)
    if isinstance(signer.private, weak_rsa.Private) and parts[0] in ("SHA256", "SHA384", "SHA512"):
        return weak_rsa.sign(signer.private, parts[0].lower(), data, pss=parts[1] == "PSS")
    if isinstance(signer.private, ed25519.Ed25519PrivateKey) and parts[0] == "Ed25519":
        return signer.private.sign(data)
    return hashlib.sha512(data).digest()


# --- extensions --------------------------------------------------------------------------------------------------------------------

Extension = tuple[str, bool, bytes]  # (OID, critical, contents of the OCTET STRING)


def basic_constraints(ca: bool | None, path_length: int | None = None, critical: bool = True) -> Extension:
    flag = b"" if ca is None else boolean(ca)
    return ("2.5.29.19", critical, seq(flag, b"" if path_length is None else integer(path_length)))


def key_usage(*numbers: int, critical: bool = True) -> Extension:
    value = sum(1 << 15 - number for number in numbers)
    raw = value.to_bytes(2, "big").rstrip(b"\0")
    unused = (8 - raw[-1].bit_length() if not raw else (raw[-1] & -raw[-1]).bit_length() - 1) if raw else 0
    return ("2.5.29.15", critical, bits(raw, unused))


def extended_key_usage(*usages: str, critical: bool = False) -> Extension:
    return ("2.5.29.37", critical, seq(*map(oid, usages)))


def alternative_names(*names: tuple[int, bytes], critical: bool = False) -> Extension:
    """(2, b"a.b.svc") is a DNS name, (7, 4 or 16 bytes) an address, (1, ...) an e-mail address, (6, ...) a URI."""
    return ("2.5.29.17", critical, seq(*(tlv(0x80 | kind, value) for kind, value in names)))


def dns(*names: str) -> Extension:
    return alternative_names(*((2, one.encode()) for one in names))


def name_constraints(permitted: list[tuple[int, bytes]], excluded: list[tuple[int, bytes]], critical: bool = True) -> Extension:
    lists = [(0xA0, permitted), (0xA1, excluded)]
    return ("2.5.29.30", critical, seq(*(tlv(tag, *(seq(tlv(0x80 | kind, value)) for kind, value in one)) for tag, one in lists if one)))


def policies(*names: str, critical: bool = False) -> Extension:
    return ("2.5.29.32", critical, seq(*(seq(oid(one)) for one in names)))


def policy_mappings(*pairs: tuple[str, str], critical: bool = True) -> Extension:
    return ("2.5.29.33", critical, seq(*(seq(oid(issuer), oid(subject)) for issuer, subject in pairs)))


def policy_constraints(explicit: int | None, mapping: int | None, critical: bool = True) -> Extension:
    parts = [(0x80, explicit), (0x81, mapping)]
    return ("2.5.29.36", critical, seq(*(tlv(tag, integer(value)[2:]) for tag, value in parts if value is not None)))


def inhibit_any_policy(skip: int, critical: bool = True) -> Extension:
    return ("2.5.29.54", critical, integer(skip))


def subject_key_id(value: bytes, critical: bool = False) -> Extension:
    return ("2.5.29.14", critical, tlv(4, value))


def authority_key_id(value: bytes, critical: bool = False) -> Extension:
    return ("2.5.29.35", critical, seq(tlv(0x80, value)))


# --- certificates ------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Spec:
    """One certificate to be made. Fields hold DER where the structure matters; `tamper` changes the signed part before it is signed."""

    subject: bytes
    issuer: bytes
    key: Key
    signer: Key
    extensions: list[Extension] = dataclasses.field(default_factory=list)
    version: int | None = 3
    serial: int = 1
    not_before: str = "260101000000Z"
    not_after: str = "271231235959Z"
    algorithm: str | None = None  # of ALGORITHMS; the signer's own if None
    outer_algorithm: str | None = None
    spki: bytes | None = None
    tamper: Callable[[bytes], bytes] | None = None
    break_signature: bool = False

    def tbs(self) -> bytes:
        version = b"" if self.version is None else tlv(0xA0, integer(self.version - 1))
        algorithm = ALGORITHMS[self.algorithm or self.signer.algorithm]
        validity = seq(when(self.not_before), when(self.not_after))
        listed = [seq(oid(kind), boolean(True) if critical else b"", tlv(4, value)) for kind, critical, value in self.extensions]
        extensions = tlv(0xA3, seq(*listed)) if listed else b""
        return seq(version, integer(self.serial), algorithm, self.issuer, validity, self.subject, self.spki or self.key.spki, extensions)

    def der(self) -> bytes:
        tbs = self.tbs()
        if self.tamper:
            tbs = self.tamper(tbs)
        algorithm = self.algorithm or self.signer.algorithm
        signature = sign(self.signer, algorithm, tbs)
        if self.break_signature:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        return seq(tbs, ALGORITHMS[self.outer_algorithm or algorithm], bits(signature))

    def pem(self) -> str:
        return pem(self.der())


def pem(der: bytes, kind: str = "CERTIFICATE") -> str:
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n" if lines else f"-----BEGIN {kind}-----\n-----END {kind}-----\n"


def authority(text: str, label: str, parent: Spec | None = None, **fields: Any) -> Spec:
    """A CA certificate, self-signed without `parent`."""
    own, subject = key(label), common_name(text)
    fields.setdefault("extensions", [basic_constraints(True), key_usage(5, 6)])
    return Spec(subject, parent.subject if parent else subject, own, parent.key if parent else own, **fields)


def server(parent: Spec, *names: str, label: str = "p256-leaf", **fields: Any) -> Spec:
    """A serving certificate for these DNS names."""
    fields.setdefault("extensions", [basic_constraints(False), key_usage(0), extended_key_usage(SERVER_AUTH), dns(*names)])
    return Spec(common_name("webhook"), parent.subject, key(label), parent.key, **fields)
