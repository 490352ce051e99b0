# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kube-webhook-certgen: the Jobs that make a CA and put it into webhook configurations, and how they are run again. Pure. PRIVATE to the collection.

Sources: the charts ingress-nginx (templates/admission-webhooks/job-patch) and kube-prometheus-stack
(templates/prometheus-operator/admission-webhooks/job-patch): Jobs `<configuration>-create`, which makes the Secret unless it is there, and
`<configuration>-patch`. Helm runs them as hooks and deletes them when they succeed; where the manifests were applied without Helm they stay.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

_SUFFIX = "-rerun"
_LONGEST = 63  # of a Job's name, which is a label of its pods
# What the Job controller writes, and must not be copied.
_OF_THE_JOB = frozenset({"controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"})
# By which deployment tools know what is theirs, and would prune it.
_OF_A_TOOL = frozenset({"app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "argocd.argoproj.io/instance"})
_REDACTED = "***"


def job_names(configuration: str) -> tuple[str, str]:
    """(the Job that makes the CA, the Job that writes it into the configuration)."""
    return f"{configuration}-create", f"{configuration}-patch"


def name_again(job: str) -> str:
    """The name of the copy: always the same, so that it is not run over and over."""
    return job[: _LONGEST - len(_SUFFIX)].rstrip("-.") + _SUFFIX


def run_again(job: Mapping[str, Any]) -> dict[str, Any] | None:
    """A Job that does the same once more; None where something of it was hidden when it was read, so that the copy would not do the same."""
    metadata, spec = job["metadata"], copy.deepcopy(dict(job["spec"]))
    template = spec.get("template") or {}
    pod = template.get("spec") or {}
    containers = [*(pod.get("containers") or ()), *(pod.get("initContainers") or ())]
    if any(variable.get("value") == _REDACTED for container in containers for variable in container.get("env") or ()):
        return None
    for key in ("selector", "manualSelector", "suspend"):
        spec.pop(key, None)
    of_pod = template.get("metadata") or {}
    labels = {key: value for key, value in (of_pod.get("labels") or {}).items() if key not in _OF_THE_JOB}
    annotations = of_pod.get("annotations") or {}
    spec["template"] = {**template, "metadata": {**({"labels": labels} if labels else {}), **({"annotations": annotations} if annotations else {})}}
    own = {key: value for key, value in (metadata.get("labels") or {}).items() if key not in _OF_THE_JOB | _OF_A_TOOL}
    return {
        "apiVersion": job["apiVersion"],
        "kind": job["kind"],
        "metadata": {"name": name_again(metadata["name"]), "namespace": metadata["namespace"], **({"labels": own} if own else {})},
        "spec": spec,
    }
