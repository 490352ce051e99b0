# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `kubeops.webhook_doctor.cluster_summary`. Its documentation is plugins/modules/cluster_summary.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.bundle import as_json
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.clusters import Cluster, by_state, cluster_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.clusters_html import render_clusters
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.clusters_terminal import clusters_lines, in_states
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.display import show
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.files import NotWritten, write_all
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.terminal import Line
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.version import collection_version

_ARGUMENTS: dict[str, dict[str, Any]] = {
    "results": {"type": "list", "elements": "str", "required": True},
    "findings": {"type": "str"},
    "limit": {"type": "str"},
    "title": {"type": "str", "default": "What the run over these clusters found"},
    "name": {"type": "str", "default": "clusters"},
    "dest": {"type": "path", "default": "webhook-doctor"},
    "show": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Gather what every host of the play has registered, write (not in check mode), print."""
        result = super().run(tmp, task_vars)
        _validation, settings = self.validate_argument_spec(_ARGUMENTS)
        clusters = _clusters(task_vars or {}, settings)
        folder, name, check = Path(settings["dest"]), settings["name"], bool(self._task.check_mode)
        only_checked = check or bool((task_vars or {}).get("ansible_check_mode"))
        counts = {"clusters": len(clusters), **by_state(clusters)}
        data = {"format": "kubeops.webhook_doctor/clusters", "format_version": 1, "collection_version": collection_version(), "title": settings["title"]}
        contents = {"json": as_json({**data, "check_mode": only_checked, "counts": counts, "clusters": [cluster.shown() for cluster in clusters]})}
        if any(cluster.files for cluster in clusters):
            contents["html"] = render_clusters(clusters, folder, settings["title"])
        files = {kind: str(folder / f"{name}.{kind}") for kind in contents}
        try:
            changed = not check and write_all(folder, {f"{name}.{kind}": content.encode() for kind, content in contents.items()})
        except NotWritten as error:
            self._show(settings, clusters_lines(clusters, self._display.columns, {}))
            raise AnsibleActionFail(str(error)) from None  # Ansible would append what it came from
        lines = clusters_lines(clusters, self._display.columns, {} if check else files)
        self._show(settings, [*lines, *([Line("Check mode: no summary was written."), Line("")] if check else [])])
        return {**result, "changed": changed, "files": files, "counts": counts, "msg": in_states(clusters)}

    def _show(self, settings: Mapping[str, Any], lines: Sequence[Line]) -> None:
        if settings["show"]:
            show(self._display, lines)


def _clusters(variables: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Cluster]:
    """One for each host of the play, also for those that have failed or were not reached, in the play's order."""
    hosts = variables["hostvars"]
    clusters = []
    for host in variables["ansible_play_hosts_all"]:
        of = hosts[host]
        findings, limit = (of.get(settings[key]) if settings[key] else None for key in ("findings", "limit"))
        clusters.append(cluster_of(str(host), [of.get(name) for name in settings["results"]], findings, limit))
    return clusters
