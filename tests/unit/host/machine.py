# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that consists of files: /proc with its processes, what distributions leave on disk, a crictl that prints what crictl prints."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BOOTED = 1_700_000_000  # seconds since 1970
OWN_NETWORK = "net:[4026531840]"
CONTAINER = "a" * 64
POD = "0123456789abcdef0123456789abcdef"  # static pods are named by a digest
KUBEPODS = "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{pod}.slice/cri-containerd-{id}.scope\n"
# What the kernel prints for a machine with 127.0.0.1, 192.0.2.11, a virtual 192.0.2.100, and a Service's 10.96.0.1 on kube-ipvs0.
FIB_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     |-- 10.96.0.1
        /32 host LOCAL
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.11
           /32 host LOCAL
        |-- 192.0.2.100
           /32 link UNICAST
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
"""
IF_INET6 = """20010db8000000000000000000000011 02 40 00 80     eth0
fe800000000000000000000000000011 02 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
"""


class Machine:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.file("/proc/stat", f"cpu  1 2 3\nbtime {BOOTED}\n")
        self.file("/proc/net/fib_trie", FIB_TRIE)
        self.file("/proc/net/if_inet6", IF_INET6)
        self._network("self", OWN_NETWORK)

    def file(self, path: str, content: str | bytes = "", mode: int = 0o644) -> Path:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        target.chmod(mode)
        return target

    def process(
        self,
        pid: int,
        words: Sequence[str],
        *,
        parent: int = 1,
        ticks: int = 100_000,
        cgroup: str = "0::/init.scope\n",
        environ: dict[str, str] | None = None,
        network: str = OWN_NETWORK,
    ) -> None:
        self.file(f"/proc/{pid}/cmdline", "".join(f"{word}\0" for word in words))
        # The name in parentheses may hold anything, also a parenthesis.
        self.file(f"/proc/{pid}/stat", f"{pid} (kube) api) S {parent} {'0 ' * 17}{ticks} 0 0\n")
        self.file(f"/proc/{pid}/cgroup", cgroup)
        self.file(f"/proc/{pid}/environ", "".join(f"{name}={value}\0" for name, value in (environ or {}).items()))
        self._network(str(pid), network)

    def end(self, pid: int) -> None:
        shutil.rmtree(self.root / "proc" / str(pid))

    def program(self, path: str, code: str) -> Path:
        """A program in Python; ROOT is the machine's root."""
        return self.file(path, f"#!{sys.executable}\nimport json, os, sys\nROOT = {str(self.root)!r}\n{code}\n", mode=0o755)

    def crictl(self, *containers: dict[str, Any], stop: str = "pass", logs: str = "") -> Path:
        """A crictl that knows these containers; `stop`: Python that it does when it is told to stop one."""
        listed = {"containers": [one["listed"] for one in containers]}
        statuses = {one["listed"]["id"]: {"status": one["status"], "info": {}} for one in containers}
        return self.program(
            "/usr/local/bin/crictl",
            f"""
words = sys.argv[1:]
open(ROOT + "/crictl.calls", "a").write(json.dumps(words) + "\\n")
command = next(word for word in words if word in ("ps", "inspect", "stop", "logs"))
if command == "ps":
    print({json.dumps(listed)!r})
elif command == "inspect":
    print(json.dumps(json.loads({json.dumps(statuses)!r})[words[-1]]))
elif command == "logs":
    print({logs!r})
else:
{chr(10).join("    " + line for line in stop.splitlines())}
""",
        )

    def crictl_calls(self) -> list[list[str]]:
        path = self.root / "crictl.calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _network(self, pid: str, network: str) -> None:
        folder = self.root / "proc" / pid / "ns"
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "net").is_symlink():
            (folder / "net").unlink()
        (folder / "net").symlink_to(network)


def container(id: str = CONTAINER, attempt: int = 3, running: bool = True, created: int = 1_700_001_000, pod: str = POD) -> dict[str, Any]:
    """A container of kube-apiserver as `crictl ps -o json` and `crictl inspect -o json` show it (cri-tools 1.36)."""
    labels = {
        "io.kubernetes.container.name": "kube-apiserver",
        "io.kubernetes.pod.name": "kube-apiserver-cp-1",
        "io.kubernetes.pod.namespace": "kube-system",
        "io.kubernetes.pod.uid": pod,
    }
    state = "CONTAINER_RUNNING" if running else "CONTAINER_EXITED"
    metadata = {"attempt": attempt, "name": "kube-apiserver"}
    listed = {
        "annotations": {"io.kubernetes.container.restartCount": str(attempt), "io.kubernetes.pod.terminationGracePeriod": "30"},
        "createdAt": str(created * 10**9),
        "id": id,
        "image": {"image": "sha256:5c6acd67e9cd"},
        "labels": labels,
        "metadata": metadata,
        "podSandboxId": "b" * 64,
        "state": state,
    }
    status = {
        "createdAt": "2023-11-14T23:30:00.5+01:00",
        "id": id,
        "labels": labels,
        "metadata": metadata,
        "startedAt": "2023-11-14T23:30:01.768416865+01:00",
        "state": state,
    }
    return {"listed": listed, "status": status}
