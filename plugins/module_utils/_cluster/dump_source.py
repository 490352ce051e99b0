# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that kubectl wrote (YAML or JSON; single objects, Lists, streams; any mix under any name) -> Inventory. PRIVATE to the collection."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.coverage import ERROR, NOT_IN_DUMP
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.facts import version_facts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.failures import ObservationError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import PLURALS, Inventory
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers import registry
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import mapping, mappings, namespace_of, text

_MOST_FILES = 5_000
_LARGEST_FILE = 512 * 1024 * 1024
_CLUSTER_SCOPED = frozenset(("validatingwebhookconfigurations", "mutatingwebhookconfigurations", "customresourcedefinitions", "apiservices", "namespaces"))


_LONG_AGO = datetime.fromtimestamp(0, timezone.utc)


def _inventory() -> Inventory:
    """A dump may hold anything, in any order: every observer looks at it."""
    inventory = Inventory()
    inventory.observers += [*registry.always(), *registry.of_groups(None)]
    return inventory


@dataclass
class Dump:
    """An inventory and what the files say of themselves. `version` is that of `kubectl version -o yaml`, if it is among them."""

    inventory: Inventory = field(default_factory=_inventory)
    version: dict[str, Any] = field(default_factory=lambda: version_facts({}))
    observed_at: datetime = _LONG_AGO
    seen: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # plural -> objects
    objects: int = 0


class NotKubernetes(Exception):
    """A file holds something else; the text says what it looks like."""


def read_dump(paths: list[str]) -> Dump:
    """Read files, and directories with all that is in them. `observed_at` is the newest modification time.

    A file that cannot be used becomes a coverage entry. Raises ObservationError where nothing at all could be used, MissingLibrary.
    """
    dump = Dump()
    complaints: list[str] = []
    for path in _files(paths, dump):
        try:
            _read_file(path, dump)
        except (NotKubernetes, OSError) as error:
            message = f"{path}: {error.strerror or error if isinstance(error, OSError) else error}"
            complaints.append(message)
            dump.inventory.coverage.add(str(path), ERROR, message, "What it holds is not judged.")
    if not dump.objects:
        raise ObservationError(
            f"{', '.join(paths)}: no Kubernetes object could be read from {'these files' if complaints else 'there'}. "
            "Expected the output of kubectl get ... -o yaml (or json)" + (f"; the first problem: {complaints[0]}" if complaints else ".")
        )
    _note_what_is_missing(dump)
    return dump


def _files(paths: list[str], dump: Dump) -> Iterator[Path]:
    count = 0
    for given in paths:
        root = Path(given).expanduser()
        if not root.exists():
            raise ObservationError(f"src: {given} does not exist. Expected a file or a directory with the output of kubectl get ... -o yaml (or json).")
        for path in [root] if root.is_file() else _below(root):
            count += 1
            if count > _MOST_FILES:
                dump.inventory.coverage.add(str(root), ERROR, f"Only the first {_MOST_FILES} files were read.", "The others are not judged.")
                return
            yield path


