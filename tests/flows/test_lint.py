"""Each check of the linter: one fault planted in the templates as they are shipped, and named."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.checks.operations import CONNECTOR
from flows.lint import main, problems
from flows.source import FOLDER, Flow, Solution, SourceError, read
from tests.flows.kit import swagger

type Json = dict[str, Any]
type Fault = Callable[[Json], object]

APPROVE, REPORT, TICKET = "ApproveAPlan", "WeeklyStuckReport", "DiagnoseForATicket"
TEAM = "Team (unstuck_TeamId)"


def _actions(document: Json) -> Json:
    actions = document["properties"]["definition"]["actions"]
    assert isinstance(actions, dict)
    return actions


def _trigger(document: Json) -> Json:
    trigger = next(iter(document["properties"]["definition"]["triggers"].values()))
    assert isinstance(trigger, dict)
    return trigger


def _asking(document: Json) -> Json:
    """Actions of the branch in which the approver is asked."""
    actions = _actions(document)["Can_it_be_approved"]["actions"]
    assert isinstance(actions, dict)
    return actions


def _yes(document: Json) -> Json:
    """Actions after the approver's yes."""
    actions = _asking(document)["Did_the_approver_answer"]["actions"]["Is_it_a_yes"]["actions"]
    assert isinstance(actions, dict)
    return actions


def _given(name: str, value: object) -> Fault:
    """Another input of the call that approves."""
    return lambda d: _yes(d)["Approve_the_plan"]["inputs"]["parameters"].update({name: value})


def _without(name: str) -> Fault:
    return lambda d: _yes(d)["Approve_the_plan"]["inputs"]["parameters"].pop(name)


def _first(**changed: Any) -> Fault:
    """Something else about the first action of the approval."""
    return lambda d: _actions(d)["Get_the_case"].update(changed)


def _compose(text: Any) -> Fault:
    """One more action, which composes this after the case was read."""
    after = {"Get_the_case": ["Succeeded"]}
    return lambda d: _actions(d).update({"More": {"runAfter": after, "type": "Compose", "inputs": text}})


def _add(**action: Any) -> Fault:
    return lambda d: _actions(d).update({"More": {"runAfter": {}} | action})


def _a_variable(kind: str, name: str) -> Json:
    return {"runAfter": {}, "type": kind, "inputs": {"name": name, "value": 1}}


BEGINS = {"runAfter": {}, "type": "InitializeVariable", "inputs": {"variables": [{"name": "n", "type": "integer"}]}}

