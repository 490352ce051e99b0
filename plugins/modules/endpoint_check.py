#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's documentation and one call; the work is in module_utils/_probe."""

from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint_check
short_description: Call webhook back ends as the Kubernetes API server would, and say how far each call gets
version_added: 0.1.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - Resolves, connects, makes a TLS handshake, posts a harmless review and judges the answer by the API server's own rules.
    For each endpoint it returns the phase that was reached, the cause of a failure in one word, milliseconds for each phase and the certificates
    that were served.
  - All endpoints are called at the same time. Equal calls are made once.
  - Certificates are returned, not judged. M(kubeops.webhook_doctor.cabundle_verify) says whether the API server would trust them.
  - The proxy variables of the environment are ignored.
extends_documentation_fragment:
  - kubeops.webhook_doctor._auth
attributes:
  check_mode:
    description: Can run in check mode and tell the truth, because nothing is changed.
    support: full
  diff_mode:
    description: Returns details of what has changed.
    support: N/A
    details: This action does not change anything.
options:
  endpoints:
    description: What to call. The filter P(kubeops.webhook_doctor.probe_plan#filter) makes this list from facts.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: A text that tells this endpoint from the others.
        type: str
        required: true
      callouts:
        description: Ids of the call-outs that the answer speaks for, returned as they are. Their kind says whether the answer may carry a patch.
        type: list
        elements: str
        default: []
      vantage:
        description:
          - Where the call is made from.
          - V(direct) calls from the host that the module runs on.
          - V(port_forward) goes through API server and kubelet to the pod itself, around Service and network policies.
            It needs the rights get and create on pods/portforward.
          - V(service_proxy) lets the API server post to an endpoint of the Service, without verifying certificates.
            It needs the rights get and create on services/proxy.
          - V(apiserver) makes the API server call the webhook by a server-side dry run. Only this one proves the real path.
        type: str
        choices: [apiserver, service_proxy, port_forward, direct]
        default: direct
      host:
        description: Name or address to connect to. Needed for O(endpoints[].vantage=direct).
        type: str
      port:
        description: Port to connect to. Needed for O(endpoints[].vantage=direct).
        type: int
      server_name:
        description: The name to ask for in the handshake (SNI), which is also the C(Host) of the request. O(endpoints[].host) by default.
        type: str
      path:
        description: Where to post the review.
        type: str
        default: /
      review:
        description: What to post. With V(none) the call ends after the handshake.
        type: str
        choices: [admission, conversion, none]
        default: none
      proxy:
        description: An HTTP proxy to ask for a tunnel by C(CONNECT), for O(endpoints[].vantage=direct), such as V(http://proxy.example.com:3128).
        type: str
      client_cert:
        description: File with a client certificate in PEM form. It may hold the key as well.
        type: path
      client_key:
        description: File with the key of O(endpoints[].client_cert) in PEM form, without passphrase.
        type: path
      namespace:
        description: Namespace of the Service or pod.
        type: str
      service:
        description: Name of the Service. Needed for O(endpoints[].vantage=service_proxy).
        type: str
      service_port:
        description: Port of the Service. Needed for O(endpoints[].vantage=service_proxy).
        type: int
      pod:
        description: Name of the pod. Needed for O(endpoints[].vantage=port_forward).
        type: str
      pod_port:
        description: Port of the pod. Needed for O(endpoints[].vantage=port_forward).
        type: int
      callout:
        description:
          - The call-out as C(ansible_facts.kubernetes_webhooks.callouts) has it. Needed for O(endpoints[].vantage=apiserver).
          - For the other vantages its C(rules), C(conversion) and C(review_versions) say what kind of object the review is made of.
        type: dict
      rivals:
        description: For O(endpoints[].vantage=apiserver) the other admission call-outs, so that objects are chosen which few of them match.
        type: list
        elements: dict
        default: []
      instance:
        description: For the vantages that use the API, the API server to ask in the place of the configured address.
        type: dict
        suboptions:
          address:
            description: IP address of the API server.
            type: str
            required: true
          port:
            description: Port of the API server.
            type: int
            required: true
      check:
        description:
          - For O(endpoints[].vantage=apiserver) a check of whether the webhook does its work, beyond answering.
          - V(cert_manager) sends a request for a certificate that cert-manager's webhook must write into (mutating) or deny (validating).
        type: str
        choices: [cert_manager]
        version_added: 0.2.0
      timeout:
        description: Seconds that one attempt may take, instead of O(timeout).
        type: float
  timeout:
    description: Seconds that one attempt may take. The default is that of C(timeoutSeconds) in a webhook configuration.
    type: float
    default: 10
  deadline:
    description: Seconds that all endpoints together may take. What is not finished by then is reported as such.
    type: float
    default: 120
  concurrency:
    description: How many calls are under way at the same time.
    type: int
    default: 256
  retries:
    description: How often a call is made again that failed before the webhook saw it, by a fault that may pass. The pauses in between grow.
    type: int
    default: 0
  fail_on_unhealthy:
    description: Fail if a call fails, or cannot prove anything. The failure carries all results.
    type: bool
    default: false
seealso:
  - module: kubeops.webhook_doctor.webhook_facts
  - module: kubeops.webhook_doctor.cabundle_verify
notes:
  - Needs nothing but Python for O(endpoints[].vantage=direct).
  - The chain is returned whole from Python 3.10 on, before that its first certificate alone.
"""

EXAMPLES = r"""
- name: Call every webhook of the cluster from where it can be called
  kubeops.webhook_doctor.endpoint_check:
    endpoints: "{{ ansible_facts['kubernetes_webhooks'] | kubeops.webhook_doctor.probe_plan }}"
  register: probes

- name: Wait until one webhook answers reviews
  kubeops.webhook_doctor.endpoint_check:
    endpoints:
      - name: cert-manager
        host: 10.244.0.17
        port: 10250
        server_name: cert-manager-webhook.cert-manager.svc
        path: /validate
        review: admission
    retries: 5
    fail_on_unhealthy: true

- name: Read the certificate that an API server made for talking to itself
  kubeops.webhook_doctor.endpoint_check:
    endpoints:
      - name: loopback
        host: 192.0.2.10
        port: 6443
        server_name: apiserver-loopback-client
"""

RETURN = r"""
results:
  description: One result for each endpoint, in the same order.
  returned: always, unless an option is wrong
  type: list
  elements: dict
  contains:
    name:
      description: Name of the endpoint.
      type: str
      returned: always
    vantage:
      description: Vantage of the endpoint.
      type: str
      returned: always
    callouts:
      description: Ids of the call-outs that the result speaks for.
      type: list
      elements: str
      returned: always
    instance:
      description: The API server that was asked, null for the configured address.
      type: dict
      returned: always
    ok:
      description: Whether the call went as far as it was meant to. A review that denies the request is a good answer.
      type: bool
      returned: always
    phase:
      description: How far the call got, V(resolve), V(connect), V(tls), V(http) or V(review). After a failure the phase that failed.
      type: str
      returned: always
      sample: tls
    cause:
      description: The cause of the failure in one word, null if there is none.
      type: str
      returned: always
      sample: connection_refused
    error:
      description: The text of the failure, null if there is none.
      type: str
      returned: always
      sample: "dial tcp 10.244.0.34:10250: connect: connection refused"
    provable:
      description: False where nothing can be said from this vantage. RV(results[].reason) then says why.
      type: bool
      returned: always
    reason:
      description: Why nothing can be said, or a remark on a good answer.
      type: str
      returned: always
    request:
      description: For the vantage V(apiserver) the request that was sent.
      type: dict
      returned: always
    hidden_by:
      description: For the vantage V(apiserver) the webhook whose failure hid this one.
      type: str
      returned: always
    check:
      description:
        - What O(endpoints[].check) found. C(what) must happen, C(done) says whether it did, C(said) what the API server answered.
        - Null where no check was asked for, or it told nothing.
      type: dict
      returned: always
      version_added: 0.2.0
    elapsed_ms:
      description: Milliseconds in RV(results[].elapsed_ms.resolve), C(connect), C(tls), C(http) and in C(total). Null where a phase was not reached.
      type: dict
      returned: always
      contains:
        resolve:
          description: Looking up the name.
          type: float
          returned: always
        connect:
          description: Connecting, including the proxy's tunnel.
          type: float
          returned: always
        tls:
          description: The TLS handshake.
          type: float
          returned: always
        http:
          description: From the first byte of the request to the last one of the answer.
          type: float
          returned: always
        total:
          description: The whole attempt.
          type: float
          returned: always
    peer:
      description: Who was called.
      type: dict
      returned: always
      contains:
        address:
          description: Address and port.
          type: str
          returned: always
          sample: 10.244.0.34:10250
    tls:
      description: Null if there was no handshake.
      type: dict
      returned: always
      contains:
        version:
          description: Version of the protocol.
          type: str
          returned: always
          sample: TLSv1.3
        chain:
          description: The certificates as served, as PEM.
          type: list
          elements: str
          returned: always
    http:
      description: Null if there was no answer.
      type: dict
      returned: always
      contains:
        status:
          description: Status of the answer.
          type: int
          returned: always
          sample: 200
        body:
          description: The first 2 KiB of the answer.
          type: str
          returned: always
    attempts:
      description: How often the call was made, 0 if the deadline came first.
      type: int
      returned: always
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError, MissingLibrary
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import AUTH_ARGUMENT_SPEC, sensitive_values
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import API_VANTAGES, CHECKS, REVIEWS, InvalidEndpoint, parse_endpoints
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.run import Budget, check_all
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary import VANTAGES

ENDPOINT: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "callouts": {"type": "list", "elements": "str", "default": []},
    "vantage": {"type": "str", "choices": list(VANTAGES), "default": "direct"},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "server_name": {"type": "str"},
    "path": {"type": "str", "default": "/"},
    "review": {"type": "str", "choices": list(REVIEWS), "default": "none"},
    "proxy": {"type": "str", "no_log": True},  # may hold a password
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "namespace": {"type": "str"},
    "service": {"type": "str"},
    "service_port": {"type": "int"},
    "pod": {"type": "str"},
    "pod_port": {"type": "int"},
    "callout": {"type": "dict"},
    "rivals": {"type": "list", "elements": "dict", "default": []},
    "instance": {"type": "dict", "options": {"address": {"type": "str", "required": True}, "port": {"type": "int", "required": True}}},
    "check": {"type": "str", "choices": list(CHECKS)},
    "timeout": {"type": "float"},
}

ARGUMENT_SPEC: dict[str, Any] = {
    **AUTH_ARGUMENT_SPEC,
    "endpoints": {"type": "list", "elements": "dict", "required": True, "options": ENDPOINT},
    "timeout": {"type": "float", "default": 10.0},
    "deadline": {"type": "float", "default": 120.0},
    "concurrency": {"type": "int", "default": 256},
    "retries": {"type": "int", "default": 0},
    "fail_on_unhealthy": {"type": "bool", "default": False},
}

# Option: (least, most, what it counts).
_RANGES = {"deadline": (0.1, 86400, "seconds"), "concurrency": (1, 1024, "calls"), "retries": (0, 100, "further attempts")}
_NAMED = 20  # endpoints that the message of a failure names


def _api(module: AnsibleModule) -> Any:
    # kubernetes is asked for here only: direct probes do without.
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import connect

    return connect(module.params, timeout=module.params["timeout"])


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.no_log_values |= sensitive_values(module.params["kubeconfig"])
    for option, (least, most, unit) in _RANGES.items():
        if not least <= module.params[option] <= most:
            module.fail_json(msg=f"{option} {module.params[option]:g} is out of range. Expected {least:g} to {most:g} {unit}.")
    budget = Budget(deadline=module.params["deadline"], concurrency=module.params["concurrency"], retries=module.params["retries"])
    try:
        endpoints = parse_endpoints(module.params["endpoints"], module.params["timeout"])
        api = _api(module) if any(endpoint.vantage in API_VANTAGES for endpoint in endpoints) else None
        results = check_all(endpoints, budget, api)
    except InvalidEndpoint as error:
        module.fail_json(msg=f"endpoints[{error.index}]: {error}. Expected {error.expected}.")
    except ConfigurationError as error:
        module.fail_json(msg=str(error))
    except MissingLibrary as error:
        module.fail_json(msg=missing_required_lib(error.library, reason=error.detail))
    unhealthy = [result["name"] for result in results if not result["ok"]]
    if unhealthy and module.params["fail_on_unhealthy"]:
        more = f" and {len(unhealthy) - _NAMED} more" if len(unhealthy) > _NAMED else ""
        module.fail_json(msg=f"{len(unhealthy)} of {len(results)} endpoints failed: {', '.join(unhealthy[:_NAMED])}{more}", results=results)
    module.exit_json(changed=False, results=results)


if __name__ == "__main__":
    main()
