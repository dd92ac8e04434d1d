"""World files: what is wrong is said with its place and what to do; the shipped ones are right."""

import re
from pathlib import Path

import pytest

from local.demo.command import DEFAULT_WORLDS
from local.worlds import WorldError, find_world, parse_world, read_world, shipped_worlds
from local.worlds.belongings import Quirks
from local.worlds.model import World
from local.worlds.words import UNPROVISIONED
from shared.domain.causes import CAUSES

GOOD = """
name: small
about: A test.
providers:
  microsoft: {name: Microsoft CSP, connector: microsoft_csp}
subscriptions:
  - group: missed
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 10, created: -9d}
      - {type: update, quantity: [5, 2], created: -2h, status: awaiting_provisioning}
    expect: {cause: trigger_missed, outcome: resolved, may_write: [2]}
"""

WRONG = [
    ("connector: microsoft_csp", "conector: microsoft_csp", r"providers.microsoft.conector: there is no such field"),
    (", connector: microsoft_csp", "", r"providers.microsoft: a provider of type automatic needs a connector"),
    ("-2h", "2h", r"subscriptions.0 \(group missed\).changes.1.created: this lies in the future"),
    ("-2h", "yesterday", r"changes.1.created: 'yesterday' is no time: write a number"),
    ("awaiting_provisioning", "awaiting", r"changes.1.status: Input should be"),
    ("provider: microsoft\n", "provider: pax8\n", r"group missed: there is no provider pax8; there are microsoft"),
    ("product: e3", "product: e9", r"group missed: there is no product e9"),
    ("may_write: [2]", "may_write: [3]", r"group missed\): there is no change 3: the group has 2"),
    ("cause: trigger_missed, ", "", r"expect: a healthy subscription has neither cause nor outcome"),
    ("product: e3", "product: e3\n    parent: later", r"parent names later, which is no group before this one"),
    ("quantity: 10", 'message: {code: "12"}', r"changes.0.message.Said.code: 12 is not in .*error_texts.tsv"),
    (
        "about: A test.",
        "about: A test.\nwork365: {time_zone: Mars/Olympus}",
        r"work365.time_zone: 'Mars/Olympus' is no",
    ),
    ("status: awaiting_provisioning", "half_toggled: true", r"half_toggled: the status must be not_applicable"),
    (
        "product: e3",
        "product: e3\n    happens: [{does: complete_manual}]",
        r"happens.0: complete_manual needs `change`",
    ),
    ("about: A test.", "about: A test.\nhappens: [{does: renew_consent}]", r"renew_consent needs `provider`, one of"),
]


def test_a_good_one_is_read() -> None:
    world = parse_world(GOOD, "small.yaml")
    assert world.size == 1
    assert world.subscriptions[0].changes[1].quantity == (5, 2)
    assert "e3" in world.products


@pytest.mark.parametrize(("old", "new", "expected"), WRONG)
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    with pytest.raises(WorldError) as raised:
        parse_world(GOOD.replace(old, new), "small.yaml")
    assert re.search(expected, str(raised.value)), raised.value
    assert all(line.startswith("small.yaml: ") for line in str(raised.value).splitlines())


def test_every_problem_is_named_not_only_the_first() -> None:
    with pytest.raises(WorldError) as raised:
        parse_world(GOOD.replace("-2h", "2h").replace("resolved", "solved"), "small.yaml")
    assert len(str(raised.value).splitlines()) == 2


@pytest.mark.parametrize("text", ["name: [", "- a list", "", "just text"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(WorldError, match=r"^x\.yaml: "):
        parse_world(text, "x.yaml")


def test_a_file_that_is_not_there_lists_the_shipped_ones() -> None:
    with pytest.raises(WorldError, match=r"shipped worlds are .*default"):
        find_world("nowhere")


def test_a_world_is_found_by_path_and_by_name(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(GOOD, encoding="utf-8")
    assert find_world(str(own)) == own
    assert find_world("empty").name == "empty.yaml"


def shipped(name: str) -> World:
    return read_world(find_world(name))


@pytest.mark.parametrize("name", shipped_worlds())
def test_a_shipped_world_says_what_it_is_and_expects_what_this_app_knows(name: str) -> None:
    world = shipped(name)
    assert world.name == name
    assert world.about
    named = {group.expect.cause for group in world.subscriptions if group.expect.cause}
    assert named <= set(CAUSES)


@pytest.mark.parametrize("name", shipped_worlds())
def test_a_shipped_world_contradicts_nothing(name: str) -> None:
    for group in shipped(name).subscriptions:
        may_write = {group.changes[number - 1].status for number in group.expect.may_write}
        assert may_write <= {*UNPROVISIONED, "not_applicable"}, group.group
        open_changes = [number for number, change in enumerate(group.changes, 1) if change.status in UNPROVISIONED]
        if group.expect.outcome not in ("resolved", "escalated") and group.quirks == Quirks():
            # Only what comes before the change that is left for people may be written.
            assert not group.expect.may_write or max(group.expect.may_write) < max(open_changes), group.group
        mends = group.quirks.slow_cycles != 0 or group.happens
        if group.expect.outcome == "resolved":
            assert group.expect.may_write or mends, f"{group.group}: who frees it?"


def test_the_default_world_has_what_the_demo_promises() -> None:
    world = shipped("default")
    healthy = sum(group.count for group in world.subscriptions if group.expect.cause is None)
    assert world.size >= 300
    assert healthy * 3 >= world.size * 2
    outcomes = {group.expect.outcome for group in world.subscriptions}
    assert outcomes == {"none", "resolved", "waiting", "awaiting_approval", "needs_person", "escalated"}


def test_the_worlds_of_the_demo_have_every_cause_alone_and_what_only_looks_like_it() -> None:
    groups = [group for name in DEFAULT_WORLDS for group in shipped(name).subscriptions]
    assert {group.expect.cause for group in groups} == {*CAUSES, None}
    groups = list(shipped("every-cause").subscriptions)
    assert {group.expect.cause for group in groups} == {*CAUSES, None}
    assert sum(group.expect.cause is None for group in groups) >= 10
    assert sum(group.group.startswith("pair-") for group in groups) >= 6


def test_the_documentation_describes_every_field_and_deed() -> None:
    text = (Path(__file__).parents[2] / "docs" / "worlds.md").read_text("utf-8")
    schema = World.model_json_schema()
    fields = {name for part in schema["$defs"].values() for name in part.get("properties", {})}
    fields |= set(schema["properties"])
    deeds = set(schema["$defs"]["Happening"]["properties"]["does"]["enum"])
    missing = [word for word in sorted(fields | deeds) if f"{word}" not in text]
    assert missing == []
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    assert parse_world(example.group(1), "docs/worlds.md").size == 4
