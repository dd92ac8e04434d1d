"""The policy is edited, broken and mended, yeses are given, grow old and lose their plan, in any order.

Input: a town with one stuck change and what Hypothesis does to it. Output: the writes that took effect.
Not faked: the workflow. What may be written is known here from the play, not from the workflow's own words.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from shared.domain import approval
from shared.domain.policy import Exemption, Level, Mode
from shared.errors import NotPossible, SettingsError
from shared.ports import StatusWrite, WriteResult
from shared.workflow.sweep import sweep
from shared.workflow.wake import wake
from tests.builders import AT_PROVIDER, STUCK, SUBSCRIPTION, TENANT
from tests.ruled_town import CAUSE, CUSTOMER, Ruled
from tests.workflow_kit import AWAITING, NOT_APPLICABLE

MODES = {Mode.OBSERVE: Level.SUGGEST, Mode.APPROVE: Level.APPROVE, Mode.AUTO: Level.AUTO}

LEVELS = [Level.AUTO, Level.APPROVE, Level.SUGGEST, Level.OFF]


@dataclass
class Yes:
    """A yes as the person meant it: for what was so when they gave it."""

    on: datetime
    version: str
    facts: tuple[object, ...]


class PolicyChanges(RuleBasedStateMachine):
    """One stuck change, and everything that may happen around a yes."""

    def __init__(self) -> None:
        super().__init__()
        self.town = Ruled()
        self.town.stuck()
        self.town.work365.after_write = self.took_effect
        self.runner = asyncio.Runner()
        self.edits = 0
        self.yeses: list[Yes] = []
        self.wrong = ""
        self.edited(causes={CAUSE: Level.APPROVE}, approval_expires=timedelta(hours=1))
        self.it_sweeps()
        self.messages_are_handled(3)  # a case that waits for a yes, and its people told

    def teardown(self) -> None:
        self.runner.close()

    # --- the policy ---

    def edited(self, **values: Any) -> None:
        self.edits += 1
        self.town.rules = {"mode": Mode.AUTO, "version": str(self.edits), **values}

    @rule(
        level=st.sampled_from(LEVELS),
        mode=st.sampled_from([Mode.AUTO, Mode.APPROVE, Mode.OBSERVE]),
        hours=st.sampled_from([1, 72]),
    )
    def the_policy_is_edited(self, level: Level, mode: Mode, hours: int) -> None:
        self.edited(mode=mode, causes={CAUSE: level}, approval_expires=timedelta(hours=hours))

    @rule(level=st.sampled_from(LEVELS), base=st.sampled_from(LEVELS), minutes=st.sampled_from([1, 20, 90]))
    def an_exemption_is_made(self, level: Level, base: Level, minutes: int) -> None:
        until = self.town.clock.now() + timedelta(minutes=minutes)
        self.edited(causes={CAUSE: base}, exemptions=(Exemption(level, "for a while", until, customer_id=CUSTOMER),))

    @rule()
    def the_file_is_broken(self) -> None:
        self.town.broken()

    # --- the world ---

    @rule(minutes=st.sampled_from([0.2, 1, 10, 31, 70, 5000]))
    def time_passes(self, minutes: float) -> None:
        self.town.clock.advance(timedelta(minutes=minutes))

    @precondition(lambda self: self.town.work365.change(STUCK).status is AWAITING)
    @rule(seats=st.sampled_from([4, 5, 6]))
    def somebody_asks_for_other_seats(self, seats: int) -> None:
        self.town.work365.edit(STUCK, quantity=Decimal(seats))

    @precondition(lambda self: self.town.work365.change(STUCK).status is AWAITING)
    @rule()
    def a_plug_in_saves_the_row(self) -> None:
        self.town.work365.edit(STUCK)

    @rule(scheduled=st.booleans())
    def a_change_is_scheduled_at_the_provider(self, scheduled: bool) -> None:
        shows = self.town.provider.subscriptions[TENANT][AT_PROVIDER]
        self.town.provider.hold(TENANT, replace(shows, has_next_term_instructions=scheduled))

    # --- the app and its people ---

    @rule()
    def it_sweeps(self) -> None:
        self.runner.run(sweep(self.town.ctx))

    @rule()
    def it_wakes(self) -> None:
        self.runner.run(wake(self.town.ctx))

    @rule(times=st.sampled_from([1, 3, 10]))
    def messages_are_handled(self, times: int) -> None:
        for _ in range(times):
            if (message := self.town.queues.take()) is not None:
                self.runner.run(self.town.run(message))

    @rule(minutes=st.sampled_from([16, 31, 70]))
    def life_goes_on(self, minutes: float) -> None:
        self.time_passes(minutes)
        self.it_sweeps()
        self.it_wakes()
        self.messages_are_handled(10)

    @rule(by=st.sampled_from(["Ann", "Ben"]), minutes=st.sampled_from([0, 10, 70]))
    def a_person_says_yes(self, by: str, minutes: float) -> None:
        """It may take a while until it is heard, and more may happen first."""
        self.a_yes_is_said(by)
        self.time_passes(minutes)
        self.messages_are_handled(int(minutes) % 4)

    def a_yes_is_said(self, by: str) -> None:
        stored = self.runner.run(self.town.store.load(SUBSCRIPTION))
        if stored is None or stored.case.plan is None:
            return
        earlier = stored.case.approved_on if stored.case.approved_digest else None
        try:
            case = self.runner.run(self.town.say_yes(by))
        except (NotPossible, SettingsError):
            return
        if case.approved_on != earlier:
            self.yeses = [Yes(self.town.clock.now(), str(self.town.rules["version"]), self.facts())]

    # --- what must hold ---

    def facts(self) -> tuple[object, ...]:
        """What a person weighs."""
        shows = self.town.provider.subscriptions[TENANT][AT_PROVIDER]
        return (self.town.work365.change(STUCK).quantity, shows.quantity, shows.has_next_term_instructions)

    def level(self) -> Level:
        """What the policy says now, worked out by hand."""
        rules, now = self.town.rules, self.town.clock.now()
        level: Level = rules.get("causes", {}).get(CAUSE, Level.AUTO)
        level = next((e.level for e in rules.get("exemptions", ()) if now < e.until), level)
        return min(level, MODES[rules["mode"]], key=[*Level].index)

    def took_effect(self, write: StatusWrite, result: WriteResult) -> WriteResult:
        if write.status is NOT_APPLICABLE:
            self.wrong = self.wrong or self.why_wrong()
            self.yeses = []  # used once
        return result

    def why_wrong(self) -> str:
        rules, now, level = self.town.rules, self.town.clock.now(), self.level()
        if rules.get("problems") or level in (Level.OFF, Level.SUGGEST):
            return f"written although the level is {level}"
        scheduled = self.facts()[2]
        if level is Level.AUTO and not scheduled:
            return ""
        good_for = rules.get("approval_expires", timedelta(days=3))
        covered = [
            y for y in self.yeses if now < y.on + good_for and (y.version, y.facts) == (rules["version"], self.facts())
        ]
        return "" if covered else f"written without a yes: {self.yeses} at {now}, {rules}"

    @invariant()
    def nothing_is_written_that_may_not_be(self) -> None:
        assert not self.wrong, self.wrong


def play(examples: int) -> None:
    """Raises AssertionError with the shortest play that goes wrong."""
    run_state_machine_as_test(
        PolicyChanges,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=[*HealthCheck],
        ),
    )


def test_whatever_happens_nothing_is_written_that_may_not_be() -> None:
    play(150)


def test_a_yes_that_never_expires_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approval, "lapsed", lambda *_: "")
    with pytest.raises(AssertionError, match="written without a yes"):
        play(1_000)


def test_levels_that_are_not_asked_at_the_write_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.domain.guards.goes_unasked", lambda *_: True)
    monkeypatch.setattr("shared.domain.decision.decided_by", lambda *_: Level.AUTO)
    with pytest.raises(AssertionError, match="written"):
        play(1_000)


def test_a_yes_to_any_plan_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.domain.plan._digest", lambda *_, **__: "f" * 32)
    with pytest.raises(AssertionError, match="written without a yes"):
        play(1_000)
