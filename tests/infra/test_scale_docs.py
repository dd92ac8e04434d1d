"""docs/scale.md shows what `dev.py bench --scale` counts now, and the model says what it should of extremes."""

import json
import re
from dataclasses import fields, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from bench.counting import Counted, Requests, count
from bench.scale import SIZES, Assumptions, Limits, Prices, month, report
from local.dev.commands import run

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"\d[\d,]*\.?\d*")
COUNTED = Counted(Requests(1, 1, 0, 6, 0), Requests(0.3, 3, 3, 28, 0.1), Requests(0.04, 0.2, 1, 5, 0.02), 19_000)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]


def numbers(line: str) -> list[float]:
    return [float(found.replace(",", "")) for found in NUMBER.findall(line)]


async def test_the_page_shows_what_is_counted() -> None:
    """A fifth more or less is no reason to write the page anew; another shape is."""
    for shown, computed in zip_longest(rows(DOCS), rows(report(await count())), fillvalue=""):
        assert NUMBER.sub("", shown) == NUMBER.sub("", computed)
        assert numbers(shown) == pytest.approx(numbers(computed), rel=0.2, abs=0.1), "run dev.py bench --scale"


def test_more_subscriptions_need_more_of_everything() -> None:
    small, large = (month(replace(SIZES[0], subscriptions=n), COUNTED, Assumptions()) for n in (1_000, 100_000))
    for name in ("looks", "executions", "gb_seconds", "table_operations", "stored_gb", "dataverse_a_day"):
        assert getattr(large, name) > getattr(small, name), name
    assert sum(large.cost(Prices(), Assumptions()).values()) > sum(small.cost(Prices(), Assumptions()).values())


def outcome(counted: Counted, assumed: Assumptions, prices: Prices, limits: Limits) -> tuple[object, ...]:
    each = month(replace(SIZES[3], subscriptions=10**8), counted, assumed)  # beyond every free grant
    return each, each.cost(prices, assumed), each.total(prices, assumed, private=True), each.use_of(limits)


INPUTS: tuple[Any, ...] = (COUNTED, Assumptions(), Prices(), Limits())
NUMBERS = [
    (place, field.name)
    for place, given in enumerate(INPUTS)
    for field in fields(given)
    if isinstance(getattr(given, field.name), int | float)
]


@pytest.mark.parametrize(("place", "name"), NUMBERS, ids=[name for _, name in NUMBERS])
def test_every_input_counts(place: int, name: str) -> None:
    changed = list(INPUTS)
    changed[place] = replace(INPUTS[place], **{name: getattr(INPUTS[place], name) * 2})
    assert outcome(*changed) != outcome(*INPUTS)


def test_what_gets_stuck_costs_storage() -> None:
    few, many = (month(SIZES[0], COUNTED, replace(Assumptions(), stuck_each_month=share)) for share in (0.0, 1.0))
    assert many.table_operations - few.table_operations == pytest.approx(1_000 * COUNTED.retrigger.tables)


def test_looking_less_often_asks_less_of_the_provider() -> None:
    often, seldom = (month(replace(SIZES[3], look_again_seconds=s), COUNTED, Assumptions()) for s in (600, 6_000))
    limit = "Partner Center, a minute"
    assert often.use_of(Limits())[limit] == pytest.approx(10 * seldom.use_of(Limits())[limit])


def test_what_is_free_costs_nothing() -> None:
    tiny = month(replace(SIZES[0], subscriptions=1, sweep_minutes=60, wake_minutes=60), COUNTED, Assumptions())
    assert tiny.cost(Prices(), Assumptions())["execution"] == 0


def test_a_private_network_costs_its_endpoints() -> None:
    one = month(SIZES[0], COUNTED, Assumptions())
    shut, open_ = (one.total(Prices(), Assumptions(), private=private) for private in (True, False))
    assert shut - open_ == pytest.approx(3 * 7.80)


def test_the_command_prints_the_model(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def counted() -> Counted:
        return COUNTED

    monkeypatch.setattr("bench.counting.count", counted)
    assert run(ROOT, ["bench", "--scale"]) == 0
    assert capsys.readouterr().out.strip() == report(COUNTED)
    assert run(ROOT, ["bench", "--scale", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bench"]["scale"]["retrigger"]["tables"] == 28
