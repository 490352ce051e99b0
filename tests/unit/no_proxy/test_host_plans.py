# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written on a machine: units.yml for its units, control_plane.yml for static pods that need no proxy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.kubeops.webhook_doctor.plugins.filter.proxy_manifests_plan import proxy_manifests_plan
from ansible_collections.kubeops.webhook_doctor.plugins.filter.proxy_rollout_verdicts import proxy_rollout_verdicts
from ansible_collections.kubeops.webhook_doctor.plugins.filter.proxy_settings_report import proxy_settings_report
from ansible_collections.kubeops.webhook_doctor.plugins.filter.proxy_units_plan import proxy_units_plan
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings import environment_file, unit_file
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings.units import OWN
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._no_proxy.host.control_plane import needs_proxy
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._no_proxy.host.settings import FILE
from ansible_collections.kubeops.webhook_doctor.tests.unit.no_proxy.unit_lines import set_by

HERE = Path(__file__).parent
UNITS = yaml.safe_load((HERE / "units.yml").read_text(encoding="utf-8"))
CONTROL_PLANE = yaml.safe_load((HERE / "control_plane.yml").read_text(encoding="utf-8"))


def variables(items: list[list[str]]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value, "credentials": False, "kind": kind, "path": path, "specifiers": []} for name, value, kind, path in items]


def settings(units: Sequence[Any] = (), manifests: Sequence[Any] = (), logins: Sequence[Any] = ()) -> dict[str, Any]:
    return {"hostname": "cp-1", "units": list(units), "manifests": list(manifests), "logins": list(logins), "others": [], "coverage": []}


