# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the detector on a host, with and without an API server, and print what was seen as JSON: one task instead of twenty."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

UNIT = "webhook-doctor-loopback-detector"
TIMER = "ActiveState,UnitFileState,NextElapseUSecRealtime,Persistent,FixedRandomDelay,RandomizedDelayUSec,TimersCalendar"


def run(*command: str) -> str:
    """Raises CalledProcessError where it fails."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    directory, threshold = Path(sys.argv[1]), sys.argv[2]
    metrics = directory / "apiserver_loopback.prom"
    seen = {
        "timer": run("systemctl", "show", f"{UNIT}.timer", f"--property={TIMER}").splitlines(),
        "mode": f"{metrics.stat().st_mode & 0o777:o}",
        "owner": metrics.stat().st_uid,
    }
    run("systemctl", "start", f"{UNIT}.service")
    seen["metrics"] = metrics.read_text(encoding="utf-8").splitlines()
    dates = run("openssl", "x509", "-in", "/srv/kube-apiserver/loopback/chain.pem", "-noout", "-startdate", "-enddate").splitlines()
    seen["dates"] = [run("date", "--utc", f"--date={line.partition('=')[2]}", "+%s").strip() for line in dates]
    run("systemctl", "stop", "kube-apiserver.service")
    run("systemctl", "start", f"{UNIT}.service")
    seen["unanswered"] = metrics.read_text(encoding="utf-8").splitlines()
    run("systemctl", "start", "kube-apiserver.service")
    seen["journal"] = run("journalctl", "--no-pager", f"--unit={UNIT}.service", "--output=cat")
    seen["files"] = [path.name for path in directory.iterdir()]
    run("systemd-analyze", "security", "--no-pager", f"--threshold={threshold}", f"{UNIT}.service")
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
