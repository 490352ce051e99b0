# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts that diagnose: exactly the rights of docs/rbac. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from .errors import LabError
from .objects import Object

READER, PROBER = "diagnose", "diagnose-probing"
# The files of docs/rbac in the order in which rights are added to one another.
FILES = (f"{READER}.yaml", f"{PROBER}.yaml")


def documents(path: Path) -> list[Object]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def accounts(reading: Sequence[Object], probing: Sequence[Object]) -> tuple[list[Object], dict[str, tuple[str, str]]]:
    """Return what to create, and (namespace, ServiceAccount) of each user.

    What the file for reading holds is created as it is, and its ServiceAccount is the user `diagnose`. The file for probing adds rights to the
    same ServiceAccount; to have both users side by side, its rights go to another one, with the former's.
    """
    reader = next((item for item in reading if item["kind"] == "ServiceAccount"), None)
    if reader is None:
        raise LabError(f"docs/rbac/{FILES[0]} has no ServiceAccount.")
    name_space = reader["metadata"]["namespace"]
    users = {READER: (name_space, reader["metadata"]["name"])}
    if not probing:
        return list(reading), users
    users[PROBER] = (name_space, PROBER)
    subject = {"kind": "ServiceAccount", "namespace": name_space, "name": PROBER}
    bindings = [
        {**item, "metadata": {"name": f"{PROBER}:{item['metadata']['name']}"}, "subjects": [subject]}
        for item in (*reading, *probing)
        if item["kind"] == "ClusterRoleBinding"
    ]
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": PROBER, "namespace": name_space}}
    rest = [item for item in probing if item["kind"] != "ClusterRoleBinding"]
    return [*reading, *rest, account, *bindings], users
