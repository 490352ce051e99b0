# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD850 to WD869: Istio, Cloud Service Mesh, and the add-on of AKS. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_CHARTS = "istio/istio manifests/charts/istio-control/istio-discovery/templates"
_INJECTION = f"{_CHARTS}/mutatingwebhook.yaml; pkg/kube/inject (injectRequired); istioctl/pkg/checkinject"
_INJECTORS = "kubectl get mutatingwebhookconfigurations -L istio.io/rev,istio.io/tag"
_ISTIODS = "kubectl get deployments -A -l app=istiod -L istio.io/rev"
_LOGS = "kubectl -n {istiod_namespace} logs deployment/{istiod} --tail=200"

WD850 = Entry(
    code="WD850",
    title="Pods that should have a sidecar have none",
    severity=Severity.WARNING,
    cause=None,
    meaning="An injector selects these pods, and they run without istio-proxy. Pods keep what they were created with: they were created before the label was "
    "set, or while the injector was missing or let them through. They are outside the mesh: no mTLS, no policies, no telemetry, and peers that demand mTLS "
    "refuse them.",
    decided="The selectors of every injector are evaluated with the labels of namespace and pods, as the API server does. Left out are pods on the node's "
    "network, pods with sidecar.istio.io/inject=false, ambient namespaces, static and finished pods, and all pods where istiod's own configuration "
    "exempts some. The sidecar is looked for among containers and init containers.",
    confirm=(
        "istioctl experimental check-inject -n {namespace} {workload_1}",
        "kubectl -n {namespace} get pods -o custom-columns=NAME:.metadata.name,CONTAINERS:.spec.containers[*].name,INIT:.spec.initContainers[*].name",
    ),
    fix=(
        "# First mend {failing_injector}, which does not answer now: until then restarted pods are not created at all.",
        "# Create the pods anew; restarting istiod or setting the label again changes nothing for pods that run.",
        "kubectl -n {namespace} rollout restart {workload_1}",
        "kubectl -n {namespace} rollout restart {workload_2}",
        "kubectl -n {namespace} rollout restart {workload_3}",
        "kubectl -n {namespace} rollout restart {workload_4}",
        "kubectl -n {namespace} rollout restart {workload_5}",
        "# The same for {more_workloads}.",
        "# What no workload creates anew is to be created again by whoever made it: {bare}.",
        "# If they are meant to stay outside: set the label sidecar.istio.io/inject to false in their pod templates.",
    ),
    source=_INJECTION,
    blames="cluster",
    role="mesh_injection",
)

WD851 = Entry(
    code="WD851",
    title="A namespace asks for an injector that nobody is",
    severity=Severity.WARNING,
    cause=None,
    meaning="The label of the namespace names a revision or tag that no injector serves (or the default revision, where there is none), so its new "
    "pods get no "
    "sidecar. Nothing fails: the API server has no webhook to call.",
    decided="No entry of any injector selects the namespace, evaluated with its labels; the injectors' own selectors say what they serve.",
    confirm=("kubectl get namespace {namespace} --show-labels", _INJECTORS),
    fix=(
        "# Which of these is right depends on what was meant. Let it ask for the revision {live_revision}, which there is:",
        "kubectl label namespace {namespace} istio-injection- istio.io/rev={live_revision} --overwrite",
        "# Or let {asked} be a tag of {live_revision} (better where many namespaces ask for it):",
        "istioctl tag set {asked} --revision {live_revision}",
        "# Then create its pods anew:",
        "kubectl -n {namespace} rollout restart deployment",
    ),
    source=_INJECTION,
    blames="cluster",
    role="mesh_injection",
)

