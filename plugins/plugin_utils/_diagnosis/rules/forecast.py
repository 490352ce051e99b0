# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD305, WD306: certificates that end soon. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..catalogue import tls as catalogue
from ..finding import Finding
from ..observed import Certificate
from ..words import certificate_line

if TYPE_CHECKING:
    from ..case import Case

# Certificates that renew themselves do so with a third of their life left (cert-manager) or earlier; less than a quarter means that it did not happen.
WARN_FRACTION = 0.25


def ends_soon(certificate: Certificate, warn_days: float) -> bool:
    """Whether it ends soon by both measures: days, and the part of its life that is left."""
    left, life = certificate.days_left, certificate.lifetime_days
    return left is not None and 0 <= left <= warn_days and (life is None or left <= WARN_FRACTION * life)


def served_certificate_ends_soon(case: Case) -> Iterator[Finding]:
    if _fails_in_tls(case):
        return
    ending = {trust.leaf.sha256: trust.leaf for trust in case.served if trust.leaf and ends_soon(trust.leaf, case.cluster.warn_days)}
    if ending:
        lines = [certificate_line(one, f"the served certificate ends in {one.days_left:.1f} days") for one in ending.values()]
        yield catalogue.WD305.about(case, lines)


def authority_ends_soon(case: Case) -> Iterator[Finding]:
    """The CA that vouches for what is served; where nobody saw that, the one of the caBundle that lasts longest."""
    if _fails_in_tls(case) or not case.bundle:
        return
    anchors = {str(trust.anchor["sha256"]) for trust in case.served if trust.trusted and trust.anchor}
    vouching = [one for one in case.bundle if one.sha256 in anchors]
    if not vouching:
        vouching = [max(case.bundle, key=lambda one: (one.days_left if one.days_left is not None else -1.0, -one.index))]
    # One CA may stand in the bundle twice, with an old and a new date.
    best = max(vouching, key=lambda one: (one.days_left if one.days_left is not None else -1.0, -one.index))
    if ends_soon(best, case.cluster.warn_days):
        yield catalogue.WD306.about(case, [certificate_line(best, f"in the caBundle, ends in {best.days_left:.1f} days")])


def _fails_in_tls(case: Case) -> bool:
    """Whether calls already fail for their certificates: then that is the news, not a date."""
    return case.judgement.fails and case.judgement.phase == "tls"


CASE_RULES = (served_certificate_ends_soon, authority_ends_soon)
CLUSTER_RULES = ()
