"""The queue messages: JSON that carries ids, never decisions. Read strictly: what is odd is refused by name.

queue `diagnose`   {"version": 1, "subscription_ids": [at most 500 GUIDs]}
queue `remediate`  {"version": 1, "case_ids": [at most 100, <subscription id>-<number>]}
queue `notify`     {"version": 1, "subscription_ids": [at most 500 GUIDs]}
queue `operate`    {"version": 1, "operation_id": "32 hexadecimal digits"}
queue `deliver`    {"version": 1, "webhook_id": "32 hexadecimal digits", "subscription_id": GUID, "key": …, "kind": …,
                    "tries": calls that came to nothing}

Each may have a `traceparent`: the span that it was sent in. It decides nothing, so one that makes no sense counts
as none.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import batched
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.adapters.web.answers import clean
from shared.domain.signals import is_traceparent
from shared.domain.webhook import Delivery
from shared.errors import MessageUnreadable

DIAGNOSE, REMEDIATE, NOTIFY, OPERATE, DELIVER = "diagnose", "remediate", "notify", "operate", "deliver"
"""Names of the queues."""

MOST_SUBSCRIPTIONS = 500
MOST_CASES = 100

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CASE = re.compile(_GUID.pattern + r"-[1-9][0-9]{0,8}")


def _guid(text: str) -> str:
    return _matching(_GUID, text, "a GUID")


def _case_id(text: str) -> str:
    return _matching(_CASE, text, "a case id, <subscription id>-<number>")


def _matching(pattern: re.Pattern[str], text: str, what: str) -> str:
    lowered = text.lower()
    if not pattern.fullmatch(lowered):
        raise ValueError(f"{clean(text)[:60]!r} is not {what}")
    return lowered


def _each_once(ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


type SubscriptionIds = Annotated[
    tuple[Annotated[str, AfterValidator(_guid)], ...],
    Field(min_length=1, max_length=MOST_SUBSCRIPTIONS),
    AfterValidator(_each_once),
]
type CaseIds = Annotated[
    tuple[Annotated[str, AfterValidator(_case_id)], ...],
    Field(min_length=1, max_length=MOST_CASES),
    AfterValidator(_each_once),
]


def _trace(value: object) -> str:
    return value if isinstance(value, str) and is_traceparent(value) else ""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    version: int = Field(default=1, ge=1, le=1)
    traceparent: Annotated[str, BeforeValidator(_trace)] = ""


class DiagnoseMessage(_Message):
    """Look at these subscriptions."""

    subscription_ids: SubscriptionIds


class RemediateMessage(_Message):
    """Carry on with these cases."""

    case_ids: CaseIds


class NotifyMessage(_Message):
    """Tell people what is owed for these subscriptions."""

    subscription_ids: SubscriptionIds


class OperateMessage(_Message):
    """Do this operation of the HTTP API."""

    operation_id: str = Field(pattern=r"^[0-9a-f]{32}$")


class DeliverMessage(_Message):
    """Call this webhook about this news."""

    webhook_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    subscription_id: Annotated[str, AfterValidator(_guid)]
    key: str = Field(min_length=1, max_length=1_000)
    kind: str = Field(pattern=r"^[a-z_]{1,50}$")
    tries: int = Field(default=0, ge=0, le=1_000)

    @property
    def delivery(self) -> Delivery:
        """What is owed."""
        return Delivery(self.webhook_id, self.subscription_id, self.key, self.kind, self.tries)


type Message = DiagnoseMessage | RemediateMessage | NotifyMessage
"""What the workflow sends to itself."""


def encode(message: Message | OperateMessage | DeliverMessage) -> str:
    """The message as JSON."""
    return message.model_dump_json(exclude=set() if message.traceparent else {"traceparent"})


def decode[M: _Message](kind: type[M], text: str | bytes) -> M:
    """The message of this kind in `text`. Raises MessageUnreadable naming what is wrong, and where."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise MessageUnreadable("; ".join(_problems(error))) from None


def diagnose_messages(subscription_ids: Sequence[str], traceparent: str = "") -> list[DiagnoseMessage]:
    """As few messages as hold all ids, each once. ValueError when one is no GUID."""
    groups = _groups(subscription_ids, MOST_SUBSCRIPTIONS)
    return [DiagnoseMessage(subscription_ids=ids, traceparent=traceparent) for ids in groups]


def remediate_messages(case_ids: Sequence[str], traceparent: str = "") -> list[RemediateMessage]:
    """As few messages as hold all ids, each once. ValueError when one is no case id."""
    return [RemediateMessage(case_ids=ids, traceparent=traceparent) for ids in _groups(case_ids, MOST_CASES)]


def notify_messages(subscription_ids: Sequence[str], traceparent: str = "") -> list[NotifyMessage]:
    """As few messages as hold all ids, each once. ValueError when one is no GUID."""
    groups = _groups(subscription_ids, MOST_SUBSCRIPTIONS)
    return [NotifyMessage(subscription_ids=ids, traceparent=traceparent) for ids in groups]


def deliver_messages(deliveries: Sequence[Delivery], traceparent: str = "") -> list[DeliverMessage]:
    """One message for each. ValueError when one makes no sense."""
    return [DeliverMessage(**asdict(each), traceparent=traceparent) for each in deliveries]


def _groups(ids: Sequence[str], size: int) -> Iterable[tuple[str, ...]]:
    return batched(dict.fromkeys(ids), size, strict=False)


_MOST_PROBLEMS = 5


def _problems(error: ValidationError) -> list[str]:
    """Each problem with its field: `subscription_ids[3]: 'x' is not a GUID`. At most five."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    said = [f"{_field(each['loc'])}: {clean(each['msg']).removeprefix('Value error, ')}" for each in found]
    more = [f"and {len(said) - _MOST_PROBLEMS} more"] if len(said) > _MOST_PROBLEMS else []
    return said[:_MOST_PROBLEMS] + more


def _field(place: tuple[int | str, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{clean(part)[:60]}" for part in place]
    return "".join(parts).removeprefix(".") or "the message"