WD852 = Entry(
    code="WD852",
    title="A namespace has both injection labels",
    severity=Severity.INFO,
    cause=None,
    meaning="The namespace has istio-injection and istio.io/rev. The first wins, and istio.io/rev is not looked at: a canary upgrade by the second label "
    "does nothing.",
    decided="Both labels are on the namespace; istioctl analyze says the same (IST0123).",
    confirm=("kubectl get namespace {namespace} --show-labels",),
    fix=(
        "# Keep one of them. To go by revision or tag:",
        "kubectl label namespace {namespace} istio-injection-",
        "# To stay with the default revision:",
        "kubectl label namespace {namespace} istio.io/rev-",
    ),
    source=f"{_CHARTS}/mutatingwebhook.yaml; istioctl analyze IST0123",
    blames="cluster",
    role="mesh_injection",
)

WD853 = Entry(
    code="WD853",
    title="A label looks like an injection label and is none",
    severity=Severity.INFO,
    cause=None,
    meaning="The namespace has a label that is nearly istio-injection=enabled or istio.io/rev, or has one with a value that nobody looks for. No injector "
    "selects it, and its pods get no sidecar. Guides that say istio-inject mean istio-injection.",
    decided="The key or the value differs from what injectors select by a few letters, and no injector selects the namespace.",
    confirm=("kubectl get namespace {namespace} --show-labels", _INJECTORS),
    fix=(
        "# If sidecars are wanted there:",
        "kubectl label namespace {namespace} {wrong_key}- {right_label} --overwrite",
        "kubectl label namespace {namespace} {right_label_only} --overwrite",
        "kubectl -n {namespace} rollout restart deployment",
        "# If not, remove the label.",
    ),
    source=f"{_CHARTS}/mutatingwebhook.yaml",
    blames="cluster",
    role="mesh_injection",
)

WD854 = Entry(
    code="WD854",
    title="istiod has not put its CA into the webhook",
    severity=Severity.ERROR,
    cause="unknown_authority",
    meaning="The caBundle is empty. istiod writes it, within seconds, into every configuration whose label istio.io/rev is its own revision, and writes it "
    "again when it is overwritten. If it stays empty, nobody is responsible for it (the label), or somebody takes it away again. The API server cannot trust "
    "istiod until then.",
    decided="The caBundle is empty, the Service exists and has endpoints, and the configuration is older than a minute; the label istio.io/rev is "
    "compared with "
    "the istiods that there are. Injectors with a URL (managed Cloud Service Mesh) may be without a caBundle and are left out.",
    confirm=("kubectl get {resource} {config} -o jsonpath='{{.webhooks[*].clientConfig.caBundle}}'", "kubectl get {resource} {config} --show-labels", _ISTIODS),
    fix=(
        "# Make the istiod of revision {right_revision}, which runs, responsible:",
        "kubectl label {resource} {config} istio.io/rev={right_revision} --overwrite",
        "# The label is right and {istiod} runs: see in its log why it does not write (a lost watch is mended by a restart).",
        "kubectl -n {istiod_namespace} logs deployment/{istiod} --tail=500",
        "kubectl -n {istiod_namespace} rollout restart deployment/{istiod}",
        "# {owner} writes this object as well: take caBundle out of what it applies, or let it ignore the field; what is patched by hand is reverted.",
    ),
    source="istio/istio pkg/webhooks/webhookpatch.go, pkg/webhooks/validation/controller",
    blames="callout",
    role="ca_bundle",
)

WD855 = Entry(
    code="WD855",
    title="An Istio webhook has outlived its istiod",
    severity=Severity.WARNING,
    cause=None,
    meaning="The configuration belongs to a revision that is not installed any more. An injector of that kind blocks pods wherever a namespace or pod "
    "still asks for that revision; a validator of that kind blocks or delays every change of Istio's configuration.",
    decided="It calls a Service (never a URL), and either the Service does not exist, or no Deployment app=istiod of the revision in its label is there and "
    "nothing stands behind the Service. Deactivated injectors and tags of live revisions are left out.",
    confirm=(_ISTIODS, "kubectl get {resource} {config} --show-labels"),
    fix=(
        "# It is the tag {tag}: let it point to {live_revision}, which runs. Deleting it would leave its namespaces without injection.",
        "istioctl tag set {tag} --revision {live_revision} --overwrite",
        "# It is the {default_tag} validator: let it follow {live_revision}, which runs. Deleting it would leave changes unvalidated.",
        "istioctl tag set {default_tag} --revision {live_revision} --overwrite",
        "# These still ask for it, and have to be moved first: {selecting}.",
        "kubectl label namespace {selecting_namespace} istio.io/rev={live_revision} --overwrite",
        "# Or install that revision again, if it was removed by mistake.",
        "# Nobody asks for {removable} any more: keep a copy, then remove it.",
        "kubectl get {resource} {removable} -o yaml > {config_file}",
        "kubectl delete {resource} {removable}",
    ),
    source="istio/istio#38880, #60596, #36526, #38592, #35590; istioctl/pkg/tag",
    blames="callout",
    role="stale_webhooks",
)

