# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and certificates, healthy and faulty, made afresh for each lab."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Certificate authorities that faults name: common name, days until it begins, days until it ends.
# `old` and `ca` have the same subject and different keys: what a CA that was made again looks like.
AUTHORITIES: dict[str, tuple[str, int, int]] = {
    "ca": ("lab-ca", -30, 3650),
    "old": ("lab-ca", -400, 3650),
    "other": ("other-ca", -30, 3650),
    "expired": ("expired-ca", -400, -1),
    "expiring": ("expiring-ca", -360, 5),
    "proxy": ("inspecting-proxy-ca", -30, 3650),
    "cluster": ("kubernetes", -30, 3650),
    "front_proxy": ("front-proxy-ca", -30, 3650),
    "etcd": ("etcd-ca", -30, 3650),
}


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    @property
    def key_pem(self) -> str:
        return key_pem(self.key)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write <name>.crt and <name>.key (readable by the owner only); return their paths."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_text(self.certificate_pem, encoding="ascii")
        key.touch(mode=0o600)
        key.write_text(self.key_pem, encoding="ascii")
        return certificate, key


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode("ascii")


def public_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def make_authorities(now: datetime) -> dict[str, Pair]:
    """Make the certificate authorities of AUTHORITIES. `now` is timezone-aware."""
    return {name: _authority(common_name, now + timedelta(days=begin), now + timedelta(days=end)) for name, (common_name, begin, end) in AUTHORITIES.items()}


def make_authority(common_name: str, now: datetime) -> Pair:
    """A certificate authority of another name, which is good for a year."""
    return _authority(common_name, now - timedelta(days=1), now + timedelta(days=365))


def issue(
    authority: Pair,
    common_name: str,
    now: datetime,
    *,
    names: Iterable[str] = (),
    begin_days: float = -1,
    end_days: float = 365,
    usage: str | None = "server",
    organization: str | None = None,
) -> Pair:
    """Issue a leaf. `names` are DNS names and IP addresses; none at all leaves the SAN extension out. `usage`: server, client, None (no ExtKeyUsage)."""
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])  # RFC 5280: at most 64 characters
    builder = _builder(subject, authority.certificate.subject, key.public_key(), now + timedelta(days=begin_days), now + timedelta(days=end_days))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    alternatives = [_general_name(name) for name in names]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    purposes = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purposes[usage]]), critical=False)
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def _authority(common_name: str, begin: datetime, end: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = _builder(name, name, key.public_key(), begin, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    builder = builder.add_extension(_CA_USAGE, critical=True)
    return Pair(builder.sign(key, hashes.SHA256()), key)


_CA_USAGE = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begin: datetime, end: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
