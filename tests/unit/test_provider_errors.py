"""The message catalogue and its reader: what decides, what does not, and that the data is whole."""

import json
import re
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest

from local.partner_center.error_bodies import error_text
from local.partner_center.errors import known_errors
from shared.domain.causes import CAUSES as RULES
from shared.domain.provider_errors import NOT_RECOGNISED, Waiting, read_message

DATA: dict[str, Any] = json.loads(resources.files("shared.domain").joinpath("provider_errors.json").read_text("utf-8"))

CAUSES = set(
    re.findall(
        r"\w+",
        """
        already_applied attempt_outcome_unknown automation_inactive billed_not_provisioned consent_expired
        credentials_invalid credit_or_risk_hold customer_agreement_missing customer_missing customer_under_review
        future_effective_date half_toggled linked_change manual_provider no_change_log not_stuck_yet
        nothing_to_provision offer_unavailable parent_not_provisioned possible_duplicate prior_change_blocking
        product_or_price_invalid provider_account_mismatch provider_operation_pending provider_unavailable
        quantity_cap_exceeded reduction_window_closed scheduled_change_not_applied service_user_not_ready
        set_aside_by_hand subscription_state_blocked trigger_missed unknown
        """,
    )
)
"""The app's names of causes: its API."""
READY = "Subscription is not ready to be updated. Try again after sometime"
PRIOR = "There are one or more prior License Change Logs for this Subscription that are either Awaiting Provisioning"
ENTRA = {"error": "invalid_grant", "error_description": "AADSTS50076: Due to a change", "error_codes": [50076]}
EXPIRED = '{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired'

# code, cause, waiting: facts that must not change by accident.
FACTS = """
60003 provider_account_mismatch C, 20002 provider_account_mismatch C, 20003 provider_account_mismatch C
900118 provider_account_mismatch C, AADSTS90002 provider_account_mismatch C, AADSTS90019 provider_account_mismatch C
AADSTS50059 provider_account_mismatch C, 2012 provider_account_mismatch C, AADSTS7000222 credentials_invalid H
AADSTS7000215 credentials_invalid H, AADSTS50126 credentials_invalid H, AADSTS50055 credentials_invalid H
AADSTS50057 credentials_invalid H, AADSTS50053 credentials_invalid H, AADSTS7000112 credentials_invalid H
AADSTS70001 credentials_invalid H, 900420 credentials_invalid H, 0x80072559 credentials_invalid H
AADSTS700082 consent_expired H, AADSTS50173 consent_expired H, AADSTS70008 consent_expired H
AADSTS65001 consent_expired H, AADSTS70043 consent_expired H, AADSTS70000 consent_expired H
AADSTS700016 consent_expired H, AADSTS90094 consent_expired H, AADSTS650056 consent_expired H
AADSTS90099 consent_expired H, invalid_grant consent_expired H, AADSTS50076 credentials_invalid H
AADSTS50079 credentials_invalid H, AADSTS50078 credentials_invalid H, AADSTS53003 credentials_invalid H
900309 credentials_invalid H, 900308 credentials_invalid H, 900329 credentials_invalid C, 2032 credentials_invalid H
-2147220960 service_user_not_ready H, 0x80040220 service_user_not_ready H, -2147187962 service_user_not_ready H
0x80048306 service_user_not_ready H, 429 provider_unavailable T, 800082 provider_operation_pending T
900278 provider_operation_pending L, 800060 provider_operation_pending T, 800014 provider_operation_pending L
800003 provider_unavailable T, 900192 provider_unavailable T, 800094 provider_unavailable T
900225 provider_unavailable T, 900280 provider_operation_pending L, 0x80072322 provider_unavailable T
0x80072321 provider_unavailable T, AADSTS90033 provider_unavailable T, AADSTS50033 provider_unavailable T
AADSTS90024 provider_unavailable T, AADSTS50196 provider_unavailable N, 900257 reduction_window_closed N
900214 reduction_window_closed N, 900117 reduction_window_closed N, 900213 reduction_window_closed N
800090 reduction_window_closed N, 800095 reduction_window_closed N, 27009 parent_not_provisioned C
800029 parent_not_provisioned C, 10018 parent_not_provisioned C, SubscriptionAddOnsPresent parent_not_provisioned N
800018 quantity_cap_exceeded H, 800067 quantity_cap_exceeded N, 800066 quantity_cap_exceeded N
800089 quantity_cap_exceeded N, 2002 quantity_cap_exceeded N, 27006 quantity_cap_exceeded N
10009 quantity_cap_exceeded H, 900322 quantity_cap_exceeded N, 900419 quantity_cap_exceeded N
800091 subscription_state_blocked C, 2001 subscription_state_blocked L, 800012 subscription_state_blocked C
900277 subscription_state_blocked N, 900279 subscription_state_blocked N, 2055 provider_unavailable T
13605 customer_agreement_missing H, 800073 customer_under_review L, 800074 customer_under_review L
900416 customer_under_review H, 800023 credit_or_risk_hold H, 800025 credit_or_risk_hold H
900124 customer_agreement_missing H, 2091 offer_unavailable N, 2085 offer_unavailable N, 800020 offer_unavailable N
400019 provider_unavailable T, 800028 offer_unavailable N, 20000 provider_operation_pending T
"""
FACT_ROWS = [tuple(fact.split()) for fact in re.split(r"[,\n]", FACTS) if fact.strip()]


