"""What once broke a promise breaks none any more; and the plays are what they are said to be.

Input: stories of several workers at the real workflow (play.py). Output: the promises (promises.py) that broke.
Not faked: the workflow, the domain, and how a case becomes a row.
Stories by the hundred, and the ablations, are in tests/drill; by the thousand, in `dev.py drill`.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.domain.evidence import ProvisioningStatus
from shared.domain.policy import Mode
from tests.model.play import EVERYTHING, Act, Kind, Play, Story
from tests.model.stage import FATES, Call, Fate
from tests.model.stories import ASKING, STOCKTAKING, STOPS, WEIGHTS, first_violation, story

RETRIGGER = (ProvisioningStatus.NOT_APPLICABLE, ProvisioningStatus.AWAITING)

STOOD = EVERYTHING
"""Perils that the workflow stands: all there are."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The workflow logs every trouble of a thousand plays with its traceback."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


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


LEFT_BEHIND_A_CHAIN = story(1444, "the_mode_is_switched")
"""A write lands after it was given up, and behind two earlier changes that look like one order entered twice."""


@pytest.mark.parametrize(
    "told",
    [
        LANDS_LATE,
        NEVER_REACHED,
        DONE_AND_UNDONE,
        LEFT_BEHIND_A_CHAIN,
    ],
    ids=["lands late", "never reached", "done and undone", "left behind a chain"],
)
def test_what_was_not_stood_once_is_stood(told: Story) -> None:
    assert first_violation([told], EVERYTHING) is None


HIDDEN = Story(
    (Kind.CREATE,),
    Mode.AUTO,
    False,
    8,
    (Act("a_person_decides", which=0, how=1, much=0), SETS_NOT_APPLICABLE),
)
"""Between our two writes a person sets Awaiting and Not Applicable again, and a plug-in touches the row."""


def test_what_nobody_could_see_is_not_promised_and_what_shows_is() -> None:
    assert first_violation([HIDDEN], EVERYTHING) is None
    play = Play(EVERYTHING)
    play.run(HIDDEN)
    assert [write.status for write in play.town.work365.writes] == list(RETRIGGER), "see docs/promises.md"
    seen = replace(SETS_NOT_APPLICABLE, much=0)
    play = Play(EVERYTHING)
    play.run(replace(HIDDEN, acts=(HIDDEN.acts[0], seen)))
    assert [write.status for write in play.town.work365.writes] == list(RETRIGGER[:1])


def test_every_act_is_told() -> None:
    acts = {name for name in vars(Play) if not name.startswith("_") and name != "run"}
    assert acts == {*WEIGHTS, *STOPS, *ASKING, *STOCKTAKING}


def test_the_same_story_plays_the_same() -> None:
    def played(number: int) -> list[object]:
        play = Play(STOOD)
        play.run(story(number))
        return [*play.town.work365.writes, *play.town.queues.sent, *play.town.store.history]

    assert all(played(number) == played(number) for number in range(20))
