# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The path of a call: which station is marked for which finding."""

from __future__ import annotations

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._vocabulary import CAUSES
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.path import bare_path, in_words, path_of, place_of
from ansible_collections.kubeops.webhook_doctor.tests.unit.report.observations import backend, callout, finding, probe, verdict

WEBHOOK = callout("a.example.org")
# What stops no call of the API server has no place on its way.
NO_PLACE = {"forbidden", "autopilot_denied", "policy_denied", "denied", "dry_run_unsupported", "etcd_quota_exceeded", "informational"}
NO_PLACE |= {"conflict", "mesh_config_not_received", "mesh_config_rejected"}  # of istiod and its sidecars: no call of the API server


def states(code: str, cause: str | None, phase: str | None, **more: object) -> str:
    """`api service endpoint tls review` with the first letter of each state, such as `ok ok broken`."""
    found = finding(WEBHOOK, code, "a title", cause=cause, phase=phase, **more)
    return " ".join(f"{hop.key}={hop.state}" for hop in path_of(WEBHOOK, backend(WEBHOOK), 1, [probe(WEBHOOK)], verdict(WEBHOOK), found))


@pytest.mark.parametrize(
    ("code", "cause", "phase", "expected"),
    [
        ("WD101", "service_not_found", "resolve", "api=ok service=broken endpoint=unreached tls=unreached review=unreached"),
        ("WD103", "no_ready_endpoints", "resolve", "api=ok service=ok endpoint=broken tls=unreached review=unreached"),
        ("WD204", "dns_failure", "resolve", "api=ok service=broken endpoint=unreached tls=unreached review=unreached"),
        ("WD201", "connection_refused", "connect", "api=ok service=ok endpoint=broken tls=unreached review=unreached"),
        ("WD301", "unknown_authority", "tls", "api=ok service=ok endpoint=ok tls=broken review=unreached"),
        ("WD401", "http_status", "http", "api=ok service=ok endpoint=ok tls=ok review=broken"),
        ("WD501", "deadline_exceeded", "http", "api=ok service=ok endpoint=ok tls=ok review=broken"),
        ("WD501", "deadline_exceeded", "tls", "api=ok service=ok endpoint=ok tls=broken review=unreached"),
        ("WD212", "deadline_exceeded", None, "api=ok service=unknown endpoint=unknown tls=unknown review=unknown"),
        ("WD206", "connection_closed", "connect", "api=ok service=ok endpoint=broken tls=unreached review=unreached"),
        ("WD413", "connection_closed", "http", "api=ok service=ok endpoint=ok tls=ok review=broken"),
        ("WD220", "proxied", "connect", "api=ok proxy=broken service=unreached endpoint=unreached tls=unreached review=unreached"),
        ("WD230", "connection_refused", "connect", "api=ok service=ok endpoint=warning tls=ok review=ok"),
        ("WD610", "connection_refused", "connect", "api=warning service=ok endpoint=broken tls=unreached review=unreached"),
        ("WD690", "loopback_certificate_expired", None, "api=broken service=unreached endpoint=unreached tls=unreached review=unreached"),
        ("WD130", None, None, "api=ok service=ok endpoint=warning tls=ok review=ok"),
        ("WD305", None, None, "api=ok service=ok endpoint=ok tls=warning review=ok"),
        ("WD520", None, None, ""),
    ],
)
def test_the_broken_hop_is_marked(code: str, cause: str | None, phase: str | None, expected: str) -> None:
    assert states(code, cause, phase) == expected


@pytest.mark.parametrize("cause", sorted(CAUSES - NO_PLACE))
def test_every_cause_of_the_vocabulary_has_a_place_or_goes_by_its_phase(cause: str) -> None:
    place = place_of("WD000", cause, "http")
    assert place is not None and place[0] in ("api", "proxy", "service", "endpoint", "tls", "review")
    assert place[2] != "fails" or cause == "unknown"


def test_a_cause_that_is_not_known_here_goes_by_its_phase() -> None:
    assert states("WD999", "something_new", "tls") == "api=ok service=ok endpoint=ok tls=broken review=unreached"


def details(**more: object) -> dict[str, str | None]:
    parts = {"backend": backend(WEBHOOK), "instances": 1, "probes": [], "verdict": None, **more}
    found = finding(WEBHOOK, "WD401", "a title", cause="http_status", phase="http")  # reaches all of them
    hops = path_of(WEBHOOK, parts["backend"], parts["instances"], parts["probes"], parts["verdict"], found)
    return {hop.key: hop.detail for hop in hops} | {f"{hop.key} note": hop.note for hop in hops if hop.note}


def test_details_come_from_what_was_observed() -> None:
    assert details()["service"] == "webhooks/a:443"
    assert details()["endpoint"] == "10.64.0.7:8443"
    assert details(backend=backend(WEBHOOK, addresses=("fd00::7",)))["endpoint"] == "[fd00::7]:8443"
    assert details(backend=backend(WEBHOOK, addresses=("10.64.0.7", "10.64.0.8"), ready=1))["endpoint"] == "1 of 2 ready"
    assert details(backend=backend(WEBHOOK, addresses=()))["endpoint"] == "none"
    assert details(backend={**backend(WEBHOOK), "endpoints": None})["endpoint"] is None
    assert details(instances=3)["api"] == "3 instances"
    assert details(verdict=verdict(WEBHOOK, days_left=-2.0))["tls"] == "a.webhooks.svc, expired 2 days ago"
    assert details(probes=[probe(WEBHOOK)])["tls"] == "TLSv1.3"
    assert details(probes=[probe(WEBHOOK, status=418)])["review note"] == "HTTP 418"
    assert details()["review note"] == "refused"


def test_the_picture_in_words() -> None:
    assert in_words(bare_path("conversion", False, ("tls", "broken", "expired"))) == (
        "API server works; Service works; Endpoint works; TLS fails here (expired); Conversion not reached"
    )
