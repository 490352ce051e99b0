# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults as data: what tests/lab/faults/*.yml may say, checked when it is loaded.

The classes are the format: their fields are the keys, their defaults a healthy webhook with two ready pods.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from .errors import LabError
from .pki import AUTHORITIES

ROUTINGS = ("endpoint", "cluster_ip")
SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Rule:
    """A rule of an admission webhook."""

    resources: list[str]
    groups: list[str] = field(default_factory=lambda: [""])
    versions: list[str] = field(default_factory=lambda: ["v1"])
    operations: list[str] = field(default_factory=lambda: ["CREATE", "UPDATE"])


@dataclass(frozen=True)
class CallOut:
    """The object that makes the API server call: a webhook configuration, a CRD or an APIService."""

    kind: str = "validating"  # validating, mutating, conversion, apiservice
    failure_policy: str = "Fail"
    timeout_seconds: int = 10
    port: int = 443
    path: str = "/review"
    # Names of authorities (pki.AUTHORITIES) whose certificates make up the bundle, in this order; or text that is used as it is.
    ca_bundle: list[str] | str = field(default_factory=lambda: ["ca"])
    # Where there is no Service: "good" resolves and is served, "dead_name" does not resolve, "dead_port" resolves and refuses.
    url: str | None = None
    # What the webhook intercepts, in which namespaces: the one of the fault where empty.
    rules: list[Rule] = field(default_factory=lambda: [Rule(["configmaps"])])
    namespaces: list[str] = field(default_factory=list)
    entries: int = 1  # how many entries of this kind the configuration holds
    entry_name: str | None = None  # of the one entry, where its name matters


@dataclass(frozen=True)
class Service:
    exists: bool = True
    type: str = "ClusterIP"  # ClusterIP, ExternalName
    headless: bool = False
    port: int = 443
    target_port: int | str = 8443
    selects_pods: bool = True


@dataclass(frozen=True)
class Pods:
    """How many pods there are; the first `ready` of them are ready, and something listens in the first `listening` of them."""

    count: int = 2
    ready: int = 2
    listening: int = 2


@dataclass(frozen=True)
class Certificate:
    """The served certificate. `names` null: the one that the API server asks for."""

    authority: str = "ca"
    names: list[str] | None = None
    common_name: str | None = None
    begin_days: float = -1
    end_days: float = 365
    usage: str | None = "server"


@dataclass(frozen=True)
class Answer:
    """See faultserver/answer.go."""

    behaviour: str = "allow"
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    delay_seconds: float = 0


@dataclass(frozen=True)
class Server:
    """What listens in the pods, or at the URL. See faultserver/main.go."""

    accept: str = "serve"  # serve, close, reset, stall
    plain_http: bool = False
    max_tls_version: str = ""
    client_certificate: bool = False
    certificate: Certificate = field(default_factory=Certificate)
    answer: Answer = field(default_factory=Answer)


@dataclass(frozen=True)
class Make:
    """How the fault is made; what is not said is healthy."""

    call_out: CallOut = field(default_factory=CallOut)
    service: Service = field(default_factory=Service)
    pods: Pods = field(default_factory=Pods)
    server: Server = field(default_factory=Server)
    packet_filter: str | None = None  # drop, host_unreachable: what happens to connections to the pods
    # A NetworkPolicy of the namespace: refuses (it admits pods of kube-system alone) or admits (the port, from everywhere). Nobody enforces it: what it would
    # drop, packet_filter drops.
    policy: str | None = None
    events: bool = False  # a ReplicaSet in namespace <namespace>-apps wants pods, and the webhook intercepts them


@dataclass(frozen=True)
class Expected:
    """What must be found: code null means that nothing may be found; some findings have no cause."""

    code: str | None
    cause: str | None


@dataclass(frozen=True)
class Fault:
    """A fault, its healthy twin, and what must be found of it under each routing."""

    name: str
    family: str
    summary: str
    make: Make
    twin: Make | None  # None where nothing is to be found in either routing
    expect: dict[str, Expected]
    severity: str
    covers: tuple[str, ...] = ()  # situations of tests/coverage/situations.yml


def load(folder: Path) -> list[Fault]:
    """Read all faults of a folder, in the order of the files' names. Raises LabError that names file and key."""
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.yml")):
        for index, item in enumerate(yaml.safe_load(path.read_text(encoding="utf-8"))):
            try:
                faults.extend(parse(item, path.stem))
            except ValueError as error:
                name = item.get("name", f"[{index}]") if isinstance(item, dict) else f"[{index}]"
                raise LabError(f"{path.name}: {name}: {error}") from error
    names = [fault.name for fault in faults]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise LabError(f"{folder}: more than one fault is called {', '.join(repeated)}.")
    return faults


