# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A little API server in memory, as a Port: versions that are compared and swapped, dry runs that store nothing, preconditions, defaults; and bad days.

Bad days are set before a run: `forbidden`, `denied` and `dead` (keys of objects, see `key`), `faster` (what somebody else does to an object right before the
next request that writes it), `cut` (numbers of requests, from 1, that no answer comes for; with `lost_answers` they take effect all the same).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.port import Sent, Unreachable

Object = dict[str, Any]
BEGIN = 1_795_197_600  # 2026-11-20T18:00:00Z


def key(item: Mapping[str, Any]) -> str:
    """`ConfigMap/namespace/name`, of an object or of a target."""
    metadata = item.get("metadata") or item
    return "/".join(part for part in (item["kind"], metadata.get("namespace"), metadata["name"]) if part)


def content(item: Mapping[str, Any]) -> Object:
    """What a person wrote: without what the API server counts."""
    counted = ("resourceVersion", "generation", "uid", "creationTimestamp")
    return {**item, "metadata": {name: value for name, value in item["metadata"].items() if name not in counted}}


@dataclass
class Cluster:
    """objects: by key. requests: ("read" | "put" | "create" | "delete" | "dry put" | ..., key) of every one that arrived, in order.

    judge: the objects -> the findings of now (what `observe` returns). watch: called with every request, before anything happens.
    """

    objects: dict[str, Object] = field(default_factory=dict)
    judge: Callable[[Mapping[str, Object]], list[dict[str, Any]]] = lambda objects: []
    forbidden: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    faster: dict[str, list[Callable[[Object], None]]] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    lost_answers: bool = False
    locked_by: str | None = None
    holder: str | None = None
    requests: list[tuple[str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    watch: Callable[[str, str], None] = lambda what, name: None
    time: float = 0.0
    _version: int = 100

    def add(self, *items: Mapping[str, Any]) -> None:
        """Objects that are there from the beginning."""
        for item in items:
            self._store(key(item), copy.deepcopy(dict(item)))

    def contents(self) -> dict[str, Object]:
        """Every object, see `content`."""
        return {name: content(copy.deepcopy(item)) for name, item in self.objects.items()}

    def written(self) -> list[tuple[str, str]]:
        """The requests that could store something."""
        return [(what, name) for what, name in self.requests if what in ("put", "create", "delete")]

    # ---- the port

    def now(self) -> str:
        seconds = int(self.time)
        return f"2026-11-20T18:{seconds // 60:02d}:{seconds % 60:02d}Z"

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def read(self, references: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        self._arrive("read", ", ".join(key(one) if one.get("name") else one["kind"] for one in references))()
        return [self._found(reference) for reference in references]

    def put(self, objects: Sequence[Mapping[str, Any]], dry_run: bool) -> list[Sent]:
        return [self._write("put", item, dry_run, self._replace) for item in objects]

    def create(self, objects: Sequence[Mapping[str, Any]], dry_run: bool) -> list[Sent]:
        return [self._write("create", item, dry_run, self._create) for item in objects]

    def delete(self, targets: Sequence[Mapping[str, Any]], dry_run: bool) -> list[Sent]:
        return [self._write("delete", target, dry_run, self._delete) for target in targets]

    def observe(self, callouts: Sequence[str]) -> list[Mapping[str, Any]]:
        self._arrive("observe", ", ".join(callouts))()
        return list(self.judge(self.objects))

    def lock(self, holder: str) -> tuple[bool, str | None, str | None]:
        self._arrive("lock", holder)()
        if self.locked_by:
            return False, self.locked_by, "2026-11-20T18:10:00Z"
        self.holder = holder
        return True, None, None

    def unlock(self, holder: str) -> None:
        self._arrive("unlock", holder)()
        if self.holder == holder:
            self.holder = None

    def say(self, text: str, tone: str | None = None) -> None:
        self.said.append(text)

    # ---- the API server

    def _arrive(self, what: str, name: str) -> Callable[[], None]:
        """Count a request. Returns what to call when it has taken effect: raises where the answer gets lost."""
        self.watch(what, name)
        self.requests.append((what, name))
        if len(self.requests) not in self.cut:
            return lambda: None
        if not self.lost_answers:
            raise Unreachable("connection refused")

        def lose() -> None:
            raise Unreachable("connection reset")

        return lose

    def _found(self, reference: Mapping[str, Any]) -> Mapping[str, Any]:
        if reference.get("name"):
            if f"read {key(reference)}" in self.forbidden:
                return {"objects": [], "error": f"{key(reference)} is forbidden", "reason": "forbidden"}
            found = [self.objects[key(reference)]] if key(reference) in self.objects else []
        else:
            if f"read {reference['kind']}" in self.forbidden:
                return {"objects": [], "error": f"{reference['kind']} is forbidden", "reason": "forbidden"}
            wanted = dict([reference["label_selector"].split("=")]) if reference.get("label_selector") else {}
            found = [
                item
                for item in self.objects.values()
                if item["kind"] == reference["kind"]
                and reference.get("namespace") in (None, item["metadata"].get("namespace"))
                and wanted.items() <= (item["metadata"].get("labels") or {}).items()
            ]
        return {"objects": copy.deepcopy(found), "error": None, "reason": None}

    def _write(self, what: str, item: Mapping[str, Any], dry_run: bool, do: Callable[[str, Any, bool], Sent]) -> Sent:
        name = key(item)
        answered = self._arrive(f"dry {what}" if dry_run else what, name)
        if not dry_run and self.faster.get(name):
            somebody = copy.deepcopy(self.objects[name])
            self.faster[name].pop(0)(somebody)
            self._store(name, somebody)
        if name in self.forbidden or f"{what} {name}" in self.forbidden:
            sent = Sent(False, f'{name} is forbidden: User "test" cannot {what} it', forbidden=True)
        elif name in self.denied or f"{what} {name}" in self.denied:
            sent = Sent(False, f'admission webhook "no.example.com" denied the request: not {name}')
        else:
            sent = do(name, copy.deepcopy(dict(item)), dry_run)
        answered()
        return sent

    def _replace(self, name: str, item: Object, dry_run: bool) -> Sent:
        live = self.objects.get(name)
        if live is None or item["metadata"].get("resourceVersion") != live["metadata"]["resourceVersion"]:
            return Sent(False, f"Operation cannot be fulfilled on {name}", conflict=True)
        assert item["metadata"]["uid"] == live["metadata"]["uid"]
        return Sent(True, content=_complete(item) if dry_run else self._store(name, item))

    def _create(self, name: str, item: Object, dry_run: bool) -> Sent:
        assert not {"resourceVersion", "uid"} & item["metadata"].keys(), "the API server refuses these"
        if name in self.objects:
            return Sent(False, "it exists already")
        return Sent(True, content=_complete(item) if dry_run else self._store(name, item))

    def _delete(self, name: str, target: Mapping[str, Any], dry_run: bool) -> Sent:
        live = self.objects.get(name)
        if live is None:
            return Sent(True)
        for pin, theirs in (("uid", "uid"), ("resource_version", "resourceVersion")):
            if target.get(pin) and target[pin] != live["metadata"][theirs]:
                return Sent(False, f"the {theirs} in the precondition does not match", conflict=True)
        if not dry_run:
            del self.objects[name]
        return Sent(True)

    def _store(self, name: str, item: Object) -> Object:
        """Empty mappings of metadata are not kept, a write that changes nothing is none, and defaults are filled in: as the API server does."""
        self._version += 1
        item = _complete(item)
        live = self.objects.get(name)
        metadata = item["metadata"]
        metadata["uid"] = live["metadata"]["uid"] if live else f"uid-{self._version}"
        if live and content(live) == content(item):
            return copy.deepcopy(live)
        metadata["resourceVersion"] = str(self._version)
        self.objects[name] = item
        return copy.deepcopy(item)


def _complete(item: Object) -> Object:
    item = copy.deepcopy(item)
    for part in ("labels", "annotations"):
        if not item["metadata"].get(part, True):
            del item["metadata"][part]
    if item["kind"] == "NetworkPolicy":
        item.setdefault("spec", {}).setdefault("policyTypes", ["Ingress"])
    return item
