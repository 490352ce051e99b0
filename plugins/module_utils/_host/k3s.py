# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What k3s, which hides its command line, was told: by its settings files and by its service. PRIVATE to the collection.

Single words are looked up, and whatever else is in these files is left alone: they hold tokens and the password of its database.
"""

from __future__ import annotations

import re

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.setting import setting

_SETTINGS = "/etc/rancher/k3s/config.yaml"
_UNITS = "/etc/systemd/system"
_UNIT = "k3s.service"
_OPEN_RC = "/etc/init.d/k3s"
_DATA = "/var/lib/rancher/k3s"


def told(host: Host, unit: str | None, name: str) -> str | None:
    """The value of --<name>, None where nobody has given one. `unit`: the service of its process.

    The service's flags win over the settings, and later files of config.yaml.d over earlier ones (k3s pkg/configfilearg).
    """
    service = (flag(host.text(path), name) for path in _services(host, unit or _UNIT))
    settings = (setting(host.text(path), name) for path in _files(host))
    return next((value for value in (*service, *settings) if value), None)


def is_set(host: Host, unit: str | None, name: str) -> bool:
    """Whether a flag that is true or false is true."""
    return told(host, unit, name) not in (None, "false")


def server_folder(host: Host, unit: str | None, pid: int | None) -> str:
    """Where a server keeps its state: the process has made it its working directory (k3s pkg/server, setupDataDirAndChdir), whoever told it so."""
    folder = host.link(f"/proc/{pid}/cwd") if pid else None
    return folder if folder and folder.endswith("/server") else f"{(told(host, unit, 'data-dir') or _DATA).rstrip('/')}/server"


def flag(content: str | None, name: str) -> str | None:
    """The last --<name> in the file of a service; "true" where it has no value. Pure.

    k3s' installer writes each word in a line and quotes of its own: `'--https-listen-port' \\`.
    """
    read = re.sub(r"^\s*#.*$", "", content or "", flags=re.MULTILINE)
    found = re.findall(rf"(?<![\w-])--{re.escape(name)}(?![\w-])['\"]?(?:[\s='\"\\]+([^\s'\"\\-][^\s'\"\\]*))?", read)
    return (found[-1] or "true") if found else None


def _services(host: Host, unit: str) -> list[str]:
    """The one that wins first; a drop-in replaces the command of the unit."""
    folder = f"{_UNITS}/{unit}.d"
    return [*(f"{folder}/{name}" for name in reversed(host.names(folder)) if name.endswith(".conf")), f"{_UNITS}/{unit}", _OPEN_RC]


def _files(host: Host) -> list[str]:
    """The one that wins first."""
    folder = f"{_SETTINGS}.d"
    return [*(f"{folder}/{name}" for name in reversed(host.names(folder)) if name.endswith((".yaml", ".yml"))), _SETTINGS]
