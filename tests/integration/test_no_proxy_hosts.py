# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes in no_proxy with a real proxy in the way: each is seen as a symptom, and the symptom ends with what this collection does about it.

What kubeadm has frozen into static pods is mended on control-plane nodes by role no_proxy; what other programs read, with the value of `merged_no_proxy`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from doctorlab import Lab, Options, addresses
from doctorlab.api import wait
from doctorlab.control_plane_node import ControlPlaneNode
from lab_diagnosis import QUIET, summary_rows
from remedy_lab import Played
from rotation_lab import USER, all_ready, begun, fleet, lease, read_until

from ansible_collections.kubeops.webhook_doctor.plugins.filter.merged_no_proxy import merged_no_proxy

needs_kubelets = pytest.mark.skipif(os.geteuid() != 0, reason="containers need cgroups, and those need root")

PROXY = f"http://{addresses.PROXY}:{addresses.PROXY_PORT}"
MANIFEST = Path("/etc/kubernetes/manifests/kube-apiserver.yaml")
KEPT = Path("/var/lib/webhook-doctor/manifests")
NETWORKS = f"127.0.0.1,localhost,172.31.0.0/24,{addresses.SERVICE_NETWORK},{addresses.POD_NETWORK}"
QUICK = {
    "no_proxy_become": False,
    "no_proxy_patience": 120,
    "control_plane_rollout_readmission": 1,
    "control_plane_rollout_allow_single": True,
    "webhook_doctor_vantages": ["apiserver"],
}


API_SERVER: dict[str, Any] = {"no_proxy_manifests": "complete", "no_proxy_components": ["kube-apiserver"]}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """kubeadm ran where a proxy was set, and has frozen it. Its NO_PROXY has the networks, as people think of them, and no names."""
    options = Options(faults="healthy,apiservice-503", control_plane=1, proxy="unavailable", api_server_arguments={"request-timeout": "10s"})
    with Lab(tmp_path_factory.mktemp("no-proxy") / "lab", options) as lab:
        yield lab


def command(lab: Lab, folder: Path, *arguments: str, **variables: Any) -> list[str]:
    values = {**QUICK, "webhook_doctor_report_dir": str(folder), **variables}
    return ["ansible-playbook", "-i", str(lab.inventory()), "kubeops.webhook_doctor.no_proxy", "-e", json.dumps(values), *arguments]


def play(lab: Lab, folder: Path, *arguments: str, **variables: Any) -> Played:
    began = time.monotonic()
    done = lab.run(
        command(lab, folder, *arguments, **variables), user=USER, env=QUIET, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, cwd=folder.parent
    )
    return Played(done.stdout, done.returncode, time.monotonic() - began)


def environment(node: ControlPlaneNode, manifest: Path = MANIFEST) -> dict[str, str]:
    """The proxy variables of a static pod's manifest."""
    [container] = yaml.safe_load(node.read(manifest))["spec"]["containers"]
    return {one["name"]: one["value"] for one in container.get("env") or ()}


def have(lab: Lab, node: ControlPlaneNode, **variables: str) -> None:
    """The API server runs with exactly these proxy variables."""
    manifest = yaml.safe_load(node.read(MANIFEST))
    [container] = manifest["spec"]["containers"]
    wanted = {"HTTPS_PROXY": PROXY, **variables}
    if environment(node) == wanted:
        return
    container["env"] = [{"name": name, "value": value} for name, value in wanted.items()]
    before = node.loopback_name()
    node.write(MANIFEST, yaml.safe_dump(manifest, sort_keys=False))
    node.wait_for_new_api_server(before)
    # Behind the balancer it is there some seconds later.
    wait("the balancer has its API server back", lambda: all(reachable(lab) for dummy in range(3)), timeout=60, pause=1)


def reachable(lab: Lab) -> bool:
    return lab.run(["kubectl", "get", "--raw=/readyz"], capture_output=True).returncode == 0


def webhook_says(lab: Lab) -> str:
    """The API server's words about a write that a healthy webhook looks at."""
    patch = ["kubectl", "-n", "fault-healthy", "patch", "configmap", "settings", "--dry-run=server", "-p", '{"data": {"asked": "once"}}']
    done = lab.run(patch, capture_output=True)
    return "" if done.returncode == 0 else str(done.stderr)


def aggregated_api_says(lab: Lab) -> str:
    """Why an aggregated API whose back end is well is not available."""
    [name] = [one for one in lab.kubectl("get", "apiservices", "-o", "name").split() if "twin-apiservice-503" in one or "apiservice-503.twin" in one]
    status = json.loads(lab.kubectl("get", name, "-o", "json"))["status"]["conditions"]
    return next("" if one["status"] == "True" else f"{one['reason']}: {one['message']}" for one in status if one["type"] == "Available")


def ended(what: str, says: Any) -> None:
    wait(what, lambda: says() == "", timeout=60, pause=1)


