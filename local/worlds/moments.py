"""Times in a world file: relative to the moment at which the world is loaded."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SHAPE = re.compile(r"([+-]?)(\d+)([smhd])")


def parse_moment(text: object) -> timedelta:
    """`-2h` is two hours ago, `+3d` or `3d` in three days; s, m, h and d. ValueError for anything else."""
    if isinstance(text, timedelta):
        return text
    found = _SHAPE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is no time: write a number and s, m, h or d, such as -2h or +3d")
    sign, number, unit = found.groups()
    amount = timedelta(**{_UNITS[unit]: int(number)})
    return -amount if sign == "-" else amount


def _past(moment: timedelta) -> timedelta:
    if moment > timedelta(0):
        raise ValueError("this lies in the future: write a time that is over, such as -2h")
    return moment


Moment = Annotated[timedelta, BeforeValidator(parse_moment)]
Past = Annotated[timedelta, BeforeValidator(lambda text: _past(parse_moment(text)))]
