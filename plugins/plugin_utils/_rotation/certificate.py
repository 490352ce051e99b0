# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A loopback certificate as it was served: whose it is, when its process was started, when it ends. Pure. PRIVATE to the collection.

Nothing is computed from a version: how long it lives is read from the certificate.
Source: k8s.io/client-go util/cert/cert.go (GenerateSelfSignedCertKeyWithOptions).
"""

from __future__ import annotations

import binascii
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.der import NotACertificate, names
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.loopback import SUBJECT

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
        read = names(ssl.PEM_cert_to_DER_cert(chain[0].strip()))
    except (NotACertificate, ValueError, binascii.Error) as error:
        raise NotLoopback(f"what was served is no certificate ({error})") from error
    name = read.common_name or ""
    found = SUBJECT.match(name)
    if not found or len(found[1]) > 11:
        raise NotLoopback(f"another certificate is served for that name (CN={name}): a load balancer or proxy stands in between, or it is no kube-apiserver")
    return LoopbackCertificate(name, datetime.fromtimestamp(int(found[1]), timezone.utc), _moment(read.not_before), _moment(read.not_after))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
