"""The app settings that the local stack gives to the app: the same names as on Azure, with times of seconds."""

from collections.abc import Mapping
from pathlib import Path

# Work 365 runs its jobs every second here, so what takes quarters of an hour there takes seconds.
_TIMES = {
    "WORK365_JOB_CYCLE_SECONDS": "2",
    "UNSTUCK_GRACE_SECONDS": "1",
    "UNSTUCK_STABLE_SECONDS": "2",
    # Each look asks Partner Center about each customer, and it allows the whole partner 500 requests a minute.
    "UNSTUCK_LOOK_AGAIN_SECONDS": "15",
    "UNSTUCK_ACTION_LIMIT_SECONDS": "20",
    "UNSTUCK_PROVIDER_LAG_SECONDS": "1",
    # Not shortened as much: the worlds have jobs that are slow but alive, on slow machines too.
    "UNSTUCK_JOB_NORMAL_SECONDS": "600",
    # How long a queue that was empty may be left alone; host.json says what suits a day's work.
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.5",
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:01",
    "SWEEP_SCHEDULE": "*/5 * * * * *",
    "WAKE_SCHEDULE": "* * * * * *",
}


POLICY = Path(__file__).with_name("policy.json")
"""Limits for a town in which a year's trouble comes at once; the defaults are in docs/policy.md."""


class SettingRefused(Exception):
    """A setting on the command line that is none; the message says what it should look like."""


def app_settings(
    cloud: Mapping[str, str], storage: str, time_zone: str, mode: str, others: Mapping[str, str]
) -> dict[str, str]:
    """All app settings. `cloud` is what the cloud said when it was ready; `others` win over everything."""
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": storage,
        "UNSTUCK_MODE": mode,
        "UNSTUCK_ATTEMPTS": "2",
        "UNSTUCK_POLICY": str(POLICY),
        "DATAVERSE_URL": cloud["dataverse"],
        "DATAVERSE_ORGANIZATION_ID": cloud["organization_id"],
        "IDENTITY_ENDPOINT": f"{cloud['sign_in']}/msi/token",
        "IDENTITY_HEADER": cloud["identity_header"],
        "PARTNER_CENTER_URL": cloud["partner_center"],
        # Partner Center's own limit is for a day's work; minutes pass here in seconds.
        "PARTNER_CENTER_REQUESTS_PER_MINUTE": "30000",
        "WORK365_TIME_ZONE": time_zone,
        "WORK365_RUN_JOB": "next_cycle",
        # Nobody signs in to the local stack: whoever has its key may do everything.
        "UNSTUCK_KEYS_ALLOWED_AS": "Approver",
        "NOTIFY_WEBHOOK_URL": f"{cloud['control']}/notifications",
        **_TIMES,
        **others,
    }


def parse_settings(arguments: list[str]) -> dict[str, str]:
    """NAME=VALUE pairs from a command line. Raises SettingRefused."""
    pairs = [argument.partition("=") for argument in arguments]
    wrong = [argument for argument, (name, equals, _) in zip(arguments, pairs, strict=True) if not (name and equals)]
    if wrong:
        raise SettingRefused(f"--set {wrong[0]}: write NAME=VALUE, such as UNSTUCK_ATTEMPTS=1")
    return {name: value for name, _, value in pairs}
