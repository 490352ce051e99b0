# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script as systemd runs it, against TLS servers that present chosen certificates."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.kubeops.webhook_doctor.roles.rotation_schedule.files import apiserver_loopback_metrics as script
from ansible_collections.kubeops.webhook_doctor.tests.tools.loopback_certificate import make
from ansible_collections.kubeops.webhook_doctor.tests.unit.schedule.servers import closed_port, plain_server, tls_server

PROMTOOL = Callable[..., subprocess.CompletedProcess[str]]
NOW = datetime.now(timezone.utc).replace(microsecond=0)
SERVING = make(NOW - timedelta(days=1), NOW + timedelta(days=364), "kube-apiserver")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, script.__file__, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)


def samples(text: str) -> dict[str, float]:
    """Of the exposition format: name, with its labels, and value."""
    return {name: float(value) for name, value in re.findall(r"(?m)^(?!#)(\S+) (\S+)$", text)}


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        pytest.param(NOW - timedelta(days=400), NOW - timedelta(days=35), id="expired"),
        pytest.param(NOW - timedelta(days=100), NOW + timedelta(days=996), id="three years"),
        pytest.param(NOW - timedelta(days=1), datetime(2051, 6, 1, tzinfo=timezone.utc), id="GeneralizedTime"),
        pytest.param(NOW + timedelta(days=2), NOW + timedelta(days=367), id="not yet valid"),
    ],
)
def test_a_loopback_certificate(begin: datetime, end: datetime, tmp_path: Path, promtool: PROMTOOL) -> None:
    output = tmp_path / "apiserver_loopback.prom"
    before = time.time()
    with tls_server(tmp_path, make(begin, end), SERVING) as (port, names):
        done = run("--address", f"127.0.0.1:{port}", "--output", output)
    assert done.returncode == 0, done.stderr
    assert names == ["apiserver-loopback-client"]
    text = output.read_text(encoding="utf-8")
    where = f'{{address="127.0.0.1:{port}"}}'
    found = samples(text)
    assert before - 1 <= found.pop("kube_apiserver_loopback_cert_last_run_timestamp_seconds") <= time.time() + 1
    assert found == {
        f"kube_apiserver_loopback_cert_probe_success{where}": 1,
        f"kube_apiserver_loopback_cert_not_after_seconds{where}": end.timestamp(),
        f"kube_apiserver_loopback_cert_not_before_seconds{where}": begin.timestamp(),
        f"kube_apiserver_loopback_cert_start_seconds{where}": (begin + timedelta(hours=1)).timestamp(),
    }
    assert f"ends {end:%Y-%m-%dT%H:%M:%SZ}" in done.stderr
    checked = promtool("check", "metrics", stdin=text)
    assert (checked.returncode, checked.stdout) == (0, "")
    assert output.stat().st_mode & 0o7777 == 0o644


def test_node_exporter_serves_them(tmp_path: Path, node_exporter: tuple[Path, Callable[[], str]]) -> None:
    directory, scrape = node_exporter
    with tls_server(tmp_path, make(NOW, NOW + timedelta(days=365))) as (port, _names):
        run("--address", f"127.0.0.1:{port}", "--output", directory / "apiserver_loopback.prom")
    served = samples(scrape())
    assert served["node_textfile_scrape_error"] == 0
    assert served[f'kube_apiserver_loopback_cert_not_after_seconds{{address="127.0.0.1:{port}"}}'] == (NOW + timedelta(days=365)).timestamp()


def test_several_addresses_and_one_that_does_not_answer(tmp_path: Path, promtool: PROMTOOL) -> None:
    output, closed = tmp_path / "apiserver_loopback.prom", closed_port()
    with tls_server(tmp_path, make(NOW, NOW + timedelta(days=365))) as (port, _names):
        done = run("--address", f"127.0.0.1:{closed}", "--address", f"127.0.0.1:{port}", "--output", output)
    assert done.returncode == 0
    found = samples(output.read_text(encoding="utf-8"))
    assert found[f'kube_apiserver_loopback_cert_probe_success{{address="127.0.0.1:{closed}"}}'] == 0
    assert found[f'kube_apiserver_loopback_cert_probe_success{{address="127.0.0.1:{port}"}}'] == 1
    assert [name for name in found if "not_after" in name] == [f'kube_apiserver_loopback_cert_not_after_seconds{{address="127.0.0.1:{port}"}}']
    assert promtool("check", "metrics", stdin=output.read_text(encoding="utf-8")).stdout == ""


def refused(tmp_path: Path, port: int) -> str:
    """What the log says of a server that could not be read: the metrics are written all the same."""
    output = tmp_path / "apiserver_loopback.prom"
    done = run("--address", f"127.0.0.1:{port}", "--output", output, "--timeout", "1")
    assert done.returncode == 0, done.stderr
    found = samples(output.read_text(encoding="utf-8"))
    assert found[f'kube_apiserver_loopback_cert_probe_success{{address="127.0.0.1:{port}"}}'] == 0
    assert len(found) == 2 and "kube_apiserver_loopback_cert_last_run_timestamp_seconds" in found
    assert done.stderr.startswith(f"127.0.0.1:{port}: ")
    return done.stderr


