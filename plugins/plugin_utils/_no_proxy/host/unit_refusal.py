# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why what would be written for a unit would not count, or must not be written. Pure. PRIVATE to the collection."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from .settings import DAEMON, FILE, NAMES, OWN

# Everybody has to be able to read it.
OF_EVERYBODY = "/etc/environment"


def refused(unit: Mapping[str, Any], path: str, kind: str, wanted: Mapping[str, str], daemon: Mapping[str, str]) -> str | None:
    """None where it counts. daemon: what the program's own settings say, which count before its environment."""
    return _overridden(unit, path, kind, wanted) or _read_by_all(path, wanted) or _not_known(unit, wanted) or _set_by_daemon(wanted, daemon)


def with_password(wanted: Mapping[str, str]) -> bool:
    """Whether one of the values holds a user or password."""
    return any("@" in value for name, value in wanted.items() if not name.upper().endswith("NO_PROXY"))


def _overridden(unit: Mapping[str, Any], path: str, kind: str, wanted: Mapping[str, str]) -> str | None:
    """Whose setting would count before ours."""
    if kind != "drop_in":
        order = [file["path"] for file in unit["environment_files"]]
        later = order[order.index(path) + 1 :] if path in order else []
    else:
        later = [one for one in unit["drop_ins"] if posixpath.basename(one) > FILE]
    ours = [number for number, one in enumerate(unit["variables"]) if one["path"] == path and one["kind"] == OWN]
    for number, one in enumerate(unit["variables"]):
        if ours and number > ours[-1] and one["path"] == path and one["kind"] != OWN and one["name"] in wanted:
            return f"{path} sets {one['name']} after the block of this collection, and the last one counts: move that line before the block"
        if one["path"] in later and one["name"] in wanted and one["kind"] != OWN:
            return f"{one['path']} is read after {path} and sets {one['name']}: set it there, or rename that file so that it is read before"
    return None


def _read_by_all(path: str, wanted: Mapping[str, str]) -> str | None:
    if path != OF_EVERYBODY or not with_password(wanted):
        return None
    return f"{path} is read by everybody who logs in, and the proxy has a password: give the unit a file of its own, or a proxy without one"


def _not_known(unit: Mapping[str, Any], wanted: Mapping[str, str]) -> str | None:
    """Whose NO_PROXY would be written with a specifier as its text."""
    theirs = {one["name"]: one for one in unit["variables"] if one["kind"] != OWN}
    for name, one in theirs.items():
        if name in wanted and name.upper().endswith("NO_PROXY") and one["specifiers"]:
            return f"{one['path']} sets {name} with {', '.join(one['specifiers'])}, and what systemd makes of that is not known here: write what it stands for"
    return None


def _set_by_daemon(wanted: Mapping[str, str], daemon: Mapping[str, str]) -> str | None:
    names = [name for name in NAMES if name in wanted and name in daemon]
    return f"{DAEMON} sets {', '.join(names)}, which counts before docker's environment: set it there, under proxies, or take it out there" if names else None