WD856 = Entry(
    code="WD856",
    title="Istio's validation still fails open",
    severity=Severity.WARNING,
    cause=None,
    meaning="The validator has failurePolicy Ignore, as it is installed. istiod sets it to Fail as soon as it has seen that it rejects a wrong object. That "
    "has not happened, so wrong configuration can get in whenever istiod does not answer.",
    decided="The validator calls a Service, its caBundle is there, and it is older than ten minutes. Which istiod is responsible is read from the "
    "label istio.io/rev.",
    confirm=("kubectl get {resource} {config} -o jsonpath='{{.webhooks[*].failurePolicy}}'", _ISTIODS),
    fix=(
        "# Make the istiod of revision {right_revision}, which runs, responsible:",
        "kubectl label {resource} {config} istio.io/rev={right_revision} --overwrite",
        "# {istiod} says why it does not switch (search for: Not ready to switch validation to fail-closed):",
        _LOGS,
        "# {owner} writes this object and may put Ignore back: leave failurePolicy out of what it applies (Helm: base.validationFailurePolicy).",
    ),
    source="istio/istio pkg/webhooks/validation/controller; charts/base",
    blames="callout",
)

WD857 = Entry(
    code="WD857",
    title="Sidecars are not ready",
    severity=Severity.ERROR,
    cause=None,
    meaning="istio-proxy runs and is not ready, so its pod gets no traffic. Both counters (cds and lds updates) at 0 successful and 0 rejected: "
    "istiod is not "
    "reached, or pushes nothing (connectivity, the discovery address, istiod's permissions). Anything rejected: istiod is reached, and Envoy refuses what it "
    "sends, mostly because of an EnvoyFilter.",
    decided="The proxy runs for more than two minutes without being ready, and its probe fails. What it says itself stands in its log; since the "
    "probe is an HTTP "
    "request, the kubelet's event only repeats the status 503.",
    confirm=("kubectl -n {namespace} logs {pod} -c istio-proxy --tail=200", "istioctl proxy-status"),
    fix=(
        "# Envoy rejects what it gets: the warnings before it name the resource (gRPC config for ... rejected); mend or remove that EnvoyFilter of "
        "{rejected_namespace}, or of the root namespace:",
        "kubectl -n {rejected_namespace} get envoyfilters",
        "kubectl -n {root_namespace} get envoyfilters",
        "# Which of both it is, rejected or missing configuration, says the log of {undecided}, behind: Envoy proxy is NOT ready.",
        "# Where none comes: see whether {istiod} is ready, and what it says of its permissions (is forbidden).",
        "kubectl -n {istiod_namespace} get pods -l app=istiod",
        _LOGS,
    ),
    source="istio/istio pilot/cmd/pilot-agent/status/ready/probe.go, pilot/cmd/pilot-agent/status/server.go",
    blames="cluster",
)

