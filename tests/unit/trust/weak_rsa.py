# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSA keys that `cryptography` neither makes nor signs with, for the tests of what older versions of Go accept."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import random

_DIGEST_INFO = {"sha256": "3031300d060960864801650304020105000420", "sha384": "3041300d060960864801650304020205000430"}
_DIGEST_INFO["sha512"] = "3051300d060960864801650304020305000440"


@dataclasses.dataclass(frozen=True)
class Private:
    modulus: int
    exponent: int  # the private one


def generate(size: int, exponent: int, rng: random.Random) -> Private:
    """A key of `size` bits. Even exponents have no private one: such a key signs wrongly."""
    while True:
        first, second = _prime(size // 2, rng), _prime(size - size // 2, rng)
        modulus, order = first * second, math.lcm(first - 1, second - 1)
        if modulus.bit_length() == size and (math.gcd(exponent, order) == 1 or not exponent & 1):
            return Private(modulus, pow(exponent, -1, order) if exponent & 1 else 3)


def _prime(size: int, rng: random.Random) -> int:
    while True:
        candidate = rng.getrandbits(size) | 1 | 3 << size - 2
        if all(candidate % small for small in (3, 5, 7, 11, 13, 17, 19, 23)) and all(pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5, 7)):
            return candidate


def sign(key: Private, digest: str, data: bytes, pss: bool) -> bytes:
    """The signature, or bytes that are none where the key is too small for the digest."""
    size = (key.modulus.bit_length() + 7) // 8
    hashed = hashlib.new(digest, data).digest()
    encoded = _pss(hashed, digest, key.modulus.bit_length() - 1) if pss else _pkcs1(hashed, digest, size)
    number = int.from_bytes(encoded or b"\1", "big")
    return pow(number, key.exponent, key.modulus).to_bytes(size, "big")


def _pkcs1(hashed: bytes, digest: str, size: int) -> bytes:
    suffix = bytes.fromhex("00" + _DIGEST_INFO[digest]) + hashed
    return b"\0\1" + b"\xff" * (size - len(suffix) - 2) + suffix if size >= len(suffix) + 10 else b""


def _pss(hashed: bytes, digest: str, bits: int) -> bytes:
    """EMSA-PSS with a salt as long as the digest. Source: RFC 8017 9.1.1."""
    length, salt = (bits + 7) // 8, hashed[::-1]
    if length < 2 * len(hashed) + 2:
        return b""
    seed = hashlib.new(digest, bytes(8) + hashed + salt).digest()
    block = bytes(length - 2 * len(hashed) - 2) + b"\1" + salt
    mask = b"".join(hashlib.new(digest, seed + number.to_bytes(4, "big")).digest() for number in range(length // len(hashed) + 1))
    masked = bytearray(a ^ b for a, b in zip(block, mask))
    masked[0] &= 0xFF >> 8 * length - bits
    return bytes(masked) + seed + b"\xbc"
