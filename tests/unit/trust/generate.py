# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions for cabundle_verify from a seed, by the thousand: sound chains, and chains with something wrong at every level.

Each class of questions is one function from a random source to one item of `bundles`. The same seed makes the same structures (signatures differ).
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from typing import Any, Callable

from ansible_collections.kubeops.webhook_doctor.tests.unit.trust import authority as made
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.authority import Extension, Spec, basic_constraints, key_usage, pem

Item = dict[str, Any]

AT = "2026-06-15T12:00:00Z"
SERVER = "webhook.shop.svc"
FAST_KEYS = ["p256-a", "p256-b", "p256-c", "p256-d", "ed25519-a", "ed25519-b"]
SLOW_KEYS = ["p384-a", "p521-a", "p224-a", "rsa2048-a", "rsa2048-b", "rsa1024-a"]
ODD_KEYS = ["dsa-a", "ed448-a", "rsaodd-512-65537", "rsaodd-1023-65537", "rsaodd-2048-1", "rsaodd-2048-2", "rsaodd-2048-65536", "rsaodd-2048-2147483649"]
LABELS = ["shop", "svc", "webhook", "a", "b", "example", "com", "x-1", "under_score", "UPPER", "*"]
USAGES = [made.ANY_USAGE, made.SERVER_AUTH, made.CLIENT_AUTH, made.UNKNOWN_USAGE]
POLICIES = ["2.5.29.32.0", "1.2.3.1", "1.2.3.2", "1.2.3.3"]


def _key(rng: random.Random) -> made.Key:
    pool = FAST_KEYS if rng.random() < 0.8 else SLOW_KEYS if rng.random() < 0.8 else ODD_KEYS
    return made.key(rng.choice(pool))


def _subject(rng: random.Random, text: str) -> bytes:
    kind = rng.randrange(6)
    if kind == 0:
        return made.name(("2.5.4.10", f"Org of {text}"))
    if kind == 1:
        return made.name(("2.5.4.6", "NL", 0x13), ("2.5.4.10", "Shop, Inc.", 0x13), ("2.5.4.3", text, 0x13))
    if kind == 2 and rng.random() < 0.5:
        return made.seq()
    return made.common_name(text + rng.choice(["", "", "", ' "q"', " é", "\t", " 漢", "\u200b", "\\"]))


def _path(rng: random.Random, depth: int) -> list[Spec]:
    """A sound path, the root first, the leaf last."""
    root_key = _key(rng)
    subject = _subject(rng, f"root-{rng.randrange(3)}")
    path = [Spec(subject, subject, root_key, root_key, [basic_constraints(True), key_usage(5)], serial=rng.randrange(1, 1 << 63))]
    for level in range(depth):
        own = _key(rng)
        extensions: list[Extension] = [basic_constraints(True, rng.choice([None, None, depth, depth - level]))]
        if rng.random() < 0.5:
            extensions.append(key_usage(5, 6))
        path.append(Spec(_subject(rng, f"ca-{level}"), path[-1].subject, own, path[-1].key, extensions, serial=rng.randrange(1, 1 << 63)))
    extensions = [made.dns(SERVER, "webhook.shop"), made.extended_key_usage(made.SERVER_AUTH)]
    if rng.random() < 0.5:
        extensions.append(basic_constraints(False))
    path.append(Spec(made.common_name("webhook"), path[-1].subject, _key(rng), path[-1].key, extensions, serial=rng.randrange(1, 1 << 63)))
    if rng.random() < 0.4:
        _key_ids(rng, path)
    return path


def _key_ids(rng: random.Random, path: list[Spec]) -> None:
    for position, spec in enumerate(path):
        if rng.random() < 0.8:
            spec.extensions.append(made.subject_key_id(bytes([position, 1, 2, 3])))
        if position and rng.random() < 0.8:
            spec.extensions.append(made.authority_key_id(bytes([position - 1 if rng.random() < 0.8 else 99, 1, 2, 3])))


def _item(rng: random.Random, path: list[Spec], extra_roots: list[bytes] | None = None, extra_chain: list[bytes] | None = None) -> Item:
    """The path as it is served: root in the bundle, the others in the chain, with noise around them."""
    ders = [spec.der() for spec in path]
    roots = [ders[0], *(extra_roots or [])]
    between = ders[1:-1] + (extra_chain or [])
    if rng.random() < 0.3:
        rng.shuffle(between)
    if rng.random() < 0.1:
        between.append(ders[0])
    if rng.random() < 0.1:
        roots += rng.sample(ders, 1)
    if rng.random() < 0.1 and between:
        roots.append(rng.choice(between))
    if rng.random() < 0.05:
        between = between[1:]
    rng.shuffle(roots)
    return _ask("".join(map(pem, roots)), [ders[-1], *between])


def _ask(bundle: str, chain: list[bytes], server_name: str = SERVER, at: str = AT) -> Item:
    return {"name": "", "ca_bundle": bundle, "chain": [pem(one) for one in chain], "server_name": server_name, "at": at}


