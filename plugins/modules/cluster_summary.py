#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugins/action/cluster_summary.py, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_summary
author: kubeops.webhook_doctor contributors (@kubeops)
version_added: 0.2.0
short_description: Sum up a run over many clusters
description:
  - Tells for every host of the play (one host stands for one cluster) how it stands, or why the run over it failed, worst first, and writes the same as
    C(clusters.json). Where there are reports, C(clusters.html) leads to them.
  - It belongs in the C(always) section of a block, with C(run_once), so that it also tells of hosts on which a task of the block has failed.
  - It reads what tasks of the play have registered. Nothing is asked of a cluster.
extends_documentation_fragment:
  - kubeops.webhook_doctor._attributes.on_controller
options:
  results:
    description:
      - Names of the variables that the steps of the run register, in the order of the steps. The last one tells how it ended, in C(msg) and, if it has
        one, C(state) (V(good), V(warning), V(error)); where it is missing, the run over that cluster did not get to its end.
    type: list
    elements: str
    required: true
  findings:
    description: Name of the variable that holds what the filter P(kubeops.webhook_doctor.findings#filter) returned.
    type: str
  limit:
    description: Name of the variable that the task registers which fails on what was found.
    type: str
  title:
    description: What C(clusters.html) begins with.
    type: str
    default: What the run over these clusters found
  name:
    description: The name of the files, without its ending.
    type: str
    default: clusters
  dest:
    description: The directory, made if missing. A relative path is taken from the current directory.
    type: path
    default: webhook-doctor
  show:
    description:
      - Whether to print the summary.
      - Turn it off where the output of Ansible is read by a program.
    type: bool
    default: true
attributes:
  check_mode:
    details:
      - Prints the summary, writes nothing and says so.
seealso:
  - module: kubeops.webhook_doctor.write_report
"""

EXAMPLES = r"""
- name: A diagnosis of each cluster, then one summary
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Each cluster
      block:
        - name: Diagnose
          ansible.builtin.import_role:
            name: kubeops.webhook_doctor.diagnose
        - name: Report
          ansible.builtin.import_role:
            name: kubeops.webhook_doctor.report
      always:
        - name: Sum up
          kubeops.webhook_doctor.cluster_summary:
            results: [webhook_doctor_saved, webhook_doctor_observed, webhook_doctor_report]
            findings: webhook_doctor_findings
          run_once: true
"""

RETURN = r"""
msg:
  description: How many clusters are how.
  returned: success
  type: str
  sample: 1 failed, 2 with errors, 7 good
counts:
  description: How many C(clusters) there are, and how many of them C(failed), have an C(error) or a C(warning) as the worst finding, or are C(good).
  returned: success
  type: dict
files:
  description: Where the files are (in check mode, would be).
  returned: success
  type: dict
  contains:
    json:
      description: For programs. Holds C(counts) and C(clusters).
      type: str
      returned: success
    html:
      description: For people. Leads to the reports.
      type: str
      returned: where there are reports
"""
