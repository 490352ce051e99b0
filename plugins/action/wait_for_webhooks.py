# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `kubeops.webhook_doctor.wait_for_webhooks`. Its documentation is plugins/modules/wait_for_webhooks.py.

It runs the module observe_cluster on the host again and again, and judges here what that saw.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._apply.executing import connection_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._diagnosis.checked import InvalidObservation, plain
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._gate import progress
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._gate.look import Look, look_at
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._gate.waiting import Streak
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._gate.wish import PROVEN, REACHABLE, Wish
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.bundle import bundle_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.display import one_of_many, show
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.model import view_of
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.terminal import Line, finding_lines
from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.version import collection_version

_OBSERVE = "kubeops.webhook_doctor.observe_cluster"
_SETTINGS: dict[str, dict[str, Any]] = {
    "select": {"type": "str", "default": ""},
    "expect": {"type": "list", "elements": "str", "default": []},
    "fail_open": {"type": "str", "choices": [PROVEN, REACHABLE], "default": REACHABLE},
    "stable": {"type": "int", "default": 2},
    "wait_timeout": {"type": "float", "default": 300.0},
    "pause": {"type": "float", "default": 3.0},
    "show": {"type": "bool", "default": True},
}
_RANGES = {"stable": (1, 100, "looks"), "wait_timeout": (0, 86400, "seconds"), "pause": (0, 600, "seconds")}
# Seconds that the calls of one look may take, whatever time is left: a call hangs for 30 s at most, and only then the API server says where it hung.
_LOOK = 40.0
# Seconds after which a line is shown though nothing has changed.
_SIGN_OF_LIFE = 30.0
_MOST_FINDINGS = 5


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Look until it is good so many times in a row, or the time is up. Changes nothing."""
        result = super().run(tmp, task_vars)
        settings = self._settings()
        wish = Wish(settings["select"], tuple(settings["expect"]), settings["fail_open"])
        started, stable, allowed = time.monotonic(), settings["stable"], settings["wait_timeout"]
        said = _Said(self._display if settings["show"] else None, one_of_many(task_vars))
        streak, looks = Streak(), 0
        observed: Mapping[str, Any] = {}
        while True:
            answer = self._observe(streak.last.callouts, task_vars)
            looks, seconds = looks + 1, time.monotonic() - started
            if not answer.get("failed"):
                observed, streak = answer, streak.after(_judged(answer, wish))
            elif answer.get("cause"):  # an API server that does not answer may come yet
                streak = streak.broken(str(answer["msg"]))
            else:
                return {**result, **answer}
            said.now(seconds, progress.lines(streak, stable, self._display.columns))
            outcome = {**result, "changed": False, **_outcome(streak.last), "looks": looks, "waited_seconds": round(seconds, 1)}
            if streak.good >= stable:
                return {**outcome, "msg": progress.status(streak, stable)}
            if streak.hopeless or seconds + settings["pause"] >= allowed:
                said.all(_explained(observed, streak, self._display.columns))
                return {**outcome, "failed": True, "msg": progress.failure(streak, seconds)}
            time.sleep(settings["pause"])

    def _settings(self) -> dict[str, Any]:
        unknown = sorted(name for name in self._task.args if name not in _SETTINGS and not connection_of({name: ""}))
        if unknown:
            raise AnsibleActionFail(f"there is no option {', '.join(unknown)}. Expected: {', '.join(_SETTINGS)}, or one of the connection.")
        given = {name: value for name, value in self._task.args.items() if name in _SETTINGS}
        validated = ArgumentSpecValidator(_SETTINGS).validate(given)
        if validated.error_messages:
            raise AnsibleActionFail(f"{'; '.join(validated.error_messages)}.")
        settings = dict(validated.validated_parameters)
        for name, (least, most, unit) in _RANGES.items():
            if not least <= settings[name] <= most:
                raise AnsibleActionFail(f"{name} {settings[name]:g} is out of range. Expected {least} to {most} {unit}.")
        return settings

    def _observe(self, callouts: Iterable[str], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """What observe_cluster returns on the host. Only these call-outs are called, all where none is known; one that has come is called next time."""
        arguments = {**connection_of(self._task.args), "callouts": sorted(callouts), "deadline": _LOOK}
        return dict(self._execute_module(module_name=_OBSERVE, module_args=arguments, task_vars=task_vars))


class _Said:
    """What was shown last, so that it is said again only if it is something else, or after a while.

    display: None to show nothing. cluster: as `show` has it.
    """

    def __init__(self, display: Display | None, cluster: str | None) -> None:
        self._display, self._cluster = display, cluster
        self._last: list[Line] = []
        self._at = 0.0

    def now(self, seconds: float, lines: list[Line]) -> None:
        if lines != self._last or seconds - self._at >= _SIGN_OF_LIFE:
            self._last, self._at = lines, seconds
            self.all(progress.timed(seconds, lines))

    def all(self, lines: Iterable[Line]) -> None:
        if self._display:
            show(self._display, lines, self._cluster)


def _judged(observed: Mapping[str, Any], wish: Wish) -> Look:
    try:
        return look_at(plain(observed["facts"]), plain(observed["probes"]), plain(observed["verdicts"]), wish)
    except InvalidObservation as error:
        raise AnsibleActionFail(str(error)) from None  # Ansible would append what it came from


def _outcome(look: Look) -> dict[str, Any]:
    return {
        "proven": list(look.proven),
        "reachable": [{"callout": callout, "why": why} for callout, why in look.reachable],
        "missing": [one.shown() for one in look.missing],
        "findings": [dict(finding) for finding in look.findings],
        "instances": list(look.instances),
    }


def _explained(observed: Mapping[str, Any], streak: Streak, width: int) -> list[Line]:
    """The findings about what is missing, as the report tells them."""
    if streak.silence or not streak.last.findings:
        return []
    bundle = bundle_of(collection_version(), observed["facts"], observed["probes"], observed["verdicts"], took_seconds=None)
    view = view_of(bundle, streak.last.findings)
    told = [[*finding_lines(finding, width), Line("")] for finding in view.findings[:_MOST_FINDINGS]]
    return [Line(""), *(line for lines in told for line in lines)]
