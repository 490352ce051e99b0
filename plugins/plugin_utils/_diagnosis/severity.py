# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How bad a finding is. PRIVATE to the collection.

`error`: requests fail now, all or some of them. `warning`: it fails open (`failurePolicy: Ignore`), or it will fail. `info`: worth knowing.
One code names one fault; whether the fault blocks requests or lets them through unseen is decided here, by the failure policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any


class Severity(str, Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _ORDER.index(self)


_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def fails_open(callout: Mapping[str, Any]) -> bool:
    """Whether requests pass when this call-out fails. Conversion and aggregation have no failure policy: they always fail closed."""
    return callout.get("failure_policy") == "Ignore"


def of_failure(callout: Mapping[str, Any], default: Severity) -> Severity:
    """The severity of a fault of this call-out whose catalogue entry says `default`: an error that nobody is stopped by is a warning."""
    return Severity.WARNING if default is Severity.ERROR and fails_open(callout) else default


def worst(severities: Iterable[Severity]) -> Severity:
    """The worst of them (at least one)."""
    return min(severities, key=lambda severity: severity.rank)
