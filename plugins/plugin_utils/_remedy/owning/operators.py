# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators: by the controller's owner reference, OLM's labels, the label managed-by, or their name as a field manager. Pure. PRIVATE to the collection.

Sources: operator-lifecycle-manager pkg/lib/ownerutil (labels); kyverno api/kyverno/constants.go (webhook.kyverno.io/managed-by).
"""

from __future__ import annotations

import re
import shlex

from .. import durable
from ..owner import Owner
from .asked import MANAGED_BY, Asked, name

_OLM, _COMPONENT = "olm.owner", "operators.coreos.com/"
_KYVERNO = "webhook.kyverno.io/managed-by"
_OPERATOR = re.compile(r"(^|[-_.])operator([-_.]|$)")


def controller(asked: Asked) -> Owner | None:
    """What has a controller is put back by it at once."""
    owner = asked.controller
    if not owner:
        return None
    named = " ".join(owner.get(key) or "?" for key in ("kind", "name"))
    lines = [f"# {named} decides what it looks like; the change goes there, as far as its fields allow:"]
    resource, own = _resource(owner.get("apiVersion", ""), owner.get("kind", "")), name(owner.get("name"))
    if name(resource) and own:
        namespace = asked.change.target.namespace
        lines.append(shlex.join(["kubectl", *(["-n", namespace] if namespace else []), "get", resource, own, "-o", "yaml"]))
    lines += ["# It has to become:", *_what(asked)]
    return Owner("operator", named, f"ownerReferences: {named} is its controller", tuple(lines))


def olm(asked: Asked) -> Owner | None:
    own = name(asked.labels.get(_OLM))
    if own:
        kind = name(asked.labels.get("olm.owner.kind")) or "ClusterServiceVersion"
        namespace = name(asked.labels.get("olm.owner.namespace"))
        because = f"labels {_OLM}: {own}, olm.owner.kind: {kind}, olm.owner.namespace: {namespace or '?'}"
        full = f"{namespace}/{own}" if namespace else own
        lines = [
            f"# OLM keeps it as {kind} {full} says (webhooks: spec.webhookdefinitions, Deployments: spec.install.spec.deployments). Change it there,",
            "# and see that the next version of the operator has it. What a Subscription can set (environment, resources, nodes) goes into its spec.config.",
            shlex.join(["kubectl", *(["-n", namespace] if namespace else []), "edit", _resource("operators.coreos.com/v1alpha1", kind), own]),
            "# It has to become:",
            *_what(asked),
        ]
        return Owner("olm", full, because, tuple(lines))
    label = next((key for key in sorted(asked.labels) if key.startswith(_COMPONENT)), None)
    if not label:
        return None
    lines = [f"# OLM installed it for operator {label[len(_COMPONENT) :]}, and brings its own again with the next version of it", *_what(asked)]
    return Owner("olm", label[len(_COMPONENT) :], f"label {label}", tuple(lines))


def known(asked: Asked) -> Owner | None:
    """Operators that leave no owner reference."""
    managed_by = asked.labels.get(MANAGED_BY, "")
    kyverno = asked.labels.get(_KYVERNO)
    manager = next((one for one in asked.managers if _OPERATOR.search(one)), None)
    if kyverno:
        called, because = kyverno, f"label {_KYVERNO}: {kyverno}: its controller writes its webhook configurations from its policies and its ConfigMap"
    elif _OPERATOR.search(managed_by):
        called, because = managed_by, f"label {MANAGED_BY}: {managed_by}"
    elif manager:
        called, because = manager, f"managedFields: {manager} has written it"
    else:
        return None
    return Owner("operator", called, because, (f"# {called} writes it; the change goes into what it is configured with. It has to become:", *_what(asked)))


def _what(asked: Asked) -> list[str]:
    """What has to come out, for whoever makes it of something else."""
    if asked.change.action == "delete":
        return [f"# {asked.change.target.words} has to go"]
    return durable.lines(durable.patch_of(asked.change, asked.live))


def _resource(api_version: str, kind: str) -> str:
    """As kubectl takes it: `deployment.v1.apps`."""
    group, slash, version = api_version.partition("/")
    return f"{kind.lower()}.{version}.{group}" if slash else kind.lower()
