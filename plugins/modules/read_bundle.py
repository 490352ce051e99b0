#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugins/action/read_bundle.py, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: read_bundle
author: kubeops.webhook_doctor contributors (@kubeops)
version_added: 0.1.0
short_description: Read a saved observation of a cluster's webhooks
description:
  - Looks at the files that are given and reads the bundle among them, if there is one.
  - A bundle is what the playbook C(kubeops.webhook_doctor.diagnose) saves as C(bundle.json), also within C(report.json). It can be judged again anywhere.
  - What is no bundle (such as what C(kubectl get -o yaml) wrote) is left alone. RV(found) is then V(false),
    and M(kubeops.webhook_doctor.webhook_facts) reads it.
  - Fails with one message if it is a bundle that cannot be used, because it was cut off, edited, or made for another version.
extends_documentation_fragment:
  - kubeops.webhook_doctor._attributes.on_controller
options:
  src:
    description:
      - Files or directories on the controller. A directory is a bundle if it holds C(bundle.json) or C(report.json).
      - A bundle stands alone.
    type: list
    elements: path
    default: []
seealso:
  - module: kubeops.webhook_doctor.webhook_facts
  - module: kubeops.webhook_doctor.write_report
"""

EXAMPLES = r"""
- name: Read what a colleague sent
  kubeops.webhook_doctor.read_bundle:
    src: ticket-4711/bundle.json
  register: saved

- name: Judge it
  ansible.builtin.debug:
    msg: "{{ saved.bundle.facts | kubeops.webhook_doctor.findings(probes=saved.bundle.probes, verdicts=saved.bundle.verdicts) }}"
"""

RETURN = r"""
found:
  description: Whether O(src) is a bundle.
  returned: success
  type: bool
sources:
  description: What was given, as absolute paths. A module does not run in the current directory of the controller.
  returned: success
  type: list
  elements: str
path:
  description: The file that was read. Null if it is no bundle.
  returned: success
  type: str
  sample: ticket-4711/bundle.json
started:
  description: When this began, in seconds since 1970. Later tasks can tell by it how long all took.
  returned: success
  type: float
  sample: 1787320989.2
bundle:
  description: The bundle. Null if it is none. Its shape is in docs/architecture.md.
  returned: success
  type: dict
  contains:
    format_version:
      description: Version of the shape.
      type: int
      returned: success
    collection_version:
      description: Version of the collection that observed.
      type: str
      returned: success
    example:
      description: Whether it is the example that comes with the collection, of a cluster that was broken on purpose.
      type: bool
      returned: success
    took_seconds:
      description: How long observing took. Null if not known.
      type: float
      returned: success
    facts:
      description: What M(kubeops.webhook_doctor.webhook_facts) returned.
      type: dict
      returned: success
    probes:
      description: The results of M(kubeops.webhook_doctor.endpoint_check).
      type: list
      elements: dict
      returned: success
    verdicts:
      description: The results of M(kubeops.webhook_doctor.cabundle_verify).
      type: list
      elements: dict
      returned: success
"""
