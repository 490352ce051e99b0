# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API server -> Inventory: raw paged LISTs in parallel, nothing read that no call-out refers to. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.access import NOT_ASKED_ACCESS, ask_access
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.coverage import ERROR, FORBIDDEN, MISSING, NOT_ASKED
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.facts import API_SERVER_SERVICE, service_references, version_facts
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.failures import ObservationError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.inventory import Inventory, Key
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.listing import Address, Count, Listing, Named, Scrape, Wanted
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.metrics import CONNECT_TIMEOUT, MOST_BYTES, TIMEOUT, beginnings, samples
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.network import SERVICE_NAME_LABEL
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.observers import registry
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.values import integer, mapping, mappings, text
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api, HttpError, Response
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import Unreachable

_THREADS = 8
# Up to so many objects are asked for by name; beyond that one LIST of the whole cluster is cheaper for both sides.
_MOST_BY_NAME = 30
# A namespace with more distinct selectors than this has its pods listed once.
_MOST_SELECTORS = 20
# Schemas make a CustomResourceDefinition 20 KB to 1 MB of JSON.
_CRD_PAGE = 25
_MOST_EVENTS = 20_000
# Objects whose size stands for all of their kind.
_SAMPLE = 3
_METADATA_ONLY = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
# A webhook may name any text; only this is a name that a Service or namespace can have (and that is safe in a path and a selector).
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
# Segments of letters, digits and what else names of objects have (those of ClusterRoles have colons); none is "..".
_PATH = re.compile(r"(?:/[A-Za-z0-9][\w.:-]*)+")
_SLICES = "/apis/discovery.k8s.io/v1/endpointslices"


_CALLOUTS = (
    Listing(
        "validatingwebhookconfigurations",
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
    ),
    Listing(
        "mutatingwebhookconfigurations",
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
    ),
    Listing(
        "customresourcedefinitions",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        page=_CRD_PAGE,
        containing=(b'"Webhook"',),
    ),
    Listing("apiservices", "/apis/apiregistration.k8s.io/v1/apiservices", "apiregistration.k8s.io/v1", "APIService"),
)
# Also taken in by observers/control_plane.py.
_CONTROL_PLANE = "component in (kube-apiserver,kube-controller-manager,kube-scheduler)"
_SURROUNDINGS = (
    Listing("namespaces", "/api/v1/namespaces", "v1", "Namespace"),
    Listing(
        "apiserver instances",
        f"/apis/discovery.k8s.io/v1/namespaces/{API_SERVER_SERVICE[0]}/endpointslices",
        "discovery.k8s.io/v1",
        "EndpointSlice",
        {"labelSelector": f"{SERVICE_NAME_LABEL}={API_SERVER_SERVICE[1]}"},
    ),
    Listing("apiserver pods", "/api/v1/namespaces/kube-system/pods", "v1", "Pod", {"labelSelector": _CONTROL_PLANE}),
)
_EVIDENCE = (
    # core/v1 and events.k8s.io/v1 show the same objects; the first can be selected by type on every version.
    Listing("events", "/api/v1/events", "v1", "Event", {"fieldSelector": "type!=Normal"}, most=_MOST_EVENTS),
    Listing("deployments", "/apis/apps/v1/deployments", "apps/v1", "Deployment", containing=(b'"ReplicaFailure"',)),
)


@dataclass(frozen=True)
class Observed:
    inventory: Inventory
    version: dict[str, Any]
    access: dict[str, bool | None]


