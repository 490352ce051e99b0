# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes by which a webhook gets another port, or goes into the network of its nodes. Pure. PRIVATE to the collection.

The order is such that no call is lost that would not be lost anyhow:

    1. NetworkPolicies admit the new port beside the old one         nothing listens there yet
    2. Services with the port's number are given its name            the name means the old number, at the pods as they are
    3. the Deployment rolls                                          each pod is called on the port that it has, by that name
    4. Services with the number of a port without a name             only now do pods listen there
    5. the strategy of later roll-outs, the file of cert-manager     what this roll-out does not need

and undoing goes the other way round. Where pods have ports on nodes before and after, a roll-out needs the strategy, which then comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..._diagnosis.host_ports import KUBELET_PORT, free_port
from ..change import Change, Risk, Values
from ..edit import Edit, pointer
from ..reference import Reference
from ..request import Request
from . import node_room, policies, services
from .arguments import tell, told
from .pod_ports import move, named
from .port_choice import chosen, in_pod, on_nodes, other_ports
from .refused import Refused
from .target import HEALTHZ, POD, Target
from .wanted import HOST_NETWORK, LISTENED_PORT, OPEN_PORT, Want

ROLE = "webhook_network"
# Arguments of cert-manager's webhook for the ports that it has besides: name of the port -> argument.
_BESIDES = {"healthcheck": HEALTHZ, "http-metrics": "--metrics-listen-address=0.0.0.0:{port}"}
_ROLLOUT = 120


