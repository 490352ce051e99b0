# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines on the user's terminal, as they are. PRIVATE to the collection.

The `debug` module would print them as a quoted JSON string. Ansible's own display writes them plainly, keeps them in order with the output of the tasks (also
from a worker process), and obeys the user's settings about colour.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from ansible import constants
from ansible.utils.color import ANSIBLE_COLOR
from ansible.utils.display import Display

from .terminal import Line

_COLOURS = {"error": "COLOR_ERROR", "warning": "COLOR_WARN", "info": "COLOR_HIGHLIGHT", "good": "COLOR_OK", "faint": "COLOR_VERBOSE"}


def show(display: Display, lines: Iterable[Line]) -> None:
    """Print the lines; neighbours of one tone go together, because each call is a message between processes.

    Without colour all is one message: Ansible hangs if its output goes into a pipe whose reader has gone (`| head`) and more messages come.
    """
    for tone, group in groupby(lines, key=lambda line: line.tone if ANSIBLE_COLOR else None):
        # The display ends a text with a line break only where it has none, so an empty last line would be lost.
        display.display("".join(f"{line.text}\n" for line in group), color=getattr(constants, _COLOURS[tone]) if tone else None)
