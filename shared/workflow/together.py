"""Several things at once."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def all_of[T](calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Runs all at once and waits for every one of them, then raises the first error if there was one.

    Nothing is cancelled half-way: a save that was begun has its answer read.
    """
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
