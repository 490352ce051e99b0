# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD70x to WD74x: why the API server does not reach a back end on this platform, with this network. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_NOT_SEEN = "A cloud's firewall cannot be seen from inside the cluster, so this is told as likely, and only where nothing that can be seen explains it."
_RIGHT = "# Right here: {right}."
# What people try next, and why it is wrong here; as many as there are.
_WRONG = ("# Not {wrong_1}.", "# Not {wrong_2}.", "# Not {wrong_3}.", "# Not {wrong_4}.")
_CHANGE_PORT = (
    "# Change the port in one go: the process's own option, its containerPort (which the Service's targetPort and the probes follow by name, or have to be "
    "changed with it) to {changed_port}."
)
_CHECK_PORT = (
    "kubectl get pods -A -o custom-columns=NODE:.spec.nodeName,NAMESPACE:.metadata.namespace,POD:.metadata.name,HOST:.spec.hostNetwork,"
    "PORTS:.spec.containers[*].ports[*].containerPort"
)
_HELM = "helm upgrade {helm_release} {helm_chart} --repo https://charts.jetstack.io --version {helm_version} --namespace {pod_namespace} --reuse-values"
_ENDPOINTS = "kubectl -n {namespace} get endpointslice -l {slices} -o wide"

WD701 = Entry(
    code="WD701",
    title="The firewall of the private GKE cluster likely keeps the control plane from the webhook's port",
    severity=Severity.ERROR,
    cause="connect_timeout",
    meaning="With private nodes, the control plane of GKE may only open TCP connections to the ports 443 and 10250 of nodes and pods. It calls the pods "
    "themselves, so "
    "what counts is the port that the container listens on, not the Service's 443. Every webhook on another port (9443 of most operators, 8443, 15017 of "
    "Istio) fails until a firewall rule admits it.",
    decided="The cluster is GKE with private nodes; packets to ready endpoints are lost (or the call runs out of time and nobody reached them through the API "
    "server); the port is neither 443 nor 10250; and no NetworkPolicy explains it. " + _NOT_SEEN,
    confirm=(
        _ENDPOINTS,
        "gcloud compute firewall-rules list --project={gcp_project} --filter={gke_filter} "
        "--format='table(name,network,sourceRanges.list(),targetTags.list(),allowed[].map().firewall_rule().list())'",
    ),
    fix=(
        _RIGHT,
        "# The rule that GKE made for the control plane knows its range, the network and the nodes' tag; the new one takes them from there.",
        "NETWORK=$(gcloud compute firewall-rules list --project={gcp_project} --filter={gke_filter} --limit=1 --format='value(network.basename())')",
        "CONTROL_PLANE=$(gcloud compute firewall-rules list --project={gcp_project} --filter={gke_filter} --limit=1 --format='value(sourceRanges.list())')",
        "NODES=$(gcloud compute firewall-rules list --project={gcp_project} --filter={gke_filter} --limit=1 --format='value(targetTags.list())')",
        "gcloud compute firewall-rules create {rule_name} --project={gcp_project} --network=$NETWORK --direction=INGRESS --action=ALLOW "
        "--source-ranges=$CONTROL_PLANE --target-tags=$NODES --rules={tcp_rules}",
        *_WRONG,
    ),
    source="cloud.google.com/kubernetes-engine/docs: firewall rules of private clusters; cert-manager.io/docs/installation/compatibility",
    blames="cluster",
)

