# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's question, answered from whichever source it names. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.access import NOT_ASKED_ACCESS
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.ca_reader import getter, getter_of_dump, read_sources
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.facts import facts_of
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import connect


class Observation(NamedTuple):
    """facts: `kubernetes_webhooks`. authorities: the CA certificates (PEM) of each of its `ca_sources` that was read, by id; these stay on this host."""

    facts: dict[str, Any]
    authorities: dict[str, str]


def observe(params: Mapping[str, Any], now: datetime, api: Api | None = None) -> Observation:
    """What the cluster, or the files, say for the parameters of webhook_facts; `now` is when observing begins (UTC); `api`: a connection that is there already.

    Raises ObservationError, ConfigurationError, MissingLibrary, Unreachable.
    """
    return _from_files(params["src"]) if params["src"] else _from_api(api or connect(params, timeout=params["timeout"]), params, now)


def _from_api(api: Api, params: Mapping[str, Any], now: datetime) -> Observation:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.api_source import read_api

    observed = read_api(api, evidence=params["evidence"], access_review=params["access_review"], page_size=params["page_size"])
    source = {"kind": "api", "cluster": api.cluster, "server": api.server, "observed_at": _iso(now), "paths": [], "access": observed.access}
    inventory = observed.inventory
    sources, authorities = read_sources(inventory.callouts.values(), getter(api), params["read_ca_secrets"], inventory.coverage)
    return Observation(facts_of(inventory, source, observed.version, sources), authorities)


def _from_files(paths: list[str]) -> Observation:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.dump_source import read_dump

    dump = read_dump(paths)
    source = {
        "kind": "dump",
        "cluster": Path(paths[0]).absolute().name,
        "server": None,
        "observed_at": _iso(dump.observed_at),
        "paths": list(paths),
        "access": dict(NOT_ASKED_ACCESS),
    }
    inventory = dump.inventory
    sources, authorities = read_sources(inventory.callouts.values(), getter_of_dump(inventory.ca_config_maps), False, inventory.coverage)
    return Observation(facts_of(inventory, source, dump.version, sources), authorities)


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
