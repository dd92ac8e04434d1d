"""The hour's budget: never more than the caps within any hour, oldest first, and the rest in line (P9, P10)."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.budget import HOUR, Budget, Claim, claim_for, given_back, grant
from shared.domain.policy import Caps
from tests.builders import NOW, change, subscription

MINUTE = timedelta(minutes=1)
WIDE = Caps(changes=1_000, seats=100_000, customers=1_000)


def claim(key: str, age: int = 0, seats: int = 1, customer: str = "") -> Claim:
    return Claim(key, NOW - age * MINUTE, seats, customer or key)


def test_all_are_granted_while_there_is_room() -> None:
    result = grant(Budget(), [claim("a"), claim("b")], WIDE, NOW)
    assert result.granted == {"a", "b"}
    assert not result.waits


def test_the_oldest_go_first_and_the_others_are_told_when_their_turn_comes() -> None:
    wanted = [claim("young", 1), claim("oldest", 30), claim("old", 20)]
    result = grant(Budget(), wanted, Caps(2, 100, 100), NOW)
    assert result.granted == {"oldest", "old"}
    assert result.waits["young"].until == NOW + HOUR
    assert "oldest first" in result.waits["young"].reason


def test_what_was_granted_counts_for_an_hour() -> None:
    budget = grant(Budget(), [claim("a")], Caps(1, 100, 100), NOW).budget
    assert not grant(budget, [claim("b")], Caps(1, 100, 100), NOW + HOUR - MINUTE).granted
    assert grant(budget, [claim("b")], Caps(1, 100, 100), NOW + HOUR).granted == {"b"}


def test_seats_and_customers_are_bounded_as_well() -> None:
    assert grant(Budget(), [claim("a", 2, 60), claim("b", 1, 60)], Caps(9, 100, 9), NOW).granted == {"a"}
    three = [claim("a", 3, 1, "x"), claim("b", 2, 1, "x"), claim("c", 1, 1, "y")]
    assert grant(Budget(), three, Caps(9, 100, 1), NOW).granted == {"a", "b"}, "one customer counts once"


def test_nobody_overtakes_an_older_one_that_does_not_fit_yet() -> None:
    caps = Caps(9, 100, 9)
    first = grant(Budget(), [claim("running", 50, 60)], caps, NOW)
    second = grant(first.budget, [claim("large", 40, 60)], caps, NOW + MINUTE)
    assert not second.granted
    third = grant(second.budget, [claim("small", 5, 10)], caps, NOW + 2 * MINUTE)
    assert third.granted == {"small"} or third.waits["small"].until == NOW + HOUR
    assert not third.granted, "behind the one that waits, a smaller and younger one waits, too"
    assert grant(third.budget, [claim("large", 40, 60)], caps, NOW + HOUR).granted == {"large"}


def test_a_place_in_the_line_is_not_kept_for_ever() -> None:
    caps = Caps(1, 100, 100)
    busy = grant(Budget(), [claim("running", 50)], caps, NOW).budget
    left = grant(busy, [claim("solved by hand", 40)], caps, NOW).budget
    assert not grant(left, [claim("young", 1)], caps, NOW + HOUR + MINUTE).granted
    assert grant(left, [claim("young", 1)], caps, NOW + HOUR + 11 * MINUTE).granted == {"young"}


def test_one_above_the_cap_alone_is_refused_and_holds_nobody_back() -> None:
    result = grant(Budget(), [claim("huge", 50, 5_000), claim("small")], Caps(9, 100, 9), NOW)
    assert result.granted == {"small"}
    assert result.waits["huge"].until is None
    assert "by hand" in result.waits["huge"].reason
    assert not grant(Budget(), [claim("a")], Caps(0, 100, 9), NOW).granted


def test_what_was_not_used_is_given_back() -> None:
    budget = grant(Budget(), [claim("a"), claim("b")], Caps(2, 9, 9), NOW).budget
    assert grant(given_back(budget, ["a", "never asked"]), [claim("c")], Caps(2, 9, 9), NOW).granted == {"c"}


def test_no_hour_ever_holds_more_than_the_caps() -> None:
    chance = random.Random(1)  # noqa: S311  (the same claims every time is what is wanted)
    caps, budget, granted = Caps(5, 40, 3), Budget(), list[tuple[datetime, Claim]]()
    waiting = {f"c{n}": claim(f"c{n}", chance.randrange(500), chance.randrange(1, 20), f"k{n % 6}") for n in range(120)}
    due = {key: NOW + chance.randrange(60) * MINUTE for key in waiting}
    for step in range(1_000):
        now = NOW + step * 4 * MINUTE
        asked = [key for key in waiting if due[key] <= now]
        result = grant(budget, [waiting[key] for key in chance.sample(asked, len(asked))], caps, now)
        budget = result.budget
        due |= {key: wait.until for key, wait in result.waits.items() if wait.until}
        granted += [(now, waiting.pop(key)) for key in result.granted]
        hour = [c for on, c in granted if now - on < HOUR]
        assert len(hour) <= caps.changes
        assert sum(c.seats for c in hour) <= caps.seats
        assert len({c.customer for c in hour}) <= caps.customers
    assert not waiting, "everybody's turn comes"


def test_a_claim_counts_the_seats_that_the_change_moves() -> None:
    assert claim_for(subscription(), change(quantity=Decimal("-5")), NOW).seats == 5
    assert claim_for(subscription(), change(quantity=None), NOW).seats == 25, "unknown counts as all of them"
    assert claim_for(subscription(quantity=None), change(quantity=None), NOW).seats == 1
    assert claim_for(subscription(customer_id=None), change(), NOW).customer == subscription().id
