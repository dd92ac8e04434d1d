"""Reads the evidence of many subscriptions in two batches, and puts it together.

First batch: the subscriptions with their changes, and what the environment shares. Second, by what the first
found: jobs, parents and linked subscriptions, System Jobs, and for first orders what is already linked at the
provider.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.adapters.dataverse.client import Dataverse
from shared.adapters.dataverse.parts import Get, PartResult
from shared.adapters.work365 import more as second
from shared.adapters.work365.drafts import Draft, customers_of, draft, linked_of, parents_of, related
from shared.adapters.work365.environment_queries import EnvironmentQueries
from shared.adapters.work365.environment_reads import Setting, setting
from shared.adapters.work365.more import More, related_by_id
from shared.adapters.work365.queries import Queries
from shared.adapters.work365.reader import Row
from shared.adapters.work365.rows import Rows
from shared.errors import Garbled, SourceError
from shared.ports import Clock, EvidenceRead

SUCCESSES_KEPT = timedelta(days=30)
"""How far back successful System Jobs are read; Dataverse's own clean-up removes them after as long."""


@dataclass
class Reading:
    """One round of reading."""

    dataverse: Dataverse
    queries: Queries
    environment: EnvironmentQueries
    rows: Rows
    clock: Clock
    purpose: str

    async def evidence(self, ids: Sequence[str]) -> EvidenceRead:
        """Evidence of these subscriptions. Raises SourceError when they could not be read at all."""
        read_on = self.clock.now()
        parts = {"subscriptions": self.queries.subscriptions(ids), "who": Get("WhoAmI"), **self.environment.all()}
        answers = dict(zip(parts, await self._batch(list(parts.values())), strict=True))
        organization_id, own_user_id = _identity(answers["who"])
        shared = setting(answers, self.rows)
        drafts = [draft(row, self.rows, shared.shared) for row in answers["subscriptions"].rows]
        if not all(each.subscription.id for each in drafts):
            raise Garbled("dataverse", "Dataverse gave a subscription without an id. Nothing of the answer is used.")
        more = await self._more(drafts, shared)
        evidence = {d.subscription.id: d.evidence(more, shared, read_on, own_user_id) for d in drafts}
        missing = tuple(i for i in ids if i not in evidence)
        return EvidenceRead(evidence, missing, organization_id)

    async def _more(self, drafts: Sequence[Draft], shared: Setting) -> More:
        """The second batch, left out when nothing asks for it."""
        asked = self._asked(drafts)
        results = iter(await self._batch([part for parts in asked.values() for part in parts]))
        rows: dict[str, list[Row]] = {}
        problems: dict[str, str] = {}
        for what, parts in asked.items():
            rows[what] = []
            for _ in parts:
                result = next(results)
                try:
                    rows[what] += result.rows
                except SourceError as error:
                    problems[what] = str(error.status or type(error).__name__)
        found = (related(row, self.rows, shared.shared) for row in rows[second.RELATED])
        return More(rows, problems, self.rows.afresh(), related_by_id(found))

    def _asked(self, drafts: Sequence[Draft]) -> Mapping[str, Sequence[Get]]:
        """What the second batch asks for, by the words that name what could not be read."""
        ask, parents = self.queries, parents_of(drafts)
        regarded = [id for each in drafts for id in each.regarded]
        since = self.clock.now() - SUCCESSES_KEPT
        return {
            second.JOBS: list(ask.jobs(id for each in drafts for id in each.changes_with_jobs)),
            second.JOBS_OF_SCHEDULED: list(ask.jobs_of_scheduled(id for each in drafts for id in each.scheduled_ids)),
            second.RELATED: list(ask.related(sorted({*parents, *linked_of(drafts)}))),
            second.ABOVE: list(ask.above(parents)),
            second.LINKED: list(ask.linked_at_provider(customers_of([d for d in drafts if d.orders_first]))),
            second.ACCOUNTS: list(ask.accounts(customers_of([d for d in drafts if d.account_in_doubt]))),
            second.SYSTEM_JOBS: [*ask.system_jobs(regarded), *ask.later_system_jobs(regarded, since)],
        }

    async def _batch(self, parts: Sequence[Get]) -> list[PartResult]:
        return await self.dataverse.batch(parts, purpose=self.purpose) if parts else []


def _identity(who: PartResult) -> tuple[str | None, str | None]:
    body = who.body if who.error is None else None
    organization, user = (body or {}).get("OrganizationId"), (body or {}).get("UserId")
    return (
        organization.casefold() if isinstance(organization, str) else None,
        user.casefold() if isinstance(user, str) else None,
    )
