#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether kube-apiserver would accept a served certificate chain with a caBundle: documentation, arguments, main()."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cabundle_verify
short_description: Decide whether kube-apiserver trusts a served certificate chain with a caBundle
version_added: 0.1.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - >-
    Answers for each item of O(bundles): would kube-apiserver, with this C(caBundle) as its only roots, accept this served chain for this server
    name at this time?
  - >-
    kube-apiserver is a Go program, so the answer is that of Go's C(crypto/x509), in Go's words. OpenSSL and the verifier of Python's C(cryptography)
    accept and refuse other chains. So do the versions of Go among themselves, see O(go_version); those from 1.22 to 1.26 are known.
  - Lists what is wrong, or will be, with every certificate of bundle and chain, also where the verdict is good or there is no chain.
  - Makes no network connection and reads no cluster.
extends_documentation_fragment:
  - kubeops.webhook_doctor._cryptography
options:
  bundles:
    description:
      - What to judge. Equal items are judged once.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What the item is called in the results and in error messages.
        type: str
        required: true
      callouts:
        description:
          - >-
            The ids of the call-outs that the item stands for. They are handed on. Conversion webhooks (C(conversion/...)) take a blank C(caBundle) for an
            empty one, as kube-apiserver does for them alone.
        type: list
        elements: str
        default: []
      source:
        description:
          - >-
            Names the Secret or ConfigMap that O(bundles[].ca_bundle) is of, where it is not the own one of the call-outs. Handed on.
        type: str
        version_added: 0.2.0
      ca_bundle:
        description:
          - The decoded C(caBundle). PEM is expected; anything may be there.
          - If empty, the roots of the host that the module runs on are used (see O(system_roots)), and the verdict says so.
          - Its text is never repeated in any result or log, because private keys have been found in them.
        type: str
        default: ''
      chain:
        description:
          - The served certificates in PEM, the server's own first, as C(endpoint_check) returns them.
          - If empty, only the problems of the C(caBundle) are listed.
        type: list
        elements: str
        default: []
      server_name:
        description:
          - The name (or address) that the certificate has to carry, C(<service>.<namespace>.svc) for a Service. If empty, names are not checked.
        type: str
      at:
        description:
          - The time to judge for, in ISO 8601 with a zone, instead of O(at).
        type: str
  at:
    description:
      - The time to judge for, in ISO 8601 with a zone (for example V(2026-03-01T12:00:00Z)). The default is now.
    type: str
  go_version:
    description:
      - >-
        The version of Go that kube-apiserver was built with, as C(goVersion) in the answer to C(kubectl get --raw /version), for example V(go1.24.13).
      - >-
        Go 1.22 accepts negative serial numbers and RSA keys below 1024 bits, and refuses every critical policy constraint, to name three differences.
        Of a minor version of Go its late patch releases count. What is older than 1.22 is judged like that, what is newer than 1.26 like 1.26.
      - The default is the version that O(kubernetes_version) is built with, or the latest that is known.
    type: str
  kubernetes_version:
    description:
      - >-
        The version of the API server, for example V(v1.32.5). Kubernetes pins the C(GODEBUG) settings of a minor version, so that a later patch release that
        is built with a newer Go still accepts what the first one did.
      - The default is what belongs to O(go_version).
    type: str
  warn_days:
    description:
      - A certificate that ends within this many days has the problem C(expires_soon).
    type: float
    default: 30
  warn_fraction:
    description:
      - >-
        Report C(expires_soon) only if, besides, no more than this share of the certificate's life is left, for example V(0.3). Without it every short-lived
        certificate that is renewed on time is reported.
    type: float
  system_roots:
    description:
      - A file of PEM certificates, or a directory of such files, to use for an empty C(caBundle) instead of the host's own roots.
    type: path
attributes:
  check_mode:
    description: Can run in check mode and return the same results.
    support: full
  diff_mode:
    description: Returns details on what would change.
    support: none
    details: Nothing is changed.
seealso:
  - module: kubeops.webhook_doctor.endpoint_check
  - name: Go's crypto/x509
    description: What decides in kube-apiserver.
    link: https://pkg.go.dev/crypto/x509#Certificate.Verify
"""

EXAMPLES = r"""
- name: Would the API server trust this webhook?
  kubeops.webhook_doctor.cabundle_verify:
    bundles:
      - name: policy webhook
        ca_bundle: "{{ lookup('ansible.builtin.file', 'ca.crt') }}"
        chain: "{{ probe.results[0].tls.chain }}"
        server_name: policy-webhook.policy.svc
  register: trust

- name: Would the API server of this cluster, with the Go that it was built with?
  kubeops.webhook_doctor.cabundle_verify:
    bundles: "{{ kubernetes_webhooks | kubeops.webhook_doctor.trust_plan(probes=probes.results) }}"
    go_version: "{{ kubernetes_webhooks.version.go_version }}"
    kubernetes_version: "{{ kubernetes_webhooks.version.git_version }}"

- name: Will it still after the upgrade?
  kubeops.webhook_doctor.cabundle_verify:
    bundles: "{{ kubernetes_webhooks | kubeops.webhook_doctor.trust_plan(probes=probes.results) }}"
    kubernetes_version: v1.36.0

- name: What will expire in the next quarter?
  kubeops.webhook_doctor.cabundle_verify:
    bundles: "{{ kubernetes_webhooks | kubeops.webhook_doctor.trust_plan }}"
    warn_days: 90