FAULTS: dict[str, tuple[str, Fault, str]] = {
    "no schema version": (APPROVE, lambda d: d.pop("schemaVersion"), "schemaVersion: must be"),
    "no references": (
        APPROVE,
        lambda d: d["properties"].pop("connectionReferences"),
        "properties.connectionReferences: must be an object",
    ),
    "another language": (
        APPROVE,
        lambda d: d["properties"]["definition"].update({"$schema": "x"}),
        "$schema: must be https://schema.management.azure.com/",
    ),
    "no content version": (
        APPROVE,
        lambda d: d["properties"]["definition"].pop("contentVersion"),
        "contentVersion: is missing",
    ),
    "no trigger": (APPROVE, lambda d: d["properties"]["definition"].update(triggers={}), "exactly one, not 0"),
    "odd trigger": (APPROVE, lambda d: _trigger(d).update(type="Bell"), "Bell is no type of a trigger"),
    "no actions": (REPORT, lambda d: _actions(d).clear(), "actions: there are none"),
    "odd type": (APPROVE, _first(type="Shout"), "Get_the_case: Shout is no type of an action"),
    "same name twice": (
        APPROVE,
        lambda d: _asking(d).update(get_the_plan=_actions(d)["Get_the_case"]),
        "get_the_plan: another action has this name",
    ),
    "odd name": (APPROVE, lambda d: _actions(d).update({"a/b": BEGINS}), "a/b: the name must be"),
    "no inputs": (REPORT, _add(type="Select", inputs={"from": []}), "More: inputs.select is missing"),
    "no runAfter": (
        APPROVE,
        lambda d: _actions(d)["Get_the_case"].pop("runAfter"),
        "Get_the_case: runAfter is missing",
    ),
    "odd outcome": (
        APPROVE,
        lambda d: _actions(d)["Get_the_plan"].update(runAfter={"Get_the_case": ["Done"]}),
        "Get_the_plan: runAfter.Get_the_case: give some of",
    ),
    "endless loop": (
        APPROVE,
        lambda d: _yes(d)["Until_it_is_settled"].pop("limit"),
        "Until_it_is_settled: limit needs count and timeout",
    ),
    "loop of nothing": (APPROVE, lambda d: _yes(d)["Until_it_is_settled"]["actions"].clear(), "no action is in it"),
    "no condition": (APPROVE, lambda d: _actions(d)["Can_it_be_approved"].pop("expression"), "expression is missing"),
    "odd operator": (
        APPROVE,
        lambda d: _actions(d)["Can_it_be_approved"].update(expression={"and": [{"same": [1, 1]}]}),
        "Can_it_be_approved: expression: same is no operator",
    ),
    "two operators": (
        APPROVE,
        lambda d: _actions(d)["Can_it_be_approved"].update(expression={"equals": [1, 1], "not": {}}),
        "a condition is one operator",
    ),
    "loop over nothing": (APPROVE, _add(type="Foreach", actions={"In": BEGINS}), "More: foreach is missing"),
    "scope of nothing": (APPROVE, _add(type="Scope"), "More: actions is missing"),
    "odd retries": (
        APPROVE,
        lambda d: _actions(d)["Get_the_case"]["inputs"]["retryPolicy"].update(type="eager"),
        "Get_the_case: retryPolicy.type must be",
    ),
    "too many retries": (
        APPROVE,
        lambda d: _actions(d)["Get_the_case"]["inputs"]["retryPolicy"].update(count=100),
        "Get_the_case: retryPolicy.count must be 1 to 90",
    ),
    "no interval": (
        APPROVE,
        lambda d: _actions(d)["Get_the_case"]["inputs"]["retryPolicy"].update(interval="10 s"),
        "Get_the_case: retryPolicy.interval must be a duration",
    ),
    "odd limit": (
        APPROVE,
        lambda d: _asking(d)["Ask_the_approver"].update(limit={"timeout": "P"}),
        "Ask_the_approver: limit.timeout must be a duration",
    ),
    "too many at once": (
        REPORT,
        lambda d: _trigger(d)["runtimeConfiguration"]["concurrency"].update(runs=0),
        "Each_Monday: concurrency must be 1 to 50",
    ),
    "runs after nothing": (
        APPROVE,
        lambda d: _actions(d)["Get_the_plan"].update(runAfter={"Get_a_plan": ["Succeeded"]}),
        "Get_the_plan: runs after Get_a_plan, which is no action",
    ),
    "runs after another branch": (
        APPROVE,
        lambda d: _actions(d)["Get_the_plan"]["runAfter"].update(Card=["Succeeded"]),
        "Get_the_plan: runs after Card, which stands in another branch",
    ),
    "cycle": (
        APPROVE,
        _first(runAfter={"Get_the_plan": ["Succeeded"]}),
        "the flow: these actions wait for each other: Get_the_case, Get_the_plan",
    ),
    "cycle in a branch": (
        APPROVE,
        lambda d: _yes(d)["Note_who_approved"].update(runAfter={"Approve_the_plan": ["Succeeded"]}),
        "Is_it_a_yes (actions): these actions wait for each other",
    ),
    "no first action": (
        REPORT,
        lambda d: _actions(d)["Get_the_summary"].update(runAfter={"x": ["Failed"]}),
        "the first",
    ),
    "broken expression": (APPROVE, _compose("@concat('a'"), "More: \"@concat('a'\" is no expression: at character"),
    "unknown function": (APPROVE, _compose("@{shout('a')}"), "shout is not a function"),
    "unknown action": (APPROVE, _compose("@body('Nobody')"), "More: body('Nobody'): there is no such action"),
    "later action": (APPROVE, _compose("@body('Get_the_plan')"), "body('Get_the_plan'): that action has not ended"),
    "action by an expression": (APPROVE, _compose("@body(guid())"), "More: body(): name what it is about in quotes"),
    "no such loop": (APPROVE, _compose("@items('Get_the_case')"), "items('Get_the_case'): this action is in no such"),
    "unknown parameter": (
        APPROVE,
        _compose("@parameters('Colour')"),
        "parameters('Colour'): there is no such",
    ),
    "action in a trigger": (
        APPROVE,
        lambda d: _trigger(d)["inputs"].update(more="@body('Get_the_case')"),
        "body() in a trigger: no action has run by then",
    ),
    "unread parameter": (
        APPROVE,
        lambda d: d["properties"]["definition"]["parameters"].update(Colour={"type": "String"}),
        "parameters: nothing reads Colour",
    ),
    "unknown variable": (APPROVE, _compose("@variables('n')"), "More: no variable is named n"),
    "variable set too early": (
        APPROVE,
        lambda d: _actions(d).update(Begin=BEGINS, Set=_a_variable("SetVariable", "n")),
        "Set: n is not initialized by then",
    ),
    "variable begun within": (
        APPROVE,
        lambda d: _asking(d).update(Begin=BEGINS),
        "Begin: variables are",
    ),
    "variable begun twice": (APPROVE, lambda d: _actions(d).update(A=BEGINS, B=BEGINS), "B: n is initialized twice"),
    "unknown operation": (
        APPROVE,
        lambda d: _yes(d)["Approve_the_plan"]["inputs"]["host"].update(operationId="Approve"),
        "Approve_the_plan: Approve is no operation of the connector",
    ),
    "trigger as an action": (
        APPROVE,
        lambda d: _yes(d)["Approve_the_plan"]["inputs"]["host"].update(operationId="WhenACaseNeedsAPerson"),
        "Approve_the_plan: WhenACaseNeedsAPerson is a trigger",
    ),
    "action as a trigger": (
        APPROVE,
        lambda d: _trigger(d)["inputs"]["host"].update(operationId="GetSummary"),
        "GetSummary is an action",
    ),
    "unknown in Teams": (
        APPROVE,
        lambda d: _asking(d)["Ask_the_approver"]["inputs"]["host"].update(operationId="Shout"),
        "Ask_the_approver: /providers/Microsoft.PowerApps/apis/shared_teams: Shout is not known",
    ),
    "missing in Teams": (
        APPROVE,
        lambda d: _asking(d)["Ask_the_approver"]["inputs"]["parameters"].pop("body/body/recipient/to"),
        "Ask_the_approver: body/body/recipient/to is missing",
    ),
    "too much in Teams": (
        APPROVE,
        lambda d: _asking(d)["Ask_the_approver"]["inputs"]["parameters"].update(color="red"),
        "Ask_the_approver: color is not known",
    ),
    "waiting action that does not": (
        APPROVE,
        lambda d: _asking(d)["Ask_the_approver"].update(type="OpenApiConnection"),
        "Ask_the_approver: its type must be OpenApiConnectionWebhook",
    ),
    "required input": (APPROVE, _without("body/plan_digest"), "body/plan_digest is required by Remediate and missing"),
    "required in the path": (APPROVE, _without("case_id"), "case_id is required by Remediate and missing"),
    "unknown input": (APPROVE, _given("body/digest", "x"), "Approve_the_plan: body/digest is not known to Remediate"),
    "input of a wrong type": (APPROVE, _given("body/plan_digest", 7), "body/plan_digest: must be of type string"),
    "input of a wrong shape": (APPROVE, _given("body/plan_digest", "abc"), "'abc' does not match ^[0-9a-f]{32}$"),
    "input of a wrong list": (
        APPROVE,
        lambda d: _actions(d)["Get_the_case"]["inputs"].update(
            host={"connectionName": "shared_unstuck", "operationId": "ListCases", "apiId": CONNECTOR},
            parameters={"state": "asleep", "limit": "@{1}"},
        ),
        "Get_the_case: state: 'asleep' is none of open, waiting",
    ),
    "text for a number": (
        APPROVE,
        lambda d: _actions(d)["Get_the_case"]["inputs"].update(
            host={"connectionName": "shared_unstuck", "operationId": "ListCases", "apiId": CONNECTOR},
            parameters={"limit": "@{1}"},
        ),
        "Get_the_case: limit: is a text, and must be of type integer",
    ),
    "undeclared reference": (
        APPROVE,
        lambda d: _yes(d)["Approve_the_plan"]["inputs"]["host"].update(connectionName="mine"),
        "Approve_the_plan: mine is not among the flow's connection references",
    ),
    "no authentication": (
        APPROVE,
        lambda d: _yes(d)["Approve_the_plan"]["inputs"].pop("authentication"),
        "Approve_the_plan: inputs.authentication must be",
    ),
    "unused reference": (
        APPROVE,
        lambda d: d["properties"]["connectionReferences"].update(shared_x={}),
        "connectionReferences: nothing uses shared_x",
    ),
    "misspelt field of an answer": (
        APPROVE,
        _compose("@body('Get_the_case')?['custommer_name']"),
        "More: no field is named custommer_name there; there is",
    ),
    "misspelt field deep in an answer": (
        APPROVE,
        _compose("@first(body('Get_the_case')?['findings'])?['cost']?['amout']"),
        "More: no field is named amout there",
    ),
    "field of outputs": (
        APPROVE,
        _compose("@outputs('Get_the_case')?['body/stat']"),
        "More: no field is named stat there",
    ),
    "misspelt field of the trigger": (
        APPROVE,
        _compose("@triggerBody()?['case']"),
        "More: no field is named case there",
    ),
    "misspelt field of an item": (
        REPORT,
        lambda d: _actions(d)["Is_anything_stuck"]["actions"]["Oldest"]["inputs"].update(select="@item()?['age']"),
        "Oldest: no field is named age there",
    ),
    "misspelt field of a form": (
        TICKET,
        lambda d: _actions(d)["Diagnose"].update(
            actions={"In": {"runAfter": {}, "type": "Compose", "inputs": "@triggerBody()?['tickets']"}}
        ),
        "In: no field is named tickets there",
    ),
    "unknown variable of the environment": (
        APPROVE,
        lambda d: d["properties"]["definition"]["parameters"][TEAM]["metadata"].update(schemaName="unstuck_Colour"),
        "there is no environment variable unstuck_Colour",
    ),
    "reference that is not there": (
        APPROVE,
        lambda d: d["properties"]["connectionReferences"]["shared_teams"]["connection"].update(
            connectionReferenceLogicalName="unstuck_Mail"
        ),
        "Customizations.xml has no connection reference unstuck_Mail",
    ),
    "reference to another connector": (
        APPROVE,
        lambda d: d["properties"]["connectionReferences"]["shared_teams"]["api"].update(name="shared_mail"),
        "unstuck_Teams is of /providers/Microsoft.PowerApps/apis/shared_teams, not of shared_mail",
    ),
}


