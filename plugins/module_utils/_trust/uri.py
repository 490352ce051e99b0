# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A URI name of a certificate as Go's net/url parses it: its host, what it refuses, and how it writes it back. PRIVATE to the collection.

Go refuses the whole certificate if it cannot parse one (a SPIFFE id, mostly). Source: net/url Parse, String. The text is ASCII.
"""

from __future__ import annotations

import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import Rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.ip_literal import check_address
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.text import quote

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.S)
_HOST_REFUSES = re.compile(r"%(?!25)[0-7][0-9A-Fa-f]|[\x00-\x20#/?@\\^`{|}\x7f]")
# An escape in a zone may stand for what could be written there, for a space and for "%".
_ZONE_REFUSES = re.compile(r"%(?:[01][0-9A-Fa-f]|2[3Ff]|3[Ff]|40|5[CcEe]|60|7[BbCcDdFf]|[89A-Fa-f][0-9A-Fa-f])|[\x00-\x20#/?@\\^`{|}\x7f]")
_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PORT = re.compile(r"(?::[0-9]*)?")
_PATH_SAFE, _FRAGMENT_SAFE, _USER_SAFE = "$&+,/:;=@", "!$&()*+,/:;=?@", "$&+,;="
_ALSO_LEFT_ALONE = "!'()*[]%-._~"


class UriError(ValueError):
    """Go's words, with its prefix (parse "…": …)."""


class Uri:
    """`host` with its port, "" if the URI has none; `text` as Go writes it back."""

    __slots__ = ("host", "text")

    def __init__(self, raw: str, rules: Rules) -> None:
        """Raises UriError."""
        main, _hash, fragment = raw.partition("#")
        try:
            self.host, self.text = _parse(main, rules)
        except UriError as problem:
            raise UriError(f"parse {quote(main)}: {problem}") from None
        if fragment:
            try:
                decoded = _unescape(fragment)
            except UriError as problem:
                raise UriError(f"parse {quote(raw)}: {problem}") from None
            self.text += "#" + _written(fragment, decoded, _FRAGMENT_SAFE)


def _parse(text: str, rules: Rules) -> tuple[str, str]:
    if any(char < " " or char == "\x7f" for char in text):
        raise UriError("net/url: invalid control character in URL")
    if text == "*":
        return "", "*"
    match = _SCHEME.match(text)
    if match is None and text.startswith(":"):
        raise UriError("missing protocol scheme")
    scheme, rest = (match[0].lower(), text[match.end() :]) if match else ("", text)
    rest, mark, query = rest.partition("?")
    tail = mark + query
    if not rest.startswith("/"):
        if scheme:
            return "", scheme + rest + tail  # opaque
        if ":" in rest.partition("/")[0]:
            raise UriError("first path segment in URL cannot contain colon")
    host = user = None
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        user, host = _authority(scheme, authority, rules)
    decoded = _unescape(rest)
    out = scheme
    if host or user is not None or (scheme and host is not None and decoded):
        out += "//" + (user or "") + (host or "").replace("%", "%25")
    return host or "", out + _written(rest, decoded, _PATH_SAFE) + tail


def _authority(scheme: str, authority: str, rules: Rules) -> tuple[str | None, str]:
    """(user information with its "@", host)."""
    info, at, host = authority.rpartition("@")
    host = _parse_host(scheme, host, rules) if rules.literals_checked else _parse_host_unchecked(host)
    if not at:
        return None, host
    if not _USERINFO.fullmatch(info):
        raise UriError("net/url: invalid userinfo")
    name, colon, password = info.partition(":")
    return quote_from_bytes(_unescape(name), _USER_SAFE) + colon + quote_from_bytes(_unescape(password), _USER_SAFE) + "@", host


def _parse_host(scheme: str, host: str, rules: Rules) -> str:
    bracket = host.rfind("[")
    if bracket > 0 and rules.literals_lead:
        raise UriError("invalid IP-literal")
    if bracket < 0:
        colon = host.find(":") if rules.strict_colons and scheme in ("http:", "https:") else host.rfind(":")
        if colon >= 0:
            _check_port(host[colon:])
        return _host_text(host)
    close = host.rfind("]")
    if close < 0:
        raise UriError("missing ']' in host")
    port = host[close + 1 :]
    _check_port(port)
    name, zone_mark, zone = host[bracket + 1 : close].partition("%25")  # what is before the bracket is lost: Go 1.24
    address = _host_text(name) + _host_text(zone_mark + zone, _ZONE_REFUSES)
    try:
        check_address(address)
    except ValueError as error:
        raise UriError(f"invalid host: {error}") from None
    if ":" not in address.partition("%")[0]:
        raise UriError("invalid IP-literal")
    return f"[{address}]{port}"


def _parse_host_unchecked(host: str) -> str:
    """Until Go 1.23 anything may be between the brackets."""
    if not host.startswith("["):
        _check_port(host[host.rfind(":") :] if ":" in host else "")
        return _host_text(host)
    close = host.rfind("]")
    if close < 0:
        raise UriError("missing ']' in host")
    _check_port(host[close + 1 :])
    zone = host.find("%25", 0, close)
    if zone < 0:
        return _host_text(host)
    return _host_text(host[:zone]) + _host_text(host[zone:close], _ZONE_REFUSES) + _host_text(host[close:])


def _host_text(host: str, refused: re.Pattern[str] = _HOST_REFUSES) -> str:
    return _unescape(host, refused).decode("utf-8", "surrogateescape")


def _check_port(port: str) -> None:
    if not _PORT.fullmatch(port):
        raise UriError(f"invalid port {quote(port)} after host")


def _unescape(text: str, refused: re.Pattern[str] | None = None) -> bytes:
    """Percent decoding. Raises UriError for the first escape or character that Go does not take here."""
    found = [match for match in (_BAD_ESCAPE.search(text), refused.search(text) if refused else None) if match]
    if found:
        wrong = min(found, key=lambda match: match.start())[0]
        raise UriError(f"invalid URL escape {quote(wrong)}" if wrong.startswith("%") else f"invalid character {quote(wrong)} in host name")
    return unquote_to_bytes(text)


def _written(raw: str, decoded: bytes, safe: str) -> str:
    """The text as it was, if it holds nothing that Go would escape; else escaped by Go."""
    left_alone = set(safe + _ALSO_LEFT_ALONE)
    return raw if all(char.isalnum() or char in left_alone for char in raw) else quote_from_bytes(decoded, safe)
