# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD325, WD326: a caBundle that is not what its source holds, while that is not what fails. PRIVATE to the collection.

Where calls fail because of it already, the source is evidence of that finding (`ca_source.source_lines`), not a second one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..catalogue import ca_source as catalogue
from ..finding import Finding
from ..severity import Severity
from ..words import certificate_line

if TYPE_CHECKING:
    from ..ca_source import CaSource
    from ..case import Case

_TOLD_ALREADY = frozenset({"unknown_authority", "ca_bundle_invalid", "certificate_expired"})


def bundle_lacks_the_ca_of_its_source(case: Case) -> Iterator[Finding]:
    if case.judgement.fails and case.judgement.cause in _TOLD_ALREADY:
        return
    for source in case.ca_sources:
        if source.binding and source.is_absent_from(case):
            bundled = (certificate_line(one, "in the caBundle") for one in case.bundle)
            because = [f"no certificate of {source.claim} is in the caBundle", *bundled]
            yield catalogue.WD325.about(case, because, severity=Severity.WARNING, root=source.id, values=_values(source))


def source_cannot_be_used(case: Case) -> Iterator[Finding]:
    if case.judgement.fails and case.judgement.cause in _TOLD_ALREADY:
        return
    for source in case.ca_sources:
        # A source that is only known from the application may be elsewhere in this installation.
        if source.claimed_by.startswith("annotation ") and source.state in ("missing", "unusable"):
            because = [f"{source.claim}: {source.message}"]
            yield catalogue.WD326.about(case, because, severity=Severity.WARNING, root=case.id, values=_values(source))


def _values(source: CaSource) -> dict[str, object]:
    jsonpath = "{.data." + source.key.replace(".", "\\.") + "}"  # never the whole Secret: it holds a private key
    return {"source_kind": source.kind.lower(), "source_namespace": source.namespace, "source_name": source.name, "source_jsonpath": jsonpath}


CASE_RULES = (bundle_lacks_the_ca_of_its_source, source_cannot_be_used)
CLUSTER_RULES = ()
