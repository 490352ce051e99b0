# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be known of a cluster to choose a request: what it serves, which objects there are. Read lazily, each once. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.channel import Answer, Channel
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.once import Once

_READ_TIMEOUT = 10.0  # seconds for one read
_OBJECTS_LISTED = 100  # of one resource: enough to choose from
_NAMESPACES_LISTED = 5000
_BUILT_IN_GROUPS = frozenset(
    {
        *("", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "authentication.k8s.io"),
        *("authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io"),
        *("extensions", "flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "policy"),
        *("rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io"),
    }
)


@dataclass(frozen=True)
class Resource:
    """One resource of discovery. verbs: of the resource itself; subresources: name -> verbs."""

    group: str
    version: str
    name: str
    kind: str
    namespaced: bool
    verbs: frozenset[str]
    subresources: Mapping[str, frozenset[str]] = field(default_factory=dict, compare=False)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        parts = ["", "apis", self.group, self.version] if self.group else ["", "api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        return "/".join([*parts, self.name, *filter(None, (name, subresource))])

    def words(self, subresource: str = "") -> str:
        """As kubectl and RBAC write it: "deployments.apps", "pods/status"."""
        return self.name + (f"/{subresource}" if subresource else "") + (f".{self.group}" if self.group else "")


@dataclass(frozen=True)
class Meta:
    """Of one object: what selectors and paths need. namespace: null where cluster-scoped."""

    name: str
    namespace: str | None
    labels: Mapping[str, str] = field(compare=False)


@dataclass(frozen=True)
class Listing:
    """Objects that are not being deleted. trouble: why there are none to see, null if the list was read; complete: whether these are all."""

    items: tuple[Meta, ...] = ()
    trouble: str | None = None
    complete: bool = True


class Surroundings:
    """Reads through one channel; a second question for the same thing sends nothing."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._once = Once()

    def groups(self) -> list[str]:
        """The groups that are served, the core group (\"\") first."""
        found = _entries(self._document("/apis"), "groups")
        return ["", *(group["name"] for group in found if isinstance(group.get("name"), str))]

    def versions(self, group: str) -> list[str]:
        """The served versions of a group, the preferred one first; none if the group is not served."""
        if not group:
            return ["v1"]
        document = self._document(f"/apis/{group}")
        versions = [entry["version"] for entry in _entries(document, "versions") if isinstance(entry.get("version"), str)]
        preferred = document.get("preferredVersion")
        first = preferred.get("version") if isinstance(preferred, dict) else None
        return sorted(versions, key=lambda version: version != first)

    def resources(self, group: str, version: str) -> list[Resource]:
        """What one group and version serves; nothing where discovery of it fails (an aggregated API may be down)."""
        entries = _entries(self._document(f"/apis/{group}/{version}" if group else f"/api/{version}"), "resources")
        verbs = {str(entry.get("name")): frozenset(entry.get("verbs") or ()) for entry in entries}
        found = []
        for entry in entries:
            name = str(entry.get("name"))
            if "/" not in name:
                subresources = {sub.partition("/")[2]: allowed for sub, allowed in verbs.items() if sub.startswith(name + "/")}
                found.append(Resource(group, version, name, str(entry.get("kind")), bool(entry.get("namespaced")), verbs[name], subresources))
        return found

    def stores_itself(self, group: str, version: str) -> bool:
        """Whether kube-apiserver itself stores this group (built in, or CRDs), so that dryRun is known to be honoured.

        An aggregated API server may ignore dryRun and really write. Where APIServices cannot be read, only built-in groups are sure.
        """
        aggregated = self._once.get("aggregated", self._read_aggregated)
        return group in _BUILT_IN_GROUPS if aggregated is None else (group, version) not in aggregated

    def namespaces(self) -> Listing:
        return self._once.get("namespaces", lambda: self._list("/api/v1/namespaces", {"limit": str(_NAMESPACES_LISTED)}))

    def namespace_labels(self, name: str) -> Mapping[str, str] | None:
        """Labels of a namespace, null if they cannot be read."""
        by_name = self._once.get("namespaces by name", lambda: {item.name: item.labels for item in self.namespaces().items})
        return by_name.get(name)

    def objects(self, resource: Resource, namespace: str | None = None, selector: str = "") -> Listing:
        """Some objects of a resource, in one namespace or all, narrowed down by a label selector in the API's query form."""
        query = {"limit": str(_OBJECTS_LISTED), **({"labelSelector": selector} if selector else {})}
        path = resource.path(namespace)
        return self._once.get(("objects", path, selector), lambda: self._list(path, query))

    def _document(self, path: str) -> dict[str, Any]:
        answer = self._once.get(("discovery", path), lambda: self._channel.read(path, timeout=_READ_TIMEOUT))
        return answer.document if answer.ok and isinstance(answer.document, dict) else {}

    def _list(self, path: str, query: dict[str, str]) -> Listing:
        answer = self._channel.read(path, timeout=_READ_TIMEOUT, query=query, metadata_only=True, listing=True)
        if not answer.ok or not isinstance(answer.document, dict):
            return Listing(trouble=trouble(answer))
        metadata = answer.document.get("metadata")
        complete = not (isinstance(metadata, dict) and metadata.get("continue"))
        return Listing(tuple(filter(None, map(_meta, _entries(answer.document, "items")))), None, complete)

    def _read_aggregated(self) -> set[tuple[str, str]] | None:
        answer = self._channel.read("/apis/apiregistration.k8s.io/v1/apiservices", timeout=_READ_TIMEOUT)
        if not answer.ok or not isinstance(answer.document, dict):
            return None
        specs = [entry.get("spec") or {} for entry in _entries(answer.document, "items")]
        return {(str(spec.get("group")), str(spec.get("version"))) for spec in specs if spec.get("service")}


def trouble(answer: Answer) -> str:
    """Why an answer is of no use, for people."""
    return answer.message or (f"HTTP {answer.status}" if answer.status else "no answer")


def _entries(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = document.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _meta(entry: Mapping[str, Any]) -> Meta | None:
    metadata = entry.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or metadata.get("deletionTimestamp"):
        return None
    labels = metadata.get("labels")
    return Meta(metadata["name"], metadata.get("namespace") or None, labels if isinstance(labels, dict) else {})
