# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real istiod in a lab: Istio's own program, at the address of its pods, with the objects that Istio's charts make.

What is missing is only what a node would do: no container runs, so pods are bound and called ready here. Injection, caBundles and validation are istiod's own.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from doctorlab import Lab, build
from doctorlab.api import wait

from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.mesh_world import injector

HOME = "istio-system"
ADDRESS = "10.244.0.{}"  # the lab leaves the first addresses of pods to others
WORKER, WORKER_ADDRESS = "lab-worker", "172.31.0.21"
ROLE = "istiod-clusterrole-istio-system"
IMAGE = "lab.example.com/none:1"
PROXY_IMAGE = "lab.example.com/proxy:1"  # of the template
_TEMPLATE = """
policy: enabled
defaultTemplates: [sidecar]
alwaysInjectSelector: []
neverInjectSelector: []
templates:
  sidecar: |
    metadata:
      annotations:
        sidecar.istio.io/status: '{"containers":["istio-proxy"]}'
    spec:
      containers:
      - name: istio-proxy
        image: lab.example.com/proxy:1
        env:
        - name: PROXY_CONFIG
          value: |
            {{ protoToJSON .ProxyConfig }}
"""
_MESH = "rootNamespace: istio-system\ndefaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n"
Object = dict[str, Any]


class Mesh:
    """Istio in a lab. `with Mesh(lab, folder):` starts istiod and ends it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.began = 0.0  # when the mesh was whole (monotonic)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Mesh:
        self.apply(*_cluster(), *_istiod())
        self.start()
        return self

    def __exit__(self, *dummy: object) -> None:
        self.stop()

    # ---- istiod

    def start(self) -> None:
        """Start istiod, and call its pods ready when it is."""
        binary = build.ensure_own("istiod", lambda dummy: None)
        token = self.kubectl("-n", HOME, "create", "token", "istiod", "--duration=6h").strip()
        admin = json.loads(self.lab.kubeconfig.read_text(encoding="utf-8"))
        (self.folder / "istiod.kubeconfig").write_text(json.dumps({**admin, "users": [{"name": "admin", "user": {"token": token}}]}), encoding="utf-8")
        environment = {
            **self.lab.environment(),
            "POD_NAMESPACE": HOME,
            "POD_NAME": "istiod-0",
            "REVISION": "default",
            "INJECTION_WEBHOOK_CONFIG_NAME": "istio-sidecar-injector",
            "VALIDATION_WEBHOOK_CONFIG_NAME": "istio-validator-istio-system",
            "KUBECONFIG": str(self.folder / "istiod.kubeconfig"),
        }
        command = self.lab.command([str(binary), "discovery", f"--kubeconfig={self.folder / 'istiod.kubeconfig'}", "--ctrlz_port=0", "--shutdownDuration=0s"])
        with open(self.folder / "istiod.log", "ab") as log:
            self._process = subprocess.Popen(command, env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait("istiod listens", lambda: self._answers("/ready"), 60)
        self.place(HOME, "app=istiod", ready=True, first=10)
        self.wait("istiod is in the EndpointSlice", lambda: ADDRESS.format(10) in self.endpoints("istiod"))

    def stop(self) -> None:
        """End it, and call its pods not ready, as a kubelet would."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None

    def unready(self) -> None:
        self.stop()
        self.place(HOME, "app=istiod", ready=False, first=10)
        self.wait("istiod is not ready in the EndpointSlice", lambda: ADDRESS.format(10) not in self.endpoints("istiod"))

    def _answers(self, path: str) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "istiod.log").read_text(encoding="utf-8", errors="replace")[-3000:]
        done = self.lab.run(["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", f"http://{ADDRESS.format(10)}:8080{path}"], capture_output=True)
        return done.stdout == "200"

    # ---- the cluster

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return self.lab.kubectl(*arguments, stdin=stdin)

    def apply(self, *objects: Object) -> None:
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def remove(self, *objects: Object) -> None:
        """Delete objects and wait until they are gone, and what they own.

        The lab has no garbage collector, and no kubelet that says that pods have ended: pods are deleted by force.
        """
        for one in objects:
            home = one["metadata"].get("namespace")
            self.kubectl(*(["-n", home] if home else []), "delete", one["kind"], one["metadata"]["name"], "--wait=false", "--ignore-not-found")
            if one["kind"] == "Deployment":
                for kind in ("replicasets", "pods"):
                    selector = f"app={one['metadata']['name']}"
                    self.kubectl("-n", str(home), "delete", kind, "-l", selector, "--wait=false", "--force", "--grace-period=0")
        homes = {one["metadata"]["name"] if one["kind"] == "Namespace" else one["metadata"].get("namespace") for one in objects} - {None}

        def gone() -> bool:
            for home in homes:
                pods = self.lab.run(["kubectl", "-n", home, "get", "pods", "-o", "json"], capture_output=True)
                names = [pod["metadata"]["name"] for pod in json.loads(pods.stdout)["items"] if "deletionTimestamp" in pod["metadata"]]
                if names:
                    self.kubectl("-n", home, "delete", "pod", *names, "--force", "--grace-period=0", "--ignore-not-found")
            places = [(["-n", home] if (home := one["metadata"].get("namespace")) else [], one) for one in objects]
            left = [self.lab.run(["kubectl", *where, "get", one["kind"], one["metadata"]["name"]], capture_output=True).returncode for where, one in places]
            orphans = [pod for home in homes for pod in self.get("-n", home, "pods")["items"] if any(_made_by(pod, one) for one in objects)]
            return all(left) and not orphans

        self.wait("they are gone", gone, 60)

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def bundle(self, kind: str, name: str) -> str:
        return str(self.get(kind, name)["webhooks"][0]["clientConfig"].get("caBundle") or "")

    def endpoints(self, service: str) -> list[str]:
        """The ready addresses."""
        slices = self.get("-n", HOME, "endpointslices", "-l", f"kubernetes.io/service-name={service}")["items"]
        found = (endpoint for one in slices for endpoint in one.get("endpoints") or () if endpoint["conditions"].get("ready"))
        return [address for endpoint in found for address in endpoint["addresses"]]

    def place(self, namespace: str, selector: str, *, ready: bool, first: int, proxy_ready: bool = True) -> list[str]:
        """What scheduler and kubelet do with the pods of a workload: give them a node, an address, and a status. Returns their names."""
        self.wait(f"pods {selector} of {namespace}", lambda: bool(self.get("-n", namespace, "pods", "-l", selector)["items"]))
        pods = self.get("-n", namespace, "pods", "-l", selector)["items"]
        for number, pod in enumerate(pods):
            name = pod["metadata"]["name"]
            if not pod["spec"].get("nodeName"):
                target = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"kind": "Node", "name": WORKER}}
                self.kubectl("create", "--raw", f"/api/v1/namespaces/{namespace}/pods/{name}/binding", "-f", "-", stdin=json.dumps(target))
            status = json.dumps({"status": _status(pod, ADDRESS.format(first + number), ready, proxy_ready)})
            self.kubectl("-n", namespace, "patch", "pod", name, "--subresource=status", "--type=merge", "-p", status)
        return [pod["metadata"]["name"] for pod in pods]

    def wait(self, what: str, done: Callable[[], bool], timeout: float = 30) -> None:
        wait(what, done, timeout, pause=0.2)


