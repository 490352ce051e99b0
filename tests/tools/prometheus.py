# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Debian's packages prometheus and prometheus-node-exporter, unpacked into the cache: installed, each would start a service."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = {"promtool": "prometheus", "prometheus": "prometheus", "prometheus-node-exporter": "prometheus-node-exporter"}


class Missing(Exception):
    """It is not installed, and cannot be unpacked. The text says why."""


def program(name: str, cache: Path) -> Path:
    """Path of a program: of PATH, of the cache, or unpacked into it. Raises Missing."""
    installed = shutil.which(name)
    if installed:
        return Path(installed)
    package = PACKAGES[name]
    unpacked = cache / package / "usr" / "bin" / name
    if not unpacked.exists():
        _unpack(package, cache)
    return unpacked


def _unpack(package: str, cache: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Missing(f"{package} is not installed, and this is no Debian to get it from")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        folder = Path(temporary)
        download = ["apt-get", "download", package]
        done = subprocess.run(download, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:  # a fresh machine has no package lists
            subprocess.run(["apt-get", "update"], capture_output=True, check=False)
            done = subprocess.run(download, cwd=folder, capture_output=True, text=True, check=False)
        packages = list(folder.glob("*.deb"))
        if done.returncode or not packages:
            raise Missing(f"apt-get download {package}: {(done.stderr.strip().splitlines() or ['nothing came'])[-1]}")
        subprocess.run(["dpkg-deb", "--extract", str(packages[0]), str(folder / "root")], check=True, capture_output=True)
        target = cache / package
        if not target.exists():  # else another test has been faster
            (folder / "root").rename(target)
