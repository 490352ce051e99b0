# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine sets of proxies, read from its files; and what systemd itself makes of the units that are written."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings import environment_file, unit_file
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings.facts import proxy_settings
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._no_proxy.host.writing import Unwritable, drop_in, environment_lines
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.machine import Machine
from ansible_collections.kubeops.webhook_doctor.tests.unit.no_proxy.unit_lines import set_by

PASSWORD = "planted-p%40ss"
PROXY = f"http://user:{PASSWORD}@proxy:3128"
SHOWN = "http://***@proxy:3128"
KUBELET = "[Unit]\nDescription=kubelet\n[Service]\nExecStart=/usr/bin/kubelet\n"
MANIFEST = Path(__file__).parent / "manifests" / "kube-apiserver.manifest"
SYSTEMD = "/lib/systemd/systemd"
VALUES = [PROXY, 'a"b\\c', "x y", "50%", "%n", "$HOME `x`", "it's", "*.svc,10.0.0.0/8", "", "a;b#c", "=", "[::1]", "tab\\t", "ümlaut", "'q' \"r\""]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.file("/lib/systemd/system/kubelet.service", KUBELET)
    return machine


def settings(machine: Machine) -> dict[str, Any]:
    return proxy_settings(Host(machine.root))


def unit(machine: Machine) -> dict[str, Any]:
    [found] = settings(machine)["units"]
    return found


def of(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["name"], one["value"], one["kind"]) for one in found["variables"]]


def test_precedence_of_all_the_places(machine: Machine) -> None:
    machine.file("/etc/systemd/system.conf.d/proxy.conf", '[Manager]\nDefaultEnvironment="NO_PROXY=manager"\n')
    machine.file("/lib/systemd/system/kubelet.service", KUBELET + "EnvironmentFile=-/etc/default/kubelet\nEnvironment=NO_PROXY=unit PATH=/bin\n")
    machine.file("/etc/systemd/system/kubelet.service.d/20-b.conf", "[Service]\nEnvironment=NO_PROXY=b\n")
    machine.file("/usr/lib/systemd/system/kubelet.service.d/10-a.conf", "[Service]\nEnvironment=NO_PROXY=a\n")
    machine.file("/usr/lib/systemd/system/kubelet.service.d/20-b.conf", "[Service]\nEnvironment=NO_PROXY=hidden\n")
    machine.file("/etc/systemd/system/kubelet.service.d/zz-webhook-doctor-proxy.conf", "[Service]\nEnvironment=NO_PROXY=ours\n")
    machine.file("/etc/systemd/system/kubelet.service.d/README", "[Service]\nEnvironment=NO_PROXY=none\n")
    machine.file("/etc/default/kubelet", f"NO_PROXY=file\n{environment_file.BEGIN}\nNO_PROXY=block\n{environment_file.END}\n")
    found = unit(machine)
    assert of(found) == [
        ("NO_PROXY", "manager", "manager"),
        ("NO_PROXY", "unit", "unit"),
        ("NO_PROXY", "a", "drop_in"),
        ("NO_PROXY", "b", "drop_in"),
        ("NO_PROXY", "ours", "own"),
        ("NO_PROXY", "file", "environment_file"),
        ("NO_PROXY", "block", "own"),
    ]
    assert found["environment_files"] == [{"path": "/etc/default/kubelet", "exists": True, "optional": True}]


def test_what_follows_our_block_counts_before_it(machine: Machine) -> None:
    machine.file("/lib/systemd/system/kubelet.service", KUBELET + "EnvironmentFile=/etc/default/kubelet\n")
    machine.file("/etc/default/kubelet", f"NO_PROXY=before\n{environment_file.BEGIN}\nNO_PROXY=block\n{environment_file.END}\nNO_PROXY=after\n")
    machine.program("/usr/bin/systemctl", "print('ActiveState=active\\nFragmentPath=\\nNeedDaemonReload=no\\nMainPID=77')")
    machine.process(77, ["/usr/bin/kubelet"], environ={"NO_PROXY": "after"})
    found = unit(machine)
    assert of(found) == [("NO_PROXY", "before", "environment_file"), ("NO_PROXY", "block", "own"), ("NO_PROXY", "after", "environment_file")]
    assert found["pending"] == []


