# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the one who keeps a caBundle is brought to write it: which object, and what is to be done with it. Pure. PRIVATE to the collection.

cainjector:   scaled up where nobody wants it to run; started anew where it runs and has not written; its annotation repaired.
cert-manager: the Secret of its webhook's CA taken away, so that the webhook makes a new one; the webhook started anew where it slept through a renewal.
istiod:       scaled up, started anew, or made responsible by the label istio.io/rev.
certgen:      its Job run again.
Everybody else is told to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._diagnosis.cert_manager import FROM_SECRET, Component, injection
from ..._diagnosis.text import clean, fill
from ..reference import Reference
from ..request import Request
from .certgen import job_names
from .injector import CAINJECTOR, CERTGEN, ISTIOD, injector_of

if TYPE_CHECKING:
    from ..._diagnosis.case import Case
    from ..._diagnosis.mesh import Configuration

SCALE, RESTART, ANNOTATE, LABEL, ROTATE, RUN_AGAIN, MANUAL, WRITE = "scale", "restart", "annotate", "label", "rotate", "run_again", "manual", "write"
# The caBundle is not what it must be, whoever keeps it.
OF_THE_BUNDLE = ("WD301", "WD303", "WD304", "WD306", "WD313", "WD325")
_ENDING = ("WD306", "WD313")
FROM_CERTIFICATE = "cert-manager.io/inject-ca-from"
_ENDED_CAUSES = frozenset({"certificate_expired", "unknown_authority"})


@dataclass(frozen=True)
class Step:
    """how: one of the words above. why: the reason, for people. value: what an annotation or label is to say. proof: must exist for the step to be right.

    settled: whether the observation already decides that the Secret is of no use (ROTATE); otherwise the keys that it has are looked at.
    also: further objects to be read. manual: what a person does (MANUAL, and where the step turns out not to be possible).
    """

    how: str
    target: Reference
    finding: Mapping[str, Any]
    cases: tuple[Case, ...]
    why: str
    value: str = ""
    annotation: str = FROM_SECRET
    proof: Reference | None = None
    settled: bool = False
    also: tuple[Reference, ...] = ()
    manual: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[Reference, ...]:
        return (self.target, *([self.proof] if self.proof else ()), *self.also) if self.how not in (MANUAL, WRITE) else ()


def steps(request: Request, codes: Iterable[str]) -> Iterator[Step]:
    """What is to be done about each finding."""
    special = {
        "WD326": _annotation_names_nobody,
        "WD801": _cainjector_does_not_run,
        "WD804": _annotation_is_wrong,
        "WD805": _ca_is_never_renewed,
        "WD806": _slept_through_renewal,
        "WD808": _has_no_certificate,
        "WD854": _istiod_has_not_written,
    }
    for finding in request.of(*codes):
        yield from special.get(finding["code"], _bundle_is_wrong)(request, finding)


def deployment(component: Component) -> Reference:
    return Reference("apps/v1", "Deployment", component.name, component.namespace)


def object_of(case: Case) -> Reference:
    about = case.callout["object"]
    return Reference(about["api_version"], about["kind"], about["name"])


def _manual(finding: Mapping[str, Any], target: Reference, cases: Iterable[Case], why: str, steps_: Iterable[str] = ()) -> Step:
    return Step(MANUAL, target, finding, tuple(cases), why, manual=tuple(steps_) or tuple(finding["remedy"]["manual"]))


# ---- cainjector and its annotation


def _cainjector_does_not_run(request: Request, finding: Mapping[str, Any]) -> Iterator[Step]:
    subject, cases = finding["subject"], request.cases(finding)
    target = Reference("apps/v1", "Deployment", subject["name"], subject["namespace"])
    found = [one for one in request.cluster.cert_manager.components(CAINJECTOR) if deployment(one) == target]
    if not found:
        install = fill("helm upgrade {release} jetstack/cert-manager -n {namespace} --reuse-values --set cainjector.enabled=true", _release(request, subject))
        steps_ = ("# Install it with the tool that installed cert-manager; the chart's value is cainjector.enabled: true.", *([install] if install else ()))
        yield _manual(finding, target, cases, "there is no cainjector in the cluster that could be brought back", steps_)
    elif found[0].stopped:
        yield Step(SCALE, target, finding, tuple(cases), f"{found[0].label} is scaled to nothing; it writes all caBundles within seconds of its start")
    else:
        yield _manual(finding, target, cases, f"it is meant to run and does not: {found[0].state_line()}")


def _release(request: Request, subject: Mapping[str, Any]) -> dict[str, object]:
    items = [one.item for one in request.cluster.cert_manager.components("webhook") if one.namespace == subject["namespace"] and one.item["helm"]]
    return {"release": items[0]["instance"], "namespace": items[0]["namespace"]} if items else {}


