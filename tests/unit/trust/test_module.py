# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible runs it: arguments, errors that name the item, and nothing of a leaked key in any output."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from ansible.module_utils.common.parameters import PASS_VARS
from ansible.module_utils.testing import patch_module_args

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust import library
from ansible_collections.kubeops.webhook_doctor.plugins.modules import cabundle_verify
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust import cast

AT = "2026-06-15T12:00:00Z"
# Results repeat the arguments always (ansible-core 2.19), or where the controller wants it (2.20 and later).
REPEAT_ARGUMENTS = {"_ansible_inject_invocation": True} if "inject_invocation" in PASS_VARS else {}


def run(capsys, **arguments):
    """(the module's JSON, everything that it wrote)."""
    with patch_module_args({"at": AT, **arguments, **REPEAT_ARGUMENTS}), pytest.raises(SystemExit):
        cabundle_verify.main()
    written = capsys.readouterr()
    return json.loads(written.out), written.out + written.err


def bundle(**fields):
    return {"name": "shop", "ca_bundle": cast.pem("ca"), "chain": [cast.pem("leaf")], "server_name": cast.NAME, **fields}


def test_a_verdict(capsys):
    result, _written = run(capsys, bundles=[bundle(callouts=["validating/shop/webhook"])], _ansible_check_mode=True)
    assert result["changed"] is False
    (verdict,) = result["results"]
    assert (verdict["name"], verdict["callouts"], verdict["trusted"], verdict["error"]) == ("shop", ["validating/shop/webhook"], True, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bundles": [bundle(), bundle(name="b", chain=["words"])]}, "bundles[1] (b): chain[0] is not a certificate in PEM (-----BEGIN CERTIFICATE-----)"),
        ({"bundles": [bundle(chain=[cast.pem("leaf"), cast.private_key()])]}, "bundles[0] (shop): chain[1] is not a certificate in PEM"),
        ({"bundles": [bundle(at="yesterday")]}, "bundles[0] (shop): at: 'yesterday' is not a time like 2026-03-01T12:00:00Z"),
        ({"bundles": [bundle()], "at": "yesterday"}, "at: 'yesterday' is not a time like 2026-03-01T12:00:00Z"),
        ({"bundles": [bundle()], "go_version": "newest"}, "go_version: 'newest' is not a version of Go like go1.24.13"),
        ({"bundles": [bundle()], "kubernetes_version": "stable"}, "kubernetes_version: 'stable' is not a version of Kubernetes like v1.32.5"),
        ({"bundles": [bundle()], "warn_fraction": 2}, "warn_fraction must be more than 0 and at most 1"),
        ({"bundles": [bundle()], "warn_days": -1}, "warn_days must not be negative"),
        ({"bundles": [bundle(ca_bundle="")], "system_roots": "/nonexistent"}, "system_roots: cannot read /nonexistent: No such file or directory"),
        ({"bundles": [{"ca_bundle": "x"}]}, "missing required arguments: name found in bundles"),
    ],
)
def test_a_bad_argument_is_named(capsys, arguments, message):
    result, _written = run(capsys, **arguments)
    assert result["failed"] is True
    assert message in result["msg"]


@pytest.mark.parametrize(
    ("versions", "trusted"),
    [
        ({}, False),
        ({"go_version": "go1.22.12"}, True),
        ({"go_version": "go1.23.12"}, False),
        ({"go_version": "go1.23.12", "kubernetes_version": "v1.31.14"}, True),
        ({"kubernetes_version": "v1.32.5"}, False),
        ({"go_version": "", "kubernetes_version": ""}, False),
    ],
)
def test_the_api_servers_version_decides(capsys, versions, trusted):
    result, _written = run(capsys, bundles=[bundle(chain=[cast.pem("leaf_negative_serial")])], **versions)
    assert result["results"][0]["trusted"] is trusted


@pytest.mark.parametrize("text", [cast.pem("private_key"), cast.pem("broken_private_key"), cast.pem("private_key") + cast.pem("ca")])
@pytest.mark.parametrize("spoil", [{}, {"at": "never"}, {"chain": ["words"]}, {"unknown": 1}], ids=["good", "bad time", "bad chain", "bad option"])
def test_a_leaked_key_is_reported_and_not_repeated(capsys, text, spoil):
    result, written = run(capsys, bundles=[bundle(ca_bundle=text, **spoil)])
    assert not [line for line in cast.private_key().splitlines()[1:-1] if line in written]
    if not spoil:
        assert "private_key" in [one["problem"] for one in result["results"][0]["problems"]]


def test_the_arguments_are_not_repeated(capsys):
    result, written = run(capsys, bundles=[bundle()])
    assert result["invocation"]["module_args"]["warn_days"] == 30
    assert "BEGIN" not in written


def test_without_the_library(capsys, monkeypatch):
    monkeypatch.setattr(library, "MISSING", "Traceback: no module")
    result, _written = run(capsys, bundles=[bundle()])
    assert "cryptography >= 42.0.0" in result["msg"]
    assert sys.executable in result["msg"]


def test_with_a_library_that_is_too_old(capsys, monkeypatch):
    monkeypatch.setattr(library.cryptography, "__version__", "41.0.7")
    result, _written = run(capsys, bundles=[bundle()])
    assert result["msg"].startswith("cryptography >= 42.0.0 is needed;")
    assert "has 41.0.7" in result["msg"]


def test_what_few_certificates_need_is_not_loaded():
    prefix = "ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust"
    script = f"import sys, {prefix}.verdict; print(sorted(one.rpartition('.')[2] for one in sys.modules if one.startswith('{prefix}.')))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "verdict" in loaded
    assert not {"uri", "policies", "constraints", "constraints_one_by_one", "pem_by_begin", "rsa_by_hand"} & set(json.loads(loaded.replace("'", '"')))