# --- classes -----------------------------------------------------------------------------------------------------------------------


def sound(rng: random.Random) -> Item:
    return _item(rng, _path(rng, rng.randrange(4)))


def mutated(rng: random.Random) -> Item:
    path = _path(rng, rng.randrange(3))
    for _time in range(rng.choice([1, 1, 1, 2, 3])):
        rng.choice(_MUTATIONS)(rng, rng.choice(path))
    item = _item(rng, path)
    if rng.random() < 0.1:
        item["server_name"] = rng.choice(["other.shop.svc", "10.0.0.1", "WEBHOOK.shop.SVC", "webhook.shop.svc.", ""])
    return item


def _replace(spec: Spec, extension: Extension) -> None:
    spec.extensions = [one for one in spec.extensions if one[0] != extension[0]] + [extension]


def _random_time(rng: random.Random) -> str:
    texts = ["260615120000Z", "260615115959Z", "260615120001Z", "20260615120000Z", "500101000000Z", "491231235959Z", "99991231235959Z", "00000101000000Z"]
    odd = ["2606151200Z", "260615120000+0100", "20260615120000-0530", "20260615120000+0000", "260230000000Z", "20260615120000.5Z", "20260615", "261315120000Z"]
    odd += [
        "260615240000Z",
        "260615126000Z",
        "26061512000Z",
        "20240229000000Z",
        "19000229000000Z",
        "20260615120000+2459",
        "20260615120000-2500",
        "680229000000Z",
        "",
    ]
    return rng.choice(texts if rng.random() < 0.6 else odd)


def _set(field: str, choose: Callable[[random.Random], Any]) -> Callable[[random.Random, Spec], None]:
    return lambda rng, spec: setattr(spec, field, choose(rng))


def _add(choose: Callable[[random.Random], Extension]) -> Callable[[random.Random, Spec], None]:
    return lambda rng, spec: _replace(spec, choose(rng))


def _drop(rng: random.Random, spec: Spec) -> None:
    if spec.extensions:
        spec.extensions.remove(rng.choice(spec.extensions))


def _repeat(rng: random.Random, spec: Spec) -> None:
    if spec.extensions:
        spec.extensions.append(rng.choice(spec.extensions))


def _raw_extension(rng: random.Random) -> Extension:
    known = [14, 15, 17, 19, 30, 31, 32, 33, 35, 36, 37, 54]
    kind = f"2.5.29.{rng.choice(known)}" if rng.random() < 0.8 else rng.choice(["1.3.6.1.5.5.7.1.1", "1.2.3.4", "2.5.29.99", "2.5.29.18"])
    contents = [
        b"",
        made.NULL,
        made.seq(),
        made.integer(5),
        made.integer(-5),
        made.bits(b"\x04", 2),
        made.bits(b"", 0),
        made.bits(b"\x07", 2),
        made.tlv(4, b"abc"),
        made.boolean(True),
        made.seq(made.boolean(True)),
        made.seq(tlv_bad_boolean()),
        made.seq(made.boolean(True), made.integer(-1)),
        rng.randbytes(rng.randrange(12)),
        made.seq(made.tlv(0xA0, made.tlv(0xA0, made.tlv(0x86, b"http://x")))),
        made.seq(made.tlv(0x80, b"\x00")),
        made.seq(made.tlv(0x80, b"\x01"), made.tlv(0x81, b"\x00")),
        made.seq(made.seq(made.oid("1.2.3"))),
        made.seq(made.seq(made.oid("1.2.3")), made.seq(made.oid("1.2.3"))),
        made.seq(made.oid("1.2.3.4")),
        made.seq(made.seq(made.oid("1.2.3"), made.oid("1.2.4"))),
        made.seq(made.seq(made.oid("1.3.6.1.5.5.7.48.1"), made.tlv(0x86, b"http://ocsp"))),
        made.seq(made.tlv(0x82, b"a.b"), b"\x00"),
        made.seq() + b"trailing",
        made.seq(made.tlv(0x82, b"\xff")),
        made.seq(made.tlv(0x87, b"123")),
        made.tlv(0x24, made.tlv(4, b"x")),
        made.seq(made.boolean(True), made.integer(1 << 63)),
        made.seq(made.boolean(True), made.integer((1 << 63) - 1)),
    ]
    return (kind, rng.random() < 0.5, rng.choice(contents))


def tlv_bad_boolean() -> bytes:
    return made.tlv(1, b"\x01")


