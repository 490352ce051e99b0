# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real consumers of NO_PROXY, asked where they send requests.

`ask` runs them in a network namespace of their own (inside.py, below unshare), so that a request that goes past the proxy goes nowhere.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from .curl import CurlProgram, NewCurl, OldCurl
from .go import Go
from .java import Java
from .python import Requests, Urllib
from .witness import Absent, Witness

WITNESSES: dict[str, Witness] = {witness.name: witness for witness in (Go(), OldCurl(), CurlProgram(), NewCurl(), Urllib(), Requests(), Java())}
# Stands in questions for the listener's URL and port, which are known only in the namespace.
PROXY_URL, PROXY_PORT = "{proxy}", "{port}"
_UNSHARE = ["unshare", "--user", "--map-root-user", "--net"]


def ask(witness: str, questions: Iterable[tuple[dict[str, str], str]]) -> list[str]:
    """The answers (direct, proxy) to (variables, URL). Raises Absent, also where this machine gives no network namespace."""
    if shutil.which("unshare") is None or subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode:
        raise Absent("no network namespace is to be had here, so that a request past the proxy would really go out")
    dummy = WITNESSES[witness].version()
    done = subprocess.run(
        [*_UNSHARE, sys.executable, "-m", f"{__package__}.inside", witness],
        input=json.dumps(list(questions)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[str] = json.loads(done.stdout)
    return answers


def settings(consumer: str, no_proxy: str) -> dict[str, str]:
    """The listener as the proxy for https, and this value."""
    if consumer == "java":
        return {"https.proxyHost": "127.0.0.1", "https.proxyPort": PROXY_PORT, "http.nonProxyHosts": no_proxy}
    return {"HTTPS_PROXY": PROXY_URL, "NO_PROXY": no_proxy}


def replaced(variables: dict[str, Any], url: str, port: int) -> dict[str, str]:
    return {name: {PROXY_URL: url, PROXY_PORT: str(port)}.get(value, value) for name, value in variables.items()}
