# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ACME server's own errors (RFC 8555, 6.7; RFC 9773) and what to do about each. PRIVATE to the collection."""

from __future__ import annotations

# What cert-manager tries again by itself, within seconds.
_TRANSIENT = frozenset({"badNonce", "orderNotReady"})

_ADVICE = {
    "accountDoesNotExist": "The server does not know the account any more. Delete the Secret of the account key (spec.acme.privateKeySecretRef), and "
    "cert-manager makes "
    "a new account.",
    "alreadyRevoked": "The certificate was revoked before; nothing is to be done.",
    "badCSR": "The certificate request holds something that the server does not issue: look at names, key size and usages of the Certificate.",
    "badPublicKey": "The server does not accept the account's or the certificate's key: use RSA 2048 or ECDSA P-256.",
    "badSignatureAlgorithm": "The server does not accept the algorithm of the account key: cert-manager makes RSA keys; delete the Secret with another key.",
    "caa": "A CAA record of the domain forbids this authority: add it to the record, or use another one.",
    "compound": "There are several errors: the description of the Order or Challenge lists them.",
    "connection": "The ACME server could not connect to the domain for its check: open TCP 80 from everywhere to the ingress (HTTP-01), or use DNS-01.",
    "dns": "The ACME server could not resolve the domain, or did not find the TXT record: look at the public DNS (both authoritative servers and DNSSEC).",
    "externalAccountRequired": "The server wants an external account binding: set spec.acme.externalAccountBinding with the key that it gave you.",
    "incorrectResponse": "What the ACME server fetched was not the challenge's key: see what answers at the domain from outside (redirects, another ingress, "
    "a CDN).",
    "invalidContact": "The e-mail address of the issuer (spec.acme.email) is not accepted: correct it.",
    "unsupportedContact": "The e-mail address of the issuer (spec.acme.email) is not accepted: correct it.",
    "malformed": "The server does not understand the request: compare the versions of cert-manager and of the ACME server, and the server's URL.",
    "rateLimited": "Too many orders, failed checks or accounts. Wait for the time that the message names; use the staging server while you repair; and do "
    "not delete "
    "CertificateRequests or Secrets to make cert-manager try again: each new order counts.",
    "rejectedIdentifier": "The authority does not issue for this name (an internal name, or one on its list): use a name that is yours in public, or a "
    "private CA.",
    "serverInternal": "The ACME server has a fault of its own: see its status page, and wait.",
    "tls": "The ACME server could not speak TLS with the domain during its check.",
    "unauthorized": "The ACME server's check got a wrong answer (or the account may not do this): see what answers at the domain from outside.",
    "unsupportedIdentifier": "The authority does not issue for this kind of name (an address, or a wildcard without DNS-01).",
    "userActionRequired": "The authority wants something to be done at an address that the message names, such as agreeing to new terms.",
}


def is_transient(error: str) -> bool:
    return error in _TRANSIENT


def advice_of(error: str) -> str:
    """What to do about the last part of urn:ietf:params:acme:error:..."""
    return _ADVICE.get(error, "Look at the message: the ACME server says itself what it wants.")
