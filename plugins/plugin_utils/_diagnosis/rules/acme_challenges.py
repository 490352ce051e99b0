# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD839 to WD843, and WD838 of orders and challenges: certificates that wait for ACME. PRIVATE to the collection.

A challenge that is young waits because records and routes need their time; what was refused long ago is history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..acme import UNREACHED, Acme, Failure
from ..acme_words import advice_of, is_transient
from ..catalogue import acme as catalogue
from ..checked import moment
from ..finding import Entry, Finding, Subject
from ..text import clean
from .acme import of_controller

if TYPE_CHECKING:
    from ..cluster import Cluster

_HTTP_WAITS, _DNS_WAITS = timedelta(minutes=10), timedelta(minutes=30)
_RECENT = timedelta(days=1)
_WRONG_ANSWER = re.compile(r"wrong status code '(\d{3})'|did not get expected response")
# What proxies say where they do not get there themselves.
_OF_GATEWAYS = frozenset(("502", "503", "504", "403", "407"))


def challenge_waits(cluster: Cluster) -> Iterator[Finding]:
    acme = cluster.acme
    for challenge in _waiting(acme):
        reason = challenge["reason"]
        age = _age(cluster, challenge)
        failure = Failure.of(reason)
        entry, because, values = _judge(acme, challenge, failure, age)
        if entry is None:
            continue
        subject = Subject(kind="Challenge", name=challenge["name"], namespace=challenge["namespace"])
        yield entry.found(
            subject,
            [f"Challenge {challenge['namespace']}/{challenge['name']} of {challenge['dns_name']} waits for {_minutes(age)}: {reason}", *because],
            cause=entry.cause or (failure.cause if failure.cause != "unknown" else None),
            phase=failure.phase,
            root=f"challenges {entry.code}",  # one way for all of them
            values={
                **of_controller(acme, acme.controller),
                "challenge": challenge["name"],
                "challenge_namespace": challenge["namespace"],
                "dns_name": challenge["dns_name"],
                **values,
            },
        )


def behind_the_proxy(cluster: Cluster) -> Iterator[str]:
    """The domains of the challenges that WD839 is about."""
    for challenge in _waiting(cluster.acme):
        entry, _because, _values = _judge(cluster.acme, challenge, Failure.of(challenge["reason"]), _age(cluster, challenge))
        if entry is catalogue.WD839 and challenge["dns_name"]:
            yield str(challenge["dns_name"])


def _waiting(acme: Acme) -> Iterator[Mapping[str, Any]]:
    return (one for one in acme.unfinished("challenges") if one["reason"] and one["state"] in ("pending", "processing", None))


def _judge(acme: Acme, challenge: Mapping[str, Any], failure: Failure, age: timedelta) -> tuple[Entry | None, list[str], dict[str, object]]:
    words = failure.message
    if failure.acme_error:
        return None, [], {}  # acme_refuses tells it
    controller, name = acme.controller, challenge["dns_name"] or ""
    if challenge["type"] == "DNS-01":
        lost = failure.cause in UNREACHED or failure.cause == "dns_failure"
        if age < (_HTTP_WAITS if lost else _DNS_WAITS) or "propagat" not in words:
            return None, [], {}
        given = controller.facts["arguments"].get("dns01-recursive-nameservers") if controller else None
        return catalogue.WD843, [f"it asks {given}" if given else "it asks the name servers that the zone's NS records name"], {}
    if age < _HTTP_WAITS or not ("self check" in words or _WRONG_ANSWER.search(words)):
        return None, [], {}
    through = controller is not None and controller.no_proxy_known and controller.uses_proxy(name, 80, "http")
    # The self check is a plain HTTP request.
    excepted: dict[str, object] = {"no_proxy": acme.wanted_no_proxy(controller.no_proxy, *([f"{name}:80"] if name else []))} if controller else {}
    wrong = _WRONG_ANSWER.search(words)
    if failure.cause == "proxied" or (through and (not wrong or wrong[1] in _OF_GATEWAYS)):
        proxy = controller.facts["proxy"].get("HTTP_PROXY") if controller else None
        return catalogue.WD839, [f"the controller fetches http://{name} through the proxy {clean(proxy)}"] if proxy else [], excepted
    if wrong:
        return catalogue.WD841, [], {}
    if failure.cause == "dns_failure":
        return catalogue.WD842, [], {}
    if failure.cause in UNREACHED:
        return catalogue.WD840, [f"{failure.dialed} was dialled, so the domain resolves"] if failure.dialed else [], {}
    return None, [], {}


def acme_refuses(cluster: Cluster) -> Iterator[Finding]:
    """WD838 for orders and challenges of the last day that the ACME server refused, one for each of its errors."""
    acme = cluster.acme
    for kind, plural in (("Challenge", "challenges"), ("Order", "orders")):
        for one in acme.unfinished(plural):
            error = Failure.of(one["reason"] or "").acme_error
            if error is None or is_transient(error) or _age(cluster, one) > _RECENT:
                continue
            issuer = one["issuer"]
            yield catalogue.WD838.found(
                Subject(kind=kind, name=one["name"], namespace=one["namespace"]),
                [f"{kind} {one['namespace']}/{one['name']} ({issuer['kind']} {issuer['name']}) is {one['state'] or 'pending'}: {one['reason']}"],
                phase="http",
                root=f"acme {error} {issuer['kind']} {issuer['name']}",
                values={"acme_advice": advice_of(error).rstrip("."), "acme_kind": kind.lower(), "acme_name": one["name"], "acme_namespace": one["namespace"]},
            )


def _age(cluster: Cluster, one: Mapping[str, Any]) -> timedelta:
    return cluster.observed - moment(one["created"]) if one["created"] else timedelta(0)


def _minutes(age: timedelta) -> str:
    minutes = age.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


CASE_RULES = ()
CLUSTER_RULES = (challenge_waits, acme_refuses)
