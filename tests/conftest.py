"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local.azurite import Azurite, start_azurite

# How fast the machine is says nothing about the code: no test fails for that.
settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much is made up: requests of the HTTP API, and cases in the ledger."""
    group = parser.getgroup("unstuck")
    group.addoption("--generated-requests", type=int, default=400, metavar="N", help="at least so many (default: 400)")
    group.addoption(
        "--generated-seed", type=int, default=1, metavar="S", help="the same seed draws the same (default: 1)"
    )
    group.addoption(
        "--cases", type=int, default=2_000, metavar="N", help="in test_ten_thousand_cases.py (default: 2000)"
    )


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Microsoft's storage emulator, empty at the start of the run and shared by all tests of it."""
    with start_azurite() as running:
        yield running
