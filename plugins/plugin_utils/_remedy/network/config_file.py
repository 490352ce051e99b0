# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that cert-manager's webhook is configured by, where it is one of a ConfigMap. Pure. PRIVATE to the collection.

Flags take precedence over the file (cmd/webhook/app webhookConfigFlagPrecedence, from 1.7 on). So a port is changed by a flag of the Deployment, which rolls
out in one go and is undone in one go, and the file is made to say the same afterwards.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ConfigFile:
    """config_map: the object. key: under which of its keys the file stands."""

    config_map: Mapping[str, Any]
    key: str

    @property
    def text(self) -> str:
        return str((self.config_map.get("data") or {}).get(self.key) or "")

    def number(self, field: str) -> int | None:
        """The number of a field on the outermost level, such as securePort."""
        found = _field(field).search(self.text)
        return int(found[2]) if found else None

    def with_number(self, field: str, number: int) -> str:
        """The text with another number and nothing else changed."""
        return _field(field).sub(rf"\g<1>{number}", self.text)


def config_file(spec: Mapping[str, Any], container: Mapping[str, Any], config_maps: Iterable[Mapping[str, Any]]) -> ConfigFile | None:
    """The file that `--config` names, None where it is none of a ConfigMap that was read."""
    path = next((str(one).partition("=")[2] for one in reversed(container.get("args") or ()) if str(one).startswith("--config=")), "")
    if not path:
        return None
    volumes = {volume["name"]: volume.get("configMap") or {} for volume in spec.get("volumes") or ()}
    for mount in container.get("volumeMounts") or ():
        source = volumes.get(mount["name"]) or {}
        inside = mount.get("subPath") if mount["mountPath"] == path else posixpath.relpath(path, mount["mountPath"])
        if not source or not inside or inside.startswith(".."):
            continue
        key = next((item["key"] for item in source.get("items") or () if item["path"] == inside), inside)
        return next((ConfigFile(one, key) for one in config_maps if one["metadata"]["name"] == source.get("name") and key in (one.get("data") or {})), None)
    return None


def _field(name: str) -> re.Pattern[str]:
    return re.compile(rf"^([\"']?{name}[\"']?:[ \t]*)(\d+)", re.MULTILINE)
