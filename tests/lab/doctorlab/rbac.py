# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts that diagnose and remediate: exactly the rights of docs/rbac. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import yaml

from .errors import LabError
from .objects import Object

READER, PROBER = "diagnose", "diagnose-probing"
# The files of docs/rbac in the order in which rights are added to one another.
FILES = (f"{READER}.yaml", f"{PROBER}.yaml")


# Those of the remedies and of a rotation, on top of both.
REMEDY, ROTATE = "remediate", "rotate"


def remedies(folder: Path) -> dict[str, list[Object]]:
    """user -> what is added to the rights of PROBER, for each remedy that has rights (`remediate-webhook_timeouts`), and for `rotate`."""
    shared = folder / f"{REMEDY}.yaml"
    found = {path.stem: [*documents(shared), *documents(path)] for path in sorted(folder.glob(f"{REMEDY}-*.yaml"))}
    return {**found, ROTATE: documents(folder / f"{ROTATE}.yaml")}


def documents(path: Path) -> list[Object]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def accounts(
    reading: Sequence[Object], probing: Sequence[Object], remedying: Mapping[str, Sequence[Object]] = MappingProxyType({})
) -> tuple[list[Object], dict[str, tuple[str, str]]]:
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
    items = [*reading, *_without_bindings(probing), *_account(name_space, PROBER, [*reading, *probing])]
    for user, rights in remedying.items():
        name = user.replace("_", "-")
        users[user] = (name_space, name)
        items += [*_namespaces(rights), *_without_bindings(rights), *_account(name_space, name, [*reading, *probing, *rights])]
    # What several files share is created once.
    return list({(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]): item for item in items}.values()), users


def _namespaces(items: Sequence[Object]) -> list[Object]:
    """Those that a remedy's rights lie in: its user has them where the application is installed, which comes later."""
    names = dict.fromkeys(item["metadata"]["namespace"] for item in items if item["metadata"].get("namespace"))
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names if name != "kube-system"]


def _without_bindings(items: Sequence[Object]) -> list[Object]:
    return [item for item in items if item["kind"] not in ("ClusterRoleBinding", "RoleBinding")]


def _account(name_space: str, name: str, items: Sequence[Object]) -> list[Object]:
    """A ServiceAccount, bound to all that the ServiceAccount of these files is bound to."""
    subject = {"kind": "ServiceAccount", "namespace": name_space, "name": name}
    bindings = [
        {**item, "metadata": {**item["metadata"], "name": f"{name}:{item['metadata']['name']}"}, "subjects": [subject]}
        for item in items
        if item["kind"] in ("ClusterRoleBinding", "RoleBinding")
    ]
    return [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": name_space}}, *bindings]
