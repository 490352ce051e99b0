# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure readers: certificates, YAML without PyYAML, durations, log lines."""

from __future__ import annotations

import datetime
import random
import re
import ssl
from typing import Any

import pytest
import yaml
from cryptography import x509

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.block_yaml import NotUnderstood, load
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.der import NotACertificate, names
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.logs import LINES, cleaned
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.setting import setting
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.times import go_seconds, precise_stamp, stamp
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.certificates import Authority, as_yaml, loopback


@pytest.mark.parametrize("started", [1_700_000_000, 2_600_000_000])  # the second ends after 2049, which is written in another form
def test_a_certificate_tells_its_name_and_dates(started: int) -> None:
    pem = loopback(started)
    found, witness = (
        names(ssl.PEM_cert_to_DER_cert(pem.decode().partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----")),
        x509.load_pem_x509_certificate(pem),
    )
    assert found.common_name == f"apiserver-loopback-client@{started}"
    assert found.not_before == witness.not_valid_before_utc.timestamp() == started - 3600
    assert found.not_after == witness.not_valid_after_utc.timestamp()


def test_a_name_may_have_several_parts(authority: Authority) -> None:
    pem, _key = authority.issue("kubernetes-admin", "system:masters")
    assert names(ssl.PEM_cert_to_DER_cert(pem.decode())).common_name == "kubernetes-admin"


@pytest.mark.parametrize(
    "damage", [lambda der: b"", lambda der: der[:100], lambda der: b"\x31" + der[1:], lambda der: b"\x30\x84\xff\xff\xff\xff", lambda der: b"\x30" * 40]
)
def test_what_is_no_certificate_is_refused(damage: Any, authority: Authority) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.certificate.decode())
    with pytest.raises(NotACertificate):
        names(damage(der))


def test_kubeconfigs_are_read_as_by_pyyaml(authority: Authority) -> None:
    kubeconfig = authority.kubeconfig()
    text = as_yaml(kubeconfig)
    assert load(text) == yaml.safe_load(text) == kubeconfig


@pytest.mark.parametrize(
    "text",
    [
        "a: b\nc: d e\n",
        "a:\n  b: c\nd:\n- e\n- f\n",
        "a:\n  - b: c\n    d: e\n  - f: g\nh: i\n",
        "a:\n- - b\n  - c\n",
        "- a\n-\n  b: c\n",
        "# a comment\n---\na: b # and one more\nc: \"d # none\" # but this\ne: 'it''s'\n",
        "server: https://192.0.2.1:6443\n",
        "a:\nb: {}\nc: []\n",
        '"a b": c\n',
        "a: null\nb: ~\n",
        '{"a": {"b": ["c"]}}',
        "",
    ],
)
def test_block_yaml_is_read_as_by_pyyaml(text: str) -> None:
    assert load(text) == yaml.safe_load(text)


# As programs write texts of more than 80 columns that have blanks.
@pytest.mark.parametrize(
    "text",
    [
        "a: b\n  c\n   d\ne: f\n",
        "a:\n- b\n  c - d\n- e: f\n    g # why\n  h: i\n",
        "a: 'it''s\n  one: two # three'\nb: c\n",
        'a: "b\n  c: \\"d\\"\n  e" # why\nf: g\n',
        'a: "b\\\n  \\ c\\\n  d"\n',
        'a: "b\n  \\ c"\n',
        "a: http://u:p@x#y\n  z\n",
        "a: b\n  - c\n",
        "a:\n- # why\n  b: c\n- d\n",
    ],
)
def test_folded_texts_are_read_as_by_pyyaml(text: str) -> None:
    assert load(text) == yaml.safe_load(text)


def test_what_pyyaml_folds_is_read_as_it_was() -> None:
    chance = random.Random(20261126)
    for dummy in range(200):
        words = ["".join(chance.choice("abc.,:#'\"\\%- ") for dummy in range(chance.randint(1, 12))) for dummy in range(30)]
        document = {
            "env": [{"name": "NO_PROXY", "value": " ".join(words[:15])}, {"name": "b", "value": " ".join(words[15:])}],
            "command": ["x", ", ".join(words)],
        }
        text = yaml.safe_dump(document, width=40)
        try:
            assert load(text) == yaml.safe_load(text), text
        except NotUnderstood:
            assert "\n\n" in text or re.search(r"^ *#", text, re.MULTILINE), text


@pytest.mark.parametrize("text", ["a: b\n  c: d\n", "a: b\n\n  c\n", "a: b # why\n  c\n", "a: b\n  # why\n  c\n", "a: 'b\n\n  c'\n", "a: 'b\nc'\n"])
def test_what_is_no_fold_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood):
        load(text)


@pytest.mark.parametrize("text", ["a: |\n  b\n", "a: {b: c}\n", "a: &x b\n", "a: *x\n", "a: !!str b\n", "a\n", "a: b\n   c: d\n", "{broken", "a: 'b\n"])
def test_other_yaml_is_refused_not_guessed(text: str) -> None:
    with pytest.raises(NotUnderstood):
        load(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("staticPodPath: /etc/kubernetes/manifests\n", "/etc/kubernetes/manifests"),
        ('a: b\nstaticPodPath: "/x" # there\n', "/x"),
        ("nested:\n  staticPodPath: /x\n", None),
        ('staticPodPath: ""\n', None),
        ("staticPodPath:\n", None),
        (None, None),
    ],
)
def test_a_setting_is_read(text: str | None, expected: str | None) -> None:
    assert setting(text, "staticPodPath") == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("70s", 70), ("1m0s", 60), ("1h2m3.5s", 3723.5), ("500ms", 0.5), ("0", 0), ("", None), (None, None), ("70", None), ("-1s", None), ("1s?", None)],
)
def test_durations_are_gos(text: str | None, seconds: float | None) -> None:
    assert go_seconds(text) == seconds


def test_times_are_utc() -> None:
    assert stamp(0) == "1970-01-01T00:00:00Z"
    assert precise_stamp(datetime.datetime(2026, 1, 2, 3, 4, 5, 678_999, datetime.timezone.utc).timestamp()) == "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('E0101 10:00:00.000000       1 run.go:72] "command failed" err="etcd: context deadline exceeded"', None),
        ("--service-account-key-file=/etc/kubernetes/pki/sa.pub", None),
        ("--token-auth-file=/etc/tokens --v=2", None),
        ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer (removed)"),
        ('token="s3cr3t" ok', 'token="(removed)" ok'),
        ("found eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrOHMifQ.c2ln there", "found (removed) there"),
        ("Running k3s --etcd-s3-secret-key s3cr3t --token s3cr3t --tls-san a", "Running k3s --etcd-s3-secret-key (removed) --token (removed) --tls-san a"),
        ("--token-auth-file /etc/tokens --token --v=2", None),
        ("dial mysql://root:s3cr3t@db:3306", "dial mysql://(removed)@db:3306"),
        ("password: s3cr3t", "password: (removed)"),
        ("a\x1b[31mred", "a?[31mred"),
    ],
)
def test_log_lines_lose_their_secrets_and_nothing_else(line: str, expected: str | None) -> None:
    assert cleaned([line]) == [expected or line]


def test_log_lines_are_the_last_ones_and_bounded() -> None:
    lines = cleaned([f"line {number} " + "x" * 1000 for number in range(500)])
    assert len(lines) == LINES and lines[-1].startswith("line 499 ") and all(len(line) <= 500 for line in lines)


def test_a_private_key_over_several_lines_goes() -> None:
    text = "before\n-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\nafter"
    assert cleaned(text.split("\n")) == ["before", "(a private key was removed here)", "after"]