def read_api(api: Api, *, evidence: bool, access_review: bool, page_size: int) -> Observed:
    """Read everything that call-outs depend on. Raises ObservationError, Unreachable."""
    inventory = Inventory()
    version = _version(api, inventory)
    reader = _Reader(api, inventory, page_size)
    with ThreadPoolExecutor(_THREADS) as pool:
        groups = pool.submit(_api_groups, api, inventory)
        callouts = [pool.submit(reader.list, listing) for listing in _CALLOUTS]
        inventory.observers += registry.always()
        observed = reader.submit(pool, (wanted for observer in inventory.observers for wanted in observer.first()))
        access = ask_access(api, pool, inventory.coverage) if access_review else dict(NOT_ASKED_ACCESS)
        applications = registry.of_groups(groups.result() or ())
        inventory.observers += applications
        # After the observers of applications are there: they look at events and pods, too.
        others = [pool.submit(reader.list, listing) for listing in (*_SURROUNDINGS, *(_EVIDENCE if evidence else ()))]
        observed += reader.submit(pool, (wanted for observer in applications for wanted in observer.first()))
        readable = [future.result() for future in callouts]
        if not any(readable):
            raise ObservationError(_nothing_readable(api, inventory))
        _read_backends(reader, pool)
        for listing, future in zip(_SURROUNDINGS, others):
            if future.result() and listing.what == "namespaces":
                inventory.looked["namespaces"].everywhere = True
        for future in (*others, *observed):
            future.result()
        for again in reader.submit(pool, (wanted for observer in inventory.observers for wanted in observer.then(inventory))):
            again.result()
    if not evidence:
        inventory.coverage.add("events", NOT_ASKED, "Events and conditions were not asked for (evidence: false).")
    return Observed(inventory, version, access)


def _version(api: Api, inventory: Inventory) -> dict[str, Any]:
    """The first question: it shows whether somebody answers, whether it is Kubernetes, and whether the credentials are good."""
    response = api.request("GET", "/version")
    _check_credentials(api, response)
    if response.status == 403:
        inventory.coverage.add("version", FORBIDDEN, response.message())
        return version_facts({})
    try:
        answer = mapping(response.json())
    except ValueError:
        answer = {}
    version = version_facts(answer)
    if response.status != 200 or version["git_version"] is None:
        raise ObservationError(
            f"{api.server} does not answer like a Kubernetes API server: GET /version gave {response.message()[:200].rstrip('.')}. "
            "Expected a JSON object with gitVersion. Check the server's address (host, or the cluster of the kubeconfig's context), "
            "and whether a proxy or login page stands in between."
        )
    return version


def _api_groups(api: Api, inventory: Inventory) -> frozenset[str] | None:
    """The API groups that are served, which tell what is installed; None if that cannot be asked."""
    try:
        response = api.request("GET", "/apis")
        if response.status == 200:
            found = mappings(mapping(response.json()).get("groups"))
            inventory.api_groups = frozenset(name for group in found if (name := text(group.get("name"))))
        else:
            inventory.coverage.add("api groups", FORBIDDEN if response.status == 403 else ERROR, response.message())
    except Unreachable as error:
        inventory.coverage.add("api groups", ERROR, error.message)
    except ValueError as error:
        inventory.coverage.add("api groups", ERROR, f"The answer could not be read: {error}.")
    return inventory.api_groups


def _check_credentials(api: Api, response: Response) -> None:
    if response.status == 401:
        raise ObservationError(
            f"{api.cluster}: the API server {api.server} does not accept the credentials (401 Unauthorized). "
            "They have expired, were revoked, or belong to another cluster. "
            "Log in again, or give other credentials (api_key, client_cert with client_key, kubeconfig with context)."
        )


def _nothing_readable(api: Api, inventory: Inventory) -> str:
    entries = inventory.coverage.entries()
    first = next(entry for entry in entries if entry["what"] == _CALLOUTS[0].what)
    if all(any(entry["what"] == listing.what and entry["reason"] == FORBIDDEN for entry in entries) for listing in _CALLOUTS):
        return (
            f"{api.cluster}: the credentials may read none of {', '.join(listing.what for listing in _CALLOUTS)} ({first['message']}). "
            "Apply docs/rbac/diagnose.yaml of this collection with an administrator's rights; it grants exactly what is read, and only reading."
        )
    return f"{api.cluster}: none of the call-outs could be read from {api.server}: {first['message']}"


