# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm, and what else renders and applies only when somebody runs it (Kustomize). Pure. PRIVATE to the collection.

Nobody reconciles: the change is gone with the next upgrade, or apply. Source: helm pkg/action/validate.go (the label and the annotations that mark ownership).
"""

from __future__ import annotations

import shlex

from .. import durable
from ..change import Values
from ..owner import Owner
from .asked import INSTANCE, MANAGED_BY, Asked, name

RELEASE, NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
# Where charts are to be had; of others it is not recorded in the cluster.
_CHARTS = {"cert-manager": "oci://quay.io/jetstack/charts/cert-manager"}


def helm(asked: Asked) -> Owner | None:
    """A release by its annotations; else what a chart's own label says, which `helm template` leaves alone behind."""
    release = name(asked.annotations.get(RELEASE))
    if release:
        namespace = namespace_of(asked)
        because = f"annotations {RELEASE}: {release}, {NAMESPACE}: {namespace}"
        return Owner("helm", f"{namespace}/{release}", because, tuple(_release(asked, namespace, release)))
    if not rendered(asked):
        return None
    chart, _version = asked.chart
    called = asked.labels.get(INSTANCE) or chart or asked.change.target.name
    because = f"label {MANAGED_BY}: Helm without {RELEASE}: rendered by `helm template`, and applied by something else"
    return Owner("helm", called, because, tuple(template(asked)))


def namespace_of(asked: Asked) -> str:
    """The release's."""
    return name(asked.annotations.get(NAMESPACE)) or asked.change.target.namespace or "default"


def rendered(asked: Asked) -> bool:
    """Whether a chart has rendered it."""
    return asked.labels.get(MANAGED_BY) == "Helm"


def kustomize(asked: Asked) -> Owner | None:
    """Kustomize leaves a mark only where it was asked to (buildMetadata: [managedByLabel])."""
    version = asked.labels.get(MANAGED_BY, "")
    if not version.startswith("kustomize-"):
        return None
    return Owner("kustomize", asked.change.target.name, f"label {MANAGED_BY}: {version}", ("# in kustomization.yaml:", *patches(asked)))


def patches(asked: Asked) -> list[str]:
    return durable.lines({"patches": durable.kustomize_patches(asked.change, asked.live)})


def values(asked: Asked) -> Values | None:
    return durable.values_for(asked.change, asked.chart[0])


def template(asked: Asked) -> list[str]:
    """The change where a chart is rendered and then applied by something else."""
    known = values(asked)
    if asked.change.action == "delete":
        return [f"# values of chart {_chart(asked)}: switch off what renders {asked.change.target.words}"]
    if known:
        return [f"# values of chart {known.chart}:", *_note(known), *durable.lines(durable.nested(known.values))]
    return what_to_render(asked)


def what_to_render(asked: Asked) -> list[str]:
    """For charts whose values are not known here."""
    return [
        f"# Which value of chart {_chart(asked)} sets this is not known here; `helm show values` lists them. It has to render:",
        *durable.lines(durable.patch_of(asked.change, asked.live)),
    ]


def upgrade(asked: Asked, namespace: str, release: str, known: Values) -> list[str]:
    """A command that changes these values of a release and nothing else."""
    chart, version = asked.chart
    source = _CHARTS.get(known.chart)
    command = ["helm", "-n", namespace, "upgrade", release, source or "CHART", *(["--version", version] if version and chart == known.chart else [])]
    return [
        *([] if source else ["# Helm does not record where a chart is from: put the reference of yours in place of CHART"]),
        *_note(known),
        f"{shlex.join(command)} --reuse-values -f - <<'EOF'",
        *durable.lines(durable.nested(known.values)),
        "EOF",
    ]


def _release(asked: Asked, namespace: str, release: str) -> list[str]:
    known = values(asked)
    if asked.change.action == "delete":
        return [
            f"# release {release} renders it anew at its next upgrade: switch it off in its values; see what it renders and what it is given",
            shlex.join(["helm", "-n", namespace, "get", "manifest", release]),
            shlex.join(["helm", "-n", namespace, "get", "values", release, "--all"]),
        ]
    return upgrade(asked, namespace, release, known) if known else what_to_render(asked)


def _chart(asked: Asked) -> str:
    return asked.chart[0] or asked.labels.get(INSTANCE) or "that it is from"


def _note(known: Values) -> list[str]:
    return [f"# {known.note}"] if known.note else []
