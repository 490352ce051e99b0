# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Go versions that build kube-apiserver decide differently, from 1.22 to 1.26. PRIVATE to the collection.

Two things count: the toolchain, whose code it is (`goVersion` of /version), and the defaults of the GODEBUG settings, which Kubernetes pins to the Go
version of its minor (`godebug default=` in its go.mod, or else its `go` line), so that a patch release built with a newer toolchain keeps them.
Of each minor version of Go the rules are those of its late patch releases (1.22.12, 1.23.12, 1.24.13, 1.25.8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

OLDEST, LATEST = 22, 26  # minor versions of Go: what is older or newer is judged like these

_GO = re.compile(r"(?:go)?(\d{1,4})\.(\d{1,4})(?!\d)(?:[.\s+-].*|rc\d.*|beta\d.*)?|devel\b.*", re.S)
_KUBERNETES = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?!\d)(?:[.+-].*)?", re.S)
# Minor of Kubernetes -> minor of Go in its go.mod. What is newer has the latest, what is older the oldest. Source: go.mod of k8s.io/kubernetes.
_PINNED = {30: 22, 31: 22, 32: 23, 33: 24, 34: 24, 35: 25, 36: 26, 37: 26}


class Rules(NamedTuple):
    """What is decided. Where a comment ends in a version, that is the first (since) or the last (until) one with the rule."""

    # GODEBUG settings (internal/godebugs/table.go)
    negative_serial: bool  # accepted: x509negativeserial, until 1.22. crypto/x509 parser.go parseCertificate
    small_rsa: bool  # keys below 1024 bits are accepted: rsa1024min, until 1.23. crypto/rsa rsa.go checkKeySize
    strict_colons: bool  # an http(s) URI has one colon in its host: urlstrictcolons, since 1.26. net/url url.go parseHost

    # crypto/x509 parser.go
    critical_identifiers: bool  # key identifiers and authority info access may be critical, until 1.22. processExtensions, parseAuthorityKeyIdentifier
    repeated_extension_named: bool  # the text about a repeated extension has its OID, since 1.23. parseCertificate
    policies: bool  # policy constraints, mappings, inhibitAnyPolicy are understood, a policy is there once, since 1.24. processExtensions
    strict_strings: bool  # T61String is Latin-1, BMPString has no surrogates, since 1.25. parseASN1String
    negative_path_length: bool  # accepted, without effect, until 1.24. parseBasicConstraintsExtension
    point_errors: bool  # a wrong point of a curve is told by crypto/ecdsa, since 1.26. parsePublicKey

    # Domains: domainToReverseLabels of crypto/x509 verify.go, domainNameValid of parser.go
    leading_dot: bool  # a name may begin with an empty label, until 1.22
    dot_constraint: bool  # "." alone is a constraint, until 1.23

    # crypto/x509 verify.go, constraints.go, x509.go
    bare_wildcard: bool  # "*" stands for a host of one label, until 1.22. validHostname
    names_counted: bool  # a hundred names are counted, not listed, since 1.24. HostnameError.Error
    empty_host: bool  # the host "." is one empty label, which a Common Name "*" matches, since 1.26. matchHostnames
    excluded_wildcards: bool  # an excluded host excludes the wildcard that covers it, since 1.24. matchDomainConstraint
    constraints_sorted: bool  # name constraints are searched in finished chains, since 1.26. checkChainConstraints; else isValid
    all_candidates_counted: bool  # also those that are in the chain already count as a signature check, since 1.26. buildChains
    spki_compared: bool  # a key is in the chain already if its bytes are, since 1.24. alreadyInChain
    sha1_advice: bool  # the text about SHA-1 tells how to override, until 1.23. InsecureAlgorithmError.Error
    candidates_named: bool  # "candidate chains" in the text about refused chains, since 1.26. Verify

    # other packages
    any_zone: bool  # an offset from UTC may have more than 24 hours, until 1.22. time format.go parse
    rsa_checked: bool  # modulus and exponent are checked before the signature, since 1.24. crypto/internal/fips140/rsa checkPublicKey
    pem_by_end: bool  # a block begins at the last BEGIN before the first END, since 1.24.8. encoding/pem pem.go Decode
    literals_checked: bool  # brackets in a URI hold an IPv6 address, since 1.24.8. net/url url.go parseHost
    literals_lead: bool  # and nothing is before them, since 1.25.2. parseHost


def rules(go_version: str | None = None, kubernetes_version: str | None = None) -> Rules:
    """The rules of a kube-apiserver of these versions (`goVersion` and `gitVersion` of /version). Raises ValueError.

    Without a Go version it is the one of the minor version of Kubernetes; with neither, the latest.
    """
    pinned = _pinned(kubernetes_version) if kubernetes_version else None
    toolchain = _toolchain(go_version) if go_version else pinned or LATEST
    return _rules(toolchain, min(pinned or toolchain, toolchain))


def rules_of_server(version: Mapping[str, Any]) -> Rules:
    """The rules of the API server with this `version` of the facts. What a server says that is no version counts as unknown: nobody here wrote it."""
    known: dict[str, str | None] = {}
    for name, option in (("go_version", "go_version"), ("git_version", "kubernetes_version")):
        with suppress(ValueError):
            rules(**{option: version.get(name)})
            known[option] = version.get(name)
    return rules(**known)


def _toolchain(text: str) -> int:
    match = _GO.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"go_version: {text[:100]!r} is not a version of Go like go1.24.13")
    return _known(int(match[2]) if match[1] == "1" else LATEST) if match[1] else LATEST


def _pinned(text: str) -> int:
    match = _KUBERNETES.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"kubernetes_version: {text[:100]!r} is not a version of Kubernetes like v1.32.5")
    minor = int(match[2])
    return _PINNED.get(minor, OLDEST if minor < min(_PINNED) else LATEST) if match[1] == "1" else LATEST


def _known(minor: int) -> int:
    return max(OLDEST, min(minor, LATEST))


@lru_cache(maxsize=32)
def _rules(toolchain: int, defaults: int) -> Rules:
    return Rules(
        negative_serial=defaults < 23,
        small_rsa=defaults < 24,
        strict_colons=defaults >= 26,
        critical_identifiers=toolchain < 23,
        repeated_extension_named=toolchain >= 23,
        policies=toolchain >= 24,
        strict_strings=toolchain >= 25,
        negative_path_length=toolchain < 25,
        point_errors=toolchain >= 26,
        leading_dot=toolchain < 23,
        dot_constraint=toolchain < 24,
        bare_wildcard=toolchain < 23,
        names_counted=toolchain >= 24,
        empty_host=toolchain >= 26,
        excluded_wildcards=toolchain >= 24,
        constraints_sorted=toolchain >= 26,
        all_candidates_counted=toolchain >= 26,
        spki_compared=toolchain >= 24,
        sha1_advice=toolchain < 24,
        candidates_named=toolchain >= 26,
        any_zone=toolchain < 23,
        rsa_checked=toolchain >= 24,
        pem_by_end=toolchain >= 24,
        literals_checked=toolchain >= 24,
        literals_lead=toolchain >= 25,
    )


NEWEST = rules()