def test_a_port_where_nobody_listens(tmp_path: Path) -> None:
    assert "no connection: [Errno 111] Connection refused" in refused(tmp_path, closed_port())


def test_a_server_that_says_nothing(tmp_path: Path) -> None:
    with plain_server(None) as port:
        assert "timed out" in refused(tmp_path, port)


def test_a_server_without_tls(tmp_path: Path) -> None:
    with plain_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert "no TLS handshake" in refused(tmp_path, port)


def test_a_load_balancer_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    with tls_server(tmp_path, SERVING) as (port, _names):
        assert "not a loopback certificate: its common name is 'kube-apiserver'" in refused(tmp_path, port)


@pytest.mark.parametrize("name", ["apiserver-loopback-client", "apiserver-loopback-client@", "apiserver-loopback-client@12a", "x-apiserver-loopback-client@12"])
def test_names_that_are_nearly_right(name: str, tmp_path: Path) -> None:
    with tls_server(tmp_path, make(NOW, NOW + timedelta(days=1), name)) as (port, _names):
        assert "not a loopback certificate" in refused(tmp_path, port)


def test_the_file_that_was_there_stays_where_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    output = tmp_path / "metrics" / "apiserver_loopback.prom"
    done = run("--address", f"127.0.0.1:{closed_port()}", "--output", output)
    assert done.returncode == 1
    assert f"{output} could not be written" in done.stderr


def test_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    output = tmp_path / "apiserver_loopback.prom"
    for _time in range(2):
        assert run("--address", f"127.0.0.1:{closed_port()}", "--output", output).returncode == 0
    assert list(tmp_path.iterdir()) == [output]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "apiserver_loopback.prom"
    output.write_text("old\n", encoding="utf-8")

    def full(dummy: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(script.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        script.write_atomically(output, "new\n")
    assert list(tmp_path.iterdir()) == [output]
    assert output.read_text(encoding="utf-8") == "old\n"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--address", "10.0.0.1", "--output", "-"], 2, "'10.0.0.1' is not an address; expected HOST:PORT"),
        (["--address", "2001:db8::1:6443", "--output", "-"], 2, "expected HOST:PORT"),
        (["--address", "10.0.0.1:6443"], 2, "--output FILE is missing"),
        (["--address", "10.0.0.1:6443", "--output", "x.txt"], 2, "only files whose names end in .prom"),
        (["--address", "127.0.0.1:9345", "--output", "-"], 2, "the supervisor's port"),
        (["--root", "/nonexistent", "--output", "-"], 1, "no API server was found on this node"),
        (["--root", "/nonexistent", "--find"], 1, "no API server was found on this node"),
    ],
)
def test_arguments_that_are_wrong(arguments: list[str], code: int, says: str) -> None:
    done = run(*arguments)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr


def test_printing(tmp_path: Path) -> None:
    with tls_server(tmp_path, make(NOW, NOW + timedelta(days=365))) as (port, _names):
        done = run("--address", f"127.0.0.1:{port}", "--output", "-")
    assert f'kube_apiserver_loopback_cert_probe_success{{address="127.0.0.1:{port}"}} 1' in done.stdout.splitlines()


def test_help_names_what_it_does() -> None:
    done = run("--help")
    assert done.returncode == 0
    for word in ("kube_apiserver_loopback_cert_not_after_seconds", "exit codes:", "--address", "--find"):
        assert word in done.stdout


def test_labels_are_escaped() -> None:
    metric = script.Metric("a", "b", [({"address": 'x"\\n'}, 1)])
    assert script.exposition([metric]).splitlines()[-1] == r'a{address="x\"\\n"} 1'


INSTALLED = [path for path in Path.home().glob(".pyenv/versions/3.*/bin/python3") if int(path.parents[1].name.split(".")[1]) >= 9]


@pytest.mark.parametrize("python", [*sorted(INSTALLED), Path("/usr/bin/python3")], ids=str)
def test_other_pythons(python: Path, tmp_path: Path) -> None:
    """Hosts have what they have: Python 3.9 and newer."""
    if not python.exists():
        pytest.skip(f"there is no {python}")
    output = tmp_path / "apiserver_loopback.prom"
    with tls_server(tmp_path, make(NOW, NOW + timedelta(days=365))) as (port, _names):
        done = subprocess.run(
            [str(python), script.__file__, "--address", f"127.0.0.1:{port}", "--output", str(output)], capture_output=True, text=True, check=False, env={}
        )
    assert done.returncode == 0, done.stderr
    assert samples(output.read_text(encoding="utf-8"))[f'kube_apiserver_loopback_cert_probe_success{{address="127.0.0.1:{port}"}}'] == 1
