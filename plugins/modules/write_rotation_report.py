#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugins/action/write_rotation_report.py, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: write_rotation_report
author: kubeops.webhook_doctor contributors (@kubeops)
version_added: 0.2.0
short_description: Show the plan of a rotation, and write and show what became of it
description:
  - Without O(report) it prints the plan, or O(guards) that were asked once more.
  - With O(report) it prints that, and writes it as JSON and as text to a directory on the controller, and as metrics for Prometheus to a file.
  - Files appear whole or not at all.
extends_documentation_fragment:
  - kubeops.webhook_doctor._attributes.on_controller
options:
  plan:
    description: What P(kubeops.webhook_doctor.rotation_plan#filter) returned.
    type: dict
    required: true
  guards:
    description: What the guards say now. Shown instead of the plan.
    type: list
    elements: dict
  report:
    description: What P(kubeops.webhook_doctor.rotation_report#filter) returned.
    type: dict
  dest:
    description: Directory of the report on the controller, made if missing. If empty none is written.
    type: path
  name:
    description: Name of its files, without C(.json) and C(.txt).
    type: str
    default: rotation
  metrics_path:
    description: The file for Prometheus, such as V(/var/lib/prometheus/node-exporter/rotation.prom). If empty none is written.
    type: path
  cluster:
    description: How the metrics name the cluster. If not given, as the kubeconfig's context does.
    type: str
  show:
    description: Whether anything is printed.
    type: bool
    default: true
attributes:
  check_mode:
    details:
      - Prints, and writes nothing.
seealso:
  - plugin: kubeops.webhook_doctor.rotation_plan
    plugin_type: filter
  - plugin: kubeops.webhook_doctor.rotation_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the plan
  kubeops.webhook_doctor.write_rotation_report:
    plan: "{{ plan }}"

- name: Tell what became of it
  kubeops.webhook_doctor.write_rotation_report:
    plan: "{{ plan }}"
    report: "{{ plan | kubeops.webhook_doctor.rotation_report(done, run=run) }}"
    dest: webhook-doctor
    metrics_path: /var/lib/prometheus/node-exporter/rotation.prom
"""

RETURN = r"""
msg:
  description: How it stands, in one sentence.
  returned: success
  type: str
state:
  description: V(warning) where something is due and was not done, or an API server cannot be judged.
  returned: with O(report)
  type: str
  choices: [good, warning]
files:
  description: What was written, the path by C(json), C(txt) and C(metrics).
  returned: success
  type: dict
"""
