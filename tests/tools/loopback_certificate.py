# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a certificate as kube-apiserver makes its loopback certificate, with dates of one's choice: PEM files for a TLS server in a test.

The shape is that of k8s.io/client-go util/cert/cert.go (GenerateSelfSignedCertKeyWithOptions): a CA that is thrown away, and a leaf with one DNS name.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "apiserver-loopback-client"


@dataclass(frozen=True)
class Loopback:
    """The chain (leaf first) and the leaf's key, as PEM; the leaf as DER."""

    chain: bytes
    key: bytes
    leaf: bytes


def make(not_before: datetime, not_after: datetime, common_name: str | None = None) -> Loopback:
    """Times are timezone-aware. The common name is that of a process that was started an hour after `not_before`, unless one is given."""
    number = int((not_before + timedelta(hours=1)).timestamp())
    # EC, because it is made in no time; the API server's own is RSA 2048.
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name(f"{NAME}-ca@{number}")
    ca = _builder(ca_name, ca_name, ca_key, not_before, not_after).add_extension(x509.BasicConstraints(True, None), True).sign(ca_key, hashes.SHA256())
    leaf = (
        _builder(_name(common_name or f"{NAME}@{number}"), ca_name, key, not_before, not_after)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), False)
        .sign(ca_key, hashes.SHA256())
    )
    return Loopback(
        chain=b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (leaf, ca)),
        key=key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        leaf=leaf.public_bytes(serialization.Encoding.DER),
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, not_before: datetime, not_after: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(not_before).not_valid_after(not_after)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--begin-days", type=float, default=-100, help="days from now (default: %(default)s)")
    parser.add_argument("--end-days", type=float, default=265, help="days from now (default: %(default)s)")
    parser.add_argument("--common-name", help="another subject")
    parser.add_argument("folder", type=Path, help="where chain.pem and key.pem are written")
    options = parser.parse_args()
    now = datetime.now(timezone.utc).replace(microsecond=0)
    made = make(now + timedelta(days=options.begin_days), now + timedelta(days=options.end_days), options.common_name)
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "chain.pem").write_bytes(made.chain)
    (options.folder / "key.pem").write_bytes(made.key)


if __name__ == "__main__":
    main()
