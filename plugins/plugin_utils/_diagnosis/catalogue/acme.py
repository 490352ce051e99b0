# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD83x, WD84x: cert-manager and its ACME servers. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_SOURCE = "cert-manager pkg/issuer/acme/setup.go, pkg/acme/accounts/client.go (the proxy of the environment, 30 s to connect, 90 s for all)"
_SELF_CHECK = "cert-manager pkg/issuer/acme/http/http.go (testReachability), pkg/controller/acmechallenges"

_STATUS = "kubectl -n {issuer_namespace} get {issuer_kind} {issuer} -o jsonpath='{{.status.conditions}}'"
_ENVIRONMENT = "kubectl -n {namespace} get pod {pod} -o jsonpath='{{.spec.containers[*].env}}'"
# The controller's image has no shell; a container beside it stands in the same network, but has none of its variables.
_FROM_ITS_NETWORK = "kubectl -n {namespace} debug {pod} -it --image=curlimages/curl -- curl -sv --max-time 20 {server}"
_THROUGH_THE_PROXY = "kubectl -n {namespace} debug {pod} -it --image=curlimages/curl -- curl -sv --max-time 20 --proxy {proxy} {server}"
_SET_PROXY = "kubectl -n {namespace} set env deployment/{workload} HTTPS_PROXY={proxy} NO_PROXY={no_proxy}"
_LASTING_PROXY = (
    "# Lasting, with Helm: the values http_proxy, https_proxy and no_proxy of the chart (they reach the controller alone; webhook and cainjector call nobody "
    "outside and need none). What follows does the same until the next upgrade; a password in the proxy's address is shown as *** here."
)
_NDOTS = (
    "kubectl -n {namespace} patch deployment {workload} --type merge -p "
    '\'{{"spec":{{"template":{{"spec":{{"dnsConfig":{{"options":[{{"name":"ndots","value":"1"}}]}}}}}}}}}}\''
)
_CHALLENGE = "kubectl -n {challenge_namespace} describe challenge {challenge}"

WD830 = Entry(
    code="WD830",
    title="cert-manager does not reach the ACME server",
    severity=Severity.ERROR,
    cause=None,
    meaning="The controller opens no connection to the ACME server of this issuer, so it can neither register its account nor order certificates. Those that "
    "exist stay valid until they end; none is renewed. `context deadline exceeded` is all that cert-manager says of most such faults. The line `ACME server "
    "URL "
    "host and ACME private key registration host differ` in its log says nothing about it: it comes whenever there is no account yet.",
    decided="The issuer's condition Ready is False and its message tells of a connection that failed; the controller goes out directly, and nothing that was "
    "seen (API server, other pods of cert-manager, the cluster's settings) uses a proxy.",
    confirm=(_STATUS, _FROM_ITS_NETWORK),
    fix=(
        "# Let the pods out to {server_host}, TCP 443: routes, firewall and NetworkPolicies of the controller's namespace and nodes.",
        "kubectl -n {namespace} get networkpolicies",
        "# {egress}.",
        "# If hosts in this network reach the outside through a proxy only, give the controller that proxy (Helm values https_proxy and no_proxy), and put the "
        "Service network, .svc and .cluster.local into no_proxy.",
        "# Not the cause: the issuer's configuration and its account key. Making the issuer or its Secret anew changes nothing.",
    ),
    source=_SOURCE,
    blames="cluster",
)

WD831 = Entry(
    code="WD831",
    title="The ACME server is reached through a proxy only, and cert-manager's controller does not use it",
    severity=Severity.ERROR,
    cause=None,
    meaning="Nodes of this cluster go out through a proxy. A pod does not inherit that: the controller has no HTTPS_PROXY (or its NO_PROXY names the ACME "
    "server), tries to connect directly, and nobody answers.",
    decided="The issuer's message tells of a connection that failed; the controller calls the ACME server directly, and the API server, the cluster's "
    "settings or "
    "another pod of cert-manager has a proxy.",
    confirm=(_STATUS, _ENVIRONMENT, _THROUGH_THE_PROXY),
    fix=(
        "# Give the controller the proxy, and except the cluster itself from it: without that it loses the API server.",
        _LASTING_PROXY,
        _SET_PROXY,
        "# Not: the ACME server's addresses in NO_PROXY. They are those of a content network and change; and it is the proxy that gets out here.",
        "# If there is a direct way out that is meant for this, repair that instead, and except the ACME server's name (not its addresses) from the proxy.",
    ),
    source=_SOURCE + "; the chart's templates/deployment.yaml",
    blames="cluster",
    role="no_proxy",
)