def _annotation_is_wrong(request: Request, finding: Mapping[str, Any]) -> Iterator[Step]:
    for case in request.cases(finding):
        installation = request.cluster.cert_manager.installation_of(case)
        secret = installation.webhook.ca_secret if installation and installation.webhook else None
        if secret:
            yield Step(
                ANNOTATE, object_of(case), finding, (case,), f"cert-manager's webhook keeps its CA in Secret {secret}; cainjector writes it from there", secret
            )


def _annotation_names_nobody(request: Request, finding: Mapping[str, Any]) -> Iterator[Step]:
    """A Certificate without its namespace is looked for where the Service is; anything else that is not there only a person can decide."""
    for case in request.cases(finding):
        annotation, value = injection(case) or ("", "")
        namespace = case.wanted.get("namespace")
        if annotation == FROM_CERTIFICATE and "/" not in value and namespace:
            proof = Reference("cert-manager.io/v1", "Certificate", value, namespace)
            why = f"cainjector wants <namespace>/<name>; Certificate {namespace}/{value} is there"
            manual = tuple(finding["remedy"]["manual"])
            yield Step(ANNOTATE, object_of(case), finding, (case,), why, f"{namespace}/{value}", annotation, proof, manual=manual)
        else:
            said = f"the annotation says {annotation}: {clean(value, 200)}" if annotation else "the source that is named cannot be used"
            yield _manual(finding, object_of(case), (case,), f"{said}, and what it should say instead is not known here")


# ---- the CA of cert-manager's webhook


def _webhook_of(request: Request, cases: Iterable[Case]) -> Component | None:
    seen = request.cluster.cert_manager
    return next((one.webhook for case in cases if (one := seen.installation_of(case)) and one.webhook), None)


def _rotation(request: Request, finding: Mapping[str, Any], webhook: Component, why: str, settled: bool) -> Step:
    namespace, dummy, name = str(webhook.ca_secret).partition("/")
    return Step(
        ROTATE,
        Reference("v1", "Secret", name, namespace),
        finding,
        tuple(request.cases(finding)),
        why,
        settled=settled,
        manual=tuple(finding["remedy"]["manual"]),
    )


def _ca_is_never_renewed(request: Request, finding: Mapping[str, Any]) -> Iterator[Step]:
    cases = request.cases(finding)
    webhook = _webhook_of(request, cases)
    if webhook is None or webhook.ca_secret is None:
        return
    failing = any(case.judgement.fails and case.judgement.cause in (*_ENDED_CAUSES, "no_ready_endpoints") for case in cases)
    left = [one.days_left for case in cases for one in case.bundle if one.days_left is not None]
    version = f"{webhook.label} is of version {webhook.item['version']}, which does not renew its CA"
    if failing or (left and max(left) <= request.cluster.warn_days):
        ends = f"; it ends in {max(left):.0f} days" if left and max(left) >= 0 else "; it has ended" if left else ""
        yield _rotation(request, finding, webhook, f"{version}{ends}. Without the Secret the webhook makes a new one within seconds", True)
    else:
        why = f"{version}; it is valid for {max(left):.0f} more days" if left else version
        yield _manual(finding, deployment(webhook), cases, f"{why}: upgrade before it ends", ("# Upgrade cert-manager to 1.15.3 or later.",))


def _slept_through_renewal(request: Request, finding: Mapping[str, Any]) -> Iterator[Step]:
    cases = request.cases(finding)
    webhook = _webhook_of(request, cases)
    if webhook:
        yield Step(
            RESTART, deployment(webhook), finding, tuple(cases), "a webhook that starts makes a new certificate at once; CA and caBundle stay as they are"
        )


def _has_no_certificate(request: Request, finding: Mapping[str, Any]) -> Iterator[Step]:
    cases = request.cases(finding)
    webhook = _webhook_of(request, cases)
    if webhook is None or webhook.ca_secret is None:
        return
    unusable = [source.message for case in cases for source in case.ca_sources if source.state == "unusable" and source.message]
    why = f"the webhook cannot make a certificate from Secret {webhook.ca_secret}; without it, it makes a new one within seconds"
    yield _rotation(request, finding, webhook, f"{why} ({unusable[0]})" if unusable else why, bool(unusable))


# ---- istiod


def _istiod_has_not_written(request: Request, finding: Mapping[str, Any]) -> Iterator[Step]:
    affected = set(finding["affects"])
    for configuration in request.cluster.mesh.configurations:
        if affected & {case.id for case in configuration.cases}:
            yield _of_istio(request, finding, configuration)