WD702 = Entry(
    code="WD702",
    title="A security group likely keeps the EKS control plane from the webhook's port",
    severity=Severity.ERROR,
    cause="connect_timeout",
    meaning="The control plane of EKS calls pods from network interfaces in the VPC that belong to the cluster's security group. Nodes with that group "
    "(managed node groups by default) are open to it; nodes with a group of their own admit what its rules say, in many set-ups 443 and 10250 alone. The rule "
    "needs the port that the container listens on.",
    decided="The cluster is EKS; packets to ready endpoints with addresses of the VPC are lost; and no NetworkPolicy explains it. " + _NOT_SEEN,
    confirm=(
        _ENDPOINTS,
        "aws ec2 describe-instances --region {aws_region} --instance-ids {instance} --query 'Reservations[].Instances[].SecurityGroups[]' --output table",
    ),
    fix=(
        _RIGHT,
        "CLUSTER_SG=$(aws eks describe-cluster --region {aws_region} --name {eks_cluster} "
        "--query cluster.resourcesVpcConfig.clusterSecurityGroupId --output text)",
        "NODE_SG=$(aws ec2 describe-instances --region {aws_region} --instance-ids {instance} "
        "--query 'Reservations[0].Instances[0].SecurityGroups[0].GroupId' --output text)",
        "aws ec2 authorize-security-group-ingress --region {aws_region} --group-id $NODE_SG --protocol tcp --port {open_port} --source-group $CLUSTER_SG",
        "# The VPC CNI gives pods interfaces of other subnets: the security groups that {eniconfigs} name decide, not those of the nodes.",
        "kubectl get {eniconfigs} -o yaml",
        "# Pods may have security groups of their own by {sg_policies}, which decide then.",
        "kubectl -n {namespace} get {sg_policies} -o yaml",
        *_WRONG,
    ),
    source="docs.aws.amazon.com/eks: security group requirements; terraform-aws-eks node_security_group_enable_recommended_rules",
    blames="cluster",
)

WD703 = Entry(
    code="WD703",
    title="The EKS control plane has no way to the overlay network that the webhook's pods are in",
    severity=Severity.ERROR,
    cause="address_not_allowed",
    meaning="The control plane of EKS is no part of the cluster's network: it reaches addresses of the VPC. Pods of an overlay network (Calico, Cilium with a "
    "pool of its own, Weave Net in place of the VPC CNI) have addresses that it cannot reach, and it says so (`Address is not allowed`) or gets no answer. "
    "Nodes have addresses of the VPC, so a webhook in the network of its node is reached.",
    decided="The cluster is EKS, and the API server says `Address is not allowed`; or packets are lost, and pods have addresses of the network plugin's own.",
    confirm=(_ENDPOINTS, "kubectl get nodes -o wide", "kubectl get daemonsets -A"),
    fix=(
        _RIGHT,
        _HELM + " --set webhook.hostNetwork=true --set webhook.securePort={new_port}",
        _CHANGE_PORT,
        'kubectl -n {pod_namespace} patch {patched} --type=strategic -p \'{{"spec":{{"template":{{"spec":{{"hostNetwork":true,"dnsPolicy":'
        '"ClusterFirstWithHostNet"}}}}}}}}\'',
        "# Port {new_port} is free as far as DaemonSets tell; what else uses the nodes' network:",
        _CHECK_PORT,
        "# The security group of the nodes has to admit {new_port} from the cluster's security group.",
        *_WRONG,
    ),
    source="cert-manager.io/docs/installation/compatibility: AWS EKS; aws/containers-roadmap#2227",
    role="webhook_network",
)

WD704 = Entry(
    code="WD704",
    title="The webhook's pods run on EKS hybrid nodes, whose pod network the control plane does not reach",
    severity=Severity.ERROR,
    cause="no_route",
    meaning="Hybrid nodes stand outside of AWS. Their pods have addresses of a network on the premises, and the control plane reaches these only where that "
    "network is routed to the VPC and named in the cluster's remote pod networks.",
    decided="The cluster is EKS, every endpoint that fails is on a hybrid node, and packets to them are lost or find no route.",
    confirm=(_ENDPOINTS, "kubectl get nodes -L eks.amazonaws.com/compute-type -o wide"),
    fix=(
        _RIGHT,
        'kubectl -n {pod_namespace} patch {patched} --type=strategic -p \'{{"spec":{{"template":{{"spec":{{"affinity":{{"nodeAffinity":'
        '{{"requiredDuringSchedulingIgnoredDuringExecution":{{"nodeSelectorTerms":[{{"matchExpressions":[{{"key":"eks.amazonaws.com/compute-type",'
        '"operator":"NotIn","values":["hybrid"]}}]}}]}}}}}}}}}}}}}}\'',
        "# Or route it; this shows the networks that the cluster knows:",
        "aws eks describe-cluster --region {aws_region} --name {eks_cluster} --query cluster.remoteNetworkConfig",
        *_WRONG,
    ),
    source="docs.aws.amazon.com/eks/latest/userguide/hybrid-nodes-webhooks.html",
)

