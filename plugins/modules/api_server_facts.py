#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's documentation and one call; the work is in module_utils/_host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: api_server_facts
short_description: Observe the kube-apiserver of a control-plane node, from the node itself
version_added: 0.2.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - Looks at the API server of the host that it runs on - its process and container, the certificate with which it talks to itself, what its health
    checks say, its etcd, the host's clock, and what is under way on the host. It changes nothing.
  - Most of this can be seen by root only. What cannot be seen is told in RV(api_server.coverage).
  - The certificate is asked for with one handshake at the API server's own address. On k3s that is 127.0.0.1:6444; its port 6443, and port 9345 of RKE2,
    are never asked, because their listener would put the name into the cluster's certificate.
  - Where the API server refuses anonymous requests, its health is asked with the administrator's credentials that lie on the node. They are not returned.
  - Needs nothing on the host but Python.
extends_documentation_fragment:
  - kubeops.webhook_doctor._attributes
  - kubeops.webhook_doctor._attributes.observes
seealso:
  - module: kubeops.webhook_doctor.api_server_restart
"""

EXAMPLES = r"""
- name: Observe the API server of each control-plane node
  hosts: kube_control_plane
  become: true
  gather_facts: false
  tasks:
    - name: Look at it
      kubeops.webhook_doctor.api_server_facts:
      register: observed

    - name: Show since when it runs
      ansible.builtin.debug:
        msg: "{{ inventory_hostname }}: {{ observed.api_server.distribution.name }}, since {{ observed.api_server.process.started }}"
"""

RETURN = r"""
api_server:
  description: What was seen. Every key is there, null where it has no value. Times are ISO 8601 UTC.
  returned: success
  type: dict
  contains:
    hostname:
      description: The host's name.
      type: str
      sample: cp-1
    clock:
      description: The host's clock.
      type: dict
      contains:
        now:
          description: What it shows, with milliseconds.
          type: str
          sample: "2026-01-01T10:00:00.123Z"
        synchronised:
          description: Whether the kernel says that something keeps it right. Null where it could not be asked.
          type: bool
    distribution:
      description: Which distribution runs this control plane.
      type: dict
      contains:
        name:
          description: V(kubeadm), V(rke2), V(k3s), V(k0s), V(microk8s), V(openshift), V(talos) or V(kind). Null where it is not known.
          type: str
          sample: kubeadm
        because:
          description: By which process or file it was recognised.
          type: str
          sample: /etc/kubernetes/manifests/kube-apiserver.yaml is there
        provisioned_by:
          description: V(cluster_api), V(kops) or V(gardener), where these have left a trace. They replace machines instead of restarting processes.
          type: str
    manages_by:
      description: How the API server is restarted. V(static_pod) is a container of the kubelet, V(child) a process of a supervisor (k0s), V(service) a
        service of systemd (k3s, microk8s).
      type: str
      sample: static_pod
    process:
      description: The process of kube-apiserver, or of k3s or kubelite, which contain it. Null where none is seen.
      type: dict
      contains:
        pid:
          description: Its number.
          type: int
        started:
          description: When it began.
          type: str
          sample: "2026-01-01T10:00:00Z"
        arguments:
          description: Its flags, as far as they are no secrets. k3s hides its own.
          type: dict
          sample: {secure-port: "6443"}
    container:
      description: The container of a static pod. Null for others.
      type: dict
      contains:
        id:
          description: Its id.
          type: str
        attempt:
          description: How often it was restarted in its pod. Null without crictl.
          type: int
        pod_uid:
          description: The pod that the kubelet keeps it for.
          type: str
        state:
          description: The runtime's word.
          type: str
          sample: running
        started:
          description: When it began.
          type: str
    runtime:
      description: How the container runtime is asked.
      type: dict
      contains:
        crictl:
          description: Path of the program.
          type: str
        endpoint:
          description: The socket that the kubelet uses.
          type: str
          sample: unix:///run/containerd/containerd.sock
    address:
      description: The API server's own address, at which it was asked.
      type: str
      sample: 192.0.2.11
    port:
      description: Its port there.
      type: int
      sample: 6443
    addresses:
      description: The addresses of the host's interfaces, with virtual ones that it holds at the moment.
      type: list
      elements: str
    loopback:
      description: The certificate with which the API server talks to itself.
      type: dict
      contains:
        chain:
          description: As served, PEM, leaf first. Python before 3.10 sees the leaf only. Null where nothing was served.
          type: list
          elements: str
        error:
          description: Why there is none.
          type: str
        since:
          description: When the process that serves it began, by its subject. Null where the subject is of another kind.
          type: str
    ready:
      description: What C(/readyz) says.
      type: dict
      contains:
        status:
          description: HTTP status, null where no answer came. V(401) and V(403) say nothing of the API server, but that it refused to tell, also to
            every credential on the host.
          type: int
        failed:
          description: The checks that failed.
          type: list
          elements: str
        error:
          description: Why there is no answer, or why it says nothing.
          type: str
    live:
      description: What C(/livez) says, in the same form.
      type: dict
    version:
      description: The version that it tells.
      type: str
      sample: v1.36.3
    etcd:
      description: The etcd behind it, asked by gRPC with the API server's own certificate.
      type: dict
      contains:
        servers:
          description: Where the API server finds it.
          type: list
          elements: str
        members:
          description: All members of that cluster. Null where they could not be asked for.
          type: list
          elements: dict
          contains:
            id:
              description: Its number, as C(etcdctl) prints it. Null where it tells none.
              type: str
              sample: 8e9e05c52164694d
            name:
              description: Its name.
              type: str
            client_urls:
              description: Where clients find it.
              type: list
              elements: str
            learner:
              description: Whether it has no vote yet.
              type: bool
            healthy:
              description: Whether it answers, knows a leader, can read with a quorum, and has no alarm. Null where another member answers at all of
                its URLs, as with k0s, whose members all tell 127.0.0.1.
              type: bool
            error:
              description: What was said instead.
              type: str
        embedded:
          description: Whether a member runs in the API server's own process (k3s) and is restarted with it.
          type: bool
        error:
          description: Why its members could not be asked for.
          type: str
    busy:
      description: What is under way on the host that a restart would disturb. An upgrade by kubeadm, packages of Kubernetes being installed, a shutdown.
      type: list
      elements: dict
      contains:
        what:
          description: What it is.
          type: str
        because:
          description: By which file or process it was recognised.
          type: str
    manifest:
      description: The manifest of the static pod. Null where there is none.
      type: dict
      contains:
        path:
          description: The file.
          type: str
        sha256:
          description: Its digest.
          type: str
        grace_seconds:
          description: Its C(terminationGracePeriodSeconds). Null where it does not say.
          type: int
    proxy:
      description: The variables C(HTTP_PROXY), C(HTTPS_PROXY) and C(NO_PROXY) of the process, in whatever case, without user and password.
      type: dict
    coverage:
      description: What could not be seen, and why.
      type: list
      elements: dict
      contains:
        what:
          description: What it is.
          type: str
        message:
          description: Why, and the way out.
          type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.facts import api_server
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    module.exit_json(changed=False, api_server=api_server(Host()))


if __name__ == "__main__":
    main()
