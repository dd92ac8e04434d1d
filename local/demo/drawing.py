"""Pictures of a board and of a result, as rich draws them."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from local.demo.board import COLUMNS, Board
from local.demo.judging import OUTCOMES, PURPOSES, Summary
from local.demo.news import News
from local.demo.reasoning import Reasoning, shortened

STYLES: Mapping[str, str] = {
    "moving": "cyan",
    "ready": "cyan",
    "resolved": "green",
    "waiting": "blue",
    "awaiting_approval": "yellow",
    "needs_person": "magenta",
    "escalated": "red",
}
# What the board takes beside its news, in lines.
_BOARD_LINES = 30
_MOST_NEWS, _LEAST_NEWS = 10, 3
_SHOWN_UNEXPECTED = 20
_SHOWN_REASONS, _SHOWN_LENGTH = 8, 300


def draw_board(board: Board, spinner: Spinner, began: float, height: int) -> RenderableType:
    """The screen while a world runs. `began` is time.monotonic's, `height` the lines that there are."""
    spinner.update(text=Text(f" {board.phase}", style="bold"))
    bar = Table.grid(padding=(0, 2))
    done = ProgressBar(total=max(board.stuck, 1), completed=board.as_expected, width=40)
    bar.add_row(done, Text(f"{board.as_expected} of {board.stuck} stuck subscriptions are where they belong"))
    return Panel(
        Group(
            spinner, Text(), bar, Text(), _causes(board.table), Text(), _news(board.latest, height), _foot(board, began)
        ),
        title=Text(board.title, style="bold"),
        subtitle=Text(f"{board.subscriptions} subscriptions, {board.subscriptions - board.stuck} of them healthy"),
        border_style="cyan",
        padding=(1, 2),
    )


def _causes(table: Mapping[str, Counter[str]]) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    drawn.add_column("cause")
    drawn.add_column("found", justify="right")
    for column, heading in COLUMNS.items():
        drawn.add_column(heading, justify="right", style=STYLES[column])
    for cause in sorted(table):
        counts = table[cause]
        numbers = (str(counts[column]) if counts[column] else "·" for column in COLUMNS)
        drawn.add_row(cause, str(sum(counts.values())), *numbers)
    return drawn


def _news(latest: Iterable[News], height: int) -> RenderableType:
    shown = min(_MOST_NEWS, max(_LEAST_NEWS, height - _BOARD_LINES))
    lines = [_line(one) for one in list(latest)[-shown:]]
    return Group(*lines, *(Text() for _ in range(shown - len(lines))))


def _line(one: News) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{one.mark} {one.word:<15}", style=STYLES[one.state])
    line.append(f"{one.name}  ", style="bold")
    line.append(f"{one.cause}: ", style=STYLES[one.state])
    line.append(one.sentence, style="dim")
    return line


def _foot(board: Board, began: float) -> Text:
    asked = ", ".join(f"{name} {board.requests.get(name, 0)}" for name in PURPOSES)
    killed = f"   worker killed {board.kills} times" if board.kills else ""
    killed += f"   faults {board.faults}" if board.faults else ""
    return Text(f"\n{time.monotonic() - began:.0f} s   requests to Dataverse: {asked}{killed}", style="dim")


def draw_closing(summary: Summary, unexpected: Sequence[str], worlds: int, *, good: bool) -> RenderableType:
    """The last screen: by cause and outcome, then whether all is as it should be."""
    table = Table(box=box.ROUNDED, title=_headline(summary, worlds), title_style="bold", expand=True)
    table.add_column("cause")
    for outcome in OUTCOMES:
        table.add_column(outcome.replace("_", " "), justify="right", style=STYLES[outcome])
    table.add_column("all", justify="right", style="bold")
    for cause, number in sorted(summary.by_cause.items()):
        counts = [summary.by_cause_and_outcome[cause, outcome] for outcome in OUTCOMES]
        table.add_row(cause, *(str(count or "·") for count in counts), str(number))
    table.add_section()
    table.add_row("all", *(str(summary.outcomes[o] or "·") for o in OUTCOMES), str(sum(summary.by_cause.values())))
    return Group(table, Text(), *_conclusion(summary, unexpected, good=good))


def draw_faults(faults: Mapping[str, int], seed: int) -> RenderableType:
    """What was made to go wrong on the way, and how often."""
    told = ", ".join(f"{name} {count}" for name, count in faults.items())
    return Text(f"went wrong on purpose {sum(faults.values())} times (seed {seed}): {told}", style="dim")


def draw_reasoning(example: Reasoning) -> RenderableType:
    """One case: what was checked, what was ruled out and why, what remains."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    parts = (
        ("checked", shortened(example.checked, _SHOWN_REASONS)),
        ("ruled out", shortened(example.ruled_out, _SHOWN_REASONS)),
        ("remains", example.remains),
        ("next", (example.next_step,)),
    )
    for heading, lines in parts:
        for number, line in enumerate(lines):
            table.add_row(heading if number == 0 else "", Text(line[:_SHOWN_LENGTH]))
    title = Text(f"{example.name}: {example.cause}, {example.state.replace('_', ' ')}", style=STYLES[example.state])
    return Panel(table, title=title, title_align="left", border_style="dim")


def _headline(summary: Summary, worlds: int) -> str:
    several = f" in {worlds} worlds" if worlds > 1 else ""
    return f"{summary.stuck} stuck of {summary.subscriptions} subscriptions{several}, {summary.seconds:.0f} seconds"


def _conclusion(summary: Summary, unexpected: Sequence[str], *, good: bool) -> list[Text]:
    requests = summary.dataverse_requests
    asked = ", ".join(f"{name} {requests[name]}" for name in PURPOSES)
    numbers = (
        f"wrong cause {summary.wrong_cause}   wrong outcome {summary.wrong_outcome}   "
        f"harmful actions {summary.harmful_actions}   left at Not Applicable {summary.left_not_applicable}"
    )
    lines = [Text(numbers), Text(f"requests to Dataverse: {asked}", style="dim"), Text()]
    if good:
        return [*lines, Text("✔ Every subscription ended as its world says.", style="bold green")]
    lines.append(Text("✘ Not everything is as it should be:", style="bold red"))
    lines += [Text(f"  {one}") for one in unexpected[:_SHOWN_UNEXPECTED]]
    if len(unexpected) > _SHOWN_UNEXPECTED:
        lines.append(Text(f"  and {len(unexpected) - _SHOWN_UNEXPECTED} more"))
    return lines
