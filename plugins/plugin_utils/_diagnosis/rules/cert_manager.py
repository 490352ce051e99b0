# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD801 to WD821: what of cert-manager is the cause. PRIVATE to the collection.

A rule says what is wrong with a part, and which generic findings that explains; those become its evidence (`consequences.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.cert_manager_election import DEFAULT_NAMESPACE, LEASES

from ..catalogue import cert_manager as catalogue
from ..cert_manager import (
    ELECTED_AFTER,
    FROM_SECRET,
    HEALTHZ_PORT,
    WEBHOOK,
    CertManager,
    Component,
    Installation,
    ids,
    injection,
    lacks_its_ca,
    of_its_groups,
)
from ..finding import Finding, Subject
from ..judgement import State
from ..lease_holder import abandoned_for, is_its_own, other_leader
from ..severity import Severity, of_failure, worst
from ..text import clean, listing
from ..words import certificate_line

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster import Cluster

_NOT_INJECTED = ("WD301", "WD303", "WD304", "WD306", "WD313", "WD325", "WD326")
_NO_ENDPOINTS = ("WD103", "WD104", "WD201", "WD212")
_STARTING = ("WD103", "WD104", "WD201", "WD212", "WD301", "WD303")
_STARTING_CAUSES = frozenset({"no_ready_endpoints", "connection_refused", "unknown_authority"})
# APIServices and webhooks that only versions up to 0.11 made.
_OLD_API = re.compile(r"v\w+\.(?:webhook|admission)\.(?:cert-manager\.io|certmanager\.k8s\.io)")
_OLD_WEBHOOK = re.compile(r"(?:\w+\.admission|webhook)\.certmanager\.k8s\.io")
_CRDS = "https://github.com/cert-manager/cert-manager/releases/download/v{version}/cert-manager.crds.yaml"


# ---- cainjector


def cainjector_does_not_run(cluster: Cluster) -> Iterator[Finding]:
    """WD801."""
    seen = cluster.cert_manager
    injectors = seen.components("cainjector")
    if any(one.runs for one in injectors):
        return
    needy = [case for case in seen.injected if lacks_its_ca(case)]
    for one in injectors:
        if one.stopped or not one.settling:
            yield _injector(catalogue.WD801, one, [one.state_line()], needy)
    if not injectors and needy and seen.complete:
        for installation in seen.installations:
            webhook = installation.webhook
            if webhook and not installation.settling:
                why = f"{webhook.label} is there, and no cainjector is, in no namespace"
                values = {"cm_namespace": webhook.namespace, "cm_component": "cainjector"}
                subject = Subject("Deployment", webhook.name, webhook.namespace)
                severity = _severity(needy)
                yield catalogue.WD801.found(subject, [why, *_waiting(needy)], affects=ids(needy), severity=severity, values=values).explaining(*_NOT_INJECTED)


def not_elected(cluster: Cluster) -> Iterator[Finding]:
    """WD802, WD803."""
    seen = cluster.cert_manager
    needy = [case for case in seen.injected if lacks_its_ca(case)]
    for one in [*seen.components("cainjector"), *seen.components("controller")]:
        lease, wanting = seen.lease(one), needy if one.kind == "cainjector" else []
        waited = one.waited()
        if not one.runs or lease is None or lease["found"] is None:
            continue
        patient = waited is None or waited > ELECTED_AFTER
        patient = patient or (bool(wanting) and not one.settling)  # calls fail now, whatever it is waiting for
        if lease["found"] is False and patient:
            yield _injector(catalogue.WD803, one, list(_why_no_lease(cluster, one, lease)), wanting)
        elif lease["found"] and patient:
            why = _why_not_elected(seen, one, lease)
            if why and (wanting or not other_leader(one)):  # if another leads the work is done, if by the wrong one
                yield _injector(catalogue.WD802, one, [why, one.state_line()], wanting)


def _why_no_lease(cluster: Cluster, one: Component, lease: Mapping[str, Any]) -> Iterator[str]:
    place = f"{lease['namespace']}/{lease['name']}"
    waited = one.waited()
    since = f" for {waited:.0f} s" if waited else ""
    yield f"{one.label} has run{since}, and Lease {place}, which it makes as the first thing, does not exist"
    known = {namespace["name"] for namespace in cluster.facts["namespaces"]}
    if known and lease["namespace"] not in known:
        yield f"the namespace {lease['namespace']} does not exist"
    if "gke_autopilot" in cluster.platform and lease["namespace"] == "kube-system":
        yield "on GKE Autopilot nobody may create anything in kube-system"
        yield from cluster.platform.because("gke_autopilot")


def _why_not_elected(seen: CertManager, one: Component, lease: Mapping[str, Any]) -> str | None:
    place = f"Lease {lease['namespace']}/{lease['name']}"
    if not lease["holder"]:
        return f"{place} has no holder"
    pods = sorted(str(pod["name"]) for pod in one.living)
    age = abandoned_for(seen.cluster, lease["renewed"], lease["duration_seconds"])
    if age is not None:
        return f"{place} is held by {clean(lease['holder'], 120)}, which renewed it {age:.0f} s ago for the last time"
    if pods and not is_its_own(one, lease["holder"]):
        return f"{place} is held by {clean(lease['holder'], 120)}, which is none of its pods ({listing(pods, 3)})"
    return None


def looks_elsewhere(cluster: Cluster) -> Iterator[Finding]:
    """WD820."""
    seen = cluster.cert_manager
    needy = [case for case in seen.injected if lacks_its_ca(case)]
    for one in seen.components("cainjector"):
        only, left_out = one.argument("namespace"), set(one.item["arguments"].get("ignore-namespaces") or ())
        if not one.runs or not (only or left_out):
            continue
        missed = []
        for case in needy:
            asked = injection(case)
            namespace = asked[1].partition("/")[0] if asked and "/" in asked[1] else None
            if namespace and (namespace in left_out or (only and namespace != only)):
                missed.append(case)
        if missed:
            told = f"--namespace={only}" if only else f"--ignore-namespaces={','.join(sorted(left_out))}"
            places = sorted({injection(case)[1] for case in missed if injection(case)})  # type: ignore[index]
            yield _injector(catalogue.WD820, one, [f"{one.label} has the argument {told}; the CA is to come from {listing(places)}"], missed)


def annotation_is_wrong(cluster: Cluster) -> Iterator[Finding]:
    """WD804."""
    seen = cluster.cert_manager
    for case in seen.own_cases:
        installation = seen.installation_of(case)
        webhook = installation.webhook if installation else None
        expected = webhook.ca_secret if webhook else None
        if webhook is None or expected is None:
            continue
        asked = injection(case)
        lacks = lacks_its_ca(case)
        if asked is None:
            if case.callout["kind"] == "conversion" and not lacks:
                continue
            because = f"it has no annotation {FROM_SECRET}; the webhook keeps its CA in Secret {expected}"
        elif asked[0] == FROM_SECRET and asked[1] != expected:
            because = f"its annotation says {FROM_SECRET}: {clean(asked[1], 200)}; the webhook keeps its CA in Secret {expected}"
        else:
            continue
        severity = _severity([case]) if lacks else Severity.WARNING
        found = catalogue.WD804.about(case, [because], severity=severity, root=case.callout["object"]["name"], values={"cm_expected": expected})
        yield found.explaining(*_NOT_INJECTED)


# ---- the webhook's certificate


def ca_is_never_renewed(cluster: Cluster) -> Iterator[Finding]:
    """WD805."""
    seen = cluster.cert_manager
    for installation in seen.installations:
        webhook = installation.webhook
        if webhook and webhook.version and (1, 15, 0) <= webhook.version <= (1, 15, 2) and webhook.ca_secret:
            cases = [case for case in seen.own_cases if seen.installation_of(case) is installation]
            lines = [f"{webhook.label} is of version {webhook.item['version']}"]
            lines += [certificate_line(one, "in the caBundle") for case in cases[:1] for one in case.bundle[:2]]
            failing = [case for case in cases if case.judgement.fails and case.judgement.cause in ("certificate_expired", "unknown_authority")]
            found = _component(catalogue.WD805, webhook, lines, cases, severity=_severity(failing) if failing else Severity.WARNING)
            yield found.explaining("WD305", "WD306", "WD307", "WD313", "WD808")


def slept_through_renewal(case: Case) -> Iterator[Finding]:
    """WD806."""
    seen = case.cluster.cert_manager
    webhook = _webhook_of(seen, case)
    if webhook is None or not case.judgement.fails or case.judgement.cause != "certificate_expired" or not webhook.version:
        return
    leaves = [trust.leaf for trust in case.served if trust.leaf and trust.leaf.days_left is not None and trust.leaf.days_left < 0]
    authorities_ended = bool(case.bundle) and all(one.days_left is not None and one.days_left < 0 for one in case.bundle)
    if not leaves or authorities_ended or webhook.version >= (1, 21, 0):
        return
    started = [str(pod["started"]) for pod in webhook.living if pod["started"]]
    lines = [certificate_line(leaves[0], "the served certificate"), f"{webhook.label} is of version {webhook.item['version']}"]
    lines += [f"its pod has run since {started[0]}"] if started else []
    yield catalogue.WD806.about(case, lines, phase="tls", values=_values(webhook)).explaining("WD307")


def clock_is_ahead(case: Case) -> Iterator[Finding]:
    """WD816."""
    webhook = _webhook_of(case.cluster.cert_manager, case)
    if webhook is None or not case.judgement.fails or case.judgement.cause != "certificate_not_yet_valid":
        return
    leaves = [certificate_line(trust.leaf, "the served certificate") for trust in case.served if trust.leaf]
    nodes = sorted({str(pod["node"]) for pod in webhook.living if pod["node"]})
    because = [f"the webhook makes its certificate by the clock of node {listing(nodes)}" if nodes else "the webhook makes its certificate itself"]
    node = {"node": nodes[0]} if nodes else {}
    yield catalogue.WD816.about(case, [*because, *leaves[:1]], phase="tls", values={**_values(webhook), **node}).explaining("WD308")


def certificate_for_other_names(case: Case) -> Iterator[Finding]:
    """WD818."""
    webhook = _webhook_of(case.cluster.cert_manager, case)
    names = webhook.item["arguments"].get("dynamic-serving-dns-names") if webhook else None
    if webhook is None or not names or case.callout["server_name"] in names or case.judgement.state is State.HEALTHY:
        return
    if case.service and case.service["found"] is False:
        return
    wanted = case.callout["server_name"]
    lines = [f"the API server expects the name {wanted}; {webhook.label} has --dynamic-serving-dns-names={','.join(names[:6])}"]
    severity = of_failure(case.callout, Severity.ERROR) if case.judgement.fails else Severity.WARNING
    yield catalogue.WD818.about(case, lines, cause="name_mismatch", phase="tls", severity=severity, values=_values(webhook)).explaining("WD309")


# ---- the webhook's pods


def probe_asks_another_port(case: Case) -> Iterator[Finding]:
    """WD807."""
    webhook = _webhook_of(case.cluster.cert_manager, case)
    if webhook is None or webhook.runs or webhook.stopped or not webhook.item["readiness"] or case.judgement.state is State.HEALTHY:
        return
    argument = webhook.argument("healthz-port")
    if argument is None and webhook.argument("config"):
        return  # the file may say another port
    listens = argument or str(HEALTHZ_PORT)
    probed = webhook.item["readiness"]["port"]
    resolved = next((port["port"] for port in webhook.item["ports"] if port["name"] == probed), probed)
    if str(resolved) == listens:
        return
    how = f"port {resolved}" if resolved == probed else f"port {probed}, which is {resolved}"
    told = f"--healthz-port={argument}" if argument else f"no --healthz-port, so it is {HEALTHZ_PORT}"
    lines = [f"the readiness probe of {webhook.label} asks {how}; its arguments have {told}", webhook.state_line()]
    lines += [f"the kubelet: {clean(one['message'], 300)} ({one['count']} times)" for one in case.cluster.cert_manager.probe_failures(webhook)[:2]]
    values = {**_values(webhook), "cm_healthz_port": listens}
    yield catalogue.WD807.about(case, lines, cause="no_ready_endpoints", severity=_failing(case), values=values).explaining(*_NO_ENDPOINTS)


def no_certificate(case: Case) -> Iterator[Finding]:
    """WD808."""
    seen = case.cluster.cert_manager
    webhook = _webhook_of(seen, case)
    if webhook is None or webhook.runs or webhook.stopped or webhook.settling or case.judgement.state is State.HEALTHY:
        return
    answers = [one for one in seen.probe_failures(webhook) if "statuscode: 500" in one["message"]]
    if not answers:
        return
    lines = [f"the kubelet of pod {one['namespace']}/{one['pod']}: {clean(one['message'], 300)} ({one['count']} times)" for one in answers[:3]]
    lines += [f"{source.label}: {source.message}" for source in case.ca_sources if source.state in ("missing", "unusable") and source.message]
    lines += [webhook.state_line()]
    found = catalogue.WD808.about(case, lines, cause="no_ready_endpoints", severity=_failing(case), values=_values(webhook))
    yield found.explaining(*_NO_ENDPOINTS, "WD325", "WD326")  # the Secret is the webhook's own


def component_does_not_run(cluster: Cluster) -> Iterator[Finding]:
    """WD817."""
    seen = cluster.cert_manager
    for one in seen.components("webhook"):
        cases = [case for case in seen.own_cases if _webhook_of(seen, case) is one]
        if one.stopped and any(case.judgement.state is not State.HEALTHY for case in cases):
            yield _component(catalogue.WD817, one, [one.state_line()], cases, severity=_severity(cases)).explaining(*_NO_ENDPOINTS)
    controllers = seen.components("controller")
    if any(one.runs for one in controllers):
        return
    for one in controllers:
        if one.stopped or not one.settling:
            yield _component(catalogue.WD817, one, [one.state_line()], [])


def just_installed(case: Case) -> Iterator[Finding]:
    """WD815."""
    seen = case.cluster.cert_manager
    installation = seen.installation_of(case) if case in seen.own_cases else None
    webhook = installation.webhook if installation else None
    if installation is None or webhook is None or not installation.settling or any(one.stopped for one in installation.components.values()):
        return
    if not case.judgement.fails or case.judgement.cause not in _STARTING_CAUSES:
        return
    lines = [f"{one.label} was created {one.age:.0f} s ago" for one in installation.components.values() if one.age is not None and one.settling]
    yield catalogue.WD815.about(case, lines, cause=case.judgement.cause, values=_values(webhook)).explaining(*_STARTING)


# ---- what is left over, or taken away


def leftover_conversion(case: Case) -> Iterator[Finding]:
    """WD809."""
    if case.callout["kind"] != "conversion" or not of_its_groups(case):
        return
    seen = case.cluster.cert_manager
    installation = seen.installation_of(case)
    webhook = installation.webhook if installation else None
    if webhook is None or webhook.version is None or webhook.version < (1, 7, 0):
        return
    converts = webhook.version < (1, 15, 0)
    if converts and case.judgement.fails:
        return  # what it fails for is another matter
    until = "its webhook still converts; from 1.15 on it does not" if converts else "from 1.15 on the webhook does not convert"
    lines = [f"{webhook.label} is of version {webhook.item['version']}: {until}"]
    severity = Severity.INFO if converts else Severity.ERROR if case.judgement.fails else Severity.WARNING
    values = {**_values(webhook), "cm_crds_url": _CRDS.format(version=webhook.item["version"])}
    explained = () if converts else ("WD101", "WD103", "WD104", "WD301", "WD303", "WD401", "WD404", "WD410")
    yield catalogue.WD809.about(case, lines, severity=severity, root=case.id, values=values).explaining(*explained)


def left_over_from_old_versions(case: Case) -> Iterator[Finding]:
    """WD810."""
    callout = case.callout
    by_api = callout["kind"] == "apiservice" and _OLD_API.fullmatch(callout["object"]["name"])
    by_name = callout["webhook"] and _OLD_WEBHOOK.fullmatch(callout["webhook"])
    if not (by_api or by_name) or not case.judgement.fails:
        return
    lines = [f"{'APIService ' + callout['object']['name'] if by_api else 'webhook ' + callout['webhook']} is of cert-manager 0.11 or older"]
    newer = [one for one in case.cluster.cert_manager.components("webhook") if one.version and one.version >= (0, 12, 0)]
    lines += [f"{one.label}, of version {one.item['version']}, does not use it" for one in newer]
    found = catalogue.WD810.about(case, lines, cause=case.judgement.cause, phase=case.judgement.phase, severity=_failing(case), root=case.id)
    yield found.explaining("WD101", "WD102", "WD103", "WD104", "WD201", "WD301", "WD303", "WD307", "WD401", "WD402", "WD404", "WD410", "WD430")


def installed_twice(cluster: Cluster) -> Iterator[Finding]:
    """WD811."""
    seen = cluster.cert_manager
    working = [one for one in seen.installations if any(_wanted(one, kind) for kind in ("controller", "cainjector"))]
    everywhere = [one for one in working if not all(part.argument("namespace") for kind, part in one.components.items() if kind != "webhook")]
    if len(working) < 2 or not everywhere:
        return
    lines = []
    for one in working:
        parts = [f"{kind} {part.item['version'] or 'of an unknown version'}" for kind, part in sorted(one.components.items())]
        leases = sorted({f"{part.lease_key[0]}/{part.lease_key[1]}" for part in one.components.values() if part.lease_key})
        lines.append(f"installation {one.label}: {', '.join(parts)}; elects in {listing(leases)}")
    lines += [f"Lease {lease['namespace']}/{lease['name']} is held by {clean(lease['holder'], 120)}" for lease in seen.facts["leases"] if lease["holder"]]
    first = working[0]
    part, *_others = first.components.values()
    values = {**_values(part), "cm_lease": LEASES["cainjector"], "cm_lease_namespace": DEFAULT_NAMESPACE}
    yield catalogue.WD811.found(Subject("Deployment", part.name, part.namespace), lines, values=values, root="installations of cert-manager")


def _wanted(installation: Installation, kind: str) -> bool:
    part = installation.components.get(kind)
    return part is not None and not part.stopped


def startup_check_failed(cluster: Cluster) -> Iterator[Finding]:
    """WD812. Where calls fail now, what fails them is what it found."""
    seen = cluster.cert_manager
    if any(case.judgement.state is not State.HEALTHY for case in seen.webhook_cases) or not seen.webhook_cases:
        return
    for job in seen.facts.get("jobs") or ():
        if job["ended"]:
            release = next((one.instance for one in seen.installations if one.namespace == job["namespace"]), None)
            version = next((one.webhook.item["version"] for one in seen.installations if one.namespace == job["namespace"] and one.webhook), None)
            lines = [f"Job {job['namespace']}/{job['name']} ended with {job['ended']} after {job['failed']} attempts; created {job['created']}"]
            values = {"cm_namespace": job["namespace"], "cm_job": job["name"], "cm_release": release, "cm_version": version and f"v{version}"}
            yield catalogue.WD812.found(Subject("Job", job["name"], job["namespace"]), lines, values=values)


def version_is_old(cluster: Cluster) -> Iterator[Finding]:
    """WD813."""
    for installation in cluster.cert_manager.installations:
        parts = [part for part in installation.components.values() if part.version and part.version < (1, 20, 0)]
        if parts:
            lines = [f"{part.label}: version {part.item['version']}" for part in parts]
            yield catalogue.WD813.found(Subject("Deployment", parts[0].name, parts[0].namespace), lines, values=_values(parts[0]))


def another_service(case: Case) -> Iterator[Finding]:
    """WD819."""
    if case.callout["webhook"] != WEBHOOK or not case.service or case.service["found"] is not False:
        return
    seen = case.cluster.cert_manager
    installation = seen.installation_of(case)
    webhook = installation.webhook if installation else None
    wanted = f"{case.wanted['namespace']}/{case.wanted['name']}"
    if webhook is None or wanted == f"{webhook.namespace}/{webhook.name}":
        return
    lines = [f"it names Service {wanted}, which does not exist; the webhook is {webhook.label}"]
    expected = f"{webhook.namespace}/{webhook.name}"
    values = {**_values(webhook), "cm_expected": expected}
    yield catalogue.WD819.about(case, lines, cause="service_not_found", severity=_failing(case), values=values).explaining("WD101")


def configuration_is_missing(cluster: Cluster) -> Iterator[Finding]:
    """WD821."""
    seen = cluster.cert_manager
    unread = {entry["what"] for entry in cluster.facts["coverage"]}
    for installation in seen.installations if seen.complete else ():
        webhook = installation.webhook
        if webhook is None or not webhook.runs or webhook.settling or (webhook.version and webhook.version < (0, 14, 0)):
            continue
        for kind in ("mutating", "validating"):
            resource = f"{kind}webhookconfigurations"
            if resource not in unread and not any(case.callout["kind"] == kind for case in seen.webhook_cases):
                lines = [f"{webhook.label} runs; none of the {resource} has an entry {WEBHOOK}"]
                subject = Subject(f"{kind.title()}WebhookConfiguration", webhook.name)
                yield catalogue.WD821.found(subject, lines, values={**_values(webhook), "cm_resource": resource})


def does_not_do_its_work(case: Case) -> Iterator[Finding]:
    """WD814."""
    failed = [probe for probe in case.probes if probe.check and probe.check.get("done") is False]
    if failed and not case.judgement.fails:
        lines = [f"{probe.check['what']}: {clean(probe.check['said'], 300)}" for probe in failed if probe.check]
        refused = any("denied the request" in probe.check["said"] for probe in failed if probe.check)  # so is every other one
        yield catalogue.WD814.about(case, lines, severity=Severity.ERROR if refused else Severity.WARNING, phase="review")


# ---- what the rules share


def _webhook_of(seen: CertManager, case: Case) -> Component | None:
    """The webhook that one of cert-manager's own call-outs is meant to reach."""
    if case.callout["webhook"] != WEBHOOK and not (case.callout["kind"] == "conversion" and of_its_groups(case)):
        return None
    installation = seen.installation_of(case)
    return installation.webhook if installation else None


def _values(part: Component) -> dict[str, object]:
    secret = part.ca_secret or ""
    version = part.item["version"]
    return {
        "cm_namespace": part.namespace,
        "cm_component": part.kind,
        "cm_deployment": part.name,
        "cm_account": part.item["service_account"],
        "cm_release": part.item["instance"] if part.item["helm"] else None,
        "cm_version": f"v{version}" if version else None,
        "cm_secret": secret.partition("/")[2] or None,
        "cm_secret_namespace": secret.partition("/")[0] or None,
    }


def _component(entry: Any, part: Component, lines: list[str], cases: Iterable[Case], severity: Severity | None = None) -> Finding:
    found: Finding = entry.found(Subject("Deployment", part.name, part.namespace), lines, affects=ids(cases), severity=severity, values=_values(part))
    return found


def _injector(entry: Any, part: Component, lines: list[str], needy: list[Case]) -> Finding:
    """A finding about a part that is elected; where cainjector is not at work, the call-outs whose caBundle is not what it must be are its consequence."""
    key = part.lease_key
    lease = {"cm_lease_namespace": key[0], "cm_lease": key[1]} if key else {}
    found: Finding = entry.found(
        Subject("Deployment", part.name, part.namespace),
        [*lines, *_waiting(needy)],
        affects=ids(needy),
        severity=_severity(needy),
        values={**_values(part), **lease},
    )
    return found.explaining(*_NOT_INJECTED)


def _waiting(needy: list[Case]) -> list[str]:
    lines = []
    for case in needy[:3]:
        asked = injection(case)
        empty = "is empty" if not case.callout["ca_bundle"].strip() else "lacks the CA"
        lines.append(f"the caBundle of {case.id} {empty}{f' ({asked[0]}: {clean(asked[1], 120)})' if asked else ''}")
    return lines


def _severity(cases: Iterable[Case]) -> Severity:
    """Error where calls fail closed now, or must (nothing else was seen of them)."""
    found = [of_failure(case.callout, Severity.ERROR) for case in cases if case.judgement.state is not State.HEALTHY]
    return worst(found) if found else Severity.WARNING


def _failing(case: Case) -> Severity:
    return of_failure(case.callout, Severity.ERROR) if case.judgement.fails else Severity.WARNING


CASE_RULES = (
    slept_through_renewal,
    clock_is_ahead,
    certificate_for_other_names,
    probe_asks_another_port,
    no_certificate,
    just_installed,
    leftover_conversion,
    left_over_from_old_versions,
    another_service,
    does_not_do_its_work,
)
CLUSTER_RULES = (
    cainjector_does_not_run,
    not_elected,
    looks_elsewhere,
    annotation_is_wrong,
    ca_is_never_renewed,
    component_does_not_run,
    installed_twice,
    startup_check_failed,
    version_is_old,
    configuration_is_missing,
)
