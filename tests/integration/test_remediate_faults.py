# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of tests/lab/faults that have a remedy: each role with its own rights on one of them, then all at once; there and back, and no twin is touched."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from doctorlab import Lab, LabError, Options, faults, paths, targets, texts
from remedy_lab import cycle, play, specs, versions, written

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.catalogue.index import CATALOGUE

# Of the family network a packet filter is what drops packets here, so no change of an object mends it.
ALL = [one for one in faults.load(paths.FAULTS) if one.family != "network"]
ROLE = {one.name: role for one in ALL if (code := one.expect["endpoint"].code) and (role := CATALOGUE[code].role)}
SOURCE = {"kind": "ConfigMap", "namespace": "pki", "name": "lab-ca", "key": "ca.crt"}
EVERYTHING = {"webhook_doctor_max_risk": "high", "webhook_doctor_owned": "patch", "stale_webhooks_minimum_age_minutes": 1, "ca_bundle_source": SOURCE}
OLD_ENOUGH = 62.0  # seconds: no less than a minute can be asked for


@dataclass(frozen=True)
class Refused:
    """A fault that no role may mend with what it was given; why, as the plan says it."""

    because: str


@dataclass(frozen=True)
class Eased:
    """What a role does about a fault that only a person can end; the plan says what is left."""

    left: str


REFUSED = {"ca-expired": Refused("the API server would still refuse what is served: x509: certificate has expired")}
EASED = {
    "leases": Eased("WD522 stays as long as the webhook fails closed for leases"),
    "ca-expires-soon": Eased("WD306 stays until what serves the webhook has a certificate of the new CA"),
}
# The API server refuses to change a caBundle of a CRD into garbage, so nobody can bring it back.
STAYS = {"conversion-ca-bundle-garbage": "CustomResourceDefinition//gauges.conversion-ca-bundle-garbage.fault.lab.example.com"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("faults") / "lab", Options(faults=",".join(ROLE))) as lab:
        ca = base64.b64decode(bundle(lab, "twin-ca-rotated")).decode()
        objects = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SOURCE["namespace"]}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": SOURCE["name"], "namespace": SOURCE["namespace"]}, "data": {SOURCE["key"]: ca}},
        ]
        lab.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all(objects))
        yield lab


def wait_until_old(lab: Lab) -> None:
    """Until nothing that was left over is so young that an installation may be under way; what a rollback has made again is young again."""
    made = json.loads(lab.kubectl("get", "validatingwebhookconfigurations,apiservices,customresourcedefinitions", "-o", "json"))["items"]
    stamps = [item["metadata"]["creationTimestamp"] for item in made if "service-missing" in item["metadata"]["name"]]
    youngest = max(datetime.fromisoformat(stamp.replace("Z", "+00:00")) for stamp in stamps)
    time.sleep(max(0.0, OLD_ENOUGH - (datetime.now(timezone.utc) - youngest).total_seconds()))


def bundle(lab: Lab, name: str) -> str:
    """The caBundle of a validating configuration, in base64."""
    return lab.kubectl("get", "validatingwebhookconfiguration", name, "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}")


def entries(lab: Lab, kind: str, name: str) -> list[dict[str, Any]]:
    return json.loads(lab.kubectl("get", f"{kind}webhookconfiguration", name, "-o", "json"))["webhooks"]


def target_of(lab: Lab, fault: str) -> targets.Target:
    return next(target for target in lab.targets if (target.role, target.fault) == ("fault", fault))


def is_gone(lab: Lab, kind: str, name: str) -> bool:
    return not lab.kubectl("get", kind, name, "--ignore-not-found", "-o", "name").strip()


def end_connections(lab: Lab, target: targets.Target) -> None:
    """The API server keeps a connection for as long as it is used now and then, whatever has become of the Service."""
    rules = [["OUTPUT", "-p", "tcp", "-d", address, "-j", "REJECT", "--reject-with", "tcp-reset"] for address in target.pods]
    for rule in rules:
        lab.run(["iptables", "-I", *rule], check=True)
    try:
        with pytest.raises(LabError, match="failed calling webhook"):
            lab.kubectl("-n", target.namespace, "patch", "configmap", "settings", "--dry-run=server", "-p", '{"data":{"asked":"yes"}}')
    finally:
        for rule in rules:
            lab.run(["iptables", "-D", *rule], check=True)


