# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cert-manager as it goes out: the ways of its pods, what its conditions tell of a call, and whether a name is a public one. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._errors.on_demand import classify

from .._no_proxy.go import exempts
from .._no_proxy.missing import merged
from .._no_proxy.needs import Need
from .checked import InvalidObservation, moment
from .proxy_needs import range_of, service_cidrs
from .text import clean

if TYPE_CHECKING:
    from .cluster import Cluster

# Connections that failed before anything was said: what stands in the way cannot be told from these words.
UNREACHED = frozenset(("deadline_exceeded", "connect_timeout", "no_route", "connection_refused", "tls_timeout", "connection_closed"))
# Domains that are never public (RFC 6761, 6762, 8375, ICANN's .internal), and what people take for them.
_INTERNAL = re.compile(r"(?:^|\.)(?:svc|local|localhost|internal|intranet|lan|home|corp|private|test|home\.arpa)\.?$")
_PUBLIC_DOMAINS = ("letsencrypt.org", "zerossl.com", "buypass.com", "pki.goog", "sectigo.com", "ssl.com", "digicert.com", "actalis.com", "globalsign.com")
_ACME_ERROR = re.compile(r"urn:ietf:params:acme:error:(\w{1,60})")
_CURRENT = re.compile(r"current time (\S{1,40}) is (before|after) (\S{1,40})")
_CERTIFICATE_NAMES = re.compile(r"certificate is valid for (.{1,300}?), not |doesn't contain any IP SANs")


@dataclass(frozen=True)
class Pod:
    """One of cert-manager's pods, as the facts have it."""

    facts: Mapping[str, Any]
    api_addresses: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"Pod {self.facts['namespace']}/{self.facts['name']} ({self.facts['component']})"

    @property
    def proxy(self) -> str | None:
        """HTTPS_PROXY, without credentials."""
        return self.facts["proxy"].get("HTTPS_PROXY")

    @property
    def no_proxy(self) -> str:
        return self.facts["proxy"].get("NO_PROXY") or ""

    @property
    def known(self) -> bool:
        """Whether its variables stand in its specification, not in a Secret or ConfigMap."""
        return not self.facts["proxy_hidden"] and not self.facts["proxy_may_hide"]

    @property
    def no_proxy_known(self) -> bool:
        """Whether its NO_PROXY stands in its specification, as Go reads it: NO_PROXY, and no_proxy where that is empty."""
        hidden = self.facts["proxy_hidden"]
        return "NO_PROXY" not in hidden and (bool(self.no_proxy) or ("no_proxy" not in hidden and not self.facts["proxy_may_hide"]))

    def exempting(self, host: str) -> list[str]:
        """The entries of its NO_PROXY by which a host is called directly."""
        return [entry.strip() for entry in self.no_proxy.split(",") if exempts(entry, host)]

    def uses_proxy(self, host: str, port: int = 443, scheme: str = "https") -> bool:
        proxy = self.proxy if scheme == "https" else self.facts["proxy"].get("HTTP_PROXY")
        return bool(proxy) and not exempts(self.no_proxy, host, port)

    @property
    def api_hosts(self) -> list[tuple[str, int]]:
        """Whom client-go calls in it: the variables that the kubelet sets, which its own override."""
        given = self.facts["api"]
        port = str(given.get("KUBERNETES_SERVICE_PORT") or 443)
        hosts = [given["KUBERNETES_SERVICE_HOST"]] if given.get("KUBERNETES_SERVICE_HOST") else list(self.api_addresses[:1])
        return [(str(host), int(port) if port.isdigit() else 443) for host in hosts]

    @property
    def api_through_proxy(self) -> list[str]:
        """The addresses of the API server that it is known to call through its proxy."""
        return [host for host, port in self.api_hosts if self.uses_proxy(host, port)] if self.no_proxy_known else []

    @property
    def ndots(self) -> int | None:
        """From how many dots on a name is tried as it is first; None where the node's own resolv.conf decides."""
        given = str(self.facts["dns_options"].get("ndots") or "")
        if given.isdigit():
            return int(given)
        by_cluster = self.facts["dns_policy"] in ("ClusterFirst", "ClusterFirstWithHostNet") and not (
            self.facts["host_network"] and self.facts["dns_policy"] == "ClusterFirst"
        )
        return 5 if by_cluster else None

    def line(self) -> str:
        """Its variables, as evidence."""
        known = [f"{name}={clean(value)}" for name, value in self.facts["proxy"].items() if value]
        hidden = [f"{name} from elsewhere" for name in self.facts["proxy_hidden"]]
        unknown = ["its environment is partly taken from a ConfigMap or Secret"] if self.facts["proxy_may_hide"] else []
        return f"{self.label}: {', '.join([*(known or ['no proxy variables']), *hidden, *unknown])}"


