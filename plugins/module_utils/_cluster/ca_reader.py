# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the Secrets and ConfigMaps that caBundles are meant to come from, each by name, Secrets only if asked to. PRIVATE to the collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster import ca_sources
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.ca_sources import Claim, Source
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.coverage import Coverage
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import mapping
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable

_PATHS = {
    ca_sources.SECRET: "/api/v1/namespaces/{}/secrets/{}",
    ca_sources.CONFIG_MAP: "/api/v1/namespaces/{}/configmaps/{}",
    ca_sources.CERTIFICATE: "/apis/cert-manager.io/v1/namespaces/{}/certificates/{}",
}
_NOT_ASKED = "Secrets are read only if asked to (read_ca_secrets: true)."

# (kind, namespace, name) -> the object, or why there is none.
Get = Callable[[str, str, str], "Mapping[str, Any] | Source"]


def getter(api: Api) -> Get:
    """Asks the API server."""

    def get(kind: str, namespace: str, name: str) -> Mapping[str, Any] | Source:
        try:
            response = api.request("GET", _PATHS[kind].format(namespace, name))
        except Unreachable as error:
            return Source(ca_sources.ERROR, error.message)
        if response.status == 200:
            try:
                return mapping(response.json())
            except ValueError:
                return Source(ca_sources.ERROR, "the answer is not JSON")
        state = {403: ca_sources.FORBIDDEN, 404: ca_sources.MISSING}.get(response.status, ca_sources.ERROR)
        return Source(state, response.message())

    return get


def getter_of_dump(config_maps: Mapping[tuple[str, str], Mapping[str, Any]]) -> Get:
    """Looks among the ConfigMaps of a dump. Whoever keeps Secrets out of a dump does well."""

    def get(kind: str, namespace: str, name: str) -> Mapping[str, Any] | Source:
        found = config_maps.get((namespace, name)) if kind == ca_sources.CONFIG_MAP else None
        return Source(ca_sources.NOT_IN_DUMP, f"The dump has no {kind} {namespace}/{name}.") if found is None else found

    return get


def read_sources(callouts: Iterable[Mapping[str, Any]], get: Get, read_secrets: bool, coverage: Coverage) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """`ca_sources` of the facts, sorted by id, and the PEM of each source that was read, by id: that stays on this host."""
    asked: dict[Claim, list[str]] = defaultdict(list)
    for callout in callouts:
        for claim in ca_sources.claims_of(callout):
            asked[claim].append(callout["id"])
    facts: list[dict[str, Any]] = []
    texts: dict[str, str] = {}
    for claim, ids in asked.items():
        where, via, source = _followed(claim, get, read_secrets)
        if source.text:
            texts[where.id] = source.text
        if source.state in (ca_sources.FORBIDDEN, ca_sources.ERROR):
            coverage.add(f"{where.kind} {where.namespace}/{where.name}", source.state, f"{source.message}")
        facts.append(ca_sources.source_facts(where, via, source, ids))
    return sorted(facts, key=lambda one: (one["id"], one["claimed_by"])), texts


def _followed(claim: Claim, get: Get, read_secrets: bool) -> tuple[Claim, str | None, Source]:
    """(the claim, or the Secret that its Certificate names; the Certificate; what is there)."""
    if claim.wrong:
        return claim, None, Source(ca_sources.UNUSABLE, claim.wrong)
    if claim.kind != ca_sources.CONFIG_MAP and not read_secrets:
        return claim, None, Source(ca_sources.NOT_ASKED, _NOT_ASKED)
    via = None
    if claim.kind == ca_sources.CERTIFICATE:
        certificate = get(claim.kind, claim.namespace, claim.name)
        if isinstance(certificate, Source):
            return claim, None, certificate
        secret = ca_sources.secret_of_certificate(claim, certificate)
        if secret is None:
            return claim, None, Source(ca_sources.UNUSABLE, "it names no Secret")
        via, claim = f"Certificate {claim.namespace}/{claim.name}", secret
    found = get(claim.kind, claim.namespace, claim.name)
    if isinstance(found, Source):
        return claim, via, found
    return claim, via, ca_sources.source_of(claim, found, via.rpartition("/")[2] if via else None)
