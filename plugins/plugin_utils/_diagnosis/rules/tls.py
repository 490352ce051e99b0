# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WD3xx: TLS and trust, where calls fail because of it. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..ca_source import source_lines
from ..catalogue import tls as catalogue
from ..finding import Finding
from ..observed import Certificate
from ..words import certificate_line

if TYPE_CHECKING:
    from ..case import Case
    from ..judgement import Judgement

_SIMPLE = {
    entry.cause: entry for entry in (catalogue.WD304, catalogue.WD308, catalogue.WD310, catalogue.WD312, catalogue.WD320, catalogue.WD321, catalogue.WD323)
}
_OLD_VERSIONS = frozenset({"SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1"})
_VERSION_TEXT = re.compile(r"protocol[ _]version|unsupported[ _]protocol|no supported versions", re.IGNORECASE)
# Names that only nodes have: EC2's, Fargate's, and the subjects of kubelet certificates (signed by the cluster, or made by the kubelet itself).
_NODE_NAME = re.compile(r"^ip-\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}\b|^fargate-ip-|\.compute\.internal$|\.ec2\.internal$")
_KUBELET_SUBJECT = re.compile(r"system:node:|@\d{10}$")


def refused_as_it_is(case: Case) -> Iterator[Finding]:
    """The causes that have one code each."""
    judged = case.judgement
    entry = _SIMPLE.get(judged.cause)
    if judged.fails and entry:
        yield entry.about(case, _explained(judged, *_certificates(case)), phase=judged.phase)


def authority_unknown(case: Case) -> Iterator[Finding]:
    """WD303 without a caBundle, WD313 where the right CA is in it but expired, else WD301."""
    judged = case.judgement
    if not judged.fails or judged.cause != "unknown_authority":
        return
    if not case.callout["ca_bundle"].strip():
        yield catalogue.WD303.about(case, _explained(judged, "the caBundle is empty", *source_lines(case), *_certificates(case)), phase=judged.phase)
        return
    expired = _expired_authorities(case)
    if expired or judged.code == "WD313":
        yield catalogue.WD313.about(
            case, _explained(judged, *(certificate_line(one, "in the caBundle") for one in expired)), cause="certificate_expired", phase=judged.phase
        )
        return
    conclusions = []
    leaf = _leaf(case)
    if leaf and any(one.subject == leaf.issuer for one in case.bundle):
        conclusions.append("the caBundle has a CA of the issuer's name with another key: the CA was made again")
    if case.served and all(trust.trusted for trust in case.served):
        conclusions.append("what this host is served verifies against the caBundle, so the API server is served another certificate")
    bundled = (certificate_line(one, "in the caBundle") for one in case.bundle)
    yield catalogue.WD301.about(case, _explained(judged, *conclusions, *source_lines(case), *_certificates(case), *bundled), phase=judged.phase)


def certificate_expired(case: Case) -> Iterator[Finding]:
    """WD313 where it is the CA, WD307 where it is what the back end serves."""
    judged = case.judgement
    if not judged.fails or judged.cause != "certificate_expired":
        return
    expired = _expired_authorities(case)
    if judged.code == "WD313" or expired:
        yield catalogue.WD313.about(case, _explained(judged, *(certificate_line(one, "in the caBundle") for one in expired)), phase=judged.phase)
    else:
        yield catalogue.WD307.about(case, _explained(judged, *_certificates(case)), phase=judged.phase)


def _expired_authorities(case: Case) -> list[Certificate]:
    """Expired certificates of the caBundle that would vouch for the served chain, if nothing that is served has ended itself."""
    chain = next((trust.chain for trust in case.served if trust.chain), ())
    if not chain or any(_ended(one) for one in chain):
        return []
    issuers = {one.issuer for one in chain}
    return [one for one in case.bundle if _ended(one) and one.subject in issuers]


def _ended(certificate: Certificate) -> bool:
    return certificate.days_left is not None and certificate.days_left < 0


def wrong_name(case: Case) -> Iterator[Finding]:
    """WD311 where the certificate is a node's, else WD309."""
    judged = case.judgement
    if not judged.fails or judged.cause != "name_mismatch":
        return
    leaf = _leaf(case)
    names = set(leaf.names) if leaf else set()
    names |= {name.strip() for name in str(judged.names.get("valid_for") or "").split(",") if name.strip()}
    of_node = sorted(names & _node_names(case)) or sorted(name for name in names if _NODE_NAME.search(name))
    if not of_node and leaf and _KUBELET_SUBJECT.search(leaf.subject):
        of_node = [leaf.subject]
    if of_node or judged.code == "WD311":
        conclusions = [f"{', '.join(of_node)} is a node, no Service"] if of_node else []
        yield catalogue.WD311.about(case, _explained(judged, *conclusions, *_certificates(case)), phase=judged.phase)
    else:
        yield catalogue.WD309.about(case, _explained(judged, *_certificates(case)), phase=judged.phase)


def _node_names(case: Case) -> frozenset[str]:
    return case.cluster.node_names


def refused_by_alert(case: Case) -> Iterator[Finding]:
    """WD322 where it is about the version, else WD324."""
    judged = case.judgement
    if not judged.fails or judged.cause != "tls_alert":
        return
    probes = case.of_vantage("apiserver", "service_proxy", "port_forward", "direct")
    old = any(probe.tls_version in _OLD_VERSIONS for probe in probes) or any(_VERSION_TEXT.search(probe.error or "") for probe in probes)
    entry = catalogue.WD322 if old or judged.code == "WD322" else catalogue.WD324
    yield entry.about(case, judged.because, phase=judged.phase)


def _explained(judged: Judgement, *lines: str) -> list[str]:
    """The evidence: first the words that decided, then what explains them, then what else was seen. A summary shows the first lines only."""
    return [*judged.because[:1], *lines, *judged.because[1:]]


def _leaf(case: Case) -> Certificate | None:
    refused = [trust for trust in case.served if trust.trusted is False] or case.served
    return refused[0].leaf if refused else None


def _certificates(case: Case) -> Iterable[str]:
    leaf = _leaf(case)
    return [certificate_line(leaf, "the served certificate")] if leaf else []


CASE_RULES = (refused_as_it_is, authority_unknown, certificate_expired, wrong_name, refused_by_alert)
CLUSTER_RULES = ()