def _raw_spki(rng: random.Random) -> bytes:
    p256 = made.key("p256-a").spki
    ec_oid, curve = made.oid("1.2.840.10045.2.1"), made.oid("1.2.840.10045.3.1.7")
    point = p256[-65:]
    rsa_oid = made.oid("1.2.840.113549.1.1.1")
    modulus = (1 << 2047) + 1
    return rng.choice(
        [
            made.seq(made.seq(ec_oid, curve), made.bits(point[:-1] + bytes([point[-1] ^ 1]))),
            made.seq(made.seq(ec_oid, curve), made.bits(b"\x02" + point[1:33])),
            made.seq(made.seq(ec_oid, curve), made.bits(b"\x00")),
            made.seq(made.seq(ec_oid, curve), made.bits(b"\x04" + b"\xff" * 64)),
            made.seq(made.seq(ec_oid, curve), made.bits(point[:-1])),
            made.seq(made.seq(ec_oid, made.oid("1.3.132.0.10")), made.bits(point)),
            made.seq(made.seq(ec_oid, made.NULL), made.bits(point)),
            made.seq(made.seq(ec_oid), made.bits(point)),
            made.seq(made.seq(ec_oid, curve), made.bits(b"")),
            made.rsa_spki(modulus, 65537, b""),
            made.rsa_spki(-5, 65537),
            made.rsa_spki(modulus, -3),
            made.rsa_spki(0, 3),
            made.rsa_spki(modulus + 1, 3),
            made.rsa_spki(modulus, 1 << 70),
            made.seq(made.seq(rsa_oid, made.NULL), made.bits(b"abc")),
            made.seq(made.seq(rsa_oid, made.NULL), made.bits(made.seq(made.integer(modulus), made.integer(3)), 1)),
            made.seq(made.seq(made.oid("1.3.101.112")), made.bits(bytes(31))),
            made.seq(made.seq(made.oid("1.3.101.112"), made.NULL), made.bits(bytes(32))),
            made.seq(made.seq(made.oid("1.3.101.110")), made.bits(bytes(32))),
            made.seq(made.seq(made.oid("1.2.840.113549.1.1.10")), made.bits(made.seq(made.integer(modulus), made.integer(65537)))),
            made.seq(made.seq(made.oid("1.2.840.10040.4.1")), made.bits(made.integer(5))),
            made.seq(made.seq(made.oid("1.2.840.10040.4.1"), made.seq(made.integer(1), made.integer(0), made.integer(2))), made.bits(made.integer(5))),
            made.seq(made.seq(made.oid("1.2.840.10040.4.1"), made.seq(made.integer(1), made.integer(2))), made.bits(made.integer(5))),
            made.seq(made.NULL, made.bits(b"")),
            made.seq(made.seq(made.oid("1.2.3.4"), b"\x05"), made.bits(b"")),
            made.seq(),
        ]
    )


_MUTATIONS: list[Callable[[random.Random, Spec], None]] = [
    _set("not_before", _random_time),
    _set("not_after", _random_time),
    _set("version", lambda rng: rng.choice([None, 1, 2, 3, 4, 0, 200])),
    _set("serial", lambda rng: rng.choice([0, -1, -(1 << 80), 1 << 170, 1 << 400])),
    _set("subject", lambda rng: _subject(rng, rng.choice(["root-0", "root-1", "ca-0", "stranger"]))),
    _set("issuer", lambda rng: _subject(rng, rng.choice(["root-0", "root-1", "ca-0", "stranger"]))),
    _set("key", _key),
    _set("signer", _key),
    _set("algorithm", lambda rng: rng.choice(sorted(made.ALGORITHMS))),
    _set("outer_algorithm", lambda rng: rng.choice(sorted(made.ALGORITHMS))),
    _set("break_signature", lambda rng: True),
    _set("spki", _raw_spki),
    _add(lambda rng: basic_constraints(rng.choice([True, False, None]), rng.choice([None, 0, 1, 2, -1]), rng.random() < 0.5)),
    _add(lambda rng: key_usage(*rng.sample(range(9), rng.randrange(9)))),
    _add(lambda rng: made.extended_key_usage(*rng.sample(USAGES, rng.randrange(4)))),
    _add(
        lambda rng: made.alternative_names(
            *((rng.choice([1, 2, 6, 7, 0, 4]), rng.choice([b"a", b"10.0.0.1", bytes(4), b"x://y"])) for dummy in range(rng.randrange(3)))
        )
    ),
    _add(_raw_extension),
    _add(_raw_extension),
    _drop,
    _repeat,
]


def damaged(rng: random.Random) -> Item:
    """Bytes changed inside the signed part, before it is signed."""
    path = _path(rng, rng.randrange(2))
    rng.choice(path).tamper = lambda tbs: _damage(rng, tbs)
    return _item(rng, path)


