"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest

from local.azurite import Azurite, start_azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Microsoft's storage emulator, empty at the start of the run and shared by all tests of it."""
    with start_azurite() as running:
        yield running
