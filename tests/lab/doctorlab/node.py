# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node with a real kubelet in a running lab: what tests do there.

with Lab(state, Options(faults="none", node=True)) as lab:
    node = lab.node
    node.deploy(workloads.healthy("shop"))                        # Deployment, Service, Secret and configuration; ready
    node.filter_packets(node.pods("shop")[0]["status"]["podIP"], 8443, "drop")
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import addresses, images, network, objects, pki, servers, workloads
from .api import each, wait
from .errors import LabError
from .images import Image
from .namespace import Namespace
from .running import Running
from .targets import SERVICE, Target

if TYPE_CHECKING:
    from .lifecycle import Lab

_PATIENCE = 60.0  # seconds until containerd answers


def load_images(running: Running, ctr: Path, wanted: Sequence[Image], nodes: Sequence[str] = (addresses.NODE,)) -> None:
    """Put images into the containerd of nodes, waiting until that answers. Raises LabError."""
    for image in wanted:
        archive = running.state / "nodes" / f"{image.program.name}.tar"
        images.write(archive, image)
        each(lambda node, image=image, archive=archive: _import(running.nodes[node], ctr, image.name, archive), nodes)
        archive.unlink()


def _import(node: Namespace, ctr: Path, name: str, archive: Path) -> None:
    said = ""

    def imported() -> bool:
        nonlocal said
        done = subprocess.run(
            [*node.enter(), str(ctr), "--namespace=k8s.io", "images", "import", "--local", str(archive)], capture_output=True, text=True, check=False
        )
        said = done.stderr.strip()
        return done.returncode == 0

    try:
        wait(f"containerd takes the image {name}", imported, timeout=_PATIENCE, pause=0.2)
    except LabError as error:
        raise LabError(f"{error}: {said}") from error


class Node:
    """The one node that has a real kubelet, containerd and kube-proxy. It stands where `Pods` stands in a lab without it."""

    name, address = addresses.NODE, addresses.NODE_ADDRESS

    def __init__(self, lab: Lab, ctr: Path) -> None:
        self._lab, self._ctr = lab, ctr
        self.authorities = pki.make_authorities(datetime.now(timezone.utc))  # of what is deployed here

    def load_image(self, name: str, program: Path) -> None:
        """Make the image `name` of one static program, its entrypoint. Raises LabError."""
        load_images(self._lab.running, self._ctr, [Image(name, program)])

    def deploy(self, *targets: Target, timeout: float = 60) -> None:
        """Make faults (or what is healthy) as real workloads, and their call-outs once the pods are what they are meant to be. Raises LabError.

        `timeout` is for each of them, in seconds; many at once take little longer than one.
        """
        now = datetime.now(timezone.utc)
        self.apply([item for target in targets for item in workloads.back_end(target, servers.certificate(target, self.authorities, now))])
        for target in targets:
            self._wait_for(target, timeout)
        self.apply([objects.call_out(target, servers.bundle(target, self.authorities)) for target in targets])
        for target in targets:
            if target.make.packet_filter:
                for pod in self.pods(target.namespace):
                    self.filter_packets(pod["status"]["podIP"], addresses.WEBHOOK_PORT, target.make.packet_filter)

    def _wait_for(self, target: Target, timeout: float) -> None:
        ready = target.make.pods.ready
        if ready:
            self.wait_ready(target.namespace, timeout)
        else:
            self.wait(target.namespace, f"the pods of {target.namespace} run", lambda: self._run(target), timeout)
        if target.has_endpoints:
            self.wait(target.namespace, f"the Service of {target.namespace} leads to the pods", lambda: self._leads(target) == ready, timeout)

    def apply(self, items: list[dict[str, Any]]) -> None:
        # Server-side: some applications' CRDs are too large for the annotation that client-side apply writes.
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl as an administrator and return its output. Raises LabError."""
        return self._lab.kubectl(*arguments, stdin=stdin)

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def pods(self, namespace: str) -> list[dict[str, Any]]:
        """The pods of a namespace that are not being deleted."""
        return [pod for pod in self.get("-n", namespace, "pods")["items"] if not pod["metadata"].get("deletionTimestamp")]

    def keys(self, beginning: str) -> list[str]:
        """The pods, "<namespace>/<name>", whose key begins like this."""
        namespace = beginning.partition("/")[0]
        keys = (f"{namespace}/{pod['metadata']['name']}" for pod in self.pods(namespace))
        return sorted(key for key in keys if key.startswith(beginning))

    def log(self, key: str) -> str:
        """What the program of a pod has said."""
        namespace, name = key.split("/")
        return self.kubectl("-n", namespace, "logs", name)

    def reconcile(self, namespace: str) -> None:
        """Nothing: the kubelet and the scheduler do it."""

    def wait(self, namespace: str, what: str, so: Callable[[], Any], timeout: float = 60) -> None:
        """Wait until `so()` is true. Raises LabError that names `what`, with the namespace's pods and warnings."""
        try:
            wait(what, lambda: bool(so()), timeout, pause=0.3)
        except LabError as error:
            pods = self.kubectl("-n", namespace, "get", "pods", "-o", "wide")
            raise LabError(f"{error}\n{pods}{self.complaints(namespace)}") from error

    def wait_ready(self, namespace: str, timeout: float = 60) -> None:
        """Wait until every Deployment of a namespace is rolled out and no pod of before is left. Raises LabError."""

        def ready() -> bool:
            deployments = self.get("-n", namespace, "deployments")["items"]
            wanted = sum(item["spec"]["replicas"] for item in deployments)
            return all(map(workloads.rolled_out, deployments)) and len(self.get("-n", namespace, "pods")["items"]) == wanted

        self.wait(namespace, f"the Deployments of {namespace} are ready", ready, timeout)

    def complaints(self, namespace: str) -> str:
        """The messages of a namespace's Events that are warnings, one a line."""
        events = self.get("-n", namespace, "events", "--field-selector=type=Warning")["items"]
        return "".join(f"{event['reason']}: {event['message']}\n" for event in events)

    def filter_packets(self, destination: str, port: int, what: str) -> None:
        """Treat new connections from outside the node to a pod's port so: "drop" or "host_unreachable". The node's own probes pass, as with most CNIs."""
        self._filter(network.forward_filter(destination, port, what))

    def let_packets_pass(self, destination: str, port: int, what: str) -> None:
        """Take away what `filter_packets` has done."""
        self._filter(network.forward_filter(destination, port, what, remove=True))

    def _filter(self, text: str) -> None:
        self._lab.running.nodes[addresses.NODE].check(["iptables-restore", "--noflush"], text)

    def _run(self, target: Target) -> bool:
        phases = [pod["status"]["phase"] for pod in self.pods(target.namespace)]
        return phases == ["Running"] * target.make.pods.count

    def _leads(self, target: Target) -> int:
        """To how many pods the target's Service leads: those that the API server knows, or those that kube-proxy has made rules for."""
        if self._lab.options.routing == "cluster_ip":
            rules = self._lab.run(["iptables-save", "--table=nat"], capture_output=True).stdout.splitlines()
            return sum(f'"{target.namespace}/{SERVICE}' in rule and "-j DNAT" in rule for rule in rules)
        slices = self.get("-n", target.namespace, "endpointslices")["items"]
        return sum(bool(endpoint["conditions"].get("ready")) for item in slices for endpoint in item.get("endpoints") or [])
