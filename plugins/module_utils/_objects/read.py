# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of any kind, by name or by label, all at once. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api, HttpError, Response
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.fields import only
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.resources import InvalidReference, NotServed, Resources, check_names

_CONCURRENCY = 16


def check_references(references: Sequence[Mapping[str, Any]]) -> None:
    """Raises InvalidReference."""
    check_names(references)
    for index, reference in enumerate(references):
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
    resources = Resources(api)
    with ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="read") as pool:
        return list(pool.map(lambda reference: _read(api, resources, reference), references))


def _read(api: Api, resources: Resources, reference: Mapping[str, Any]) -> dict[str, Any]:
    api_version, kind, name = reference["api_version"], reference["kind"], reference.get("name")
    fields = reference.get("fields") or ()
    try:
        path = resources.path(api_version, kind, reference.get("namespace"))
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
    except NotServed as error:
        return _result(error=str(error), reason="missing_api")
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
