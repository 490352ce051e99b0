# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD52x, WD53x: fail-closed webhooks that stand in the way of what brings their own back end, or the cluster, up. PRIVATE to the collection.

Each fault is a list of requests that somebody must be able to make; the webhook is at fault if it is called for one of them. A webhook that is in many
people's way has one fault, that it is asked about everything: WD540 explains the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..catalogue import interception as catalogue
from ..cluster_needs import (
    EVENTS,
    EVICTIONS,
    KUBE_SYSTEM_PODS,
    LEASE_PATIENCE,
    LEASES,
    NAMESPACES,
    NODES,
    REPAIR,
    REVIEWS,
    START,
    TRAFFIC,
    VOLUMES,
    WORKLOADS,
)
from ..finding import Entry, Finding
from ..needs import ANYBODY, Need, Write, intercepted, to_mend, to_run_pods
from ..severity import Severity, fails_open
from ..text import listing

if TYPE_CHECKING:
    from ..case import Case

# From this many faults on, they are one.
_MANY = 4
# What WD540 stands for: all of them, because webhooks of one back end become one finding.
_ONE_BY_ONE = tuple(entry.code for entry in catalogue.ENTRIES if "WD520" <= entry.code <= "WD533")
# From this version on the API server asks no webhook about reviews (feature gate ExcludeAdmissionWebhookVirtualResources, on by default).
_REVIEWS_EXEMPT = (1, 37)
# Failures that end once there is another certificate.
_OF_CERTIFICATES = frozenset(("certificate_expired", "certificate_not_yet_valid", "certificate_invalid", "name_mismatch", "no_san", "unknown_authority"))


def stands_in_the_way(case: Case) -> Iterator[Finding]:
    """WD520 to WD533 of one call-out, and WD540 over them where there are many."""
    if case.callout["kind"] not in ("validating", "mutating"):
        return
    found = list(_leases(case))
    if not fails_open(case.callout):
        found += [finding for find in _FAIL_CLOSED for finding in find(case)]
    codes = sorted({finding.code for finding in found})
    if len(codes) >= _MANY:
        severity = Severity.ERROR if case.judgement.fails else Severity.WARNING
        lines = [f"{len(codes)} things that a cluster needs wait for it ({', '.join(codes)})", *(line for finding in found for line in finding.evidence[:1])]
        yield catalogue.WD540.about(case, because=lines, severity=severity).explaining(*_ONE_BY_ONE)
    yield from found


def _own_back_end(case: Case) -> Iterator[Finding]:
    """WD520: it is asked before its own pods, or what sends traffic to them, can be created."""
    if not case.wanted:
        return
    hit = intercepted(case, [*to_run_pods(case, case), *to_mend(case)])
    if hit:
        yield _deadlock(catalogue.WD520, case, hit, f"its back end is in namespace {case.wanted['namespace']}, and nothing exempts it there")


def _own_certificate(case: Case) -> Iterator[Finding]:
    """WD530: only where it is known that its certificates come from a Secret of its own namespace. Refusals that a new certificate would end are a deadlock."""
    namespace = str(case.wanted.get("namespace"))
    sources = [source for source in case.ca_sources if source.kind in ("Secret", "Certificate") and source.namespace == namespace]
    if not case.wanted or not sources:
        return
    why = "where its own certificate is kept"
    writes = [Write("UPDATE", "", "secrets", ANYBODY, why, namespace, {})]
    if any(source.kind == "Certificate" or source.via for source in sources):
        writes.append(Write("CREATE", "cert-manager.io", "certificaterequests", ANYBODY, "by which its own certificate is renewed", namespace, {}))
    hit = intercepted(case, writes)
    if hit:
        stuck = case.judgement.fails and case.judgement.cause in _OF_CERTIFICATES
        lines = ["deadlock: it is refused for its certificate, and a new one cannot be stored without it"] if stuck else []
        lines += [*_lines(hit), *(f"its CA comes from {source.claim}" for source in sources)]
        yield catalogue.WD530.about(case, because=lines, severity=Severity.ERROR if stuck else Severity.WARNING)


