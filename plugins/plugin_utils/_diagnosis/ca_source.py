# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secret or ConfigMap that a caBundle is meant to come from, as the rules read it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .observed import Trust

if TYPE_CHECKING:
    from .case import Case

_MOST_LISTED = 500  # certificates that a verdict lists of one caBundle; of a longer one nothing can be said to be missing


@dataclass(frozen=True)
class CaSource:
    """One item of `ca_sources` of the facts, for one call-out. `trusts`: verdicts on what is served, with the source's CA in place of the caBundle."""

    kind: str
    namespace: str | None
    name: str
    key: str
    claimed_by: str
    via: str | None
    binding: bool
    state: str
    message: str | None
    certificates: frozenset[str]
    trusts: tuple[Trust, ...]

    @classmethod
    def of(cls, item: Mapping[str, Any], callout: str, trusts: Iterable[Trust]) -> CaSource:
        return cls(
            kind=str(item["kind"]),
            namespace=item["namespace"],
            name=str(item["name"]),
            key=str(item["key"]),
            claimed_by=str(item["claimed_by"]),
            via=item["via"],
            binding=bool(item["binding"]),
            state=str(item["state"]),
            message=item["message"],
            certificates=frozenset(item["certificates"]),
            trusts=tuple(trust for trust in trusts if trust.source == item["id"] and callout in trust.callouts),
        )

    @property
    def id(self) -> str:
        """What has to be mended once, however many caBundles come from it."""
        return f"{self.label}:{self.key}"

    @property
    def label(self) -> str:
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}"

    @property
    def claim(self) -> str:
        """`Secret a/b, key ca.crt (annotation c, Certificate a/d)`."""
        return f"{self.label}, key {self.key} ({', '.join(filter(None, (self.claimed_by, self.via)))})"

    def is_absent_from(self, case: Case) -> bool:
        """Whether none of its certificates is in the call-out's caBundle. Injectors merge old and new, so one that is there is enough."""
        if self.state != "read" or len(case.bundle) >= _MOST_LISTED:
            return False
        return self.certificates.isdisjoint(one.sha256 for one in case.bundle)

    @property
    def vouches(self) -> bool:
        """Whether what is served verifies with its CA."""
        return bool(self.trusts) and all(trust.trusted for trust in self.trusts)


def source_lines(case: Case) -> list[str]:
    """What the sources say about a served certificate that the caBundle does not vouch for."""
    lines = []
    for source in case.ca_sources:
        if source.vouches:
            lines.append(f"the same chain verifies with the CA of {source.claim}: the caBundle was not brought up to date from there")
        elif source.state == "read" and source.trusts:
            lines.append(f"nor does it verify with the CA of {source.claim}, where the caBundle is meant to come from")
        elif source.state in ("missing", "unusable"):
            lines.append(f"the caBundle is meant to come from {source.claim}, which cannot be used: {source.message}")
        elif source.state == "not_asked":
            lines.append(f"the caBundle is meant to come from {source.claim}; with webhook_doctor_read_ca_secrets=true that is compared as well")
    return lines
