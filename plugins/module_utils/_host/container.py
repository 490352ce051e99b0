# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container of a static pod's API server: by the cgroup of its process, and by crictl, asked at the kubelet's own endpoint. PRIVATE to the collection.

JSON of crictl: https://github.com/kubernetes-sigs/cri-tools, ListContainersResponse and ContainerStatusResponse of CRI v1.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Done, Host, ProgramFailed
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.kubelet import Kubelet
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.setting import setting
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.times import stamp

# crictl runs under each runtime's own names of cgroups: /kubepods/burstable/pod<uid>/<id>, kubepods-burstable-pod<uid>.slice/cri-containerd-<id>.scope,
# crio-<id>.scope, docker-<id>.scope.
_CONTAINER = re.compile(r"/(?:[a-z-]+-)?([0-9a-f]{64})(?:\.scope)?(?:/|$)", re.MULTILINE)
_POD = re.compile(r"/(?:kubepods[a-z-]*-)?pod([0-9a-f]{32}|[0-9a-f]{8}(?:[_-][0-9a-f]{4}){3}[_-][0-9a-f]{12})(?:\.slice)?/")
_CRICTL = ("crictl", "/var/lib/rancher/rke2/bin/crictl")
_CONFIGS = ("/var/lib/rancher/rke2/agent/etc/crictl.yaml", "/etc/crictl.yaml")
_SOCKETS = ("/run/containerd/containerd.sock", "/run/crio/crio.sock", "/run/cri-dockerd.sock", "/run/k3s/containerd/containerd.sock")
_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
_PATIENCE = 15.0  # seconds for one question to the runtime
_CONNECT = "10s"  # crictl's own default, 2 s, is too short on a busy node
NAME = "kube-apiserver"


class Place(NamedTuple):
    """In which container of which pod a process runs."""

    id: str
    pod_uid: str | None


class RuntimeFailed(Exception):
    """crictl said no; the text has its own words."""


class Runtime(NamedTuple):
    """How the container runtime is asked. `endpoint`: unix:///run/containerd/containerd.sock"""

    crictl: Path | None
    endpoint: str | None

    def command(self, *words: str) -> list[str]:
        endpoint = ["--runtime-endpoint", self.endpoint] if self.endpoint else []
        return [str(self.crictl), *endpoint, "--timeout", _CONNECT, *words]


def place(cgroups: str) -> Place | None:
    """Where a process is, by its /proc/<pid>/cgroup."""
    found, pod = _CONTAINER.search(cgroups), _POD.search(cgroups)
    return Place(found.group(1), pod.group(1).replace("_", "-") if pod else None) if found else None


def runtime(host: Host, kubelet: Kubelet) -> Runtime:
    """crictl, and the endpoint that the kubelet itself uses; else the one of crictl's own settings, else the first socket that is there."""
    return Runtime(host.program(*_CRICTL), _endpoint(host, kubelet))


def _endpoint(host: Host, kubelet: Kubelet) -> str | None:
    found = kubelet.endpoint or next((value for value in (setting(host.text(path), "runtime-endpoint") for path in _CONFIGS) if value), None)
    found = found or next((path for path in _SOCKETS if host.exists(path)), None)
    return f"unix://{found}" if found and found.startswith("/") else found


def described(host: Host, cri: Runtime, known: Place | None) -> dict[str, Any] | None:
    """The `container` of the facts: the one that the process is in, else the newest of that name. None where there is none."""
    seen = newest(host, cri, known.id if known else None)
    if seen is None and known is None:
        return None
    seen = seen or {"id": known.id if known else None, "attempt": None, "pod_uid": None, "state": "running", "started": None}
    return {**seen, "pod_uid": (known.pod_uid if known else None) or seen["pod_uid"]}


def newest(host: Host, cri: Runtime, wanted: str | None = None) -> dict[str, Any] | None:
    """{id, attempt, pod_uid, state, started} of the container `wanted`, by default of the newest of kube-apiserver. What crictl does not say is noted."""
    if cri.crictl is None:
        host.missed("container", "crictl is not there: the container's attempt and state are not known.")
        return None
    try:
        items = _listed(host.run(cri.command("ps", "--all", "--name", f"^{NAME}$", "--output", "json"), _PATIENCE))
        items = [item for item in items if wanted in (None, item["id"])]
        if not items:
            return None
        item = max(items, key=lambda one: int(one.get("createdAt") or 0))
        return _shown(item, _status(host.run(cri.command("inspect", "--output", "json", item["id"]), _PATIENCE)))
    except (ProgramFailed, RuntimeFailed) as error:
        host.missed("container", str(error))
        return None


def _listed(done: Done) -> list[dict[str, Any]]:
    """The API server's containers among those of `crictl ps`."""
    content = _json(done)
    items = [item for item in content.get("containers") or () if isinstance(item, dict) and isinstance(item.get("id"), str)]
    return [item for item in items if (item.get("labels") or {}).get("io.kubernetes.pod.namespace") == "kube-system"]


def _status(done: Done) -> dict[str, Any]:
    status = _json(done).get("status")
    if not isinstance(status, dict):
        raise RuntimeFailed("crictl inspect: the answer has no status.")
    return status


def _json(done: Done) -> dict[str, Any]:
    if done.status:
        raise RuntimeFailed(f"crictl: {last_line(done)}")
    try:
        content = json.loads(done.output)
    except ValueError as error:
        raise RuntimeFailed(f"crictl did not answer in JSON: {error}") from error
    if not isinstance(content, dict):
        raise RuntimeFailed("crictl did not answer with a JSON object.")
    return content


def _shown(item: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    state = str(status.get("state") or item.get("state") or "").replace("CONTAINER_", "").lower()
    attempt = (status.get("metadata") or item.get("metadata") or {}).get("attempt")
    return {
        "id": item["id"],
        "attempt": int(attempt) if attempt is not None else 0,  # protobuf leaves zeros out
        "pod_uid": (item.get("labels") or {}).get("io.kubernetes.pod.uid"),
        "state": state or None,
        "started": _moment(status.get("startedAt")),
    }


def _moment(value: Any) -> str | None:
    """A time of crictl's: RFC 3339 in the machine's own zone, or nanoseconds since 1970; its zero is year 1 or 0."""
    text = str(value or "")
    if text.isdigit():
        return stamp(int(text) / 1e9) if int(text) else None
    found = _RFC_3339.fullmatch(text)
    if not found or text.startswith("0001-"):
        return None
    zone = "+0000" if found.group(2) == "Z" else found.group(2).replace(":", "")
    return stamp(datetime.strptime(found.group(1) + zone, "%Y-%m-%dT%H:%M:%S%z").timestamp())


def last_line(done: Done) -> str:
    lines = (done.error.strip() or done.output.strip()).splitlines()
    return lines[-1][:500] if lines else f"it ended with status {done.status}"
