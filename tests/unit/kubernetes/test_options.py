# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options: one list for spec, documentation and environment, in kubernetes.core's words."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.doc_fragments._auth import ModuleDocFragment
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import AUTH_ARGUMENT_SPEC, resolve, sensitive_values

# kubernetes.core 6: option -> (type, aliases).
KUBERNETES_CORE: dict[str, tuple[str, list[str]]] = {
    "kubeconfig": ("raw", []),
    "context": ("str", []),
    "host": ("str", []),
    "api_key": ("str", []),
    "username": ("str", []),
    "password": ("str", []),
    "validate_certs": ("bool", ["verify_ssl"]),
    "ca_cert": ("path", ["ssl_ca_cert"]),
    "client_cert": ("path", ["cert_file"]),
    "client_key": ("path", ["key_file"]),
    "proxy": ("str", []),
    "no_proxy": ("str", []),
    "proxy_headers": ("dict", []),
    "persist_config": ("bool", []),
    "impersonate_user": ("str", []),
    "impersonate_groups": ("list", []),
}


def shape(options: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    return {name: (option["type"], option.get("aliases", [])) for name, option in options.items()}


def test_options_are_those_of_kubernetes_core() -> None:
    assert shape(AUTH_ARGUMENT_SPEC) == KUBERNETES_CORE


def test_documentation_and_spec_agree() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert shape(documented) == shape(AUTH_ARGUMENT_SPEC)
    assert shape(documented["proxy_headers"]["suboptions"]) == shape(AUTH_ARGUMENT_SPEC["proxy_headers"]["options"])


@pytest.mark.parametrize(
    ("params", "environ", "option", "expected"),
    [
        ({}, {}, "host", None),
        ({}, {"K8S_AUTH_HOST": "https://a"}, "host", "https://a"),
        ({"host": "https://b"}, {"K8S_AUTH_HOST": "https://a"}, "host", "https://b"),
        ({}, {"K8S_AUTH_HOST": ""}, "host", None),
        ({}, {"K8S_AUTH_VERIFY_SSL": "no"}, "validate_certs", False),
        ({}, {"K8S_AUTH_VERIFY_SSL": "no", "K8S_AUTH_VALIDATE_CERTS": "yes"}, "validate_certs", True),
        ({"validate_certs": False}, {"K8S_AUTH_VALIDATE_CERTS": "yes"}, "validate_certs", False),
        ({}, {"K8S_AUTH_VALIDATE_CERTS": "False"}, "validate_certs", False),
        ({}, {"K8S_AUTH_CERT_FILE": "/c"}, "client_cert", "/c"),
        ({}, {"K8S_AUTH_CLIENT_CERT": "/d", "K8S_AUTH_CERT_FILE": "/c"}, "client_cert", "/d"),
        ({}, {"K8S_AUTH_SSL_CA_CERT": "/ca"}, "ca_cert", "/ca"),
        ({}, {"K8S_AUTH_IMPERSONATE_GROUPS": "a,,b"}, "impersonate_groups", ["a", "b"]),
        ({}, {"K8S_AUTH_PROXY_HEADERS_USER_AGENT": "x"}, "proxy_headers", {"user_agent": "x"}),
        ({"proxy_headers": {"user_agent": "y", "basic_auth": None}}, {"K8S_AUTH_PROXY_HEADERS_USER_AGENT": "x"}, "proxy_headers", {"user_agent": "y"}),
    ],
)
def test_parameter_then_environment(params: dict[str, Any], environ: dict[str, str], option: str, expected: Any) -> None:
    assert resolve(params, environ)[option] == expected


def test_secrets_of_a_kubeconfig_dictionary() -> None:
    users = [{"name": "a", "user": {"token": "t1", "client-key-data": "k1", "username": "u"}}, {"user": {"auth-provider": {"config": {"id-token": "i1"}}}}]
    assert sensitive_values({"users": users, "clusters": [{"cluster": {"server": "https://s"}}]}) == {"t1", "k1", "i1"}
    assert sensitive_values("/path/to/kubeconfig") == set()
