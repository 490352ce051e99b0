# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubeconfig -> Settings. PRIVATE to the collection.

Certificates, tokens and passwords that stand in the file are read here, which spares the 200 ms that importing
`kubernetes` takes; credentials that a program has to make (exec, auth-provider) are left to `kubernetes.config`.
Format: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.credential_plugins import from_library
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError, MissingLibrary
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings

_LISTS = ("clusters", "contexts", "users")


def from_file(paths: str, context: str | None, persist: bool) -> Settings:
    """Settings of `context` (default: current-context) in one or several files, joined by os.pathsep as in $KUBECONFIG.

    The first file that defines a name wins, as in kubectl. Raises ConfigurationError, MissingLibrary.
    """
    merged: dict[str, Any] = {name: {} for name in _LISTS}
    existing = existing_files(paths)
    if not existing:
        raise ConfigurationError(f"kubeconfig {paths}: no such file. Give kubeconfig (or K8S_AUTH_KUBECONFIG), or host with api_key or a client certificate.")
    for path in existing:
        _merge(merged, _parsed(path), str(path), path.absolute().parent)
    return _settings(merged, context, f"kubeconfig {paths}", lambda name: from_library(paths, None, name, persist))


def from_dict(content: Mapping[str, Any], context: str | None, persist: bool) -> Settings:
    """The same for a kubeconfig given as a dictionary; relative paths in it start at the working directory."""
    merged: dict[str, Any] = {name: {} for name in _LISTS}
    _merge(merged, content, "kubeconfig (a dictionary)", Path.cwd())
    return _settings(merged, context, "kubeconfig (a dictionary)", lambda name: from_library(None, content, name, persist))


def existing_files(paths: str) -> list[Path]:
    """The files of a list joined by os.pathsep that exist; kubectl ignores the others as well."""
    return [path for path in (Path(name).expanduser() for name in paths.split(os.pathsep) if name) if path.exists()]


def _parsed(path: Path) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingLibrary("PyYAML", "to read a kubeconfig") from error
    try:
        with path.open("rb") as file:
            return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise ConfigurationError(f"kubeconfig {path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigurationError(
            f"kubeconfig {path} is not YAML{f' (line {mark.line + 1})' if mark else ''}. Expected what kubectl config view prints."
        ) from error


def _merge(merged: dict[str, Any], content: Any, origin: str, base: Path) -> None:
    """Add the named entries of one file to `merged`, each with the directory that its relative paths start at."""
    if not isinstance(content, Mapping) or not any(name in content for name in _LISTS):
        raise ConfigurationError(f"{origin}: this is not a kubeconfig. Expected clusters, contexts and users, as kubectl config view prints them.")
    for name in _LISTS:
        entries = content.get(name) or []
        if not isinstance(entries, list):
            raise ConfigurationError(f"{origin}: {name} is not a list.")
        for entry in entries:
            if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
                inner = entry.get(name[:-1])
                merged[name].setdefault(entry["name"], (inner if isinstance(inner, Mapping) else {}, base))
    if content.get("current-context"):
        merged.setdefault("current-context", content["current-context"])


def _settings(merged: Mapping[str, Any], context: str | None, origin: str, by_library: Any) -> Settings:
    name = context or merged.get("current-context")
    known = ", ".join(sorted(merged["contexts"])) or "none"
    if not name:
        raise ConfigurationError(f"{origin}: no context is chosen and current-context is empty. Give context; it has: {known}.")
    if name not in merged["contexts"]:
        raise ConfigurationError(f'{origin}: context "{name}" does not exist; it has: {known}.')
    chosen, _base = merged["contexts"][name]
    origin = f'{origin}: context "{name}"'
    cluster, cluster_base = _named(merged, "clusters", chosen.get("cluster"), origin)
    user, user_base = _named(merged, "users", chosen["user"], origin) if chosen.get("user") else ({}, Path())
    if not isinstance(cluster.get("server"), str) or not cluster["server"].startswith(("http://", "https://")):
        raise ConfigurationError(f'{origin}: cluster "{chosen.get("cluster")}" has no server of the form https://host:port.')
    groups = tuple(str(group) for group in user.get("as-groups") or ())
    if _needs_program(user):
        made = by_library(name)
        return replace(made, proxy=cluster.get("proxy-url") or None, groups=groups, headers={**made.headers, **_impersonation(user)})
    return Settings(
        server=cluster["server"].rstrip("/"),
        cluster=name,
        ca=_content(cluster, "certificate-authority", cluster_base, origin),
        client_cert=_content(user, "client-certificate", user_base, origin),
        client_key=_content(user, "client-key", user_base, origin),
        headers={**_authorization(user, user_base, origin), **_impersonation(user)},
        groups=groups,
        verify=cluster.get("insecure-skip-tls-verify") is not True,
        server_name=cluster.get("tls-server-name") or None,
        proxy=cluster.get("proxy-url") or None,
    )


def _named(merged: Mapping[str, Any], kind: str, name: Any, origin: str) -> tuple[Mapping[str, Any], Path]:
    if name not in merged[kind]:
        raise ConfigurationError(f'{origin} names the {kind[:-1]} "{name}", which does not exist; there are: {", ".join(sorted(merged[kind])) or "none"}.')
    return merged[kind][name]


def _needs_program(user: Mapping[str, Any]) -> bool:
    """exec wins over a static token in the Python client only where there is none; auth-provider always wins there."""
    return "auth-provider" in user or ("exec" in user and not (user.get("token") or user.get("tokenFile")))


def _content(entry: Mapping[str, Any], key: str, base: Path, origin: str) -> bytes:
    """The bytes of <key>-data (base64), else of the file <key>, else nothing."""
    data, path = entry.get(f"{key}-data"), entry.get(key)
    if data:
        try:
            return base64.b64decode("".join(str(data).split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigurationError(f"{origin}: {key}-data is not base64.") from error
    return read(base / Path(str(path)).expanduser(), f"{origin}: {key}") if path else b""


def read(path: Path, what: str) -> bytes:
    """The bytes of a file that an option names. Raises ConfigurationError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{what}: {path} cannot be read: {error.strerror}.") from error


def _authorization(user: Mapping[str, Any], base: Path, origin: str) -> dict[str, str]:
    if user.get("token"):
        return {"Authorization": f"Bearer {str(user['token']).strip()}"}
    if user.get("tokenFile"):
        token = read(base / Path(str(user["tokenFile"])).expanduser(), f"{origin}: tokenFile")
        return {"Authorization": f"Bearer {token.decode('utf-8', 'replace').strip()}"}
    if user.get("username") and user.get("password"):
        return {"Authorization": basic(str(user["username"]), str(user["password"]))}
    return {}


def basic(username: str, password: str) -> str:
    """An Authorization header's value (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _impersonation(user: Mapping[str, Any]) -> dict[str, str]:
    """kubectl honours `as`; the Python client forgets it, and would then act with more rights than the user chose."""
    return {"Impersonate-User": str(user["as"])} if user.get("as") else {}