WD832 = Entry(
    code="WD832",
    title="cert-manager calls the API server through its proxy: NO_PROXY lacks the cluster",
    severity=Severity.ERROR,
    cause="proxied",
    meaning="The pod has HTTPS_PROXY, and nothing in NO_PROXY stands for the address by which pods call the API server (the first one of the Service network). "
    "All its calls to the cluster go to the proxy, which does not reach it: it loses its leader election (`unexpected EOF`), updates no issuer, no order and "
    "no "
    "Secret, and ends and starts again.",
    decided="The variables of the pod, read by Go's rules: a name in NO_PROXY (`.svc`, `kubernetes.default.svc`) does not stand for an address, a CIDR does. "
    "An "
    "error where the pod restarts, the controllers' lease is not renewed or an issuer stays without any condition; else a warning, because a proxy may reach "
    "the cluster.",
    confirm=(_ENVIRONMENT, "kubectl -n {namespace} logs {pod} --tail=50"),
    fix=(
        "# Put the Service network (or {api_host}), .svc and .cluster.local into NO_PROXY.",
        _LASTING_PROXY,
        "kubectl -n {namespace} set env deployment/{workload} NO_PROXY={no_proxy}",
        "# Not enough: kubernetes.default.svc alone. In a pod the API server is called by its address.",
    ),
    source="golang.org/x/net/http/httpproxy; k8s.io/client-go rest.InClusterConfig; cert-manager issue 782",
    blames="cluster",
    role="no_proxy",
)

WD833 = Entry(
    code="WD833",
    title="The ACME server's name leads cert-manager to another machine",
    severity=Severity.ERROR,
    cause="dns_failure",
    meaning="The controller calls an address that cannot be the ACME server's. With ndots:5, the default of pods, a name with fewer than five dots is tried "
    "with every "
    "search domain first; a search domain of the nodes whose zone has a wildcard record answers for any name.",
    decided="The ACME server's name is a public one, and the address dialled is a private one, or what answered there has a certificate for other names; no "
    "proxy "
    "stands in between (with one, the proxy resolves the name).",
    confirm=(
        _STATUS,
        "kubectl -n {namespace} debug {pod} -it --image=busybox -- cat /etc/resolv.conf",
        "kubectl -n {namespace} debug {pod} -it --image=busybox -- nslookup {server_host}",
        "kubectl -n {namespace} debug {pod} -it --image=busybox -- nslookup {server_host}.",
    ),
    fix=(
        "# If the name with a dot at its end resolves to another address, it is the search domain: let the controller try names as they are first. Helm value: "
        "podDnsConfig with the option ndots set to 1.",
        _NDOTS,
        "# Better where you may: remove the wildcard record of that search domain, or the search domain from the nodes' /etc/resolv.conf.",
        "# If both resolve alike, an internal zone or a name server answers for the public name: correct it there.",
        "# Not: an entry in hostAliases. The ACME server's addresses change.",
    ),
    source="resolv.conf(5) ndots; cert-manager issue 3394",
    blames="cluster",
)

WD834 = Entry(
    code="WD834",
    title="The ACME server's name does not resolve in the cluster",
    severity=Severity.ERROR,
    cause="dns_failure",
    meaning="The controller asks the cluster's DNS for the ACME server's name and gets no address. Nothing was sent to the ACME server.",
    decided="The message of the issuer's condition says `lookup ... no such host`, `server misbehaving` or that the name server did not answer.",
    confirm=(_STATUS, "kubectl -n {namespace} debug {pod} -it --image=busybox -- nslookup {server_host}."),
    fix=(
        "# See whether CoreDNS is well and whether its upstream name servers resolve names outside of the cluster.",
        "kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50",
        "kubectl -n kube-system get configmap coredns -o yaml",
        "# Where only a proxy resolves public names, give the controller that proxy: then nobody here needs to resolve them.",
    ),
    source=_SOURCE,
    blames="cluster",
)

WD835 = Entry(
    code="WD835",
    title="cert-manager does not trust the certificate of the ACME server",
    severity=Severity.ERROR,
    cause="unknown_authority",
    meaning="Something answers TLS in the ACME server's place with a certificate of a CA that the controller does not know: a private ACME server (step-ca, "
    "an internal CA), or a proxy or firewall that opens TLS and signs with its own CA.",
    decided="The message of the issuer's condition says `x509: certificate signed by unknown authority`. Which of the two it is goes by the server's name "
    "and by "
    "whether a proxy stands in between.",
    confirm=(
        _STATUS,
        "kubectl -n {namespace} debug {pod} -it --image=alpine/openssl -- s_client -connect {server_host}:443 -servername {server_host} -showcerts",
    ),
    fix=(
        "# {trust_advice}.",
        'kubectl -n {issuer_namespace} patch {issuer_kind} {issuer} --type merge -p \'{{"spec":{{"acme":{{"caBundle":"<base64 of the CA in PEM>"}}}}}}\'',
        "# spec.acme.caBundle exists from cert-manager 1.11 on; before that, mount a bundle with the CA over /etc/ssl/certs/ca-certificates.crt of the "
        "controller.",
        "# Not: skipTLSVerify. Whoever stands in between could then answer for the ACME server.",
    ),
    source=_SOURCE + " (caBundle are then the only roots)",
    blames="cluster",
)

