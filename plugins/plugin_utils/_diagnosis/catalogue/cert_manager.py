# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD801 to WD821: cert-manager's own parts as the cause. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_DOCS = "https://cert-manager.io/docs/troubleshooting/webhook/"
_CAINJECTOR = "cert-manager pkg/controller/cainjector; https://cert-manager.io/docs/concepts/ca-injector/"
_AUTHORITY = f"cert-manager pkg/server/tls/authority (pkg/webhook/authority before 1.14); {_DOCS}"
_CHART = "cert-manager deploy/charts/cert-manager (templates, values.yaml)"
_DEPLOYMENTS = "kubectl get deployments,pods -n {cm_namespace} -l app.kubernetes.io/component={cm_component}"
_DESCRIBE = "kubectl -n {cm_namespace} describe deployment {cm_deployment}"
_LOGS = "kubectl -n {cm_namespace} logs deployment/{cm_deployment} --tail=50"
_RESTART = "kubectl -n {cm_namespace} rollout restart deployment {cm_deployment}"
_LEASE = "kubectl -n {cm_lease_namespace} get lease {cm_lease} -o yaml"
_BUNDLE = "kubectl get {resource} {config} -o jsonpath={ca_jsonpath}"
_ANNOTATIONS = "kubectl get {resource} {config} -o jsonpath='{{.metadata.annotations}}'"
_OWNER = "# If Helm, Argo CD or Flux owns the installation, change the value there too: a change in the cluster alone is put back."

WD801 = Entry(
    code="WD801",
    title="cert-manager's cainjector does not run",
    severity=Severity.WARNING,
    cause=None,
    meaning="cainjector writes the CA of cert-manager's webhook, and of every other application that asks for it by an annotation, into caBundles. While it "
    "does not run, a caBundle that is empty stays empty, and one that is full is not brought up to date when the CA is renewed: then all calls of that "
    "webhook fail with `certificate signed by unknown authority`.",
    decided="Its Deployment (known by label and container) has no ready replica, or none is wanted, or there is none at all while an annotation waits for it "
    "and the caBundle is not what it must be.",
    confirm=(_DEPLOYMENTS, _DESCRIBE, _LOGS),
    fix=(
        "# Scaled to nothing: scale it up. It writes all caBundles within seconds of its start.",
        "kubectl -n {cm_namespace} scale deployment {cm_deployment} --replicas=1",
        "# It crashes: its log and the pod's last state say why. OOMKilled on a large cluster: raise cainjector.resources.limits.memory.",
        "# Do not delete the webhook configuration to get past this: then nothing checks certificates, and the next upgrade puts it back.",
        _OWNER,
    ),
    source=_CAINJECTOR,
    blames="cluster",
    role="ca_bundle",
)

WD802 = Entry(
    code="WD802",
    title="A part of cert-manager runs, but is not the elected leader",
    severity=Severity.WARNING,
    cause=None,
    meaning="cainjector and the controller work only while they hold their lease. Its pods run and look healthy, but somebody else holds the lease, or nobody "
    "does, so nothing is injected (cainjector), or issued and renewed (controller).",
    decided="The lease's holder is the name of a pod and an identifier; no pod of this Deployment has that name, or there is no holder, or it has not renewed "
    "for much longer than the lease lasts. Pods that started within the last minute may still be waiting.",
    confirm=(_LEASE, _LOGS),
    fix=(
        "# Held by a pod of another installation: one of the two has to go, or needs a leader election namespace of its own (see WD811).",
        "# Held by nobody that lives: a candidate takes an expired lease by itself within a minute if it may update it. Restart it, and read what it says.",
        _RESTART,
        "# It must be allowed to get, create and update the lease (Role <name>:leaderelection in the leader election namespace):",
        "kubectl auth can-i update leases/{cm_lease} -n {cm_lease_namespace} --as=system:serviceaccount:{cm_namespace}:{cm_account}",
    ),
    source="cert-manager cmd/cainjector/app, cmd/controller/app; k8s.io/client-go tools/leaderelection; cert-manager#1730",
    blames="cluster",
    role="leader_election",
)

