"""All cases of the corpus, by theme."""

from types import ModuleType

from tests.corpus import (
    accounts,
    billing,
    busy,
    calendars,
    chains,
    contradictions,
    environments,
    gaps,
    holds,
    messages,
    nothing,
    outcomes,
    pairs,
    reductions,
    relations,
    sign_in,
    states,
    toggles,
    triggers,
    waiting,
)
from tests.corpus.case import Case

THEMES: tuple[ModuleType, ...] = (
    toggles,
    nothing,
    waiting,
    calendars,
    outcomes,
    environments,
    sign_in,
    busy,
    relations,
    chains,
    contradictions,
    states,
    accounts,
    holds,
    billing,
    reductions,
    messages,
    gaps,
    triggers,
    pairs,
)

CASES: tuple[Case, ...] = tuple(case for theme in THEMES for case in theme.CASES)
