# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection options -> Api, in kubernetes.core's order of precedence. PRIVATE to the collection."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes import kubeconfig
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.failures import ConfigurationError
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.options import resolve
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.settings import Settings, bypasses_proxy, environment_proxy

_IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def connect(params: Mapping[str, Any], timeout: float = 30.0) -> Api:
    """An Api for a module's parameters; nothing is sent yet. `timeout`: seconds for one request.

    Raises ConfigurationError, MissingLibrary.
    """
    return Api(settings_of(resolve(params, os.environ), os.environ), timeout=timeout)


def settings_of(options: Mapping[str, Any], environ: Mapping[str, str], in_cluster: Path = _IN_CLUSTER) -> Settings:
    """Settings for resolved options: explicit credentials, else kubeconfig or context, else in-cluster, else the default kubeconfig.

    Explicit options then override what was found, one by one.
    """
    sufficient = options["host"] and ((options["username"] and options["password"]) or options["api_key"] or (options["client_cert"] and options["client_key"]))
    if sufficient:
        found = Settings(server="", cluster="")
    elif options["kubeconfig"] or options["context"]:
        found = _from_kubeconfig(options, environ)
    else:
        found = _in_cluster(environ, in_cluster) or _default(options, environ)
    return _proxied(_overridden(found, options), options, environ)


def _from_kubeconfig(options: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    source = options["kubeconfig"] or environ.get("KUBECONFIG") or "~/.kube/config"
    persist = bool(options["persist_config"])
    if isinstance(source, Mapping):
        return kubeconfig.from_dict(source, options["context"], persist)
    if not isinstance(source, str):
        raise ConfigurationError(f"kubeconfig is a {type(source).__name__}. Expected a path, or the content as a dictionary.")
    return kubeconfig.from_file(source, options["context"], persist)


def _in_cluster(environ: Mapping[str, str], directory: Path) -> Settings | None:
    """The ServiceAccount of the pod that this runs in, None outside of a pod."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    token, ca = directory / "token", directory / "ca.crt"
    if not host or not port or not token.is_file() or not ca.is_file():
        return None
    bearer = kubeconfig.read(token, "in-cluster token").decode("utf-8", "replace").strip()
    name = f"[{host}]" if ":" in host else host
    return Settings(
        server=f"https://{name}:{port}", cluster="in-cluster", ca=kubeconfig.read(ca, "in-cluster CA"), headers={"Authorization": f"Bearer {bearer}"}
    )


def _default(options: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    paths = environ.get("KUBECONFIG") or "~/.kube/config"
    if options["host"] and not kubeconfig.existing_files(paths):
        return Settings(server="", cluster="")  # a server that needs no credentials, such as kubectl proxy
    return _from_kubeconfig(options, environ)


def _overridden(found: Settings, options: Mapping[str, Any]) -> Settings:
    changes: dict[str, Any] = {}
    headers = dict(found.headers)
    if options["host"]:
        server = options["host"].rstrip("/")
        server = server if "://" in server else f"https://{server}"
        if not server.startswith(("http://", "https://")):
            raise ConfigurationError(f"host {server}: expected a URL such as https://api.example.com:6443.")
        changes.update(server=server, cluster=server.split("://", 1)[1])
    if options["api_key"]:
        headers["Authorization"] = f"Bearer {options['api_key']}"
    elif options["username"] and options["password"]:
        headers["Authorization"] = kubeconfig.basic(options["username"], options["password"])
    if options["impersonate_user"]:
        headers["Impersonate-User"] = options["impersonate_user"]
    if options["impersonate_groups"]:
        changes["groups"] = tuple(options["impersonate_groups"])
    for option, attribute in (("ca_cert", "ca"), ("client_cert", "client_cert"), ("client_key", "client_key")):
        if options[option]:
            changes[attribute] = kubeconfig.read(Path(options[option]).expanduser(), option)
    if options["validate_certs"] is not None:
        changes["verify"] = options["validate_certs"]
    changed = replace(found, headers=headers, **changes)
    if bool(changed.client_cert) != bool(changed.client_key):
        raise ConfigurationError("A client certificate needs both client_cert and client_key (in a kubeconfig: client-certificate and client-key).")
    return changed


def _proxied(settings: Settings, options: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """The proxy: the option, else the kubeconfig's proxy-url, else the environment's, unless no_proxy excludes the server."""
    from_environment, environment_exceptions = environment_proxy(settings.server, environ)
    proxy = options["proxy"] or settings.proxy
    exceptions = options["no_proxy"] or ""
    if not proxy:
        proxy, exceptions = from_environment, exceptions or environment_exceptions
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    if proxy and bypasses_proxy(settings.server, exceptions):
        proxy = None
    return replace(settings, proxy=proxy, proxy_headers=_proxy_headers(options["proxy_headers"], proxy))


def _proxy_headers(given: Mapping[str, str], proxy: str | None) -> dict[str, str]:
    headers = {}
    credentials = given.get("proxy_basic_auth")
    if not credentials and proxy and "@" in proxy:
        credentials = proxy.split("://", 1)[1].rsplit("@", 1)[0]
    if credentials:
        user, _colon, password = credentials.partition(":")
        headers["Proxy-Authorization"] = kubeconfig.basic(user, password)
    if given.get("basic_auth"):
        user, _colon, password = given["basic_auth"].partition(":")
        headers["Authorization"] = kubeconfig.basic(user, password)
    if given.get("user_agent"):
        headers["User-Agent"] = given["user_agent"]
    return headers
