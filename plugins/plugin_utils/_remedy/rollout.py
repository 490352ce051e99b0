# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Deployment that is to run, or to start anew, as edits. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .._diagnosis.checked import InvalidObservation, moment
from .edit import Edit, pointer

# What `kubectl rollout restart` writes.
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_PATH = pointer("spec", "template", "metadata", "annotations", RESTARTED_AT)
# A restart that did not help within this time does not help the second time either.
_JUST_NOW = timedelta(minutes=15)


def restarted_recently(deployment: Mapping[str, Any], at: datetime) -> str | None:
    """When it was restarted, if that was only just; None where it was not."""
    said = Edit(deployment).get(_PATH)
    try:
        return str(said) if said and abs(at - moment(str(said))) < _JUST_NOW else None
    except InvalidObservation:
        return None


def restart(deployment: Mapping[str, Any], at: datetime) -> Edit:
    """Its pods are made anew. at: of the observation, so that the same plan is made twice of one observation."""
    edit = Edit(deployment)
    edit.set(_PATH, at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return edit


def scale_up(deployment: Mapping[str, Any]) -> Edit | None:
    """One replica where none is wanted; None where some are. How many there were before nobody knows any more."""
    edit = Edit(deployment)
    if edit.get("/spec/replicas", 1) != 0:
        return None
    edit.set("/spec/replicas", 1)
    return edit
