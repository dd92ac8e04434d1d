"""HTTP: actions that people ask for beyond what a diagnosis offers. What is asked for waits for a yes to its plan."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, WithJsonSchema, field_validator

from shared.domain.action import Action, Risk
from shared.domain.actions import ACTIONS
from shared.domain.policy import Level
from shared.entrypoints.bodies import By, Given, one_of
from shared.entrypoints.exchange import Reply
from shared.entrypoints.found import changed, etag_of, moved, seen_by, stored_case, whole
from shared.entrypoints.route import Ask, Nothing, Taken
from shared.workflow.ask import LONGEST_TEXT, ask, withdraw

ASKED_FOR = tuple(name for name, action in ACTIONS.items() if action.propose is not None)
"""Actions that a person may ask for; a retrigger is planned by the diagnosis alone."""

_NAMES = tuple(sorted({need.name for action in ACTIONS.values() for need in action.needs}))

ActionName = Annotated[
    str,
    AfterValidator(one_of(ASKED_FOR, "an action that can be asked for")),
    WithJsonSchema({"type": "string", "enum": [*ASKED_FOR]}),
]
Value = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)]


class ActionRequest(Taken):
    """An action wanted for one case."""

    action: ActionName = Field(
        title="Action", description="Its name, as ListActions gives it.", examples=["mark_provisioned"]
    )
    values: Mapping[str, Value] = Field(
        default={},
        title="Values",
        description=f"What the action needs to be told, by name; there are {', '.join(_NAMES)}.",
        examples=[{"provisioned_on": "2026-11-20T14:30:00Z"}],
    )
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)] = Field(
        "",
        title="Reason",
        description="Why, for the record; some actions refuse without one.",
        examples=["Done by phone."],
    )
    by: By = None

    @field_validator("values")
    @classmethod
    def _are_taken(cls, values: Mapping[str, str], info: ValidationInfo) -> Mapping[str, str]:
        action = ACTIONS.get(info.data.get("action", ""))
        if action is None:
            return values  # the action itself is refused
        known = [need.name for need in action.needs]
        if values.keys() - set(known):
            takes = f"takes {', '.join(known)}" if known else "takes none"
            raise ValueError(f"{action.name} {takes}")
        return values


class NeedBody(Given):
    """Something that whoever asks for the action may say."""

    name: str = Field(description="Its name in `values`.")
    description: str = Field(description="What it is.")
    example: str = Field(description="What it looks like.")


class ActionBody(Given):
    """Something that the app can do to a case."""

    name: str = Field(description="Its name.")
    title: str = Field(description="What a person says yes to, in a few words.")
    changes: str = Field(description="Table and columns, in Work 365's words.")
    risk: Risk = Field(description="What a wrong one would cost: low, medium or high.")
    freest: Level = Field(description="How far a policy may let it go; `approve` always needs a yes.")
    verified: str = Field(description="How it is seen that it helped.")
    undone: str = Field(description="How it is taken back, or why it cannot be.")
    asked_only: bool = Field(description="Whether no diagnosis offers it: somebody has to ask for it.")
    may_be_asked_for: bool = Field(description="Whether AskForAction takes it.")
    needs: list[NeedBody] = Field(description="What may be said with it.")

    @classmethod
    def of(cls, action: Action) -> Self:
        named = {name: getattr(action, name) for name in cls.model_fields if name not in ("may_be_asked_for", "needs")}
        needs = [NeedBody.model_validate(need) for need in action.needs]
        return cls(**named, needs=needs, may_be_asked_for=action.name in ASKED_FOR)


class ActionsBody(Given):
    """Everything that the app can do."""

    actions: list[ActionBody] = Field(description="The actions.")


async def list_actions(wanted: Ask[Nothing, Nothing]) -> Reply:  # noqa: ARG001
    """Every action."""
    return Reply(ActionsBody(actions=[ActionBody.of(each) for each in ACTIONS.values()]))


async def ask_for_action(wanted: Ask[ActionRequest, Nothing]) -> Reply:
    """Plans what is asked for. The answer is the whole case, with the plan that a yes would be for."""
    by, said = wanted.caller.on_record(wanted.body.by), wanted.body
    ctx = await wanted.context()
    stored = await stored_case(ctx, wanted.path["case_id"])
    if not seen_by(wanted, stored.case):
        raise moved(stored.case.id)
    case = await ask(ctx, stored, said.action, said.values, by=by, reason=said.reason)
    return Reply(await whole(ctx, case), headers=etag_of(case))


async def withdraw_request(wanted: Ask[Nothing, Nothing]) -> Reply:
    """Takes back what was asked for."""
    ctx = await wanted.context()
    stored = await stored_case(ctx, wanted.path["case_id"])
    if not seen_by(wanted, stored.case):
        raise moved(stored.case.id)
    return changed(await withdraw(ctx, stored, by=wanted.caller.identity))
