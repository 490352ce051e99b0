# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets planted where the diagnosis comes by are in nothing that it prints or writes, at the highest verbosity."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from doctorlab import Lab, Options
from lab_diagnosis import diagnose

PLANTED = "planted-4b1d"
OBJECTS = [
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted", "namespace": "fault-healthy"}, "stringData": {"password": f"{PLANTED}-secret"}},
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "planted",
            "namespace": "fault-healthy",
            "labels": {"app": "webhook", "component": "kube-apiserver"},
            "annotations": {"example.com/token": f"{PLANTED}-annotation"},
        },
        "spec": {"containers": [{"name": "a", "image": "a", "env": [{"name": "TOKEN", "value": f"{PLANTED}-env"}], "args": [f"--token={PLANTED}-argument"]}]},
    },
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "kube-apiserver-planted",
            "namespace": "kube-system",
            "labels": {"component": "kube-apiserver", "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.mirror": "x"},
        },
        "spec": {
            "nodeName": "lab-control-plane",
            "containers": [
                {
                    "name": "kube-apiserver",
                    "image": "a",
                    "command": ["kube-apiserver", f"--service-account-signing-key={PLANTED}-flag"],
                    "env": [{"name": "HTTPS_PROXY", "value": f"http://user:{PLANTED}-proxy@proxy.example.com:3128"}],
                }
            ],
        },
    },
]


def test_no_secret_leaves(tmp_path: Path) -> None:
    with Lab(tmp_path / "lab", Options(faults="healthy,certificate-expired")) as lab:
        lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(OBJECTS))
        config = yaml.safe_load(lab.kubeconfig_for("diagnose-probing").read_text(encoding="utf-8"))
        token = config["users"][0]["user"]["token"]
        diagnosis = diagnose(lab, tmp_path / "report", verbose=True)
        # A kubeconfig may also be given as data; Ansible then has its secrets in the task's arguments.
        as_data = diagnose(lab, tmp_path / "as-data", variables={"webhook_doctor_kubeconfig": config}, verbose=True)
    said = diagnosis.output + as_data.output
    written = "".join(path.read_text(encoding="utf-8") for path in [*diagnosis.folder.iterdir(), *as_data.folder.iterdir()])
    facts = json.loads((diagnosis.folder / "bundle.json").read_text(encoding="utf-8"))["facts"]
    assert any(instance["name"] == "kube-apiserver-planted" and instance["proxy"] for instance in facts["control_plane"]["instances"]), "it did come by"
    assert PLANTED not in written
    assert PLANTED not in said
    assert token not in written
    assert token not in said.replace(json.dumps(config), ""), "the token of the kubeconfig"
