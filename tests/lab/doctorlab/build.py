# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the control plane and the fault server with Go, once, into the cache shared by all checkouts."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from . import paths
from .errors import LabError
from .versions import Version, module_file

Log = Callable[[str], None]

# kube-apiserver last: the others then show progress early.
PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "etcd": "go.etcd.io/etcd/server/v3",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
        "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
        "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    }
)
# What a lab with a full node runs besides, and what sets up a control-plane node.
NODE_PACKAGES = {"kubelet": "k8s.io/kubernetes/cmd/kubelet"}
CONTROL_PLANE_PACKAGES = {"kubeadm": "k8s.io/kubernetes/cmd/kubeadm"}
# The file with the checksums that each of them needs besides those of the files before it: what is there need not be built anew because of them.
_MORE_SUMS = {"node.sum": NODE_PACKAGES, "kubeadm.sum": CONTROL_PLANE_PACKAGES}
# The lab's own programs: folders of tests/lab that are Go modules.
OWN = ("faultserver", "kubelet")
NODE_OWN = ("pause",)

_NO_GO = (
    "building the lab needs Go (https://go.dev/doc/install; the version is in tests/lab/modules/<version>/go.mod), and no `go` is in PATH. "
    "Install it, or set KUBEBUILDER_ASSETS to a folder that has the binaries."
)


def ensure(version: Version, log: Log, packages: Mapping[str, str] = PACKAGES) -> dict[str, Path]:
    """Return the path of each binary of PACKAGES (or of other packages), building those that neither KUBEBUILDER_ASSETS nor the cache has."""
    assets = Path(os.environ["KUBEBUILDER_ASSETS"]) if os.environ.get("KUBEBUILDER_ASSETS") else None
    given = {name: assets / name for name in packages if assets and (assets / name).is_file()}
    missing = {name: package for name, package in packages.items() if name not in given}
    home = paths.cache() / str(version)
    binaries = {**given, **{name: home / "bin" / name for name in missing}}
    key = _key(version, packages)
    if _outdated(home, missing, key):
        with _locked(home):
            outdated = _outdated(home, missing, key)  # somebody else may have built them meanwhile
            if outdated:
                _build(version, home, {name: missing[name] for name in outdated}, key, log)
    return binaries


def ensure_own(name: str, log: Log) -> Path:
    """Return the path of a program of the lab itself (OWN), built if its sources have changed."""
    folder = paths.LAB / name
    sources = sorted([*folder.glob("*.go"), *folder.glob("go.*")])
    digest = hashlib.sha256(b"".join(source.name.encode() + source.read_bytes() for source in sources)).hexdigest()
    home = paths.cache() / name / digest[:16]
    binary = home / name
    if not binary.exists():
        with _locked(home):
            if not binary.exists():
                log(f"building the lab's own {name}")
                _go(["build", "-trimpath", "-o", f"{binary}.new", "."], folder)
                Path(f"{binary}.new").replace(binary)
    return binary


def ensure_programs(name: str, packages: Mapping[str, str], log: Log, flags: str = "-s -w", extras: Callable[[Path, Path], None] | None = None) -> Path:
    """Return the folder with the programs of an application, built from the Go module tests/lab/<name>, which pins it.

    packages: program -> what to build. `extras(module, home)` puts further files there, from the sources that have been downloaded. Built on first use and
    kept; built anew when the module or what is asked for changes.
    """
    module = paths.LAB / name
    sources = sorted([*module.rglob("*.go"), *module.glob("go.*")])
    asked = json.dumps([sorted(packages.items()), flags]).encode()
    digest = hashlib.sha256(asked + b"".join(source.name.encode() + source.read_bytes() for source in sources)).hexdigest()
    home = paths.cache() / name / digest[:16]
    if not (home / "complete").exists():
        with _locked(home):
            if not (home / "complete").exists():
                for number, (program, package) in enumerate(packages.items(), 1):
                    log(f"{name}: building {program} ({number} of {len(packages)}, once)")
                    _go(["build", "-trimpath", "-ldflags", flags, "-o", str(home / program), package], module)
                if extras:
                    extras(module, home)
                (home / "complete").touch()
    return home


def module_folder(module: Path, required: str) -> Path:
    """Where Go keeps the sources of a module that is required by the one in a folder."""
    return Path(json.loads(_go(["list", "-m", "-json", required], module))["Dir"])