@dataclass(frozen=True)
class Failure:
    """What the message of a condition or challenge tells of a call: in the words of `classify`, and what ACME adds to them."""

    message: str
    cause: str
    phase: str | None
    dialed: str | None
    url: str | None
    acme_error: str | None

    @classmethod
    def of(cls, message: str) -> Failure:
        said = classify(message)
        error = _ACME_ERROR.search(message)
        return cls(message, str(said["cause"]), said["phase"], said["dialed"], said["url"], error[1] if error else None)

    @property
    def dialed_host(self) -> str | None:
        return self.dialed.rpartition(":")[0].strip("[]") if self.dialed else None

    @property
    def dialed_private(self) -> bool:
        """Whether an address was dialled that only an own network can have."""
        try:
            address = ip_address(self.dialed_host or "")
        except ValueError:
            return False
        return not address.is_global

    @property
    def called(self) -> str | None:
        """The host of the URL that was called."""
        return urlsplit(self.url).hostname if self.url else None

    @property
    def served_names(self) -> str | None:
        """For whom the certificate is that was served in place of the wanted one."""
        found = _CERTIFICATE_NAMES.search(self.message)
        return found[1] or "no name at all" if found else None

    @property
    def times(self) -> tuple[datetime, str, datetime] | None:
        """(the clock's time, before|after, the certificate's limit) of a certificate that is not valid now."""
        found = _CURRENT.search(self.message)
        if not found:
            return None
        try:
            return moment(found[1]), found[2], moment(found[3].rstrip(".,;"))
        except InvalidObservation:
            return None


class Acme:
    """`apps.acme` of the facts, with what the rest of the cluster adds to it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.facts: Mapping[str, Any] = cluster.apps.get("acme") or {}

    @property
    def issuers(self) -> Sequence[Mapping[str, Any]]:
        return self.facts.get("issuers") or ()

    def unfinished(self, plural: str) -> Sequence[Mapping[str, Any]]:
        return (self.facts.get(plural) or {}).get("unfinished") or ()

    @cached_property
    def pods(self) -> list[Pod]:
        addresses = tuple(self.facts.get("api_addresses") or ())
        return [Pod(facts, addresses) for facts in self.facts.get("pods") or ()]

    @cached_property
    def controller(self) -> Pod | None:
        """A pod of the controller; the replicas are alike."""
        return next((pod for pod in self.pods if pod.facts["component"] == "controller"), None)

    @cached_property
    def proxies_elsewhere(self) -> list[tuple[str, str, str]]:
        """(who, proxy, NO_PROXY): what else in the cluster goes out through a proxy."""
        found = [(f"API server {one.instance}", one.proxy, one.no_proxy) for one in self.cluster.proxy_environments]
        settings = self.facts.get("cluster_proxy") or {}
        if settings.get("HTTPS_PROXY"):
            found.append(("Proxy cluster (config.openshift.io)", settings["HTTPS_PROXY"], settings.get("NO_PROXY") or ""))
        found += [(pod.label, pod.proxy, pod.no_proxy) for pod in self.pods if pod.proxy and pod.facts["component"] != "controller"]
        return found

    def lines(self) -> Iterator[str]:
        """Which pods have which proxy variables."""
        yield from (pod.line() for pod in self.pods)
        yield from (environment.line() for environment in self.cluster.proxy_environments)
        settings = self.facts.get("cluster_proxy") or {}
        if settings.get("HTTPS_PROXY"):
            yield f"Proxy cluster (config.openshift.io): HTTPS_PROXY={clean(settings['HTTPS_PROXY'])}"

    def needs(self, pod: Pod | None, *hosts: str) -> list[Need]:
        """What a pod of cert-manager has to reach without its proxy: the API server (its Service network, where that is known), the cluster's own names, and
        these hosts."""
        ranges = [cidr for one in (*self.cluster.instances, {}) for cidr in service_cidrs(self.cluster.facts, one)]
        called = pod.api_hosts if pod else [(address, 443) for address in (self.facts.get("api_addresses") or ())[:1]]
        return [
            *(Need(host, port, range_of(host, ranges) or host, "the API server, which pods call by this address") for host, port in called),
            Need("kubernetes.default.svc", None, ".svc", "names of Services"),
            Need("kubernetes.default.svc.cluster.local", None, ".cluster.local", "names of Services in full"),
            *(Need.of(host) for host in hosts),
        ]

    def wanted_no_proxy(self, given: str, *more: str) -> str:
        """A NO_PROXY that holds what is given, what the controller needs to reach the cluster, and these hosts."""
        return merged(given, self.needs(self.controller, *more))


def host_of(server: str) -> str:
    """The host of an ACME server's URL, "" where there is none."""
    try:
        return urlsplit(server).hostname or ""
    except ValueError:
        return ""


def is_public(host: str) -> bool:
    """Whether a name may be one of the public DNS: nothing that ends in an internal domain, no bare word. Many lead to private addresses all the same."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host.rstrip(".") and not _INTERNAL.search(host.lower())


def is_well_known(host: str) -> bool:
    """Whether a name belongs to an authority that everybody's browser trusts."""
    return any(host == domain or host.endswith("." + domain) for domain in _PUBLIC_DOMAINS)
