# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD830 to WD838, WD844: an ACME issuer that is not ready, and by which way cert-manager goes out. PRIVATE to the collection.

An issuer's condition decides that something is wrong; which of the faults that read alike it is goes by what the rest of the cluster does: whether others use
a proxy, whether the controller does, and whose address was dialled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..._no_proxy.go import exempts
from ..acme import UNREACHED, Acme, Failure, Pod, host_of, is_public, is_well_known
from ..acme_words import advice_of, is_transient
from ..catalogue import acme as catalogue
from ..checked import moment
from ..finding import Entry, Finding, Subject
from ..severity import Severity
from ..text import clean, listing

if TYPE_CHECKING:
    from ..cluster import Cluster

_CONFIGURATION = frozenset(("InvalidConfig", "InvalidURL", "InvalidSolver"))
# What cert-manager says before it calls anybody: about Secrets, keys and the external account binding.
_BEFORE_A_CALL = re.compile(
    r"account private key is invalid|is not of type RSA|External Account Binding|disableAccountKeyGeneration|secrets? \"[^\"]*\" not found", re.I
)
# So long after its making an issuer has been looked at by a controller that works.
_UNTOUCHED = timedelta(minutes=5)
# cert-manager's controllers renew their lease every 40 s, and take over one that was not renewed for 60 s.
_LEASE = timedelta(minutes=2)
# Clocks that differ by more than this are wrong; less is the time between the condition and the observation.
_CLOCK = timedelta(minutes=5)
_SENTENCES = frozenset(("egress", "trust_advice", "clock_advice", "proxy_advice", "acme_advice"))
_EGRESS = {
    "gke_private": "GKE: private nodes get out through Cloud NAT only: gcloud compute routers nats list --router=<router> --region=<region>.",
    "gke": "GKE: look at the egress firewall rules of the network: gcloud compute firewall-rules list --filter=direction=EGRESS.",
    "eks": "EKS: pods in private subnets need a route to a NAT gateway: aws ec2 describe-route-tables --filters Name=association.subnet-id,Values=<subnet>.",
    "aks": "AKS: look at the cluster's outbound type and at the firewall that it names: az aks show -n <cluster> -g <group> --query "
    "networkProfile.outboundType.",
}


def issuer_is_not_ready(cluster: Cluster) -> Iterator[Finding]:
    acme = cluster.acme
    for issuer in acme.issuers:
        ready = issuer["ready"]
        if not ready or ready["status"] != "False":
            continue
        failure = Failure.of(ready["message"] or "")
        entry, because, values = _judge(acme, issuer, failure)
        if entry is None:
            continue
        label = f"{issuer['kind']} {issuer['namespace'] + '/' if issuer['namespace'] else ''}{issuer['name']}"
        said = f"{label} ({clean(issuer['server'], 200)}) is not ready since {ready['since'] or 'an unknown time'}, {ready['reason']}: {ready['message']}"
        per_issuer = entry in (catalogue.WD838, catalogue.WD844)
        found = entry.found(
            Subject(kind=issuer["kind"], name=issuer["name"], namespace=issuer["namespace"]),
            [said, *because, *([] if per_issuer else acme.lines())],
            cause=entry.cause or (failure.cause if failure.cause != "unknown" else None),
            phase=failure.phase,
            severity=Severity.ERROR if entry is not catalogue.WD838 else None,
            root=label if per_issuer else f"acme {host_of(issuer['server'])}",
            values={**_values(acme, issuer), **without_full_stop(values)},
        )
        yield replace(found, impact="certificates of this issuer are neither issued nor renewed; those that exist stay valid until they end")


