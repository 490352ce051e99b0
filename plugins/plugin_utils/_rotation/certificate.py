# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A loopback certificate as it was served: whose it is, when its process was started, when it ends. Pure. PRIVATE to the collection.

Nothing is computed from a version: how long it lives is read from the certificate. Only the few fields that are needed are read, with the standard library
alone, so that a rotation needs no more on the controller than a diagnosis.
Source: k8s.io/client-go util/cert/cert.go (GenerateSelfSignedCertKeyWithOptions); RFC 5280 4.1.
"""

from __future__ import annotations

import binascii
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.loopback import SUBJECT
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.der import OID, SEQUENCE, SET, Malformed, element, expect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import parse_time

_COMMON_NAME = b"\x55\x04\x03"
_VERSION = 0xA0
_DAY = 86400.0


class NotLoopback(Exception):
    """What was served is not this certificate. The text says what it is."""


@dataclass(frozen=True)
class LoopbackCertificate:
    """started: of the process, from the number in the subject. All times are aware UTC."""

    common_name: str
    started: datetime
    not_before: datetime
    not_after: datetime

    @property
    def lifetime(self) -> timedelta:
        return self.not_after - self.not_before

    @property
    def lifetime_days(self) -> float:
        return self.lifetime.total_seconds() / _DAY

    def days_left(self, at: datetime) -> float:
        """Days until notAfter, negative once it has ended. `at` is aware UTC."""
        return (self.not_after - at).total_seconds() / _DAY

    def share_left(self, at: datetime) -> float:
        """Which part of its life it has still before it, negative once it has ended."""
        return (self.not_after - at) / self.lifetime if self.lifetime else 0.0


def read_loopback(chain: Sequence[str]) -> LoopbackCertificate:
    """The first certificate of a served chain (PEM, leaf first). Raises NotLoopback."""
    if not chain:
        raise NotLoopback("no certificate was served")
    try:
        name, not_before, not_after = _fields(ssl.PEM_cert_to_DER_cert(chain[0].strip()))
    except (Malformed, ValueError, binascii.Error) as error:
        raise NotLoopback(f"what was served is no certificate ({error})") from error
    found = SUBJECT.match(name)
    if not found or len(found[1]) > 11:
        raise NotLoopback(f"another certificate is served for that name (CN={name}): a load balancer or proxy stands in between, or it is no kube-apiserver")
    return LoopbackCertificate(name, datetime.fromtimestamp(int(found[1]), timezone.utc), not_before, not_after)


def _fields(der: bytes) -> tuple[str, datetime, datetime]:
    """(common name, notBefore, notAfter). Raises Malformed."""
    error = "x509: malformed certificate"
    start, stop = expect(SEQUENCE, der, 0, len(der), error)
    start, stop = expect(SEQUENCE, der, start, stop, error)
    tag, dummy, after = element(der, start, stop)
    if tag == _VERSION:
        start = after
    for dummy in range(3):  # serial number, signature algorithm, issuer
        tag, dummy, start = element(der, start, stop)
        if tag < 0:
            raise Malformed(error)
    validity, subject = expect(SEQUENCE, der, start, stop, error)
    (not_before, _before), at = parse_time(der, validity, subject)
    (not_after, _after), dummy = parse_time(der, at, subject)
    start, stop = expect(SEQUENCE, der, subject, stop, error)
    return _common_name(der, start, stop), _moment(not_before), _moment(not_after)


def _common_name(der: bytes, start: int, stop: int) -> str:
    """The common name of a Name, "" where it has none. Raises Malformed."""
    error = "x509: malformed subject"
    while start < stop:
        inner, start_of_next = expect(SET, der, start, stop, error)
        pair, end = expect(SEQUENCE, der, inner, start_of_next, error)
        name, value = expect(OID, der, pair, end, error)
        dummy, text, text_end = element(der, value, end)
        if der[name:value] == _COMMON_NAME:
            return der[text:text_end].decode("utf-8", "replace")
        start = start_of_next
    return ""


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
