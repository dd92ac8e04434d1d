"""The demo's faults: what is thrown when, and what a run in which none of it struck is worth."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from local.control.environment import Environment
from local.control.faults import add_fault, clear_faults, struck
from local.demo.faults import KINDS, NAMES, Faults, Where
from local.demo.judging import Summary
from local.sign_in import SignIn
from local.worlds.reading import parse_world

LATER = 1_000_000.0
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EMPTY = "{name: empty, about: Nothing., providers: {}, subscriptions: []}"


def thrown(seed: int, where: Where) -> list[Mapping[str, Any]]:
    """Everything that one world gets."""
    found: list[Mapping[str, Any]] = []
    faults = Faults(seed, where, 9, found.append, 0.0)
    faults.play(LATER)
    assert faults.is_over
    return found


def names(faults: list[Mapping[str, Any]]) -> Counter[str]:
    return Counter(str(fault["name"]) for fault in faults if "name" in fault)


def test_the_seed_decides_what_is_thrown_and_in_which_order() -> None:
    assert thrown(7, Where.PLUG_INS) == thrown(7, Where.PLUG_INS)
    assert thrown(7, Where.PLUG_INS) != thrown(8, Where.PLUG_INS)
    assert names(thrown(7, Where.PLUG_INS)) == names(thrown(8, Where.PLUG_INS))


def test_each_kind_comes_as_often_as_it_says_and_none_is_left_out() -> None:
    losing, touching = names(thrown(1, Where.LOST_ANSWERS)), names(thrown(1, Where.PLUG_INS))
    assert set(losing) | set(touching) == set(NAMES)
    for kind in KINDS:
        often = {found[kind.name] for found in (losing, touching) if kind.name in found}
        assert often == {kind.often}


def test_plug_ins_do_not_save_where_answers_get_lost() -> None:
    losing, touching = set(names(thrown(1, Where.LOST_ANSWERS))), set(names(thrown(1, Where.PLUG_INS)))
    assert losing - touching == {"write lost before its effect", "write lost after its effect"}
    assert touching - losing == {"change saved by a plug-in (412)"}


def test_nothing_is_thrown_before_its_time() -> None:
    found: list[Mapping[str, Any]] = []
    faults = Faults(1, Where.PLUG_INS, 9, found.append, 100.0)
    faults.play(99.9)
    assert names(found) == Counter()
    faults.play(100.0)
    assert names(found).total() == 1
    assert not faults.is_over


@pytest.mark.parametrize("where", [Where.LOST_ANSWERS, Where.PLUG_INS])
def test_the_control_endpoint_takes_all_of_it_counts_it_and_takes_it_back(where: Where) -> None:
    environment = Environment(parse_world(EMPTY, "a test"), lambda: NOW, lambda _: None, 1.0)
    sign_in = SignIn(lambda: NOW, "tenant", "client", on_issue=None)
    for fault in thrown(1, where):
        add_fault(dict(fault), environment, sign_in, NOW)
    assert struck(environment) == dict.fromkeys(names(thrown(1, where)), 0)
    table = "/devstoreaccount1/cases(PartitionKey='a',RowKey='case')"
    assert any(fault.strikes("POST", table) for fault in environment.storage_faults)
    assert struck(environment).total() == 1
    clear_faults(environment, sign_in)
    assert (environment.storage_faults, environment.options.touches, list(environment.faults)) == ([], 0, [])
    assert struck(environment).total() == 1, "what has struck is not forgotten"
    environment.close()


def test_a_plug_in_fault_counts_its_own_saves_only() -> None:
    environment = Environment(parse_world(EMPTY, "a test"), lambda: NOW, lambda _: None, 1.0)
    sign_in = SignIn(lambda: NOW, "tenant", "client", on_issue=None)
    for name in ("first", "second"):
        add_fault({"target": "plug_in", "name": name}, environment, sign_in, NOW)
    assert environment.options.touches == 2
    environment.options.touches, environment.options.touched = 1, 1
    assert struck(environment) == {"first": 1, "second": 0}
    environment.close()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"target": "storage", "kind": "slow"}, "kind"),
        ({"target": "storage", "kind": "throttled", "path": "("}, "path"),
        ({"target": "plug_in", "times": 0}, "times"),
        ({"target": "nobody"}, "storage or plug_in"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_its_field(wrong: dict[str, Any], named: str) -> None:
    environment = Environment(parse_world(EMPTY, "a test"), lambda: NOW, lambda _: None, 1.0)
    with pytest.raises(ValueError, match=named):
        add_fault(wrong, environment, SignIn(lambda: NOW, "tenant", "client", on_issue=None), NOW)
    environment.close()


def test_a_run_with_faults_in_which_none_has_struck_is_not_good() -> None:
    assert Summary().good
    assert not Summary(faults=Counter({"storage busy": 0})).good
    assert Summary(faults=Counter({"storage busy": 1})).good


def test_faults_of_several_worlds_are_added_up_with_those_that_never_struck() -> None:
    both = Summary(faults=Counter({"a": 1, "b": 0})) + Summary(faults=Counter({"a": 2, "b": 0}))
    assert both.as_json()["faults"] == {"a": 3, "b": 0}
    assert (Summary() + Summary(faults=Counter({"a": 2}))).faults == {"a": 2}
    assert "faults" not in Summary().as_json()