@needs_kubelets
def test_what_kubeadm_has_frozen_is_told_and_nothing_is_changed(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.control_plane
    have(lab, node, NO_PROXY=NETWORKS)
    before = node.read(MANIFEST)
    previewed = play(lab, tmp_path / "report", "--check", "--diff", no_proxy_manifests="complete")
    assert previewed.returncode == 0, previewed.output
    assert f"kube-apiserver  {MANIFEST}: proxy {PROXY}, NO_PROXY {NETWORKS}; NO_PROXY lacks .svc" in previewed.output
    assert "kube-controller-manager calls nothing that needs a proxy: its proxy variables can go altogether" in previewed.output
    assert re.search(rf"^\+ +value: {re.escape(NETWORKS)},\.svc,", previewed.output, re.MULTILINE)
    assert node.read(MANIFEST) == before


@needs_kubelets
def test_of_many_clusters_one_that_fails_does_not_stop_the_other(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.control_plane
    have(lab, node, NO_PROXY=NETWORKS)
    looked = play(lab, tmp_path / "report", *fleet(lab, tmp_path))
    assert looked.returncode == 2 and summary_rows(looked.output) == [("FAILED", "grey"), ("WARN", "blue")], looked.output[-4000:]
    said = " ".join(looked.output.split("TASK [Sum up]")[1].split())
    assert f"1 host looked at; NO_PROXY lacks entries on {node.name}; changed: nothing." in said


@needs_kubelets
def test_a_name_is_not_covered_by_the_networks(lab: Lab, tmp_path: Path) -> None:
    """Up to 1.36 a webhook is called by its name, which no CIDR covers. Completed, it is reached; taken back, it is not."""
    [node] = lab.control_plane
    have(lab, node, NO_PROXY=NETWORKS)
    assert "Service Unavailable" in webhook_says(lab)
    done = play(lab, tmp_path / "report", no_proxy_manifests="complete")
    assert done.returncode == 0, done.output
    ended("the webhook is called past the proxy", lambda: webhook_says(lab))
    assert environment(node)["NO_PROXY"].startswith(f"{NETWORKS},.svc,.cluster.local,")
    # Nothing was left beside the manifests, and the copy is root's.
    assert sorted(node.run(["ls", "-A", str(MANIFEST.parent)]).stdout.split()) == ["kube-apiserver.yaml", "kube-controller-manager.yaml"]
    assert node.run(["stat", "-c", "%a %U", str(KEPT)]).stdout == "700 root\n"

    started = {one.pid for one in node.processes("kube-apiserver")}
    again = play(lab, tmp_path / "report", no_proxy_manifests="complete")
    assert (again.returncode, again.changed) == (0, 0), again.output
    assert {one.pid for one in node.processes("kube-apiserver")} == started

    back = play(lab, tmp_path / "report", no_proxy_manifests="restore")
    assert back.returncode == 0, back.output
    assert environment(node)["NO_PROXY"] == NETWORKS
    wait("the webhook is called by the proxy again", lambda: "Service Unavailable" in webhook_says(lab), timeout=60, pause=1)


@needs_kubelets
def test_aggregated_apis_are_called_by_address(lab: Lab, tmp_path: Path) -> None:
    """With the names alone, and no networks, it is the other way around."""
    [node] = lab.control_plane
    have(lab, node, NO_PROXY="127.0.0.1,localhost,172.31.0.0/24,.svc")
    assert webhook_says(lab) == ""
    wait("the aggregated API is not available", lambda: aggregated_api_says(lab) != "", timeout=60, pause=1)
    assert "FailedDiscoveryCheck" in aggregated_api_says(lab)
    done = play(lab, tmp_path / "report", control_plane_rollout_ignore_guards=["aggregated_apis"], **API_SERVER)
    assert done.returncode == 0, done.output
    ended("the aggregated API is available", lambda: aggregated_api_says(lab))


@needs_kubelets
def test_upper_and_lower_case_disagree(lab: Lab, tmp_path: Path) -> None:
    """no_proxy is complete, and Go does not look at it, because NO_PROXY is there, too."""
    [node] = lab.control_plane
    have(lab, node, NO_PROXY=NETWORKS, no_proxy=f"{NETWORKS},.svc,only.example.net")
    assert "Service Unavailable" in webhook_says(lab)
    done = play(lab, tmp_path / "report", **API_SERVER)
    assert "NO_PROXY and no_proxy differ" in done.output
    assert done.returncode == 0, done.output
    ended("the webhook is called past the proxy", lambda: webhook_says(lab))
    variables = environment(node)
    assert variables["NO_PROXY"] == variables["no_proxy"]
    assert variables["NO_PROXY"].startswith(f"{NETWORKS},.svc,only.example.net,")


@needs_kubelets
def test_the_proxy_is_taken_out_where_nothing_needs_it(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.control_plane
    have(lab, node, NO_PROXY=NETWORKS)
    # These have URLs outside, which would need the proxy: see tests/unit/no_proxy/control_plane.yml.
    for configuration in ("fault-url-good", "twin-url-good"):
        lab.kubectl("delete", "validatingwebhookconfiguration", configuration, "--ignore-not-found")
    done = play(lab, tmp_path / "report", no_proxy_manifests="remove")
    assert done.returncode == 0, done.output
    assert environment(node) == {} == environment(node, MANIFEST.with_name("kube-controller-manager.yaml"))
    ended("the webhook is called", lambda: webhook_says(lab))


@needs_kubelets
def test_a_run_that_is_killed_is_gone_on_with_and_can_be_taken_back(lab: Lab, tmp_path: Path) -> None:
    """Killed before the manifest is replaced, and while the API server starts with the new one."""
    [node] = lab.control_plane
    have(lab, node, NO_PROXY=NETWORKS)
    for task in ("Change the manifest", "Wait until it runs with that"):
        with begun(lab, tmp_path, command(lab, tmp_path / "report", **API_SERVER)) as process:
            read_until(process, f"no_proxy : {task}")
            os.killpg(process.pid, signal.SIGKILL)
        all_ready(lab)
        yaml.safe_load(node.read(MANIFEST))
    done = play(lab, tmp_path / "report", **API_SERVER)
    assert done.returncode == 0, done.output
    assert environment(node)["NO_PROXY"].startswith(f"{NETWORKS},.svc,.cluster.local,")
    ended("the webhook is called past the proxy", lambda: webhook_says(lab))
    assert not lease(lab)["spec"]["holderIdentity"]
    back = play(lab, tmp_path / "report", no_proxy_manifests="restore", no_proxy_components=["kube-apiserver"])
    assert back.returncode == 0, back.output
    assert environment(node)["NO_PROXY"] == NETWORKS


@needs_kubelets
def test_a_server_that_does_not_come_up_gets_its_manifest_back(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.control_plane
    have(lab, node, NO_PROXY=NETWORKS)
    before = node.read(MANIFEST)
    node.keep_api_server_down()
    try:
        with starts_again_with(node, before):
            stopped = play(lab, tmp_path / "report", no_proxy_patience=30, **API_SERVER)
    finally:
        if node.run(["test", "-e", "/etc/kubernetes/pki/apiserver.key"], check=False).returncode:
            node.let_api_server_start()
    assert stopped.returncode != 0
    assert "Its manifest is again what it was, and it runs." in stopped.output
    assert node.read(MANIFEST) == before
    assert "Service Unavailable" in webhook_says(lab)


@contextmanager
def starts_again_with(node: ControlPlaneNode, text: str) -> Iterator[None]:
    """Whatever keeps the API server down is gone as soon as its manifest was another one and is this one again."""
    end, changed = threading.Event(), threading.Event()

    def watch() -> None:
        while not end.wait(0.5):
            if node.read(MANIFEST) != text:
                changed.set()
            elif changed.is_set():
                node.let_api_server_start()
                return

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        end.set()
        watching.join()


# ---- other readers, and the same proxy

_URLLIB = """
import ssl, sys, urllib.request
opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=ssl._create_unverified_context()))
print(opener.open(sys.argv[1], timeout=5).status)
"""
NAME = "kubernetes.default.svc"


@pytest.fixture(scope="module")
def proxied_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("readers") / "lab", Options(faults="none", proxy="unavailable")) as lab:
        yield lab


def curl(address: str) -> list[str]:
    here = f"{NAME}:{addresses.API_PORT}"
    return ["curl", "-sS", "-k", "--resolve", f"{here}:{address}", "-o", "/dev/null", "-w", "%{http_code}", f"https://{here}/version"]


def kubectl(address: str) -> list[str]:
    return ["kubectl", f"--server=https://{address}:{addresses.API_PORT}", "version", "-o", "json"]


def urllib(address: str) -> list[str]:
    return [sys.executable, "-c", _URLLIB, f"https://{address}:{addresses.API_PORT}/version"]


MISTAKES = {
    "*.svc, which curl does not know": (curl, "curl", {"NO_PROXY": "*.svc"}, [{"host": NAME, "entry": ".svc"}], "503"),
    "no_proxy, which curl looks at first": (curl, "curl", {"NO_PROXY": ".svc", "no_proxy": "example.net"}, [{"host": NAME, "entry": ".svc"}], "503"),
    "a port, which curl does not know": (curl, "curl", {"NO_PROXY": f"{NAME}:{addresses.API_PORT}"}, [NAME], "503"),
    "a CIDR, which urllib does not know": (urllib, "urllib", {"NO_PROXY": "172.31.0.0/24"}, ["{address}"], "503"),
    "the name alone, where Go has an address": (kubectl, "go", {"NO_PROXY": ".svc"}, ["172.31.0.0/24"], "Service Unavailable"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_other_readers(proxied_lab: Lab, mistake: str) -> None:
    program, consumer, wrong, needs, symptom = MISTAKES[mistake]
    api = proxied_lab.kubectl("config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster.server}").split("://")[1].partition(":")[0]
    asked = [api if need == "{address}" else need for need in needs]
    failed = proxied_lab.run(program(api), env={"HTTPS_PROXY": PROXY, **wrong}, capture_output=True)
    assert failed.returncode != 0
    assert symptom in failed.stdout + failed.stderr
    right = merged_no_proxy({"HTTPS_PROXY": PROXY, **wrong}, asked, consumer=consumer)
    done = proxied_lab.run(program(api), env={"HTTPS_PROXY": PROXY, "NO_PROXY": right, "no_proxy": right}, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
