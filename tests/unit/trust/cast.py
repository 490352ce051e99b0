# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates and texts that the tables name. All live from 2026-01-01 to 2027-12-31 unless their name says otherwise; judged on 2026-06-15."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization

from ansible_collections.kubeops.webhook_doctor.tests.unit.trust import authority as made
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.authority import (
    CLIENT_AUTH,
    SERVER_AUTH,
    Spec,
    authority,
    basic_constraints,
    dns,
    extended_key_usage,
    key_usage,
    server,
)

NAME = "webhook.shop.svc"
CORPORATE_POLICY = "1.3.6.1.4.1.99999.7"
CA = authority("lab-ca", "p256-a")
ROTATED = authority("lab-ca", "p256-b")
STRANGER = authority("stranger", "p256-c")
MIDDLE = authority("middle", "p256-d", CA)


def _with(*extensions: made.Extension) -> list[made.Extension]:
    return [basic_constraints(False), dns(NAME), *extensions]


def _authority(text: str, label: str, *extensions: made.Extension, parent: Spec | None = None) -> Spec:
    return authority(text, label, parent, extensions=[basic_constraints(True), *extensions])


SPECS: dict[str, Spec] = {
    "ca": CA,
    "rotated_ca": ROTATED,
    "stranger": STRANGER,
    "middle": MIDDLE,
    "renewed_ca": authority("lab-ca", "p256-a", serial=2),
    "expired_ca": authority("lab-ca", "p256-a", not_after="260601000000Z"),
    "ca_expiring": authority("lab-ca", "p256-a", not_after="260625120000Z"),
    "future_ca": authority("lab-ca", "p256-a", not_before="260701000000Z"),
    "ca_without_flag": authority("lab-ca", "p256-a", extensions=[basic_constraints(False)]),
    "ca_without_constraints": authority("lab-ca", "p256-a", extensions=[key_usage(5)]),
    "ca_v1": authority("lab-ca", "p256-a", version=None, extensions=[]),
    "ca_may_not_sign": authority("lab-ca", "p256-a", extensions=[basic_constraints(True), key_usage(0)]),
    "ca_path_0": authority("lab-ca", "p256-a", extensions=[basic_constraints(True, 0)]),
    "ca_path_1": authority("lab-ca", "p256-a", extensions=[basic_constraints(True, 1)]),
    "ca_for_clients": _authority("lab-ca", "p256-a", extended_key_usage(CLIENT_AUTH)),
    "ca_for_shop": _authority("lab-ca", "p256-a", made.name_constraints([(2, b"shop.svc")], [])),
    "ca_not_for_shop": _authority("lab-ca", "p256-a", made.name_constraints([], [(2, b"shop.svc")])),
    "ca_odd_extension": _authority("lab-ca", "p256-a", ("1.2.3.4", True, made.NULL)),
    "ca_odd_extension_harmless": _authority("lab-ca", "p256-a", ("1.2.3.4", False, made.NULL)),
    "ca_sha1": authority("lab-ca", "rsa2048-a", algorithm="SHA1-RSA"),
    "ca_rsa": authority("lab-ca", "rsa2048-a"),
    "ca_rsa_1024": authority("lab-ca", "rsa1024-a"),
    "ca_rsa_1023": authority("lab-ca", "rsaweak-1023-65537"),
    "ca_explicit_policy": _authority("lab-ca", "p256-a", made.policy_constraints(3, None), made.policies(CORPORATE_POLICY)),
    "middle_explicit_policy": authority(
        "middle", "p256-d", CA, extensions=[basic_constraints(True), made.policy_constraints(0, None), made.policies(CORPORATE_POLICY)]
    ),
    "ca_excludes_one_host": _authority("lab-ca", "p256-a", made.name_constraints([], [(2, b"secret.shop.svc")])),
    "ca_excludes_one_mail_domain": _authority("lab-ca", "p256-a", made.name_constraints([], [(1, b"secret.shop.svc")])),
    "ca_critical_key_id": _authority("lab-ca", "p256-a", made.subject_key_id(b"lab", critical=True)),
    "ca_rsa_1000": authority("lab-ca", "rsaodd-1000-65537"),
    "ca_without_name": Spec(made.seq(), made.seq(), made.key("p256-a"), made.key("p256-a"), [basic_constraints(True)], serial=77),
    "leaf": server(CA, NAME),
    "leaf_of_rotated": server(ROTATED, NAME),
    "leaf_of_middle": server(MIDDLE, NAME),
    "leaf_of_rsa": server(authority("lab-ca", "rsa2048-a"), NAME),
    "leaf_of_rsa_1024": server(authority("lab-ca", "rsa1024-a"), NAME),
    "leaf_of_rsa_1023": server(authority("lab-ca", "rsaweak-1023-65537"), NAME),
    "leaf_with_policy": server(MIDDLE, extensions=_with(made.policies(CORPORATE_POLICY))),
    "leaf_bare_wildcard": server(CA, "*"),
    "leaf_mail_wildcard": server(CA, extensions=[made.alternative_names((2, NAME.encode()), (1, b"me@*.shop.svc"))]),
    "leaf_many_names": server(CA, *(f"n{number}" for number in range(100))),
    "leaf_two_policies": server(CA, extensions=_with(made.policies(CORPORATE_POLICY, CORPORATE_POLICY))),
    "leaf_of_rsa_1000": server(authority("lab-ca", "rsaodd-1000-65537"), NAME),
    "leaf_of_nameless": Spec(made.common_name("webhook"), made.seq(), made.key("p256-leaf"), made.key("p256-b"), _with()),
    "leaf_sha1": server(authority("lab-ca", "rsa2048-a"), NAME, algorithm="SHA1-RSA"),
    "leaf_rsa_1024": server(CA, NAME, label="rsa1024-a"),
    "leaf_ed25519": server(CA, NAME, label="ed25519-a"),
    "leaf_expired": server(CA, NAME, not_after="260614120000Z"),
    "leaf_ends_now": server(CA, NAME, not_after="260615120000Z"),
    "leaf_expiring": server(CA, NAME, not_after="260625120000Z"),
    "leaf_short_lived": server(CA, NAME, not_before="260612120000Z", not_after="260622120000Z"),
    "leaf_future": server(CA, NAME, not_before="260616120000Z"),
    "leaf_other_name": server(CA, "webhook.old.svc", "webhook.old"),
    "leaf_of_node": server(CA, "ip-192-168-1-1.ec2.internal"),
    "leaf_wildcard": server(CA, "*.shop.svc"),
    "leaf_upper": server(CA, "WEBHOOK.Shop.svc"),
    "leaf_address": server(CA, extensions=[made.alternative_names((7, bytes([10, 96, 0, 7])))]),
    "leaf_without_san": server(CA, extensions=[basic_constraints(False)]),
    "leaf_cn_only": Spec(made.common_name(NAME), CA.subject, made.key("p256-leaf"), CA.key, [basic_constraints(False)]),
    "leaf_for_clients": server(CA, extensions=_with(extended_key_usage(CLIENT_AUTH))),
    "leaf_for_both": server(CA, extensions=_with(extended_key_usage(CLIENT_AUTH, SERVER_AUTH))),
    "leaf_without_usage": server(CA, extensions=_with()),
    "leaf_odd_extension": server(CA, extensions=_with(("1.2.3.4", True, made.NULL))),
    "leaf_negative_serial": server(CA, NAME, serial=-5),
    "leaf_long_serial": server(CA, NAME, serial=1 << 200),
    "leaf_broken_signature": server(CA, NAME, break_signature=True),
    "self_signed": Spec(made.common_name("webhook"), made.common_name("webhook"), made.key("p256-leaf"), made.key("p256-leaf"), _with()),
    "leaf_dsa": server(CA, NAME, label="dsa-a"),
    "leaf_ed448": server(CA, NAME, label="ed448-a"),
    "huge_rsa": server(CA, NAME, label="rsaodd-8200-65537"),
}


