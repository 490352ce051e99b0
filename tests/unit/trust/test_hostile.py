# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody may put into a caBundle or serve: bounded in time and memory, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tracemalloc

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust import chains, keys, verdict
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.go_rules import rules
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.problems import Warn
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.verdict import InvalidBundle, Options, judge, parse_at
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust import cast
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.authority import (
    Spec,
    alternative_names,
    authority,
    basic_constraints,
    common_name,
    dns,
    key,
    name_constraints,
    pem,
    policies,
    rsa_spki,
    seq,
    tlv,
)

AT = parse_at("2026-06-15T12:00:00Z")
SECONDS = 20  # of this process, whatever else the machine does: a bound against the exponential and the quadratic, not a measurement
MEMORY = 600 << 20  # the same: of the module's whole process, libraries and arguments included


@pytest.fixture(params=["go1.22.12", "go1.24.13", "go1.26.0"])
def go_version(request):
    return request.param


def verdict_of(bundle, chain, name=cast.NAME, go_version=None):
    started = time.process_time()
    options = Options(Warn(30, None), AT, os.devnull, rules(go_version))
    result = judge([{"name": "hostile", "ca_bundle": bundle, "chain": chain, "server_name": name}], options)[0]
    assert time.process_time() - started < SECONDS
    assert len(json.dumps(result)) < 4 << 20
    return result


def signature_checks(monkeypatch):
    made = []
    true_check = keys.signature_error
    monkeypatch.setattr(chains, "signature_error", lambda child, parent: made.append(1) or true_check(child, parent))
    return made


def test_ten_thousand_anchors_of_one_name(monkeypatch, go_version):
    made = signature_checks(monkeypatch)
    template = authority("lab-ca", "p256-b")
    bundle = []
    for serial in range(1, 10_001):
        template.serial = serial
        bundle.append(pem(seq(template.tbs(), bytes.fromhex("300a06082a8648ce3d040302"), tlv(3, b"\0" + b"x" * 70))))
    result = verdict_of("".join(bundle), [cast.pem("leaf")], go_version=go_version)
    assert result["error"] == "x509: signature check attempts limit reached while verifying certificate chain"
    assert len(made) == chains.SIGNATURE_CHECKS
    assert len(result["certificates"]) == verdict.MOST_LISTED


def ten_thousand():
    """All different, and the last one is the right one."""
    return "".join(authority(f"ca-{number}", f"p256-{number}").pem() for number in range(9_999)) + cast.pem("ca")


def test_ten_thousand_different_anchors(monkeypatch):
    made = signature_checks(monkeypatch)
    result = verdict_of(ten_thousand(), [cast.pem("leaf")])
    assert result["trusted"] is True
    assert result["anchor"]["subject"] == "CN=lab-ca"
    assert len(made) == 1
    assert len(result["certificates"]) == verdict.MOST_LISTED


def test_ten_thousand_duplicates():
    result = verdict_of(cast.pem("ca") * 10_000, [cast.pem("leaf")])
    assert result["trusted"] is True
    assert result["problems"][-1]["problem"] == "more"
    assert len(result["problems"]) == verdict.MOST_LISTED + 1


def test_a_mesh_of_authorities_that_sign_one_another(monkeypatch, go_version):
    made = signature_checks(monkeypatch)
    names = [f"ca-{number}" for number in range(12)]
    signer = key("p256-mesh")
    mesh = [
        Spec(common_name(subject), common_name(issuer), key(f"p256-{subject}"), key(f"p256-{issuer}"), [basic_constraints(True)]).pem()
        for subject in names
        for issuer in names
    ]
    leaf = Spec(common_name("webhook"), common_name("ca-0"), signer, key("p256-ca-0"), [dns(cast.NAME)])
    result = verdict_of(cast.pem("stranger"), [leaf.pem(), *mesh], go_version=go_version)
    assert result["trusted"] is False
    assert len(made) <= chains.SIGNATURE_CHECKS


@pytest.mark.parametrize(("depth", "trusted"), [(50, True), (150, False)])
def test_a_deep_chain(depth, trusted):
    path = [authority("root", "p256-root")]
    for level in range(depth):
        path.append(authority(f"ca-{level}", f"p256-{level}", path[-1]))
    leaf = Spec(common_name("webhook"), path[-1].subject, key("p256-leaf"), path[-1].key, [dns(cast.NAME)])
    assert verdict_of(path[0].pem(), [leaf.pem(), *(one.pem() for one in path[1:])])["trusted"] is trusted


