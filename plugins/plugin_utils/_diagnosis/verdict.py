# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The differential verdict: which vantages pass and which fail names the cause. PRIVATE to the collection.

The API server's own view is the truth; a look from elsewhere can only explain it. So the sources are asked in this order, and the first that decides, decides:

    source                                  decides                                                why
    ------------------------------------    ---------------------------------------------------    -------------------------------------------------
    1 API server: dry run, Available of     passes: healthy. Fails naming this call-out: failing   it is the real call
      an APIService
    2 facts: Service, port, type,           failing                                                no call can work with them
      endpoints, caBundle
    3 some endpoints fail where others      partial                                                same place, same moment: the endpoint differs
      answer to the same vantage
    4 service proxy cannot reach the pod    failing                                                it dials the pod as a webhook call does
    5 served chain against caBundle         failing                                                the API server would verify the same way
    6 the process answers wrongly to        failing                                                it would answer the API server the same way
      service proxy, port-forward, direct
    7 words of the API server to others     failing, if recent and nothing seen now contradicts    it said so to somebody who asked for something
      (Events, conditions)
    8 anybody outside got a good answer     healthy (not proven)
    9 nothing                               not judged

What is no proof: a direct probe that cannot connect (this host may stand behind another firewall, without a route to pods). It counts only together with
another sign: the service proxy fails too; a recent text says the same; or this host demonstrably reaches pods (then a refused connection counts, and for a
URL any failure to connect, because nothing but the host's place in the network tells them apart).

    API server says             service proxy       port-forward   direct             so
    ------------------------    ----------------    -----------    ---------------    -----------------------------------------------------------
    ok                          any                 any            any                healthy
    deadline exceeded           connect time-out    ok             any                packets dropped between API server and pod: connect_timeout
    deadline exceeded           ok, late            any            any                the webhook is slow
    deadline exceeded           any                 any            TLS stalls         tls_timeout
    deadline exceeded           none                ok, quick      any                packets dropped: the process is fine
    deadline exceeded           ok, quick           any            any                phase unknown: the ClusterIP's hop, a proxy, or just then
    refused, no endpoints       any                 any            any                no_ready_endpoints (ClusterIP routing shows it as refused)
    unknown authority           any                 chain verifies against the        one back end: the API server meets another certificate;
                                                    caBundle from elsewhere           several back ends: an intercepting proxy
    not provable                ok                  any            refused            healthy
    not provable                refused             ok             any                connection_refused on the network path
    not provable                none                refused        refused            connection_refused: the process does not listen
    not provable                none                none           refused, no more   not judged
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors.on_demand import classify

from .availability import what_it_means
from .endpoints import ALIVE, DEAD
from .judgement import Judgement, State
from .observed import Probe
from .words import certificate_line, describe, endpoints_line, pods_line, seen_before

if TYPE_CHECKING:
    from .case import Case

# The call got no further than the back end's address.
CONNECT = frozenset({"connection_refused", "connect_timeout", "no_route", "address_not_allowed", "dns_failure", "egress_proxy", "proxied"})
# What only a process that was reached can say.
_TLS = frozenset({"tls_timeout", "tls_not_spoken", "tls_alert", "client_certificate_required"})
_ANSWERS = frozenset({"http_status", "not_an_admission_server", "invalid_response", "conversion_failed"})
# Refusals of the certificate that hold whatever roots one has.
_ROOTS_MATTER = frozenset({"unknown_authority"})

_CONDITIONS = {
    "ServiceNotFound": ("service_not_found", "resolve", "WD101"),
    "ServicePortError": ("service_port_not_found", "resolve", "WD102"),
    "EndpointsNotFound": ("no_ready_endpoints", "resolve", "WD103"),
    "MissingEndpoints": ("no_ready_endpoints", "resolve", "WD103"),
}


def judge(case: Case) -> Judgement:
    """Whether the API server's calls of this call-out fail, why, and by what reasoning."""
    deciders: tuple[Callable[[Case], Judgement | None], ...] = (
        _by_the_api_server,
        _by_facts,
        _by_comparing_endpoints,
        _by_the_network_path,
        _by_trust,
        _by_answers,
        _by_evidence,
        _by_a_good_answer,
    )
    for decide in deciders:
        judgement = decide(case)
        if judgement is not None:
            return judgement
    return Judgement(State.UNJUDGED, None, because=(*map(describe, _outside(case)), *_silences(case)))


def _outside(case: Case) -> list[Probe]:
    return case.of_vantage("service_proxy", "port_forward", "direct")


def _silences(case: Case) -> Iterable[str]:
    """Why vantages could tell nothing."""
    names = {
        "apiserver": "the API server could not be made to call it",
        "service_proxy": "the service proxy tells nothing",
        "port_forward": "port-forward tells nothing",
    }
    for probe in case.probes:
        if not probe.says and probe.why_not and probe.vantage in names:
            yield f"{names[probe.vantage]}: {probe.why_not}"


# ---- 1: the API server itself


def _by_the_api_server(case: Case) -> Judgement | None:
    own = [probe for probe in case.of_vantage("apiserver") if not case.cluster.discounted(probe)]
    failed, passed = [probe for probe in own if not probe.ok], [probe for probe in own if probe.ok]
    if not own:
        return _by_condition(case)
    if not failed:
        return _partial(case) or Judgement(State.HEALTHY, "apiserver", because=tuple(map(describe, passed)))
    judgement = explain(case, _said_by(failed[0]))
    if passed:
        return replace(judgement, state=State.PARTIAL, because=(*judgement.because, *map(describe, passed)))
    partial = _partial(case)
    if partial and (partial.cause == judgement.cause or {partial.cause, judgement.cause} <= CONNECT | {"deadline_exceeded", "connection_closed"}):
        return replace(partial, because=(*(line for line in map(describe, failed)), *partial.because))
    return judgement


def _said_by(probe: Probe) -> Judgement:
    """What the API server's words mean by themselves."""
    said = classify(probe.error or "")
    cause = probe.cause if probe.cause not in (None, "unknown") else said["cause"]
    agrees = said["cause"] == cause
    return Judgement(
        State.FAILING,
        "apiserver",
        cause=cause,
        phase=probe.phase or said["phase"],
        code=said["code"] if agrees else None,
        status=probe.status,
        names=said["names"] if agrees else {},
        because=(describe(probe),),
    )


def _by_condition(case: Case) -> Judgement | None:
    """The aggregator's own check of an aggregated API. It verifies no certificate, so a pass leaves the trust to be judged."""
    available = (case.callout["apiservice"] or {}).get("available")
    if not available or available["status"] != "False":
        return None
    message, reason = available.get("message") or "", available.get("reason") or ""
    said = classify(message)
    cause, phase, code = _CONDITIONS.get(reason, (said["cause"], said["phase"], said["code"]))
    if cause == "unknown":
        cause, phase, code = "aggregated_api_unavailable", None, "WD430"
    since = f" since {available['since']}" if available.get("since") else ""
    line = f"the API server's condition Available is False{since} ({reason}): {message}"
    return explain(case, Judgement(State.FAILING, "apiserver", cause=cause, phase=phase, code=code, names=said["names"], because=(line,)))


def _availability(case: Case) -> tuple[str, ...]:
    """What the aggregator's reason means, where it says that the API is not available."""
    available = (case.callout["apiservice"] or {}).get("available") or {}
    meaning = what_it_means(available.get("reason") or "", available.get("message") or "") if available.get("status") == "False" else None
    return (meaning,) if meaning else ()


def explain(case: Case, said: Judgement) -> Judgement:
    """The API server's failure, made precise by facts and by what other vantages saw."""
    said = replace(said, because=(*said.because, *_availability(case)))
    if said.cause == "proxied" and said.phase == "connect" and case.cluster.is_without_proxy:
        # A proxy's author chooses its words, so any words that nobody knows are taken for a proxy's; but here there is none.
        said = replace(said, cause="unknown", phase=None, code="WD903")
    outside = tuple(map(describe, _outside(case)))
    facts = tuple(line for line in (endpoints_line(case), pods_line(case)) if line)
    history = tuple(seen_before(case))
    if said.cause == "connect_timeout" and "while waiting for connection" in said.because[0]:
        # Go says the same of a TCP connection that does not come about and of a handshake that does not end.
        stalled = next((describe(probe) for probe in _outside(case) if probe.cause == "tls_timeout"), None)
        if stalled:
            return replace(said, cause="tls_timeout", phase="tls", code=None, because=(*said.because, *outside, *history))
    silent = said.cause in CONNECT | {"deadline_exceeded"} and said.cause not in ("proxied", "egress_proxy")
    if silent and (case.service or {}).get("type") == "ExternalName":
        line = f"the Service is of type ExternalName ({(case.service or {}).get('external_name')}), so the API server looks outside the cluster"
        return replace(said, cause="service_type_unsupported", phase="resolve", code="WD106", because=(*said.because, line, *history))
    if silent and case.without_endpoints:
        meaning = "with ClusterIP routing a Service without ready endpoints shows as a refused or unanswered connection"
        return replace(said, cause="no_ready_endpoints", phase="resolve", code=None, because=(*said.because, *facts, meaning, *history))
    redirect = next((probe for probe in _outside(case) if probe.status and 300 <= probe.status < 400), None)
    if redirect:
        return replace(said, cause="http_status", phase="http", code="WD406", status=redirect.status, because=(*said.because, *outside, *history))
    if case.cluster.intercepted and said.cause in _ROOTS_MATTER and case.in_cluster and case.callout["kind"] != "apiservice":
        return replace(said, cause="proxied", phase="tls", code="WD220", because=said.because)
    if said.cause == "deadline_exceeded" and said.phase not in ("http", "review"):
        cause, phase, reasons = _where_it_hangs(case)
        return replace(said, cause=cause, phase=phase, code=None, because=(*said.because, *reasons, *outside, *history))
    if said.cause == "invalid_response" and said.code != "WD412" and _answers_no_review(case):
        why = "what answers is JSON of another kind than a review"
        return replace(said, cause="not_an_admission_server", code="WD410", because=(*said.because, *outside, why, *history))
    if said.cause == "connection_closed":
        return replace(_where_it_is_closed(case, said), because=(*said.because, *outside, *history))
    if said.cause == "no_ready_endpoints":
        return replace(said, because=(*said.because, *facts, *history))
    if said.cause in ("aggregated_api_unavailable", "unknown"):
        found = next((judged for decide in (_by_facts, _by_the_network_path, _by_trust) if (judged := decide(case)) and judged.fails), None)
        if found:
            return replace(said, cause=found.cause, phase=found.phase, code=found.code, names=found.names, because=(*said.because, *found.because))
    if said.phase == "tls" and any(probe.ok for probe in _outside(case)):
        outside = (*outside, "the other vantages verify no certificate")
    return replace(said, because=(*said.because, *outside, *history))


def _where_it_hangs(case: Case) -> tuple[str, str | None, list[str]]:
    """(cause, phase, reasoning) of a call that ran out of time: the phase is read from the vantages that watched the same back end."""
    proxied, forwarded, direct = (case.of_vantage(vantage) for vantage in ("service_proxy", "port_forward", "direct"))
    limit = case.timeout_ms
    in_time = any(probe.ok and probe.answer_ms <= limit for probe in (*proxied, *forwarded, *direct))
    late = [probe for probe in (*proxied, *forwarded, *direct) if probe.ok and probe.answer_ms > limit and not in_time]
    pending = [probe for probe in (*forwarded, *direct) if not probe.ok and probe.cause == "deadline_exceeded" and probe.phase in ("http", "review")]
    if late or pending:
        return "deadline_exceeded", "http", [f"it is reached and answers too late: timeoutSeconds is {case.callout['timeout_seconds']}"]
    if any(probe.cause == "tls_timeout" for probe in (*proxied, *forwarded, *direct)):
        return "tls_timeout", "tls", ["the TCP connection stands, the TLS handshake gets no answer"]
    quick = [probe for probe in (*forwarded, *direct) if probe.ok]
    if any(probe.ok for probe in proxied):
        why = "the API server reaches the pod through its service proxy, so what hangs is the ClusterIP's hop, a proxy in between, or it hung only then"
        return "deadline_exceeded", None, [why]
    if any(probe.cause in ("connect_timeout", "no_route") for probe in proxied):
        return "connect_timeout", "connect", ["the service proxy, which dials the pod from the API server as a webhook call does, gets no answer either"]
    if quick:
        where = "port-forward" if forwarded and forwarded[0].ok else "this host"
        return "connect_timeout", "connect", [f"the process answers to {where} in time, so packets are lost between the API server and the pod"]
    unanswered = [probe for probe in direct if probe.cause == "connect_timeout"]
    if unanswered and (case.cluster.reaches_pods or not case.in_cluster or any(probe.cause == "deadline_exceeded" for probe in proxied)):
        return "connect_timeout", "connect", ["neither the API server nor this host gets an answer to TCP connect"]
    return "deadline_exceeded", None, ["no other vantage tells in which phase it hangs"]


def _where_it_is_closed(case: Case, said: Judgement) -> Judgement:
    """A connection closed before TLS is another fault than one closed instead of an answer; Go's EOF looks the same for both.

    A server that asks for a certificate may refuse when the API server's part of a TLS 1.3 handshake is over: then its alert races with the request.
    """
    if any(probe.cause == "client_certificate_required" for probe in _outside(case)):
        return replace(said, cause="client_certificate_required", phase="tls", code=None)
    witnesses = case.of_vantage("direct", "port_forward")
    if any(probe.chain for probe in witnesses):
        return replace(said, phase="http", code="WD413")
    if any(probe.cause == "connection_closed" and probe.phase in ("connect", "tls") for probe in witnesses):
        return replace(said, phase="tls", code="WD206")
    return said


def _answers_no_review(case: Case) -> bool:
    """Whether every body that was seen is JSON that is no review: to the API server `{}` and a review without a response look the same."""
    bodies = [probe.body for probe in case.of_vantage("service_proxy", "port_forward", "direct") if probe.status == 200 and probe.body]
    return bool(bodies) and all(_is_other_json(body) for body in bodies)


def _is_other_json(body: str) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return not (isinstance(answer, dict) and str(answer.get("kind", "")).endswith("Review"))


# ---- 2: facts


def _by_facts(case: Case) -> Judgement | None:
    """What no call can get past."""

    def failing(cause: str, code: str | None, *because: str | None) -> Judgement:
        lines = tuple(line for line in because if line)
        return Judgement(State.FAILING, "facts", cause=cause, phase="resolve", code=code, because=(*lines, *seen_before(case)))

    service, wanted = case.service, case.wanted
    if case.callout["ca_bundle_error"]:
        return replace(failing("ca_bundle_invalid", "WD304", f"caBundle: {case.callout['ca_bundle_error']}"), phase="tls")
    if service is not None:
        name = f"{wanted['namespace']}/{wanted['name']}"
        if service["found"] is False:
            return failing("service_not_found", "WD101", f"the API has no Service {name}")
        if service["found"]:
            if service["type"] == "ExternalName" and case.cluster.routing == "endpoint":
                return failing("service_type_unsupported", "WD106", f"Service {name} is of type ExternalName", case.cluster.routing_line)
            if case.backend.get("port") is None and service["type"] != "ExternalName":
                ports = ", ".join(str(port["port"]) for port in service["ports"]) or "none"
                return failing("service_port_not_found", "WD102", f"Service {name} has the ports {ports}; {wanted['port']} is asked for")
            if service["headless"] and case.cluster.routing == "cluster_ip":
                return failing("service_type_unsupported", "WD107", f"Service {name} has no ClusterIP", case.cluster.routing_line)
            if service["type"] != "ExternalName" and case.without_endpoints:
                return failing("no_ready_endpoints", None, endpoints_line(case), pods_line(case))
    return _by_ca_bundle(case)


def _by_ca_bundle(case: Case) -> Judgement | None:
    """A caBundle that no chain can verify against."""
    if not case.verifies or not case.callout["ca_bundle"].strip() or not case.trusts:
        return None
    if not case.bundle:
        line = "the caBundle holds no certificate"
        return Judgement(State.FAILING, "facts", cause="ca_bundle_invalid", phase="tls", code="WD304", because=(line, *seen_before(case)))
    if all(certificate.days_left is not None and certificate.days_left < 0 for certificate in case.bundle):
        lines = [certificate_line(certificate, "in the caBundle") for certificate in case.bundle]
        return Judgement(State.FAILING, "facts", cause="certificate_expired", phase="tls", code="WD313", because=(*lines, *seen_before(case)))
    return None


# ---- 3: endpoints compared


def _partial(case: Case) -> Judgement | None:
    alive = [one for one in case.endpoints if one.state == ALIVE]
    dead = [one for one in case.endpoints if one.state == DEAD]
    if not alive or not dead:
        return None
    lines = [
        f"{len(dead)} of {len(case.endpoints)} endpoints fail, {len(alive)} answer{'' if len(alive) > 1 else 's'} from the same place",
        *(describe(one.probe) for one in dead if one.probe),
        *(f"{one.where}: {(one.cause or 'fails').replace('_', ' ')}, pod {one.pod or 'unknown'}, node {one.node or 'unknown'}" for one in dead),
        f"{alive[0].where} answers",
    ]
    return Judgement(State.PARTIAL, "probes", cause=dead[0].cause, phase=dead[0].phase, because=tuple(lines))


def _by_comparing_endpoints(case: Case) -> Judgement | None:
    return _partial(case)


# ---- 4: the network path


def _by_the_network_path(case: Case) -> Judgement | None:
    """What keeps calls from reaching a process that speaks TLS."""
    proxied, forwarded, direct = (case.of_vantage(vantage) for vantage in ("service_proxy", "port_forward", "direct"))
    if any(probe.ok for probe in proxied):
        return None
    outside = tuple(map(describe, _outside(case)))
    telling = next((probe for probe in proxied if probe.cause in CONNECT | _TLS or _closed_early(case, probe)), None)
    if telling:
        return _failing_outside(telling, outside, case)
    hanging = next((probe for probe in proxied if probe.cause == "deadline_exceeded" and probe.waited_ms >= case.timeout_ms), None)
    if hanging:
        cause, phase, reasons = _where_it_hangs(case)
        return Judgement(State.FAILING, "probes", cause=cause, phase=phase, because=(*outside, *reasons, *seen_before(case)))
    if any(probe.ok for probe in (*forwarded, *direct)):
        return None
    inside = next((probe for probe in forwarded if probe.cause in CONNECT | _TLS or _closed_early(case, probe)), None)
    if inside:
        return _failing_outside(inside, outside, case)
    spoken = next((probe for probe in direct if probe.cause in _TLS or (_closed_early(case, probe) and probe.phase == "tls")), None)
    if spoken:
        return _failing_outside(spoken, outside, case)
    if not case.cluster.reaches_pods:
        return None
    # This host stands inside the cluster's network. A NetworkPolicy may keep it from a pod, but drops and does not refuse; URLs know no such policy.
    telling_here = CONNECT if not case.in_cluster else {"connection_refused"}
    alike = next((probe for probe in direct if probe.cause in telling_here), None)
    if alike:
        return _failing_outside(alike, (*outside, "this host stands inside the cluster's network: it reaches other pods"), case)
    return None


def _failing_outside(probe: Probe, because: Iterable[str], case: Case) -> Judgement:
    said = classify(probe.error or "")
    code = said["code"] if said["cause"] == probe.cause else None
    lines = (*because, *_silences(case), *seen_before(case))
    judged = Judgement(State.FAILING, "probes", cause=probe.cause, phase=probe.phase, code=code, status=probe.status, because=lines)
    return _where_it_is_closed(case, judged) if probe.cause == "connection_closed" else judged


def _closed_early(case: Case, probe: Probe) -> bool:
    """Whether this connection was closed before anything was answered in TLS."""
    if probe.cause != "connection_closed":
        return False
    return _where_it_is_closed(case, Judgement(State.FAILING, None, phase=probe.phase)).phase not in ("http", "review")


# ---- 5: trust


def _by_trust(case: Case) -> Judgement | None:
    if not case.verifies:
        return None
    refused = [trust for trust in case.served if trust.trusted is False]
    own_roots = not case.callout["ca_bundle"].strip() and not case.in_cluster
    if own_roots:
        # The roots of the API server's host decide, not those of this one.
        refused = [trust for trust in refused if trust.cause not in _ROOTS_MATTER]
    if not refused:
        return None
    worst = refused[0]
    because = [
        f"the chain that it serves, against the caBundle, as the API server does it: {worst.error or worst.cause}",
        *([certificate_line(worst.leaf, "the served certificate")] if worst.leaf else []),
        *_silences(case),
        *seen_before(case),
    ]
    state = State.FAILING if len(refused) == len(case.served) else State.PARTIAL
    said = classify(worst.error or "")
    code = said["code"] if said["cause"] == worst.cause else None
    return Judgement(
        state, "trust", cause=worst.cause or "certificate_invalid", phase="tls", code=code, names=said["names"] if code else {}, because=tuple(because)
    )


# ---- 6: what the process answers


def _by_answers(case: Case) -> Judgement | None:
    """Wrong answers to a harmless review, and answers that come too late."""
    outside = _outside(case)
    if case.callout["kind"] == "apiservice":
        # A review, a path and a time limit mean nothing to an aggregated API; its own condition speaks for it.
        return None
    proxied = [probe for probe in outside if probe.vantage == "service_proxy"]
    if any(probe.ok and probe.answer_ms <= case.timeout_ms for probe in outside):
        return None  # a good answer in time: what somebody else waited for was not the back end
    reached = proxied if any(probe.ok for probe in proxied) else outside
    lines = tuple(map(describe, outside))
    wrong = next((probe for probe in reached if probe.cause in _ANSWERS or (probe.cause == "connection_closed" and not _closed_early(case, probe))), None)
    if wrong:
        judged = _failing_outside(wrong, lines, case)
        if wrong.cause == "invalid_response" and judged.code != "WD412" and _answers_no_review(case):
            return replace(judged, cause="not_an_admission_server", code="WD410")
        return judged
    late = next((probe for probe in reached if probe.ok), None) or next(
        (probe for probe in reached if probe.cause == "deadline_exceeded" and probe.phase in ("http", "review") and probe.waited_ms > case.timeout_ms), None
    )
    if late:
        limit = f"timeoutSeconds is {case.callout['timeout_seconds']}"
        return Judgement(State.FAILING, "probes", cause="deadline_exceeded", phase="http", because=(*lines, limit, *_silences(case), *seen_before(case)))
    return None


# ---- 7: what the API server said to others


def _by_evidence(case: Case) -> Judgement | None:
    outside = _outside(case)
    through_the_api_server = any(probe.ok for probe in outside if probe.vantage == "service_proxy")
    answered = any(probe.ok for probe in outside)
    recent = [text for text in case.texts if text.current and text.said["cause"] != "unknown"]
    for text in sorted(recent, key=lambda text: (text.last is not None, str(text.last), text.words), reverse=True):
        cause = text.said["cause"]
        on_the_way = cause in CONNECT | {"deadline_exceeded"}
        # A good answer now contradicts it, unless the answer came by another way than the API server's and the text is about that way.
        if through_the_api_server or (answered and not on_the_way):
            continue
        if cause in ("service_not_found", "service_port_not_found", "no_ready_endpoints") and case.service and case.service["found"] and case.usable:
            continue
        said = Judgement(
            State.FAILING, "evidence", cause=cause, phase=text.said["phase"], code=text.said["code"], names=text.said["names"], because=(text.line(),)
        )
        judged = explain(case, said)
        return replace(judged, because=(*judged.because, *_silences(case)))
    return None


# ---- 8: a good answer


def _by_a_good_answer(case: Case) -> Judgement | None:
    good = [probe for probe in _outside(case) if probe.ok]
    untrusted = case.verifies and any(trust.trusted is False for trust in case.served)
    if good and not untrusted:
        return Judgement(State.HEALTHY, "probes", because=tuple(map(describe, good)))
    available = (case.callout["apiservice"] or {}).get("available")
    if available and available["status"] == "True" and not untrusted:
        return Judgement(State.HEALTHY, "apiserver", because=("the API server's condition Available is True",))
    return None
