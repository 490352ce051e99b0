# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this answer one that kube-apiserver would take? Pure; the texts are the API server's. PRIVATE to the collection.

Sources, release 1.36: k8s.io/client-go rest/request.go (transformResponse, Into), k8s.io/apiserver
pkg/admission/plugin/webhook/request/admissionreview.go (VerifyAdmissionResponse) and mutating/dispatcher.go,
apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go. The content type plays no part there.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.outcome import ProbeFailed

_FIELDS: tuple[tuple[str, type], ...] = (
    ("uid", str),
    ("allowed", bool),
    ("patch", str),
    ("patchType", str),
    ("status", dict),
    ("result", dict),
    ("convertedObjects", list),
)
_WORDS = 300  # characters of a webhook's own words in a text


def judge_status(status: int, reason: str) -> None:
    """Raises ProbeFailed for every status that client-go takes for an error."""
    if not 200 <= status <= 206:
        raise ProbeFailed("http", "http_status", f"HTTP {status} {reason}".rstrip(), permanent=True)


def judge_admission(body: bytes, sent: Mapping[str, Any], mutating: bool | None) -> None:
    """Raises ProbeFailed unless `body` is a review that the API server can use. A denial is one.

    mutating: whether the call-out may patch, None where it is not known.
    """
    review = _decoded(body, sent)
    response = review.get("response")
    if response is None:
        raise _invalid("webhook response was absent")
    strict = sent["apiVersion"].endswith("/v1")  # of v1beta1 neither uid nor kind are looked at
    if strict and response.get("uid") != sent["request"]["uid"]:
        raise _invalid(f'expected response.uid="{sent["request"]["uid"]}", got "{_shown(response.get("uid"))}"')
    if strict:
        _same_kind(review, sent, "invalid_response")
    patch = _patch(response)
    patch_type = response.get("patchType")
    if mutating is False:
        if strict and patch:
            raise _invalid("validating webhook may not return response.patch")
        if strict and patch_type is not None:
            raise _invalid("validating webhook may not return response.patchType")
        return
    if strict and patch and patch_type is None:
        raise _invalid("webhook returned response.patch but not response.patchType")
    if strict and patch_type is not None and not patch:
        raise _invalid("webhook returned response.patchType but not response.patch")
    if strict and patch_type == "":
        raise _invalid('webhook returned invalid response.patchType of ""')
    if patch and response.get("allowed"):
        if strict and patch_type != "JSONPatch":
            raise ProbeFailed("review", "invalid_response", f'unsupported patch type "{_shown(patch_type)}"', permanent=True)
        _json_patch(patch)


def judge_conversion(body: bytes, sent: Mapping[str, Any]) -> str | None:
    """Raises ProbeFailed unless `body` is a well-made answer. Returns why the object was refused, None if it was converted.

    A refusal is the answer of a live webhook to an object that was made up: it cannot be told from a broken conversion here.
    """
    review = _decoded(body, sent)
    strict = sent["apiVersion"].endswith("/v1")
    if strict:
        _same_kind(review, sent, "conversion_failed")
    response = review.get("response")
    if response is None:
        raise _wrong("no response provided")
    if strict and response.get("uid") != sent["request"]["uid"]:
        raise _wrong(f'expected response.uid="{sent["request"]["uid"]}", got "{_shown(response.get("uid"))}"')
    result = response.get("result")
    result = result if isinstance(result, dict) else {}
    if result.get("status") != "Success":
        message = result.get("message")
        return _shown(message) if message else f"response.result.status was '{_shown(result.get('status'))}', not 'Success'"
    converted = response.get("convertedObjects") or []
    wanted = sent["request"]["objects"]
    if len(converted) != len(wanted):
        raise _wrong(f"returned {len(converted)} objects, expected {len(wanted)}")
    for index, (before, after) in enumerate(zip(wanted, converted)):
        _same_object(index, before, after, sent["request"]["desiredAPIVersion"])
    return None


