# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guard `etcd`: what the API servers need to come back is there, and stays so. Pure. PRIVATE to the collection.

A restart of kube-apiserver touches no member of etcd; all members healthy, or so many that one more may be lost, is enough. k3s with embedded etcd restarts
its member with it: then the rest must have quorum. Members are as the API servers see them, each with its own --etcd-* files; of a member that one of them
cannot reach at all (`healthy` is null: k0s, whose members all tell 127.0.0.1) another one knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._diagnosis.text import listing
from ..instance import LOCAL, Instance, host_of
from ..situation import Situation
from .guard import Guard

NAME = "etcd"
Member = Mapping[str, Any]


def etcd(situation: Situation) -> Iterator[Guard]:
    blind = [one for one in situation.seen if one.part("etcd").get("members") is None and not _elsewhere(one)]
    for one in blind:
        why = one.part("etcd").get("error") or "its members were not read"
        yield Guard(NAME, None, f"etcd could not be asked ({why}); an API server whose etcd does not answer does not come back", one.host)
    views = [one for one in situation.seen if one.part("etcd").get("members") is not None]
    if not views:
        if blind:
            return
        elsewhere = "the datastore is no etcd (kine, dqlite), and was not asked"
        yield Guard(NAME, True, elsewhere) if situation.seen else Guard(NAME, None, "no host was asked")
        return
    # Each API server may reach other members: what one of them finds dead may be dead for it alone, and that is reason enough to stop.
    yield _worst([_judged(one, _completed(one, views), situation) for one in views])


def _worst(guards: Sequence[Guard]) -> Guard:
    return next((guard for ok in (False, None) for guard in guards if guard.ok is ok), guards[0])


def _completed(view: Instance, views: Sequence[Instance]) -> list[Member]:
    """Its members, with what others say of those that it could not ask itself: the worst that anybody says."""
    known: dict[Any, Member] = {}
    for member in (member for one in views for member in one.part("etcd")["members"]):
        if member.get("healthy") is False or (member.get("healthy") and _key(member) not in known):
            known[_key(member)] = member
    return [member if member.get("healthy") is not None else known.get(_key(member), member) for member in view.part("etcd")["members"]]


def _key(member: Member) -> Any:
    """By which it is the same member in another view."""
    return member.get("id") or member.get("name")


def _judged(view: Instance, members: Sequence[Member], situation: Situation) -> Guard:
    """What one API server sees of etcd, judged for the restart of the next one. What nobody knows of a member does not let pass, and is no fault either."""
    guard = _with(view, members, situation)
    if guard.ok is False and any(member.get("healthy") is None for member in members):
        at_best = [member if member.get("healthy") is not None else {**member, "healthy": True} for member in members]
        if _with(view, at_best, situation).ok:
            return replace(guard, ok=None, says=f"{_said(members)}: whether one more may be lost is not known")
    return guard


def _said(members: Sequence[Member]) -> str:
    """`2 of 3 members healthy, quorum is 2; not: cp3 (connection refused)`."""
    said = f"{len([member for member in members if member.get('healthy')])} of {len(members)} members healthy, quorum is {len(members) // 2 + 1}"
    for word, state in (("not", False), ("not known", None)):
        if found := [_named(member) for member in members if member.get("healthy") is state]:
            said += f"; {word}: {listing(found)}"
    return said


def _with(view: Instance, members: Sequence[Member], situation: Situation) -> Guard:
    healthy = [member for member in members if member.get("healthy")]
    sick = [member for member in members if not member.get("healthy")]
    quorum, count = len(members) // 2 + 1, len(members)
    target = situation.next
    takes_one = bool(target and target.part("etcd").get("embedded") and (target.facts or {}).get("manages_by") == "service")
    said = _said(members)
    if takes_one and target:
        left = len([member for member in healthy if not _is_of(member, target)])
        if count == 1:
            return Guard(NAME, bool(healthy), f"{said}; its only member restarts with the API server")
        if left < quorum:
            return Guard(NAME, False, f"{said}; the restart takes the member of {target.host} down, which leaves {left}: mend etcd, or add a member", view.host)
        return Guard(NAME, True, f"{said}; {left} are left while the member of {target.host} restarts")
    own = _only_own(target) if target else None
    if own and target and any(_is_of(member, target) for member in sick):
        return Guard(NAME, False, f"{said}; {target.host} uses its own member alone, which is not healthy: it would not come back", view.host)
    if not sick or len(healthy) - 1 >= quorum:
        return Guard(NAME, True, said)
    return Guard(NAME, False, f"{said}: one more and none is left. Mend etcd first", view.host)


def _elsewhere(one: Instance) -> bool:
    """Whether its datastore is none that members could be asked of: a socket (kine in front of SQL or SQLite, dqlite)."""
    part = one.part("etcd")
    servers = [str(server) for server in part.get("servers") or ()]
    return bool(servers) and not part.get("embedded") and all(server.startswith("unix:") for server in servers)


def _only_own(one: Instance) -> bool:
    """Whether it uses the member on its own host and no other."""
    hosts = {host_of(str(server)) for server in one.part("etcd").get("servers") or ()}
    return bool(hosts) and hosts <= (one.addresses | LOCAL)


def _named(member: Member) -> str:
    return f"{member.get('name') or 'a member without a name'} ({member.get('error') or 'no answer'})"


def _is_of(member: Member, one: Instance) -> bool:
    hosts = {host_of(str(url)) for url in member.get("client_urls") or ()}
    return bool(hosts & one.addresses) or str(member.get("name") or "").lower() in one.names
