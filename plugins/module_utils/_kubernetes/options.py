# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options: names, aliases and environment variables of kubernetes.core. PRIVATE to the collection.

Documented in plugins/doc_fragments/_auth.py. Kept here instead of imported from kubernetes.core, whose module_utils
would add 575 KB of source to every module that Ansible ships (about 1 ms per KB and task).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROXY_HEADERS_SPEC: dict[str, dict[str, Any]] = {
    "proxy_basic_auth": {"type": "str", "no_log": True},
    "basic_auth": {"type": "str", "no_log": True},
    "user_agent": {"type": "str"},
}

AUTH_ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "raw"},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
    "client_cert": {"type": "path", "aliases": ["cert_file"]},
    "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
    "proxy": {"type": "str"},
    "no_proxy": {"type": "str"},
    "proxy_headers": {"type": "dict", "options": PROXY_HEADERS_SPEC},
    "persist_config": {"type": "bool"},
    "impersonate_user": {"type": "str"},
    "impersonate_groups": {"type": "list", "elements": "str"},
}

# kubernetes.core reads K8S_AUTH_<option> first, then K8S_AUTH_<the Python client's name for it>.
_CLIENT_NAMES = {"validate_certs": "verify_ssl", "ca_cert": "ssl_ca_cert", "client_cert": "cert_file", "client_key": "key_file"}

_SECRET_FIELDS = frozenset(
    ("token", "password", "secret", "client-key-data", "client-certificate-data", "api_key", "access-token", "refresh-token", "id-token", "client-secret")
)


def resolve(params: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Every connection option with its value, or None: the module's parameter, else the environment variable.

    An empty variable counts as not set. Booleans are false for 0, false and no, as in kubernetes.core.
    """
    resolved: dict[str, Any] = {}
    for name, spec in AUTH_ARGUMENT_SPEC.items():
        value = params.get(name)
        if name == "proxy_headers":
            value = {key: (value or {}).get(key) or environ.get(f"K8S_AUTH_PROXY_HEADERS_{key.upper()}") for key in PROXY_HEADERS_SPEC}
            resolved[name] = {key: text for key, text in value.items() if text}
            continue
        if value is None:
            text = environ.get(f"K8S_AUTH_{name.upper()}") or environ.get(f"K8S_AUTH_{_CLIENT_NAMES.get(name, name).upper()}")
            value = _from_environment(text, spec["type"]) if text else None
        resolved[name] = value
    return resolved


def sensitive_values(kubeconfig: Any) -> set[str]:
    """Secrets inside a kubeconfig given as a dictionary, for `AnsibleModule.no_log_values`."""
    if isinstance(kubeconfig, Mapping):
        found: set[str] = set()
        for key, value in kubeconfig.items():
            if key in _SECRET_FIELDS and isinstance(value, str) and value:
                found.add(value)
            else:
                found |= sensitive_values(value)
        return found
    if isinstance(kubeconfig, list):
        return set().union(*(sensitive_values(item) for item in kubeconfig))
    return set()


def _from_environment(text: str, kind: str) -> Any:
    if kind == "bool":
        return text.lower() not in ("0", "false", "no")
    if kind == "list":
        return [item for item in text.split(",") if item]
    return text
