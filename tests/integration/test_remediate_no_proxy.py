# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cert-manager's own controller behind a tinyproxy that does not let it to the API server: its NO_PROXY gets what is missing, and its pods really roll."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doctorlab import Lab, Options, addresses
from doctorlab.acme import PROXY, Outside
from doctorlab.cert_manager import CertManager
from lab_diagnosis import diagnose
from remedy_lab import cycle, play, versions, written

USER = "remediate-no_proxy"
# The objects are those of cert-manager's chart, so that a change is left to Helm unless it is asked for.
OWNED = {"webhook_doctor_remedies": ["no_proxy"], "webhook_doctor_max_risk": "medium"}
VARIABLES = {**OWNED, "webhook_doctor_owned": "patch"}
API = addresses.CONTROL_PLANES[addresses.FIRST]
# Where the API server is for pods, as on platforms that give them such variables: at a port that the proxy does not let through.
WHERE = [{"name": "KUBERNETES_SERVICE_HOST", "value": API}, {"name": "KUBERNETES_SERVICE_PORT", "value": str(addresses.API_PORT)}]
GIVEN = "zeta.example.net,10.8.0.0/16,alpha.example.net"
SETTINGS = "proxy-settings"


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CertManager]:
    with Lab(tmp_path_factory.mktemp("proxy") / "lab", Options(faults="none", node=True)) as lab:
        Outside(lab).start_proxy()
        cert_manager = CertManager(lab, values={"extraEnv": WHERE})
        cert_manager.install()
        yield cert_manager


def say(it: CertManager, *variables: dict[str, Any]) -> None:
    """Give the controller proxy variables, and wait until it runs with them."""
    container = {"name": "cert-manager-controller", "env": list(variables)}
    it.kubectl("-n", "cert-manager", "patch", "deployment", "cert-manager", "-p", json.dumps({"spec": {"template": {"spec": {"containers": [container]}}}}))
    it.ready()


def no_proxy(it: CertManager) -> str | None:
    (container,) = it.pods.get("-n", "cert-manager", "deployment", "cert-manager")["spec"]["template"]["spec"]["containers"]
    return next((one.get("value") for one in container["env"] if one["name"] == "NO_PROXY"), None)


def works(it: CertManager) -> bool:
    """Whether the controller reaches the API server: it has the lease."""
    return any("successfully acquired lease" in it.pods.log(key) for key in it.component("controller"))


def refused(it: CertManager) -> bool:
    """tinyproxy's own words for a port that it does not let through."""
    return any("Access violation" in it.pods.log(key) for key in it.component("controller"))


def test_the_controller_loses_the_api_server_and_gets_it_back(it: CertManager, tmp_path: Path, row: Callable[[str], None]) -> None:
    say(it, {"name": "HTTPS_PROXY", "value": PROXY}, {"name": "NO_PROXY", "value": GIVEN})
    it.pods.wait("cert-manager", "the proxy refuses its calls", lambda: refused(it))
    assert not works(it)
    before = versions(it.lab)
    left = play(it.lab, tmp_path, "remediate", user=USER, variables=OWNED)
    assert (left.returncode, left.changed, written(it.lab, before)) == (0, 0, []), left.output[-4000:]
    assert "1 left to their owners" in left.output and f"no_proxy: {GIVEN},{API},.svc,.cluster.local" in left.output, left.output

    seen: list[str | None] = []

    def mended() -> bool:
        seen.append(no_proxy(it))
        if seen[-1] != GIVEN:
            it.pods.wait("cert-manager", "the controller works again", lambda: works(it), timeout=120)
        return seen[-1] != GIVEN

    done = cycle(it.lab, tmp_path, user=USER, variables=VARIABLES, mended=mended)
    assert seen == [GIVEN, f"{GIVEN},{API},.svc,.cluster.local"], "what was there stands first, in its order"
    assert no_proxy(it) == GIVEN
    row(done.row("the proxy does not let the controller to the API server", "no_proxy"))


def test_a_no_proxy_that_a_config_map_gives_is_not_overwritten(it: CertManager, tmp_path: Path) -> None:
    it.kubectl("-n", "cert-manager", "create", "configmap", SETTINGS, f"--from-literal=exceptions={GIVEN},{API},.svc")
    source = {"configMapKeyRef": {"name": SETTINGS, "key": "exceptions"}}
    say(it, {"name": "HTTPS_PROXY", "value": PROXY}, {"name": "NO_PROXY", "value": None, "valueFrom": source})
    it.pods.wait("cert-manager", "the controller works", lambda: works(it), timeout=120)
    codes = {finding["code"] for finding in diagnose(it.lab, tmp_path / "report").report["findings"]}
    assert "WD832" not in codes, "what the ConfigMap says may be enough, and is"
    before = versions(it.lab)
    asked = play(it.lab, tmp_path, "remediate", user=USER, variables={**VARIABLES, "no_proxy_entries": ["vault.example.net"]})
    assert (asked.returncode, asked.changed, written(it.lab, before)) == (0, 0, []), asked.output[-4000:]
    said = " ".join(asked.output.split())
    assert f"comes from ConfigMap {SETTINGS}, key exceptions; it is not overwritten here" in said, asked.output
    assert "vault.example.net" in said, asked.output
