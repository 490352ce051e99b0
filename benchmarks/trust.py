# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases of bench.py about cabundle_verify: many verdicts in one task, the public roots, and what somebody hostile may put into a caBundle. No lab."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import certifi
from taking import HERE, RUNS, here, once, pairs

from ansible_collections.kubeops.webhook_doctor.plugins.module_utils._trust.verdict import LARGEST
from ansible_collections.kubeops.webhook_doctor.tests.unit.trust.authority import (
    ALGORITHMS,
    Spec,
    authority,
    basic_constraints,
    bits,
    common_name,
    dns,
    key,
    pem,
    seq,
    server,
)

MODULE = "ansible_collections.kubeops.webhook_doctor.plugins.modules.cabundle_verify"
AT = "2026-06-15T12:00:00Z"
NAME = "webhook.shop.svc"
BUNDLES = 1000
ROOTS = 150
CERTIFICATES = 10_000
MEGABYTES = 50
LEVELS = 500_000
MESH = 60  # authorities, each of which signs every other and itself
GIANTS = 100  # as many as one verdict tries
Question = dict[str, Any]


def thousand(folder: Path) -> dict[str, Any]:
    """A thousand caBundles, each with a CA and a served certificate of its own, in one task. Goal: 2 s, of which half a second beyond the signatures."""
    with ProcessPoolExecutor() as workers:
        questions = _written(folder, list(workers.map(_question, range(BUNDLES), chunksize=10)))
    tasks, beyond, ratios = [], [], []
    for dummy in range(RUNS):
        tasks.append(_task_seconds(folder, questions))
        whole, ping = (once(here, folder / "output", ["ansible-playbook", str(HERE / play), "-e", f"@{questions}"]) for play in ("trust.yml", "ping.yml"))
        beyond.append(whole["seconds"] - ping["seconds"])
        ratios.append(whole["seconds"] / ping["seconds"])
    module = _medians(_module(folder, questions))
    inside = _inside(folder, questions)
    _expect("the thousand bundles", inside["trusted"], BUNDLES)
    return {
        "goal": f"task_s <= 2 for {BUNDLES} bundles; judge_beyond_signatures_s <= 0.5",
        "task_s": statistics.median(tasks),
        "play_beyond_ping_s": statistics.median(beyond),
        "ratio_play_to_ping": statistics.median(ratios),
        "module_process_s": module["seconds"],
        "module_peak_mib": module["peak_mib"],
        "judge_s": inside["judge_s"],
        "signatures_s": inside["signatures_s"],
        "judge_beyond_signatures_s": inside["judge_s"] - inside["signatures_s"],
        "ratio_judge_to_signatures": inside["judge_s"] / inside["signatures_s"],
        "ratio_task_to_signatures": statistics.median(tasks) / inside["signatures_s"],
        "bundles": BUNDLES,
        "signatures": inside["signatures"],
    }


def _question(number: int) -> Question:
    """Every second one is RSA throughout."""
    kind = "rsa2048" if number % 2 else "p256"
    name = f"webhook.shop-{number}.svc"
    issuer = authority(f"ca-{number}", f"{kind}-ca-{number}")
    return _ask(issuer.pem(), [server(issuer, name, label=f"{kind}-leaf-{number}").pem()], name)


