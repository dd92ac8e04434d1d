"""Table `webhooks`: one row for each flow that has subscribed.

The callback address is a secret and has to be kept to be called: it is in this table and nowhere else, no answer
shows it, and backups leave the table out.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.adapters.tables.client import Tables
from shared.adapters.tables.columns import cut
from shared.adapters.tables.documents import SCHEMA_VERSION, Documents, Kind
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import Reader
from shared.adapters.text import well_formed
from shared.domain.case import State
from shared.domain.webhook import Webhook
from shared.errors import CaseUnreadable, NotFound
from shared.ports import WebhooksRead

TABLE = "webhooks"
PARTITION = "webhook"

_FAILURE_UNITS = 1_000
_TEXTS = ("callback_url", "by")


class TableWebhooks:
    """Port Webhooks. A row that makes no sense is nobody's: the others are called all the same."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._rows = Documents(tables, Kind(TABLE, _columns, _webhook))

    async def read(self) -> WebhooksRead:
        """All of them; one request."""
        webhooks: dict[str, Webhook] = {}
        broken: dict[str, str] = {}
        for found in await self._tables.query(TABLE, "PartitionKey eq @partition", {"partition": PARTITION}, None):
            id_ = str(found.row["RowKey"])
            try:
                webhooks[id_] = _webhook(found.row)
            except CaseUnreadable as error:
                broken[id_] = str(error)
        return WebhooksRead(webhooks, broken)

    async def load(self, id_: str) -> Webhook | None:
        """One of them, None when there is none. Raises CaseUnreadable."""
        return await self._rows.load(PARTITION, id_)

    async def put(self, webhook: Webhook) -> None:
        """Adds one, or replaces the one with the same id."""
        row = {"PartitionKey": PARTITION, "RowKey": webhook.id, "schema_version": SCHEMA_VERSION, **_columns(webhook)}
        await self._tables.put(TABLE, row)

    async def ended(self, id_: str, failure: str, on: datetime) -> None:
        """Notes how the newest delivery ended, with `failure` empty where it arrived; nothing where it is gone."""

        def noted(before: Webhook | None) -> tuple[Webhook, None]:
            if before is None:
                raise NotFound("storage", "The webhook is gone.")
            return replace(before, failure=failure, failed_on=on if failure else None), None

        with suppress(NotFound):
            await self._rows.change(PARTITION, id_, noted)

    async def remove(self, id_: str) -> None:
        """Takes one away; one that is not there or cannot be read, too."""
        await self._tables.delete(TABLE, PARTITION, id_)


def _columns(webhook: Webhook) -> dict[str, Any]:
    columns = {
        "callback_url": webhook.callback_url,
        "by": well_formed(webhook.by),
        "since": stamp(webhook.since),
        "state": webhook.state.value if webhook.state is not None else None,
        "cause": webhook.cause,
        "provider": well_formed(webhook.provider) if webhook.provider is not None else None,
        "failure": well_formed(cut(webhook.failure, _FAILURE_UNITS)) or None,
        "failed_on": stamp(webhook.failed_on) if webhook.failed_on is not None else None,
    }
    return {name: value for name, value in columns.items() if value is not None}


def _webhook(row: Mapping[str, Any]) -> Webhook:
    read = Reader(row)
    read.version(SCHEMA_VERSION)
    texts = {name: read.text(name) or "" for name in _TEXTS}
    missing = next((name for name, text in texts.items() if not text), None)
    if missing is not None:
        raise read.fault(missing, "is missing")
    return Webhook(
        id=str(row["RowKey"]),
        **texts,
        since=read.moment("since"),
        state=read.choice("state", State) if "state" in row else None,
        cause=read.text("cause"),
        provider=read.text("provider"),
        failure=read.text("failure") or "",
        failed_on=read.moment("failed_on") if "failed_on" in row else None,
    )
