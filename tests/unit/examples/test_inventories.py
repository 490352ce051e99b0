# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventories of examples/inventory: Ansible reads them, and they mean what their comments say."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "inventory"
LAYOUTS = {"clusters": ["blue", "green", "grey"], "contexts": ["blue", "green", "shop-eu"]}


@pytest.fixture(scope="module", params=LAYOUTS)
def inventory(request: pytest.FixtureRequest) -> tuple[list[str], dict[str, Any]]:
    """The clusters that it is meant to have, and what ansible-inventory makes of it."""
    return LAYOUTS[request.param], listed(EXAMPLES / f"{request.param}.yml")


def listed(path: Path) -> dict[str, Any]:
    environment = {**os.environ, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", "ANSIBLE_INVENTORY_ENABLED": "yaml"}
    done = subprocess.run(["ansible-inventory", "-i", str(path), "--list"], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return json.loads(done.stdout)


def hosts_of(read: dict[str, Any], group: str) -> list[str]:
    return [*read[group].get("hosts", ()), *(host for child in read[group].get("children", ()) for host in hosts_of(read, child))]


def test_every_example_is_looked_at() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yml")} == set(LAYOUTS)


def test_one_host_stands_for_one_cluster(inventory: tuple[list[str], dict[str, Any]]) -> None:
    names, read = inventory
    assert sorted(hosts_of(read, "clusters")) == names


def test_each_cluster_says_how_it_is_spoken_to(inventory: tuple[list[str], dict[str, Any]]) -> None:
    names, read = inventory
    of = {name: read["_meta"]["hostvars"][name] for name in names}
    assert all(variables["webhook_doctor_kubeconfig"] and variables["ansible_connection"] in ("local", "ssh") for variables in of.values())
    ways = {(variables["ansible_connection"], variables["webhook_doctor_kubeconfig"], rendered(variables, name)) for name, variables in of.items()}
    assert len(ways) == len(names), "two hosts speak to the same cluster"


def rendered(variables: dict[str, Any], name: str) -> str:
    return variables.get("webhook_doctor_context", "").replace("{{ inventory_hostname }}", name)


def test_a_host_runs_the_api_server_of_one_cluster_only(inventory: tuple[list[str], dict[str, Any]]) -> None:
    names, read = inventory
    named = [read["_meta"]["hostvars"][name].get("webhook_doctor_control_plane", []) for name in names]
    servers = [host for group in named for host in (group if isinstance(group, list) else hosts_of(read, group))]
    assert len(servers) == len(set(servers)) and not set(servers) & set(names)
    assert all("ansible_connection" not in read["_meta"]["hostvars"][server] for server in servers)


@pytest.mark.parametrize(("pattern", "limited", "chosen"), [("clusters", "production", ["blue", "green"]), ("clusters", "blue", ["blue"])])
def test_a_limit_chooses_clusters(pattern: str, limited: str, chosen: list[str]) -> None:
    command = ["ansible", pattern, "-i", str(EXAMPLES / "clusters.yml"), "--limit", limited, "--list-hosts"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split()[2:] == chosen
