# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which microk8s keeps kube-apiserver's flags, as kubelite reads it. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.process import option

ARGUMENTS = "/var/snap/microk8s/current/args/kube-apiserver"
_DATA = "/var/snap/microk8s/current"
_SNAP_DATA = re.compile(r"\$\{SNAP_DATA\}|\$SNAP_DATA\b")


def flags(host: Host, words: Sequence[str]) -> list[str]:
    """The words of that file; `words`: kubelite's own command line, which names it."""
    return parsed(host.text(option(tuple(words), "apiserver-args-file") or ARGUMENTS) or "")


def parsed(content: str) -> list[str]:
    """Quotes mean nothing, spaces separate, variables are put in (kubelite's ReadArgsFromFile). Pure.

    Of the variables only the snap's own folder is: whatever else is in the environment of kubelite need not be fit to be shown.
    """
    lines = (line.strip() for line in content.splitlines())
    read = " ".join(line for line in lines if not line.startswith("#"))
    return _SNAP_DATA.sub(_DATA, re.sub(r"['\"]", "", read)).split()
