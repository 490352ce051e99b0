# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outcome of a rotation for Prometheus: a file for node_exporter's textfile collector, or for whatever else scrapes it. Pure. PRIVATE to the collection.

How it ended has the names that the scheduled rotation gives it (role rotation_schedule), so that the same alerts are right. What was seen of the certificates
has names of its own: it is as old as the run, and would be mistaken for what the nodes tell every day.
Source: prometheus.io/docs/instrumenting/exposition_formats (text format 0.0.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._diagnosis.checked import moment

OUTCOMES = ("nothing", "waiting", "refused", "done", "stopped")


def metrics(report: Mapping[str, Any], cluster: str | None = None) -> str:
    """The whole file, with the line break that ends it. cluster: its name in the inventory, where it has one; else it is the kubeconfig's."""
    return "".join(f"{line}\n" for line in _lines(report, cluster or str(report["cluster"] or "")))


def _lines(report: Mapping[str, Any], name: str) -> Iterator[str]:
    cluster = {"cluster": name}
    instances = [({**cluster, "host": one["host"]}, _seen(one)) for one in report["instances"]]
    yield from _family("webhook_doctor_rotation_cert_not_after_seconds", "When the loopback certificate of an API server ends, seconds since 1970.")
    yield from (_sample("webhook_doctor_rotation_cert_not_after_seconds", of, _unix(seen["not_after"])) for of, seen in instances if seen["not_after"])
    yield from _family("webhook_doctor_rotation_cert_start_seconds", "When the process that made it was started, seconds since 1970.")
    yield from (_sample("webhook_doctor_rotation_cert_start_seconds", of, _unix(seen["started"])) for of, seen in instances if seen["started"])
    yield from _family("webhook_doctor_rotation_cert_judged", "Whether the certificate could be read and judged.")
    yield from (_sample("webhook_doctor_rotation_cert_judged", of, int(bool(seen["not_after"]))) for of, seen in instances)
    yield from _family("webhook_doctor_rotation_run_last_timestamp_seconds", "When a rotation ended last, seconds since 1970.")
    yield _sample("webhook_doctor_rotation_run_last_timestamp_seconds", cluster, _unix(report["at"]))
    yield from _family("webhook_doctor_rotation_outcome", "How it ended: 1 for that outcome, 0 for the others.")
    for outcome in OUTCOMES:
        yield _sample("webhook_doctor_rotation_outcome", {**cluster, "outcome": outcome}, int(report["outcome"] == outcome))


def _seen(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known of its certificate now: nothing of one that was stopped and of which no new one was seen."""
    return one["new"] or ({"not_after": None, "started": None} if one["outcome"] == "failed" else one["old"])


def _family(name: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in sorted(labels.items()))
    return f"{name}{{{inside}}} {value:.0f}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _unix(time: str) -> float:
    return moment(time).timestamp()