def cause(text: str, **beside: Any) -> str | None:
    return read_message(text, **beside).cause


class TestTheData:
    def test_every_cause_is_one_of_the_apps(self) -> None:
        named = {row.get("cause") for kind in ("codes", "wrappers", "statuses", "texts") for row in DATA[kind]}
        assert named - {None} <= CAUSES
        assert set(DATA["causes"]) == named - {None}

    def test_every_code_name_and_text_comes_once(self) -> None:
        rows = [*DATA["codes"], *DATA["wrappers"]]
        names = [name for row in rows for name in (row["code"], *row.get("names", ()))]
        texts = [tuple(row["said"]) for row in DATA["texts"]]
        assert len(names) == len(set(names))
        assert len(texts) == len(set(texts))

    @pytest.mark.parametrize("kind", ["codes", "wrappers", "statuses", "texts"])
    def test_every_row_is_whole(self, kind: str) -> None:
        for row in DATA[kind]:
            if "means" not in row:
                assert {"code", "said"} <= set(row) or "cause" not in row, row
                continue
            assert row["waiting"] in set(Waiting), row
            assert row["means"][:1].islower() or row["means"].startswith(("Micro", "Cond", "Data", "Azure")), row
            assert not row["means"].endswith("."), row
            assert row.get("wait_seconds", 1) > 0, row
            assert row["cause"] is not None or row["waiting"] == "H", row
            assert kind == "statuses" or row["family"] in DATA["families"], row
            assert str(row.get("link", "https://")).startswith("https://"), row

    def test_what_nobody_has_to_do_is_waited_for(self) -> None:
        for row in [*DATA["codes"], *DATA["wrappers"]]:
            reading = read_message("", code=row["code"])
            if reading.who == "no one":
                assert reading.waiting in (Waiting.SOON, Waiting.LONG), row

    @pytest.mark.parametrize(("code", "proves", "waiting"), FACT_ROWS)
    def test_the_facts(self, code: str, proves: str, waiting: str) -> None:
        body = json.dumps({"code": code, "description": "x"})
        for reading in (read_message(body), read_message("", code=code)):
            assert (reading.cause, reading.waiting) == (proves, waiting)
            assert reading.sentence.startswith(reading.means[0].upper())

    def test_every_text_reads_as_its_own_row(self) -> None:
        for row in DATA["texts"]:
            proves = row["cause"] if "cause" in row else read_message("", code=row["code"]).cause
            assert cause(f"It failed: {' 77 '.join(row['said'])}.") == proves, row

    def test_every_cause_it_proves_has_a_rule(self) -> None:
        assert {row["cause"] for row in DATA["codes"]} - {None} <= RULES.keys()


@pytest.mark.parametrize("code", sorted(known_errors()))
class TestTheProvidersOwnShapes:
    def test_every_shape_says_the_same(self, code: str) -> None:
        error, now = known_errors()[code], datetime.now(UTC)
        message = error.message("77", "3")
        proves = read_message("", code=code, status=error.status).cause
        assert cause(f"{message} ({code})") == proves
        shapes = {"entra", "target"} if code.startswith("AADSTS") else {"partner_center", "target"}
        for shape in shapes:
            body = error_text(shape, code, error.status, message, now)  # type: ignore[arg-type]
            for text in (
                body,
                json.dumps(body),
                json.dumps(json.dumps(body)),
                f"<p>{body}</p>",
                f"Failed: {body} (end)",
            ):
                assert cause(text) == proves

    def test_cut_off_anywhere_it_says_the_same_or_nothing(self, code: str) -> None:
        error, now = known_errors()[code], datetime(2026, 11, 22, tzinfo=UTC)
        message = error.message("77", "3")
        proves = read_message("", code=code, status=error.status).cause
        shape = "entra" if code.startswith("AADSTS") else "partner_center"
        body = error_text(shape, code, error.status, message, now)  # type: ignore[arg-type]
        for text in (body, f"{message} ({code})"):
            for end in range(len(text)):
                assert cause(text[:end]) in (proves, None), text[:end]


