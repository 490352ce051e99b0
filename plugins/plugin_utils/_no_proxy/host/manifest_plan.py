# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables the static pods of one machine are to have: NO_PROXY completed, or none. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..missing import merged, missing_no_proxy
from ..needs import Need
from .control_plane import needs_proxy
from .settings import NAMES, effective, excepted, proxied

_RKE2 = "/var/lib/rancher/rke2/"
COMPLETE, REMOVE, RESTORE = ACTIONS = ("complete", "remove", "restore")


def plan(settings: Mapping[str, Any], needs: Sequence[Need], action: str, callouts: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """[{component, path, sha256, variables: {name: value|null}, restore: bool, known: bool, refused: str|null, says, offer: str|null}], one for each static pod
    that has a proxy, or whose manifest is not understood; or whose last change can be taken back.

    offer: words for a person where the proxy could go altogether. variables is empty where nothing is to be changed. known: whether that can be said at all.
    """
    if action == RESTORE:
        return [_restored(manifest) for manifest in settings["manifests"] if manifest["restorable"]]
    calls = None if callouts is None else list(callouts)
    items = []
    for manifest in settings["manifests"]:
        if manifest["error"]:
            items.append(_not_understood(manifest))
        elif proxied(effective(manifest["variables"])):
            items.append(_lasting(_item(manifest, needs, action, calls)))
    return items


def _item(manifest: Mapping[str, Any], needs: Sequence[Need], action: str, callouts: list[Mapping[str, Any]] | None) -> dict[str, Any]:
    variables = effective(manifest["variables"])
    verdict = needs_proxy(manifest, callouts)
    item = _empty(manifest)
    item.update(says=f"{manifest['component']}: NO_PROXY covers all that it calls")
    if action == REMOVE:
        if verdict["needed"] is False:
            item["variables"] = {name: None for name in NAMES if name in variables or name.lower() in variables}
            item["says"] = f"{manifest['component']}: loses its proxy variables, because nothing that it calls needs a proxy"
        else:
            doubt = "needs its proxy" if verdict["needed"] else "may need its proxy"
            item["refused"] = f"{manifest['component']} {doubt}: {'; '.join(verdict['because'])}"
            item["says"] = item["refused"]
        return item
    before = excepted(variables)
    lacking = missing_no_proxy(before, needs)
    if lacking:
        item["variables"] = {"NO_PROXY": merged(before, needs)}
        item["says"] = f"{manifest['component']}: NO_PROXY gets {', '.join(need.entry for need in lacking)}"
    if verdict["needed"] is False:
        item["offer"] = f"{manifest['component']} calls nothing that needs a proxy: its proxy variables can go altogether (no_proxy_manifests=remove)"
    return item


def _lasting(item: dict[str, Any]) -> dict[str, Any]:
    """RKE2 makes its static pods anew when it starts, with what its own environment says of proxies."""
    if not item["path"].startswith(_RKE2):
        return item
    if item["variables"]:
        why = f"{item['component']}: RKE2 writes its manifest anew at each start, from its own environment: change that (no_proxy_units: [rke2-server])"
        item.update(variables={}, refused=why, says=why)
    return {**item, "offer": None}


def _not_understood(manifest: Mapping[str, Any]) -> dict[str, Any]:
    why = f"{manifest['component']}: its manifest is not understood ({manifest['error']}), so its proxies are not known: look at {manifest['path']}"
    return {**_empty(manifest), "known": False, "refused": why, "says": why}


def _restored(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {**_empty(manifest), "restore": True, "says": f"{manifest['component']}: the last change of its manifest is taken back"}


def _empty(manifest: Mapping[str, Any]) -> dict[str, Any]:
    same = {key: manifest[key] for key in ("component", "path", "sha256")}
    return {**same, "variables": {}, "restore": False, "known": True, "refused": None, "offer": None, "says": ""}
