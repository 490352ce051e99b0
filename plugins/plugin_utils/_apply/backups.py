# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of what is deleted, as ConfigMaps of the cluster, so that a rollback needs no file. PRIVATE to the collection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .marks import LABEL, PREFIX
from .port import Port

BACKUP_LABEL = f"{PREFIX}/backup"
_MOST_BYTES = 900_000  # of a ConfigMap's 1 MiB


class NotKept(Exception):
    """The copy could not be made, so nothing is deleted."""


class Backups:
    """namespace: where the ConfigMaps are."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def keep(self, port: Port, run: str, objects: Sequence[Mapping[str, Any]]) -> None:
        """One ConfigMap for each object, made before it is deleted. Raises NotKept."""
        maps = [self._config_map(run, item) for item in objects]
        for item, sent in zip(objects, port.create(maps, dry_run=False)):
            if not sent.ok and "already exists" not in (sent.error or ""):
                raise NotKept(f"{item['kind']} {item['metadata']['name']} is not deleted, because its copy could not be made in {self.namespace}: {sent.error}")

    def _config_map(self, run: str, item: Mapping[str, Any]) -> dict[str, Any]:
        text = json.dumps(item, sort_keys=True)
        if len(text) > _MOST_BYTES:
            raise NotKept(f"{item['kind']} {item['metadata']['name']} is not deleted: its copy has {len(text)} bytes, and a ConfigMap holds no more than 1 MiB")
        metadata = item["metadata"]
        key = "-".join(part.lower() for part in (item["kind"], metadata.get("namespace") or "", metadata["name"]) if part)
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"webhook-doctor-{run.lower()}-{key}"[:253].rstrip("-."),
                "namespace": self.namespace,
                "labels": {BACKUP_LABEL: "true", f"{PREFIX}/run": run, "app.kubernetes.io/name": "webhook-doctor"},
            },
            "data": {"object.json": text},
        }


def kept(config_map: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """(run, object) of such a ConfigMap; None where somebody edited it."""
    try:
        content = json.loads((config_map.get("data") or {})["object.json"])
        run = config_map["metadata"]["labels"][f"{PREFIX}/run"]
    except (KeyError, ValueError, TypeError):
        return None
    return (str(run), content) if isinstance(content, dict) and {"apiVersion", "kind", "metadata"} <= set(content) else None


def without_marks(item: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that is made again carries no label of a change: it is whole."""
    metadata = dict(item["metadata"])
    metadata["labels"] = {key: value for key, value in (metadata.get("labels") or {}).items() if key != LABEL}
    return {**item, "metadata": metadata}