def workload(namespace: str, name: str, labels: dict[str, str] | None = None) -> Object:
    own = {"app": name, **(labels or {})}
    pod = {"automountServiceAccountToken": False, "containers": [{"name": "main", "image": IMAGE}]}
    return _object(
        "apps/v1",
        "Deployment",
        name,
        namespace,
        spec={"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": own}, "spec": pod}},
    )


def _made_by(pod: Object, maker: Object) -> bool:
    return maker["kind"] == "Deployment" and pod["metadata"].get("labels", {}).get("app") == maker["metadata"]["name"]


def namespace(name: str, **labels: str) -> Object:
    return _object("v1", "Namespace", name, labels={key.replace("__", "/").replace("_", "-"): value for key, value in labels.items()})


def _object(api_version: str, kind: str, name: str, home: str | None = None, labels: dict[str, str] | None = None, **rest: Any) -> Object:
    metadata: Object = {"name": name, "labels": labels or {}}
    return {"apiVersion": api_version, "kind": kind, "metadata": {**metadata, **({"namespace": home} if home else {})}, **rest}


def role(*, writes: bool = True) -> Object:
    """What istiod needs, in the role that the chart names so."""
    webhooks = {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]}
    rules = [
        {**webhooks, "verbs": ["get", "list", "watch", *(["update", "patch"] if writes else [])]},
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["create", "update", "patch", "delete"]},
        {"apiGroups": ["networking.istio.io"], "resources": ["gateways"], "verbs": ["create"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "update", "patch", "delete"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
    ]
    return _object("rbac.authorization.k8s.io/v1", "ClusterRole", ROLE, labels={"app": "istiod"}, rules=rules)


def binding() -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE}
    subjects = [{"kind": "ServiceAccount", "name": "istiod", "namespace": HOME}]
    return _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", ROLE, labels={"app": "istiod"}, roleRef=reference, subjects=subjects)


