# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Deployment behind a call-out, and how its process is told its port. Pure. PRIVATE to the collection.

cert-manager's webhook is known (by its labels, see its observer); about any other Deployment a user has to say how it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..._diagnosis.cert_manager import HEALTHZ_PORT, Component
from ..._diagnosis.network_path import NetworkPath
from ..edit import pointer
from ..reference import Reference, Selection
from ..request import Request
from .arguments import told
from .config_file import ConfigFile, config_file
from .parameters import Parameters
from .pod_ports import named
from .refused import Refused

DEPLOYMENTS = Selection("apps/v1", "Deployment")
POD = pointer("spec", "template", "spec")
_ASK = '-e \'{{"webhook_network_deployment": {{"namespace": "{namespace}", "name": "{name}", "port_argument": "--secure-port={{port}}"}}}}\''
HEALTHZ = "--healthz-port={port}"
# Where nothing tells it another one. Source: cert-manager internal/apis/config/webhook/v1alpha1/defaults.go.
_SECURE_PORT = 6443


@dataclass(frozen=True)
class Target:
    """deployment: as it was read. position: of the container that serves the webhook. argument: see Parameters.port_argument.
    component: cert-manager's, if it is; file: by which that is configured."""

    deployment: Mapping[str, Any]
    position: int
    argument: str | None
    component: Component | None = None
    file: ConfigFile | None = None

    @property
    def reference(self) -> Reference:
        return Reference.of(self.deployment)

    @property
    def labels(self) -> Mapping[str, str]:
        """Of its pods."""
        return _labels(self.deployment)

    @property
    def spec(self) -> Mapping[str, Any]:
        """Of its pods."""
        spec: Mapping[str, Any] = self.deployment["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Mapping[str, Any]:
        container: Mapping[str, Any] = self.spec["containers"][self.position]
        return container

    @property
    def path(self) -> str:
        """The pointer to the container."""
        return POD + pointer("containers", self.position)

    @property
    def host_network(self) -> bool:
        return bool(self.spec.get("hostNetwork"))

    @property
    def replicas(self) -> int:
        replicas = self.deployment["spec"].get("replicas")
        return 1 if replicas is None else int(replicas)

    @cached_property
    def listens(self) -> int | None:
        """The port that the process is told to listen on; None where that is not known."""
        found = told(self.container, self.argument) if self.argument else None
        if found:
            return found.number
        if self.component is None:
            return None
        return (self.file.number("securePort") if self.file else None) or _SECURE_PORT

    @cached_property
    def healthz(self) -> int:
        """The port on which cert-manager's webhook answers health checks."""
        found = told(self.container, HEALTHZ)
        return found.number if found else (self.file.number("healthzPort") if self.file else None) or HEALTHZ_PORT

    def port_of(self, target_port: int | str | None) -> int | None:
        """The number that the targetPort of a Service means at these pods, None where they have no such port."""
        if target_port is None or isinstance(target_port, int):
            return target_port
        return next((int(one["containerPort"]) for container in self.spec["containers"] if (one := named(container, target_port))), None)


def target_of(request: Request, way: NetworkPath, scope: Selection, parameters: Parameters | None) -> Target:
    """The Deployment that makes the pods of a back end. scope: which Deployments were read. Raises Refused."""
    service = way.case.service or {}
    selector = service.get("selector") or {}
    where = f"Service {service.get('namespace')}/{service.get('name')}"
    if request.unreadable(scope):
        raise Refused(
            f"Deployments cannot be read ({request.unreadable(scope)})", "# Permit get and list of deployments: docs/rbac/remediate-webhook_network.yaml."
        )
    of_namespace = [one for one in request.select(scope) if one["metadata"].get("namespace") == service.get("namespace")]
    if parameters and (parameters.namespace, parameters.service) == (service.get("namespace"), service.get("name")):
        found = [one for one in of_namespace if one["metadata"]["name"] == parameters.name]
    else:
        found = [one for one in of_namespace if selector and selector.items() <= _labels(one).items()]
    if len(found) != 1:
        names = ", ".join(one["metadata"]["name"] for one in found) or "none"
        raise Refused(f"the pods of {where} are not those of one Deployment (it selects those of: {names})", *_by_hand(way))
    return _known(request, way, found[0], parameters)


def _known(request: Request, way: NetworkPath, deployment: Mapping[str, Any], parameters: Parameters | None) -> Target:
    namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    component = next((one for one in way.cluster.cert_manager.components("webhook") if (one.namespace, one.name) == (namespace, name)), None)
    mine = parameters if parameters and (parameters.namespace, parameters.name) == (namespace, name) else None
    if component is None and mine is None:
        raise Refused(
            f"how the process of Deployment {namespace}/{name} is told its port is not known; say it, and plan again",
            "ansible-playbook kubeops.webhook_doctor.remediate -e webhook_doctor_remedies=webhook_network --check --diff "
            + _ASK.format(namespace=namespace, name=name),
            *_by_hand(way),
        )
    containers = deployment["spec"]["template"]["spec"]["containers"]
    wanted = (mine and mine.container) or (component and component.item["container"])
    target_port = (way.case.backend.get("port") or {}).get("target_port")
    position = next(
        (number for number, one in enumerate(containers) if (one["name"] == wanted if wanted else len(containers) == 1 or named(one, target_port or ""))), None
    )
    if position is None:
        said = f"no container {wanted!r}" if wanted else "several containers, none of which names the port"
        raise Refused(
            f"Deployment {namespace}/{name} has {said}",
            f"# Say which: webhook_network_deployment.container, of {', '.join(one['name'] for one in containers)}.",
        )
    argument = (mine and mine.port_argument) or ("--secure-port={port}" if component else None)
    file = None
    if component:
        file = config_file(deployment["spec"]["template"]["spec"], containers[position], request.select(config_maps(namespace)))
    return Target(deployment, position, argument, component, file)


def config_maps(namespace: str) -> Selection:
    """Where the file of cert-manager's webhook is looked for."""
    return Selection("v1", "ConfigMap", namespace)


def _labels(deployment: Mapping[str, Any]) -> dict[str, str]:
    return dict((deployment["spec"]["template"].get("metadata") or {}).get("labels") or {})


def _by_hand(way: NetworkPath) -> tuple[str, ...]:
    service = way.case.service or {}
    return (
        f"kubectl -n {service.get('namespace')} get service {service.get('name')} -o yaml",
        f"kubectl -n {service.get('namespace')} get deployments --show-labels",
    )
