#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugins/action/write_report.py, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: write_report
author: kubeops.webhook_doctor contributors (@kubeops)
version_added: 0.1.0
short_description: Write and show what was found
description:
  - Writes C(report.html) (one file that needs nothing else), C(report.md), C(report.json) and C(bundle.json) to a directory on the controller,
    and prints a summary.
  - The files appear whole or not at all. They are readable for their owner and group, less what the umask takes away.
  - What others wrote (names, certificates, error texts) is shown as text everywhere; nothing in it can act on a terminal, a browser or a ticket system.
extends_documentation_fragment:
  - kubeops.webhook_doctor._attributes.on_controller
options:
  facts:
    description: What M(kubeops.webhook_doctor.webhook_facts) returned as C(ansible_facts.kubernetes_webhooks).
    type: dict
    required: true
  probes:
    description: The results of M(kubeops.webhook_doctor.endpoint_check).
    type: list
    elements: dict
    default: []
  verdicts:
    description: The results of M(kubeops.webhook_doctor.cabundle_verify).
    type: list
    elements: dict
    default: []
  findings:
    description: What the filter P(kubeops.webhook_doctor.findings#filter) returned.
    type: list
    elements: dict
    required: true
  suppressed:
    description: What it returned with C(suppressed=true). Counted, and listed at the end.
    type: list
    elements: dict
    default: []
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
  started:
    description: When observing began, in seconds since 1970, to tell how long it took. See RV(kubeops.webhook_doctor.read_bundle#module:started).
    type: float
  took_seconds:
    description: How long observing took, if it is known already. Goes before O(started).
    type: float
  example:
    description: Whether this is an example, not somebody's cluster. All that is written says so.
    type: bool
    default: false
  observed_by:
    description: Version of the collection that observed. By default this one.
    type: str
  baseline:
    description:
      - The C(report.json) of an earlier run, or its directory. What is new, gone and unchanged since is told.
    type: path
    version_added: 0.2.0
attributes:
  check_mode:
    details:
      - Prints the summary, writes nothing and says so.
seealso:
  - module: kubeops.webhook_doctor.read_bundle
  - plugin: kubeops.webhook_doctor.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Report
  kubeops.webhook_doctor.write_report:
    facts: "{{ ansible_facts['kubernetes_webhooks'] }}"
    probes: "{{ probes.results }}"
    verdicts: "{{ verdicts.results }}"
    findings: "{{ findings }}"
    dest: /srv/reports/blue
"""

RETURN = r"""
msg:
  description: How it stands, in one sentence.
  returned: success
  type: str
  sample: 2 call-outs fail, 1 call-out is at risk
files:
  description: Where the files are (in check mode, would be).
  returned: success
  type: dict
  contains:
    html:
      description: For people.
      type: str
      returned: success
    markdown:
      description: For a ticket.
      type: str
      returned: success
    json:
      description: For programs. Holds C(summary), C(findings), C(suppressed) and C(bundle).
      type: str
      returned: success
    bundle:
      description: The observation, to be judged again.
      type: str
      returned: success
summary:
  description: The counts and circumstances that the report begins with.
  returned: success
  type: dict
  contains:
    cluster:
      description: Name of the cluster.
      type: str
      returned: success
    findings:
      description: How many C(error), C(warning), C(info) and C(suppressed).
      type: dict
      returned: success
    callouts:
      description: How many C(total), C(failing), C(open) (they fail, and requests pass unseen), C(at_risk), C(unproven) and C(healthy).
      type: dict
      returned: success
    seen_through:
      description: The vantages that told something.
      type: list
      elements: str
      returned: success
    not_seen:
      description: What could not be read, and why.
      type: list
      elements: dict
      returned: success
"""