WD836 = Entry(
    code="WD836",
    title="By the controller's clock the ACME server's certificate is not valid",
    severity=Severity.ERROR,
    cause=None,
    meaning="Go compares the certificate with the clock of the node that the controller runs on. Either that clock is wrong, or the ACME server really serves "
    "a certificate that has ended (private ones forget to renew their own).",
    decided="The message of the issuer's condition says `x509: certificate has expired or is not yet valid`. The time in it is compared with the time of the "
    "observation and with the dates that it names.",
    confirm=(_STATUS, "kubectl -n {namespace} debug {pod} -it --image=busybox -- date -u"),
    fix=("# {clock_advice}.",),
    source="crypto/x509 Certificate.Verify",
    blames="cluster",
)

WD837 = Entry(
    code="WD837",
    title="The proxy does not let cert-manager through to the ACME server",
    severity=Severity.ERROR,
    cause="proxied",
    meaning="The controller's HTTPS_PROXY answers in the ACME server's place: it does not permit that host, wants a password, or does not reach it itself. "
    "Or the proxy "
    "cannot be reached.",
    decided="The message of the issuer's condition holds what a proxy says (`Forbidden`, `Service Unavailable`, `Proxy Authentication Required`, "
    "`proxyconnect`), or tells of a time-out while the controller's "
    "variables send it to the proxy; an ACME server answers in words of its own.",
    confirm=(_STATUS, _ENVIRONMENT, _THROUGH_THE_PROXY),
    fix=("# {proxy_advice}.", "kubectl -n {namespace} set env deployment/{workload} NO_PROXY={no_proxy}"),
    source="net/http Transport.dialConn (the proxy's answer to CONNECT)",
    blames="cluster",
)

WD838 = Entry(
    code="WD838",
    title="The ACME server refuses",
    severity=Severity.WARNING,
    cause="http_status",
    meaning="The ACME server was reached and answered with an error of its own (RFC 8555, 6.7). Network, proxy, DNS and trust between cert-manager and it "
    "are in order.",
    decided="The condition or reason names an error of the ACME protocol (`urn:ietf:params:acme:error:...`).",
    confirm=("kubectl -n {acme_namespace} describe {acme_kind} {acme_name}",),
    fix=("# {acme_advice}.",),
    source="RFC 8555 section 6.7; cert-manager pkg/issuer/acme/setup.go (answers of 4xx are not tried again until the issuer changes)",
    blames="cluster",
)

WD839 = Entry(
    code="WD839",
    title="cert-manager checks an HTTP-01 challenge through its proxy, which does not get there",
    severity=Severity.WARNING,
    cause="proxied",
    meaning="Before it asks the ACME server to look, the controller fetches the challenge itself, by the same environment: the domain is not in NO_PROXY, so "
    "the "
    "proxy is asked, and it does not reach the domain or refuses it. The challenge stays pending.",
    decided="The challenge waits for its self check for more than 10 minutes, and its reason holds a proxy's answer, or the controller has HTTP_PROXY and the "
    "domain is not excepted.",
    confirm=(_CHALLENGE, _ENVIRONMENT),
    fix=(
        "# If the domain is reached directly from the cluster, except it from the proxy (Helm value no_proxy).",
        "kubectl -n {namespace} set env deployment/{workload} NO_PROXY={no_proxy}",
        "# If the domain can be reached from outside only, leave it out of no_proxy and permit it at the proxy.",
    ),
    source=_SELF_CHECK + "; cert-manager pull request 1850",
    blames="cluster",
    role="no_proxy",
)

WD840 = Entry(
    code="WD840",
    title="cert-manager cannot reach the URL of an HTTP-01 challenge",
    severity=Severity.WARNING,
    cause=None,
    meaning="Before it asks the ACME server to look, the controller fetches the challenge at the domain itself. That connection fails, so the challenge "
    "stays pending, "
    "whether or not the ACME server would reach it.",
    decided="The challenge waits for its self check for more than 10 minutes, and its reason tells of a connection that failed.",
    confirm=(
        _CHALLENGE,
        "kubectl -n {namespace} debug {pod} -it --image=curlimages/curl -- curl -sv --max-time 10 http://{dns_name}/.well-known/acme-challenge/test",
    ),
    fix=(
        "# If the domain answers from outside and not from inside, the load balancer does not let the cluster call itself (no hairpin): switch that on (on "
        "some "
        "clouds by a host name in the Service's status, or PROXY protocol off), or give the domain an internal record that points to the ingress.",
        "# If it answers from nowhere, correct the DNS record, the firewall (TCP 80) or the ingress.",
        "# DNS-01 needs no way in at all.",
    ),
    source=_SELF_CHECK,
    blames="cluster",
)

