#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the API by reference: documentation, arguments, main()."""

from __future__ import annotations

DOCUMENTATION = r"""
module: read_objects
short_description: Read many objects of the Kubernetes API in one task
version_added: 0.2.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - Reads objects of any kind, by name or by label, all at the same time. P(kubeops.webhook_doctor.remediation_reads#filter) says which ones a plan needs.
  - >-
    Without O(raw) nothing secret is returned. Values of Secrets are null, those of environment variables V(***) (but for C(NO_PROXY)), and copies of an
    object in its annotations too. Keys and positions stay, so that a JSON patch that was made from it fits the object.
  - Changes nothing.
extends_documentation_fragment:
  - kubeops.webhook_doctor._auth
  - kubeops.webhook_doctor._auth.timeout
  - kubeops.webhook_doctor._attributes
  - kubeops.webhook_doctor._attributes.observes
  - kubeops.webhook_doctor._attributes.action_group
options:
  objects:
    description:
      - What is read. Each is one object by its O(objects[].name), or all of the kind that O(objects[].label_selector) selects.
    type: list
    elements: dict
    required: true
    suboptions:
      api_version:
        description: Group and version, such as V(apps/v1).
        type: str
        required: true
      kind:
        description: The kind, such as V(Deployment).
        type: str
        required: true
      namespace:
        description: The namespace. If empty all namespaces, or none for kinds that are in no namespace.
        type: str
      name:
        description: The name.
        type: str
      label_selector:
        description: A label selector as of C(kubectl -l).
        type: str
      fields:
        description:
          - JSON pointers to keys that are kept of each object, such as V(/metadata/ownerReferences). Names, UID and resourceVersion always are.
          - If empty all is kept.
        type: list
        elements: str
      public_keys:
        description:
          - Keys of a Secret or ConfigMap that hold certificates of authorities. Of the object only these certificates are returned then, as text, whatever
            O(raw) says; private keys, and whatever else the keys hold, never leave the host that read them.
        type: list
        elements: str
  raw:
    description:
      - Return the objects as they are, for sending them back changed. The result may hold secrets then, so give the task C(no_log).
    type: bool
    default: false
seealso:
  - plugin: kubeops.webhook_doctor.remediation_plan
    plugin_type: filter
  - module: kubernetes.core.k8s_info
"""

EXAMPLES = r"""
- name: Read two configurations
  kubeops.webhook_doctor.read_objects:
    objects:
      - api_version: admissionregistration.k8s.io/v1
        kind: ValidatingWebhookConfiguration
        name: policy
      - api_version: apps/v1
        kind: Deployment
        namespace: cert-manager
        label_selector: app.kubernetes.io/component=webhook
  register: objects
"""

RETURN = r"""
results:
  description: One for each item of O(objects), in the same order.
  returned: success
  type: list
  elements: dict
  contains:
    api_version:
      description: As it was asked for.
      type: str
    kind:
      description: As it was asked for.
      type: str
    namespace:
      description: As it was asked for.
      type: str
    name:
      description: As it was asked for.
      type: str
    label_selector:
      description: As it was asked for.
      type: str
    fields:
      description: As it was asked for.
      type: list
      elements: str
    public_keys:
      description: As it was asked for.
      type: list
      elements: str
    objects:
      description: What was found. Empty where nothing is.
      type: list
      elements: dict
    error:
      description: Why it could not be read, in the API server's words. Null where it was, or where nothing is.
      type: str
    reason:
      description: V(forbidden), V(missing_api) or V(error). Null where it was read.
      type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError, MissingLibrary
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import AUTH_ARGUMENT_SPEC, sensitive_values
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.read import check_references, read_all
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.redact import certificates_only, redacted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.resources import InvalidReference

_REFERENCE: dict[str, Any] = {
    "api_version": {"type": "str", "required": True},
    "kind": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "name": {"type": "str"},
    "label_selector": {"type": "str"},
    "fields": {"type": "list", "elements": "str"},
    "public_keys": {"type": "list", "elements": "str", "no_log": False},  # names of keys
}
ARGUMENT_SPEC: dict[str, Any] = {
    **AUTH_ARGUMENT_SPEC,
    "objects": {"type": "list", "elements": "dict", "required": True, "options": _REFERENCE},
    "raw": {"type": "bool", "default": False},
    "timeout": {"type": "float", "default": 30.0},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.no_log_values.update(sensitive_values(module.params["kubeconfig"]))
    wanted = module.params["objects"]
    try:
        check_references(wanted)
        answers = read_all(connect(module.params, timeout=module.params["timeout"]), wanted) if wanted else []
    except InvalidReference as error:
        module.fail_json(msg=f"objects[{error.index}]: {error}. Expected {error.expected}.")
    except ConfigurationError as error:
        module.fail_json(msg=str(error))
    except MissingLibrary as error:
        module.fail_json(msg=missing_required_lib(error.library, reason=error.detail))
    answers = [
        {**answer, "objects": [_shown(item, reference, module.params["raw"]) for item in answer["objects"]]} for reference, answer in zip(wanted, answers)
    ]
    module.exit_json(changed=False, results=[{**reference, **answer} for reference, answer in zip(wanted, answers)])


def _shown(item: dict[str, Any], reference: dict[str, Any], raw: bool) -> dict[str, Any]:
    if reference["public_keys"]:
        return certificates_only(item, reference["public_keys"])
    return item if raw else redacted(item)


if __name__ == "__main__":
    main()