def _judge(acme: Acme, issuer: Mapping[str, Any], failure: Failure) -> tuple[Entry | None, list[str], dict[str, object]]:
    """Which of the faults it is, why, and what the commands need to know."""
    host = host_of(issuer["server"])
    if failure.acme_error:
        return (None if is_transient(failure.acme_error) else catalogue.WD838), [], {**_acme_words(failure.acme_error), **_of_issuer(issuer, acme)}
    if issuer["ready"]["reason"] in _CONFIGURATION or _BEFORE_A_CALL.search(failure.message):
        return catalogue.WD844, [], {}
    if failure.called and failure.called in _api_hosts(acme):
        return None, [], {}  # it is the API server that it does not reach: WD832
    if failure.cause == "unknown_authority":
        line, advice = _authority(acme, issuer, host)
        return catalogue.WD835, [line], {"trust_advice": advice}
    if failure.cause in ("certificate_expired", "certificate_not_yet_valid"):
        line, advice = _clock(acme, failure, host)
        return catalogue.WD836, [line], {"clock_advice": advice}
    controller = acme.controller
    direct = controller is not None and not controller.uses_proxy(host)
    # Where it goes through the proxy, a message without an address tells of the proxy.
    if failure.cause == "proxied" or (controller is not None and not direct and failure.cause in UNREACHED and not failure.dialed):
        line, advice = _refusing_proxy(acme, host)
        return catalogue.WD837, [line], {"proxy_advice": advice}
    if failure.cause in ("name_mismatch", "no_san") and direct:
        names = failure.served_names
        return catalogue.WD833, [f"what answers has a certificate for {names or 'other names'}, not for {host}", *_search_lines(acme, host)], {}
    if failure.cause not in UNREACHED | {"dns_failure"}:
        return None, [], {}
    if direct and failure.dialed_private and is_well_known(host):
        line = f"{host} is a public authority, and {failure.dialed_host}, which was dialled, is a private address"
        return catalogue.WD833, [line, *_search_lines(acme, host)], {}
    # To a private address no proxy is the way.
    elsewhere = _way_of_others(acme, controller, host) if direct and is_public(host) and not failure.dialed_private else None
    if elsewhere:
        return catalogue.WD831, *elsewhere
    if failure.cause == "dns_failure":
        return catalogue.WD834, [], {}
    return catalogue.WD830, _unreached(acme, controller, failure, host), {"egress": _egress(acme)}


def without_full_stop(values: Mapping[str, object]) -> dict[str, object]:
    """Sentences that become a step of the catalogue, which ends them itself."""
    return {name: value.rstrip(".") if isinstance(value, str) and name in _SENTENCES else value for name, value in values.items()}


def _values(acme: Acme, issuer: Mapping[str, Any]) -> dict[str, object]:
    controller = acme.controller
    namespace = controller.facts["namespace"] if controller else None
    server = issuer["server"]
    return {
        "issuer": issuer["name"],
        "issuer_kind": issuer["kind"].lower(),
        "issuer_namespace": issuer["namespace"] or namespace or "cert-manager",
        "server": server if server.startswith("https://") else None,
        "server_host": host_of(server),
        **of_controller(acme, controller),
    }


def of_controller(acme: Acme, controller: Pod | None) -> dict[str, object]:
    """The values that commands about the controller need."""
    if controller is None:
        return {}
    return {
        "namespace": controller.facts["namespace"],
        "pod": controller.facts["name"],
        "workload": controller.facts["workload"],
        "proxy": controller.proxy,
        "no_proxy": acme.wanted_no_proxy(controller.no_proxy),
    }


def _api_hosts(acme: Acme) -> set[str]:
    return {host for pod in acme.pods for host, dummy in pod.api_hosts} | set(acme.facts.get("api_addresses") or ())


def _way_of_others(acme: Acme, controller: Pod | None, host: str) -> tuple[list[str], dict[str, object]] | None:
    """Who would reach the ACME server through a proxy where the controller goes directly."""
    others = [(who, proxy, no_proxy) for who, proxy, no_proxy in acme.proxies_elsewhere if not exempts(no_proxy, host)]
    if controller is not None and controller.proxy:
        entries = controller.exempting(host)
        left = ",".join(entry for entry in controller.no_proxy.split(",") if entry.strip() not in entries)
        line = f"the controller has a proxy, but its NO_PROXY excepts {host} from it (by {listing(entries)})"
        return [line], {"no_proxy": acme.wanted_no_proxy(left)}
    if not others or (controller is not None and not controller.known):
        return None
    who, proxy, no_proxy = others[0]
    lines = [f"{who} goes out through the proxy {clean(proxy)}; the controller has no HTTPS_PROXY and goes directly"]
    return lines, {"proxy": proxy, "no_proxy": acme.wanted_no_proxy(no_proxy)}


