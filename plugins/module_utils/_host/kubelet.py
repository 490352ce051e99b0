# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine's kubelet, as far as its settings tell of the API server: its runtime, and where it finds static pods. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import Process, in_own_network, option
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.setting import setting

_CONFIG = "/var/lib/kubelet/config.yaml"


class Kubelet(NamedTuple):
    """`endpoint`: of its container runtime. `manifests`: the folder of its static pods. None where it does not say."""

    endpoint: str | None
    manifests: str | None


def kubelet(host: Host, running: Sequence[Process]) -> Kubelet:
    """Flags win over the file, as in the kubelet."""
    found = next((one for one in running if one.name == "kubelet" and in_own_network(host, one.pid) is not False), None)
    words = found.words if found else ()
    config = host.text(option(words, "config") or _CONFIG)
    return Kubelet(
        option(words, "container-runtime-endpoint") or setting(config, "containerRuntimeEndpoint"),
        option(words, "pod-manifest-path") or setting(config, "staticPodPath"),
    )