def test_empty_assignments_take_back(machine: Machine) -> None:
    machine.file("/lib/systemd/system/kubelet.service", KUBELET + "Environment=NO_PROXY=unit\nEnvironmentFile=/etc/a\n")
    machine.file("/etc/a", "HTTP_PROXY=http://a:1\n")
    machine.file("/etc/systemd/system/kubelet.service.d/a.conf", "[Service]\nEnvironment=\nEnvironmentFile=\nEnvironment=https_proxy=http://b:2\n")
    assert of(unit(machine)) == [("https_proxy", "http://b:2", "drop_in")]


def test_specifiers_are_what_systemd_makes_of_them(machine: Machine) -> None:
    here = socket.gethostname()
    machine.file("/lib/systemd/system/kubelet.service", KUBELET + 'Environment="NO_PROXY=%H,%n,%%i,100%%" "no_proxy=%m,x"\n')
    machine.program("/usr/bin/systemctl", "print('ActiveState=active\\nFragmentPath=\\nNeedDaemonReload=no\\nMainPID=77')")
    machine.process(77, ["/usr/bin/kubelet"], environ={"NO_PROXY": f"{here},kubelet.service,%i,100%", "no_proxy": "0123,x"})
    found = unit(machine)
    assert [(one["value"], one["specifiers"]) for one in found["variables"]] == [(f"{here},kubelet.service,%i,100%", []), ("%m,x", ["%m"])]
    assert found["pending"] == [], "whether it has what it should have is not known of the other"


def test_unset_variables_do_not_count(machine: Machine) -> None:
    machine.file("/lib/systemd/system/kubelet.service", KUBELET + "Environment=NO_PROXY=a HTTP_PROXY=http://b:1\nUnsetEnvironment=HTTP_PROXY\n")
    assert of(unit(machine)) == [("NO_PROXY", "a", "unit")]


def test_drop_ins_for_many_units(machine: Machine) -> None:
    machine.file("/lib/systemd/system/rke2-server.service", "[Service]\nEnvironmentFile=-/etc/default/%N\n")
    for folder in ("service.d", "rke2-.service.d", "rke2-server.service.d"):
        machine.file(f"/etc/systemd/system/{folder}/{folder}.conf", f"[Service]\nEnvironment=NO_PROXY={folder}\n")
    found = next(one for one in settings(machine)["units"] if one["unit"] == "rke2-server.service")
    assert [value for dummy, value, _kind in of(found)] == ["rke2-.service.d", "rke2-server.service.d", "service.d"]
    assert found["environment_files"] == [{"path": "/etc/default/rke2-server", "exists": False, "optional": True}]


def test_what_runs_is_held_against_the_files(machine: Machine) -> None:
    machine.file("/lib/systemd/system/kubelet.service", KUBELET + f'Environment="HTTPS_PROXY={PROXY.replace("%", "%%")}" NO_PROXY=new\n')
    machine.program("/usr/bin/systemctl", "print('ActiveState=active\\nFragmentPath=\\nNeedDaemonReload=yes\\nMainPID=77')")
    machine.process(77, ["/usr/bin/kubelet"], environ={"HTTPS_PROXY": PROXY, "NO_PROXY": "old", "http_proxy": PROXY})
    found = unit(machine)
    assert (found["active"], found["pid"], found["need_daemon_reload"]) == (True, 77, True)
    assert (found["pending"], found["surplus"]) == (["NO_PROXY"], ["http_proxy"])
    assert found["running"] == {"HTTPS_PROXY": SHOWN, "NO_PROXY": "old", "http_proxy": SHOWN}


def test_static_pods_and_what_they_run_with(machine: Machine) -> None:
    machine.file("/etc/kubernetes/manifests/kube-apiserver.yaml", MANIFEST.read_text())
    machine.file("/etc/kubernetes/manifests/.hidden.yaml", MANIFEST.read_text())
    machine.file("/etc/kubernetes/manifests/other.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: mine\n")
    machine.file("/etc/kubernetes/manifests/etcd.yaml", "a: &anchor b\n")
    machine.process(88, ["kube-apiserver", "--x"], environ={"HTTPS_PROXY": "http://user:p%40ss@proxy:3128", "no_proxy": "old"})
    etcd, api = settings(machine)["manifests"]
    assert (etcd["component"], etcd["variables"]) == ("etcd", [])
    assert "& is not understood" in etcd["error"]
    assert of({"variables": api["variables"]}) == [("HTTPS_PROXY", SHOWN, "manifest"), ("no_proxy", "localhost,127.0.0.1", "manifest")]
    assert api["flags"] == {"oidc-issuer-url": "https://login.example.net", "etcd-servers": "https://127.0.0.1:2379"}
    assert (api["running"]["pid"], api["pending"]) == (88, ["no_proxy"])