def unit(name: str, given: list[list[str]], files: Sequence[str] = (), drop_ins: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """files: with a dash in front they are not there."""
    return {
        "unit": f"{name}.service",
        "active": True,
        "fragment": f"/lib/systemd/system/{name}.service",
        "drop_ins": list(drop_ins),
        "environment_files": [{"path": file.lstrip("-"), "exists": not file.startswith("-"), "optional": True} for file in files],
        "need_daemon_reload": False,
        "own": [{"path": path, "sha256": ""} for path in sorted({path for dummy, _value, kind, path in given if kind == "own"})],
        "variables": variables(given),
        "running": {},
        "pending": [],
        "surplus": [],
        **more,
    }


def manifest(component: str, given: dict[str, str], **more: Any) -> dict[str, Any]:
    path = f"/etc/kubernetes/manifests/{component}.yaml"
    held = variables([[name, value, "manifest", path] for name, value in given.items()])
    return {"component": component, "path": path, "sha256": "0" * 64, "flags": {}, "variables": held, "running": None, "pending": None, "error": None, **more}


def written(change: dict[str, Any]) -> dict[str, str]:
    if change["kind"] == "environment_file":
        return dict(environment_file.variables(change["content"]))
    return dict(one for key, value in unit_file.settings(change["content"], "Service") if key == "Environment" for one in set_by(value))


def test_both_sides_know_the_same_file() -> None:
    assert FILE == OWN


def planned(row: dict[str, Any], given: list[list[str]]) -> list[dict[str, Any]]:
    static_pods = [manifest(component, {}) for component in row.get("static_pods", ())]
    seen = settings([unit(row["unit"], given, row.get("files", ()), row.get("drop_ins", ()))], static_pods)
    if "daemon" in row:
        held = [{"name": name, "value": value, "credentials": False} for name, value in row["daemon"].items()]
        seen["others"] = [{"path": "/etc/docker/daemon.json", "variables": held}]
    for variable in seen["units"][0]["variables"]:
        variable["specifiers"] = [row["specifiers"][variable["name"]]] if variable["name"] in row.get("specifiers", {}) and variable["kind"] != "own" else []
    options = {key: row[key] for key in ("proxies", "prefix", "state") if key in row}
    return proxy_units_plan(seen, [row["unit"]], row.get("needs"), **options)


@pytest.mark.parametrize("row", UNITS, ids=lambda row: row["name"])
def test_units(row: dict[str, Any]) -> None:
    changes = planned(row, row["variables"])
    assert [change["path"] for change in changes if change["state"] == "absent"] == row.get("removes", [])
    present = [change for change in changes if change["state"] == "present"]
    assert [written(change) for change in present] == ([row["writes"]] if "writes" in row else [])
    for change in present:
        assert row.get("path", change["path"]) == change["path"]
        assert row.get("server", False) == change["server"]
        assert (row["refused"] in change["refused"]) if "refused" in row else change["refused"] is None


@pytest.mark.parametrize("row", UNITS, ids=lambda row: row["name"])
def test_once_written_the_same_is_wished(row: dict[str, Any]) -> None:
    """What is planned after it was written: the same content at the same place."""
    first = planned(row, row["variables"])
    theirs = [one for one in row["variables"] if one[2] != "own"]
    ours = [[name, value, "own", change["path"]] for change in first for name, value in written(change).items()]
    again = planned(row, theirs + ours)
    assert [(one["path"], one["content"]) for one in again] == [(one["path"], one["content"]) for one in first if one["state"] == "present"]


def test_only_the_units_that_are_asked_for() -> None:
    seen = settings([unit(name, [["HTTPS_PROXY", "http://p:1", "drop_in", "/d"]]) for name in ("kubelet", "containerd")])
    assert [change["unit"] for change in proxy_units_plan(seen, ["containerd", "crio"], ["a"])] == ["containerd.service"]


def test_words_hold_no_value() -> None:
    seen = settings([unit("kubelet", [])])
    [change] = proxy_units_plan(seen, ["kubelet"], ["a"], proxies={"HTTPS_PROXY": "http://user:planted@p:1"})
    assert change["says"] == "kubelet: NO_PROXY gets a; HTTPS_PROXY is set"


@pytest.mark.parametrize(
    ("proxy", "there", "secret"),
    [
        ("http://user:planted@p:1", [], True),
        ("http://p:1", [], False),
        # What is replaced is shown by a diff, too.
        ("http://p:1", [["HTTPS_PROXY", "http://***@p:1", "own", f"/etc/systemd/system/kubelet.service.d/{FILE}"]], True),
        ("http://p:1", [["HTTPS_PROXY", "http://p:1", "own", f"/etc/systemd/system/kubelet.service.d/{FILE}"]], False),
    ],
)
def test_what_must_not_be_shown(proxy: str, there: list[list[str]], secret: bool) -> None:
    seen = settings([unit("kubelet", there)])
    for variable in seen["units"][0]["variables"]:
        variable["credentials"] = "***" in variable["value"]
    [change] = proxy_units_plan(seen, ["kubelet"], ["a@b"], proxies={"HTTPS_PROXY": proxy})
    assert change["secret"] is secret


@pytest.mark.parametrize(("proxy", "refused"), [("http://user:planted@p:1", True), ("http://p:1", False)])
def test_a_password_is_not_written_where_everybody_reads_it(proxy: str, refused: bool) -> None:
    seen = settings([unit("kubelet", [["NO_PROXY", "x", "environment_file", "/etc/environment"]], ["/etc/environment"])])
    [change] = proxy_units_plan(seen, ["kubelet"], ["a"], proxies={"HTTPS_PROXY": proxy})
    assert (change["refused"] is not None) is refused
    assert not refused or "/etc/environment is read by everybody" in change["refused"]


@pytest.mark.parametrize("row", CONTROL_PLANE, ids=lambda row: row["name"])
def test_who_needs_a_proxy(row: dict[str, Any]) -> None:
    given = {"HTTPS_PROXY": "http://p:1", **({"NO_PROXY": row["no_proxy"]} if "no_proxy" in row else {})}
    callouts = None if "webhooks" not in row else [{"id": url, "client": {"url": url}} for url in row["webhooks"]]
    verdict = needs_proxy(manifest(row["component"], given, flags=row["flags"], error=row.get("error")), callouts)
    assert verdict["needed"] is row["needed"]
    assert row.get("because", "") in "; ".join(verdict["because"])


def test_static_pods_are_completed_and_removal_is_only_offered() -> None:
    seen = settings(manifests=[manifest("kube-scheduler", {"HTTPS_PROXY": "http://p:1", "no_proxy": "a"}), manifest("etcd", {})])
    [item] = proxy_manifests_plan(seen, ["10.96.0.0/16"])
    assert (item["variables"], item["refused"]) == ({"NO_PROXY": "a,10.96.0.0/16"}, None)
    assert "can go altogether" in item["offer"]
    [done] = proxy_manifests_plan(seen, ["a"])
    assert done["variables"] == {}


def test_static_pods_lose_their_proxy_only_where_nothing_needs_it() -> None:
    proxy = {"HTTPS_PROXY": "http://p:1", "no_proxy": "a"}
    seen = settings(
        manifests=[
            manifest("kube-scheduler", proxy),
            manifest("kube-controller-manager", proxy, flags={"cloud-provider": "aws"}),
            manifest("kube-apiserver", proxy),
        ]
    )
    scheduler, manager, api = proxy_manifests_plan(seen, action="remove")
    assert scheduler["variables"] == {"HTTPS_PROXY": None, "NO_PROXY": None}
    assert (manager["variables"], api["variables"]) == ({}, {})
    assert "needs its proxy: --cloud-provider=aws" in manager["refused"]
    assert "may need its proxy: its webhooks were not read" in api["refused"]


@pytest.mark.parametrize(
    ("folder", "lacks", "refused"),
    [
        ("/etc/kubernetes/manifests", True, False),
        ("/var/lib/rancher/rke2/agent/pod-manifests", True, True),
        ("/var/lib/rancher/rke2/agent/pod-manifests", False, False),
    ],
)
@pytest.mark.parametrize("action", ["complete", "remove"])
def test_what_rke2_writes_anew_at_each_start_is_not_changed(folder: str, lacks: bool, refused: bool, action: str) -> None:
    given = {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a"}
    seen = settings(
        manifests=[manifest("kube-scheduler", given, path=f"{folder}/kube-scheduler.yaml", flags={} if lacks else {"oidc-issuer-url": "https://b.c"})]
    )
    [item] = proxy_manifests_plan(seen, ["10.96.0.0/16" if lacks else "a"], action=action)
    assert bool(item["variables"]) is (lacks and not refused)
    assert ("no_proxy_units: [rke2-server]" in (item["refused"] or "")) is refused
    assert proxy_rollout_verdicts({"cp-1": [item]})[0]["state"] == ("due" if lacks and not refused else "fine")


@pytest.mark.parametrize("action", ["complete", "remove"])
def test_a_manifest_that_is_not_understood_is_not_a_good_one(action: str) -> None:
    seen = settings(manifests=[manifest("kube-apiserver", {}, error="line 24 is not understood"), manifest("etcd", {})])
    [item] = proxy_manifests_plan(seen, ["10.96.0.0/16"], action=action)
    assert (item["variables"], item["known"]) == ({}, False)
    assert "kube-apiserver: its manifest is not understood (line 24" in item["refused"]
    [verdict] = proxy_rollout_verdicts({"cp-1": [item]})
    assert (verdict["state"], verdict["says"]) == ("unknown", item["refused"])
    told = proxy_settings_report(seen, ["10.96.0.0/16"])
    assert told["unread"] == 1
    assert "proxy not known (not read: line 24 is not understood)" in told["lines"][0] and told["lines"][1].endswith("no proxy")


def test_beside_one_that_is_not_understood_others_are_changed() -> None:
    scheduler = manifest("kube-scheduler", {"HTTPS_PROXY": "http://p:1"})
    items = proxy_manifests_plan(settings(manifests=[manifest("kube-apiserver", {}, error="line 24"), scheduler]), ["a"])
    [verdict] = proxy_rollout_verdicts({"cp-1": items})
    assert verdict["state"] == "due"
    assert "NO_PROXY gets a" in verdict["says"] and "line 24" in verdict["says"]
    [fine] = proxy_rollout_verdicts({"cp-1": proxy_manifests_plan(settings(manifests=[manifest("etcd", {})]), ["a"])})
    assert fine["state"] == "fine"


def test_only_what_can_be_is_taken_back() -> None:
    seen = settings(manifests=[manifest("etcd", {}, restorable=True), manifest("kube-apiserver", {}, error="line 24", restorable=False)])
    assert [item["component"] for item in proxy_manifests_plan(seen, action="restore")] == ["etcd"]


def test_a_person_sees_it() -> None:
    path = "/etc/systemd/system/kubelet.service.d/http-proxy.conf"
    seen = settings(
        [
            unit("kubelet", [["HTTPS_PROXY", "http://***@p:1", "drop_in", path], ["NO_PROXY", "a", "drop_in", path]], pending=["NO_PROXY"]),
            unit("containerd", []),
        ],
        [manifest("kube-apiserver", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.96.0.0/16", "no_proxy": "b"})],
        [{"path": "/etc/environment", "variables": [{"name": "https_proxy", "value": "http://p:1", "credentials": False}]}],
    )
    found = proxy_settings_report(seen, ["10.96.0.0/16"])
    assert found["lines"] == [
        f"cp-1  kubelet.service  {path}: proxy http://***@p:1, NO_PROXY a; NO_PROXY lacks 10.96.0.0/16 (runs without the present NO_PROXY: restart it)",
        "cp-1  containerd.service  /lib/systemd/system/containerd.service: no proxy",
        "cp-1  kube-apiserver  /etc/kubernetes/manifests/kube-apiserver.yaml: proxy http://p:1, NO_PROXY 10.96.0.0/16"
        " (NO_PROXY and no_proxy differ: programs disagree about which counts)",
        "cp-1  logins  /etc/environment: proxy http://p:1, NO_PROXY (empty); NO_PROXY lacks 10.96.0.0/16 (logins and kubeadm read this, units do not)",
    ]
    assert found["missing"] == 2


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: proxy_units_plan({}, []), "expected the proxy_settings"),
        (lambda: proxy_units_plan(settings(), "kubelet"), "units is a str"),
        (lambda: proxy_units_plan(settings(), [], state="gone"), "state 'gone' is not known"),
        (lambda: proxy_units_plan(settings(), [], prefix="X_"), "prefix 'X_' is not known"),
        (lambda: proxy_units_plan(settings(), [], proxies={"HTTPS_PROXY": "user:planted"}), "HTTPS_PROXY is no URL"),
        (lambda: proxy_units_plan(settings(), [], proxies={"NO_PROXY": "a"}), "NO_PROXY is none of HTTPS_PROXY"),
        (lambda: proxy_manifests_plan(settings(), action="drop"), "action 'drop' is not known"),
        (lambda: proxy_settings_report(None), "expected the proxy_settings"),
    ],
)
def test_wrong_arguments_are_named(call: Any, says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=says) as raised:
        call()
    assert "planted" not in str(raised.value)
