"""Requests made up from the served swagger document, valid and invalid, dressed with what there really is.

Schemathesis makes them, Hypothesis draws them; the same seed draws the same ones. What ids they are dressed with
depends on what the app has answered until then.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case as AnyCase
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from tests.host.generated_values import ABOUT, FILLED, PLAIN, TEXTS, Known

KEYS = 400
"""Idempotency keys in use: some come again for the same body, more for another one."""

NOBODYS = f'"{"0" * 32}"'
"""A version that no case has."""

_ONLY_DRAWN = settings(
    phases=[Phase.generate], database=None, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
)
"""What is wrong is written down and the run goes on: nothing is shrunk, and nothing remembered for the next run."""

type Operation = APIOperation[Any, Any, Any, Any]
type Case = AnyCase[Operation]


@dataclass(frozen=True)
class Offered:
    """One operation of the document, and what may be drawn for it."""

    name: str
    operation: Operation

    @property
    def raw(self) -> Mapping[str, Any]:
        """As it stands in the document."""
        found: Mapping[str, Any] = self.operation.definition.raw
        return found

    @property
    def weight(self) -> int:
        """Its share of the requests: what takes more can go wrong in more ways."""
        parameters = self.raw.get("parameters", [])
        return 1 + sum(4 if each["in"] == "body" else 1 for each in parameters)

    @property
    def is_list(self) -> bool:
        """Whether it is read without saying of what."""
        return self.operation.method.upper() == "GET" and "{" not in self.operation.path

    @property
    def modes(self) -> list[GenerationMode]:
        """Valid, and invalid where it can be: any text is a valid path or header as far as the document says."""
        places = {each["in"] for each in self.raw.get("parameters", [])}
        return list(GenerationMode) if places & {"body", "query"} else [GenerationMode.POSITIVE]


def offered(document: dict[str, Any]) -> list[Offered]:
    """Every operation of a swagger document."""
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    return [Offered(each.definition.raw["operationId"], each) for each in operations]


def each_of(
    offer: Offered, mode: GenerationMode, known: Known, count: int, number: int, send: Callable[[Case], None]
) -> None:
    """Draws `count` requests of one operation by the seed `number`, and sends them."""

    @seed(number)
    @settings(_ONLY_DRAWN, max_examples=count)
    @given(offer.operation.as_strategy(generation_mode=mode), st.integers(0, 2**63))
    def draw(case: Case, dice: int) -> None:
        dress(case, offer, known, random.Random(dice))  # noqa: S311  nothing is kept secret by it
        send(case)

    draw()


def dress(case: Case, offer: Offered, known: Known, rng: random.Random) -> None:
    """Puts what there really is in places of what was made up; most of the time, and never everywhere."""
    for name in list(case.path_parameters):
        means = ABOUT[offer.name] if offer.name in ABOUT and rng.random() < 0.8 else name
        if rng.random() < 0.8 and (value := known.pick(means, rng)):
            case.path_parameters[name] = value
    _dress_query(case, known, rng)
    _dress_headers(case, offer, known, rng)
    if isinstance(case.body, dict) and rng.random() < 0.8:
        _dress_body(case.body, case, offer, known, rng)


def _dress_query(case: Case, known: Known, rng: random.Random) -> None:
    for name in list(case.query):
        if rng.random() < 0.6 and (value := known.pick(name, rng)):
            case.query[name] = value
        elif rng.random() < 0.3:
            del case.query[name]
    if rng.random() < 0.02:
        case.query["colour"] = "red"


def _dress_headers(case: Case, offer: Offered, known: Known, rng: random.Random) -> None:
    names = {each["name"] for each in offer.raw.get("parameters", []) if each["in"] == "header"}
    if "If-Match" in names and rng.random() < 0.9:
        case.headers.pop("If-Match", None)
        etag = known.etag_of(str(case.path_parameters.get("case_id")))
        if etag is not None and rng.random() < 0.5:
            case.headers["If-Match"] = etag
        elif rng.random() < 0.2:
            case.headers["If-Match"] = NOBODYS
    if "Idempotency-Key" in names and rng.random() < 0.8:
        case.headers.pop("Idempotency-Key", None)
        if rng.random() < 0.3:
            case.headers["Idempotency-Key"] = f"run-{rng.randrange(KEYS)}"
    if rng.random() < 0.2:
        case.headers["X-Correlation-Id"] = rng.choice(
            [f"{rng.randrange(2**40):032x}", "short", "x" * 65, "not allowed!"]
        )


def _dress_body(body: dict[str, Any], case: Case, offer: Offered, known: Known, rng: random.Random) -> None:
    fields = dict(_properties(offer))
    if rng.random() < 0.9:
        for name in body.keys() - fields.keys():
            del body[name]
    if rng.random() < 0.95:  # who has signed in may not say who they are
        body.pop("by", None)
    if rng.random() < 0.8 and (fill := FILLED.get(offer.name)):
        fill(known, rng, body)
    if "plan_digest" in fields and rng.random() < 0.8:
        body["plan_digest"] = known.digest_of(str(case.path_parameters.get("case_id")))
    for name in ("reason", "text", "assignee", "ticket"):
        if name in fields and rng.random() < 0.7:
            body[name] = rng.choice(TEXTS if rng.random() < 0.4 else PLAIN)
    if "url" in fields and rng.random() < 0.5:
        body["url"] = rng.choice(
            ["https://tickets.example/1", "https://\u00e9.example/\u202e", "javascript:1", "https://"]
        )


def _properties(offer: Offered) -> Iterator[tuple[str, Any]]:
    """The fields of its body."""
    for each in offer.raw.get("parameters", []):
        if each["in"] == "body":
            name = each["schema"]["$ref"].rpartition("/")[2]
            document: Any = offer.operation.schema.raw_schema
            yield from document["definitions"][name].get("properties", {}).items()