def test_a_file_that_is_only_called_like_a_component_counts_where_nothing_else_is_it(machine: Machine) -> None:
    machine.file("/etc/kubernetes/manifests/kube-apiserver-backup.yaml", "a: &anchor b\n")
    assert [bool(one["error"]) for one in settings(machine)["manifests"]] == [True]
    machine.file("/etc/kubernetes/manifests/kube-apiserver.yaml", MANIFEST.read_text())
    assert [(one["component"], one["error"]) for one in settings(machine)["manifests"]] == [("kube-apiserver", None)]


def test_logins_and_docker(machine: Machine) -> None:
    machine.file("/etc/environment", f'PATH="/bin"\nexport https_proxy="{PROXY}"\n')
    machine.file("/etc/profile.d/proxy.sh", "export NO_PROXY=a,b # words\n")
    machine.file("/etc/docker/daemon.json", f'{{"proxies": {{"https-proxy": "{PROXY}", "no-proxy": "c"}}}}')
    found = settings(machine)
    assert [(one["path"], [(v["name"], v["value"], v["credentials"]) for v in one["variables"]]) for one in (*found["logins"], *found["others"])] == [
        ("/etc/environment", [("https_proxy", SHOWN, True)]),
        ("/etc/profile.d/proxy.sh", [("NO_PROXY", "a,b # words", False)]),
        ("/etc/docker/daemon.json", [("HTTPS_PROXY", SHOWN, True), ("NO_PROXY", "c", False)]),
    ]


def test_no_password_is_returned(machine: Machine) -> None:
    machine.file("/etc/systemd/system/kubelet.service.d/a.conf", drop_in({"HTTPS_PROXY": PROXY, "http_proxy": PROXY}))
    machine.file("/etc/environment", f"ALL_PROXY={PROXY}\nhttps_proxy=user:{PASSWORD}@proxy:3128\n")
    assert PASSWORD not in str(settings(machine))
    assert "planted" not in str(settings(machine))


@pytest.mark.parametrize("value", ["10.0.0.0/8, 192.0.2.1, hook.shop.svc.cluster.local, registry.example.net, .example.com, .svc", "*.a, " * 20])
def test_a_long_value_that_kubeadm_has_folded_is_read(machine: Machine, value: str) -> None:
    manifest = yaml.safe_load(MANIFEST.read_text())
    manifest["spec"]["containers"][0]["env"] = [{"name": "NO_PROXY", "value": value}]
    text = yaml.safe_dump(manifest, width=80)
    assert value not in text
    machine.file("/etc/kubernetes/manifests/kube-apiserver.yaml", text)
    [api] = settings(machine)["manifests"]
    assert (api["error"], [one["value"] for one in api["variables"]]) == (None, [value])


@pytest.mark.parametrize("value", VALUES)
def test_what_is_written_is_read_as_it_was(value: str) -> None:
    [(dummy, line)] = unit_file.settings(drop_in({"NO_PROXY": value}), "Service")
    assert set_by(line) == [("NO_PROXY", value)]
    assert environment_file.variables(environment_lines({"NO_PROXY": value})) == [("NO_PROXY", value)]


def test_what_no_line_can_hold_is_refused() -> None:
    for write in (drop_in, environment_lines):
        with pytest.raises(Unwritable, match="NO_PROXY holds a control character"):
            write({"NO_PROXY": "a\nExecStart=/bin/sh"})


