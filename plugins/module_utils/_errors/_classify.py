# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An error text of a Kubernetes API server -> which call-out, what cause, how far the call got. PRIVATE to the collection.

Pure and bounded: linear time, no exception for any `str`. `_text` takes off what wraps the text, `_envelopes` finds who failed, `_causes` why.
"""

from __future__ import annotations

import re
from typing import Any, Optional

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._causes import REASON_PHRASE, answer_cause, transport_cause
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._envelopes import Entry, entries
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors._text import plain

# Something was refused on purpose: the API server's calls worked.
HEALTHY = frozenset({"denied", "policy_denied", "autopilot_denied", "forbidden", "dry_run_unsupported", "informational"})

_OTHERS_LIMIT = 20
_MESSAGE_LIMIT = 500

Judgement = tuple[str, Optional[str], Optional[str]]  # cause, phase, code

_FIXED: dict[str, Judgement] = {
    "modified": ("invalid_response", "review", "WD411"),
    "no_dry_run": ("dry_run_unsupported", None, None),
    "denial": ("denied", None, None),
    "policy": ("policy_denied", None, None),
    "autopilot": ("autopilot_denied", None, None),
    "forbidden": ("forbidden", None, None),
    "request_timeout": ("request_timeout", None, None),
    "not_ready": ("not_ready", None, None),
    "etcd": ("etcd_quota_exceeded", None, "WD870"),
    "acme_words": ("http_status", "http", "WD838"),
    "acme_hosts": ("informational", None, None),
    "missing_endpoints": ("no_ready_endpoints", "resolve", "WD103"),
    "discovery": ("aggregated_api_unavailable", None, "WD430"),
    "unavailable": ("aggregated_api_unavailable", None, "WD430"),
    "patch": ("invalid_response", "review", "WD411"),
    "istiod_forbidden": ("forbidden", None, "WD859"),
    "mesh_stream": ("mesh_config_not_received", None, "WD858"),
    "mesh_conflict": ("conflict", None, "WD861"),
}
# What comes behind a connection: an address in such a text is one that the back end speaks of.
_ANSWERED = frozenset({"conversion_failed", "http_status", "invalid_response", "not_an_admission_server"})
# What the kinds of envelopes are called outside.
_KINDS = {
    **dict.fromkeys(("admission", "modified", "no_dry_run", "denial", "patch"), "admission"),
    **dict.fromkeys(("policy", "autopilot"), "policy"),
    **dict.fromkeys(("discovery_check", "missing_endpoints", "apiservice_service", "service_proxy", "discovery", "unavailable"), "apiservice"),
    **dict.fromkeys(("request_timeout", "not_ready", "lister", "self_lookup"), "apiserver"),
    **dict.fromkeys(("client", "forbidden"), "client"),
    **dict.fromkeys(("acme", "acme_check", "acme_words", "acme_hosts"), "acme"),
    **dict.fromkeys(("istiod_forbidden", "mesh_stream", "mesh_proxy", "mesh_conflict"), "mesh"),
    "conversion": "conversion",
    "etcd": "etcd",
}
# What failed when cert-manager called an ACME server, or looked whether a challenge is answered -> code; anything else that is known: the codes at None.
_ACME = {
    "dns_failure": "WD834",
    "unknown_authority": "WD835",
    "certificate_expired": "WD836",
    "certificate_not_yet_valid": "WD836",
    "name_mismatch": "WD833",
    "no_san": "WD833",
    "proxied": "WD837",
    "unknown": None,
}
_ACME_CHECK = {"dns_failure": "WD842", "proxied": "WD839", "unknown": None}

_URL = re.compile(r"\b(?:Post|Get|Put|Patch|Delete|Head)\s\"?(https?://[^\s\"]{1,2048})\"?:?\s?")
_LEADING_URL = re.compile(r"\"?(https?://[^\s\"]{1,2048})")
_HOST_PORT = re.compile(r"(?:[^@/?#]{0,200}@)?(\[[^\]\s]{2,60}\]|[^:/?#\s]{1,253})(?::(\d{1,5}))?")
_TIMEOUT = re.compile(r"[?&]timeout=(\d{1,6})s")
_INNER = re.compile(r"(?:failed to call webhook|failed|failing): ?|lacked response")
_ADDRESS = r"(\[[\w:.%]{2,60}\]:\d{1,5}|[\w.-]{1,253}:\d{1,5})"
_DIALED = re.compile(rf"\bdial(?:ing)? (?:tcp[46]? )?{_ADDRESS}|(?:read|write) tcp \S{{1,60}}->{_ADDRESS}")
_NAMED_SERVICE = re.compile(r"[Ss]ervice [\"']([^\s\"']{1,253})[\"']")
_API_PATH = re.compile(r"/apis/([\w.-]{1,253})/(v\d[a-z0-9]{0,20})(?:$|/)")
_STATUS = re.compile(r"status code (\d{3})\b|(?:^|bad status from )\"?https?://\S{1,2048}: (\d{3})\b")
_NAMES = re.compile(r"certificate is valid for ([^\n]{1,2000}?),? (?:not|but none matched) ([^\s\"',;)]{1,253})|, but wanted to match ([^\s\"',;)]{1,253})")
_NODE = re.compile(r"(?:^|[\s.,])(?:ip-\w{1,3}-\w{1,3}-\w{1,3}|fargate-ip-)|\.(?:compute|ec2)\.internal\b")
_HINT = re.compile(r"possibly because of \"([^\n]{1,600}?)\" while trying to verify candidate authority certificate \"([^\"\n]{1,200})\"")
_FLAWED = re.compile(r"insecure algorithm|cannot sign this kind|not authorized|path length|critical extension|key usage|name constraints")
# What a sidecar says of the updates that it got: accepted and rejected clusters, then listeners. Source: istio pilot/cmd/pilot-agent/status/util/stats.go.
_UPDATES = re.compile(r"cds updates: \d{1,9} successful, (\d{1,9}) rejected; lds updates: \d{1,9} successful, (\d{1,9}) rejected")
_AUTOPILOT = re.compile(r"GKE ?Autopilot authz|GKE Warden|\bautogke-")


def classify(text: str) -> dict[str, Any]:
    """The most specific failure that `text` tells of.

    Returns `{code, cause, phase, kind, webhook, service: {namespace, name, port}|null, url, path, dialed: "ip:port"|null, timeout_seconds,
    routing: endpoint|cluster_ip|null, healthy, names: {...}, others: [the same, without others]}`.
    kind: admission|conversion|apiservice|policy|apiserver|etcd|acme|mesh|client, null where the text does not tell. code: null where no finding stands for
    it (a denial, a client's own connection). healthy: true where the API server's calls worked and something was refused on purpose.
    names: what else the text names, of group, version, gvk_kind, resource, policy_kind, policy, binding, apiservice, status, valid_for, wanted, hint,
    authority, proxy_answer, redirected_to, failing, message, acme_error, configuration.
    Raises TypeError where `text` is no str.
    """
    if not isinstance(text, str):
        raise TypeError(f"classify() takes str, not {type(text).__name__}")
    ranked = sorted(
        ((_rank(judged, entry.quoted), judged) for entry, judged in ((entry, _judge(entry)) for entry in entries(plain(text)))), key=lambda item: item[0]
    )
    results: list[dict[str, Any]] = []
    for rank, judged in ranked:
        if judged not in results and (not results or rank < _NOTHING):
            results.append(judged)
        if len(results) > _OTHERS_LIMIT:
            break
    return {**results[0], "others": results[1:]}


_NOTHING = 6


def _rank(judged: dict[str, Any], quoted: bool) -> int:
    """What a person must hear first: a named fault, a vague one, an unnamed one, a refusal on purpose, what a denial only quotes."""
    if quoted:
        return 5
    if judged["healthy"]:
        return 4 if judged["cause"] == "forbidden" else 3
    if judged["cause"] == "unknown":
        return 2 if judged["code"] else _NOTHING
    return 1 if judged["cause"] in ("http_status", "request_timeout", "deadline_exceeded", "aggregated_api_unavailable") else 0


def _judge(entry: Entry) -> dict[str, Any]:
    flat = entry.reason.replace("\n", " ")
    call = _URL.search(flat)
    url_match = call or (_LEADING_URL.match(flat) if entry.kind == "discovery_check" else None)
    url = url_match[1].rstrip(":,;") if url_match else None
    names: dict[str, Any] = dict(entry.names)
    webhook, service, namespace = names.pop("webhook", None), names.pop("service", None), names.pop("namespace", None)
    judged: dict[str, Any] = {
        "code": None,
        "cause": "unknown",
        "phase": None,
        "kind": _KINDS.get(entry.kind or ""),
        "webhook": webhook,
        "service": None,
        "url": url,
    }
    judged.update(path=None, dialed=None, timeout_seconds=None, routing=None, healthy=False, names=names)
    if service:
        judged["service"] = {"namespace": namespace, "name": service, "port": None}
    if url:
        _place(judged, url)

    behind = entry.reason[call.end() :] if call else None
    fixed = _proxy_updates(entry) if entry.kind == "mesh_proxy" else _FIXED.get(entry.kind or "")
    if fixed:
        judgement = _FIXED["autopilot"] if entry.kind in ("denial", "forbidden") and _AUTOPILOT.search(flat) else fixed
        if fixed[0] in HEALTHY and flat.strip():
            names["message"] = flat.strip()[:_MESSAGE_LIMIT]
    else:
        judgement = _reason(entry, behind)
        phrase = REASON_PHRASE.match(behind) if behind is not None and judgement[0] == "proxied" else None
        if phrase:
            names["proxy_answer"] = phrase[0]
        judgement = _details(judged, judgement, flat if behind is None else behind.replace("\n", " "))
    judged["cause"], judged["phase"], judged["code"] = _of_whom(judged, judgement, entry)
    judged["healthy"] = judged["cause"] in HEALTHY and judged["code"] is None
    if judged["kind"] == "apiservice":
        _name_apiservice(judged)
    return judged


def _proxy_updates(entry: Entry) -> Judgement:
    """Why a sidecar of Istio is not ready: what it was sent was rejected, or nothing came (all counters 0)."""
    updates = _UPDATES.search(entry.reason)
    rejected = updates is not None and any(int(count) for count in updates.groups())
    if rejected or "but was rejected" in entry.head + entry.reason[:60]:
        return "mesh_config_rejected", None, "WD857"
    return "mesh_config_not_received", None, "WD857"


def _place(judged: dict[str, Any], url: str) -> None:
    """Fill in service, path and timeout_seconds from the URL of a call."""
    host_port, slash, rest = url.partition("://")[2].partition("/")
    path = slash + rest.partition("?")[0]
    timeout = _TIMEOUT.search(url)
    judged["path"] = path or None
    judged["timeout_seconds"] = int(timeout[1]) if timeout else None
    place = _HOST_PORT.match(host_port)
    if not place:
        return
    labels = place[1].split(".")
    if len(labels) == 3 and labels[2] == "svc":
        judged["service"] = {"namespace": labels[1], "name": labels[0], "port": int(place[2]) if place[2] else 443}


def _reason(entry: Entry, behind: str | None) -> Judgement:
    """Why it failed. `behind` is what follows `Post "<url>": `, null without one."""
    kind = entry.kind
    if behind is not None:
        found = transport_cause(behind.replace("\n", " "))
        phrase = REASON_PHRASE.match(behind)
        if phrase and (not found or found.start >= phrase.end()):
            return "proxied", "connect", "WD220"
        return found.judgement if found else _unnamed(kind)
    inner = _INNER.match(entry.reason)
    start = entry.reason[inner.end() :].lstrip() if inner else entry.reason
    flat = start.replace("\n", " ")
    answered = answer_cause(flat)
    if answered and kind in ("admission", "conversion"):
        cause, phase, code = answered.judgement
        return ("conversion_failed", phase, "WD420") if kind == "conversion" and code == "WD411" else (cause, phase, code)
    if kind is None and flat.strip() == "service unavailable":
        # The aggregator's whole answer for an APIService that is not available.
        return _unnamed("service_proxy")
    if answered and kind is None:
        # Any client gets such an answer to any request: no finding about a call-out stands for it.
        return answered.cause, answered.phase, None
    if kind == "apiservice_service":
        return _service_of_apiservice(flat)
    if kind == "discovery_check":
        return _discovery_check(entry, flat)
    found = transport_cause(flat)
    # A conversion webhook's own message stands here alone; it may say anything further on.
    if found and (kind != "conversion" or found.start == 0 or flat.startswith(("...", "…", "dial "))):
        return found.judgement
    if kind == "conversion":
        return "conversion_failed", "review", "WD420"
    if kind == "admission" and inner and flat.strip():
        # Of all statuses only a 403 comes through with nothing but the back end's own words.
        return "http_status", "http", "WD402"
    return _unnamed(kind)


def _unnamed(kind: str | None) -> Judgement:
    if kind in ("admission", "conversion"):
        return "unknown", None, "WD903"
    if kind in ("discovery_check", "service_proxy", "apiservice_service"):
        return "aggregated_api_unavailable", None, "WD430"
    return "unknown", None, None


def _service_of_apiservice(reason: str) -> Judgement:
    if reason.startswith("is not present"):
        return "service_not_found", "resolve", "WD101"
    if reason.startswith("is not listening"):
        return "service_port_not_found", "resolve", "WD102"
    return "aggregated_api_unavailable", None, "WD430"


def _discovery_check(entry: Entry, reason: str) -> Judgement:
    """`bad status from <url>: 403`, `timed out waiting for <url>`; an answer of client-go's words does not occur here."""
    if entry.head.startswith("timed out"):
        return "deadline_exceeded", None, "WD212"
    status = _STATUS.search(reason)
    if status:
        return "http_status", "http", _status_code(status[1] or status[2])
    found = transport_cause(reason)
    return found.judgement if found else _unnamed(entry.kind)


def _status_code(status: str) -> str:
    known = {"404": "WD401", "401": "WD402", "403": "WD402", "429": "WD403"}
    return known.get(status) or {"3": "WD406", "5": "WD404"}.get(status[0], "WD405")


def _details(judged: dict[str, Any], judgement: Judgement, reason: str) -> Judgement:
    """Fill in dialed, routing and names from the reason; the judgement, made finer where the text says more."""
    cause, phase, code = judgement
    names = judged["names"]
    dialed = _DIALED.search(reason)
    if dialed and cause not in _ANSWERED:
        judged["dialed"] = dialed[1] or dialed[2]
    status = _STATUS.search(reason)
    if cause == "http_status" and status:
        names["status"] = int(status[1] or status[2])
    named = _NAMED_SERVICE.search(reason)
    if named and phase == "resolve" and not judged["service"]:
        judged["service"] = {"namespace": None, "name": named[1], "port": None}
    if cause in ("name_mismatch", "no_san"):
        mismatch = _NAMES.search(reason)
        if mismatch:
            names["valid_for"] = mismatch[1]
            names["wanted"] = mismatch[2] or mismatch[3]
            if mismatch[1] and _NODE.search(mismatch[1]):
                code = "WD311"
    if cause == "unknown_authority":
        hint = _HINT.search(reason)
        if hint:
            names["hint"], names["authority"] = hint[1], hint[2]
            if "has expired or is not yet valid" in hint[1]:
                cause, code = ("certificate_not_yet_valid", "WD308") if " is before " in hint[1] else ("certificate_expired", "WD313")
            elif _FLAWED.search(hint[1]):
                cause, code = "certificate_invalid", "WD312"
    judged["routing"] = _routing(judged, code)
    return cause, phase, code


def _routing(judged: dict[str, Any], code: str | None) -> str | None:
    """How this API server reaches Services, where the text gives it away.

    An endpoint is dialled on its own port, a ClusterIP on the Service's. A port of the Service above 1023 may be both: null.
    """
    if code in ("WD103", "WD106"):
        return "endpoint"
    if code == "WD107":
        return "cluster_ip"
    service, dialed = judged["service"], judged["dialed"]
    if not service or not service["port"] or not dialed or code in ("WD220", "WD221"):
        return None
    port = int(dialed.rpartition(":")[2])
    if port != service["port"]:
        return "endpoint"
    return "cluster_ip" if port < 1024 else None


def _of_whom(judged: dict[str, Any], judgement: Judgement, entry: Entry) -> Judgement:
    """The judgement as it is for the one who made the call: the API server to itself (loopback), a client to the API server, or a call-out.

    The API server sends `timeout` along with every review. A call to elsewhere without it is one that a redirect led to.
    """
    cause, phase, _code = judgement
    if entry.kind == "acme":
        return cause, phase, _ACME.get(cause, "WD830")
    if entry.kind == "acme_check":
        return _self_check(entry, judgement)
    service, path = judged["service"], judged["path"] or ""
    own_service = bool(service) and (service["namespace"], service["name"]) == ("default", "kubernetes")
    if cause == "certificate_expired" and (
        own_service or entry.kind in ("lister", "self_lookup") or (entry.kind == "call" and path.endswith(("/limitranges", "/resourcequotas")))
    ):
        judged["kind"] = judged["kind"] or "apiserver"
        return "loopback_certificate_expired", "tls", "WD690"
    if entry.kind == "self_lookup":
        return cause, phase, None
    if entry.kind in ("client", "lister") or (entry.kind == "call" and not service and path.startswith("/api")):
        judged["kind"] = "client"
        return cause, phase, None
    if entry.kind in ("admission", "conversion") and judged["url"] and not service and judged["timeout_seconds"] is None:
        judged["names"]["redirected_to"] = judged["url"]
        return "http_status", "http", "WD406"
    return judgement


def _self_check(entry: Entry, judgement: Judgement) -> Judgement:
    """cert-manager looks at a challenge as the ACME server will: over HTTP at the domain, or in the DNS."""
    cause, phase, _code = judgement
    if "DNS-01" in entry.head:
        return cause, phase, "WD843"
    if re.search(r"wrong status code '\d{3}'|did not get expected response", entry.reason):
        return "http_status", "http", "WD841"
    return cause, phase, _ACME_CHECK.get(cause, "WD840")


def _name_apiservice(judged: dict[str, Any]) -> None:
    names = judged["names"]
    path = _API_PATH.search(judged["path"] or "")
    group, version = path.groups() if path else (names.get("group"), names.get("version"))
    if group and version:
        names["apiservice"] = f"{version}.{group}"
