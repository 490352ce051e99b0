#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the API, deleted: documentation, arguments, main()."""

from __future__ import annotations

DOCUMENTATION = r"""
module: delete_objects
short_description: Delete many objects of the Kubernetes API in one task, each only as it was read
version_added: 0.2.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - >-
    Deletes objects of any kind, all at the same time. Each one that is given with O(objects[].uid) and O(objects[].resource_version) is deleted only if it is
    still the same object in the same state, which the API server itself looks after; one that has changed is left alone, and does not keep the others.
  - An object that is not there is no error. What an object owns is deleted after it.
  - What could not be deleted is said in RV(results). The task does not fail because of it.
extends_documentation_fragment:
  - kubeops.webhook_doctor._auth
  - kubeops.webhook_doctor._auth.timeout
  - kubeops.webhook_doctor._attributes
  - kubeops.webhook_doctor._attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - The API server is asked all the same, with a dry run, so that a right that is missing and a webhook that denies are seen.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  objects:
    description:
      - What is deleted.
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
        description: The namespace. Empty for kinds that are in no namespace.
        type: str
      name:
        description: The name.
        type: str
        required: true
      uid:
        description: The UID that it must have. If empty, whichever has this name.
        type: str
      resource_version:
        description: The resourceVersion that it must have. If empty, in whatever state it is.
        type: str
seealso:
  - module: kubeops.webhook_doctor.read_objects
  - module: kubernetes.core.k8s
"""

EXAMPLES = r"""
- name: Delete a ConfigMap, unless somebody has changed it since it was read
  kubeops.webhook_doctor.delete_objects:
    objects:
      - api_version: v1
        kind: ConfigMap
        namespace: default
        name: settings
        uid: 0b4c7c6e-2f0f-4d0a-8c6b-3f3f6b0a7a10
        resource_version: "4711"
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
    uid:
      description: As it was asked for.
      type: str
    resource_version:
      description: As it was asked for.
      type: str
    ok:
      description: Whether it is gone. Something with finalizers goes when these are through.
      type: bool
    error:
      description: Why it could not be deleted, in the API server's words. Null where it was.
      type: str
    conflict:
      description: Whether it has another UID or resourceVersion by now, so that it was left alone.
      type: bool
    forbidden:
      description: Whether the user has no right to delete it.
      type: bool
    missing:
      description: Whether it was not there.
      type: bool
    unknown:
      description: Whether no answer came, so that nobody knows whether it is gone.
      type: bool
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError, MissingLibrary
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import AUTH_ARGUMENT_SPEC, sensitive_values
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.delete import check_targets, delete_all
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.resources import InvalidReference

_TARGET: dict[str, Any] = {
    "api_version": {"type": "str", "required": True},
    "kind": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "name": {"type": "str", "required": True},
    "uid": {"type": "str"},
    "resource_version": {"type": "str"},
}
ARGUMENT_SPEC: dict[str, Any] = {
    **AUTH_ARGUMENT_SPEC,
    "objects": {"type": "list", "elements": "dict", "required": True, "options": _TARGET},
    "timeout": {"type": "float", "default": 30.0},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.no_log_values.update(sensitive_values(module.params["kubeconfig"]))
    targets = module.params["objects"]
    try:
        check_targets(targets)
        answers = delete_all(connect(module.params, timeout=module.params["timeout"]), targets, module.check_mode) if targets else []
    except InvalidReference as error:
        module.fail_json(msg=f"objects[{error.index}]: {error}. Expected {error.expected}.")
    except ConfigurationError as error:
        module.fail_json(msg=str(error))
    except MissingLibrary as error:
        module.fail_json(msg=missing_required_lib(error.library, reason=error.detail))
    changed = any(answer["ok"] and not answer["missing"] for answer in answers)
    module.exit_json(changed=changed, results=[{**target, **answer} for target, answer in zip(targets, answers)])


if __name__ == "__main__":
    main()
