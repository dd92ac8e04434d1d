"""Changes and jobs of one subscription, and what happens to it later, as a world file says it."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from local.worlds.moments import Moment, Past
from local.worlds.words import ByTurns, JobStatus, Key, Part, Price, ProvisioningStatus, Said, SystemJobStatus

Deed = Literal[
    "renew_consent",
    "complete_manual",
    "archive_change",
    "edit_change",
    "retrigger_change",
    "end_quirks",
    "end_refusal",
    "switch_workflow_on",
    "ready_service_user",
]
OF_A_CHANGE = ("complete_manual", "archive_change", "edit_change", "retrigger_change")
OF_THE_WORLD = ("switch_workflow_on", "ready_service_user")


class Job(Part):
    """A Work 365 Job of one change."""

    status: JobStatus
    created: Past | None = None
    modified: Past | None = None
    scheduled_for: Moment | None = None
    results: str | Said | None = None


class SystemJob(Part):
    """A System Job of Dataverse about a change."""

    status: SystemJobStatus
    """`waiting` is what a suspended one shows."""
    name: str = "Work 365 - Sync License Change Log"
    message: str | None = None
    created: Past | None = None
    completed: Past | None = None


class Change(Part):
    """A License Change Log. `quantity` is a difference in seats."""

    type: Literal["create", "update", "activate", "deactivate"]
    quantity: ByTurns = (0,)
    status: ProvisioningStatus = "provisioned"
    created: Past
    effective: Moment | None = None
    provisioned: Past | None = None
    """Actual Provisioned On; by default minutes after its creation."""
    message: str | Said | None = None
    source: Literal["work365", "portal", "provider"] = "work365"
    archived: bool = False
    unit_price: Price | None = None
    """By default that of the product."""
    touched_by: Literal["work365", "person"] | None = None
    touched: Past | None = None
    """Who saved it last, and when."""
    jobs: tuple[Job, ...] | None = None
    system_jobs: tuple[SystemJob, ...] = ()
    half_toggled: bool = False
    """This app set it to Not Applicable in an earlier run and was interrupted; its ledger says so."""

    @model_validator(mode="after")
    def _half_toggled_is_not_applicable(self) -> Self:
        if self.half_toggled and self.status != "not_applicable":
            raise ValueError("half_toggled: the status must be not_applicable")
        return self


class Scheduled(Part):
    """A Scheduled License Change Log."""

    type: Literal["update", "activate", "deactivate"] = "update"
    quantity: ByTurns = (0,)
    status: Literal["pending", "merge_failed", "archived"] = "pending"
    created: Past
    effective: Moment
    provision_on: Moment | None = None
    jobs: tuple[Job, ...] = ()
    """Its merge jobs."""


class Happening(Part):
    """What a person does when asked, or what mends itself. `after`: so long after being asked or after loading."""

    does: Deed
    when: Literal["asked", "loaded"] = "asked"
    after: Moment = timedelta(seconds=1)
    change: int | None = Field(default=None, ge=1)
    """The number of the change, counted from 1."""
    provider: Key | None = None
    """Whose consent; where it is not said, that of the group's provider."""

    @model_validator(mode="after")
    def _names_its_change(self) -> Self:
        if self.does in OF_A_CHANGE and self.change is None:
            raise ValueError(f"{self.does} needs `change`: the number of the change, counted from 1")
        return self
