# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Having a workload create its pods anew, as `kubectl rollout restart` does it. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .edit import Edit, pointer

# What has pod templates that can be rolled out, by kind.
RESTARTABLE = ("Deployment", "StatefulSet", "DaemonSet")
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


def restart(edit: Edit, at: str) -> None:
    """Have the pods created anew. at: ISO 8601, the moment of the observation, so that the same plan is made twice from it.

    Source: k8s.io/kubectl pkg/polymorphichelpers/objectrestarter.go.
    """
    edit.set(pointer("spec", "template", "metadata", "annotations", _RESTARTED_AT), at)


def hindrance(workload: Mapping[str, Any]) -> str | None:
    """Why a changed pod template alone does not create its pods anew; None where it does."""
    spec = workload.get("spec") or {}
    if spec.get("paused"):
        return "its rollout is paused: resume it (kubectl rollout resume)"
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return "its update strategy is OnDelete: delete its pods one by one"
    return None
