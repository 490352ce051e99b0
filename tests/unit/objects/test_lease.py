# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock: an API server that compares and swaps Leases, and several who want one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.api import Api
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.lease import LeaseError, Lock, acquire, release
from ansible_collections.kubeops.webhook_doctor.tests.unit.kubernetes.fake_apiserver import Answer, FakeApiServer, status

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=timezone.utc)
PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"


class LeaseServer(FakeApiServer):
    """lease: the one that is stored. faster: what others do right before each of the next requests that write."""

    lease: dict[str, Any] | None = None
    refuses: Answer | None = None

    def __init__(self) -> None:
        self.faster: list[Callable[[], None]] = []
        super().__init__()

    @property
    def written(self) -> list[str]:
        return [method for method, *_rest in self.requests if method != "GET"]

    def hold(self, holder: str, ago: float = 0.0, seconds: int = 600, **more: Any) -> None:
        """Somebody else writes it."""
        stamp = (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": holder, "leaseDurationSeconds": seconds, "acquireTime": stamp, "renewTime": stamp, "leaseTransitions": 4, **more}
        self._store({"metadata": {"name": "lock", "namespace": "kube-system", "labels": {"x": "y"}}, "spec": spec})

    def _store(self, lease: dict[str, Any]) -> dict[str, Any]:
        version = int((self.lease or {"metadata": {"resourceVersion": "1"}})["metadata"]["resourceVersion"]) + 1
        self.lease = {**lease, "metadata": {**lease["metadata"], "resourceVersion": str(version)}}
        return self.lease

    def _answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        if method == "GET":
            return _json(200, self.lease) if self.lease and path == f"{PATH}/lock" else status(404, "NotFound", f"{path} not found")
        if self.faster:
            self.faster.pop(0)()
        if self.refuses:
            return self.refuses
        sent = json.loads(body)
        if method == "POST":
            return status(409, "AlreadyExists", "it exists") if self.lease else _json(201, self._store(sent))
        assert (method, path) == ("PUT", f"{PATH}/lock")
        if not self.lease:
            return status(404, "NotFound", "it is gone")
        if sent["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            return status(409, "Conflict", "the object has been modified")
        return _json(200, self._store(sent))


def _json(code: int, content: Any) -> Answer:
    return code, {"Content-Type": "application/json"}, json.dumps(content).encode()


@pytest.fixture
def server() -> Iterator[LeaseServer]:
    found = LeaseServer()
    yield found
    found.close()


@pytest.fixture
def api(server: LeaseServer) -> Api:
    return connect({"host": server.url, "api_key": "t"}, timeout=5.0)


def take(api: Api, holder: str = "me", later: float = 0.0, check: bool = False) -> Lock:
    return acquire(api, "kube-system", "lock", holder, 600, NOW + timedelta(seconds=later), check)


def spec(server: LeaseServer) -> dict[str, Any]:
    assert server.lease
    return dict(server.lease["spec"])


def test_the_first_one(server: LeaseServer, api: Api) -> None:
    assert take(api) == Lock(held=True, changed=True)
    assert spec(server) == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 600,
        "acquireTime": "2026-11-20T18:00:00.000000Z",
        "renewTime": "2026-11-20T18:00:00.000000Z",
        "leaseTransitions": 0,
    }


def test_its_holder_renews_it(server: LeaseServer, api: Api) -> None:
    take(api)
    assert take(api, later=60).held
    assert (spec(server)["acquireTime"], spec(server)["renewTime"]) == ("2026-11-20T18:00:00.000000Z", "2026-11-20T18:01:00.000000Z")
    assert spec(server)["leaseTransitions"] == 0


def test_somebody_else_has_it(server: LeaseServer, api: Api) -> None:
    server.hold("other", ago=599)
    assert take(api) == Lock(held=False, changed=False, holder="other", until="2026-11-20T18:00:01Z")
    assert not server.written


@pytest.mark.parametrize("more", [{"ago": 600}, {"ago": 3600}, {"renewTime": None, "acquireTime": None}, {"holderIdentity": ""}], ids=str)
def test_it_is_taken_over_when_its_time_is_up(more: dict[str, Any], server: LeaseServer, api: Api) -> None:
    server.hold("other", **more)
    assert take(api).held and spec(server)["holderIdentity"] == "me"
    assert (spec(server)["leaseTransitions"], spec(server)["acquireTime"]) == (5, "2026-11-20T18:00:00.000000Z")
    assert server.lease and server.lease["metadata"]["labels"] == {"x": "y"}, "what else it says stays"


def test_it_is_taken_from_a_dead_one_and_nobody_else(server: LeaseServer, api: Api) -> None:
    server.hold("dead")
    assert acquire(api, "kube-system", "lock", "me", 600, NOW, False, "dead").held
    server.hold("alive")
    assert acquire(api, "kube-system", "lock", "me", 600, NOW, False, "dead").holder == "alive"


def test_one_of_two_gets_it(server: LeaseServer, api: Api) -> None:
    server.faster = [lambda: server.hold("other")]
    assert take(api) == Lock(held=False, changed=False, holder="other", until="2026-11-20T18:10:00Z")
    assert spec(server)["holderIdentity"] == "other"


def test_one_of_two_takes_it_over(server: LeaseServer, api: Api) -> None:
    server.hold("dead", ago=700)
    server.faster = [lambda: server.hold("other")]
    assert not take(api).held and spec(server)["holderIdentity"] == "other"


def test_somebody_touches_it_once(server: LeaseServer, api: Api) -> None:
    server.hold("dead", ago=700)
    server.faster = [lambda: server.hold("dead", ago=650)]
    assert take(api).held and server.written == ["PUT", "PUT"]


def test_somebody_touches_it_all_the_time(server: LeaseServer, api: Api) -> None:
    server.hold("dead", ago=700)
    server.faster = [lambda: server.hold("dead", ago=650)] * 9
    with pytest.raises(LeaseError, match="kube-system/lock is changed by others all the time"):
        take(api)


def test_what_the_api_server_refuses_is_told(server: LeaseServer, api: Api) -> None:
    server.refuses = status(403, "Forbidden", 'User "x" cannot create resource "leases"')
    with pytest.raises(LeaseError, match="cannot create resource"):
        take(api)
    server.hold("me")
    with pytest.raises(LeaseError, match="cannot create resource"):
        release(api, "kube-system", "lock", "me", check=False)


def test_only_its_holder_gives_it_back(server: LeaseServer, api: Api) -> None:
    server.hold("other")
    assert release(api, "kube-system", "lock", "me", check=False) == Lock(held=False, changed=False, holder="other")
    assert not server.written and spec(server)["holderIdentity"] == "other"
    assert release(api, "kube-system", "lock", "other", check=False) == Lock(held=False, changed=True)
    assert spec(server)["holderIdentity"] == "" and take(api).held


def test_it_was_taken_over_while_it_is_given_back(server: LeaseServer, api: Api) -> None:
    server.hold("me", ago=700)
    server.faster = [lambda: server.hold("other")]
    assert release(api, "kube-system", "lock", "me", check=False) == Lock(held=False, changed=False, holder="other")
    assert spec(server)["holderIdentity"] == "other"


def test_nothing_to_give_back(server: LeaseServer, api: Api) -> None:
    assert release(api, "kube-system", "lock", "me", check=False) == Lock(held=False, changed=False) and not server.written


def test_check_mode_writes_nothing(server: LeaseServer, api: Api) -> None:
    assert take(api, check=True) == Lock(held=True, changed=True)
    server.hold("me")
    assert release(api, "kube-system", "lock", "me", check=True) == Lock(held=False, changed=True)
    assert not server.written and spec(server)["holderIdentity"] == "me"


def test_annotations_come_beside_those_that_it_has(server: LeaseServer, api: Api) -> None:
    acquire(api, "kube-system", "lock", "me", 600, NOW, False, annotations={"a": "1", "b": "1"})
    acquire(api, "kube-system", "lock", "me", 600, NOW, False, annotations={"b": "2"})
    release(api, "kube-system", "lock", "me", False, annotations={"c": "3"})
    assert server.lease is not None
    assert server.lease["metadata"]["annotations"] == {"a": "1", "b": "2", "c": "3"}
    release(api, "kube-system", "lock", "me", False, annotations={"d": "4"})
    assert "d" not in server.lease["metadata"]["annotations"], "who does not hold it writes nothing"
