# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system's tools that the lab and Molecule use: found, or installed where that is possible."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterable

from .errors import LabError

# Tool -> Debian package. tinyproxy-bin is the bare program: the package tinyproxy would start a service on the host.
PACKAGES = {
    "ip": "iproute2",
    "iptables-restore": "iptables",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "tinyproxy": "tinyproxy-bin",
    "runc": "runc",
    "host-local": "containernetworking-plugins",
    "haproxy": "haproxy",
    "hostname": "hostname",
    "libfaketime.so.1": "libfaketime",
    "podman": "podman",
    "debootstrap": "debootstrap",
}
ALWAYS = ("ip", "iptables-restore", "unshare", "nsenter")
NODE = ("runc", "host-local", "hostname")
CONTROL_PLANE = (*NODE, "haproxy")
MOLECULE = ("podman", "runc", "debootstrap", "unshare", "setpriv")
# Where Debian and others keep CNI's plugins and libfaketime, which are in nobody's PATH.
_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin", f"/usr/lib/{platform.machine()}-linux-gnu/faketime")


def ensure(tools: Iterable[str], log: Callable[[str], None]) -> None:
    """Install what is missing, if root and on Debian or Ubuntu; otherwise say what to install."""
    missing = sorted({PACKAGES[tool] for tool in tools if not which(tool)})
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", *missing]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise LabError(f"missing: {', '.join(missing)}. Install them as root: {' '.join(command[:3])} {' '.join(missing)}")
    log(f"installing {', '.join(missing)}")
    # Offline: a package's service is not started on the machine.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:  # a fresh machine has no package lists
        subprocess.run(["apt-get", "update"], env=environment, capture_output=True, check=False)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"`{' '.join(command)}` failed:\n" + "\n".join(done.stderr.splitlines()[-5:]))


def which(tool: str) -> str | None:
    """Path of a tool, also of a CNI plugin or a library; null where it is not installed."""
    return shutil.which(tool, path=os.pathsep.join([search_path(), *_FOLDERS]), mode=os.F_OK)


def search_path() -> str:
    """PATH with the folders of system tools, which ordinary users' PATH on Debian lacks."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
