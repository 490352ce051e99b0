# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""webhook_network: the way to a webhook's pods, as far as it is made of objects of the API: port, hostNetwork, NetworkPolicy, targetPort, probe.
Pure. PRIVATE to the collection.

What is done about which finding is the table of network/wanted.py. Firewalls and security groups are outside of the API: their findings print commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..._diagnosis.network_policy import ADMITTED, REFUSED, UNSURE, admitting
from ..change import Change, Risk, Values
from ..edit import Edit, pointer
from ..network import node_room
from ..network.moving import ROLE, Move
from ..network.parameters import Parameters
from ..network.pod_ports import named, probed
from ..network.policies import KIND, VERSION, admit_also, policies_of
from ..network.refused import Refused
from ..network.services import evident
from ..network.target import DEPLOYMENTS, Target, config_maps, target_of
from ..network.wanted import BY_CODE, HOST_NETWORK, LOST, MODES, OF_DEPLOYMENTS, POLICY, PROBE, TARGET_PORT, Want, wants
from ..planner import Planner, Wanted
from ..reference import Reference, Selection
from ..request import Request

CODES = tuple(sorted({*BY_CODE, *LOST}))


def reads(request: Request) -> Iterator[Wanted]:
    wanted = wants(request, Parameters.of(request.options["deployment"]))
    if _on_nodes(wanted):
        yield from node_room.wanted(request)
    for want in wanted:
        if want.remedy == POLICY:
            yield _policy(want)
            continue
        yield _service(want)
        if want.remedy not in OF_DEPLOYMENTS:
            continue
        yield _scope(wanted, want)
        yield policies_of(want.namespace)
        if any(one.namespace == want.namespace and one.argument("config") for one in request.cluster.cert_manager.components("webhook")):
            yield config_maps(want.namespace)


def plan(request: Request) -> Iterator[Change]:
    parameters = Parameters.of(request.options["deployment"])
    wanted = wants(request, parameters)
    moves: dict[Reference, list[tuple[Target, Want]]] = {}
    refusals: list[Change] = []
    for want in wanted:
        try:
            if want.remedy == TARGET_PORT:
                yield from _mean_the_port(request, want)
            elif want.remedy != POLICY:
                target = target_of(request, want.way, _scope(wanted, want), parameters)
                if not (want.asked and parameters) or target.reference.name == parameters.name:
                    moves.setdefault(target.reference, []).append((target, want))
        except Refused as refused:
            refusals.append(_manual(want, refused))
    if not parameters or MODES[request.options["mode"]] is None:
        yield from refusals
    elif MODES[request.options["mode"]] in OF_DEPLOYMENTS and not moves:
        yield from refusals or (_not_called(parameters),)
    yield from _policies(request, [want for want in wanted if want.remedy == POLICY])
    for of_target in moves.values():
        # One thing at a time: what else is wrong with a Deployment is seen when it has rolled.
        target, first = of_target[0]
        same = [want for dummy, want in of_target if want.remedy == first.remedy]
        try:
            yield from _ask_the_right_port(target, same) if first.remedy == PROBE else Move(request, target, same).changes()
        except Refused as refused:
            yield _manual(first, refused)


# ---- what is read


def _on_nodes(wanted: Iterable[Want]) -> bool:
    """Whether it has to be known what is taken on nodes."""
    return any(
        want.remedy == HOST_NETWORK or (want.remedy in OF_DEPLOYMENTS and (want.way.host_network or not want.way.pods) and want.way.node_kind != "fargate")
        for want in wanted
    )


def _scope(wanted: Iterable[Want], want: Want) -> Selection:
    return DEPLOYMENTS if _on_nodes(wanted) else Selection("apps/v1", "Deployment", want.namespace)


def _service(want: Want) -> Reference:
    return Reference("v1", "Service", str(want.service.get("name")), want.namespace)


def _policy(want: Want) -> Reference:
    return Reference(VERSION, KIND, f"{want.service['name']}-admits-apiserver", want.namespace)


# ---- what is not done by moving


def _policies(request: Request, wanted: Iterable[Want]) -> Iterator[Change]:
    """One for each Service, however many of its ports are called."""
    by_policy: dict[Reference, list[Want]] = {}
    for want in wanted:
        by_policy.setdefault(_policy(want), []).append(want)
    for of_policy in by_policy.values():
        try:
            yield from _admit(request, of_policy)
        except Refused as refused:
            yield _manual(of_policy[0], refused)


