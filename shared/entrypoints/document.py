"""HTTP: the swagger document of this very API."""

from functools import cache
from typing import Any
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field

from shared.entrypoints.bodies import Given
from shared.entrypoints.exchange import Reply
from shared.entrypoints.route import Ask, Nothing


class SwaggerBody(Given):
    """A document of Swagger 2.0."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    swagger: str = Field(description="Version of the format.", examples=["2.0"])


async def get_swagger(ask: Ask[Nothing, Nothing]) -> Reply:
    """The document, with the host by which it was asked."""
    parts = urlsplit(ask.base)
    document = {**_document(), "host": parts.netloc, "schemes": [parts.scheme]}
    return Reply(SwaggerBody.model_validate(document))


@cache
def _document() -> dict[str, Any]:
    from shared.entrypoints.routes import ROUTES  # late: the table holds this route, too
    from shared.entrypoints.swagger import document

    return document(ROUTES)
