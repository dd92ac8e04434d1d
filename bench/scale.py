"""A model of what the app costs in a month, and of which limit binds first, for four sizes of environment.

Requests are counted (bench/counting.py). Prices, shares and durations are inputs below: change them to your own.
Prices are list prices as remembered, in US dollars, and were not checked against a live price list.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from bench.counting import Counted

DAYS = 30
MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices of a pay-as-you-go region, remembered on `as_of`; check yours."""

    as_of: str = "2026-11"
    flex_gb_second: float = 0.000026
    flex_million_executions: float = 0.40
    flex_free_gb_seconds: int = 100_000
    flex_free_executions: int = 250_000
    tables_10k_operations: float = 0.00036
    queues_10k_operations: float = 0.004
    tables_gb_month: float = 0.0563
    logs_gb: float = 2.30
    alert_rule_month: float = 1.50
    private_endpoint_month: float = 7.30
    private_zone_month: float = 0.50


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What nobody counted here; each is a guess to be replaced by what your own telemetry shows."""

    stuck_each_month: float = 0.01
    """Changes that get stuck and can be freed, as a part of all subscriptions."""
    open_at_once: float = 0.002
    """Cases that wait for a person or a date at any time, as a part of all subscriptions."""
    months_kept: int = 12
    """How long cases stay in the tables: nothing deletes them."""
    seconds_of_a_tick: float = 1.5
    seconds_of_a_message: float = 8.0
    seconds_of_a_case: float = 0.03
    """On top of its message's: the provider's answers and the tables'."""
    log_bytes_of_an_execution: int = 4_000
    log_bytes_of_a_case: int = 10_000
    polls_of_a_queue_each_minute: int = 6
    queues: int = 6
    alert_rules: int = 8
    private_endpoints: int = 3
    """Blob, queue and table; a fourth for the key vault."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What others allow. Dataverse's and Partner Center's are their documented defaults."""

    dataverse_requests_in_5_minutes: int = 6_000
    dataverse_requests_a_day: int = 40_000
    provider_requests_a_minute: int = 500
    table_partition_operations_a_second: int = 2_000


@dataclass(frozen=True, slots=True)
class Size:
    """An environment and the settings that suit it."""

    subscriptions: int
    sweep_minutes: int
    wake_minutes: int
    look_again_seconds: int
    maximum_instances: int
    memory_mb: int
    changes_per_hour: int


SIZES = (
    Size(1_000, 5, 1, 1_800, 40, 2_048, 50),
    Size(10_000, 5, 1, 1_800, 40, 2_048, 100),
    Size(100_000, 5, 1, 1_800, 40, 2_048, 200),
    Size(1_000_000, 10, 2, 3_600, 100, 4_096, 600),
)


@dataclass(frozen=True, slots=True)
class Month:
    """What one month of a size needs."""

    size: Size
    open_cases: int
    stuck: int
    looks: float
    executions: float
    gb_seconds: float
    table_operations: float
    queue_operations: float
    stored_gb: float
    logs_gb: float
    dataverse_a_day: float
    dataverse_in_5_minutes: float
    provider_a_minute: float
    index_operations_a_second: float

    def cost(self, prices: Prices, assumed: Assumptions) -> dict[str, float]:
        """US dollars, by what they are paid for."""
        return {
            "execution": max(0.0, self.gb_seconds - prices.flex_free_gb_seconds) * prices.flex_gb_second
            + max(0.0, self.executions - prices.flex_free_executions) / 1e6 * prices.flex_million_executions,
            "storage": self.table_operations / 1e4 * prices.tables_10k_operations
            + self.queue_operations / 1e4 * prices.queues_10k_operations
            + self.stored_gb * prices.tables_gb_month,
            "logs": self.logs_gb * prices.logs_gb,
            "alerts": assumed.alert_rules * prices.alert_rule_month,
        }

    def total(self, prices: Prices, assumed: Assumptions, *, private: bool) -> float:
        """US dollars, with or without a private network."""
        each = prices.private_endpoint_month + prices.private_zone_month
        return sum(self.cost(prices, assumed).values()) + (assumed.private_endpoints * each if private else 0)

    def use_of(self, limits: Limits) -> dict[str, float]:
        """The part of each limit that is used: above 1 it binds."""
        return {
            "Dataverse, 5 minutes": self.dataverse_in_5_minutes / limits.dataverse_requests_in_5_minutes,
            "Dataverse, a day": self.dataverse_a_day / limits.dataverse_requests_a_day,
            "Partner Center, a minute": self.provider_a_minute / limits.provider_requests_a_minute,
            "index partition, a second": self.index_operations_a_second / limits.table_partition_operations_a_second,
        }


