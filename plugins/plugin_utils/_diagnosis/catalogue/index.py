# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All entries by code. PRIVATE to the collection. The catalogue is the only place where a code is defined; the pages in docs/findings are made from it."""

from __future__ import annotations

from collections.abc import Mapping

from ..finding import Entry
from . import (
    acme,
    admission,
    answers,
    ca_source,
    cert_manager,
    configuration,
    control_plane,
    coverage,
    etcd,
    interception,
    istio,
    network,
    platform,
    timeouts,
    tls,
)

FAMILIES: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("Configuration and Service", configuration.ENTRIES),
    ("Network path", network.ENTRIES),
    ("TLS and trust", (*tls.ENTRIES, *ca_source.ENTRIES)),
    ("HTTP and review", answers.ENTRIES),
    ("Time-outs and interception", (*timeouts.ENTRIES, *interception.ENTRIES)),
    ("API server and control plane", (*control_plane.ENTRIES, *admission.ENTRIES)),
    ("Platform", platform.ENTRIES),
    ("cert-manager", cert_manager.ENTRIES),
    ("Applications", (*acme.ENTRIES, *etcd.ENTRIES)),
    ("Istio and Cloud Service Mesh", istio.ENTRIES),
    ("Coverage", coverage.ENTRIES),
)

CATALOGUE: Mapping[str, Entry] = {entry.code: entry for dummy, entries in FAMILIES for entry in entries}
