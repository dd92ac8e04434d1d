"""Loading a built world into an environment that is empty."""

from local.dataverse.records import Records
from local.partner_center.model import MICROSOFT_CSP
from local.partner_center.provider import Provider
from local.work365_engine.options import EngineOptions
from local.worlds.built import Built, Row
from local.worlds.identities import ADMIN_USER_ID
from local.worlds.model import World


def seed_rows(built: Built, records: Records) -> None:
    """All rows at once, without telling listeners: they were there before anybody looked."""
    for table, rows in built.tables.items():
        ready = [_named(row, records) for row in rows] if table == "workflow" else rows
        records.create_many(table, ready, by=ADMIN_USER_ID)
    for user_id, roles in built.roles.items():
        for role in roles:
            records.grant_role(user_id, role)


def _named(workflow: Row, records: Records) -> Row:
    """A workflow with the name that the environment has for the table it works on."""
    return {**workflow, "primary_entity": records.schema.table(workflow["primary_entity"]).logical}


def seed_provider(built: Built, provider: Provider) -> None:
    """Customers, what they have, and what the provider refuses."""
    for customer in built.customers.values():
        if customer.tenant_id not in built.unknown_tenants:
            # A customer of nothing but manual providers could buy at Microsoft's all the same.
            connector = customer.connector or MICROSOFT_CSP
            provider.add_customer(customer.tenant_id, customer.name, connector, customer.relationship)
    for subscription in built.provider_subscriptions:
        provider.add_subscription(subscription)
    provider.rules += built.refusals


def engine_options(world: World, built: Built, cycle_seconds: float) -> EngineOptions:
    """Work 365 as this world has it set up. Whether its workflow is on stands in its row."""
    return EngineOptions(
        cycle_seconds=cycle_seconds,
        time_zone=world.work365.time_zone,
        plugin_touch=world.work365.plugin_touch,
        quirks=dict(built.quirks),
        stuck_jobs={job.name for job in world.work365.scheduled_jobs if job.stuck},
    )
