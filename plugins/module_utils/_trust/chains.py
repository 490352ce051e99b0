# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a chain leads to an anchor, as Go's crypto/x509 decides it. PRIVATE to the collection.

The order of the checks is Go's, because the first failure is the one that is reported. Source: crypto/x509 Certificate.Verify, buildChains, CertPool.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.certificate import Certificate
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import NEWEST, Rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.keys import signature_error
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.names import hostname_error
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import quote, utc

# One verdict never costs more signature checks than this, whatever a bundle holds. Source: maxChainSignatureChecks.
SIGNATURE_CHECKS = 100

UNKNOWN_AUTHORITY = "x509: certificate signed by unknown authority"


class Refusal(NamedTuple):
    error: str  # Go's words
    cause: str  # of the vocabulary


class _Panic(Exception):
    """Go's own code fails here, and the API server's process with it."""


_BUDGET_SPENT = Refusal("x509: signature check attempts limit reached while verifying certificate chain", "certificate_invalid")


class Pool:
    """Certificates without duplicates, in order, found by subject."""

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        self.certificates: dict[bytes, Certificate] = {}
        self._by_subject: dict[bytes, list[Certificate]] = {}
        for certificate in certificates:
            if certificate.der not in self.certificates:
                self.certificates[certificate.der] = certificate
                self._by_subject.setdefault(certificate.raw_subject, []).append(certificate)

    def parents(self, child: Certificate) -> list[Certificate]:
        """Those with the issuer's name: first where the key ids agree, then where one of them is missing, then the others."""
        ranks: tuple[list[Certificate], ...] = ([], [], [])
        for candidate in self._by_subject.get(child.raw_issuer, ()):
            ids = candidate.subject_key_id, child.authority_key_id
            ranks[0 if ids[0] == ids[1] else 1 if not all(ids) else 2].append(candidate)
        return [*ranks[0], *ranks[1], *ranks[2]]


class Verifier:
    """One verification: roots, intermediates and the time (seconds since 1970). Remembers signature checks for `signatures`' owner."""

    def __init__(self, roots: Pool, intermediates: Pool, now: float, signatures: dict[tuple[bytes, bytes], str | None], rules: Rules = NEWEST) -> None:
        self._pools = ((roots, True), (intermediates, False))
        self._roots = roots
        self._now = now
        self._signatures = signatures
        self._rules = rules
        self._checks = 0

    def verify(self, leaf: Certificate, name: str) -> Refusal | list[list[Certificate]]:
        """The chains (leaf first, anchor last) that Go accepts for a server called `name` ("": any), or why there is none."""
        refusal = self._invalid(leaf, [], False)
        if refusal:
            return refusal
        mismatch = hostname_error(leaf, name) if name else None
        if mismatch:
            return Refusal(mismatch, "name_mismatch" if leaf.has_san else "no_san")
        try:
            found: Refusal | list[list[Certificate]] = [[leaf]] if leaf.der in self._roots.certificates else self._build([leaf])
        except _Panic as error:
            return Refusal(str(error), "certificate_invalid")
        return found if isinstance(found, Refusal) else _acceptable(found, self._rules)

    def _build(self, chain: list[Certificate]) -> Refusal | list[list[Certificate]]:
        """Every way from the end of `chain` to a root. The last refusal outlives a failed signature that comes after it: Go's rule."""
        child = chain[-1]
        chains: list[list[Certificate]] = []
        refusal: Refusal | None = None
        hint: tuple[str, Certificate] | None = None
        for parent, is_root in ((parent, is_root) for pool, is_root in self._pools for parent in pool.parents(child)):
            if refusal is _BUDGET_SPENT and (self._rules.spki_compared or parent.key.kind != "DSA"):
                continue  # until Go 1.23 the others are still compared with the chain, which matters for a key that panics
            candidate = parent.key.kind is not None and not _already_in(chain, parent)
            self._checks += candidate or self._rules.all_candidates_counted
            if self._checks > SIGNATURE_CHECKS:
                refusal = _BUDGET_SPENT
                continue
            if not candidate:
                continue
            unsigned = self._signature_error(child, parent)
            if unsigned:
                hint = hint or (unsigned, parent)
                continue
            refusal = self._invalid(parent, chain, not is_root)
            if refusal:
                hint = hint or (refusal.error, parent)
                continue
            if is_root:
                chains.append([*chain, parent])
                continue
            longer = self._build([*chain, parent])
            refusal = longer if isinstance(longer, Refusal) else None
            chains += longer if isinstance(longer, list) else []
        if chains:
            return chains
        return refusal or Refusal(UNKNOWN_AUTHORITY + _hint(hint), "unknown_authority")

    def _signature_error(self, child: Certificate, parent: Certificate) -> str | None:
        key = (child.der, parent.der)
        if key not in self._signatures:
            self._signatures[key] = signature_error(child, parent)
        return self._signatures[key]

    def _invalid(self, certificate: Certificate, chain: Sequence[Certificate], intermediate: bool) -> Refusal | None:
        """What forbids the certificate itself on top of `chain` (empty: it is the leaf). Key usage does not count, as in Go."""
        if certificate.unhandled_critical:
            return Refusal("x509: unhandled critical extension", "certificate_invalid")
        expired = "x509: certificate has expired or is not yet valid: current time "
        if self._now < certificate.not_before[0]:
            return Refusal(f"{expired}{utc(self._now)} is before {certificate.not_before[1]}", "certificate_not_yet_valid")
        if self._now > certificate.not_after[0]:
            return Refusal(f"{expired}{utc(self._now)} is after {certificate.not_after[1]}", "certificate_expired")
        if chain and certificate.has_constraints and not self._rules.constraints_sorted:
            violated = _violation_of(certificate, chain)
            if violated:
                return Refusal(violated, "certificate_invalid")
        if intermediate and not certificate.is_ca:
            return Refusal("x509: certificate is not authorized to sign other certificates", "certificate_invalid")
        if certificate.constrained and 0 <= certificate.max_path_length < len(chain) - 1:
            return Refusal("x509: too many intermediates for path length constraint", "certificate_invalid")
        return None


