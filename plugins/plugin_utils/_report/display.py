# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines on the user's terminal, as they are. PRIVATE to the collection.

The `debug` module would print them as a quoted JSON string. Ansible's own display writes them plainly, keeps them in order with the output of the tasks (also
from a worker process), and obeys the user's settings about colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible import constants
from ansible.utils.color import ANSIBLE_COLOR, stringc
from ansible.utils.display import Display

from .terminal import Line
from .text import one_line

_COLOURS = {"error": "COLOR_ERROR", "warning": "COLOR_WARN", "info": "COLOR_HIGHLIGHT", "good": "COLOR_OK", "faint": "COLOR_VERBOSE"}


def show(display: Display, lines: Iterable[Line], cluster: str | None = None) -> None:
    """Print the lines as one message, so that nothing gets between them. cluster: whose they are, where it is not the only one (`one_of_many`).

    (Also, Ansible hangs if its output goes into a pipe whose reader has gone (`| head`) and more messages come.)
    """
    lines = list(lines)
    if not lines:
        return
    if cluster is not None:
        lines = list(named(lines, cluster))
    plain = "".join(f"{line.text}\n" for line in lines)
    if not ANSIBLE_COLOR:
        # The display ends a text with a line break only where it has none, so an empty last line would be lost.
        display.display(plain)
        return
    display.display("".join(f"{_coloured(line)}\n" for line in lines), screen_only=True)
    if constants.DEFAULT_LOG_PATH:
        display.display(plain, log_only=True)


def one_of_many(task_vars: Mapping[str, Any] | None) -> str | None:
    """The name of the cluster (the inventory host) of this task, None if the play is about no other."""
    variables = task_vars or {}
    return variables["inventory_hostname"] if len(variables.get("ansible_play_hosts_all") or ()) > 1 else None


def named(lines: Sequence[Line], cluster: str) -> Iterator[Line]:
    """The same, so that they can be told from those of another cluster: a single line begins with the name, several have it above them."""
    name = one_line(cluster, 80)
    if len(lines) == 1:
        yield Line(f"{name}: {lines[0].text.lstrip()}", lines[0].tone)
        return
    beginning = next((number for number, line in enumerate(lines) if line.text), len(lines))
    yield from lines[:beginning] or [Line("")]
    yield Line(f"── {name} ──")
    yield from lines[beginning:]


def _coloured(line: Line) -> str:
    return stringc(line.text, getattr(constants, _COLOURS[line.tone])) if line.tone and line.text else line.text