def effects(lab: Lab) -> dict[str, bool]:
    """Of every fault that is not refused whether it is mended, as the API server says when it is made to call; where it says nothing, as it stands there."""
    calls = {answer["fault"]: answer["text"] is None for answer in texts.answers(lab) if answer["role"] == "fault"}
    found = {name: calls[name] for name in ROLE if name not in REFUSED}
    found["service-missing-fail-open"] = is_gone(lab, "validatingwebhookconfiguration", "fault-service-missing-fail-open")
    found["apiservice-service-missing"] = is_gone(lab, "apiservice", "v1alpha1.apiservice-service-missing.fault.lab.example.com")
    ca = base64.b64decode(bundle(lab, "twin-ca-rotated"))
    for name in ("ca-rotated-fail-open", "ca-bundle-empty-fail-open", "ca-expires-soon"):
        found[name] = base64.b64decode(bundle(lab, f"fault-{name}")).endswith(ca)
    garbage = "gauges.conversion-ca-bundle-garbage.fault.lab.example.com"  # nothing is stored in it that could be asked for
    path = "jsonpath={.spec.conversion.webhook.clientConfig.caBundle}"
    found["conversion-ca-bundle-garbage"] = base64.b64decode(lab.kubectl("get", "crd", garbage, "-o", path)) == ca
    found["leases"] = [entry["timeoutSeconds"] for entry in entries(lab, "validating", "fault-leases")] == [3]
    found["mutating-budget"] = sum(entry["timeoutSeconds"] for entry in entries(lab, "mutating", "fault-mutating-budget")) <= 34
    return found


def twins(lab: Lab) -> dict[str, str]:
    """The versions of all that belongs to a twin."""
    return {key: version for key, version in versions(lab).items() if "/twin-" in key or ".twin." in key}


def test_what_is_too_young_is_left_alone(lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    before = versions(lab)
    variables = {"webhook_doctor_remedies": ["stale_webhooks"], "webhook_doctor_max_risk": "high"}
    done = play(lab, tmp_path, "remediate", user="remediate-stale_webhooks", variables=variables)
    assert (done.returncode, done.changed) == (0, 0) and not written(lab, before), done.output[-3000:]
    assert "an installation may be under way (stale_webhooks_minimum_age_minutes is 10)" in done.output
    row(f"remedy  service-missing, just installed: stale_webhooks, refused (an installation may be under way), {done.seconds:.0f} s")


def mended(lab: Lab, fault: str) -> Callable[[], bool]:
    return lambda: effects(lab)[fault]


@pytest.mark.parametrize("fault", ["leases", "target-port-unknown", "ca-other", "service-missing"], ids=lambda fault: f"{ROLE[fault]}: {fault}")
def test_a_role_with_its_own_rights(fault: str, lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    role = ROLE[fault]
    if role == "stale_webhooks":
        wait_until_old(lab)
    name = target_of(lab, fault).namespace
    chosen = f"[?subject.name=='{name}' || subject.namespace=='{name}']"
    variables = {**EVERYTHING, "webhook_doctor_remedies": [role], "webhook_doctor_select": chosen}
    done = cycle(lab, tmp_path, user=f"remediate-{role}", variables=variables, mended=mended(lab, fault))
    assert "Plan: 1 change." in done.preview.output
    if role == "webhook_network":
        end_connections(lab, target_of(lab, fault))
    row(done.row(f"{fault}, alone", f"{role} with its own rights", _became(fault)))


def _became(fault: str) -> str:
    return "eased, the rest is told" if fault in EASED else "mended"


def test_all_at_once(lab: Lab, tmp_path: Path, row: Callable[[str], None]) -> None:
    """With the rights of an administrator, who sees all roles in one plan. What a remedy refuses, it says why, and changes nothing of it."""
    wait_until_old(lab)

    def all_mended() -> bool:
        found = effects(lab)
        assert len(set(found.values())) == 1, f"not all in the same state: {found}"
        return all(found.values())

    untouched = twins(lab)
    refused = {key: content for key, content in specs(lab).items() if any(key.endswith(f"/fault-{name}") for name in REFUSED)}
    done = cycle(lab, tmp_path, user="admin", variables=EVERYTHING, mended=all_mended, stays=STAYS.values())
    assert twins(lab) == untouched and untouched
    assert {key: specs(lab)[key] for key in refused} == refused and refused
    for name in ROLE:
        if name in REFUSED:
            assert REFUSED[name].because in done.preview.output and f"fault-{name}: " not in done.applied.output
            row(f"remedy  {name}, all at once: {ROLE[name]}, check-mode changes 0, refused ({REFUSED[name].because})")
            continue
        if name in EASED:
            assert EASED[name].left in done.applied.output
        if name in STAYS:
            assert f"{name}.fault.lab.example.com: left as it is" in done.rolled_back.output
        row(done.row(f"{name}, all at once", ROLE[name], _became(name), "not to be rolled back, and told" if name in STAYS else "rolled back"))