def parse(item: Any, family: str) -> Iterator[Fault]:
    """Yield the fault that an item describes, and its fail-open variant where it asks for one. Raises ValueError."""
    allowed = {"name", "summary", "make", "twin", "expect", "severity", "fail_open_too", "covers"}
    if not isinstance(item, dict) or not {"name", "summary", "make", "expect"} <= set(item) <= allowed:
        raise ValueError(f"expected a mapping with name, summary, make, expect, and maybe twin, severity, fail_open_too, covers; got {item!r}")
    made = _read(Make, item["make"], "make")
    _check(made)
    expect = _expectations(item["expect"])
    severity = item.get("severity", "error")
    if severity not in SEVERITIES:
        raise ValueError(f"severity: {severity!r} is none of {', '.join(SEVERITIES)}")
    twin = None
    if any(expected.code for expected in expect.values()):
        twin = _read(Make, item["twin"], "twin", _healthy(made)) if "twin" in item else _healthy(made)
    fault = Fault(item["name"], family, item["summary"], made, twin, expect, severity, tuple(item.get("covers", ())))
    yield fault
    if item.get("fail_open_too"):
        if made.call_out.kind not in ("validating", "mutating"):
            raise ValueError("fail_open_too: only admission webhooks have a failurePolicy")
        yield replace(
            fault,
            name=f"{fault.name}-fail-open",
            summary=f"{fault.summary.rstrip('.')}; failurePolicy is Ignore.",
            make=_fail_open(made),
            twin=_fail_open(twin) if twin else None,
            severity="warning",
        )


def select(faults: list[Fault], wanted: str) -> list[Fault]:
    """Choose by "all", "none", or names and families separated by commas. Raises LabError for a name that there is not."""
    if wanted == "all":
        return faults
    if wanted == "none":
        return []
    chosen = [name.strip() for name in wanted.split(",") if name.strip()]
    unknown = [name for name in chosen if all(name not in (fault.name, fault.family) for fault in faults)]
    if unknown:
        raise LabError(f"no fault and no family is called {', '.join(unknown)}; `python tests/lab/lab.py faults` lists them.")
    return [fault for fault in faults if fault.name in chosen or fault.family in chosen]


def _healthy(made: Make) -> Make:
    """The twin: the same shape without anything that can be a fault."""
    call_out = replace(made.call_out, port=443, ca_bundle=["ca"], url="good" if made.call_out.url else None, rules=CallOut().rules, namespaces=[])
    return Make(call_out=call_out, events=made.events)


def _fail_open(made: Make) -> Make:
    return replace(made, call_out=replace(made.call_out, failure_policy="Ignore"))


def _expectations(data: Any) -> dict[str, Expected]:
    if not isinstance(data, dict) or set(data) != {f"{routing}_routing" for routing in ROUTINGS}:
        raise ValueError("expect: expected the keys endpoint_routing and cluster_ip_routing")
    found: dict[str, Expected] = {}
    for routing in ROUTINGS:
        value = data[f"{routing}_routing"]
        if value == []:
            found[routing] = Expected(None, None)
        elif isinstance(value, list) and len(value) == 2 and str(value[0]).startswith("WD"):
            found[routing] = Expected(value[0], value[1])
        else:
            raise ValueError(f"expect.{routing}_routing: expected [] or [code, cause], got {value!r}")
    return found


# Values that are words of a fixed list, by the path of their key.
_WORDS = {
    "call_out.kind": ("validating", "mutating", "conversion", "apiservice"),
    "call_out.failure_policy": ("Fail", "Ignore"),
    "call_out.url": (None, "good", "dead_name", "dead_port"),
    "service.type": ("ClusterIP", "ExternalName"),
    "server.accept": ("serve", "close", "reset", "stall"),
    "server.max_tls_version": ("", "1.1"),
    "server.certificate.authority": tuple(AUTHORITIES),
    "server.certificate.usage": ("server", "client", None),
    "packet_filter": (None, "drop", "host_unreachable"),
    "policy": (None, "refuses", "admits"),
}


def _check(made: Make) -> None:
    for path, words in _WORDS.items():
        value: Any = made
        for key in path.split("."):
            value = getattr(value, key)
        if value not in words:
            raise ValueError(f"make.{path}: {value!r} is none of {', '.join(map(repr, words))}")
    bundle = made.call_out.ca_bundle
    unknown = [name for name in bundle if name not in AUTHORITIES] if isinstance(bundle, list) else []
    if unknown:
        raise ValueError(f"make.call_out.ca_bundle: unknown authorities {', '.join(unknown)}; there are {', '.join(AUTHORITIES)}")
    if not 0 <= made.pods.ready <= made.pods.count or not 0 <= made.pods.listening <= made.pods.count:
        raise ValueError("make.pods: ready and listening lie between 0 and count")


T = typing.TypeVar("T")


def _read(kind: type[T], data: Any, path: str, base: T | None = None) -> T:
    """Make a dataclass of plain data; what is missing comes from `base`, or else from the defaults. Raises ValueError that names the key."""
    if not isinstance(data, dict):
        raise ValueError(f"{path}: expected a mapping, got {data!r}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise ValueError(f"{path}: unknown keys {', '.join(unknown)}; there are {', '.join(hints)}")
    values = {key: _value(hints[key], value, f"{path}.{key}", getattr(base, key, None)) for key, value in data.items()}
    if base is not None:
        return replace(base, **values)  # type: ignore[type-var]
    return kind(**values)


def _value(hint: Any, value: Any, path: str, base: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _read(hint, value, path, base)
    if typing.get_origin(hint) is list and isinstance(value, list):
        item = typing.get_args(hint)[0]
        return [_value(item, each, f"{path}[{index}]", None) for index, each in enumerate(value)]
    if not _fits(hint, value):
        raise ValueError(f"{path}: {value!r} is not {hint}")
    return value


def _fits(hint: Any, value: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(option, value) for option in typing.get_args(hint))
    if origin is list:
        return isinstance(value, list) and all(_fits(typing.get_args(hint)[0], each) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(isinstance(text, str) for pair in value.items() for text in pair)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, hint) and not (hint is int and isinstance(value, bool))
