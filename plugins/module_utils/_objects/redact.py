# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not leave the host that read an object, unless it is sent back from there. Pure. PRIVATE to the collection."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._certificates import certificate_blocks

HIDDEN = "***"
# What kubectl apply wrote last holds everything that was in it, variables included.
_COPIES = ("kubectl.kubernetes.io/last-applied-configuration",)
_SHOWN_VARIABLES = ("no_proxy",)


def redacted(item: Mapping[str, Any]) -> dict[str, Any]:
    """The object without secrets and ballast: values of Secrets are null and those of environment variables `***` (but for NO_PROXY), copies of the object in
    annotations too, and of managedFields only who wrote when. Positions and keys stay, so that a JSON patch made from it fits the object."""
    shown = dict(item)
    if shown.get("kind") == "Secret":
        for part in ("data", "stringData"):
            if isinstance(shown.get(part), Mapping):
                shown[part] = dict.fromkeys(shown[part])
    metadata = dict(shown.get("metadata") or {})
    annotations = metadata.get("annotations")
    if isinstance(annotations, Mapping):
        metadata["annotations"] = {key: HIDDEN if key in _COPIES else value for key, value in annotations.items()}
    if isinstance(metadata.get("managedFields"), list):
        metadata["managedFields"] = [
            {key: entry.get(key) for key in ("manager", "operation", "subresource", "time")}
            for entry in metadata["managedFields"]
            if isinstance(entry, Mapping)
        ]
    shown["metadata"] = metadata
    return {key: value if key == "metadata" else _without_variables(value) for key, value in shown.items()}


def certificates_only(item: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Of a Secret or ConfigMap only the certificates that these keys hold, as text, with what names the object; keys without any are left out."""
    metadata, data = item.get("metadata") or {}, item.get("data") or {}
    texts = {key: _text(data.get(key), item.get("kind") == "Secret") for key in keys}
    kept = {key: "".join(f"{block}\n" for block, dummy in certificate_blocks(text)) for key, text in texts.items()}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _COPIES}
    named = {key: metadata.get(key) for key in ("namespace", "name", "uid")}
    return {
        "apiVersion": item.get("apiVersion"),
        "kind": item.get("kind"),
        "metadata": {**named, "annotations": annotations, "labels": metadata.get("labels") or {}},
        "data": {key: text for key, text in kept.items() if text},
    }


def _text(value: Any, encoded: bool) -> str:
    if not isinstance(value, str):
        return ""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace") if encoded else value
    except (binascii.Error, ValueError):
        return ""


def _without_variables(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: [_variable(entry) for entry in inner] if key == "env" and isinstance(inner, list) else _without_variables(inner)
            for key, inner in value.items()
        }
    return [_without_variables(inner) for inner in value] if isinstance(value, list) else value


def _variable(entry: Any) -> Any:
    if not isinstance(entry, Mapping) or "value" not in entry or str(entry.get("name")).lower() in _SHOWN_VARIABLES:
        return entry
    return {**entry, "value": HIDDEN}
