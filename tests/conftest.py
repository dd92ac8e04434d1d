"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local.azurite import Azurite, start_azurite

# How fast the machine is says nothing about the code: no test fails for that.
settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many requests are made up for the HTTP API, and which (tests/host/test_generated_requests.py)."""
    group = parser.getgroup("unstuck")
    group.addoption("--generated-requests", type=int, default=400, metavar="N", help="at least so many (default: 400)")
    group.addoption(
        "--generated-seed", type=int, default=1, metavar="S", help="the same seed draws the same (default: 1)"
    )


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Microsoft's storage emulator, empty at the start of the run and shared by all tests of it."""
    with start_azurite() as running:
        yield running
