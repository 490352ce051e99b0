# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command behind `make fuzz`: ask cabundle_verify and Go, of every version, until stopped, and keep what they answer differently.

A difference is made as small as it gets, printed, and appended to regressions.json with Go's answer: from then on a test asks it again.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator

from ansible_collections.kubeops.webhook_doctor.tests.unit.trust import against_go, regressions
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.against_go import VERSIONS, Counts, Difference, NoToolchain
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.generate import questions
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.shrink import shrunk

PROGRESS = 30  # seconds between two lines
KEPT = 3  # differences of one version, class and field: more of them say nothing new


def main() -> None:
    arguments = _arguments()
    counts, found = Counts(), collections.Counter[tuple[str, str, str]]()
    started = spoken = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        oracles = _oracles(pathlib.Path(folder), arguments.go or list(VERSIONS))
        try:
            for version, seed, count in _rounds(arguments, list(oracles)):
                for one in against_go.differences(oracles[version], questions(seed, count), counts, version):
                    found[one.version, one.kind, one.field] += 1
                    if found[one.version, one.kind, one.field] <= KEPT:
                        _keep(one, oracles[version])
                if time.monotonic() - spoken > PROGRESS:
                    spoken = time.monotonic()
                    print(f"{spoken - started:6.0f} s  {counts.asked.total()} questions, {found.total()} differences; seed {seed}, Go {version}", flush=True)
        except KeyboardInterrupt:
            print()
    _summary(counts, found)
    sys.exit(1 if found else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("seed", nargs="?", type=int, default=None, help="where to begin; by default at the time of day")
    parser.add_argument("count", nargs="?", type=int, default=None, help="questions for each version; by default until stopped")
    parser.add_argument("--go", action="append", choices=list(VERSIONS), help="only this version of Go; can be repeated")
    arguments = parser.parse_args()
    arguments.seed = int(time.time()) if arguments.seed is None else arguments.seed
    return arguments


def _oracles(folder: pathlib.Path, versions: list[str]) -> dict[str, pathlib.Path]:
    oracles = {}
    for version in versions:
        try:
            oracles[version] = against_go.build(folder, version)
        except NoToolchain as error:
            print(f"Go {version} is left out: {error}", file=sys.stderr)
    if not oracles:
        sys.exit("No version of Go can be had; install go, and let it reach the module proxy for older toolchains.")
    return oracles


def _rounds(arguments: argparse.Namespace, versions: list[str]) -> Iterator[tuple[str, int, int]]:
    """(version, seed, count), each seed with every version in turn."""
    if arguments.count is not None:
        yield from ((version, arguments.seed, arguments.count) for version in versions)
        return
    for seed in itertools.count(arguments.seed):
        yield from ((version, seed, against_go.BATCH) for version in versions)


def _keep(one: Difference, oracle: pathlib.Path) -> None:
    small = shrunk(one, oracle)
    print(small, flush=True)
    if regressions.add(small):
        print(f"  kept in {regressions.FILE.name}", flush=True)


def _summary(counts: Counts, found: collections.Counter[tuple[str, str, str]]) -> None:
    for version in VERSIONS:
        asked = {(kind, trusted): number for (at, kind, trusted), number in counts.asked.items() if at == version}
        if not asked:
            continue
        print(f"\nGo {version}: {sum(asked.values())} questions")
        for kind in sorted({kind for kind, _trusted in asked}):
            good, bad = asked.get((kind, True), 0), asked.get((kind, False), 0)
            print(f"  {kind:18}{good:8} trusted {bad:8} not   differences: {found[version, kind, 'trusted']} trusted, {found[version, kind, 'error']} error")
        refused, same = counts.refused[version], counts.same_words[version]
        wrong = sum(number for (at, _kind, field), number in found.items() if at == version and field == "trusted")
        print(f"  differences in trusted: {wrong}; error texts that are equal: {same} of {refused} ({100 * same / refused if refused else 100:.2f} %)")


if __name__ == "__main__":
    main()
