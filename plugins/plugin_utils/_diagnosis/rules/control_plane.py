# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD6xx: the API server's instances. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..catalogue import control_plane as catalogue
from ..finding import Finding, Subject
from ..observed import Probe
from ..severity import of_failure, worst
from ..text import listing
from ..words import describe

if TYPE_CHECKING:
    from ..cluster import Cluster


def one_instance_fails(cluster: Cluster) -> Iterator[Finding]:
    """WD610 for each instance at which fails what works at another."""
    for instance, callouts in cluster.bad_instances.items():
        failures = [probe for probe in cluster.probes if probe.vantage == "apiserver" and probe.instance == instance and probe.says and not probe.ok]
        failures = [probe for probe in failures if set(probe.callouts) & set(callouts)]
        elsewhere = sorted(
            {probe.instance for probe in cluster.probes if probe.instance and probe.instance != instance and probe.ok and set(probe.callouts) & set(callouts)}
        )
        causes = {_cause(probe) for probe in failures}
        lost = causes == {"connect_timeout"} and any(probe.cause == "deadline_exceeded" for probe in failures)
        yield catalogue.WD610.found(
            Subject(kind="kube-apiserver", name=_name_of(cluster, instance)),
            [
                f"{len(callouts)} call-outs fail at API server {instance} and work at {listing(elsewhere)}",
                *dict.fromkeys(describe(probe) for probe in failures[:3]),
                *(["the same back ends answer the other API server in time, so packets from this one are lost"] if lost else []),
                *(environment.line() for environment in cluster.proxy_environments),
            ],
            affects=callouts,
            cause=causes.pop() if len(causes) == 1 else None,
            phase="connect" if lost else failures[0].phase,
            severity=worst(of_failure(cluster.case_of[callout].callout, catalogue.WD610.severity) for callout in callouts),
            root=f"instance {instance}",
            values={"instance": instance},
        )


def _cause(probe: Probe) -> str | None:
    """Of a call that another instance got through with in time, "out of time" means that nothing arrives."""
    return "connect_timeout" if probe.cause == "deadline_exceeded" else probe.cause


def _name_of(cluster: Cluster, instance: str) -> str:
    return next((str(one["name"]) for one in cluster.instances if one["name"] and f"{one['address']}:{one['port']}" == instance), instance)


CASE_RULES = ()
CLUSTER_RULES = (one_instance_fails,)
