#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is observed of a cluster, in one task: documentation, arguments, main(). The work is that of the three modules that it stands for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: observe_cluster
short_description: Observe a cluster's webhooks, call their back ends, and verify their certificates, in one task
version_added: 0.1.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - >-
    Does what M(kubeops.webhook_doctor.webhook_facts), P(kubeops.webhook_doctor.probe_plan#filter), M(kubeops.webhook_doctor.endpoint_check),
    P(kubeops.webhook_doctor.trust_plan#filter) and M(kubeops.webhook_doctor.cabundle_verify) do one after the other, and returns what they return.
  - One task instead of three takes half the time on a small cluster, and on a big one spares Ansible the templating of plans and results.
  - Observes and does not judge. P(kubeops.webhook_doctor.findings#filter) judges.
  - Changes nothing. The API server is only ever asked to write with C(dryRun=All).
extends_documentation_fragment:
  - kubeops.webhook_doctor._auth
  - kubeops.webhook_doctor._auth.timeout
  - kubeops.webhook_doctor._cryptography
  - kubeops.webhook_doctor._attributes
  - kubeops.webhook_doctor._attributes.observes
  - kubeops.webhook_doctor._attributes.action_group
options:
  src:
    description:
      - Files, or directories of files, that kubectl wrote, to read instead of the API, as O(kubeops.webhook_doctor.webhook_facts#module:src).
      - Nothing is called then.
    type: list
    elements: path
    default: []
  vantages:
    description:
      - Where back ends are called from. If empty from everywhere that the rights permit.
    type: list
    elements: str
    choices: [direct, port_forward, service_proxy, apiserver]
    default: []
  callouts:
    description:
      - Ids of the call-outs whose back ends are called. If empty all of them. Everything is read, whatever is called.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  deadline:
    description:
      - Seconds that all calls to back ends together may take.
    type: float
    default: 120.0
  read_ca_secrets:
    description:
      - >-
        Whether the Secrets are read that C(caBundles) are meant to come from, as O(kubeops.webhook_doctor.webhook_facts#module:read_ca_secrets). What is served
        is then also verified against their CA.
    type: bool
    default: false
    version_added: 0.2.0
  warn_days:
    description:
      - How many days before its end a certificate is told of, as O(kubeops.webhook_doctor.cabundle_verify#module:warn_days).
    type: float
    default: 30
seealso:
  - module: kubeops.webhook_doctor.webhook_facts
  - module: kubeops.webhook_doctor.endpoint_check
  - module: kubeops.webhook_doctor.cabundle_verify
  - plugin: kubeops.webhook_doctor.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Observe the cluster of the current context
  kubeops.webhook_doctor.observe_cluster:
  register: observed

- name: Judge
  ansible.builtin.debug:
    msg: >-
      {{ observed.facts
         | kubeops.webhook_doctor.findings(probes=observed.probes, verdicts=observed.verdicts)
         | map(attribute='title') }}
"""

RETURN = r"""
facts:
  description:
    - What M(kubeops.webhook_doctor.webhook_facts) returns as C(ansible_facts.kubernetes_webhooks).
    - It does not become part of the host's facts, which Ansible copies and cleans for every further task.
  returned: success
  type: dict
probes:
  description: The C(results) of M(kubeops.webhook_doctor.endpoint_check) for what P(kubeops.webhook_doctor.probe_plan#filter) plans. Empty for files.
  returned: success
  type: list
  elements: dict
cause:
  description: Where the API server did not answer, why, in one word of the vocabulary.
  returned: failure to reach the API server
  type: str
  sample: connection_refused
verdicts:
  description:
    - The C(results) of M(kubeops.webhook_doctor.cabundle_verify) for what P(kubeops.webhook_doctor.trust_plan#filter) plans.
    - They are decided as the Go version of the API server does, where it is known.
  returned: success
  type: list
  elements: dict
"""

import time
from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.failures import ObservationError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observe import observe
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError, MissingLibrary, Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import AUTH_ARGUMENT_SPEC, sensitive_values
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.probe_plan import of_interest, plan_probes
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.trust_plan import plan_trust
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import InvalidEndpoint, parse_endpoints
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.run import Budget, check_all
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import rules_of_server
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.library import require_cryptography
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary import VANTAGES

ARGUMENT_SPEC: dict[str, Any] = {
    **AUTH_ARGUMENT_SPEC,
    "src": {"type": "list", "elements": "path", "default": []},
    "vantages": {"type": "list", "elements": "str", "choices": list(VANTAGES), "default": []},
    "callouts": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 30.0},
    "deadline": {"type": "float", "default": 120.0},
    "warn_days": {"type": "float", "default": 30},
    "read_ca_secrets": {"type": "bool", "default": False},
}

# Option: (least, most, what it counts).
_RANGES = {"timeout": (0.1, 3600, "seconds"), "deadline": (0.1, 86400, "seconds"), "warn_days": (0, 36500, "days")}
_EVERYTHING = {"evidence": True, "access_review": True, "page_size": 500}  # of webhook_facts
_CONCURRENCY = 256  # calls in flight; a call mostly waits
_CALL_TIMEOUT = 10.0  # seconds for a call whose plan names no time


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.no_log_values.update(sensitive_values(module.params["kubeconfig"]))
    require_cryptography(module)
    for option, (least, most, unit) in _RANGES.items():
        if not least <= module.params[option] <= most:
            module.fail_json(msg=f"{option} {module.params[option]:g} is out of range. Expected {least:g} to {most:g} {unit}.")
    try:
        observed = _observed(module.params)
    except (ObservationError, ConfigurationError) as error:
        module.fail_json(msg=str(error))
    except Unreachable as error:
        # The cause tells who waits for an API server that one may come yet.
        module.fail_json(msg=str(error), cause=error.cause)
    except InvalidEndpoint as error:
        module.fail_json(msg=f"A back end of this cluster cannot be called: {error}. Expected {error.expected}.")
    except MissingLibrary as error:
        module.fail_json(msg=missing_required_lib(error.library, reason=error.detail))
    module.exit_json(changed=False, **observed)


def _observed(params: dict[str, Any]) -> dict[str, Any]:
    # Imported here, because these need cryptography.
    from cryptography.exceptions import UnsupportedAlgorithm

    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.verdict import Options, Warn, judge

    api = None if params["src"] else connect(params, timeout=params["timeout"])
    facts, authorities = observe({**params, **_EVERYTHING}, datetime.now(timezone.utc), api)
    planned = parse_endpoints(of_interest(plan_probes(facts, params["vantages"]), params["callouts"]), _CALL_TIMEOUT)
    probes = check_all(planned, Budget(deadline=params["deadline"], concurrency=_CONCURRENCY, retries=0), api)
    try:
        options = Options(Warn(params["warn_days"], None), time.time(), None, rules_of_server(facts["version"]))
        verdicts = judge(plan_trust(facts, probes, authorities=authorities), options)
    except UnsupportedAlgorithm as error:
        raise ObservationError(f"The cryptography library of this host cannot check a signature that kube-apiserver can: {error}") from error
    return {"facts": facts, "probes": probes, "verdicts": verdicts}


if __name__ == "__main__":
    main()
