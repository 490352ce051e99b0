# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of objects that somebody owns, from a few words, without a planner.

A row of owners.yml:

    object     webhook (a ValidatingWebhookConfiguration `policy` with two entries), injector (Mutating, Istio's), crd, deployment; default webhook
    is         what is different of the object: {labels, annotations (null: without it), managers: [names],
               owner: {kind, name, controller}, and anything of its body}
    set        {JSON pointer: value} of the change; remove: [pointers]; delete: true; create: true
    values     {chart: {value: ...}} that the planner knows
    istiods    control planes in the facts: [{namespace, name, revision}]; without it nothing is known of Istio
    owner      "kind name", null: nobody
    because    a part of how it is known        durable   all that is printed        document   the one YAML document in it
    in_the_guide  true where docs/guide.md shows what is printed
    but        what is different in the twin, merged over the row; otherwise: its owner, default nobody
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.change import Change, Values
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.edit import Edit
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.owner import Owner
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.owners import owner_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import Reference
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.callouts_short import some_facts
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import merged

_TABLE = yaml.safe_load((Path(__file__).parent / "owners.yml").read_text(encoding="utf-8"))
ROWS: list[dict[str, Any]] = _TABLE["rows"]
# Every row, and every twin, that has an owner, by a name for each.
OWNED: dict[str, dict[str, Any]] = {
    name: row
    for one in ROWS
    for name, row in (
        (one["name"], one),
        (
            f"twin of {one['name']}",
            {**merged({key: value for key, value in one.items() if key not in ("durable", "document")}, one["but"]), "owner": one.get("otherwise")},
        ),
    )
    if row["owner"]
}
_OBJECTS: dict[str, dict[str, Any]] = _TABLE["objects"]
_COMMANDS = ("helm ", "kubectl ", "aws ")


@dataclass(frozen=True)
class Owned:
    change: Change
    live: Mapping[str, Any]
    owner: Owner | None


def owned(row: Mapping[str, Any]) -> Owned:
    live = an_object(row)
    edit = None
    if "set" in row or "remove" in row:
        edit = Edit(live)
        for path, value in row.get("set", {}).items():
            edit.set(path, value)
        for path in row.get("remove", ()):
            edit.remove(path)
        assert edit
    change = Change(
        remedy="webhook_timeouts",
        codes=("WD511",),
        fingerprints=(),
        target=Reference.of(live),
        action="delete" if row.get("delete") else "create" if row.get("create") else "patch",
        reason="r",
        edit=edit,
        values=tuple(Values(chart, values, row.get("note")) for chart, values in row.get("values", {}).items()),
    )
    facts = some_facts([], {})
    if "istiods" in row:
        facts["apps"] = {"istio": {"control_planes": row["istiods"]}}
    return Owned(change, live, owner_of(change, None if row.get("create") else live, Cluster.of(facts)))


def an_object(row: Mapping[str, Any]) -> dict[str, Any]:
    live = copy.deepcopy(_OBJECTS[row.get("object", "webhook")])
    changed = dict(row.get("is", {}))
    metadata = live["metadata"]
    for key in ("labels", "annotations"):
        metadata[key] = {name: value for name, value in {**metadata.get(key, {}), **changed.pop(key, {})}.items() if value is not None}
    metadata["managedFields"] = [
        {"manager": manager, "operation": "Update", "time": "2026-11-20T17:00:00Z", "apiVersion": live["apiVersion"]} for manager in changed.pop("managers", ())
    ]
    if "owner" in changed:
        metadata["ownerReferences"] = [{"apiVersion": "example.com/v1", "uid": "u", **changed.pop("owner")}]
    return {**live, **changed}


def documents(lines: Sequence[str]) -> list[Any]:
    """The YAML in what is printed for a person: in a here-document, or between comments and commands."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.startswith(("#", *_COMMANDS)) or line == "EOF":
            parts.append([])
        else:
            parts[-1].append(line)
    return [yaml.safe_load("\n".join(part) + "\n") for part in parts if part]
