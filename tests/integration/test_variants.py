# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs that are broken as a whole: a proxy in the way of everything, one bad API server of two. One root cause, one finding, all that it affects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from doctorlab import Lab, Options, options, paths
from lab_diagnosis import diagnose

VARIANTS = options.load_variants(paths.VARIANTS)
# Healthy call-outs of several kinds, and one with a fault of its own beside them.
FAULTS = "healthy,conversion-404,certificate-expired"


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_one_root_cause_is_one_finding(variant: options.Variant, tmp_path: Path, row: Callable[[str], None]) -> None:
    with Lab(tmp_path / "lab", Options(**{"faults": FAULTS, **variant.options})) as lab:
        diagnosis = diagnose(lab, tmp_path / "report")
    roots = [finding for finding in diagnosis.report["findings"] if finding["code"] == variant.code]
    words = ", ".join(f"{finding['code']} {finding['cause']} ({finding['severity']})" for finding in roots) or "nothing"
    row(f"{variant.name:36} {'variant':15} expected {f'{variant.code} {variant.cause} (error)':46} found {words}")
    assert words == f"{variant.code} {variant.cause} (error)"
    services = {
        callout["id"]
        for callout in diagnosis.report["bundle"]["facts"]["callouts"]
        if callout["kind"] in ("validating", "mutating")
        and callout["client"]["service"]
        # One bad API server of two shows in what it says; where it fails open it says nothing.
        and (callout["failure_policy"] == "Fail" or variant.code != "WD610")
    }
    healthy = {callout for callout in services if "certificate-expired" not in callout}
    assert healthy <= set(roots[0]["affects"]), "the root cause affects every admission webhook"
    # Nothing else is said of the healthy ones: they stand under the root cause.
    others = [
        finding for finding in diagnosis.report["findings"] if finding["severity"] != "info" and finding not in roots and healthy & set(finding["affects"])
    ]
    assert [(finding["code"], finding["subject"]) for finding in others] == []
