# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSA signatures of keys that `cryptography` refuses and Go before 1.24 accepts: fewer than 1024 bits, odd exponents. PRIVATE to the collection.

No secret is involved in the check of a signature. Sources: crypto/rsa VerifyPKCS1v15, VerifyPSS, emsaPSSVerify (1.22, 1.23); RFC 8017 8.2.2, 9.1.2.
"""

from __future__ import annotations

import hashlib

_LARGEST = 16384  # bits: what OpenSSL calculates with, too
_DIGEST_INFO = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}


def verifies(exponent: int, modulus: int, algorithm: str, signature: bytes, signed: bytes) -> bool:
    """Whether the signature is good. `algorithm` is Go's name of it: SHA256-RSA, SHA256-RSAPSS, ..."""
    size = (modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if len(signature) != size or not modulus & 1 or number >= modulus or modulus.bit_length() > _LARGEST:
        return False
    encoded = pow(number, exponent, modulus).to_bytes(size, "big")
    digest = algorithm[:6].lower()
    hashed = hashlib.new(digest, signed).digest()
    if algorithm.endswith("PSS"):
        return _is_pss(encoded, modulus.bit_length() - 1, digest, hashed)
    suffix = b"\0" + _DIGEST_INFO[digest] + hashed
    padding = size - len(suffix) - 2
    return padding >= 8 and encoded == b"\0\x01" + b"\xff" * padding + suffix


def _is_pss(encoded: bytes, bits: int, digest: str, hashed: bytes) -> bool:
    """`bits` of `encoded` count; the salt is as long as the digest."""
    length, size = (bits + 7) // 8, len(hashed)
    if encoded[: len(encoded) - length].strip(b"\0") or length < 2 * size + 2 or encoded[-1] != 0xBC:
        return False
    encoded = encoded[len(encoded) - length :]
    masked, seed = encoded[: -size - 1], encoded[-size - 1 : -1]
    spare = 8 * length - bits
    if masked[0] >> 8 - spare:
        return False
    block = bytes(a ^ b for a, b in zip(masked, _mask(seed, len(masked), digest)))
    block = bytes([block[0] & 0xFF >> spare]) + block[1:]
    salt = block[-size:]
    if block[:-size] != b"\0" * (len(block) - size - 1) + b"\x01":
        return False
    return hashlib.new(digest, b"\0" * 8 + hashed + salt).digest() == seed


def _mask(seed: bytes, length: int, digest: str) -> bytes:
    """MGF1."""
    out = b""
    counter = 0
    while len(out) < length:
        out += hashlib.new(digest, seed + counter.to_bytes(4, "big")).digest()
        counter += 1
    return out[:length]