def _decoded(body: bytes, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as a dictionary whose `response`, if any, is one too, with fields of the right types."""
    if not body:
        raise ProbeFailed("review", "not_an_admission_server", "0-length response", permanent=True)
    try:
        # Numbers say nothing here, and a float is made of a million digits in no time.
        review = json.loads(body, parse_int=float)
    except (ValueError, RecursionError) as error:
        if _ends_early(body, error):
            raise ProbeFailed("review", "invalid_response", "unexpected end of JSON input", permanent=True) from error
        raise ProbeFailed("review", "not_an_admission_server", f"couldn't get version/kind; json parse error: {error}", permanent=True) from error
    if not isinstance(review, dict):
        raise ProbeFailed("review", "not_an_admission_server", f"couldn't get version/kind: the answer is a JSON {_type(review)}", permanent=True)
    _kind_known(review, sent)
    response = review.get("response")
    if response is not None and not isinstance(response, dict):
        raise _unfit("response", response)
    for field, kind in _FIELDS if response else ():
        value = (response or {}).get(field)
        if value is not None and not isinstance(value, kind):
            raise _unfit(f"response.{field}", value)
    return review


def _kind_known(review: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    """A Status is an error; a review of another version decodes into another type, and the one awaited stays empty."""
    kind, version = review.get("kind"), review.get("apiVersion")
    if kind == "Status" and version == "v1":
        raise ProbeFailed("review", "not_an_admission_server", f"the answer is a Status: {_shown(review.get('message'))}", permanent=True)
    if kind and version and kind != sent["kind"]:
        raise ProbeFailed("review", "not_an_admission_server", f'no kind "{_shown(kind)}" is registered for version "{_shown(version)}"', permanent=True)
    if kind and version and sent["apiVersion"].endswith("/v1") and version == sent["apiVersion"] + "beta1":
        what = "webhook response was absent" if kind == "AdmissionReview" else "no response provided"
        cause = "invalid_response" if kind == "AdmissionReview" else "conversion_failed"
        raise ProbeFailed("review", cause, f"{what}: asked in {sent['apiVersion']}, it answered in {version}", permanent=True)


def _same_kind(review: Mapping[str, Any], sent: Mapping[str, Any], cause: str) -> None:
    if (review.get("apiVersion"), review.get("kind")) != (sent["apiVersion"], sent["kind"]):
        got = f"{_shown(review.get('apiVersion') or '/')}, Kind={_shown(review.get('kind') or '')}"
        raise ProbeFailed("review", cause, f"expected webhook response of {sent['apiVersion']}, Kind={sent['kind']}, got {got}", permanent=True)


def _patch(response: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode((response.get("patch") or "").replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProbeFailed("review", "not_an_admission_server", f"response.patch: illegal base64 data: {error}", permanent=True) from error


def _json_patch(patch: bytes) -> None:
    try:
        operations = json.loads(patch, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise ProbeFailed("review", "invalid_response", f"received undecodable patch in webhook response: {error}", permanent=True) from error
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise ProbeFailed("review", "invalid_response", f"received undecodable patch in webhook response: a JSON {_type(operations)}", permanent=True)


def _same_object(index: int, before: Mapping[str, Any], after: Any, api_version: str) -> None:
    if not isinstance(after, dict):
        raise _wrong(f"returned invalid object at index {index}: a JSON {_type(after)}")
    if after.get("apiVersion") != api_version:
        raise _wrong(f"returned invalid object at index {index}: invalid groupVersion (expected {api_version}, received {_shown(after.get('apiVersion'))})")
    if after.get("kind") != before["kind"]:
        raise _wrong(f"returned invalid object at index {index}: invalid kind (expected {before['kind']}, received {_shown(after.get('kind'))})")
    metadata = after.get("metadata")
    if not isinstance(metadata, dict):
        raise _wrong("returned invalid metadata: missing metadata in converted object")
    for field in ("name", "namespace", "uid"):
        old, new = before["metadata"].get(field), metadata.get(field)
        if (old or "") != (new or ""):
            word = "UID" if field == "uid" else field
            raise _wrong(f"returned invalid object: must have the same {word}: {_shown(old)} != {_shown(new)}")


def _ends_early(body: bytes, error: Exception) -> bool:
    """Whether JSON was right up to its end: then the answer was cut off."""
    text = body.decode("utf-8", "replace").rstrip()
    if not isinstance(error, json.JSONDecodeError) or not text.startswith("{"):
        return False
    rest = text[error.pos :]
    return error.msg.startswith("Unterminated string") or any(word.startswith(rest) for word in ("true", "false", "null", "-"))


def _invalid(text: str) -> ProbeFailed:
    return ProbeFailed("review", "invalid_response", f"received invalid webhook response: {text}", permanent=True)


def _wrong(text: str) -> ProbeFailed:
    return ProbeFailed("review", "conversion_failed", text, permanent=True)


def _unfit(field: str, value: Any) -> ProbeFailed:
    return ProbeFailed("review", "not_an_admission_server", f"json: cannot unmarshal {_type(value)} into {field}", permanent=True)


def _type(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "bool", type(None): "null"}
    return names.get(type(value), "number")


def _shown(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _WORDS else text[:_WORDS] + "…"