def _damage(rng: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _time in range(rng.choice([1, 1, 1, 2, 4])):
        at = rng.randrange(len(out))
        kind = rng.randrange(6)
        if kind < 2:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            out[at] = rng.choice([0, 1, 2, 3, 4, 5, 6, 0x0C, 0x13, 0x14, 0x16, 0x1E, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0x82, 0x86, 0x87, 0xA0, 0xA3, 0xFF])
        elif kind == 3:
            out[at] = out[at] + rng.choice([1, -1]) & 0xFF
        elif kind == 4:
            del out[at]
        else:
            out.insert(at, rng.randrange(256))
    return bytes(out)


def damaged_anywhere(rng: random.Random) -> Item:
    """Bytes changed in a finished certificate."""
    ders = [spec.der() for spec in _path(rng, rng.randrange(2))]
    victim = rng.randrange(len(ders))
    ders[victim] = _damage(rng, ders[victim]) + (b"\0" if rng.random() < 0.1 else b"")
    return _ask(pem(ders[0]), [ders[-1], *ders[1:-1]])


def damaged_text(rng: random.Random) -> Item:
    """What happens to PEM between people."""
    path = [spec.der() for spec in _path(rng, 0)]
    other = made.authority("other", "p256-d").pem()
    text = pem(path[0])
    edits: list[Callable[[str], str]] = [
        lambda pem_text: pem_text.replace("\n", "\r\n"),
        lambda pem_text: pem_text.replace("\n", "\n\n"),
        lambda pem_text: pem_text.replace("\n", " \n"),
        lambda pem_text: pem_text.replace("\n", "\n "),
        lambda pem_text: pem_text.replace("\n", ""),
        lambda pem_text: pem_text.replace("\n", "\\n"),
        lambda pem_text: pem_text.rstrip("\n"),
        lambda pem_text: "\ufeff" + pem_text,
        lambda pem_text: "# lab CA\n" + pem_text + "the end\n",
        lambda pem_text: "no newline " + pem_text,
        lambda pem_text: pem_text + pem_text,
        lambda pem_text: pem_text + other,
        lambda pem_text: other + pem_text[: len(pem_text) // 2] + "\n" + other + pem_text,
        lambda pem_text: pem_text.replace("CERTIFICATE", rng.choice(["TRUSTED CERTIFICATE", "X509 CERTIFICATE", "certificate", "CERTIFICATE ", ""])),
        lambda pem_text: pem_text.replace("BEGIN CERTIFICATE", "BEGIN OTHER"),
        lambda pem_text: pem_text.replace("-----END", "----END"),
        lambda pem_text: pem_text.replace("-----\n", "----- \t\n"),
        lambda pem_text: pem_text.replace("-----\n", "-----x\n", 1),
        lambda pem_text: pem_text.replace("CERTIFICATE-----\n", "CERTIFICATE-----\nComment: x\n\n", 1),
        lambda pem_text: pem_text.replace("CERTIFICATE-----\n", "CERTIFICATE-----\nComment: x\n", 1),
        lambda pem_text: pem_text.replace("=", "") if "=" in pem_text else pem_text.replace("\n-----END", "=\n-----END"),
        lambda pem_text: pem_text.replace("A", "!", 1),
        lambda pem_text: base64.b64encode(pem_text.encode()).decode(),
        lambda pem_text: pem(b"", "CERTIFICATE") + pem_text,
        lambda pem_text: pem(b"not DER") + (pem_text if rng.random() < 0.5 else ""),
        lambda pem_text: pem(rng.randbytes(40), "EC PRIVATE KEY") + pem_text,
        lambda pem_text: "-----BEGIN CERTIFICATE-----\n" + pem_text,
        lambda pem_text: pem_text + "-----BEGIN CERTIFICATE-----\nMII",
        lambda pem_text: "-----BEGIN A:-----\nb: c\n-----END A:-----\n" + pem_text,
        lambda pem_text: "",
        lambda pem_text: rng.choice([" \n", "\n", "garbage", "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----\n", "\n-----END CERTIFICATE-----\n"]),
        lambda pem_text: _mangled(rng, pem_text),
        lambda pem_text: _mangled(rng, pem_text),
    ]
    for _time in range(rng.choice([1, 1, 2, 3])):
        text = rng.choice(edits)(text)
    item = _ask(text or "-", path[1:])
    if rng.random() < 0.2:
        item["callouts"] = [rng.choice(["conversion/shops.example.com", "validating/a/b"])]
    return item


def _mangled(rng: random.Random, text: str) -> str:
    out = list(text)
    for _time in range(rng.randrange(1, 5)):
        at = rng.randrange(len(out) + 1)
        out[at : at + rng.randrange(3)] = rng.choice(["", "-", "\n", ":", "=", " ", "\r", "A", "-----END CERTIFICATE-----\n", "\n-----BEGIN X-----\n"])
    return "".join(out)


def host_names(rng: random.Random) -> Item:
    root = made.authority("lab-ca", "p256-a")
    names = [
        (7, _address(rng)) if rng.random() < 0.25 else (2, _host(rng).encode())
        for dummy in range(rng.choice([0, 1, 1, 2, 3, 3, 99, 100, 101] if rng.random() < 0.1 else [1, 2, 3]))
    ]
    extensions = [made.alternative_names(*names)] if names or rng.random() < 0.5 else []
    leaf = made.server(root, extensions=extensions)
    leaf.subject = made.common_name(_host(rng))
    server_name = _host(rng) if rng.random() < 0.6 else rng.choice([name[1] for name in names if name[0] == 2] or [b"x"]).decode()
    if rng.random() < 0.3:
        server_name = rng.choice(
            [
                "10.0.0.1",
                "[10.0.0.1]",
                "::1",
                "[::1]",
                "::ffff:10.0.0.1",
                "fe80::1%eth0",
                "010.0.0.1",
                "1.2.3",
                "::",
                "1::2::3",
                "2001:DB8::1",
                "10.0.0.1.",
                "1:2:3:4:5:6:7::",
            ]
        )
    if "*" in server_name and rng.random() < 0.7:
        server_name = server_name.replace("*", "x")
    return _ask(root.pem(), [leaf.der()], server_name)


def _host(rng: random.Random) -> str:
    host = ".".join(rng.choice(LABELS) for dummy in range(rng.randrange(1, 4)))
    if rng.random() < 0.15:
        host = rng.choice(
            ["", ".", "*", "*.", "..", "a..b", ".a.b", "a.b.", "-a.b", "a-.b", "*a.b", "a.*.b", "a b", "a/b", "*.*.b", "a.b:443", "[a]", "a\tb", "*.a.b."]
        )
    return host.upper() if rng.random() < 0.1 else host


def _address(rng: random.Random) -> bytes:
    v4 = bytes([10, 0, 0, rng.choice([1, 2])])
    return rng.choice(
        [v4, v4, b"\0" * 10 + b"\xff\xff" + v4, b"\0" * 15 + b"\1", bytes.fromhex("20010db8") + bytes(11) + b"\1", b"\0" * 12 + v4, bytes(16), bytes(4)]
    )


def constrained(rng: random.Random) -> Item:
    """Name constraints of every kind, on roots and intermediates, against names of every kind."""
    path = _path(rng, rng.randrange(3))
    for spec in rng.sample(path[:-1], rng.randrange(1, len(path))):
        kinds = [rng.choice([1, 2, 2, 2, 6, 7, 7])] if rng.random() < 0.7 else [1, 2, 6, 7, 4]
        lists = [[(kind, _constraint(rng, kind)) for kind in rng.choices(kinds, k=rng.choice([0, 1, 1, 2, 4, 8]))] for dummy in range(2)]
        if rng.random() < 0.4:
            lists[rng.randrange(2)] = []
        _replace(spec, made.name_constraints(lists[0], lists[1], rng.random() < 0.7))
    for spec in path[1:]:
        if spec is path[-1] or rng.random() < 0.2:
            names = [(2, SERVER.encode())] if rng.random() < 0.6 else []
            names += [(kind, _constrained_name(rng, kind)) for kind in rng.choices([1, 2, 2, 6, 7], k=rng.randrange(4))]
            _replace(spec, made.alternative_names(*names))
    item = _item(rng, path)
    if rng.random() < 0.5:
        item["server_name"] = ""
    return item


def constrained_alike(rng: random.Random) -> Item:
    """One kind of name, well-formed mostly, against many constraints of that kind: what the sorted search finds and what it misses."""
    kind = rng.choice([1, 2, 6, 7])
    root = made.authority("lab-ca", "p256-a")
    lists = [[(kind, _constraint(rng, kind)) for dummy in range(rng.choice([0, 1, 2, 4, 12]))] for dummy in range(2)]
    _replace(root, made.name_constraints(*([(kind, b"svc")], []) if not any(lists) else lists))
    names = []
    for dummy in range(rng.choice([1, 1, 2, 3])):
        domain = rng.choice(["", "", "www.", "*."]) + _domain(rng)
        texts = {
            1: rng.choice(["me@", "Me@", '"a b"@', "a.b@", 'x\\"y@']) + domain,
            2: domain,
            6: f"spiffe://{domain}{rng.choice(['', ':1', '/a%2Fb?q#f', '?', '/%41'])}",
        }
        names.append((kind, _constrained_name(rng, kind) if kind == 7 or rng.random() < 0.1 else texts[kind].encode()))
    leaf = made.server(root, extensions=[made.alternative_names(*names)])
    return _ask(root.pem(), [leaf.der()], "")


def crowded(rng: random.Random) -> Item:
    """More candidates of the right name than Go is willing to try."""
    root = made.authority("lab-ca", "p256-a")
    others = [made.authority("lab-ca", "p256-b", serial=number) for number in range(rng.choice([98, 99, 100, 101]))]
    if rng.random() < 0.5:
        root.extensions.append(made.subject_key_id(b"right"))
    leaf = made.server(root, extensions=[made.dns(SERVER), *([made.authority_key_id(b"right")] if rng.random() < 0.5 else [])])
    pems = [spec.pem() for spec in others]
    pems.insert(rng.choice([0, len(pems)]), root.pem())
    if rng.random() < 0.5:
        return _ask("".join(pems), [leaf.der()])
    intermediates = [spec.der() for spec in others]
    anchor = made.authority("root", "p256-c")
    root.issuer, root.signer = anchor.subject, anchor.key
    intermediates.insert(rng.choice([0, len(intermediates)]), root.der())
    return _ask(anchor.pem(), [leaf.der(), *intermediates])


def _domain(rng: random.Random) -> str:
    return rng.choice(
        [
            "svc",
            "shop.svc",
            "webhook.shop.svc",
            "a.svc",
            "b.a.svc",
            "a-a.svc",
            "a.a.svc",
            "SVC",
            "example.com",
            "x.example.com",
            "com",
            "b-svc",
            "ssvc",
            "op.svc",
        ]
    )


def _constraint(rng: random.Random, kind: int) -> bytes:
    if kind == 7:
        if rng.random() < 0.05:
            return rng.choice([bytes(7), b"\x0a\0\0\0\xff\0\xff\0", bytes(4)])
        prefix = rng.choice([0, 1, 8, 9, 16, 24, 30, 31, 32])
        if rng.random() < 0.7:
            mask = ((1 << 32) - (1 << 32 - prefix)).to_bytes(4, "big")
            return bytes([10, 0, rng.randrange(2), rng.randrange(4)]) + mask
        mask = ((1 << 128) - (1 << 128 - 4 * prefix)).to_bytes(16, "big")
        return rng.choice([_address(rng).rjust(16, b"\0"), b"\0" * 10 + b"\xff\xff\x0a\0\0\1"]) + mask
    if kind == 4:
        return made.common_name("dir")
    if rng.random() < 0.07:
        return rng.choice([b"", b".", b"a..b", b"a b", b"svc.", b"\xff", b"..a", b"@", b"a@", b"a@b@c", b"10.0.0.1", b"::1", b"*.svc"])
    text = rng.choice(["", "", "."]) + _domain(rng)
    if kind == 1 and rng.random() < 0.4:
        text = rng.choice(["me", "Me", '"a b"', "a.b", ".a", 'x\\"y']) + "@" + text.lstrip(".")
    return text.encode()


def _constrained_name(rng: random.Random, kind: int) -> bytes:
    if kind == 7:
        return rng.choice([bytes([10, 0, rng.randrange(2), rng.randrange(4)]), _address(rng)])
    domain = rng.choice(["", "", "", "www.", "*.", "."]) + _domain(rng)
    if kind == 1:
        local = rng.choice(["me", "Me", '"a b"', '"a\\"b"', "a.b", "a..b", ".a", "", 'x\\"y', "a\\", '"', "a b", "me@x"])
        return (local + rng.choice(["@", "@", "@", ""]) + domain).encode()
    if kind == 6:
        return _uri(rng, domain)
    return (domain if rng.random() < 0.9 else rng.choice(["", ".", "a b", "svc.", "a..svc", "\x7f"])).encode()


def _uri(rng: random.Random, domain: str) -> bytes:
    scheme = rng.choice(["spiffe", "https", "http", "urn", "SPIFFE", "1x", "", "a+b"])
    user = rng.choice(["", "", "", "u@", "u:p@", "a%40b@", "a^b@"])
    host = rng.choice(
        [
            domain,
            domain,
            domain,
            domain.upper(),
            "",
            "10.0.0.1",
            "[::1]",
            "[fe80::1%25en0]",
            "[::1",
            "a[b",
            "a%20b",
            "a%zz",
            "%e4%b8",
            "a<b>",
            "a|b",
            "[x]",
            "1.2.3.4%25",
            "a[::1]",
            "[::1]a",
            "[1.2.3.4]",
            "[::ffff:1.2.3.4]",
            "[fe80::1%25en%41%20]",
            "[fe80::1%25en%e4]",
            "[fe80::1%25%2f]",
            "[1.2.3.4%25en0]",
            "[::1%25]",
            f"[{_literal(rng)}]",
            f"[{_literal(rng)}]",
            "svc.",
            ".svc",
            "a..b",
            "x,y",
            "x:1,y",
            "*.shop.svc",
        ]
    )
    port = rng.choice(["", "", ":443", ":", ":x", ":1:2"])
    path = rng.choice(["", "/", "/ns/shop/sa/web", "/%41%zz", "/a b", "/a%2Fb", "/a:b", "*", "/'(x)", "/a%"])
    tail = rng.choice(["", "", "?", "?q=1", "??", "#f", "#", "?q#f%20", "#%zz", "#a'b"])
    if rng.random() < 0.1:
        return rng.choice(
            [
                b"",
                b"*",
                b":x",
                b"a:b",
                b"a/b:c",
                b"//h/p",
                b"///p",
                b"x:///p",
                b"x:/p",
                b"x:?",
                b"\x01",
                b"a\x7f",
                b"x:a%zz",
                b"%zz",
                b"?",
                b"#",
                b"x://",
                b"x://@h",
                b"mailto:a@b",
            ]
        )
    return f"{scheme}{':' if scheme else ''}//{user}{host}{port}{path}{tail}".encode()


def _literal(rng: random.Random) -> str:
    """Nearly an address."""
    parts = [rng.choice(["0", "1", "ffff", "12345", "", "g", "1.2.3.4", "::", "abcd"]) for dummy in range(rng.choice([1, 2, 3, 7, 8, 8, 9]))]
    if rng.random() < 0.3:
        parts = [rng.choice(["0", "01", "255", "256", "", "x", "10"]) for dummy in range(rng.choice([3, 4, 4, 5]))]
        return ".".join(parts)
    return rng.choice(["", "", "::"]) + ":".join(parts) + rng.choice(["", "", "", "::", "%25", "%25en0", "%", ":1.2.3.4", ":1.2.3.400"])


def uris(rng: random.Random) -> Item:
    root = made.authority("lab-ca", "p256-a")
    leaf = made.server(root, extensions=[made.alternative_names((2, SERVER.encode()), (6, _uri(rng, _domain(rng))))])
    return _ask(root.pem(), [leaf.der()])


def with_policies(rng: random.Random) -> Item:
    path = _path(rng, rng.randrange(1, 4))
    critical = rng.random() < 0.7
    for spec in path:
        if rng.random() < 0.8:
            spec.extensions.append(made.policies(*rng.sample(POLICIES, rng.randrange(1, 4))))
        if rng.random() < 0.4:
            spec.extensions.append(
                made.policy_mappings(
                    *((rng.choice(POLICIES[rng.random() < 0.9 :]), rng.choice(POLICIES[rng.random() < 0.9 :])) for dummy in range(rng.randrange(1, 3))),
                    critical=critical,
                )
            )
        if rng.random() < 0.5:
            spec.extensions.append(made.policy_constraints(rng.choice([None, 0, 0, 1, 2, -1]), rng.choice([None, 0, 1]), critical))
        if rng.random() < 0.3:
            spec.extensions.append(made.inhibit_any_policy(rng.choice([0, 1, 2, -1]), critical))
    if rng.random() < 0.2 and len(path) > 2:
        path[1].subject = path[0].subject
        path[2].issuer = path[0].subject
    return _item(rng, path)


def usages(rng: random.Random) -> Item:
    path = _path(rng, rng.randrange(3))
    for spec in path:
        if rng.random() < 0.6:
            _replace(spec, made.extended_key_usage(*rng.sample(USAGES, rng.randrange(1, 4)), critical=rng.random() < 0.3))
    return _item(rng, path)


def graph(rng: random.Random) -> Item:
    """Authorities that sign one another in every direction, some of them anchors."""
    names = [f"ca-{number}" for number in range(rng.randrange(2, 6))]
    keys = {text: [made.key(label) for label in rng.sample(FAST_KEYS, rng.choice([1, 1, 2]))] for text in names}
    specs = []
    for _edge in range(rng.choice([3, 6, 12, 40])):
        subject, issuer = rng.choice(names), rng.choice(names)
        extensions = [basic_constraints(rng.random() < 0.95, rng.choice([None, None, None, 0, 1]))]
        if rng.random() < 0.3:
            extensions.append(made.subject_key_id(bytes([rng.randrange(3)])))
        if rng.random() < 0.3:
            extensions.append(made.authority_key_id(bytes([rng.randrange(3)])))
        if rng.random() < 0.1:
            extensions.append(made.dns(rng.choice(["a", "b"])))
        spec = Spec(
            made.common_name(subject), made.common_name(issuer), rng.choice(keys[subject]), rng.choice(keys[issuer]), extensions, serial=rng.randrange(1, 9)
        )
        if rng.random() < 0.1:
            spec.not_after = "260101000000Z"
        specs.append(spec.der())
    last = rng.choice(names)
    leaf = Spec(made.common_name("webhook"), made.common_name(last), made.key("p256-leaf"), rng.choice(keys[last]), [made.dns(SERVER)])
    anchors = rng.sample(specs, rng.randrange(1, 3))
    return _ask("".join(map(pem, anchors)), [leaf.der(), *rng.sample(specs, rng.randrange(len(specs) + 1))])


def strings(rng: random.Random) -> Item:
    """Every string type in a name that an error text shows, with what it may and may not hold."""
    value = rng.choice(["lab", "lab*&@", "été", "漢字", "a\x00b", "\ufdd0", "\ufffe", "tab\t", 'q"\\', "12 34", "", "\x7f", "\U0001f600", "\u00ad"])
    tag = rng.choice([0x0C, 0x12, 0x13, 0x14, 0x16, 0x1E, 0x1C, 0x1A, 0x04, 0x02])
    try:
        raw = value.encode("utf-16-be" if tag == 0x1E else "latin-1" if tag == 0x14 else "utf-8")
    except UnicodeEncodeError:
        raw = value.encode()
    raw += rng.choice([b"", b"", b"", b"\0", b"\0\0", b"\xff", b"\xd8\x00\xdc\x00"])
    organization = [("2.5.4.10", "Org")] if rng.random() < 0.3 else []
    subject = made.name(*organization, (rng.choice(["2.5.4.3", "2.5.4.3", "2.5.4.10", "2.5.4.5"]), raw, tag))  # type: ignore[arg-type]
    root = made.authority("x", "p256-a")
    root.subject = root.issuer = subject
    false_root = made.authority("x", "p256-b", serial=rng.choice([1, 255, 1 << 64]))
    false_root.subject = false_root.issuer = subject
    leaf = made.server(root, SERVER)
    return _ask(root.pem() if rng.random() < 0.3 else false_root.pem(), [leaf.der()])


def weak_keys(rng: random.Random) -> Item:
    """RSA keys that are small or have an exponent that nobody chooses: accepted by some versions of Go."""
    size = rng.choice([512, 520, 768, 1000, 1016, 1023, 1024, 1024, 1030])
    exponent = rng.choice([1, 2, 3, 65536, 65537, 65537, 65537, 2147483647, 2147483649, (1 << 61) - 1])
    root = made.authority("lab-ca", f"rsaweak-{size}-{exponent}")
    algorithm = rng.choice(["SHA256-RSA", "SHA256-RSA", "SHA384-RSA", "SHA512-RSA", "SHA256-PSS", "SHA384-PSS", "SHA512-PSS", "SHA1-RSA"])
    leaf = made.server(root, SERVER, algorithm=algorithm, break_signature=rng.random() < 0.1)
    return _ask(root.pem(), [leaf.der()])


def looped(rng: random.Random) -> Item:
    """Certificates of one subject with keys that are equal, or written differently, or of a kind that nobody compares."""
    names = ["ca-0", "ca-1"]
    keys = [made.key(label) for label in ("p256-a", "p256-b", "rsa2048-a", "ed25519-a", "dsa-a")]
    specs = []
    for _edge in range(rng.choice([2, 4, 8])):
        signer = rng.choice(keys[:2]) if rng.random() < 0.8 else rng.choice(keys)
        own = rng.choice(keys[:2]) if rng.random() < 0.7 else rng.choice(keys)
        extensions = [basic_constraints(True)] + ([made.dns(rng.choice(["a", "b"]))] if rng.random() < 0.3 else [])
        spec = Spec(made.common_name(rng.choice(names)), made.common_name(rng.choice(names)), own, signer, extensions, serial=rng.randrange(1, 99))
        if rng.random() < 0.3:
            spec.spki = made.seq(own.spki[_header(own.spki) :], made.NULL)  # what follows the key is not read
        specs.append(spec)
    leaf = Spec(made.common_name(rng.choice(["ca-0", "webhook"])), made.common_name(rng.choice(names)), keys[0], rng.choice(keys[:2]), [made.dns(SERVER)])
    if rng.random() < 0.2:
        leaf.key = keys[-1]
    return _ask("".join(spec.pem() for spec in specs[:1]), [leaf.der(), *(spec.der() for spec in specs[1:])])


def _header(der: bytes) -> int:
    return 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)


def many_constraints(rng: random.Random) -> Item:
    """About as many comparisons as older versions of Go are willing to make."""
    count = rng.choice([250, 500])
    names = 250_000 // count + rng.choice([-1, 0, 1])
    constraints = [(2, b"d%d.example.com" % number) for number in range(count)]
    root = made.authority("lab-ca", "p256-a")
    _replace(root, made.name_constraints([], constraints) if rng.random() < 0.5 else made.name_constraints([*constraints[:-1], (2, b"svc")], []))
    leaf = made.server(root, SERVER, *(f"d{number}.svc" for number in range(names - 1)))
    return _ask(root.pem(), [leaf.der()])


CLASSES: list[Callable[[random.Random], Item]] = [
    sound,
    mutated,
    mutated,
    mutated,
    damaged,
    damaged,
    damaged,
    damaged_anywhere,
    damaged_text,
    host_names,
    constrained,
    constrained_alike,
    constrained_alike,
    uris,
    with_policies,
    usages,
    graph,
    strings,
    weak_keys,
    looped,
]


# Large ones, rarely.
SELDOM = 50
VERY_SELDOM = 1000


def questions(seed: int, count: int) -> Iterator[tuple[str, Item]]:
    """(class, item of `bundles`) pairs; each one depends on the seed and its number alone."""
    for number in range(count):
        make = many_constraints if number % VERY_SELDOM == VERY_SELDOM - 1 else crowded if number % SELDOM == SELDOM - 1 else CLASSES[number % len(CLASSES)]
        item = make(random.Random(f"{seed}/{number}"))
        yield make.__name__, {**item, "name": f"{make.__name__} {seed}/{number}"}
