# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administrator's credentials that lie on a control-plane node, for asking its own API server. They never leave the process. PRIVATE to the collection."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.block_yaml import NotUnderstood, load
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes import kubeconfig
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError, MissingLibrary
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings, tls_context

_KUBEADM = ("/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf")
_FILES = {
    # The second is the supervisor's own, also where nobody wanted the first (--write-kubeconfig), or somebody has taken it away.
    "rke2": ("/etc/rancher/rke2/rke2.yaml", "/var/lib/rancher/rke2/server/cred/admin.kubeconfig"),
    "k3s": ("/etc/rancher/k3s/k3s.yaml", "/var/lib/rancher/k3s/server/cred/admin.kubeconfig"),
    "k0s": ("/var/lib/k0s/pki/admin.conf",),
    "microk8s": ("/var/snap/microk8s/current/credentials/client.config",),
    "openshift": ("/etc/kubernetes/static-pod-resources/kube-apiserver-certs/secrets/node-kubeconfigs/localhost.kubeconfig",),
}


class Credentials(NamedTuple):
    """`context` presents a client certificate, if there is one, and accepts only what the cluster's CA has signed; `headers` may hold a token."""

    path: str
    context: ssl.SSLContext
    headers: Mapping[str, str]


def credentials(host: Host, distribution: str | None) -> list[Credentials]:
    """Those that can be used, the first to be tried first. What cannot is noted; that none is there, too."""
    paths = _FILES.get(distribution or "", _KUBEADM)
    contents = {path: content for path in paths if (content := host.text(path)) is not None}
    if not contents and not any(entry["what"] in paths for entry in host.coverage):
        host.missed("credentials", f"None of {', '.join(paths)} is there.")
    found = (_read(host, path, content) for path, content in contents.items())
    return [one for one in found if one]


def _read(host: Host, path: str, content: str) -> Credentials | None:
    try:
        settings = kubeconfig.from_dict(_document(content), None, persist=False)
        return Credentials(path, _context(settings), settings.headers)
    except NotUnderstood as error:
        host.missed("credentials", f"{path} is not understood: {error}.")
    except (ConfigurationError, MissingLibrary):
        host.missed("credentials", f"{path} cannot be used.")  # without the reason, which may quote what is in it
    except OSError as error:
        host.missed("credentials", f"{path} cannot be used: {error.strerror}.")
    return None


def _document(content: str) -> Mapping[str, object]:
    document = load(content)
    if not isinstance(document, dict):
        raise NotUnderstood("it is no mapping")
    return document


def _context(settings: Settings) -> ssl.SSLContext:
    """Whose certificate the cluster's CA has signed is believed at any address: the API server is asked where it listens, which no certificate need name."""
    context = tls_context(settings)
    context.check_hostname = False
    return context
