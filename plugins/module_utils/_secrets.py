# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody may see, taken out of texts: private keys, users and passwords in URLs. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re

_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:(?!-----END )[^\"])*(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----)?")
# To the last @ before the path: a password may have one in it that is not encoded.
_USER_INFO = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://)[^/\s\"\\]{1,512}@")


def without_secrets(text: str) -> str:
    """`text` (also JSON) less private keys, to their end or that of the string, and less the user and password in URLs.

    Nothing that is observed should hold any; but people have put private keys into a caBundle, and passwords into the address of a proxy.
    """
    return _USER_INFO.sub(r"\1(removed)@", _PRIVATE_KEY.sub("(a private key was removed here)", text))


def redacted(url: str) -> str:
    """http://user:password@proxy:3128 -> http://***@proxy:3128"""
    return re.sub(r"^((?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//)?.*@", lambda match: f"{match.group(1) or ''}***@", url)
