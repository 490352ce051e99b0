# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cabundle_verify decides as the real API server does, in its words: the verdict about the chain that was really served, beside the answer to a dry run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from doctorlab import Lab, Options, faults, paths, targets
from lab_diagnosis import Diagnosis, diagnose

FAMILIES = ("tls", "conversion", "apiservice", "healthy")
ALL = faults.load(paths.FAULTS)
FAMILY = {fault.name: fault.family for fault in ALL}
TARGETS = [target for target in targets.allot(ALL) if FAMILY[target.fault] in FAMILIES]
# Column of the table -> (fixture that diagnoses, Kubernetes: None is the default)
LABS = {"1.36": ("endpoint_diagnosis", None), "1.30": ("old_diagnosis", "1.30.14")}

# What the API server did not judge the certificate of, and its words for why. Everything else has to be compared.
NOT_JUDGED_BY_ANY = {
    "plain-http": "server gave HTTP response to HTTPS client",
    "tls-stall": "context deadline exceeded",
    "tls-stall-long": "TLS handshake timeout",
    "tls-1-1-only": "tls: protocol version not supported",
    "conversion-refused": "connect: connection refused",
    "conversion-service-missing": 'service "webhook" not found',
    "conversion-ca-bundle-garbage": "error resolving resource",  # it does not serve the CRD at all, and does not say why
    "apiservice-refused": "connect: connection refused",
    "apiservice-service-missing": "is not present",
    "apiservice-no-endpoints": "have no addresses",
    "apiservice-stall": "service unavailable",  # the handshake never ends, and it says no more than that
}
NOT_JUDGED = {
    "1.36": {**NOT_JUDGED_BY_ANY, "apiservice-ca-bundle-garbage": "service unavailable"},  # it says no more than that; 1.30 does
    "1.30": NOT_JUDGED_BY_ANY,
}
WHILE_WRITING = ("broken pipe", "use of closed network connection")
FAILS_OPEN = "failurePolicy is Ignore"

_ABOUT_TRUST = re.compile(r"x509: |tls: failed to verify certificate|unable to load root certificates")
# Both look at their clock, one after the other.
_CLOCK = re.compile(r"current time \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Seen(NamedTuple):
    """What the API server says of one call-out: `trusted` is null where it did not judge the certificate. `error` is its answer, or why it proves nothing."""

    trusted: bool | None
    error: str


def seen(probe: dict[str, Any]) -> Seen:
    if probe["ok"]:
        return Seen(True, "")
    words = (probe["error"] or probe["reason"]).strip()
    if _ABOUT_TRUST.search(words):
        return Seen(False, words)
    # A client judges the server's certificate before it shows its own, and before anything is said over HTTP. A server that closes because it got none
    # may do so while the request is written.
    said_over_tls = probe["phase"] in ("http", "review") or probe["cause"] == "client_certificate_required" or words.endswith(WHILE_WRITING)
    passed = probe["provable"] and said_over_tls
    return Seen(True if passed else None, words)


class Observed(NamedTuple):
    diagnosis: Diagnosis
    conversions: Diagnosis  # by one who may read the objects that are converted

    def of(self, target: targets.Target) -> list[tuple[Seen, list[dict[str, Any]]]]:
        """For each call-out: the API server's view, and the verdicts about the chains that other vantages were served."""
        diagnosis = self.conversions if target.make.call_out.kind == "conversion" else self.diagnosis
        bundle, found = diagnosis.report["bundle"], []
        for callout in diagnosis.callouts(target):
            (probe,) = (probe for probe in bundle["probes"] if probe["vantage"] == "apiserver" and callout in probe["callouts"])
            found.append((seen(probe), [verdict for verdict in bundle["verdicts"] if callout in verdict["callouts"]]))
        return found


@pytest.fixture(scope="module", params=LABS)
def lab_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def observed(lab_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Observed:
    fixture, kubernetes = LABS[lab_name]
    folder = tmp_path_factory.mktemp("conversions")
    with Lab(folder / "lab", Options(kubernetes=kubernetes, faults="conversion,conversion-works")) as lab:
        conversions = diagnose(lab, folder / "report", user="admin")
    return Observed(request.getfixturevalue(fixture), conversions)


def differences(answer: Seen, verdict: dict[str, Any]) -> Iterator[str]:
    if verdict["trusted"] is not answer.trusted:
        yield f"trusted: the API server {answer.trusted} ({answer.error}), cabundle_verify {verdict['trusted']} ({verdict['error']})"
    elif not answer.trusted:
        said, error = (_CLOCK.sub("current time", text) for text in (answer.error, verdict["error"]))
        if not said.endswith((f": {error}", f": {error})")):  # the condition of an APIService is quoted in parentheses
            yield f"error: the API server {said}, cabundle_verify {error}"


def reason_not_judged(target: targets.Target, lab_name: str) -> str | None:
    if target.make.call_out.failure_policy == "Ignore":
        return FAILS_OPEN
    return NOT_JUDGED[lab_name].get(target.fault) if target.role == "fault" else None


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.namespace)
def test_the_verdict_is_the_api_servers(target: targets.Target, lab_name: str, observed: Observed, row: Callable[[str], None]) -> None:
    reason = reason_not_judged(target, lab_name)
    callouts = observed.of(target)
    assert callouts
    for answer, verdicts in callouts:
        said = _CLOCK.sub("current time", answer.error)
        words = {True: "trusts it", False: "does not trust it", None: "did not judge it"}[answer.trusted]
        row(f"{target.namespace:41} {'trust, ' + lab_name:15} the API server {words}{': ' if said else ''}{said[-100:]}")
        if reason:
            assert answer.trusted is None
            assert reason in said
            continue
        assert answer.trusted is not None, f"the API server did not judge the certificate: {said}"
        assert verdicts
        assert [one for verdict in verdicts for one in differences(answer, verdict)] == []


def test_enough_was_compared(observed: Observed) -> None:
    """The table above proves nothing if it is short, or if it compares only one kind of refusal."""
    pairs = [(answer, verdict) for target in TARGETS for answer, verdicts in observed.of(target) for verdict in verdicts if answer.trusted is not None]
    assert sum(bool(answer.trusted) for answer, _verdict in pairs) >= 40
    refused = [verdict["cause"] for answer, verdict in pairs if not answer.trusted]
    assert len(refused) >= 14
    assert set(refused) == {
        "unknown_authority",
        "name_mismatch",
        "no_san",
        "certificate_expired",
        "certificate_not_yet_valid",
        "certificate_invalid",
        "ca_bundle_invalid",
    }


@pytest.mark.parametrize("changed", [{"trusted": True, "error": None}, {"error": "x509: certificate signed by unknown authority "}, {"error": "authority"}])
def test_a_wrong_verdict_would_be_seen(observed: Observed, changed: dict[str, Any]) -> None:
    ((answer, (verdict,)),) = observed.of(next(target for target in TARGETS if target.namespace == "fault-ca-other"))
    assert list(differences(answer, verdict)) == []
    assert len(list(differences(answer, {**verdict, **changed}))) == 1
