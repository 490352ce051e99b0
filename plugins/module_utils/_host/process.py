# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes, from /proc: who they are, since when, with which words and variables, in which cgroup and network. PRIVATE to the collection.

Formats: proc(5).
"""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host

_UNIT = re.compile(r"/([^/]+\.service)(?:/|$)")


class Process(NamedTuple):
    """`ticks`: clock ticks from boot to its start; with the pid this is its identity, because pids are used again. `started`: seconds since 1970."""

    pid: int
    parent: int
    words: tuple[str, ...]
    ticks: int
    started: float

    @property
    def name(self) -> str:
        return PurePosixPath(self.words[0]).name

    def same(self, other: Process | None) -> bool:
        return other is not None and (self.pid, self.ticks) == (other.pid, other.ticks)


def processes(host: Host) -> list[Process]:
    """All that have a command line (kernel threads and zombies have none) and may be seen."""
    booted = _boot_time(host)
    found = (_process(host, int(name), booted) for name in host.names("/proc") if name.isdigit())
    return [process for process in found if process]


def process(host: Host, pid: int) -> Process | None:
    return _process(host, pid, _boot_time(host))


def in_own_network(host: Host, pid: int) -> bool | None:
    """Whether it shares this machine's network, as every API server of a control-plane node does; those in containers of their own (kind on a workstation,

    virtual clusters) do not. None where that may not be seen.
    """
    own, its = host.link("/proc/self/ns/net"), host.link(f"/proc/{pid}/ns/net")
    return None if own is None or its is None else own == its


def environment(host: Host, pid: int) -> dict[str, str] | None:
    """The variables that it was started with; None where they may not be seen."""
    content = host.text(f"/proc/{pid}/environ")
    if content is None:
        return None
    return dict(item.split("=", 1) for item in content.split("\0") if "=" in item)


def cgroup(host: Host, pid: int) -> str:
    """/proc/<pid>/cgroup: one line for each hierarchy; empty where it cannot be read."""
    return host.text(f"/proc/{pid}/cgroup") or ""


def unit_of(cgroups: str) -> str | None:
    """The systemd service in whose cgroup it runs: `k3s.service`."""
    found = _UNIT.search(cgroups)
    return found.group(1) if found else None


def option(words: tuple[str, ...], name: str) -> str | None:
    """The value of `--name=value` or `--name value`; the last one counts."""
    value = None
    for position, word in enumerate(words):
        if word.startswith(f"--{name}="):
            value = word.partition("=")[2]
        elif word == f"--{name}" and position + 1 < len(words):
            value = words[position + 1]
    return value


def _process(host: Host, pid: int, booted: float) -> Process | None:
    try:
        line = host.read(f"/proc/{pid}/cmdline").decode("utf-8", "replace")
        stat = host.read(f"/proc/{pid}/stat").decode("utf-8", "replace")
    except OSError:
        return None  # it has ended meanwhile, or hidepid hides it
    words = _words(line)
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    if not words or len(fields) < 20:
        return None
    ticks = int(fields[19])
    return Process(pid, int(fields[1]), words, ticks, booted + ticks / os.sysconf("SC_CLK_TCK"))


def _words(line: str) -> tuple[str, ...]:
    """The command line. k3s writes "k3s server" over its own, as one word, so that nobody sees its secrets."""
    words = tuple(line.rstrip("\0").split("\0"))
    if len(words) == 1:
        return tuple(words[0].split())
    return words if words[0] else ()


def _boot_time(host: Host) -> float:
    found = re.search(r"^btime (\d+)$", host.text("/proc/stat") or "", re.MULTILINE)
    return float(found.group(1)) if found else 0.0
