# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OPA Gatekeeper's own program in a running lab, with the objects of its own release manifest.

    with Lab(state, Options(faults="none")) as lab:
        gatekeeper = Gatekeeper(lab)
        gatekeeper.install()                  # webhook and audit: ready, the caBundles injected by its cert-rotator

The Secret with CA and certificate is made by the program itself, with the rights of its manifest and nothing more.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from . import build
from .lifecycle import Lab
from .pods import Pods, Program

NAME = "gatekeeper"  # also the folder of tests/lab with the module
NAMESPACE = "gatekeeper-system"
SECRET = "gatekeeper-webhook-server-cert"
WEBHOOK, AUDIT = "gatekeeper-controller-manager", "gatekeeper-audit"  # its Deployments
CONFIGURATIONS = {
    "validatingwebhookconfiguration": "gatekeeper-validating-webhook-configuration",
    "mutatingwebhookconfiguration": "gatekeeper-mutating-webhook-configuration",
}
VERSION = "v3.23.1"
_MODULE = "github.com/open-policy-agent/gatekeeper/v3"
_FLAGS = f"-s -w -X {_MODULE}/pkg/version.Version={VERSION}"


def ensure(log: Callable[[str], None] = lambda dummy: None) -> Path:
    """Return the folder with the program and its manifest, built if needed (about 3 minutes on 2 cores, once)."""
    return build.ensure_programs(NAME, {"manager": _MODULE}, log, _FLAGS, _copy_manifest)


def _copy_manifest(module: Path, home: Path) -> None:
    shutil.copyfile(build.module_folder(module, _MODULE) / "deploy" / "gatekeeper.yaml", home / "gatekeeper.yaml")


class Gatekeeper:
    """One installation, as `kubectl apply -f gatekeeper.yaml` makes it, with `replicas` pods of the webhook."""

    def __init__(self, lab: Lab, *, replicas: int = 2, first_address: int = 10) -> None:
        self._replicas = replicas
        home = ensure()
        self._manifest = home / "gatekeeper.yaml"
        self.pods = Pods(lab, {"manager": Program(home / "manager", ("--cert-dir={volumes}/cert", "--shutdown-delay=0"))}, first_address)

    def objects(self) -> list[dict[str, Any]]:
        """The objects of the manifest."""
        items = [item for item in yaml.safe_load_all(self._manifest.read_text(encoding="utf-8")) if item]
        for item in items:
            if item["kind"] == "Deployment" and item["metadata"]["name"] == WEBHOOK:
                item["spec"]["replicas"] = self._replicas
        return items

    def install(self) -> None:
        """Create everything and wait until it works. Raises LabError."""
        objects = self.objects()
        first = [item for item in objects if item["kind"] in ("Namespace", "CustomResourceDefinition")]
        self.apply(first)
        self.kubectl("wait", "--for=condition=Established", "crd", "-l", "gatekeeper.sh/system=yes", "--timeout=60s")
        later = [item for item in objects if item["metadata"]["name"] == AUDIT]
        self.apply([item for item in objects if item not in first + later])
        self.wait("cert-rotator has made its certificate and injected the CA", self.injected)
        self.pods.wait_ready(NAMESPACE)
        # Audit only reads the certificate, and ends while there is none: a kubelet would start it again and again until now.
        self.apply(later)
        self.pods.wait_ready(NAMESPACE)

    def wait(self, what: str, so: Callable[[], object], timeout: float = 90) -> None:
        """Do what kubelets do until `so()`. Raises LabError."""
        self.pods.wait(NAMESPACE, what, so, timeout)

    def injected(self) -> bool:
        """Whether each webhook of both configurations trusts the CA in the Secret."""
        ca = self.secret().get("ca.crt", "")
        return bool(ca) and all(bundle == ca for bundle in self.bundles())

    def secret(self) -> dict[str, str]:
        """The data of the Secret with CA and certificate, base64; empty until cert-rotator has made them."""
        return self.pods.get("-n", NAMESPACE, "secret", SECRET).get("data") or {}

    def bundles(self) -> list[str]:
        """The caBundles of all webhooks, base64."""
        return [webhook["clientConfig"].get("caBundle", "") for kind, name in CONFIGURATIONS.items() for webhook in self.pods.get(kind, name)["webhooks"]]

    def webhooks(self) -> list[str]:
        """The pods of the webhook that run, "<namespace>/<name>"."""
        return self.pods.keys(f"{NAMESPACE}/{WEBHOOK}-")

    def replace_ca(self, data: dict[str, bytes]) -> None:
        """Write other data into the Secret with CA and certificate."""
        encoded = {name: base64.b64encode(content).decode() for name, content in data.items()}
        self.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": NAMESPACE}, "data": encoded}])

    def apply(self, items: list[dict[str, Any]]) -> None:
        # Server-side: the CRDs are too large for the annotation that client-side apply writes.
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(items))

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return self.pods.kubectl(*arguments, stdin=stdin)
