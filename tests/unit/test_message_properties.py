"""What holds for any message at all: it is read without an error, always the same way, in time that grows with it."""

import html
import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.domain import message_catalogue, message_codes, message_json, message_text, provider_errors
from shared.domain.message_catalogue import catalogue
from shared.domain.provider_errors import read_message

KNOWN = catalogue()
PROVEN = {code: rule.reading.cause for code, rule in KNOWN.codes.items() if rule.reading.cause is not None}
INNER = sorted(code for code in PROVEN if not KNOWN.codes[code].outer and code not in KNOWN.lexicon.envelopes)
LABELLED = [code for code in INNER if len(code) > 3]
TEXTS = [(" 77 ".join(rule.said), rule.reading.cause) for rule in KNOWN.texts]

codes = st.sampled_from(LABELLED)
# No letters: with them Hypothesis would sooner or later write a message that proves something.
signs = st.text(
    st.characters(codec="utf-8", exclude_categories=["L", "N", "Cs"], exclude_characters="{}[]\"'<>&\\"), max_size=30
)
junk = st.one_of(
    st.text(max_size=300),
    st.text('{}[]"\\:,<>/&;#()0123456789aAcodeERS \n\u201c\u2019\x00\u200b\ud800', max_size=300),
    st.lists(
        st.sampled_from(["code", "error", ":", '"', "{", "}", "800082", "AADSTS", "50076", "<b>", "\\", "429", " "])
    ).map("".join),
)


@given(junk, st.none() | junk, st.none() | st.integers())
@settings(max_examples=600, deadline=None)
@example("&#" + "9" * 6000 + ";", None, None)
@example("{" * 5000, "9" * 6000, -1)
@example('{"code":' * 3000 + "1" + "}" * 3000, "0x", 10**30)
@example('{"code":' + "9" * 6000 + "}", "-" + "9" * 100, None)
@example("\ud83d", "\ud83d", 429)
def test_nothing_is_too_strange_to_read_and_it_reads_the_same_twice(
    text: str, code: str | None, status: int | None
) -> None:
    reading = read_message(text, code=code, status=status)
    assert reading == read_message(text, code=code, status=status)
    assert reading.sentence
    assert reading.cause is None or reading.matched


WRAPPERS: dict[str, Callable[[str], str]] = {
    "partner_center": lambda code: json.dumps({"code": code, "description": "x", "data": [], "source": "PartnerFD"}),
    "target": lambda code: json.dumps({"error": {"code": code, "message": "x", "target": None, "innerError": {}}}),
    "inner": lambda code: json.dumps({"error": {"code": "Odd", "message": "x", "innererror": {"code": code}}}),
    "json in json": lambda code: json.dumps({"message": json.dumps({"message": json.dumps({"code": code})})}),
    "escaped": lambda code: json.dumps(json.dumps(json.dumps({"code": code}))),
    "html": lambda code: f"<html><body><p>Error <b>code</b>: <i>{code}</i></p></body></html>",
    "entities": lambda code: html.escape(html.escape(json.dumps({"code": code}))),
    "xml": lambda code: f"<error><code>{code}</code><message>x</message></error>",
    "words": lambda code: f"It failed. Error code: {code}.",
    "another language": lambda code: f"Es hat nicht geklappt. Fehlercode {code}, bitte warten",
    "curly": lambda code: f"\u201ccode\u201d: \u201c{code}\u201d",
    "cut off behind it": lambda code: f'{{"code":"{code}","description":"It was too lo',
    "beside a status": lambda code: f'HTTP 400 {{"code":"{code}"}}',
}


@given(st.sampled_from(sorted(WRAPPERS)), codes, signs, signs)
@settings(max_examples=500, deadline=None)
def test_whatever_is_around_a_code_its_cause_stays(wrapper: str, code: str, before: str, behind: str) -> None:
    assume(not behind.rstrip().endswith(("...", "\u2026")) and not before.endswith(("-", "_")))
    assert read_message(f"{before} {WRAPPERS[wrapper](code)} {behind}").cause == PROVEN[code]


@given(codes, st.integers(1, 4))
@settings(max_examples=8, deadline=None)
def test_a_long_message_hides_no_code(code: str, quarter: int) -> None:
    noise = "Nothing to see here, move along. " * 30_000
    at = len(noise) // 4 * quarter
    assert read_message(f"{noise[:at]} Error code: {code}. {noise[at:]}").cause == PROVEN[code]


digits = st.integers(0, 999_999).map(str)
noise_parts = st.one_of(
    digits,
    st.sampled_from([code for code in INNER if code.isdigit()]),
    st.sampled_from(["429", "503", "800082", "50076", "700082", "2012", "20000"]),
    st.uuids().map(str),
    st.datetimes().map(str),
    st.datetimes().map(lambda moment: f"{moment:%d.%m.%Y %H:%M}"),
    st.tuples(digits, digits, digits).map(".".join),
    st.tuples(digits, digits).map("/".join),
    digits.map(lambda number: f"trace id {number}-{number}"),
    digits.map(lambda number: f"{number} seats"),
    digits.map(lambda number: f"the order {number}"),
    digits.map(lambda number: f"EUR {number}.00"),
    digits.map(lambda number: f"postal code {number}"),
    digits.map(lambda number: f'"quantity": {number},'),
    digits.map(lambda number: f"v{number}"),
    digits.map(lambda number: f"#{number}"),
)


