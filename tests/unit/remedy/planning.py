# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans from a few words: an observation, the objects that are read for it, options; what is planned out.

A row of a table of planners:

    given      an observation in the words of tests/unit/diagnosis/world.py; or `callouts` in those of callouts_short.py, `mesh` in those of mesh_world.py
    PEM a b    anywhere in a row: these certificates of certificates.py, one after the other; BASE64 PEM a b: the same in base64
    records    Certificates, CertificateRequests, Orders and Challenges as objects, in the words of certificate_objects.py
    objects    the objects of the API, by which `reads` is answered; what is not among them does not exist
    forbidden  "Kind/namespace/name" of those that may not be read
    options    of the role          settings   {max_risk, owned, allow_fail_open}; default high, patch
    plan       one line for each item, see `words`
    changes    {id: {path: value after}}, where the row says so
    created    {id: the object that is made}      deleted    {id: [names]} of a batch     requires   {id: [ids]} of what has to be made before
    says       {id: a part of its reason, notes, or steps}      stays  {id: a part of why it cannot be rolled back}
    proven     {id: how many findings have to be gone for it to count as mended}
    but        what is different in the twin, merged over the row; otherwise: its plan
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.fields import only
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._objects.redact import certificates_only
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.cluster import Cluster
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.patching import apply_patch
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.plan import Settings, plan_of, reads_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.reference import PublicKeys, Reference, Selection
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._remedy.request import Answer
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis import mesh_world
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.callouts_short import several
from ansible_collections.kubeops.webhook_doctor.tests.unit.diagnosis.world import observe
from ansible_collections.kubeops.webhook_doctor.tests.unit.remedy.certificate_objects import certificate_objects
from ansible_collections.kubeops.webhook_doctor.tests.unit.remedy.certificates import written_out


def planned(role: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The plan of one role for a row."""
    row = written_out(row)
    facts, probes, verdicts = _observed(row)
    objects = [*row.get("objects", ()), *certificate_objects(row.get("records", {}))]
    cluster = Cluster.of(facts, probes, verdicts)
    findings = diagnose(facts, probes, verdicts)
    settings = Settings.of([role], **{"max_risk": "high", "owned": "patch", "allow_fail_open": False, **row.get("settings", {})})
    options = {role: row.get("options", {})}
    wanted = reads_of(findings, cluster, options, settings)
    answers = {one: _answer(one, objects, row.get("forbidden", ())) for one in wanted}
    plan = plan_of(findings, cluster, answers, options, settings)
    assert len({item["id"] for item in plan}) == len(plan), [item["id"] for item in plan]
    for item in plan:
        check(item, objects)
    return plan


def _observed(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    if "callouts" in row:
        return several(row["callouts"], row.get("namespaces", {})), [], []
    return mesh_world.observe(row["mesh"]) if "mesh" in row else observe(row.get("given", {}))


def words(plan: Sequence[Mapping[str, Any]]) -> list[str]:
    """`patch ValidatingWebhookConfiguration/hook (low)`, with the state where it is not planned: `delete APIService/v1.x (high): owned`."""
    return [
        f"{item['action']} {'/'.join(part for part in (item['target']['kind'], item['target']['namespace'], item['target']['name']) if part)} ({item['risk']})"
        + ("" if item["state"] == "planned" or item["state"] == item["action"] else f": {item['state']}")
        for item in plan
    ]


def check(item: Mapping[str, Any], objects: Sequence[Mapping[str, Any]]) -> None:
    """What holds of every item: a patch fits the object as it was read, changes it, depends on what it changes, and can be taken back to the letter."""
    assert item["reason"] and item["risk"] in ("low", "medium", "high")
    if item["action"] == "manual":
        assert item["manual"], item
    if item["action"] == "create":
        assert item["object"] and not any(Reference.of(one) == Reference.of(item["object"]) for one in objects)
    if item["targets"]:
        assert item["action"] == "delete" and Reference.of(item["targets"][0]) == Reference.of(item["target"])
        for one in item["targets"]:  # the precondition: no other object of the name, and nothing changed since
            (found,) = [live for live in objects if Reference.of(live) == Reference.of(one)]
            assert (one["uid"], one["resource_version"]) == (found["metadata"]["uid"], found["metadata"]["resourceVersion"])
    if item["action"] == "patch":
        target = Reference.of(item["target"])
        (live,) = [one for one in objects if Reference.of(one) == target]
        after = apply_patch(live, item["patch"])
        assert after != live
        assert any(operation["op"] == "test" for operation in item["patch"]) or all(operation["op"] == "add" for operation in item["patch"])
        if item["rollback"]["possible"]:
            assert stored(apply_patch(after, item["rollback"]["patch"])) == stored(live)


def stored(value: Any) -> Any:
    """As the API server stores it: without empty labels and annotations."""
    if isinstance(value, list):
        return [stored(inner) for inner in value]
    if not isinstance(value, Mapping):
        return value
    return {key: stored(inner) for key, inner in value.items() if inner != {} or key not in ("labels", "annotations")}


def _public(wanted: PublicKeys, objects: Sequence[Mapping[str, Any]]) -> Answer:
    found = [one for one in objects if Reference.of(one) == Reference(wanted.api_version, wanted.kind, wanted.name, wanted.namespace)]
    encoded = [{**one, "data": {key: base64.b64encode(value.encode()).decode() for key, value in (one.get("data") or {}).items() if value}} for one in found]
    return Answer(tuple(certificates_only(one, wanted.keys) for one in (encoded if wanted.kind == "Secret" else found)))


def _answer(wanted: Reference | Selection | PublicKeys, objects: Sequence[Mapping[str, Any]], forbidden: Sequence[str]) -> Answer:
    if isinstance(wanted, Reference):
        if wanted.key in forbidden:
            return Answer(error=f"{wanted.words} may not be read")
        return Answer(tuple(one for one in objects if Reference.of(one) == wanted))
    if isinstance(wanted, PublicKeys):
        return Answer(error=f"{wanted.words} may not be read") if wanted.key in forbidden else _public(wanted, objects)
    if wanted.kind in forbidden:
        return Answer(error=f"{wanted.kind} may not be read")
    labels = dict(pair.split("=", 1) for pair in wanted.label_selector.split(",") if pair)
    return Answer(
        tuple(
            only(one, wanted.fields) if wanted.fields else one
            for one in objects
            if (one["apiVersion"], one["kind"]) == (wanted.api_version, wanted.kind)
            and wanted.namespace in (None, one["metadata"].get("namespace"))
            and labels.items() <= (one["metadata"].get("labels") or {}).items()
        )
    )
