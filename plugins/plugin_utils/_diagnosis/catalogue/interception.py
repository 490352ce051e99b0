# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD52x to WD54x: what webhooks intercept, alone and together. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_PRACTICE = "https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/"
_RULES = "kubectl get {resource} {config} -o yaml"

WD520 = Entry(
    code="WD520",
    title="A fail-closed webhook intercepts what would bring it back",
    severity=Severity.WARNING,
    cause=None,
    meaning="The webhook intercepts the creation of its own pods. If all of them are gone at once, no new one is admitted, because nobody is there to "
    "admit it: a deadlock that only a "
    "person resolves.",
    decided="Its rules and selectors match pods in the namespace of its own back end, and its failure policy is Fail.",
    confirm=(_RULES, "kubectl get namespace {namespace} --show-labels"),
    fix=(
        "# Exempt its own namespace: a namespaceSelector with kubernetes.io/metadata.name NotIn [{namespace}].",
        "kubectl edit {resource} {config}",
    ),
    source=_PRACTICE,
    blames="callout",
)

WD521 = Entry(
    code="WD521",
    title="A fail-closed webhook intercepts pods of kube-system",
    severity=Severity.WARNING,
    cause=None,
    meaning="While the webhook is down, no pod of kube-system can be created: DNS, network, proxies. What the webhook itself needs to come back may be "
    "among them.",
    decided="Its rules and selectors match pods in kube-system, and its failure policy is Fail.",
    confirm=(_RULES, "kubectl get namespace kube-system --show-labels"),
    fix=("# Exempt kube-system: a namespaceSelector with kubernetes.io/metadata.name NotIn [kube-system].", "kubectl edit {resource} {config}"),
    source=_PRACTICE,
    blames="callout",
)

WD522 = Entry(
    code="WD522",
    title="A webhook stands in the way of leases",
    severity=Severity.WARNING,
    cause=None,
    meaning="Nodes prove that they live, and controllers that they lead, by writing leases every few seconds. A webhook that fails or delays those makes "
    "nodes NotReady and leaders resign.",
    decided="Its rules and selectors match leases in kube-system or kube-node-lease, and its failure policy is Fail or its time limit is above 3 s.",
    confirm=(_RULES,),
    fix=("# Leave leases out of its rules, or exempt kube-system and kube-node-lease by a namespaceSelector.", "kubectl edit {resource} {config}"),
    source=_PRACTICE,
    blames="callout",
    role="webhook_timeouts",
)

WD523 = Entry(
    code="WD523",
    title="A fail-closed webhook intercepts nodes",
    severity=Severity.WARNING,
    cause=None,
    meaning="While the webhook is down, nodes cannot register or update their status. A namespaceSelector does not exempt nodes: they have no namespace.",
    decided="Its rules match nodes (or nodes/status), no selector or condition leaves them out, and its failure policy is Fail.",
    confirm=(_RULES,),
    fix=("# Leave nodes out of its rules, or add a matchCondition that exempts the users in the group system:nodes.", "kubectl edit {resource} {config}"),
    source=_PRACTICE,
    blames="callout",
)

_EDIT = "kubectl edit {resource} {config}"
_NO_NAMESPACE = "A namespaceSelector does not exempt them: they have no namespace."

WD524 = Entry(
    code="WD524",
    title="A fail-closed webhook intercepts token and access reviews",
    severity=Severity.WARNING,
    cause=None,
    meaning="Kubelets, aggregated APIs and many webhooks ask the API server who a caller is and what he may do (TokenReview, SubjectAccessReview). While the "
    "webhook is down nobody gets an answer: kubectl logs and exec, metrics and aggregated APIs refuse everybody. Nothing is stored by these requests, so there "
    "is nothing in them to check.",
    decided="Its rules match tokenreviews or subjectaccessreviews, no selector or condition leaves them out, its failure policy is Fail, and the API server is "
    "older than 1.37 (from then on webhooks are not asked about reviews).",
    confirm=(_RULES,),
    fix=(
        "# Leave the groups authentication.k8s.io and authorization.k8s.io out of its rules: name the groups that it is for instead of '*'. " + _NO_NAMESPACE,
        "# Where the rules come from somebody else's chart, a matchCondition does it: !(request.resource.group in "
        "['authentication.k8s.io', 'authorization.k8s.io']).",
        _EDIT,
    ),
    source="kubernetes/kubernetes#140019 (feature gate ExcludeAdmissionWebhookVirtualResources, on by default in 1.37); " + _PRACTICE,
    blames="callout",
)