def _found(source: Solution) -> list[str]:
    return problems(source, swagger().raw)


def test_the_templates_have_no_problem() -> None:
    source = read()
    assert [flow.file.partition("-")[0] for flow in source.flows] == [
        APPROVE,
        "CompleteAManualProvisioning",
        TICKET,
        REPORT,
    ]
    assert _found(source) == []


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_planted_fault_is_named(name: str) -> None:
    file, plant, expected = FAULTS[name]
    source = read()
    changed = [_planted(flow, plant) if flow.file.startswith(file) else flow for flow in source.flows]
    found = _found(replace(source, flows=tuple(changed)))
    assert [each for each in found if expected in each and each.startswith(file)], found


def _planted(flow: Flow, plant: Fault) -> Flow:
    document = copy.deepcopy(dict(flow.document))
    plant(document)
    return replace(flow, document=document)


TWICE = "11111111-2222-4333-8444-555555555555"

PACKING: dict[str, tuple[Callable[[Solution], Solution], str]] = {
    "no name": (lambda s: replace(s, unique_name=""), "UniqueName and CustomizationPrefix must be given"),
    "same id twice": (
        lambda s: replace(s, flows=tuple(replace(each, id=TWICE) for each in s.flows)),
        f"the id {TWICE} is given 4 times",
    ),
    "same name twice": (
        lambda s: replace(s, flows=tuple(replace(each, name="x") for each in s.flows)),
        "the name x is given 4 times",
    ),
    "component twice": (lambda s: replace(s, components=(*s.components, s.components[0])), "is given 2 times"),
    "no component": (lambda s: replace(s, components=s.components[1:]), "is missing"),
    "component of nothing": (
        lambda s: replace(s, components=(*s.components, ("29", TWICE))),
        "has no file in Workflows",
    ),
    "variable of nothing": (
        lambda s: replace(s, components=(*s.components, ("380", "unstuck_x"))),
        "unstuck_x: is not both a component",
    ),
    "unused variable": (
        lambda s: replace(s, variables={**s.variables, "unstuck_x": "100000000"}),
        "environmentvariabledefinitions: no flow uses unstuck_x",
    ),
    "unused reference": (
        lambda s: replace(s, connection_references={**s.connection_references, "unstuck_x": "y"}),
        "Customizations.xml: no flow uses unstuck_x",
    ),
    "somebody else's prefix": (lambda s: replace(s, prefix="contoso"), "must begin with contoso_"),
    "file by another id": (
        lambda s: replace(s, flows=(replace(s.flows[0], id=TWICE), *s.flows[1:])),
        "the file's name must be",
    ),
    "another file": (
        lambda s: replace(s, flows=(replace(s.flows[0], json_file_name="x.json"), *s.flows[1:])),
        "data file: JsonFileName must be",
    ),
    "another table": (
        lambda s: replace(s, flows=(replace(s.flows[0], primary_entity="account"), *s.flows[1:])),
        "data file: PrimaryEntity must be none",
    ),
    "no id": (lambda s: replace(s, flows=(replace(s.flows[0], id="x"), *s.flows[1:])), "data file: 'x' is no id"),
}


