# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds the lock, and whether that process has died."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.identity import died_here, holder, new_run


def test_a_run_is_named_as_labels_and_objects_may_be() -> None:
    assert re.fullmatch(r"\d{8}t\d{6}-[0-9a-f]{6}", new_run()) and new_run() != new_run()


def test_a_process_that_runs_has_not_died() -> None:
    assert not died_here(holder("run"))


TELL = "from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.identity import holder; print(holder('run'))"


def test_a_process_that_has_ended_has_died() -> None:
    ended = subprocess.run([sys.executable, "-c", TELL], capture_output=True, text=True, check=True).stdout.strip()
    assert died_here(ended)
    another_place = re.sub(r"\.[0-9a-f]{8} ", ".00000000 ", ended)
    assert another_place != ended and not died_here(another_place), "a process of another machine, of which nothing is known here"


def test_a_process_of_whose_end_nobody_took_note_has_died() -> None:
    """A zombie: what a killed run leaves where the first process of the machine (a container's) does not care for orphans."""
    with subprocess.Popen([sys.executable, "-c", TELL], stdout=subprocess.PIPE, text=True) as process:
        ended = process.stdout.read().strip() if process.stdout else ""
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert ended and died_here(ended)


def test_a_process_with_the_same_id_is_another_one() -> None:
    """Ids are given again."""
    mine = holder("run")
    earlier = re.sub(r"\.(\d+)\.", lambda found: f".{int(found[1]) - 1}.", mine)
    assert earlier != mine and died_here(earlier)


def test_who_cannot_be_told_has_not_died() -> None:
    assert not died_here("somebody@elsewhere pid 7") and not died_here("")
