# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options and kubeconfig to settings: precedence, what the files may hold, and what is said where they are wrong."""

from __future__ import annotations

import base64
import copy
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import settings_of
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import resolve
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings, bypasses_proxy

KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "green",
    "contexts": [
        {"name": "green", "context": {"cluster": "one", "user": "admin"}},
        {"name": "red", "context": {"cluster": "two", "user": "robot"}},
    ],
    "clusters": [
        {"name": "one", "cluster": {"server": "https://one:6443/", "certificate-authority-data": base64.b64encode(b"CA").decode()}},
        {"name": "two", "cluster": {"server": "https://two", "insecure-skip-tls-verify": True, "tls-server-name": "api", "proxy-url": "http://proxy:3128"}},
    ],
    "users": [{"name": "admin", "user": {"token": "secret"}}, {"name": "robot", "user": {"username": "u", "password": "p"}}],
}


def settings(params: dict[str, Any], environ: dict[str, str] | None = None, in_cluster: Path = Path("/nonexistent")) -> Settings:
    environ = environ or {}
    return settings_of(resolve(params, environ), environ, in_cluster)


def write(path: Path, content: Any) -> str:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


def changed(**changes: Any) -> dict[str, Any]:
    """KUBECONFIG with values replaced at dotted paths (a_b for a-b)."""
    result = copy.deepcopy(KUBECONFIG)
    for path, value in changes.items():
        *parents, last = path.split("__")
        target: Any = result
        for key in parents:
            target = target[int(key)] if isinstance(target, list) else target[key]
        target[last.replace("_", "-")] = value
    return result


def test_current_context(tmp_path: Path) -> None:
    found = settings({"kubeconfig": write(tmp_path / "config", KUBECONFIG)})
    assert (found.server, found.cluster, found.ca, dict(found.headers)) == ("https://one:6443", "green", b"CA", {"Authorization": "Bearer secret"})
    assert found.verify


def test_named_context(tmp_path: Path) -> None:
    found = settings({"kubeconfig": write(tmp_path / "config", KUBECONFIG), "context": "red"})
    assert (found.server, found.verify, found.server_name, found.proxy) == ("https://two", False, "api", "http://proxy:3128")
    assert found.headers["Authorization"] == "Basic dTpw"


def test_a_dictionary_is_read_like_a_file() -> None:
    assert settings({"kubeconfig": KUBECONFIG}).server == "https://one:6443"


def test_files_are_named_relative_to_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    for name in ("ca", "crt", "key", "token"):
        (tmp_path / "pki" / name).write_text(name)
    content = changed(clusters__0__cluster={"server": "https://one", "certificate-authority": "pki/ca"})
    content["users"][0]["user"] = {"client-certificate": "pki/crt", "client-key": "pki/key", "tokenFile": "pki/token"}
    found = settings({"kubeconfig": write(tmp_path / "config", content)})
    assert (found.ca, found.client_cert, found.client_key, found.headers["Authorization"]) == (b"ca", b"crt", b"key", "Bearer token")


def test_several_files_the_first_wins(tmp_path: Path) -> None:
    second = changed(clusters__0__cluster={"server": "https://other"})
    second["contexts"].append({"name": "blue", "context": {"cluster": "two", "user": "robot"}})
    paths = os.pathsep.join([write(tmp_path / "a", KUBECONFIG), str(tmp_path / "missing"), write(tmp_path / "b", second)])
    assert settings({"kubeconfig": paths}).server == "https://one:6443"
    assert settings({"kubeconfig": paths, "context": "blue"}).server == "https://two"


def test_impersonation_of_the_kubeconfig_and_of_the_options(tmp_path: Path) -> None:
    path = write(tmp_path / "config", changed(users__0__user={"token": "t", "as": "jane", "as-groups": ["g"]}))
    found = settings({"kubeconfig": path})
    assert (found.headers["Impersonate-User"], found.groups) == ("jane", ("g",))
    found = settings({"kubeconfig": path, "impersonate_user": "joe", "impersonate_groups": ["h"]})
    assert (found.headers["Impersonate-User"], found.groups) == ("joe", ("h",))


def test_explicit_credentials_need_no_kubeconfig() -> None:
    found = settings({"host": "https://api:6443/", "api_key": "t", "kubeconfig": "/nonexistent"})
    assert (found.server, found.cluster, found.headers["Authorization"]) == ("https://api:6443", "api:6443", "Bearer t")


def test_options_override_the_kubeconfig_one_by_one(tmp_path: Path) -> None:
    found = settings({"kubeconfig": write(tmp_path / "config", KUBECONFIG), "api_key": "other", "validate_certs": False})
    assert (found.server, found.headers["Authorization"], found.verify, found.ca) == ("https://one:6443", "Bearer other", False, b"CA")


def test_default_kubeconfig_of_the_environment(tmp_path: Path) -> None:
    environ = {"KUBECONFIG": write(tmp_path / "config", KUBECONFIG)}
    assert settings({}, environ).cluster == "green"
    assert settings({"context": "red"}, environ).cluster == "red"


def test_a_host_without_credentials_and_without_kubeconfig_is_asked_anonymously(tmp_path: Path) -> None:
    assert dict(settings({"host": "http://127.0.0.1:8001"}, {"KUBECONFIG": str(tmp_path / "none")}).headers) == {}


