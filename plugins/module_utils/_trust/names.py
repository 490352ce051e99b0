# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host names, domains and mailboxes as Go's crypto/x509 judges them. PRIVATE to the collection.

Sources: crypto/x509 Certificate.VerifyHostname, HostnameError, domainNameValid, domainToReverseLabels, parseRFC2821Mailbox.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import Rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import ip_text, lower, parse_ip, unmapped

if TYPE_CHECKING:
    from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.certificate import Certificate

_LABEL = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_PATTERN = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_DOMAIN = re.compile(r"(?:[!-\-/-~]+\.)*[!-\-/-~]+")
_QUOTED = re.compile(r'"((?:[\x01-\x08\x0b\x0c\x0e-!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*)"@')
_ATOM = re.compile(r"((?:[0-9A-Za-z!#$%&'*+/=?^_`{|}~.-]|\\[\x00-\xff])+)@")
_MOST_NAMES = 100
_LONGEST_MAILBOX = 1 << 16  # Go has no limit, but the patterns above need memory for every character


def domain_valid(name: str, rules: Rules, constraint: bool = False) -> bool:
    """Printable ASCII in labels that are not empty; a constraint may begin with a dot. The empty name is valid."""
    if constraint and name.startswith("."):
        name = name[1:] or ("" if rules.dot_constraint else ".")
    if rules.leading_dot and len(name) > 1:
        name = name.removeprefix(".")
    return not name or _DOMAIN.fullmatch(name) is not None


def mailbox(address: str, rules: Rules) -> tuple[str, str] | None:
    """(local part, domain) of an RFC 2821 mailbox, None where Go would not parse it."""
    if len(address) > _LONGEST_MAILBOX:
        return None
    match = _QUOTED.match(address) if address.startswith('"') else _ATOM.match(address)
    if match is None:
        return None
    local, domain = re.sub(r"\\(.)", r"\1", match[1], flags=re.S), address[match.end() :]
    if not address.startswith('"') and (local.startswith(".") or local.endswith(".") or ".." in local):
        return None
    return (local, domain) if domain_valid(domain, rules) else None


def hostname_error(certificate: Certificate, host: str) -> str | None:
    """Why the certificate does not speak for `host` (a name, or an address, also in brackets); None if it does."""
    literal = host[1:-1] if len(host) >= 3 and host[0] == "[" and host[-1] == "]" else host
    address = parse_ip(literal)
    if address is not None:
        if any(unmapped(candidate) == address for candidate in certificate.ip_addresses):
            return None
        return _mismatch(certificate, literal, True)
    wanted = lower(host)
    labels = _labels(wanted) if _HOST.fullmatch(wanted) else None
    for pattern in certificate.dns_names:
        if labels and (_PATTERN.fullmatch(pattern) or (pattern == "*" and certificate.rules.bare_wildcard)):
            if _matches(pattern, labels):
                return None
        elif lower(pattern) == wanted and wanted not in ("", "."):
            return None
    return _mismatch(certificate, host, False)


def _labels(host: str) -> list[str]:
    return lower(host[:-1] if host.endswith(".") else host).split(".")


def _matches(pattern: str, labels: list[str]) -> bool:
    """A leftmost label "*" stands for exactly one label."""
    parts = lower(pattern).split(".")
    return bool(pattern) and len(parts) == len(labels) and parts[1:] == labels[1:] and parts[0] in ("*", labels[0])


def _mismatch(certificate: Certificate, host: str, is_ip: bool) -> str:
    labels = _labels(host)
    if not certificate.has_san and (labels != [""] or certificate.rules.empty_host) and _matches(certificate.subject.common_name, labels):
        return "x509: certificate relies on legacy Common Name field, use SANs instead"
    if is_ip and not certificate.ip_addresses:
        return f"x509: cannot validate certificate for {host} because it doesn't contain any IP SANs"
    names = certificate.ip_addresses if is_ip else certificate.dns_names
    if len(names) >= _MOST_NAMES and certificate.rules.names_counted:
        return f"x509: certificate is valid for {len(names)} {'IP SANs' if is_ip else 'names'}, but none matched {host}"
    valid = ", ".join(ip_text(address) for address in certificate.ip_addresses) if is_ip else ", ".join(certificate.dns_names)
    if not valid:
        return f"x509: certificate is not valid for any names, but wanted to match {host}"
    return f"x509: certificate is valid for {valid}, not {host}"
