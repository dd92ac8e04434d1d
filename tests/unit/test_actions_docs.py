"""docs/actions.md shows the catalogue of actions as it is."""

import re
from pathlib import Path

from shared.domain.action import Action
from shared.domain.actions import ACTIONS, OFFERED
from shared.domain.policy import Level

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "actions.md").read_text("utf-8")
BEGIN, END = "<!-- actions -->\n", "<!-- /actions -->"
HEADER = "| action | what it saves | asked for with | yes | risk | verified | undone |\n|---|---|---|---|---|---|---|"


def table() -> str:
    """The table that stands between the markers."""
    return "\n".join([HEADER, *(_row(action) for action in ACTIONS.values())]) + "\n"


def _row(action: Action) -> str:
    needs = "; ".join(f"`{need.name}`: {need.description} `{need.example}`" for need in action.needs) or "nothing"
    yes = "by policy" if action.freest is Level.AUTO else "always"
    cells = (f"`{action.name}`", action.changes, needs, yes, str(action.risk), action.verified, action.undone)
    return f"| {' | '.join(cells)} |"


def test_the_table_is_the_catalogue() -> None:
    shown = TEXT.partition(BEGIN)[2].partition(END)[0]
    assert shown == table(), "put what table() gives between the markers"


def test_what_causes_offer_is_named() -> None:
    offered = TEXT.partition("**Offered.**")[2].partition("**Asked for.**")[0]
    named = re.findall(r"`(\w+)`\s+(?:offers\s+)?(\w+)", offered)
    assert dict(named) == dict(OFFERED)


def test_every_page_of_a_cause_that_offers_one_leads_here() -> None:
    assert [cause for cause in OFFERED if "../actions.md" not in (DOCS / f"causes/{cause}.md").read_text("utf-8")] == []
