# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the script reads of a certificate is what cryptography reads."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from ansible_collections.kubeops.webhook_doctor.roles.rotation_schedule.files.apiserver_loopback_metrics import NotDer, read_certificate
from ansible_collections.kubeops.webhook_doctor.tests.tools.loopback_certificate import make

SEED = 1
KEYS = (ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048))
TYPES = (_ASN1Type.UTF8String, _ASN1Type.PrintableString, _ASN1Type.IA5String, _ASN1Type.T61String, _ASN1Type.BMPString, _ASN1Type.UniversalString)
OTHERS = (NameOID.ORGANIZATION_NAME, NameOID.LOCALITY_NAME, NameOID.SERIAL_NUMBER)


def generated(chance: random.Random) -> bytes:
    """A certificate as others may make it: any date that X.509 knows, names of every type, with and without a common name, alone or in a set."""
    begin = datetime(1950, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=chance.randrange(0, int(timedelta(days=365 * 200).total_seconds())))
    end = begin + timedelta(seconds=chance.randrange(1, int(timedelta(days=365 * chance.choice((1, 3, 100))).total_seconds())))
    names = [
        x509.NameAttribute(oid, chance.choice(("a", "kube", "x" * 60)), chance.choice(TYPES))
        for oid in chance.sample(OTHERS, chance.randrange(len(OTHERS) + 1))
    ]
    if chance.random() < 0.9:
        kind = chance.choice(TYPES)
        at = "-" if kind is _ASN1Type.PrintableString else "@"  # which does not know that character
        common_name = x509.NameAttribute(NameOID.COMMON_NAME, f"apiserver-loopback-client{at}{chance.randrange(10**10)}", kind)
        names.insert(chance.randrange(len(names) + 1), common_name)
    parts = [x509.RelativeDistinguishedName(names)] if names and chance.random() < 0.2 else [x509.RelativeDistinguishedName([name]) for name in names]
    key = chance.choice(KEYS)
    builder = x509.CertificateBuilder().subject_name(x509.Name(parts)).issuer_name(x509.Name([])).public_key(key.public_key())
    builder = builder.serial_number(chance.randrange(1, 2**159)).not_valid_before(begin).not_valid_after(end)
    signed = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def test_many_certificates() -> None:
    chance = random.Random(SEED)
    kinds = set()
    for _number in range(500):
        der = generated(chance)
        theirs, ours = x509.load_der_x509_certificate(der), read_certificate(der)
        common_names = theirs.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert ours.common_name == (common_names[0].value if common_names else None)
        assert ours.not_before == int(theirs.not_valid_before_utc.timestamp())
        assert ours.not_after == int(theirs.not_valid_after_utc.timestamp())
        kinds.add((theirs.not_valid_before_utc.year >= 2050, theirs.not_valid_after_utc.year >= 2050, bool(common_names)))
    assert len(kinds) == 6, "UTCTime and GeneralizedTime, with and without a common name"


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 10, 40, 80])
def test_a_certificate_that_is_cut(cut: int) -> None:
    der = make(datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2027, 1, 1, tzinfo=timezone.utc)).leaf
    with pytest.raises(NotDer):
        read_certificate(der[:cut])


def test_any_byte_changed_is_read_or_refused() -> None:
    """Nothing else than NotDer comes out of bytes that somebody else sends."""
    chance = random.Random(SEED)
    der = make(datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2051, 1, 1, tzinfo=timezone.utc)).leaf
    refused = 0
    for _number in range(3000):
        changed = bytearray(der)
        for _change in range(chance.randrange(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        try:
            read_certificate(bytes(changed))
        except NotDer:
            refused += 1
    assert refused > 100


def test_a_time_that_is_none() -> None:
    der = make(datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2027, 1, 1, tzinfo=timezone.utc)).leaf
    assert b"270101000000Z" in der
    with pytest.raises(NotDer, match="is no time"):
        read_certificate(der.replace(b"270101000000Z", b"271301000000Z"))
    with pytest.raises(NotDer, match="not a time as certificates have it"):
        read_certificate(der.replace(b"270101000000Z", b"27010100+0100"))
