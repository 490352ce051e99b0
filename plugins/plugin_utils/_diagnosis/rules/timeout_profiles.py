# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD511, WD512: time-outs that are too long or too short for where the webhook stands. PRIVATE to the collection.

The profiles are those of timeout_profile.py. Leases have a finding of their own (WD522), and who is called for leases is told that limit only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..catalogue.timeouts import WD511, WD512
from ..finding import Finding
from ..timeout_profile import CERT_MANAGER, CONTROL_PLANE, LEASE, floors, hides_the_phase, longer, phase_hint, profiles

if TYPE_CHECKING:
    from ..case import Case


def too_long(case: Case) -> Iterator[Finding]:
    seconds = case.callout["timeout_seconds"]
    if seconds <= CONTROL_PLANE.high:
        return  # most are: what it intercepts need not be looked up
    applying = profiles(case)
    if CONTROL_PLANE in applying and LEASE not in applying:
        yield WD511.about(
            case,
            because=[f"timeoutSeconds is {seconds}; {CONTROL_PLANE.low} to {CONTROL_PLANE.high} are recommended: {CONTROL_PLANE.why}"],
            root=_configuration(case),
        )


def too_short(case: Case) -> Iterator[Finding]:
    """While calls fail, the finding about that says it (`phase_hint`)."""
    seconds = case.callout["timeout_seconds"]
    if case.judgement.fails or not hides_the_phase(case):
        return
    short = [profile for profile in floors(case) if seconds < profile.low]
    if not short:
        return
    lines = [f"timeoutSeconds is {seconds}; {_range(profile.low, profile.high)}: {profile.why}" for profile in short]
    hint = phase_hint(case) if CERT_MANAGER in short else []
    yield WD512.about(case, because=[*lines, *hint], root=_configuration(case), values=longer(case) if CERT_MANAGER in short else {})


CASE_RULES = (too_long, too_short)
CLUSTER_RULES = ()


def _configuration(case: Case) -> str:
    """What has to be mended: the entries of one configuration are one finding."""
    owner = case.callout["object"]
    return f"{owner['kind']}/{owner['name']}"


def _range(low: int, high: int) -> str:
    return f"{low} is recommended" if low == high else f"{low} or more are recommended"
