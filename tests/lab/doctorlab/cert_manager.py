# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cert-manager's own programs in a running lab, installed by its own Helm chart: in the lab's own pods, or in containers on its node with a real kubelet.

    with Lab(state, Options(faults="none")) as lab:
        cert_manager = CertManager(lab)
        cert_manager.install()                                    # controller, cainjector, webhook: ready, the caBundles injected
        cert_manager.kubectl("-n", "cert-manager", "scale", "deployment/cert-manager-cainjector", "--replicas=0")
        cert_manager.reconcile()                                  # what kubelets would do about it

The webhook makes its CA, cainjector injects it, the controller signs; with the rights of the chart and nothing more, so that "forbidden" is real.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from . import build
from .errors import LabError
from .lifecycle import Lab
from .node import Node
from .pods import Pods, Program

NAME = "cert-manager"  # also the folder of tests/lab with the module
VERSION = "v1.11.5"
_MODULE = "github.com/cert-manager/cert-manager"
COMPONENTS = ("webhook", "cainjector", "controller")
_PACKAGES = {
    **{name: f"{_MODULE}/cmd/{name}" for name in COMPONENTS},
    "render": "./render",
}
_FLAGS = f"-s -w -X {_MODULE}/pkg/util.AppVersion={VERSION}"
# Jobs would need a kubelet that ends them; what the check does is part of the tests.
_VALUES: dict[str, Any] = {"startupapicheck": {"enabled": False}}


def ensure(log: Callable[[str], None] = lambda dummy: None) -> Path:
    """Return the folder with the programs and the chart's sources, built if needed (about a minute on 2 cores, once)."""
    return build.ensure_programs(NAME, _PACKAGES, log, _FLAGS, _copy_chart)


def _copy_chart(module: Path, home: Path) -> None:
    shutil.copytree(build.module_folder(module, _MODULE) / "deploy", home / "chart" / "deploy", dirs_exist_ok=True)


class CertManager:
    """One installation. Two of them in one lab get different `namespace`s, `release`s and `first_address`es."""

    def __init__(self, lab: Lab, *, namespace: str = NAME, release: str = NAME, values: dict[str, Any] | None = None, first_address: int = 10) -> None:
        self.lab, self.namespace, self.release = lab, namespace, release
        self._values = {**_VALUES, **(values or {})}
        self._home = ensure()
        self._programs = {f"{NAME}-{component}": self._home / component for component in COMPONENTS}
        arguments = {f"{NAME}-{component}": ("--kubeconfig={kubeconfig}",) for component in ("webhook", "controller")}
        runs = {name: Program(program, arguments.get(name, ())) for name, program in self._programs.items()}
        self.pods: Pods | Node = lab.node if lab.options.node else Pods(lab, runs, first_address)

    def rendered(self) -> list[dict[str, Any]]:
        """The objects that the chart makes."""
        command = [str(self._home / "render"), f"-source={self._home / 'chart'}", f"-version={VERSION}", f"-release={self.release}"]
        command += [f"-namespace={self.namespace}", f"-values={json.dumps(self._values)}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"the chart of cert-manager {VERSION} cannot be rendered: {done.stderr.strip()}")
        return [document for document in yaml.safe_load_all(done.stdout) if document]

    def install(self) -> None:
        """Create everything and wait until it works. Raises LabError."""
        self.create()
        self.ready()
        self.wait_injected()

    def create(self) -> None:
        """Create what the chart has, and start what runs at once. Raises LabError."""
        objects = self.rendered()
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        self.apply([space, *(item for item in objects if item["kind"] == "CustomResourceDefinition")])
        self.kubectl("wait", "--for=condition=Established", "crd", "-l", f"app.kubernetes.io/instance={self.release}", "--timeout=60s")
        if isinstance(self.pods, Node):
            for item in objects:
                if item["kind"] == "Deployment":
                    (container,) = item["spec"]["template"]["spec"]["containers"]
                    self.pods.load_image(container["image"], self._programs[container["name"]])
        self.apply([item for item in objects if item["kind"] != "CustomResourceDefinition"])
        self.reconcile()

    def ready(self) -> None:
        """Reconcile until all Deployments are ready. Raises LabError."""
        self.pods.wait_ready(self.namespace)

    def reconcile(self) -> None:
        self.pods.reconcile(self.namespace)

    def wait_injected(self, timeout: float = 90) -> None:
        """Wait until cainjector has written the CA of the webhook into both configurations. Raises LabError."""

        def injected() -> bool:
            ca = self.ca()
            return bool(ca) and all(bundle == ca for bundle in self.bundles().values())

        self.pods.wait(self.namespace, "cainjector has injected the CA", injected, timeout)

    def ca(self) -> str:
        """The CA in the webhook's Secret, base64; empty while there is none."""
        secrets = self.pods.get("-n", self.namespace, "secrets")["items"]
        return next((item["data"].get("ca.crt", "") for item in secrets if item["metadata"]["name"] == f"{self.webhook}-ca"), "")

    def bundles(self) -> dict[str, str]:
        """The caBundles of both configurations, base64."""
        kinds = "validatingwebhookconfigurations", "mutatingwebhookconfigurations"
        return {kind: self.pods.get(kind, self.webhook)["webhooks"][0]["clientConfig"].get("caBundle", "") for kind in kinds}

    @property
    def webhook(self) -> str:
        """Name of the webhook's Deployment, Service and configurations."""
        return f"{self.release}-webhook" if NAME in self.release else f"{self.release}-{NAME}-webhook"

    def component(self, name: str) -> list[str]:
        """The pods that run of a component ("webhook", "cainjector", "controller"), as "<namespace>/<name>"."""
        base = self.webhook.removesuffix("-webhook")
        others = [f"{self.namespace}/{base}-{other}-" for other in ("webhook", "cainjector")]
        if name == "controller":
            return [key for key in self.pods.keys(f"{self.namespace}/{base}-") if not key.startswith(tuple(others))]
        return self.pods.keys(f"{self.namespace}/{base}-{name}-")

    def apply(self, items: list[dict[str, Any]]) -> None:
        # Server-side: the CRDs are too large for the annotation that client-side apply writes.
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(items))

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return self.pods.kubectl(*arguments, stdin=stdin)
