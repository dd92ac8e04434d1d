"""A run of generated requests against the real app: who asks what, how often, and what came of it."""

import math
import random
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import batched

import requests
from schemathesis import GenerationMode

from shared.domain.role import Role
from tests.entrypoint_kit import BY_OPERATION
from tests.host.functions_host_kit import DEADLINE
from tests.host.generated_checks import Asked, complaints, of_requests
from tests.host.generated_report import Report
from tests.host.generated_requests import Case, Offered, each_of
from tests.host.generated_town import TOKENS, Town
from tests.host.generated_values import Known

AT_ONCE = 12
"""Requests of one operation by one role in a row, before others have their turn."""

NEEDS = {
    "WithdrawRequest": "AskForAction",
    "EndPause": "AddPause",
    "EndMute": "AddMute",
    "EndWebhook": "WhenACaseNeedsAPerson",
}
"""What has to be there before it can be taken back."""

MOST_TURNS = 20
"""More of them for an operation that nobody has got done so far."""

LOOKED_AT = ("/cases?limit=200", "/cases?limit=5", "/cases?state=resolved", "/approvals?limit=200")
"""Besides every list as it is without a query."""

FRESH_EVERY = 300
"""After so many requests the world moves on, and what is known is read again."""


class Run:
    """Sends requests as each of the roles, and looks at every answer."""

    def __init__(self, town: Town, seed: int) -> None:
        """The same seed draws the same requests."""
        self.known = Known(town.app)
        self.report = Report(seed)
        self._town = town
        self._lists: list[str] = []
        self._idle = False
        """Whether nothing but the next request can write anything: no message is left, hidden ones included."""
        self._session = requests.Session()
        self._session.trust_env = False

    def go(self, offers: Sequence[Offered], wanted: int) -> None:
        """At least so many requests, and each operation by each role at least once."""
        self._lists = [each.operation.path for each in offers if each.is_list]
        rng = random.Random(self.report.seed)  # noqa: S311  nothing is kept secret by it
        turns = list(self._turns(offers, wanted))
        rng.shuffle(turns)
        fresh_at = 0
        for offer, role, count in turns:
            if self.report.sent >= fresh_at:
                self._fresh()
                fresh_at += FRESH_EVERY
            self._turn(offer, role, count, rng)
        while self.report.sent < wanted:  # Hypothesis may find fewer than it was asked for
            offer, role, count = rng.choice(turns)
            self._turn(offer, role, count, rng)
        self._until_done(offers, rng)

    def _until_done(self, offers: Sequence[Offered], rng: random.Random) -> None:
        """Goes on until each was carried out once: else only its door was tried. One may need what others do."""
        for _ in range(MOST_TURNS):
            missing = [offer for offer in offers if offer.name not in self.report.done]
            if not missing:
                return
            self._fresh()
            for offer in offers:
                if offer in missing or offer.name in {NEEDS[each.name] for each in missing if each.name in NEEDS}:
                    self._turn(offer, Role.APPROVER, AT_ONCE, rng)

    def _fresh(self) -> None:
        """The world moves on, and what there is now is looked at."""
        self._idle = False
        self.known.add("operation_id", self._town.go_on())
        for path in (*self._lists, *LOOKED_AT):
            self.known.learn({}, None, self._town.ask("GET", path).json())

    def _turns(self, offers: Sequence[Offered], wanted: int) -> Iterator[tuple[Offered, Role, int]]:
        """Who asks for what how often: more where more can be said, and most by those who are let in."""
        shares = {
            (offer, role): offer.weight * (4 if _lets_in(offer, role) else 1) for offer in offers for role in Role
        }
        whole = sum(shares.values())
        for (offer, role), share in shares.items():
            for batch in batched(range(math.ceil(wanted * share / whole)), AT_ONCE, strict=False):
                yield offer, role, len(batch)

    def _turn(self, offer: Offered, role: Role, count: int, rng: random.Random) -> None:
        mode = rng.choice([GenerationMode.POSITIVE, *offer.modes])
        self._idle = self._idle or self._town.idle()
        each_of(offer, mode, self.known, count, rng.randrange(2**32), partial(self._send, offer, role, mode))

    def _send(self, offer: Offered, role: Role, mode: GenerationMode, case: Case) -> None:
        before = self._town.effects()
        headers = {"Authorization": f"Bearer {TOKENS[role]}"}
        response = case.call(f"{self._town.app.host.url}/api", self._session, headers, timeout=DEADLINE)
        done = of_requests(self._town.effects() - before) if self._idle else []
        asked = Asked(offer, role, mode, case, response, done)
        self.report.answers[offer.name, role, asked.status] += 1
        self.report.told += self._idle and asked.refused
        self._idle = self._idle and (asked.reads or asked.refused)
        for what in complaints(asked):
            self._note(what, asked)
        self._leaks(asked)
        if asked.status < 300:
            self.known.learn(case.path_parameters, asked.header("etag"), asked.json())

    def _leaks(self, asked: Asked) -> None:
        text = asked.response.content.decode("utf-8", "replace") + str(asked.response.headers)
        for what, secret in {**self._town.app.secrets(), **{f"token of {r}": t for r, t in TOKENS.items()}}.items():
            if secret in text:
                self._note(f"{what} in an answer", asked)

    def _note(self, what: str, asked: Asked) -> None:
        text = asked.response.content.decode("utf-8", "replace")[:600]
        curl = f"as {asked.role}, {asked.mode.value}: {asked.case.as_curl_command()[:1_500]}"
        self.report.note(f"{asked.offer.name}: {what}", curl, f"{asked.status} {text}")


def _lets_in(offer: Offered, role: Role) -> bool:
    needs = BY_OPERATION[offer.name].role
    return needs is None or role.holds(needs)