def test_deep_nesting_is_not_descended_into():
    value = b"\x30\x00"
    for _level in range(20_000):
        value = tlv(0x30, value)
    leaf = Spec(common_name("webhook"), cast.CA.subject, key("p256-leaf"), cast.CA.key, [dns(cast.NAME), ("1.2.3.4", False, value)])
    assert verdict_of(cast.pem("ca"), [leaf.pem()])["trusted"] is True


def test_many_names_against_many_constraints():
    permitted = [(2, f"d{number}.example.com".encode()) for number in range(20_000)]
    root = authority("lab-ca", "p256-a", extensions=[basic_constraints(True), name_constraints(permitted, [])])
    leaf = Spec(common_name("webhook"), root.subject, key("p256-leaf"), root.key, [dns(*(f"x.d{number}.example.com" for number in range(20_000)))])
    result = verdict_of(root.pem(), [leaf.pem()], "x.d7.example.com")
    assert result["trusted"] is True
    assert len(result["certificates"][1]["dns_names"]) == verdict.MOST_NAMES


def _name_and_constraint(kind, number):
    """A name that the constraint does not cover."""
    if kind == 7:
        address = bytes([number // 250, number % 250, 1])
        return (kind, b"\x0b" + address), (kind, b"\x0a" + address + b"\xff" * 4)
    return (kind, b"x://n%d.shop" % number if kind == 6 else b"n%d.shop" % number), (kind, b"d%d.svc" % number)


@pytest.mark.parametrize("kind", [2, 6, 7], ids=["dns", "uri", "ip"])
def test_every_candidate_costs_as_many_comparisons_as_it_may(kind):
    """Until Go 1.25 each of a hundred candidates may cost 250,000."""
    names, excluded = zip(*(_name_and_constraint(kind, number) for number in range(500)))
    leaf = Spec(common_name("webhook"), common_name("lab-ca"), key("p256-leaf"), key("p256-a"), [alternative_names(*names)])
    extensions = [basic_constraints(True), name_constraints([], excluded)]
    roots = [authority("lab-ca", "p256-a", serial=number, extensions=extensions) for number in range(1, 101)]
    assert verdict_of("".join(root.pem() for root in roots), [leaf.pem()], "", "go1.25.8")["trusted"] is True


ENORMOUS = 1_500_000  # half of what an API object can hold


@pytest.mark.parametrize(
    "fields",
    [
        {"serial": 1 << 8 * ENORMOUS},
        {"subject": common_name("x" * ENORMOUS)},
        {"subject": seq(*[common_name("x")[2:]] * (ENORMOUS // 12))},
        {"extensions": [dns("x" * ENORMOUS)]},
        {"extensions": [dns(*["x.y"] * (ENORMOUS // 6))]},
        {"extensions": [dns("x." * (ENORMOUS // 2))]},
        {"extensions": [alternative_names((1, b"x" * ENORMOUS + b"@y"))]},
        {"extensions": [alternative_names((6, b"x://" + b"%41" * (ENORMOUS // 3)))]},
        {"extensions": [alternative_names((6, b"x://h/" + b"\\" * ENORMOUS))]},
        {"extensions": [("1.2.3", False, b"x" * ENORMOUS)]},
        {"extensions": [("1.3.6.1.5.5.7.1.1", False, b"x" * ENORMOUS)]},
        {"extensions": [policies(*(f"1.2.{number}" for number in range(ENORMOUS // 20)))]},
        {"extensions": [(f"1.2.{number}", False, b"") for number in range(ENORMOUS // 20)]},
        {"extensions": [("2.5.29.37", False, seq(tlv(6, b"\x2a" * ENORMOUS)))]},
        {"spki": rsa_spki((1 << 8 * ENORMOUS) - 1, 65537)},
        {"spki": seq(seq(tlv(6, b"\x2a" * ENORMOUS)), tlv(3, b"\0"))},
        {"not_after": "9" * ENORMOUS},
    ],
    ids=[
        "serial",
        "name",
        "names",
        "dns",
        "many dns",
        "labels",
        "mail",
        "uri",
        "path",
        "unknown",
        "aia",
        "policies",
        "extensions",
        "usage",
        "key",
        "oid",
        "time",
    ],
)
def test_an_enormous_field(fields, go_version):
    """The same certificate as anchor and as leaf, constrained, so that every part of it is looked at."""
    constrained = authority("lab-ca", "p256-a", extensions=[basic_constraints(True), name_constraints([(1, b"z"), (2, b"z"), (6, b"z")], [])])
    odd = Spec(common_name("odd"), constrained.subject, key("p256-b"), constrained.key, [dns(cast.NAME)])
    for field, value in fields.items():
        setattr(odd, field, value)
    assert verdict_of(constrained.pem() + odd.pem(), [odd.pem()], "", go_version)["certificates"]
    assert verdict_of(constrained.pem(), [odd.pem()], "", go_version)["trusted"] is False or "extensions" in fields
    odd.extensions = [basic_constraints(True)]
    under = Spec(common_name("webhook"), odd.subject, key("p256-leaf"), key("p256-c"), [dns(cast.NAME)])
    assert verdict_of(odd.pem(), [under.pem()], go_version=go_version)["trusted"] is False


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN CERTIFICATE-----\n" * 300_000,
        "\n-----END CERTIFICATE-----" * 300_000,
        "-----BEGIN A-----\nb: c\n-----END B-----\n" * 200_000,
        "-----BEGIN A:-----\nb: c\n-----END A:-----\n" * 200_000,
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n" * 100_000,
        "-----BEGIN CERTIFICATE-----\n" + "A: B\n" * 1_000_000,
        "A" * 10_000_000,
        "\x00\ufffd\udc80" * 1_000_000,
    ],
    ids=["begins", "ends", "headers", "colons", "no base64", "header lines", "letters", "no text"],
)
def test_ten_megabytes_that_are_no_certificates(text, go_version):
    tracemalloc.start()
    try:
        result = verdict_of(text, [cast.pem("leaf")], go_version=go_version)
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()
    assert result["cause"] == "ca_bundle_invalid"


def fifty_megabytes():
    return cast.pem("ca") * (50_000_000 // len(cast.pem("ca")) + 1)


@pytest.mark.parametrize(
    "text",
    [lambda: "A" * (17 << 20), lambda: "\U0001f512" * (5 << 20), fifty_megabytes],
    ids=["letters", "no letters", "certificates"],
)
def test_what_no_api_object_can_hold_is_refused_by_name(text):
    with pytest.raises(InvalidBundle, match=r"bundles\[0\] \(hostile\): ca_bundle and chain are larger than 16 MiB; an API object holds at most 3 MiB"):
        verdict_of(text(), [])


MODULE = "ansible_collections.kubeops.webhook_doctor.plugins.modules.cabundle_verify"
BOUNDED = f"""
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv.pop(1)),) * 2)
runpy.run_module("{MODULE}", run_name="__main__", alter_sys=True)
"""


def run_module(bundle, memory=MEMORY):
    """The module in a process of its own, which gets no more memory than that."""
    item = {"name": "hostile", "ca_bundle": bundle, "chain": [cast.pem("leaf")], "server_name": cast.NAME}
    # As the controller does by default: without that ansible-core 2.19.0 adds the traceback of every failure that a module reports.
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"bundles": [item], "at": "2026-06-15T12:00:00Z", "_ansible_tracebacks_for": []}})
    return subprocess.run([sys.executable, "-c", BOUNDED, str(memory)], input=arguments, capture_output=True, text=True, timeout=10 * SECONDS, check=False)


def test_fifty_megabytes_are_refused_in_bounded_memory():
    done = run_module(fifty_megabytes())
    assert json.loads(done.stdout)["msg"] == "bundles[0] (hostile): ca_bundle and chain are larger than 16 MiB; an API object holds at most 3 MiB"
    assert "Traceback" not in done.stdout + done.stderr


def full():
    """Different certificates, as many as are taken."""
    room, taken = verdict.LARGEST - len(cast.pem("leaf")) - len(cast.pem("ca")), []
    size = len(authority("ca-99999", "p256-0").pem()) + 5  # signatures are not all of one length
    for number in range(room // size):
        taken.append(authority(f"ca-{number}", f"p256-{number}").pem())
    return "".join(taken) + cast.pem("ca")


@pytest.mark.parametrize("text", [ten_thousand, full])
def test_many_certificates_are_judged_in_bounded_memory(text):
    done = run_module(text())
    assert json.loads(done.stdout)["results"][0]["trusted"] is True


def test_the_bound_of_memory_is_one():
    done = run_module(fifty_megabytes(), memory=128 << 20)
    assert done.returncode
    assert "larger than" not in done.stdout
