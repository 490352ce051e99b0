# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD1xx: the configuration of a call-out, and the Service that it names. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_RESOLVER = "k8s.io/apiserver pkg/util/proxy/proxy.go (ResolveEndpoint, ResolveCluster)"

WD101 = Entry(
    code="WD101",
    title="The Service does not exist",
    severity=Severity.ERROR,
    cause="service_not_found",
    meaning="The call-out names a Service that the API does not have. The API server fails the call before a packet is sent. Mostly a configuration outlived "
    "the application that it belonged to (an uninstall that left its webhook configurations or CRDs behind), or the name or the namespace is wrong.",
    decided='The API server says `service "…" not found`, or the list of Services was read and does not hold it. Not concluded where Services could not be '
    "read.",
    confirm=("kubectl -n {namespace} get service {service}", "kubectl get {resource} {config} -o jsonpath={client_jsonpath}"),
    fix=(
        "# If the application still exists: correct the name or the namespace where the configuration comes from, or install the Service again.",
        "# If it was uninstalled: save the orphaned {resource}, look at it, then remove what calls the Service.",
        "kubectl get {resource} {config} -o yaml > {config_file}",
        "kubectl delete {resource} {orphan}",
        "# Keep CRD {crd}, its custom resources would go with it. If all stored objects are of one version, end the conversion instead:",
        'kubectl patch crd {crd} --type=merge -p \'{{"spec":{{"conversion":{{"strategy":"None","webhook":null}}}}}}\'',
    ),
    source=_RESOLVER,
    role="stale_webhooks",
)

WD102 = Entry(
    code="WD102",
    title="The Service has no such port",
    severity=Severity.ERROR,
    cause="service_port_not_found",
    meaning="The call-out asks for a port of the Service (443 where it names none) that the Service does not have. `port` is the Service's port, not the "
    "pod's.",
    decided="The API server says `no service port … found for service`, or the Service was read and its ports do not include it.",
    confirm=("kubectl -n {namespace} get service {service} -o wide", "kubectl get {resource} {config} -o jsonpath={client_jsonpath}"),
    fix=(
        "# Make both agree: add port {service_port} to Service {namespace}/{service}, or set the port of the call-out's clientConfig to one that the "
        "Service has.",
        "kubectl edit {resource} {config}",
    ),
    source=_RESOLVER,
    blames="callout",
)

WD103 = Entry(
    code="WD103",
    title="No pod stands behind the Service",
    severity=Severity.ERROR,
    cause="no_ready_endpoints",
    meaning="The Service exists, and its EndpointSlices are empty: the selector matches no pod, or the workload is scaled to zero or gone. With endpoint "
    "routing "
    "the API server says so; with ClusterIP routing the same fault reads as a refused connection, because kube-proxy rejects it.",
    decided="The EndpointSlices of the Service were read and hold no address, and no pod with its selector's labels exists.",
    confirm=(
        "kubectl -n {namespace} get endpointslice -l {slices}",
        "kubectl -n {namespace} get pods --show-labels",
        "kubectl -n {namespace} get service {service} -o jsonpath='{{.spec.selector}}'",
    ),
    fix=(
        "# Find the workload and see why it has no pods: scaled to zero, deleted, or refused (its own webhook may be what refuses its pods).",
        "kubectl -n {namespace} get deployments,statefulsets,daemonsets,replicasets",
        "kubectl -n {namespace} get events --field-selector reason=FailedCreate",
        "# If pods run but have other labels: correct the selector of Service {namespace}/{service}.",
    ),
    source=_RESOLVER,
)

WD104 = Entry(
    code="WD104",
    title="The pods behind the Service are not ready",
    severity=Severity.ERROR,
    cause="no_ready_endpoints",
    meaning="Pods are selected, but none of them is ready, and only ready ones are called: they crash, cannot start, or fail their readiness probe.",
    decided="The EndpointSlices hold addresses, none of them ready; or pods match the selector and none has an address that is ready.",
    confirm=("kubectl -n {namespace} get endpointslice -l {slices}", "kubectl -n {namespace} get pods -l {selector} -o wide"),
    fix=(
        "# See why they are not ready.",
        "kubectl -n {namespace} describe pods -l {selector}",
        "kubectl -n {namespace} logs -l {selector} --all-containers --tail=50 --prefix",
        "# What the readiness probe asks must be answered on the port and path that the process really has.",
    ),
    source=_RESOLVER,
)