def _of_istio(request: Request, finding: Mapping[str, Any], configuration: Configuration) -> Step:
    mesh = request.cluster.mesh
    lines, values = mesh.responsible_for(configuration)
    target = object_of(configuration.cases[0])
    if mesh.is_gone(configuration):
        return _manual(finding, target, configuration.cases, "it has outlived its istiod; stale_webhooks looks after that")
    if values.get("right_revision"):
        return Step(
            LABEL, target, finding, configuration.cases, f"{lines[0]}; the istiod of that revision writes it within seconds", str(values["right_revision"])
        )
    if "istiod" not in values:
        return _manual(finding, target, configuration.cases, lines[0])
    istiod = Reference("apps/v1", "Deployment", str(values["istiod"]), str(values["istiod_namespace"]))
    seen = next(one for one in mesh.control_planes or () if (one["namespace"], one["name"]) == (istiod.namespace, istiod.name))
    if seen["ready"]:
        return Step(RESTART, istiod, finding, configuration.cases, f"{lines[0]}: it has lost its watch, or what it knew; an istiod that starts writes it")
    if not seen["replicas"]:
        return Step(SCALE, istiod, finding, configuration.cases, f"{lines[0]}: it is scaled to nothing")
    return _manual(finding, istiod, configuration.cases, lines[0])


# ---- any caBundle


def _bundle_is_wrong(request: Request, finding: Mapping[str, Any]) -> Iterator[Step]:
    for case in request.cases(finding):
        injector = injector_of(case)
        if injector is None:
            yield Step(WRITE, object_of(case), finding, (case,), "nobody in the cluster writes this caBundle")
        elif injector.kind == CAINJECTOR:
            yield _by_cainjector(request, finding, case)
        elif injector.kind == ISTIOD:
            yield from (_of_istio(request, finding, one) for one in request.cluster.mesh.configurations if case.id in {other.id for other in one.cases})
        elif injector.kind == CERTGEN:
            yield _by_certgen(finding, case, injector.words)
        else:
            yield _manual(finding, object_of(case), (case,), f"{injector.words} writes this caBundle, and would put back what is patched here", injector.advice)


def _by_cainjector(request: Request, finding: Mapping[str, Any], case: Case) -> Step:
    seen = request.cluster.cert_manager
    webhook = _webhook_of(request, (case,)) if any(case.id == own.id for own in seen.own_cases) else None
    lagging = any(source.is_absent_from(case) for source in case.ca_sources)
    if finding["code"] in _ENDING and not lagging:
        if webhook and webhook.ca_secret:
            return _rotation(
                request, finding, webhook, "the CA of cert-manager's webhook should have been renewed long ago. Without the Secret it makes a new one", True
            )
        return _manual(finding, object_of(case), (case,), "the source of this caBundle has no newer CA: it has to be renewed there, and is injected then")
    for source in case.ca_sources:
        if source.state in ("missing", "unusable"):
            return _manual(finding, object_of(case), (case,), f"{source.claim} cannot be injected: {source.message}")
        if source.state == "read" and source.trusts and not source.vouches:
            why = f"the CA of {source.claim} does not vouch for what is served either: the server has another certificate loaded than that one"
            pods = fill("kubectl -n {namespace} rollout restart deployment", {"namespace": case.wanted.get("namespace")})
            return _manual(
                finding, object_of(case), (case,), why, ("# Start what serves it anew, so that it loads its certificate:", *([pods] if pods else ()))
            )
    running = next((one for one in seen.components(CAINJECTOR) if one.runs), None)
    if running is None:
        return _manual(finding, object_of(case), (case,), "cainjector is to write this caBundle, and none runs")
    return Step(RESTART, deployment(running), finding, (case,), f"{running.label} runs and has not brought the caBundle of {object_of(case).words} up to date")


def _by_certgen(finding: Mapping[str, Any], case: Case, writer: str) -> Step:
    about, namespace = case.callout["object"], str(case.wanted.get("namespace"))
    create, patch = (Reference("batch/v1", "Job", name, namespace) for name in job_names(about["name"]))
    missing = any(source.state == "missing" for source in case.ca_sources)
    chart = "ingress-nginx/ingress-nginx" if "ingress" in writer else "prometheus-community/kube-prometheus-stack"
    values = {
        "release": about["annotations"].get("meta.helm.sh/release-name") or about["labels"].get("app.kubernetes.io/instance"),
        "namespace": about["annotations"].get("meta.helm.sh/release-namespace") or namespace,
        "chart": chart,
    }
    helm = fill("helm upgrade {release} {chart} -n {namespace} --version <installed version> --reuse-values", values)
    manual = (f"# {writer} runs as a hook of Helm, whose Job is gone by now. An upgrade to the same version runs it again:", *([helm] if helm else ()))
    why = f"{writer} writes this caBundle from its Secret when its Job runs"
    return Step(RUN_AGAIN, create if missing else patch, finding, (case,), why, also=(patch,) if missing else (), manual=manual)
