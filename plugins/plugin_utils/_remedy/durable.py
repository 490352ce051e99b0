# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change in the words of those who own the object: values of a chart, a patch for Kustomize. Pure. PRIVATE to the collection.

A JSON patch counts positions and expects values that only the API server has filled in; both may be different in the source. So what is printed for sources
is a strategic merge patch, which names entries by their keys. Lists without such a key are given as a whole.
Sources: k8s.io/api (the tags patchMergeKey), kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from .change import Change, Values
from .reference import Reference

_DOT = re.compile(r"(?<!\\)\.")
_OF_PODS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "ports": "containerPort",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
}
_OF_WEBHOOKS = {"webhooks": "name", "matchConditions": "name"}
# By kind, the lists whose entries have a key; all others are replaced as a whole.
_MERGE_KEYS: Mapping[str, Mapping[str, str]] = {
    "ValidatingWebhookConfiguration": _OF_WEBHOOKS,
    "MutatingWebhookConfiguration": _OF_WEBHOOKS,
    "Deployment": _OF_PODS,
    "StatefulSet": _OF_PODS,
    "DaemonSet": _OF_PODS,
    "Service": {"ports": "port"},
}


def strategic_patch(before: Mapping[str, Any], after: Mapping[str, Any], target: Reference) -> dict[str, Any]:
    """What makes `after` of `before`, with what names the object."""
    metadata = {"name": target.name, **({"namespace": target.namespace} if target.namespace else {})}
    changed = _difference(before, after, _MERGE_KEYS.get(target.kind, {}))
    return {"apiVersion": target.api_version, "kind": target.kind, "metadata": {**metadata, **changed.pop("metadata", {})}, **changed}


def deletion_patch(target: Reference) -> dict[str, Any]:
    """What takes the object out of what a source renders."""
    return {"$patch": "delete", "apiVersion": target.api_version, "kind": target.kind, "metadata": {"name": target.name}}


def patch_of(change: Change, live: Mapping[str, Any]) -> dict[str, Any]:
    """The change of an object that exists, as a strategic merge patch."""
    return strategic_patch(live, change.edit.result, change.target) if change.edit else deletion_patch(change.target)


def kustomize_patches(change: Change, live: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The items of `patches` of a Kustomization. The target has no namespace, because sources often leave it to Kustomize."""
    target = change.target
    group, _slash, version = target.api_version.rpartition("/")
    named = {**({"group": group} if group else {}), "version": version, "kind": target.kind, "name": target.name}
    return [{"target": named, "patch": dumped(patch_of(change, live))}]


def values_for(change: Change, chart: str | None) -> Values | None:
    """The change in the values of this chart; of the only chart that it is known for, where the object does not say which one it is from."""
    if chart is None:
        return change.values[0] if len(change.values) == 1 else None
    return next((values for values in change.values if values.chart == chart), None)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    r"""{"webhook.timeoutSeconds": 30} -> {"webhook": {"timeoutSeconds": 30}}; a dot that belongs to a key is written `\.`, as for helm's --set."""
    result: dict[str, Any] = {}
    for path, value in values.items():
        *parents, last = [step.replace("\\.", ".") for step in _DOT.split(path)]
        place = result
        for step in parents:
            place = place.setdefault(step, {})
        place[last] = value
    return result


def dumped(document: Any) -> str:
    """As YAML for a person, in the order of the document."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=10_000, allow_unicode=True)


def lines(document: Any) -> list[str]:
    return dumped(document).splitlines()


class _Dumper(yaml.SafeDumper):
    """Texts of several lines are written as such, and items of a list stand to the right of their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def _difference(before: Mapping[str, Any], after: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {key: None for key in before if key not in after}
    for key, new in after.items():
        old = before.get(key)
        if key in before and old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            result[key] = _difference(old, new, keys)
        elif key in keys and _keyed(old, keys[key]) and _keyed(new, keys[key]):
            result[key] = _merged(old or (), new or (), keys[key], keys)
        else:
            result[key] = new
    return result


def _merged(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], key: str, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    old, new = {item[key]: item for item in before}, {item[key]: item for item in after}
    gone = [{**_named(item, key), "$patch": "delete"} for name, item in old.items() if name not in new]
    there = [
        {**_named(item, key), **_difference(old[name], item, keys)} if name in old else dict(item)
        for name, item in new.items()
        if name not in old or old[name] != item
    ]
    return [*gone, *there]


def _named(item: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Ports are told apart by their protocol as well."""
    return {name: item[name] for name in (key, "protocol") if name in item}


def _keyed(items: Any, key: str) -> bool:
    """Whether the entries can be told apart by the key."""
    if items is None:
        return True
    if not isinstance(items, Iterable) or not all(isinstance(item, Mapping) and key in item for item in items):
        return False
    names = [item[key] for item in items]
    return len(names) == len(set(names))
