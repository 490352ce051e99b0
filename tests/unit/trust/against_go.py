# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask cabundle_verify and Go the same questions, and find where they differ. Also a command, that of fuzz.py: `SEED COUNT --go 1.22`."""

from __future__ import annotations

import collections
import itertools
import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import Rules, rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.problems import Warn
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.verdict import Options, judge, parse_at
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.generate import AT

HERE = pathlib.Path(__file__).parent
SOURCE = HERE.parents[1] / "lab" / "oracle"
BATCH = 2000
# The oracle must not find this host's roots: an empty caBundle then means no roots for both.
NO_ROOTS = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": "/nonexistent"}

# What a question is judged by: the name of a version -> toolchain ("": the installed one), Go version of go.mod (its GODEBUG defaults), Kubernetes.
# 1.26/1.22 stands for a patch release of Kubernetes 1.30 that is built with a newer toolchain.
NEWEST = "1.26"
VERSIONS = {
    "1.22": ("go1.22.12", "1.22", None),
    "1.23": ("go1.23.12", "1.23", None),
    "1.24": ("go1.24.13", "1.24", None),
    "1.25": ("go1.25.8", "1.25", None),
    NEWEST: ("", "1.26", None),
    "1.23/1.22": ("go1.23.12", "1.22", "v1.31.14"),
    "1.26/1.22": ("", "1.22", "v1.30.14"),
}


class Difference(NamedTuple):
    version: str  # of VERSIONS
    kind: str  # class of the question
    field: str  # trusted | error
    item: dict[str, Any]
    go: dict[str, Any]
    ours: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.item['name']} (Go {self.version})\n  Go:   {self.go['trusted']} {self.go['error']}\n  ours: {self.ours['trusted']} {self.ours['error']}"


class NoToolchain(Exception):
    """Why Go of a version cannot be had."""


def build(folder: pathlib.Path, version: str = NEWEST) -> pathlib.Path:
    """The oracle's executable for one of VERSIONS. Raises NoToolchain."""
    if shutil.which("go") is None:
        raise NoToolchain("go is not installed: Go's own verdicts are not to be had")
    toolchain, language, _kubernetes = VERSIONS[version]
    source = folder / f"source-{version.replace('/', '-')}"
    source.mkdir(parents=True, exist_ok=True)
    shutil.copy(SOURCE / "main.go", source)
    module = (SOURCE / "go.mod").read_text(encoding="utf-8").split("\n")[0]
    (source / "go.mod").write_text(f"{module}\n\ngo {language}\n", encoding="utf-8")
    oracle = folder / f"oracle-{version.replace('/', '-')}"
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", **({"GOTOOLCHAIN": toolchain} if toolchain else {})}
    made = subprocess.run(["go", "build", "-o", str(oracle), "."], cwd=source, capture_output=True, text=True, env=environment, check=False)
    if made.returncode and "toolchain" in made.stderr.lower():
        raise NoToolchain(f"the toolchain {toolchain or 'of this host'} cannot be had: {made.stderr.strip()[-300:]}")
    made.check_returncode()
    return oracle


def ask_go(oracle: pathlib.Path, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    document = json.dumps({"bundles": items, "at": AT})
    answer = subprocess.run([str(oracle)], input=document, capture_output=True, text=True, check=True, env=NO_ROOTS)
    results: list[dict[str, Any]] = json.loads(answer.stdout)["results"]
    return results


def rules_of(version: str) -> Rules:
    toolchain, _language, kubernetes = VERSIONS[version]
    return rules(toolchain or NEWEST, kubernetes)


def ask_us(items: list[dict[str, Any]], version: str = NEWEST) -> list[dict[str, Any]]:
    return judge(items, Options(Warn(30, None), parse_at(AT), os.devnull, rules_of(version)))


def difference(version: str, kind: str, item: dict[str, Any], go: dict[str, Any], ours: dict[str, Any]) -> Difference | None:
    field = next((field for field in ("trusted", "error") if go[field] != ours[field]), None)
    return Difference(version, kind, field, item, go, ours) if field else None


class Counts:
    """What was asked, and what came of it: (version, class of the question, Go's `trusted`), refusals, and refusals in the same words."""

    def __init__(self) -> None:
        self.asked: collections.Counter[tuple[str, str, bool | None]] = collections.Counter()
        self.refused: collections.Counter[str] = collections.Counter()
        self.same_words: collections.Counter[str] = collections.Counter()

    def add(self, version: str, kind: str, go: dict[str, Any], ours: dict[str, Any]) -> None:
        self.asked[version, kind, go["trusted"]] += 1
        self.refused[version] += go["error"] is not None
        self.same_words[version] += go["error"] is not None and go["error"] == ours["error"]


def differences(oracle: pathlib.Path, asked: Iterator[tuple[str, dict[str, Any]]], counts: Counts, version: str = NEWEST) -> Iterator[Difference]:
    """Where the answers differ; `counts` is told of every question."""
    while batch := list(itertools.islice(asked, BATCH)):
        items = [item for _kind, item in batch]
        for (kind, item), go, ours in zip(batch, ask_go(oracle, items), ask_us(items, version), strict=True):
            counts.add(version, kind, go, ours)
            found = difference(version, kind, item, go, ours)
            if found:
                yield found


if __name__ == "__main__":
    from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.fuzz import main

    main()