def private_key() -> str:
    """A real one, so that the search for it in an output means something."""
    encoding, kind, plain = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    text: str = made.key("p256-leaked").private.private_bytes(encoding, kind, plain).decode()
    return text


TEXTS: dict[str, Callable[[], str]] = {
    "private_key": private_key,
    "broken_private_key": lambda: private_key().replace("-----END", "----END"),
    "not_der": lambda: made.pem(b"not DER"),
    "negative_serial": lambda: pem("leaf_negative_serial"),
    "trusted_certificate": lambda: pem("ca").replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
    "with_headers": lambda: pem("ca").replace("CERTIFICATE-----\n", "CERTIFICATE-----\nSubject: lab-ca\n\n", 1),
    "without_end": lambda: pem("ca").replace("-----END", "----END"),
    "crlf": lambda: pem("ca").replace("\n", "\r\n"),
    "colon_in_type": lambda: "-----BEGIN LAB:-----\nowner: platform\n-----END LAB:-----\n",
    "one_line": lambda: pem("ca").replace("\n", " "),
    "encoded_twice": lambda: base64.b64encode(pem("ca").encode()).decode(),
    "comment": lambda: "# the lab's CA\n",
    "words": lambda: "this is no certificate",
    "blank": lambda: " \n\t\n",
}


@functools.cache
def pem(name: str) -> str:
    """PEM of a certificate, or one of the texts."""
    return SPECS[name].pem() if name in SPECS else TEXTS[name]()
