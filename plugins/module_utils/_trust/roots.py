# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own root certificates, for a call-out whose caBundle is empty. PRIVATE to the collection.

The places are those where Go looks on Linux, then what OpenSSL was built with. Source: crypto/x509 root_linux.go, root_unix.go.
"""

from __future__ import annotations

import os
from pathlib import Path

_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def system_roots(path: str | None) -> tuple[str, str]:
    """(where, PEM text) of the roots in `path` (a file or a directory of files), or of this host. Raises OSError if `path` cannot be read.

    ("", "") where the host has none.
    """
    if path:
        return path, _read(Path(path))
    for candidate in (os.environ.get("SSL_CERT_FILE"), *_FILES, _of_openssl()):
        if candidate and Path(candidate).is_file():
            return candidate, _read(Path(candidate))
    return "", ""


def _read(path: Path) -> str:
    files = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
    return "\n".join(one.read_text(encoding="utf-8", errors="replace") for one in files)


def _of_openssl() -> str | None:
    import ssl

    return ssl.get_default_verify_paths().cafile
