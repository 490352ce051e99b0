# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask cabundle_verify and Go the same questions, and list where they differ. Also a command: `against_go.py SEED COUNT`, or `SEED` to run until stopped.

What it finds is kept as JSON lines in differences.json beside it, questions and both answers, for a regression table.
"""

from __future__ import annotations

import collections
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.problems import Warn
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.verdict import Options, judge, parse_at
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.generate import AT, questions

HERE = pathlib.Path(__file__).parent
SOURCE = HERE.parents[1] / "lab" / "oracle"
BATCH = 2000
# The oracle must not find this host's roots: an empty caBundle then means no roots for both.
NO_ROOTS = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": "/nonexistent"}


class Difference(NamedTuple):
    kind: str  # class of the question
    field: str  # trusted | error
    item: dict[str, Any]
    go: dict[str, Any]
    ours: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.item['name']}\n  Go:   {self.go['trusted']} {self.go['error']}\n  ours: {self.ours['trusted']} {self.ours['error']}"


def build(folder: pathlib.Path) -> pathlib.Path:
    """The oracle's executable. Raises subprocess.CalledProcessError, FileNotFoundError (no Go)."""
    oracle = folder / "oracle"
    subprocess.run(["go", "build", "-o", str(oracle), "."], cwd=SOURCE, check=True, capture_output=True, env={**os.environ, "CGO_ENABLED": "0"})
    return oracle


def ask_go(oracle: pathlib.Path, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    document = json.dumps({"bundles": items, "at": AT})
    answer = subprocess.run([str(oracle)], input=document, capture_output=True, text=True, check=True, env=NO_ROOTS)
    results: list[dict[str, Any]] = json.loads(answer.stdout)["results"]
    return results


def ask_us(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return judge(items, Options(Warn(30, None), parse_at(AT), os.devnull))


def differences(
    oracle: pathlib.Path, asked: Iterator[tuple[str, dict[str, Any]]], counts: collections.Counter[tuple[str, bool | None]]
) -> Iterator[Difference]:
    """Where the answers differ; `counts` is told (class, Go's `trusted`) of every question."""
    while batch := list(itertools.islice(asked, BATCH)):
        items = [item for _kind, item in batch]
        for (kind, item), go, ours in zip(batch, ask_go(oracle, items), ask_us(items), strict=True):
            counts[kind, go["trusted"]] += 1
            field = next((field for field in ("trusted", "error") if go[field] != ours[field]), None)
            if field:
                yield Difference(kind, field, item, go, ours)


def main() -> None:
    seed = int(sys.argv[1])
    rounds = [(seed, int(sys.argv[2]))] if len(sys.argv) > 2 else ((number, BATCH) for number in itertools.count(seed))
    counts: collections.Counter[tuple[str, bool | None]] = collections.Counter()
    found: collections.Counter[tuple[str, str]] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        oracle = build(pathlib.Path(folder))
        try:
            for number, count in rounds:
                for one in differences(oracle, questions(number, count), counts):
                    found[one.kind, one.field] += 1
                    print(one)
                    with open(HERE / "differences.json", "a", encoding="utf-8") as file:
                        file.write(json.dumps({"item": one.item, "go": one.go, "ours": {key: one.ours[key] for key in ("trusted", "error")}}) + "\n")
        except KeyboardInterrupt:
            print()
    for kind in sorted({kind for kind, _trusted in counts}):
        print(
            f"{kind:18}{counts[kind, True]:8} trusted {counts[kind, False]:8} not   differences: {found[kind, 'trusted']} trusted, {found[kind, 'error']} error"
        )
    print(f"seed {seed}, {counts.total()} questions, {found.total()} differences")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
