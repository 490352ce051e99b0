# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control-plane nodes of a running lab: what tests do there, and the inventory that Ansible reaches them by.

with Lab(state, Options(faults="none", control_plane=2)) as lab:
    first, second = lab.control_plane
    first.run(["crictl", "ps", "-o", "json"])
    second.keep_api_server_down()                       # once it ends
    lab.run(["ansible", "-i", str(lab.inventory()), "kube_control_plane", "-m", "command", "-a", "hostname"])
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from . import addresses, kubeadm, tools
from .api import wait
from .errors import LabError
from .namespace import Namespace
from .process import Process

if TYPE_CHECKING:
    from .lifecycle import Lab

GROUP = "kube_control_plane"
API_SERVER = "kube-apiserver"
# Without this file a kube-apiserver does not start; one that runs goes on.
_NEEDED = kubeadm.PKI / "apiserver.key"
_LOOPBACK = "apiserver-loopback-client"
_READ_CERTIFICATE = """
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 5) as connection, context.wrap_socket(connection, server_hostname=sys.argv[3]) as wrapped:
    sys.stdout.write(ssl.DER_cert_to_PEM_cert(wrapped.getpeercert(True)))
"""


class ControlPlaneNode:
    """A node that kubeadm has set up: with its own host name, processes, network, /etc, /run, /usr/local/bin and /var/lib."""

    def __init__(self, lab: Lab, name: str, programs: Mapping[str, Path]) -> None:
        self._lab, self._programs = lab, programs
        self.name, self.address = name, addresses.CONTROL_PLANE_NODES[name]

    @property
    def namespace(self) -> Namespace:
        return self._lab.running.nodes[self.name]

    @property
    def kubeconfig(self) -> Path:
        """Of an administrator, for this node's API server; it works in the lab's network."""
        return self._lab.kubeconfig_for("admin", self.name)

    def run(self, command: Sequence[str], *, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command on the node, as root. `options` are those of subprocess.run; text, and its output captured, are the default. Raises LabError."""
        environment = {"PATH": tools.search_path(), "HOME": "/root"}
        done = subprocess.run([*self.namespace.enter(pid=True), *command], check=False, **{"text": True, "capture_output": True, "env": environment, **options})
        if check and done.returncode:
            raise LabError(f"{self.name}: `{' '.join(command)}` failed: {(done.stderr or '').strip()}")
        return done

    def read(self, path: Path) -> str:
        return self.run(["cat", str(path)]).stdout

    def write(self, path: Path, text: str) -> None:
        """Write a file in place; its mode stays, or is 0644."""
        self.run(["tee", str(path)], input=text)

    def processes(self, name: str) -> list[Process]:
        """The processes of this name in the node's network (its own, and those of containers in the host's network); their pids are the machine's."""
        own = _network(self.namespace.init.pid)
        found = []  # Linux keeps 15 characters of a name
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ProcessLookupError):  # it has ended meanwhile
                if entry.name.isdigit() and (entry / "comm").read_text(encoding="utf-8").strip() == name[:15] and _network(int(entry.name)) == own:
                    found.append(Process.of(int(entry.name)))
        return found

    def containers(self, name: str = API_SERVER) -> list[dict[str, Any]]:
        """The running containers of this name, as `crictl ps -o json` tells them."""
        done = self.run([str(self._programs["crictl"]), "ps", "--name", f"^{re.escape(name)}$", "-o", "json"])
        return list(json.loads(done.stdout)["containers"])

    def loopback_certificate(self) -> x509.Certificate | None:
        """What the API server presents at the node's own address when it is asked by the loopback certificate's name; null if none answers."""
        arguments = [self.address, str(addresses.API_PORT), _LOOPBACK]
        done = self._lab.run([sys.executable, "-c", _READ_CERTIFICATE, *arguments], capture_output=True)
        if done.returncode:
            return None
        return x509.load_pem_x509_certificate(done.stdout.encode())

    def loopback_name(self) -> str | None:
        """Its common name, with the second of the API server's start (servers that start together have the same); null if none answers."""
        certificate = self.loopback_certificate()
        return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value) if certificate else None

    def ready(self) -> bool:
        """Whether its own API server says so."""
        return self._lab.run(["kubectl", "--kubeconfig", str(self.kubeconfig), "get", "--raw=/readyz"], capture_output=True).returncode == 0

    def wait_for_new_api_server(self, loopback_name: str | None, timeout: float = 120) -> str:
        """Wait until it is ready with another loopback certificate than that; return that one's name. Raises LabError.

        With kubeadm's arguments a kube-apiserver that is told to end may take a minute (its --request-timeout), as watches are not cut off.
        """
        found: list[str] = []

        def renewed() -> bool:
            name = self.loopback_name()
            found[:] = [name] if name else []
            return name not in (None, loopback_name) and self.ready()

        wait(f"a new kube-apiserver on {self.name} is ready", renewed, timeout=timeout, pause=0.2)
        return found[0]

    def keep_api_server_down(self) -> None:
        """From now on no kube-apiserver can start here: a file that it reads is gone. One that runs goes on."""
        self.run(["mv", str(_NEEDED), f"{_NEEDED}.away"])

    def let_api_server_start(self) -> None:
        """Take back keep_api_server_down; the kubelet starts it when its back-off ends, after 10 s for the first failure and up to 5 minutes."""
        self.run(["mv", f"{_NEEDED}.away", str(_NEEDED)])

    def stop_etcd(self) -> None:
        """End the node's etcd member. Raises LabError if it has none."""
        if kubeadm.etcd_name(self.name) not in self._lab.running.processes:
            raise LabError(f"{self.name}: no etcd member runs here.")
        self._lab.running.stop(kubeadm.etcd_name(self.name))

    def start_etcd(self) -> None:
        """Start it again, with the data that it has."""
        node, members = addresses.CONTROL_PLANE_MACHINES[self.name], kubeadm.machines(self._lab.options.etcd_members)
        kubeadm.start_etcd(self._lab.running, node, members, self._programs["etcd"])

    @contextlib.contextmanager
    def clock_skew(self, seconds: float) -> Iterator[None]:
        """Meanwhile the clock is wrong by so much for what Ansible runs on the node, and what that starts.

        Linux has one CLOCK_REALTIME for all namespaces (time_namespaces(7)), so it is libfaketime that shifts it, for programs that use the C library:
        Python and `date` do, kube-apiserver and other programs of Go do not.
        """
        tools.ensure(["libfaketime.so.1"], lambda dummy: None)
        library = tools.which("libfaketime.so.1")
        self.write(kubeadm.PYTHON, kubeadm.python_script({"LD_PRELOAD": str(library), "FAKETIME": f"{seconds:+f}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}))
        try:
            yield
        finally:
            self.write(kubeadm.PYTHON, kubeadm.python_script())

    @contextlib.contextmanager
    def without_crictl(self) -> Iterator[None]:
        """Meanwhile the node has no crictl."""
        away = f"{kubeadm.CRICTL}.away"
        self.run(["mv", str(kubeadm.CRICTL), away])
        try:
            yield
        finally:
            self.run(["mv", away, str(kubeadm.CRICTL)])


def inventory(nodes: Sequence[ControlPlaneNode]) -> str:
    """An Ansible inventory (YAML) with the group kube_control_plane; Ansible must run as root on this machine, inside the lab's network or not."""
    hosts = {
        node.name: {
            "ansible_connection": "community.docker.nsenter",
            "ansible_nsenter_pid": node.namespace.init.pid,
            "ansible_host": node.address,
            "ansible_python_interpreter": str(kubeadm.PYTHON),
            "ansible_remote_tmp": "/run/ansible",  # the home of root is the machine's
        }
        for node in nodes
    }
    return yaml.safe_dump({"all": {"children": {GROUP: {"hosts": hosts}}}}, sort_keys=False)


def _network(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/net").readlink())