"""

RETURN = r"""
results:
  description: One verdict per item of O(bundles), in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The item's name.
      type: str
    callouts:
      description: The item's call-outs.
      type: list
      elements: str
    source:
      description: The item's O(bundles[].source). Null where it speaks of the call-outs' own C(caBundle).
      type: str
    trusted:
      description:
        - Whether kube-apiserver would accept the chain. Null where no chain was given.
        - A C(caBundle) without any certificate is V(false) also without a chain, because kube-apiserver refuses it before it makes a call.
      type: bool
    error:
      description: Why not, in Go's words. Null otherwise.
      type: str
      sample: 'x509: certificate is valid for webhook.old.svc, not webhook.new.svc'
    cause:
      description: The same in one word of the vocabulary of causes. Null otherwise.
      type: str
      sample: name_mismatch
    anchor:
      description: The root that made the chain good. Null otherwise.
      type: dict
      contains:
        subject:
          description: Subject, as in RFC 4514.
          type: str
        serial:
          description: Serial number in hexadecimal.
          type: str
        sha256:
          description: Fingerprint of the whole certificate.
          type: str
        not_after:
          description: End of its life.
          type: str
    certificates:
      description: Every certificate of the C(caBundle) (at most 500 are listed) and of the chain. The host's own roots are not listed.
      type: list
      elements: dict
      contains:
        source:
          description: V(bundle) or V(chain).
          type: str
        index:
          description: Position among the PEM blocks of the bundle, or in the chain, from 0.
          type: int
        subject:
          description: Subject, as in RFC 4514.
          type: str
        issuer:
          description: Issuer, as in RFC 4514.
          type: str
        serial:
          description: Serial number in hexadecimal.
          type: str
        sha256:
          description: Fingerprint of the whole certificate.
          type: str
        not_before:
          description: Beginning of its life.
          type: str
        not_after:
          description: End of its life.
          type: str
        is_ca:
          description: Whether its basic constraints make it a CA.
          type: bool
        dns_names:
          description: DNS names it is for (at most 100 are listed).
          type: list
          elements: str
        ip_addresses:
          description: Addresses it is for (at most 100 are listed).
          type: list
          elements: str
        key:
          description: Kind and size of the public key.
          type: str
          sample: ECDSA P-256
        signature:
          description: Signature algorithm, as Go calls it.
          type: str
          sample: SHA256-RSA
        days_left:
          description: Days until the end of its life, negative after it.
          type: float
    problems:
      description: What is wrong or will be, whatever the verdict (at most 500 are listed).
      type: list
      elements: dict
      contains:
        certificate:
          description: Which certificate (C(source) and C(index)); null for the bundle as a whole.
          type: dict
        problem:
          description:
            - >-
              One of C(expired), C(not_yet_valid), C(expires_soon), C(not_a_ca), C(duplicate), C(weak_key), C(weak_signature), C(same_subject_other_key),
              C(leaf_as_anchor), C(unused), C(no_certificate), C(unparsable), C(other_block), C(garbage), C(private_key), C(system_roots), C(more).
          type: str
        message:
          description: The same for a reader. Never holds any text of the C(caBundle) itself.
          type: str
        days_left:
          description: Days until the end of the certificate's life, for the problems that are about it.
          type: float
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.library import require_cryptography


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "bundles": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "callouts": {"type": "list", "elements": "str", "default": []},
                    "source": {"type": "str"},
                    "ca_bundle": {"type": "str", "default": "", "no_log": True},  # holds a private key now and then
                    "chain": {"type": "list", "elements": "str", "default": []},
                    "server_name": {"type": "str"},
                    "at": {"type": "str"},
                },
            },
            "at": {"type": "str"},
            "go_version": {"type": "str"},
            "kubernetes_version": {"type": "str"},
            "warn_days": {"type": "float", "default": 30},
            "warn_fraction": {"type": "float"},
            "system_roots": {"type": "path"},
        },
        supports_check_mode=True,
        no_log=True,  # nothing of the bundles in the system's log
    )
    # From here on no result holds them either, so that nothing has to be searched for and struck out of every text.
    bundles = module.params.pop("bundles")
    module.no_log_values = set()
    require_cryptography(module)
    module.exit_json(changed=False, results=_results(module, bundles))


def _results(module: AnsibleModule, bundles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from cryptography.exceptions import UnsupportedAlgorithm

    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import rules
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.verdict import InvalidBundle, Options, Warn, judge, parse_at

    params = module.params
    try:
        at = parse_at(params["at"]) if params["at"] else time.time()
    except ValueError as error:
        module.fail_json(msg=f"at: {error}")
    try:
        decided_by = rules(params["go_version"], params["kubernetes_version"])
    except ValueError as error:
        module.fail_json(msg=str(error))
    fraction = params["warn_fraction"]
    if params["warn_days"] < 0 or not (fraction is None or 0 < fraction <= 1):
        module.fail_json(msg="warn_days must not be negative, and warn_fraction must be more than 0 and at most 1.")
    results: list[dict[str, Any]] = []
    try:
        results = judge(bundles, Options(Warn(params["warn_days"], fraction), at, params["system_roots"], decided_by))
    except InvalidBundle as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"system_roots: cannot read {error.filename}: {error.strerror}")
    except UnsupportedAlgorithm as error:
        module.fail_json(msg=f"The cryptography library of this host cannot check a signature that kube-apiserver can: {error}")
    return results


if __name__ == "__main__":
    main()
