"""The corpus is diagnosed once for all tests of this folder; its confusion table ends the run's output.

Input: the labelled cases of this folder. Output: what the engine says of each. Nothing is faked.
"""

import pytest

from tests.corpus.score import Result, diagnose_all, summary

_RESULTS = pytest.StashKey[list[Result]]()


@pytest.fixture(scope="session")
def results(pytestconfig: pytest.Config) -> list[Result]:
    """What the engine says of every case."""
    if _RESULTS not in pytestconfig.stash:
        pytestconfig.stash[_RESULTS] = diagnose_all()
    return pytestconfig.stash[_RESULTS]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the table if the corpus was diagnosed in this run."""
    if (results := config.stash.get(_RESULTS, None)) is not None:
        terminalreporter.section("corpus")
        terminalreporter.write_line(summary(results))
