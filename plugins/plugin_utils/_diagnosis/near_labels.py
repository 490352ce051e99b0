# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels of namespaces that look like those of Istio's injection and are none. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.istio_names import INJECT, REVISION

from .mesh import INJECTION

_VALUES = frozenset(("enabled", "disabled"))
_OFF = frozenset(("disabled", "disable", "false", "no", "off"))
_ON = frozenset(("enabled", "enable", "true", "yes", "on"))
# What people write instead, without punctuation and capitals.
_NEAR_INJECTION = frozenset(
    ("istioinject", "istioinjected", "istioinjecton", "istioinjections", "istioioinjection", "istiosidecarinjection", "sidecarinjection")
)
_NEAR_REVISION = frozenset(("istiorev", "istioiorev", "istiorevision", "istioiorevision", "istioiorevsion", "istioiotag"))


@dataclass(frozen=True)
class NearMiss:
    """A label that nobody looks for (key, value), and the one that was meant (right_key, right_value). line: for evidence."""

    key: str
    value: str
    right_key: str
    right_value: str
    line: str

    @property
    def right(self) -> str:
        return f"{self.right_key}={self.right_value}"

    @property
    def says_yes(self) -> bool:
        """Whether its value asks for injection in words, so that nothing else can have been meant."""
        return self.value.lower() in _ON


def near_miss(labels: Mapping[str, str], live: str | None) -> NearMiss | None:
    """live: the revision that is there, None where none is known. What switches injection off is no near miss: nothing is injected, as was wanted."""
    injection = labels.get(INJECTION)
    if injection is not None and injection not in _VALUES:
        if injection.lower() in _OFF:
            return None
        line = f"{INJECTION}={injection}, a value that nobody looks for (enabled is meant)"
        return NearMiss(INJECTION, injection, INJECTION, "enabled", line)
    if injection is not None or REVISION in labels:
        return None
    asks = (INJECTION, "enabled") if live in (None, "default") else (REVISION, str(live))
    for key, value in sorted(labels.items()):
        plain = re.sub(r"[^a-z]", "", key.lower())
        if value.lower() in _OFF:
            continue
        if key == INJECT:
            return NearMiss(key, value, *asks, f"{key}={value}, which is a label of pods and means nothing on a namespace")
        if plain in _NEAR_INJECTION or (key != INJECTION and plain == "istioinjection"):
            return NearMiss(key, value, *asks, f"{key}={value}; the label is {INJECTION}")
        if plain in _NEAR_REVISION and key != REVISION:
            return NearMiss(key, value, REVISION, value, f"{key}={value}; the label is {REVISION}")
    return None
