# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD4xx: what the back end answers. PRIVATE to the collection."""

from __future__ import annotations

from ..finding import Entry
from ..severity import Severity

_STATUS = "k8s.io/apimachinery pkg/api/errors (NewGenericServerResponse); k8s.io/client-go rest"
_REVIEW = "k8s.io/apiserver pkg/admission/plugin/webhook/request/admissionreview.go"

_POST = "curl -vk -X POST -H Content-Type:application/json --data '{{}}' https://{endpoint}{path} --max-time {timeout}"
_LOGS = "kubectl -n {pod_namespace} logs {pod} --all-containers --tail=50"

WD401 = Entry(
    code="WD401",
    title="The back end has no such path (HTTP 404)",
    severity=Severity.ERROR,
    cause="http_status",
    meaning="The server answers 404: the path of the call-out is not one of its own. Typical after an upgrade that moved the path, or where another "
    "application answers.",
    decided="The API server says `the server could not find the requested resource`, or every other vantage gets 404 for a review at that path.",
    confirm=(_POST, "kubectl get {resource} {config} -o jsonpath={client_jsonpath}"),
    fix=(
        "# Set the path of the call-out to the one that this version of the application serves (its own manifests name it).",
        "kubectl edit {resource} {config}",
    ),
    source=_STATUS,
    blames="callout",
)

WD402 = Entry(
    code="WD402",
    title="The back end refuses the API server (HTTP 401, 403)",
    severity=Severity.ERROR,
    cause="http_status",
    meaning="The server wants to know who calls, or does not admit the API server. The API server sends no credentials to webhooks unless its admission "
    "configuration gives it some. A "
    "mesh sidecar with an authorisation policy, or an authenticating proxy in front of the webhook, does this.",
    decided="The API server says `the server has asked for the client to provide credentials` or passes on a 403, or every other vantage gets 401 or 403.",
    confirm=(_POST, _LOGS),
    fix=(
        "# Exempt the webhook's path from authentication and from mesh authorisation policies.",
        "# Or give kube-apiserver credentials for it: --admission-control-config-file with a kubeconfig.",
    ),
    source=_STATUS,
)

WD403 = Entry(
    code="WD403",
    title="The back end limits the rate (HTTP 429)",
    severity=Severity.ERROR,
    cause="http_status",
    meaning="The server, or a gateway in front of it, refuses calls because there are too many. Each refused call is a refused request.",
    decided="The API server says `the server has received too many requests`, or every other vantage gets 429.",
    confirm=(_POST, _LOGS),
    fix=("# Raise the limit or the number of replicas, and narrow the rules of the webhook to what it needs.", "kubectl get {resource} {config} -o yaml"),
    source=_STATUS,
)

WD404 = Entry(
    code="WD404",
    title="The back end fails (HTTP 5xx)",
    severity=Severity.ERROR,
    cause="http_status",
    meaning="The server answers that it is broken or unavailable. From a mesh sidecar or gateway 502, 503 and 504 mean that the process behind it does not "
    "answer.",
    decided="The API server says `an error on the server`, `the server is currently unable to handle the request` or the like, or every other vantage gets "
    "5xx.",
    confirm=(_POST, _LOGS),
    fix=(_LOGS, "kubectl -n {pod_namespace} describe pod {pod}"),
    source=_STATUS,
)

WD405 = Entry(
    code="WD405",
    title="The back end rejects the request (HTTP 4xx)",
    severity=Severity.ERROR,
    cause="http_status",
    meaning="The server does not accept a review there: it allows other methods only (405), does not understand the content (400, 415), or the request is "
    "too big for it (413).",
    decided="The API server says `the server rejected our request`, `does not allow this method` or names such a status, or every other vantage gets it.",
    confirm=(_POST, _LOGS),
    fix=("# Check the path, and which review versions the server understands (v1, v1beta1).", "kubectl get {resource} {config} -o yaml", _LOGS),
    source=_STATUS,
)

WD406 = Entry(
    code="WD406",
    title="The back end redirects (HTTP 3xx)",
    severity=Severity.ERROR,
    cause="http_status",
    meaning="The server sends the API server elsewhere: to a login page, to another host, or to the same path with a slash. A review does not survive that.",
    decided="A vantage that follows no redirects gets 3xx, while the API server fails in whatever way the place that it was sent to fails.",
    confirm=(_POST,),
    fix=("# Name the final path in the call-out, and keep login pages and HTTP-to-HTTPS redirects away from it.", "kubectl edit {resource} {config}"),
    source=_STATUS,
    blames="callout",
)