def public_roots(folder: Path) -> dict[str, Any]:
    """A caBundle with all public roots, as teams paste it, and the CA of their own. Goal: at most 1.5 times one CA alone."""
    own = authority("ca", "p256-ca")
    public = Path(certifi.where()).read_text(encoding="utf-8")
    found = public.count("-----BEGIN CERTIFICATE-----")
    made = "".join(authority(f"root-{number}", f"p256-root-{number}").pem() for number in range(ROOTS - found - 1))
    chain = [server(own, NAME).pem()]
    many, one = (_written(folder, [_ask(text, chain, NAME)], name) for name, text in (("many", public + made + own.pem()), ("one", own.pem())))
    whole, single, ratio = pairs(_module(folder, many), _module(folder, one))
    inside = _inside(folder, many)
    _expect("the public roots", inside["trusted"], 1)
    return {
        "goal": "ratio_to_one_root <= 1.5",
        "ratio_to_one_root": ratio,
        "module_process_s": whole,
        "module_process_one_root_s": single,
        "module_peak_mib": _module(folder, many)()["peak_mib"],
        "judge_s": inside["judge_s"],
        "signatures_s": inside["signatures_s"],
        "ratio_judge_to_signatures": inside["judge_s"] / inside["signatures_s"],
        "roots": ROOTS,
        "public": found,
    }


def hostile(folder: Path) -> dict[str, Any]:
    """What nobody sends by mistake. Goal: a verdict, or a refusal that says why, within 10 s and 300 MiB each."""
    rows = []
    for name, question, expected in _hostile():
        taken = _medians(_module(folder, _written(folder, [question]), endings=(0, 1)))
        answer = json.loads((folder / "output").read_text(encoding="utf-8"))
        said = answer["msg"] if answer.get("failed") else answer["results"][0]["error"] or f"trusted: {answer['results'][0]['trusted']}"
        if expected not in said:
            raise SystemExit(f"{name}: expected {expected!r}, got {said!r}")
        rows.append({"seconds": taken["seconds"], "peak_mib": taken["peak_mib"], "case": name, "answer": said})
    return {
        "goal": "each <= 10 s and <= 300 MiB, with a verdict or a clear refusal",
        "seconds": max(row["seconds"] for row in rows),
        "peak_mib": max(row["peak_mib"] for row in rows),
        "rows": rows,
    }


