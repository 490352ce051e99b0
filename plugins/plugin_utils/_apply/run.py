# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply a plan: dry run, journal, change, proof; stop and take back what made things worse; put back what was for a time only. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .._remedy.item import applicable
from .._remedy.reverted import reverted
from .backups import Backups, NotKept
from .changing import Changer
from .healing import heal, left
from .journal import Journal, NotWritten
from .outcome import Effect, Look, affected, look
from .port import Port, Unreachable
from .prepare import Sending
from .result import MADE, Result, State
from .rollout import rolled_out
from .waves import waves

# Seconds between two looks whether a change has helped, and how often a call-out has to fail anew until that counts.
_PAUSE, _TIMES_WORSE = 3.0, 3
# Seconds until it is looked whether somebody whom nobody knew puts a change back.
_BRIEFLY = 3.0
_STATES = {Effect.MENDED: State.MENDED, Effect.NOT_MENDED: State.NOT_MENDED, Effect.WORSE: State.WORSE, Effect.UNPROVEN: State.UNPROVEN}


class Locked(Exception):
    """Somebody else changes this cluster now."""


def renew(port: Port, holder: str) -> None:
    """Take the lock, or keep it. Raises Locked, Unreachable."""
    held, other, until = port.lock(holder)
    if not held:
        raise Locked(f"{other} changes this cluster now (its lock ends at {until}, unless it is renewed). Nothing more was changed. Run again later.")


@contextmanager
def hold(port: Port, holder: str) -> Iterator[None]:
    """Hold the lock meanwhile. Raises Locked, Unreachable."""
    renew(port, holder)
    try:
        yield
    finally:
        try:
            port.unlock(holder)
        except Unreachable as error:
            port.say(f"  the lock could not be given back ({error}); it ends by itself", "warning")


