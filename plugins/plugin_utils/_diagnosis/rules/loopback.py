# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD690, WD601: the certificate by which the API server talks to itself, read from the wire, or known by what its expiry breaks. PRIVATE to the collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..catalogue import control_plane as catalogue
from ..checked import moment
from ..finding import Finding, Subject
from ..loopback import Loopback, names, together
from ..restart import in_the_way, restart_values
from ..severity import Severity
from ..text import dial
from ..words import certificate_line

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster import Cluster
    from ..evidence import Text

EXPIRED = "loopback_certificate_expired"
# So many days before their common end instances are worth staggering; closer than the warning WD690 says it of each.
_STAGGER_DAYS = 90.0
_AT_STAKE = (
    "creating pods and other objects that need a live look-up (ResourceQuota, LimitRange) fails at this instance, and whatever it watches through itself "
    "(webhook configurations, RBAC, quotas) stands still once that connection breaks; what exists goes on running"
)
_UNKNOWN = "unknown"


def loopback_certificate(cluster: Cluster) -> Iterator[Finding]:
    """WD690 for each instance whose certificate has ended or does so soon. What is not surely this certificate is left alone."""
    told, cases = _told(cluster), _failing(cluster)
    known = {str(one.address): one for one in cluster.loopbacks if one.address}
    alike = together(cluster.loopbacks)
    for one in cluster.loopbacks:
        left = one.leaf.days_left if one.leaf else None
        if one.leaf is None or left is None or left > cluster.warn_days:
            continue
        texts = told.pop(str(one.address), []) if one.expired else []
        verb = f"ended {-left:.1f} days ago" if one.expired else f"ends in {left:.1f} days"
        because = [
            certificate_line(one.leaf, f"the loopback certificate of API server {one.address} {verb}"),
            *one.lines(cluster.at),
            *(
                [f"{names(alike)} were started together and end within the same day: where there is time, leave days between their restarts"]
                if one in alike
                else []
            ),
            *([_only_some(cluster, one)] if one.expired else []),
            *(text.line() for text in texts[:3]),
        ]
        yield _found(cluster, str(one.address), one.name, because, one, one.expired, cases if one.expired else ())
    for address, texts in told.items():
        instance = known.get(address)
        name = instance.name if instance else str(cluster.facts["source"]["cluster"]) if address == _UNKNOWN else address
        because = [*(text.line() for text in texts[:3]), *_unseen(cluster, instance)]
        yield _found(cluster, address, name, because, instance, True, cases)
    if not told and cases and not any(one.expired for one in cluster.loopbacks):
        because = [line for case in cases[:3] for line in case.judgement.because[:1]]
        yield _found(cluster, _UNKNOWN, str(cluster.facts["source"]["cluster"]), [*because, *_unseen(cluster, None)], None, True, cases)


def _found(cluster: Cluster, address: str, name: str, because: Iterable[str], instance: Loopback | None, expired: bool, cases: Iterable[Case]) -> Finding:
    finding = catalogue.WD690.found(
        Subject(kind="kube-apiserver", name=name),
        [line for line in because if line],
        affects=sorted({*(_behind_itself(cluster) if expired else ()), *(case.id for case in cases)}),
        cause=EXPIRED,
        phase="tls",
        severity=Severity.ERROR if expired else Severity.WARNING,
        root=f"instance {address}",
        values={
            "instance": None if address == _UNKNOWN else address,
            "livez_instance": address if instance and instance.livez_check else None,
            "dead_webhooks": in_the_way(cluster),
            **restart_values(cluster, instance),
        },
    )
    return finding if finding.affects else replace(finding, impact=_AT_STAKE)


def _behind_itself(cluster: Cluster) -> list[str]:
    """The call-outs that are served through Service default/kubernetes: the API server calls them with this certificate."""
    return [case.id for case in cluster.cases if (case.wanted.get("namespace"), case.wanted.get("name")) == ("default", "kubernetes")]


def _failing(cluster: Cluster) -> list[Case]:
    return [case for case in cluster.cases if case.judgement.fails and case.judgement.cause == EXPIRED]


def _only_some(cluster: Cluster, expired: Loopback) -> str:
    fine = [one for one in cluster.loopbacks if one.leaf and not one.expired and one is not expired]
    return f"that of {names(fine)} has not ended: requests fail only where they meet this instance" if fine else ""


def _unseen(cluster: Cluster, instance: Loopback | None) -> Iterator[str]:
    if instance and instance.reason:
        yield f"the certificate itself cannot be seen from here: {instance.reason}"
    elif instance is None and len(cluster.instances) != 1:
        yield f"which of the {len(cluster.instances) or 'unknown number of'} instances it is, the text does not tell"


# ---- passive signs


def _told(cluster: Cluster) -> dict[str, list[Text]]:
    """Address of the instance (or _UNKNOWN) -> what was said recently of its failing calls to itself.

    A certificate that was read since and is good makes a text history, and so does a later start of the process.
    """
    found: dict[str, list[Text]] = defaultdict(list)
    # Where the certificate cannot be read, the start of the process may be known from its metrics.
    started = {one.instance: moment(one.since) for counters in cluster.counters.values() for one in counters if one.instance and one.since}
    unknown = cluster.loopbacks and all(one.leaf and not one.expired for one in cluster.loopbacks)
    for text in cluster.texts:
        if text.said["cause"] != EXPIRED or not text.current:
            continue
        address = _instance_of(cluster, str(text.said["url"] or ""))
        known = next((one for one in cluster.loopbacks if one.address == address), None)
        restarted = text.last is not None and started.get(address or "", text.last) > text.last
        if address is None or unknown or restarted or (known and known.leaf and not known.expired):
            continue
        found[address].append(text)
    return dict(found)


def _instance_of(cluster: Cluster, url: str) -> str | None:
    """`address:port` of the instance that calls itself, _UNKNOWN where the text does not tell, None where it is somebody else."""
    expired = [str(one.address) for one in cluster.loopbacks if one.expired]
    mine = expired[0] if len(expired) == 1 else None
    if mine is None and len(cluster.instances) == 1 and cluster.loopbacks[0].address:
        mine = cluster.loopbacks[0].address
    try:
        host, port = urlsplit(url).hostname or "", urlsplit(url).port or 443
    except ValueError:
        return None
    if host in ("localhost", "127.0.0.1", "::1") or host.endswith(".svc"):
        return mine or _UNKNOWN
    addresses = {str(one["address"]) for one in cluster.instances} | {ip for node in cluster.nodes.values() for ip in node["internal_ips"]}
    return dial(host, port) if host in addresses or not addresses else None


def ends_together(cluster: Cluster) -> Iterator[Finding]:
    """WD601, long before the end of instances that were started together: then there is time to stagger them."""
    alike = together(cluster.loopbacks)
    left = min((one.leaf.days_left for one in alike if one.leaf and one.leaf.days_left is not None), default=None)
    if left is None or not cluster.warn_days < left <= _STAGGER_DAYS:
        return
    ends = [f"{one.name}: ends {one.shown()['not_after']}, started {one.shown()['started']}" for one in alike]
    checked = [alike[0].livez_line(alike[0].leaf.not_after)] if alike[0].leaf and alike[0].leaf.not_after else []
    yield catalogue.WD601.found(
        Subject(kind="kube-apiserver", name=str(cluster.facts["source"]["cluster"])),
        [f"{len(alike)} instances end within the same day, in {left:.0f} days", *ends, *checked],
        values={"instance": alike[0].address, **restart_values(cluster, alike[0])},
    )


CASE_RULES = ()
CLUSTER_RULES = (loopback_certificate, ends_together)
