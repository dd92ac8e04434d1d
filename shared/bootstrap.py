"""Builds the app once per process: settings, adapters, and the context that every workflow step takes.

`app()` is what entrypoints use. Tests build a Context of fakes and hand it to the workflow directly.
"""

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from shared.adapters.dataverse.client import Dataverse
from shared.adapters.identity import ClientSecret, Credential, ManagedIdentity, TokenSource
from shared.adapters.notifier import WebhookCallbacks, notifier_for
from shared.adapters.partner_center.client import Limits, PartnerCenter
from shared.adapters.partner_center.provider import NoProvider, PartnerCenterProvider
from shared.adapters.policy_source import PolicySource
from shared.adapters.queues import StorageQueues
from shared.adapters.resting_provider import RestingProvider
from shared.adapters.tables.alarms import TableAlarms
from shared.adapters.tables.breakers import TableBreakers
from shared.adapters.tables.budgets import TableLimits
from shared.adapters.tables.client import Tables
from shared.adapters.tables.holds import TableHolds
from shared.adapters.tables.idempotency import TableIdempotencyKeys
from shared.adapters.tables.operations import TableOperations
from shared.adapters.tables.pauses import TableMutes, TablePauses
from shared.adapters.tables.store import TableCaseStore
from shared.adapters.tables.webhooks import TableWebhooks
from shared.adapters.telemetry import telemetry_for
from shared.adapters.watched_breakers import WatchedBreakers
from shared.adapters.web.transport import HttpTransport
from shared.adapters.work365 import schema
from shared.adapters.work365.work365 import DataverseWork365
from shared.domain.policy import Policy
from shared.errors import SettingsError
from shared.ports import Breakers, Clock, IdempotencyKeys, NoTelemetry, Operations, Provider, Telemetry
from shared.settings import Settings, load
from shared.workflow.context import Context

PRODUCT = "unstuck/0.1"
POLICY_READ_SECONDS = 10.0
"""How long the policy file may take to be read before the app stops writing."""

PARTNER_CENTER_SCOPE = "https://api.partnercenter.microsoft.com/.default"

PATIENCE_SECONDS = 8.0


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class App:
    """One process's app. It starts with wrong settings, too, so that its health page can say what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._settings: Settings | None = None
        self._context: Context | None = None
        self._policy: PolicySource | None = None
        self._reading: asyncio.Future[Policy] | None = None
        self._kept: Tables | None = None
        self._building = asyncio.Lock()
        try:
            self._settings = load(environ)
        except SettingsError as error:
            self.problems = error.problems

    @property
    def settings(self) -> Settings:
        """Raises SettingsError naming every problem."""
        if self._settings is None:
            raise SettingsError(self.problems)
        return self._settings

    async def context(self) -> Context:
        """The context with the policy as its file says it now: asked for at the beginning of each step.

        It is built at the first call. Raises SettingsError when settings or the schema map are wrong; an invalid
        policy raises nothing, since the app goes on in observe mode and says so.
        """
        settings = self.settings
        async with self._building:
            if self._context is None or self._policy is None:
                self._context = build(settings)
                self._policy = PolicySource(settings.UNSTUCK_POLICY, settings.policy)
        policy = await self._current(self._policy)
        if policy is not self._context.policy:
            self._context = _under(self._context, policy)
        return self._context

    async def _current(self, source: PolicySource) -> Policy:
        """The file may be on a share that hangs: then the app goes on in observe mode, and all wait for one reading."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(asyncio.to_thread(source.current))
        try:
            return await asyncio.wait_for(asyncio.shield(self._reading), POLICY_READ_SECONDS)
        except TimeoutError:
            return source.too_slow(POLICY_READ_SECONDS)

    def idempotency_keys(self) -> IdempotencyKeys:
        """Answers that are kept for whoever asks again. Raises SettingsError."""
        return TableIdempotencyKeys(self._tables())

    def operations(self) -> Operations:
        """Work that takes longer than a request may. Raises SettingsError."""
        return TableOperations(self._tables())

    @property
    def patience_seconds(self) -> float:
        """How long a request may take before its work is handed to the queue: answers come within ten seconds."""
        return PATIENCE_SECONDS

    def _tables(self) -> Tables:
        if self._kept is None:
            self._kept = _storage(self.settings, NoTelemetry())[0]
        return self._kept