def month(size: Size, counted: Counted, assumed: Assumptions) -> Month:
    """The model."""
    seconds = DAYS * DAY
    sweeps, wakes = seconds / (size.sweep_minutes * MINUTE), seconds / (size.wake_minutes * MINUTE)
    open_cases = ceil(size.subscriptions * assumed.open_at_once)
    stuck = ceil(size.subscriptions * assumed.stuck_each_month)
    looks = open_cases * seconds / size.look_again_seconds
    # One message for each tick that finds something, more where a message is full.
    look_messages = min(looks, wakes) + looks / 500
    waves = min(stuck, sweeps) + stuck / 500
    messages = look_messages + waves * counted.retrigger.messages * counted.stuck
    busy = messages * assumed.seconds_of_a_message + (looks + stuck) * assumed.seconds_of_a_case
    executions = sweeps + wakes + messages
    gb_seconds = ((sweeps + wakes) * assumed.seconds_of_a_tick + busy) * size.memory_mb / 1_024
    # A sweep reads the whole list of open cases: a request for each thousand.
    tables = sweeps * (counted.sweep.tables + open_cases / 1_000) + wakes + looks * counted.look.tables
    tables += stuck * counted.retrigger.tables
    polls = assumed.queues * assumed.polls_of_a_queue_each_minute * seconds / MINUTE
    per_look, per_wave = (each.dataverse_parts * counted.stuck for each in (counted.look, counted.retrigger))
    dataverse = sweeps * counted.sweep.dataverse_parts + look_messages * per_look + waves * per_wave
    at_once = ceil((open_cases + size.changes_per_hour) / 500)
    return Month(
        size=size,
        open_cases=open_cases,
        stuck=stuck,
        looks=looks,
        executions=executions,
        gb_seconds=gb_seconds,
        table_operations=tables,
        queue_operations=polls + 3 * messages,
        stored_gb=(stuck + open_cases) * assumed.months_kept * counted.stored_bytes / 1e9,
        logs_gb=(executions * assumed.log_bytes_of_an_execution + (looks + stuck) * assumed.log_bytes_of_a_case) / 1e9,
        dataverse_a_day=dataverse / DAYS,
        # After an outage everything is due at once, and an hour's changes may be written in five minutes.
        dataverse_in_5_minutes=at_once * per_look + size.changes_per_hour * counted.retrigger.dataverse_parts,
        provider_a_minute=looks * counted.look.provider / (seconds / MINUTE),
        index_operations_a_second=(looks * counted.look.tables + stuck * counted.retrigger.tables) / seconds,
    )


def report(counted: Counted) -> str:
    """The tables of docs/scale.md, as Markdown."""
    assumed, prices, limits = Assumptions(), Prices(), Limits()
    months = [month(size, counted, assumed) for size in SIZES]
    return "\n\n".join(
        "\n".join(table)
        for table in (
            _counts(counted),
            _needs(months),
            _costs(months, prices, assumed),
            _uses(months, limits),
            _settings(),
        )
    )


def _counts(counted: Counted) -> Iterator[str]:
    yield "| counted, for one of each | Dataverse | of them inside $batch | provider | tables | messages |"
    yield "|---|---|---|---|---|---|"
    kinds = (
        ("a sweep and a tick of wake, nothing found", counted.sweep),
        ("a stuck change, from found to resolved", counted.retrigger),
        ("an open case, looked at again", counted.look),
    )
    for name, each in kinds:
        values = (each.dataverse, each.dataverse_parts, each.provider, each.tables, each.messages)
        yield f"| {name} | {' | '.join(f'{value:g}' for value in values)} |"


def _needs(months: list[Month]) -> Iterator[str]:
    yield (
        "| subscriptions | open cases | stuck in a month | looks | executions | GB-seconds | table operations | "
        "stored in a year |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for each in months:
        numbers = (each.open_cases, each.stuck, each.looks, each.executions, each.gb_seconds, each.table_operations)
        rounded = " | ".join(_round(number) for number in numbers)
        yield f"| {each.size.subscriptions:,} | {rounded} | {each.stored_gb * 1_000:.0f} MB |"


def _costs(months: list[Month], prices: Prices, assumed: Assumptions) -> Iterator[str]:
    names = list(months[0].cost(prices, assumed))
    yield f"| subscriptions | {' | '.join(names)} | USD a month | with a private network |"
    yield "|---" * (len(names) + 3) + "|"
    for each in months:
        parts = " | ".join(f"{value:.2f}" for value in each.cost(prices, assumed).values())
        totals = " | ".join(f"{each.total(prices, assumed, private=private):.0f}" for private in (False, True))
        yield f"| {each.size.subscriptions:,} | {parts} | {totals} |"


def _uses(months: list[Month], limits: Limits) -> Iterator[str]:
    names = list(months[0].use_of(limits))
    yield f"| subscriptions | {' | '.join(names)} |"
    yield "|---" * (len(names) + 1) + "|"
    for each in months:
        yield f"| {each.size.subscriptions:,} | {' | '.join(f'{v:.1%}' for v in each.use_of(limits).values())} |"


def _settings() -> Iterator[str]:
    yield (
        "| subscriptions | `SWEEP_SCHEDULE` | `WAKE_SCHEDULE` | `UNSTUCK_LOOK_AGAIN_SECONDS` | "
        "`scale.maximumInstances` | `scale.instanceMemoryMB` | `caps_per_hour.changes` |"
    )
    yield "|---|---|---|---|---|---|---|"
    for size in SIZES:
        numbers = (size.look_again_seconds, size.maximum_instances, size.memory_mb, size.changes_per_hour)
        schedules = f"`0 */{size.sweep_minutes} * * * *` | `30 */{size.wake_minutes} * * * *`"
        yield f"| {size.subscriptions:,} | {schedules} | {' | '.join(map(str, numbers))} |"


def _round(number: float) -> str:
    """Three digits that mean something: the rest would be feigned."""
    if number < 1_000:
        return f"{number:.0f}"
    step = 10 ** (len(str(int(number))) - 3)
    return f"{round(number / step) * step:,.0f}"
