# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vantage `direct`: from the host that the module runs on, past the API server. PRIVATE to the collection."""

from __future__ import annotations

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.call import call
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.clock import Deadline
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.dial import Stream, dial
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.endpoint import Endpoint
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import Trace
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.proxy import tunnel


def probe_direct(endpoint: Endpoint, deadline: Deadline, trace: Trace) -> str | None:
    """Returns a remark on the answer, usually None. Raises ProbeFailed."""

    def open_stream(deadline: Deadline, trace: Trace) -> Stream:
        if endpoint.proxy:
            return tunnel(endpoint.proxy, endpoint.host, endpoint.port, deadline, trace)
        return dial(endpoint.host, endpoint.port, deadline, trace)

    return call(endpoint, open_stream, deadline, trace)
