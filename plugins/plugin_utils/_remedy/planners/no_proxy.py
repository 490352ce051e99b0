# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""no_proxy, as far as it lies in the Kubernetes API: the proxy variables of cert-manager's Deployments. Pure. PRIVATE to the collection.

NO_PROXY gets what `missing_no_proxy` says, after what is there; a proxy is given only if one is named. Go reads NO_PROXY and, where that is empty, no_proxy;
other programs read the other one first, so that where both are there both are kept alike. What a ConfigMap or Secret gives is not overwritten: the Deployment
would then hide it from whoever looks after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..._diagnosis.acme import Pod, host_of
from ..._diagnosis.rules.acme_challenges import behind_the_proxy
from ..._no_proxy.missing import merged, missing_no_proxy
from ..._no_proxy.needs import Need
from ..change import Change, Risk, Values
from ..edit import Edit, pointer
from ..planner import Planner
from ..reference import Reference
from ..request import InvalidOption, Request

if TYPE_CHECKING:
    from ..._diagnosis.acme import Acme

ROLE = "no_proxy"
PROXY_NEEDED, CLUSTER_MISSING, CHALLENGES = "WD831", "WD832", "WD839"
CODES = (PROXY_NEEDED, CLUSTER_MISSING, CHALLENGES)
_HTTP = 80  # the self check of HTTP-01 asks there
_FROM_OUTSIDE = "A domain that can be reached from outside only does not belong here: leave it out of NO_PROXY and permit it at the proxy."
# Until a controller that was started anew has looked at its issuers and challenges again.
_PATIENCE = 180
# The chart's own values reach the controller alone.
_EXTRA_ENV = {"webhook": "webhook.extraEnv", "cainjector": "cainjector.extraEnv"}


@dataclass
class _Job:
    """What one Deployment is to get. pod: one of its pods, as it was observed; the replicas are alike."""

    pod: Pod
    codes: dict[str, None] = field(default_factory=dict)
    fingerprints: dict[str, None] = field(default_factory=dict)
    needs: list[Need] = field(default_factory=list)
    proxies: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def because(self, finding: Mapping[str, Any]) -> None:
        self.codes[finding["code"]] = None
        self.fingerprints[finding["fingerprint"]] = None


class _Elsewhere(Exception):
    """A variable has its value from somewhere else than the Deployment. The text says from where."""


def reads(request: Request) -> Iterator[Reference]:
    jobs, dummy = _wanted(request)
    return iter(list(jobs))


def plan(request: Request) -> Iterator[Change]:
    jobs, refused = _wanted(request)
    for reference, job in jobs.items():
        change = _change(request, reference, job)
        if change:
            yield change
    yield from refused


def _wanted(request: Request) -> tuple[dict[Reference, _Job], list[Change]]:
    """(Deployment -> what it is to get, what only a person can do)."""
    acme = request.cluster.acme
    entries, proxies = _entries(request), _proxies(request)
    jobs: dict[Reference, _Job] = {}
    refused: list[Change] = []

    def job_of(pod: Pod) -> _Job | None:
        reference = _deployment(request, pod)
        return jobs.setdefault(reference, _Job(pod)) if reference else None

    for finding in request.of(*CODES):
        for pod in _concerned(acme, finding):
            job = job_of(pod)
            if job is None:
                alone = Reference("v1", "Pod", pod.facts["name"], pod.facts["namespace"])
                refused.append(_manual(alone, f"{pod.label} belongs to no Deployment, so its variables are set where it is made", (finding,)))
            elif finding["code"] == PROXY_NEEDED:
                problem = _proxy_needed(request, job, finding, proxies)
                if problem:
                    refused.append(problem)
            else:
                job.because(finding)
                if finding["code"] == CHALLENGES:
                    domains = dict.fromkeys(behind_the_proxy(request.cluster))
                    job.needs += [Need(domain, _HTTP, domain, f"the self check of challenges for {domain}") for domain in domains]
                    job.notes.append(_FROM_OUTSIDE)
    if entries:
        for pod in acme.pods:
            if pod.proxy:
                job = job_of(pod)
                if job:
                    job.needs += entries
    for job in jobs.values():
        job.needs = [*acme.needs(job.pod), *job.needs, *(entries if job.proxies else ())]
    return {reference: jobs[reference] for reference in sorted(jobs) if jobs[reference].codes or entries}, refused


def _concerned(acme: Acme, finding: Mapping[str, Any]) -> list[Pod]:
    if finding["code"] == CLUSTER_MISSING:
        return [pod for pod in acme.pods if pod.api_through_proxy]
    return [acme.controller] if acme.controller else []


def _deployment(request: Request, pod: Pod) -> Reference | None:
    """By the labels that pod and Deployment share; by the pod's owner where the Deployments were not read."""
    facts = pod.facts
    alike = [
        one["name"]
        for one in request.cluster.cert_manager.facts.get("deployments") or ()
        if (one["namespace"], one["component"], one["instance"]) == (facts["namespace"], facts["component"], facts["instance"])
    ]
    # Two of one instance: the owner tells which.
    name = facts["workload"] if facts["workload"] in alike or not alike else alike[0] if len(alike) == 1 else facts["workload"]
    return Reference("apps/v1", "Deployment", name, facts["namespace"]) if name else None


