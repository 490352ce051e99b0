# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many objects of a kind are too many for etcd. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping

MB = 1_000_000
# From so many objects on a kind has run away. Far above what healthy clusters of a thousand nodes hold; what cert-manager makes goes by its Certificates.
THRESHOLDS: Mapping[tuple[str, str], int] = {
    ("", "events"): 100_000,
    ("", "secrets"): 20_000,
    ("apps", "replicasets"): 50_000,
    ("velero.io", "backups"): 2_000,
    ("velero.io", "podvolumebackups"): 5_000,
    ("dex.coreos.com", "authrequests"): 5_000,
    ("kyverno.io", "reportchangerequests"): 5_000,
    ("kyverno.io", "updaterequests"): 1_000,
    ("reports.kyverno.io", "ephemeralreports"): 10_000,
    ("wgpolicyk8s.io", "policyreports"): 50_000,
    ("aquasecurity.github.io", "vulnerabilityreports"): 20_000,
    ("aquasecurity.github.io", "configauditreports"): 20_000,
}
CERT_MANAGER = (("cert-manager.io", "certificaterequests"), ("acme.cert-manager.io", "orders"), ("acme.cert-manager.io", "challenges"))
# CertificateRequests, Orders, Challenges: at least so many, and so many for each Certificate.
CERTIFICATE_FLOOR, PER_CERTIFICATE = 1000, 10
