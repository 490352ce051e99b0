#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server has to call, and what stands behind it: documentation, arguments, main()."""

from __future__ import annotations

DOCUMENTATION = r"""
module: webhook_facts
short_description: Observe the HTTPS calls that a Kubernetes API server has to make
version_added: 0.1.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - Reads every call-out of a cluster (admission webhooks, conversion webhooks of CustomResourceDefinitions, aggregated APIs), the Services, endpoints and
    pods behind each, the API server instances with the flags and proxy variables that matter, and Events and conditions that repeat an error of such a call.
  - Observes and does not judge. P(kubeops.webhook_doctor.findings#filter) judges, P(kubeops.webhook_doctor.probe_plan#filter) plans what to probe.
  - Reads from the API, or from files that C(kubectl get -o yaml) or C(kubectl get -o json) wrote (O(src)).
  - Only reads, and no Secret unless O(read_ca_secrets=true). The rights in C(docs/rbac/diagnose.yaml) of the collection suffice otherwise.
  - What could not be read is listed in C(coverage) with the reason. Only if no kind of call-out can be read at all the module fails.
extends_documentation_fragment:
  - kubeops.webhook_doctor._auth
  - kubeops.webhook_doctor._auth.timeout
  - kubeops.webhook_doctor._attributes
  - kubeops.webhook_doctor._attributes.observes
  - kubeops.webhook_doctor._attributes.facts
  - kubeops.webhook_doctor._attributes.action_group
options:
  src:
    description:
      - Files, or directories of files (with their subdirectories), to read instead of the API.
        Each holds YAML or JSON that kubectl wrote, objects and Lists in any mix under any name.
      - Services, endpoints and pods that a dump lacks count as missing only where the dump shows that they were asked for
        (other objects of the same kind and namespace are there, or a List over several namespaces is).
      - The connection options are not used then.
    type: list
    elements: path
    default: []
  evidence:
    description:
      - Whether Events and Deployments are read for what the API server said about failed calls.
    type: bool
    default: true
  access_review:
    description:
      - Whether the API server is asked which of the vantages of M(kubeops.webhook_doctor.endpoint_check) the rights permit (SelfSubjectAccessReview).
    type: bool
    default: true
  read_ca_secrets:
    description:
      - >-
        Whether the Secrets are read that C(caBundles) are meant to come from (those that annotations of cert-manager name, and those of well-known
        applications), to compare their CA with the C(caBundle).
      - >-
        Only the key with the CA is looked at, and only fingerprints of its certificates become facts. The right to C(get) these Secrets is needed;
        C(docs/rbac/diagnose-ca-secrets.yaml) grants it for some by name.
    type: bool
    default: false
    version_added: 0.2.0
  page_size:
    description:
      - Objects that are asked for at once. CustomResourceDefinitions, which are large, come in pages of at most 25.
    type: int
    default: 500
seealso:
  - module: kubeops.webhook_doctor.endpoint_check
  - module: kubeops.webhook_doctor.cabundle_verify
  - plugin: kubeops.webhook_doctor.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Observe the cluster of the current context
  kubeops.webhook_doctor.webhook_facts:

- name: Which call-outs are fail-closed?
  ansible.builtin.debug:
    msg: "{{ ansible_facts.kubernetes_webhooks.callouts | selectattr('failure_policy', 'equalto', 'Fail') | map(attribute='id') }}"

- name: Observe another cluster with a token
  kubeops.webhook_doctor.webhook_facts:
    host: https://api.example.com:6443
    api_key: "{{ token }}"
    ca_cert: /etc/kubernetes/pki/ca.crt

- name: Read what a customer sent
  kubeops.webhook_doctor.webhook_facts:
    src:
      - ticket-4711/
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: success
  type: dict
  contains:
    kubernetes_webhooks:
      description: What was observed. Times are ISO 8601 in UTC, a key without value is V(none).
      returned: success
      type: dict
      contains:
        source:
          description: Where the facts come from.
          returned: success
          type: dict
          contains:
            kind:
              description: V(api), or V(dump) for files.
              returned: success
              type: str
            cluster:
              description: The context of the kubeconfig, the host where none is used, the name of the file or directory for a dump.
              returned: success
              type: str
            server:
              description: URL of the API server. V(none) for a dump.
              returned: success
              type: str
            observed_at:
              description: When observing began. For a dump when its newest file was written.
              returned: success
              type: str
              sample: '2026-11-21T09:00:00Z'
            paths:
              description: What was given as O(src).
              returned: success
              type: list
              elements: str
            access:
              description: Whether the rights permit a vantage in all namespaces. V(none) if not asked, or if the API server does not say.
              returned: success
              type: dict
              contains:
                port_forward:
                  description: Whether pods may be forwarded to.
                  returned: success
                  type: bool
                service_proxy:
                  description: Whether Services may be reached through the API server.
                  returned: success
                  type: bool
                dry_run:
                  description: Whether at least one kind of object may be written, which a server-side dry run needs as well.
                  returned: success
                  type: bool
        version:
          description: Version of the API server. The values are V(none) if it could not be read.
          returned: success
          type: dict
          contains:
            git_version:
              description: The whole version.
              returned: success
              type: str
              sample: v1.36.3
            go_version:
              description: The version of Go that it was built with, which decides what certificates it accepts.
              returned: success
              type: str
              sample: go1.26.3
            major:
              description: Major version.
              returned: success
              type: int
            minor:
              description: Minor version.
              returned: success
              type: int
        platform:
          description:
            - What tells on which platform the cluster runs, and how its network is made. Nothing is concluded.
          returned: success
          type: dict
          contains:
            api_groups:
              description: The API groups that are served. V(none) if they could not be asked for.
              returned: success
              type: list
              elements: str
            node_count:
              description: How many nodes there are. V(none) if they could not be read.
              returned: success
              type: int
            nodes:
              description: The nodes; where there are more than 200, those that the pods behind call-outs run on.
              returned: success
              type: list
              elements: dict
              contains:
                name:
                  description: Its name.
                  returned: success
                  type: str
                provider_id:
                  description: Its providerID.
                  returned: success
                  type: str
                labels:
                  description: Those of its labels by which clouds, distributions and node pools are known.
                  returned: success
                  type: dict
                internal_ips:
                  description: Its internal addresses.
                  returned: success
                  type: list
                  elements: str
                external_ips:
                  description: Its external addresses.
                  returned: success
                  type: list
                  elements: str
                pod_cidrs:
                  description: The addresses of its pods, where the cluster assigns them by node.
                  returned: success
                  type: list
                  elements: str
                kubelet_version:
                  description: Version of its kubelet.
                  returned: success
                  type: str
                container_runtime:
                  description: Name and version of its container runtime.
                  returned: success
                  type: str
                os_image:
                  description: Its operating system.
                  returned: success
                  type: str
                ready:
                  description: Whether it is ready.
                  returned: success
                  type: bool
            daemonsets:
              description: The DaemonSets, by which network plugins are known.
              returned: success
              type: list
              elements: dict
              contains:
                namespace:
                  description: Its namespace.
                  returned: success
                  type: str
                name:
                  description: Its name.
                  returned: success
                  type: str
                labels:
                  description: Its labels.
                  returned: success
                  type: dict
                host_network:
                  description: Whether its pods use the network of their nodes.
                  returned: success
                  type: bool
                host_ports:
                  description: Ports of the nodes that its pods take.
                  returned: success
                  type: list
                  elements: int
                ready:
                  description: How many of its pods are ready.
                  returned: success
                  type: int
                desired:
                  description: How many of its pods there should be.
                  returned: success
                  type: int
                env:
                  description: Variables of network plugins that say where pods get their addresses.
                  returned: success
                  type: dict
            config:
              description: What is kept of the ConfigMaps C(kubeadm-config) and C(cilium-config) of C(kube-system).
              returned: success
              type: dict
        network:
          description: What may keep the packets of the API server from a back end inside the cluster. V(none) in observations of older versions.
          returned: success
          type: dict
          contains:
            policies:
              description: The NetworkPolicies of networking.k8s.io in the namespaces of back ends, as far as evaluating what comes in needs them.
              returned: success
              type: list
              elements: dict
              contains:
                namespace:
                  description: Its namespace.
                  returned: success
                  type: str
                name:
                  description: Its name.
                  returned: success
                  type: str
                pod_selector:
                  description: Which pods it is about.
                  returned: success
                  type: dict
                ingress:
                  description: Whether it governs what comes in.
                  returned: success
                  type: bool
                rules:
                  description: What it admits.
                  returned: success
                  type: list
                  elements: dict
                  contains:
                    ports:
                      description: What is admitted. V(none) for all ports.
                      returned: success
                      type: list
                      elements: dict
                      contains:
                        protocol:
                          description: V(TCP), V(UDP) or V(SCTP).
                          returned: success
                          type: str
                        port:
                          description: Number or name of a container's port. V(none) for all.
                          returned: success
                          type: raw
                        end_port:
                          description: The last one of a range.
                          returned: success
                          type: int
                    from:
                      description: Who is admitted. V(none) for everybody.
                      returned: success
                      type: list
                      elements: dict
                      contains:
                        cidr:
                          description: The network that is admitted. V(none) where pods are.
                          returned: success
                          type: str
                        except:
                          description: Parts of that network that are not.
                          returned: success
                          type: list
                          elements: str
                        namespaces:
                          description: The selector of their namespaces. V(none) where it is that of the policy.
                          returned: success
                          type: dict
                        pods:
                          description: The selector of the pods. V(none) where all of the namespaces are meant.
                          returned: success
                          type: dict
            plugin_policies:
              description: Policies of network plugins and administrators in these namespaces, and those for the whole cluster; only their names.
              returned: success
              type: list
              elements: dict
              contains:
                group:
                  description: API group.
                  returned: success
                  type: str
                kind:
                  description: Kind.
                  returned: success
                  type: str
                namespace:
                  description: Its namespace. V(none) where it is one for the whole cluster.
                  returned: success
                  type: str
                name:
                  description: Its name.
                  returned: success
                  type: str
            agents:
              description: The pods of the konnectivity tunnel.
              returned: success
              type: list
              elements: dict
              contains:
                namespace:
                  description: Its namespace.
                  returned: success
                  type: str
                name:
                  description: Its name.
                  returned: success
                  type: str
                labels:
                  description: Its labels.
                  returned: success
                  type: dict
                node:
                  description: The node that it runs on.
                  returned: success
                  type: str
                ip:
                  description: Its address.
                  returned: success
                  type: str
                host_network:
                  description: Whether it uses the network of its node.
                  returned: success
                  type: bool
                ready:
                  description: Whether it is ready.
                  returned: success
                  type: bool
        callouts:
          description: The calls that the API server has to make, sorted by RV(ansible_facts.kubernetes_webhooks.callouts[].id).
          returned: success
          type: list
          elements: dict
          contains:
            id:
              description: Names the call-out in everything that the collection says.
              returned: success
              type: str
              sample: validating/cert-manager-webhook/webhook.cert-manager.io
            kind:
              description: V(validating), V(mutating), V(conversion) or V(apiservice).
              returned: success
              type: str
            object:
              description: The object that configures the call-out.
              returned: success
              type: dict
              contains:
                api_version:
                  description: Its C(apiVersion).
                  returned: success
                  type: str
                kind:
                  description: Its kind.
                  returned: success
                  type: str
                name:
                  description: Its name.
                  returned: success
                  type: str
                uid:
                  description: Its uid.
                  returned: success
                  type: str
                resource_version:
                  description: Its resource version.
                  returned: success
                  type: str
                generation:
                  description: Its generation.
                  returned: success
                  type: int
                created:
                  description: When it was created.
                  returned: success
                  type: str
                labels:
                  description: Its labels.
                  returned: success
                  type: dict
                annotations:
                  description: Those of its annotations that say who manages it or its caBundle.
                  returned: success
                  type: dict
                managers:
                  description: Field managers that wrote to it.
                  returned: success
                  type: list
                  elements: str
                owners:
                  description: Kind and name of each owner reference.
                  returned: success
                  type: list
                  elements: dict
            webhook:
              description: Name of the entry. V(none) for conversion webhooks and aggregated APIs.
              returned: success
              type: str
            index:
              description: Position of the entry in its configuration.
              returned: success
              type: int
            client:
              description: What is called.
              returned: success
              type: dict
              contains:
                service:
                  description: Namespace, name, port and path, with the API's defaults filled in. V(none) if a URL is called.
                  returned: success
                  type: dict
                url:
                  description: The URL. V(none) if a Service is called.
                  returned: success
                  type: str
            server_name:
              description: The name that the API server expects in the certificate.
              returned: success
              type: str
              sample: cert-manager-webhook.cert-manager.svc
            ca_bundle:
              description: The decoded caBundle, empty if there is none.
              returned: success
              type: str
            ca_bundle_error:
              description: Why the caBundle could not be decoded.
              returned: success
              type: str
            insecure_skip_tls_verify:
              description: Whether an aggregated API's certificate is not verified.
              returned: success
              type: bool
            failure_policy:
              description: V(Fail) or V(Ignore). V(none) for conversion webhooks and aggregated APIs, which always fail closed.
              returned: success
              type: str
            timeout_seconds:
              description: How long the API server waits.
              returned: success
              type: int
            side_effects:
              description: V(None), V(NoneOnDryRun), V(Some) or V(Unknown) for admission webhooks.
              returned: success
              type: str
            match_policy:
              description: V(Equivalent) or V(Exact) for admission webhooks.
              returned: success
              type: str
            reinvocation_policy:
              description: V(Never) or V(IfNeeded) for mutating webhooks.
              returned: success
              type: str
            review_versions:
              description: Versions of the review that the webhook takes.
              returned: success
              type: list
              elements: str
            rules:
              description: Operations, API groups, API versions, resources and scope that an admission webhook is called for.
              returned: success
              type: list
              elements: dict
            namespace_selector:
              description: C(match_labels) and C(match_expressions) of the namespaces. V(none) for all.
              returned: success
              type: dict
            object_selector:
              description: C(match_labels) and C(match_expressions) of the objects. V(none) for all.
              returned: success
              type: dict
            match_conditions:
              description: Name and CEL expression of each match condition.
              returned: success
              type: list
              elements: dict
            conversion:
              description: Group, kind, plural, scope, versions and stored versions of the CustomResourceDefinition of a conversion webhook.
              returned: success
              type: dict
            apiservice:
              description: Group, version and the condition C(Available) of an aggregated API.
              returned: success
              type: dict
            backend:
              description: Id of the back end.
              returned: success
              type: str
        backends:
          description: What the call-outs reach.
          returned: success
          type: list
          elements: dict
          contains:
            id:
              description: Names the back end.
              returned: success
              type: str
              sample: service/cert-manager/cert-manager-webhook:443
            kind:
              description: V(service) or V(url).
              returned: success
              type: str
            url:
              description: Scheme, host and port.
              returned: success
              type: dict
            service:
              description: The Service, V(none) for a URL.
              returned: success
              type: dict
              contains:
                namespace:
                  description: Its namespace.
                  returned: success
                  type: str
                name:
                  description: Its name.
                  returned: success
                  type: str
                found:
                  description: Whether it exists. V(none) if that could not be read.
                  returned: success
                  type: bool
                type:
                  description: Its type.
                  returned: success
                  type: str
                headless:
                  description: Whether its ClusterIP is V(None).
                  returned: success
                  type: bool
                cluster_ips:
                  description: Its cluster addresses.
                  returned: success
                  type: list
                  elements: str
                external_name:
                  description: The name that an ExternalName Service stands for.
                  returned: success
                  type: str
                selector:
                  description: Labels of its pods.
                  returned: success
                  type: dict
                ports:
                  description: Name, port, target port and protocol of each port.
                  returned: success
                  type: list
                  elements: dict
            port:
              description: Name, port and target port that the call-out uses. V(none) if the Service lacks it.
              returned: success
              type: dict
            endpoints:
              description: The addresses behind the Service, V(none) if they could not be read.
              returned: success
              type: list
              elements: dict
              contains:
                address:
                  description: The address.
                  returned: success
                  type: str
                family:
                  description: V(IPv4) or V(IPv6).
                  returned: success
                  type: str
                port:
                  description: The port. V(none) if the pod has no port of the name that the Service asks for.
                  returned: success
                  type: int
                ready:
                  description: Whether it is ready.
                  returned: success
                  type: bool
                serving:
                  description: Whether it serves, also while terminating.
                  returned: success
                  type: bool
                terminating:
                  description: Whether it is being terminated.
                  returned: success
                  type: bool
                node:
                  description: Its node.
                  returned: success
                  type: str
                pod:
                  description: Namespace and name of its pod, joined by a slash.
                  returned: success
                  type: str
            pods:
              description: The pods that the Service selects, V(none) if they could not be read.
              returned: success
              type: list
              elements: dict
              contains:
                namespace:
                  description: Its namespace.
                  returned: success
                  type: str
                name:
                  description: Its name.
                  returned: success
                  type: str
                labels:
                  description: Its labels.
                  returned: success
                  type: dict
                phase:
                  description: Its phase.
                  returned: success
                  type: str
                ready:
                  description: Whether it is ready.
                  returned: success
                  type: bool
                terminating:
                  description: Whether it is being deleted.
                  returned: success
                  type: bool
                node:
                  description: Its node.
                  returned: success
                  type: str
                ip:
                  description: Its address.
                  returned: success
                  type: str
                host_network:
                  description: Whether it uses the network of its node.
                  returned: success
                  type: bool
                owner:
                  description: Kind and name of its controller.
                  returned: success
                  type: dict
                containers:
                  description: Name, readiness, restarts, reason of waiting or of the last end, and ports of each container.
                  returned: success
                  type: list
                  elements: dict
        ca_sources:
          description:
            - The Secrets and ConfigMaps that C(caBundles) are meant to come from. ConfigMaps are always read, Secrets only with O(read_ca_secrets).
          returned: success
          type: list
          elements: dict
          contains:
            id:
              description: Names the source.
              returned: success
              type: str
              sample: Secret/cert-manager/cert-manager-webhook-ca:ca.crt
            kind:
              description: V(Secret) or V(ConfigMap), or V(Certificate) where the Secret of a Certificate could not be told.
              returned: success
              type: str
            namespace:
              description: Its namespace. V(none) if an annotation does not name one.
              returned: success
              type: str
            name:
              description: Its name.
              returned: success
              type: str
            key:
              description: Its key that holds the CA.
              returned: success
              type: str
            claimed_by:
              description: The annotation, or the application, that makes it the source.
              returned: success
              type: str
            via:
              description: The Certificate of cert-manager that led to the Secret.
              returned: success
              type: str
            binding:
              description: Whether something keeps the C(caBundle) equal to the source.
              returned: success
              type: bool
            callouts:
              description: Ids of the call-outs whose C(caBundle) is meant to come from it.
              returned: success
              type: list
              elements: str
            state:
              description: V(read), V(not_asked), V(missing), V(unusable), V(forbidden), V(error) or V(not_in_dump).
              returned: success
              type: str
            message:
              description: Why it was not read, or cannot be used.
              returned: success
              type: str
            certificates:
              description: SHA-256 fingerprint of each certificate that it holds.
              returned: success
              type: list
              elements: str
        namespaces:
          description: Name and labels of every namespace.
          returned: success
          type: list
          elements: dict
        control_plane:
          description: The API servers.
          returned: success
          type: dict
          contains:
            routing:
              description: Whether calls to a Service go to an V(endpoint) or to its V(cluster_ip). V(unknown) if the flags cannot be seen.
              returned: success
              type: str
            routing_because:
              description: How that is known.
              returned: success
              type: str
            instances:
              description: The API server instances.
              returned: success
              type: list
              elements: dict
              contains:
                name:
                  description: Name of the pod, else the address.
                  returned: success
                  type: str
                address:
                  description: Its address.
                  returned: success
                  type: str
                port:
                  description: Its port.
                  returned: success
                  type: int
                node:
                  description: Its node.
                  returned: success
                  type: str
                flags:
                  description: Those of its flags that decide how it calls.
                  returned: success
                  type: dict
                proxy:
                  description: C(HTTPS_PROXY), C(HTTP_PROXY) and C(NO_PROXY) of its environment, without credentials. V(none) if it cannot be seen.
                  returned: success
                  type: dict
                liveness_probe:
                  description: Whether its pod has a liveness probe. V(none) if the pod cannot be seen.
                  returned: success
                  type: bool
                visible:
                  description: Whether its pod, and with it flags and environment, can be seen.
                  returned: success
                  type: bool
            admission:
              description:
                - What the API servers have counted of their webhook calls since they started, one item per instance and webhook that was called.
                - V(none) if it could not be read, and for a dump.
              returned: success
              type: list
              elements: dict
              contains:
                instance:
                  description: Address and port of the API server. V(none) if it is not known which one answered.
                  returned: success
                  type: str
                since:
                  description: When its process was started.
                  returned: success
                  type: str
                webhook:
                  description: Name of the webhook.
                  returned: success
                  type: str
                type:
                  description: V(validating) or V(mutating).
                  returned: success
                  type: str
                calls:
                  description: How often it was called.
                  returned: success
                  type: int
                fail_open:
                  description: How many requests passed without it, because it could not be called and its failurePolicy is V(Ignore).
                  returned: success
                  type: int
                rejections:
                  description: How many requests were rejected, by C(error_type); V(calling_webhook_error) are those that could not call it.
                  returned: success
                  type: dict
                slower:
                  description: How many calls took longer than so many seconds, where there were any.
                  returned: success
                  type: dict
            policies:
              description: The admission policies that Events or conditions say denied something, as far as they exist.
              returned: success
              type: list
              elements: dict
              contains:
                kind:
                  description: V(ValidatingAdmissionPolicy) or V(MutatingAdmissionPolicy).
                  returned: success
                  type: str
                name:
                  description: Its name.
                  returned: success
                  type: str
                failure_policy:
                  description: What happens when its expressions cannot be evaluated, V(Fail) or V(Ignore).
                  returned: success
                  type: str
                bindings:
                  description: The bindings that the texts name, each with C(name) and C(actions).
                  returned: success
                  type: list
                  elements: dict
            components:
              description: The pods of kube-controller-manager and kube-scheduler, where these are static pods.
              returned: success
              type: list
              elements: dict
              contains:
                component:
                  description: V(kube-controller-manager) or V(kube-scheduler).
                  returned: success
                  type: str
                name:
                  description: Name of the pod.
                  returned: success
                  type: str
                node:
                  description: Its node.
                  returned: success
                  type: str
                flags:
                  description: Those of its flags that name networks.
                  returned: success
                  type: dict
                proxy:
                  description: C(HTTPS_PROXY), C(HTTP_PROXY) and C(NO_PROXY) of its environment, without credentials.
                  returned: success
                  type: dict
        evidence:
          description: Texts of Events and conditions that may be about a failed call, the newest first.
          returned: success
          type: list
          elements: dict
          contains:
            source:
              description: V(event) or V(condition).
              returned: success
              type: str
            text:
              description: The text, at most 2,000 characters.
              returned: success
              type: str
            count:
              description: How often it was seen.
              returned: success
              type: int
            first:
              description: When it was seen first.
              returned: success
              type: str
            last:
              description: When it was seen last.
              returned: success
              type: str
            object:
              description: Kind, namespace and name of the object that it is about.
              returned: success
              type: dict
            reporter:
              description: Who reported it.
              returned: success
              type: str
        apps:
          description:
            - What was seen of applications that the collection knows, under a key for each whose API groups are served, null where nothing of it is
              there.
            - C(cert_manager) has C(deployments) (C(namespace), C(name), C(component), C(instance), C(helm), C(version), C(created), C(replicas), C(ready),
              C(container), C(arguments), C(ports), C(readiness), C(host_network), C(service_account), C(conditions)), C(pods) (C(namespace), C(name),
              C(component), C(instance), C(phase), C(ready), C(terminating), C(node), C(started), C(restarts), C(waiting), C(terminated)), C(leases)
              (C(namespace), C(name), C(found), C(holder), C(renewed), C(duration_seconds)), C(jobs) (C(namespace), C(name), C(created), C(succeeded),
              C(failed), C(ended)) and C(probe_failures) (C(namespace), C(pod), C(message), C(count), C(last)).
            - C(acme) has C(issuers) (C(kind), C(namespace), C(name), C(created), C(server), C(skip_tls_verify), C(ca_bundle), C(registered), C(solvers),
              C(ready) with C(status), C(reason), C(message) and C(since)), C(orders) and C(challenges) (C(total), C(states), and C(unfinished) with
              C(namespace), C(name), C(created), C(owner), C(state), C(reason), C(issuer), C(dns_names) or C(dns_name), C(type), C(presented),
              C(processing)), C(pods) (C(namespace), C(name), C(component), C(workload), C(instance), C(ready), C(restarts), C(waiting), C(started),
              C(host_network), C(proxy) without credentials, C(proxy_hidden), C(proxy_may_hide), C(api), C(dns_policy), C(dns_nameservers),
              C(dns_searches), C(dns_options), C(arguments)), C(cluster_proxy), C(api_addresses) and C(leases) (C(namespace), C(holder), C(renewed)).
              Tokens and keys of challenges are not kept.
            - C(etcd) has C(bytes), the size of etcd's file, and C(stored) (C(group), C(resource), C(count), C(mean_bytes)), how many objects there are of
              the biggest kinds.
            - C(certificate_store) has C(stored), the same of what cert-manager stores, and where that is much, C(certificates) (C(namespace), C(name),
              C(uid), C(ready), C(issuing), C(revision), C(history_limit)) and C(objects), the CertificateRequests, Orders and Challenges (C(kind),
              C(namespace), C(name), C(uid), C(owner), C(owner_uid), C(revision), C(deleting), C(state)).
            - C(istio) holds istiod's Deployments and Services, discovery addresses, pods with and without a sidecar by workload, and sidecars that
              are not ready. Its shape is told in C(docs/architecture.md).
          returned: success
          type: dict
        coverage:
          description: What could not be observed.
          returned: success
          type: list
          elements: dict
          contains:
            what:
              description: The plural of a kind, one object, or a file.
              returned: success
              type: str
            reason:
              description: V(forbidden), V(missing), V(error), V(not_asked) or V(not_in_dump).
              returned: success
              type: str
            message:
              description: What happened.
              returned: success
              type: str
            consequence:
              description: What is not known because of it.
              returned: success
              type: str
"""

