# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an object of the API is named in a plan. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Reference:
    """One object, which may or may not exist. `namespace` is None for what is in no namespace."""

    api_version: str
    kind: str
    name: str
    namespace: str | None = None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Reference:
        """From an object of the API (apiVersion, kind, metadata), or from what `shown` returns."""
        if "metadata" in item:
            metadata = item["metadata"]
            return cls(item["apiVersion"], item["kind"], metadata["name"], metadata.get("namespace") or None)
        return cls(item["api_version"], item["kind"], item["name"], item.get("namespace") or None)

    @property
    def key(self) -> str:
        """`Deployment/cert-manager/cert-manager-webhook`, `CustomResourceDefinition/gauges.example.com`."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)

    @property
    def words(self) -> str:
        """For people: `Deployment cert-manager/cert-manager-webhook`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def group(self) -> str:
        """The API group, "" for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version within the group."""
        return self.api_version.rpartition("/")[2]

    @property
    def resource(self) -> str:
        """The plural that requests and rules have for the kind, as Kubernetes itself guesses it; for Endpoints, which it excepts, too.

        Source: k8s.io/apimachinery pkg/api/meta/restmapper.go UnsafeGuessKindToResource.
        """
        singular = self.kind.lower()
        if singular.endswith("endpoints"):
            return singular
        if singular.endswith("s"):
            return f"{singular}es"
        return f"{singular[:-1]}ies" if singular.endswith("y") else f"{singular}s"

    def shown(self) -> dict[str, str | None]:
        """{api_version, kind, namespace, name}, as in plan items and as the module read_objects takes it."""
        return {"api_version": self.api_version, "kind": self.kind, "namespace": self.namespace, "name": self.name}


@dataclass(frozen=True, order=True)
class Selection:
    """All objects of a kind, of one namespace or (None) of all, that carry the labels; read where a planner has to look for its target.

    fields: JSON pointers (RFC 6901) of what is kept of each, beside apiVersion, kind, and name, namespace, uid and resourceVersion of its metadata; what
    an object lacks is left out. () keeps all. For kinds of which there may be thousands of big ones: they are pruned where they are read.
    """

    api_version: str
    kind: str
    namespace: str | None = None
    label_selector: str = ""
    fields: tuple[str, ...] = ()

    def shown(self) -> dict[str, str | list[str] | None]:
        return {
            "api_version": self.api_version,
            "kind": self.kind,
            "namespace": self.namespace,
            "label_selector": self.label_selector or None,
            "fields": list(self.fields) or None,
        }


@dataclass(frozen=True, order=True)
class PublicKeys:
    """Certificates of authorities that a Secret or ConfigMap holds, and nothing else of it: where a planner needs the text of a CA.

    keys: the names of the keys that may hold them, such as ca.crt; sorted, so that equal questions are equal.

    How it is answered (by whoever reads; a planner cannot see more than this, whatever keys it names):

    - the object is read by name. Of every named key that is there, the blocks `-----BEGIN CERTIFICATE-----` alone are kept, as they stand and in their order,
      each followed by a line break; text between them, private keys and any other block are dropped before anything is returned, logged or stored. Keys without
      such a block, and keys that were not named, are left out;
    - values of a Secret are decoded from base64 first, so `data` of both kinds is {key: PEM text};
    - the answer's object is {apiVersion, kind, metadata: {namespace, name, uid, annotations, labels}, data: {key: PEM text}}, without managedFields and without
      the annotation kubectl.kubernetes.io/last-applied-configuration, which holds the whole Secret where it was applied;
    - no object: it does not exist. An error: it could not be read. Secrets are read only where a planner asks for them by this, which is where somebody said so
      (an option that names it, or webhook_doctor_read_ca_secrets).

    It is no answer to `Reference`: it must never be taken for the object as it is, since a patch would lose what is left out.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    keys: tuple[str, ...]

    @property
    def words(self) -> str:
        """For people: `Secret cert-manager/cert-manager-webhook-ca`."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"

    def shown(self) -> dict[str, Any]:
        """{api_version, kind, namespace, name, public_keys}, as the module read_objects takes it."""
        return {"api_version": self.api_version, "kind": self.kind, "namespace": self.namespace, "name": self.name, "public_keys": list(self.keys)}