def _admit(request: Request, wanted: Sequence[Want]) -> Iterator[Change]:
    """A policy that admits TCP to the pods' ports, from everywhere: the API server is no pod, and TLS protects what is said there."""
    want = wanted[0]
    service, ports = want.service, sorted({port for one in wanted for port in one.way.ports})
    state = want.way.admission.state if want.way.admission else None
    if state == ADMITTED:
        return
    if state not in (REFUSED, UNSURE):
        # A first policy would not add to others: it would close every port that it does not name.
        raise Refused("no policy is seen to select the pods, and the first that does closes all other ports", "kubectl get networkpolicy -A")
    if not service.get("selector") or not ports:
        raise Refused(f"Service {want.namespace}/{service['name']} selects no pods, so no policy can name them", "kubectl get networkpolicy -A")
    policy = admitting(service, ports)
    live = request.read(_policy(want))
    edit = admit_also(live, policy) if live is not None else None
    if edit is not None and not edit:
        return  # it is there; network plugins take a moment
    yield Change(
        remedy=ROLE,
        codes=tuple(sorted({code for one in wanted for code in one.codes})),
        fingerprints=tuple(sorted({one for each in wanted for one in each.fingerprints})),
        target=_policy(want),
        action="patch" if edit else "create",
        edit=edit,
        created=None if edit else policy,
        reason=f"policies select the pods, and none admits TCP {', '.join(map(str, ports))} from what is no pod; policies add up, so this opens no other port",
        risk=Risk.MEDIUM,
        callouts=tuple(sorted({case.id for one in wanted for case in one.cases})),
        values=_policy_values(want),
        notes=tuple(f"{one['kind']} {one['name']} may refuse it all the same: no NetworkPolicy overrules it" for one in want.way.plugin_policies[:2]),
    )


def _policy_values(want: Want) -> tuple[Values, ...]:
    cases = want.way.cluster.cert_manager.webhook_cases
    if not any(case in cases for case in want.cases):
        return ()
    return (
        Values(
            "cert-manager",
            {"webhook.networkPolicy.enabled": True},
            "from 1.20 on the chart's policy names ports and no peers; before, its ipBlock is 0.0.0.0/0",
        ),
    )


def _mean_the_port(request: Request, want: Want) -> Iterator[Change]:
    service = request.read(_service(want))
    pods = want.way.case.backend.get("pods") or ()
    port = evident(pods)
    where = f"Service {want.namespace}/{want.service['name']}"
    if service is None:
        raise Refused(f"{where} cannot be read ({request.unreadable(_service(want)) or 'it is gone'})")
    if port is None:
        seen = sorted({f"{item['name'] or 'without name'} ({item['port']})" for pod in pods for container in pod["containers"] for item in container["ports"]})
        raise Refused(f"which port {where} means is not evident: its pods have {', '.join(seen) or 'none that is named'}")
    wrong = (want.way.case.backend["port"] or {})["target_port"]
    edit = Edit(service)
    for position, one in enumerate(service["spec"]["ports"]):
        if one["port"] == want.way.case.wanted["port"] and one.get("targetPort") == wrong:
            edit.anchor(pointer("spec", "ports", position, "port"))
            edit.set(pointer("spec", "ports", position, "targetPort"), port)
    if edit:
        yield Change(
            remedy=ROLE,
            codes=want.codes,
            fingerprints=want.fingerprints,
            target=_service(want),
            action="patch",
            edit=edit,
            reason=f"no pod has a port named {wrong}; {port} is the one that they serve the webhook on",
            risk=Risk.MEDIUM,
            callouts=tuple(case.id for case in want.cases),
        )


def _ask_the_right_port(target: Target, wanted: Sequence[Want]) -> Iterator[Change]:
    """Probes of cert-manager's webhook that ask another port than it answers health checks on."""
    edit = Edit(target.deployment)
    edit.anchor(target.path + "/name")
    right = target.healthz
    for path, port in probed(target.container):
        if not path.endswith("/httpGet/port"):
            continue  # whether a port is open may be asked of any
        one = named(target.container, port)
        # A port of its own for health checks is corrected where it is named; a probe of the webhook's port is sent to the right one.
        if one and isinstance(port, str) and one["containerPort"] not in (target.listens, right):
            position = target.container["ports"].index(one)
            edit.set(target.path + pointer("ports", position, "containerPort"), right)
            if one.get("hostPort"):
                edit.set(target.path + pointer("ports", position, "hostPort"), right)
        elif not one or one["containerPort"] != right:
            edit.set(target.path + path, right)
    if edit:
        yield Change(
            remedy=ROLE,
            codes=tuple(sorted({code for want in wanted for code in want.codes})),
            fingerprints=tuple(sorted({one for want in wanted for one in want.fingerprints})),
            target=target.reference,
            action="patch",
            edit=edit,
            part="probe",
            reason=f"the webhook answers health checks on {right}, and the probes ask another port, so it never becomes ready",
            risk=Risk.MEDIUM,
            callouts=tuple(case.id for want in wanted for case in want.cases),
            values=(
                Values("cert-manager", {"webhook.config.healthzPort": right}, "and take --healthz-port out of webhook.extraArgs: the probes follow the value"),
            ),
            rollout=True,
            patience=120,
        )


def _manual(want: Want, refused: Refused) -> Change:
    return Change(
        remedy=ROLE,
        codes=want.codes,
        fingerprints=(),
        target=_service(want),
        action="manual",
        reason=str(refused),
        manual=tuple(dict.fromkeys((*refused.steps, *want.steps))),
        callouts=tuple(case.id for case in want.cases),
        part=want.remedy,
    )


def _not_called(parameters: Parameters) -> Change:
    return Change(
        remedy=ROLE,
        codes=(),
        fingerprints=(),
        target=Reference("apps/v1", "Deployment", parameters.name, parameters.namespace),
        action="manual",
        reason="no call-out reaches pods of this Deployment, so nothing would prove a change",
        manual=(f"kubectl -n {parameters.namespace} get deployments,services -o wide",),
    )


PLANNER = Planner(ROLE, CODES, reads, plan, {"mode": "auto", "port": 0, "deployment": {}})
