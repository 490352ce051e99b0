# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to tell a person who has nothing but an error text: what it means and what to look at first. PRIVATE to the collection.

The text alone leaves more open than the cluster would: where two faults read alike, both are said. Sources: the reference of
kube-apiserver's texts in `_errors._causes`, and what the same faults look like on a real control plane.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .text import clean, dial

_BY_CODE = {
    "WD101": "The Service that the call-out names does not exist. Look for a wrong name or namespace, or for a configuration that outlived the application: "
    "kubectl get service -A; then correct the reference, reinstall, or remove the orphaned configuration.",
    "WD102": "The Service exists but has no such port. Compare the port of the call-out's clientConfig (443 where it says none) with the ports of the Service.",
    "WD103": "No ready endpoint stands behind the Service: its pods are missing, not ready, not selected, or none has the named targetPort. "
    "Look at its EndpointSlices and pods first; the network is not at fault.",
    "WD106": "The API server was told to reach endpoints itself and cannot follow an ExternalName Service. Use a Service with a selector, or a "
    "clientConfig with a url.",
    "WD107": "The API server goes through the ClusterIP, and a headless Service (clusterIP: None) has none. Give the Service a ClusterIP.",
    "WD204": "The host of the webhook's URL does not resolve where the API server runs. That is the DNS of the control-plane host, not the cluster's.",
    "WD205": "The provider of the control plane refuses this address: on EKS, pods that are not addressed from the VPC (an overlay network). "
    "Run the webhook with hostNetwork on a free port, or give it addresses of the VPC.",
    "WD206": "The connection was reset. Something accepted it and dropped it: a pod that was just ending, a mesh sidecar that insists on mTLS, a middlebox.",
    "WD210": "Nothing answered the connection attempt: packets are dropped on the way from the control plane to the back end. "
    "Look at firewall rules and security groups for the port dialled, at NetworkPolicies, and at the overlay network.",
    "WD211": "There is no route from the control plane to the back end: the pod network is not routed there, or something rejects it (ICMP unreachable).",
    "WD212": "The call ran out of time and the text does not say in which phase: connecting, TLS, or waiting for the answer. "
    "A dropped packet, a stalled TLS handshake and a slow webhook all read like this; only probes tell them apart.",
    "WD220": "A forward proxy answered in place of the back end: the API server has HTTPS_PROXY in its environment and its NO_PROXY does not cover the call. "
    "Up to Kubernetes 1.36 NO_PROXY needs .svc (CIDRs do not help), from 1.37 on the Service and pod CIDRs as well.",
    "WD221": "The tunnel between API server and nodes (konnectivity, or the egress proxy of k3s and RKE2) failed, not the webhook. "
    "Look at the konnectivity-agent pods (kube-system, k8s-app=konnectivity-agent), at their NetworkPolicies, or at the server's tunnel.",
    "WD301": "No certificate of the caBundle vouches for the one that the back end serves: the bundle is stale (a CA was replaced under the same "
    "name), empty, or of another application. An intercepting proxy in the API server's environment reads the same.",
    "WD303": "The caBundle is empty and the API server has no roots of its own to trust the certificate by. Put the CA into the caBundle.",
    "WD304": "The caBundle holds no certificate that can be read. It must be PEM, encoded in base64 once.",
    "WD307": "The serving certificate is expired, or the CA in the caBundle is; the text does not say which (where it names no time, it may as well be "
    "not valid yet: compare the clocks). Renew it, and restart what keeps the old one in memory.",
    "WD308": "The certificate is not valid yet: the clock of the API server is behind, or the certificate was issued for the future.",
    "WD309": "The back end serves a certificate for another name. The API server asks for <service>.<namespace>.svc; reissue the certificate with that SAN, "
    "or find out what else answers on that address.",
    "WD310": "The served certificate has no subject alternative name. Go ignores the common name; reissue it with the SAN <service>.<namespace>.svc.",
    "WD311": "The kubelet (or another process of the node) answered in place of the webhook: the certificate is a node's. Typical where a webhook "
    "listens on 10250 "
    "with hostNetwork or on Fargate. Give it another port.",
    "WD312": "Go's crypto/x509 refuses the certificate (usage, signature algorithm, path length or an extension). Reissue it: serverAuth, SHA-256 or better.",
    "WD313": "The CA that should vouch for the served certificate is expired. Renew the CA, and put the new one into the caBundle.",
    "WD320": "The port speaks something else than TLS, often plain HTTP. Check which port of the pod the Service points to, and the webhook's TLS settings.",
    "WD321": "TCP was accepted, the TLS handshake stalled for 10 s: a middlebox or proxy in between, an MTU that swallows big packets, or a process "
    "that hangs.",
    "WD322": "No TLS version in common: the back end offers TLS 1.1 or older only. The API server needs 1.2.",
    "WD323": "The back end demands a client certificate, or refuses the API server's. The API server sends none unless its "
    "--admission-control-config-file says so.",
    "WD324": "The TLS handshake ended with an alert. Look at the log of the back end at that moment.",
    "WD401": "The back end answered 404: the path of the call-out does not exist there (another version of the application, or another process).",
    "WD402": "The back end refused the API server (401 or 403): a proxy or mesh sidecar with its own authorization in front, or a webhook that wants "
    "credentials.",
    "WD403": "The back end answered 429: it limits requests. Look at its load, and at what multiplies the calls.",
    "WD404": "The back end was reached and answered with a server error (5xx). Its own log says why.",
    "WD405": "The back end was reached and rejects the request (4xx): wrong path, wrong port, or not an admission webhook.",
    "WD406": "The back end redirects. A webhook must answer where it is called; correct the url or the path.",
    "WD410": "Something answered that is not a review: a web page, a proxy, another service. Check port and path.",
    "WD411": "The webhook answered with a review that the API server cannot accept. That is a fault of the webhook's code; look for a newer version.",
    "WD412": "The answer was cut short. Look for a crash of the back end, or a proxy with a limit.",
    "WD413": "The connection was closed, during the TLS handshake or before the answer. Look for crashes and restarts of the back end, and for a port that "
    "speaks another protocol.",
    "WD420": "The conversion webhook answered, but not with what was asked: its own message or the shape of its objects says why. "
    "Reads, writes and garbage collection of the resource fail with it.",
    "WD430": "The back end of an aggregated API (APIService) is unavailable. kubectl get apiservices shows which one, and its condition why.",
    "WD501": "The back end was connected and did not answer in time. Look at its load and limits, or raise timeoutSeconds (at most 30).",
    "WD690": "The API server's in-memory loopback certificate is expired: it can no longer talk to itself. Restart kube-apiserver, one instance at a time.",
    "WD830": "cert-manager's controller does not reach the ACME server. The text does not say more than that: a missing route, a firewall, or a network that "
    "lets "
    "nobody out but through a proxy. Try the server's directory from the controller's network; if nodes need a proxy for it, so does the controller (Helm "
    "values http_proxy, https_proxy, no_proxy).",
    "WD833": "What answered in the ACME server's place has another name: its name led to another machine (a search domain with a wildcard and ndots:5, an "
    "internal DNS zone) or something intercepts the connection.",
    "WD834": "The ACME server's name does not resolve in the cluster. Look at CoreDNS and its upstream; behind a proxy nobody needs to resolve it.",
    "WD835": "The ACME server's certificate is of a CA that cert-manager does not know: a private ACME server, or a proxy that intercepts TLS. Put that CA "
    "into "
    "spec.acme.caBundle of the issuer.",
    "WD836": "By the controller's clock the ACME server's certificate is not valid now. Compare the times in the text with the real one: either the node's "
    "clock "
    "is wrong, or the certificate really ended.",
    "WD837": "A proxy answered in the ACME server's place and refuses: it does not let the controller through to that host, or does not reach it.",
    "WD838": "The ACME server was reached and says no. Network, proxy and certificates are all right; its own words say what it wants.",
    "WD839": "cert-manager's self check of a challenge went to the proxy. If the domain is an internal one, add it to the controller's no_proxy.",
    "WD840": "cert-manager cannot reach the challenge's URL itself, so it does not ask the ACME server to. Often a load balancer that does not answer from "
    "inside of the cluster (no hairpin), or a DNS record that does not point to the ingress.",
    "WD841": "Something else than cert-manager's solver answers at the challenge's URL: the ingress class, a redirect or a catch-all route, or a DNS record "
    "that "
    "points elsewhere.",
    "WD842": "The domain of the challenge does not resolve where cert-manager looks. Make the DNS record, or let it ask other name servers.",
    "WD843": "cert-manager does not see the challenge's TXT record. It asks the domain's own name servers unless --dns01-recursive-nameservers says "
    "otherwise; a "
    "firewall that drops port 53, or an internal view of the zone, hides it.",
    "WD858": "A sidecar cannot reach istiod. With `no healthy upstream` compare the discovery address (ConfigMap istio of istio-system, annotation "
    "proxy.istio.io/config, PROXY_CONFIG of the pod) with istiod's Service, port 15012; then whether istiod is ready.",
    "WD859": "RBAC refuses istiod what it has to read or write, so it pushes no configuration, or does not patch its webhooks. Apply the chart of "
    "istiod again: "
    "it holds the ClusterRole istiod-clusterrole-istio-system (with a revision in its name) and its binding.",
    "WD903": "The API server could not make the call, in words that are not known here. Please report the text.",
}

