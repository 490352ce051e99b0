# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the static pods of the control plane are told of proxies, and which of their flags may call something outside. PRIVATE to the collection.

kubeadm writes the variables of its own environment into them (cmd/kubeadm/app/util/env.go, GetProxyEnvVars): a frozen copy.
"""

from __future__ import annotations

import hashlib
import posixpath
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._command_line import known_flags
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host import block_yaml
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process, environment, in_own_network, processes
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.replace import NotReplaced, noted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.times import stamp
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings.variables import has_credentials, is_proxy_variable, shown

COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
FOLDERS = ("/etc/kubernetes/manifests", "/var/lib/rancher/rke2/agent/pod-manifests")
# Flags that tell whether this program calls something that may lie outside.
CALLING_FLAGS = frozenset(
    (
        "admission-control-config-file",
        "audit-webhook-config-file",
        "authentication-config",
        "authentication-token-webhook-config-file",
        "authorization-config",
        "authorization-webhook-config-file",
        "cloud-config",
        "cloud-provider",
        "discovery",
        "encryption-provider-config",
        "etcd-servers",
        "oidc-issuer-url",
        "external-cloud-volume-plugin",
        "tracing-config-file",
    )
)


def manifests(host: Host, kept: str, folders: tuple[str, ...] = FOLDERS) -> list[dict[str, Any]]:
    """Of the components of the control plane; one that cannot be read has an error and no variables."""
    found = []
    running = [one for one in processes(host) if one.name in COMPONENTS and in_own_network(host, one.pid) is not False]
    for folder in folders:
        for name in host.names(folder):
            path = posixpath.join(folder, name)
            if not name.startswith(".") and host.path(path).is_file():
                found.append(_manifest(host, path, kept, running))
    # A file that is only called like a component counts as one where nothing else is it.
    known = {one["component"] for one in found if one and not one["error"]}
    return [one for one in found if one and (not one["error"] or one["component"] not in known)]


def _manifest(host: Host, path: str, kept: str, running: list[Process]) -> dict[str, Any] | None:
    text = host.text(path)
    if text is None:
        return None
    shape: dict[str, Any] = {
        "path": path,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "component": None,
        "flags": {},
        "variables": [],
        "running": None,
        "pending": None,
        "restorable": False,
        "error": None,
    }
    try:
        container = _container(block_yaml.load(text))
    except block_yaml.NotUnderstood as error:
        named = next((component for component in COMPONENTS if component in posixpath.basename(path)), None)
        return {**shape, "component": named, "error": str(error)} if named else None
    if container is None:
        return None
    words = [str(word) for key in ("command", "args") for word in container.get(key) or ()]
    variables = [(str(one.get("name")), str(one.get("value") or "")) for one in container.get("env") or () if isinstance(one, dict)]
    shape["restorable"] = _restorable(host, path, kept, shape["sha256"])
    process = max((one for one in running if one.name == container["name"]), key=lambda one: one.ticks, default=None)
    its = environment(host, process.pid) if process else None
    return {
        **shape,
        "component": container["name"],
        "running": {"pid": process.pid, "started": stamp(process.started)} if process else None,
        "pending": None if its is None else _pending(its, variables),
        "flags": known_flags(words, CALLING_FLAGS),
        "variables": [
            {"name": name, "value": shown(name, value), "credentials": has_credentials(name, value), "path": path, "kind": "manifest"}
            for name, value in variables
            if is_proxy_variable(name)
        ],
    }


def _restorable(host: Host, path: str, kept: str, sha256: str) -> bool:
    try:
        changes = noted(host.path(path), host.path(kept))
    except NotReplaced as error:
        host.missed(path, str(error))
        return False
    return bool(changes) and changes[-1]["after"] == sha256


def _pending(running: dict[str, str], variables: list[tuple[str, str]]) -> list[str]:
    """The proxy variables in which the process differs from its manifest: nobody else gives a static pod any."""
    wanted = {name: value for name, value in variables if is_proxy_variable(name)}
    has = {name: value for name, value in running.items() if is_proxy_variable(name)}
    return sorted(name for name in {**wanted, **has} if wanted.get(name) != has.get(name))


def _container(document: Any) -> dict[str, Any] | None:
    """The container that is a component's, if this is its Pod."""
    spec = document.get("spec") if isinstance(document, dict) and document.get("kind") == "Pod" else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    return next((one for one in containers or () if isinstance(one, dict) and one.get("name") in COMPONENTS), None)
