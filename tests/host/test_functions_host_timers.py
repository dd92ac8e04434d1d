"""Timers on the local host, also with two hosts on one storage."""

import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.azurite import Azurite
from local.functions_host import FunctionsHost
from tests.host.functions_host_kit import TestQueue, eventually, host

pytestmark = [pytest.mark.host, pytest.mark.azurite]


class Clockwork:
    """Hosts on the app `timers` that share one storage, and what their timers tell."""

    def __init__(self, azurite: Azurite, folder: Path) -> None:
        self._folder = folder
        mark = uuid.uuid4().hex[:8]
        self.told = TestQueue(azurite.connection_string, f"ticks-{mark}")
        self._values = {
            "AzureWebJobsStorage": azurite.connection_string,
            "AzureFunctionsWebHost__hostid": mark,
            "TOLD": self.told.client.queue_name,
        }

    def host(self, name: str, every: str = "* * * * * *", lease_seconds: float = 6) -> FunctionsHost:
        values = {**self._values, "HOST": name, "EVERY": every}
        log = self._folder / f"{name}.log"
        return host("timers", self._folder, values, lease_seconds=lease_seconds, log=log)

    def next(self, name: str) -> dict[str, Any]:
        """What this timer tells next; what others tell is dropped."""
        while True:
            told: dict[str, Any] = self.told.next(f"{name} ticks")
            if told["name"] == name:
                return told

    def forget(self) -> None:
        while self.told.take():
            pass


@pytest.fixture
def clockwork(azurite: Azurite, tmp_path: Path) -> Iterator[Clockwork]:
    clockwork = Clockwork(azurite, tmp_path)
    yield clockwork
    clockwork.told.client.close()


def post(running: FunctionsHost, path: str, **more: Any) -> int:
    headers = {"x-functions-key": running.master_key}
    return httpx.post(running.url + path, headers=headers, timeout=60, **more).status_code


def test_a_timer_ticks_and_says_when(clockwork: Clockwork) -> None:
    with clockwork.host("a"):
        first, second = clockwork.next("tick"), clockwork.next("tick")
    assert first["past_due"] is False
    assert first["schedule"] == {"AdjustForDST": True}
    assert set(first["status"]) == {"Last", "LastUpdated", "Next"}
    assert second["status"]["Last"] >= first["status"]["Next"]


def test_a_run_never_overlaps_the_one_before(clockwork: Clockwork) -> None:
    with clockwork.host("a"):
        runs = [clockwork.next("slow") for _ in range(3)]
    assert all(before["ended"] <= after["began"] for before, after in pairwise(runs))


def test_run_on_startup_and_no_monitor_no_status(clockwork: Clockwork) -> None:
    with clockwork.host("a"):
        assert clockwork.next("yearly")["status"] == {}


def test_a_timer_can_be_run_by_hand(clockwork: Clockwork) -> None:
    with clockwork.host("a", every="0 0 0 1 1 *") as running:
        assert post(running, "/admin/functions/tick", json={"input": ""}) == 202
        assert clockwork.next("tick")["host"] == "a"


def test_a_run_by_hand_can_be_waited_for(clockwork: Clockwork) -> None:
    with clockwork.host("a", every="0 0 0 1 1 *") as running:
        assert post(running, "/admin/local/functions/tick") == 204
        told = [clockwork.told.take() or "", clockwork.told.take() or ""]  # another one runs at the start
        assert any('"name": "tick"' in each for each in told), "it has told before it was answered"
        assert post(running, "/admin/local/functions/nobody") == 404


def test_one_timer_can_be_stopped_and_started(clockwork: Clockwork) -> None:
    with clockwork.host("a") as running:
        clockwork.next("tick")
        assert post(running, "/admin/local/timers/tick/stop") == 204
        clockwork.forget()
        names = [clockwork.told.next("the others go on")["name"] for _ in range(3)]
        assert "tick" not in names
        assert post(running, "/admin/local/timers/tick/start") == 204
        clockwork.next("tick")
        assert post(running, "/admin/local/timers/nobody/stop") == 404


def test_a_timer_is_stopped_after_its_run(clockwork: Clockwork) -> None:
    with clockwork.host("a") as running:
        clockwork.next("slow")  # it takes longer than its schedule, so the next run begins at once
        assert post(running, "/admin/local/timers/slow/stop") == 204
        found = []
        while told := clockwork.told.take():
            found.append(told)
        assert any('"name": "slow"' in told for told in found), "the run under way has told"


def test_of_two_hosts_on_one_storage_one_ticks_and_hands_over_when_it_stops(clockwork: Clockwork) -> None:
    with clockwork.host("first", lease_seconds=3600) as first:
        clockwork.next("tick")
        with clockwork.host("second", lease_seconds=3600):
            assert {clockwork.next("tick")["host"] for _ in range(4)} == {"first"}
            assert first.stop() == 0
            eventually(lambda: clockwork.next("tick")["host"] == "second", "the second takes over")
            assert {clockwork.next("tick")["host"] for _ in range(2)} == {"second"}


def test_the_timers_of_a_host_that_was_killed_go_on_elsewhere(clockwork: Clockwork) -> None:
    with clockwork.host("first") as first:
        clockwork.next("tick")
        with clockwork.host("second"):
            first.kill()
            eventually(lambda: clockwork.next("tick")["host"] == "second", "the second takes over")