def _proxy_needed(request: Request, job: _Job, finding: Mapping[str, Any], proxies: Mapping[str, str]) -> Change | None:
    """WD831: what has to be decided by a person; None where the job was given what it needs."""
    acme, pod = request.cluster.acme, job.pod
    reference = _issuer(finding)
    if pod.proxy:
        hosts = sorted({host_of(issuer["server"]) for issuer in acme.issuers})
        entries = list(dict.fromkeys(entry for host in hosts for entry in pod.exempting(host)))
        reason = (
            f"the proxy is there, and NO_PROXY of {pod.label} excepts the ACME server from it by {', '.join(entries)}; nothing is taken out of NO_PROXY here"
        )
        return _manual(reference, reason, (finding,), *finding["remedy"]["manual"])
    if "HTTPS_PROXY" not in proxies:
        others = acme.proxies_elsewhere
        known = f"; {others[0][0]} uses {others[0][1]}" if others else ""
        reason = f"which proxy the controller is to use is yours to say{known}"
        return _manual(
            reference, reason, (finding,), "# Run it with -e no_proxy_https_proxy=http://<proxy>:<port>; what the cluster itself needs is excepted with it."
        )
    job.because(finding)
    job.proxies.update(proxies)
    return None


def _change(request: Request, reference: Reference, job: _Job) -> Change | None:
    findings = [finding for finding in request.findings if finding["fingerprint"] in job.fingerprints]
    deployment = request.read(reference)
    if deployment is None:
        error = request.unreadable(reference)
        return _manual(reference, error, findings, *_by_hand(reference, merged(job.pod.no_proxy, job.needs), job.proxies)) if error else None
    edit = Edit(deployment)
    containers = edit.get("/spec/template/spec/containers", [])
    # As the observation chooses it (observers/acme.py).
    position = next((number for number, one in enumerate(containers) if one["name"] == f"cert-manager-{job.pod.facts['component']}"), 0)
    try:
        value, words = _set_variables(edit, position, job)
    except _Elsewhere as error:
        reason = f"{error}; it is not overwritten here"
        wanted = ",".join(need.entry for need in job.needs)
        return _manual(
            reference,
            reason,
            findings,
            f"# Add there, as far as they are missing: {wanted}",
            *([f"# And: {' '.join(f'{name}={proxy}' for name, proxy in job.proxies.items())}"] if job.proxies else []),
            f"kubectl -n {reference.namespace} rollout restart deployment/{reference.name}",
        )
    if not edit:
        return None
    return Change(
        remedy=ROLE,
        codes=tuple(sorted(job.codes)),
        fingerprints=tuple(sorted(job.fingerprints)),
        target=reference,
        action="patch",
        edit=edit,
        reason="; ".join(words),
        risk=Risk.MEDIUM,
        callouts=tuple(case.id for case in request.cluster.cert_manager.own_cases) if job.pod.facts["component"] == "webhook" else (),
        rollout=True,
        patience=_PATIENCE,
        values=_values(job, value),
        notes=tuple(dict.fromkeys(job.notes)),
    )


def _set_variables(edit: Edit, position: int, job: _Job) -> tuple[str, list[str]]:
    """(NO_PROXY as it is to be, what changes in words). Raises _Elsewhere."""
    container = pointer("spec", "template", "spec", "containers", position)
    where = edit.get(container)
    env = list(where.get("env") or ())
    # Of a name that is there twice the last one counts.
    last = {one["name"]: number for number, one in enumerate(env)}
    for name in ("NO_PROXY", "no_proxy", *job.proxies, *(proxy.lower() for proxy in job.proxies)):
        if name in last and env[last[name]].get("valueFrom"):
            raise _Elsewhere(f"{name} of container {where['name']} comes from {_source(env[last[name]]['valueFrom'])}")
    if where.get("envFrom") and not {"NO_PROXY", "no_proxy"} & set(last):
        sources = ", ".join(_source(one) for one in where["envFrom"])
        raise _Elsewhere(f"container {where['name']} has variables from {sources}, NO_PROXY perhaps among them")
    there = [name for name in ("NO_PROXY", "no_proxy") if name in last]
    given = {name: str(env[last[name]].get("value") or "") for name in there}
    # Go takes the first that is not empty; what only the other one holds is kept, too.
    first = next((value for value in given.values() if value), "")
    everything = merged(first, [*(Need(entry, None, entry, "") for entry in _only_in_others(first, given.values())), *job.needs])
    value = everything if missing_no_proxy(first, job.needs) else first
    edit.anchor(f"{container}/name")
    words = []
    if value != first:
        added = [need.entry for need in missing_no_proxy(first, job.needs)]
        words.append(f"{where['name']} reaches {', '.join(added)} without the proxy")
        for name in there:
            _replace(edit, container, last[name], name, value)
        if not there:
            _add(edit, container, "NO_PROXY", value)
    for name, proxy in job.proxies.items():
        held = next((one for one in (name, name.lower()) if one in last), None)
        if held is None:
            _add(edit, container, name, proxy)
        elif env[last[held]].get("value"):
            continue  # it has one, which is not shown here
        else:
            _replace(edit, container, last[held], held, proxy)
        words.append(f"{where['name']} uses the proxy {proxy} ({name})")
    return value, words