def _kube_system(case: Case) -> Iterator[Finding]:
    """WD521, or WD528 where it is asked about what makes those pods only."""
    pods = intercepted(case, KUBE_SYSTEM_PODS)
    if pods:
        yield _deadlock(catalogue.WD521, case, pods)
        return
    workloads = intercepted(case, WORKLOADS)
    if workloads:
        yield _refusal(catalogue.WD528, case, workloads)


def _leases(case: Case) -> Iterator[Finding]:
    """WD522: also for a webhook that fails open, if it may hold up a lease for longer than its owner waits."""
    slow = case.callout["timeout_seconds"] > LEASE_PATIENCE
    if fails_open(case.callout) and not slow:
        return
    hit = intercepted(case, LEASES)
    if hit:
        waits = f"it may take {case.callout['timeout_seconds']} s; the owner of a lease waits 5 s for a request" if slow else ""
        yield _deadlock(catalogue.WD522, case, hit, waits)


def _nodes(case: Case) -> Iterator[Finding]:
    """WD523: nodes, and the certificate requests by which they join. Neither has a namespace that could be exempted."""
    hit = intercepted(case, NODES)
    if hit:
        yield _deadlock(catalogue.WD523, case, hit)


def _reviews(case: Case) -> Iterator[Finding]:
    """WD524, where the API server is known to ask webhooks about reviews."""
    version = case.cluster.facts.get("version") or {}
    if version.get("minor") is None or (version["major"], version["minor"]) >= _REVIEWS_EXEMPT:
        return
    hit = intercepted(case, REVIEWS)
    if hit:
        yield _refusal(catalogue.WD524, case, hit, f"Kubernetes {version['git_version']} asks webhooks about them; 1.37 and later do not")


def _simple(entry: Entry, writes: tuple[Write, ...]) -> Callable[[Case], Iterator[Finding]]:
    def find(case: Case) -> Iterator[Finding]:
        hit = intercepted(case, writes)
        if hit:
            yield _refusal(entry, case, hit)

    return find


_FAIL_CLOSED: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    _own_back_end,
    _own_certificate,
    _kube_system,
    _nodes,
    _reviews,
    _simple(catalogue.WD525, REPAIR),
    _simple(catalogue.WD526, START),
    _simple(catalogue.WD527, TRAFFIC),
    _simple(catalogue.WD529, NAMESPACES),
    _simple(catalogue.WD531, EVICTIONS),
    _simple(catalogue.WD532, VOLUMES),
    _simple(catalogue.WD533, EVENTS),
)
CASE_RULES = (stands_in_the_way,)
CLUSTER_RULES = ()


def _lines(hit: list[Need]) -> list[str]:
    return list(dict.fromkeys(f"it is called for {need.what}, {need.why}" for need in hit))


def _stuck(hit: list[Need]) -> str:
    return listing(list(dict.fromkeys(need.what for need in hit)))


def _deadlock(entry: Entry, case: Case, hit: list[Need], *more: str) -> Finding:
    """A forecast while the back end answers; a deadlock once it does not."""
    if fails_open(case.callout) or not case.judgement.fails:
        return entry.about(case, because=[*_lines(hit), *more], severity=Severity.WARNING)
    line = f"deadlock: the webhook does not answer now, so {_stuck(hit)} is refused, and it cannot come back by itself as long as that is needed for it"
    return entry.about(case, because=[line, *_lines(hit), *more], severity=Severity.ERROR)


def _refusal(entry: Entry, case: Case, hit: list[Need], *more: str) -> Finding:
    """A forecast while the back end answers; once it does not, the requests are refused now."""
    if not case.judgement.fails:
        return entry.about(case, because=[*_lines(hit), *more], severity=entry.severity)
    line = f"the webhook does not answer now, so {_stuck(hit)} is refused"
    return entry.about(case, because=[line, *_lines(hit), *more], severity=Severity.ERROR)
