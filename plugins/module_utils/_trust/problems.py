# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong, or will be, with the certificates of a bundle and of a served chain, whatever the verdict is. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.certificate import Certificate
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.pem import Block

_DAY = 86400.0
_WEAK_RSA = 2048
_MOST_UNUSED = 5  # listed one by one


class Warn(NamedTuple):
    """When an end of life is near: `days` before it, and, where `fraction` is set, only in that last share of the certificate's life."""

    days: float
    fraction: float | None


class Source(NamedTuple):
    """A certificate and where it stands: `position` counts the PEM blocks of the bundle, or the certificates of the chain, from 0."""

    source: str  # bundle | chain
    position: int
    certificate: Certificate


def days_left(certificate: Certificate, now: float) -> float:
    """Days until notAfter, negative once expired, to a hundredth. Source: RFC 5280 4.1.2.5."""
    return round((certificate.not_after[0] - now) / _DAY, 2)


def problem(word: str, message: str, source: str | None = None, index: int = 0, left: float | None = None) -> dict[str, Any]:
    return {"certificate": {"source": source, "index": index} if source else None, "problem": word, "message": message, "days_left": left}


def of_text(text: bytes, blocks: list[Block], unparsable: dict[int, str]) -> Iterator[dict[str, Any]]:
    """Problems of the bundle as PEM. `unparsable`: index of a block -> Go's words. Nothing of the text is repeated: it may be a key."""
    position = 0
    for index, block in enumerate(blocks):
        yield from _between(text[position : block.begin], f" before block {index}")
        position = block.end
        if "PRIVATE KEY" in block.kind:
            yield problem("private_key", _KEY_LEAKED.format(f"block {index} is"), "bundle", index)
        elif block.kind != "CERTIFICATE":
            yield problem("other_block", f"block {index} is not a CERTIFICATE: kube-apiserver skips it", "bundle", index)
        elif block.headers:
            yield problem("other_block", f"block {index} has PEM headers: kube-apiserver skips it", "bundle", index)
        elif index in unparsable:
            yield problem("unparsable", f"block {index} is no certificate, kube-apiserver skips it: {unparsable[index]}", "bundle", index)
    yield from _between(text[position:], f" after block {len(blocks) - 1}" if blocks else "")


_KEY_LEAKED = "{} a private key: everybody who can read the configuration has it. Replace the key pair and take the key out; kube-apiserver ignores it"


def _between(gap: bytes, where: str) -> Iterator[dict[str, Any]]:
    gap = gap.strip()
    if not gap:
        return
    if b"PRIVATE KEY" in gap:
        yield problem("private_key", _KEY_LEAKED.format(f"the text{where} holds what looks like"))
    if b"-----BEGIN " in gap:
        yield problem("unparsable", f"the {len(gap)} bytes{where} begin like a PEM block but do not decode: kube-apiserver skips them")
    else:
        yield problem("garbage", f"the {len(gap)} bytes{where} are not PEM: kube-apiserver skips them")


def of_certificates(sources: list[Source], now: float, warn: Warn) -> Iterator[dict[str, Any]]:
    """Problems that show in the certificates themselves."""
    seen: dict[tuple[str, bytes], int] = {}
    keys: dict[tuple[str, bytes], tuple[int, bytes]] = {}
    for one in sources:
        source, index, certificate = one
        name = f"{source} certificate {index} ({certificate.subject.text or 'no subject'})"
        first = seen.setdefault((source, certificate.der), index)
        if first != index:
            yield problem("duplicate", f"{name} is the same as {source} certificate {first}", source, index)
            continue
        yield from _of_life(one, name, now, warn)
        yield from _of_strength(one, name)
        if source == "bundle" and certificate.is_ca:
            other, key = keys.setdefault((source, certificate.raw_subject), (index, certificate.raw_spki))
            if key != certificate.raw_spki:
                text = f"{name} has the subject of bundle certificate {other} but another key: a rotation is under way, or was left half done"
                yield problem("same_subject_other_key", text, source, index)


def _of_life(one: Source, name: str, now: float, warn: Warn) -> Iterator[dict[str, Any]]:
    certificate, left = one.certificate, days_left(one.certificate, now)
    if now < certificate.not_before[0]:
        yield problem("not_yet_valid", f"{name} is not valid before {certificate.not_before[1]}", one.source, one.position, left)
    elif now > certificate.not_after[0]:
        yield problem("expired", f"{name} expired at {certificate.not_after[1]}", one.source, one.position, left)
    else:
        life = (certificate.not_after[0] - certificate.not_before[0]) / _DAY
        if left <= warn.days and (warn.fraction is None or left <= warn.fraction * life):
            yield problem("expires_soon", f"{name} expires in {left:g} days, at {certificate.not_after[1]}", one.source, one.position, left)


def _of_strength(one: Source, name: str) -> Iterator[dict[str, Any]]:
    certificate = one.certificate
    if certificate.key.kind == "RSA" and certificate.key.bits < _WEAK_RSA:
        accepted = certificate.key.bits >= 1024 or certificate.rules.small_rsa
        refused = "" if accepted else ": kube-apiserver (Go 1.24 and later) does not accept its signatures"
        yield problem("weak_key", f"{name} has an RSA key of {certificate.key.bits} bits{refused}", one.source, one.position)
    if "SHA1" in certificate.signature_name or certificate.signature_name.startswith("MD5"):
        anchor = one.source == "bundle" and certificate.raw_subject == certificate.raw_issuer
        effect = "nobody checks the signature of an anchor" if anchor else "kube-apiserver does not accept it"
        yield problem("weak_signature", f"{name} is signed with {certificate.signature_name}: {effect}", one.source, one.position)


def of_roles(sources: list[Source], chains: list[list[Certificate]] | None) -> Iterator[dict[str, Any]]:
    """Problems of the part that each certificate plays. `chains`: those that Go accepts, null where there is no good verdict."""
    served = [one.certificate for one in sources if one.source == "chain"]
    used = {certificate.der for chain in chains or () for certificate in chain}
    anchors = {one.certificate.der for one in sources if one.source == "bundle"}
    seen: set[tuple[str, bytes]] = set()
    idle: dict[str, list[dict[str, Any]]] = {}
    for source, index, certificate in sources:
        if (source, certificate.der) in seen:
            continue
        seen.add((source, certificate.der))
        name = f"{source} certificate {index} ({certificate.subject.text or 'no subject'})"
        if source == "bundle" and served and certificate.der == served[0].der:
            text = f"{name} is the served certificate itself, pinned: the next one that is issued will not be trusted"
            yield problem("leaf_as_anchor", text, source, index)
        elif (source == "bundle" or index) and not _may_sign(certificate):
            yield problem("not_a_ca", f"{name} is not a CA: nothing that it signed is accepted", source, index)
        elif chains and certificate.der not in used and (source == "bundle" or (index and certificate.der not in anchors)):
            idle.setdefault(source, []).append(problem("unused", f"{name} takes no part in a chain that is accepted", source, index))
    for source, listed in idle.items():
        if len(listed) > _MOST_UNUSED:  # all public roots, mostly
            listed = [problem("unused", f"{len(listed)} certificates of the {source} take no part in a chain that is accepted")]
        yield from listed


def _may_sign(certificate: Certificate) -> bool:
    return (certificate.is_ca or (not certificate.constrained and certificate.version < 3)) and (
        not certificate.key_usage or bool(certificate.key_usage & 1 << 5)
    )
