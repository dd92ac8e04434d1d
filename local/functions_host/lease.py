"""One host at a time: a lease in a table, where the real host leases a blob.

An entity says who holds a timer and until when. Taking it over is a write against the ETag that was read, so of
two hosts that find it expired only one gets it. The clocks of the hosts must agree within a few seconds; here
they are one clock.
"""

import asyncio
import contextlib
import logging
import time
import uuid

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

TABLE = "hostlocks"
_LONGEST_PAUSE = 5.0

_log = logging.getLogger("host.lease")


class Lease:
    """The right of one host to run one timer."""

    def __init__(self, table: TableClient, host_id: str, name: str, seconds: float) -> None:
        self._table = table
        self._partition, self._row = host_id, name
        self._seconds = seconds
        self._owner = str(uuid.uuid4())
        self.taken = asyncio.Event()  # set once it was ours for the first time
        self._valid_until = 0.0  # monotonic: a host that slept too long must not think it still has it

    @property
    def held(self) -> bool:
        return time.monotonic() < self._valid_until

    async def keep(self) -> None:
        """Take it when it is free and renew it at a third of its time, until cancelled."""
        while True:
            asked = time.monotonic()
            try:
                if await self._take():
                    self._valid_until = asked + self._seconds
                    self.taken.set()
            except AzureError as error:
                _log.warning("cannot renew the lease of %s: %s", self._row, error.message)
            await asyncio.sleep(min(_LONGEST_PAUSE, self._seconds / 3))

    async def release(self) -> None:
        """Give it up, so that another host need not wait for its end."""
        if self.held:
            self._valid_until = 0.0
            with contextlib.suppress(AzureError):
                await self._table.delete_entity(self._partition, self._row)

    async def _take(self) -> bool:
        try:
            found = await self._table.get_entity(self._partition, self._row)
        except ResourceNotFoundError:
            return await self._create()
        if found["Owner"] != self._owner and found["Until"] > time.time():
            return False
        try:
            await self._table.update_entity(
                self._entity(),
                mode=UpdateMode.REPLACE,
                etag=found.metadata["etag"],
                match_condition=MatchConditions.IfNotModified,
            )
        except (ResourceModifiedError, ResourceNotFoundError):  # another host was faster
            return False
        return True

    async def _create(self) -> bool:
        try:
            await self._table.create_entity(self._entity())
        except ResourceExistsError:
            return False
        except ResourceNotFoundError:  # no table yet: there will be one at the next try
            with contextlib.suppress(ResourceExistsError):
                await self._table.create_table()
            return await self._take()
        return True

    def _entity(self) -> TableEntity:
        return TableEntity(
            PartitionKey=self._partition,
            RowKey=self._row,
            Owner=self._owner,
            Until=time.time() + self._seconds,
        )
