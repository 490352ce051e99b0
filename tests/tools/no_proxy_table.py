# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the tables of docs/no-proxy.md from what was measured. `--check` only says whether they are up to date; `--measure` asks the real programs anew.

What is asked stands in tests/unit/no_proxy/rows.yml and variables.yml, the answers in measured.yml beside them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "no-proxy.md"
_BEGIN = "<!-- {name}: generated from tests/unit/no_proxy/measured.yml by `make docs` -->"
_END = "<!-- end of {name} -->"
_TITLES = {"go": "Go", "curl_cffi": "curl", "curl": "curl", "pycurl": "curl", "urllib": "Python urllib", "requests": "Python requests", "java": "Java"}
_EXEMPT = {"direct": "direct", "proxy": "–"}
# Go refuses HTTP_PROXY with an error where it may come from a request's header.
_PROXIED = {"proxy": "proxy", "direct": "–", "invalid": "error"}
_HEAD = "# Written by `python tests/tools/no_proxy_table.py --measure`, which asks the real programs what rows.yml and variables.yml hold.\n"


def measure() -> None:
    """Ask every witness; all of them have to be there."""
    from ansible_collections.kubeops.webhook_doctor.tests.unit.no_proxy import table
    from ansible_collections.kubeops.webhook_doctor.tests.unit.no_proxy.witnesses import asking

    rows, variables = table.rows(), table.variables()
    versions = {name: witness.version() for name, witness in asking.WITNESSES.items()}
    found: dict[str, Any] = {
        "versions": versions,
        "rows": [{"no_proxy": row.no_proxy, "place": row.place} for row in rows],
        "variables": [{"variables": dict(row.variables), "url": row.url} for row in variables],
    }
    for name, witness in asking.WITNESSES.items():
        questions = [(asking.settings(witness.consumer, row.no_proxy), row.url) for row in rows]
        answers = asking.ask(name, [*questions, *((dict(row.variables), row.url) for row in variables)])
        for one, answer in zip([*found["rows"], *found["variables"]], answers):
            one[name] = answer
    lines = [_HEAD, yaml.safe_dump({"versions": versions}, sort_keys=False)]
    for part in ("rows", "variables"):
        lines += [f"{part}:\n", *(f"  - {_flow(one)}\n" for one in found[part])]
    table.MEASURED.write_text("".join(lines), encoding="utf-8")


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6).strip()


def semantics(measured: dict[str, Any]) -> list[str]:
    lines = []
    for about, rows in _sections():
        lines += [f"| {about} | in the URL | {' | '.join(_columns(measured))} |", f"|---|---|{'---|' * len(_TITLES)}"]
        for no_proxy, place in rows:
            one = next(one for one in measured["rows"] if (one["no_proxy"], one["place"]) == (no_proxy, place))
            lines.append(f"| {_code(no_proxy)} | {_code(place)} | {' | '.join(_EXEMPT[one[name]] for name in _TITLES)} |")
        lines.append("")
    return lines[:-1]


def variables(measured: dict[str, Any]) -> list[str]:
    lines = [f"| set | URL | {' | '.join(_columns(measured))} |", f"|---|---|{'---|' * len(_TITLES)}"]
    for one in measured["variables"]:
        settings = " ".join(f"{name}={'proxy' if value == '{proxy}' else value}" for name, value in one["variables"].items())
        lines.append(f"| {_code(settings)} | {_code(one['url'])} | {' | '.join(_PROXIED[one[name]] for name in _TITLES)} |")
    return lines


def _sections() -> list[tuple[str, list[tuple[str, str]]]]:
    document = yaml.safe_load((ROOT / "tests" / "unit" / "no_proxy" / "rows.yml").read_text(encoding="utf-8"))
    return [(section["about"], [(row["no_proxy"], row["place"]) for row in section["rows"]]) for section in document]


def _columns(measured: dict[str, Any]) -> list[str]:
    return [f"{title} {'.'.join(measured['versions'][name].split('.')[:2])}" for name, title in _TITLES.items()]


def _code(text: str) -> str:
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`" if text else "(empty)"


def page(text: str) -> str:
    """The page with its tables anew."""
    measured = yaml.safe_load((ROOT / "tests" / "unit" / "no_proxy" / "measured.yml").read_text(encoding="utf-8"))
    for name, lines in (("semantics", semantics(measured)), ("variables", variables(measured))):
        begin, end = _BEGIN.format(name=name), _END.format(name=name)
        if text.count(begin) != 1 or text.count(end) != 1:
            raise SystemExit(f"{PAGE.relative_to(ROOT)}: expected one {begin} and one {end}")
        before, dummy, rest = text.partition(begin)
        text = "\n".join([f"{before}{begin}", "", *lines, "", f"{end}{rest.partition(end)[2]}"])
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not up to date")
    parser.add_argument("--measure", action="store_true", help="ask the real programs anew first")
    arguments = parser.parse_args()
    if arguments.measure:
        measure()
    text = PAGE.read_text(encoding="utf-8")
    if arguments.check:
        if page(text) != text:
            print("docs/no-proxy.md is not up to date with what was measured. Run: make docs", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(page(text), encoding="utf-8")
    print("docs/no-proxy.md: tables written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