def _unreached(acme: Acme, controller: Pod | None, failure: Failure, host: str) -> list[str]:
    """What can be said of a connection that failed, and what cannot."""
    lines = []
    if failure.dialed:
        lines.append(f"{failure.dialed} was dialled, so {host} resolves in the cluster")
    elif failure.cause == "deadline_exceeded":
        lines.append("the message does not say whether it is DNS, a connection or an answer that did not come in time")
    if controller is None:
        lines.append("the controller's pod was not seen, so whether it uses a proxy is not known")
    elif controller.uses_proxy(host):
        lines.append(f"the controller's variables send {host} through {controller.proxy}, but an address was dialled: the message may be older than they are")
    elif failure.dialed_private:
        lines.append(f"{failure.dialed_host} is a private address, to which no proxy is the way")
    elif not acme.proxies_elsewhere:
        lines.append("no proxy is seen anywhere (nodes' own settings cannot be seen from here: try curl on a node)")
    return lines


def _search_lines(acme: Acme, host: str) -> list[str]:
    controller = acme.controller
    if controller is None:
        return []
    dots, ndots = host.count("."), controller.ndots
    searches = controller.facts["dns_searches"]
    more = f", with further search domains {listing(searches)}" if searches else ""
    if ndots is None:
        return [f"the controller resolves names by the node's /etc/resolv.conf (dnsPolicy {controller.facts['dns_policy']}){more}"]
    if dots < ndots:
        return [
            f"the controller's ndots is {ndots} and {host} has {dots} dots: it is tried with every search domain (those of the node among them) first{more}"
        ]
    return [f"the controller's ndots is {ndots}, so {host} is tried as it is first: an internal zone answers for it, or something intercepts the connection"]


def _authority(acme: Acme, issuer: Mapping[str, Any], host: str) -> tuple[str, str]:
    controller = acme.controller
    through = controller.proxy if controller and controller.uses_proxy(host) else None
    given = " The caBundle that the issuer has lacks it (with a caBundle the system's roots do not count)." if issuer["ca_bundle"] else ""
    if through:
        line = f"the controller calls {host} through the proxy {clean(through)}: a proxy that opens TLS signs with a CA of its own"
        if is_well_known(host):
            return (
                line + f"; {host} itself has a certificate that everybody trusts",
                f"The CA that is missing is the proxy's.{given} Ask its administrators for it.",
            )
        return line, f"The CA that is missing is the ACME server's own, or the proxy's: the certificate's issuer tells.{given}"
    if is_well_known(host):
        line = f"{host} has a certificate that everybody trusts, and the controller has no proxy: something on the way opens TLS, or it is not {host}"
        return line, f"The CA that is missing is that of the firewall that opens TLS.{given} If its issuer is unknown to you, look whose address answers."
    line = f"{host} is not one of the public authorities, and no proxy stands in between: its certificate is of a private CA"
    return line + (", which is not in the issuer's caBundle" if issuer["ca_bundle"] else ", and the issuer has no caBundle"), (
        f"The CA that is missing is that of the ACME server itself.{given} Put it there (its root, in PEM)."
    )


def _clock(acme: Acme, failure: Failure, host: str) -> tuple[str, str]:
    times = failure.times
    observed = acme.cluster.observed
    if times is None:
        return "the message names no time", "Compare the clock of the controller's node with the real time, and the dates of the ACME server's certificate."
    now, which, limit = times
    # A message that was written before may be old: only a clock that is ahead shows itself beyond doubt.
    if now - observed > _CLOCK:
        hours = (now - observed).total_seconds() / 3600
        line = f"the controller's clock said {now:%Y-%m-%dT%H:%M:%SZ}, {hours:.1f} h after the time of the observation, {observed:%Y-%m-%dT%H:%M:%SZ}"
        return line, "The clock of the controller's node is ahead: switch its time synchronisation on (chronyc tracking)."
    if which == "before":
        line = f"the controller's clock said {now:%Y-%m-%dT%H:%M:%SZ}; the certificate is valid from {limit:%Y-%m-%dT%H:%M:%SZ}"
        return (
            line,
            "The clock of the controller's node is behind (or the ACME server's was ahead when it issued its certificate): see chronyc tracking on that node.",
        )
    said = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    line = f"the certificate ended at {limit:%Y-%m-%dT%H:%M:%SZ}, and the controller's clock, which said {said}, is not ahead of the observation's"
    if is_well_known(host):
        return line, f"{host} renews its certificate long before: look who really answers (a proxy or an internal server with an old certificate)."
    return line, "The ACME server's own certificate has ended: renew it there."