WD525 = Entry(
    code="WD525",
    title="A fail-closed webhook intercepts CRDs or APIServices",
    severity=Severity.WARNING,
    cause=None,
    meaning="Broken conversion webhooks and aggregated APIs are mended in their CustomResourceDefinition and APIService, and CA injectors write caBundles "
    "there. While this webhook is down, neither is possible, so that one outage keeps another from being mended.",
    decided="Its rules match updates of customresourcedefinitions or apiservices, no selector or condition leaves them out, and its failure policy is Fail.",
    confirm=(_RULES,),
    fix=(
        "# Leave both out of its rules, or let it fail open for them in an entry of their own. " + _NO_NAMESPACE,
        "# During an outage: webhook configurations themselves are never intercepted, so narrow this one first, then mend the other.",
        _EDIT,
    ),
    source="k8s.io/apiserver pkg/admission/plugin/webhook/predicates/rules (IsExemptAdmissionConfigurationResource); " + _PRACTICE,
    blames="callout",
)

WD526 = Entry(
    code="WD526",
    title="A fail-closed webhook intercepts what a starting API server writes",
    severity=Severity.WARNING,
    cause=None,
    meaning="A starting API server creates or corrects the built-in roles, bindings and priority classes through itself, so webhooks are asked. If one "
    "refuses, because it is down, the hook rbac/bootstrap-roles fails and the process ends. Where the API servers start before the webhook can (a restart "
    "of the whole cluster, an upgrade of a single control plane), they never come up.",
    decided="Its rules match roles, bindings or priority classes as the API server itself (user system:apiserver) writes them, no selector or condition leaves "
    "them out, and its failure policy is Fail.",
    confirm=(
        _RULES,
        "# On a control-plane node, where an API server does not start: look for rbac/bootstrap-roles and this webhook's name in its log.",
        "crictl logs $(crictl ps -a --name kube-apiserver -q | head -1)",
    ),
    fix=(
        "# Add the matchCondition request.userInfo.username != 'system:apiserver': people and controllers are checked as before, the API server is not.",
        "# Or exempt what Kubernetes itself brings: an objectSelector with kubernetes.io/bootstrapping DoesNotExist (for RBAC objects).",
        _EDIT,
    ),
    source="kubernetes pkg/registry/rbac/rest/storage_rbac.go; deckhouse/deckhouse#11020",
    blames="callout",
)

WD527 = Entry(
    code="WD527",
    title="A fail-closed webhook intercepts endpoints of kube-system",
    severity=Severity.WARNING,
    cause=None,
    meaning="Where pods come and go, controllers write the new addresses into EndpointSlices. While the webhook is down they cannot, and Services such as the "
    "cluster's DNS send traffic to pods that are gone.",
    decided="Its rules and selectors match endpointslices, endpoints or services/status in kube-system, and its failure policy is Fail.",
    confirm=(_RULES, "kubectl get namespace kube-system --show-labels"),
    fix=(
        "# Leave them out of its rules; where it has to see them elsewhere, exempt kube-system: kubernetes.io/metadata.name NotIn [kube-system].",
        _EDIT,
    ),
    source=_PRACTICE,
    blames="callout",
)

WD528 = Entry(
    code="WD528",
    title="A fail-closed webhook intercepts workloads of kube-system",
    severity=Severity.WARNING,
    cause=None,
    meaning="While the webhook is down, Deployments, ReplicaSets or DaemonSets of kube-system cannot be changed or rolled out: DNS, network, proxies. "
    "Pods that exist go on, and the repair of what they run waits.",
    decided="Its rules and selectors match replicasets, deployments or daemonsets in kube-system, though not pods (that is WD521), and its failure policy "
    "is Fail.",
    confirm=(_RULES, "kubectl get namespace kube-system --show-labels"),
    fix=("# Exempt kube-system: a namespaceSelector with kubernetes.io/metadata.name NotIn [kube-system].", _EDIT),
    source=_PRACTICE,
    blames="callout",
)

