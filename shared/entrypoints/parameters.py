"""Parameters of paths: what each is, and what is no such thing. One name means one thing everywhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from shared.domain.case import subscription_of
from shared.entrypoints.problems import bad_field


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a path."""

    title: str
    description: str
    example: str


PARAMETERS: Mapping[str, Parameter] = {
    "case_id": Parameter(
        "Case",
        "Id of a case: the subscription's id, a dash, and the case's number.",
        "11111111-2222-4333-8444-555555555555-1",
    ),
    "sweep_id": Parameter("Sweep", "Id of a sweep's receipt, 32 hexadecimal digits.", "0" * 32),
    "operation_id": Parameter("Operation", "Id of an operation, 32 hexadecimal digits.", "0" * 32),
    "pause_id": Parameter("Pause", "Id of a pause, as the controls show it.", "everything-0123456789abcdef"),
    "mute_id": Parameter("Mute", "Id of a mute, as the controls show it.", "cause-0123456789abcdef"),
    "webhook_id": Parameter("Webhook", "Id of a webhook, 32 hexadecimal digits.", "0" * 32),
    "hold_id": Parameter("Hold", "Id of the hold in force, as the controls show it.", "20261122T120000.000000Z"),
}

_DIGITS = re.compile(r"[0-9a-f]{32}")
_NAMES = re.compile(r"\{(\w+)\}")


def names_in(path: str) -> list[str]:
    """The parameters of a path, in order."""
    return _NAMES.findall(path)


def parameters_of(path: str, given: Mapping[str, object]) -> dict[str, str]:
    """What a request gives for them, decoded. Raises Problem naming one that makes no sense."""
    # The host leaves encoded slashes alone, and nothing else.
    values = {name: unquote(str(given.get(name, ""))) for name in names_in(path)}
    if "case_id" in values:
        values["case_id"] = values["case_id"].casefold()
        try:
            subscription_of(values["case_id"])
        except ValueError as error:
            raise bad_field("case_id", str(error), PARAMETERS["case_id"].description) from None
    for name, what in (("operation_id", "an operation"), ("webhook_id", "a webhook")):
        if name in values and not _DIGITS.fullmatch(values[name]):
            raise bad_field(name, f"{name}: not an id of {what}.", PARAMETERS[name].description)
    return values