@pytest.mark.parametrize("name", PACKING)
def test_a_fault_of_the_package_is_named(name: str) -> None:
    change, expected = PACKING[name]
    found = _found(change(read()))
    assert [each for each in found if expected in each], found


@pytest.mark.parametrize("document", [{}, {"properties": None}, {"properties": {"definition": {"actions": {"A": 1}}}}])
def test_what_is_no_flow_at_all_is_named_and_does_not_raise(document: Json) -> None:
    source = read()
    found = _found(replace(source, flows=(replace(source.flows[0], document=document), *source.flows[1:])))
    assert any("schemaVersion" in each for each in found)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("Other/Solution.xml", None, "Solution.xml: is missing"),
        ("Other/Solution.xml", "<a/>", "SolutionManifest is missing"),
        ("Other/Customizations.xml", "<a>", "Customizations.xml: is not XML"),
        ("Workflows/x.json", "{}", "x.json.data.xml: is missing"),
    ],
)
def test_files_that_cannot_be_read_are_named(
    name: str, content: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _copied(tmp_path)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(SourceError, match=said):
        read(folder)
    assert main([str(folder)]) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(("content", "said"), [("{", "is not JSON"), ("[]", "is not a JSON object")])
def test_a_flow_that_is_no_json_is_named(content: str, said: str, tmp_path: Path) -> None:
    folder = _copied(tmp_path)
    next(folder.glob("Workflows/*.json")).write_text(content)
    with pytest.raises(SourceError, match=said):
        read(folder)


def test_the_command_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([]) == 0
    assert "nothing to object to" in capsys.readouterr().out
    folder = _copied(tmp_path)
    path = next(folder.glob("Workflows/Weekly*.json"))
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"schemaVersion": "2"}))
    assert main([str(folder)]) == 1
    assert "schemaVersion" in capsys.readouterr().out


def _copied(to: Path) -> Path:
    for path in FOLDER.rglob("*"):
        if path.is_file():
            target = to / "solution" / path.relative_to(FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return to / "solution"
