#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's documentation and one call; the work is in module_utils/_proxy_settings."""

from __future__ import annotations

DOCUMENTATION = r"""
module: proxy_settings_facts
short_description: Observe where a machine sets proxy variables, and for whom
version_added: 0.2.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - Reads the units of kubelet, containerd, CRI-O, Docker, RKE2, k3s and k0s with their drop-ins and environment files.
  - Reads the static pods of the control plane, where kubeadm has frozen the variables of its own environment.
  - Reads C(/etc/docker/daemon.json), and what logins are given (C(/etc/environment), C(/etc/profile.d)), which units do not read.
  - It changes nothing. Users and passwords in the URLs of proxies are replaced by C(***).
  - Some of this can be seen by root only. What cannot be seen is told in RV(proxy_settings.coverage).
  - Needs nothing on the host but Python.
extends_documentation_fragment:
  - kubeops.webhook_doctor._attributes
  - kubeops.webhook_doctor._attributes.observes
options:
  keep:
    description: Where M(kubeops.webhook_doctor.static_pod_manifest) keeps what was there before its changes.
    type: path
    default: /var/lib/webhook-doctor/manifests
seealso:
  - plugin: kubeops.webhook_doctor.proxy_settings_report
    plugin_type: filter
  - module: kubeops.webhook_doctor.static_pod_manifest
"""

EXAMPLES = r"""
- name: Tell what each machine sends through a proxy that must not go there
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: Look
      kubeops.webhook_doctor.proxy_settings_facts:
      register: observed

    - name: Show it
      ansible.builtin.debug:
        msg: "{{ (observed.proxy_settings | kubeops.webhook_doctor.proxy_settings_report(['10.96.0.0/16', 'kubernetes.default.svc'])).lines }}"
"""

RETURN = r"""
proxy_settings:
  description: What was seen. Every key is there, null where it has no value.
  returned: success
  type: dict
  contains:
    hostname:
      description: The host's name.
      type: str
      sample: cp-1
    units:
      description: The units that the host has, of those that are looked for.
      type: list
      elements: dict
      contains:
        unit:
          description: Its name.
          type: str
          sample: kubelet.service
        active:
          description: Whether it runs. Null where systemd cannot be asked.
          type: bool
        pid:
          description: Its main process. Null where there is none, or systemd cannot be asked.
          type: int
        fragment:
          description: Its unit file.
          type: str
        drop_ins:
          description: Its drop-ins, in the order in which systemd reads them.
          type: list
          elements: str
        environment_files:
          description: C(path), C(exists) and C(optional) of each C(EnvironmentFile=).
          type: list
          elements: dict
        need_daemon_reload:
          description: Whether its files have changed since systemd has read them.
          type: bool
        own:
          description: C(path) and C(sha256) of what this collection has written for it.
          type: list
          elements: dict
        variables:
          description:
            - C(name), C(value), C(credentials) (whether user or password were taken out), C(path) (where it is set), C(kind) (V(manager), V(unit),
              V(drop_in), V(environment_file), or V(own) for what this collection has written) and C(specifiers) of systemd in the value that are not known here
              (V(%H), V(%l), V(%n), V(%N) and V(%p) are). In the order of precedence, the last of a name counts.
          type: list
          elements: dict
        running:
          description: The proxy variables of its process. Null where there is none, or it may not be seen.
          type: dict
        pending:
          description: The names of variables that its files would give a new process, and the running one has not. Null as above.
          type: list
          elements: str
        surplus:
          description: The names of proxy variables that the running process has, and that its files do not give. Null as above.
          type: list
          elements: str
    manifests:
      description: The static pods of the control plane.
      type: list
      elements: dict
      contains:
        path:
          description: The file.
          type: str
          sample: /etc/kubernetes/manifests/kube-apiserver.yaml
        sha256:
          description: Its digest.
          type: str
        component:
          description: Which program it is.
          type: str
          sample: kube-apiserver
        flags:
          description: Those of its flags that tell whether it calls something that may lie outside.
          type: dict
        variables:
          description: As of units, with C(kind) V(manifest) and without C(specifiers).
          type: list
          elements: dict
        running:
          description: C(pid) and C(started) of its process. Null where none is seen.
          type: dict
        restorable:
          description: Whether its last change by M(kubeops.webhook_doctor.static_pod_manifest) can be taken back.
          type: bool
        pending:
          description: The names of proxy variables in which the process differs from the manifest. Null where that may not be seen.
          type: list
          elements: str
        error:
          description: Why it could not be read, else null.
          type: str
    logins:
      description: C(path) and C(variables) of the files that logins and shells read.
      type: list
      elements: dict
    others:
      description: C(path) and C(variables) of C(/etc/docker/daemon.json), and of containerd in MicroK8s.
      type: list
      elements: dict
    coverage:
      description: C(what) could not be seen, and a C(message) why.
      type: list
      elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.replace import KEPT
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings.facts import proxy_settings


def main() -> None:
    module = AnsibleModule(argument_spec={"keep": {"type": "path", "default": KEPT, "no_log": False}}, supports_check_mode=True)
    module.exit_json(changed=False, proxy_settings=proxy_settings(Host(), module.params["keep"]))


if __name__ == "__main__":
    main()
