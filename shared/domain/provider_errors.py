"""Reads a provisioning message: which cause does its code, its HTTP status or its text prove?

The catalogue is data (provider_errors.json). Order: a code, then a status that says something, then a known text, then
codes such as `invalid_grant` that only pass on what they do not say. Anything else is not recognised, and stays so, as
does a message whose codes contradict each other or one with a code that is not in the catalogue, whatever its text
says: a near guess could order twice.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from shared.domain.message_catalogue import (
    DECIDE,
    NOT_RECOGNISED,
    Catalogue,
    Reading,
    Rule,
    Waiting,
    catalogue,
    timed,
)
from shared.domain.message_codes import Found, given
from shared.domain.message_json import find
from shared.domain.message_text import comparable, searchable

__all__ = ["NOT_RECOGNISED", "Reading", "Waiting", "read_message"]

_CAUTION = (Waiting.SOON, Waiting.LONG, Waiting.CONFIGURATION, Waiting.NEVER, Waiting.PERSON)
"""From least to most cautious: of several readings of one cause the most cautious is given."""

_NEAR = 200
"""Characters in which the next part of a text has to follow: what stands between them is a name or a number."""
_AGAIN = re.compile(r"(?:try again|retry)(?: after| in)? ([0-9]{1,6})[ -]?(sec|min|hour|day)")
_RETRY_AFTER = re.compile(r"""retry-after["']? ?[:=]? ?["']?([0-9]{1,6})""")
_SECONDS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}
_LONGEST_WAIT = 7 * 86400
_SHORT = 4_096
"""Characters of a message whose reading is kept for a while; longer ones are rare and would fill the memory."""


def read_message(text: str, *, code: str | None = None, status: int | None = None) -> Reading:
    """The cause that a provisioning message or job result proves.

    `code` and `status` are what came beside the text, where that is known: the code that a service gave and the
    HTTP status of its answer. Never raises, and takes time in proportion to the text's length.
    """
    return (_read_again if len(text) <= _SHORT else _read)(text, code, status)


def _read(text: str, code: str | None, status: int | None) -> Reading:
    known = catalogue()
    found = find(text, known.lexicon)
    if code is not None:
        given(code, known.lexicon, found)
    if status is not None:
        found.statuses.add(status)
    return _decide(known, found, _Words(text, known))


# Several rules read the same message, and one scheduled job's result is read for every subscription.
_read_again = lru_cache(maxsize=128)(_read)


@dataclass(frozen=True)
class _Words:
    """What the message says in words. Only read when its codes leave something open."""

    text: str
    known: Catalogue

    @cached_property
    def plain(self) -> str:
        return comparable(searchable(self.text))

    @cached_property
    def rules(self) -> list[Rule]:
        plain = self.plain
        return [rule for rule in self.known.texts if rule.said[0] in plain and self.say(rule)]

    def say(self, rule: Rule) -> bool:
        at = 0
        for number, part in enumerate(rule.said):
            at = self.plain.find(part, at, at + _NEAR + len(part) if number else None)
            if at < 0:
                return False
            at += len(part)
        return bool(rule.said)

    def seconds(self) -> int | None:
        """The time that the message itself names."""
        if again := _AGAIN.search(self.plain):
            return max(1, min(int(again[1]) * _SECONDS[again[2]], _LONGEST_WAIT))
        after = _RETRY_AFTER.search(self.plain)
        return max(1, min(int(after[1]), _LONGEST_WAIT)) if after else None


def _decide(known: Catalogue, found: Found, words: _Words) -> Reading:
    codes = [*found.codes, *_confirmed(known, found, words)]
    strange = [code for code in codes if code not in known.codes]
    if strange:
        return _unknown(f"it carries {_listed(strange)}, which the catalogue does not know")
    rules = [known.codes[code] for code in codes]
    deciding = next(filter(None, _by_rank(known, found, rules, words)), None)
    return NOT_RECOGNISED if deciding is None else _agreed(deciding, words)


def _by_rank(known: Catalogue, found: Found, rules: Sequence[Rule], words: _Words) -> Iterator[list[Rule]]:
    """What could decide, the nearest to the reason first."""
    yield [rule for rule in rules if not rule.outer]
    statuses = [known.statuses[status] for status in sorted(found.statuses) if status in known.statuses]
    yield [rule for rule in statuses if not rule.weak]
    yield words.rules
    # A text that is cut off may have lost the reason that its envelope held.
    outer = [*rules, *(known.codes[code] for code in found.envelopes if not found.cut)]
    yield [rule for rule in outer if rule.reading.cause is not None]
    yield [rule for rule in statuses if rule.weak]
    yield outer


def _confirmed(known: Catalogue, found: Found, words: _Words) -> Iterable[str]:
    """Numbers that could be a year or a quantity are codes only if the words or the status say the same."""
    for code in found.doubtful:
        rule = known.codes[code]
        causes = {other.reading.cause for other in words.rules}
        if rule.statuses & found.statuses or rule.reading.cause in causes or words.say(rule):
            yield code
        elif causes and len(code) > 3:  # in a code's place, and the words beside it say something else
            yield f"({code})"


def _agreed(rules: Sequence[Rule], words: _Words) -> Reading:
    """The reading that all rules lead to; contradicting ones prove nothing."""
    if len({rule.reading.cause for rule in rules}) > 1:
        return _unknown(f"it contradicts itself: {_listed([rule.reading.matched for rule in rules])}")
    rule = max(rules, key=lambda one: (_CAUTION.index(one.reading.waiting), one.reading.wait_seconds or 0))
    reading = replace(
        rule.reading,
        outcome_open=any(one.reading.outcome_open for one in rules),
        verifiable=all(one.reading.verifiable for one in rules),
    )
    if reading.waiting not in (Waiting.SOON, Waiting.LONG):
        return reading
    seconds = words.seconds()
    return reading if seconds is None else timed(reading, rule.next_step, seconds)


def _unknown(means: str) -> Reading:
    return replace(NOT_RECOGNISED, means=means, sentence=f"This message is not recognised: {means}. {DECIDE}")


def _listed(codes: Sequence[str]) -> str:
    shown = ", ".join(code[:60] for code in dict.fromkeys(codes[:3]))
    return f"{shown} and more" if len(codes) > 3 else shown
