# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD325, WD326: where a caBundle is meant to come from. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity
from .tls import BUNDLE

_SOURCE = (
    "cert-manager pkg/controller/cainjector/sources.go and its documentation (https://cert-manager.io/docs/concepts/ca-injector/); OpenShift "
    "service-ca-operator; the charts of the applications"
)

WD325 = Entry(
    code="WD325",
    title="The caBundle lacks the CA that its source holds",
    severity=Severity.WARNING,
    cause=None,
    meaning="A Secret or ConfigMap is the source of this caBundle (an annotation or the application says so), and none of the certificates in it is in the "
    "caBundle. Calls work as long as the server serves a certificate of the old CA; with the next one it issues, or at the next restart of its pods, they "
    "fail. Whoever injects has stopped to (cainjector or the application itself not running, not elected, without the "
    "rights for it; a GitOps tool that puts the old value back).",
    decided="The source was read (webhook_doctor_read_ca_secrets for Secrets) and compared by membership: a caBundle that holds old and new CA is healthy. In "
    "the seconds after a rotation this passes by itself.",
    confirm=(
        BUNDLE,
        "kubectl -n {source_namespace} get {source_kind} {source_name} -o jsonpath={source_jsonpath}",
    ),
    fix=(
        "# See why the injector does not do its work: is it running, is it elected, what does its log say about this object? The evidence says which "
        "injector it is; this is cert-manager's.",
        "kubectl get pods -A -l app.kubernetes.io/component=cainjector",
        "# If a deployment tool writes caBundle as well, take the field out of its manifests.",
        "# By hand: put the CA of the source into the caBundle beside the one that is there.",
        "kubectl edit {resource} {config}",
    ),
    source=_SOURCE,
    blames="callout",
    role="ca_bundle",
)

WD326 = Entry(
    code="WD326",
    title="The source of the caBundle cannot be used",
    severity=Severity.WARNING,
    cause=None,
    meaning="An annotation says where the caBundle is to be injected from, and that does not exist, lacks the CA, or may not be injected. Whatever stands in "
    "the caBundle now is not renewed any more: at the next rotation of the CA calls fail.",
    decided="The annotation is not `<namespace>/<name>`; or what it names was looked for and is missing, has no CA in the key, or lacks the annotation that "
    "cainjector wants of it.",
    confirm=(
        "kubectl get {resource} {config} -o jsonpath='{{.metadata.annotations}}'",
        "kubectl -n {source_namespace} get {source_kind} {source_name} -o jsonpath={source_jsonpath}",
    ),
    fix=(
        "# Let the annotation name a Certificate or Secret that exists, as <namespace>/<name>; an annotation that is left over is taken away.",
        "kubectl edit {resource} {config}",
    ),
    source=_SOURCE,
    blames="callout",
    role="ca_bundle",
)

ENTRIES = (WD325, WD326)