WD841 = Entry(
    code="WD841",
    title="Something else answers at the URL of an HTTP-01 challenge",
    severity=Severity.WARNING,
    cause="http_status",
    meaning="The domain answers, but not with the challenge's key: the solver's Ingress or HTTPRoute is not served (ingress class, or no controller), "
    "another route "
    "catches the path, or the domain points to another machine.",
    decided="The challenge waits for its self check for more than 10 minutes, and its reason is `wrong status code` or an unexpected answer.",
    confirm=(_CHALLENGE, "kubectl -n {challenge_namespace} get ingress,pods,services -l acme.cert-manager.io/http01-solver=true"),
    fix=(
        "# Compare the class of the solver's Ingress with those that exist; set it in the issuer (solvers[].http01.ingress.ingressClassName).",
        "kubectl get ingressclass",
        "# See that the domain's record points to that ingress, and that no redirect, authentication or catch-all route takes /.well-known/acme-challenge/.",
    ),
    source=_SELF_CHECK,
    blames="cluster",
)

WD842 = Entry(
    code="WD842",
    title="The domain of an HTTP-01 challenge does not resolve where cert-manager looks",
    severity=Severity.WARNING,
    cause="dns_failure",
    meaning="The controller's self check asks the cluster's DNS for the domain and gets no address. The challenge stays pending.",
    decided="The challenge waits for its self check for more than 10 minutes, and its reason says that the name does not resolve.",
    confirm=(_CHALLENGE, "kubectl -n {namespace} debug {pod} -it --image=busybox -- nslookup {dns_name}."),
    fix=(
        "# Make the record, or wait until it is known; a name that was asked for too early is remembered as missing for as long as the zone's SOA says.",
        "# Where the cluster's DNS has an internal view without the domain, let the check ask others (Helm value extraArgs): "
        "--acme-http01-solver-nameservers=1.1.1.1:53.",
    ),
    source=_SELF_CHECK,
    blames="cluster",
)

WD843 = Entry(
    code="WD843",
    title="cert-manager does not see the TXT record of a DNS-01 challenge",
    severity=Severity.WARNING,
    cause=None,
    meaning="The record was made, and the controller does not see it: it asks the domain's authoritative name servers over port 53, not through any proxy. A "
    "network "
    "without that way out, or a zone with an internal view, hides the record.",
    decided="The challenge waits for its propagation for more than 30 minutes, or its reason tells of a name server that was not reached.",
    confirm=(_CHALLENGE, "kubectl -n {namespace} debug {pod} -it --image=busybox -- nslookup -type=txt _acme-challenge.{dns_name}."),
    fix=(
        "# Let it ask name servers that it reaches and that see the public zone (Helm values dns01RecursiveNameservers and dns01RecursiveNameserversOnly).",
        "# Its arguments would be --dns01-recursive-nameservers-only --dns01-recursive-nameservers=1.1.1.1:53; where only a proxy gets out, an https:// "
        "address (DNS over "
        "HTTPS) works from cert-manager 1.13 on.",
        "# If public name servers do not have the record either, look at the credentials and the zone of the solver.",
    ),
    source="cert-manager pkg/issuer/acme/dns/util/wait.go; pull request 5003",
    blames="cluster",
)

WD844 = Entry(
    code="WD844",
    title="The configuration of an ACME issuer cannot be used",
    severity=Severity.ERROR,
    cause=None,
    meaning="cert-manager refuses what the issuer says before it calls anybody: an address of ACME's first version, a solver that is incomplete, an account "
    "key or "
    "external account binding that is missing or unusable. No network is at fault.",
    decided="The reason or the message of the condition Ready is one of those that cert-manager gives without a call.",
    confirm=(_STATUS, "kubectl -n {issuer_namespace} get {issuer_kind} {issuer} -o yaml"),
    fix=(
        "# Correct what the message names; cert-manager tries again as soon as the issuer changes.",
        "kubectl -n {issuer_namespace} edit {issuer_kind} {issuer}",
    ),
    source=_SOURCE,
    blames="cluster",
)

ENTRIES = (WD830, WD831, WD832, WD833, WD834, WD835, WD836, WD837, WD838, WD839, WD840, WD841, WD842, WD843, WD844)
