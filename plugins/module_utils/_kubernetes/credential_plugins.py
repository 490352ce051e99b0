# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that a program has to make (exec, auth-provider), through `kubernetes.config`. PRIVATE to the collection.

The only place that imports the `kubernetes` package (200 ms and more), for the kubeconfigs that need it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError, MissingLibrary
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings

# The first release for Kubernetes 1.24; what kubernetes.core asks for as well.
MINIMUM = (24, 2, 0)


def from_library(paths: str | None, content: Mapping[str, Any] | None, context: str, persist: bool) -> Settings:
    """Settings of `context` in the files `paths` or in `content`. Raises ConfigurationError, MissingLibrary."""
    try:
        import kubernetes
        from kubernetes.client import Configuration
        from kubernetes.config import ConfigException
        from kubernetes.config.kube_config import load_kube_config, load_kube_config_from_dict
    except ImportError as error:
        raise MissingLibrary("kubernetes >= 24.2.0", f"credentials of this kubeconfig come from a program ({error})") from error
    if version(kubernetes.__version__) < MINIMUM:
        raise MissingLibrary("kubernetes >= 24.2.0", f"found {kubernetes.__version__}")
    told = _Told()
    logging.getLogger().addHandler(told)
    configuration = Configuration()
    try:
        if content is not None:
            load_kube_config_from_dict(dict(content), context=context, client_configuration=configuration, persist_config=persist)
        else:
            load_kube_config(paths, context=context, client_configuration=configuration, persist_config=persist)
    except (ConfigException, OSError, ValueError) as error:
        raise ConfigurationError(f'kubeconfig {paths or "(a dictionary)"}: context "{context}": {error}') from error
    finally:
        logging.getLogger().removeHandler(told)
    token = configuration.get_api_key_with_prefix("authorization") or configuration.get_api_key_with_prefix("BearerToken")
    if not token and not configuration.cert_file:
        reason = told.messages[-1] if told.messages else "it returned neither a token nor a client certificate"
        raise ConfigurationError(f'kubeconfig {paths or "(a dictionary)"}: context "{context}": the credential plug-in of its user failed: {reason}')
    return Settings(
        server=configuration.host.rstrip("/"),
        cluster=context,
        ca=_read(configuration.ssl_ca_cert),
        client_cert=_read(configuration.cert_file),
        client_key=_read(configuration.key_file),
        headers={"Authorization": token} if token else {},
        verify=bool(configuration.verify_ssl),
        server_name=getattr(configuration, "tls_server_name", None),
    )


class _Told(logging.Handler):
    """Keeps what the library logs: it reports a failed plug-in there only, and goes on without credentials."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage()[:1000])


def _read(path: str | None) -> bytes:
    try:
        return Path(path).read_bytes() if path else b""
    except OSError as error:
        raise ConfigurationError(f"kubeconfig: {path} cannot be read: {error.strerror}.") from error


def version(text: str) -> tuple[int, ...]:
    """(24, 2, 0) of "24.2.0", "24.2.0b1" or "24.2.0+local"."""
    numbers = []
    for part in text.split("+")[0].split(".")[:3]:
        digits = "".join(character for character in part if character.isdigit())
        numbers.append(int(digits) if digits else 0)
    return tuple(numbers)
