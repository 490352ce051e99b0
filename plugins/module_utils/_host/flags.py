# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kube-apiserver's flags as far as anybody has to see them: whom it calls, where it listens, how it ends. PRIVATE to the collection.

A list of what is shown, not of what is hidden: k3s takes tokens and the password of its database as flags.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._command_line import known_flags
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._secrets import without_secrets

_LONGEST = 4000
# All of these are names, numbers, addresses and paths; none is a secret itself.
_SHOWN = frozenset(
    """
    admission-control-config-file advertise-address anonymous-auth audit-log-path audit-policy-file audit-webhook-config-file authentication-config
    authentication-token-webhook-config-file authorization-config authorization-mode authorization-webhook-config-file bind-address cert-dir client-ca-file
    cloud-provider disable-admission-plugins egress-selector-config-file enable-admission-plugins enable-aggregator-routing enable-bootstrap-token-auth
    encryption-provider-config endpoint-reconciler-type etcd-cafile etcd-certfile etcd-keyfile etcd-prefix etcd-servers etcd-servers-overrides
    feature-gates goaway-chance kubelet-preferred-address-types livez-grace-period max-mutating-requests-inflight max-requests-inflight min-request-timeout
    oidc-issuer-url proxy-client-cert-file request-timeout requestheader-allowed-names requestheader-client-ca-file runtime-config secure-port
    service-account-issuer service-cluster-ip-range shutdown-delay-duration shutdown-send-retry-after shutdown-watch-termination-grace-period
    storage-backend tls-cert-file tls-cipher-suites tls-min-version
    """.split()
)


def arguments(words: Iterable[str]) -> dict[str, str]:
    """{flag: value} of the command line `words`; no secrets, no passwords in URLs."""
    return {name: without_secrets(value) for name, value in sorted(known_flags(words, _SHOWN, _LONGEST).items())}
