"""What every step of the workflow works with."""

from dataclasses import dataclass

from shared.domain.policy import Policy
from shared.ports import CaseStore, Clock, Notifier, Provider, Queues, Work365


@dataclass(frozen=True, slots=True)
class Context:
    """Ports and policy, built once per process by shared.bootstrap and once per test."""

    work365: Work365
    provider: Provider
    store: CaseStore
    queues: Queues
    notifier: Notifier
    clock: Clock
    policy: Policy
    organization_id: str
    """The one Dataverse organisation that may be written to."""
