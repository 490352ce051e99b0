# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible calls it: what it returns, when it fails and in which words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.kubeops.webhook_doctor.plugins.modules import endpoint_check
from ansible_collections.kubeops.webhook_doctor.tests.unit.probe.servers import admission, healthy, http, raw_answer, serving, silent, tls

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(**arguments: Any) -> dict[str, Any]:
        with patch_module_args(arguments), pytest.raises(SystemExit):
            endpoint_check.main()
        return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]

    return call


def spec(server: Any, name: str = "one", **more: Any) -> dict[str, Any]:
    return {"name": name, "host": server.host, "port": server.port, "server_name": "hook.ns.svc", "review": "admission", **more}


def test_healthy_and_not(pem: Path, run: Run) -> None:
    with serving(tls(pem, healthy)) as good, serving(silent) as bad:
        answer = run(endpoints=[spec(bad, "bad", timeout=0.3), spec(good, "good")])
    assert answer["changed"] is False and not answer.get("failed")
    assert [(result["name"], result["ok"], result["cause"]) for result in answer["results"]] == [("bad", False, "tls_timeout"), ("good", True, None)]


def test_check_mode_is_no_reason_to_do_nothing(pem: Path, run: Run) -> None:
    with serving(tls(pem, healthy)) as server:
        assert run(endpoints=[spec(server)], _ansible_check_mode=True)["results"][0]["ok"]


def test_fail_on_unhealthy_carries_all_results(pem: Path, run: Run) -> None:
    with serving(tls(pem, healthy)) as good, serving(silent) as bad:
        answer = run(endpoints=[spec(bad, "bad", timeout=0.3), spec(good, "good")], fail_on_unhealthy=True)
    assert answer["failed"] and answer["msg"] == "1 of 2 endpoints failed: bad"
    assert len(answer["results"]) == 2


def test_a_long_list_of_failures_is_shortened(run: Run) -> None:
    with serving(lambda connection: None) as server:
        answer = run(endpoints=[spec(server, f"n{index}", path=f"/{index}") for index in range(25)], fail_on_unhealthy=True)
    assert answer["msg"].startswith("25 of 25 endpoints failed: n0, ") and answer["msg"].endswith(" and 5 more")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"endpoints": [{"name": "a", "host": "x", "port": 0}]}, "endpoints[0]: port 0 is out of range. Expected 1 to 65535."),
        ({"endpoints": [], "deadline": 0}, "deadline 0 is out of range. Expected 0.1 to 86400 seconds."),
        ({"endpoints": [], "concurrency": 0}, "concurrency 0 is out of range. Expected 1 to 1024 calls."),
        ({"endpoints": [], "retries": -1}, "retries -1 is out of range. Expected 0 to 100 further attempts."),
    ],
)
def test_wrong_options(run: Run, arguments: dict[str, Any], message: str) -> None:
    answer = run(**arguments)
    assert answer["failed"] and answer["msg"] == message


def test_a_kubeconfig_that_is_not_there_fails_only_where_it_is_needed(pem: Path, run: Run) -> None:
    proxied = {"name": "p", "vantage": "service_proxy", "namespace": "n", "service": "s", "service_port": 443}
    with serving(tls(pem, healthy)) as server:
        assert run(endpoints=[spec(server)], kubeconfig="/nosuch/config")["results"][0]["ok"]
        answer = run(endpoints=[spec(server), proxied], kubeconfig="/nosuch/config")
    assert answer["failed"] and "/nosuch/config" in answer["msg"] and "exception" not in answer


def test_the_api_vantages_use_the_connection_options(run: Run) -> None:
    proxied = {"name": "p", "vantage": "service_proxy", "namespace": "n", "service": "s", "service_port": 443, "review": "admission"}
    with serving(raw_answer(lambda review: http(admission(review)))) as server:
        answer = run(endpoints=[proxied], host=f"http://127.0.0.1:{server.port}", api_key="s3cret")
    assert answer["results"][0]["ok"], answer
    assert "s3cret" not in json.dumps(answer["results"])


@pytest.mark.parametrize("proxy", ["http://me:hunter2@127.0.0.1:9", "ftp://me:hunter2@127.0.0.1:9"])
def test_a_proxys_password_is_not_shown(run: Run, proxy: str) -> None:
    answer = run(endpoints=[{"name": "a", "host": "hook.example.com", "port": 443, "proxy": proxy}])
    assert "hunter2" not in json.dumps(answer)


def test_text_from_the_network_stays_data(pem: Path, run: Run) -> None:
    evil = "{{ lookup('pipe', 'id') }}\x00\x1b[31m\ud83d\ude00"
    with serving(tls(pem, raw_answer(lambda review: http(evil.encode("utf-8", "surrogatepass"), "500 {{ 7*7 }}")))) as server:
        result = run(endpoints=[spec(server)])["results"][0]
    assert result["error"] == "HTTP 500 {{ 7*7 }}"
    assert result["http"]["body"].startswith("{{ lookup('pipe', 'id') }}\x00\x1b[31m")


def test_documentation_and_arguments_are_the_same() -> None:
    options = yaml.safe_load(endpoint_check.DOCUMENTATION)["options"]
    own = {name: option for name, option in endpoint_check.ARGUMENT_SPEC.items() if name not in endpoint_check.AUTH_ARGUMENT_SPEC}
    assert set(options) == set(own)
    compare(options, own)


def compare(options: dict[str, Any], arguments: dict[str, Any]) -> None:
    for name, argument in arguments.items():
        documented = options[name]
        for key in ("type", "elements", "required", "default", "choices"):
            assert documented.get(key) == argument.get(key), (name, key)
        if "options" in argument:
            assert set(documented["suboptions"]) == set(argument["options"])
            compare(documented["suboptions"], argument["options"])


def test_results_are_documented() -> None:
    contains = yaml.safe_load(endpoint_check.RETURN)["results"]["contains"]
    keys = "name vantage callouts instance ok phase cause error provable reason request hidden_by check elapsed_ms peer tls http attempts"
    assert " ".join(contains) == keys