WD710 = Entry(
    code="WD710",
    title="A NetworkPolicy does not admit the API server",
    severity=Severity.ERROR,
    cause="connect_timeout",
    meaning="As soon as any NetworkPolicy selects a pod for ingress, the pod is reached only as some policy permits. The API server is no pod: a podSelector "
    "or namespaceSelector never matches it (a rule for kube-system neither), only a rule without `from`, or an ipBlock with its address. Where calls come "
    "through konnectivity, the agents have to be admitted. Rules are about the port of the pod, not of the Service.",
    decided="Packets to ready endpoints are lost or refused (or the call runs out of time), and no ingress rule of the policies that select the pods admits "
    "TCP to that port from the API server's addresses, or from the konnectivity agents where these call.",
    confirm=(_ENDPOINTS, "kubectl -n {namespace} describe networkpolicy", "kubectl -n {namespace} get pods -l {selector} --show-labels"),
    fix=(
        _RIGHT,
        "printf '%s' {policy_manifest} | kubectl apply -f -",
        "# Policies add up, so this one opens nothing but TCP {ports} of the pods that the Service selects. TLS protects what is said there.",
        *_WRONG,
    ),
    source="k8s.io/api networking/v1; cert-manager's chart from 1.20 on (webhook.networkPolicy: ports only)",
    role="webhook_network",
)

WD711 = Entry(
    code="WD711",
    title="A policy of the network plugin may keep the API server out",
    severity=Severity.ERROR,
    cause="connect_timeout",
    meaning="Policies of Cilium, Calico or an administrator (AdminNetworkPolicy) stand beside NetworkPolicies and have languages of their own, which are not "
    "evaluated here. One that selects the webhook's pods has to admit the API server: it is no pod, and for Cilium a node is no CIDR either.",
    decided="Packets to ready endpoints are lost, there are such policies in the namespace of the back end or for the whole cluster, and nothing that can be "
    "evaluated explains it. Whether they are the cause cannot be seen from here.",
    confirm=(
        "kubectl get {plugin_policies} -A",
        "# With Cilium, on the pods' node: cilium-dbg monitor --type drop (in the pod of the DaemonSet cilium) shows packets that a policy drops.",
    ),
    fix=(_RIGHT, "kubectl get {plugin_policies} -A -o yaml", *_WRONG),
    source="docs.cilium.io: entities, policy-cidr-match-mode; docs.tigera.io; network-policy-api.sigs.k8s.io",
)

WD712 = Entry(
    code="WD712",
    title="No agent of the tunnel to the nodes is ready",
    severity=Severity.ERROR,
    cause="egress_proxy",
    meaning="The API server reaches pods and nodes through konnectivity: agents in the cluster connect to the control plane and make its calls. Without a "
    "ready agent every webhook fails, and with them logs, exec and port-forward. The webhooks are not at fault.",
    decided="The API server's text names the tunnel, and none of the pods with the label k8s-app=konnectivity-agent in kube-system is ready (or there is none, "
    "and the text is `No agent available`).",
    confirm=("kubectl -n kube-system get pods -l k8s-app=konnectivity-agent -o wide", "kubectl get nodes -o wide"),
    fix=(
        "# Right here: bring the agents up. They need a node to run on, and a way from there to the konnectivity server of the control plane.",
        "kubectl -n kube-system describe pods -l k8s-app=konnectivity-agent",
        "kubectl -n kube-system logs -l k8s-app=konnectivity-agent --tail=50 --prefix",
        "kubectl -n kube-system get networkpolicy",
        "# Not right here: hostNetwork, another port, firewall rules from the control plane to the nodes, or changes to the webhooks: no call gets that far.",
    ),
    source="kubernetes-sigs/apiserver-network-proxy; k0sproject.io, learn.microsoft.com/azure/aks: konnectivity",
    blames="cluster",
)

