# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that probes, classifier and findings share: causes, phases, vantages. PRIVATE to the collection.

Words may be added; none is renamed (users' suppressions and dashboards name them).
"""

from __future__ import annotations

CAUSES = frozenset(
    """
    service_not_found service_port_not_found service_type_unsupported no_ready_endpoints dns_failure
    connection_refused connect_timeout no_route address_not_allowed deadline_exceeded tls_timeout tls_not_spoken tls_alert
    client_certificate_required unknown_authority name_mismatch no_san certificate_expired certificate_not_yet_valid
    certificate_invalid ca_bundle_invalid connection_closed http_status not_an_admission_server invalid_response proxied
    egress_proxy conversion_failed aggregated_api_unavailable loopback_certificate_expired etcd_quota_exceeded forbidden
    autopilot_denied policy_denied denied dry_run_unsupported request_timeout not_ready informational unknown
    conflict mesh_config_not_received mesh_config_rejected
    """.split()
)

# In the order in which one call goes through them.
PHASES = ("resolve", "connect", "tls", "http", "review")

VANTAGES = ("apiserver", "service_proxy", "port_forward", "direct")
