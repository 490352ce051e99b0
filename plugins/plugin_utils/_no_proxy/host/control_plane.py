# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a program of the control plane needs a proxy at all, by its flags and by what it calls. Pure. PRIVATE to the collection.

Where nothing needs it, the best NO_PROXY is no proxy: kubeadm writes the variables of its own environment into the static pods, needed or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..consumers import GO
from .settings import effective

# Flags whose value is an address, or names a file in which one may stand, which cannot be seen from here.
_ADDRESSES = {"oidc-issuer-url": "an OIDC issuer"}
_FILES = {
    "admission-control-config-file": "admission plugins with settings of their own (ImagePolicyWebhook calls a URL)",
    "audit-webhook-config-file": "an audit webhook",
    "authentication-config": "token issuers",
    "authentication-token-webhook-config-file": "a token webhook",
    "authorization-config": "authorization webhooks",
    "authorization-webhook-config-file": "an authorization webhook",
    "encryption-provider-config": "keys, perhaps of a KMS",
    "tracing-config-file": "a collector of traces",
    "cloud-config": "a cloud",
    "external-cloud-volume-plugin": "a cloud's volumes",
}


def needs_proxy(manifest: Mapping[str, Any], callouts: Iterable[Mapping[str, Any]] | None) -> dict[str, Any]:
    """{needed: bool|null, because: [str]} for one static pod. null: perhaps, but that is not seen. callouts: of the facts, None if not known."""
    no_proxy = GO.settings(effective(manifest["variables"]))[1]
    certain, perhaps = [], []
    if manifest["error"]:
        perhaps.append(f"its manifest is not understood: {manifest['error']}")
    for flag, what in _ADDRESSES.items():
        url = urlsplit(manifest["flags"].get(flag, ""))
        if url.hostname and not GO.exempts(no_proxy, url.hostname, url.port):
            certain.append(f"--{flag}={url.hostname}: {what}")
    provider = manifest["flags"].get("cloud-provider", "")
    if provider not in ("", "external"):
        certain.append(f"--cloud-provider={provider}: a cloud's API")
    perhaps += [f"--{flag}: {what}; the file was not read" for flag, what in _FILES.items() if manifest["flags"].get(flag)]
    if manifest["component"] == "kube-apiserver":
        if callouts is None:
            perhaps.append("its webhooks were not read")
        certain += _urls(callouts or (), no_proxy)
    return {"needed": True if certain else None if perhaps else False, "because": [*certain, *perhaps]}


def _urls(callouts: Iterable[Mapping[str, Any]], no_proxy: str) -> list[str]:
    """Webhooks that are called by a URL which goes through the proxy now."""
    found = []
    for callout in callouts:
        url = urlsplit(str((callout.get("client") or {}).get("url") or ""))
        if url.hostname and not GO.exempts(no_proxy, url.hostname, url.port):
            found.append(f"webhook {callout['id']} is called at {url.hostname}")
    return found