from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.failures import ObservationError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError, MissingLibrary, Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import AUTH_ARGUMENT_SPEC, sensitive_values

ARGUMENT_SPEC: dict[str, Any] = {
    **AUTH_ARGUMENT_SPEC,
    "src": {"type": "list", "elements": "path", "default": []},
    "evidence": {"type": "bool", "default": True},
    "access_review": {"type": "bool", "default": True},
    "read_ca_secrets": {"type": "bool", "default": False},
    "timeout": {"type": "float", "default": 30.0},
    "page_size": {"type": "int", "default": 500},
}

# Option: (least, most, what it counts).
_RANGES = {"timeout": (0.1, 3600, "seconds"), "page_size": (1, 10_000, "objects")}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.no_log_values.update(sensitive_values(module.params["kubeconfig"]))
    for option, (least, most, unit) in _RANGES.items():
        if not least <= module.params[option] <= most:
            module.fail_json(msg=f"{option} {module.params[option]:g} is out of range. Expected {least:g} to {most:g} {unit}.")
    try:
        facts = observe(module.params, datetime.now(timezone.utc)).facts
    except (ObservationError, ConfigurationError, Unreachable) as error:
        module.fail_json(msg=str(error))
    except MissingLibrary as error:
        module.fail_json(msg=missing_required_lib(error.library, reason=error.detail))
    module.exit_json(changed=False, ansible_facts={"kubernetes_webhooks": facts})


if __name__ == "__main__":
    main()