def test_in_cluster_goes_before_the_default_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("pod\n")
    (tmp_path / "ca.crt").write_text("CA")
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "KUBECONFIG": write(tmp_path / "config", KUBECONFIG)}
    found = settings({}, environ, tmp_path)
    assert (found.server, found.cluster, found.headers["Authorization"], found.ca) == ("https://[fd00::1]:443", "in-cluster", "Bearer pod", b"CA")
    assert settings({"context": "green"}, environ, tmp_path).cluster == "green"


@pytest.mark.parametrize(
    ("params", "environ", "proxy"),
    [
        ({}, {}, None),
        ({}, {"HTTPS_PROXY": "http://env:1"}, "http://env:1"),
        ({}, {"HTTPS_PROXY": "env:1"}, "http://env:1"),
        ({}, {"HTTPS_PROXY": "http://env:1", "NO_PROXY": "api"}, None),
        ({"no_proxy": ".example,api"}, {"HTTPS_PROXY": "http://env:1"}, None),
        ({"proxy": "http://option:1"}, {"HTTPS_PROXY": "http://env:1", "NO_PROXY": "api"}, "http://option:1"),
        ({"proxy": "http://option:1", "no_proxy": "api"}, {}, None),
        ({"host": "https://127.0.0.1:6443"}, {"HTTPS_PROXY": "http://env:1"}, None),
    ],
)
def test_proxy(params: dict[str, Any], environ: dict[str, str], proxy: str | None) -> None:
    assert settings({"host": "https://api", "api_key": "t", **params}, environ).proxy == proxy


@pytest.mark.parametrize(
    ("server", "no_proxy", "expected"),
    [
        ("https://a.example.com", "example.com", True),
        ("https://a.example.com", ".example.com", True),
        ("https://aexample.com", "example.com", False),
        ("https://10.1.2.3:6443", "10.0.0.0/8", True),
        ("https://11.1.2.3:6443", "10.0.0.0/8", False),
        ("https://[fd00::1]:6443", "fd00::/8", True),
        ("https://a", "*", True),
        ("https://a:6443", "a:6443", True),
        ("https://a", "", False),
    ],
)
def test_no_proxy(server: str, no_proxy: str, expected: bool) -> None:
    assert bypasses_proxy(server, no_proxy) is expected


@pytest.mark.parametrize(
    ("content", "context", "says"),
    [
        (KUBECONFIG, "blue", 'context "blue" does not exist; it has: green, red.'),
        (changed(current_context=""), None, "no context is chosen and current-context is empty. Give context; it has: green, red."),
        (changed(contexts__0__context={"cluster": "nine", "user": "admin"}), None, 'names the cluster "nine", which does not exist; there are: one, two.'),
        (changed(contexts__0__context={"cluster": "one", "user": "nobody"}), None, 'names the user "nobody", which does not exist; there are: admin, robot.'),
        (changed(clusters__0__cluster={"server": "one:6443"}), None, 'cluster "one" has no server of the form https://host:port.'),
        (changed(clusters__0__cluster={"server": "https://o", "certificate-authority-data": "%"}), None, "certificate-authority-data is not base64."),
        (changed(clusters__0__cluster={"server": "https://o", "certificate-authority": "none.crt"}), None, "none.crt cannot be read: No such file"),
        (changed(users__0__user={"client-certificate-data": "Q0E="}), None, "needs both client_cert and client_key"),
        ("a: [}", None, "is not YAML (line 1)"),
        ("just a text", None, "this is not a kubeconfig"),
        ("", None, "this is not a kubeconfig"),
        ("{clusters: {a: b}}", None, "clusters is not a list"),
    ],
)  # fmt: skip
def test_wrong_kubeconfig(tmp_path: Path, content: Any, context: str | None, says: str) -> None:
    path = write(tmp_path / "config", content)
    with pytest.raises(ConfigurationError) as failure:
        settings({"kubeconfig": path, "context": context})
    assert says in str(failure.value)
    assert path in str(failure.value) or says.startswith("needs both")
    assert "\n" not in str(failure.value)


def test_missing_kubeconfig() -> None:
    with pytest.raises(ConfigurationError, match=r"kubeconfig /nonexistent: no such file\. Give kubeconfig"):
        settings({"kubeconfig": "/nonexistent"})


def plugin(tmp_path: Path, script: str) -> str:
    program = tmp_path / "plugin"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    exec_ = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program), "interactiveMode": "Never"}
    return write(tmp_path / "config", changed(users__0__user={"exec": exec_, "as": "jane"}))


def test_credential_plugin(tmp_path: Path) -> None:
    answer = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "made"}}'
    found = settings({"kubeconfig": plugin(tmp_path, f"echo '{answer}'")})
    assert (found.server, found.ca, found.headers["Authorization"], found.headers["Impersonate-User"]) == ("https://one:6443", b"CA", "Bearer made", "jane")


def test_credential_plugin_that_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError, match="the credential plug-in of its user failed: exec: process returned 7"):
        settings({"kubeconfig": plugin(tmp_path, "echo 'log in again' >&2; exit 7")})
    assert "Traceback" not in capfd.readouterr().err
