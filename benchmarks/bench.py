# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the diagnosis in the lab, and cabundle_verify without one. Prints ratios, because absolute times differ between machines; writes results.json.

make bench                     all cases
make bench CASES=ten-healthy   some of them; those of trust.py need no lab
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "lab"))

import interception  # noqa: E402
import remedy  # noqa: E402
import trust  # noqa: E402
from doctorlab import Lab, Options, faults, paths, targets  # noqa: E402
from taking import once, pairs  # noqa: E402

BLACKHOLES = 100
SCALE = 1000  # webhook configurations; ten times as many Services, half as many CRDs


@dataclass(frozen=True)
class Bench:
    """A lab, and a folder for what is written meanwhile."""

    lab: Lab
    folder: Path

    def once(self, command: list[str], environment: dict[str, str] | None = None) -> dict[str, Any]:
        """Run a command in the lab's network; what measure.py says of it."""
        return once(self.lab.run, self.folder / "output", command, environment)

    def ping(self) -> dict[str, Any]:
        return self.once(["ansible-playbook", str(HERE / "ping.yml")])

    def diagnose(self) -> dict[str, Any]:
        return self.once(["ansible-playbook", "kubeops.webhook_doctor.diagnose", "-e", f"webhook_doctor_report_dir={self.folder / 'report'}"])

    def summary(self) -> dict[str, Any]:
        return json.loads((self.folder / "report" / "report.json").read_text(encoding="utf-8"))["summary"]

    def populate(self, what: str, first: int, last: int) -> None:
        done = self.lab.run([sys.executable, str(HERE / "populate.py"), str(self.lab.state), what, str(first), str(last)], capture_output=True)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])


def ten_healthy(folder: Path) -> dict[str, Any]:
    """Diagnose of ten healthy call-outs against a play with one ping. Goal: at most 2.5."""
    chosen = [fault for fault in faults.load(paths.FAULTS) if fault.family == "healthy"][:10]
    with Lab(folder / "lab", Options(faults=",".join(fault.name for fault in chosen))) as lab:
        bench = Bench(lab, folder)
        diagnose, ping, ratio = pairs(bench.diagnose, bench.ping)
        summary = bench.summary()
    return {"goal": "<= 2.5", "ratio": ratio, "diagnose_s": diagnose, "ping_s": ping, "callouts": summary["callouts"]["total"]}


def fault_cluster(folder: Path) -> dict[str, Any]:
    """Diagnose of the cluster with every fault, against a ping, and against the playbook that a user would write. Goal: at least 10 times faster than that."""
    with Lab(folder / "lab", Options()) as lab:
        bench = Bench(lab, folder)
        ping = bench.ping()["seconds"]
        bench.diagnose()
        diagnose = statistics.median(bench.diagnose()["seconds"] for dummy in range(3))
        summary = bench.summary()
        seen_by_hand = folder / "by-hand.json"
        environment = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_JSON_INDENT": "0", "ANSIBLE_DEPRECATION_WARNINGS": "false"}
        by_hand = bench.once(["ansible-playbook", str(HERE / "handwritten.yml")], environment)["seconds"]
        (folder / "output").rename(seen_by_hand)
        missed = _missed_by_hand(seen_by_hand, lab)
    return {
        "goal": "handwritten / diagnose >= 10",
        "ratio_to_ping": diagnose / ping,
        "ratio_handwritten": by_hand / diagnose,
        "diagnose_s": diagnose,
        "handwritten_s": by_hand,
        "callouts": summary["callouts"]["total"],
        "findings": summary["findings"],
        "faults_without_a_trace_in_the_handwritten_playbook": missed,
    }


def _missed_by_hand(output: Path, lab: Lab) -> list[str]:
    """The faults of which the handwritten playbook shows nothing at all: none of its certificate fetches failed there."""
    text = output.read_text(encoding="utf-8")
    plays = json.loads(text[text.index("{") :])["plays"]
    failed: set[str] = set()
    for task in plays[0]["tasks"]:
        for item in task["hosts"]["localhost"].get("results", []):
            if "cert" not in item:  # the callback says of the whole loop that it failed, not of its items
                failed.add(item["item"][0]["metadata"]["namespace"])
    broken = [target for target in lab.targets if target.role == "fault" and any(expected.code for expected in target_expectations(target))]
    return sorted(target.fault for target in broken if target.namespace not in failed)


