# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles: saved observations, written and read back. PRIVATE to the collection.

What is read may have been edited, cut off, or made by another version: it is checked against the shapes of docs/architecture.md before anything judges it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .shapes import BUNDLE, Mismatch, check
from .text import without_secrets

FORMAT = "kubeops.webhook_doctor/bundle"
FORMAT_VERSION = 1
# 10,000 call-outs make about 100 MB. More than this is no bundle, and would not fit in memory as objects.
LARGEST = 512 * 1024 * 1024
# The names under which a report directory holds one, best first.
_IN_DIRECTORY = ("bundle.json", "report.json")
_MARK = f'"{FORMAT}"'.encode()
_PEEK = 4096
_TAKE_A_NEW_ONE = "or take a new one with kubeops.webhook_doctor.diagnose"


class BadBundle(Exception):
    """The text is for people: which file, what is wrong, and the way out."""


def bundle_of(
    collection_version: str,
    facts: Mapping[str, Any],
    probes: Sequence[Mapping[str, Any]],
    verdicts: Sequence[Mapping[str, Any]],
    *,
    took_seconds: float | None,
    example: bool = False,
) -> dict[str, Any]:
    """A new bundle. `format` comes first, so that a file that was cut off can still be recognised."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "collection_version": collection_version,
        "example": example,
        "took_seconds": took_seconds,
        "facts": facts,
        "probes": probes,
        "verdicts": verdicts,
    }


def as_json(data: Any) -> str:
    """JSON without secrets, in ASCII: no control or direction-changing character reaches a terminal through `cat`, and any text can be written."""
    return without_secrets(json.dumps(data, ensure_ascii=True, indent=1)) + "\n"


def bundle_file(source: Path) -> Path | None:
    """The file of the bundle (or of the report with one in it) that `source` names, or None: then it is what kubectl wrote, or nothing of ours.

    A directory is one if it holds bundle.json or report.json with a bundle's mark. Only the beginning is read. What is not there is none: what kubectl wrote
    may lie on another host. Raises BadBundle where it cannot be read.
    """
    try:
        if source.is_dir():
            return next((source / name for name in _IN_DIRECTORY if (source / name).is_file() and _is_marked(source / name)), None)
        return source if source.exists() and _is_marked(source) else None
    except OSError as error:
        raise BadBundle(f"{source} cannot be read: {error.strerror}. Give the path of a bundle.json, or of files that kubectl get -o yaml wrote.") from error


def _is_marked(path: Path) -> bool:
    """Whether it is a bundle, or a report (its summary comes first and can be long: then the end of the line tells)."""
    with path.open("rb") as file:
        start = file.read(_PEEK)
    return _MARK in start or start.lstrip().startswith((b'{"summary"', b'{\n  "summary"', b'{\n "summary"'))


def read_bundle(path: Path) -> dict[str, Any]:
    """The bundle in this file (itself, or in a report.json), checked. Raises BadBundle."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadBundle(f"{path} has {path.stat().st_size // 2**20} MiB; a bundle has at most {LARGEST // 2**20}. This is something else.")
        content = path.read_bytes()
    except OSError as error:
        raise BadBundle(f"{path} cannot be read: {error.strerror}.") from error
    try:
        data = json.loads(content)
    except RecursionError as error:
        raise BadBundle(f"{path} is nested too deeply to be a bundle. T{_TAKE_A_NEW_ONE[4:]}.") from error
    except ValueError as error:
        raise BadBundle(f"{path} begins like a bundle but is not whole JSON ({error}): it was cut off or edited. Copy it again, {_TAKE_A_NEW_ONE}.") from error
    if isinstance(data, dict) and "bundle" in data and "format" not in data:
        data = data["bundle"]
    return _checked(path, data)


def _checked(path: Path, data: Any) -> dict[str, Any]:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadBundle(f'{path} is JSON, but no bundle of this collection: its "format" is not "{FORMAT}".')
    version = data.get("format_version")
    if version != FORMAT_VERSION:
        made_by = f" It was made by version {data['collection_version']!r:.40} of the collection." if data.get("collection_version") else ""
        newer = isinstance(version, int) and version > FORMAT_VERSION
        update = "ansible-galaxy collection install -U kubeops.webhook_doctor, "
        way_out = f"Update with {update}{_TAKE_A_NEW_ONE}." if newer else f"T{_TAKE_A_NEW_ONE[4:]}."
        raise BadBundle(f"{path} is a bundle of format_version {version!r:.40}; this collection reads version {FORMAT_VERSION}.{made_by} {way_out}")
    try:
        check(data, BUNDLE)
    except Mismatch as error:
        raise BadBundle(f"{path}: {error}. It was edited or damaged. Repair it, {_TAKE_A_NEW_ONE}.") from error
    data.setdefault("took_seconds", None)
    return data