WD105 = Entry(
    code="WD105",
    title="The Service's targetPort is a name that no pod has",
    severity=Severity.ERROR,
    cause="no_ready_endpoints",
    meaning="The targetPort of the Service is a name, and no container of the selected pods has a port of that name. The EndpointSlices then hold "
    "addresses without "
    "the port, and there is nothing to call though every pod is ready.",
    decided="The targetPort is a name; the endpoints come without that port, or the pods were read and none of their containers has a port of that name.",
    confirm=(
        "kubectl -n {namespace} get service {service} -o yaml",
        "kubectl -n {namespace} get endpointslice -l {slices} -o yaml",
    ),
    fix=(
        "# Name a container port {target_port} in the pods, or set the targetPort of Service {namespace}/{service} to a name or number that they have.",
        "kubectl -n {namespace} edit service {service}",
    ),
    source="k8s.io/endpointslice (FindPort); " + _RESOLVER,
    role="webhook_network",
)

WD106 = Entry(
    code="WD106",
    title="The Service is of type ExternalName",
    severity=Severity.ERROR,
    cause="service_type_unsupported",
    meaning="An API server with endpoint routing (`--enable-aggregator-routing=true`, as on GKE, EKS and k3s) cannot call an ExternalName Service; with "
    "ClusterIP routing it "
    "calls the external name, if the control plane can resolve and reach it.",
    decided='The API server says `unsupported service type "ExternalName"`; or endpoint routing is known and the Service is of this type; or the API '
    "server fails to reach "
    "the external name.",
    confirm=("kubectl -n {namespace} get service {service} -o yaml",),
    fix=(
        "# Call the outside address by URL instead: clientConfig.url, with a certificate for that host and its CA in the caBundle.",
        "# Or make it a Service without a selector, with EndpointSlices of your own that hold the addresses.",
        "kubectl edit {resource} {config}",
    ),
    source=_RESOLVER,
)

WD107 = Entry(
    code="WD107",
    title="The Service is headless, and the API server calls ClusterIPs",
    severity=Severity.ERROR,
    cause="service_type_unsupported",
    meaning="Without endpoint routing the API server calls the ClusterIP of the Service, and a headless Service has none.",
    decided='The API server says `cannot route to service with ClusterIP "None"`, or ClusterIP routing is known and the Service is headless.',
    confirm=("kubectl -n {namespace} get service {service} -o jsonpath='{{.spec.clusterIP}}'",),
    fix=(
        "# clusterIP cannot be changed in place: make a second Service with a ClusterIP and the same selector, and name it in the call-out.",
        "# Its certificate must then carry the new Service's name.",
    ),
    source=_RESOLVER,
)

WD130 = Entry(
    code="WD130",
    title="A single pod stands behind a fail-closed webhook",
    severity=Severity.WARNING,
    cause=None,
    meaning="Only one endpoint is ready behind a webhook whose failure blocks requests. While that pod restarts, moves or is evicted, everything that the "
    "webhook intercepts is "
    "refused, which may include what would bring the pod back.",
    decided="The Service has a selector, exactly one endpoint is ready, and the failure policy is Fail. Conversion webhooks and aggregated APIs always "
    "fail closed, but are not "
    "counted here.",
    confirm=("kubectl -n {namespace} get endpointslice -l {slices}", "kubectl -n {namespace} get pods -l {selector} -o wide"),
    fix=(
        "# Run at least two replicas, on different nodes, with a PodDisruptionBudget.",
        "kubectl -n {namespace} get deployments,statefulsets,poddisruptionbudgets",
    ),
    source="https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/",
)

ENTRIES = (WD101, WD102, WD103, WD104, WD105, WD106, WD107, WD130)