def lock(version: Version, log: Log) -> None:
    """Pin the modules of a version: write modules/<version>/go.mod, go.sum, and the files of _MORE_SUMS."""
    folder = paths.MODULES / str(version)
    folder.mkdir(parents=True, exist_ok=True)
    _write_module(version, folder, log, PACKAGES)
    sums = folder / "go.sum"
    plain = sums.read_text(encoding="utf-8")
    known = set(plain.splitlines())
    for name, packages in _MORE_SUMS.items():
        _go(["list", "-mod=mod", "-deps", *packages.values()], folder)
        more = [line for line in sums.read_text(encoding="utf-8").splitlines() if line not in known]
        (folder / name).write_text("".join(f"{line}\n" for line in more), encoding="utf-8")
        known |= set(more)
    sums.write_text(plain, encoding="utf-8")
    log(f"wrote {folder.relative_to(paths.CHECKOUT)}/go.mod, go.sum and {' and '.join(_MORE_SUMS)}")


def _write_module(version: Version, folder: Path, log: Log, packages: Mapping[str, str]) -> None:
    log(f"Kubernetes {version}: resolving modules")
    answer = json.loads(_go(["mod", "download", "-json", f"k8s.io/kubernetes@v{version}"], folder, GOFLAGS="-mod=mod"))
    (folder / "go.mod").write_text(module_file(Path(answer["GoMod"]).read_text(encoding="utf-8"), version), encoding="utf-8")
    _go(["list", "-mod=mod", "-deps", *packages.values()], folder)


def _pins(packages: Mapping[str, str]) -> tuple[str, ...]:
    """The files of modules/<version> that pin what these packages are built from. The plain control plane is not built anew because of a node."""
    files = list(_MORE_SUMS)
    needed = max((files.index(name) + 1 for name, more in _MORE_SUMS.items() if packages.keys() & more.keys()), default=0)
    return ("go.mod", "go.sum", *files[:needed])


def _key(version: Version, packages: Mapping[str, str]) -> str:
    """What a binary depends on; equal keys mean that nothing needs to be built."""
    digest = hashlib.sha256(version.linker_flags().encode())
    for name in _pins(packages):
        path = paths.MODULES / str(version) / name
        digest.update(path.read_bytes() if path.exists() else b"not pinned")
    return digest.hexdigest()


def _outdated(home: Path, wanted: dict[str, str], key: str) -> list[str]:
    return [name for name in wanted if not (home / "bin" / name).exists() or _read(home / "keys" / name) != key]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="ascii") if path.exists() else None


def _build(version: Version, home: Path, packages: dict[str, str], key: str, log: Log) -> None:
    module = home / "module"
    for folder in (module, home / "bin", home / "keys"):
        folder.mkdir(parents=True, exist_ok=True)
    pinned = paths.MODULES / str(version)
    if (pinned / "go.mod").exists():
        shutil.copyfile(pinned / "go.mod", module / "go.mod")
        sums = [pinned / name for name in _pins(packages) if name.endswith(".sum")]
        (module / "go.sum").write_text("".join(path.read_text(encoding="utf-8") for path in sums), encoding="utf-8")
    else:
        _write_module(version, module, log, packages)
    for number, (name, package) in enumerate(packages.items(), 1):
        log(f"Kubernetes {version}: building {name} ({number} of {len(packages)}; a whole control plane takes about 5 minutes on 2 cores, once)")
        started = time.monotonic()
        flags = version.linker_flags() if package.startswith("k8s.io/kubernetes/") else "-s -w"
        new = home / "bin" / f".{name}.new"
        _go(["build", "-trimpath", "-ldflags", flags, "-o", str(new), package], module)
        new.replace(home / "bin" / name)
        (home / "keys" / name).write_text(key, encoding="ascii")
        log(f"Kubernetes {version}: built {name} in {time.monotonic() - started:.0f} s")


def _go(arguments: list[str], folder: Path, **environment: str) -> str:
    """Run go in a folder and return its output. Raises LabError with the end of what it said."""
    if not shutil.which("go"):
        raise LabError(_NO_GO)
    # Nothing is cgo here; a go.work above the checkout must not reach in.
    environ = {"GOFLAGS": "-buildvcs=false", **os.environ, "CGO_ENABLED": "0", "GOWORK": "off", **environment}
    done = subprocess.run(["go", *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"`go {' '.join(arguments[:2])}` failed in {folder}:\n" + "\n".join(done.stderr.splitlines()[-15:]))
    return done.stdout


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