@dataclass
class Run:
    """One application of one plan. before: the findings that it was made for. name: of the run, unique; holder: who it is, for others.

    settle: seconds after which it is looked whether somebody has put back what was changed, where an owner is known; a few seconds otherwise.
    """

    port: Port
    journal: Journal
    backups: Backups
    name: str
    holder: str
    before: Sequence[Mapping[str, Any]]
    check: bool = False
    settle: float = 20.0
    results: dict[str, Result] = field(default_factory=dict)
    stopped: str | None = None
    healed: bool = False  # whether something of an interrupted run was taken back

    def __post_init__(self) -> None:
        self.changer = Changer(self.port, self.journal, self.name)
        self._made_at: dict[str, str] = {}
        self._last_made = 0.0

    def apply(self, plan: Sequence[Mapping[str, Any]]) -> list[Result]:
        """What became of every item that is planned, in the plan's order. Raises Locked, Unreachable (both before anything was changed)."""
        items = applicable(plan)
        if self.check:
            self._try(items)
            return self._ordered(items)
        if not items:
            self._only_heal()
            return []
        with hold(self.port, self.holder):
            try:
                self.journal.write("run", self.port.now(), run=self.name, holder=self.holder, items=[item["id"] for item in items])
                self._heal()
                for group in waves(items):
                    self._wave(group)
                    if self.stopped:
                        break
                self._look_again(items)
            except Unreachable as error:
                self.stopped = f"the API server does not answer any more: {error}"
            except Locked as error:
                self.stopped = str(error)
            except NotWritten as error:
                self._without_journal(error)
            finally:
                self._put_back(items)
            self._look_after(items)
        for item in items:
            self.results.setdefault(item["id"], Result(item, State.STOPPED, (self.stopped or "",)))
        self._tell({"step": "end", "results": {name: result.state.value for name, result in self.results.items()}})
        return self._ordered(items)

    # ---- check mode

    def _try(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Send everything as a dry run. A temporary change that is only tried does not let others through, so those that wait for one are not sent."""
        waiting = {item["id"]: [other for other in items if other["id"] in item["requires"]] for item in items}
        sent = [item for item in items if not any(other["temporary"] for other in waiting[item["id"]])]
        for group in waves(sent):
            _ready, results = self.changer.tried(group)
            self.results.update({result.item["id"]: _tried_too_early(result, waiting[result.item["id"]]) for result in results})
            for sending in _ready:
                self.results[sending.item["id"]] = Result(sending.item, State.WOULD)
        for item in items:
            if item not in sent:
                names = ", ".join(other["id"] for other in waiting[item["id"]] if other["temporary"])
                self.results[item["id"]] = Result(item, State.WOULD, (f"not tried: it can only pass after {names}",))

    # ---- what an earlier run has left

    def _only_heal(self) -> None:
        """There is nothing to change; a run that was killed may have mended all, and not have put back what was for a time."""
        if not left(self.port):
            return
        try:
            with hold(self.port, self.holder):
                self._heal()
        except Locked as error:
            self.port.say(f"  {error}", "faint")  # it is that run's own, which goes on

    def _heal(self) -> None:
        for what, problem in heal(self.port, self.changer):
            self.healed = self.healed or not problem
            if problem:
                self.port.say(f"  {what}: what an interrupted run changed for a time is still there: {problem}", "warning")
            else:
                self.port.say(f"  {what}: what an interrupted run had changed for a time was taken back", "good")

    # ---- one wave

    def _wave(self, group: list[Mapping[str, Any]]) -> None:
        renew(self.port, self.holder)
        ready = [item for item in group if self._may_go(item)]
        if not ready or self.stopped:
            return
        made = self._make(ready)
        if not made:
            return
        looks = self._proof(made)
        self._note_all([Result(item, _STATES[looks[item["id"]].effect], looks[item["id"]].because) for item in made])
        worse = [item for item in made if looks[item["id"]].effect is Effect.WORSE]
        if worse:
            self.stopped = f"{', '.join(item['id'] for item in worse)} made things worse"
            for item in worse:
                self._take_back(item, State.UNDONE, looks[item["id"]].because)

    def _may_go(self, item: Mapping[str, Any]) -> bool:
        """Whether all that it requires has been made."""
        missing = [name for name in item["requires"] if name in self.results and self.results[name].state not in MADE]
        if missing:
            self._note(item, State.WAITS, (f"it requires {', '.join(missing)}",))
        return not missing

    def _make(self, group: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Try, journal, send; the items that were made."""
        ready, refused = self.changer.tried(group)
        self._note_all(refused)
        ready = [sending for sending in ready if self._kept(sending)]
        if not ready or self.stopped:
            return []
        made, failed = self.changer.made(ready)
        self._last_made = self.port.monotonic()
        self._made_at.update({item["id"]: self.port.now() for item in made})
        self._note_all(failed)
        return made

    def _kept(self, sending: Sending) -> bool:
        """Whether a copy of what is deleted is in the cluster: the local journal may be lost."""
        if sending.content is None and sending.backup:
            try:
                self.backups.keep(self.port, self.name, sending.backup)
            except NotKept as error:
                self._note(sending.item, State.FAILED, (str(error),))
                return False
        return True

    def _proof(self, made: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Look until every item has mended what it was made for, or its time is up."""
        deadline = self.port.monotonic() + max(item["verify"]["patience_seconds"] for item in made)
        rolling = rolled_out(self.port, [item for item in made if item["verify"]["rollout"]], deadline)
        worse: dict[str, int] = {}
        while True:
            after = self.port.observe(affected(made)) if any(item["verify"]["callouts"] or item["verify"]["fingerprints"] for item in made) else []
            looks = {item["id"]: _rolling(look(item, self.before, after), rolling.get(item["id"])) for item in made}
            for item in made:
                worse[item["id"]] = worse.get(item["id"], 0) + 1 if looks[item["id"]].effect is Effect.WORSE else 0
            open_ = [item for item in made if looks[item["id"]].effect in (Effect.NOT_MENDED, Effect.WORSE)]
            if not open_ or self.port.monotonic() >= deadline:
                return looks
            if any(times >= _TIMES_WORSE for times in worse.values()):
                return looks  # what does harm does not stay until others have shown what they do
            self.port.say(f"  waiting for {', '.join(item['id'] for item in open_[:3])}{' and others' if len(open_) > 3 else ''} to show", "faint")
            self.port.sleep(_PAUSE)
            renew(self.port, self.holder)

    # ---- a while later

    def _look_again(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Whether what was made still stands; controllers act within seconds of a change."""
        made = [item for item in items if item["id"] in self._made_at and self.results[item["id"]].state in MADE and not item["temporary"]]
        if not made:
            return
        owned = any(item["owner"] for item in made)
        wait = self._last_made + (self.settle if owned else min(self.settle, _BRIEFLY)) - self.port.monotonic()
        if wait > 0:
            if owned:
                self.port.say(f"  waiting {wait:.0f} s to see whether the owners put anything back", "faint")
            self.port.sleep(wait)
        for item, answer in zip(made, self.port.read([item["target"] for item in made])):
            lines = [] if answer["error"] else reverted(item, next(iter(answer["objects"]), None), self._made_at[item["id"]])
            if lines:
                self._note(item, State.REVERTED, tuple(lines))

    # ---- taking back

    def _put_back(self, items: Sequence[Mapping[str, Any]]) -> None:
        """End what was for the time of the repair only, whatever happened."""
        for item in reversed(items):
            result = self.results.get(item["id"])
            if item["temporary"] and (result.state in MADE if result else item["id"] in self.changer.begun):
                self._take_back(item, State.PUT_BACK, ())

    def _take_back(self, item: Mapping[str, Any], state: State, because: tuple[str, ...]) -> None:
        if not item["rollback"]["possible"]:
            self._note(item, State.WORSE, (*because, f"it cannot be taken back: {item['rollback']['because']}"))
            return
        problem = self._taken_back(item)
        if problem:
            heal = "Take it back with: ansible-playbook kubeops.webhook_doctor.rollback"
            self._note(item, State.WORSE, (*because, f"it could not be taken back: {problem}. {heal}"))
        else:
            self._note(item, state, because)

    def _taken_back(self, item: Mapping[str, Any]) -> str | None:
        try:
            return self.changer.taken_back(item["target"], item["id"])
        except Unreachable as error:
            return f"the API server does not answer: {error}"
        except NotWritten as error:
            self._without_journal(error)
            return self._taken_back(item)

    def _look_after(self, items: Sequence[Mapping[str, Any]]) -> None:
        """What became of items that were sent before the run was stopped."""
        for item in items:
            if item["id"] in self.changer.begun and item["id"] not in self.results:
                shows = self.changer.shows(item)
                if shows is not False:
                    what = "it is changed" if shows else "whether it is changed cannot be seen now"
                    self._note(item, State.UNKNOWN, (what, self.stopped or ""))

    def _without_journal(self, error: NotWritten) -> None:
        """Begin nothing more, but put back what was for a time only: the objects themselves say how."""
        self.stopped = str(error)
        self.journal = self.changer.journal = Journal(None)

    # ---- small things

    def _note(self, item: Mapping[str, Any], state: State, because: tuple[str, ...] = ()) -> None:
        self._note_all([Result(item, state, because)])

    def _note_all(self, results: Sequence[Result]) -> None:
        self.results.update({result.item["id"]: result for result in results})
        self._tell(*({"step": "result", "item": result.item["id"], "state": result.state.value, "because": list(result.because)} for result in results))

    def _tell(self, *steps: Mapping[str, Any]) -> None:
        try:
            self.journal.write_all([{"at": self.port.now(), **step} for step in steps])
        except NotWritten as error:
            self._without_journal(error)

    def _ordered(self, items: Sequence[Mapping[str, Any]]) -> list[Result]:
        return [self.results[item["id"]] for item in items if item["id"] in self.results]


def _rolling(seen: Look, missing: str | None) -> Look:
    """Where nothing else can prove it, a change that does not roll out has not mended anything."""
    return Look(Effect.NOT_MENDED, (f"it has not rolled out: {missing}",)) if missing and seen.effect is Effect.UNPROVEN else seen


def _tried_too_early(result: Result, required: Sequence[Mapping[str, Any]]) -> Result:
    """A dry run makes nothing, so what needs an object that the plan makes (a RoleBinding its Role) finds none: that says nothing against it."""
    made = [other["id"] for other in required if other["action"] == "create"]
    if not made or result.state is not State.FAILED or not any(line.endswith("not found") for line in result.because):
        return result
    return Result(result.item, State.WOULD, (f"not tried to the end: it can only pass after {', '.join(made)}",))