WD803 = Entry(
    code="WD803",
    title="A part of cert-manager has never been elected: it may not make its lease",
    severity=Severity.WARNING,
    cause=None,
    meaning="cainjector and the controller make a lease in the leader election namespace (kube-system unless told otherwise) before they do anything. The pods "
    "run, and that lease does not exist: the API server refuses to let them make it. On GKE Autopilot kube-system is managed and nobody may write "
    "there; elsewhere the Role or RoleBinding for leader election is missing there, or the namespace itself. The webhook itself holds no lease.",
    decided="The lease was looked for and is not there, although the pods have run for more than a minute (they ask at once), or calls fail for want of what "
    "cainjector writes.",
    confirm=(
        "kubectl auth can-i create leases.coordination.k8s.io -n {cm_lease_namespace} --as=system:serviceaccount:{cm_namespace}:{cm_account}",
        _LOGS,
    ),
    fix=(
        "# On GKE Autopilot, and wherever kube-system is not yours: elect in cert-manager's own namespace. The chart then makes the Roles there, too.",
        "helm upgrade {cm_release} jetstack/cert-manager -n {cm_namespace} --version {cm_version} --reuse-values "
        "--set global.leaderElection.namespace={cm_namespace}",
        "# Without Helm: change --leader-election-namespace in the arguments of controller and cainjector, and make the two leader election Roles and "
        "RoleBindings in that namespace.",
        "# Elsewhere: put back the Role and RoleBinding for leader election from the release that is installed.",
        _OWNER,
    ),
    source=f"{_CHART}; https://cert-manager.io/docs/installation/compatibility/#gke-autopilot",
    blames="cluster",
    role="leader_election",
)

WD804 = Entry(
    code="WD804",
    title="The annotation that has cert-manager's CA injected is wrong or gone",
    severity=Severity.WARNING,
    cause=None,
    meaning="cainjector writes a caBundle only where the annotation cert-manager.io/inject-ca-from-secret names a Secret as <namespace>/<name>. It names "
    "another one than the webhook keeps its CA in, or is not there: whatever the caBundle holds is not renewed, and if it is empty it stays so. The "
    "charts up to 0.14 wrote the namespace cert-manager into the CRDs wherever they were installed.",
    decided="The annotation was compared with the arguments --dynamic-serving-ca-secret-namespace and --dynamic-serving-ca-secret-name of the webhook.",
    confirm=(_ANNOTATIONS, _BUNDLE),
    fix=(
        "kubectl annotate {resource} {config} --overwrite cert-manager.io/inject-ca-from-secret={cm_expected}",
        "# cainjector writes the caBundle within seconds. Copying the CA there by hand mends it only until the CA is renewed.",
        _OWNER,
    ),
    source=_CAINJECTOR,
    blames="callout",
    role="ca_bundle",
)

WD805 = Entry(
    code="WD805",
    title="This version of cert-manager never renews its webhook's CA",
    severity=Severity.WARNING,
    cause=None,
    meaning="In 1.15.0, 1.15.1 and 1.15.2 the time until the renewal of the CA is computed with the wrong sign: the CA of the webhook is not renewed before it "
    "ends, a year after it was made. Then the webhook has no valid certificate, its readiness probe answers 500, and all calls fail.",
    decided="The version in the image's tag or the labels of the webhook's Deployment.",
    confirm=(
        "kubectl -n {cm_namespace} get deployment {cm_deployment} -o jsonpath='{{.spec.template.spec.containers[*].image}}'",
        "kubectl -n {cm_secret_namespace} get secret {cm_secret} -o jsonpath='{{.metadata.creationTimestamp}}'",
    ),
    fix=(
        "# Upgrade to 1.15.3 or later. Until then: take the Secret away; the webhook makes a new CA within ten seconds, and cainjector injects it.",
        "kubectl -n {cm_secret_namespace} delete secret {cm_secret}",
        "# Deleting it is harmless (nothing else is signed by it), but until the new CA is injected, calls fail for some seconds.",
    ),
    source=f"cert-manager#7138, fixed in 1.15.3 and 1.16.0; {_AUTHORITY}",
    blames="cluster",
    role="ca_bundle",
)

