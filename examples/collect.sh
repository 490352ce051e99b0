#!/bin/sh
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Collects with kubectl alone what kubeops.webhook_doctor judges, for somebody who has no access to the cluster:
#
#   sh collect.sh ticket-4711                    # the cluster of your kubeconfig; options of kubectl may follow: --context blue
#   ansible-playbook kubeops.webhook_doctor.diagnose -e webhook_doctor_source=ticket-4711/
#
# It only reads, and never asks for Secrets; the tokens of ACME challenges are struck out. What may not be read is noted in
# errors.txt and skipped, what is not installed is skipped. The result maps the cluster (names, addresses, certificates,
# annotations, arguments and environment variables of pods): treat it accordingly.
set -u

usage() {
    echo "usage: sh collect.sh DIRECTORY [options of kubectl ...]" >&2
    exit 2
}

[ $# -ge 1 ] || usage
case $1 in -*) usage ;; esac
directory=$1
shift
if ! command -v kubectl >/dev/null 2>&1; then
    echo "collect.sh: kubectl is not in PATH. Install it, or add its folder to PATH." >&2
    exit 2
fi
if [ -e "$directory" ] && [ -n "$(ls -A "$directory" 2>/dev/null)" ]; then
    echo "collect.sh: $directory exists and is not empty. Name another directory, so that nothing is mixed up." >&2
    exit 2
fi
umask 077
mkdir -p "$directory" || exit 2
errors=$directory/errors.txt
: >"$errors"

# take NAME ARGUMENTS: the output of one `kubectl get` becomes one file.
take() {
    name=$1
    shift
    printf '%s\n' "$name" >&2
    if ! kubectl "$@" -o yaml >"$directory/$name.yaml.part" 2>"$directory/$name.err"; then
        { printf '%s: ' "$name" && cat "$directory/$name.err"; } >>"$errors"
        rm -f "$directory/$name.yaml.part"
    elif [ -s "$directory/$name.yaml.part" ]; then
        mv "$directory/$name.yaml.part" "$directory/$name.yaml"
    else
        rm -f "$directory/$name.yaml.part"
    fi
    rm -f "$directory/$name.err"
}

take version version "$@"
# What the API server serves: of what it does not, nothing is asked.
kubectl api-resources --verbs=list --no-headers -o name "$@" >"$directory/resources.part" 2>>"$errors" || true

# all RESOURCE SCOPE: every object of a kind, if it is there. --all-namespaces for kinds in namespaces.
all() {
    grep -qx "$1" "$directory/resources.part" || return 0
    resource=$1
    shift
    take "$resource" get "$resource" "$@"
}

# The call-outs, where they lead, and on what the cluster runs.
for resource in \
    validatingwebhookconfigurations.admissionregistration.k8s.io \
    mutatingwebhookconfigurations.admissionregistration.k8s.io \
    validatingadmissionpolicies.admissionregistration.k8s.io \
    validatingadmissionpolicybindings.admissionregistration.k8s.io \
    mutatingadmissionpolicies.admissionregistration.k8s.io \
    mutatingadmissionpolicybindings.admissionregistration.k8s.io \
    customresourcedefinitions.apiextensions.k8s.io \
    apiservices.apiregistration.k8s.io \
    namespaces \
    nodes \
    clusterissuers.cert-manager.io \
    ciliumclusterwidenetworkpolicies.cilium.io \
    globalnetworkpolicies.crd.projectcalico.org \
    adminnetworkpolicies.policy.networking.k8s.io \
    baselineadminnetworkpolicies.policy.networking.k8s.io \
    clusternetworkpolicies.policy.networking.k8s.io \
    proxies.config.openshift.io; do
    all "$resource" "$@"
done
for resource in \
    services \
    endpointslices.discovery.k8s.io \
    pods \
    events \
    deployments.apps \
    daemonsets.apps \
    networkpolicies.networking.k8s.io \
    ciliumnetworkpolicies.cilium.io \
    networkpolicies.crd.projectcalico.org \
    issuers.cert-manager.io \
    certificates.cert-manager.io \
    certificaterequests.cert-manager.io \
    orders.acme.cert-manager.io \
    challenges.acme.cert-manager.io \
    controlplanerevisions.mesh.cloud.google.com; do
    all "$resource" --all-namespaces "$@"
done
if [ -f "$directory/challenges.acme.cert-manager.io.yaml" ]; then
    sed '/^ *\(key\|token\): /d' "$directory/challenges.acme.cert-manager.io.yaml" >"$directory/challenges.part" &&
        mv "$directory/challenges.part" "$directory/challenges.acme.cert-manager.io.yaml"
fi
rm -f "$directory/resources.part"
# cert-manager's leader election and its check after an installation.
for name in cert-manager-controller cert-manager-cainjector-leader-election; do
    take "lease-$name" --namespace kube-system get lease "$name" --ignore-not-found "$@"
done
take jobs get jobs.batch --all-namespaces --selector app.kubernetes.io/component=startupapicheck "$@"
# Istio: istiod's rights, the mesh's settings.
take clusterrole-istiod get clusterrole,clusterrolebinding istiod-clusterrole-istio-system --ignore-not-found "$@"
# A few ConfigMaps that say how the cluster was made. (Others may hold anything: they are left alone.)
for name in \
    kube-system/kubeadm-config \
    kube-system/cilium-config \
    kube-system/kube-root-ca.crt \
    kube-system/openshift-service-ca.crt \
    istio-system/istio-ca-root-cert \
    istio-system/istio \
    istio-system/istio-sidecar-injector; do
    take "configmap-${name#*/}" --namespace "${name%/*}" get configmap "${name#*/}" --ignore-not-found "$@"
done

files=$(find "$directory" -name '*.yaml' | wc -l)
echo "collect.sh: $((files)) files in $directory$([ -s "$errors" ] && echo "; $(grep -c . "$errors") lines about what could not be read in errors.txt")." >&2
echo "Judge them: ansible-playbook kubeops.webhook_doctor.diagnose -e webhook_doctor_source=$directory/" >&2
[ "$files" -gt 0 ]
