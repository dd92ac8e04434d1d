"""What generated requests are fed with: real ids, digests, versions and cursors, learned from the app's own answers.

Made up ids end in a 404 at the door. With real ones a request gets to the code behind it.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from local.dataverse.records import ORGANIZATION_ID
from shared.domain.actions import ACTIONS
from shared.domain.causes import CAUSES
from shared.entrypoints.actions import ASKED_FOR
from tests.host.app_kit import App

KEPT = 200
"""Values of one kind that are remembered: the newest."""

FLOWS = 20
"""Addresses that may subscribe: the place where this town hears all other news, too."""

SOON_SECONDS = 300
"""What pauses something is over before the run is: everything else would be held back for good."""

# What stands in a list or in a field is what its name says; `id` is what it is an id of.
_ID_OF = {
    "cases": "case_id",
    "approvals": "case_id",
    "sweeps": "sweep_id",
    "pauses": "pause_id",
    "mutes": "mute_id",
    "webhooks": "webhook_id",
}
_MEANS = {
    **{name: name for name in ("subscription_id", "change_id", "cause", "assignee")},
    "next_cursor": "cursor",
    "customer_name": "customer",
    "provider_name": "provider",
}

PLAIN = ("Called the customer.", "  x  ", "=1+1", "<b>&amp;", "a\nb\tc", "'; drop", "%00%2f", "{0} {x} %s")
"""Texts that are taken everywhere."""

TEXTS = (
    *PLAIN,
    *("\u202eevitagen\u202c", "\U0001f469\u200d\U0001f4bb", "\x00", "x\x00y", "\ud800", "\ufeff"),
    *("\u00e9" * 150, "x" * 500, "x" * 2_001, ""),
)
"""Texts that have gone wrong somewhere, some time."""


class Known:
    """Real values by what they mean."""

    def __init__(self, app: App) -> None:
        self._values: dict[str, dict[str, None]] = defaultdict(dict)
        self._digest: dict[str, str] = {}
        self._etag: dict[str, str] = {}
        for number in range(FLOWS):
            self.add("callback_url", f"{app.cloud.urls['control']}/notifications?flow={number}")
        built = app.cloud.ask(lambda cloud: cloud.environment.built)
        for means, table in (("subscription_id", "subscription"), ("change_id", "license_change_log")):
            for row in built.tables[table]:
                self.add(means, row["id"])
        for means, table in (("provider_row", "provider"), ("customer_row", "account")):
            for row in built.tables[table]:
                self.add(means, row["id"])
        for tenant in built.customers:
            self.add("tenant_id", tenant)

    def add(self, means: str, value: str) -> None:
        """Remembers a value as the newest of its kind."""
        kept = self._values[means]
        kept.pop(value, None)
        kept[value] = None
        if len(kept) > KEPT:
            del kept[next(iter(kept))]

    def learn(self, path: Mapping[str, Any], etag: str | None, answer: object) -> None:
        """Remembers what an answer names. `path` are the parameters of the request's path."""
        if etag is not None and "case_id" in path:
            self._etag[str(path["case_id"])] = etag
        self._walk(answer, "", str(path.get("case_id", "")))

    def _walk(self, tree: object, within: str, case_id: str) -> None:
        match tree:
            case dict():
                case_id = self._of_case(tree, case_id)
                self._named(tree, within)
                for name, value in tree.items():
                    self._walk(value, str(name), case_id)
            case list():
                for each in tree:
                    self._walk(each, within, case_id)

    def _of_case(self, tree: Mapping[str, Any], case_id: str) -> str:
        """Which case this is about, with the digest of its plan."""
        case_id = str(tree["id"] if "subscription_id" in tree and "id" in tree else tree.get("case_id", case_id))
        if isinstance(plan := tree.get("plan"), dict):
            self._digest[case_id] = str(plan.get("digest", ""))
        if tree.get("state") == "awaiting_approval":
            self.add("awaits_approval", case_id)
        if tree.get("asked"):
            self.add("was_asked_for", case_id)
        return case_id

    def _named(self, tree: Mapping[str, Any], within: str) -> None:
        for name, value in tree.items():
            if isinstance(value, str) and value and (means := _MEANS.get(name)):
                self.add(means, value)
        if isinstance(id_ := tree.get("id"), str):
            means = "hold_id" if within == "hold" else _ID_OF.get(within)
            means = means or ("operation_id" if tree.get("status") == "running" else None)
            if means is not None:
                self.add(means, id_)

    def pick(self, means: str, rng: random.Random) -> str | None:
        """One of the known values, somewhat more often the newest; None while there is none."""
        kept = list(self._values[means])
        if not kept:
            return None
        return kept[-1] if rng.random() < 0.2 else rng.choice(kept)

    def digest_of(self, case_id: str) -> str:
        """The plan of a case, as it was shown last."""
        return self._digest.get(case_id, "0" * 32)

    def etag_of(self, case_id: str) -> str | None:
        """The version of a case, as it was shown last."""
        return self._etag.get(case_id)


