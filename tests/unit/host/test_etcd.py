# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""etcd over real connections: who is asked, with which files, and what of the answers means healthy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.connection import NoAnswer
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.etcd import etcd
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.grpc import call
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.host import Host
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.k3s import flag
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.protobuf import Malformed, fields, of_bytes, of_number
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.certificates import Authority
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.etcd_server import (
    ANSWER,
    DATA,
    FIRST_ID,
    GOAWAY,
    HEADERS,
    OK,
    PING,
    REFUSED,
    RESET,
    SETTINGS,
    Etcd,
    answered,
    etcds,
    field,
    frame,
    member,
    message,
    status,
)
from ansible_collections.kubeops.webhook_doctor.tests.unit.host.machine import Machine
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.servers import serving, silent


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("etcd-ca")


@pytest.fixture
def flags(machine: Machine, authority: Authority) -> dict[str, str]:
    certificate, key = authority.issue("kube-apiserver-etcd-client")
    names = {"etcd-cafile": authority.certificate, "etcd-certfile": certificate, "etcd-keyfile": key}
    for name, content in names.items():
        machine.file(f"/etc/kubernetes/pki/{name}", content, mode=0o600)
    return {name: f"/etc/kubernetes/pki/{name}" for name in names}


@pytest.fixture
def trio(tmp_path: Path, authority: Authority) -> Iterator[list[Etcd]]:
    with etcds(tmp_path / "etcd", authority, 3) as members:
        yield members


def test_all_members_are_asked(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, None)
    assert found["error"] is None and found["embedded"] is False and found["servers"] == [trio[0].url]
    assert found["members"] == [
        {"id": f"{FIRST_ID + number:x}", "name": f"etcd-{number}", "client_urls": [one.url], "learner": False, "healthy": True, "error": None}
        for number, one in enumerate(trio, 1)
    ]
    assert [one.calls for one in trio] == [["MemberList", "Status", "Range"], ["Status", "Range"], ["Status", "Range"]]


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({}, None),
        ({"Status": answered(status(0))}, "it has no leader"),
        ({"Status": answered(status(0, "etcdserver: no leader"))}, "etcdserver: no leader"),
        ({"Status": answered(status(7, "memberID:1 alarm:NOSPACE"))}, "memberID:1 alarm:NOSPACE"),
        ({"Range": REFUSED}, "it cannot read with a quorum: the server refused the call"),
        ({"Status": REFUSED}, "the server refused the call"),
        ({"Status": answered(b"\x07")}, "this is no status: wire type 7"),
    ],
)
def test_a_member_is_healthy_or_says_why_not(answers: dict[str, bytes], error: str | None, trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    trio[1].answers.update(answers)
    found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, None)
    assert [one["healthy"] for one in found["members"]] == [True, error is None, True]
    assert found["members"][1]["error"] == (error and f"{trio[1].url}: {error}")


