#!/usr/bin/python
# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's documentation, arguments and main(); the work is in module_utils/_host/replace.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: static_pod_manifest
short_description: Read or replace the manifest of a static pod, safely
version_added: 0.2.0
author:
  - kubeops.webhook_doctor contributors (@kubeops)
description:
  - Replaces a manifest only if it still is the one that was looked at (O(sha256)), in one step (written elsewhere on the same file system, flushed, and
    renamed), with its owner, mode and labels.
  - >-
    Nothing is ever written into the directory of the manifests but the manifest itself, because the kubelet takes every file there for a pod, whatever its
    name ends in (only a dot in front makes it look away). That is why C(backup) of other modules must not be used there.
  - What was there is kept in O(keep), from where O(state=restored) takes it back.
  - With C(--diff) it shows what changes, without users and passwords of proxies.
  - The kubelet starts the pod anew when its manifest changes. One node at a time is the caller's affair.
extends_documentation_fragment:
  - kubeops.webhook_doctor._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  path:
    description: The manifest.
    type: path
    required: true
  content:
    description:
      - What it is to hold. It may hold passwords, so it is neither logged nor returned.
      - Needed for O(state=present).
    type: str
  sha256:
    description: The digest of what it must hold still. Needed for O(state=present).
    type: str
  state:
    description:
      - V(read) returns what it holds.
      - V(present) gives it O(content).
      - V(restored) takes the last change back that this module has made, if nobody has changed the manifest since.
    type: str
    choices: [read, present, restored]
    default: read
  keep:
    description: Where a copy of what was there is kept. Only root can read it.
    type: path
    default: /var/lib/webhook-doctor/manifests
seealso:
  - module: kubeops.webhook_doctor.proxy_settings_facts
"""

EXAMPLES = r"""
- name: Read the manifest
  kubeops.webhook_doctor.static_pod_manifest:
    path: /etc/kubernetes/manifests/kube-apiserver.yaml
  register: manifest
  no_log: true # it may hold the password of a proxy

- name: Let its calls within the cluster go past the proxy
  kubeops.webhook_doctor.static_pod_manifest:
    path: /etc/kubernetes/manifests/kube-apiserver.yaml
    state: present
    sha256: "{{ manifest.sha256 }}"
    content: "{{ (manifest.content | kubeops.webhook_doctor.manifest_proxy({'NO_PROXY': no_proxy})).content }}"
"""

RETURN = r"""
content:
  description: What it holds.
  returned: with O(state=read)
  type: str
sha256:
  description: The digest of what it holds now (in check mode would hold).
  returned: success
  type: str
before:
  description: The C(sha256), C(mode), C(owner) and C(group) before.
  returned: success
  type: dict
kept:
  description: The copy of what was there.
  returned: when it is changed
  type: str
beside:
  description: Files in the same directory whose names do not end in V(.yaml), V(.yml), V(.json) or V(.manifest). The kubelet takes them for pods all the same.
  returned: success
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.replace import (
    KEPT,
    NotReplaced,
    digest,
    forget,
    keep,
    noted,
    read,
    remember,
    replace,
)
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._proxy_settings.shown_manifest import shown_manifest

_MANIFESTS = (".yaml", ".yml", ".json", ".manifest")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "no_log": True},
            "sha256": {"type": "str"},
            "state": {"type": "str", "choices": ["read", "present", "restored"], "default": "read"},
            "keep": {"type": "path", "default": KEPT, "no_log": False},
        },
        required_if=[("state", "present", ("content", "sha256"))],
        supports_check_mode=True,
    )
    # It is kept out of the log. The diff shows it without passwords; a value to be hidden as a whole would hide the diff, too.
    wanted = module.params["content"]
    module.no_log_values.discard(wanted)
    module.params["content"] = None if wanted is None else "(not shown)"
    try:
        result = _manifest(module.params, wanted, module.check_mode)
    except NotReplaced as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def _manifest(params: dict[str, Any], wanted: str | None, check: bool) -> dict[str, Any]:
    """Raises NotReplaced."""
    path = Path(params["path"])
    if path.name.startswith("."):
        raise NotReplaced(f"{path} begins with a dot, so the kubelet does not read it. Expected: the path of a manifest.")
    before = read(path)
    status = path.stat()
    described = {"sha256": digest(before), "mode": oct(status.st_mode & 0o7777), "owner": status.st_uid, "group": status.st_gid}
    common = {"before": described, "beside": _beside(path)}
    keeping = Path(params["keep"])
    if params["state"] == "read":
        return {"changed": False, "sha256": digest(before), "content": before.decode("utf-8", "replace"), **common}
    if params["state"] == "present":
        new, expected = (wanted or "").encode(), params["sha256"]
    else:
        changes = noted(path, keeping)
        if not changes:
            return {"changed": False, "sha256": digest(before), **common}
        new, expected = read(Path(changes[-1]["kept"])), changes[-1]["after"]
    result = {"changed": new != before, "sha256": digest(new), **common}
    if new != before:
        if digest(before) != expected:
            raise NotReplaced(f"{path} is no longer the file that was looked at: its digest is {digest(before)}, not {expected}. Run it again.")
        if not new.strip():
            raise NotReplaced(f"{path} would become empty, which ends the pod. Expected: a manifest.")
        result["diff"] = _diff(path, before, new)
    if check:
        return result
    if params["state"] == "restored":
        if result["changed"]:
            replace(path, expected, new)
        forget(path, keeping)
    elif result["changed"]:
        kept = keep(path, before, keeping)
        remember(path, digest(new), kept)  # before the change, so that none is made that nobody knows
        replace(path, expected, new)
        result["kept"] = str(kept)
    return result


def _beside(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir() if one.is_file() and not one.name.startswith(".") and one.suffix not in _MANIFESTS)


def _diff(path: Path, before: bytes, after: bytes) -> dict[str, str]:
    shown = [shown_manifest(text.decode("utf-8", "replace")) for text in (before, after)]
    return {"before_header": str(path), "after_header": str(path), "before": shown[0], "after": shown[1]}


if __name__ == "__main__":
    main()
