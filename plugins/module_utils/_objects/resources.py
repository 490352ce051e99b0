# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a kind to its path in the API, and which words may become part of one. PRIVATE to the collection."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api, HttpError, Response

# Names of API groups, kinds, namespaces and objects; anything else must not become part of a path. RBAC names may have colons.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9:._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?v[0-9a-z]+")


class InvalidReference(Exception):
    """A reference that cannot be used, by its position. `expected` says what could."""

    def __init__(self, index: int, problem: str, expected: str) -> None:
        super().__init__(problem)
        self.index, self.expected = index, expected


class NotServed(Exception):
    """The API server does not know such a kind."""


def check_names(references: Sequence[Mapping[str, Any]]) -> None:
    """Raises InvalidReference."""
    for index, reference in enumerate(references):
        if not _VERSION.fullmatch(str(reference["api_version"])):
            raise InvalidReference(index, f"api_version {reference['api_version']!r} is none", "such as v1 or apps/v1")
        for key in ("kind", "namespace", "name"):
            if reference.get(key) and not _NAME.fullmatch(str(reference[key])):
                raise InvalidReference(index, f"{key} {reference[key]!r} is no name", "letters, digits, '-', '.', and ':'")


class Resources:
    """Which resource a kind is, asked of the API server once for each group and version. Safe for threads."""

    def __init__(self, api: Api) -> None:
        self._api, self._lock = api, threading.Lock()
        self._known: dict[str, dict[str, tuple[str, bool]] | Response] = {}

    def path(self, api_version: str, kind: str, namespace: str | None) -> str:
        """Of all objects of a kind; of those in a namespace, where one is given and the kind has any. Raises NotServed, HttpError, Unreachable, ValueError."""
        with self._lock:
            if api_version not in self._known:
                self._known[api_version] = self._asked(api_version)
            known = self._known[api_version]
        if isinstance(known, Response):
            raise HttpError(known)
        if kind not in known:
            raise NotServed(f"the API server does not serve {kind} of {api_version}")
        plural, namespaced = known[kind]
        within = f"/namespaces/{namespace}" if namespaced and namespace else ""
        return f"{_base(api_version)}{within}/{plural}"

    def _asked(self, api_version: str) -> dict[str, tuple[str, bool]] | Response:
        """Kind -> (plural, whether it is in a namespace); the answer where discovery was refused."""
        response = self._api.request("GET", _base(api_version))
        if response.status not in (200, 404):
            return response
        return dict(_resources(response)) if response.status == 200 else {}


def _base(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _resources(response: Response) -> Iterator[tuple[str, tuple[str, bool]]]:
    listed = response.json()
    for resource in listed.get("resources") or () if isinstance(listed, dict) else ():
        name, kind = str(resource.get("name")), str(resource.get("kind"))
        if "/" not in name and _NAME.fullmatch(name):
            yield kind, (name, bool(resource.get("namespaced")))
