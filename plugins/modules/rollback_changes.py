#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugins/action/rollback_changes.py, which runs on the controller and sends modules to the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_changes
author: kubeops.webhook_doctor contributors (@kubeops)
version_added: 0.2.0
short_description: Take back what M(kubeops.webhook_doctor.apply_plan) has changed
description:
  - Finds objects that carry the label C(webhook-doctor.kubeops.io/changed), and takes their changes back, the newest first, as their annotation says. No file
    is needed, so it can be done from another machine.
  - Objects that were deleted are made again from their copies in the cluster. Objects that were made are deleted.
  - What somebody changed since is not overwritten. It is left as it is, and RV(undone) says what was found.
  - The requests are made by M(kubernetes.core.k8s). In check mode they are server-side dry runs.
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
    support: none
  idempotent:
    support: full
  action:
    support: full
    description: Runs on the controller, and modules on the host.
options:
  run:
    description: Name of a run, as RV(kubeops.webhook_doctor.apply_plan#module:run). If empty the changes of all runs are taken back.
    type: str
  journal:
    description: The journal of a run. Needed only where somebody removed the annotations.
    type: path
  journal_dir:
    description: Where the journal of this run is written.
    type: path
    default: webhook-doctor/journal
  lock_namespace:
    description: Namespace of the Lease and of copies, as O(kubeops.webhook_doctor.apply_plan#module:lock_namespace).
    type: str
    default: kube-system
  show:
    description: Whether the outcome is printed.
    type: bool
    default: true
seealso:
  - module: kubeops.webhook_doctor.apply_plan
"""

EXAMPLES = r"""
- name: Take back one run
  kubeops.webhook_doctor.rollback_changes:
    run: 20261120t180000-4f2a91
"""

RETURN = r"""
msg:
  description: How it went, in one sentence.
  returned: always
  type: str
undone:
  description: Every object that tells of a change.
  returned: always
  type: list
  elements: dict
  contains:
    target:
      description: The object.
      type: dict
    state:
      description: V(taken_back), V(refused), V(nothing) if there is nothing left to take back, or V(unseen) if the kind may not be listed.
      type: str
    what:
      description: The items of the plan.
      type: str
    because:
      description: Why it was refused.
      type: str
"""
