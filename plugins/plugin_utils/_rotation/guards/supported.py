# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guard `supported`: the API server may be restarted by whoever has the host, and how is known. Pure. PRIVATE to the collection.

Elsewhere somebody else keeps the control plane: it is refused, with their own way. Sources: Cluster API book (rolloutAfter), kops rolling-update,
Gardener shoot maintenance, cluster-kube-apiserver-operator targetconfigcontroller, talosctl; annotations and labels as these projects set them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..._diagnosis.restart import OPENSHIFT, TALOS, managed
from ..api import Object, annotations_of, labels_of
from ..instance import Instance
from ..situation import Situation
from .guard import Guard

NAME = "supported"
# Where the way of restarting one API server is known, with what it is called.
SUPPORTED = {"kubeadm": "kubeadm", "kind": "kind", "rke2": "RKE2", "k3s": "k3s", "k0s": "k0s", "microk8s": "MicroK8s"}
_OPENSHIFT_COMMAND = 'kubectl patch kubeapiserver/cluster --type=merge --patch \'{"spec":{"forceRedeploymentReason":"loopback-certificate"}}\''
_CAPI = (
    "Cluster API replaces its machines: clusterctl alpha rollout restart kubeadmcontrolplane/<name> (or spec.rollout.after) on the management cluster; "
    "a new machine has a new certificate"
)
_CAPI_NAMESPACE = "cluster.x-k8s.io/cluster-namespace"
_RANCHER = "rke.cattle.io/machine"
_RANCHER_NAMESPACES = ("fleet-local", "fleet-default")
_KOPS = "kops replaces its machines: kops rolling-update cluster --instance-group-roles control-plane --force --yes"
_GARDENER = (
    "Gardener: the API server is a Deployment of the seed: kubectl annotate shoot <name> gardener.cloud/operation=maintain, or wait for the shoot's "
    "maintenance window"
)


def _has(keys: Iterable[str], *beginnings: str) -> bool:
    return any(key.startswith(beginnings) for key in keys)


def _of_cluster_api(node: Object) -> bool:
    """Whether a control plane of Cluster API has made this node's machine.

    Rancher (and Harvester with it) marks its nodes alike, for it has taken over the machines of Cluster API; but no KubeadmControlPlane replaces them.
    """
    annotations, labels = annotations_of(node), labels_of(node)
    of_rancher = bool(labels.get(_RANCHER)) or annotations.get(_CAPI_NAMESPACE) in _RANCHER_NAMESPACES
    return not of_rancher and bool(annotations.get("cluster.x-k8s.io/machine") or annotations.get("cluster.x-k8s.io/cluster-name"))


# Who replaces machines instead of restarting processes: the trace on a host (api_server_facts), the mark of its nodes, their way.
_MACHINES: tuple[tuple[str, Callable[[Object], bool], str], ...] = (
    ("gardener", lambda node: _has(labels_of(node), "worker.gardener.cloud/", "node.gardener.cloud/"), _GARDENER),
    ("cluster_api", _of_cluster_api, _CAPI),
    ("kops", lambda node: _has(labels_of(node), "kops.k8s.io/"), _KOPS),
)


def supported(situation: Situation) -> Iterator[Guard]:
    owned = _owner(situation)
    if owned:
        yield Guard(NAME, False, owned)
        return
    unknown = False
    for one in situation.seen:  # that others cannot be reached is said by `peers`
        refused = _refused(one)
        if refused:
            unknown = True
            yield Guard(NAME, False, refused, one.host)
    if not unknown:
        names = sorted({SUPPORTED[str(one.distribution)] for one in situation.seen})
        yield Guard(NAME, True if names else None, f"{', '.join(names)}: how one API server is restarted is known" if names else "no host tells what it runs")


def _owner(situation: Situation) -> str | None:
    """Who else keeps this control plane, and their way; None where nobody does."""
    platform = situation.platform
    if platform and platform.managed:
        return managed(platform)
    if (platform and platform.name == "openshift") or _any(situation, lambda one: one.distribution == "openshift"):
        return f"{OPENSHIFT}: {_OPENSHIFT_COMMAND}"
    if _any(situation, lambda one: one.distribution == "talos") or _node(situation, lambda node: "talos" in _os_image(node)):
        return TALOS
    traces = {one.part("distribution").get("provisioned_by") for one in situation.instances}
    for trace, mark, way in _MACHINES:
        if trace in traces or _node(situation, mark):
            return way
    return None


def _refused(one: Instance) -> str | None:
    if one.distribution not in SUPPORTED:
        because = one.part("distribution").get("because")
        return (
            f"what runs there is not known ({because or 'nothing tells'}), so how its API server is restarted is not known either; known are "
            f"{', '.join(SUPPORTED.values())}"
        )
    if not (one.facts or {}).get("manages_by"):
        return f"{SUPPORTED[one.distribution]}: neither a static pod nor a service of kube-apiserver was found there, so nothing is restarted"
    return None


def _any(situation: Situation, test: Callable[[Instance], bool]) -> bool:
    return any(test(one) for one in situation.instances)


def _node(situation: Situation, test: Callable[[Object], bool]) -> bool:
    return any(test(node) for node in situation.api.objects("Node"))


def _os_image(node: Object) -> str:
    return str(((node.get("status") or {}).get("nodeInfo") or {}).get("osImage") or "").lower()
