# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who writes the caBundle of a call-out: where somebody does, that is the one to mend. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..._diagnosis.cert_manager import injection
from ..._diagnosis.text import fill

if TYPE_CHECKING:
    from ..._diagnosis.case import Case

CAINJECTOR, ISTIOD, CERTGEN, OTHER = "cainjector", "istiod", "certgen", "other"
_SERVICE_CA = "service.beta.openshift.io/inject-cabundle"
_CERTGEN = "kube-webhook-certgen"
_OF_ITSELF = (
    "# It makes certificate, CA and caBundle together. If a chart does, upgrade its release; if the application itself does, start its pods anew, and it "
    "writes what it has.",
    "kubectl -n {namespace} rollout restart deployment",
)
_OLM = ("olm.owner", "olm.managed")


def _steps(templates: tuple[str, ...], values: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(step for template in templates if (step := fill(template, values)))


@dataclass(frozen=True)
class Injector:
    """kind: cainjector, istiod, certgen, or other. words: who it is, for people. advice: what a person does to have it write again (kind other)."""

    kind: str
    words: str
    advice: tuple[str, ...] = ()


def injector_of(case: Case) -> Injector | None:
    """Who keeps this caBundle, as its annotations, its owner and what is known of the application say; None where nobody does who is in the cluster."""
    cluster, about = case.cluster, case.callout["object"]
    cert_manager = cluster.cert_manager
    annotated = injection(case)
    if annotated or any(case.id == own.id for own in cert_manager.webhook_cases):
        # An annotation that nobody in the cluster goes by does nothing.
        if cert_manager.components(CAINJECTOR) or cert_manager.installations or not cert_manager.complete:
            return Injector(CAINJECTOR, f"cert-manager's cainjector ({annotated[0]}: {annotated[1]})" if annotated else "cert-manager's cainjector")
    elif about["annotations"].get(_SERVICE_CA) == "true" and (cluster.platform.name == "openshift" or not cert_manager.complete):
        return Injector(
            OTHER,
            f"OpenShift's service-ca operator (annotation {_SERVICE_CA})",
            (
                "# The operator writes it within seconds; see why it does not, and start it anew:",
                "kubectl -n openshift-service-ca rollout restart deployment service-ca",
            ),
        )
    if any(case.id == one.id for configuration in cluster.mesh.configurations for one in configuration.cases):
        return Injector(ISTIOD, "istiod")
    if any(label in about["labels"] for label in _OLM):
        return Injector(
            OTHER,
            "the Operator Lifecycle Manager (label olm.owner)",
            ("# It issues certificate and caBundle together; see the conditions of the ClusterServiceVersion:", "kubectl get clusterserviceversions -A"),
        )
    for source in case.ca_sources:
        if source.claimed_by.startswith("annotation ") or not source.binding:
            continue
        if source.claimed_by.startswith(_CERTGEN):
            return Injector(CERTGEN, source.claimed_by)
        return Injector(OTHER, source.claimed_by, _steps(_OF_ITSELF, {"namespace": case.wanted.get("namespace")}))
    return None