@pytest.mark.parametrize(
    ("text", "proves"),
    [
        ("AADSTS50076", "credentials_invalid"),
        ("aadsts50076: you must use it", "credentials_invalid"),
        ("AADSTS<b>50076</b>", "credentials_invalid"),
        (json.dumps(ENTRA), "credentials_invalid"),
        (json.dumps({"Message": json.dumps(ENTRA)}), "credentials_invalid"),
        ('{"error":{"code":"BadRequest","innererror":{"code":"800090"}}}', "reduction_window_closed"),
        ('{"error":{"code":"Odd","message":"x","innererror":{"code":27009,"message":"y"}}}', "parent_not_provisioned"),
        ('{"code":"900192","description":"No. {\\"code\\":\\"800082\\"}"}', "provider_operation_pending"),
        ('{"code":"800009","data":[{"errorCode":"10018"}]}', "parent_not_provisioned"),
        ("900192 again: error code 900192, inside it error code 800082", "provider_operation_pending"),
        ("Ihr Abonnement ist noch nicht bereit. Fehlercode: 800082", "provider_operation_pending"),
        ("エラーコード：８０００８２", "provider_operation_pending"),  # noqa: RUF001  as it comes
        ("错误代码：900278", "provider_operation_pending"),  # noqa: RUF001  as it comes
        ("Código de error: 27009", "parent_not_provisioned"),
        ("Code d\u2019erreur : 900257", "reduction_window_closed"),
        ("Das Zeitfenster ist vorbei (900257)", "reduction_window_closed"),
        ("\u201ccode\u201d:\u201c800082\u201d", "provider_operation_pending"),
        ("&quot;code&quot;:&quot;800082&quot;", "provider_operation_pending"),
        ("&amp;quot;code&amp;quot;: 800082", "provider_operation_pending"),
        ("<table><td>Error code</td><td>800082</td></table>", "provider_operation_pending"),
        ("<m:error><m:code>-2147220960</m:code></m:error>", "service_user_not_ready"),
        ('<error code="800082" message="x"/>', "provider_operation_pending"),
        ("<script>var code = 800090;</script><p>AADSTS50076</p>", "credentials_invalid"),
        ("<script>code 800082", "provider_operation_pending"),
        ("code:\x00800082", "provider_operation_pending"),
        ("code: 80\u200b0082", "provider_operation_pending"),
        ("800082: not ready", "provider_operation_pending"),
        ("Subscription can\u2019t be changed\n800082 - not ready", "provider_operation_pending"),
        ("Access denied (2032)", "credentials_invalid"),
        ("Access denied (400)", "credentials_invalid"),
        ('{"error_codes":[50076],"timestamp":"20', "credentials_invalid"),
        ("https://login.microsoftonline.com/error?code=50076", "credentials_invalid"),
        ("HRESULT -2147220960", "service_user_not_ready"),
        ("Exception 0x80040220 in plug-in", "service_user_not_ready"),
        ("SandboxLimitExceeded", "quantity_cap_exceeded"),
        ('{"code":"sandbox_limit_exceeded","description":"x"}', "quantity_cap_exceeded"),
        (
            '{"error":{"code":"0x80040265","message":"Subscription is not ready to be updated"}}',
            "provider_operation_pending",
        ),
        ("code 800082 and code 800060", "provider_operation_pending"),
        ("HTTP/1.1 503 Service Unavailable", "provider_unavailable"),
        ("<html><h1>504 Gateway Time-out</h1></html>", "provider_unavailable"),
        ("The remote server returned an error: (503) Server Unavailable.", "provider_unavailable"),
        ("Response status code does not indicate success: 401 (Unauthorized).", "credentials_invalid"),
        ('{"statusCode": 429, "message": "slow down"}', "provider_unavailable"),
        (f"HTTP 500: {PRIOR}", "provider_unavailable"),
        (PRIOR.replace(" ", "\n  "), "prior_change_blocking"),
        ("Subscription quantity can\u2019t be decreased", "reduction_window_closed"),
        ("Subscription quantity cannot be decreased", "reduction_window_closed"),
        ("invalid_grant", "consent_expired"),
        ('{"error":"interaction_required","error_description":"AADSTS50079: x"}', "credentials_invalid"),
        (f"Ticket (123456): {READY}", "provider_operation_pending"),
        ('{"code":0,"description":"Subscription is not ready to be updated"}', "provider_operation_pending"),
        ('{"code":"800082","data":[{"currency":{"code":"EUR"}}]}', "provider_operation_pending"),
    ],
)
def test_what_decides(text: str, proves: str) -> None:
    reading = read_message(text)
    assert reading.cause == proves
    assert reading.matched


