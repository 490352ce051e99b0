# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NO_PROXY against Go itself: the same decision for random values and hosts. Needs `go`."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.no_proxy import Need, NoProxy

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "lab" / "proxyoracle"
RULES = yaml.safe_load((HERE / "no_proxy_rules.yml").read_text(encoding="utf-8"))
VALUES = int(os.environ.get("NO_PROXY_VALUES", "150"))
ENTRIES = """
    foo.com .foo.com *.foo.com foo.com:443 foo.com:8443 foo.com: foo.com. FOO.com *foo.com *. . localhost hook.system.svc
    svc .svc *.svc .svc:443 *.svc:8443 .cluster.local svc.cluster.local *
    10.0.0.0/8 10.96.0.0/16 10.1.2.3/8 10.0.0.0/08 10.0.0.5/ 1.2.3.4/33 0.0.0.0/0 10.0.0.5 10.0.0.5:6443 10.0.0.5:x 10. 010.0.0.5 10.0.0.256 127.0.0.1 :443
    fd00::/8 ::/0 ::1 fd00::1 [fd00::1] [fd00::1]:6443 [::1]:6443 ::ffff:10.0.0.5 ::ffff:10.0.0.0/104 fe80::1 fe80::1%eth0 [fe80::1%eth0]:443
""".split()
HOSTS = """
    foo.com a.foo.com xfoo.com foo.com. Foo.COM hook.system.svc hook.system.svc.cluster.local svc xsvc localhost LOCALHOST
    10.0.0.5 10.96.3.4 010.0.0.5 10.0.0.256 127.0.0.1 127.9.9.9 192.168.1.1 [fd00::1] [::1] [::ffff:10.0.0.5] [fe80::1] [fe80::1%25eth0]
""".split()
PORTS = ("", ":443", ":6443", ":8443")


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.skip("go is not installed: Go's own decisions are not to be had")
    built = tmp_path_factory.mktemp("oracle") / "proxyoracle"
    subprocess.run(["go", "build", "-o", str(built), "."], cwd=SOURCE, check=True, capture_output=True, env={**os.environ, "CGO_ENABLED": "0"})
    return built


def go_says(oracle: Path, no_proxy: str, places: list[str]) -> list[str]:
    urls = "".join(f"https://{place}/x\n" for place in places)
    environment = {"HTTPS_PROXY": "http://proxy.example.net:3128", "NO_PROXY": no_proxy}
    return subprocess.run([str(oracle)], input=urls, capture_output=True, text=True, check=True, env=environment).stdout.split()


def we_say(no_proxy: str, place: str) -> str:
    host, _bracket, port = place.rpartition("]") if place.startswith("[") else (place.partition(":")[0], "", place[len(place.partition(":")[0]) :])
    host = host.removeprefix("[").replace("%25", "%")
    return "direct" if NoProxy(no_proxy).exempts(host, int(port[1:]) if port else None) else "proxy"


def test_random_values(oracle: Path) -> None:
    chance = random.Random(20261120)
    places = [host + port for host in HOSTS for port in PORTS]
    decisions = set()
    for _number in range(VALUES):
        no_proxy = ",".join(chance.choice(ENTRIES) for _entry in range(chance.randint(0, 4)))
        answers = go_says(oracle, no_proxy, places)
        assert [f"{place} {we_say(no_proxy, place)}" for place in places] == [f"{place} {said}" for place, said in zip(places, answers)], no_proxy
        decisions.update(answers)
    assert decisions == {"direct", "proxy"}


@pytest.mark.parametrize("row", RULES, ids=lambda row: row["no_proxy"] or "empty")
def test_the_table(oracle: Path, row: dict[str, list[str]]) -> None:
    for said in ("direct", "proxied"):
        needs = [Need.of(place) for place in row[said]]
        places = [(f"[{need.host}]" if ":" in need.host else need.host) + (f":{need.port}" if need.port else "") for need in needs]
        assert go_says(oracle, str(row["no_proxy"]), places) == [{"proxied": "proxy"}.get(said, said)] * len(places)
