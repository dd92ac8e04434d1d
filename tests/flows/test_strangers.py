"""Texts of strangers in cards and messages: names come from Dataverse, where anyone types."""

from html.parser import HTMLParser
from typing import Any

import pytest

from tests.flows.engine import Answer
from tests.flows.kit import (
    LARGEST,
    NO,
    SUMMARY,
    a_case,
    a_plan,
    an_answer,
    approve,
    card_of,
    complete,
    notes_of,
    refused,
    run,
)

HOSTILE = "\"}],\"actions\":[]} [free seats](https://evil.example) <img src=x onerror=alert(1)> @{body('x')} &amp; '"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, int]] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add((tag, len(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _poisoned(tree: Any, kept: tuple[str, ...]) -> Any:
    """Every text replaced by hostile ones, but for the fields that decide."""
    match tree:
        case dict():
            return {name: each if name in kept else _poisoned(each, kept) for name, each in tree.items()}
        case list():
            return [_poisoned(each, kept) for each in tree]
        case str():
            return HOSTILE
        case _:
            return tree


KEPT = ("id", "state", "digest", "action", "userPrincipalName", "submitActionId", "case_id")


class TestTextsOfStrangers:
    """Names and messages come from Dataverse, where anyone types."""

    @pytest.mark.parametrize("start", [approve, complete])
    def test_a_card_keeps_its_shape_and_shows_them_as_plain_text(self, start: Any) -> None:
        plan = a_plan() if start is approve else a_plan(plan=a_plan()["plan"] | {"action": "mark_provisioned"})
        hostile = {"GetCase": _poisoned(a_case(), KEPT), "GetPlan": _poisoned(plan, KEPT)}
        card = card_of(start(**{name: Answer(200, body) for name, body in hostile.items()})[0])
        assert _shape(card) == _shape(card_of(start()[0]))
        assert _within(card, HOSTILE)
        for block in _blocks(card):
            assert block["type"] != "TextBlock" or "evil" not in block["text"], "a TextBlock reads Markdown"

    @pytest.mark.parametrize(
        "started",
        [
            lambda bad: approve(GetCase=Answer(200, bad(a_case())), GetPlan=Answer(200, bad(a_plan()))),
            lambda bad: approve(
                GetCase=Answer(200, bad(a_case(state="needs_person"))), GetPlan=Answer(200, bad(a_plan(possible=False)))
            ),
            lambda _: complete(AskForAction=refused(409, HOSTILE, hint=HOSTILE)),
            lambda bad: run("WeeklyStuckReport", None, GetSummary=Answer(200, bad(SUMMARY))),
            lambda _: run("WeeklyStuckReport", None, GetSummary=refused(500, HOSTILE)),
        ],
    )
    def test_html_has_no_tags_but_the_flows_own(self, started: Any) -> None:
        town, _ = started(lambda tree: _poisoned(tree, KEPT))
        for given in town.asked("PostMessageToConversation"):
            page = _Tags()
            page.feed(given["body/messageBody"])
            assert page.seen <= {(tag, 0) for tag in ("p", "b", "table", "tr", "th", "td")}
            assert "onerror=alert" in "".join(page.words)

    def test_the_longest_texts_still_fit_into_a_card(self) -> None:
        finding = a_case()["findings"][0] | {"sentence": "s" * 9_000}
        long = a_case(**dict.fromkeys(["customer_name", "subscription_name", "summary", "next_step"], "x" * 9_000))
        town, _ = approve(GetCase=Answer(200, long | {"findings": [finding]}))
        assert len(town.asked("PostCardAndWaitForResponse")[0]["body/body/messageBody"].encode()) < LARGEST

    def test_a_long_comment_still_fits_into_a_note(self) -> None:
        town, _ = approve(PostCardAndWaitForResponse=an_answer(NO, comment="c" * 5_000))
        assert len(notes_of(town)[0]) == 1_900


def _blocks(node: Any) -> list[dict[str, Any]]:
    match node:
        case dict():
            own = [node] if "type" in node else []
            return own + [block for each in node.values() for block in _blocks(each)]
        case list():
            return [block for each in node for block in _blocks(each)]
        case _:
            return []


def _within(node: Any, text: str) -> bool:
    return any(text in str(block.get("text", "")) for block in _blocks(node))


def _shape(node: Any) -> Any:
    """A card without what its texts say."""
    match node:
        case dict():
            return {name: "…" if name == "text" else _shape(each) for name, each in node.items()}
        case list():
            return [_shape(each) for each in node]
        case _:
            return node