_BY_CAUSE = {
    "denied": "The webhook works: it answered and said no. Its message says what the object must look like; nothing about the webhook is to be repaired.",
    "policy_denied": "A policy of the API server itself said no. Policies run inside the API server: no Service, no certificate, no network is involved.",
    "autopilot_denied": "GKE Autopilot manages this object or forbids this setting. Choose another namespace or setting (cert-manager: "
    "global.leaderElection.namespace).",
    "forbidden": "RBAC: the user may not do this. No webhook was involved.",
    "dry_run_unsupported": "The webhook works, but declares side effects, and the request was a dry run. That is an answer to the test, not a fault.",
    "etcd_quota_exceeded": "etcd is full: every write fails, and what depends on writes (endpoints, leases) goes stale. Compact and defragment, delete what "
    "is not needed, or have the quota raised.",
    "request_timeout": "The whole request took longer than the API server allows (34 s for writes). Mutating webhooks are called one after the other, "
    "so their "
    "time-outs add up; the text does not say which one was slow.",
    "not_ready": "The API server had not yet read the webhook configurations: normal for seconds after its start. If it stays, the API server cannot "
    "list them.",
    "conversion_failed": _BY_CODE["WD420"],
    "aggregated_api_unavailable": _BY_CODE["WD430"],
    "informational": "This line tells of no failure. cert-manager writes it whenever an issuer has no account with its server yet: it does not say that a "
    "proxy or "
    "search domain is in the way. Look at the message of the issuer's condition Ready.",
    "conflict": "Somebody else changed this webhook configuration of Istio in between. Once that is harmless, istiod tries again. If it goes on, a "
    "validator or "
    "injector of an Istio that is uninstalled, or a second istiod of the same revision, takes part: kubectl get validatingwebhookconfigurations -L "
    "istio.io/rev, "
    "and remove (with a copy kept) what belongs to no installed version.",
    "mesh_config_not_received": "The sidecar got no configuration, neither accepted nor rejected (both counters 0, or one of them): it does not reach "
    "istiod, or "
    "istiod sends nothing. Look at whether istiod is ready, at the discovery address against istiod's Service (port 15012), at NetworkPolicies, and "
    "at `is forbidden` "
    "in istiod's log.",
    "mesh_config_rejected": "istiod is reached, and Envoy rejects what it sends: connectivity is not at fault. The warning before it in the log of "
    "istio-proxy names "
    "the resource; mostly an EnvoyFilter does not fit this version: kubectl get envoyfilters -A.",
    "unknown": "This text tells of no call of the API server that is known here.",
}

