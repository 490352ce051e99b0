# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD3xx: TLS and trust. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_X509 = "Go crypto/x509 Verify; k8s.io/apiserver pkg/util/webhook/client.go"
_TLS = "Go crypto/tls; k8s.io/apiserver pkg/util/webhook/client.go"

_SERVED = "openssl s_client -connect {endpoint} -servername {server_name} -showcerts </dev/null"
_READ = (
    "openssl s_client -connect {endpoint} -servername {server_name} </dev/null 2>/dev/null | openssl x509 -noout -subject -issuer -dates -ext subjectAltName"
)
BUNDLE = (
    "kubectl get {resource} {config} -o jsonpath={ca_jsonpath} | base64 -d | openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -noout"
)
_REISSUE = "# Issue the serving certificate again for the DNS name {server_name}, and see that the pods load it."
_RESTART = "kubectl -n {pod_namespace} delete pod {pod}"
_INJECTOR = (
    "# If something writes the caBundle (cert-manager's cainjector, istiod, an operator, service-ca): see why it does not; what is patched by hand would "
    "be overwritten.",
    "kubectl get {resource} {config} -o jsonpath='{{.metadata.annotations}}'",
)

WD301 = Entry(
    code="WD301",
    title="The caBundle holds no CA that signed the served certificate",
    severity=Severity.ERROR,
    cause="unknown_authority",
    meaning="kube-apiserver trusts only the caBundle of the call-out. The CA was made again (often under the same name, which hides it) and the caBundle "
    "kept the old one, the caBundle "
    "belongs to another application, or the server has another certificate loaded than the one on disk. A bundle with the old and the new CA is healthy.",
    decided="The API server says `certificate signed by unknown authority` and the caBundle is not empty; or the chain that the back end serves does not "
    "verify against it.",
    confirm=(_READ, BUNDLE),
    fix=(
        *_INJECTOR,
        "# By hand: put the CA that signed the served certificate into the caBundle beside the old one, so that pods with either certificate keep working.",
        "kubectl edit {resource} {config}",
    ),
    source=_X509,
    blames="callout",
    role="ca_bundle",
)

WD303 = Entry(
    code="WD303",
    title="The caBundle is empty, and the certificate is of a private CA",
    severity=Severity.ERROR,
    cause="unknown_authority",
    meaning="Without a caBundle the API server uses the roots of its own host, which no private CA is among. The injector that should fill it has not, or "
    "a re-applied manifest has wiped it.",
    decided="The API server says `certificate signed by unknown authority` and the caBundle is empty; or the chain of an in-cluster back end verifies "
    "against no public root.",
    confirm=("kubectl get {resource} {config} -o jsonpath={client_jsonpath}", _READ),
    fix=(
        *_INJECTOR,
        "# If a deployment tool renders caBundle as an empty string, take the field out of its manifests: it overwrites what the injector writes.",
        "# By hand: put the CA that signed the served certificate into the caBundle.",
        "kubectl edit {resource} {config}",
    ),
    source=_X509,
    blames="callout",
    role="ca_bundle",
)

WD304 = Entry(
    code="WD304",
    title="The caBundle holds no usable certificate",
    severity=Severity.ERROR,
    cause="ca_bundle_invalid",
    meaning="The caBundle is not PEM, or none of its blocks is a certificate. The API server cannot even build a client.",
    decided="The API server says `unable to load root certificates` or `no valid certificate authority data seen`; or the caBundle was read and has no "
    "certificate in it.",
    confirm=("kubectl get {resource} {config} -o jsonpath={ca_jsonpath} | base64 -d", BUNDLE),
    fix=(
        *_INJECTOR,
        "# By hand: caBundle is the base64 of a PEM file with CA certificates, encoded once.",
        "kubectl edit {resource} {config}",
    ),
    source="k8s.io/client-go util/cert; k8s.io/apiserver pkg/util/webhook/client.go",
    blames="callout",
    role="ca_bundle",
)

WD305 = Entry(
    code="WD305",
    title="The served certificate expires soon",
    severity=Severity.WARNING,
    cause=None,
    meaning="The certificate that the back end serves ends soon, and less than a quarter of its lifetime is left: whoever renews it should have done so. "
    "When it ends, calls fail.",
    decided="Read from the wire: at most 30 days (warn_days) and at most a quarter of its lifetime are left. Short-lived certificates that are renewed in time "
    "are not reported.",
    confirm=(_READ,),
    fix=("# See why it is not renewed (cert-manager: kubectl get certificates -A), renew it, and see that the pods load it.", _RESTART),
    source="RFC 5280 4.1.2.5",
)