WD410 = Entry(
    code="WD410",
    title="What answers is not an admission server",
    severity=Severity.ERROR,
    cause="not_an_admission_server",
    meaning="The answer is a web page, or JSON of another kind, not a review. The Service leads to another application or port, or the path belongs to "
    "something else.",
    decided="The API server says `couldn't get version/kind; json parse error`, `no kind …` or the like, or other vantages get an answer that is no review.",
    confirm=(_POST, "kubectl -n {namespace} get endpointslice -l {slices} -o wide"),
    fix=("# See who answers, and point the Service, its port or the path to the webhook.", "kubectl -n {namespace} get service {service} -o yaml"),
    source=_REVIEW,
)

WD411 = Entry(
    code="WD411",
    title="The review comes back invalid",
    severity=Severity.ERROR,
    cause="invalid_response",
    meaning="The server answers with a review that the API server does not accept: no response in it, the uid of another request, another version, a patch "
    "without patchType or one that "
    "does not apply. That is a defect of the webhook.",
    decided="The API server says `received invalid webhook response` or `undecodable patch`, or other vantages get such an answer to a harmless review.",
    confirm=(_LOGS, "kubectl get {resource} {config} -o yaml"),
    fix=("# Report it to the webhook's makers with the text in the evidence; until then use the version that worked.", _LOGS),
    source=_REVIEW,
)

WD412 = Entry(
    code="WD412",
    title="The answer is cut off",
    severity=Severity.ERROR,
    cause="invalid_response",
    meaning="The body ends before it is complete: the process died while it answered, or something in between cuts.",
    decided="The API server says `unexpected EOF` or `unexpected end of JSON input` about the body, or other vantages get a body that is shorter than "
    "announced.",
    confirm=(_POST, _LOGS),
    fix=(
        "# Look for crashes and for limits (memory, response size) of the pod and of gateways in front of it.",
        "kubectl -n {pod_namespace} describe pod {pod}",
        _LOGS,
    ),
    source=_REVIEW,
)

WD413 = Entry(
    code="WD413",
    title="The connection is closed instead of an answer",
    severity=Severity.ERROR,
    cause="connection_closed",
    meaning="TLS works, the request is sent, and the connection ends without an answer: the handler panics, the process is killed, or a sidecar gives up "
    "on it.",
    decided="The API server says `EOF` or `connection reset by peer`, and another vantage got a certificate there, so it is not the handshake that fails.",
    confirm=(_POST, _LOGS),
    fix=(_LOGS, "kubectl -n {pod_namespace} get pod {pod} -o jsonpath='{{.status.containerStatuses[*].lastState}}'"),
    source="Go net/http",
)

WD420 = Entry(
    code="WD420",
    title="The conversion webhook returns wrong objects",
    severity=Severity.ERROR,
    cause="conversion_failed",
    meaning="The webhook answers, and its objects are not what was asked for: another version, another number of them, changed metadata, or a failure of "
    "its own. Reads fail too: every GET, "
    "LIST and WATCH in a version that is not stored, and with it garbage collection and whoever uninstalls.",
    decided="The API server says `conversion webhook for … failed` or `returned …`, and none of the reasons is the network, TLS or HTTP; or other vantages "
    "get such an answer.",
    confirm=("kubectl get {resource} {config} -o jsonpath={client_jsonpath}", _LOGS),
    fix=(
        "# Look for what the webhook says; make its version fit the versions that the CRD serves.",
        _LOGS,
        "kubectl get {resource} {config} -o jsonpath='{{.status.storedVersions}}'",
    ),
    source="k8s.io/apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go",
)

WD430 = Entry(
    code="WD430",
    title="The aggregated API is unavailable",
    severity=Severity.ERROR,
    cause="aggregated_api_unavailable",
    meaning="The API server cannot use the server behind an APIService, and no more precise reason is known. Discovery of all APIs is impaired too: "
    "kubectl, garbage collection and the "
    "deletion of namespaces stumble over it.",
    decided="The condition Available of the APIService is False, and neither its message nor another vantage says why.",
    confirm=("kubectl get apiservice {config} -o yaml", "kubectl -n {namespace} get endpointslice -l {slices} -o wide"),
    fix=("# Bring the server back, or remove the APIService if its application is gone.", "kubectl -n {namespace} get pods -l {selector} -o wide", _LOGS),
    source="k8s.io/kube-aggregator pkg/controllers/status/remote/remote_available_controller.go",
    blames="callout",
)

ENTRIES = (WD401, WD402, WD403, WD404, WD405, WD406, WD410, WD411, WD412, WD413, WD420, WD430)
