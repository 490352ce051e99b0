# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates are what the faults say, by cryptography's own judgement."""

from __future__ import annotations

import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from doctorlab import faults, paths, pki, servers, targets
from doctorlab.pki import Pair
from doctorlab.targets import Target

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def authorities() -> dict[str, Pair]:
    return pki.make_authorities(NOW)


def target(name: str) -> Target:
    return next(each for each in targets.allot(faults.select(faults.load(paths.FAULTS), name)) if each.role == "fault")


def names(certificate: x509.Certificate) -> list[str]:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def test_a_rotated_authority_has_the_same_name_and_another_key(authorities: dict[str, Pair]) -> None:
    old, new = authorities["old"].certificate, authorities["ca"].certificate
    assert old.subject == new.subject
    assert old.public_key() != new.public_key()
    leaf = pki.issue(authorities["ca"], "x", NOW, names=["x.example.com"]).certificate
    leaf.verify_directly_issued_by(new)
    with pytest.raises(InvalidSignature):
        leaf.verify_directly_issued_by(old)


def test_other_authority_has_another_name(authorities: dict[str, Pair]) -> None:
    assert authorities["other"].certificate.subject != authorities["ca"].certificate.subject


def test_expired_and_expiring_authorities(authorities: dict[str, Pair]) -> None:
    assert authorities["expired"].certificate.not_valid_after_utc < NOW
    assert NOW < authorities["expiring"].certificate.not_valid_after_utc < NOW + timedelta(days=7)


@pytest.mark.parametrize(
    ("name", "begin", "end"),
    [("healthy", -1, 365), ("certificate-expired", -90, -1), ("certificate-not-yet-valid", 1, 365), ("certificate-expires-soon", -85, 5)],
)
def test_validity(authorities: dict[str, Pair], name: str, begin: int, end: int) -> None:
    made = servers.certificate(target(name), authorities, NOW).certificate
    assert (made.not_valid_before_utc, made.not_valid_after_utc) == (NOW + timedelta(days=begin), NOW + timedelta(days=end))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("healthy", ["webhook.fault-healthy.svc", "webhook.fault-healthy.svc.cluster.local"]),
        ("url-good", ["fault-url-good.hooks.lab.example.net"]),
        ("kubelet-answered-ec2", ["ip-192-168-1-1.ec2.internal"]),
        ("kubelet-answered-node-name", ["lab-worker"]),
    ],
)
def test_names(authorities: dict[str, Pair], name: str, expected: list[str]) -> None:
    assert names(servers.certificate(target(name), authorities, NOW).certificate) == expected


def test_no_san_is_no_extension(authorities: dict[str, Pair]) -> None:
    made = servers.certificate(target("no-san"), authorities, NOW).certificate
    with pytest.raises(x509.ExtensionNotFound):
        names(made)
    assert made.subject.rfc4514_string() == "CN=webhook.fault-no-san.svc"


@pytest.mark.parametrize(("name", "server"), [("healthy", True), ("no-server-auth", False)])
def test_purpose(authorities: dict[str, Pair], name: str, server: bool) -> None:
    made = servers.certificate(target(name), authorities, NOW).certificate
    purposes = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert (x509.oid.ExtendedKeyUsageOID.SERVER_AUTH in purposes) is server


@pytest.mark.parametrize(("name", "count"), [("healthy", 1), ("several-authorities", 3), ("ca-bundle-empty", 0)])
def test_bundle(authorities: dict[str, Pair], name: str, count: int) -> None:
    assert servers.bundle(target(name), authorities).count("BEGIN CERTIFICATE") == count


def test_garbage_bundle_is_used_as_it_is(authorities: dict[str, Pair]) -> None:
    assert servers.bundle(target("ca-bundle-garbage"), authorities).startswith("Bag Attributes")


def test_keys_are_for_the_owner_only(authorities: dict[str, Pair], tmp_path: Path) -> None:
    dummy, key = authorities["ca"].write(tmp_path, "ca")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
