# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error texts that the cluster itself has kept (Events, conditions), and which call-outs they name. PRIVATE to the collection.

The API server emits no Events of its own; its words survive in those of the controllers that it answered ("Error creating: Internal error occurred:
failed calling webhook ..."). The involved object is the victim, the webhook has to be read out of the text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors.on_demand import classify

from .checked import moment

# Kubernetes keeps Events for an hour (--event-ttl): what is older was kept by something else and is history.
RECENT = timedelta(hours=1)


@dataclass(frozen=True)
class Text:
    """One text, classified. `current`: it says how things are now (a condition), or said so within the last hour."""

    words: str
    said: Mapping[str, Any]
    source: str
    about: str
    count: int
    first: datetime | None
    last: datetime | None
    current: bool

    def line(self) -> str:
        """As evidence."""
        when = f", last seen {self.last.strftime('%Y-%m-%dT%H:%M:%SZ')}" if self.last else ""
        times = f", {self.count} times" if self.count > 1 else ""
        return f"{self.source} of {self.about}{times}{when}: {self.words}"


def read_texts(evidence: Iterable[Mapping[str, Any]], at: datetime) -> list[Text]:
    """The texts that tell of a failure, in a stable order. `at`: the moment of the observation."""
    texts = []
    for item in evidence:
        words = str(item.get("text") or "")
        last = moment(item["last"]) if item.get("last") else None
        owner = item.get("object") or {}
        where = "/".join(part for part in (owner.get("namespace"), owner.get("name")) if part)
        result = classify(words)
        for said in (result, *result["others"]):
            if said["healthy"] or said["kind"] in ("policy", "client") or said["cause"] in ("denied", "forbidden"):
                continue
            texts.append(
                Text(
                    words=words,
                    said=said,
                    source=str(item.get("source") or "text"),
                    about=f"{owner.get('kind') or 'object'} {where}".strip(),
                    count=int(item.get("count") or 1),
                    first=moment(item["first"]) if item.get("first") else None,
                    last=last,
                    current=item.get("source") == "condition" or (last is not None and at - last <= RECENT),
                )
            )
    return sorted(texts, key=lambda text: (text.words, text.about, str(text.last), str(text.said["webhook"])))


class Named:
    """Finds the call-outs that a text names; built once, so that a thousand texts and a thousand call-outs cost no million comparisons."""

    def __init__(self, callouts: Iterable[Mapping[str, Any]]) -> None:
        self._by_webhook: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._by_service: dict[tuple[str, str], list[tuple[str, str | None]]] = defaultdict(list)
        self._by_kind: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._by_apiservice: dict[str, list[str]] = defaultdict(list)
        for callout in callouts:
            if callout["webhook"]:
                self._by_webhook[callout["webhook"]].append(callout)
            service = (callout["client"] or {}).get("service")
            if service:
                self._by_service[(service["namespace"], service["name"])].append((callout["id"], callout["kind"]))
            conversion = callout["conversion"]
            if conversion:
                self._by_kind[(conversion["group"], conversion["kind"])].append(callout["id"])
            if callout["kind"] == "apiservice":
                self._by_apiservice[callout["object"]["name"]].append(callout["id"])

    def of(self, said: Mapping[str, Any]) -> Iterator[str]:
        """The ids of the call-outs that the classified text is about: by the webhook's name, else by the kind, else by the Service."""
        names = said["names"]
        service = said["service"] or {}
        if said["webhook"]:
            yield from (callout["id"] for callout in _narrowed(self._by_webhook.get(said["webhook"], ()), said))
        elif said["kind"] == "conversion" and names.get("gvk_kind"):
            yield from self._by_kind.get((names.get("group") or "", names["gvk_kind"]), ())
        elif names.get("apiservice"):
            yield from self._by_apiservice.get(names["apiservice"], ())
        elif service.get("namespace"):
            for callout, kind in self._by_service.get((service["namespace"], service["name"]), ()):
                if said["kind"] in (None, "apiserver", kind) or (said["kind"] == "admission" and kind in ("validating", "mutating")):
                    yield callout


def _narrowed(callouts: Iterable[Mapping[str, Any]], said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Entries of several configurations may share a name; the Service and the path in the text tell them apart, where it has them."""
    known = list(callouts)
    service, path = said["service"] or {}, said["path"]

    def is_meant(callout: Mapping[str, Any]) -> bool:
        client = (callout["client"] or {}).get("service") or {}
        if service.get("namespace") and client and (service["namespace"], service["name"]) != (client["namespace"], client["name"]):
            return False
        return not path or not client or path == (client["path"] or "/")

    return [callout for callout in known if is_meant(callout)] or known if len(known) > 1 else known
