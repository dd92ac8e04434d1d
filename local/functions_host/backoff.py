"""How long to wait before an empty queue is looked at again."""

import random
from datetime import timedelta

_LEAST_SECONDS = 0.1
_SPREAD = 0.2


class Backoff:
    """The SDK's randomised exponential back-off: 100 ms after a message, then twice as long every time."""

    def __init__(self, most: timedelta) -> None:
        self._most = max(_LEAST_SECONDS, most.total_seconds())
        self._exponent = 0

    def reset(self) -> None:
        """A message was found."""
        self._exponent = 0

    def next_seconds(self) -> float:
        """The pause after another look that found nothing."""
        seconds = _LEAST_SECONDS
        if self._exponent:
            spread = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311  not for secrets
            seconds += spread * 2 ** (self._exponent - 1) * _LEAST_SECONDS
        if seconds < self._most:
            self._exponent += 1
        return min(seconds, self._most)
