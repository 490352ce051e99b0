# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD2xx: the way to the back end. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..catalogue import network as catalogue
from ..endpoints import DEAD
from ..finding import Entry, Finding, Subject
from ..judgement import State
from ..severity import of_failure, worst
from ..text import listing
from ..timeout_profile import longer, phase_hint
from .no_proxy import how_it_is_asked_for, where_it_is_set

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster import Cluster

_BY_CAUSE = {entry.cause: entry for entry in (catalogue.WD201, catalogue.WD204, catalogue.WD205, catalogue.WD210, catalogue.WD211)}


def cannot_connect(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    entry = _BY_CAUSE.get(judged.cause)
    if judged.fails and entry:
        yield entry.about(case, judged.because, phase=judged.phase)


def closed_before_tls(case: Case) -> Iterator[Finding]:
    """WD206; a connection that is closed later, instead of an answer, is WD413."""
    judged = case.judgement
    if judged.fails and judged.cause == "connection_closed" and judged.phase not in ("http", "review"):
        yield catalogue.WD206.about(case, judged.because, phase=judged.phase)


def runs_out_of_time(case: Case) -> Iterator[Finding]:
    """WD212; where a vantage saw the request being waited for it is WD501."""
    judged = case.judgement
    if judged.fails and judged.cause == "deadline_exceeded" and judged.phase not in ("http", "review"):
        yield catalogue.WD212.about(case, [*judged.because, *phase_hint(case)], phase=judged.phase, values=longer(case))


def some_endpoints_fail(case: Case) -> Iterator[Finding]:
    judged = case.judgement
    if judged.state is not State.PARTIAL:
        return
    dead = next((endpoint for endpoint in case.endpoints if endpoint.state == DEAD), None)
    values: dict[str, object] = {}
    if dead:
        values["dead"] = dead.where
        values["address"] = dead.address
    if dead and dead.pod:
        values["pod_namespace"], values["pod"] = dead.pod.split("/", 1)
    yield catalogue.WD230.about(case, judged.because, cause=judged.cause, phase=judged.phase, values=values)


def forward_proxy(cluster: Cluster) -> Iterator[Finding]:
    """WD220, once for all that it hits.

    Call-outs that could not be proven go the same way if they are called by the name of a Service: aggregated APIs are called by address, URLs by their host.
    """
    hit = [case for case in cluster.cases if case.judgement.fails and case.judgement.cause == "proxied"]
    if not hit:
        return
    affected = list(hit)
    if any(case.in_cluster and case.callout["kind"] != "apiservice" for case in hit):
        affected += [
            case
            for case in cluster.cases
            if case.in_cluster and case.callout["kind"] != "apiservice" and case.judgement.decided_by != "apiserver" and case not in hit
        ]
    intercepting = [case for case in hit if case.judgement.phase == "tls"]
    because = [
        f"{len(hit)} call-outs of {len({case.backend['id'] for case in hit})} back ends fail alike" if len(hit) > 1 else "",
        *_first_words(hit),
        *([_intercepts(intercepting)] if intercepting else []),
        *(environment.line() for environment in cluster.proxy_environments),
        *(
            ["the environment of no API server could be read (a managed control plane, or no mirror pods)"]
            if not any(i["visible"] for i in cluster.instances)
            else []
        ),
    ]
    missing = dict.fromkeys(entry for environment in cluster.proxy_environments for entry in environment.entries.split(",") if entry)
    values = {"missing": ",".join(missing), "where": where_it_is_set(cluster), "no_proxy_part": how_it_is_asked_for(cluster)}
    yield _common(catalogue.WD220, cluster, affected, because, "proxy", values)


def _intercepts(cases: Sequence[Case]) -> str:
    seen = sorted({case.callout["server_name"] for case in cases if case.served and all(trust.trusted for trust in case.served)})
    return f"the API server calls the authority unknown, though from elsewhere these certificates verify against their caBundles: {listing(seen, 4)}"


def _first_words(cases: Sequence[Case]) -> Iterable[str]:
    return list(dict.fromkeys(line for case in cases for line in case.judgement.because[:1]))[:3]


def tunnel_to_the_nodes(cluster: Cluster) -> Iterator[Finding]:
    """WD221, once for all that it hits."""
    hit = [case for case in cluster.cases if case.judgement.fails and case.judgement.cause == "egress_proxy"]
    if hit:
        yield _common(catalogue.WD221, cluster, hit, _first_words(hit), "egress")


def _common(entry: Entry, cluster: Cluster, affected: Sequence[Case], because: Iterable[str], root: str, values: Mapping[str, object] | None = None) -> Finding:
    return entry.found(
        Subject(kind="kube-apiserver", name=str(cluster.facts["source"]["cluster"])),
        because,
        affects=[case.id for case in affected],
        phase="connect",
        severity=worst(of_failure(case.callout, entry.severity) for case in affected),
        root=root,
        values=values,
    )


CASE_RULES = (cannot_connect, closed_before_tls, runs_out_of_time, some_endpoints_fail)
CLUSTER_RULES = (forward_proxy, tunnel_to_the_nodes)
