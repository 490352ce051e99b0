# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a lab's start that speak with its API server.

Run inside its network: `python -m doctorlab.inside <step> <state folder>`, arguments as JSON on standard input.
"""

from __future__ import annotations

import http.client
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from . import addresses, controlplane, faults, objects, paths, rbac, targets
from .api import Client, each, wait
from .errors import LabError
from .targets import Target


def main(arguments: list[str]) -> int:
    step, state = arguments[0], Path(arguments[1])
    given = json.load(sys.stdin)
    try:
        if step == "ready":
            for node in given["nodes"]:
                _wait_until_ready(connect(state, node))
        elif step == "nodes":
            _wait_for_nodes(connect(state, given["front"]), given["nodes"], given["static_pods"])
        else:
            populate(connect(state, given["front"]), state, given)
    except (LabError, OSError, http.client.HTTPException) as error:
        print(f"{step}: {error}", file=sys.stderr)
        return 1
    return 0


def populate(client: Client, state: Path, given: dict[str, Any]) -> None:
    """Make everything that the lab's cluster holds; webhooks last, as they would stand in the way of the rest."""
    chosen = targets.allot(faults.select(faults.load(paths.FAULTS), given["faults"]))
    _make_cluster(client, given["instances"])
    _make_accounts(client, state, paths.RBAC, given["front"], given["nodes"])
    each(lambda target: _make_namespace(client, target), chosen)
    if given["real_pods"]:
        wait("ServiceAccounts of all namespaces", lambda: not _without_account(client), timeout=60)
    each(lambda target: _make_back_end(client, target), chosen)
    wait("EndpointSlices of all Services", lambda: not _unknown_back_ends(client, chosen), timeout=60)
    each(lambda target: _make_call_out(client, target, given["bundles"][target.namespace]), chosen)
    each(lambda target: client.create(objects.replica_set(target)), [target for target in chosen if target.make.events])


def connect(state: Path, node: str = addresses.FIRST) -> Client:
    pki = state / "pki"
    return Client(addresses.api_server(node), pki / "ca.crt", pki / "admin.crt", pki / "admin.key")


def _wait_until_ready(client: Client) -> None:
    def ready() -> bool:
        try:
            return client.request("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False  # it does not listen yet

    wait("kube-apiserver: /readyz", ready, timeout=120, pause=0.05)


def _make_cluster(client: Client, instances: list[dict[str, Any]]) -> None:
    for instance in instances:
        client.create(objects.node(instance["node"], addresses.CONTROL_PLANES[instance["node"]], control_plane=True))
    for name, address in addresses.WORKERS.items():
        client.create(objects.node(name, address, control_plane=False))
    for instance in instances:
        node = instance["node"]
        client.create(objects.mirror_pod(node, addresses.CONTROL_PLANES[node], instance["command"], instance["environment"]))
    # What kubeadm grants its kube-proxy.
    binding = objects.cluster_role_binding("lab:kube-proxy", "system:node-proxier", "unused", "kube-system")
    binding["subjects"] = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:kube-proxy"}]
    client.create(binding)


def _make_accounts(client: Client, state: Path, folder: Path, front: str, nodes: list[str]) -> None:
    """The ServiceAccounts diagnose, diagnose-probing and remediate-<role>, with exactly the rights of docs/rbac, and their kubeconfigs."""
    reading, probing = (rbac.documents(folder / name) if (folder / name).exists() else [] for name in rbac.FILES)
    if not reading:
        return
    items, users = rbac.accounts(reading, probing, rbac.remedies(folder))
    for item in items:
        client.create(item)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 30 * 86400}}
    for user, (name_space, account) in users.items():
        token = client.post(f"/api/v1/namespaces/{name_space}/serviceaccounts/{account}/token", request)["status"]["token"]
        controlplane.write_kubeconfigs(state, user, front, nodes, token)


def _wait_for_nodes(client: Client, nodes: dict[str, list[dict[str, str]]], static_pods: list[str]) -> None:
    """Wait until the kubelets of nodes say that they are ready, and these pods in kube-system; leave the nodes these taints.

    That of new nodes is taken off by the node controller elsewhere. Here it would take the nodes for dead that are mere objects.
    """
    for name, taints in nodes.items():
        path = f"/api/v1/nodes/{name}"

        wait(f"node {name} is ready", lambda path=path: _is_ready(client, path), timeout=120)
        client.merge(path, {"spec": {"taints": taints or None}})
    for name in static_pods:
        wait(f"static pod {name} is ready", lambda name=name: _is_ready(client, f"/api/v1/namespaces/kube-system/pods/{name}"), timeout=120)


def _is_ready(client: Client, path: str) -> bool:
    """Whether a Node or Pod exists and says that it is ready."""
    status, item = client.request("GET", path)
    return status == 200 and any(condition["type"] == "Ready" and condition["status"] == "True" for condition in item["status"].get("conditions") or [])


def _make_namespace(client: Client, target: Target) -> None:
    client.create(objects.namespace(target.namespace))
    if target.make.events:
        client.create(objects.namespace(target.apps_namespace))


def _without_account(client: Client) -> set[str]:
    """The namespaces that have no ServiceAccount "default" yet; no pod can be made there."""
    accounts = client.get("/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault")["items"]
    return {item["metadata"]["name"] for item in client.get("/api/v1/namespaces")["items"]} - {item["metadata"]["namespace"] for item in accounts}


def _make_back_end(client: Client, target: Target) -> None:
    made = target.make
    client.create(objects.config_map(target.namespace))
    if made.service.exists and made.call_out.url is None:
        client.create(objects.service(target))
    if made.policy:
        client.create(objects.network_policy(target))
    if target.has_pods:
        for pod in objects.pods(target):
            client.create(pod)
    if target.stores_before_conversion:
        client.create(objects.custom_resource_definition(target, None))
        resource = objects.custom_resource(target)
        wait(f"{target.domain}: the API of the CRD", lambda: client.request("GET", f"/apis/{resource['apiVersion']}/gauges")[0] == 200, timeout=30)
        client.create(resource)


def _unknown_back_ends(client: Client, chosen: list[Target]) -> set[str]:
    """The namespaces whose EndpointSlices or Endpoints do not yet have as many addresses as there are pods that have the port."""
    wanted = {target.namespace: target.make.pods.count for target in chosen if target.has_endpoints}
    slices, endpoints = Counter[str](), Counter[str]()
    for item in client.get("/apis/discovery.k8s.io/v1/endpointslices?resourceVersion=0")["items"]:
        slices[item["metadata"]["namespace"]] += len(item.get("endpoints") or [])
    for item in client.get("/api/v1/endpoints?resourceVersion=0")["items"]:
        for subset in item.get("subsets") or []:
            endpoints[item["metadata"]["namespace"]] += len(subset.get("addresses") or []) + len(subset.get("notReadyAddresses") or [])
    return {name for name, count in wanted.items() if min(slices[name], endpoints[name]) < count}


def _make_call_out(client: Client, target: Target, bundle: str) -> None:
    item = objects.call_out(target, bundle)
    if not target.stores_before_conversion:
        client.create(item)
        return
    client.replace_spec(item)
    path = objects.custom_resource_path(target)
    # The API server takes the resource down and up again, and answers 404 and 429 meanwhile.
    wait(f"{target.domain}: the API of the changed CRD", lambda: client.request("GET", path)[0] not in (404, 429), timeout=30)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
