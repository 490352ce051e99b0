# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of any kind, by name or by label, all at once. PRIVATE to the collection."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api, HttpError, Response
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.fields import only

_CONCURRENCY = 16
# Names of API groups, kinds, namespaces and objects; anything else must not become part of a path. RBAC names may have colons.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9:._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?v[0-9a-z]+")


class InvalidReference(Exception):
    """A reference that cannot be read, by its position. `expected` says what could."""

    def __init__(self, index: int, problem: str, expected: str) -> None:
        super().__init__(problem)
        self.index, self.expected = index, expected


def check_references(references: Sequence[Mapping[str, Any]]) -> None:
    """Raises InvalidReference."""
    for index, reference in enumerate(references):
        if not _VERSION.fullmatch(str(reference["api_version"])):
            raise InvalidReference(index, f"api_version {reference['api_version']!r} is none", "such as v1 or apps/v1")
        for key in ("kind", "namespace", "name"):
            if reference.get(key) and not _NAME.fullmatch(str(reference[key])):
                raise InvalidReference(index, f"{key} {reference[key]!r} is no name", "letters, digits, '-', '.', and ':'")
        if reference.get("public_keys") and (reference["kind"] not in ("Secret", "ConfigMap") or not reference.get("name")):
            raise InvalidReference(index, "has public_keys", "them for one Secret or ConfigMap by its name")
        if reference.get("name") and reference.get("label_selector"):
            raise InvalidReference(index, "has both a name and a label_selector", "one of them, or none for all objects of the kind")
        for field in reference.get("fields") or ():
            if not re.fullmatch("(?:/[^/]+)+", field):
                raise InvalidReference(index, f"field {field!r} is no JSON pointer to a key", "such as /metadata/ownerReferences")


def read_all(api: Api, references: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One result for each reference, in the same order: {objects: [...], error: str|null, reason: forbidden|missing_api|error|null}.

    An object that does not exist is an empty list and no error.
    """
    kinds = _Kinds(api)
    with ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="read") as pool:
        return list(pool.map(lambda reference: _read(api, kinds, reference), references))


class _Kinds:
    """Which resource a kind is, asked of the API server once for each group and version."""

    def __init__(self, api: Api) -> None:
        self._api, self._lock = api, threading.Lock()
        self._known: dict[str, dict[str, tuple[str, bool]] | Response] = {}

    def of(self, api_version: str, kind: str) -> tuple[str, bool] | Response | None:
        """(plural, whether it is in a namespace); None: not served; the answer where discovery was refused."""
        with self._lock:
            if api_version not in self._known:
                response = self._api.request("GET", _base(api_version))
                if response.status in (200, 404):
                    self._known[api_version] = dict(_resources(response)) if response.status == 200 else {}
                else:
                    self._known[api_version] = response
            found = self._known[api_version]
        return found if isinstance(found, Response) else found.get(kind)


def _base(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _resources(response: Response) -> Iterator[tuple[str, tuple[str, bool]]]:
    listed = response.json()
    for resource in listed.get("resources") or () if isinstance(listed, dict) else ():
        name, kind = str(resource.get("name")), str(resource.get("kind"))
        if "/" not in name and _NAME.fullmatch(name):
            yield kind, (name, bool(resource.get("namespaced")))


def _read(api: Api, kinds: _Kinds, reference: Mapping[str, Any]) -> dict[str, Any]:
    api_version, kind, name = reference["api_version"], reference["kind"], reference.get("name")
    fields = reference.get("fields") or ()
    try:
        known = kinds.of(api_version, kind)
        if known is None:
            return _result(error=f"the API server does not serve {kind} of {api_version}", reason="missing_api")
        if isinstance(known, Response):
            return _refused(known)
        plural, namespaced = known
        namespace = f"/namespaces/{reference['namespace']}" if namespaced and reference.get("namespace") else ""
        path = f"{_base(api_version)}{namespace}/{plural}"
        if not name:
            query = {"labelSelector": reference["label_selector"]} if reference.get("label_selector") else None
            found = ({"apiVersion": api_version, "kind": kind, **item} for page in api.pages(path, query) for item in page["items"])
            return _result([only(item, fields) if fields else item for item in found])
        response = api.request("GET", f"{path}/{name}")
        if response.status == 404:
            return _result()
        if response.status != 200:
            return _refused(response)
        return _result([only(response.json(), fields) if fields else response.json()])
    except HttpError as error:
        return _refused(error.response)
    except Unreachable as error:
        return _result(error=error.message, reason="error")
    except ValueError as error:
        return _result(error=f"the answer for {kind} {name or ''} cannot be read: {error}", reason="error")


def _refused(response: Response) -> dict[str, Any]:
    return _result(error=response.message(), reason="forbidden" if response.status == 403 else "error")


def _result(objects: Sequence[Mapping[str, Any]] = (), error: str | None = None, reason: str | None = None) -> dict[str, Any]:
    return {"objects": list(objects), "error": error, "reason": reason}
