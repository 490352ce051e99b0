# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of what is deleted, as ConfigMaps of the cluster, so that a rollback needs no file. PRIVATE to the collection."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from .marks import PREFIX
from .port import Port

BACKUP_LABEL = f"{PREFIX}/backup"
_MOST_BYTES = 900_000  # of a ConfigMap's 1 MiB


class NotKept(Exception):
    """The copy could not be made, so nothing is deleted."""


class Backups:
    """namespace: where the ConfigMaps are."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def keep(self, port: Port, run: str, item: Mapping[str, Any]) -> None:
        """Make a ConfigMap that holds the object, before it is deleted. Raises NotKept."""
        sent = port.create([self._config_map(run, item)], dry_run=False)[0]
        if not sent.ok:
            raise NotKept(f"{item['kind']} {item['metadata']['name']} is not deleted, because its copy could not be made in {self.namespace}: {sent.error}")

    def _config_map(self, run: str, item: Mapping[str, Any]) -> dict[str, Any]:
        text = json.dumps(item, sort_keys=True)
        if len(text) > _MOST_BYTES:
            raise NotKept(f"{item['kind']} {item['metadata']['name']} is not deleted: its copy has {len(text)} bytes, and a ConfigMap holds no more than 1 MiB")
        metadata = item["metadata"]
        whole = "/".join((item["apiVersion"], item["kind"], metadata.get("namespace") or "", metadata["name"]))
        # Readable, then unique: a-b/c and a/b-c read the same, and names of RBAC may have characters that a ConfigMap's may not.
        readable = re.sub("[^a-z0-9.-]", "-", f"webhook-doctor-{run}-{item['kind']}-{metadata['name']}".lower())[:230].rstrip("-.")
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"{readable}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}",
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
