# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written for the units of one machine: a drop-in of our own, or a block in the environment file that counts. Pure. PRIVATE to the collection.

What others have written stays: NO_PROXY is theirs, in their order, and after it what it lacks. A value for a machine without a proxy is written only where a
proxy is given.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..missing import merged, missing_no_proxy
from ..needs import Need
from .settings import DAEMON, FILE, NAMES, OWN, PREFIXES, effective, excepted, proxied
from .unit_refusal import refused, with_password
from .writing import drop_in, environment_lines

PRESENT, ABSENT = "present", "absent"
# The units whose files are environment files, and which are restarted with all of a server's control plane.
DISTRIBUTIONS = ("rke2-server", "rke2-agent", "k3s", "k3s-agent")
SERVERS = ("rke2-server", "k3s", "k0scontroller")
# Stops its containers with it, unless it has live-restore: of a control plane that is etcd and the API server.
CONTAINERS_STOP_WITH = ("docker",)
_ADMINISTRATORS = ("/etc/default/", "/etc/sysconfig/")


@dataclass(frozen=True)
class Wish:
    """proxies: HTTPS_PROXY and HTTP_PROXY that are given, with their passwords. prefix: for that program alone (CONTAINERD_)."""

    needs: tuple[Need, ...]
    proxies: Mapping[str, str]
    state: str = PRESENT
    prefix: str = ""


def plan(settings: Mapping[str, Any], names: Sequence[str], wish: Wish) -> list[dict[str, Any]]:
    """[{unit, kind: drop_in|environment_file, path, state, content, secret: bool, done: bool, server: bool, refused: str|null, says}] for those of the units
    that are there.

    done: whether it is there and runs. content: the drop-in, or the lines of the block. Nothing for a unit that has no proxy and is to get none.
    """
    found = []
    for unit in settings["units"]:
        name = unit["unit"].removesuffix(".service")
        if name in names:
            server = name in SERVERS or (name in CONTAINERS_STOP_WITH and bool(settings["manifests"]))
            found += [{**change, "server": server} for change in _changes(name, unit, wish, _of_daemon(settings) if name == "docker" else {})]
    return found


def _changes(name: str, unit: Mapping[str, Any], wish: Wish, daemon: Mapping[str, str]) -> list[dict[str, Any]]:
    """daemon: what the program's own settings say, which count before its environment."""
    wanted, words = _wanted(unit, wish, daemon) if wish.state == PRESENT else ({}, [])
    path, kind = _place(name, unit, wanted)
    ours = {one["path"] for one in unit["own"]}
    changes = []
    # What we have written elsewhere before is taken back.
    for stale in sorted(ours - ({path} if wanted else set())):
        changes.append(_change(name, stale, "drop_in" if posixpath.basename(stale) == FILE else "environment_file", {}, ["nothing of ours is needed there"]))
    if wanted:
        change = _change(name, path, kind, wanted, words)
        done = {"path": path, "sha256": hashlib.sha256(change["content"].strip().encode()).hexdigest()} in unit["own"] and not unit["pending"]
        changes.append({**change, "done": done, "refused": refused(unit, path, kind, wanted, daemon)})
    for change in changes:
        # A diff shows also what was there.
        shown = [one["credentials"] for one in unit["variables"] if one["path"] == change["path"] and one["kind"] == OWN]
        change["secret"] = any(shown) or (bool(wanted) and change["path"] == path and with_password(wanted))
    return changes


def _change(name: str, path: str, kind: str, wanted: Mapping[str, str], words: Sequence[str]) -> dict[str, Any]:
    return {
        "unit": f"{name}.service",
        "kind": kind,
        "path": path,
        "state": PRESENT if wanted else ABSENT,
        "content": (drop_in(wanted) if kind == "drop_in" else environment_lines(wanted)) if wanted else "",
        "secret": False,
        "done": False,
        "server": False,
        "refused": None,
        "says": f"{name}: {'; '.join(words)}",
    }


def _wanted(unit: Mapping[str, Any], wish: Wish, daemon: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """(variables as they are to be written, in words)."""
    wanted: dict[str, str] = {}
    words = []
    for prefix in PREFIXES:
        theirs = effective(unit["variables"], prefix, own=False)
        theirs.update({spelled: value for name, value in daemon.items() for spelled in (name, name.lower()) if not prefix})
        proxies = wish.proxies if prefix == wish.prefix else {}
        if not proxies and not proxied(theirs):
            continue
        before = excepted(theirs)
        lacking = missing_no_proxy(before, wish.needs)
        values = dict(proxies)
        # Also where nothing is lacking, if the two spellings differ, or the proxy is ours: then both are written alike.
        if lacking or proxies or theirs.get("NO_PROXY", before) != theirs.get("no_proxy", before):
            values["NO_PROXY"] = merged(before, wish.needs)
        for name in NAMES:
            if values.get(name):
                # Programs with a prefix know upper case alone.
                wanted.update({f"{prefix}{spelled}": values[name] for spelled in ((name,) if prefix else (name, name.lower()))})
        if lacking:
            words.append(f"{prefix}NO_PROXY gets {', '.join(need.entry for need in lacking)}")
        words += [f"{prefix}{name} is set" for name in proxies]
    return wanted, words or ["both spellings alike"]


def _place(name: str, unit: Mapping[str, Any], wanted: Mapping[str, str]) -> tuple[str, str]:
    """Where it counts: variables of environment files count before those of units."""
    theirs = [one["path"] for one in unit["variables"] if one["kind"] == "environment_file" and one["name"] in wanted]
    if theirs:
        return theirs[-1], "environment_file"
    if name in DISTRIBUTIONS and unit["environment_files"]:
        return _lasting(unit["environment_files"]), "environment_file"
    return f"/etc/systemd/system/{name}.service.d/{FILE}", "drop_in"


def _lasting(files: Sequence[Mapping[str, Any]]) -> str:
    """Which one: those of administrators before those that installers and upgrades write anew, of these one that is there."""
    kept = [file for file in files if file["path"].startswith(_ADMINISTRATORS)] or files
    return next((file["path"] for file in kept if file["exists"]), kept[0]["path"])


def _of_daemon(settings: Mapping[str, Any]) -> dict[str, str]:
    """`proxies` of docker's own settings."""
    return {one["name"]: one["value"] for other in settings["others"] if other["path"] == DAEMON for one in other["variables"]}
