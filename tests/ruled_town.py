"""A town of fakes whose policy can be changed at any time."""

from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain.case import Case
from shared.domain.policy import Level, Mode
from shared.workflow.approve import remediate_case
from shared.workflow.context import Context
from shared.workflow.sweep import sweep
from tests.builders import SUBSCRIPTION
from tests.workflow_kit import Town

CAUSE, CUSTOMER = "trigger_missed", "66666666-0000-0000-0000-000000000001"
"""Of the change and the customer that a town is stuck with."""


@dataclass
class Ruled(Town):
    """A town with a policy of its own, which may be changed at any time."""

    rules: dict[str, Any] = field(default_factory=dict)

    @property
    def ctx(self) -> Context:
        ctx = super().ctx
        return replace(ctx, policy=replace(ctx.policy, **self.rules))

    def at(self, level: Level, **more: Any) -> None:
        """The cause has this level from now on, by another version of the policy."""
        self.rules = {"causes": {CAUSE: level}, "version": f"{level}{sorted(more)}", **more}

    def broken(self) -> None:
        """The policy file makes no sense from now on."""
        self.rules = {"mode": Mode.OBSERVE, "version": "invalid", "problems": ("UNSTUCK_POLICY: surgee is not known",)}

    async def say_yes(self, by: str = "Ann", digest: str = "") -> Case:
        stored = await self.store.load(SUBSCRIPTION)
        assert stored is not None
        return await remediate_case(
            self.ctx, stored, digest or (stored.case.plan.digest if stored.case.plan else "f" * 32), by
        )

    async def found(self) -> Case:
        """Swept and diagnosed, and nothing more."""
        await sweep(self.ctx)
        message = self.queues.take()
        assert message is not None
        await self.run(message)
        return await self.case()