WD713 = Entry(
    code="WD713",
    title="The agents of the tunnel do not reach the webhook",
    severity=Severity.ERROR,
    cause="connect_timeout",
    meaning="The API server's calls are made by konnectivity agents, from their own pods and nodes. These are up, and their packets to the webhook are lost: "
    "that is inside the cluster, between the agents and the webhook's pods.",
    decided="Packets to ready endpoints are lost, agents with the label k8s-app=konnectivity-agent are ready, and no NetworkPolicy explains it. Not told on "
    "GKE, where the calls of webhooks may go another way.",
    confirm=(_ENDPOINTS, "kubectl -n kube-system get pods -l k8s-app=konnectivity-agent -o wide"),
    fix=(
        _RIGHT,
        "kubectl -n kube-system logs -l k8s-app=konnectivity-agent --tail=50 --prefix",
        "kubectl get networkpolicy -A",
        *_WRONG,
    ),
    source="kubernetes-sigs/apiserver-network-proxy; learn.microsoft.com/azure/aks: control plane networking",
)

WD720 = Entry(
    code="WD720",
    title="On Fargate the kubelet answers in place of the webhook",
    severity=Severity.ERROR,
    cause="name_mismatch",
    meaning="A pod on Fargate has the address of its node, and the kubelet of that node listens on 10250. A webhook on the same port is never reached: the API "
    "server meets the kubelet's certificate, which is for the node's name.",
    decided="The certificate that the API server was served is a node's, and the endpoints are on Fargate nodes.",
    confirm=(_ENDPOINTS, "openssl s_client -connect {endpoint} -servername {server_name} </dev/null", "kubectl get nodes -L eks.amazonaws.com/compute-type"),
    fix=(_RIGHT, _HELM + " --set webhook.securePort={new_port}", _CHANGE_PORT, *_WRONG),
    source="cert-manager.io/docs/installation/compatibility: Fargate; docs.aws.amazon.com/eks/latest/userguide/fargate.html",
    role="webhook_network",
)

WD721 = Entry(
    code="WD721",
    title="In the network of its node, the webhook wants a port of the node's own",
    severity=Severity.ERROR,
    cause="name_mismatch",
    meaning="With hostNetwork the webhook's ports are the node's, and the kubelet has 10250 on every node. The webhook cannot listen there (`bind: address "
    "already in use`), and whoever calls the port meets the kubelet, with a certificate for the node's name. The servers of k3s take 10260 as well.",
    decided="The pods are in the network of their node and use port 10250 (on k3s: or 10260); and the certificate that the API server was served is a node's, "
    "or the pods do not become ready.",
    confirm=(_ENDPOINTS, "kubectl -n {pod_namespace} logs {pod} --all-containers --tail=20", "kubectl -n {pod_namespace} get pod {pod} -o wide"),
    fix=(
        _RIGHT,
        _HELM + " --set webhook.securePort={new_port}",
        _CHANGE_PORT,
        "# Port {new_port} is free as far as DaemonSets tell; what else uses the nodes' network:",
        _CHECK_PORT,
        "# A firewall or security group between control plane and nodes has to admit {new_port}.",
        *_WRONG,
    ),
    source="kubernetes.io/docs/reference/networking/ports-and-protocols; cert-manager.io/docs/installation/compatibility",
    role="webhook_network",
)

ENTRIES = (WD701, WD702, WD703, WD704, WD710, WD711, WD712, WD713, WD720, WD721)
