#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugins/action/explain_error.py, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: explain_error
author: kubeops.webhook_doctor contributors (@kubeops)
version_added: 0.1.0
short_description: Explain an error text of a Kubernetes API server
description:
  - Prints what a text that somebody pasted means. Which call failed, why, how far it got, and what to look at. No cluster is needed.
  - P(kubeops.webhook_doctor.classify_error#filter) gives the same as data.
extends_documentation_fragment:
  - kubeops.webhook_doctor._attributes.on_controller
options:
  text:
    description: The text, in the words of kubectl, Events, Helm, Flux, Terraform or a log.
    type: str
    required: true
  show:
    description: Whether to print the explanation.
    type: bool
    default: true
seealso:
  - plugin: kubeops.webhook_doctor.classify_error
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Explain what a colleague pasted
  kubeops.webhook_doctor.explain_error:
    text: >-
      Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call webhook:
      Post "https://cert-manager-webhook.cert-manager.svc:443/mutate?timeout=10s": dial tcp 10.0.0.7:10250: i/o timeout
"""

RETURN = r"""
explanation:
  description: What the filter P(kubeops.webhook_doctor.classify_error#filter) says about the text.
  returned: success
  type: dict
  contains:
    cause:
      description: One word of the collection's vocabulary of causes.
      type: str
      returned: success
    code:
      description: Code of the finding that stands for it. Null where there is none.
      type: str
      returned: success
    advice:
      description: What it means and what to look at first.
      type: str
      returned: success
"""
