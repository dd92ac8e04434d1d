"""What every step of the workflow works with."""

from dataclasses import dataclass, field

from shared.domain.policy import Policy
from shared.ports import (
    Alarms,
    Breakers,
    Callbacks,
    CaseStore,
    Clock,
    Holds,
    Limits,
    Mutes,
    NoTelemetry,
    Notifier,
    Pauses,
    Provider,
    Queues,
    Telemetry,
    Webhooks,
    Work365,
)


@dataclass(frozen=True, slots=True)
class Context:
    """Ports and policy. The ports are built once per process by shared.bootstrap and once per test.

    A step works with one policy from beginning to end; the next step has the policy as it is then.
    """

    work365: Work365
    provider: Provider
    store: CaseStore
    limits: Limits
    breakers: Breakers
    pauses: Pauses
    mutes: Mutes
    holds: Holds
    alarms: Alarms
    queues: Queues
    notifier: Notifier
    webhooks: Webhooks
    callbacks: Callbacks
    clock: Clock
    policy: Policy
    organization_id: str
    """The one Dataverse organisation that may be written to."""
    telemetry: Telemetry = field(default_factory=NoTelemetry)
