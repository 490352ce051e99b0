# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD854 to WD856, WD859, WD861: whether istiod looks after its own webhooks. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.istio_names import cluster_role

from ..catalogue import istio as catalogue
from ..checked import moment
from ..evidence import RECENT
from ..finding import Entry, Finding, Subject
from ..judgement import State
from ..mesh import DEFAULT_VALIDATOR, Configuration, Mesh
from ..severity import of_failure, worst
from ..text import listing

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster import Cluster

# istiod patches within seconds, and begins to validate when it is ready.
_PATCHED_BY_NOW, _VALIDATING_BY_NOW = timedelta(minutes=1), timedelta(minutes=10)
# Field managers that put back what they apply.
_OWNERS = {
    "argocd": "Argo CD",
    "helm": "Helm",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
    "kubectl": "kubectl apply",
    "sail": "the Sail operator",
}
# However calls of a remainder fail, they fail because it is one.
_OF_A_REMAINDER = ("WD101", "WD102", "WD103", "WD104", "WD105", "WD201", "WD210", "WD211", "WD212", "WD301", "WD303", "WD304", "WD307", "WD313", "WD861")
_NEEDED = (
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", ("list", "watch", "patch|update")),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", ("list", "watch", "update")),
    ("networking.istio.io", "virtualservices", ("list", "watch")),
)


def webhooks_of_istio(cluster: Cluster) -> Iterator[Finding]:
    mesh = cluster.mesh
    if not mesh.present:
        return
    forbidden = list(_forbidden(mesh))
    yield from forbidden
    told = {callout for finding in forbidden for callout in finding.affects}
    for configuration in mesh.configurations:
        gone = mesh.is_gone(configuration)
        if gone:
            yield _outlived(mesh, configuration, gone)
        elif not told & {case.id for case in configuration.cases}:
            yield from _not_patched(mesh, configuration)
            yield from _fails_open(mesh, configuration)
    yield from _conflicts(mesh)


def _found(entry: Entry, configuration: Configuration, cases: Sequence[Case], because: Sequence[str], values: Mapping[str, object]) -> Finding:
    return entry.found(
        Subject(kind=configuration.kind, name=configuration.name),
        because,
        affects=[case.id for case in cases],
        severity=worst(of_failure(case.callout, entry.severity) for case in cases),
        values={**cases[0].values, **values},
    )


# ---- WD855


def _outlived(mesh: Mesh, configuration: Configuration, gone: Sequence[str]) -> Finding:
    rest = mesh.remainder(configuration)
    live, namespaces, workloads, retarget = rest.live, rest.namespaces, rest.workloads, rest.retarget
    values = {
        "tag": configuration.tag,
        "default_tag": "default" if configuration.name == DEFAULT_VALIDATOR else None,
        "live_revision": live,
        "selecting": listing([*namespaces, *workloads]) if (namespaces or workloads) and not retarget else None,
        "selecting_namespace": namespaces[0] if namespaces and not retarget else None,
        "removable": configuration.name if rest.removable else None,
    }
    because = [
        *gone,
        f"{'it is the tag ' + configuration.tag + ', and its' if configuration.tag else 'its'} label istio.io/rev is {configuration.revision or 'missing'}",
        f"still asked for by {listing([*namespaces, *workloads])}" if namespaces or workloads else "",
        "no namespace and no pod that was seen asks for it" if configuration.mutating and not namespaces and not workloads else "",
    ]
    finding = _found(catalogue.WD855, configuration, configuration.cases, because, values)
    return finding.explaining(*_OF_A_REMAINDER)


# ---- WD854, WD856


def _not_patched(mesh: Mesh, configuration: Configuration) -> Iterator[Finding]:
    if configuration.service is None or configuration.deactivated or _younger(mesh, configuration, _PATCHED_BY_NOW):
        return
    cases = [case for case in configuration.cases if _is_empty(case)]
    if not cases:
        return
    reason, values = mesh.responsible_for(configuration)
    owner = _owner(configuration)
    because = [*(case.judgement.because[0] for case in cases[:1] if case.judgement.fails and case.judgement.because), "the caBundle is empty", *reason]
    because += [f"{owner} has written the object"] if owner and "right_revision" not in values else []
    finding = _found(catalogue.WD854, configuration, cases, because, {**values, "owner": owner if "right_revision" not in values else None})
    yield finding.explaining("WD303")


def _is_empty(case: Case) -> bool:
    """Without a caBundle, a Service that has somebody behind it, and nothing that says that calls work all the same."""
    healthy = case.judgement.state is State.HEALTHY and case.judgement.decided_by == "apiserver"
    return not case.callout["ca_bundle"].strip() and not case.callout["ca_bundle_error"] and not case.without_endpoints and not healthy


