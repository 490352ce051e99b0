# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that really run in a lab without a container runtime: what a kubelet and a scheduler do, as far as diagnosing needs it.

The objects (Deployment, ReplicaSet, pod) are made by the real controllers. A pod gets an address, a network and a host name of its own, and in it runs the
program that stands for its image, with the pod's own arguments, as the pod's ServiceAccount. Whether it is ready is found out as a kubelet does, by really
asking for the path and port of its readiness probe. Secrets that it mounts are files of a folder of its own, kept up to date. `reconcile` does all of it once;
nothing watches.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import addresses
from .api import wait
from .lifecycle import Lab
from .process import Process
from .workloads import rolled_out

_PROBE = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=2).status, "")
except urllib.error.HTTPError as error:
    print(error.code, "")
except OSError as error:
    print(0, getattr(error, "reason", error))
"""


@dataclass(frozen=True)
class Program:
    """What runs for a container: the binary, what is added to its arguments, further variables.

    In the arguments `{kubeconfig}` stands for a path, and `{volumes}` for a folder with a folder for each Secret that the pod mounts, named as the volume.
    """

    binary: Path
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


@dataclass
class _Running:
    uid: str
    address: str
    started: str
    container: str
    restarts: int = 0


class Pods:
    """The pods of some namespaces, run by `programs`: container name -> Program. The containers of other names stay Pending."""

    def __init__(self, lab: Lab, programs: Mapping[str, Program], first_address: int = 10) -> None:
        self._lab = lab
        self._programs = programs
        self._next = first_address
        self._running: dict[str, _Running] = {}  # "<namespace>/<name>" -> what runs
        self.held: set[str] = set()  # containers whose images are not there yet: their pods stay Pending

    def reconcile(self, namespace: str) -> None:
        """Start what is wanted, end what is not, and write every pod's status. Raises LabError."""
        pods = self.objects(namespace)
        wanted = {_key(pod): pod for pod in pods if not pod["metadata"].get("deletionTimestamp")}
        for key in [key for key in self._running if key.startswith(f"{namespace}/")]:
            if key not in wanted or wanted[key]["metadata"]["uid"] != self._running[key].uid:
                self._end(key)
        for pod in pods:
            if pod["metadata"].get("deletionTimestamp"):
                self.kubectl("-n", namespace, "delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0", "--ignore-not-found")
        for key, pod in wanted.items():
            if key not in self._running and pod["spec"]["containers"][0]["name"] in self._programs.keys() - self.held:
                self._start(key, pod)
        for key, pod in wanted.items():
            if key in self._running:
                self._mount_secrets(key, pod)
                self._write_status(key, pod)

    def wait_ready(self, namespace: str, timeout: float = 60) -> None:
        """Reconcile until every Deployment of a namespace has all its replicas ready. Raises LabError."""

        def ready() -> bool:
            self.reconcile(namespace)
            items = self.get("-n", namespace, "deployments")["items"]
            return all(rolled_out(item) for item in items)

        wait(f"the Deployments of {namespace} are ready", ready, timeout=timeout, pause=0.3)

    def wait(self, namespace: str, what: str, so: Any, timeout: float = 60) -> None:
        """Reconcile until `so()` is true. Raises LabError that names `what`."""

        def done() -> bool:
            self.reconcile(namespace)
            return bool(so())

        wait(what, done, timeout=timeout, pause=0.3)

    def objects(self, namespace: str) -> list[dict[str, Any]]:
        return list(self.get("-n", namespace, "pods")["items"])

    def signal(self, key: str, number: signal.Signals) -> None:
        """Send a signal to the program of a pod: SIGSTOP makes it hang, SIGKILL makes it crash."""
        os.kill(self._process(key).pid, number)

    def address(self, key: str) -> str:
        return self._running[key].address

    def keys(self, beginning: str) -> list[str]:
        """The pods that run, "<namespace>/<name>", whose key begins like this."""
        return sorted(key for key in self._running if key.startswith(beginning))

    def log(self, key: str) -> str:
        """What the program of a pod has said."""
        return self._lab.running.log(_process_name(key)).read_text(encoding="utf-8", errors="replace")

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl as an administrator and return its output. Raises LabError."""
        return self._lab.kubectl(*arguments, stdin=stdin)

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def probe(self, url: str) -> tuple[int, str]:
        """HTTP status and, where there is none (0), what went wrong; asked from the node, as a kubelet does."""
        done = self._lab.run([sys.executable, "-c", _PROBE, url], capture_output=True)
        status, _space, error = done.stdout.strip().partition(" ")
        return int(status or 0), error or done.stderr.strip()

    def _start(self, key: str, pod: dict[str, Any]) -> None:
        namespace, name = key.split("/")
        container = pod["spec"]["containers"][0]
        node = next(iter(addresses.WORKERS))
        if not pod["spec"].get("nodeName"):
            binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"apiVersion": "v1", "kind": "Node", "name": node}}
            self.kubectl("create", "--raw", f"/api/v1/namespaces/{namespace}/pods/{name}/binding", "-f", "-", stdin=json.dumps(binding))
        address = f"10.244.0.{self._next}"
        self._running[key] = _Running(pod["metadata"]["uid"], address, _now(), container["name"])
        self._lab.running.add_pod_network(_process_name(key), f"pod{self._next}", address)
        self._next += 1
        self._run(key, pod)
        self._tell_kubelet()

    def _run(self, key: str, pod: dict[str, Any]) -> None:
        namespace, name = key.split("/")
        container = pod["spec"]["containers"][0]
        program = self._programs[container["name"]]
        kubeconfig = self._lab.kubeconfig_of_account(namespace, pod["spec"].get("serviceAccountName") or "default")
        arguments = [argument.replace("$(POD_NAMESPACE)", namespace) for argument in container.get("args") or []]
        volumes = self._mount_secrets(key, pod)
        added = [argument.format(kubeconfig=kubeconfig, volumes=volumes) for argument in program.arguments]
        variables = {item["name"]: item["value"] for item in container.get("env") or [] if item.get("value")}
        environment = {"POD_NAMESPACE": namespace, "POD_NAME": name, "KUBECONFIG": str(kubeconfig), **variables, **dict(program.environment)}
        named = ["unshare", "--uts", "sh", "-c", 'hostname "$1"; shift; exec "$@"', "sh", name]
        self._lab.running.start(_process_name(key), [*named, str(program.binary), *arguments, *added], node=_process_name(key), environment=environment)

    def _mount_secrets(self, key: str, pod: dict[str, Any]) -> Path:
        """Write the files of the Secrets that a pod mounts where they differ, and return the folder of its volumes."""
        home = self._lab.state / "volumes" / _process_name(key)
        for volume in pod["spec"].get("volumes") or []:
            if "secret" not in volume:
                continue
            folder = home / volume["name"]
            folder.mkdir(parents=True, exist_ok=True)
            secret = self.get("-n", pod["metadata"]["namespace"], "secret", volume["secret"]["secretName"])
            wanted = {name: base64.b64decode(value) for name, value in (secret.get("data") or {}).items()}
            for path in folder.iterdir():
                if path.name not in wanted:
                    path.unlink()
            for name, content in wanted.items():
                path = folder / name
                if not path.exists() or path.read_bytes() != content:
                    path.write_bytes(content)
        return home

    def stop(self, key: str) -> None:
        """End the program of a pod, and tell nobody: its status stays what it was until `restart` or `reconcile`."""
        self._lab.running.stop(_process_name(key))

    def restart(self, key: str) -> None:
        """End the program of a pod and start it again, as a kubelet does after a crash."""
        pod = next(pod for pod in self.objects(key.split("/")[0]) if _key(pod) == key)
        self.stop(key)
        self._running[key].restarts += 1
        self._run(key, pod)

    def _end(self, key: str) -> None:
        self._lab.running.stop(_process_name(key))
        self._lab.running.remove_pod_network(_process_name(key))
        del self._running[key]
        self._tell_kubelet()

    def _process(self, key: str) -> Process:
        return self._lab.running.processes[_process_name(key)].child()

    def _write_status(self, key: str, pod: dict[str, Any]) -> None:
        mine = self._running[key]
        container = pod["spec"]["containers"][0]
        process = self._lab.running.processes.get(_process_name(key))
        alive = process is not None and process.alive()
        ready, said = (alive, "") if not alive else self._ready(mine.address, container)
        status = _status(mine, container, ready=ready, alive=alive)
        if not _same(pod.get("status") or {}, status):
            namespace, name = key.split("/")
            self.kubectl("-n", namespace, "patch", "pod", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
        if said:
            self._event(key, pod, said)

    def _ready(self, address: str, container: dict[str, Any]) -> tuple[bool, str]:
        """Whether it is ready, and else the kubelet's words. A container without a probe is ready."""
        probe = (container.get("readinessProbe") or {}).get("httpGet")
        if not probe:
            return True, ""
        ports = {port.get("name"): port["containerPort"] for port in container.get("ports") or []}
        url = f"http://{address}:{ports.get(probe['port'], probe['port'])}{probe.get('path') or '/'}"
        status, error = self.probe(url)
        if 200 <= status < 400:
            return True, ""
        if status:
            return False, f"Readiness probe failed: HTTP probe failed with statuscode: {status}"
        refused = "connect: connection refused" if "refused" in error else "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        dialled = f"dial tcp {url.split('/')[2]}: {refused}" if "refused" in error else refused
        return False, f'Readiness probe failed: Get "{url}": {dialled}'

    def _event(self, key: str, pod: dict[str, Any], message: str) -> None:
        """The kubelet's Unhealthy event; one for each message, which is enough here."""
        namespace, name = key.split("/")
        event_name = f"{name}.{abs(hash(message)) % 16**8:08x}"
        now = _now()
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": event_name, "namespace": namespace},
            "type": "Warning",
            "reason": "Unhealthy",
            "message": message,
            "source": {"component": "kubelet", "host": next(iter(addresses.WORKERS))},
            "reportingComponent": "kubelet",
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": namespace,
                "name": name,
                "uid": pod["metadata"]["uid"],
                "fieldPath": f"spec.containers{{{self._running[key].container}}}",
            },
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        self.kubectl("apply", "-f", "-", stdin=json.dumps(event))

    def _tell_kubelet(self) -> None:
        """The lab's kubelet forwards ports of these pods too: inside their network."""
        path = self._lab.state / "servers" / "pods.json"
        others = {name: address for name, address in json.loads(path.read_text(encoding="utf-8")).items() if "@" not in address}
        networks = self._lab.running.nodes
        mine = {key: f"{running.address}@{networks[_process_name(key)].init.pid}" for key, running in self._running.items()}
        new = path.with_suffix(".new")
        new.write_text(json.dumps({**others, **mine}, indent=1), encoding="utf-8")
        new.replace(path)


