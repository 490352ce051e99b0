# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remedy webhook_network where pods really run: ports really bind, packets are really dropped, roll-outs happen under calls; and who stands in its way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options, addresses, objects, servers, workloads
from doctorlab.cert_manager import CertManager
from doctorlab.errors import LabError
from doctorlab.faults import CallOut, Make, Pods, Rule, Service
from doctorlab.targets import PORT_NAME, SERVICE, Target
from remedy_lab import cycle, journal_says, play, reap, specs, start, worker_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need cgroups, and those need root")

USER = "remediate-webhook_network"
RIGHTS = "remediate-webhook-network"  # the ServiceAccount of that user
ROLE: dict[str, Any] = {"webhook_doctor_remedies": ["webhook_network"], "webhook_doctor_max_risk": "medium"}
KUBELET_PORT, FREE_PORT, ASKED_PORT = 10250, 10251, 9555
ARGUMENT = "-secure-port={port}"
TYPO = Make(service=Service(target_port="htpps"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("network") / "lab", Options(faults="none", node=True)) as lab:
        yield lab


@pytest.fixture(autouse=True)
def clean(lab: Lab) -> Iterator[None]:
    """No test sees the webhooks of another one, or takes back what it has changed."""
    yield
    lab.kubectl("delete", "validatingwebhookconfigurations,mutatingwebhookconfigurations,validatingadmissionpolicybindings", "--all")
    for namespace in lab.kubectl("get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}").split():
        if namespace.startswith("fault-") or namespace == "cert-manager":
            lab.kubectl("-n", namespace, "delete", "deployments,services,networkpolicies", "--all", "--wait=false")
    lab.kubectl("-n", "kube-system", "delete", "lease", "webhook-doctor", "--ignore-not-found")


def by_parameters(target: Target, **more: Any) -> dict[str, Any]:
    """The variables that say how the Deployment of a target is told its port."""
    return {**ROLE, "webhook_network_deployment": {"namespace": target.namespace, "name": SERVICE, "port_argument": ARGUMENT}, **more}


def ask(lab: Lab, target: Target) -> str:
    """Make the API server call the webhook; what it says where it cannot, "" where all is well."""
    patch = ["kubectl", "-n", target.namespace, "patch", "configmap", "settings", "--dry-run=server", "-p", '{"data":{"a":"b"}}']
    done = lab.run(patch, capture_output=True)
    return done.stderr if done.returncode else ""


def get(lab: Lab, target: Target, kind: str, name: str = SERVICE) -> dict[str, Any]:
    return lab.node.get("-n", target.namespace, kind, name)


def target_port(lab: Lab, target: Target) -> int | str:
    return get(lab, target, "service")["spec"]["ports"][0]["targetPort"]


# ---- faults


def on_the_kubelets_port(lab: Lab) -> Target:
    """A webhook in the network of its node that wants the port of the node's own kubelet: it never binds."""
    target = workloads.healthy("kubelets-port", Make(pods=Pods(1, 1, 1), service=Service(target_port=PORT_NAME)))
    certificate = servers.certificate(target, lab.node.authorities, datetime.now(timezone.utc))
    items = workloads.back_end(target, certificate)
    deployment = items[-1]
    spec = deployment["spec"]["template"]["spec"]
    spec["hostNetwork"] = True
    spec["containers"][0]["args"][1] = ARGUMENT.format(port=KUBELET_PORT)
    spec["containers"][0]["ports"][0]["containerPort"] = KUBELET_PORT
    lab.node.apply([*items, objects.call_out(target, servers.bundle(target, lab.node.authorities))])
    lab.node.wait(target.namespace, "the process has ended, because it could not bind", lambda: restarts(lab, target) > 0)
    return target


def restarts(lab: Lab, target: Target) -> int:
    return sum(status["restartCount"] for pod in lab.node.pods(target.namespace) for status in pod["status"].get("containerStatuses", ()))


@contextmanager
def network_plugin(lab: Lab, target: Target) -> Iterator[None]:
    """What enforces the policies of a namespace: packets to its pods pass as soon as a policy admits them, and no longer."""
    pods = [pod["status"]["podIP"] for pod in lab.node.pods(target.namespace)]
    command = ["kubectl", "-n", target.namespace, "get", "networkpolicies", "--watch", "--output-watch-events", "-o", "json"]
    watch = subprocess.Popen(lab.command(command), env=lab.environment(), stdout=subprocess.PIPE, text=True)

    def enforce() -> None:
        admitting: set[str] = set()
        for line in watch.stdout or ():
            event = json.loads(line)
            policy = event["object"]
            name, before = policy["metadata"]["name"], bool(admitting)
            admitting.discard(name)
            if event["type"] != "DELETED" and admits_the_api_server(policy):
                admitting.add(name)
            if bool(admitting) != before:
                for address in pods:
                    (lab.node.let_packets_pass if admitting else lab.node.filter_packets)(address, addresses.WEBHOOK_PORT, "drop")

    thread = threading.Thread(target=enforce)
    thread.start()
    try:
        yield
    finally:
        watch.kill()
        watch.wait()
        thread.join(timeout=30)
        if watch.stdout:
            watch.stdout.close()


def admits_the_api_server(policy: dict[str, Any]) -> bool:
    """Whether a rule without peers names the port: the API server is no pod."""
    rules = [rule for rule in policy["spec"].get("ingress") or () if not rule.get("from")]
    return any(port["port"] == addresses.WEBHOOK_PORT for rule in rules for port in rule.get("ports") or ())


# ---- tests


def test_three_webhooks_that_are_not_reached(lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    """A port of the node's own, a NetworkPolicy, a misspelt targetPort: in one run, each by what is right for it."""
    taken = on_the_kubelets_port(lab)
    closed = workloads.healthy("closed", Make(policy="refuses", packet_filter="drop", call_out=CallOut(timeout_seconds=2)))
    typo = workloads.healthy("typo", TYPO)
    lab.node.deploy(closed, typo)

    def mended() -> bool:
        return [ask(lab, target) for target in (taken, closed, typo)] == [""] * 3

    with network_plugin(lab, closed):
        done = cycle(lab, tmp_path, user=USER, variables=by_parameters(taken), mended=mended)
    assert f"{SERVICE}-admits-apiserver" in done.preview.output
    assert f'"{ARGUMENT.format(port=KUBELET_PORT)}" -> "{ARGUMENT.format(port=FREE_PORT)}"' in done.preview.output
    for fault in ("hostNetwork on the kubelet's port (WD721)", "a NetworkPolicy drops the API server's packets (WD710)", "targetPort misspelt (WD105)"):
        row(done.row(fault, "webhook_network, three in one run"))


def test_cert_manager_is_probed_at_the_wrong_port(lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    it = CertManager(lab, values={"webhook": {"extraArgs": ["--healthz-port=6081"]}})
    it.create()
    it.wait_injected()

    def mended() -> bool:
        issuer = {"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": {"name": "own", "namespace": "cert-manager"}, "spec": {"selfSigned": {}}}
        try:
            lab.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(issuer))
        except LabError as error:
            assert "failed calling webhook" in str(error)
            return False
        return True

    done = cycle(lab, tmp_path, user=USER, variables={**ROLE, "webhook_doctor_owned": "patch"}, mended=mended)
    row(done.row("cert-manager's readiness probe asks 6080, it answers on 6081 (WD807)", "webhook_network"))


def test_an_admission_policy_says_no_to_one_of_two(lab: Lab, tmp_path: Path) -> None:
    """Nothing of it is changed, its words are told, and the other is mended."""
    kept, other = workloads.healthy("kept", TYPO), workloads.healthy("other", TYPO)
    lab.node.deploy(kept, other)
    said = "Services of this namespace are changed by the platform team only"
    deny(lab, kept, said)
    before = get(lab, kept, "service")
    preview = play(lab, tmp_path, "remediate", "--check", user=USER, variables=ROLE)
    assert preview.returncode == 2 and said in preview.output, preview.output[-3000:]
    done = play(lab, tmp_path, "remediate", user=USER, variables=ROLE)
    assert done.returncode == 2 and "not changed: admission says no" in done.output and said in done.output, done.output[-3000:]
    assert get(lab, kept, "service") == before
    assert target_port(lab, other) == PORT_NAME and ask(lab, other) == ""


def deny(lab: Lab, target: Target, message: str) -> None:
    """A ValidatingAdmissionPolicy that refuses changes of the Services of a namespace, once it is in force."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["services"]}
    name = {"metadata": {"name": "services-are-ours"}}
    version = "admissionregistration.k8s.io/v1"
    selector = {"matchLabels": {"kubernetes.io/metadata.name": target.namespace}}
    policy = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "false", "message": message}]}
    binding = {"policyName": "services-are-ours", "validationActions": ["Deny"], "matchResources": {"namespaceSelector": selector}}
    lab.node.apply(
        [
            {"apiVersion": version, "kind": "ValidatingAdmissionPolicy", **name, "spec": policy},
            {"apiVersion": version, "kind": "ValidatingAdmissionPolicyBinding", **name, "spec": binding},
        ]
    )

    def denied() -> bool:
        done = lab.run(["kubectl", "-n", target.namespace, "annotate", "service", SERVICE, "--dry-run=server", "a=b"], capture_output=True)
        return message in done.stderr

    lab.node.wait(target.namespace, "the policy is in force", denied)


def test_a_second_writer_is_named(lab: Lab, tmp_path: Path) -> None:
    target = workloads.healthy("contested", TYPO)
    lab.node.deploy(target)
    lab.kubectl("-n", target.namespace, "annotate", "service", SERVICE, f"argocd.argoproj.io/tracking-id=shop:/Service:{target.namespace}/{SERVICE}")
    with argo_cd(lab, target, "htpps"):
        done = play(lab, tmp_path, "remediate", user=USER, variables={**ROLE, "webhook_doctor_owned": "patch", "webhook_doctor_settle": 8})
    assert done.returncode == 2, done.output[-3000:]
    assert "changed, and somebody put it back" in done.output and "argocd-controller wrote last" in done.output, done.output[-3000:]
    assert target_port(lab, target) == "htpps"


@contextmanager
def argo_cd(lab: Lab, target: Target, name: str) -> Iterator[None]:
    """Puts the targetPort back three seconds after somebody has changed it, as a controller that heals itself does."""
    port = {"port": 443, "protocol": "TCP", "targetPort": name}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": SERVICE, "namespace": target.namespace}, "spec": {"ports": [port]}}
    ended = threading.Event()

    def heal() -> None:
        while not ended.wait(0.5):
            if target_port(lab, target) != name:
                ended.wait(3)
                lab.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "-", stdin=json.dumps(service))

    thread = threading.Thread(target=heal)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=30)


ASKING = """
import json, sys, threading
from kubernetes import client, config
config.load_kube_config()
api, ended, asked, failures = client.CoreV1Api(), threading.Event(), 0, []
threading.Thread(target=lambda: (sys.stdin.read(), ended.set())).start()
while not ended.wait(0.05):
    asked += 1
    try:
        api.patch_namespaced_config_map("settings", sys.argv[1], {"data": {"a": "b"}}, dry_run="All")
    except client.ApiException as error:
        failures.append(json.loads(error.body)["message"])
print(json.dumps({"asked": asked, "failures": failures}))
"""


def test_a_healthy_webhook_moves_and_no_call_is_lost(lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    """By parameters, to a port that was asked for. As webhooks should, its pods go on answering for a moment after they are told to end."""
    target = workloads.healthy("moves")
    lab.node.deploy(target)
    template = {"terminationGracePeriodSeconds": 5, "containers": [{"name": SERVICE, "lifecycle": {"preStop": {"sleep": {"seconds": 2}}}}]}
    lab.kubectl("-n", target.namespace, "patch", "deployment", SERVICE, "-p", json.dumps({"spec": {"template": {"spec": template}}}))
    lab.node.wait_ready(target.namespace)
    client = subprocess.Popen(
        lab.command([sys.executable, "-c", ASKING, target.namespace]), env=lab.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        variables = by_parameters(target, webhook_network_mode="port_only", webhook_network_port=ASKED_PORT)
        done = play(lab, tmp_path, "remediate", user=USER, variables=variables)
        assert done.returncode == 0, done.output[-3000:]
        assert ARGUMENT.format(port=ASKED_PORT) in get(lab, target, "deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
        back = play(lab, tmp_path, "rollback", user=USER)
        assert back.returncode == 0, back.output[-3000:]
        lab.node.wait_ready(target.namespace)
        said = json.loads(client.communicate("", timeout=60)[0])
    finally:
        client.kill()
        client.wait()
    # The API server keeps connections to a pod open, and sends a call into one that the pod is closing just then: that is lost whoever rolls a Deployment.
    closing = ("connection reset by peer", "broken pipe", "use of closed network connection", "EOF")
    crossed = [failure for failure in said["failures"] if failure.endswith(closing)]
    assert said["asked"] > 100 and said["failures"] == crossed and len(crossed) <= 2, said
    row(f"moved   a healthy webhook, 2 replicas, to port {ASKED_PORT} and back under {said['asked']} calls: {len(crossed)} lost")


# ---- a webhook that stands in the way of its own repair


def deadlocked(lab: Lab, name: str) -> Target:
    """Nothing listens where it is called, and it is asked about the Deployments and pods of its own namespace."""
    rules = [Rule(["configmaps", "pods"]), Rule(["deployments", "replicasets"], groups=["apps"])]
    target = workloads.healthy(name, Make(pods=Pods(2, 2, 0), call_out=CallOut(rules=rules)))
    lab.node.deploy(target)
    refused = lab.run(["kubectl", "-n", target.namespace, "annotate", "deployment", SERVICE, "--dry-run=server", "a=b"], capture_output=True)
    assert "failed calling webhook" in refused.stderr
    return target


@contextmanager
def bypass_permitted(lab: Lab) -> Iterator[None]:
    """What docs/rbac/remediate-bypass.yaml grants, for the user of the remedy."""
    account = lab.kubectl("get", "serviceaccounts", "-A", "-o", f"jsonpath={{.items[?(@.metadata.name=='{RIGHTS}')].metadata.namespace}}")
    lab.kubectl("create", "clusterrolebinding", "bypass", "--clusterrole=webhook-doctor-bypass", f"--serviceaccount={account}:{RIGHTS}")
    try:
        yield
    finally:
        lab.kubectl("delete", "clusterrolebinding", "bypass")


def selector(lab: Lab, target: Target) -> dict[str, Any]:
    return lab.node.get("validatingwebhookconfiguration", target.namespace)["webhooks"][0]["namespaceSelector"]


def marked(lab: Lab) -> list[str]:
    """The webhook configurations on which something is noted that was to be there for a time only."""
    items = lab.node.get("validatingwebhookconfigurations")["items"]
    return [item["metadata"]["name"] for item in items if '"temporary":true' in json.dumps(item["metadata"].get("annotations", {})).replace("\\", "")]


def test_a_webhook_in_the_way_of_its_own_repair(lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    target = deadlocked(lab, "deadlock")
    before, deployment = selector(lab, target), get(lab, target, "deployment")
    variables = by_parameters(target)
    without = play(lab, tmp_path, "remediate", user=USER, variables=variables)
    assert without.returncode == 2 and "docs/rbac/remediate-bypass.yaml" in without.output, without.output[-3000:]
    assert get(lab, target, "deployment")["spec"] == deployment["spec"]
    back = play(lab, tmp_path, "rollback", user=USER)
    assert back.returncode == 0, back.output[-3000:]
    with bypass_permitted(lab):
        done = cycle(lab, tmp_path, user=USER, variables=variables, mended=lambda: ask(lab, target) == "")
    assert "for the time of the repair" in done.preview.output and "put back" in done.applied.output
    assert selector(lab, target) == before and not marked(lab)
    row(done.row("a webhook that stands in the way of its own repair (WD201)", "webhook_network, with a bypass"))


@pytest.mark.parametrize("healed_by", ["rollback", "remediate"])
def test_killed_when_the_way_around_was_open(healed_by: str, lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    target = deadlocked(lab, f"killed-{healed_by}")
    before, variables = specs(lab), by_parameters(target)
    with bypass_permitted(lab):
        killed_with_the_bypass_open(lab, tmp_path, variables)
        assert marked(lab) == [target.namespace]
        done = play(lab, tmp_path, healed_by, user=USER, variables=variables)
        assert done.returncode == 0, done.output[-4000:]
        assert not marked(lab)
        if healed_by == "remediate":
            assert ask(lab, target) == "", done.output[-4000:]
            back = play(lab, tmp_path, "rollback", user=USER)
            assert back.returncode == 0, back.output[-4000:]
        assert specs(lab) == before
    row(f"killed  SIGKILL when the way around a dead webhook was open: healed by {healed_by}")


def killed_with_the_bypass_open(lab: Lab, folder: Path, variables: dict[str, Any]) -> None:
    process = start(lab, folder, "remediate", user=USER, variables=variables)
    try:
        # The one that makes the changes, which would outlive the one that it is a child of.
        run = journal_says(folder / "journal", process, lambda line: line["step"] == "sent" and line["item"].startswith("bypass/"))
        os.kill(worker_of(run), signal.SIGKILL)
    finally:
        reap(process)
