# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `kubeops.webhook_doctor.missing_no_proxy`: what NO_PROXY does not cover. Its documentation is missing_no_proxy.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

_NAME = "kubeops.webhook_doctor.missing_no_proxy"


def missing_no_proxy(environment: str | Mapping[str, Any], needs: Sequence[Any] | None = None, facts: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    # Ansible imports all filters of a collection to find one, in each task's worker: each brings its own judgement only when it is called.
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis import no_proxy, proxy_needs
    from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, checked_facts, plain

    if not isinstance(environment, (str, Mapping)):
        raise AnsibleFilterError(f"{_NAME}: got a {type(environment).__name__}. Expected: NO_PROXY as a string, or the variables as a mapping.")
    if (needs is None) is (facts is None):
        raise AnsibleFilterError(f"{_NAME}: expected either needs (a list of hosts, host:port or CIDRs) or facts (kubernetes_webhooks).")
    wanted: list[no_proxy.Need] = []
    try:
        if facts is not None:
            known = plain(checked_facts(facts))
            wanted = [need for instance in known["control_plane"]["instances"] for need in proxy_needs.needs_of(known, instance)]
    except InvalidObservation as error:
        raise AnsibleFilterError(f"{_NAME}: {error}") from error
    if isinstance(needs, (str, Mapping)):
        raise AnsibleFilterError(f"{_NAME}: needs is a {type(needs).__name__}. Expected: a list.")
    for position, item in enumerate(needs or ()):
        try:
            wanted.append(no_proxy.Need.of(plain(item)))
        except ValueError as error:
            raise AnsibleFilterError(f"{_NAME}: needs[{position}]: {error}.") from error
    return [need.shown() for need in no_proxy.missing_no_proxy(plain(environment), wanted)]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"missing_no_proxy": missing_no_proxy}
