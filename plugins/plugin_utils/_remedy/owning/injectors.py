# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who writes a caBundle, or a failurePolicy, into an object that is somebody else's. Pure. PRIVATE to the collection.

Each returns (owner, the paths among those that the change touches which it writes anew). Nothing else of the object is theirs.
Sources: cert-manager pkg/controller/cainjector; service-ca-operator pkg/controller/cabundleinjector; istio pkg/webhooks and
pkg/webhooks/validation/controller.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._cluster.istio_names import INJECTOR, REVISION, VALIDATOR

from ..owner import Owner
from .asked import Asked, name

if TYPE_CHECKING:
    from ..._diagnosis.cluster import Cluster

_CERT_MANAGER = "cert-manager.io/"
_OPENSHIFT = "service.beta.openshift.io/inject-cabundle"
_CAINJECTORS = ("cert-manager-cainjector", "cainjector")
_BUNDLE = re.compile(r"(.*/)?caBundle$")
_ENTRY = re.compile(r"/webhooks/(\d+)/(clientConfig/caBundle|failurePolicy)$")


def cainjector(asked: Asked) -> tuple[Owner, frozenset[str]] | None:
    """cainjector writes where an annotation names a source that it can follow; what it once wrote elsewhere it leaves alone."""
    paths = _bundles(asked)
    target = asked.change.target
    certificate, secret = (_source(asked, f"{_CERT_MANAGER}{annotation}") for annotation in ("inject-ca-from", "inject-ca-from-secret"))
    if certificate:
        annotation, source = "inject-ca-from", f"Certificate {certificate}"
        namespace, _slash, object_name = certificate.partition("/")
        lines = [
            "# the caBundle is the ca.crt of the Certificate's Secret; what is wrong with it is mended there:",
            shlex.join(["kubectl", "-n", namespace, "describe", "certificate.cert-manager.io", object_name]),
        ]
    elif secret:
        annotation, source = "inject-ca-from-secret", f"Secret {secret}"
        namespace, _slash, object_name = secret.partition("/")
        lines = [
            "# the caBundle is the Secret's ca.crt, which cainjector may take from there only with this annotation:",
            shlex.join(["kubectl", "-n", namespace, "annotate", "secret", object_name, f"{_CERT_MANAGER}allow-direct-injection=true"]),
        ]
    elif asked.annotations.get(f"{_CERT_MANAGER}inject-apiserver-ca") == "true":
        annotation, source = "inject-apiserver-ca", "the API server's own CA"
        lines = ["# the caBundle is the CA by which pods trust the API server"]
    else:
        return None
    if not paths:
        return None
    lines += [
        "# or take the annotation away, and write the caBundle yourself from then on:",
        shlex.join(["kubectl", "annotate", target.kind.lower(), target.name, f"{_CERT_MANAGER}{annotation}-"]),
    ]
    writer = next((one for one in asked.managers if one in _CAINJECTORS), None)
    wrote = f"; {writer} has written it" if writer else ""
    because = f"annotation {_CERT_MANAGER}{annotation}: {asked.annotations[_CERT_MANAGER + annotation]}{wrote}"
    return Owner("cainjector", source, because, tuple(lines)), paths


def service_ca(asked: Asked) -> tuple[Owner, frozenset[str]] | None:
    paths = _bundles(asked)
    if not paths or asked.annotations.get(_OPENSHIFT) != "true":
        return None
    target = asked.change.target
    lines = (
        "# OpenShift's service CA is written into it; take the annotation away to write the caBundle yourself from then on:",
        shlex.join(["kubectl", "annotate", target.kind.lower(), target.name, f"{_OPENSHIFT}-"]),
    )
    return Owner("service_ca", "service-ca", f"annotation {_OPENSHIFT}: true", lines), paths


def istiod(asked: Asked, cluster: Cluster) -> tuple[Owner, frozenset[str]] | None:
    """istiod writes the caBundle of the configurations of its revision, and failurePolicy Fail into its validators as soon as it is ready."""
    revision = asked.labels.get(REVISION)
    if not revision:
        return None
    entries = asked.live.get("webhooks") or ()
    paths = set()
    for path in asked.touched:
        found = _ENTRY.match(path)
        webhook = str(entries[int(found[1])].get("name") or "") if found and int(found[1]) < len(entries) else ""
        validator = asked.change.target.kind == "ValidatingWebhookConfiguration" and webhook.endswith(VALIDATOR)
        injector = asked.change.target.kind == "MutatingWebhookConfiguration" and webhook.endswith(INJECTOR)
        if found and (validator or (injector and found[2] != "failurePolicy")):
            paths.add(path)
    planes = cluster.mesh.control_planes_of(revision)
    if not paths or (cluster.mesh.control_planes is not None and not planes):
        return None
    namespace = str(planes[0]["namespace"]) if planes else "istio-system"
    deployment = str(planes[0]["name"]) if planes else "istiod"
    lines = [
        "# istiod writes the caBundle, and failurePolicy Fail, while it runs; see that it does, and what it says:",
        shlex.join(["kubectl", "-n", namespace, "rollout", "status", f"deployment/{deployment}"]),
        shlex.join(["kubectl", "-n", namespace, "logs", f"deployment/{deployment}", "--tail=100"]),
    ]
    if any(path.endswith("failurePolicy") for path in paths):
        lines.append("# which failurePolicy Istio installs is the value base.validationFailurePolicy of its chart")
    wrote = "; pilot-discovery has written it" if "pilot-discovery" in asked.managers else ""
    return Owner("istiod", f"{namespace}/{deployment}", f"label {REVISION}: {revision}{wrote}", tuple(lines)), frozenset(paths)


def _bundles(asked: Asked) -> frozenset[str]:
    return frozenset(path for path in asked.touched if _BUNDLE.match(path))


def _source(asked: Asked, annotation: str) -> str | None:
    """<namespace>/<name>; cainjector ignores anything else."""
    value = asked.annotations.get(annotation, "")
    namespace, _slash, own = value.partition("/")
    return value if name(namespace) and name(own) else None