def _only_in_others(first: str, values: Any) -> list[str]:
    known = {entry.strip() for entry in first.split(",")}
    return [entry.strip() for value in values for entry in value.split(",") if entry.strip() and entry.strip() not in known]


def _replace(edit: Edit, container: str, position: int, name: str, value: str) -> None:
    path = f"{container}/env/{position}"
    edit.anchor(f"{path}/name")
    edit.set(f"{path}/value", value)


def _add(edit: Edit, container: str, name: str, value: str) -> None:
    """At the end, for the list holds values that were not read and so cannot be written again."""
    if edit.get(f"{container}/env") is None:
        edit.set(f"{container}/env", [{"name": name, "value": value}])
    else:
        edit.set(f"{container}/env/-", {"name": name, "value": value})


def _source(said: Mapping[str, Any]) -> str:
    """`ConfigMap proxy-settings, key no_proxy` of a valueFrom or an item of envFrom."""
    for field_, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret"), ("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        if said.get(field_):
            key = said[field_].get("key")
            return f"{kind} {said[field_].get('name')}{f', key {key}' if key else ''}"
    return "a field of the pod"


def _values(job: _Job, no_proxy: str) -> tuple[Values, ...]:
    """The same for cert-manager's chart."""
    wanted = {"no_proxy": no_proxy, **{name.lower(): proxy for name, proxy in job.proxies.items()}}
    component = job.pod.facts["component"]
    if component == "controller":
        return (Values("cert-manager", wanted),)
    items = [{"name": name.upper(), "value": value} for name, value in wanted.items()]
    note = f"{_EXTRA_ENV[component]} is a list: keep what it holds besides. The values no_proxy and https_proxy reach the controller alone."
    return (Values("cert-manager", {_EXTRA_ENV[component]: items}, note),)


def _by_hand(reference: Reference, no_proxy: str, proxies: Mapping[str, str]) -> tuple[str, ...]:
    words = " ".join(f"{name}={value}" for name, value in {**proxies, "NO_PROXY": no_proxy}.items())
    return (f"kubectl -n {reference.namespace} set env deployment/{reference.name} {words}",)


def _manual(reference: Reference, reason: str, findings: Any, *steps: str) -> Change:
    return Change(
        remedy=ROLE,
        codes=tuple(sorted({finding["code"] for finding in findings})),
        fingerprints=(),
        target=reference,
        action="manual",
        reason=reason,
        manual=steps or tuple(step for finding in findings for step in finding["remedy"]["manual"]),
    )


def _issuer(finding: Mapping[str, Any]) -> Reference:
    """The issuer that WD831 is about."""
    subject = finding["subject"]
    return Reference("cert-manager.io/v1", subject["kind"], subject["name"], subject["namespace"])


def _entries(request: Request) -> list[Need]:
    """Raises InvalidOption."""
    given = request.options["entries"]
    if not isinstance(given, (list, tuple)):
        raise InvalidOption(f"entries is {given!r}. Expected a list of hosts, addresses and CIDRs.")
    needs = []
    for entry in given:
        # One string with commas is what people have; it is a list all the same.
        for part in str(entry).split(","):
            try:
                need = Need.of(part)
            except ValueError as error:
                raise InvalidOption(f"entries holds {entry!r}: {error}.") from error
            needs.append(Need(need.host, need.port, part.strip(), "as asked for"))
    return needs


def _proxies(request: Request) -> dict[str, str]:
    """HTTPS_PROXY and HTTP_PROXY that are given. Raises InvalidOption."""
    found = {}
    for option in ("https_proxy", "http_proxy"):
        given = request.options[option]
        if not given:
            continue
        problem = _problem_of(str(given))
        if problem:
            raise InvalidOption(f"{option} {problem}")
        found[option.upper()] = str(given)
    return found


def _problem_of(proxy: str) -> str | None:
    expected = "Expected http://<host>:<port>."
    try:
        url = urlsplit(proxy)
        dummy = url.port
    except ValueError:
        return f"is no URL. {expected}"
    if url.username is not None or url.password is not None:
        return (
            "holds a user or password, which would stand in the Deployment, the plan and the journal. "
            f"{expected} With a password: put the URL into a Secret and let the container's env take it from there (valueFrom)."
        )
    return None if url.scheme in ("http", "https", "socks5") and url.hostname else f"is {proxy!r}. {expected}"


PLANNER = Planner(ROLE, CODES, reads, plan, {"entries": [], "https_proxy": "", "http_proxy": ""})