def _fails_open(mesh: Mesh, configuration: Configuration) -> Iterator[Finding]:
    if configuration.mutating or configuration.service is None or _younger(mesh, configuration, _VALIDATING_BY_NOW):
        return
    cases = [case for case in configuration.cases if case.callout["failure_policy"] == "Ignore" and case.callout["ca_bundle"].strip()]
    if not cases or any(case.without_endpoints for case in cases):
        return
    reason, values = mesh.responsible_for(configuration)
    owner = _owner(configuration)
    because = [f"failurePolicy is Ignore, and the configuration is from {cases[0].callout['object']['created']}", *reason]
    because += [f"{owner} has written the object"] if owner else []
    yield _found(catalogue.WD856, configuration, cases, because, {**values, "owner": owner})


def _younger(mesh: Mesh, configuration: Configuration, age: timedelta) -> bool:
    created = configuration.cases[0].callout["object"]["created"]
    return created is None or mesh.cluster.observed - moment(created) < age


def _owner(configuration: Configuration) -> str | None:
    """Who else writes the object, and would write it again."""
    about = configuration.cases[0].callout["object"]
    if any(key.startswith("argocd.argoproj.io/") for key in about["annotations"]):
        return "Argo CD"
    if any(key.startswith(("kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/")) for key in (*about["annotations"], *about["labels"])):
        return "Flux"
    return next((owner for manager in about["managers"] for word, owner in _OWNERS.items() if word in manager.lower()), None)


# ---- WD859


def _forbidden(mesh: Mesh) -> Iterator[Finding]:
    """One finding for each istiod that is refused something."""
    refused = [item for item in mesh.facts.get("refused") or () if _is_current(mesh, item)]
    for control_plane in mesh.control_planes or ():
        account = f"system:serviceaccount:{control_plane['namespace']}:{control_plane['account']}"
        texts = [item for item in refused if f'"{account}"' in item["text"]]
        gaps = list(_gaps(mesh, control_plane))
        if not texts and not gaps:
            continue
        revision = control_plane["revision"] or "default"
        undone = [case for one in mesh.configurations if one.revision == revision for case in one.cases if _is_empty(case) and case.in_cluster]
        because = [
            *(f"{item['object']['kind']} {item['object']['name']}: {item['text']}" for item in texts[:4]),
            *gaps,
            *(f"the caBundle of {name} is empty" for name in dict.fromkeys(case.callout["object"]["name"] for case in undone)),
        ]
        finding = catalogue.WD859.found(
            Subject(kind="Deployment", namespace=control_plane["namespace"], name=control_plane["name"]),
            because,
            affects=[case.id for case in undone],
            phase="tls" if undone else None,
            values={"istiod": control_plane["name"], "istiod_namespace": control_plane["namespace"], "account": control_plane["account"]},
        )
        yield finding.explaining("WD303")


def _is_current(mesh: Mesh, item: Mapping[str, Any]) -> bool:
    return item["last"] is None or mesh.cluster.observed - moment(item["last"]) <= RECENT


def _gaps(mesh: Mesh, control_plane: Mapping[str, Any]) -> Iterator[str]:
    """What the chart's ClusterRole and binding do not grant. Where both are missing others may grant it: then nothing is said."""
    name = cluster_role(control_plane["revision"], control_plane["namespace"])
    known = {item["kind"]: item for item in mesh.facts.get("roles") or () if item["name"] == name}
    role, binding = known.get("ClusterRole"), known.get("ClusterRoleBinding")
    if not role or not binding or None in (role["found"], binding["found"]) or not (role["found"] or binding["found"]):
        return
    account = f"{control_plane['namespace']}/{control_plane['account']}"
    if not binding["found"]:
        yield f"ClusterRole {name} exists, and ClusterRoleBinding {name}, which should give it to {account}, does not"
    elif account not in binding["subjects"] or binding["role"] != name:
        yield f"ClusterRoleBinding {name} does not give ClusterRole {name} to {account}"
    elif not role["found"]:
        yield f"ClusterRoleBinding {name} exists, and its ClusterRole does not"
    else:
        for group, resource, verbs in _NEEDED:
            lacking = [verb for verb in verbs if not any(_grants(role["rules"], group, resource, one) for one in verb.split("|"))]
            if lacking:
                yield f"ClusterRole {name} does not grant {', '.join(lacking).replace('|', ' or ')} of {resource}.{group}"


def _grants(rules: Sequence[Mapping[str, Any]], group: str, resource: str, verb: str) -> bool:
    return any({group, "*"} & set(rule["groups"]) and {resource, "*"} & set(rule["resources"]) and {verb, "*"} & set(rule["verbs"]) for rule in rules)


# ---- WD861


def _conflicts(mesh: Mesh) -> Iterator[Finding]:
    by_name = {one.name: one for one in mesh.configurations}
    for text in mesh.cluster.texts:
        configuration = by_name.get(str(text.said["names"].get("configuration")))
        if text.said["code"] == "WD861" and text.current and configuration:
            finding = _found(catalogue.WD861, configuration, configuration.cases, [text.line()], {})
            yield finding


CASE_RULES = ()
CLUSTER_RULES = (webhooks_of_istio,)
