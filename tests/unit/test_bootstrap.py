"""The app's context holds the policy as its file says it at the beginning of each step."""

import os
import threading
from pathlib import Path

import pytest

from shared import bootstrap
from shared.bootstrap import App
from shared.domain.policy import Level, Mode
from tests.workflow_kit import Town

pytestmark = pytest.mark.anyio

ENVIRON = {
    "UNSTUCK_MODE": "auto",
    "DATAVERSE_URL": "https://contoso.crm.dynamics.com",
    "DATAVERSE_ORGANIZATION_ID": "00000000-0000-0000-0000-0000000000aa",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "UNSTUCK_ATTEMPTS": "3",
    "SWEEP_SCHEDULE": "0 */5 * * * *",
    "WAKE_SCHEDULE": "30 * * * * *",
}


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Town:
    """Stands for what is connected to; everything else is the app's own."""
    made = Town()
    monkeypatch.setattr(bootstrap, "build", lambda _: made.ctx)
    return made


async def test_without_a_file_the_settings_alone_count(town: Town) -> None:
    policy = (await App(ENVIRON).context()).policy
    assert (policy.mode, policy.attempts, policy.version, policy.problems) == (Mode.AUTO, 3, "built-in", ())


async def test_an_edit_counts_at_the_next_step_and_the_ports_stay(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    app = App({**ENVIRON, "UNSTUCK_POLICY": str(file)})
    missing = await app.context()
    assert (missing.policy.mode, len(missing.policy.problems)) == (Mode.OBSERVE, 1)
    file.write_text('{"causes": {"unknown": "off"}}')
    mended = await app.context()
    assert (mended.policy.mode, mended.policy.attempts, mended.policy.causes) == (Mode.AUTO, 3, {"unknown": Level.OFF})
    assert await app.context() is mended, "nothing is made anew while nothing has changed"
    file.write_text('{"causes": {"unknown": "of"}}')
    broken = await app.context()
    assert broken.policy.mode is Mode.OBSERVE
    assert broken.store is missing.store


async def test_a_file_that_hangs_stops_the_writing_and_holds_nobody_up(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe that nobody writes to is never read to its end, as a file on a share that does not answer."""
    pipe, before = tmp_path / "policy.json", threading.active_count()
    os.mkfifo(pipe)
    monkeypatch.setattr(bootstrap, "POLICY_READ_SECONDS", 0.01)
    app = App({**ENVIRON, "UNSTUCK_POLICY": str(pipe)})
    slow = [await app.context() for _ in range(3)]
    assert {each.policy.mode for each in slow} == {Mode.OBSERVE}
    assert "could not be read within" in slow[0].policy.broken
    assert threading.active_count() == before + 1, "all wait for the same reading"
    monkeypatch.setattr(bootstrap, "POLICY_READ_SECONDS", 60.0)
    pipe.write_text('{"surge": 7}')
    read = (await app.context()).policy
    assert (read.mode, read.surge) == (Mode.AUTO, 7)
