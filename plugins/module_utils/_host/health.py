# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server says of itself: ready, live, its version. PRIVATE to the collection.

Asked without credentials first; where anonymous requests are refused, with those of the node.
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.connection import NoAnswer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.credentials import Credentials
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.https import Answer, anonymous, get

_FAILED = re.compile(r"^\[-\](\S+)", re.MULTILINE)
_REFUSED = (401, 403)


class Health:
    """One API server at one address. `credentials` is called once, and only if it refuses anonymous requests."""

    def __init__(self, address: str, port: int, credentials: Callable[[], Credentials | None]) -> None:
        self._address, self._port, self._credentials = address, port, credentials
        self._known: Credentials | None = None
        self._looked = False

    def ready(self) -> dict[str, Any]:
        """{status, failed, error} of /readyz."""
        return self._check("/readyz?verbose")

    def live(self) -> dict[str, Any]:
        return self._check("/livez?verbose")

    def version(self) -> str | None:
        try:
            answer = self._get("/version")
            found = json.loads(answer.body).get("gitVersion") if answer.status == 200 else None
        except (NoAnswer, ValueError, AttributeError):
            return None
        return found if isinstance(found, str) else None

    def _check(self, path: str) -> dict[str, Any]:
        try:
            answer = self._get(path)
        except NoAnswer as error:
            return {**nothing(), "error": str(error)}
        text = answer.body.decode("utf-8", "replace")
        refused = f"HTTP {answer.status}: the credentials that were found have no right to ask" if answer.status in _REFUSED else None
        return {"status": answer.status, "failed": _FAILED.findall(text), "error": refused}

    def _get(self, path: str) -> Answer:
        if self._known is None:
            answer = get(self._address, self._port, path, anonymous())
            if answer.status not in _REFUSED or self._looked:
                return answer
            self._looked = True
            self._known = self._credentials()
            if self._known is None:
                return answer
        return get(self._address, self._port, path, self._known.context, self._known.headers)


def nothing() -> dict[str, Any]:
    """Of a server that was not asked."""
    return {"status": None, "failed": [], "error": None}
