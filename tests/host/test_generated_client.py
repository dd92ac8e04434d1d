"""A client that a public generator makes of the swagger document calls every operation of the app that runs.

Input: connector/apiDefinition.swagger.json, and the story in tests/client. Not faked: the generator and its compiler,
HTTP, the host, the worker and storage. The host plays App Service's authentication: the client brings a bearer token.
"""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.entrypoint_kit import BOB, TENANT, principal
from tests.host.app_kit import NO_HARM, ROOT, App, may_sign_in, missed, running, world
from tests.host.functions_host_kit import DEADLINE

pytestmark = [pytest.mark.host, pytest.mark.azurite]

DOCUMENT = ROOT / "connector" / "apiDefinition.swagger.json"
CLIENT = ROOT / "tests" / "client"
MODULES = CLIENT / "node_modules"
TOKEN = "token-of-bob"

WORLD = world(
    "generated-client",
    missed("missed")
    + """
  - group: by-hand
    provider: distributor
    product: backup
    changes:
      - {type: create, quantity: 4, created: -2d, status: awaiting_provisioning}
    expect: {cause: manual_provider, outcome: needs_person}
""",
)


def node(*arguments: str | Path, within: Path, said: str = "") -> str:
    """What a program of Node prints; the test fails with all it said where it fails."""
    program = shutil.which("node")
    assert program is not None, "Node 20 or later is needed"
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, cwd=within, input=said, capture_output=True, text=True, check=False)  # noqa: S603  our own programs
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated client with the story that uses it, compiled strictly."""
    assert MODULES.exists(), "python3 dev.py setup installs the generator"
    folder = tmp_path_factory.mktemp("client")
    for name in ("story.ts", "tsconfig.json", "run.cjs"):
        shutil.copy(CLIENT / name, folder)
    (folder / "node_modules").symlink_to(MODULES, target_is_directory=True)
    generator = MODULES / "@hey-api" / "openapi-ts" / "bin" / "run.js"
    config = CLIENT / "openapi-ts.config.mjs"
    node(generator, "--file", config, "--input", DOCUMENT, "--output", "generated", within=folder)
    node(MODULES / "typescript" / "bin" / "tsc", "--project", ".", within=folder)
    return folder


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app as it is deployed: an approver has signed in, and one suspect at once is as many as may be."""
    folder = tmp_path_factory.mktemp("h")
    policy = folder / "policy.json"
    policy.write_text(json.dumps({"surge": 1}))
    [header] = principal("Approver", oid=BOB, name="Bob").values()
    may_sign_in(folder, {TOKEN: json.loads(base64.b64decode(header))})
    settings = {"UNSTUCK_TENANT_ID": TENANT, "UNSTUCK_KEYS_ALLOWED_AS": "", "UNSTUCK_POLICY": str(policy)}
    with running(WORLD, folder, mode="approve", UNSTUCK_LOOK_AGAIN_SECONDS="3600", **settings) as app:
        yield app


def test_a_generated_client_calls_every_operation_and_gets_what_the_document_declares(app: App, client: Path) -> None:
    document = json.loads(DOCUMENT.read_text("utf-8"))
    found = [each for path in document["paths"].values() for each in path.values()]
    operations = {each["operationId"]: each for each in found if "operationId" in each}
    missed, by_hand = app.one("missed"), app.one("by-hand")
    about = {
        "api": f"{app.host.url}/api",
        "token": TOKEN,
        "control": app.cloud.urls["control"],
        "missed": missed.id,
        "byHand": by_hand.id,
        "seconds": DEADLINE,
    }
    printed = node("run.cjs", within=client, said=json.dumps({"document": document, "world": about}))
    calls: list[dict[str, Any]] = json.loads(printed)
    app.answers.append(printed)

    called = {call["operation"] for call in calls}
    assert called == set(operations), "tests/client/story.ts calls each operation of the document, and no other"
    assert [call for call in calls if call["wrong"]] == []
    [served] = [call["body"] for call in calls if call["operation"] == "GetSwagger"]
    assert {**served, "host": "", "schemes": []} == {**document, "host": "", "schemes": []}
    # 409 and 412: the app itself has saved the case in between, and the story has asked once more.
    assert {call["status"] for call in calls} <= {200, 201, 202, 409, 412}
    shaped = {
        call["operation"]
        for call in calls
        if "schema" in operations[call["operation"]]["responses"][str(call["status"])]
    }
    assert shaped == set(operations), "each has answered once with what its type declares"

    handed_over = [
        call for call in calls if call["status"] == 202 and call["operation"] in ("Diagnose", "GetOperation")
    ]
    assert {call["operation"] for call in handed_over} == {"Diagnose", "GetOperation"}
    for call in handed_over:
        assert call["headers"]["location"] == f"{app.host.url}/api/operations/{call['body']['id']}"
        assert int(call["headers"]["retry-after"]) > 0

    assert app.status(missed) == "provisioned"
    assert len(app.orders(missed.change)) == 1
    assert {write.id for write in app.written()} == {missed.change}
    assert app.harm() == NO_HARM
