# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is under way on this machine that a restart would disturb, or that would restart the API server itself. PRIVATE to the collection."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process

_UPGRADE_FOLDER = "/etc/kubernetes/tmp"  # kubeadm: constants.TempDirForKubeadm
_FRESH = 3600.0  # seconds
_SHUTDOWN = "/run/systemd/shutdown/scheduled"
_INSTALLERS = {
    "kubeadm": ("init", "join", "upgrade", "reset", "certs"),
    "rke2": ("certificate",),
    "k3s": ("certificate",),
    "k0s": ("install", "reset", "update"),
}
_SCRIPTS = ("rke2-killall.sh", "k3s-killall.sh", "rke2-uninstall.sh", "k3s-uninstall.sh")
_PACKAGERS = ("apt", "apt-get", "aptitude", "dpkg", "dnf", "dnf5", "microdnf", "yum", "rpm", "zypper", "snap", "unattended-upgrade")
_ABOUT_KUBERNETES = re.compile(r"\b(?:kube|k3s|rke2|k0s|microk8s|containerd|cri-o|etcd|docker)", re.IGNORECASE)
_INTERPRETERS = re.compile(r"(?:python[\d.]*|bash|sh|dash|sudo|env)")


def busy(host: Host, running: Sequence[Process], now: float | None = None) -> list[dict[str, str]]:
    """The `busy` of the facts. `now`: seconds since 1970."""
    moment = time.time() if now is None else now
    return [*_upgrade(host, moment), *_processes(running), *_shutdown(host)]


def _upgrade(host: Host, now: float) -> Iterator[dict[str, str]]:
    """kubeadm keeps the old and the new manifests there while it upgrades."""
    ages = {name: now - age for name in host.names(_UPGRADE_FOLDER) if (age := _changed(host, f"{_UPGRADE_FOLDER}/{name}")) is not None}
    fresh = sorted(name for name, age in ages.items() if age < _FRESH)
    if fresh:
        newest = min(fresh, key=lambda name: ages[name])
        yield {"what": "kubeadm upgrade", "because": f"{_UPGRADE_FOLDER}/{newest} was changed {max(ages[newest], 0) / 60:.0f} minutes ago"}


def _changed(host: Host, path: str) -> float | None:
    try:
        return host.path(path).stat().st_mtime
    except OSError:
        return None


def _processes(running: Sequence[Process]) -> Iterator[dict[str, str]]:
    for process in running:
        name, rest = _program(process.words)
        command = next((word for word in rest if not word.startswith("-")), None)
        if name in _INSTALLERS and command in _INSTALLERS[name]:
            yield {"what": f"{name} {command}", "because": f"process {process.pid}"}
        elif name in _SCRIPTS:
            yield {"what": name, "because": f"process {process.pid}"}
        elif name in _PACKAGERS:
            package = next((PurePosixPath(word).name for word in rest if _ABOUT_KUBERNETES.search(PurePosixPath(word).name)), None)
            if package:
                yield {"what": f"{name}: {package[:100]}", "because": f"process {process.pid}"}


def _program(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The name of what runs and its words; of a script, the script's."""
    name = PurePosixPath(words[0]).name
    if _INTERPRETERS.fullmatch(name):
        for position, word in enumerate(words[1:], 1):
            if not word.startswith("-"):
                return PurePosixPath(word).name, words[position + 1 :]
    return name, words[1:]


def _shutdown(host: Host) -> Iterator[dict[str, str]]:
    content = host.text(_SHUTDOWN)
    if content is not None:
        found = re.search(r"^MODE=(\S+)$", content, re.MULTILINE)
        yield {"what": f"{found.group(1) if found else 'shutdown'} scheduled", "because": f"{_SHUTDOWN} is there"}
