# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/coverage.md: each situation of the guides, what is found there, and the test that makes it. `--check` only says whether it is up to date.

A row of a table of tests/unit says `covers: [situation]` and is simulated; a fault of tests/lab says the same and is real; a test function says
`@pytest.mark.covers("situation", ..., code="WD301")`. What is found is read from the row's own expectation, so that the table promises nothing else.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SITUATIONS = ROOT / "tests" / "coverage" / "situations.yml"
PAGE = ROOT / "docs" / "coverage.md"
_CODE = re.compile(r"\bWD\d{3}\b")
_GENERATED = "<!-- Generated from tests/coverage/situations.yml and the tests that name its situations, by `make docs`. -->"
_ORDER = ("real", "simulated", "text")


@dataclass(frozen=True)
class Cover:
    """One test of one situation. how: real (in the lab), simulated (a table of observations), text (an error text that is recognised)."""

    situation: str
    how: str
    codes: tuple[str, ...]
    test: str
    where: str


def covers() -> list[Cover]:
    return [*_of_tables(), *_of_functions()]


def _of_tables() -> Iterator[Cover]:
    for folder, how in ((ROOT / "tests" / "unit", "simulated"), (ROOT / "tests" / "lab", "real")):
        for path in sorted(folder.rglob("*.yml")):
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            for row in document if isinstance(document, list) else ():
                if isinstance(row, dict) and row.get("covers"):
                    told = row.get("find") or row.get("expect") or row.get("code")
                    kind = "text" if path.parent.name == "errors" else how
                    yield from _named(row["covers"], kind, _codes(told), str(row.get("name") or row.get("fault")), path)


def _of_functions() -> Iterator[Cover]:
    for folder, how in ((ROOT / "tests" / "unit", "simulated"), (ROOT / "tests" / "integration", "real")):
        for path in sorted(folder.rglob("test_*.py")):
            text = path.read_text(encoding="utf-8")
            if "mark.covers" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    for mark in node.decorator_list:
                        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute) and mark.func.attr == "covers":
                            code = {word.arg: ast.literal_eval(word.value) for word in mark.keywords}.get("code")
                            yield from _named([ast.literal_eval(one) for one in mark.args], how, _codes(code), node.name, path)


def _named(situations: list[str], how: str, codes: tuple[str, ...], test: str, path: Path) -> Iterator[Cover]:
    for situation in situations:
        yield Cover(situation, how, codes, test, str(path.relative_to(ROOT)))


def _codes(told: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_CODE.findall(str(told))))


def page() -> str:
    guides = yaml.safe_load(SITUATIONS.read_text(encoding="utf-8"))
    found: dict[str, list[Cover]] = defaultdict(list)
    for cover in covers():
        found[cover.situation].append(cover)
    known = {situation["id"] for guide in guides for situation in guide["situations"]}
    unknown = sorted(set(found) - known)
    if unknown:
        raise SystemExit(f"tests cover situations that {SITUATIONS.name} does not have: {', '.join(unknown)}")
    missing = [situation["id"] for guide in guides for situation in guide["situations"] if situation["id"] not in found]
    if missing:
        raise SystemExit(f"no test covers {', '.join(missing)}")
    lines = [
        _GENERATED,
        "# What is covered",
        "",
        "Each situation of the guides that the project started from, with what is found there and the test that makes it. *real*: made in the lab, with a real "
        "API server (and where it says so, the real application). *simulated*: a table of observations, for what nobody can make here, such as a firewall "
        "of a cloud. *text*: the error text is recognised.",
        "",
    ]
    for guide in guides:
        lines += [f"## {guide['guide']}", "", "| situation | found | how | test |", "|---|---|---|---|"]
        for situation in guide["situations"]:
            lines.append(_row(situation, sorted(found[situation["id"]], key=lambda cover: (_ORDER.index(cover.how), cover.where, cover.test))))
        lines.append("")
    return "\n".join(lines)


def _row(situation: dict[str, str], tests: list[Cover]) -> str:
    codes = dict.fromkeys(code for cover in tests for code in cover.codes)
    shown = ", ".join(f"[{code}](findings/{code}.md)" for code in codes) or "nothing: it is no fault"
    best = tests[0]
    more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
    what = situation["what"] + (f" ({situation['note']})" if situation.get("note") else "")
    return f"| {_cell(what)} | {shown} | {', '.join(dict.fromkeys(cover.how for cover in tests))} | `{best.where}`: {_cell(best.test)}{more} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not up to date")
    text = page()
    if parser.parse_args().check:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            print("docs/coverage.md is not up to date with the tests. Run: make docs", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(text, encoding="utf-8")
    print("docs/coverage.md: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
