# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as modules see it: kubernetes.core.k8s sends, delete_objects deletes, read_objects and observe_cluster look. PRIVATE to the collection."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ansible.utils.display import Display

from .._diagnosis.diagnose import diagnose
from .._report.display import show
from .._report.terminal import Line
from .answers import NEW_UID, sent_of
from .identity import died_here
from .port import Sent, Unreachable

# (module, its arguments, whether in check mode) -> what it returned
Execute = Callable[[str, Mapping[str, Any], bool], Mapping[str, Any]]
SENDER = "kubernetes.core.k8s"
_OURS = "kubeops.webhook_doctor"


@dataclass(frozen=True)
class Looking:
    """How findings are made, as by the role diagnose: its options."""

    vantages: Sequence[str] = ()
    deadline: float = 120.0
    warn_days: float = 30.0
    read_ca_secrets: bool = False


@dataclass
class ModulesPort:
    """connection: the connection options of kubernetes.core, as given to the task. cluster: whose this is, where it is not the only one."""

    execute: Execute
    connection: Mapping[str, Any]
    display: Display
    looking: Looking
    lock_namespace: str = "kube-system"
    quiet: bool = False
    cluster: str | None = None
    _locked_at: float | None = None

    def now(self) -> str:
        return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def read(self, references: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        keys = ("api_version", "kind", "namespace", "name", "label_selector")
        wanted = [{key: reference[key] for key in keys if reference.get(key)} for reference in references]
        result = self._ours("read_objects", {"objects": wanted, "raw": True})
        if any(answer["reason"] == "error" for answer in result["results"]):
            raise Unreachable(next(answer["error"] for answer in result["results"] if answer["reason"] == "error"))
        return list(result["results"])

    def put(self, objects: Sequence[Mapping[str, Any]], dry_run: bool) -> list[Sent]:
        return self._send(objects, dry_run, {"force": True})

    def create(self, objects: Sequence[Mapping[str, Any]], dry_run: bool) -> list[Sent]:
        return self._send([{**item, "metadata": {**item["metadata"], "uid": NEW_UID}} for item in objects], dry_run, {})

    def delete(self, targets: Sequence[Mapping[str, Any]], dry_run: bool) -> list[Sent]:
        keys = ("api_version", "kind", "namespace", "name", "uid", "resource_version")
        wanted = [{key: target[key] for key in keys if target.get(key)} for target in targets]
        results = self._ours("delete_objects", {"objects": wanted}, dry_run)["results"]
        unknown = next((result["error"] for result in results if result["unknown"]), None)
        if unknown:
            raise Unreachable(unknown)
        return [Sent(result["ok"], result["error"], result["conflict"], result["forbidden"]) for result in results]

    def observe(self, callouts: Sequence[str]) -> list[Mapping[str, Any]]:
        looking = self.looking
        arguments = {
            "callouts": list(callouts),
            "vantages": list(looking.vantages),
            "deadline": looking.deadline,
            "warn_days": looking.warn_days,
            "read_ca_secrets": looking.read_ca_secrets,
        }
        seen = self._ours("observe_cluster", arguments)
        return list(diagnose(seen["facts"], seen["probes"], seen["verdicts"], warn_days=looking.warn_days))

    def lock(self, holder: str) -> tuple[bool, str | None, str | None]:
        if self._locked_at is not None and time.monotonic() - self._locked_at < 120:
            return True, None, None
        asked: dict[str, Any] = {"holder": holder, "namespace": self.lock_namespace, "duration": 600}
        result = self._ours("lease", asked)
        if not result["held"] and result["holder"] and died_here(result["holder"]):
            self.say(f"  {result['holder']} has died, and its lock is taken over", "faint")
            result = self._ours("lease", {**asked, "take_over_from": result["holder"]})
        if result["held"]:
            self._locked_at = time.monotonic()
        return bool(result["held"]), result["holder"], result["until"]

    def unlock(self, holder: str) -> None:
        self._locked_at = None
        self._ours("lease", {"holder": holder, "namespace": self.lock_namespace, "state": "free"})

    def say(self, text: str, tone: str | None = None) -> None:
        if not self.quiet:
            show(self.display, [Line(text, tone)], self.cluster)

    def _send(self, objects: Sequence[Mapping[str, Any]], dry_run: bool, more: Mapping[str, Any]) -> list[Sent]:
        arguments = {
            **self.connection,
            "resource_definition": list(objects),
            "state": "present",
            "continue_on_error": True,
            "hidden_fields": ["metadata.managedFields"],
            **more,
        }
        return sent_of(self.execute(SENDER, arguments, dry_run), len(objects))

    def _ours(self, module: str, arguments: Mapping[str, Any], check: bool = False) -> Mapping[str, Any]:
        result = self.execute(f"{_OURS}.{module}", {**self.connection, **arguments}, check)
        if result.get("failed"):
            raise Unreachable(str(result.get("msg") or result.get("module_stderr") or f"{module} failed")[:1000])
        return result