_REFUSED_BY = {
    "cluster_ip": "The address dialled is (by its port) the Service's ClusterIP: there a refused connection means that no ready endpoint stands "
    "behind the Service, "
    "or that nothing listens on the endpoint's port. The EndpointSlices tell which.",
    "endpoint": "The address dialled is the endpoint itself: its host is up and nothing listens on that port. The process is down, still starting, or "
    "listens elsewhere.",
    None: "Nothing listens there. If the address is the Service's ClusterIP, it may as well have no ready endpoint; the EndpointSlices tell which.",
}


def advise(judged: Mapping[str, Any]) -> str:
    """One paragraph about what `classify` found. Never empty."""
    code, cause, kind = judged["code"], judged["cause"], judged["kind"]
    names = judged["names"]
    parts = []
    if code == "WD201" or (cause == "connection_refused" and kind != "acme"):
        parts.append(_REFUSED_BY[judged["routing"]])
    else:
        parts.append(_BY_CODE.get(code or "") or _BY_CAUSE.get(cause) or _of_cause(cause))
    if cause == "policy_denied" and names.get("policy"):
        kind_of_policy = f"{names.get('policy_kind') or 'Validating'}AdmissionPolicy"
        bound = f", bound by {clean(names['binding'])}" if names.get("binding") else ""
        parts.append(f"It is {kind_of_policy} {clean(names['policy'])}{bound}: kubectl get {kind_of_policy.lower()} {clean(names['policy'])} -o yaml.")
    if code == "WD220" and names.get("proxy_answer"):
        parts.append(f'The proxy\'s words: "{clean(names["proxy_answer"])}".')
    if code in ("WD309", "WD311") and names.get("valid_for"):
        parts.append(f"It is valid for {clean(names['valid_for'])}.")
    if names.get("redirected_to"):
        parts.append(f"It led to {clean(names['redirected_to'])}.")
    if judged["dialed"] and code in ("WD201", "WD210", "WD211"):
        parts.append(f"Dialled: {dial(*_split(judged['dialed']))}.")
    if code == "WD212" and (judged["timeout_seconds"] or 30) < 30 and kind != "conversion":
        parts.append(f"It had {judged['timeout_seconds']} s; with timeoutSeconds 30 a stalled TLS handshake shows itself after 10 s.")
    if kind == "conversion":
        parts.append(
            "Until it works, reads and writes of that resource fail, and deleting namespaces with them; conversion has 30 s, and no setting changes that."
        )
    if kind == "client" and not judged["healthy"]:
        parts.append("This is a client's own connection to the API server, not a call that the API server makes: look at that client first.")
    parts += _of_istio(judged)
    if names.get("failing") == "open":
        parts.append("failurePolicy is Ignore: requests went through without this webhook.")
    return " ".join(parts)