@pytest.mark.parametrize(
    "text",
    [
        "",
        "429",
        "800082",
        "AADSTS",
        "Order 3f2a429b-0429-4290-8000-800082429429 failed on 2026-04-29 at 04:29 with v8.0.0.82: 429 seats",
        "Customer asked for (20000) seats",
        "We asked for 800082 seats, 900257 in all",
        "Customer has seats (800082)",
        "We asked for [800082] licences",
        "Our ticket (900257) is still open",
        "Status: 429 seats",
        "status 503",
        "Renewed for the year (2012)",
        "The postal code 98052 and the promo code 800082",
        "barcode 800082",
        "error code 800082-aadb-4290",
        "error code 900257/2",
        "error code 800082.5 and code: 27009:30",
        f'{{"code":"8000\u2026","description":"{READY}"}}',
        "Error 500 seats were asked for",
        "trace id 80008200-aadb-4290-8000-900257900257",
        '{"quantity":800082,"tax":900257,"trace_id":"900257"}',
        "code 800082 then code 900257",
        '{"errors":[{"code":"800082","message":"a"},{"code":"900257","message":"b"}]}',
        '[{"code":"800082"},{"code":"900257"}]',
        "AADSTS50076 AADSTS700082",
        f'{{"code":"123456","description":"{READY}"}}',
        f'{{"code":"ValidationFailed","message":"{READY}"}}',
        f'{{"code":"ValidationFailed","message":"{READY} and then it was cut o',
        f"Error code 123456: {READY}",
        f"{READY} (900999)",
        f"AADSTS999999: {READY}",
        f"0x80048999 {READY}",
        '{"error":"invalid_grant","error_description":"AADSTS123456: x"}',
        '{"error":"invalid_grant","error_description":"AADSTS',
        '{"error":"invalid_grant","error_description":"AADSTS70001',
        '{"error":{"code":"8000',
        '{"code":"70000","message":"of another service, and not of Entra"}',
        f"{READY}. {PRIOR}",
        "Tenant not found (2002)",
        "The request could not be completed. Contact your administrator and quote reference 7F-2231.",
        "<script>alert(1)</script>",
    ],
)
def test_what_decides_nothing(text: str) -> None:
    reading = read_message(text)
    assert reading.cause is None
    assert (reading.matched, reading.waiting, reading.who) == ("", Waiting.PERSON, NOT_RECOGNISED.who)


def test_a_documented_code_that_proves_no_cause_is_explained_and_unknown() -> None:
    reading = read_message('{"code":"900219","description":"x"}')
    assert (reading.cause, reading.matched, reading.waiting) == (None, "900219", Waiting.PERSON)
    assert "add-ons" in reading.sentence


def test_what_came_beside_the_text_counts() -> None:
    assert cause("", code="800082") == "provider_operation_pending"
    assert cause("", code="AADSTS50033 / 90024") == "provider_unavailable"
    assert cause("x", code="cart 10018") == "parent_not_provisioned"
    assert cause("x", code="UpgradeErrorCode 6") == "parent_not_provisioned"
    assert cause("x", status=503) == "provider_unavailable"
    assert cause("x", code="TooManyRequests") == "provider_unavailable"
    assert cause("x", code="400", status=401) == "credentials_invalid"
    assert cause(READY, code="Bad Request", status=400) == "provider_operation_pending"
    assert cause(json.dumps(ENTRA), code="invalid_grant", status=400) == "credentials_invalid"
    assert cause("The refresh token has expired", status=401) == "consent_expired"
    assert cause(READY, code="-") == "provider_operation_pending"
    for strange in ("999999", "W365", "<script>", "9" * 5000, "Something else"):
        assert cause(READY, code=strange) is None
    assert cause("code 900257", code="800082") is None
    assert cause("", code="900144") == "product_or_price_invalid"
    assert cause('{"error_codes":[900144]}') is None, "the same number is another code at Entra"


def test_the_time_that_a_message_names_is_the_time_to_wait() -> None:
    assert read_message("Rate limit is exceeded. Try again in 57 seconds.").wait_seconds == 57
    assert read_message('{"statusCode":429,"message":"Try again in 3 minutes"}').wait_seconds == 180
    assert read_message("Rate limit is exceeded. Retry-After: 120").wait_seconds == 120
    assert read_message("Rate limit is exceeded. Try again in 999999 days.").wait_seconds == 7 * 86400
    assert read_message("Rate limit is exceeded.").wait_seconds == 60
    assert "57 seconds" in read_message("Rate limit is exceeded. Try again in 57 seconds.").sentence
    assert read_message("AADSTS50076 Try again in 57 seconds.").wait_seconds is None


def test_a_wrong_catalogue_id_is_named_where_the_code_misleads() -> None:
    reading = read_message('{"code":800089,"description":"requested number of 1 asset/s exceeded"}')
    assert "catalogue id" in reading.sentence
    assert "Provider Part Number" in reading.sentence


def test_an_unknown_code_is_named_and_nothing_of_the_text_is_repeated() -> None:
    reading = read_message("error code 987654 <script>alert(1)</script>")
    assert "987654" in reading.sentence
    assert "script" not in reading.sentence
