"""The parser: what it makes of expressions, and how it says what is wrong with others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.expressions import DEEPEST, Call, ExpressionError, Index, Literal, Text, calls, parse
from flows.functions import FUNCTIONS
from flows.source import read
from tests.flows.engine import Run
from tests.flows.evaluation import evaluated
from tests.flows.kit import PARAMETERS


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("", Text(())),
        ("plain", Text(("plain",))),
        ("a@b.example", Text(("a@b.example",))),
        ("@@handle", Text(("@handle",))),
        ("@null", Literal(None)),
        ("@true", Literal(True)),
        ("@-1.5e3", Literal(-1500.0)),
        ("@'it''s'", Literal("it's")),
        ("@triggerBody()", Call("triggerbody", ())),
        ("@ equals( 1 , 'x' ) ", Call("equals", (Literal(1), Literal("x")))),
        ("@body('A')['b']", Index(Call("body", (Literal("A"),)), Literal("b"), safe=False)),
        ("@body('A')?['b']", Index(Call("body", (Literal("A"),)), Literal("b"), safe=True)),
        ("@body('A').b", Index(Call("body", (Literal("A"),)), Literal("b"), safe=False)),
        ("@item()?[0]", Index(Call("item", ()), Literal(0), safe=True)),
        ("a @{1} b", Text(("a ", Literal(1), " b"))),
        ("@{1}@{2}", Text((Literal(1), Literal(2)))),
        ("@{'}'}", Text((Literal("}"),))),
        ("x @@{1}", Text(("x @{", "1}"))),
    ],
)
def test_what_is_right_is_read(text: str, parsed: object) -> None:
    assert parse(text) == parsed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@", "a function, a text in single quotes or a number is expected"),
        ("@concat('a'", 'at character 12: "," is missing'),
        ("@concat('a", "a function, a text in single quotes"),
        ('@concat("a", 1)', "at character 9: a function, a text in single quotes"),
        ("@shout('a')", "shout is not a function"),
        ("@body()", "body takes 1 arguments, not 0"),
        ("@replace('a','b')", "replace takes 3 arguments, not 2"),
        ("@and()", "and takes 1 or more arguments, not 0"),
        ("@utcNow(1, 2)", "utcNow takes 0 to 1 arguments, not 2"),
        ("@body('A') + 1", "nothing more is expected"),
        ("@body('A')?", '"?" is followed by "[" or "."'),
        ("@body('A')['b'", '"]" is missing'),
        ("x @{body('A'", '"," is missing'),
        ("x @{body('A')", '"}" is missing'),
        ("@{}", "a function, a text in single quotes"),
        ("@" + "not(" * (DEEPEST + 1), "too many expressions within each other"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match="at character") as caught:
        parse(text)
    assert said in str(caught.value)


@given(st.text(alphabet="@{}()[]?.,'aif01 \n", max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        list(calls(parse(text)))
    except ExpressionError as error:
        assert str(error).startswith("at character ")  # noqa: PT017


@given(st.text())
def test_any_text_can_be_said_in_quotes(text: str) -> None:
    quoted = text.replace("'", "''")
    assert parse(f"@'{quoted}'") == Literal(text)
    run = Run({}, None, PARAMETERS, lambda *_: pytest.fail("nothing is asked"))
    assert evaluated(f"<@{{concat('{quoted}', '')}}>", run) == f"<{text}>"


def test_each_function_has_limits_that_make_sense() -> None:
    assert all(name == name.lower() and 0 <= least <= most for name, (least, most) in FUNCTIONS.items())


def test_the_templates_use_many_expressions() -> None:
    used = {call.name for flow in read().flows for text in _texts(flow.document) for call in calls(parse(text))}
    assert {"body", "coalesce", "take", "replace", "triggerbody", "workflow", "item"} <= used


def _texts(node: object) -> list[str]:
    match node:
        case str():
            return [node]
        case dict():
            return [text for each in node.values() for text in _texts(each)]
        case list():
            return [text for each in node for text in _texts(each)]
        case _:
            return []
