"""Rows of what all subscriptions of a world share: users, workflows, scheduled jobs, providers, products, money."""

from datetime import datetime, timedelta

from local.work365_engine.options import DISPATCH_WORKFLOW, TRIGGER_WORKFLOW
from local.worlds.built import Built
from local.worlds.identities import USERS, WORK365_APPLICATION_IDS, WORK365_USER_ID, row_id
from local.worlds.model import World
from local.worlds.surroundings import Process, Provider

# How Dataverse's process table marks a classic workflow that is a definition.
_WORKFLOW, _DEFINITION = 0, 1


def add_surroundings(built: Built, world: World, now: datetime) -> None:
    """All of them, and what the providers refuse."""
    _add_users(built, world)
    _add_processes(built, world, now)
    for job in world.work365.scheduled_jobs:
        built.add(
            "scheduled_job",
            {
                "id": row_id(world.name, "scheduled-job", job.name),
                "name": job.name,
                "enabled": job.enabled,
                "last_run_on": now + job.last_run if job.last_run is not None else None,
                "next_run_on": now + job.next_run if job.next_run is not None else None,
                "last_result": job.result,
            },
        )
    for key, provider in world.providers.items():
        built.add("provider", _provider_row(world, key, provider, now))
        if provider.refuses:
            until = now + provider.refuses.lasts if provider.refuses.lasts is not None else None
            built.refusals.append(provider.refuses.rule(provider_name=provider.name, until=until))
    _add_products(built, world)


def _add_users(built: Built, world: World) -> None:
    service = world.work365.service_user
    users = ((WORK365_USER_ID, "Work 365", WORK365_APPLICATION_IDS[world.work365.region], service.roles), *USERS)
    for user_id, name, application_id, roles in users:
        disabled = user_id == WORK365_USER_ID and not service.enabled
        row = {"id": user_id, "name": name, "application_id": application_id, "is_disabled": disabled}
        built.add("system_user", row)
        built.roles[user_id] = roles


def _add_processes(built: Built, world: World, now: datetime) -> None:
    trigger = Process(name=TRIGGER_WORKFLOW, state="activated" if world.work365.workflow_on else "draft")
    processes = {each.name: each for each in (trigger, Process(name=DISPATCH_WORKFLOW))}
    copies = [each for each in world.work365.workflows if each.name not in processes]
    processes |= {each.name: each for each in world.work365.workflows if each.name in processes}
    for number, process in enumerate((*processes.values(), *copies)):
        built.add(
            "workflow",
            {
                "id": row_id(world.name, "workflow", process.name, number),
                "name": process.name,
                "category": _WORKFLOW,
                "type": _DEFINITION,
                # The key of the table: what Dataverse calls it is known where it is loaded.
                "primary_entity": "work365_job" if process.name == DISPATCH_WORKFLOW else "license_change_log",
                "state": process.state,
                "modified_on": now + process.modified,
            },
        )


def _provider_row(world: World, key: str, provider: Provider, now: datetime) -> dict[str, object]:
    return {
        "id": row_id(world.name, "provider", key),
        "name": provider.name,
        "type": provider.type,
        "connector": provider.connector,
        "last_verified_on": _when(now, provider.verified),
        "connectivity": provider.connectivity,
        "consent_on": _when(now, provider.consent),
        "state": "active" if provider.active else "inactive",
    }


def _add_products(built: Built, world: World) -> None:
    currency = world.work365.currency
    built.add("currency", {"id": row_id(world.name, "currency", currency), "name": currency, "iso_code": currency})
    built.add("price_list", {"id": row_id(world.name, "price-list"), "name": f"Price list {currency}"})
    for key, product in world.products.items():
        row = {"name": product.name, "provider_part_number": product.part_number}
        state = "active" if product.active else "inactive"
        built.add("product", {"id": row_id(world.name, "product", key), **row, "state": state})


def _when(now: datetime, moment: timedelta | None) -> datetime | None:
    return now + moment if moment is not None else None
