# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules, and what a rule is. PRIVATE to the collection.

A rule is a generator function in `rules/<family>.py`:

    def ca_does_not_match(case: Case) -> Iterator[Finding]:         # judged call-out by call-out
    def sum_of_timeouts(cluster: Cluster) -> Iterator[Finding]:     # judged over the whole cluster

It reads what was observed, yields `Entry.about(case, because=[...])` or `Entry.found(subject, because=[...], affects=[...])` and knows nothing of
Ansible, clocks or the network (time comes in as `cluster.at`). Each file ends in the two tuples that are listed here:

    CASE_RULES = (ca_does_not_match, ...)
    CLUSTER_RULES = (sum_of_timeouts, ...)

Order does not matter: findings are grouped and sorted afterwards, and `impact_of(callouts, facts)` of impact.py says of each group what is blocked or
unguarded by it. Rules about failures go by `case.judgement` (see verdict.py) and only choose among the codes of its cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..finding import Finding
from . import (
    acme,
    acme_challenges,
    admission,
    answers,
    ca_source,
    cert_manager,
    configuration,
    control_plane,
    coverage,
    deadlock,
    etcd,
    forecast,
    injection,
    interception,
    istio_injection,
    istio_proxies,
    istio_webhooks,
    loopback,
    network,
    no_proxy,
    platform,
    slowness,
    timeout_profiles,
    timeouts,
    tls,
)

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster import Cluster

CaseRule = Callable[["Case"], Iterable[Finding]]
ClusterRule = Callable[["Cluster"], Iterable[Finding]]

_FAMILIES = (
    configuration,
    network,
    platform,
    tls,
    ca_source,
    answers,
    slowness,
    timeouts,
    timeout_profiles,
    interception,
    deadlock,
    injection,
    forecast,
    control_plane,
    loopback,
    no_proxy,
    admission,
    cert_manager,
    coverage,
    acme,
    acme_challenges,
    etcd,
    istio_injection,
    istio_webhooks,
    istio_proxies,
)

CASE_RULES: tuple[CaseRule, ...] = tuple(rule for family in _FAMILIES for rule in family.CASE_RULES)
CLUSTER_RULES: tuple[ClusterRule, ...] = tuple(rule for family in _FAMILIES for rule in family.CLUSTER_RULES)
