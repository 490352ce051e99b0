# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a page for each finding code, and their index, from the catalogue: docs/findings. `--check` only says whether they are up to date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.catalogue.index import CATALOGUE, FAMILIES
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.finding import Entry
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.text import placeholders

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "findings"
_GENERATED = "<!-- Generated from plugins/plugin_utils/_diagnosis/catalogue by `make docs`: change it there. -->"
# Placeholders that a name in angle brackets does not explain.
_EXAMPLES = {
    "resource": "validatingwebhookconfiguration",
    "ca_jsonpath": "'{.webhooks[0].clientConfig.caBundle}'",
    "client_jsonpath": "'{.webhooks[0].clientConfig}'",
    "slices": "kubernetes.io/service-name=<service>",
    "config_file": "<config>.yaml",
    "orphan": "<config>",
    "dead": "<failing endpoint>",
}
_ABOUT = {
    "callout": "The configuration of the call-out: the finding names its object, and its entry if only one is affected.",
    "backend": "The back end: the finding names the Service (for a URL the object that names it), and lists all call-outs that it affects.",
    "cluster": "Something that call-outs have in common: the finding is reported once, and lists all that it affects.",
}


def pages() -> dict[str, str]:
    """File name -> text."""
    return {"README.md": _index(), **{f"{code}.md": _page(entry) for code, entry in CATALOGUE.items()}}


def _page(entry: Entry) -> str:
    severity = f"`{entry.severity.value}`"
    if entry.severity.value == "error" and entry.blames != "cluster":
        severity += " (`warning` where the call-out's failurePolicy is `Ignore`: then requests pass unguarded)"
    return "\n".join(
        [
            _GENERATED,
            f"# {entry.code}: {entry.title}",
            "",
            f"- Severity: {severity}",
            f"- Cause: {f'`{entry.cause}`' if entry.cause else 'none of its own'}",
            f"- About: {_ABOUT[entry.blames]}",
            "",
            "## What it means",
            "",
            entry.meaning,
            "",
            "## How it was decided",
            "",
            entry.decided,
            "",
            "## How to confirm it by hand",
            "",
            *_steps(entry.confirm),
            "",
            "## How to fix it",
            "",
            *_steps(entry.fix),
            "",
            "## Source",
            "",
            entry.source,
            "",
            "[All findings](README.md)",
            "",
        ]
    )


def _steps(steps: tuple[str, ...]) -> list[str]:
    """Sentences as paragraphs, commands in blocks, with <names> to be filled in. In a finding the names stand already."""
    lines: list[str] = []
    block: list[str] = []

    def close() -> None:
        if block:
            lines.extend(["```shell", *block, "```", ""])
            block.clear()

    for step in steps:
        shown = step.format(**{name: _EXAMPLES.get(name, f"<{name.replace('_', ' ')}>") for name in placeholders(step)})
        if step.startswith("# "):
            close()
            lines.extend([shown[2:].replace("<", "&lt;"), ""])
        else:
            block.append(shown)
    close()
    return lines[:-1]


def _index() -> str:
    lines = [
        _GENERATED,
        "# Findings",
        "",
        "Every finding has a code that never changes its meaning. `error`: requests fail now. `warning`: it fails open, now and then, or it will fail. "
        "`info`: worth knowing.",
        "",
    ]
    for family, entries in FAMILIES:
        lines += [f"## {family}", "", "| code | severity | what |", "|---|---|---|"]
        lines += [f"| [{entry.code}]({entry.code}.md) | {entry.severity.value} | {entry.title} |" for entry in entries]
        lines.append("")
    return "\n".join(lines)


def outdated() -> list[str]:
    """The files of docs/findings that are missing, differ from the catalogue, or belong to no code."""
    wanted = pages()
    present = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is not up to date")
    if parser.parse_args().check:
        stale = outdated()
        if stale:
            print(f"docs/findings is not up to date with the catalogue: {', '.join(stale)}. Run: make docs", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"docs/findings: {len(wanted)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