def _below(root: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield from (Path(directory) / name for name in sorted(files) if not name.startswith("."))


def _read_file(path: Path, dump: Dump) -> None:
    status = path.stat()
    if not path.is_file():
        raise NotKubernetes("it is not a regular file")
    if status.st_size > _LARGEST_FILE:
        raise NotKubernetes(f"it is larger than {_LARGEST_FILE >> 20} MiB; split it")
    found = False
    for document in _documents(path):
        found = _take(document, dump) or found
    if not found:
        raise NotKubernetes("it holds no Kubernetes object (nothing with apiVersion and kind)")
    modified = datetime.fromtimestamp(int(status.st_mtime), timezone.utc)
    dump.observed_at = max(dump.observed_at, modified)


def _documents(path: Path) -> Iterator[Any]:
    """The documents of a file: a stream of JSON values, else YAML. Raises NotKubernetes."""
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotKubernetes("it is neither YAML nor JSON (not text in UTF-8)") from error
    if "\x00" in content:
        raise NotKubernetes("it is neither YAML nor JSON (binary)")
    if content.lstrip()[:1] in ("{", "["):
        try:
            yield from list(_json_values(content))
            return
        except (ValueError, RecursionError):
            pass  # YAML's flow style begins like JSON
    yield from _yaml_documents(content)


def _json_values(content: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    position, end = 0, len(content)
    while position < end:
        if content[position].isspace():
            position += 1
            continue
        value, position = decoder.raw_decode(content, position)
        yield value


def _yaml_documents(content: str) -> Iterator[Any]:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.yaml_stream import YamlError, documents

    try:
        yield from documents(content)
    except YamlError as error:
        raise NotKubernetes(f"it is neither YAML nor JSON that kubectl writes ({error})") from error


def _take(document: Any, dump: Dump) -> bool:
    """Whether a document held Kubernetes objects, all of which are in the inventory now."""
    if isinstance(document, list):  # jq and some exporters write bare arrays
        taken = [_take(item, dump) for item in mappings(document)]
        return any(taken)
    if not isinstance(document, dict):
        return False
    if str(document.get("format") or "").startswith("kubeops.webhook_doctor/"):
        raise NotKubernetes("it is a bundle of webhook_doctor, not output of kubectl; judge it with the diagnose playbook and webhook_doctor_source")
    if "serverVersion" in document:
        dump.version = version_facts(mapping(document["serverVersion"]))
        return True
    kind, api_version = text(document.get("kind")), text(document.get("apiVersion"))
    if kind is None or api_version is None:
        return False
    dump.objects += 1
    if isinstance(document.get("items"), list) and kind.endswith("List"):
        _take_list(mappings(document["items"]), kind[: -len("List")], api_version, dump)
    else:
        _take_object(document, dump)
    return True


def _take_list(items: list[dict[str, Any]], kind: str, api_version: str, dump: Dump) -> None:
    """A List whose objects of a kind lie in several namespaces was asked for with --all-namespaces: what it lacks does not exist."""
    namespaces: dict[str, set[str]] = defaultdict(set)
    for item in items:
        obj = item if item.get("kind") else {**item, "kind": kind, "apiVersion": api_version}
        plural = _take_object(obj, dump)
        # Of Namespaces, which lie in none, only a list with kube-system can be the whole list.
        key = "name" if plural == "namespaces" else "namespace"
        namespaces[plural or ""].add(text(mapping(obj.get("metadata")).get(key)) or "")
    for plural, seen in namespaces.items():
        if plural in dump.inventory.looked and (len(seen) > 1 if plural != "namespaces" else "kube-system" in seen):
            dump.inventory.looked[plural].everywhere = True
    empty = PLURALS.get((api_version.rpartition("/")[0], kind)) if not items else None
    if empty is not None:  # it was asked for, and there are none
        dump.seen[empty] += 1


def _take_object(obj: dict[str, Any], dump: Dump) -> str | None:
    """Add one object; the result is the plural of its kind where that matters."""
    plural = dump.inventory.add(obj)
    if plural is not None:
        dump.seen[plural] += 1
        if plural in dump.inventory.looked and plural != "namespaces":
            dump.inventory.looked[plural].namespaces.add(namespace_of(obj))
    return plural


def _note_what_is_missing(dump: Dump) -> None:
    for plural in dict.fromkeys(PLURALS.values()):
        if not dump.seen.get(plural):
            scope = "" if plural in _CLUSTER_SCOPED else " -A"
            dump.inventory.coverage.add(plural, NOT_IN_DUMP, f"The dump has no {plural}. Add the output of: kubectl get {plural}{scope} -o yaml")
    if dump.seen.get("pods") and not dump.inventory.servers:
        dump.inventory.coverage.add("apiserver pods", NOT_IN_DUMP, "The dump has no kube-apiserver pod in kube-system (a managed control plane shows none).")
