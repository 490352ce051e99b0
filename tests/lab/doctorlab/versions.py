# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Kubernetes versions the lab runs (versions.yml), and the Go module that builds one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from .errors import LabError

_VERSION = re.compile(r"^1\.(?P<minor>\d+)\.(?P<patch>\d+)$")


@dataclass(frozen=True)
class Version:
    """A Kubernetes release, 1.<minor>.<patch>, and the staging modules that it takes from another release."""

    minor: int
    patch: int
    overrides: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str, overrides: dict[str, str] | None = None) -> Version:
        match = _VERSION.match(text)
        if not match:
            raise LabError(f'Kubernetes version "{text}": expected 1.<minor>.<patch>, such as 1.36.3.')
        return cls(int(match["minor"]), int(match["patch"]), tuple(sorted((overrides or {}).items())))

    def __str__(self) -> str:
        return f"1.{self.minor}.{self.patch}"

    def staging(self, module: str) -> str:
        """The release of k8s.io/api and its sisters: v0.N.x stands for Kubernetes v1.N.x."""
        return dict(self.overrides).get(module, f"v0.{self.minor}.{self.patch}")

    def linker_flags(self) -> str:
        """Binaries built from modules do not know their version: stamp it where kubectl and the servers look."""
        values = {"gitVersion": f"v{self}", "gitMajor": "1", "gitMinor": str(self.minor), "gitTreeState": "clean"}
        packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        return " ".join(["-s", "-w", *(f"-X {package}.{name}={value}" for package in packages for name, value in values.items())])


def choose(text: str | None, path: Path) -> Version:
    """Return a version of versions.yml, its default where `text` is None."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    wanted = text or data["default"]
    if wanted not in data["versions"]:
        Version.parse(wanted)  # its own message for what is no version at all
        raise LabError(f"Kubernetes {wanted} is not in tests/lab/versions.yml, which has {', '.join(data['versions'])}. Add a line for it.")
    return Version.parse(wanted, data["versions"][wanted])


def known(path: Path) -> list[Version]:
    """Every version of versions.yml."""
    return [choose(version, path) for version in yaml.safe_load(path.read_text(encoding="utf-8"))["versions"]]


def module_file(kubernetes_module: str, version: Version) -> str:
    """The go.mod that builds a release from ordinary modules.

    `kubernetes_module` is the text of k8s.io/kubernetes' own go.mod: it replaces its staging modules by folders that exist only in
    its repository; here each is replaced by a release.
    """
    lines = ["module kubeops.dev/webhook-doctor/lab", ""]
    lines += [line + "\n" for line in kubernetes_module.splitlines() if line.startswith(("go ", "godebug "))]
    lines += [f"require k8s.io/kubernetes v{version}", "", "replace ("]
    staging = re.findall(r"^\s+(k8s\.io/\S+) => \./staging/", kubernetes_module, flags=re.MULTILINE)
    if not staging:
        raise LabError(f"k8s.io/kubernetes v{version}: its go.mod names no staging modules.")
    lines += [f"\t{name} => {name} {version.staging(name)}" for name in staging]
    return "\n".join([*lines, ")", ""])
