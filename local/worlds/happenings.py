"""What people do about a world when they are asked, and what mends itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from local.dataverse.records import Records
from local.partner_center.provider import Provider
from local.work365_engine.options import SERVICE_ROLES, TRIGGER_WORKFLOW, EngineOptions
from local.worlds.built import Planned
from local.worlds.changing import OF_THE_WORLD
from local.worlds.identities import ADMIN_USER_ID, WORK365_USER_ID


class CannotBeDone(Exception):
    """A deed that does not fit what is there; the message says why."""


@dataclass
class _Waiting:
    planned: Planned
    due: datetime | None


class Happenings:
    """Everything that is still to happen in one world. `clock` gives aware UTC times."""

    def __init__(
        self,
        planned: Iterable[Planned],
        records: Records,
        provider: Provider,
        options: EngineOptions,
        clock: Callable[[], datetime],
    ) -> None:
        self._records = records
        self._provider = provider
        self._options = options
        self._clock = clock
        now = clock()
        self._waiting = [_Waiting(p, now + p.after if p.when_asked_about is None else None) for p in planned]
        self.done: list[tuple[datetime, Planned]] = []

    def asked_about(self, subscription_ids: Iterable[str]) -> None:
        """People were told of these subscriptions; whoever has something to do begins with it."""
        concerned, now = frozenset(subscription_ids), self._clock()
        for waiting in self._waiting:
            who = waiting.planned.when_asked_about
            if waiting.due is None and who is not None and who & concerned:
                waiting.due = now + waiting.planned.after

    def do_what_is_due(self) -> None:
        """To be called now and then."""
        now = self._clock()
        due = [waiting for waiting in self._waiting if waiting.due is not None and waiting.due <= now]
        for waiting in due:
            # An earlier one of this round may have done the same already, as when many ask for one consent.
            if waiting in self._waiting:
                self.do(waiting.planned)
                self._waiting = [other for other in self._waiting if not _same(other.planned, waiting.planned)]

    def do(self, planned: Planned) -> None:
        """Does it now. Raises CannotBeDone."""
        try:
            _DEEDS[planned.does](self, planned)
        except KeyError as error:
            raise CannotBeDone(f"{planned.does}: there is no {error.args[0] if error.args else 'such row'}") from error
        self.done.append((self._clock(), planned))

    def _renew_consent(self, planned: Planned) -> None:
        """Consent run again and connectivity verified, in Work 365's Providers."""
        row = self._records.get("provider", planned.provider_id or "")
        if row is None:
            raise KeyError(f"provider {planned.provider_id}")
        self._provider.lift(provider_name=row["name"])
        now = self._clock()
        values = {"consent_on": now, "last_verified_on": now, "connectivity": "verified"}
        self._records.update("provider", row["id"], values, by=ADMIN_USER_ID)

    def _complete_manual(self, planned: Planned) -> None:
        """Done at the manual provider, then confirmed in Work 365."""
        self._options.done_by_hand.add(str(planned.change_id))
        values = {"provisioning_status": "provisioned", "actual_provisioned_on": self._clock()}
        self._change(planned, values)

    def _archive_change(self, planned: Planned) -> None:
        self._change(planned, {"status": "archived"})

    def _edit_change(self, planned: Planned) -> None:
        """Saved without changing what counts: only its version is another one."""
        row = self._records.get("license_change_log", str(planned.change_id))
        self._change(planned, {"name": row["name"] if row else None})

    def _change(self, planned: Planned, values: dict[str, object]) -> None:
        self._records.update("license_change_log", str(planned.change_id), values, by=ADMIN_USER_ID)

    def _end_quirks(self, planned: Planned) -> None:
        self._options.quirks.pop(str(planned.subscription_id), None)

    def _retrigger_change(self, planned: Planned) -> None:
        """As the vendor's article says, once what stood against it is mended: two saves, or one from Failed."""
        row = self._records.get("license_change_log", str(planned.change_id))
        if row is not None and row["provisioning_status"] == "awaiting_provisioning":
            self._change(planned, {"provisioning_status": "not_applicable"})
        self._change(planned, {"provisioning_status": "awaiting_provisioning"})

    def _end_refusal(self, planned: Planned) -> None:
        """Whatever the provider held against this customer is mended there."""
        mine = [rule for rule in self._provider.rules if rule.tenant_id == planned.tenant_id and rule.tenant_id]
        self._provider.rules = [rule for rule in self._provider.rules if rule not in mine]

    def _ready_service_user(self, _: Planned) -> None:
        """An administrator enables Work 365's application user and gives it its roles."""
        self._records.update("system_user", WORK365_USER_ID, {"is_disabled": False}, by=ADMIN_USER_ID)
        for role in SERVICE_ROLES:
            self._records.grant_role(WORK365_USER_ID, role)

    def _switch_workflow_on(self, _: Planned) -> None:
        for row in self._records.find("workflow", name=TRIGGER_WORKFLOW):
            self._records.update("workflow", row["id"], {"state": "activated"}, by=ADMIN_USER_ID)
        # The scheduled jobs are looked after on the same occasion.
        for job in self._records.find("scheduled_job"):
            self._records.update("scheduled_job", job["id"], {"enabled": True}, by=ADMIN_USER_ID)
        self._options.stuck_jobs.clear()


def _same(one: Planned, other: Planned) -> bool:
    if one.does == other.does == "renew_consent":
        return one.provider_id == other.provider_id
    return one is other or (one.does == other.does and one.does in OF_THE_WORLD)


_DEEDS: dict[str, Callable[[Happenings, Planned], None]] = {
    "renew_consent": Happenings._renew_consent,
    "complete_manual": Happenings._complete_manual,
    "archive_change": Happenings._archive_change,
    "edit_change": Happenings._edit_change,
    "retrigger_change": Happenings._retrigger_change,
    "end_quirks": Happenings._end_quirks,
    "end_refusal": Happenings._end_refusal,
    "switch_workflow_on": Happenings._switch_workflow_on,
    "ready_service_user": Happenings._ready_service_user,
}