WD306 = Entry(
    code="WD306",
    title="The CA in the caBundle expires soon",
    severity=Severity.WARNING,
    cause=None,
    meaning="The CA that vouches for the served certificate ends soon. From then on the API server refuses the certificate, however long that itself is valid.",
    decided="The anchor of the verified chain (or, where no chain was seen, the longest valid certificate of the caBundle) has at most 30 days and a "
    "quarter of its lifetime left.",
    confirm=(BUNDLE,),
    fix=("# Renew the CA, put the new one beside the old one into the caBundle, then issue the serving certificate from it.", *_INJECTOR),
    source="RFC 5280 4.1.2.5",
    blames="callout",
    role="ca_bundle",
)

WD307 = Entry(
    code="WD307",
    title="The served certificate is expired",
    severity=Severity.ERROR,
    cause="certificate_expired",
    meaning="The certificate that the back end serves has ended: it was not renewed, or it was and the process still has the old one loaded.",
    decided="The API server says `certificate has expired`, or the served chain read from the wire is expired. An expired CA in the caBundle is WD313.",
    confirm=(_READ,),
    fix=(
        "# If the Secret holds a valid certificate already, the process has not loaded it: restart it.",
        _RESTART,
        "# Otherwise renew it (cert-manager: kubectl get certificates -A; others: the operator that made it).",
    ),
    source=_X509,
)

WD308 = Entry(
    code="WD308",
    title="The served certificate is not valid yet",
    severity=Severity.ERROR,
    cause="certificate_not_yet_valid",
    meaning="The certificate begins in the future: a clock is wrong, where it was made or at the API server, or it was issued too early.",
    decided="The API server says `current time … is before …`, or the served chain read from the wire begins in the future.",
    confirm=(_READ, "date -u"),
    fix=("# Compare the clocks of the control-plane nodes and of where the certificate is made (chronyc tracking, timedatectl).", _REISSUE),
    source=_X509,
)

WD309 = Entry(
    code="WD309",
    title="The served certificate is for another name",
    severity=Severity.ERROR,
    cause="name_mismatch",
    meaning="The API server asks for `<service>.<namespace>.svc` (a URL webhook: the host of the URL), and the certificate names something else: it was "
    "made for another Service, or "
    "something else answers on that address.",
    decided="The API server says `certificate is valid for …, not …`, or the names of the served certificate do not cover it; and they are not those of a "
    "node (WD311).",
    confirm=(_READ,),
    fix=(
        _REISSUE,
        "# If the certificate belongs to another application: see why the Service's endpoints lead to it.",
        "kubectl -n {namespace} get endpointslice -l {slices} -o wide",
    ),
    source=_X509,
)

WD310 = Entry(
    code="WD310",
    title="The served certificate has no subject alternative name",
    severity=Severity.ERROR,
    cause="no_san",
    meaning="The certificate has a common name only. Go has not looked at that since 1.15.",
    decided="The API server says `certificate relies on legacy Common Name field` or `is not valid for any names`, or the served certificate has no names.",
    confirm=(_READ,),
    fix=(_REISSUE,),
    source=_X509,
)

WD311 = Entry(
    code="WD311",
    title="A node's own process answers instead of the webhook",
    severity=Severity.ERROR,
    cause="name_mismatch",
    meaning="The certificate is a node's: the kubelet, or another process of the node, has the port. Typical are port 10250 with hostNetwork (the "
    "kubelet's own), and pods on EKS "
    "Fargate, where the kubelet shares the pod's address.",
    decided="The name mismatch shows names of a node of this cluster, of EC2 (`ip-….ec2.internal`, `….compute.internal`) or of Fargate, or a kubelet's "
    "subject (`system:node:…`).",
    confirm=(_READ, "kubectl -n {namespace} get endpointslice -l {slices} -o wide", "kubectl get nodes -o wide"),
    fix=(
        "# Give the webhook another port than {port} in the pod (cert-manager: webhook.securePort=10260), and let the Service's targetPort follow.",
        "kubectl -n {namespace} get service {service} -o yaml",
    ),
    source=_X509 + "; cert-manager documentation on EKS and Fargate",
)

WD312 = Entry(
    code="WD312",
    title="The API server refuses the served certificate",
    severity=Severity.ERROR,
    cause="certificate_invalid",
    meaning="Go's crypto/x509 refuses the certificate for another reason than name, date or authority: it is not for servers (no serverAuth), a CA may not "
    "sign it (path length, name "
    "constraints, not a CA), it has an unknown critical extension, or it is signed with SHA-1.",
    decided="The API server's text, or the verdict on the served chain, says so in Go's words; they stand in the evidence.",
    confirm=(_SERVED, "openssl s_client -connect {endpoint} -servername {server_name} </dev/null 2>/dev/null | openssl x509 -noout -text"),
    fix=("# Issue it again with extended key usage serverAuth and a SHA-256 signature, from a CA whose constraints admit it.", _REISSUE),
    source=_X509,
)

