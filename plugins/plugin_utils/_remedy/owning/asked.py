# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change and the object that it is about, with the marks that tell who owns it. PRIVATE to the collection.

Annotations, owner references and managers hold whatever somebody wrote there, and end up in what a person pastes into a shell: they are made one line here,
and what goes into a command has to be a `name`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..._diagnosis.text import clean
from ..change import Change

MANAGED_BY, INSTANCE, CHART = "app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "helm.sh/chart"
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9._]{0,251}[A-Za-z0-9])?")
_CHART = re.compile(r"(?P<name>.+?)-(?P<version>v?\d+\.\d+\.\d+.*)")


@dataclass(frozen=True)
class Asked:
    """live: the object as it was read. Its managedFields have manager, operation and time, not which fields."""

    change: Change
    live: Mapping[str, Any]

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.live.get("metadata") or {}

    @property
    def labels(self) -> Mapping[str, str]:
        return _cleaned(self.metadata.get("labels"))

    @property
    def annotations(self) -> Mapping[str, str]:
        return _cleaned(self.metadata.get("annotations"))

    @property
    def managers(self) -> list[str]:
        """The names of the field managers, each once."""
        return list(dict.fromkeys(clean(entry.get("manager") or "") for entry in self.metadata.get("managedFields") or ()))

    @property
    def controller(self) -> Mapping[str, str] | None:
        """The one owner reference that is the controller's."""
        return next((_cleaned(owner) for owner in self.metadata.get("ownerReferences") or () if owner.get("controller")), None)

    @property
    def marks(self) -> Mapping[str, str]:
        """Annotations and labels, where a tool reads both. The annotation counts where both are there."""
        return {**self.labels, **self.annotations}

    @property
    def chart(self) -> tuple[str | None, str | None]:
        """(name, version) of the chart in the label helm.sh/chart, which has an underscore for each plus sign."""
        found = _CHART.fullmatch(self.labels.get(CHART, ""))
        return (found["name"], found["version"].replace("_", "+")) if found else (None, None)

    @cached_property
    def touched(self) -> tuple[str, ...]:
        """The JSON pointers of what the change sets or removes; what it made on the way there (an empty mapping) is left out."""
        paths = list(self.change.edit.after) if self.change.edit else []
        return tuple(path for path in paths if not any(other.startswith(f"{path}/") for other in paths))


def name(value: str | None) -> str | None:
    """What can be the name of an object, a release or an application; None for anything else."""
    return value if value and _NAME.fullmatch(value) else None


def _cleaned(values: Mapping[str, Any] | None) -> Mapping[str, str]:
    return {clean(key): clean(value) for key, value in (values or {}).items()}