WD806 = Entry(
    code="WD806",
    title="cert-manager's webhook slept through the renewal of its certificate",
    severity=Severity.WARNING,
    cause=None,
    meaning="The webhook's serving certificate lives 7 days, in memory, and is renewed by a timer. Before 1.21 that timer stands still while the machine does "
    "(a laptop or node that is suspended, a virtual machine that is paused or migrated): the certificate ends before the timer does, and calls fail.",
    decided="The served certificate has ended, its CA has not, the pod was not restarted since, and the version is older than 1.21.",
    confirm=("openssl s_client -connect {endpoint} -servername {server_name}", _LOGS),
    fix=(
        "# A restart makes a new certificate at once; the CA and the caBundle stay as they are.",
        _RESTART,
        "# Upgrade to 1.21 or later: it looks at the clock instead. A longer certificate or a new CA would not help.",
    ),
    source=f"cert-manager#8464, fixed in 1.21.0; cert-manager#7864; {_DOCS}",
    role="ca_bundle",
)

WD807 = Entry(
    code="WD807",
    title="The readiness probe asks cert-manager's webhook on another port than it listens on",
    severity=Severity.WARNING,
    cause=None,
    meaning="The webhook answers health checks on the port of --healthz-port (6080 unless told otherwise), and the probe asks another one. So it never becomes "
    "ready, the Service has no endpoints, and calls fail, although the webhook itself works.",
    decided="The probe's port (a named one looked up among the container's ports) and the argument were compared; no pod is ready.",
    confirm=(
        "kubectl -n {cm_namespace} get deployment {cm_deployment} -o jsonpath='{{.spec.template.spec.containers[*].readinessProbe}}'",
        "kubectl -n {cm_namespace} get deployment {cm_deployment} -o jsonpath='{{.spec.template.spec.containers[*].args}}'",
    ),
    fix=(
        "# Let both say {cm_healthz_port}: change readinessProbe and livenessProbe, or take --healthz-port away (webhook.extraArgs of the chart).",
        "kubectl -n {cm_namespace} edit deployment {cm_deployment}",
        _OWNER,
    ),
    source=f"cert-manager cmd/webhook/app/options; {_DOCS}",
    role="webhook_network",
)

WD808 = Entry(
    code="WD808",
    title="cert-manager's webhook has no serving certificate: its readiness probe answers 500",
    severity=Severity.WARNING,
    cause=None,
    meaning="/healthz answers 500 exactly while the webhook has no certificate: it cannot read or write the Secret of its CA (it is empty or broken, RBAC, a "
    "network policy or proxy between pod and API server, a full quota of etcd), or the CA has ended. The pod is not ready, and the Service has no "
    "endpoints.",
    decided="The kubelet reported status 500 of the readiness probe of a pod that is not ready now.",
    confirm=(
        _LOGS,
        "kubectl -n {cm_secret_namespace} get secret {cm_secret}",
        "kubectl auth can-i update secrets/{cm_secret} -n {cm_secret_namespace} --as=system:serviceaccount:{cm_namespace}:{cm_account}",
    ),
    fix=(
        "# `Failed to generate serving certificate`, `failed to find any PEM data`, `CA certificate has expired`: the Secret is of no use; take it away. The "
        "webhook makes a new one within ten seconds, and cainjector injects it.",
        "kubectl -n {cm_secret_namespace} delete secret {cm_secret}",
        "# `forbidden`: put back the Role <name>:dynamic-serving and its RoleBinding from the release that is installed.",
        "# `i/o timeout`, `connection refused`: the pod does not reach the API server. Look for a NetworkPolicy on its egress, and at the node's network.",
    ),
    source=f"cert-manager pkg/webhook/server (handleHealthz); {_AUTHORITY}; cert-manager#3185, #4557, #8285",
    role="ca_bundle",
)

