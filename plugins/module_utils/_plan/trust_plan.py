# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which questions of trust follow from what was served. PRIVATE to the collection.

Facts and probe results in, `bundles` for `cabundle_verify` out: each call-out with each distinct chain that was served for it; a call-out whose chain nobody
saw is asked without one (then only its caBundle is examined). Call-outs with the same caBundle, chain and server name share one question. Where the CA was
read that a caBundle is meant to come from, what is served is also verified against that.

The name of a question ends in a digest of what was asked, so that the findings know which verdict answers it without trusting the order of anything.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._plan.loopback import SERVER_NAME as LOOPBACK

_DIGEST = re.compile(r"#([0-9a-f]{20})$")


def question(ca_bundle: str, chain: Sequence[str], server_name: str) -> str:
    """A digest of what is asked: the same question has the same digest everywhere."""
    digest = hashlib.sha256()
    for part in (ca_bundle, server_name, *chain):
        digest.update(part.encode("utf-8", "surrogateescape"))
        digest.update(b"\0")
    return digest.hexdigest()[:20]


def question_of(verdict_name: str) -> str | None:
    """The digest in a verdict's name, None where somebody else named it."""
    match = _DIGEST.search(verdict_name)
    return match.group(1) if match else None


def chain_of(probe: Mapping[str, Any]) -> list[str]:
    """The certificates that a probe was served, leaf first; [] where it saw none."""
    return list((probe.get("tls") or {}).get("chain") or ())


def plan_trust(
    facts: Mapping[str, Any], probes: Iterable[Mapping[str, Any]], at: str | None = None, authorities: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """The questions, in a stable order. `at` (ISO 8601) is the moment to judge at, None for now; `authorities`: id of a `ca_source` -> its CA certificates."""
    chains: dict[str, list[list[str]]] = {}
    loopback: list[list[str]] = []
    for probe in probes:
        chain = chain_of(probe)
        if not chain:
            continue
        if not probe["callouts"] and str(probe["name"]).startswith("loopback certificate of "):
            loopback.append(chain)
        for callout_id in probe["callouts"]:
            known = chains.setdefault(callout_id, [])
            if chain not in known:
                known.append(chain)

    asked: dict[tuple[str, str], dict[str, Any]] = {}

    def ask(who: str | None, ca_bundle: str, chain: list[str], server_name: str, source: str | None = None) -> None:
        key = (source or "", question(ca_bundle, chain, server_name))
        empty = {"name": "", "callouts": [], "source": source, "ca_bundle": ca_bundle, "chain": chain, "server_name": server_name, "at": at}
        item = asked.setdefault(key, empty)
        if who:
            item["callouts"].append(who)

    for callout in sorted(facts["callouts"], key=lambda one: one["id"]):
        for chain in chains.get(callout["id"]) or [[]]:
            ask(callout["id"], callout["ca_bundle"], chain, callout["server_name"])
    names = {callout["id"]: callout["server_name"] for callout in facts["callouts"]}
    for source in facts.get("ca_sources") or ():
        authority = (authorities or {}).get(source["id"])
        for who in source["callouts"] if authority else ():
            for chain in chains.get(who) or ():
                ask(who, str(authority), chain, names[who], source["id"])
    for chain in loopback:
        ask(None, "", chain, LOOPBACK)

    for (from_source, digest), item in asked.items():
        who = from_source or (item["callouts"][0] if item["callouts"] else item["server_name"])
        item["name"] = f"{who} {'served chain' if item['chain'] else 'caBundle alone'} #{digest}"
    return sorted(asked.values(), key=lambda item: item["name"])
