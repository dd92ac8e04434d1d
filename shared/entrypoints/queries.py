"""What may stand in a query: filters and pages. Everything arrives as text, and unknown names are refused."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema

from shared.domain.case import State
from shared.domain.causes import CAUSES
from shared.domain.standing import Stock
from shared.entrypoints.bodies import one_of
from shared.entrypoints.drop_downs import CAUSE, PROVIDER, STATE
from shared.entrypoints.route import Taken
from shared.ports import CaseFilter

MOST = 200
"""Items on a page."""


def _limit(text: object) -> object:
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MOST):
        raise ValueError(f"should be a whole number from 1 to {MOST}")
    return text


def _typed(text: object) -> object:
    """Text only: a number would be taken for seconds. A zone's plus that nobody has encoded arrives as a blank."""
    if not isinstance(text, str) or "T" not in text:
        raise ValueError("should be a time with a zone, such as 2026-11-22T12:00:00Z")
    return text.replace(" ", "+")


Limit = Annotated[
    int,
    BeforeValidator(_limit),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST, "default": 50}),
]
CauseName = Annotated[
    str,
    AfterValidator(one_of(tuple(CAUSES), "a cause")),
    WithJsonSchema({"type": "string", "enum": [*CAUSES]}),
]
_STOCK = tuple(each for each in Stock if each is not Stock.NONE)

StockKind = Annotated[
    Stock,
    AfterValidator(one_of(_STOCK, "kept of the stock")),
    WithJsonSchema({"type": "string", "enum": [*_STOCK]}),
]
Moment = Annotated[AwareDatetime, BeforeValidator(_typed), WithJsonSchema({"type": "string", "format": "date-time"})]


class PageQuery(Taken):
    """One page of a list."""

    limit: Limit = Field(50, title="Limit", description=f"How many, from 1 to {MOST}.", examples=[50])
    cursor: str | None = Field(
        None, title="Cursor", description="Where the page begins: `next_cursor` of the one before, with equal filters."
    )


class CasesQuery(PageQuery):
    """Which cases a list shows."""

    state: State | None = Field(
        None, title="State", description="Only cases in this state; left out: all open ones.", json_schema_extra=STATE
    )
    cause: CauseName | None = Field(
        None, title="Cause", description="Only cases with this cause.", json_schema_extra=CAUSE
    )
    provider: str | None = Field(
        None,
        title="Provider",
        description="Only cases at the provider of this name, without regard to case.",
        json_schema_extra=PROVIDER,
    )
    customer: str | None = Field(
        None, title="Customer", description="Only cases of the customer of this name, without regard to case."
    )
    assignee: str | None = Field(
        None, title="Assignee", description="Only cases that this person looks after, as the case shows them."
    )
    opened_before: Moment | None = Field(
        None,
        title="Opened before",
        description="Only cases found before this time, with a zone: what has waited for long.",
        examples=["2026-11-15T00:00:00Z"],
    )
    opened_after: Moment | None = Field(
        None,
        title="Opened after",
        description="Only cases found at this time or later, with a zone.",
        examples=["2026-11-15T00:00:00Z"],
    )

    stock: StockKind | None = Field(
        None,
        title="Stock",
        description="Only what was stuck before the first sweep, and is held, adopted or dismissed.",
    )

    def filter(self) -> CaseFilter:
        """As the case store takes it: open cases, or those of one state."""
        return CaseFilter(
            state=self.state,
            cause=self.cause,
            provider=self.provider,
            customer=self.customer,
            assignee=self.assignee,
            opened_before=self.opened_before,
            opened_after=self.opened_after,
            stock=self.stock,
            open_only=True,
        )
