# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes of docs/architecture.md, as data, and a check against them. PRIVATE to the collection.

Only what judgement and rendering rely on is named; keys may be added (as the contract says), so unknown ones are left alone, and so are
unknown words for causes, phases and vantages, which may be added as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Mismatch(Exception):
    """Where (a path such as facts.callouts[3].id), and what was expected there."""


@dataclass(frozen=True)
class Maybe:
    """null, or `shape`."""

    shape: Any


@dataclass(frozen=True)
class Later:
    """Absent (a bundle of an older version), null, or `shape`."""

    shape: Any


@dataclass(frozen=True)
class Each:
    """A list, every item of `shape`."""

    shape: Any


@dataclass(frozen=True)
class Values:
    """An object with any keys, every value of `shape`."""

    shape: Any


@dataclass(frozen=True)
class OneOf:
    """One of these words."""

    words: frozenset[str]


@dataclass(frozen=True)
class Time:
    """ISO 8601 in UTC."""


_TIME = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d(:[0-6]\d(\.\d{1,9})?)?Z")

TEXT, WHOLE, NUMBER, TRUTH, ANY = str, int, (int, float), bool, object
_NAMES: dict[Any, str] = {str: "a string", int: "a whole number", (int, float): "a number", bool: "true or false", object: "anything"}

_SELECTOR = Maybe({"match_labels": Values(TEXT), "match_expressions": Each({"key": TEXT, "operator": TEXT, "values": Maybe(Each(TEXT))})})

_CALLOUT = {
    "id": TEXT,
    "kind": OneOf(frozenset({"validating", "mutating", "conversion", "apiservice"})),
    "object": {
        "api_version": TEXT,
        "kind": TEXT,
        "name": TEXT,
        "labels": Maybe(Values(TEXT)),
        "annotations": Maybe(Values(TEXT)),
        "owners": Each({"kind": TEXT, "name": TEXT}),
    },
    "webhook": Maybe(TEXT),
    "client": {"service": Maybe({"namespace": TEXT, "name": TEXT, "port": WHOLE, "path": Maybe(TEXT)}), "url": Maybe(TEXT)},
    "server_name": TEXT,
    "ca_bundle": TEXT,
    "failure_policy": Maybe(OneOf(frozenset({"Fail", "Ignore"}))),
    "timeout_seconds": WHOLE,
    "rules": Each({"operations": Each(TEXT), "api_groups": Each(TEXT), "api_versions": Each(TEXT), "resources": Each(TEXT)}),
    "namespace_selector": _SELECTOR,
    "object_selector": _SELECTOR,
    "match_conditions": Each({"name": TEXT}),
    "conversion": Maybe({"group": TEXT, "plural": TEXT}),
    "apiservice": Maybe({"group": Maybe(TEXT), "version": Maybe(TEXT)}),
    "backend": TEXT,
}

_BACKEND = {
    "id": TEXT,
    "kind": OneOf(frozenset({"service", "url"})),
    "url": Maybe({"scheme": TEXT, "host": TEXT, "port": WHOLE}),
    "service": Maybe({"namespace": TEXT, "name": TEXT, "found": Maybe(TRUTH), "type": Maybe(TEXT), "ports": Maybe(Each({"port": WHOLE}))}),
    "port": Maybe({"port": WHOLE}),
    "endpoints": Maybe(Each({"address": TEXT, "port": Maybe(WHOLE), "ready": TRUTH, "node": Maybe(TEXT), "pod": Maybe(TEXT)})),
    "pods": Maybe(Each({"namespace": TEXT, "name": TEXT, "ready": TRUTH, "containers": Each({"name": TEXT})})),
}

_INSTANCE = {
    "name": Maybe(TEXT),
    "address": Maybe(TEXT),
    "port": Maybe(WHOLE),
    "node": Maybe(TEXT),
    "flags": Maybe(Values(TEXT)),
    "proxy": Maybe(Values(Maybe(TEXT))),
    "visible": TRUTH,
}

_NODE = {
    "name": TEXT,
    "provider_id": Maybe(TEXT),
    "labels": Values(TEXT),
    "internal_ips": Each(TEXT),
    "external_ips": Each(TEXT),
    "pod_cidrs": Each(TEXT),
    "ready": TRUTH,
}
_DAEMONSET = {"namespace": TEXT, "name": TEXT, "labels": Values(TEXT), "host_ports": Each(WHOLE), "ready": WHOLE, "desired": WHOLE, "env": Values(TEXT)}
_PEER = {"cidr": Maybe(TEXT), "except": Each(TEXT), "namespaces": _SELECTOR, "pods": _SELECTOR}
_POLICY = {
    "namespace": TEXT,
    "name": TEXT,
    "pod_selector": _SELECTOR,
    "ingress": TRUTH,
    "rules": Each({"ports": Maybe(Each({"protocol": TEXT, "port": ANY, "end_port": Maybe(WHOLE)})), "from": Maybe(Each(_PEER))}),
}
_AGENT = {"namespace": TEXT, "name": TEXT, "labels": Values(TEXT), "node": Maybe(TEXT), "ip": Maybe(TEXT), "host_network": TRUTH, "ready": TRUTH}