def _refusing_proxy(acme: Acme, host: str) -> tuple[str, str]:
    controller = acme.controller
    proxy = clean(controller.proxy) if controller and controller.proxy else "a proxy that is not in the pod's variables"
    if not is_public(host):
        return (
            f"{host} is an internal name, and {proxy} is asked for it",
            f"Internal names are reached directly: except {host} from the proxy (Helm value no_proxy). The command below holds what the cluster itself "
            "needs; add the name.",
        )
    return (
        f"{proxy} is asked for {host}",
        f"Let the proxy permit CONNECT to {host}:443 for the pods' (or nodes') addresses, with the credentials that it wants.",
    )


def _acme_words(error: str) -> dict[str, object]:
    return {"acme_advice": advice_of(error)}


def _of_issuer(issuer: Mapping[str, Any], acme: Acme) -> dict[str, object]:
    namespace = issuer["namespace"] or (acme.controller.facts["namespace"] if acme.controller else "cert-manager")
    return {"acme_kind": issuer["kind"].lower(), "acme_name": issuer["name"], "acme_namespace": namespace}


def _egress(acme: Acme) -> str | None:
    platform = acme.cluster.platform
    word = next((word for word in _EGRESS if word in platform), None)
    return _EGRESS[word] if word else None


def api_through_the_proxy(cluster: Cluster) -> Iterator[Finding]:
    """WD832: one finding for all pods of cert-manager that call the API server through their proxy."""
    acme = cluster.acme
    concerned = [pod for pod in acme.pods if pod.api_through_proxy]
    if not concerned:
        return
    first = next((pod for pod in concerned if pod.facts["component"] == "controller"), concerned[0])
    failing = list(_signs_of_failure(acme, concerned))
    api = first.api_through_proxy[0]
    because = [f"{pod.label} calls the API server at {listing(pod.api_through_proxy)}, which no entry of its NO_PROXY excepts" for pod in concerned]
    workload = first.facts["workload"]
    yield catalogue.WD832.found(
        Subject(kind="Deployment" if workload else "Pod", name=workload or first.facts["name"], namespace=first.facts["namespace"]),
        [*because, *failing, *acme.lines()],
        phase="connect",
        severity=Severity.ERROR if failing else Severity.WARNING,
        root=f"cert-manager proxy {first.facts['namespace']}",
        values={**of_controller(acme, first), "api_host": api},
    )


def _signs_of_failure(acme: Acme, concerned: list[Pod]) -> Iterator[str]:
    for pod in concerned:
        facts = pod.facts
        if not facts["ready"] and (facts["restarts"] or facts["waiting"]):
            yield f"{pod.label} is not ready, and was restarted {facts['restarts']} times{' (' + facts['waiting'] + ')' if facts['waiting'] else ''}"
    if not any(pod.facts["component"] == "controller" for pod in concerned):
        return
    for lease in acme.facts.get("leases") or ():
        age = acme.cluster.observed - moment(lease["renewed"]) if lease["renewed"] else None
        if age is not None and age > _LEASE:
            name = f"{lease['namespace']}/cert-manager-controller"
            yield f"Lease {name} was last renewed at {lease['renewed']}, {age.total_seconds() / 60:.0f} min before: no controller works"
    for issuer in acme.issuers:
        created = issuer["created"]
        if issuer["ready"] is None and created and acme.cluster.observed - moment(created) > _UNTOUCHED:
            yield f"{issuer['kind']} {issuer['name']} was made at {created}, and no controller has written a condition into it"
        elif issuer["ready"] and Failure.of(issuer["ready"]["message"] or "").called in _api_hosts(acme):
            yield f"{issuer['kind']} {issuer['name']}: {issuer['ready']['message']}"


CASE_RULES = ()
CLUSTER_RULES = (issuer_is_not_ready, api_through_the_proxy)
