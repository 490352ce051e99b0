# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person calls the thing that a finding is about. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def placed(subject: Mapping[str, Any]) -> str:
    """`namespace/name`, or the name alone. subject: of a finding."""
    return f"{subject['namespace']}/{subject['name']}" if subject["namespace"] else str(subject["name"])


def name_of_subject(subject: Mapping[str, Any]) -> str:
    """The webhook's name where the finding is about one, else where the object is."""
    return subject["webhook"] or placed(subject)