def systemd_says(folder: Path, environment: dict[str, str] | None = None) -> dict[str, str]:
    """The variables that the real systemd would give the unit `kubelet`: it loads its units, and says what it made of them."""
    if not Path(SYSTEMD).exists() or shutil.which("su") is None or os.geteuid() != 0:
        pytest.skip("systemd's own reading needs systemd, and root to become somebody else")
    for name in ("basic.target", "shutdown.target"):
        (folder / name).write_text("[Unit]\nDefaultDependencies=no\n")
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o777, exist_ok=True)
    runtime.chmod(0o777)
    command = f"XDG_RUNTIME_DIR={runtime} SYSTEMD_UNIT_PATH={folder} {SYSTEMD} --user --test --unit=kubelet.service"
    done = subprocess.run(["su", "nobody", "-s", "/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    section = done.stdout.partition("-> Unit kubelet.service:")[2].partition("-> Unit ")[0]
    return dict(re.findall(r"^\t*Environment: ([^=\n]+)=(.*)$", section, re.MULTILINE))


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that others may read; pytest's own may not be."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_systemd_reads_what_is_written_as_it_was(readable: Path) -> None:
    variables = {f"V{number}": value for number, value in enumerate(VALUES)}
    folder = readable / "units"
    (folder / "kubelet.service.d").mkdir(parents=True)
    (folder / "kubelet.service").write_text("[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n")
    (folder / "kubelet.service.d" / "90.conf").write_text(drop_in(variables))
    assert systemd_says(folder) == variables


def test_specifiers_are_those_of_systemd(readable: Path) -> None:
    line = "%H,%l,%n,%N,%p,%%,%%%%n"
    (readable / "kubelet.service").write_text(f"[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\nEnvironment=NO_PROXY={line}\n")
    machine = Machine(readable / "machine")
    machine.file("/lib/systemd/system/kubelet.service", f"{KUBELET}Environment=NO_PROXY={line}\n")
    assert [(name, value) for name, value, dummy in of(unit(machine))] == list(systemd_says(readable).items())


@pytest.mark.parametrize(("proxy", "counts"), [("http://u:p%%40s@px:1", True), ("http://u:p%!s@px:1", True), ("http://u:p%40s@px:1", False)])
def test_a_percent_sign_that_is_not_doubled_costs_the_whole_assignment(proxy: str, counts: bool, readable: Path) -> None:
    lines = f"Environment=HTTPS_PROXY={proxy}\nEnvironment=NO_PROXY=.svc\n"
    (readable / "kubelet.service").write_text(f"[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n{lines}")
    machine = Machine(readable / "machine")
    machine.file("/lib/systemd/system/kubelet.service", KUBELET + lines)
    found = proxy_settings(Host(machine.root))
    names = [one["name"] for one in found["units"][0]["variables"]]
    assert names == list(systemd_says(readable)) == (["HTTPS_PROXY", "NO_PROXY"] if counts else ["NO_PROXY"])
    said = [one["message"] for one in found["coverage"] if one["what"].endswith("kubelet.service")]
    assert said == ([] if counts else ["HTTPS_PROXY does not count: systemd knows no specifier %4, and ignores the assignment. Write a percent sign as %%."])


def test_units_are_read_as_systemd_reads_them(readable: Path) -> None:
    """Random lines, also such as nobody writes."""
    chance = random.Random(20261126)
    pieces = ["NO_PROXY=", "A=", "B=", '"', "'", "\\", "\\x41", "\\n", "\\s", "%%", " ", "  ", "x", "y,z", "=", "a b", "\\\n", "#", ";", "\t"]
    seen: set[str] = set()
    for round_ in range(16):
        folder = readable / str(round_)
        (folder / "kubelet.service.d").mkdir(parents=True)
        line = "".join(chance.choice(pieces) for dummy in range(chance.randint(4, 16)))
        text = f"[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\nEnvironment={line}\nEnvironment=LAST=1\n"
        (folder / "kubelet.service").write_text(text)
        said = systemd_says(folder)
        found = dict(one for key, value in unit_file.settings(text, "Service") if key == "Environment" for one in set_by(value))
        # What systemd cannot read it leaves out from there on, with a warning; it may then know less than we do.
        comparable = {name for name in said if "\n" not in found.get(name, "")}
        assert {name: found.get(name) for name in comparable} == {name: said[name] for name in comparable}, text
        seen.update(comparable)
    assert seen >= {"NO_PROXY", "A", "B", "LAST"}
