#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugins/action/wait_for_webhooks.py, which runs observe_cluster on the host and judges on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wait_for_webhooks
short_description: Wait until the API server really calls its webhooks, and say what is still missing
version_added: 0.2.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - >-
    Runs M(kubeops.webhook_doctor.observe_cluster) again and again, until a dry run through every API server that is known has proven each selected call-out,
    so many times in a row. A pod that is ready proves nothing of a certificate, a caBundle or a way through the network.
  - Shows what is still missing, and why, whenever that changes. Fails with it, and with the findings that explain it, when the time is up.
  - Fails at once where waiting does not help, and where the rights or the connection are wrong. An API server that does not answer is waited for.
  - Changes nothing. The API server is only ever asked to write with C(dryRun=All).
extends_documentation_fragment:
  - kubeops.webhook_doctor._auth
  - kubeops.webhook_doctor._cryptography
  - kubeops.webhook_doctor._attributes
  - kubeops.webhook_doctor._attributes.observes
  - kubeops.webhook_doctor._attributes.action_group
options:
  select:
    description:
      - >-
        A JMESPath expression that picks call-outs out of a list of C(id), C(kind) (C(validating), C(mutating), C(conversion), C(apiservice)), C(object) (the
        name of the configuration, CRD or APIService), C(webhook) (the name of the entry) and C(backend) (C(service/<namespace>/<name>:<port>) or C(url/...)).
      - If empty all are waited for. One that picks nothing is waited for until it does.
    type: str
    default: ''
  expect:
    description:
      - >-
        Names of webhook configurations, of CRDs with a conversion webhook, and of APIServices behind a Service, that must be there; their call-outs are
        waited for, whatever O(select) says. Right after an installation nothing may be there yet, and nothing would be missing.
      - With the kind where a name is not enough, such as V(MutatingWebhookConfiguration/cert-manager-webhook).
    type: list
    elements: str
    default: []
  fail_open:
    description:
      - >-
        What counts for call-outs that no dry run can prove, because they fail open (C(failurePolicy=Ignore)), intercept nothing that may be sent (such as
        DELETE alone), or decide by match conditions.
      - With V(reachable) it is enough that the other vantages agree that they work.
      - With V(proven) they are refused; at once where they fail open.
    type: str
    choices: [reachable, proven]
    default: reachable
  stable:
    description:
      - How many looks in a row must be good. Endpoints and certificates come one by one while something is installed.
    type: int
    default: 2
  wait_timeout:
    description:
      - Seconds after which it fails. A look that has begun is ended, which takes as long as a call that hangs (30 seconds at most).
    type: float
    default: 300
  pause:
    description:
      - Seconds between two looks.
    type: float
    default: 3
  show:
    description:
      - Whether to show how it stands.
      - Turn it off where the output of Ansible is read by a program.
    type: bool
    default: true
attributes:
  action:
    support: full
    description: Judges on the controller what M(kubeops.webhook_doctor.observe_cluster) sees on the host.
notes:
  - Rights. C(docs/rbac/diagnose.yaml) and C(docs/rbac/diagnose-probing.yaml); the latter to send dry runs.
  - Which API servers there are is told by the Service C(default/kubernetes). Behind a load balancer that shows only one address, only that is asked.
seealso:
  - module: kubeops.webhook_doctor.observe_cluster
  - plugin: kubeops.webhook_doctor.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Install cert-manager
  kubernetes.core.helm:
    name: cert-manager
    chart_ref: oci://quay.io/jetstack/charts/cert-manager
    release_namespace: cert-manager
    create_namespace: true
    values: {crds: {enabled: true}}

- name: Wait until certificates can be asked for
  kubeops.webhook_doctor.wait_for_webhooks:
    expect: [ValidatingWebhookConfiguration/cert-manager-webhook, MutatingWebhookConfiguration/cert-manager-webhook]
    select: "[?object=='cert-manager-webhook']"

- name: Everything, before an upgrade
  kubeops.webhook_doctor.wait_for_webhooks:
    wait_timeout: 60
"""

RETURN = r"""
msg:
  description: How it stands, or what is missing and why, in one paragraph.
  returned: always
  type: str
  sample: 2 of 2 call-outs proven through 3 API servers
proven:
  description: The C(id) of each call-out that dry runs have proven.
  returned: when the API server was asked
  type: list
  elements: str
reachable:
  description: Those that no dry run can prove, and that the other vantages say work.
  returned: when the API server was asked
  type: list
  elements: dict
  contains:
    callout:
      description: Its C(id).
      type: str
      returned: always
    why:
      description: Why no dry run can prove it.
      type: str
      returned: always
missing:
  description: What was still missing at the last look. Empty if it is good.
  returned: when the API server was asked
  type: list
  elements: dict
  contains:
    name:
      description: What, for people.
      type: str
      returned: always
    why:
      description: Why.
      type: str
      returned: always
    callout:
      description: The C(id) of the call-out, if it is there at all.
      type: str
      returned: always
    codes:
      description: Codes of the findings that explain it.
      type: list
      elements: str
      returned: always
    instances:
      description: The API servers, C(address:port), at which it is missing, where others do call it.
      type: list
      elements: str
      returned: always
findings:
  description: The findings about what is missing, as P(kubeops.webhook_doctor.findings#filter) returns them.
  returned: when the API server was asked
  type: list
  elements: dict
instances:
  description: The API servers that were asked one by one, C(address:port). Empty where only one is known.
  returned: when the API server was asked
  type: list
  elements: str
looks:
  description: How often it was looked.
  returned: when the API server was asked
  type: int
waited_seconds:
  description: Seconds from the beginning to the last look.
  returned: when the API server was asked
  type: float
"""
