# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cloud or a distribution keeps as it wants it. Pure. PRIVATE to the collection.

Sources: learn.microsoft.com azure/aks/faq (admission controllers and kube-system); kubernetes cluster/addons/addon-manager/README.md; docs.aws.amazon.com
eks/latest/userguide/kubernetes-field-management.html; labels of GKE's system workloads (components.gke.io).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from .. import durable
from ..change import Values
from ..owner import Owner
from ..patching import value_at
from .asked import Asked, name
from .helm import RELEASE, namespace_of, upgrade

_MODE, _GKE, _AKS = "addonmanager.kubernetes.io/mode", "components.gke.io/", "kubernetes.azure.com/managedby"
ENFORCER, OPT_OUT = "admissionsenforcer", "admissions.enforcer/disabled"
# The keys of the expressions that the enforcer adds to every namespaceSelector; what else stands there it leaves alone.
_ENFORCED = ("control-plane", "kubernetes.azure.com/managedby")
_SELECTOR = re.compile(r"(/webhooks/\d+)(/namespaceSelector(/.*)?)?$")
_ANNOTATIONS = {
    "ValidatingWebhookConfiguration": "webhook.validatingWebhookConfigurationAnnotations",
    "MutatingWebhookConfiguration": "webhook.mutatingWebhookConfigurationAnnotations",
}


def managed(asked: Asked) -> Owner | None:
    """The add-ons of a managed cluster, and those of an addon manager."""
    called = asked.change.target.key
    gke = next((f"{key}: {value}" for key, value in sorted(asked.marks.items()) if key.startswith(_GKE)), None)
    if gke:
        return Owner(
            "gke", called, gke, ("# GKE keeps it; settings of the cluster (gcloud container clusters update --help) may change it, a patch does not last",)
        )
    if asked.labels.get(_AKS) == "aks":
        return Owner(
            "aks", called, f"label {_AKS}: aks", ("# AKS keeps it; settings of the add-on (az aks addon update --help) may change it, a patch does not last",)
        )
    if "eks" in asked.managers:
        return Owner("eks", called, "managedFields: eks has written it: it is part of an EKS add-on", tuple(_of_eks(asked)))
    if asked.labels.get(_MODE) == "Reconcile":
        lines = (
            "# the addon manager applies it from the manifests on the control plane (/etc/kubernetes/addons) every minute; change it there:",
            *durable.lines(durable.patch_of(asked.change, asked.live)),
        )
        return Owner("addon_manager", called, f"label {_MODE}: Reconcile", lines)
    return None


def _of_eks(asked: Asked) -> list[str]:
    return [
        "# put the names of yours in place of CLUSTER, ADDON and VERSION. Which keys the configuration has:",
        "aws eks describe-addon-configuration --addon-name ADDON --addon-version VERSION --query configurationSchema --output text",
        "# a live change of what the configuration does not have lasts only where conflicts are resolved so:",
        "aws eks update-addon --cluster-name CLUSTER --addon-name ADDON --resolve-conflicts PRESERVE",
        "# it has to become:",
        *durable.lines(durable.patch_of(asked.change, asked.live)),
    ]


def enforcer(asked: Asked) -> tuple[Owner, frozenset[str]] | None:
    """AKS's admissions enforcer, where the change takes away what it has put into a namespaceSelector: (owner, the paths that it puts back)."""
    if ENFORCER not in asked.managers or asked.marks.get(OPT_OUT) == "true" or asked.change.edit is None:
        return None
    before, after = asked.live, asked.change.edit.result
    paths = frozenset(path for path in asked.touched if (found := _SELECTOR.match(path)) and _enforced(before, found[1]) - _enforced(after, found[1]))
    if not paths:
        return None
    target = asked.change.target
    lines = [shlex.join(["kubectl", "annotate", target.kind.lower(), target.name, f"{OPT_OUT}=true"])]
    release = name(asked.annotations.get(RELEASE))
    if release and asked.chart[0] == "cert-manager" and target.kind in _ANNOTATIONS:
        lines.append("# and so that the annotation lasts:")
        key = f"{_ANNOTATIONS[target.kind]}.{OPT_OUT.replace('.', chr(92) + '.')}"
        lines += upgrade(asked, namespace_of(asked), release, Values("cert-manager", {key: "true"}))
    because = f"managedFields: {ENFORCER} has put {' and '.join(sorted(_all_enforced(before)))} into namespaceSelector, and puts it there again"
    return Owner("aks", "admissions enforcer", because, tuple(lines)), paths


def _enforced(configuration: Mapping[str, Any], entry: str) -> set[str]:
    selector = (value_at(configuration, entry) or {}).get("namespaceSelector") or {}
    return {expression["key"] for expression in selector.get("matchExpressions") or () if expression.get("key") in _ENFORCED}


def _all_enforced(configuration: Mapping[str, Any]) -> set[str]:
    return {key for position in range(len(configuration.get("webhooks") or ())) for key in _enforced(configuration, f"/webhooks/{position}")}
