"""Where a demo is shown: a terminal that is drawn on, or plain lines for everything else."""

import time
from collections.abc import Sequence
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

from local.demo.board import Board
from local.demo.drawing import draw_board
from local.demo.news import News, by_kind


class Screen(Protocol):
    """Shows how a demo goes."""

    def begin(self, board: Board) -> None:
        """Another world begins."""
        ...

    def show(self, board: Board, news: Sequence[News]) -> None:
        """Something may have changed."""
        ...

    def say(self, text: str) -> None:
        """A word beside the show, such as that a part was restarted."""
        ...

    def end(self) -> None:
        """Leaves the screen to others."""
        ...


class LiveScreen:
    """Draws one picture over the other."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner = Spinner("dots", style="cyan")
        self._live: Live | None = None
        self._began = 0.0

    def begin(self, board: Board) -> None:
        self.end()
        self._began = time.monotonic()
        self._live = Live(console=self._console, refresh_per_second=8, transient=True)
        self._live.start()
        self.show(board, [])

    def show(self, board: Board, news: Sequence[News]) -> None:  # noqa: ARG002  the board holds them, too
        if self._live is not None:
            self._live.update(draw_board(board, self._spinner, self._began, self._console.size.height))

    def say(self, text: str) -> None:
        self._console.print(text, style="dim", highlight=False)

    def end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class PlainScreen:
    """One line for everything that is new, many of a kind together."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._phase = ""

    def begin(self, board: Board) -> None:
        self._line(f"== {board.title}")
        self._phase = ""

    def show(self, board: Board, news: Sequence[News]) -> None:
        if board.phase != self._phase:
            self._phase = board.phase
            self._line(f"-- {board.phase} ({board.as_expected} of {board.stuck} are where they belong)")
        for one, count in by_kind(list(news)):
            many = f"{count} x " if count > 1 else ""
            self._line(f"{many}{one.cause}: {one.word}: {one.name}: {one.sentence}")

    def say(self, text: str) -> None:
        self._line(text)

    def end(self) -> None:
        """Nothing to give back."""

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def screen_for(console: Console) -> Screen:
    """The screen that suits where this goes."""
    return LiveScreen(console) if console.is_terminal else PlainScreen(console)