class _Reader:
    """Asks, hands objects to the inventory, and turns what cannot be had into coverage entries."""

    def __init__(self, api: Api, inventory: Inventory, page_size: int) -> None:
        self.api = api
        self.inventory = inventory
        self.page_size = page_size

    def submit(self, pool: Executor, wanted: Iterable[Wanted]) -> list[Future[bool]]:
        """What observers want; those who want the same object, or metrics of the same instance, share a request.

        Parts of a path may come from objects (the arguments of a Deployment): what is no name that an object can have is not asked for.
        """
        scrapes: dict[Address | None, list[Scrape]] = defaultdict(list)
        named: set[Named] = set()
        asked: list[Future[bool]] = []
        for one in wanted:
            if isinstance(one, Scrape):
                scrapes[one.instance].append(one)
            elif not _PATH.fullmatch(one.path):
                self.inventory.coverage.add(one.what, ERROR, "It is not asked for: no object can have that name.")
            elif isinstance(one, Named):
                if one not in named:
                    named.add(one)
                    asked.append(pool.submit(self.get, one.what, one.path, one.api_version, one.kind))
            elif isinstance(one, Count):
                asked.append(pool.submit(self.count, one))
            else:
                asked.append(pool.submit(self.list, one))
        return [*asked, *(pool.submit(self.scrape, instance, together) for instance, together in scrapes.items())]

    def scrape(self, instance: Address | None, scrapes: Sequence[Scrape]) -> bool:
        """Whether the metrics of an instance could be read; what the scrapes name of them is handed over."""
        families = {family for scrape in scrapes for family in scrape.families}

        def read() -> bool:
            api = self.api.at(*instance) if instance else self.api
            response = api.request(
                "GET",
                "/metrics",
                headers={"Accept": "text/plain"},
                timeout=TIMEOUT,
                connect_timeout=CONNECT_TIMEOUT,
                max_bytes=MOST_BYTES,
                only=beginnings(families),
            )
            if response.status != 200:
                raise HttpError(response)
            found = list(samples(response.body))
            for scrape in scrapes:
                scrape.take(instance, [sample for sample in found if sample.name in scrape.families])
            return True

        return self._tried("metrics", read, consequence=" ".join(sorted({scrape.consequence for scrape in scrapes})))

    def list(self, listing: Listing, wanted: Callable[[dict[str, Any]], bool] | None = None) -> bool:
        """Whether the whole list could be read. `wanted` chooses among the objects as they arrive."""
        count = 0

        def read() -> bool:
            nonlocal count
            limit = min(self.page_size, listing.page or self.page_size)
            headers = _METADATA_ONLY if listing.metadata_only else None
            for page in self.api.pages(listing.path, listing.query, limit=limit, containing=listing.containing, headers=headers):
                for obj in page["items"]:
                    if isinstance(obj, dict) and (wanted is None or wanted(obj)):
                        self.inventory.add({**obj, "apiVersion": listing.api_version, "kind": listing.kind})
                count += len(page["items"])
                if listing.most is not None and count >= listing.most:
                    self.inventory.coverage.add(listing.what, ERROR, f"Only the first {count} were read.", "Some are not seen.")
                    break
            return True

        return self._tried(listing.what, read, listing.optional)

    def get(self, what: str, path: str, api_version: str, kind: str) -> bool:
        """Whether it could be told if the object exists."""

        def read() -> bool:
            response = self.api.request("GET", path)
            if response.status == 404:
                return True
            if response.status != 200:
                raise HttpError(response)
            self.inventory.add({**mapping(response.json()), "apiVersion": api_version, "kind": kind})
            return True

        return self._tried(what, read)

    def count(self, wanted: Count) -> bool:
        """Whether it could be told how many there are: the API server counts what it leaves out of a page (remainingItemCount) if nothing is selected."""

        def read() -> bool:
            response = self.api.request("GET", wanted.path, query={"limit": _SAMPLE})
            if response.status != 200:
                raise HttpError(response)
            page = mapping(response.json())
            items = mappings(page.get("items"))
            rest = integer(mapping(page.get("metadata")).get("remainingItemCount")) or 0
            wanted.told(len(items) + rest, len(response.body) // len(items) if items else None)
            return True

        return self._tried(wanted.what, read, optional=True)

    def _tried(self, what: str, read: Callable[[], bool], optional: bool = False, consequence: str | None = None) -> bool:
        try:
            return read()
        except HttpError as error:
            _check_credentials(self.api, error.response)
            reason = {403: FORBIDDEN, 404: MISSING}.get(error.status, ERROR)
            if optional and reason == MISSING:
                return False
            self.inventory.coverage.add(what, reason, str(error), consequence)
        except Unreachable as error:
            self.inventory.coverage.add(what, ERROR, error.message, consequence)
        except ValueError as error:
            self.inventory.coverage.add(what, ERROR, f"The answer could not be read: {error}.", consequence)
        return False


def _read_backends(reader: _Reader, pool: Executor) -> None:
    """Services and EndpointSlices that call-outs name, then the pods that those Services select."""
    inventory = reader.inventory
    named = service_references(list(inventory.callouts.values()))
    references = [key for key in named if all(_NAME.fullmatch(part) for part in key)]
    for kind in ("services", "endpointslices", "pods"):
        inventory.looked[kind].names.update(set(named) - set(references))  # no object can have such a name
    if not references:
        return
    slices = [pool.submit(reader.list, listing, wanted) for listing, wanted in _slice_listings(references)]
    services = _services(reader, pool, references)
    whole = [future.result() for future in slices]
    if all(whole):
        inventory.looked["endpointslices"].names.update(references)
    found = [reference for reference in references if reference in services]
    pods = [(keys, pool.submit(reader.list, listing)) for keys, listing in _pod_listings(inventory, found)]
    for keys, future in pods:
        if future.result():
            inventory.looked["pods"].names.update(keys)


def _services(reader: _Reader, pool: Executor, references: list[Key]) -> set[Key]:
    """Read the Services; the result says for which of them it is known whether they exist."""
    inventory = reader.inventory
    if len(references) > _MOST_BY_NAME:
        names = set(references)
        known = reader.list(
            Listing("services", "/api/v1/services", "v1", "Service"),
            lambda obj: (mapping(obj.get("metadata")).get("namespace"), mapping(obj.get("metadata")).get("name")) in names,
        )
        looked = names if known else set()
    else:
        answers: list[tuple[Key, Future[bool]]] = [
            ((namespace, name), pool.submit(reader.get, "services", f"/api/v1/namespaces/{namespace}/services/{name}", "v1", "Service"))
            for namespace, name in references
        ]
        looked = {key for key, future in answers if future.result()}
    inventory.looked["services"].names.update(looked)
    return looked


def _slice_listings(references: list[Key]) -> list[tuple[Listing, Callable[[dict[str, Any]], bool] | None]]:
    if len(references) > _MOST_BY_NAME:
        names = set(references)

        def wanted(obj: dict[str, Any]) -> bool:
            metadata = mapping(obj.get("metadata"))
            return (metadata.get("namespace"), mapping(metadata.get("labels")).get(SERVICE_NAME_LABEL)) in names

        return [(Listing("endpointslices", _SLICES, "discovery.k8s.io/v1", "EndpointSlice"), wanted)]
    listings: list[tuple[Listing, Callable[[dict[str, Any]], bool] | None]] = []
    for namespace, names_of_namespace in _by_namespace(references).items():
        selector = f"{SERVICE_NAME_LABEL} in ({','.join(names_of_namespace)})"
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        listings.append((Listing("endpointslices", path, "discovery.k8s.io/v1", "EndpointSlice", {"labelSelector": selector}), None))
    return listings


def _pod_listings(inventory: Inventory, references: list[Key]) -> Iterable[tuple[list[Key], Listing]]:
    """The LISTs that show the pods of these Services, each with the Services that it speaks for."""
    for namespace, names in _by_namespace(references).items():
        by_selector: dict[str, list[Key]] = defaultdict(list)
        for name in names:
            service = inventory.services.get((namespace, name)) or {}
            by_selector[",".join(f"{key}={value}" for key, value in sorted((service.get("selector") or {}).items()))].append((namespace, name))
        # A Service that is missing, or selects nobody, has no pods: that is known without asking.
        inventory.looked["pods"].names.update(by_selector.pop("", []))
        path = f"/api/v1/namespaces/{namespace}/pods"
        if len(by_selector) > _MOST_SELECTORS:
            yield [key for keys in by_selector.values() for key in keys], Listing("pods", path, "v1", "Pod")
            continue
        for selector, keys in by_selector.items():
            yield keys, Listing("pods", path, "v1", "Pod", {"labelSelector": selector})


def _by_namespace(references: Iterable[Key]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for namespace, name in references:
        grouped[namespace].append(name)
    return grouped