FACTS = {
    "source": {"kind": TEXT, "cluster": TEXT, "server": Maybe(TEXT), "observed_at": Time(), "access": Values(Maybe(TRUTH))},
    "version": {"git_version": Maybe(TEXT), "major": Maybe(WHOLE), "minor": Maybe(WHOLE)},
    "platform": Later(
        {"api_groups": Maybe(Each(TEXT)), "nodes": Each(_NODE), "daemonsets": Each(_DAEMONSET), "config": Values(Values(TEXT))},
    ),
    "network": Later(
        {
            "policies": Each(_POLICY),
            "plugin_policies": Each({"group": TEXT, "kind": TEXT, "namespace": Maybe(TEXT), "name": TEXT}),
            "agents": Each(_AGENT),
        }
    ),
    "callouts": Each(_CALLOUT),
    "backends": Each(_BACKEND),
    "namespaces": Each({"name": TEXT, "labels": Maybe(Values(TEXT))}),
    "control_plane": {"routing": TEXT, "routing_because": Maybe(TEXT), "instances": Each(_INSTANCE)},
    "evidence": Each({"source": TEXT, "text": TEXT, "count": WHOLE, "object": {"kind": Maybe(TEXT), "namespace": Maybe(TEXT), "name": Maybe(TEXT)}}),
    "coverage": Each({"what": TEXT, "reason": TEXT, "message": Maybe(TEXT), "consequence": Maybe(TEXT)}),
}

PROBE = {
    "name": TEXT,
    "vantage": TEXT,
    "callouts": Each(TEXT),
    "ok": TRUTH,
    "phase": Maybe(TEXT),
    "cause": Maybe(TEXT),
    "error": Maybe(TEXT),
    "provable": TRUTH,
    "reason": Maybe(TEXT),
    "hidden_by": Maybe(TEXT),
    "elapsed_ms": {phase: Maybe(NUMBER) for phase in ("resolve", "connect", "tls", "http", "total")},
    "peer": Maybe({"address": Maybe(TEXT)}),
    "tls": Maybe({"version": Maybe(TEXT), "chain": Each(TEXT)}),
    "http": Maybe({"status": Maybe(WHOLE), "body": Maybe(TEXT)}),
}

VERDICT = {
    "name": TEXT,
    "callouts": Each(TEXT),
    "trusted": Maybe(TRUTH),
    "error": Maybe(TEXT),
    "cause": Maybe(TEXT),
    "certificates": Each(
        {"source": TEXT, "index": WHOLE, "subject": Maybe(TEXT), "dns_names": Maybe(Each(TEXT)), "ip_addresses": Maybe(Each(TEXT)), "days_left": Maybe(NUMBER)}
    ),
    "problems": Each({"problem": TEXT, "message": TEXT}),
}

BUNDLE = {"collection_version": TEXT, "example": TRUTH, "facts": FACTS, "probes": Each(PROBE), "verdicts": Each(VERDICT)}

FINDINGS = Each(
    {
        "code": TEXT,
        "title": TEXT,
        "severity": OneOf(frozenset({"error", "warning", "info"})),
        "subject": {"kind": TEXT, "namespace": Maybe(TEXT), "name": TEXT, "webhook": Maybe(TEXT)},
        "affects": Each(TEXT),
        "impact": Maybe(TEXT),
        "cause": Maybe(TEXT),
        "phase": Maybe(TEXT),
        "evidence": Each(TEXT),
        "confirm": Each(TEXT),
        "remedy": {"role": Maybe(TEXT), "vars": ANY, "manual": Each(TEXT)},
        "docs": Maybe(TEXT),
        "fingerprint": TEXT,
    }
)
SUPPRESSED = Each({**FINDINGS.shape, "reason": Maybe(TEXT), "until": Maybe(TEXT)})


def check(value: Any, shape: Any, at: str = "") -> None:
    """Raise Mismatch at the first place where `value` is not of `shape`. Depth is that of the shape, time linear in the value."""
    if isinstance(shape, (Maybe, Later)):
        if value is not None:
            check(value, shape.shape, at)
    elif isinstance(shape, Each):
        _expect(isinstance(value, list), at, "a list", value)
        for index, item in enumerate(value):
            check(item, shape.shape, f"{at}[{index}]")
    elif isinstance(shape, Values):
        _expect(isinstance(value, Mapping), at, "an object", value)
        for key, item in value.items():
            check(item, shape.shape, f"{at}.{key!s:.80}")
    elif isinstance(shape, OneOf):
        _expect(isinstance(value, str) and value in shape.words, at, f"one of {', '.join(sorted(shape.words))}", value)
    elif isinstance(shape, Time):
        _expect(isinstance(value, str) and _TIME.fullmatch(value) is not None, at, "a time in ISO 8601 with Z", value)
    elif isinstance(shape, dict):
        _expect(isinstance(value, Mapping), at, "an object", value)
        for key, inner in shape.items():
            if key not in value and isinstance(inner, Later):
                continue
            if key not in value:
                raise Mismatch(f"{_join(at, key)} is missing")
            check(value[key], inner, _join(at, key))
    else:
        wrong_truth = isinstance(value, bool) and shape is not TRUTH
        _expect(isinstance(value, shape) and not wrong_truth, at, _NAMES[shape], value)


def _join(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key


def _expect(fits: bool, at: str, expected: str, value: Any) -> None:
    if not fits:
        raise Mismatch(f"{at or 'the bundle'} is {value!r:.60}, expected {expected}")