def _already_in(chain: Sequence[Certificate], candidate: Certificate) -> bool:
    """Same subject, key and alternative names: a loop of cross-signed certificates."""
    for certificate in chain:
        if candidate.raw_subject == certificate.raw_subject and _same_key(candidate, certificate):
            if candidate.raw_san == certificate.raw_san:
                return True
            if candidate.raw_san is None or certificate.raw_san is None:
                return False
    return False


def _same_key(candidate: Certificate, certificate: Certificate) -> bool:
    if candidate.rules.spki_compared:
        return candidate.raw_spki == certificate.raw_spki
    if candidate.key.kind == "DSA":
        raise _Panic("interface conversion: *dsa.PublicKey is not x509.pubKeyEqual: missing method Equal")
    return candidate.key == certificate.key


def _hint(hint: tuple[str, Certificate] | None) -> str:
    if hint is None:
        return ""
    error, certificate = hint
    name = certificate.subject.common_name or certificate.subject.organization
    name = f"serial:{_decimal(certificate.serial)}" if name is None else name
    return f" (possibly because of {quote(error)} while trying to verify candidate authority certificate {quote(name)})"


def _decimal(number: int) -> str:
    """Python refuses to write very long integers in decimal, and Go's text of them helps nobody."""
    return str(number) if number.bit_length() < 4096 else f"{number:#x}"[:64] + "..."


def _acceptable(chains: list[list[Certificate]], rules: Rules) -> Refusal | list[list[Certificate]]:
    """The chains that stand policies, extended key usage and name constraints."""
    accepted, no_policy, no_usage, name_violation = [], 0, 0, None
    for chain in chains:
        if not _policies_valid(chain):
            no_policy += 1
        elif not all(certificate.server_auth for certificate in chain):
            no_usage += 1
        else:
            violation = _violation(chain) if rules.constraints_sorted else None
            name_violation = name_violation or violation
            if not violation:
                accepted.append(chain)
    if accepted:
        return accepted
    if name_violation:
        error = f"x509: a root or intermediate certificate is not authorized to sign for this name: {name_violation}"
    elif no_usage and not no_policy:
        error = "x509: certificate specifies an incompatible key usage"
    else:
        error = "x509: no valid chains built: " + _refused(no_usage, no_policy, rules)
    return Refusal(error, "certificate_invalid")


def _refused(no_usage: int, no_policy: int, rules: Rules) -> str:
    if not no_usage and not rules.candidates_named:
        return "all candidate chains have invalid policies"
    chains = "candidate chains" if rules.candidates_named else "chains"
    usage = [f"{no_usage} {chains} with incompatible key usage"] if no_usage else []
    return ", ".join([*usage, f"{no_policy} {chains} with invalid policies"])


# Few chains have policies or constraints: their code is loaded (and compiled, on every task) only for those.
def _policies_valid(chain: Sequence[Certificate]) -> bool:
    if all(certificate.require_explicit_policy < 0 and not certificate.policy_mappings for certificate in chain):
        return True
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.policies import policies_valid

    return policies_valid(chain)


def _violation(chain: Sequence[Certificate]) -> str | None:
    if not any(certificate.has_constraints for certificate in chain):
        return None
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.constraints import violation

    return violation(chain)


def _violation_of(issuer: Certificate, chain: Sequence[Certificate]) -> str | None:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.constraints_one_by_one import violation

    return violation(issuer, chain)