WD809 = Entry(
    code="WD809",
    title="A CRD still asks cert-manager's webhook to convert, which it does not do any more",
    severity=Severity.WARNING,
    cause=None,
    meaning="cert-manager's CRDs have had no conversion webhook since 1.7, and since 1.15 the webhook has no /convert: it answers 404. A CRD with the old "
    "stanza was left over by an upgrade that did not replace the CRDs. Objects in the version that is stored can still be read; any other version, and "
    "with it garbage collection and the deletion of namespaces, fails.",
    decided="The CRD's group, the Service that its conversion names, and the version of the webhook.",
    confirm=("kubectl get crd {crd} -o jsonpath={client_jsonpath}", "kubectl get crd {crd} -o jsonpath='{{.status.storedVersions}}'"),
    fix=(
        "# If status.storedVersions names anything but v1: first rewrite the stored objects (cmctl upgrade migrate-api-version).",
        "# Then take the CRDs of the release that is installed: they have no conversion. Do not delete the CRD: that deletes every object of it.",
        "kubectl apply --server-side --force-conflicts -f {cm_crds_url}",
    ),
    source="cert-manager 1.7 and 1.15 release notes; https://cert-manager.io/docs/releases/upgrading/remove-deprecated-apis/",
    blames="callout",
    role="stale_webhooks",
)

WD810 = Entry(
    code="WD810",
    title="A webhook of cert-manager 0.11 or older was left over",
    severity=Severity.WARNING,
    cause=None,
    meaning="Up to 0.11 cert-manager's webhook was an aggregated API (APIService v1beta1.webhook.cert-manager.io or .certmanager.k8s.io), called through "
    "kubernetes.default.svc. What is left of it has no back end any more: requests fail, discovery complains, and namespaces do not end.",
    decided="The name of the APIService or webhook is one that only these versions made, and it does not work.",
    confirm=("kubectl get {resource} {config} -o yaml",),
    fix=(
        "# Nothing uses it but an installation of that age. Keep a copy, then take it away:",
        "kubectl get {resource} {config} -o yaml",
        "kubectl delete {resource} {orphan}",
    ),
    source="cert-manager#5253, #1369, #1425, #3542; cert-manager 0.12 release notes",
    blames="callout",
    role="stale_webhooks",
)

WD811 = Entry(
    code="WD811",
    title="cert-manager is installed twice",
    severity=Severity.WARNING,
    cause=None,
    meaning="CRDs, webhook configurations and leases are the cluster's: two installations overwrite each other's, only one cainjector and one controller is "
    "elected, and which one changes with every restart. A new cainjector that is never elected injects nothing.",
    decided="Controllers or cainjectors that want to run, in two namespaces or under two instances, that are not limited to namespaces of their own.",
    confirm=("kubectl get deployments -A -l app.kubernetes.io/component=cainjector", _LEASE),
    fix=(
        "# Keep the one that the webhook configurations and certificates belong to, and uninstall the other with the tool that installed it. Before that, make "
        "sure that its uninstallation leaves the CRDs (crds.keep, the default since 1.15): deleting them deletes every certificate's object.",
    ),
    source="cert-manager#1730; https://cert-manager.io/docs/installation/ (one installation per cluster)",
    blames="cluster",
)

WD812 = Entry(
    code="WD812",
    title="cert-manager's check after its installation failed",
    severity=Severity.INFO,
    cause=None,
    meaning="Helm's post-install Job startupapicheck asked the API server for dry-run certificate requests for a minute, and gave up. Calls work now: it was "
    "too impatient, or what was wrong has been mended since. Helm still calls the release failed.",
    decided="The Job failed, and no call of cert-manager's webhook fails now.",
    confirm=("kubectl -n {cm_namespace} logs job/{cm_job}", "kubectl -n {cm_namespace} get job {cm_job}"),
    fix=(
        "# Upgrade once more to the same version, with more patience (startupapicheck.timeout).",
        "helm upgrade {cm_release} jetstack/cert-manager -n {cm_namespace} --version {cm_version} --reuse-values --set startupapicheck.timeout=5m",
    ),
    source=f"cert-manager cmd/startupapicheck, pkg/util/cmapichecker; {_CHART}",
    blames="cluster",
)

