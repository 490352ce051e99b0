# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who on a machine is told of which proxy, where, and what NO_PROXY lacks there. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..consumers import GO
from ..missing import missing_no_proxy
from ..needs import Need
from .settings import NAMES, PREFIXES, effective, proxied

_SHOWN = 6  # entries that a line names


def report(settings: Mapping[str, Any], needs: Sequence[Need]) -> dict[str, Any]:
    """{rows: [{host, known, who, where, proxy, no_proxy, missing: [entry], notes: [str]}], lines: [str], missing: how many rows lack something,
    unread: how many manifests are not understood}"""
    rows = [*_rows(settings, needs)]
    unread = sum(bool(manifest["error"]) for manifest in settings["manifests"])
    lines = [*map(_line, rows), *(f"{settings['hostname']}  {one['what']}: {one['message']}" for one in settings["coverage"])]
    return {"rows": rows, "lines": lines, "missing": sum(bool(row["missing"]) for row in rows), "unread": unread}


def _rows(settings: Mapping[str, Any], needs: Sequence[Need]) -> Iterator[dict[str, Any]]:
    host = settings["hostname"]
    for unit in settings["units"]:
        for prefix in PREFIXES:
            variables = effective(unit["variables"], prefix)
            if variables or not prefix:
                paths = list(dict.fromkeys(one["path"] for one in unit["variables"]))
                who = f"{unit['unit']} ({prefix.rstrip('_').lower()} alone)" if prefix else unit["unit"]
                yield _row(host, who, ", ".join(paths) or unit["fragment"], variables, needs, _notes(unit) if not prefix else [])
    for manifest in settings["manifests"]:
        notes = [f"not read: {manifest['error']}"] if manifest["error"] else []
        if manifest["pending"]:
            notes.append(f"runs with another {', '.join(manifest['pending'])}")
        row = _row(host, manifest["component"], manifest["path"], effective(manifest["variables"]), needs, notes)
        yield {**row, "known": not manifest["error"]}
    for other in settings["others"]:
        yield _row(host, "docker" if other["path"].endswith("daemon.json") else "containerd", other["path"], effective(_kinded(other)), needs, [])
    for login in settings["logins"]:
        note = "logins and kubeadm read this, units do not" if login["path"] == "/etc/environment" else "shells read this, units do not"
        yield _row(host, "logins", login["path"], effective(_kinded(login)), needs, [note])


def _kinded(file: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "kind": "file"} for one in file["variables"]]


def _row(host: str, who: str, where: str, variables: Mapping[str, str], needs: Sequence[Need], notes: list[str]) -> dict[str, Any]:
    proxy, no_proxy = GO.settings(variables)
    differ = [name for name in NAMES if len({variables[spelled] for spelled in (name, name.lower()) if spelled in variables}) > 1]
    return {
        "host": host,
        "known": True,
        "who": who,
        "where": where,
        "proxy": proxy or variables.get("HTTP_PROXY") or variables.get("http_proxy") or None,
        "no_proxy": no_proxy if proxied(variables) or no_proxy else None,
        "missing": [need.entry for need in missing_no_proxy(no_proxy, needs)] if proxied(variables) else [],
        "notes": [*notes, *(f"{name} and {name.lower()} differ: programs disagree about which counts" for name in differ)],
    }


def _notes(unit: Mapping[str, Any]) -> list[str]:
    notes = []
    if unit["pending"]:
        notes.append(f"runs without the present {', '.join(unit['pending'])}: restart it")
    if unit["surplus"]:
        notes.append(f"runs with {', '.join(unit['surplus'])}, which its files do not give (any more)")
    if unit["need_daemon_reload"]:
        notes.append("systemd has not read its files again: systemctl daemon-reload")
    return notes


def _line(row: Mapping[str, Any]) -> str:
    missing = row["missing"]
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    lacks = f"; NO_PROXY lacks {', '.join(missing[:_SHOWN])}{more}" if missing else ""
    none = "no proxy" if row["known"] else "proxy not known"
    proxy = f"proxy {row['proxy']}, NO_PROXY {row['no_proxy'] or '(empty)'}" if row["proxy"] else none
    notes = f" ({'; '.join(row['notes'])})" if row["notes"] else ""
    return f"{row['host']}  {row['who']}  {row['where']}: {proxy}{lacks}{notes}"
