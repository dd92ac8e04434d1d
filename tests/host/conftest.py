"""What the run of generated requests has sent ends the run's output."""

import pytest

from tests.host.generated_report import Report

REPORT = pytest.StashKey[Report]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what was sent, if anything was."""
    if (report := config.stash.get(REPORT, None)) is not None:
        terminalreporter.section("generated requests")
        for line in report.lines():
            terminalreporter.write_line(line)
