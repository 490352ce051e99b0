# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`proxy_settings`: all that a machine says of proxies, where, and to whom. PRIVATE to the collection."""

from __future__ import annotations

import json
import socket
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.replace import KEPT
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings import environment_file
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings.manifests import manifests
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings.units import units
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings.variables import has_credentials, is_proxy_variable, shown

# Read by shells and by what PAM logs in, never by units. kubeadm's own environment comes from here.
_LOGINS = ("/etc/environment",)
_PROFILES = "/etc/profile.d"
_MICROK8S = "/var/snap/microk8s/current/args/containerd-env"
_DOCKER = "/etc/docker/daemon.json"
_DOCKER_KEYS = {"http-proxy": "HTTP_PROXY", "https-proxy": "HTTPS_PROXY", "no-proxy": "NO_PROXY"}


def proxy_settings(host: Host, kept: str = KEPT) -> dict[str, Any]:
    """kept: where copies of changed manifests are."""
    return {
        "hostname": socket.gethostname(),
        "units": units(host),
        "manifests": manifests(host, kept),
        "logins": [found for found in (_login(host, path) for path in [*_LOGINS, *_profiles(host)]) if found],
        "others": [found for found in (_login(host, _MICROK8S), _docker(host)) if found],
        "coverage": host.coverage,
    }


def _profiles(host: Host) -> list[str]:
    return [f"{_PROFILES}/{name}" for name in host.names(_PROFILES) if name.endswith(".sh")]


def _login(host: Host, path: str) -> dict[str, Any] | None:
    content = host.text(path)
    return _file(path, environment_file.variables(content)) if content is not None else None


def _docker(host: Host) -> dict[str, Any] | None:
    """`proxies` of dockerd's own settings, which count before its environment."""
    content = host.text(_DOCKER)
    try:
        document = json.loads(content) if content else None
    except ValueError as error:
        host.missed(_DOCKER, f"{_DOCKER} is no JSON: {error}")
        return None
    proxies = document.get("proxies") if isinstance(document, dict) else None
    if not isinstance(proxies, dict):
        return None
    return _file(_DOCKER, [(name, proxies[key]) for key, name in _DOCKER_KEYS.items() if isinstance(proxies.get(key), str)])


def _file(path: str, variables: list[tuple[str, str]]) -> dict[str, Any] | None:
    found = [{"name": name, "value": shown(name, value), "credentials": has_credentials(name, value)} for name, value in variables if is_proxy_variable(name)]
    return {"path": path, "variables": found} if found else None
