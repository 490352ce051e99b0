# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in a text one failure begins and ends: the envelopes that the API server and its clients put around a reason. PRIVATE to the collection.

An envelope (`failed calling webhook "x": `, `conversion webhook for ... failed: `, `admission webhook "x" denied the request: `) tells who
failed, the reason behind it why. Sources: k8s.io/apiserver pkg/util/webhook/error.go, pkg/admission/plugin/webhook, pkg/admission/plugin/policy;
apiextensions-apiserver pkg/apiserver/conversion; kube-aggregator remote_available_controller.go; client-go and kubectl.
Every quantifier is bounded: the time is linear in the length.
"""

from __future__ import annotations

import re
from re import Match, Pattern
from typing import NamedTuple


class Envelope(NamedTuple):
    kind: str
    pattern: Pattern[str]
    # Counts only where no other envelope stands around it.
    weak: bool


class Entry(NamedTuple):
    kind: str | None
    head: str
    names: dict[str, str]
    reason: str
    # Within the message of a denial: what a healthy webhook says about something else.
    quoted: bool


def _strong(kind: str, pattern: str) -> Envelope:
    return Envelope(kind, re.compile(pattern), False)


def _weak(kind: str, pattern: str) -> Envelope:
    return Envelope(kind, re.compile(pattern), True)


_KIND = r"(?:(?P<group>[\w.-]{1,253})/)?(?P<version>v\d[a-z0-9]{0,20}), Kind=(?P<gvk_kind>\w{1,63})"
_POLICY = r"['\"](?P<policy>[^'\"\s]{1,253})['\"](?: with binding ['\"](?P<binding>[^'\"\s]{1,253})['\"])?"

ENVELOPES: tuple[Envelope, ...] = (
    _strong(
        "admission",
        r"(?:Failed calling webhook, failing (?P<failing>open|closed) \S{1,253}: )?"
        r"failed calling (?:admission )?webhook,? [\"'`]?(?P<webhook>[^\s\"'`:]{1,253})[\"'`]?[:;]? ?",
    ),
    _strong("admission", r"(?:Validating|Mutating)AdmissionWebhook/(?P<webhook>[^\s\"]{1,253}) has panicked: ?"),
    _strong("modified", r"admission webhook [\"'`](?P<webhook>[^\s\"'`]{1,253})[\"'`] attempted to modify the object"),
    _strong("no_dry_run", r"admission webhook [\"'`](?P<webhook>[^\s\"'`]{1,253})[\"'`] does not support dry run"),
    _strong("denial", r"admission webhook [\"'`](?P<webhook>[^\s\"'`]{1,253})[\"'`] denied the request(?: without explanation)?:? ?"),
    _strong("conversion", r"conversion webhook for " + _KIND + r":? ?"),
    _strong("conversion", r"calling to conversion webhook failed for " + _KIND + r": ?"),
    _strong("conversion", r"conversion (?:webhook response was absent|request failed) for " + _KIND),
    _strong("policy", r"(?:(?P<policy_kind>Validating|Mutating)AdmissionPolicy|policy) " + _POLICY + r" denied request: ?"),
    _strong("policy", r"Validation failed for ValidatingAdmissionPolicy " + _POLICY + r": ?"),
    _strong("autopilot", r"GKE ?Autopilot authz: "),
    # cert-manager's own calls, to an ACME server and to a challenge's URL: a condition's message, or the fields of a log line.
    _strong("acme", r"[Ff]ailed to (?:register|verify|update) (?:an )?ACME account(?:\" \"?err(?:or)?\"?=\"?|:)? ?"),
    _strong("acme_check", r"Waiting for (?:HTTP-01|DNS-01) challenge propagation: "),
    _strong("acme_words", r"(?=\b(?:\d{3} )?urn:ietf:params:acme:error:(?P<acme_error>\w{1,60}))"),
    _strong("acme_hosts", r"ACME server URL host and ACME private key registration host differ"),
    _weak("autopilot", r"GKE Warden rejected the request|denied by autogke-[\w-]{1,80}"),
    _weak("policy", r"violates PodSecurity |is forbidden: exceeded quota: |is forbidden: (?:maximum|minimum) \w{1,60} usage "),
    _weak("istiod_forbidden", r"is forbidden: User \"?system:serviceaccount:[\w.-]{1,63}:istiod[\w.-]{0,253}\"? cannot \w{1,40} resource"),
    _weak("mesh_stream", r"gRPC config stream(?: to [\w.-]{1,100})? closed(?: since \w{1,20} ago)?: (?=14, )"),
    _weak("mesh_proxy", r"Envoy proxy is NOT ready: |config (?:not (?:fully )?received from (?:Pilot|XDS server)|received from XDS server, but was rejected)"),
    _weak(
        "mesh_conflict",
        r"(?:Failed to update (?:validating|mutating)webhookconfiguration (?P<configuration>istio[\w.-]{1,253}) \(failurePolicy=\w{1,20}, ?"
        r"resourceVersion=\w{0,40}\): )(?=Operation cannot be fulfilled on )",
    ),
    _weak(
        "mesh_conflict",
        r"Operation cannot be fulfilled on (?:validating|mutating)webhookconfigurations\.admissionregistration\.k8s\.io "
        r"\"(?P<configuration>istio[\w.-]{1,253})\": ",
    ),
    _weak("forbidden", r"is forbidden: User \"?[^\s\"]{1,300}\"? cannot \w{1,40} resource"),
    _weak(
        "request_timeout",
        r"Timeout: request did not complete within (?:the )?(?:requested|allotted) timeout|\brequest did not complete within requested timeout",
    ),
    _weak("not_ready", r"not yet ready to handle request|storage is \(re\)initializing"),
    _weak("etcd", r"database space exceeded|ETCD storage quota exceeded|OVHcloud storage quota has been reached|quota computation: etcdserver: "),
    _weak("discovery_check", r"(?:failing or missing response from|bad status from|timed out waiting for) (?=\"?https?://)"),
    _weak("missing_endpoints", r"(?:cannot find )?endpoint(?:slice)?s for service/(?P<service>[\w.-]{1,253}) in \"(?P<namespace>[\w-]{1,63})\""),
    _weak(
        "apiservice_service", r"\bservice/(?P<service>[\w.-]{1,253}) in \"(?P<namespace>[\w-]{1,63})\" (?=is not present|is not listening|cannot be checked)"
    ),
    _weak("service_proxy", r"error trying to reach service: "),
    _weak(
        "discovery",
        r"(?:unable to retrieve the complete list of server APIs: |couldn't get resource list for |[Ss]tale GroupVersion discovery: )"
        r"(?P<group>[\w.-]{1,253})/(?P<version>v\d[a-z0-9]{0,20})",
    ),
    _weak(
        "unavailable",
        r"the server is currently unable to handle the request(?: \(\w{1,20} (?P<resource>[\w-]{1,63})(?:\.(?P<group>[\w.-]{1,253}))?\b[^)\n]{0,253}\))?",
    ),
    _weak("client", r"Unable to connect to the server: |Kubernetes cluster unreachable: |couldn't get current server API group list: "),
    _weak("client", r"(?=The connection to the server \S{1,300} was refused)"),
    _weak("lister", r"client-go/informers/factory\.go\S{0,20} [Ff]ailed to (?:list|watch) \S{1,60}WebhookConfiguration: "),
    # An admission plugin of the API server that looks something up through the API server itself.
    _weak("self_lookup", r"is forbidden: (?=(?:Get|Post) \"?https?://[^\s/\"]{1,300}/apis?/)"),
    _weak("call", r"(?=\b(?:Post|Get|Put|Patch|Delete|Head) \"?https?://)"),
    _weak("patch", r"(?:jsonpatch |\b)(?:add|replace|remove|test|copy|move) operation does not apply: "),
)

# Of more the first and the last are judged.
_ENTRIES_LIMIT = 2000
_REASON_LIMIT = 4096

_SEPARATOR = re.compile(r"[,;]\s|\]\s?|\)\s")
# What may stand between a separator of a list and the envelope of its next item.
_LEADING = re.compile(
    r"(?:[\s*\[(-]|\d{1,5} errors? occurred:|Error from server(?: \(\w{1,60}\))?: |[Ee]rror when \w{1,20} \"[^\"\n]{1,300}\": "
    r"|Error creating: |[Ee]rror: |Internal error occurred: |\w{1,40} \"[^\"\s]{1,253}\" is forbidden: )*"
)
# How a line begins that does not go on with the one before it.
_LINE = r"[EIWF]\d{4} \d|\d{4}[-/]\d\d[-/]\d\d|[A-Z][a-z]{2} \d{1,2} \d\d:|\{\"|time=|ts=|level=|Error from server|Error: |Warning |Normal "
_LINE_BEGINS = re.compile(_LINE)
# Where a reason ends at the latest: such a line follows, or the next field of a structured one.
_LOG_END = re.compile(rf"\n(?={_LINE})|\" ?[,}}] ?(?:\"[\w.@-]{{1,60}}\" ?:|$)|\" \w{{1,60}}=")


def entries(text: str) -> list[Entry]:
    """The failures that `text` (see `_text.plain`) tells of, in its order; one without kind for a text with no envelope."""
    flat = text.replace("\n", " ")
    found = [(match.start(), order, match) for order, envelope in enumerate(ENVELOPES) for match in envelope.pattern.finditer(flat)]
    found.sort(key=lambda item: item[:2])
    if len(found) > _ENTRIES_LIMIT:
        found = found[: _ENTRIES_LIMIT // 2] + found[-_ENTRIES_LIMIT // 2 :]
    kept: list[tuple[Envelope, Match[str], bool]] = []
    denied = False
    for _start, order, match in found:
        envelope = ENVELOPES[order]
        if not kept or _separate(text, kept[-1][1].end(), match.start()):
            denied = False
        elif envelope.weak or match.start() < kept[-1][1].end():
            continue
        kept.append((envelope, match, denied))
        denied = denied or envelope.kind in ("denial", "policy")
    if not kept:
        return [Entry(None, "", {}, _reason(text, 0, len(text)), False)]
    ends = [match.start() for _envelope, match, _quoted in kept[1:]] + [len(text)]
    return [
        Entry(envelope.kind, match[0], {key: value for key, value in match.groupdict().items() if value}, _reason(text, match.end(), end), quoted)
        for (envelope, match, quoted), end in zip(kept, ends)
    ]


def _separate(text: str, begin: int, start: int) -> bool:
    """Whether the envelope at `start` is an item beside the one that ended at `begin`, not part of its reason."""
    between = text[max(begin, start - _REASON_LIMIT) : start]
    before, newline, line = between.rpartition("\n")
    # A line that ends with a colon was only wrapped.
    if newline and before.strip() and not before.rstrip().endswith(":") and (_LINE_BEGINS.match(line) or _LEADING.fullmatch(line)):
        return True
    cut = max((match.end() for match in _SEPARATOR.finditer(between, max(0, len(between) - 400))), default=-1)
    return cut >= 0 and bool(_LEADING.fullmatch(between, cut))


def _reason(text: str, start: int, end: int) -> str:
    reason = text[start : min(end, start + _REASON_LIMIT)]
    log_end = _LOG_END.search(reason)
    return reason[: log_end.start()] if log_end else reason