def target_expectations(target: targets.Target) -> list[faults.Expected]:
    return [fault.expect["endpoint"] for fault in faults.load(paths.FAULTS) if fault.name == target.fault]


def blackholes(folder: Path) -> dict[str, Any]:
    """A hundred webhooks with timeoutSeconds 10 that nobody answers. Goal: under 15 s."""
    with Lab(folder / "lab", Options(faults="healthy")) as lab:
        bench = Bench(lab, folder)
        lab.run(["ip", "address", "add", "10.99.255.254/16", "dev", "lo"], check=True)
        lab.run(["iptables", "-I", "OUTPUT", "-d", "10.99.0.0/16", "-p", "tcp", "--syn", "-j", "DROP"], check=True)
        bench.populate("blackholes", 0, BLACKHOLES)
        taken = bench.diagnose()
        ping = bench.ping()
        summary = bench.summary()
    if summary["callouts"]["failing"] < BLACKHOLES:
        raise SystemExit(f"blackholes: only {summary['callouts']['failing']} of {BLACKHOLES} were found failing")
    return {
        "goal": "diagnose_s < 15",
        "diagnose_s": taken["seconds"],
        "ratio_to_ping": taken["seconds"] / ping["seconds"],
        "failing": summary["callouts"]["failing"],
    }


def scale(folder: Path) -> dict[str, Any]:
    """1,000 configurations, 10,000 Services, 500 CRDs with full schemas, and half of that. Goal: at most 300 MiB in the largest process, and linear."""
    rows = []
    with Lab(folder / "lab", Options(faults="healthy")) as lab:
        bench = Bench(lab, folder)
        ping = bench.ping()["seconds"]
        for first, last in ((0, SCALE // 2), (SCALE // 2, SCALE)):
            bench.populate("scale", first, last)
            facts = bench.once(["ansible", "localhost", "-m", "kubeops.webhook_doctor.webhook_facts", "-o"])
            whole = bench.diagnose()
            rows.append(
                {
                    "configurations": last,
                    "services": 10 * last,
                    "crds": last // 2,
                    "webhook_facts_s": facts["seconds"],
                    "webhook_facts_peak_mib": facts["peak_mib"],
                    "diagnose_s": whole["seconds"],
                    "diagnose_peak_mib": whole["peak_mib"],
                }
            )
    half, full = rows
    return {
        "goal": "peak <= 300 MiB; twice the objects, about twice the time",
        "peak_mib": full["diagnose_peak_mib"],
        "growth_of_time": (full["diagnose_s"] - ping) / (half["diagnose_s"] - ping),
        "rows": rows,
    }


CASES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "ten-healthy": ten_healthy,
    "fault-cluster": fault_cluster,
    "blackholes": blackholes,
    "scale": scale,
    **trust.CASES,
    "interception": interception.measure,
    "remediate-fifty": remedy.measure,
}


def machine() -> dict[str, Any]:
    version = subprocess.run(["ansible", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return {"cpus": os.cpu_count(), "python": platform.python_version(), "ansible": version, "kernel": platform.release()}


def show(name: str, result: dict[str, Any]) -> None:
    print(f"\n{name}: goal {result['goal']}")
    for key, value in result.items():
        if key == "goal":
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for row in value:
                print("  " + "  ".join(f"{column} {_figure(cell)}" for column, cell in row.items()))
        elif isinstance(value, list):
            print(f"  {key} ({len(value)}): {', '.join(map(str, value))}")
        else:
            print(f"  {key:24} {_figure(value)}")


def _figure(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help=f"of {', '.join(CASES)}; all of them if none is named")
    wanted = parser.parse_args().cases or list(CASES)
    written = HERE / "results.json"
    results = json.loads(written.read_text(encoding="utf-8")) if written.exists() else {}
    results["machine"] = machine()
    for name in wanted:
        print(f"measuring {name} ...", flush=True)
        load = os.getloadavg()[0]  # what else the machine was doing
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            results[name] = {**CASES[name](Path(folder)), "load_before": load}
        show(name, results[name])
        written.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten: {written.relative_to(Path.cwd()) if written.is_relative_to(Path.cwd()) else written}")


if __name__ == "__main__":
    main()