def _cluster() -> list[Object]:
    """The kinds that the tests need, as a CRD that takes anything; accounts and rights."""
    kinds = {"gateways": "Gateway", "virtualservices": "VirtualService", "envoyfilters": "EnvoyFilter"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    crds = [
        _object(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            f"{plural}.networking.istio.io",
            spec={
                "group": "networking.istio.io",
                "scope": "Namespaced",
                "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
                "versions": [{"name": version, "served": True, "storage": version == "v1", "schema": schema} for version in ("v1", "v1beta1", "v1alpha3")],
            },
        )
        for plural, kind in kinds.items()
    ]
    return [*crds, namespace(HOME), _object("v1", "ServiceAccount", "istiod", HOME), role(), binding()]


def _istiod() -> list[Object]:
    labels = {"app": "istiod", "istio.io/rev": "default", "istio": "pilot"}
    ports = {"http-debug": 8080, "grpc-xds": 15010, "tls-xds": 15012, "https-webhooks": 15017, "http-monitoring": 15014}
    container = {"name": "discovery", "image": "docker.io/istio/pilot:1.31.0", "ports": [{"name": name, "containerPort": port} for name, port in ports.items()]}
    template = {
        "metadata": {"labels": {**labels, "sidecar.istio.io/inject": "false"}},
        # Its pods are bound here: a scheduler, where a lab has one, has nothing to do with them.
        "spec": {"serviceAccountName": "istiod", "automountServiceAccountToken": False, "schedulerName": "nobody", "containers": [container]},
    }
    of_service = [("grpc-xds", 15010, 15010), ("https-dns", 15012, 15012), ("https-webhook", 443, 15017), ("http-monitoring", 15014, 15014)]
    injection = injector("istio-sidecar-injector", {"ca": False})
    del injection["metadata"]["creationTimestamp"]
    injection["metadata"]["labels"]["app"] = "sidecar-injector"
    validation = {
        "name": "rev.validation.istio.io",
        "clientConfig": {"service": {"name": "istiod", "namespace": HOME, "path": "/validate"}},
        "rules": [{"operations": ["CREATE", "UPDATE"], "apiGroups": ["networking.istio.io"], "apiVersions": ["*"], "resources": ["*"]}],
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "objectSelector": {"matchExpressions": [{"key": "istio.io/rev", "operator": "In", "values": ["default"]}]},
    }
    return [
        _object("apps/v1", "Deployment", "istiod", HOME, labels, spec={"replicas": 2, "selector": {"matchLabels": {"istio": "pilot"}}, "template": template}),
        _object(
            "v1",
            "Service",
            "istiod",
            HOME,
            labels,
            spec={"selector": {"app": "istiod", "istio": "pilot"}, "ports": [{"name": name, "port": port, "targetPort": to} for name, port, to in of_service]},
        ),
        _object("v1", "ConfigMap", "istio", HOME, {"istio.io/rev": "default"}, data={"mesh": _MESH}),
        _object("v1", "ConfigMap", "istio-sidecar-injector", HOME, data={"config": _TEMPLATE, "values": '{"global": {"proxy": {}}}'}),
        injection,
        _object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "istio-validator-istio-system", None, labels, webhooks=[validation]),
    ]


def _status(pod: Object, address: str, ready: bool, proxy_ready: bool) -> Object:
    started = pod["metadata"]["creationTimestamp"]
    word = str(ready and proxy_ready)
    names = [one["name"] for one in pod["spec"]["containers"]]
    states = {name: ready and (proxy_ready or name != "istio-proxy") for name in names}
    return {
        "phase": "Running",
        "hostIP": WORKER_ADDRESS,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": started,
        "conditions": [{"type": kind, "status": word, "lastTransitionTime": started} for kind in ("ContainersReady", "Ready")],
        "containerStatuses": [
            {
                "name": name,
                "image": IMAGE,
                "imageID": "",
                "ready": state,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": started}},
            }
            for name, state in states.items()
        ],
    }