WD313 = Entry(
    code="WD313",
    title="The CA in the caBundle is expired",
    severity=Severity.ERROR,
    cause="certificate_expired",
    meaning="The CA that should vouch for the served certificate has ended. The served certificate may well be valid; nothing vouches for it any more.",
    decided="The caBundle was read: the CA that signed the served certificate, or every certificate in it, is expired, and the served one is not.",
    confirm=(BUNDLE, _READ),
    fix=("# Renew the CA, put the new one into the caBundle, and issue the serving certificate from it.", *_INJECTOR),
    source=_X509,
    blames="callout",
    role="ca_bundle",
)

WD320 = Entry(
    code="WD320",
    title="The port speaks no TLS",
    severity=Severity.ERROR,
    cause="tls_not_spoken",
    meaning="What answers on the port speaks plain HTTP or something else. The Service leads to the wrong port of the pod (metrics, health), or TLS is off "
    "in the webhook's settings.",
    decided="The API server says `first record does not look like a TLS handshake` or `server gave HTTP response to HTTPS client`; or every other vantage "
    "meets the same.",
    confirm=("curl -v http://{endpoint}/ --connect-timeout 3", "kubectl -n {namespace} get service {service} -o yaml"),
    fix=("# Point the Service's targetPort to the TLS port of the webhook, or switch TLS on there.", "kubectl -n {namespace} edit service {service}"),
    source=_TLS,
)

WD321 = Entry(
    code="WD321",
    title="The TLS handshake gets no answer",
    severity=Severity.ERROR,
    cause="tls_timeout",
    meaning="The connection is accepted, then nothing comes: a process that hangs, a middlebox or proxy in between, or an MTU that swallows the first big "
    "packet.",
    decided="The API server says `TLS handshake timeout` (after 10 s), or runs out of time while another vantage sees the handshake stall.",
    confirm=(
        "openssl s_client -connect {endpoint} -servername {server_name} </dev/null",
        "# From a control-plane node, does a full packet get through?",
        "ping -M do -s 1372 -c 3 {address}",
    ),
    fix=(
        "kubectl -n {pod_namespace} logs {pod} --all-containers --tail=50",
        "# If it hangs from the control plane only: look at the MTU of the overlay network and at what inspects TLS.",
    ),
    source="k8s.io/client-go transport/cache.go (TLSHandshakeTimeout 10 s)",
)

WD322 = Entry(
    code="WD322",
    title="No TLS version in common",
    severity=Severity.ERROR,
    cause="tls_alert",
    meaning="The back end offers TLS 1.1 or older only; the API server asks for 1.2 or newer.",
    decided="The API server's text is about the protocol version, or another vantage got an answer in TLS 1.1 or 1.0 only.",
    confirm=("openssl s_client -connect {endpoint} -servername {server_name} -tls1_2 </dev/null",),
    fix=("# Let the webhook offer TLS 1.2 and 1.3 (its minimum and maximum version, or a base image that is less old).",),
    source=_TLS,
)

WD323 = Entry(
    code="WD323",
    title="The back end demands a client certificate",
    severity=Severity.ERROR,
    cause="client_certificate_required",
    meaning="The server wants the caller to identify itself by a certificate. The API server sends none to webhooks unless its admission configuration "
    "gives it one: a mesh sidecar with "
    "strict mTLS in front of the webhook, or client verification switched on without that configuration.",
    decided="The API server's text is a TLS alert about certificates (`certificate required`, `bad certificate`), or every other vantage is asked for one. "
    "With TLS 1.3 the alert comes after the API server's part of the handshake, so its text may also be that of a closed connection (`broken pipe`); another "
    "vantage is asked for a certificate then.",
    confirm=(_SERVED, "kubectl -n {pod_namespace} get pod {pod} -o jsonpath='{{.spec.containers[*].name}}'"),
    fix=(
        "# Mesh: exempt the webhook's port from mTLS (Istio: PeerAuthentication with portLevelMtls PERMISSIVE), or keep the sidecar out of the pod.",
        "# Otherwise: switch client verification off, or give kube-apiserver a kubeconfig for it (--admission-control-config-file).",
    ),
    source=_TLS,
)

WD324 = Entry(
    code="WD324",
    title="The TLS handshake is refused",
    severity=Severity.ERROR,
    cause="tls_alert",
    meaning="The server ends the handshake with an alert: no certificate loaded yet (`internal error`), none for this name (`unrecognized name`), or no "
    "cipher in common.",
    decided="The API server's text is a TLS alert that is neither about the version nor about client certificates; or another vantage gets one.",
    confirm=("openssl s_client -connect {endpoint} -servername {server_name} </dev/null", "kubectl -n {pod_namespace} logs {pod} --all-containers --tail=50"),
    fix=(
        "# `internal error` mostly means that the process has no certificate: see that its Secret is there, mounted, and matches its key.",
        "kubectl -n {pod_namespace} describe pod {pod}",
    ),
    source=_TLS,
)

ENTRIES = (WD301, WD303, WD304, WD305, WD306, WD307, WD308, WD309, WD310, WD311, WD312, WD313, WD320, WD321, WD322, WD323, WD324)