WD813 = Entry(
    code="WD813",
    title="This version of cert-manager is not supported any more",
    severity=Severity.INFO,
    cause=None,
    meaning="Only the two newest minor versions get fixes. What was mended later, and matters to calls: before 1.15.3 (from 1.15.0) the webhook's CA is not "
    "renewed, before 1.19 a new CA is not merged with the old one (calls fail for some seconds at each renewal), before 1.21 a suspended node keeps an "
    "expired certificate.",
    decided="The version in the image's tag or the labels; supported in August 2026 were 1.20 and 1.21.",
    confirm=("kubectl -n {cm_namespace} get deployment {cm_deployment} -o jsonpath='{{.spec.template.spec.containers[*].image}}'",),
    fix=("# Upgrade one minor version after the other, and read the notes of each: https://cert-manager.io/docs/releases/.",),
    source="https://cert-manager.io/docs/releases/",
    blames="cluster",
)

WD814 = Entry(
    code="WD814",
    title="cert-manager's webhook is called, but does not do its work",
    severity=Severity.WARNING,
    cause=None,
    meaning="Two certificate requests were sent as a dry run. The mutating webhook must write into a right one who asked for it; the validating webhook must "
    "deny a wrong one. One of that did not happen: what answers is not cert-manager's webhook, or it is called at another path, or it fails open "
    "(failurePolicy Ignore), unreached. Where the validating webhook works and the mutating one does not, every certificate request is denied.",
    decided="What the API server answered to the dry runs (nothing is stored). It is the check of `cmctl check api`.",
    confirm=("kubectl get {resource} {config} -o yaml", "kubectl -n {namespace} get service {service} -o yaml"),
    fix=(
        "# See what stands behind the Service: pods of cert-manager's webhook, of the version that the CRDs are of?",
        "kubectl -n {namespace} get endpointslices -l {slices}",
        "# failurePolicy of cert-manager's webhook is Fail in its own manifests: with Ignore, invalid objects pass while it is away.",
        "kubectl get {resource} {config} -o jsonpath={client_jsonpath}",
    ),
    source="cert-manager pkg/util/cmapichecker; internal/webhook",
    blames="callout",
)

WD815 = Entry(
    code="WD815",
    title="cert-manager was installed moments ago and is not ready yet",
    severity=Severity.WARNING,
    cause=None,
    meaning="After an installation some seconds pass until the webhook has made its CA and certificate, cainjector has been elected (up to a minute) and has "
    "written the CA into the webhook configurations. Until then calls fail. That is no fault yet.",
    decided="A Deployment of cert-manager is less than two minutes old, and its webhook's calls fail as they do while it starts.",
    confirm=("kubectl -n {cm_namespace} get pods", _BUNDLE),
    fix=(
        "# Wait, then diagnose again. In a pipeline wait for it:",
        "kubectl -n {cm_namespace} rollout status deployment {cm_deployment} --timeout=2m",
        "# A ready pod is not enough: retry the first certificate or issuer, or wait with a dry run, until it is accepted.",
        "kubectl create --dry-run=server -f issuer.yaml",
    ),
    source="https://cert-manager.io/docs/concepts/webhook/",
)

WD816 = Entry(
    code="WD816",
    title="The clock of the node of cert-manager's webhook is ahead",
    severity=Severity.WARNING,
    cause=None,
    meaning="The webhook makes its own certificate, valid from the moment at which it is made, by the clock of its node. The API server's clock is behind "
    "that: to it the certificate is not valid yet. It shows right after a restart of the webhook or of the node, and passes when the difference has "
    "passed.",
    decided="The served certificate is not valid yet, and it is one that cert-manager's webhook made itself.",
    confirm=("date -u", "kubectl get node {node} -o jsonpath='{{.status.conditions[*].lastHeartbeatTime}}'"),
    fix=(
        "# Set the clocks of this node and of the control plane's by NTP, then restart the webhook, so that it makes a certificate by the right time.",
        _RESTART,
    ),
    source=f"cert-manager#5861; {_AUTHORITY}",
)

WD817 = Entry(
    code="WD817",
    title="A part of cert-manager does not run",
    severity=Severity.WARNING,
    cause=None,
    meaning="Without the webhook every creation and change of cert-manager's objects fails, also the controller's own. Without the controller nothing is "
    "issued or renewed.",
    decided="Its Deployment wants no replica; or of the controller none is ready.",
    confirm=(_DEPLOYMENTS, _DESCRIBE),
    fix=("kubectl -n {cm_namespace} scale deployment {cm_deployment} --replicas=1", _OWNER),
    source=_CHART,
    blames="cluster",
)

