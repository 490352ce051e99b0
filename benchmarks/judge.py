# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time `judge()` alone, in a fresh process, and the signature checks that it makes, made by `cryptography` with nothing around them. Prints JSON.

    python judge.py QUESTIONS     # {"bundles": [...], "at": time}

signatures_s is the time of the `verify` calls only: certificates are parsed and keys loaded before.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust import chains
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.problems import Warn
from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.verdict import Options, judge, parse_at


def main() -> None:
    questions = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    options = Options(Warn(30, None), parse_at(questions["at"]), os.devnull)
    began = time.perf_counter()
    results = judge(questions["bundles"], options)
    judged = time.perf_counter() - began

    checked: list[tuple[bytes, bytes]] = []
    true_check = chains.signature_error
    chains.signature_error = lambda child, parent: checked.append((child.der, parent.der)) or true_check(child, parent)
    judge(questions["bundles"], options)

    calls = [_verification(x509.load_der_x509_certificate(child), x509.load_der_x509_certificate(parent).public_key()) for child, parent in checked]
    began = time.perf_counter()
    for verify, arguments in calls:
        verify(*arguments)  # raises InvalidSignature: every question here has a good chain
    verified = time.perf_counter() - began
    print(json.dumps({"judge_s": judged, "signatures_s": verified, "signatures": len(calls), "trusted": sum(bool(one["trusted"]) for one in results)}))


def _verification(child, key):
    digest = child.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey):
        return key.verify, (child.signature, child.tbs_certificate_bytes, padding.PKCS1v15(), digest)
    return key.verify, (child.signature, child.tbs_certificate_bytes, ec.ECDSA(digest))


if __name__ == "__main__":
    main()
