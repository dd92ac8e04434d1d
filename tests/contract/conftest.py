"""Fixtures shared by contract tests."""

from collections.abc import AsyncIterator

import pytest

from local.azurite import Azurite
from tests.contract.case_bench import AzuriteBench, Bench, on_azurite, on_fake


@pytest.fixture(params=["fake", pytest.param("azurite", marks=pytest.mark.azurite)])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Each case store in turn, empty."""
    if request.param == "fake":
        async with on_fake() as fake:
            yield fake
    else:
        async with on_azurite(request.getfixturevalue("azurite")) as real:
            yield real


@pytest.fixture
async def real(azurite: Azurite) -> AsyncIterator[AzuriteBench]:
    """The real case store, empty, with failpoints."""
    async with on_azurite(azurite) as bench:
        yield bench
