#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lease as a lock: documentation, arguments, main()."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lease
short_description: Hold a Kubernetes Lease as a lock
version_added: 0.2.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - Takes, renews or gives back a Lease, so that only one run at a time changes a cluster. Every step is a compare-and-swap.
  - A Lease whose time is up is taken over. One that somebody else holds is left alone, and RV(holder) says who.
extends_documentation_fragment:
  - kubeops.webhook_doctor._auth
  - kubeops.webhook_doctor._auth.timeout
  - kubeops.webhook_doctor._attributes
  - kubeops.webhook_doctor._attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - Renewing changes the Lease's time.
options:
  namespace:
    description: Namespace of the Lease.
    type: str
    default: kube-system
  name:
    description: Name of the Lease.
    type: str
    default: webhook-doctor
  holder:
    description: Who holds it. The same text has to be given to renew it and to give it back.
    type: str
    required: true
  duration:
    description: Seconds after which others may take it over, unless it is renewed.
    type: int
    default: 600
  take_over_from:
    description: Who is known to have died. The Lease is taken if exactly this one holds it, whether or not the time is up.
    type: str
  annotations:
    description: Annotations that are set on the Lease with it, beside those that it has.
    type: dict
    default: {}
  state:
    description: V(held) takes or renews it, V(free) gives it back.
    type: str
    choices: [held, free]
    default: held
"""

EXAMPLES = r"""
- name: Let nobody else change this cluster for ten minutes
  kubeops.webhook_doctor.lease:
    holder: pipeline-4711
  register: lock
  failed_when: not lock.held
"""

RETURN = r"""
held:
  description: Whether O(holder) holds it now.
  returned: success
  type: bool
holder:
  description: Who holds it otherwise. Null where nobody else does.
  returned: success
  type: str
until:
  description: When that time is up, ISO 8601.
  returned: success
  type: str
"""

from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError, MissingLibrary, Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import AUTH_ARGUMENT_SPEC, sensitive_values
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.lease import LeaseError, Lock, acquire, release

ARGUMENT_SPEC: dict[str, Any] = {
    **AUTH_ARGUMENT_SPEC,
    "namespace": {"type": "str", "default": "kube-system"},
    "name": {"type": "str", "default": "webhook-doctor"},
    "holder": {"type": "str", "required": True},
    "duration": {"type": "int", "default": 600},
    "take_over_from": {"type": "str"},
    "annotations": {"type": "dict", "default": {}},
    "state": {"type": "str", "choices": ["held", "free"], "default": "held"},
    "timeout": {"type": "float", "default": 30.0},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.no_log_values.update(sensitive_values(module.params["kubeconfig"]))
    if not 1 <= module.params["duration"] <= 86400:
        module.fail_json(msg=f"duration {module.params['duration']} is out of range. Expected 1 to 86400 seconds.")
    try:
        lock = _lock(module.params, module.check_mode)
    except LeaseError as error:
        module.fail_json(msg=f"Lease {module.params['namespace']}/{module.params['name']}: {error}")
    except Unreachable as error:
        module.fail_json(msg=error.message)
    except ConfigurationError as error:
        module.fail_json(msg=str(error))
    except MissingLibrary as error:
        module.fail_json(msg=missing_required_lib(error.library, reason=error.detail))
    module.exit_json(changed=lock.changed, held=lock.held, holder=lock.holder, until=lock.until)


def _lock(params: dict[str, Any], check: bool) -> Lock:
    api = connect(params, timeout=params["timeout"])
    annotations = {str(key): str(value) for key, value in params["annotations"].items()}
    if params["state"] == "free":
        return release(api, params["namespace"], params["name"], params["holder"], check, annotations)
    now = datetime.now(timezone.utc)
    return acquire(api, params["namespace"], params["name"], params["holder"], params["duration"], now, check, params["take_over_from"], annotations)


if __name__ == "__main__":
    main()
