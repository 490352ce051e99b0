# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as control planes have them."""

from __future__ import annotations

import base64
import datetime
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOUR = datetime.timedelta(hours=1)


class Authority:
    """A CA. Certificates come as PEM."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = _builder(self._name, self._name, self._key, now - 24 * HOUR, now + 24 * HOUR)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate = _pem(builder.sign(self._key, hashes.SHA256()))

    def issue(self, name: str, organization: str | None = None) -> tuple[bytes, bytes]:
        """(certificate, key)"""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = _builder(_name(name, organization), self._name, key, now - HOUR, now + HOUR)
        return _pem(builder.sign(self._key, hashes.SHA256())), _key_pem(key)

    def kubeconfig(self, server: str = "https://127.0.0.1:6443") -> dict[str, Any]:
        """An administrator's, as kubeadm writes it, but not yet as YAML."""
        certificate, key = self.issue("kubernetes-admin", "system:masters")
        return {
            "apiVersion": "v1",
            "clusters": [{"cluster": {"certificate-authority-data": _encoded(self.certificate), "server": server}, "name": "kubernetes"}],
            "contexts": [{"context": {"cluster": "kubernetes", "user": "kubernetes-admin"}, "name": "kubernetes-admin@kubernetes"}],
            "current-context": "kubernetes-admin@kubernetes",
            "kind": "Config",
            "preferences": {},
            "users": [{"name": "kubernetes-admin", "user": {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key)}}],
        }


def loopback(started: int, days: int = 1096) -> bytes:
    """Chain and key of a process that began at `started` (seconds since 1970), as client-go util/cert/cert.go makes them."""
    begin = datetime.datetime.fromtimestamp(started, datetime.timezone.utc) - HOUR
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = _name(f"apiserver-loopback-client-ca@{started}"), _name(f"apiserver-loopback-client@{started}")
    end = begin + datetime.timedelta(days=days)
    ca = _builder(ca_name, ca_name, ca_key, begin, end).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    leaf = _builder(name, ca_name, key, begin, end).add_extension(x509.SubjectAlternativeName([x509.DNSName("apiserver-loopback-client")]), critical=False)
    return _pem(leaf.sign(ca_key, hashes.SHA256())) + _pem(ca.sign(ca_key, hashes.SHA256())) + _key_pem(key)


def as_yaml(kubeconfig: dict[str, Any]) -> str:
    """The kubeconfig as client-go's clientcmd writes it: block style, sequences not indented."""
    cluster, context, user = kubeconfig["clusters"][0], kubeconfig["contexts"][0], kubeconfig["users"][0]
    credentials = "".join(f"    {name}: {value}\n" for name, value in user["user"].items())
    return (
        f"apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {cluster['cluster']['certificate-authority-data']}\n"
        f"    server: {cluster['cluster']['server']}\n  name: {cluster['name']}\ncontexts:\n- context:\n    cluster: {context['context']['cluster']}\n"
        f"    user: {context['context']['user']}\n  name: {context['name']}\ncurrent-context: {kubeconfig['current-context']}\nkind: Config\n"
        f"preferences: {json.dumps(kubeconfig['preferences'])}\nusers:\n- name: {user['name']}\n  user:\n{credentials}"
    )


def _builder(name: x509.Name, issuer: x509.Name, key: Any, begin: datetime.datetime, end: datetime.datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)


def _name(common: str, organization: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: Any) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
