# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the rotator on a host, and run it: with a playbook that fails, and while another run is under way. Prints what was seen as JSON."""

from __future__ import annotations

import json
import pwd
import subprocess
import sys
from pathlib import Path

UNIT = "webhook-doctor-loopback-rotator"
TIMER = "ActiveState,UnitFileState,NextElapseUSecRealtime,Persistent,TimersCalendar"


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Raises CalledProcessError where it fails."""
    return subprocess.run(command, check=check, stdout=subprocess.PIPE, text=True)


def main() -> None:
    settings = Path(f"/etc/{UNIT}/settings.json")
    seen = {
        "timer": run("systemctl", "show", f"{UNIT}.timer", f"--property={TIMER}").stdout.splitlines(),
        "mode": f"{settings.stat().st_mode & 0o777:o}",
        "owner": pwd.getpwuid(settings.stat().st_uid).pw_name,
        "variables": json.loads(settings.read_text(encoding="utf-8"))["variables"],
        "failing": run("systemctl", "start", f"{UNIT}.service", check=False).returncode,
        "busy": run("flock", f"/var/lib/{UNIT}/lock", "systemctl", "start", f"{UNIT}.service", check=False).returncode,
        "ended": sorted(run("systemctl", "show", f"{UNIT}.service", "--property=ExecMainStatus,Result,User").stdout.splitlines()),
        "journal": run("journalctl", "--no-pager", f"--unit={UNIT}.service", "--output=cat").stdout,
        "metrics": Path("/srv/textfile/webhook_doctor_rotation.prom").read_text(encoding="utf-8").splitlines(),
        "files": sorted(path.name for path in Path("/srv/textfile").iterdir()),
    }
    run("systemd-analyze", "security", "--no-pager", f"--threshold={sys.argv[1]}", f"{UNIT}.service")
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
