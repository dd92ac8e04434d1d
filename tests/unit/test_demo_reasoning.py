"""How the demo shows why a case is what it is."""

import io
from typing import Any

from rich.console import Console

from local.demo.drawing import draw_reasoning
from local.demo.judging import SeenCase
from local.demo.reasoning import Reasoning, examples, shortened

FACT = {"what": "Provisioning\nMessage", "value": "504", "where": "license_change_log:1", "read_on": "2026-11-22"}
TOLD: dict[str, Any] = {
    "subscription_name": "Microsoft 365 E3 - Contoso",
    "cause": "already_applied",
    "state": "awaiting_approval",
    "next_step": "Set it to Provisioned.",
    "findings": [{"proof": [FACT, FACT], "against": [{**FACT, "what": "status at the provider"}]}],
    "reasoning": [
        "Ruled out half_toggled: no retrigger of ours is open.",
        *(f"Ruled out cause_{n}: not so." for n in range(20)),
        "Holds: already_applied. The provider already has this change.",
    ],
}


def case(id: str, state: str, summary: str) -> SeenCase:
    return SeenCase(id, id, "name", state, "unknown", "unknown", summary, "Do it.")


def test_it_tells_what_was_checked_what_was_ruled_out_and_what_remains() -> None:
    reasoning = Reasoning.of(TOLD)
    assert reasoning.checked == ("Provisioning Message: 504", "status at the provider: 504")
    assert reasoning.ruled_out[0] == "half_toggled: no retrigger of ours is open."
    assert reasoning.remains == ("Holds: already_applied. The provider already has this change.",)


def test_it_is_drawn_as_a_short_list() -> None:
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(draw_reasoning(Reasoning.of(TOLD)))
    drawn = console.export_text()
    for text in ("Contoso: already_applied, awaiting approval", "checked", "and 14 more", "Holds: already_applied."):
        assert text in drawn
    assert "cause_10" not in drawn


def test_what_is_short_already_stays_whole() -> None:
    assert shortened(["a", "b"], 2) == ["a", "b"]
    assert shortened(["a", "b", "c"], 2) == ["a", "and 2 more"]


def test_examples_are_one_of_each_kind_that_people_are_asked_about() -> None:
    cases = [
        case("1", "resolved", "a very long sentence indeed"),
        case("2", "needs_person", "short"),
        case("3", "needs_person", "somewhat longer"),
        case("4", "awaiting_approval", "x"),
    ]
    assert [one.id for one in examples(cases)] == ["4", "3"]
    assert examples(cases[:1]) == []
