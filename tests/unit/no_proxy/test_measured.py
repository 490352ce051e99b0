# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The functions against the real programs of this machine: the rows of the table, and random values. NO_PROXY_VALUES sets how many."""

from __future__ import annotations

import os
import random

import pytest

from ansible_collections.kubeops.webhook_doctor.tests.unit.no_proxy.table import DIRECT, PROXY, Row, consumer_for, rows
from ansible_collections.kubeops.webhook_doctor.tests.unit.no_proxy.witnesses.asking import WITNESSES, ask, settings
from ansible_collections.kubeops.webhook_doctor.tests.unit.no_proxy.witnesses.witness import Absent

VALUES = int(os.environ.get("NO_PROXY_VALUES", "250"))
ENTRIES = """
    foo.com .foo.com *.foo.com foo.com:443 foo.com:8443 foo.com: foo.com. FOO.com *foo.com foo.* *.foo.* *. . localhost hook.system.svc
    svc .svc *.svc .svc:443 ..svc *.svc:8443 .cluster.local svc.cluster.local * 10.0.0.0/8 10.96.0.0/16 10.1.2.3/8 10.0.0.0/08 10.0.0.5/ 1.2.3.4/33 0.0.0.0/0
    10.0.0.5/0 10.0.0.5/32 10.0.0.0/8x 10.0.0.0/x 10.0.0.5 10.0.0.5:6443 10.0.0.5:x 10. 10.* 10 0.0.5 010.0.0.5 10.0.0.256 127.0.0.1 127.0.0.0/8 :443
    fd00::/8 fd00::/9 ::/0 ::1 fd00::1 [fd00::1] [fd00::1]:6443 fd00: [::1] ::ffff:10.0.0.5 ::ffff:10.0.0.0/104 fe80::1%eth0
""".split()
SEPARATORS = (",", ",", ",", ", ", " ,", " ", ",,", "|")
HOSTS = """
    foo.com a.foo.com xfoo.com foo.com. Foo.COM hook.system.svc hook.system.svc.cluster.local svc xsvc localhost
    10.0.0.5 10.96.3.4 127.0.0.1 127.9.9.9 192.168.1.1 [fd00::1] [fd01::1] [::1]
""".split()
PORTS = ("", ":443", ":6443", ":8443")


def random_rows(seed: int, count: int) -> list[Row]:
    chance = random.Random(seed)
    made = []
    for _number in range(count):
        value = "".join(chance.choice(ENTRIES) + chance.choice(SEPARATORS) for _entry in range(chance.randint(0, 4)))
        made.append(Row(value.rstrip(", |") if chance.random() < 0.7 else value, chance.choice(HOSTS) + chance.choice(PORTS)))
    return made


@pytest.mark.parametrize("name", WITNESSES)
def test_the_real_program_agrees(name: str) -> None:
    witness = WITNESSES[name]
    asked = [*rows(), *random_rows(20261120, VALUES)]
    try:
        answers = ask(name, [(settings(witness.consumer, row.no_proxy), row.url) for row in asked])
        consumer = consumer_for(name, witness.version())
    except Absent as absent:
        pytest.skip(str(absent))
    assert [(row, row.says(consumer)) for row in asked] == list(zip(asked, answers))
    assert set(answers) == {DIRECT, PROXY}