WD818 = Entry(
    code="WD818",
    title="cert-manager's webhook makes its certificate for other names than it is called by",
    severity=Severity.WARNING,
    cause=None,
    meaning="The webhook puts the names of --dynamic-serving-dns-names into its certificate. The API server calls it by another name (the Service's, or the "
    "host of the URL), so every call fails: the certificate is for another name.",
    decided="The name that the API server expects is not among the arguments.",
    confirm=("kubectl -n {cm_namespace} get deployment {cm_deployment} -o jsonpath='{{.spec.template.spec.containers[*].args}}'",),
    fix=(
        "# Add --dynamic-serving-dns-names={server_name} to the arguments; with the chart the names follow from release and namespace, and webhook.url.host.",
        "kubectl -n {cm_namespace} edit deployment {cm_deployment}",
        _OWNER,
    ),
    source=f"cert-manager cmd/webhook/app/options; {_CHART}",
)

WD819 = Entry(
    code="WD819",
    title="The webhook configuration names another Service than cert-manager's webhook has",
    severity=Severity.WARNING,
    cause=None,
    meaning="The Service that the configuration names does not exist, and cert-manager's webhook stands behind another one. A name like "
    "cert-managercert-manager-webhook comes from manifests that were rendered with one release name and changed or applied with another.",
    decided="The Service was looked for; the webhook's Deployment, whose name the Service shares, has another name or namespace.",
    confirm=("kubectl get {resource} {config} -o jsonpath={client_jsonpath}", "kubectl get services -A -l app.kubernetes.io/name=webhook"),
    fix=(
        "# Render the chart anew with the name and namespace of the release that is installed ({cm_expected}), and apply all of it.",
        "kubectl edit {resource} {config}",
    ),
    source=f"cert-manager#3195, #4999; {_CHART}",
    blames="callout",
)

WD820 = Entry(
    code="WD820",
    title="cainjector is told not to look where the CA is",
    severity=Severity.WARNING,
    cause=None,
    meaning="With --namespace cainjector reads Secrets and Certificates of one namespace only, and with --ignore-namespaces it leaves some out. The one that "
    "the annotation names is not among those that it reads, so the caBundle is never written, without a word.",
    decided="The arguments of cainjector were compared with the namespace of the source.",
    confirm=("kubectl -n {cm_namespace} get deployment {cm_deployment} -o jsonpath='{{.spec.template.spec.containers[*].args}}'", _ANNOTATIONS),
    fix=("# Take the argument away, or let it admit the namespace.", "kubectl -n {cm_namespace} edit deployment {cm_deployment}", _OWNER),
    source=_CAINJECTOR,
    blames="cluster",
)

WD821 = Entry(
    code="WD821",
    title="cert-manager runs without its webhook configuration",
    severity=Severity.WARNING,
    cause=None,
    meaning="Somebody has taken the webhook configuration away, perhaps to get past an outage. Now nothing checks cert-manager's objects (validating), or "
    "nobody writes into certificate requests who asked for them (mutating), so that what approves them has nothing to go by.",
    decided="The configurations could be read, the webhook runs, and no entry is named webhook.cert-manager.io.",
    confirm=("kubectl get {cm_resource} -o name",),
    fix=(
        "# Put it back from the release that is installed, and mend what it was taken away for.",
        "helm upgrade {cm_release} jetstack/cert-manager -n {cm_namespace} --reuse-values --version {cm_version}",
    ),
    source=f"cert-manager#6721; {_CHART}",
    blames="cluster",
)

ENTRIES = (
    WD801,
    WD802,
    WD803,
    WD804,
    WD805,
    WD806,
    WD807,
    WD808,
    WD809,
    WD810,
    WD811,
    WD812,
    WD813,
    WD814,
    WD815,
    WD816,
    WD817,
    WD818,
    WD819,
    WD820,
    WD821,
)