_ISTIO = {
    "WD101": "istiod's Service: Istio is not installed (completely), or this webhook belongs to a revision that is not there any more "
    "(kubectl get deployments -A -l app=istiod -L istio.io/rev).",
    "WD103": "istiod's pods: kubectl get pods -A -l app=istiod; after a start of istiod this may last some seconds.",
    "WD210": "istiod listens on port 15017 (port 443 of its Service): the firewall has to admit the control plane there, on GKE private clusters by a "
    "rule of its own.",
    "WD301": "istiod writes the caBundle itself, into configurations whose label istio.io/rev is its revision; see whether it is empty, and restart "
    "istiod if so.",
}
_ISTIO["WD104"], _ISTIO["WD212"], _ISTIO["WD303"] = _ISTIO["WD103"], _ISTIO["WD210"], _ISTIO["WD301"]


def _of_istio(judged: Mapping[str, Any]) -> list[str]:
    """What is different where istiod is the back end."""
    service = str((judged["service"] or {}).get("name") or "")
    is_istio = str(judged["webhook"] or "").endswith((".istio.io", "sidecar-injector.istio.io")) or service == "istiod" or service.startswith("istiod-")
    said = _ISTIO.get(judged["code"] or "") if is_istio else None
    return [f"This is Istio: {said}"] if said else []


def _of_cause(cause: str) -> str:
    """The advice of the code that usually stands for `cause` (a text without code has a cause all the same)."""
    code = {
        "unknown_authority": "WD301",
        "certificate_expired": "WD307",
        "certificate_not_yet_valid": "WD308",
        "certificate_invalid": "WD312",
        "name_mismatch": "WD309",
        "no_san": "WD310",
        "no_route": "WD211",
        "connect_timeout": "WD210",
        "deadline_exceeded": "WD212",
        "dns_failure": "WD204",
        "proxied": "WD220",
        "egress_proxy": "WD221",
        "tls_timeout": "WD321",
        "tls_not_spoken": "WD320",
        "tls_alert": "WD324",
        "client_certificate_required": "WD323",
        "connection_closed": "WD413",
        "http_status": "WD405",
        "not_an_admission_server": "WD410",
        "invalid_response": "WD411",
        "service_not_found": "WD101",
        "service_port_not_found": "WD102",
        "service_type_unsupported": "WD106",
        "no_ready_endpoints": "WD103",
        "address_not_allowed": "WD205",
        "ca_bundle_invalid": "WD304",
        "loopback_certificate_expired": "WD690",
    }.get(cause)
    return _BY_CODE[code] if code else _BY_CAUSE["unknown"]


def _split(address: str) -> tuple[str, str]:
    host, _colon, port = address.rpartition(":")
    return host.strip("[]"), port
