"""Which addresses may be called, when a call is made again, and what is no longer told. Pure."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.case import NOT_DONE, Case, Notification, State
from shared.domain.webhook import (
    WAITS,
    Delivery,
    Webhook,
    check_callback,
    check_hosts,
    id_of,
    is_gone,
    next_try,
    overtaken,
)
from tests.builders import NOW, SUBSCRIPTION

HOSTS = ("*.logic.azure.com", "flows.contoso.example")
GOOD = "https://prod-01.westeurope.logic.azure.com/workflows/a/triggers/manual/paths/invoke?sig=secret-of-the-flow"

NOT_CALLED = {
    "http": "http://prod-01.westeurope.logic.azure.com/x",
    "no scheme": "prod-01.westeurope.logic.azure.com/x",
    "another scheme": "file:///etc/passwd",
    "another port": "https://prod-01.westeurope.logic.azure.com:8443/x",
    "a user name": "https://prod-01.westeurope.logic.azure.com@evil.example/x",
    "a user name before a good host": "https://evil.example@prod-01.westeurope.logic.azure.com/x",
    "a fragment": "https://evil.example/#.logic.azure.com",
    "a name that only ends like it": "https://evil-logic.azure.com/x",
    "a name that only begins like it": "https://a.logic.azure.com.evil.example/x",
    "the parent itself": "https://logic.azure.com/x",
    "instance metadata": "https://169.254.169.254/metadata/instance",
    "a private address": "https://10.0.0.4/x",
    "this machine": "https://127.0.0.1/x",
    "this machine over http": "http://localhost:7071/admin/host/keys",
    "an address in another spelling": "https://2130706433/x",
    "IPv6": "https://[::1]/x",
    "IPv6 that means IPv4": "https://[::ffff:10.0.0.4]/x",
    "a broken port": "https://a.logic.azure.com:port/x",
    "a broken bracket": "https://[a.logic.azure.com/x",
    "a backslash": "https://a.logic.azure.com\\@evil.example/x",
    "a line break": "https://a.logic.azure.com/x\r\nHost: evil.example",
    "a blank": "https://a.logic.azure.com /x",
    "look-alike letters": "https://a.log\u0456c.azure.com/x",
    "empty": "",
    "no host": "https:///x",
    "too long": "https://a.logic.azure.com/" + "x" * 4_000,
}


@pytest.mark.parametrize("url", [GOOD, GOOD.replace(".com/", ".com:443/"), "https://FLOWS.contoso.example/x"])
def test_a_flow_is_called_where_the_settings_allow_it(url: str) -> None:
    check_callback(url, HOSTS)


@pytest.mark.parametrize("what", NOT_CALLED)
def test_nothing_else_is_called_and_the_answer_quotes_no_more_than_the_host(what: str) -> None:
    with pytest.raises(ValueError, match="should|leads to|is not a URL") as caught:  # noqa: RUF043  an alternative
        check_callback(NOT_CALLED[what], HOSTS)
    assert "/x" not in str(caught.value)


def test_a_machines_own_address_is_called_only_where_it_is_named() -> None:
    check_callback("http://127.0.0.1:7071/x", ("127.0.0.1",))
    with pytest.raises(ValueError, match="leads to"):
        check_callback("https://evil.example/x", ("127.0.0.1",))


@pytest.mark.parametrize("host", ["*", "*.com", "logic", "a b.example", "https://a.example", "*.*.example", "", "10"])
def test_a_host_that_would_let_in_too_much_or_nothing_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="is no host such as"):
        check_hosts([host])


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_called_ends_at_a_host_of_the_list(before: str, after: str) -> None:
    url = f"https://{before}.logic.azure.com{after}"
    try:
        check_callback(url, ("*.logic.azure.com",))
    except ValueError:
        return
    import httpx  # what will call it decides what its host is

    assert httpx.URL(url).host.endswith(".logic.azure.com")
    assert httpx.URL(url).port is None


def test_a_call_is_made_again_for_about_a_day() -> None:
    waits = [next_try(tries, None) for tries in range(1, 20)]
    assert [each for each in waits if each is not None] == list(WAITS)
    assert waits.index(None) == len(WAITS)
    assert timedelta(hours=24) < sum(WAITS, timedelta()) < timedelta(hours=27)
    assert next_try(1, 600.0) == timedelta(minutes=10), "as long as was asked for"
    assert next_try(1, 1e12) == WAITS[-1], "and no longer than the longest"
    assert next_try(4, 1.0) == WAITS[3]


def test_a_flow_is_gone_when_it_says_so_or_is_not_found_for_a_day() -> None:
    assert is_gone(410, last=False)
    assert is_gone(404, last=True)
    assert not is_gone(404, last=False)
    assert not any(is_gone(status, last=True) for status in (None, 400, 401, 403, 429, 500))


def webhook(**values: object) -> Webhook:
    return Webhook(id_of("Ann", GOOD), GOOD, "Ann", NOW, **values)  # type: ignore[arg-type]


def case(state: State = State.NEEDS_PERSON, **values: object) -> Case:
    return Case(SUBSCRIPTION, 1, NOW, state=state, provider_name="Microsoft CSP", cause="unknown", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "wants"),
    [
        ({}, True),
        ({"state": State.NEEDS_PERSON, "cause": "unknown", "provider": "microsoft csp"}, True),
        ({"state": State.ESCALATED}, False),
        ({"cause": "trigger_missed"}, False),
        ({"provider": "Microsoft"}, False),
    ],
)
def test_a_webhook_wants_what_its_filter_says(wanted: dict[str, object], *, wants: bool) -> None:
    assert webhook(**wanted).wants(case()) is wants


def test_the_address_is_in_no_repr() -> None:
    assert "secret-of-the-flow" not in repr(webhook())
    assert webhook().host == "prod-01.westeurope.logic.azure.com"


def test_the_same_party_and_address_are_the_same_webhook() -> None:
    assert id_of("Ann", GOOD) == id_of("Ann", GOOD)
    assert len({id_of("Ann", GOOD), id_of("Bob", GOOD), id_of("Ann", GOOD + "2")}) == 3


def owed(key: str, kind: str = "needs_person") -> Delivery:
    return Delivery("0" * 32, SUBSCRIPTION, key, kind)


def test_only_the_newest_news_is_told_and_only_while_it_is_so() -> None:
    news = (Notification("b", "needs_person", "", NOW),)
    assert not overtaken(case(told=("a", "b")), owed("b"))
    assert overtaken(case(told=("a", "b")), owed("a")), "there is newer news"
    assert not overtaken(case(told=("a",), outgoing=news), owed("b")), "not noted yet"
    assert overtaken(case(told=("a",), outgoing=news), owed("a"))
    assert overtaken(case(State.VERIFYING, told=("b",)), owed("b")), "nobody is needed any more"
    assert overtaken(case(), owed("b")), "it was taken back"
    assert not overtaken(case(State.VERIFYING, told=("b",)), owed("b", "held_back"))
    assert not overtaken(case(State.WAITING), owed("x", NOT_DONE)), "told whatever becomes of the case"
