# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Prometheus, for tests that ask them themselves."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.kubeops.webhook_doctor.tests.tools import prometheus


def debian_program(name: str) -> Path:
    """Skips the test where it cannot be had."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    try:
        return prometheus.program(name, Path(base) / "kubeops-webhook-doctor" / "prometheus")
    except prometheus.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def promtool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`promtool("check", "metrics", stdin=text)`: what it answers. Its output has both streams."""
    path = debian_program("promtool")

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(path), *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    return run


@pytest.fixture
def node_exporter(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], str]]]:
    """The directory of a running node_exporter's textfile collector, and what is scraped from it."""
    directory = tmp_path / "textfile_collector"
    directory.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    collectors = ["--collector.disable-defaults", "--collector.textfile", f"--collector.textfile.directory={directory}"]
    command = [str(debian_program("prometheus-node-exporter")), *collectors, f"--web.listen-address=127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:

        def scrape() -> str:
            for _attempt in range(100):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                        return str(answer.read().decode())
                except OSError:
                    time.sleep(0.1)
            raise AssertionError("node_exporter did not answer within 10 s")

        try:
            yield directory, scrape
        finally:
            process.terminate()
