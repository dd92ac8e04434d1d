#!/usr/bin/env python3
"""What the app would do in a mode that it is not in yet, as Markdown: asked of a running app, case by case.

    UNSTUCK_TOKEN=... python3 infra/forecast.py --url https://<app>.azurewebsites.net --mode auto

The token is one of Entra ID for the app's registration, of somebody with the role Reader. Where the app also wants a
function key, put it into UNSTUCK_KEY. Names of customers are left
out, since this goes into the logs of pipelines. The exit code is 1 when the app's own picture is not to be relied on:
not configured, or its last sweep incomplete.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

LISTED = 100
"""Cases that are shown one by one; the others are only counted."""
DOES = {"approve": ("approve", "auto"), "auto": ("auto",)}
"""The dispositions that lead to a write in each mode: after a yes, or by itself."""

type Fetch = Callable[[str], tuple[int, Any]]
"""The status and the JSON at a path below /api."""


def main(arguments: Sequence[str], fetch: Fetch | None = None) -> int:
    """Prints the forecast."""
    given = _parser().parse_args(arguments)
    ask = fetch or over_http(given.url.rstrip("/"), headers_of(os.environ))
    try:
        problems = _problems(ask)
        cases = list(_cases(ask))
        print("\n".join(_report(given.mode, cases, ask, problems)))
    except (OSError, ValueError, KeyError) as error:
        print(f"forecast.py: the app did not answer as expected: {error!r}", file=sys.stderr)
        return 1
    return 1 if problems else 0


def _problems(ask: Fetch) -> list[str]:
    _, health = ask("health")
    sweep = health["last_sweep"]
    found = [*health["problems"]] if health["status"] != "ok" else []
    if sweep is None:
        found.append("There was no sweep yet.")
    elif not sweep["complete"]:
        found.append("The last sweep is incomplete.")
    return found


def _cases(ask: Fetch) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        status, page = ask(f"cases?limit=200{cursor}")
        if status != 200:
            raise ValueError(f"cases: {status} {page}")
        yield from page["cases"]
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={urllib.parse.quote(page['next_cursor'])}"


def _report(mode: str, cases: list[dict[str, Any]], ask: Fetch, problems: list[str]) -> Iterator[str]:
    acts = [case for case in cases if case["disposition"] in DOES[mode] and case["state"] != "verifying"]
    how = "after a person's yes" if mode == "approve" else "without asking"
    yield f"## In {mode} mode: {len(acts)} of {len(cases)} open cases would be written to {how}"
    yield from (f"\n**{problem}**" for problem in problems)
    yield "\n| cause | disposition | open cases |\n|---|---|---|"
    counted = Counter((case["cause"], case["disposition"]) for case in cases)
    yield from (f"| `{cause}` | {disposition} | {number} |" for (cause, disposition), number in counted.most_common())
    yield "\n| case | cause | what would be done | held back by |\n|---|---|---|---|"
    for case in acts[:LISTED]:
        yield f"| `{case['id']}` | `{case['cause']}` | {_steps(ask, case['id'])} | {_cell(case['held_back'])} |"
    if len(acts) > LISTED:
        yield f"\n{len(acts) - LISTED} more are not listed."


def _steps(ask: Fetch, case_id: str) -> str:
    status, case = ask(f"cases/{case_id}")
    plan = case["plan"] if status == 200 else None
    return _cell("; ".join(plan["steps"])) if plan else "no plan"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split()) or "-"


def headers_of(environ: Mapping[str, str]) -> dict[str, str]:
    """What a request to the app carries: token and key from the environment."""
    headers = {"Authorization": f"Bearer {environ.get('UNSTUCK_TOKEN', '')}"}
    return headers | ({"x-functions-key": environ["UNSTUCK_KEY"]} if environ.get("UNSTUCK_KEY") else {})


def over_http(url: str, headers: dict[str, str]) -> Fetch:
    """Asks the app at this address. A problem that the app describes is an answer; anything else raises OSError."""

    def fetch(path: str) -> tuple[int, Any]:
        request = urllib.request.Request(f"{url}/api/{path}", headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  the scheme is checked below
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            if "json" not in error.headers.get("Content-Type", ""):
                raise
            return error.code, json.load(error)

    return fetch


def _https(text: str) -> str:
    if not text.startswith("https://"):
        raise argparse.ArgumentTypeError("must be an https address: the token is sent there")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="forecast.py", description="What would be done in another mode.")
    parser.add_argument("--url", type=_https, required=True)
    parser.add_argument("--mode", choices=sorted(DOES), required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