def soon(rng: random.Random) -> str:
    """A time with a zone, mostly a little later than now."""
    moment = datetime.now(UTC) + timedelta(seconds=rng.randrange(-5, SOON_SECONDS))
    return rng.choice([moment.isoformat(), f"{moment:%Y-%m-%dT%H:%M:%S}Z", moment.isoformat() + "Z", str(moment)])


def _wish(known: Known, rng: random.Random, body: dict[str, Any]) -> None:
    """A pause or mute of something that there is; of everything only now and then."""
    targets = {
        "environment": ORGANIZATION_ID,
        "provider": known.pick("provider_row", rng),
        "customer": known.pick("customer_row", rng),
        "subscription": known.pick("subscription_id", rng),
        "cause": rng.choice([*CAUSES]),
    }
    if rng.random() < 0.05:
        targets["everything"] = ""
    body["scope"], body["target"] = rng.choice([*targets.items()])
    body["until"] = soon(rng)


def _flow(known: Known, rng: random.Random, body: dict[str, Any]) -> None:
    body["callback_url"] = known.pick("callback_url", rng)
    if rng.random() < 0.1:
        body["callback_url"] = rng.choice(["https://169.254.169.254/x", "http://10.0.0.4/", "https://a@b.example", ""])


def _diagnosis(known: Known, rng: random.Random, body: dict[str, Any]) -> None:
    name, other = rng.sample(["subscription_id", "change_id"], 2)
    body[name] = known.pick(name, rng)
    body.pop(other, None)


def _action(known: Known, rng: random.Random, body: dict[str, Any]) -> None:
    body["action"] = rng.choice(ASKED_FOR)
    values = {"number": rng.choice("0123x"), "provider_subscription_id": known.pick("subscription_id", rng) or ""}
    values["provisioned_on"] = rng.choice(["2026-11-20T14:30:00Z", "2026-11-20", soon(rng)])
    needed = {need.name for need in ACTIONS[body["action"]].needs}
    body["values"] = {name: value for name, value in values.items() if name in needed and rng.random() < 0.8}


def _decision(known: Known, rng: random.Random, body: dict[str, Any]) -> None:
    """A few at a time: the stock shall last."""
    wanted: dict[str, Any] = {
        "cause": known.pick("cause", rng),
        "provider": known.pick("provider", rng),
        "customer": known.pick("customer", rng),
        "created_before": soon(rng),
        "case_ids": [known.pick("case_id", rng) for _ in range(rng.randrange(4))],
    }
    body["filter"] = {name: value for name, value in wanted.items() if value is not None and rng.random() < 0.3}
    body["limit"] = rng.randrange(1, 4)


def _policy(known: Known, rng: random.Random, body: dict[str, Any]) -> None:
    odd: tuple[Any, ...] = (20, 0, -1, 10**400, True, None, "20", [], float("1e308"), {"name": {"x": [1]}})
    names = ("surge", "causes", "caps_per_hour", "quiet", "exemptions", "attempts", "approver_is_not_requester")
    body["policy"] = {name: rng.choice(odd) for name in rng.sample(names, rng.randrange(3))}


def _messages(known: Known, rng: random.Random, body: dict[str, Any]) -> None:
    body["messages"] = [{"text": rng.choice([*TEXTS, "AADSTS700082", "x" * 9_000])} for _ in range(rng.randrange(1, 4))]


ABOUT: Mapping[str, str] = {"Remediate": "awaits_approval", "WithdrawRequest": "was_asked_for"}
"""Which cases an operation is for."""

FILLED: Mapping[str, Callable[[Known, random.Random, dict[str, Any]], None]] = {
    "AddPause": _wish,
    "AddMute": _wish,
    "WhenACaseNeedsAPerson": _flow,
    "Diagnose": _diagnosis,
    "AskForAction": _action,
    "DecideStock": _decision,
    "ValidatePolicy": _policy,
    "ExplainMessages": _messages,
    "CheckProvider": lambda known, rng, body: body.update(tenant_id=known.pick("tenant_id", rng)),
}
"""What makes a body of an operation one that makes sense here."""
