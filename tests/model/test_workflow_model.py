"""The promises hold whatever happens; and each protection is needed: without it a story finds what breaks.

Input: stories of several workers at the real workflow (play.py). Output: the promises (promises.py) that broke.
Not faked: the workflow, the domain, and how a case becomes a row.

UNSTUCK_MODEL_STORIES=100000 plays that many more, from UNSTUCK_MODEL_FIRST on.
"""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from shared.domain import decision, guards, retrigger
from shared.domain.case import Case, Recorded
from shared.domain.finding import Disposition
from shared.domain.look import Look
from shared.domain.policy import Mode
from shared.errors import CaseConflict
from shared.ports import Stored
from shared.workflow import diagnose, effects, remediate
from shared.workflow.context import Context
from tests.model.play import EVERYTHING, Act, Kind, Play, Story
from tests.model.promises import Promise
from tests.model.stage import FATES, Call, Fate, StagedWork365
from tests.model.stories import STOPS, WEIGHTS, first_violation, shortest, story

FIRST = int(os.environ.get("UNSTUCK_MODEL_FIRST", "0"))
STORIES = int(os.environ.get("UNSTUCK_MODEL_STORIES", "1000"))

STOOD = EVERYTHING
"""Perils that the workflow stands: all there are."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The workflow logs every trouble of a thousand plays with its traceback."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_the_promises_hold_whatever_happens() -> None:
    happened: set[str] = set()
    found = first_violation(map(story, range(FIRST, FIRST + STORIES)), STOOD, happened)
    if found is not None:
        told, broken = shortest(*found, STOOD)
        acts = "\n".join(f"  {act}" for act in told.acts)
        pytest.fail(f"{broken}\n{replace(told, acts=())}\n{acts}", pytrace=False)
    assert happened >= OF_NOTE, "stories in which nothing happens find nothing"


OF_NOTE = {
    "not_applicable_set",
    "retriggered",
    "version_changed",
    "outcome_unknown",
    "write_refused",
    "write_deferred",
    "intent_dropped",
    "held_back_by_second_write",
    "approved",
    "provisioned",
    "resolved",
    "told",
}
"""Kinds of events that the stories must have led to."""


def goes_wrong(fate: Fate) -> Act:
    """The next write of the first worker ends so."""
    return Act("the_next_write_goes_wrong", 0, _number_of(fate, Call.WRITE), 0)


def _number_of(fate: Fate, call: Call) -> int:
    fates: list[Fate] = [each for each in FATES[call] if each is not Fate.WELL]
    return fates.index(fate)


SETS_NOT_APPLICABLE = Act("a_person_decides", which=0, how=0, much=1)
"""A person sets Not Applicable, and a plug-in touches the row after that."""

NEVER_REACHED = Story((Kind.UPDATE,), Mode.AUTO, False, 1, (goes_wrong(Fate.DIES), SETS_NOT_APPLICABLE))
"""The worker dies before its first write is done, and then a person sets Not Applicable."""

DONE_AND_UNDONE = Story(
    (Kind.UPDATE,),
    Mode.AUTO,
    False,
    1,
    (
        Act("a_message_is_delivered", which=0, how=1, much=8),
        Act("a_call_goes_wrong", which=0, how=_number_of(Fate.DIES, Call.SAVE), much=2),
        SETS_NOT_APPLICABLE,
    ),
)
"""The worker dies after its second write, before that is saved, and then a person sets Not Applicable again."""

LANDS_LATE = Story(
    (Kind.CREATE,),
    Mode.AUTO,
    False,
    8,
    (goes_wrong(Fate.LATE), goes_wrong(Fate.PUT_OFF), Act("a_message_is_delivered", which=0, how=1, much=8)),
)
"""The second write gets there after the change was diagnosed as half done, and before that is acted on."""


@pytest.mark.parametrize(
    "told",
    [
        LANDS_LATE,
        NEVER_REACHED,
        DONE_AND_UNDONE,
    ],
    ids=["lands late", "never reached", "done and undone"],
)
def test_what_was_not_stood_once_is_stood(told: Story) -> None:
    assert first_violation([told], EVERYTHING) is None


def test_every_act_is_told() -> None:
    acts = {name for name in vars(Play) if not name.startswith("_") and name != "run"}
    assert acts == {*WEIGHTS, *STOPS}


def test_the_same_story_plays_the_same() -> None:
    def played(number: int) -> list[object]:
        play = Play(STOOD)
        play.run(story(number))
        return [*play.town.work365.writes, *play.town.queues.sent, *play.town.store.history]

    assert all(played(number) == played(number) for number in range(20))


# --- ablations: without a protection, a story finds what it protected from ---


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
        return decision.drop(case, now, sent=False) if case.intent is not None else Recorded(case)

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


def without_asking_right_before_the_write(patch: pytest.MonkeyPatch) -> None:
    """A pause that is set after the intent was saved comes too late."""
    patch.setattr(remediate, "STILL", ())


def without_asking_for_a_yes(patch: pytest.MonkeyPatch) -> None:
    without_guards(patch, guards.approval)
    patch.setattr(decision, "yes_given", lambda *_: True)


def without_watching_what_is_provisioned(patch: pytest.MonkeyPatch) -> None:
    provisioned = decision._provisioned

    def at_once(recorded: Recorded, look: Look) -> Recorded:
        long_ago = replace(recorded.case, provisioned_since=look.now - timedelta(days=1))
        return provisioned(Recorded(long_ago, recorded.events), look)

    patch.setattr(decision, "_provisioned", at_once)


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
    Ablation(without_asking_right_before_the_write, frozenset({Promise.PAUSED}), about="everything_is_paused"),
    Ablation(without_asking_for_a_yes, frozenset({Promise.A_YES_FIRST})),
    Ablation(without_watching_what_is_provisioned, frozenset({Promise.VERIFIED})),
)


@pytest.mark.parametrize("ablation", ABLATIONS, ids=lambda ablation: ablation.without.__name__)
def test_each_protection_is_needed(ablation: Ablation, monkeypatch: pytest.MonkeyPatch) -> None:
    ablation.without(monkeypatch)
    found = first_violation((story(number, ablation.about) for number in range(1_000)), STOOD)
    assert found is not None, "the stories do not miss it"
    assert found[1].promise in ablation.breaks
