"""Spans, metrics and the log, sent to whoever watches the app. Where nobody does, OpenTelemetry is not imported."""

from functools import cache

from shared.ports import NoTelemetry, Telemetry


@cache
def telemetry_for(
    *, app_insights: str | None, identity: str | None, collector: str | None, console: bool, logs: bool
) -> Telemetry:
    """This process's telemetry for these settings, made once. Connects to nobody yet.

    `app_insights` is a connection string and `identity` the client id of the managed identity that signs in there,
    None for the system's; `collector` is the address of an OTLP collector; `logs` whether the log is sent, too.
    """
    if not (app_insights or collector or console):
        return NoTelemetry()
    from shared.adapters.telemetry.exporters import destinations  # slow to import, so only where it is used
    from shared.adapters.telemetry.open_telemetry import OpenTelemetry

    watchers = destinations(app_insights=app_insights, identity=identity, collector=collector, console=console)
    return OpenTelemetry.sending_to(watchers, logs=logs)
