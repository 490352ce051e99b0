# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes that the modules of the collection share. PRIVATE to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what it would return otherwise.
  diff_mode:
    description: Returns details of what has changed, or would change, when run in diff mode.
  idempotent:
    description: Changes nothing when run again with the same arguments.
"""

    # For modules that only look.
    OBSERVES = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This action changes nothing, so it does the same in check mode.
  diff_mode:
    support: N/A
    details:
      - This action changes nothing.
  idempotent:
    support: full
    details:
      - This action changes nothing.
"""

    FACTS = r"""
options: {}
attributes:
  facts:
    description: Returns an C(ansible_facts) dictionary that becomes part of the host's facts.
    support: full
"""

    # For actions that need no host. Those that write say in details what check mode does instead.
    ON_CONTROLLER = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what it would return otherwise.
    support: full
  diff_mode:
    description: Returns details of what has changed, or would change, when run in diff mode.
    support: none
  action:
    description: Runs on the controller.
    support: full
"""

    # For modules that speak to the API server.
    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/kubeops.webhook_doctor.k8s) in C(module_defaults) to set the connection once, also for the modules of C(kubernetes.core).
    support: full
    membership:
      - kubeops.webhook_doctor.k8s
"""
