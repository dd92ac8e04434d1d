"""Protections that are taken away one by one: without each, a story finds what it protected from.

A simulation that cannot find a protection missing proves nothing by finding nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from shared.domain import begun, decision, guards, retrigger
from shared.domain.case import Case, Recorded
from shared.domain.causes import half_toggled
from shared.domain.finding import Disposition
from shared.domain.look import Look
from shared.errors import CaseConflict
from shared.ports import Stored
from shared.workflow import diagnose, effects, remediate
from shared.workflow.context import Context
from tests.model.play import EVERYTHING
from tests.model.promises import Promise
from tests.model.stage import StagedWork365
from tests.model.stories import first_violation, story


def without_if_match(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StagedWork365, "checks_versions", False)


def without_reading_again(patch: pytest.MonkeyPatch) -> None:
    """The second write is made as soon as the first is confirmed."""

    async def trust(ctx: Context, toggled: effects.Group, left: dict[str, Case]) -> effects.Group:
        assert isinstance(ctx.work365, StagedWork365)
        group = {}
        for i, u in toggled.items():
            s = u.stored
            assert s.case.intent is not None
            evidence = ctx.work365._evidence(ctx.work365.held[i])
            ours = (c.id == s.case.intent.change_id for c in evidence.changes)
            changes = (
                replace(c, etag=s.case.intent.etag_after) if own else c
                for c, own in zip(evidence.changes, ours, strict=True)
            )
            seen = Look(replace(evidence, changes=tuple(changes)), ctx.clock.now(), ctx.policy, s.case.intent)
            group[i] = effects.Underway(s, seen)
        return group

    patch.setattr(remediate, "_read_again", trust)


def with_every_intent_dropped(patch: pytest.MonkeyPatch) -> None:
    def forget(case: Case, look: Look, now: datetime) -> Recorded:
        return begun.drop(case, now, sent=False) if case.intent is not None else Recorded(case)

    patch.setattr(diagnose, "settle", forget)


def with_conflicts_swallowed(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes second goes on as if he had been first."""

    async def insist(ctx: Context, recorded: Recorded, stored: Stored | None) -> Stored | None:
        version = stored.version if stored is not None else None
        try:
            return await ctx.store.save(recorded, version)
        except CaseConflict:
            return Stored(recorded.case, version or "")

    patch.setattr(effects, "save", insist)


def without_a_limit_of_attempts(patch: pytest.MonkeyPatch) -> None:
    for module in (decision, guards):
        patch.setattr(module, "attempts_allowed", lambda _: 1_000)


def without_guards(patch: pytest.MonkeyPatch, *taken: guards.Guard) -> None:
    for module, name in ((retrigger, "FIRST"), (remediate, "SECOND"), (remediate, "STILL")):
        patch.setattr(module, name, tuple(guard for guard in getattr(module, name) if guard not in taken))


def without_asking_the_mode(patch: pytest.MonkeyPatch) -> None:
    without_guards(patch, guards.mode)
    # The guard of approval asks for it as well: in observe mode nothing goes unasked.
    patch.setattr(guards, "goes_unasked", lambda _look, diagnosis, _action: diagnosis.disposition is Disposition.AUTO)


def without_asking_for_pauses(patch: pytest.MonkeyPatch) -> None:
    without_guards(patch, guards.pause)


def without_asking_for_the_stock(patch: pytest.MonkeyPatch) -> None:
    without_guards(patch, guards.baseline)
    patch.setattr(diagnose, "held_back", lambda _: "")


def without_asking_before_a_job_is_run(patch: pytest.MonkeyPatch) -> None:
    """A pause that is set during the last write comes too late."""
    patch.setattr(remediate, "JOBS", ())


def without_asking_right_before_the_write(patch: pytest.MonkeyPatch) -> None:
    """A pause that is set after the intent was saved comes too late."""
    patch.setattr(remediate, "STILL", ())


def without_asking_for_a_yes(patch: pytest.MonkeyPatch) -> None:
    without_guards(patch, guards.approval)
    patch.setattr(guards, "head_from_before", lambda *_: None)
    patch.setattr(decision, "yes_given", lambda *_: True)


def without_watching_what_is_provisioned(patch: pytest.MonkeyPatch) -> None:
    provisioned = decision._provisioned

    def at_once(recorded: Recorded, look: Look) -> Recorded:
        long_ago = replace(recorded.case, provisioned_since=look.now - timedelta(days=1))
        return provisioned(Recorded(long_ago, recorded.events), look)

    patch.setattr(decision, "_provisioned", at_once)


def with_every_plug_ins_touch_taken_for_ours(patch: pytest.MonkeyPatch) -> None:
    """Whatever a service user has saved last counts as our own Not Applicable, confirmed or not."""

    def trusted(look: Look) -> bool:
        own = look.evidence.service_user_ids | {look.evidence.own_user_id}
        return look.head is not None and look.head.modified_by not in own

    patch.setattr(half_toggled, "_moved_by_another", trusted)


@dataclass(frozen=True)
class Ablation:
    """A protection that is taken away."""

    without: Callable[[pytest.MonkeyPatch], None]
    breaks: frozenset[Promise]
    """One of these must break for it."""
    about: str | None = None
    """The act that stories must hold for it to matter at all, where most do not."""


ABLATIONS = (
    Ablation(without_if_match, frozenset({Promise.NOT_OVER_NEWER})),
    Ablation(without_reading_again, frozenset({Promise.VERSION_READ, Promise.READ_IN_BETWEEN})),
    Ablation(with_every_intent_dropped, frozenset({Promise.NOTHING_LEFT, Promise.BOUNDED, Promise.VERIFIED})),
    Ablation(with_conflicts_swallowed, frozenset({Promise.INTENT_FIRST})),
    Ablation(without_a_limit_of_attempts, frozenset({Promise.BOUNDED})),
    Ablation(without_asking_the_mode, frozenset({Promise.OBSERVE}), about="the_mode_is_switched"),
    Ablation(without_asking_for_pauses, frozenset({Promise.PAUSED}), about="everything_is_paused"),
    Ablation(without_asking_for_the_stock, frozenset({Promise.STOCK}), about="the_stock_is_adopted"),
    Ablation(without_asking_before_a_job_is_run, frozenset({Promise.PAUSED}), about="everything_is_paused"),
    Ablation(without_asking_right_before_the_write, frozenset({Promise.PAUSED}), about="everything_is_paused"),
    Ablation(without_asking_for_a_yes, frozenset({Promise.A_YES_FIRST, Promise.STOCK})),
    Ablation(without_watching_what_is_provisioned, frozenset({Promise.VERIFIED})),
    Ablation(
        with_every_plug_ins_touch_taken_for_ours,
        frozenset({Promise.NOT_AGAINST_A_PERSON}),
        about="a_person_decides",
    ),
)


def caught(ablation: Ablation, stories: int = 1_000) -> bool:
    """Whether a story finds what is missing, and breaks one of the promises that it should."""
    with pytest.MonkeyPatch.context() as patch:
        ablation.without(patch)
        found = first_violation((story(number, ablation.about) for number in range(stories)), EVERYTHING)
    return found is not None and found[1].promise in ablation.breaks