def _key(pod: dict[str, Any]) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _process_name(key: str) -> str:
    return f"pod-{key.replace('/', '-')}"


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status(mine: _Running, container: dict[str, Any], *, ready: bool, alive: bool) -> dict[str, Any]:
    word = "True" if ready else "False"
    kinds = {"PodScheduled": "True", "Initialized": "True", "ContainersReady": word, "Ready": word}
    crashed = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}}
    return {
        "phase": "Running",
        "hostIP": next(iter(addresses.WORKERS.values())),
        "podIP": mine.address,
        "podIPs": [{"ip": mine.address}],
        "startTime": mine.started,
        "conditions": [{"type": kind, "status": status, "lastTransitionTime": mine.started} for kind, status in kinds.items()],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": ready,
                "started": alive,
                "restartCount": mine.restarts,
                "state": {"running": {"startedAt": mine.started}} if alive else crashed,
            }
        ],
    }


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether the API server would store the same: it adds keys of its own (null, empty) to what it is given."""
    if old.get("podIP") != new["podIP"] or not old.get("containerStatuses"):
        return False
    was, now = old["containerStatuses"][0], new["containerStatuses"][0]
    return all(was.get(key) == now[key] for key in ("ready", "restartCount")) and set(was["state"]) == set(now["state"])
