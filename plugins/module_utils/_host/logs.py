# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines that an API server has written, less what is secret in them. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import container
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host, ProgramFailed
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.server import Server
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._secrets import without_secrets

LINES = 60
_LONGEST = 500
_TAIL = 256 * 1024  # bytes of a file that are read
_PATIENCE = 15.0
_PODS = "/var/log/pods"
_CRI_PREFIX = re.compile(r"^\S+ (?:stdout|stderr) [FP] ")
_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}")
_BEARER = re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_VALUE = re.compile(
    r"""((?:pass(?:word|wd)?|secret(?:[-_]?key)?|token|api[-_]?key|access[-_]?key|vpn-auth)["']?\s*[=:]\s*["']?)(?!/)[^\s"',;&]+""", re.IGNORECASE
)
_FLAG = re.compile(r"(--(?:[a-z0-9-]*-)?(?:token|secret-key|access-key|password|vpn-auth)\s+)(?!-)\S+")
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def last_lines(host: Host, server: Server, cri: container.Runtime) -> list[str]:
    """From crictl, else from the kubelet's files, else from the journal."""
    lines: list[str] = []
    if server.manages_by == "static_pod":
        lines = _from_crictl(host, cri) or _from_files(host)
    return cleaned(lines or _from_journal(host, server))


def cleaned(lines: Iterable[str]) -> list[str]:
    """The last ones, each bounded, without private keys, tokens and passwords."""
    text = without_secrets("\n".join(list(lines)[-LINES:]))
    for pattern, instead in ((_TOKEN, "(removed)"), (_BEARER, r"\1(removed)"), (_VALUE, r"\1(removed)"), (_FLAG, r"\1(removed)"), (_UNSAFE, "?")):
        text = pattern.sub(instead, text)
    return [line[:_LONGEST] for line in text.splitlines() if line.strip()]


def _from_crictl(host: Host, cri: container.Runtime) -> list[str]:
    newest = container.newest(host, cri)
    if newest is None:
        return []
    try:
        done = host.run(cri.command("logs", "--tail", str(LINES), newest["id"]), _PATIENCE)
    except ProgramFailed:
        return []
    return (done.output + done.error).splitlines() if done.status == 0 else []


def _from_files(host: Host) -> list[str]:
    """/var/log/pods/kube-system_kube-apiserver-<node>_<uid>/kube-apiserver/<attempt>.log, the newest."""
    folders = [f"{_PODS}/{name}/{container.NAME}" for name in host.names(_PODS) if name.startswith("kube-system_kube-apiserver-")]
    files = [f"{folder}/{name}" for folder in folders for name in host.names(folder) if name.endswith(".log")]
    try:
        path = max(files, key=lambda name: host.path(name).stat().st_mtime, default=None)
        if path is None:
            return []
        with host.path(path).open("rb") as file:
            file.seek(max(0, host.path(path).stat().st_size - _TAIL))
            content = file.read()
    except OSError as error:
        host.missed("logs", f"{_PODS}: {error.strerror}.")
        return []
    return [_CRI_PREFIX.sub("", line) for line in content.decode("utf-8", "replace").splitlines()]


def _from_journal(host: Host, server: Server) -> list[str]:
    journalctl, unit = host.program("journalctl"), server.unit or _UNITS.get(server.distribution.name or "")
    if journalctl is None or unit is None:
        return []
    try:
        done = host.run([str(journalctl), "--unit", unit, "--lines", str(LINES), "--no-pager", "--output", "cat"], _PATIENCE)
    except ProgramFailed:
        return []
    return done.output.splitlines() if done.status == 0 else []


_UNITS = {"k3s": "k3s.service", "k0s": "k0scontroller.service", "microk8s": "snap.microk8s.daemon-kubelite.service"}
