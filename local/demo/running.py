"""One world, from its loading to its end."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx

from local.demo.board import Board
from local.demo.faults import NAMES, Faults, Where
from local.demo.judging import Expected, SeenCase, Summary, Verdict, judge, settled, summarize
from local.demo.mischief import Mischief
from local.demo.news import News, whats_new
from local.demo.reasoning import Reasoning, examples
from local.demo.watching import Watcher

_LOOK_EVERY_SECONDS = 0.5
# Looking costs the app work that it should be doing: it gets this many times as long for itself.
_LEFT_ALONE = 2
# Once could be a moment between two steps.
_LOOKS_IN_A_ROW = 2


@dataclass(frozen=True)
class Run:
    """How one world ended. `unexpected` says what is not as it should be."""

    summary: Summary
    unexpected: tuple[str, ...]
    in_time: bool
    examples: tuple[Reasoning, ...] = ()
    """Some cases with what the app has thought about them."""

    @property
    def good(self) -> bool:
        return self.in_time and self.summary.good


class WorldRun:
    """Watches one world until everything is where it should be, or its time is over.

    `check` raises when the stack has failed; `show` is called after every look with what is new.
    """

    def __init__(
        self,
        watcher: Watcher,
        board: Board,
        check: Callable[[], None],
        show: Callable[[list[News]], None],
        deadline_seconds: float,
        faults: Where | None = None,
    ) -> None:
        self._watcher = watcher
        self._board = board
        self._check = check
        self._show = show
        self._deadline_seconds = deadline_seconds
        self._where = faults
        self._faults: Faults | None = None
        self._cases: dict[str, SeenCase] = {}

    def run(self, kills: int, seed: int) -> Run:
        """The world's end. Raises StackFailed, and httpx.HTTPError when the control endpoint does not answer."""
        began = time.monotonic()
        expected = self._watcher.expected()
        self._board.subscriptions = len(expected)
        self._board.stuck = sum(one.cause is not None for one in expected)
        if self._where is not None:
            self._faults = Faults(seed, self._where, self._board.stuck, self._watcher.throw, time.monotonic())
            self._faults.play(time.monotonic())
        self._begin()
        with Mischief(kills, seed, self._watcher.kill_worker, time.monotonic()) as mischief:
            verdicts, in_time = self._watch(expected, mischief, began + self._deadline_seconds)
        harm = self._watcher.harm()
        summary = summarize(verdicts, harm, self._watcher.requests(), time.monotonic() - began)
        summary = replace(summary, faults=self._struck())
        unexpected = [verdict.text for verdict in verdicts if not verdict.as_expected]
        unexpected += [f"{one['kind']}: {one['detail']} (change {one['change_id']})" for one in harm["engine"]]
        unexpected += [f"forbidden write: {one['why']} ({one['table']} {one['id']})" for one in harm["forbidden"]]
        unexpected += [f"left at Not Applicable: change {change}" for change in harm["left_not_applicable"]]
        if summary.faults is not None and not summary.faults.total():
            unexpected.append("nothing went wrong, although it should have")
        return Run(summary, tuple(unexpected), in_time, self._examples())

    def _struck(self) -> Counter[str] | None:
        """How often each kind went wrong, those that never did too; None when nothing should."""
        if self._faults is None:
            return None
        counted = dict.fromkeys(NAMES, 0) | self._watcher.struck()
        return Counter({**counted, "worker killed": self._board.kills})

    def _examples(self) -> tuple[Reasoning, ...]:
        """They are for show: an app that does not answer this instant spoils no run."""
        try:
            return tuple(self._watcher.reasoning(case.id) for case in examples(self._cases.values()))
        except httpx.HTTPError:
            return ()

    def _begin(self) -> None:
        """The app's own timer would do it in a moment; asking is quicker. A worker that starts takes its time."""
        self._say("The app asks Dataverse who is a suspect")
        try:
            self._watcher.sweep()
        except httpx.HTTPError:
            self._say("The app is starting; its timer sweeps in a moment")

    def _watch(self, expected: list[Expected], mischief: Mischief, deadline: float) -> tuple[list[Verdict], bool]:
        in_a_row = 0
        verdicts = judge(expected, [])
        while time.monotonic() < deadline:
            self._check()
            self._kill(mischief)
            self._throw()
            began = time.monotonic()
            verdicts = self._look(expected, everything=in_a_row > 0) or verdicts
            in_a_row = in_a_row + 1 if settled(verdicts) and self._calm(mischief) else 0
            if in_a_row >= _LOOKS_IN_A_ROW:
                return verdicts, True
            time.sleep(max(_LOOK_EVERY_SECONDS, _LEFT_ALONE * (time.monotonic() - began)))
        return verdicts, False

    def _look(self, expected: list[Expected], *, everything: bool) -> list[Verdict]:
        """The verdicts of now; none while the app does not answer, as when its worker was just killed.

        Resolved cases are only asked for when an open one is missing, or `everything` is wanted.
        """
        try:
            now = self._watcher.open_cases()
            if any(case.stock == "held" for case in now.values()):
                self._watcher.adopt_stock()
            gone = [case for case in self._cases.values() if case.state != "resolved" and case.id not in now]
            if gone or everything:
                now |= self._watcher.resolved_cases()
        except httpx.HTTPError:
            return []
        # One that was resolved between the two lists is kept as it was until the next look.
        now = {**self._cases, **now}
        news = whats_new(self._cases, now)
        self._cases = now
        verdicts = judge(expected, now.values())
        self._board.update(now.values(), verdicts)
        self._board.requests = self._watcher.requests()
        self._board.phase = _phase(self._board)
        self._board.latest.extend(news)
        self._show(news)
        return verdicts

    def _kill(self, mischief: Mischief) -> None:
        killed = mischief.play(time.monotonic())
        if killed is not None:
            self._board.kills += 1
            self._show([])

    def _throw(self) -> None:
        """What is due of the faults."""
        if self._faults is None or self._faults.is_over:
            return
        self._faults.play(time.monotonic())
        self._board.faults = sum(self._watcher.struck().values())

    def _calm(self, mischief: Mischief) -> bool:
        """Whether everything was thrown. What has found nothing to strike may still strike."""
        return mischief.is_over and (self._faults is None or self._faults.is_over)

    def _say(self, phase: str) -> None:
        self._board.phase = phase
        self._show([])


def _phase(board: Board) -> str:
    totals = board.totals
    if sum(totals.values()) < board.stuck:
        return "Reading the evidence, looking for the cause of each"
    if board.as_expected == board.stuck:
        return "Everything is where it belongs; looking once more"
    if totals["moving"]:
        return "Retriggering, one change of a subscription at a time, and watching whether it holds"
    return "Waiting for jobs and people that take their time"