WD529 = Entry(
    code="WD529",
    title="A fail-closed webhook intercepts the end of namespaces",
    severity=Severity.WARNING,
    cause=None,
    meaning="The namespace controller ends a namespace by updates of namespaces/finalize and namespaces/status. While the webhook is down, deleted namespaces "
    "hang in Terminating.",
    decided="Its rules match namespaces/finalize or namespaces/status (often by */*), no selector or condition leaves them out, and its failure policy is "
    "Fail.",
    confirm=(_RULES, "kubectl get namespaces --field-selector status.phase=Terminating"),
    fix=("# Name the resources instead of */*: hardly a webhook is meant to see subresources of namespaces.", _EDIT),
    source=_PRACTICE,
    blames="callout",
)

WD530 = Entry(
    code="WD530",
    title="A fail-closed webhook stands in the way of its own certificate",
    severity=Severity.WARNING,
    cause=None,
    meaning="The certificate that the webhook serves is kept in a Secret that it is asked about itself. Once the certificate has expired, or does not fit the "
    "caBundle, its renewal is refused, because nobody trusts the webhook that would have to allow it.",
    decided="Its CA is known to come from a Secret or Certificate in the namespace of its back end, its rules and selectors match Secrets (or "
    "CertificateRequests) there, and its failure policy is Fail. It is a deadlock where calls fail for the certificate now.",
    confirm=(_RULES, "kubectl get namespace {namespace} --show-labels"),
    fix=(
        "# Exempt its own namespace: a namespaceSelector with kubernetes.io/metadata.name NotIn [{namespace}].",
        _EDIT,
        "# In a deadlock do that first, then let whoever keeps the certificate renew it.",
    ),
    source=_PRACTICE,
    blames="callout",
)

WD531 = Entry(
    code="WD531",
    title="A fail-closed webhook intercepts evictions in kube-system",
    severity=Severity.WARNING,
    cause=None,
    meaning="Nodes are drained by evictions. While the webhook is down no node can be drained: upgrades and autoscalers stop, also on the node that the "
    "webhook's own pod is stuck on.",
    decided="Its rules and selectors match pods/eviction in kube-system (a webhook that is for some namespaces only is not meant), and its failure policy is "
    "Fail.",
    confirm=(_RULES, "kubectl get namespace kube-system --show-labels"),
    fix=(
        "# Leave pods/eviction out of its rules, or limit them to the namespaces whose pods it guards.",
        _EDIT,
        "# During an outage a drain by deletion does not ask it: kubectl drain --disable-eviction (PodDisruptionBudgets are then ignored).",
    ),
    source="kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/; " + _PRACTICE,
    blames="callout",
)

WD532 = Entry(
    code="WD532",
    title="A fail-closed webhook intercepts volumes",
    severity=Severity.WARNING,
    cause=None,
    meaning="Volumes are attached and bound by controllers that write VolumeAttachments and PersistentVolumes. While the webhook is down, no pod with a volume "
    "starts on another node, the webhook's own included.",
    decided="Its rules match volumeattachments, persistentvolumes or csinodes, no selector or condition leaves them out, and its failure policy is Fail.",
    confirm=(_RULES,),
    fix=("# Leave them out of its rules (claims, which have a namespace, are enough for most checks). " + _NO_NAMESPACE, _EDIT),
    source=_PRACTICE,
    blames="callout",
)

WD533 = Entry(
    code="WD533",
    title="A fail-closed webhook intercepts Events of kube-system",
    severity=Severity.INFO,
    cause=None,
    meaning="Events are the most frequent writes of a cluster, and each waits for this webhook. While it is down they are lost, those that say what fails "
    "first of all.",
    decided="Its rules and selectors match events in kube-system, and its failure policy is Fail.",
    confirm=(_RULES,),
    fix=("# Leave events out of its rules (both groups: core and events.k8s.io, which are the same objects).", _EDIT),
    source="k8s.io/apiserver pkg/endpoints/handlers (matchPolicy Equivalent); " + _PRACTICE,
    blames="callout",
)

