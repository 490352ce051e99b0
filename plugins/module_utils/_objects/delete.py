# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects deleted all at once, each only in the state in which somebody has looked at it. PRIVATE to the collection.

Source: k8s.io/apimachinery pkg/apis/meta/v1 DeleteOptions; k8s.io/apiserver pkg/registry/generic/registry (preconditions are answered with 409).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api, HttpError, Response
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.resources import InvalidReference, NotServed, Resources, check_names

_CONCURRENCY = 16
# RBAC's words. A webhook or a policy that denies is Forbidden, too.
_NOT_ALLOWED = re.compile(r'forbidden: User "[^"]*" cannot ')
# What stands between here and the API server, or between it and etcd, gave up waiting: the object may be gone all the same.
_UNKNOWN_STATUS = (502, 503, 504)
_UNKNOWN_WORDS = ("etcdserver: request timed out", "etcdserver: leader changed")


def check_targets(targets: Sequence[Mapping[str, Any]]) -> None:
    """Raises InvalidReference."""
    check_names(targets)
    for index, target in enumerate(targets):
        if not target.get("name"):
            raise InvalidReference(index, "has an empty name", "the name of one object")


def delete_all(api: Api, targets: Sequence[Mapping[str, Any]], dry_run: bool) -> list[dict[str, Any]]:
    """One result for each of {api_version, kind, namespace, name, uid, resource_version}, in the same order:
    {ok, error, conflict, forbidden, missing, unknown}.

    ok: it is gone, or will be when its finalizers are through, or was not there (missing). conflict: uid or resource_version is another one. forbidden: the
    user may not. unknown: no answer came, so that it may be gone or not. dry_run: the API server does everything but deleting.
    """
    resources = Resources(api)
    with ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="delete") as pool:
        return list(pool.map(lambda target: _delete(api, resources, target, dry_run), targets))


def _delete(api: Api, resources: Resources, target: Mapping[str, Any], dry_run: bool) -> dict[str, Any]:
    try:
        path = resources.path(target["api_version"], target["kind"], target.get("namespace"))
    except NotServed as error:
        return _result(error=str(error))
    except HttpError as error:
        return _result(error=error.response.message(), forbidden=error.status == 403)
    except Unreachable as error:  # nothing was sent yet, but what could be?
        return _result(error=error.message, unknown=True)
    except ValueError as error:
        return _result(error=f"what the API server serves of {target['api_version']} cannot be read: {error}")
    try:
        return _judged(target, api.request("DELETE", f"{path}/{target['name']}", body=_options(target, dry_run)))
    except Unreachable as error:
        return _result(error=error.message, unknown=True)


def _options(target: Mapping[str, Any], dry_run: bool) -> dict[str, Any]:
    """DeleteOptions. What an object owns goes after it, as with kubectl."""
    pinned = {"uid": target.get("uid"), "resourceVersion": target.get("resource_version")}
    preconditions = {key: value for key, value in pinned.items() if value}
    return {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        **({"preconditions": preconditions} if preconditions else {}),
        **({"dryRun": ["All"]} if dry_run else {}),
    }


def _judged(target: Mapping[str, Any], response: Response) -> dict[str, Any]:
    if response.status in (200, 202):
        return _result(ok=True)
    if response.status == 404 and _is_about(target, response):
        return _result(ok=True, missing=True)
    message = response.message()
    return _result(
        error=message,
        conflict=response.status == 409,
        forbidden=response.status == 403 and bool(_NOT_ALLOWED.search(message)),
        unknown=response.status in _UNKNOWN_STATUS or any(words in message for words in _UNKNOWN_WORDS),
    )


def _is_about(target: Mapping[str, Any], response: Response) -> bool:
    """Whether the object is what is not found: a path that lacks its namespace is not found either, and such a Status names nothing."""
    try:
        status = response.json()
    except ValueError:
        return False
    details = status.get("details") if isinstance(status, dict) else None
    return isinstance(details, dict) and details.get("name") == target["name"]


def _result(
    *, ok: bool = False, error: str | None = None, conflict: bool = False, forbidden: bool = False, missing: bool = False, unknown: bool = False
) -> dict[str, Any]:
    return {"ok": ok, "error": error, "conflict": conflict, "forbidden": forbidden, "missing": missing, "unknown": unknown}
