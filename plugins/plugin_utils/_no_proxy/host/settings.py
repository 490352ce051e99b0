# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts of the variables that a machine sets (`proxy_settings`, module proxy_settings_facts). Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# What this collection has written itself.
OWN = "own"
FILE = "zz-webhook-doctor-proxy.conf"
# Settings of docker, which count before its environment.
DAEMON = "/etc/docker/daemon.json"
# RKE2, k3s and k0s: for the program of that name alone.
PREFIXES = ("", "CONTAINERD_")
NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


class InvalidSettings(ValueError):
    """This is not what proxy_settings_facts returns; the text says what it is."""


def checked(settings: Any) -> Mapping[str, Any]:
    """Raises InvalidSettings."""
    if isinstance(settings, Mapping) and all(isinstance(settings.get(key), list) for key in ("units", "manifests", "logins", "others", "coverage")):
        return settings
    raise InvalidSettings("expected the proxy_settings that kubeops.webhook_doctor.proxy_settings_facts returns.")


def effective(variables: Iterable[Mapping[str, Any]], prefix: str = "", own: bool = True) -> dict[str, str]:
    """Name (without the prefix) -> value, the last of each name; own: those of this collection, too."""
    return {
        one["name"][len(prefix) :]: one["value"]
        for one in variables
        if one["name"].startswith(prefix) and (own or one["kind"] != OWN) and (prefix or not any(one["name"].startswith(p) for p in PREFIXES if p))
    }


def excepted(variables: Mapping[str, str]) -> str:
    """NO_PROXY as Go reads it, and after it what only no_proxy holds."""
    upper, lower = variables.get("NO_PROXY", ""), variables.get("no_proxy", "")
    first = upper or lower
    known = {entry.strip() for entry in first.split(",")}
    others = [entry.strip() for entry in lower.split(",") if entry.strip() and entry.strip() not in known]
    return ",".join([*(entry.strip() for entry in first.split(",") if entry.strip()), *others])


def proxied(variables: Mapping[str, str]) -> bool:
    return any(variables.get(name) or variables.get(name.lower()) for name in NAMES[:2])
