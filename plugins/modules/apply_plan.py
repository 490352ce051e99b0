#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugins/action/apply_plan.py, which runs on the controller and sends modules to the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apply_plan
author: kubeops.webhook_doctor contributors (@kubeops)
version_added: 0.2.0
short_description: Preview and apply a plan of remedies, prove it, undo what made things worse
description:
  - Shows a plan of P(kubeops.webhook_doctor.remediation_plan#filter), applies what is planned, and looks after each step whether it helped. The role
    P(kubeops.webhook_doctor.apply_plan#role) does all of it.
  - >-
    In check mode every change is sent to the API server as a server-side dry run, so that its validation, its admission and the caller's rights are asked,
    and nothing is stored.
  - >-
    Otherwise a Lease keeps others from changing the cluster at the same time. Each change is tried as a dry run, written to a local journal, and sent with
    the version of the object that it was made for. The object's annotation C(webhook-doctor.kubeops.io/journal) says how to take the change back, and is
    part of the same request.
  - >-
    Then the call-outs in question are called again. A change that makes one fail that worked is taken back, and the run ends. What was for the time of the
    repair only is taken back in any case.
  - The requests are made by M(kubernetes.core.k8s).
extends_documentation_fragment:
  - kubeops.webhook_doctor._auth
  - kubeops.webhook_doctor._attributes
  - kubeops.webhook_doctor._attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - Sends server-side dry runs.
  diff_mode:
    support: full
    details:
      - Shows what changes and nothing else.
  idempotent:
    support: full
    details:
      - What has been changed is not found any more, so it is not planned again.
  action:
    support: full
    description: Runs on the controller, and modules on the host.
options:
  plan:
    description: What P(kubeops.webhook_doctor.remediation_plan#filter) returned.
    type: list
    elements: dict
    required: true
  findings:
    description: The findings that the plan was made for. What fails afterwards and is not among them is worse than before.
    type: list
    elements: dict
    required: true
  journal_dir:
    description: A directory of the controller, made if missing. Each run writes a file of its own.
    type: path
    default: webhook-doctor/journal
  lock_namespace:
    description: Namespace of the Lease C(webhook-doctor), and of copies of deleted objects.
    type: str
    default: kube-system
  vantages:
    description: Where back ends are called from, as O(kubeops.webhook_doctor.observe_cluster#module:vantages).
    type: list
    elements: str
    choices: [direct, port_forward, service_proxy, apiserver]
    default: []
  deadline:
    description: Seconds for all calls of one look.
    type: float
    default: 120.0
  warn_days:
    description: As O(kubeops.webhook_doctor.observe_cluster#module:warn_days).
    type: float
    default: 30
  read_ca_secrets:
    description: As O(kubeops.webhook_doctor.observe_cluster#module:read_ca_secrets).
    type: bool
    default: false
  settle:
    description:
      - Seconds after a change until it is looked whether somebody has put it back, where an owner of the object is known; at most three seconds otherwise.
    type: float
    default: 20
  show:
    description: Whether the plan, what is waited for, and the outcome are printed.
    type: bool
    default: true
seealso:
  - module: kubeops.webhook_doctor.rollback_changes
  - plugin: kubeops.webhook_doctor.remediation_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Apply a plan
  kubeops.webhook_doctor.apply_plan:
    plan: "{{ plan }}"
    findings: "{{ webhook_doctor_findings }}"
"""

RETURN = r"""
msg:
  description: How it went, in one sentence.
  returned: always
  type: str
run:
  description: Name of the run, for O(kubeops.webhook_doctor.rollback_changes#module:run). Null where nothing was changed.
  returned: always
  type: str
journal:
  description: Path of the journal. Null in check mode.
  returned: always
  type: str
results:
  description: What became of each item that was planned, in its order.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Of the item.
      type: str
    state:
      description:
        - V(would) (check mode), V(mended), V(not_mended), V(unproven), V(reverted), V(undone), V(worse), V(put_back), V(refused), V(forbidden),
          V(denied), V(failed), V(waits), V(stopped), or V(unknown) (sent, and the run was stopped before its effect was seen).
      type: str
    because:
      description: Why, line by line.
      type: list
      elements: str
    target:
      description: The object.
      type: dict
"""