@dataclass(frozen=True)
class Move:
    """One Deployment that is to be changed. wants: of its back ends, all with the same remedy."""

    request: Request
    target: Target
    wants: Sequence[Want]

    @property
    def want(self) -> Want:
        return self.wants[0]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(sorted({code for want in self.wants for code in want.codes}))

    @property
    def fingerprints(self) -> tuple[str, ...]:
        return tuple(sorted({one for want in self.wants for one in want.fingerprints}))

    @property
    def callouts(self) -> tuple[str, ...]:
        return tuple(sorted({case.id for want in self.wants for case in want.cases}))

    @cached_property
    def host_network(self) -> bool:
        """Whether the pods are in the network of their nodes afterwards."""
        return self.want.remedy == HOST_NETWORK or self.target.host_network

    @cached_property
    def old(self) -> int:
        """The port on which calls arrive at the pods now. Raises Refused."""
        found = {self.target.port_of((want.way.case.backend.get("port") or {}).get("target_port")) for want in self.wants}
        if len(found) != 1 or None in found:
            raise Refused(
                f"the Services before {self.target.reference.words} do not all name one port that its containers have",
                *(f"kubectl -n {want.namespace} get service {want.service['name']} -o yaml" for want in self.wants),
            )
        return int(found.pop() or 0)

    @cached_property
    def taken(self) -> frozenset[int]:
        return node_room.taken(self.request, self.target, self.want.way)

    @cached_property
    def new(self) -> int:
        """The port on which they are to arrive. Raises Refused, InvalidOption."""
        asked, target = chosen(self.request.options), self.target
        if self.want.remedy == LISTENED_PORT:
            return self._listened()
        if self.host_network:
            if self.want.remedy == OPEN_PORT:
                raise Refused("the pods are in the network of their node, where the kubelet has the port that the firewall admits")
            # Where the pods stay in the network of their nodes, it is the port that is wrong, unless a person said so about healthy ones.
            stays = self.want.remedy == HOST_NETWORK
            others = frozenset(other_ports(target, self.old)) - self._movable
            return on_nodes(asked, self.taken, others, self.old, stays)
        return KUBELET_PORT if self.want.remedy == OPEN_PORT else in_pod(asked, self.want.way, target, self.old)

    def _listened(self) -> int:
        listens = self.target.listens
        if listens is None or listens == self.old:
            told_ = "is not told a port that is known here" if listens is None else f"is told to listen on {listens}, which is the port that is called"
            raise Refused(f"the process of {self.target.reference.words} {told_}: why nothing listens there has to be looked for in its logs")
        return listens

    @cached_property
    def _movable(self) -> frozenset[int]:
        """Ports of the pod that can be told another number."""
        if self.target.component is None:
            return frozenset()
        ports = (named(self.target.container, name) for name in _BESIDES)
        return frozenset((self.target.healthz, *(int(port["containerPort"]) for port in ports if port)))

    # ---- changes

    def changes(self) -> Iterator[Change]:
        """Raises Refused, InvalidOption before anything is yielded."""
        return iter([*self._made()])

    def _made(self) -> Iterator[Change]:
        self._check()
        before = [*self._policies()]
        later: list[Edit] = []
        for edit, first in self._services():
            if first:
                before.append(self._change(edit, f"by its name the Service means the port of each pod while {self.old} becomes {self.new}"))
            else:
                later.append(edit)
        strategy = self._strategy()
        why = "nodes are as many as replicas: a new pod finds its ports free only where an old one has gone, so a roll-out has to end one before it starts one"
        if strategy and self.target.host_network:
            # The pods that are replaced have ports on nodes already, so this roll-out needs it.
            before.append(self._change(strategy, why, part="strategy"))
        edit = self._deployment()
        made = [change.id for change in before]
        yield from before
        if edit:
            values, notes = self._values(), self._notes()
            deployment = self._change(edit, self._reason(), rollout=True, after=made, values=values, notes=notes, patience=_ROLLOUT)
            made = [deployment.id]
            yield deployment
        for follower in later:
            yield self._change(follower, f"pods listen on {self.new} now, and no longer on {self.old}", after=made)
        if strategy and not self.target.host_network:
            yield self._change(strategy, why, part="strategy", after=made)
        yield from self._file(made)

    def _check(self) -> None:
        """Raises Refused where it must not, or cannot, be done."""
        target, want = self.target, self.want
        if want.remedy == HOST_NETWORK and not target.host_network and want.way.barred:
            raise Refused(f"hostNetwork is refused: {want.way.barred}", *self._instead())
        if self.new != self.old and target.argument is None and want.remedy != LISTENED_PORT:
            raise Refused(
                f"{target.reference.words} needs another port than {self.old}, and how its process is told is not known",
                "# Say it: webhook_network_deployment.port_argument, such as --secure-port={port}.",
            )
        if self.host_network:
            self._check_nodes()
        if want.asked and not want.findings and any(not first for _edit, first in self._services()):
            raise Refused(
                "calls arrive now, and would be lost while the pods roll: a Service names the port by its number, and the container's port has no name",
                f"# Name the port {self.old} in the containers of {target.reference.words}, let it roll, and plan again.",
            )

    def _check_nodes(self) -> None:
        target = self.target
        stuck = sorted((other_ports(target, self.old) - self._movable) & self.taken)
        if stuck:
            raise Refused(
                f"in the network of nodes, {target.reference.words} would want {', '.join(map(str, stuck))} as well, which other pods there have",
                f"# Give the port another number first: kubectl -n {target.reference.namespace} edit deployment {target.reference.name}",
            )
        room = node_room.room(self.request, target)
        if room is not None and room < target.replicas:
            raise Refused(
                f"{target.replicas} replicas want the same port of a node each, and {room} nodes can take them",
                f"kubectl -n {target.reference.namespace} scale deployment {target.reference.name} --replicas={max(room, 1)}",
                "# Or add nodes, or tolerations for those that there are.",
            )

    def _instead(self) -> tuple[str, ...]:
        namespace = self.want.namespace
        steps = [f"kubectl get namespace {namespace} --show-labels"]
        if "Pod Security" in str(self.want.way.barred):
            steps += [
                "# Install the webhook in a namespace of its own that permits it, which opens nothing for others; or permit it here, for every pod:",
                f"kubectl label --overwrite namespace {namespace} pod-security.kubernetes.io/enforce=privileged",
            ]
        elif self.want.way.node_kind == "fargate":
            steps.append("-e webhook_network_mode=port_only")
        return tuple(steps)

    def _deployment(self) -> Edit:
        target = self.target
        edit = Edit(target.deployment)
        edit.anchor(target.path + "/name")
        # A container's number has to be moved out of the way before another takes it.
        if self.host_network:
            self._move_besides(edit)
        if self.want.remedy == HOST_NETWORK:
            edit.set(POD + "/hostNetwork", True)
            if target.spec.get("dnsPolicy", "ClusterFirst") == "ClusterFirst":
                edit.set(POD + "/dnsPolicy", "ClusterFirstWithHostNet")  # without it, such pods ask the resolver of their node, which knows no Service
        if self.new != self.old:
            move(edit, target.path, self.old, self.new)
        if target.argument and target.listens not in (None, self.new):
            tell(edit, target.path, target.argument, self.new)
        return edit

    def _move_besides(self, edit: Edit) -> None:
        """cert-manager's ports for health checks and metrics, where others have them on nodes."""
        if self.target.component is None:
            return
        used = {*self.taken, self.new, *(other_ports(self.target, self.old) - self._movable)}
        for name, argument in _BESIDES.items():
            port = named(self.target.container, name)
            number = self.target.healthz if argument == HEALTHZ else int(port["containerPort"]) if port else None
            if number is None:
                continue
            if number in used:
                free = free_port(used)
                move(edit, self.target.path, number, free)
                tell(edit, self.target.path, argument, free)
                number = free
            used.add(number)

    def _strategy(self) -> Edit | None:
        spec = self.target.deployment["spec"]
        room = node_room.room(self.request, self.target) if self.host_network else None
        if room is None or room > self.target.replicas or (spec.get("strategy") or {}).get("type", "RollingUpdate") != "RollingUpdate":
            return None
        edit = Edit(self.target.deployment)
        edit.set("/spec/strategy/rollingUpdate/maxSurge", 0)
        edit.set("/spec/strategy/rollingUpdate/maxUnavailable", 1)
        return edit

    def _policies(self) -> Iterator[Change]:
        """Pods in the network of their node are outside of what NetworkPolicies govern."""
        if self.host_network or self.new == self.old:
            return
        selected = self.request.select(policies.policies_of(self.want.namespace))
        for edit in policies.in_step(selected, self.target.labels, self.old, self.new):
            note = f"TCP {self.old} stays admitted, so that nothing is cut off meanwhile; take it out when the pods have rolled"
            yield self._change(edit, f"the policy admits {self.old} by its number; the pods are to listen on {self.new}", notes=(note,))

    def _services(self) -> list[tuple[Edit, bool]]:
        """Of all Services that calls go through to these pods."""
        if self.new == self.old:
            return []
        found: dict[Reference, tuple[Edit, bool]] = {}
        for want in self.wants:
            reference = Reference("v1", "Service", want.service["name"], want.namespace)
            service = self.request.read(reference)
            if service is None:
                raise Refused(f"whether {reference.words} follows is not known: it cannot be read ({self.request.unreadable(reference) or 'it is gone'})")
            found[reference] = services.follow(service, self.target.container, self.old, self.new)
        return [(edit, first) for edit, first in found.values() if edit]

    def _file(self, after: Sequence[str]) -> Iterator[Change]:
        file = self.target.file
        if file is None or file.number("securePort") in (None, self.new):
            return
        where = f"ConfigMap {file.config_map['metadata']['namespace']}/{file.config_map['metadata']['name']}"
        if file.config_map.get("immutable"):
            return  # the flag decides, and the Deployment has it
        edit = Edit(file.config_map)
        edit.set(pointer("data", file.key), file.with_number("securePort", self.new))
        yield self._change(edit, f"{where} says the port, too; the flag decides, and the file is to say the same", after=after)

    def _change(
        self,
        edit: Edit,
        reason: str,
        *,
        part: str = "",
        after: Sequence[str] = (),
        rollout: bool = False,
        values: tuple[Values, ...] = (),
        notes: Sequence[str] = (),
        patience: int = 60,
    ) -> Change:
        return Change(
            remedy=ROLE,
            codes=self.codes,
            fingerprints=self.fingerprints if rollout else (),
            target=Reference.of(edit.result),
            action="patch",
            reason=reason,
            risk=Risk.MEDIUM,
            edit=edit,
            callouts=self.callouts,
            part=part,
            after_=tuple(after),
            values=values,
            rollout=rollout,
            patience=patience,
            notes=tuple(notes),
        )

    # ---- words

    def _reason(self) -> str:
        port = f"port {self.old} to {self.new}" if self.new != self.old else f"port {self.old} stays"
        if self.want.remedy == HOST_NETWORK:
            return f"the pods are to be in the network of their nodes ({port}): the control plane reaches nodes, and not the addresses of these pods"
        if self.want.remedy == LISTENED_PORT:
            return f"the process is told to listen on {self.new}, and the container names {self.old}, where calls arrive and are refused"
        if self.want.remedy == OPEN_PORT:
            return f"{port}, which the firewall before private nodes admits"
        why = "; ".join(sorted({finding["title"] for want in self.wants for finding in want.findings})) or "as asked for"
        return f"{port}: {why}"

    def _notes(self) -> tuple[str, ...]:
        notes: list[str] = []
        if self.host_network:
            notes.append(f"port {self.new} is free on nodes as far as DaemonSets, Deployments and StatefulSets tell; pods that nobody owns are not seen")
            notes += node_room.unseen(self.request)
            if node_room.room(self.request, self.target) is None:
                notes.append(f"whether enough nodes can take {self.target.replicas} replicas with the same port was not seen")
        if self.want.way.cluster.platform.name == "eks" and self.new != self.old:
            notes.append(f"the security group of the nodes has to admit TCP {self.new} from the cluster's security group")
        return tuple(notes)

    def _values(self) -> tuple[Values, ...]:
        if self.target.component is None:
            return ()
        in_file = self.target.file is not None and self.target.file.number("securePort") is not None
        values: dict[str, object] = {"webhook.hostNetwork": True} if self.want.remedy == HOST_NETWORK else {}
        if self.new != self.old or self.want.remedy == LISTENED_PORT:
            values["webhook.config.securePort" if in_file else "webhook.securePort"] = self.new
        after = self._deployment().result["spec"]["template"]["spec"]["containers"][self.target.position]
        extra = [argument for argument in _BESIDES.values() if (now := told(after, argument)) and now != told(self.target.container, argument)]
        note = (
            f"and in webhook.extraArgs: {', '.join(argument.format(port=found.number) for argument in extra if (found := told(after, argument)))}"
            if extra
            else None
        )
        return (Values("cert-manager", values, note),) if values else ()
