"""Rules that a connector's swagger document must keep to be certified, a file for each part of the document."""

from collections.abc import Callable, Iterator

from connector.document import Document
from connector.rules import dynamic, operations, parameters, responses, schemas, triggers, whole

type Rule = Callable[[Document], Iterator[str]]

RULES: tuple[Rule, ...] = (
    *whole.RULES,
    *operations.RULES,
    *parameters.RULES,
    *responses.RULES,
    *schemas.RULES,
    *dynamic.RULES,
    *triggers.RULES,
)
