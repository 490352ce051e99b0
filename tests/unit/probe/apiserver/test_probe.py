"""The table of tests/unit/probe/apiserver/*.yml: what an API server answers -> what is proven about one webhook."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._probe.apiserver.probe import probe_apiserver

HERE = Path(__file__).parent
RESULT_KEYS = {
    *("name", "vantage", "callouts", "instance", "ok", "phase", "cause", "error", "provable", "reason", "request", "hidden_by"),
    *("check", "elapsed_ms", "peer", "tls", "http", "attempts"),
}
NAMESPACES = [
    {"name": "default", "labels": {"kubernetes.io/metadata.name": "default"}},
    {"name": "kube-system", "labels": {"kubernetes.io/metadata.name": "kube-system"}},
    {"name": "shop", "labels": {"kubernetes.io/metadata.name": "shop", "guard": "on"}},
    {"name": "leaving", "labels": {"guard": "on", "gone": "soon"}, "deletionTimestamp": "2026-01-01T00:00:00Z"},
]


def table(name: str) -> list[Any]:
    return [pytest.param(row, id=row["name"]) for row in yaml.safe_load((HERE / name).read_text())]


def selector_of(text: dict[str, Any] | None) -> dict[str, Any] | None:
    if text is None:
        return None
    expressions = [{"key": key, "operator": operator, "values": values} for key, operator, *values in text.get("expressions", [])]
    return {"match_labels": text.get("labels", {}), "match_expressions": expressions}


def callout_of(text: dict[str, Any]) -> dict[str, Any]:
    """A call-out of the facts, from the short form of the tables: what is not said is that of a healthy validating webhook for pods."""
    kind = text.get("kind", "validating")
    webhook = text.get("webhook", "x.example.com")
    configuration = text.get("configuration", "x")
    rule = {"operations": ["CREATE", "UPDATE"], "api_groups": [""], "api_versions": ["v1"], "resources": ["pods"], "scope": "*"}
    client = {"service": {"namespace": "hooks", "name": text.get("service", "x"), "port": 443, "path": text.get("path", "/v")}, "url": None}
    return {
        "id": f"{kind}/{configuration}/{webhook}",
        "kind": kind,
        "object": {"api_version": "v1", "kind": "Some", "name": configuration},
        "webhook": webhook,
        "index": text.get("index", 0),
        "client": client,
        "server_name": f"{client['service']['name']}.hooks.svc",
        "failure_policy": text.get("failure_policy", "Fail"),
        "timeout_seconds": 10,
        "side_effects": text.get("side_effects", "None"),
        "match_policy": text.get("match_policy", "Equivalent"),
        "rules": [{**rule, **each} for each in text.get("rules", [{}])],
        "namespace_selector": selector_of(text.get("namespace_selector")),
        "object_selector": selector_of(text.get("object_selector")),
        "match_conditions": [{"name": "c", "expression": each} for each in text.get("conditions", [])],
        "conversion": text.get("conversion"),
        "apiservice": text.get("apiservice"),
        "backend": f"service/hooks/{client['service']['name']}:443",
    }


def spec_of(callout: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "probe", "vantage": "apiserver", "callout": callout, "callouts": [callout["id"]], "rivals": [], "instance": None, "timeout": 5, **more}


def run(server: Any, row: dict[str, Any]) -> dict[str, Any]:
    callout = callout_of(row.get("callout", {}))
    named = [{"webhook": f"rival{index}.example.com", "service": f"rival{index}", "configuration": f"rival{index}"} for index in range(10)]
    rivals = [callout_of({**names, **text}) for names, text in zip(named, row.get("rivals", []), strict=False)]
    spec = spec_of(callout, rivals=rivals, timeout=row.get("timeout", 5))
    (result,) = probe_apiserver([spec], server.api(), time.monotonic() + 20)
    assert set(result) == RESULT_KEYS
    return result


def check(result: dict[str, Any], server: Any, row: dict[str, Any]) -> None:
    expected = row["expect"]
    if expected == "ok":
        assert (result["ok"], result["provable"], result["cause"], result["phase"]) == (True, True, None, "review"), result
    elif "cause" in expected:
        assert (result["ok"], result["provable"], result["cause"], result["phase"]) == (False, True, expected["cause"], expected["phase"]), result
        assert result["error"]
    else:
        assert (result["ok"], result["provable"], result["cause"]) == (False, False, None), result
        assert expected["unproven"] in result["reason"], result["reason"]
        assert result["hidden_by"] == expected.get("hidden_by")
    if "sent" in row:
        assert [each.replace(each.split("/")[-1], "NEW") if "webhook-doctor-" in each else each for each in server.writes()] == row["sent"]


@pytest.mark.parametrize("file", ["choosing.yml", "judging.yml", "reading.yml"])
def test_tables_have_unique_names(file: str) -> None:
    names = [row["name"] for row in yaml.safe_load((HERE / file).read_text())]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", [*table("choosing.yml"), *table("judging.yml"), *table("reading.yml")])
def test_probe(row: dict[str, Any], servers: Any) -> None:
    objects = {"namespaces": NAMESPACES, **row.get("objects", {"pods": [{"namespace": "shop", "name": "web", "labels": {"app": "web"}}]})}
    server = servers(objects, row.get("answers", []))
    check(run(server, row), server, row)


def webhook(name: str, **more: Any) -> dict[str, Any]:
    return callout_of({"webhook": f"{name}.example.com", "configuration": name, "service": name, **more})


def probe_all(server: Any, specs: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    return probe_apiserver(specs, server.api(), time.monotonic() + 20, **more)


def test_results_come_in_the_order_of_the_specs_and_echo_them(servers: Any) -> None:
    server = servers({"namespaces": NAMESPACES})
    specs = [spec_of(webhook(f"w{index}", failure_policy="Ignore"), name=f"n{index}") for index in range(5)]
    results = probe_all(server, specs)
    assert [each["name"] for each in results] == [f"n{index}" for index in range(5)]
    assert [each["callouts"] for each in results] == [[f"validating/w{index}/w{index}.example.com"] for index in range(5)]
    assert {each["vantage"] for each in results} == {"apiserver"}


def test_nothing_to_probe_sends_nothing(servers: Any) -> None:
    server = servers()
    assert probe_all(server, []) == []
    assert server.requests == []


def test_webhooks_that_choose_the_same_request_share_its_answer(servers: Any) -> None:
    message = 'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: service "a" not found'
    server = servers({"namespaces": NAMESPACES}, [{"to": "POST pods", "says": message}])
    failing, hidden = probe_all(server, [spec_of(webhook("a")), spec_of(webhook("b"))])
    assert (failing["cause"], failing["provable"]) == ("service_not_found", True)
    assert (hidden["cause"], hidden["provable"], hidden["hidden_by"]) == (None, False, "a.example.com")
    assert len(server.writes()) == 1
    assert failing["request"] == hidden["request"]


def test_callouts_of_other_specs_are_rivals(servers: Any) -> None:
    server = servers({"namespaces": NAMESPACES, "pods": [{"namespace": "shop", "name": "a"}, {"namespace": "default", "name": "b"}]})
    everywhere, in_shop = webhook("a"), webhook("b", namespace_selector={"labels": {"guard": "on"}})
    first, _second = probe_all(server, [spec_of(everywhere), spec_of(in_shop)])
    assert first["request"] == {"verb": "patch", "resource": "pods", "namespace": "default", "name": "b", "dry_run": True}


def test_reads_are_shared_by_all_probes(servers: Any) -> None:
    server = servers({"namespaces": NAMESPACES})
    probe_all(server, [spec_of(webhook(f"w{index}", object_selector={"labels": {"app": f"w{index % 2}"}})) for index in range(20)])
    reads = [(each["path"], str(each["query"])) for each in server.requests if each["method"] == "GET"]
    assert len(reads) == len(set(reads)), sorted(reads)


def test_only_metadata_of_objects_is_read_to_choose_among_them(servers: Any) -> None:
    server = servers({"namespaces": NAMESPACES, "pods": [{"namespace": "shop", "name": "a"}]})
    probe_all(server, [spec_of(webhook("a"))])
    lists = [each for each in server.requests if each["path"].endswith(("/pods", "/namespaces")) and each["method"] == "GET"]
    assert lists
    assert all("PartialObjectMetadataList" in each["headers"]["Accept"] for each in lists)


def test_an_instance_is_asked_for_itself(servers: Any) -> None:
    objects = {"namespaces": NAMESPACES, "pods": [{"namespace": "shop", "name": "a"}]}
    message = 'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: Post "https://a.hooks.svc:443/v?timeout=10s": EOF'
    good, bad = servers(objects), servers(objects, [{"to": "PATCH pods", "says": message}])
    specs = [spec_of(webhook("a")), spec_of(webhook("a"), instance={"address": "127.0.0.1", "port": bad.port})]
    at_large, at_instance = probe_all(good, specs)
    assert (at_large["ok"], at_instance["cause"]) == (True, "connection_closed")
    assert at_instance["instance"] == {"address": "127.0.0.1", "port": bad.port}
    assert len(good.writes()) == len(bad.writes()) == 1


def test_a_hundred_dead_webhooks_cost_the_time_of_a_few(servers: Any) -> None:
    labels = [{"name": f"ns{index}", "labels": {"own": f"w{index}"}} for index in range(100)]
    server = servers({"namespaces": labels}, [{"to": "POST pods", "status": 504, "says": "Timeout: request did not complete", "pause": 0.5}])
    specs = [spec_of(webhook(f"w{index}", namespace_selector={"labels": {"own": f"w{index}"}})) for index in range(100)]
    began = time.monotonic()
    results = probe_all(server, specs)
    assert len(server.writes()) == 100
    assert not any(each["ok"] for each in results)
    assert time.monotonic() - began < 15  # one after the other would take 50 s


def test_nothing_is_waited_for_after_the_deadline(servers: Any) -> None:
    server = servers({"namespaces": NAMESPACES}, [{"to": "POST pods", "says": "late", "pause": 3}])
    began = time.monotonic()
    (result,) = probe_apiserver([spec_of(webhook("a"), timeout=30)], server.api(), began + 1)
    assert time.monotonic() - began < 2.5
    assert (result["ok"], result["provable"]) == (False, False)


def test_an_api_server_that_is_not_there(servers: Any) -> None:
    server = servers()
    api = server.api()
    server.close()
    (result,) = probe_apiserver([spec_of(webhook("a"))], api, time.monotonic() + 20)
    assert (result["ok"], result["provable"]) == (False, False)
    assert result["reason"]


def test_a_copy_begins_without_what_the_api_server_and_owners_wrote(servers: Any) -> None:
    server = servers({"namespaces": NAMESPACES, "carts": [{"namespace": "shop", "name": "mine", "labels": {"app": "x"}}]})
    rules = [{"operations": ["CREATE"], "api_groups": ["shop.example.com"], "api_versions": ["v2"], "resources": ["carts"]}]
    probe_all(server, [spec_of(webhook("a", rules=rules))])
    (sent,) = [each["body"] for each in server.requests if each["method"] == "POST"]
    assert sent["metadata"].pop("name").startswith("webhook-doctor-")
    assert sent == {"apiVersion": "shop.example.com/v2", "kind": "Cart", "metadata": {"namespace": "shop", "labels": {"app": "x"}}, "spec": {"items": 3}}


def test_rivals_may_be_lean(servers: Any) -> None:
    lean = ("id", "kind", "webhook", "failure_policy", "side_effects", "match_policy", "rules", "namespace_selector", "object_selector", "match_conditions")
    message = 'Internal error occurred: failed calling webhook "b.example.com": failed to call webhook: service "b" not found'
    server = servers({"namespaces": NAMESPACES}, [{"to": "POST pods", "says": message}])
    rivals = [{key: webhook("b", kind=kind)[key] for key in lean} for kind in ("mutating", "validating")]
    (result,) = probe_all(server, [spec_of(webhook("c", kind="mutating"), rivals=rivals)])
    assert (result["provable"], result["hidden_by"]) == (False, "b.example.com")


def test_what_was_slow_in_the_rush_is_asked_again(servers: Any) -> None:
    pods = {"namespaces": NAMESPACES, "pods": [{"namespace": "shop", "name": "a"}]}
    slow, fast = {"to": "PATCH pods", "status": 200, "body": {}, "pause": 0.6, "times": 1}, {"to": "PATCH pods", "status": 200, "body": {}}
    server = servers(pods, [slow, fast])
    (result,) = probe_all(server, [spec_of({**webhook("a"), "timeout_seconds": 1})])
    assert (result["ok"], result["attempts"], len(server.writes())) == (True, 2, 2)
    assert result["elapsed_ms"]["total"] < 600


def test_what_was_fast_is_asked_once(servers: Any) -> None:
    server = servers({"namespaces": NAMESPACES, "pods": [{"namespace": "shop", "name": "a"}]})
    (result,) = probe_all(server, [spec_of({**webhook("a"), "timeout_seconds": 30})])
    assert (result["ok"], result["attempts"], len(server.writes())) == (True, 1, 1)


def test_a_failure_that_shows_itself_the_second_time_counts(servers: Any) -> None:
    message = 'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: service "a" not found'
    slow = {"to": "PATCH pods", "status": 200, "body": {}, "pause": 0.6, "times": 1}
    server = servers({"namespaces": NAMESPACES, "pods": [{"namespace": "shop", "name": "a"}]}, [slow, {"to": "PATCH pods", "says": message}])
    (result,) = probe_all(server, [spec_of({**webhook("a"), "timeout_seconds": 1})])
    assert (result["ok"], result["cause"], result["attempts"]) == (False, "service_not_found", 2)