WD540 = Entry(
    code="WD540",
    title="A fail-closed webhook stands in the way of the cluster itself",
    severity=Severity.WARNING,
    cause=None,
    meaning="The webhook is asked about nearly everything, what nodes, controllers, the API server and its own pods write included. While it is down the "
    "cluster stands still, and cannot bring it back.",
    decided="Four or more of WD520 to WD533 apply to it; they are listed in the evidence instead of standing alone.",
    confirm=(_RULES, "kubectl get namespaces --show-labels"),
    fix=(
        "# Name the groups and resources that it is for instead of '*': what it is not asked about, it cannot hold up.",
        "# Exempt namespaces by their name, its own and those of the control plane: kubernetes.io/metadata.name NotIn "
        "[{namespace}, kube-system, kube-node-lease].",
        "# What has no namespace (nodes, CSRs, RBAC, reviews) is only left out by the rules, or by matchConditions: "
        "!('system:nodes' in request.userInfo.groups), request.userInfo.username != 'system:apiserver', "
        "!(request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io', 'certificates.k8s.io', 'coordination.k8s.io']).",
        "# failurePolicy Ignore would end this as well, and lets everything through unchecked while it is down: for a policy engine the last resort.",
        _EDIT,
    ),
    source=_PRACTICE,
    blames="callout",
)

WD541 = Entry(
    code="WD541",
    title="Webhooks wait for one another",
    severity=Severity.WARNING,
    cause=None,
    meaning="Each of these back ends needs another one to be up before its own pods can start, in a circle. As long as one of them runs it can bring the "
    "others back; if all are gone at once (a cluster that was stopped, a node pool that was replaced), none comes up again until a person breaks the circle.",
    decided="Fail-closed webhooks of one back end match the creation of pods, or what else is needed to start them, of the next one's, and so on back to the "
    "first. It is an error once none of them answers.",
    confirm=("kubectl get {resource} {config} -o yaml", "kubectl get namespace {exempted} --show-labels"),
    fix=(
        "# Break the circle at one place. Here that is best done in {config}: a namespaceSelector with kubernetes.io/metadata.name NotIn [{exempted}].",
        _EDIT,
        "# Webhook configurations are never intercepted themselves, so this is possible while everything is down.",
    ),
    source="kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/ (dependency loops)",
    blames="cluster",
)

WD545 = Entry(
    code="WD545",
    title="Two webhooks of the same kind mutate the same pods",
    severity=Severity.WARNING,
    cause=None,
    meaning="Two configurations of the same product are called for the same pods, so that a sidecar may be injected twice, or by the revision that comes "
    "last in the order of names. Mostly one of them is left over from an earlier installation, or a second revision was installed with the same labels.",
    decided="Two entries of different mutating configurations with the same webhook name (or both Istio's injector) match CREATE of pods, and their selectors "
    "have namespaces that exist in common and labels of pods that satisfy both.",
    confirm=(
        "kubectl get mutatingwebhookconfiguration {config} {other} -o yaml",
        "kubectl get namespace {example} --show-labels",
    ),
    fix=(
        "# Find out which of the two is in use (istioctl tag list; helm list -A), and delete the one that is left over, after a backup:",
        "kubectl get mutatingwebhookconfiguration {config} {other} -o yaml",
        "# If both are in use, let their namespaceSelectors exclude each other: one label value for each (for Istio istio.io/rev, never with istio-injection).",
    ),
    source="istio.io/latest/docs/reference/config/analysis/ist0139/; istio/istio#36114, #34562",
    blames="cluster",
)

ENTRIES = (
    *(WD520, WD521, WD522, WD523, WD524, WD525, WD526, WD527, WD528, WD529, WD530, WD531, WD532, WD533),
    *(WD540, WD541, WD545),
)
