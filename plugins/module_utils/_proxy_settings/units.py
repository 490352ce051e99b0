# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What units tell their programs of proxies: where each variable is set, and what runs with it. PRIVATE to the collection.

Precedence, systemd.exec(5): DefaultEnvironment= of the manager, then Environment= in the order of the files, then EnvironmentFile=, then UnsetEnvironment=.
"""

from __future__ import annotations

import hashlib
import posixpath
import socket
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host, ProgramFailed
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import environment
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings import environment_file, unit_file
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings.variables import has_credentials, is_proxy_variable, shown

UNITS = (
    "kubelet",
    "containerd",
    "crio",
    "docker",
    "rke2-server",
    "rke2-agent",
    "k3s",
    "k3s-agent",
    "k0scontroller",
    "k0sworker",
)
# The file that this collection writes into <unit>.service.d: to be read after http-proxy.conf, as most others call theirs.
OWN = "zz-webhook-doctor-proxy.conf"
_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_MANAGER = ("/etc/systemd/system.conf", "/etc/systemd/system.conf.d/*.conf")
_PROPERTIES = ("ActiveState", "FragmentPath", "NeedDaemonReload", "MainPID")
_PATIENCE = 15.0


def units(host: Host, names: Iterable[str] = UNITS) -> list[dict[str, Any]]:
    """Those that this machine has."""
    manager = list(_manager(host))
    return [found for found in (_unit(host, name, manager) for name in names) if found]


def _unit(host: Host, name: str, manager: list[dict[str, Any]]) -> dict[str, Any] | None:
    said = _systemd_says(host, name)
    fragment = said.get("FragmentPath") or _fragment(host, name)
    if not fragment:
        return None
    drop_ins = _drop_ins(host, name)
    variables = [*manager]
    specifiers = {**_of_machine(), "n": f"{name}.service", "N": name, "p": name}
    files: list[tuple[str, bool]] = []
    unset: set[str] = set()
    for path in [fragment, *drop_ins]:
        for key, value in unit_file.settings(host.text(path) or "", "Service"):
            if key == "Environment":
                found = _set(host, unit_file.assignments(value), path, "unit" if path == fragment else "drop_in", specifiers)
                # An empty one takes back those before it.
                variables = [*variables, *found] if value else [*manager]
            elif key == "EnvironmentFile":
                files = [*files, _file_of(value, name)] if value else []
            elif key == "UnsetEnvironment":
                unset = unset | set(unit_file.words(value)) if value else set()
    seen: list[dict[str, Any]] = []
    for pattern, optional in files:
        matching = _matching(host, pattern)
        for path in matching or [pattern]:
            content = host.text(path)
            seen.append({"path": path, "exists": content is not None, "optional": optional})
            for part, kind in zip(environment_file.parts(content or ""), ("environment_file", "own", "environment_file")):
                variables += _set(host, environment_file.variables(part), path, kind)
    for variable in variables:
        if posixpath.basename(variable["path"]) == OWN:
            variable["kind"] = "own"
    pid = int(said.get("MainPID") or 0)
    running = environment(host, pid) if pid else None
    return {
        "unit": f"{name}.service",
        "active": said["ActiveState"] == "active" if said.get("ActiveState") else None,
        "pid": pid or None,
        "fragment": fragment,
        "drop_ins": drop_ins,
        "environment_files": seen,
        "need_daemon_reload": said["NeedDaemonReload"] == "yes" if said.get("NeedDaemonReload") else None,
        "own": _own(host, drop_ins, [file["path"] for file in seen]),
        "variables": [{key: value for key, value in variable.items() if key != "raw"} for variable in variables if variable["name"] not in unset],
        "running": None if running is None else {key: shown(key, value) for key, value in sorted(running.items()) if is_proxy_variable(key)},
        "pending": None if running is None else _pending(running, variables, unset),
        "surplus": None if running is None else _surplus(running, variables, unset),
    }


def _pending(running: dict[str, str], variables: list[dict[str, Any]], unset: set[str]) -> list[str]:
    """The variables that a new process would be given, and this one has not."""
    wanted = {variable["name"]: variable for variable in variables if variable["name"] not in unset}
    return sorted(name for name, variable in wanted.items() if not variable["specifiers"] and running.get(name) != variable["raw"])


def _surplus(running: dict[str, str], variables: list[dict[str, Any]], unset: set[str]) -> list[str]:
    """Those that it has and that its files do not give (any more): they may come from wherever."""
    wanted = {variable["name"] for variable in variables if variable["name"] not in unset}
    return sorted(name for name in running if is_proxy_variable(name) and name not in wanted)


def _set(host: Host, variables: Iterable[tuple[str, str]], path: str, kind: str, specifiers: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """specifiers: what they stand for; None where there are none, as in environment files. An assignment that systemd ignores is none, and noted."""
    found = []
    for name, said in variables:
        if is_proxy_variable(name):
            value, unknown = (said, []) if specifiers is None else unit_file.resolved(said, specifiers)
            misread = unit_file.misread(unknown)
            if misread:
                host.missed(path, f"{name} does not count: systemd knows no specifier {misread[0]}, and ignores the assignment. Write a percent sign as %%.")
                continue
            variable = {"name": name, "value": shown(name, value), "credentials": has_credentials(name, value), "path": path, "kind": kind}
            found.append({**variable, "specifiers": unknown, "raw": value})
    return found


def _of_machine() -> dict[str, str]:
    """Specifiers that are the same for all units."""
    return {"H": socket.gethostname(), "l": socket.gethostname().partition(".")[0]}


def _own(host: Host, drop_ins: list[str], files: list[str]) -> list[dict[str, str]]:
    """{path, sha256} of what this collection has written: its drop-in, its block in an environment file."""
    contents = [(path, host.text(path) or "") for path in drop_ins if posixpath.basename(path) == OWN]
    contents += [(path, block) for path, block in ((path, environment_file.block(host.text(path) or "")) for path in files) if block]
    return [{"path": path, "sha256": hashlib.sha256(content.strip().encode()).hexdigest()} for path, content in contents]


def _manager(host: Host) -> Iterable[dict[str, Any]]:
    for pattern in _MANAGER:
        for path in _matching(host, pattern):
            for key, value in unit_file.settings(host.text(path) or "", "Manager"):
                if key == "DefaultEnvironment":
                    yield from _set(host, unit_file.assignments(value), path, "manager", _of_machine())


def _file_of(value: str, unit: str) -> tuple[str, bool]:
    """(path, whether it may be missing) of an EnvironmentFile= line."""
    path = unit_file.words(value)[0] if unit_file.words(value) else ""
    return path.lstrip("-").replace("%N", unit).replace("%n", f"{unit}.service").replace("%%", "%"), path.startswith("-")


def _systemd_says(host: Host, name: str) -> dict[str, str]:
    """Its properties; none where systemd does not run here."""
    systemctl = host.program("systemctl")
    if systemctl is None:
        return {}
    try:
        done = host.run([str(systemctl), "show", f"--property={','.join(_PROPERTIES)}", f"{name}.service"], _PATIENCE)
    except ProgramFailed as error:
        host.missed("systemd", str(error))
        return {}
    if done.status:
        host.missed("systemd", f"systemctl show: {done.error.strip() or done.status}. Units are read from their files; what runs is not known.")
        return {}
    return dict(line.split("=", 1) for line in done.output.splitlines() if "=" in line)


def _fragment(host: Host, name: str) -> str | None:
    return next((path for path in (f"{folder}/{name}.service" for folder in _FOLDERS) if host.exists(path)), None)


def _drop_ins(host: Host, name: str) -> list[str]:
    """As systemd would read them now: of files with the same name the one in the first folder counts; all in the order of their names."""
    parts = name.split("-")
    kinds = [f"{name}.service.d", *(f"{'-'.join(parts[:count])}-.service.d" for count in range(len(parts) - 1, 0, -1)), "service.d"]
    found: dict[str, str] = {}
    for kind in kinds:
        for folder in _FOLDERS:
            for file in host.names(f"{folder}/{kind}"):
                if file.endswith(".conf"):
                    found.setdefault(file, f"{folder}/{kind}/{file}")
    return [found[file] for file in sorted(found)]


def _matching(host: Host, pattern: str) -> list[str]:
    """Files that match, sorted. Only the last part may have wildcards."""
    folder, name = posixpath.split(pattern)
    return [posixpath.join(folder, file) for file in host.names(folder) if fnmatchcase(file, name)]