def _under(context: Context, policy: Policy) -> Context:
    """The same adapters under another policy. The provider rests as the policy says, so it must know."""
    provider = context.provider
    if isinstance(provider, RestingProvider):
        provider = provider.under(policy.breaker)
    return replace(context, policy=policy, provider=provider)


@cache
def app() -> App:
    """This process's app."""
    return App(os.environ)


def build(settings: Settings) -> Context:
    """The real adapters for these settings. Nothing is connected to yet."""
    # Both log every request: a line for each storage operation, and addresses with ids of customers in them.
    for chatty in ("azure", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    clock = SystemClock()
    telemetry = _telemetry(settings)
    transport = HttpTransport()
    dataverse = Dataverse(
        settings.DATAVERSE_URL,
        tokens=TokenSource(f"{settings.DATAVERSE_URL}/.default", _credential(settings, "DATAVERSE")),
        transport=transport,
        product=PRODUCT,
        telemetry=telemetry,
    )
    work365 = DataverseWork365(
        dataverse,
        schema.load(settings.WORK365_SCHEMA_MAP),
        clock,
        settings.WORK365_TIME_ZONE,
        settings.WORK365_RUN_JOB,
    )
    tables, queues = _storage(settings, telemetry)
    breakers = WatchedBreakers(TableBreakers(tables), telemetry)
    return Context(
        work365=work365,
        provider=_provider(settings, transport, clock, breakers, telemetry),
        store=TableCaseStore(tables, clock),
        limits=TableLimits(tables),
        breakers=breakers,
        pauses=TablePauses(tables),
        mutes=TableMutes(tables),
        holds=TableHolds(tables),
        alarms=TableAlarms(tables),
        queues=queues,
        notifier=notifier_for(settings.NOTIFY_WEBHOOK_URL),
        webhooks=TableWebhooks(tables),
        callbacks=WebhookCallbacks(settings.UNSTUCK_WEBHOOK_HOSTS),
        clock=clock,
        policy=settings.policy,
        organization_id=settings.DATAVERSE_ORGANIZATION_ID,
        telemetry=telemetry,
    )


def _telemetry(settings: Settings) -> Telemetry:
    return telemetry_for(
        app_insights=settings.APPLICATIONINSIGHTS_CONNECTION_STRING,
        identity=settings.MANAGED_IDENTITY_CLIENT_ID,
        collector=settings.OTEL_EXPORTER_OTLP_ENDPOINT,
        console=settings.UNSTUCK_TELEMETRY_CONSOLE,
        logs=settings.PYTHON_ENABLE_OPENTELEMETRY,
    )


def _credential(settings: Settings, prefix: str) -> Credential:
    secret = getattr(settings, f"{prefix}_CLIENT_SECRET")
    if secret:
        tenant, client = getattr(settings, f"{prefix}_TENANT_ID"), getattr(settings, f"{prefix}_CLIENT_ID")
        return ClientSecret(tenant, client, secret)
    return ManagedIdentity(settings.MANAGED_IDENTITY_CLIENT_ID)


def _provider(
    settings: Settings, transport: HttpTransport, clock: Clock, breakers: Breakers, telemetry: Telemetry
) -> Provider:
    if settings.PARTNER_CENTER_URL is None:
        return NoProvider(clock)
    tokens = TokenSource(PARTNER_CENTER_SCOPE, _credential(settings, "PARTNER_CENTER"))
    center = PartnerCenter(
        settings.PARTNER_CENTER_URL,
        tokens=tokens,
        transport=transport,
        product=PRODUCT,
        limits=Limits(per_minute=settings.PARTNER_CENTER_REQUESTS_PER_MINUTE),
        telemetry=telemetry,
    )
    return RestingProvider(PartnerCenterProvider(center, clock), breakers, clock, settings.policy.breaker)


def _storage(settings: Settings, telemetry: Telemetry) -> tuple[Tables, StorageQueues]:
    connection_string, account = settings.AzureWebJobsStorage, settings.AzureWebJobsStorage__accountName
    if connection_string:
        queues = StorageQueues.connect(connection_string, traceparent=telemetry.traceparent)
        return Tables.connect(connection_string), queues
    from azure.identity.aio import ManagedIdentityCredential  # slow to import, and not needed with a key

    credential = ManagedIdentityCredential(client_id=settings.MANAGED_IDENTITY_CLIENT_ID)
    return (
        Tables.sign_in(f"https://{account}.table.core.windows.net", credential),
        StorageQueues.sign_in(
            f"https://{account}.queue.core.windows.net", credential, traceparent=telemetry.traceparent
        ),
    )