@given(st.lists(noise_parts, max_size=20), st.sampled_from([" ", ", ", "; ", " and ", "\t"]))
@settings(max_examples=600, deadline=None)
def test_digits_that_are_no_codes_prove_nothing(parts: list[str], between: str) -> None:
    assert read_message(f"On {between.join(parts)}").cause is None


@settings(deadline=None)
@given(codes, codes, st.sampled_from([" then ", "\n", '", "', "</p><p>"]))
def test_codes_of_two_causes_contradict_each_other_in_any_order(one: str, other: str, between: str) -> None:
    assume(PROVEN[one] != PROVEN[other])
    for first, second in ((one, other), (other, one)):
        assert read_message(f"error code: {first}{between}error code: {second}").cause is None


@given(st.sampled_from(sorted(set(PROVEN.values()), key=str)), st.data())
@settings(deadline=None)
def test_codes_of_one_cause_agree_on_the_more_cautious_waiting(cause: str, data: st.DataObject) -> None:
    same = st.sampled_from([code for code in LABELLED if PROVEN[code] == cause] or LABELLED[:1])
    one, other = data.draw(same), data.draw(same)
    readings = {read_message(f"error code: {a}, error code: {b}").waiting for a, b in ((one, other), (other, one))}
    assert len(readings) == 1


@settings(deadline=None)
@given(st.integers(1_000, 9_999_999), st.sampled_from(TEXTS))
def test_an_unknown_code_is_never_guessed_from_the_text_beside_it(number: int, said: tuple[str, str | None]) -> None:
    text, cause = said
    assert read_message(f"It failed: {text}.").cause == cause
    assume(str(number) not in KNOWN.codes)
    for message in (f"Error code {number}: {text}", json.dumps({"code": number, "description": text})):
        assert read_message(message).cause is None
    assert read_message(text, code=str(number)).cause is None


@settings(deadline=None)
@given(st.sampled_from(TEXTS), st.sampled_from(["\n", "  ", "\u00a0", "\u2009"]))
def test_how_a_text_is_set_does_not_matter(said: tuple[str, str | None], space: str) -> None:
    text, cause = said
    curly = text.replace("can not", "can\u2019t").replace("is not", "isn\u2019t").replace(" ", space)
    assert read_message(curly).cause == read_message(curly.upper()).cause == cause


@given(st.sampled_from(sorted(WRAPPERS)), codes, st.data())
@settings(max_examples=500, deadline=None)
def test_a_message_that_is_cut_off_says_the_same_or_nothing(wrapper: str, code: str, data: st.DataObject) -> None:
    assume(wrapper not in ("words", "another language", "html", "xml"))  # nothing there shows that it was cut off
    text = WRAPPERS[wrapper](code)
    assert read_message(text[: data.draw(st.integers(0, len(text)))]).cause in (PROVEN[code], None)


UNITS = (
    *(
        "<",
        "<a ",
        "<script>",
        "&",
        "&#1",
        "&amp;",
        "\\",
        '\\"',
        "\\u0041",
        "{",
        "[",
        '{"a":',
        '[{"a":[',
        '"',
        "(",
        "(1)",
    ),
    *("code ", "code: 1 ", "error code", "error 1234 ", "AADSTS", "AADSTS1 ", "0x8", "-21", "http ", "status code "),
    *("you have passed your ", "try again in ", "1 ", "1", "a", "\n", "\u201c", "invalid_", "SandboxLimitExceeded "),
    *('{"code":"1","message":"x"},', "the requested number of asset "),
)


class TestTime:
    """In proportion to the length, whatever the text: by counting, not by a clock."""

    def test_every_pattern_is_bounded_and_repeats_nothing_that_repeats(self) -> None:
        """Then an attempt at one place costs a bounded number of steps, and a text that many times its length."""
        parser: Any = importlib.import_module("re._parser")
        for pattern in _patterns():
            parsed = parser.parse(pattern.pattern, pattern.flags)
            assert parsed.getwidth()[1] <= 2_100, pattern.pattern
            assert not _nested(parsed, inside=False), pattern.pattern

    @pytest.mark.parametrize("unit", UNITS)
    def test_four_times_the_text_takes_about_four_times_the_steps(self, unit: str) -> None:
        short, long = (_steps((unit * (size // len(unit) + 1))[:size]) for size in (20_000, 80_000))
        assert long <= 5 * short + 200


def _steps(text: str) -> int:
    """Calls into Python and C that reading takes."""
    count = 0

    def step(*_: object) -> None:
        nonlocal count
        count += 1

    read_message("")
    before = sys.getprofile()
    sys.setprofile(step)
    try:
        read_message(text)
    finally:
        sys.setprofile(before)
    return count


def _patterns() -> Iterator[re.Pattern[str]]:
    for module in (message_catalogue, message_codes, message_json, message_text, provider_errors):
        yield from (value for value in vars(module).values() if isinstance(value, re.Pattern))
    yield from (pattern for _, _, pattern in KNOWN.lexicon.phrases)


def _nested(parsed: Any, *, inside: bool) -> bool:
    """Whether something that repeats stands within something that repeats."""
    for operation, argument in parsed:
        repeats = "REPEAT" in str(operation) and argument[1] > 1
        if repeats and inside:
            return True
        for part in _parts(argument):
            if _nested(part, inside=inside or repeats):
                return True
    return False


def _parts(argument: Any) -> Iterator[Any]:
    if type(argument).__name__ == "SubPattern":
        yield argument
    elif isinstance(argument, list | tuple):
        for item in argument:
            yield from _parts(item)
