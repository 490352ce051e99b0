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
# It only reads, and never asks for Secrets. What may not be read, or is not installed, is noted in errors.txt and skipped. The
# result maps the cluster (names, addresses, certificates, annotations, environment variables of pods): treat it accordingly.
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
# The call-outs, and what they reach.
for resource in \
    validatingwebhookconfigurations.admissionregistration.k8s.io \
    mutatingwebhookconfigurations.admissionregistration.k8s.io \
    customresourcedefinitions.apiextensions.k8s.io \
    apiservices.apiregistration.k8s.io \
    namespaces \
    nodes; do
    take "${resource%%.*}" get "$resource" "$@"
done
for resource in \
    services \
    endpointslices.discovery.k8s.io \
    pods \
    events \
    deployments.apps \
    daemonsets.apps; do
    take "${resource%%.*}" get "$resource" --all-namespaces "$@"
done
# A few ConfigMaps that say how the cluster was made. (Others may hold anything: they are left alone.)
for name in kube-system/kubeadm-config kube-system/cilium-config kube-system/kube-root-ca.crt kube-system/openshift-service-ca.crt istio-system/istio-ca-root-cert; do
    take "configmap-${name#*/}" --namespace "${name%/*}" get configmap "${name#*/}" --ignore-not-found "$@"
done

files=$(find "$directory" -name '*.yaml' | wc -l)
echo "collect.sh: $((files)) files in $directory$([ -s "$errors" ] && echo "; $(grep -c . "$errors") lines about what could not be read in errors.txt")." >&2
echo "Judge them: ansible-playbook kubeops.webhook_doctor.diagnose -e webhook_doctor_source=$directory/" >&2
[ "$files" -gt 0 ]
