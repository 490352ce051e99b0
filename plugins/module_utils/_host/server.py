# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server of this machine: its process, its flags, who starts it again when it ends, where it listens. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import address, container, distribution, flags, kubelet, kubelite, manifest
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process, cgroup, in_own_network, processes, unit_of

_STATIC_PODS = ("kubeadm", "kind", "rke2", "openshift")


class Server(NamedTuple):
    """`arguments`: its flags; those of its manifest where it does not run. `manages_by`: how it is restarted: static_pod (a container of the
    kubelet's), child (of a supervisor), service; None where that is not known.

    `container`: id and pod of the container in whose cgroup the process is. `unit`: the systemd service.
    """

    process: Process | None
    arguments: Mapping[str, str]
    distribution: distribution.Distribution
    manages_by: str | None
    container: container.Place | None
    unit: str | None
    listens: address.Listens
    kubelet: kubelet.Kubelet
    running: tuple[Process, ...]


def find(host: Host) -> Server:
    running = processes(host)
    process = _process(host, running)
    arguments = flags.arguments(_words(host, process)) if process else {}
    own_kubelet = kubelet.kubelet(host, running)
    kind = distribution.distribution(host, running, own_kubelet, process, arguments)
    if process is None:
        arguments = flags.arguments(manifest.flags_of(host, distribution.manifest(kind.name, own_kubelet)))
    groups = cgroup(host, process.pid) if process else ""
    place = container.place(groups)
    manages_by = _manages_by(kind.name, process, place)
    if process and manages_by is None:
        host.missed("manages_by", f"Process {process.pid} ({process.name}) is neither in a container nor a child or service of a known distribution.")
    unit = unit_of(groups)
    listens = address.listens(host, kind.name, arguments, unit)
    return Server(process, arguments, kind, manages_by, place, unit, listens, own_kubelet, tuple(running))


def _process(host: Host, running: Sequence[Process]) -> Process | None:
    found = [process for process in running if process.name == "kube-apiserver"]
    found = found or [process for process in running if process.name == "kubelite" or (process.name == "k3s" and "server" in process.words[1:2])]
    own = [process for process in found if in_own_network(host, process.pid) is not False]
    if any(in_own_network(host, process.pid) is None for process in own):
        host.missed("network namespace", f"Whether process {own[0].pid} is in this machine's network could not be seen.{host.advice()}")
    if not own:
        elsewhere = f" (those in networks of their own, such as process {found[0].pid}, are not this machine's)" if found else ""
        host.missed("process", f"No process of a kube-apiserver is seen{elsewhere}.{host.advice()}")
        return None
    if len(own) > 1:
        host.missed("process", f"There are several: {', '.join(str(process.pid) for process in own)}. The newest is taken.")
    return max(own, key=lambda process: process.ticks)


def _words(host: Host, process: Process) -> Sequence[str]:
    """The words with kube-apiserver's flags: its command line, or the file that kubelite reads them from. k3s hides them."""
    if process.name == "k3s":
        return ()
    return kubelite.flags(host, process.words) if process.name == "kubelite" else process.words


def _manages_by(name: str | None, process: Process | None, place: container.Place | None) -> str | None:
    if name in ("k3s", "microk8s"):
        return "service"
    if name == "k0s":
        return "child"
    if place or (process is None and name in _STATIC_PODS):
        return "static_pod"
    return None