WD858 = Entry(
    code="WD858",
    title="The discovery address of the mesh names no Service",
    severity=Severity.ERROR,
    cause=None,
    meaning="Sidecars ask this address for their configuration, and no Service of that name (or none with that port) exists. They never get ready: no "
    "healthy upstream, gRPC config stream closed.",
    decided="The address stands in the mesh's ConfigMap, in the annotation proxy.istio.io/config or in PROXY_CONFIG of a pod; the Services of its "
    "namespace were "
    "read. Addresses outside the cluster are not judged.",
    confirm=("kubectl -n {address_namespace} get service {address_service}",),
    fix=(
        "# Correct discoveryAddress where it was set (meshConfig.defaultConfig, the annotation proxy.istio.io/config, a ProxyConfig).",
        "# {right_address} is where the running istiod is reached.",
        "kubectl -n {mesh_namespace} get configmap {mesh_config_map} -o yaml",
        "# Then create the pods anew: the address is written into them when they are created.",
    ),
    source=f"{_CHARTS}/configmap.yaml; pkg/kube/inject/template.go",
    blames="cluster",
)

WD859 = Entry(
    code="WD859",
    title="istiod may not do what it has to",
    severity=Severity.ERROR,
    cause=None,
    meaning="RBAC keeps istiod from reading its configuration, or from writing its webhooks. What it cannot read it does not push, and an istiod without "
    "its watches does not become ready.",
    decided="The API server's refusal of istiod's ServiceAccount stands in an Event or a condition; or istiod's ClusterRole and ClusterRoleBinding were read "
    "(only where a webhook lacks what istiod should have written) and do not grant it.",
    confirm=(
        "kubectl auth can-i list virtualservices.networking.istio.io -A --as=system:serviceaccount:{istiod_namespace}:{account}",
        "kubectl auth can-i patch mutatingwebhookconfigurations --as=system:serviceaccount:{istiod_namespace}:{account}",
        "kubectl get clusterrole,clusterrolebinding -l app=istiod",
    ),
    fix=(
        "# Apply the chart istiod (or istioctl install) of this version and revision again: it holds the ClusterRole and its binding.",
        "# Uninstalling another revision, or a newer chart over an older istiod, takes them away; do not write rights by hand that the chart owns.",
        "kubectl -n {istiod_namespace} rollout restart deployment/{istiod}",
    ),
    source=f"{_CHARTS}/clusterrole.yaml, clusterrolebinding.yaml",
    blames="cluster",
)

WD860 = Entry(
    code="WD860",
    title="Two injectors take the same pods",
    severity=Severity.WARNING,
    cause=None,
    meaning="Selectors of several injectors match the same pods, so each of them injects: pods get the sidecar of whichever comes last, or fail with "
    "duplicate containers and ports.",
    decided="The selectors are evaluated with the labels of namespaces and pods; injectors that have outlived their istiod are told apart from this.",
    confirm=("istioctl experimental check-inject -n {namespace} {workload_1}", _INJECTORS),
    fix=(
        "# Keep one of them for each set of labels. Left over from a manual install or from before an upgrade is usually the older one:",
        "kubectl get mutatingwebhookconfiguration {older} -o yaml > {config_file}",
        "# Remove it by the tool that made it (Helm release, istioctl uninstall --revision); deleting the object alone comes back with the next sync.",
    ),
    source="istioctl/pkg/checkinject (multiple webhooks will inject)",
    blames="cluster",
)

WD861 = Entry(
    code="WD861",
    title="Two writers of one Istio webhook",
    severity=Severity.INFO,
    cause="conflict",
    meaning="istiod could not update a webhook configuration, because somebody else had changed it in between. Once or twice that is harmless: it is tried "
    "again. If it goes on, two istiods of one revision (or the remainder of an uninstalled version, or a deployment tool) write the same configuration.",
    decided="The text says `the object has been modified; please apply your changes to the latest version`, about a webhook configuration of Istio.",
    confirm=("kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -L istio.io/rev", _ISTIODS),
    fix=("# Check that every configuration belongs to a version that is installed; remove those of versions that are not, with a copy kept (WD855).",),
    source="istio/istio pkg/webhooks/validation/controller; k8s.io/apiserver registry (optimistic lock)",
    blames="callout",
)

ENTRIES = (WD850, WD851, WD852, WD853, WD854, WD855, WD856, WD857, WD858, WD859, WD860, WD861)
