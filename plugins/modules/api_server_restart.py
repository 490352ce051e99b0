#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's documentation and one call; the work is in module_utils/_host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: api_server_restart
short_description: Restart the kube-apiserver of a control-plane node gracefully, and prove that a new one serves
version_added: 0.2.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - Ends the API server of the host that it runs on, waits until whoever watches over it has started a new one, and proves that - another process, another
    container, a newer loopback certificate, C(/readyz) and C(/livez) at its own address - and that this stays so for O(stable_seconds).
  - A static pod (kubeadm, kubespray, RKE2, kind) is restarted by C(crictl stop) of its container, or, without C(crictl), by SIGTERM to the process in that
    container. k3s by C(systemctl restart), k0s by SIGTERM to its child kube-apiserver, microk8s by C(snap restart microk8s.daemon-kubelite).
    The pod's sandbox, the kubelet and the manifests are left alone.
  - It restarts nothing but what was observed. Where the process or the container is another one by now, it fails and has done nothing.
  - Nor does it restart an API server that refuses to say whether it is ready, without credentials as with those that lie on the host, because then nothing
    could tell whether it has come back.
  - It knows only its own host. Whether the others can spare this API server is for the caller to find out before.
  - Needs root, and nothing on the host but Python.
extends_documentation_fragment:
  - kubeops.webhook_doctor._attributes
attributes:
  check_mode:
    support: full
    details:
      - RV(command) says what would be done.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Every run restarts. Run again with the same O(pid) it fails, because that process is gone.
options:
  pid:
    description: The process to be restarted, RV(kubeops.webhook_doctor.api_server_facts#module:api_server.process.pid).
    type: int
    required: true
  container_id:
    description: The container that it is in, RV(kubeops.webhook_doctor.api_server_facts#module:api_server.container.id). Required for static pods.
    type: str
  manages_by:
    description: How it is restarted, RV(kubeops.webhook_doctor.api_server_facts#module:api_server.manages_by).
    type: str
    choices: [static_pod, child, service]
    required: true
  distribution:
    description: Which distribution it is, RV(kubeops.webhook_doctor.api_server_facts#module:api_server.distribution.name).
    type: str
    choices: [kubeadm, kind, rke2, k3s, k0s, microk8s]
    required: true
  stop_timeout:
    description:
      - Seconds that the API server may take to end. After that the container runtime kills it; a process that was sent SIGTERM is left as it is, and the
        module fails.
      - The default is computed from the API server's flags. C(--shutdown-delay-duration), during which it still serves while load balancers learn that it
        goes, C(--shutdown-watch-termination-grace-period), C(--request-timeout) (60 seconds unless set), for which it lets requests end, and 15 seconds to
        spare.
      - Most API servers take as long as C(--request-timeout), because connections with watches stay open until then.
      - k3s and microk8s stop within the limits of their own services.
    type: int
  ready_timeout:
    description: Seconds within which the new one has to be ready. The kubelet waits up to five minutes before it starts a container that has ended several
      times.
    type: int
    default: 300
  stable_seconds:
    description: Seconds for which the new one has to stay ready.
    type: int
    default: 30
seealso:
  - module: kubeops.webhook_doctor.api_server_facts
"""

EXAMPLES = r"""
- name: Restart the API server of one control-plane node
  hosts: cp-1
  become: true
  gather_facts: false
  tasks:
    - name: Look at it
      kubeops.webhook_doctor.api_server_facts:
      register: observed

    - name: Restart it
      kubeops.webhook_doctor.api_server_restart:
        pid: "{{ observed.api_server.process.pid }}"
        container_id: "{{ observed.api_server.container.id | default(omit) }}"
        manages_by: "{{ observed.api_server.manages_by }}"
        distribution: "{{ observed.api_server.distribution.name }}"
"""

RETURN = r"""
command:
  description: What was done, or would be done in check mode.
  returned: when anything was done, or would be
  type: str
  sample: /usr/bin/crictl --runtime-endpoint unix:///run/containerd/containerd.sock --timeout 10s stop --timeout 75 0123456789ab
before:
  description: The API server before. Keys C(process), C(container), C(loopback), C(ready), C(live) and C(version) are those of
    M(kubeops.webhook_doctor.api_server_facts).
  returned: when anything was done, or would be
  type: dict
after:
  description: The same of the new one, or of what was there at the end. Null in check mode, and where it did not end.
  returned: when anything was done, or would be
  type: dict
seconds:
  description: How long it took, with O(stable_seconds). Null in check mode.
  returned: when anything was done, or would be
  type: float
logs:
  description: Where no new one was proven, the last lines of the API server, without secrets.
  returned: when anything was done, or would be
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.restart import Failed, Refused, Wanted, restart

ARGUMENT_SPEC: dict[str, Any] = {
    "pid": {"type": "int", "required": True},
    "container_id": {"type": "str"},
    "manages_by": {"type": "str", "choices": ["static_pod", "child", "service"], "required": True},
    "distribution": {"type": "str", "choices": ["kubeadm", "kind", "rke2", "k3s", "k0s", "microk8s"], "required": True},
    "stop_timeout": {"type": "int"},
    "ready_timeout": {"type": "int", "default": 300},
    "stable_seconds": {"type": "int", "default": 30},
}
_RANGES = {"stop_timeout": (1, 3600), "ready_timeout": (1, 3600), "stable_seconds": (0, 3600)}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, required_if=[("manages_by", "static_pod", ["container_id"])])
    for name, (least, most) in _RANGES.items():
        value = module.params[name]
        if value is not None and not least <= value <= most:
            module.fail_json(msg=f"{name} {value} is out of range. Expected {least} to {most} seconds.")
    try:
        result = restart(Host(), Wanted(**module.params), module.check_mode)
    except Refused as error:
        module.fail_json(msg=str(error))
    except Failed as error:
        module.fail_json(msg=str(error), **error.result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