def _hostile() -> Iterator[tuple[str, Question, str]]:
    """(what it is, the question, what has to be in the answer)"""
    own, stranger = authority("ca", "p256-ca"), authority("stranger", "p256-stranger")
    leaf, text = server(own, NAME), own.pem()
    out_of_budget = "signature check attempts limit reached"

    yield f"{CERTIFICATES} certificates", _ask("".join(_strangers(CERTIFICATES - 1)) + text, [leaf.pem()]), "trusted: True"
    room = LARGEST - 2 * len(text) - len(leaf.pem())
    yield f"{LARGEST >> 20} MiB of certificates, the most that is taken", _ask(_full(room) + text, [leaf.pem()]), "trusted: True"
    namesakes = "".join(authority("ca", f"p256-{number}").pem() for number in range(CERTIFICATES))
    yield f"{CERTIFICATES} certificates of one name", _ask(namesakes, [leaf.pem()]), out_of_budget
    yield f"{MEGABYTES} MB of PEM", _ask(text * (MEGABYTES * 10**6 // len(text) + 1), [leaf.pem()]), "larger than 16 MiB"
    yield f"{LARGEST >> 20} MiB of other text", _ask("\U0001f512\n" * (room // 5), [leaf.pem()]), "unable to load root certificates"

    deep = server(own, NAME)
    deep.extensions.append(("1.2.3.4", False, _nested(LEVELS)))
    yield f"{LEVELS} levels of nesting in an extension", _ask(text, [deep.pem()]), "trusted: True"
    deep = server(own, NAME)
    deep.subject = _nested(LEVELS)
    yield f"{LEVELS} levels of nesting in a name", _ask(text, [deep.pem()]), "x509: invalid RDNSequence"

    names = [f"ca-{number}" for number in range(MESH)]
    mesh = [_cross_signed(subject, issuer).pem() for subject in names for issuer in names]
    under = Spec(common_name("webhook"), common_name(names[0]), key("p256-leaf"), key(f"p256-{names[0]}"), [dns(NAME)])
    yield f"{len(mesh)} certificates of {MESH} authorities that sign one another", _ask(stranger.pem(), [under.pem(), *mesh]), out_of_budget

    giants = [authority("ca", f"rsaodd-16384-2147483647-{number}") for number in range(GIANTS)]
    under = Spec(common_name("webhook"), giants[0].subject, key("p256-leaf"), giants[0].key, [dns(NAME)])
    forged = pem(seq(under.tbs(), ALGORITHMS["SHA256-RSA"], bits(b"\1" * 2048)))  # as long as a signature has to be
    yield f"{GIANTS} RSA keys of 16,384 bits", _ask("".join(giant.pem() for giant in giants), [forged]), "crypto/rsa: verification error"


def _strangers(most: int) -> Iterator[str]:
    for number in range(most):
        yield authority(f"ca-{number}", f"p256-{number}").pem()


def _full(room: int) -> str:
    taken: list[str] = []
    for text in _strangers(room):
        room -= len(text)
        if room < 0:
            break
        taken.append(text)
    return "".join(taken)


def _cross_signed(subject: str, issuer: str) -> Spec:
    return Spec(common_name(subject), common_name(issuer), key(f"p256-{subject}"), key(f"p256-{issuer}"), [basic_constraints(True)])


def _nested(levels: int) -> bytes:
    """SEQUENCEs in one another, written from the inside: to copy every level into the next would take minutes."""
    headers, length = [], 0
    for dummy in range(levels):
        octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
        header = bytes([0x30, length]) if length < 0x80 else bytes([0x30, 0x80 | len(octets)]) + octets
        headers.append(header)
        length += len(header)
    return b"".join(reversed(headers))


def _ask(ca_bundle: str, chain: list[str], name: str = NAME) -> Question:
    return {"name": name, "ca_bundle": ca_bundle, "chain": chain, "server_name": name}


def _written(folder: Path, questions: list[Question], name: str = "questions") -> Path:
    """The variables of trust.yml, and what judge.py reads."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"bundles": questions, "at": AT}), encoding="utf-8")
    return path


def _task_seconds(folder: Path, questions: Path) -> float:
    """The time of the task alone, by Ansible's own clock: templating, the module's process, its result."""
    environment = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_JSON_INDENT": "0", "ANSIBLE_DEPRECATION_WARNINGS": "false"}
    once(here, folder / "output", ["ansible-playbook", str(HERE / "trust.yml"), "-e", f"@{questions}"], environment)
    text = (folder / "output").read_text(encoding="utf-8")
    duration = json.loads(text[text.index("{") :])["plays"][0]["tasks"][0]["task"]["duration"]
    began, ended = (datetime.fromisoformat(duration[moment].replace("Z", "+00:00")) for moment in ("start", "end"))
    return (ended - began).total_seconds()


def _module(folder: Path, questions: Path, endings: tuple[int, ...] = (0,)) -> Callable[[], dict[str, Any]]:
    """What runs the module's own process, without Ansible around it. Its result is in `output`."""
    arguments = questions.with_suffix(".arguments")
    arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": json.loads(questions.read_text(encoding="utf-8"))}), encoding="utf-8")
    return lambda: once(here, folder / "output", [sys.executable, "-m", MODULE, str(arguments)], endings=endings)


def _medians(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    taken = [run() for dummy in range(RUNS)]
    return {figure: statistics.median(one[figure] for one in taken) for figure in taken[0]}


def _inside(folder: Path, questions: Path) -> dict[str, Any]:
    """What judge.py says: medians."""

    def run() -> dict[str, Any]:
        once(here, folder / "output", [sys.executable, str(HERE / "judge.py"), str(questions)])
        return json.loads((folder / "output").read_text(encoding="utf-8"))

    return _medians(run)


def _expect(what: str, trusted: int, wanted: int) -> None:
    if trusted != wanted:
        raise SystemExit(f"{what}: {trusted} of {wanted} are trusted")


CASES: dict[str, Callable[[Path], dict[str, Any]]] = {"trust-thousand": thousand, "trust-public-roots": public_roots, "trust-hostile": hostile}
