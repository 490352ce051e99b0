# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CA certificates that are to be put into a caBundle, and whether the API server would trust what is served with it. Pure. PRIVATE to the collection.

The verdict is that of cabundle_verify (module_utils/_trust), made on the controller: a bundle that would not verify must not get into a plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class CannotVerify(Exception):
    """Nothing can be verified on this controller. The text says why, and the way out."""


@dataclass(frozen=True)
class Authority:
    """One certificate of a bundle. pem: its block alone. ends: notAfter, seconds since 1970. self_issued: subject and issuer are the same."""

    pem: str
    sha256: str
    subject: str
    ends: float
    self_issued: bool
    is_ca: bool

    def expired(self, at: datetime) -> bool:
        return self.ends < at.timestamp()


class Verifier:
    """Verdicts for one API server at one moment.

    version: `version` of the facts, which decides by which rules of Go. at: aware UTC, the time of the observation.
    Raises CannotVerify where the library cryptography is missing.
    """

    def __init__(self, version: Mapping[str, Any], at: datetime) -> None:
        try:
            # Imported here, because everything else of remediating works without the library.
            from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust import certificate, der, go_rules, pem, problems, verdict
        except ImportError as error:
            raise CannotVerify(f"verifying a caBundle needs cryptography >= 42 on the controller ({error}): pip install 'cryptography>=42'") from error
        self._at = at
        self._pem, self._certificate, self._der, self._verdict = pem, certificate, der, verdict
        self._rules = go_rules.rules_of_server(version)
        self._options = verdict.Options(problems.Warn(0, None), at.timestamp(), None, self._rules)

    def read(self, text: str) -> tuple[Authority, ...]:
        """The certificates of a PEM text that the API server can parse, each once, in their order."""
        data = text.encode("utf-8", "replace")
        found: dict[str, Authority] = {}
        for block in self._pem.blocks(data, self._rules):
            if block.kind != "CERTIFICATE" or block.headers:
                continue
            try:
                one = self._certificate.Certificate(block.body, self._rules)
            except self._der.Malformed:
                continue
            block_text = data[block.begin : block.end].decode("utf-8", "replace").strip() + "\n"
            own = one.raw_subject == one.raw_issuer
            found.setdefault(one.sha256, Authority(block_text, one.sha256, one.subject.text, float(one.not_after[0]), own, bool(one.is_ca)))
        return tuple(found.values())

    def refusal(self, ca_bundle: str, chains: Iterable[Sequence[str]], server_name: str) -> str | None:
        """Why the API server would refuse one of the served chains (PEM, leaf first) with this caBundle, in Go's words; None where it trusts all of them."""
        questions = [{"name": server_name, "ca_bundle": ca_bundle, "chain": list(chain), "server_name": server_name} for chain in chains]
        try:
            verdicts = self._verdict.judge(questions, self._options)
        except self._verdict.InvalidBundle as error:
            return str(error)
        return next((str(verdict["error"]) for verdict in verdicts if not verdict["trusted"]), None)


def merged(old: Iterable[Authority], new: Iterable[Authority], at: datetime, drop_expired: bool) -> str:
    """The PEM of old and new together, each certificate once, the old ones first: during a rotation something may still serve a certificate of the old CA.

    Of the old ones those that have ended are left out if that was asked for, of the new ones always.
    """
    kept = {one.sha256: one for one in old if not (drop_expired and one.expired(at))}
    for one in new:
        if not one.expired(at):
            kept.setdefault(one.sha256, one)
    return "".join(one.pem for one in kept.values())


def served_authorities(verifier: Verifier, chains: Iterable[Sequence[str]]) -> tuple[Authority, ...]:
    """The CA that every served chain brings along (a leaf that vouches for itself is one, too); () where a chain lacks it, or they do not agree."""
    found: dict[str, Authority] = {}
    for chain in chains:
        own = [one for one in verifier.read("".join(f"{pem.strip()}\n" for pem in chain)) if one.self_issued]
        if len(own) != 1:
            return ()
        found[own[0].sha256] = own[0]
    return tuple(found.values()) if len(found) == 1 else ()