def test_one_is_down_and_another_tells_the_members(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    trio[0].close()
    found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": f"{trio[0].url},{trio[1].url}"}, None)
    assert [(one["healthy"], one["error"]) for one in found["members"]] == [
        (False, f"{trio[0].url}: dial tcp 127.0.0.1:{trio[0].port}: connect: connection refused"),
        (True, None),
        (True, None),
    ]


def test_one_has_not_started_and_has_no_vote(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    trio[0].answers["MemberList"] = answered(field(2, member("etcd-1", (trio[0].url,))) + field(2, member("", (), learner=True)))
    found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, None)
    assert found["members"][0] == {"id": None, "name": "", "client_urls": [], "learner": True, "healthy": False, "error": "it has not started"}


def test_it_suffices_that_one_of_the_urls_answers(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    trio[2].close()
    trio[0].answers["MemberList"] = answered(field(2, member("etcd-1", (trio[2].url, trio[0].url), id=FIRST_ID + 1)))
    found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, None)
    assert found["members"][0]["healthy"] is True


def test_where_every_member_tells_the_same_url_only_the_one_behind_it_is_known(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    """k0s: all members advertise https://127.0.0.1:2379."""
    same = (trio[0].url,)
    listed = [field(2, member(f"etcd-{number}", same, id=FIRST_ID + number)) for number in (1, 2, 3)]
    trio[0].answers["MemberList"] = answered(b"".join(listed))
    found = etcd(Host(machine.root), "k0s", {**flags, "etcd-servers": trio[0].url}, None)
    elsewhere = f"cannot be asked from here: {trio[0].url} leads to another member"
    assert [(one["healthy"], one["error"]) for one in found["members"]] == [(True, None), (None, elsewhere), (None, elsewhere)]


def test_a_member_is_sick_whose_own_url_does_not_answer_although_another_leads_elsewhere(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    trio[2].close()
    trio[0].answers["MemberList"] = answered(field(2, member("etcd-3", (trio[0].url, trio[2].url), id=FIRST_ID + 3)))
    found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, None)
    assert [(one["healthy"], "connection refused" in one["error"]) for one in found["members"]] == [(False, True)]


def test_who_has_no_ids_is_believed(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    """A gRPC proxy tells members without ids."""
    trio[0].answers["MemberList"] = answered(field(2, member("proxy", (trio[1].url,))))
    found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, None)
    assert [(one["id"], one["healthy"]) for one in found["members"]] == [(None, True)]


def test_without_the_right_certificate_nothing_is_known(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    certificate, key = Authority("another").issue("stranger")
    machine.file(flags["etcd-certfile"], certificate)
    machine.file(flags["etcd-keyfile"], key)
    found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, None)
    assert found["members"] is None and found["error"].startswith(f"{trio[0].url}: ") and trio[0].calls == []


def test_a_server_of_another_ca_is_not_believed(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    machine.file(flags["etcd-cafile"], Authority("another").certificate)
    found = etcd(Host(machine.root), "kubeadm", {**flags, "etcd-servers": trio[0].url}, None)
    assert found["members"] is None and "certificate verify failed" in found["error"] and trio[0].calls == []


def test_files_are_those_that_the_process_sees(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    for path in flags.values():
        machine.file(f"/proc/10/root/certs{path}", (machine.root / path.lstrip("/")).read_bytes())
        (machine.root / path.lstrip("/")).unlink()
    inside = {**{name: f"/certs{path}" for name, path in flags.items()}, "etcd-servers": trio[0].url}
    assert len(etcd(Host(machine.root), "kubeadm", inside, 10)["members"]) == 3
    assert etcd(Host(machine.root), "kubeadm", inside, 11)["error"] == f"{inside['etcd-cafile']} cannot be read: No such file or directory."


def test_without_tls(tmp_path: Path, authority: Authority, machine: Machine) -> None:
    with etcds(tmp_path / "plain", authority, 1, tls=False) as (one,):
        found = etcd(Host(machine.root), "kubeadm", {"etcd-servers": one.url}, None)
        assert [member["healthy"] for member in found["members"]] == [True]


@pytest.mark.parametrize(
    ("distribution", "servers", "error"),
    [
        ("microk8s", "unix:///var/snap/microk8s/current/var/kubernetes/backend/kine.sock:12379", "is no etcd that could be asked"),
        ("kubeadm", "", "--etcd-servers of the API server is not known"),
        ("kubeadm", "https://192.0.2.1:none", "Port could not be cast"),
    ],
)
def test_what_cannot_be_asked_is_told(distribution: str, servers: str, error: str, machine: Machine) -> None:
    found = etcd(Host(machine.root), distribution, {"etcd-servers": servers} if servers else {}, None)
    assert found["members"] is None and error in found["error"]


SERVER = "/var/lib/rancher/k3s/server"
LOCAL = ["https://127.0.0.1:2379"]
KINE = [f"unix://{SERVER}/kine.sock"]


@pytest.mark.parametrize(
    ("files", "servers", "embedded"),
    [
        ({f"{SERVER}/db/etcd/member/wal": ""}, LOCAL, True),
        ({f"{SERVER}/db/etcd/member/wal": "", f"{SERVER}/db/state.db-migrated": ""}, LOCAL, True),
        ({f"{SERVER}/db/etcd/config": "", f"{SERVER}/db/state.db": ""}, KINE, False),
        ({f"{SERVER}/kine.sock": ""}, KINE, False),
        ({f"{SERVER}/token": ""}, [], False),
        ({f"{SERVER}/token": "", "/etc/rancher/k3s/config.yaml": "disable-etcd: true\n"}, LOCAL, False),
        ({f"{SERVER}/db/etcd/member/wal": "", "/etc/rancher/k3s/config.yaml": "disable-etcd: false\n"}, LOCAL, True),
        ({f"{SERVER}/token": "", "/etc/systemd/system/k3s.service": "ExecStart=/usr/local/bin/k3s server --disable-etcd\nRestart=always\n"}, LOCAL, False),
        ({f"{SERVER}/db/state.db": "", "/etc/rancher/k3s/config.yaml": "data-dir: /data/\n", "/data/server/db/etcd/member/wal": ""}, LOCAL, True),
        ({f"{SERVER}/db/state.db": "", "/etc/rancher/k3s/config.yaml": "data-dir: /data/\n"}, [], False),
    ],
)
def test_k3s_has_an_etcd_of_its_own_or_none(files: dict[str, str], servers: list[str], embedded: bool, machine: Machine) -> None:
    for path, content in files.items():
        machine.file(path, content)
    found = etcd(Host(machine.root), "k3s", {}, None)
    assert (found["servers"], found["embedded"], found["members"]) == (servers, embedded, None)
    if servers == KINE:
        assert found["error"] == f"{KINE[0]} is no etcd that could be asked"


def test_k3s_may_have_an_etcd_that_is_not_its_own(trio: list[Etcd], machine: Machine, flags: dict[str, str]) -> None:
    machine.file(f"{SERVER}/db/etcd/member/wal")
    files = {"datastore-cafile": flags["etcd-cafile"], "datastore-certfile": flags["etcd-certfile"], "datastore-keyfile": flags["etcd-keyfile"]}
    settings = {"datastore-endpoint": f"https://127.0.0.1:1,{trio[1].url}", **files}
    machine.file("/etc/rancher/k3s/config.yaml", "".join(f"{name}: {value}\n" for name, value in settings.items()))
    found = etcd(Host(machine.root), "k3s", {}, None)
    assert (found["servers"], found["embedded"], len(found["members"])) == (["https://127.0.0.1:1", trio[1].url], False, 3)
    machine.file("/etc/rancher/k3s/config.yaml")
    variables = {name.upper().replace("-", "_"): value for name, value in settings.items()}
    machine.process(10, ["/usr/local/bin/k3s server"], environ={f"K3S_{name}": value for name, value in variables.items()})
    assert len(etcd(Host(machine.root), "k3s", {}, 10)["members"]) == 3


def test_the_address_of_a_database_is_not_shown(machine: Machine) -> None:
    machine.file("/etc/rancher/k3s/config.yaml", "datastore-endpoint: mysql://root:s3cr3t@tcp(192.0.2.1:3306)/k3s\n")
    machine.file(f"{SERVER}/kine.sock")
    host = Host(machine.root)
    found = etcd(host, "k3s", {}, None)
    assert found["servers"] == KINE and "s3cr3t" not in str((found, host.coverage))


def test_where_k3s_works_outweighs_what_was_left_at_the_usual_place(machine: Machine) -> None:
    """A member of etcd that is not seen would be restarted without a look at the others."""
    machine.file(f"{SERVER}/db/state.db")
    machine.file("/data/server/db/etcd/member/wal")
    machine.process(10, ["/usr/local/bin/k3s server"])
    assert etcd(Host(machine.root), "k3s", {}, 10)["embedded"] is False
    (machine.root / "proc/10/cwd").symlink_to("/data/server")
    assert etcd(Host(machine.root), "k3s", {}, 10)["embedded"] is True


def test_the_etcd_of_k3s_is_asked_with_the_files_of_its_folder(machine: Machine) -> None:
    machine.file("/etc/rancher/k3s/config.yaml", "data-dir: /data\n")
    machine.file("/data/server/db/etcd/member/wal")
    assert "/data/server/tls/etcd/server-ca.crt cannot be read" in etcd(Host(machine.root), "k3s", {}, None)["error"]


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("ExecStart=k3s server --data-dir=/a --data-dir /b\n", "/b"),
        ("ExecStart=k3s server '--data-dir=/a'\n", "/a"),
        ("ExecStart=k3s server \\\n\t'--data-dir' \\\n\t'/a' \\\n", "/a"),
        ("# ExecStart=k3s server --data-dir=/a\n", None),
        ("ExecStart=k3s server --etcd-arg=data-dir=/a --my-data-dir=/b --data-dir-of=/c\n", None),
        ("ExecStart=k3s server --data-dir --tls-san=x\n", "true"),
        (None, None),
    ],
)
def test_what_a_service_of_k3s_is_told(content: str | None, value: str | None) -> None:
    assert flag(content, "data-dir") == value


class TestFrames:
    """What may come instead of, or between, the frames of an answer."""

    @pytest.fixture
    def one(self, tmp_path: Path, authority: Authority) -> Iterator[Etcd]:
        with etcds(tmp_path / "one", authority, 1, tls=False) as (one,):
            yield one

    def asked(self, one: Etcd, frames: bytes) -> bytes:
        one.answers["Status"] = frames
        return call("127.0.0.1", one.port, "/etcdserverpb.Maintenance/Status", b"", None)

    @pytest.mark.parametrize(
        "frames",
        [
            answered(ANSWER),
            frame(PING, 0, 0, b"12345678") + frame(8, 0, 0, b"\0\0\x10\0") + answered(ANSWER),
            frame(HEADERS, 4, 1, OK) + frame(DATA, 0, 1, message(ANSWER)[:3]) + frame(DATA, 1, 1, message(ANSWER)[3:]),
            frame(HEADERS, 4, 1, OK) + frame(DATA, 9, 1, b"\x03" + message(ANSWER) + b"\0\0\0"),
            frame(DATA, 1, 3, message(b"of another stream")) + answered(ANSWER),
        ],
    )
    def test_the_message_is_found(self, frames: bytes, one: Etcd) -> None:
        assert self.asked(one, frames) == ANSWER

    def test_pings_are_answered(self, one: Etcd) -> None:
        """Its settings and its ping, but not what is an acknowledgement itself."""
        self.asked(one, frame(PING, 0, 0, b"12345678") + frame(PING, 1, 0, b"12345678") + answered(ANSWER))
        until = time.monotonic() + 5
        while len(one.acknowledged) < 2 and time.monotonic() < until:  # the server reads them after the client has gone
            time.sleep(0.01)
        assert one.acknowledged == [SETTINGS, PING]

    @pytest.mark.parametrize(
        ("frames", "error"),
        [
            (REFUSED, "refused the call"),
            (frame(GOAWAY, 0, 0, b"\0" * 8), "GOAWAY"),
            (frame(RESET, 0, 1, b"\0" * 4), "RST_STREAM"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not HTTP/2"),
            (frame(DATA, 1, 1, b"\1" + message(ANSWER)[1:]), "no gRPC message"),
            (frame(DATA, 1, 1, message(ANSWER)[:-1]), "no gRPC message"),
            (frame(DATA, 1, 1, b"\0"), "no gRPC message"),
        ],
    )
    def test_what_is_no_answer_is_told(self, frames: bytes, error: str, one: Etcd) -> None:
        with pytest.raises(NoAnswer, match=error):
            self.asked(one, frames)

    def test_who_says_nothing_is_not_awaited_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ansible_collections.kubeops.webhook_doctor.plugins.module_utils._host.grpc.TIMEOUT", 0.3)
        with serving(silent) as server, pytest.raises(NoAnswer, match="no complete answer in time"):
            call("127.0.0.1", server.port, "/etcdserverpb.Maintenance/Status", b"", None)


def test_fields_of_all_kinds_are_read() -> None:
    whole = field(1, 300) + field(2, b"text") + b"\x19" + b"\1" * 8 + b"\x25" + b"\2" * 4 + field(16, 0)
    assert list(fields(whole)) == [(1, 300), (2, b"text"), (3, b"\1" * 8), (4, b"\2" * 4), (16, 0)]
    assert of_number(whole, 1) == 300 and of_number(whole, 9) == 0 and of_bytes(whole, 2) == [b"text"]


@pytest.mark.parametrize("damaged", [b"\x80", b"\x0a\x05ab", b"\x09\1", b"\x0b", b"\xff" * 11])
def test_what_is_no_message_is_refused(damaged: bytes) -> None:
    with pytest.raises(Malformed):
        list(fields(damaged))
