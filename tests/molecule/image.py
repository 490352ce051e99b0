# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of Molecule's containers: Debian with systemd, made by debootstrap and kept as a tar."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

SUITE = "bookworm"
MIRROR = os.environ.get("MOLECULE_DEBIAN_MIRROR", "http://deb.debian.org/debian")
# What every scenario may use. Containers have no network, so nothing can be installed there later.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "iproute2", "openssl")
# These would change settings of the machine's kernel (the containers are privileged), take its terminals, or want a network.
MASKED = (
    "systemd-sysctl.service",
    "systemd-modules-load.service",
    "systemd-binfmt.service",
    "proc-sys-fs-binfmt_misc.automount",
    "getty.target",
    "console-getty.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
)
UNUSED = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "var/cache/apt", "var/lib/apt/lists")


def name() -> str:
    """Name of the image: another recipe is another image."""
    recipe = hashlib.sha256(repr((MIRROR, PACKAGES, MASKED, UNUSED)).encode())
    return f"localhost/kubeops-molecule-{SUITE}:{recipe.hexdigest()[:12]}"


def archive(folder: Path, log: Callable[[str], None]) -> Path:
    """Path of the tar with the file system; it is built where `folder` does not have it. Fails with CalledProcessError."""
    path = folder / f"{SUITE}-{name().rpartition(':')[2]}.tar"
    if path.exists():
        return path
    log(f"building the image ({SUITE}, once; about a minute)")
    folder.mkdir(parents=True, exist_ok=True)
    # Not below /tmp: that is often mounted nodev, which debootstrap refuses.
    with tempfile.TemporaryDirectory(dir=folder, prefix="root-") as temporary:
        root = Path(temporary) / "root"
        _run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root), MIRROR)
        _run("systemctl", "--quiet", f"--root={root}", "mask", *MASKED)
        _run("rm", "-rf", *(str(root / unused) for unused in UNUSED))
        _run("tar", "--create", "--numeric-owner", f"--directory={root}", f"--file={temporary}/image.tar", ".")
        (Path(temporary) / "image.tar").rename(path)
    return path


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
