"""HTTP: what a provisioning message means. For flows and support people; needs no settings and reads nothing else."""

import asyncio
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from shared.domain.provider_errors import Reading, read_message
from shared.entrypoints.bodies import Given
from shared.entrypoints.exchange import Reply
from shared.entrypoints.route import Ask, Nothing, Taken

LONGEST_BODY = 8 * 1024 * 1024
"""Bytes of a request: several texts of a megabyte, or 200 of the usual ones many times over."""
LONGEST_TEXT = 1_048_576
"""Characters of one text: as many as a column of Dataverse holds."""
MOST_MESSAGES = 200


def _whole(text: object) -> object:
    """A text that was cut in the middle of a character holds half of it, which is no text: shown as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(text, str) else text


def _as_text(code: object) -> object:
    return str(code) if isinstance(code, int) and not isinstance(code, bool) else _whole(code)


class Message(Taken):
    """One message, with what came beside it where that is known."""

    text: Annotated[str, BeforeValidator(_whole), StringConstraints(max_length=LONGEST_TEXT)] = Field(
        title="Text", description="The provisioning message, job result or error body, as it is. May be empty."
    )
    code: Annotated[str, BeforeValidator(_as_text), StringConstraints(max_length=200)] | None = Field(
        None, title="Code", description="The error code that the service gave beside the text, as text or number."
    )
    status: Annotated[int, Field(ge=100, le=599)] | None = Field(
        None, title="HTTP status", description="The HTTP status of the answer that the text comes from."
    )


class ExplainRequest(Taken):
    """Messages to explain."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=MOST_MESSAGES)] = Field(
        title="Messages", description=f"1 to {MOST_MESSAGES} messages."
    )


class Explanation(Given):
    """What one message means."""

    cause: str = Field(description="The cause that it proves; `unknown` when it proves none.")
    waiting: str = Field(description="T passes soon, L after hours or days, C once set right, H a person, N never.")
    wait_seconds: int | None = Field(description="When it makes sense to look again; null when that is not known.")
    sentence: str = Field(description="For an administrator, to be shown as it is.")
    who: str = Field(description="Who acts next.")
    matched: str = Field(description="The code, status or text that decided; empty when nothing did.")
    link: str | None = Field(description="A public page that says more.")
    text: str | None = Field(description="The whole text when the cause is unknown, else null.")

    @classmethod
    def of(cls, reading: Reading, text: str) -> "Explanation":
        return cls(
            cause=reading.cause or "unknown",
            waiting=reading.waiting,
            wait_seconds=reading.wait_seconds,
            sentence=reading.sentence,
            who=reading.who,
            matched=reading.matched,
            link=reading.link,
            text=text if reading.cause is None else None,
        )


class ExplainBody(Given):
    """The explanations, in the order of the messages."""

    messages: list[Explanation] = Field(description="What each means.")


async def explain_messages(ask: Ask[ExplainRequest, Nothing]) -> Reply:
    """Explains messages by the catalogue."""
    return Reply(await asyncio.to_thread(_explain, ask.body))  # megabytes take a while, and others are waiting


def _explain(wanted: ExplainRequest) -> ExplainBody:
    return ExplainBody(messages=[_one(message) for message in wanted.messages])


def _one(message: Message) -> Explanation:
    return Explanation.of(read_message(message.text, code=message.code, status=message.status), message.text)
