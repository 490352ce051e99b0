# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command to its end and print what it took, as JSON: {seconds, cpu_seconds, peak_mib, returncode}.

    python measure.py OUTPUT COMMAND ...

What the command prints goes to OUTPUT. peak_mib is the resident memory of the largest single process below this one (getrusage(2), RUSAGE_CHILDREN).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time


def main() -> None:
    output, command = sys.argv[1], sys.argv[2:]
    with open(output, "wb") as handle:
        began = time.monotonic()
        returncode = subprocess.run(command, stdout=handle, stderr=subprocess.STDOUT, check=False).returncode
        seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024, "returncode": returncode}))


if __name__ == "__main__":
    main()
