# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Go module of a Kubernetes version."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctorlab import paths, versions
from doctorlab.errors import LabError
from doctorlab.versions import Version

KUBERNETES_MODULE = """\
module k8s.io/kubernetes

go 1.26.0

godebug default=go1.26

require (
\tgithub.com/google/uuid v1.6.0
\tk8s.io/api v0.0.0
)

replace (
\tk8s.io/api => ./staging/src/k8s.io/api
\tk8s.io/kube-proxy => ./staging/src/k8s.io/kube-proxy
)
"""


def test_staging_modules_are_replaced_by_releases() -> None:
    text = versions.module_file(KUBERNETES_MODULE, Version.parse("1.36.3"))
    assert "go 1.26.0\n" in text
    assert "godebug default=go1.26\n" in text
    assert "require k8s.io/kubernetes v1.36.3\n" in text
    assert "\tk8s.io/api => k8s.io/api v0.36.3\n\tk8s.io/kube-proxy => k8s.io/kube-proxy v0.36.3\n" in text


def test_an_override_takes_another_release() -> None:
    text = versions.module_file(KUBERNETES_MODULE, Version.parse("1.36.3", {"k8s.io/kube-proxy": "v0.36.0"}))
    assert "\tk8s.io/api => k8s.io/api v0.36.3\n\tk8s.io/kube-proxy => k8s.io/kube-proxy v0.36.0\n" in text


def test_a_module_without_staging_is_refused() -> None:
    with pytest.raises(LabError, match="names no staging modules"):
        versions.module_file("module k8s.io/kubernetes\n", Version.parse("1.36.3"))


@pytest.mark.parametrize("text", ["1.36", "v1.36.3", "2.0.0", "latest", ""])
def test_no_version(text: str) -> None:
    with pytest.raises(LabError, match=r"expected 1\.<minor>\.<patch>"):
        Version.parse(text)


def test_the_default_is_one_of_them_and_every_one_is_pinned() -> None:
    assert str(versions.choose(None, paths.VERSIONS)) == "1.36.3"
    for folder in paths.MODULES.iterdir():
        version = versions.choose(folder.name, paths.VERSIONS)
        assert f"require k8s.io/kubernetes v{version}" in (folder / "go.mod").read_text(encoding="utf-8")
        assert (folder / "go.sum").stat().st_size > 0


def test_an_unknown_version_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    path = tmp_path / "versions.yml"
    path.write_text("default: 1.36.3\nversions: {1.36.3: {}}\n", encoding="utf-8")
    with pytest.raises(LabError, match=r"1\.35\.0 is not in .* which has 1\.36\.3"):
        versions.choose("1.35.0", path)


def test_linker_flags_stamp_kubectl_and_servers() -> None:
    flags = Version.parse("1.30.14").linker_flags()
    assert "-X k8s.io/component-base/version.gitVersion=v1.30.14" in flags
    assert "-X k8s.io/client-go/pkg/version.gitMinor=30" in flags
