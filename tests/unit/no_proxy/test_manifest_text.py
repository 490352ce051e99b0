# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A static pod's manifest with other proxy variables: nothing else of it changes."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.kubeops.webhook_doctor.plugins.filter.manifest_proxy import manifest_proxy
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._no_proxy.host.manifest_text import NotEdited, edited

KUBEADM = (Path(__file__).parent / "manifests" / "kube-apiserver.manifest").read_text(encoding="utf-8")
ENVIRONMENT = """\
    env:
    - name: HTTPS_PROXY
      value: http://user:p%40ss@proxy:3128   # the proxy
    - name: no_proxy
      value: "localhost,127.0.0.1"
"""
# As others write it: list items indented, a document's start, values that are empty, no env.
INDENTED = """\
---
# written by hand
apiVersion: v1
kind: Pod
metadata:
  name: etcd
  creationTimestamp:
spec:
  containers:
    - name: etcd
      command:
        - etcd
        - "--quoted=yes"

      image: etcd:3.6 # pinned
"""


def changed_lines(before: str, after: str) -> list[str]:
    return [
        line for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="") if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]


def test_a_value_is_changed_in_the_spelling_that_is_there() -> None:
    found = edited(KUBEADM, {"NO_PROXY": "localhost,127.0.0.1,10.96.0.0/16,.svc"})
    assert found.changes == ("no_proxy is changed",)
    assert changed_lines(KUBEADM, found.content) == ['-      value: "localhost,127.0.0.1"', '+      value: "localhost,127.0.0.1,10.96.0.0/16,.svc"']


def test_both_spellings_are_kept_alike() -> None:
    both = KUBEADM.replace("    - name: no_proxy\n", "    - name: NO_PROXY\n      value: a\n    - name: no_proxy\n")
    found = edited(both, {"NO_PROXY": "a,b"})
    environment = yaml.safe_load(found.content)["spec"]["containers"][0]["env"]
    assert [(one["name"], one["value"]) for one in environment][1:] == [("NO_PROXY", "a,b"), ("no_proxy", "a,b")]


def test_what_is_there_already_changes_nothing() -> None:
    assert edited(KUBEADM, {"NO_PROXY": "localhost,127.0.0.1", "HTTP_PROXY": None}) == edited(KUBEADM, {})
    assert edited(KUBEADM, {}).content == KUBEADM


def test_all_of_it_is_taken_out() -> None:
    found = edited(KUBEADM, {"HTTPS_PROXY": None, "HTTP_PROXY": None, "NO_PROXY": None})
    assert found.content == KUBEADM.replace(ENVIRONMENT, "")
    assert found.changes == ("HTTPS_PROXY is taken out", "no_proxy is taken out")


def test_other_variables_stay() -> None:
    more = KUBEADM.replace("    env:\n", "    env:\n    - name: GODEBUG # and its comment\n      value: x\n")
    assert edited(more, {"HTTPS_PROXY": None, "NO_PROXY": None}).content == more.replace(ENVIRONMENT.replace("    env:\n", ""), "")


def test_taken_out_and_set_again_it_has_its_place() -> None:
    bare = KUBEADM.replace(ENVIRONMENT, "")
    found = edited(bare, {"NO_PROXY": ".svc"})
    assert found.content == bare.replace("    image: ", "    env:\n    - name: NO_PROXY\n      value: .svc\n    image: ", 1)


def test_another_indentation_is_kept() -> None:
    found = edited(INDENTED, {"NO_PROXY": ".svc", "HTTPS_PROXY": "http://p:3128"})
    assert changed_lines(INDENTED, found.content) == [
        "+      env:",
        "+        - name: HTTPS_PROXY",
        "+          value: http://p:3128",
        "+        - name: NO_PROXY",
        "+          value: .svc",
    ]


def test_a_value_that_is_folded_is_completed() -> None:
    long = "10.0.0.0/8, 192.0.2.1, hook.shop.svc.cluster.local, registry.example.net, .example.com"
    # Go's writer of YAML does it at the first blank after column 80.
    blank = long.index(" ", 80 - len("      value: "))
    folded = KUBEADM.replace('"localhost,127.0.0.1"', f"{long[:blank]}\n        {long[blank + 1 :]}")
    found = edited(folded, {"NO_PROXY": f"{long},.svc"})
    environment = yaml.safe_load(found.content)["spec"]["containers"][0]["env"]
    assert [one["value"] for one in environment if one["name"].upper() == "NO_PROXY"] == [f"{long},.svc"]
    # Whether it is folded again is left to ruamel.yaml, whose versions differ.
    gone = {line for line in changed_lines(folded, found.content) if line.startswith("-")}
    assert gone <= {f"-      value: {long[:blank]}", f"-        {long[blank + 1 :]}"}
    # What is not changed stays folded, and what a fold would make something else is refused.
    assert edited(folded, {"NO_PROXY": long}).content == folded
    with pytest.raises(NotEdited, match="an edit would change elsewhere"):
        edited(folded.replace(f"{long[:blank]}\n", f"{long[:blank]}\n\n"), {"NO_PROXY": "a"})


@pytest.mark.parametrize("value", ["*", "a: b", "yes", "1.5", "#x", "'q'", "x y", "{a}", "[::1]", "http://u:p%40@p:1", "", "null"])
def test_any_value_arrives_as_it_is(value: str) -> None:
    environment = yaml.safe_load(edited(KUBEADM, {"NO_PROXY": value}).content)["spec"]["containers"][0]["env"]
    assert [one["value"] for one in environment if one["name"] == "no_proxy"] == [value]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "is no YAML"),
        ("kind: Pod\n", "is no Pod with a container"),
        (KUBEADM.replace("kind: Pod", "kind: ConfigMap"), "is no Pod with a container"),
        (KUBEADM.replace("  hostNetwork: true", "  hostNetwork:    true"), "an edit would change elsewhere"),
        (KUBEADM.replace('      value: "localhost,127.0.0.1"', "      valueFrom:\n        fieldRef:\n          fieldPath: status.hostIP"), "valueFrom"),
        (KUBEADM + "---\n" + KUBEADM, "is no YAML"),
    ],
)
def test_what_cannot_be_kept_is_refused(text: str, says: str) -> None:
    with pytest.raises(NotEdited, match=says):
        edited(text, {"NO_PROXY": "a"})


def test_the_filter() -> None:
    assert manifest_proxy(KUBEADM, {"HTTPS_PROXY": None})["changes"] == ["HTTPS_PROXY is taken out"]
    with pytest.raises(AnsibleFilterError, match="PATH is none of HTTPS_PROXY, HTTP_PROXY, NO_PROXY"):
        manifest_proxy(KUBEADM, {"PATH": "/"})
    with pytest.raises(AnsibleFilterError, match="expected the text of a manifest"):
        manifest_proxy(None, {})  # type: ignore[arg-type]
