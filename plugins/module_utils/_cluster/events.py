# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of either API (core/v1, events.k8s.io/v1, also v1beta1): the same thing has a different name in each. Pure. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import integer, mapping, text


def message_of(event: dict[str, Any]) -> str | None:
    return text(event.get("message")) or text(event.get("note"))


def subject_of(event: dict[str, Any]) -> dict[str, Any]:
    """The reference to the object that it is about; {} where there is none."""
    return mapping(event.get("involvedObject")) or mapping(event.get("regarding"))


def count_of(event: dict[str, Any]) -> int:
    """How many times it has happened."""
    return integer(mapping(event.get("series")).get("count")) or integer(event.get("count")) or integer(event.get("deprecatedCount")) or 1


def first_seen(event: dict[str, Any]) -> str | None:
    created = mapping(event.get("metadata")).get("creationTimestamp")
    given = (event.get("firstTimestamp"), event.get("deprecatedFirstTimestamp"), event.get("eventTime"), created)
    return next((found for value in given if (found := text(value))), None)


def last_seen(event: dict[str, Any]) -> str | None:
    given = (mapping(event.get("series")).get("lastObservedTime"), event.get("lastTimestamp"), event.get("deprecatedLastTimestamp"))
    return next((found for value in given if (found := text(value))), None) or first_seen(event)
