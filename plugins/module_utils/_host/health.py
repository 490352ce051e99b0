# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server says of itself: ready, live, its version. PRIVATE to the collection.

Asked without credentials first; where anonymous requests are refused, with those of the node.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.connection import NoAnswer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.credentials import Credentials
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.https import Answer, anonymous, get

_FAILED = re.compile(r"^\[-\](\S+)", re.MULTILINE)
REFUSED = (401, 403)


class Health:
    """One API server at one address. `credentials` is called once, and only if it refuses anonymous requests."""

    def __init__(self, address: str, port: int, credentials: Callable[[], Sequence[Credentials]]) -> None:
        self._address, self._port, self._credentials = address, port, credentials
        self._last: Credentials | None = None  # who was answered last; None: who has no credentials
        self._others: tuple[Credentials, ...] | None = None

    def ready(self) -> dict[str, Any]:
        """{status, failed, error} of /readyz."""
        return self._check("/readyz?verbose")

    def live(self) -> dict[str, Any]:
        return self._check("/livez?verbose")

    def version(self) -> str | None:
        try:
            answer, _refusal = self._get("/version")
            found = json.loads(answer.body).get("gitVersion") if answer.status == 200 else None
        except (NoAnswer, ValueError, AttributeError):
            return None
        return found if isinstance(found, str) else None

    def _check(self, path: str) -> dict[str, Any]:
        try:
            answer, refusal = self._get(path)
        except NoAnswer as error:
            return {**nothing(), "error": str(error)}
        text = answer.body.decode("utf-8", "replace")
        return {"status": answer.status, "failed": [] if refusal else _FAILED.findall(text), "error": refusal}

    def _get(self, path: str) -> tuple[Answer, str | None]:
        """The answer, and how it was refused to everybody, None where it was not. Raises NoAnswer.

        All are tried each time: an API server that has just started may refuse for a moment whom it will let in.
        """
        first = self._ask(path, self._last)
        if first.status not in REFUSED:
            return first, None
        if self._others is None:
            self._others = tuple(self._credentials())
        said = [f"{_named(self._last)}: HTTP {first.status}"]
        for other in (None, *self._others):
            if other is self._last:
                continue
            try:
                answer = self._ask(path, other)
            except NoAnswer as error:
                said.append(f"{_named(other)}: {error}")
                continue
            if answer.status not in REFUSED:
                self._last = other
                return answer, None
            said.append(f"{_named(other)}: HTTP {answer.status}")
        if not self._others:
            said.append("no credentials that could be used are on the host")
        return first, f"it refuses to say ({'; '.join(said)})"

    def _ask(self, path: str, who: Credentials | None) -> Answer:
        return get(self._address, self._port, path, who.context, who.headers) if who else get(self._address, self._port, path, anonymous())


def _named(who: Credentials | None) -> str:
    return f"with {who.path}" if who else "without credentials"


def nothing() -> dict[str, Any]:
    """Of a server that was not asked."""
    return {"status": None, "failed": [], "error": None}
